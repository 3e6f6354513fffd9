"""The first lab to run coding on a generation of LPUs: who it is, what it gains, and what it loses."""

import numpy as np
import pytest

from computemarket.agents.labs.first_adopters import CODING
from computemarket.analysis.results.measures import measure
from computemarket.analysis.results.series import panels_from_recorder
from computemarket.model.core.calendar import quarters_since_start
from computemarket.scenarios.assembly import assemble
from computemarket.scenarios.batches.ensemble import prepare, simulate_chunk
from computemarket.scenarios.schema import load_scenario

RUNS = np.arange(8)
LAUNCH = quarters_since_start("2026Q3")
PLAIN = {
    "labs.first_adopter_gain": 0.2, "labs.head_start_quarters": 4, "lpu_rack.trial_quarters": 2,
    "hardware.integration_start": 0.6, "hardware.integration_per_quarter": 0.1, "lpu_rack.failure_chance": 0,
    "custom_silicon.shock_rate": 0,
}  # fmt: skip


def market_at(quarter, runs=4, **settings):
    pairs = PLAIN | {name.replace("__", "."): value for name, value in settings.items()}
    market = assemble(load_scenario("baseline").with_settings(pairs), np.arange(runs), frozenset())
    while market.quarter < quarter:
        market.step()
    return market


def gained(market):
    adopters = market.cast.first_adopters
    before = market.state.lab_quality.copy()
    adopters.launch()
    return market.state.lab_quality - before


def test_the_first_adopter_gains_by_the_part_of_coding_and_nobody_else():
    market = market_at(LAUNCH + 1, labs__first_adopter_chance=1)
    place = market.labs.ids.index(market.world.roles.one("expected_first_lab"))
    coding = market.cast.workloads.mix[:, CODING]
    found = gained(market)
    np.testing.assert_allclose(found[:, place], 0.2 * coding)
    assert (np.delete(found, place, axis=1) == 0).all()


def test_a_head_start_ends_and_a_failure_costs():
    market = market_at(LAUNCH + 4, labs__first_adopter_chance=1)
    assert (gained(market) == 0).all()
    market = market_at(LAUNCH + 3, labs__first_adopter_chance=1, lpu_rack__failure_chance=1)
    place = market.labs.ids.index(market.world.roles.one("expected_first_lab"))
    np.testing.assert_allclose(gained(market)[:, place], -0.2 * market.cast.workloads.mix[:, CODING])


def test_the_expected_lab_is_first_as_often_as_its_chance_and_others_by_their_share():
    market = market_at(LAUNCH + 1, runs=96, labs__first_adopter_chance=0.5)
    adopters = market.cast.first_adopters
    first = adopters.adopter[:, 0] == adopters.expected
    assert 0.35 < first.mean() < 0.65
    others = adopters.adopter[~first, 0]
    assert (market.labs.token_market[others] == 0).all()
    assert len(np.unique(others)) >= 3
    assert (adopters.first()[:, :, 0].sum(axis=1) == 1).all()


@pytest.fixture(scope="module")
def compared():
    return [simulate_chunk(prepare(name, seed=1), RUNS) for name in ("baseline", "openai_adopts_first")]


def test_the_scenario_raises_the_labs_revenue_and_changes_nothing_before_its_date(compared):
    panels = [panels_from_recorder(found, "", RUNS.tolist()) for found in compared]
    before, after = (measure("openai_revenue").at(panel, "2029") for panel in panels)
    assert (after > before).mean() >= 0.75, np.median(after / before)
    for variable in compared[0].series:
        one, other = (np.ascontiguousarray(found.array(variable)[:, :LAUNCH]) for found in compared)
        assert one.tobytes() == other.tobytes(), variable
