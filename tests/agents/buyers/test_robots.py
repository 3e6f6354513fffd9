"""Physical AI: robots by hand, under export rules, and as load on the market."""

import numpy as np
import pytest

from computemarket.agents.buyers.robots import CHINA
from computemarket.analysis.results.measures import measure
from computemarket.analysis.results.series import panels_from_recorder
from computemarket.model.core.calendar import quarters_since_start
from computemarket.model.markets.serving import lasting_rent_usd, serve
from computemarket.model.policy.trade.edge_chips import edge_access
from computemarket.model.world.world import USES
from computemarket.scenarios.assembly import assemble, rules_of
from computemarket.scenarios.batches.ensemble import prepare, simulate_chunk
from computemarket.scenarios.schema import load_scenario

RUNS = np.arange(8)
FIRST, CHANGE = (quarters_since_start(quarter) for quarter in ("2026Q1", "2027Q1"))
PLAIN = {
    "demand.robots_start": 1e6, "demand.robot_potential": 1e7, "demand.robot_china_share": 0.5,
    "demand.robot_bass_p": 0.0, "demand.robot_bass_q": 0.2, "demand.robot_cost_weight": 0,
    "demand.robot_life_quarters": 10, "demand.robot_edge_h100e": 0.1, "demand.robot_training_h": 100,
    "demand.robot_simulation_h": 2, "demand.edge_leader_share": 0.5, "demand.edge_usd_per_h100e": 10000,
    "demand.edge_price_decline": 0, "demand.robot_domestic_quality": 0.5,
}  # fmt: skip


def market_at(quarter, settings=None, name="baseline"):
    market = assemble(load_scenario(name).with_settings(PLAIN | (settings or {})), np.arange(2), frozenset())
    while market.quarter < quarter:
        market.step()
    return market


def test_robots_spread_wear_out_carry_chips_and_want_hours_by_hand():
    market = market_at(FIRST + 2)
    robots = market.cast.robots
    grown = 0.2 * 0.1 * (1 - 0.1) * 5e6  # of five million in each place a tenth is there
    np.testing.assert_allclose(robots.robots, 5e5 + grown)
    np.testing.assert_allclose(robots.new, grown + 5e5 / 10)
    np.testing.assert_allclose(robots.edge_h100e, 0.1 * robots.new)
    np.testing.assert_allclose(market.state.robot_hours_h100e, 100 * robots.new + 2 * robots.robots)
    np.testing.assert_allclose(market.state.edge_sales_usd, 0.5 * 1e4 * robots.edge_h100e)
    np.testing.assert_allclose(market.ledger.flows["edge chips"], market.state.edge_sales_usd.sum(axis=1))


def test_dear_hours_slow_robots_where_they_are_dear():
    market = market_at(FIRST + 1, {"demand.robot_cost_weight": 0.5})
    robots, state = market.cast.robots, market.state
    state.contract_rent_usd_per_h100e_hour[:] = robots.first_rent_usd * np.array([1.0, 4.0])
    push = robots._push(state.contract_rent_usd_per_h100e_hour)
    np.testing.assert_allclose(push, [[1.0, 0.5]] * 2)


def test_an_edge_chip_is_free_of_data_centre_rules_and_not_of_a_rule_of_its_own():
    access = {name: edge_access(rules_of(load_scenario(name)), "china") for name in
              ("baseline", "no_chips_to_china", "edge_chips_barred")}  # fmt: skip
    assert (access["baseline"] == 1).all()
    assert (access["no_chips_to_china"] == 1).all()
    assert (access["edge_chips_barred"][:CHANGE] == 1).all()
    assert (access["edge_chips_barred"][CHANGE:] == 0).all()


def test_barred_chips_slow_robots_in_china_and_sell_none_there():
    market = market_at(CHANGE + 2, name="edge_chips_barred")
    plain = market_at(CHANGE + 2)
    barred, free = market.cast.robots.robots, plain.cast.robots.robots
    assert (barred[:, CHINA] < free[:, CHINA]).all()
    np.testing.assert_allclose(barred[:, 0], free[:, 0])
    assert (market.state.edge_sales_usd[:, CHINA] == 0).all()
    assert (market.state.edge_sales_usd[:, 0] > 0).all()


def test_robots_hours_are_wanted_in_the_market_and_raise_rents():
    market = market_at(FIRST + 1, {"hours.captive_elasticity": 0})
    state = market.state
    price = state.use_price_usd.copy()
    serve(market)
    before, rent = state.captive_hours_h100e.copy(), state.rent_usd_per_h100e_hour.copy()
    more = 0.05 * state.capacity_h100e * 2190
    state.robot_hours_h100e += more
    state.use_price_usd[:] = price  # the same quarter once more
    serve(market)
    paid = np.minimum(
        lasting_rent_usd(market) / price[:, :, USES.index("captive")], 1.0
    )  # planned at the usual rent
    np.testing.assert_allclose(state.captive_hours_h100e - before, more * paid, rtol=0.05)
    assert (state.rent_usd_per_h100e_hour > rent).all()


def test_robots_that_want_every_hour_there_is_do_not_drive_rents_without_end():
    market = market_at(FIRST + 1)
    state = market.state
    for _ in range(8):
        serve(market)
        state.robot_hours_h100e[:] = 2 * state.capacity_h100e * 2190
    assert (state.rent_usd_per_h100e_hour < 10 * lasting_rent_usd(market)).all()


@pytest.fixture(scope="module")
def compared():
    names = ("baseline", "robots_boom", "edge_chips_barred")
    return {name: simulate_chunk(prepare(name, seed=1), RUNS) for name in names}


KNOWN = {
    "robots_boom": CHANGE,
    "edge_chips_barred": CHANGE - 1,
}  # a rule that is announced is stocked up against


@pytest.mark.parametrize("scenario", ["robots_boom", "edge_chips_barred"])
def test_scenarios_change_nothing_before_their_date(compared, scenario):
    for variable in compared["baseline"].series:
        one, other = (
            np.ascontiguousarray(compared[found].array(variable)[:, : KNOWN[scenario]])
            for found in ("baseline", scenario)
        )
        assert one.tobytes() == other.tobytes(), variable


@pytest.mark.parametrize(
    ("scenario", "name", "sign", "year"),
    [
        ("robots_boom", "robots", +1, "2030"),
        ("robots_boom", "edge_sales", +1, "2030"),
        ("robots_boom", "h100_rental_spot", +1, "2030"),
        ("robots_boom", "world_compute_stock", +1, "2032"),
        ("edge_chips_barred", "robots_in_china", -1, "2030"),
        ("edge_chips_barred", "edge_sales", -1, "2030"),
    ],
)
def test_scenarios_move_the_market_as_their_lines_say(compared, scenario, name, sign, year):
    before, after = (
        measure(name).at(panels_from_recorder(compared[found], "", RUNS.tolist()), year)
        for found in ("baseline", scenario)
    )
    assert (np.sign(after - before) == sign).mean() >= 0.75, np.median(after / before)


def test_robots_bring_work_for_embodied_agents(compared):
    share = {name: compared[name].array("token_share_by_workload")[:, -1, 8] for name in compared}
    assert (share["robots_boom"] > share["baseline"]).mean() >= 0.75


def test_the_leader_books_what_robots_carry_beside_its_other_business(compared):
    other, edge = [], []
    for name in ("baseline", "robots_boom"):
        panels = panels_from_recorder(compared[name], "", RUNS.tolist())
        sales = panels.total("data_center_revenue_usd", "nvidia")
        other.append(panels.total("company_revenue_usd", "nvidia") - sales)
        edge.append(panels.total("edge_sales_usd"))
    np.testing.assert_allclose(other[1] - other[0], edge[1] - edge[0], atol=1e3)
    assert (edge[1].sum(axis=1) > edge[0].sum(axis=1)).all()
