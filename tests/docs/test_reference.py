"""The documentation made from the program is complete, and docstrings reach it as they were written."""

import importlib.util
import re

import pytest

from computemarket.analysis.results.measures import load_measures
from computemarket.model.core.parameters import schema
from computemarket.scenarios.schema import library_names


@pytest.fixture(scope="module")
def reference(checkout):
    """Return the module that writes the generated pages."""
    spec = importlib.util.spec_from_file_location("reference", checkout / "docs" / "reference.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def rows(page):
    """Return the cells of all rows of the tables of a page."""
    lines = [line for line in page.splitlines() if line.startswith("| ")]
    return [re.split(r"(?<!\\)\|", line)[1:-1] for line in lines]


def test_every_parameter_is_listed_with_unit_value_range_meaning_and_source(reference):
    page = {cells[0].split("`")[1]: cells for cells in rows(reference.parameters_page()) if "`" in cells[0]}
    assert set(page) == set(schema())
    for name, parameter in schema().items():
        label, value, allowed, meaning = page[name]
        assert label.strip().endswith("no unit" if parameter.unit == "1" else parameter.unit)
        assert value.strip().startswith(f"{parameter.default:g}")
        assert (parameter.prior is None) == ("drawn from" not in value)
        assert allowed.strip() == f"{parameter.low:g} to {parameter.high:g}"
        assert parameter.meaning in meaning.replace(r"\|", "|")
        assert parameter.source in meaning.replace(r"\|", "|")


def test_every_measure_and_scenario_is_listed(reference):
    assert {cells[0].strip(" `") for cells in rows(reference.measures_page())} >= set(load_measures())
    assert {cells[0].strip(" `") for cells in rows(reference.scenarios_page())} >= set(library_names())


def test_every_module_of_the_model_and_of_the_actors_has_a_page(reference, checkout):
    pages = dict(reference.mechanism_pages())
    listed = pages.pop("mechanisms.md")
    for part in (
        "model/mechanisms",
        "model/hardware",
        "model/policy",
        "agents",
        "model/markets",
        "model/core",
    ):
        for path in (checkout / part).rglob("[a-z]*.py"):
            name = ".".join(path.relative_to(checkout).with_suffix("").parts)
            assert f"automodule:: computemarket.{name}" in pages[f"module.{name}.rst"]
            assert f"]({f'module.{name}.rst'}): " in listed


def test_writing_again_touches_nothing_and_sweeps_what_is_gone(reference, tmp_path):
    folder = tmp_path / "generated"
    reference.write(folder)
    first = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    (folder / "module.gone.rst").write_text("gone")
    reference.write(folder)
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == first


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("p = c |e| / (|e| - 1), p*^w", r"p = c \|e\| / (\|e\| - 1), p\*^w"),
        ("the name `a*b_` stays, q_ does not", r"the name `a*b_` stays, q\_ does not"),
        ("``x*`` and snake_case stay", "``x*`` and snake_case stay"),
    ],
)
def test_a_docstring_is_text_and_not_markup(checkout, written, shown):
    text = (checkout / "docs" / "conf.py").read_text("utf-8")
    start, end = text.index("_CODE = "), text.index("def _plain_docstring")
    names = {"re": re}
    exec(text[start:end], names)  # noqa: S102  (the rest of the file needs Sphinx)
    assert names["plain"](written) == shown
