"""What fleets do of their peak: racks that fail as one, accelerators cut for small requests."""

import numpy as np
import pytest

from computemarket.analysis.results.measures import measure
from computemarket.analysis.results.series import panels_from_recorder
from computemarket.model.core.calendar import quarters_since_start
from computemarket.model.markets.serving import serve, tokens_per_rated
from computemarket.scenarios.assembly import assemble
from computemarket.scenarios.batches.ensemble import prepare, simulate_chunk
from computemarket.scenarios.schema import load_scenario

RUNS = np.arange(8)
FIRST, CHANGE = (quarters_since_start(quarter) for quarter in ("2026Q1", "2027Q1"))
PLAIN = {
    "hardware.mtbf": 25000, "hardware.repair": 25, "hours.stranded_share": 0.5, "hours.stranded_learning": 0,
    "hours.small_request_load": 0.1, "hours.large_request_load": 0.7, "hours.sharing_start": 0.0,
    "hours.sharing_end": 0.0, "hours.partition_slots": 7, "hours.shared_fleet_share": 0.5,
}  # fmt: skip


def market_at(quarter, settings=None):
    market = assemble(
        load_scenario("baseline").with_settings(PLAIN | (settings or {})), np.arange(2), frozenset()
    )
    while market.quarter < quarter:
        market.step()
    return market


def test_larger_domains_are_up_less_and_operators_learn():
    use = market_at(FIRST + 1).cast.fleet_use
    found = use._availability()
    alone, rack = int(np.argmin(use.domain)), int(np.flatnonzero(use.domain == 72)[0])
    np.testing.assert_allclose(found[:, alone], 25000 / 25025)
    np.testing.assert_allclose(found[:, rack], 25000 / (25000 + 36 * 25))
    learned = market_at(FIRST + 2, {"hours.stranded_learning": 0.5}).cast.fleet_use
    learned.market.quarter = FIRST + 2
    np.testing.assert_allclose(learned._availability()[:, rack], 25000 / (25000 + 9 * 25))


def test_one_large_and_six_small_requests_fill_an_accelerator_that_is_cut():
    use = market_at(FIRST + 1).cast.fleet_use
    use.state.small_task_share[:] = 6 / 7
    np.testing.assert_allclose(use._packed(np.ones(2)), (6 * 0.1 + 0.7) / 7)  # each takes a whole one
    cut = market_at(FIRST + 1, {"hours.sharing_start": 1, "hours.sharing_end": 1}).cast.fleet_use
    cut.state.small_task_share[:] = 6 / 7
    np.testing.assert_allclose(cut._packed(np.ones(2)), (6 * 0.1 + 0.7) / (6 / 7 + 5 / 7))
    few = market_at(FIRST + 1, {"hours.sharing_start": 1, "hours.sharing_end": 1, "hours.partition_slots": 2})
    few.state.small_task_share[:] = 6 / 7
    np.testing.assert_allclose(few.cast.fleet_use._packed(np.ones(2)), (6 * 0.1 + 0.7) / (6 / 2 + 1))
    uncut = cut._packed(np.zeros(2))  # what cannot be cut gains nothing
    np.testing.assert_allclose(uncut, (6 * 0.1 + 0.7) / 7)


def test_tokens_follow_uptime_and_packing():
    market = market_at(FIRST + 1)
    state = market.state
    serve(market)
    state.used_abroad_h100e[:] = 0
    serve(market)
    capacity, per_unit = state.capacity_h100e.copy(), tokens_per_rated(market)
    hours = (state.token_hours_h100e / state.tokens)[:, 0, 1:4]
    state.availability_factor[:] *= 0.9
    state.request_factor[:] *= 1.25
    serve(market)
    np.testing.assert_allclose(state.capacity_h100e, 0.9 * capacity)
    np.testing.assert_allclose(tokens_per_rated(market), 1.25 * per_unit)
    assert ((state.token_hours_h100e / state.tokens)[:, 0, 1:4] < 0.9 * hours).all()


def test_both_act_by_their_change_since_2026():
    market = market_at(FIRST + 1)
    assert market.state.availability_factor == pytest.approx(1.0)
    assert market.cast.fleet_use.packing == pytest.approx(1.0)
    market = market_at(FIRST + 9, {"hours.sharing_end": 1})
    use = market.cast.fleet_use
    assert (market.state.availability_factor < 1).all()  # racks of 72 and more have taken over
    np.testing.assert_allclose(use.packing, 1 + 0.5 * (use.load / use.first_load - 1))
    assert (use.packing > 1).all()


def test_every_paid_tier_and_the_free_one_are_packed_alike():
    work = {"hours.sharing_end": 1}
    cut, uncut = (market_at(FIRST + 9, work | {"hours.shared_fleet_share": share}) for share in (0.5, 0))
    packing = cut.cast.fleet_use.packing[:, None]
    np.testing.assert_allclose(cut.state.request_factor[:, 0], packing[:, 0])
    relative = cut.state.request_factor / uncut.state.request_factor
    np.testing.assert_allclose(relative, np.broadcast_to(packing, relative.shape), rtol=0.05)


@pytest.fixture(scope="module")
def compared():
    names = ("baseline", "fragile_racks", "shared_accelerators")
    return {name: simulate_chunk(prepare(name, seed=1), RUNS) for name in names}


@pytest.mark.parametrize("scenario", ["fragile_racks", "shared_accelerators"])
def test_scenarios_change_nothing_before_their_date(compared, scenario):
    for variable in compared["baseline"].series:
        one, other = (
            np.ascontiguousarray(compared[found].array(variable)[:, :CHANGE])
            for found in ("baseline", scenario)
        )
        assert one.tobytes() == other.tobytes(), variable


@pytest.mark.parametrize(
    ("scenario", "name", "sign", "year"),
    [
        ("fragile_racks", "fleet_availability", -1, "2028"),
        ("fragile_racks", "utilisation", +1, "2028"),
        ("fragile_racks", "token_price_medium", +1, "2028"),
        ("shared_accelerators", "packing_factor", +1, "2028"),
        ("shared_accelerators", "token_price_medium", -1, "2028"),
    ],
)
def test_scenarios_move_the_market_as_their_lines_say(compared, scenario, name, sign, year):
    before, after = (
        measure(name).at(panels_from_recorder(compared[found], "", RUNS.tolist()), year)
        for found in ("baseline", scenario)
    )
    assert (np.sign(after - before) == sign).mean() >= 0.75, np.median(after / before)
