"""Indices of functions whose indices are known."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from computemarket.analysis.uncertainty.outcomes import read_outcome
from computemarket.analysis.uncertainty.sensitivity import draw_tornado, sensitivity
from computemarket.errors import InputError

_spec = importlib.util.spec_from_file_location(
    "analytic_store", Path(__file__).with_name("analytic_store.py")
)
_module = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_module)
analytic_store = _module.analytic_store

THREE = '[uncertainties.capex]\nherding = "prior"\ncorrection = "prior"\nrequired_cover = "prior"\n'
ASKED = read_outcome("utilisation")


def ishigami(_case, u, _shocks):
    x = np.pi * (2 * u - 1)
    return np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])


def plane(_case, u, shocks):
    return 4 * u[:, 0] - 2 * u[:, 1] + 100.0 * (shocks + 1)


def design(method: str, **numbers) -> str:
    keys = "".join(f"{key} = {value}\n" for key, value in numbers.items())
    return f'runs = 1\n[design]\nmethod = "{method}"\n{keys}{THREE}'


def test_sobol_indices_of_the_ishigami_function(tmp_path):
    """Ishigami and Homma 1990: first order 0.314, 0.442, 0; total 0.558, 0.442, 0.244."""
    analytic_store(tmp_path, design("saltelli", points=1024), ishigami)
    found = sensitivity(tmp_path, ASKED, None)
    table = found.table.set_index("parameter")
    assert found.method == "sobol"
    assert list(table.index) == ["capex.herding", "capex.correction", "capex.required_cover"]
    assert table["total"].to_numpy() == pytest.approx([0.5576, 0.4424, 0.2437], abs=0.06)
    assert table["first_order"].to_numpy() == pytest.approx([0.3139, 0.4424, 0.0], abs=0.06)


def test_elementary_effects_of_a_plane_are_its_slopes(tmp_path):
    analytic_store(tmp_path, design("morris", trajectories=10), plane)
    table = sensitivity(tmp_path, ASKED, None).table.set_index("parameter")
    # the bounds given to the method are the unit cube, the sample spans its inner 90%
    assert table.loc["capex.herding", "mean_effect"] == pytest.approx(4 * 0.9, rel=1e-9)
    assert table.loc["capex.correction", "effect"] == pytest.approx(-2 * 0.9, rel=1e-9)
    assert table.loc["capex.required_cover", "mean_effect"] == pytest.approx(0.0, abs=1e-9)
    assert table["spread_of_effect"].to_numpy() == pytest.approx(0.0, abs=1e-9)


def test_delta_orders_the_parameters_of_any_sample(tmp_path):
    analytic_store(
        tmp_path, design("latin_hypercube", points=512), lambda case, u, _: plane(case, u, 0 * u[:, 0])
    )
    found = sensitivity(tmp_path, ASKED, None)
    assert found.method == "delta"
    assert list(found.table["parameter"])[:2] == ["capex.herding", "capex.correction"]
    first = found.table.set_index("parameter")["first_order"]
    assert first["capex.herding"] == pytest.approx(0.8, abs=0.05)  # 16 / (16 + 4)
    row = found.table.iloc[0]
    assert row["low"] == pytest.approx(100 + 0.4 - 1.0, abs=0.15)
    assert row["high"] == pytest.approx(100 + 3.6 - 1.0, abs=0.15)


def test_runs_of_a_point_are_averaged(tmp_path):
    text = design("saltelli", points=64).replace("runs = 1", "runs = 2")
    analytic_store(tmp_path, text, plane)
    found = sensitivity(tmp_path, ASKED, None)
    assert found.points == 64 * 5
    assert found.middle == pytest.approx(150.0 + 1.0, abs=0.05)


def test_a_tornado_is_drawn(tmp_path):
    analytic_store(tmp_path / "store", design("morris", trajectories=4), plane)
    draw_tornado(sensitivity(tmp_path / "store", ASKED, None), tmp_path / "tornado.png")
    assert (tmp_path / "tornado.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(InputError, match="a file that can be written"):
        draw_tornado(sensitivity(tmp_path / "store", ASKED, None), tmp_path / "none" / "tornado.png")


def test_what_cannot_be_said_is_one_line(tmp_path):
    analytic_store(tmp_path / "few", design("latin_hypercube", points=20), plane)
    analytic_store(tmp_path / "flat", design("sobol", points=64), lambda _case, u, _shocks: 0 * u[:, 0])
    for folder, outcome, options, says in (
        ("few", "utilisation", {}, "enough points: an index of a plain sample needs 50"),
        ("flat", "utilisation", {}, "an outcome that varies"),
        ("flat", "utilisation", {"method": "sobol"}, "needs a design of saltelli"),
        ("flat", "utilisation", {"method": "guess"}, "one of sobol, morris, delta"),
        ("flat", "utilisation", {"case": "nothing"}, "one of baseline/as_is"),
        ("flat", "power", {}, "recorded here; there is utilisation"),
        ("flat", "utilisation{entity=mars}", {}, "a label of utilisation"),
    ):
        with pytest.raises(InputError) as caught:
            sensitivity(Path(tmp_path) / folder, read_outcome(outcome), None, **options)
        assert says in str(caught.value)
