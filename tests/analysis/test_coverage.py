"""The coverage file says what is true: each item once, and what it names exists and is used."""

import ast
from pathlib import Path

import pytest
from typer.testing import CliRunner

from computemarket.analysis.coverage import STATUSES, Coverage, counts, load_coverage, load_inventory
from computemarket.cli import app
from computemarket.errors import InputError

ROOT = Path(__file__).resolve().parents[2]


def file_of(module: str) -> Path | None:
    """Return the file of a module of the checkout, None where there is none."""
    parts = module.split(".")[1:]
    for base in (ROOT, ROOT / "src" / "computemarket"):
        for path in (base.joinpath(*parts).with_suffix(".py"), base.joinpath(*parts, "__init__.py")):
            if parts and path.is_file():
                return path
    return None


def reached() -> set[str]:
    """Return the modules that the program imports, starting at the command line."""
    seen: set[str] = set()
    left = ["computemarket.cli", "computemarket.scenarios.batches.ensemble"]
    while left:
        module = left.pop()
        path = file_of(module)
        if module in seen or path is None:
            continue
        seen.add(module)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                left += [name.name for name in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                left += [node.module, *(f"{node.module}.{name.name}" for name in node.names)]
    return seen


def test_every_item_of_the_inventory_has_one_row():
    assert [row.item_id for row in load_coverage()] == [item.item_id for item in load_inventory()]
    assert len(load_inventory()) == 190


def test_a_missing_or_repeated_item_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "coverage.csv"
    monkeypatch.setattr("computemarket.analysis.coverage._coverage_file", lambda: path)
    rows = ["item_id,status,module,test", *(f"{item.item_id},not yet,," for item in load_inventory())]
    path.write_text("\n".join(rows[:-1]) + "\n")
    with pytest.raises(InputError, match="I190"):
        load_coverage()
    path.write_text("\n".join([*rows, rows[-1]]) + "\n")
    with pytest.raises(InputError, match="I190"):
        load_coverage()


def test_what_the_file_names_exists():
    for row in load_coverage():
        for module in row.modules:
            assert file_of(f"computemarket.{module}") is not None, f"{row.item_id}: no module {module}"
        for test in row.tests:
            assert (ROOT / test).is_file(), f"{row.item_id}: no test {test}"


def test_a_represented_item_names_a_module_and_a_test():
    for row in load_coverage():
        if row.status != "not yet":
            assert row.modules, row.item_id
            assert row.tests, row.item_id


def test_a_represented_item_is_used_by_the_program():
    used = reached()
    for row in load_coverage():
        if row.status != "not yet":
            for module in row.modules:
                assert f"computemarket.{module}" in used, f"{row.item_id}: nothing imports {module}"


def test_counts_add_up():
    rows = [Coverage(item_id=str(i), status=status) for i, status in enumerate(("done", "done", "not yet"))]
    assert counts(["a", "b", "b"], rows) == {"a": (1, 0, 0), "b": (1, 0, 1)}


def test_the_command_prints_the_counts_of_each_status():
    result = CliRunner().invoke(app, ["coverage"])
    assert result.exit_code == 0
    assert all(status in result.output for status in STATUSES)
    assert "190" in result.output


def test_the_command_lists_the_items_of_a_status():
    result = CliRunner().invoke(app, ["coverage", "--list", "--status", "not yet"])
    assert result.exit_code == 0
    listed = sum(row.status == "not yet" for row in load_coverage())
    assert sum(f"{item.item_id} " in result.output for item in load_inventory()) == listed


def test_an_unknown_status_is_refused():
    with pytest.raises(InputError, match="first version"):
        CliRunner().invoke(app, ["coverage", "--status", "perhaps"], catch_exceptions=False)
