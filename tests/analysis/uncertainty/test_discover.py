"""Scenario discovery finds the box that was hidden."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from computemarket.analysis.uncertainty.discover import discover, find_boxes
from computemarket.analysis.uncertainty.outcomes import read_outcome
from computemarket.errors import InputError
from computemarket.model.core.parameters import schema

_spec = importlib.util.spec_from_file_location(
    "analytic_store", Path(__file__).with_name("analytic_store.py")
)
_module = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_module)
analytic_store = _module.analytic_store

TEXT = (
    'runs = 1\n[design]\nmethod = "sobol"\npoints = 1024\n'
    "[uncertainties.capex]\nherding = { uniform = [0.0, 0.4] }\ncorrection = { uniform = [0.1, 0.3] }\n"
    'required_cover = "prior"\n'
)


def test_the_hidden_box_is_found_with_its_conditions(tmp_path):
    analytic_store(tmp_path, TEXT, lambda _case, u, _shocks: (u[:, 0] > 0.75) & (u[:, 1] < 0.5))
    found = discover(tmp_path, read_outcome("utilisation > 0.5", limited=True), None)
    assert found.share == pytest.approx(1 / 8, abs=0.005)
    best = found.boxes[0]
    assert (best.density, best.coverage) == (1.0, 1.0)
    conditions = {one.parameter: one for one in best.conditions}
    assert set(conditions) == {"capex.herding", "capex.correction"}
    assert conditions["capex.herding"].low == pytest.approx(0.3, abs=0.002)
    assert conditions["capex.correction"].high == pytest.approx(0.2, abs=0.002)
    assert str(conditions["capex.herding"]).startswith("capex.herding > 0.")


def test_density_and_coverage_are_shares_of_runs():
    inputs = np.linspace(0.0, 1.0, 1000)[:, None]
    happens = (inputs[:, 0] > 0.6) & (np.arange(1000) % 4 > 0)
    boxes = find_boxes(inputs, happens, ("x",))
    assert sum(box.coverage for box in boxes) == pytest.approx(1.0)
    assert all(box.density == pytest.approx(0.75, abs=0.03) for box in boxes)


def test_the_inputs_are_those_of_the_runs(tmp_path):
    """Priors that no design sets are drawn again as the market drew them."""
    from computemarket.analysis.uncertainty.outcomes import inputs_of, uncertain_of
    from computemarket.scenarios.assembly import assemble

    study = analytic_store(tmp_path, "runs = 200\n", lambda _case, _u, shocks: shocks)
    names = uncertain_of(study)
    assert {name for name, one in schema().items() if one.prior is not None and one.schedule is None} <= set(
        names
    )
    numbers = np.array([3, 17])
    market = assemble(study.cases[0].scenario, numbers)
    for place, name in enumerate(names):
        assert (
            inputs_of(study, 0, numbers, names).values[:, place].tolist()
            == market.values.at(name, 1).tolist()
        )


def test_what_always_or_never_happens_has_no_conditions(tmp_path):
    analytic_store(tmp_path, TEXT, lambda _case, u, _shocks: u[:, 0])
    for limit, says in (("< 2", "in every run"), ("> 2", "in no run")):
        with pytest.raises(InputError, match=says):
            discover(tmp_path, read_outcome(f"utilisation {limit}"), None)


@pytest.mark.parametrize(
    "text",
    ["", "utilisation", "utilisation <", "utilisation = 3", "utilisation < x", "a b < 3", "utilisation@2050 < 1",
     "utilisation{size=3} < 1", "utilisation{entity} < 1", "__import__('os') < 1", "utilisation < 1; drop"],
)  # fmt: skip
def test_an_outcome_that_is_none_is_one_line(text):
    with pytest.raises(InputError, match="--outcome"):
        read_outcome(text, limited=True)


def test_an_outcome_is_read_in_all_its_parts():
    found = read_outcome(" capex_usd{entity=amazon, region=us}@2030 >= 1.5e9 ")
    assert (found.variable, found.period, found.sign, found.limit) == ("capex_usd", "2030", ">=", 1.5e9)
    assert found.labels == {"entity": "amazon", "region": "us"}
    assert found.text == "capex_usd{entity=amazon,region=us}@2030"
    assert found.file == "capex_usd_entity_amazon_region_us_2030"
