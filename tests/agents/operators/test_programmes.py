"""Generations of own silicon are started as options, advance and slip, and are offered when they are ready."""

import numpy as np
import pytest

from computemarket.agents.operators.programmes import FIRST
from computemarket.analysis.results.measures import measure
from computemarket.analysis.results.series import panels_from_recorder
from computemarket.model.core.calendar import quarters_since_start
from computemarket.model.state import WITHDRAWN
from computemarket.scenarios.assembly import assemble
from computemarket.scenarios.batches.ensemble import prepare, simulate_chunk
from computemarket.scenarios.schema import load_scenario

RUNS = np.arange(16)
DATE = quarters_since_start("2027Q1")
SMOOTH = {"slip_chance": 0, "design_quarters": 8, "value_volatility": 0.3}


def market_at(quarter, **settings):
    pairs = {f"custom_silicon.{key}": value for key, value in (SMOOTH | settings).items()}
    market = assemble(load_scenario("baseline").with_settings(pairs), np.arange(4), frozenset())
    while market.quarter < quarter:
        market.step()
    return market


def test_a_design_without_slips_is_ready_on_the_day_of_the_catalogue():
    place = 0  # the first coming generation of the first owner was under way in 2026Q1
    group = market_at(FIRST).cast.silicon_generations
    due = int(group.launch_due[place])
    market = market_at(due)
    assert (market.state.product_edge[:, group.places[place]] == WITHDRAWN).all()
    market.step()
    assert (market.state.product_edge[:, group.places[place]] == 0).all()


def test_a_design_that_always_slips_is_never_ready_and_its_owner_goes_on_with_the_one_before():
    market = market_at(FIRST + 12, slip_chance=0.9)
    group = market.cast.silicon_generations
    late = ~group.ready & (market.quarter > group.launch_due)
    assert late.any()
    run, place = np.argwhere(late)[0]
    state, slot = market.state, group.shops[group.owner[place]].slot
    assert state.fleet_units[run, slot, group.places[place]] == 0
    assert state.ordered_units[run, slot, group.before[place]] > 0


def test_an_owner_starts_only_what_is_worth_the_hurdle():
    bold = market_at(FIRST + 8, design_cost_usd=2e8, value_volatility=0.05)
    shy = market_at(FIRST + 8, design_cost_usd=1.5e9, value_volatility=1.5, payout=0.005)
    started = [market.cast.silicon_generations.started.sum() for market in (bold, shy)]
    assert started[0] > started[1]


def test_one_design_at_a_time():
    market = market_at(FIRST + 16, slip_chance=0.9, design_cost_usd=2e8, value_volatility=0.05)
    group = market.cast.silicon_generations
    later = [place for place in range(1, len(group.places)) if group.owner[place] == group.owner[place - 1]]
    held = [~group.ready[:, place - 1] & (market.quarter >= group.launch_due[place] - 8) for place in later]
    assert np.any(held)  # the one before is late, and the next would be due
    for place, waits in zip(later, held, strict=True):
        assert not (group.started[:, place] & waits).any()


def test_the_generation_before_is_withdrawn_once_the_new_one_has_been_there():
    group = market_at(FIRST).cast.silicon_generations
    market = market_at(int(group.launch_due[0]) + 5, overlap_quarters=2)
    assert (market.state.product_edge[:, group.before[0]] == WITHDRAWN).all()


def test_designs_under_way_are_paid_for():
    market = market_at(FIRST + 1)
    group = market.cast.silicon_generations
    assert group.bill_usd.sum() > 0
    running = group.bill_usd > 0
    each = (market.value("custom_silicon.design_cost_usd") / 8)[:, None] * running
    assert group.bill_usd == pytest.approx(each)
    assert market.ledger.flows["design of own chips"] == pytest.approx(group.bill_usd.sum(axis=1))


def test_a_new_generation_is_worth_nothing_where_it_is_no_cheaper_than_the_one_before():
    market = market_at(FIRST + 4)
    group = market.cast.silicon_generations
    cost = np.ones((4, len(market.world.products.ids)))
    assert group._value_usd(0, cost) == pytest.approx(np.zeros(4))
    cost[:, group.places[0]] = 0.5
    assert (group._value_usd(0, cost) > 0).all()


@pytest.fixture(scope="module")
def compared():
    return [simulate_chunk(prepare(name, seed=1), RUNS) for name in ("baseline", "silicon_waits")]


def test_swings_put_designs_off_and_cost_own_silicon_its_share(compared):
    panels = [panels_from_recorder(found, "", RUNS.tolist()) for found in compared]
    before, after = (measure("custom_compute_share").at(panel, "2030") for panel in panels)
    assert (after < before).mean() >= 0.9
    ready = [np.nansum(found.array("own_generation_ready"), axis=(1, 2)) for found in compared]
    assert (ready[1] < ready[0]).mean() >= 0.75
    for variable in compared[0].series:
        one, other = (np.ascontiguousarray(found.array(variable)[:, :DATE]) for found in compared)
        assert one.tobytes() == other.tobytes(), variable


def test_dates_of_generations_differ_between_runs(compared):
    ready = compared[0].array("own_generation_ready").sum(axis=1)
    assert (ready.std(axis=0) > 0).sum() >= 5
