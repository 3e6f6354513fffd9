"""GPU clouds on their own, under the leader's guarantee, or for its brand: who chooses what, and who pays whom."""

import numpy as np
import pytest

from computemarket.agents.operators.operator_regimes import FIRST_REVIEW, FRANCHISE, INDEPENDENT, WHITE_LABEL
from computemarket.analysis.results.measures import measure
from computemarket.analysis.results.series import panels_from_recorder
from computemarket.model.core.calendar import HOURS_PER_YEAR, quarters_since_start
from computemarket.model.markets import orders
from computemarket.scenarios.assembly import assemble
from computemarket.scenarios.batches.ensemble import prepare, simulate_chunk
from computemarket.scenarios.schema import load_scenario

RUNS = np.arange(16)


def market_at(quarter, runs=4, **settings):
    pairs = {f"platform.{key}": value for key, value in settings.items()}
    market = assemble(load_scenario("baseline").with_settings(pairs), np.arange(runs), frozenset())
    while market.quarter < quarter:
        market.step()
    return market


def clouds_of(market, regime):
    """Return the clouds of a market, all of them in one regime and none under a contract yet."""
    clouds = market.cast.operator_regimes
    clouds.regime[:] = regime
    clouds.vintages[:], clouds.white[:] = 0.0, 0.0
    market.ledger.start_quarter()
    return clouds


def test_every_cloud_stands_alone_before_partnerships_are_offered():
    market = market_at(FIRST_REVIEW)
    assert (market.cast.operator_regimes.regime == INDEPENDENT).all()
    assert market.state.partner_share.sum() == 0


def test_clouds_differ_in_what_they_choose_and_some_change_their_mind():
    market = market_at(FIRST_REVIEW + 8, runs=16)
    clouds = market.cast.operator_regimes
    shares = [(clouds.regime == regime).mean() for regime in (INDEPENDENT, FRANCHISE, WHITE_LABEL)]
    assert min(shares) > 0.02
    before = clouds.regime.copy()
    for _ in range(8):
        market.step()
    assert 0.1 < (clouds.regime != before).mean() < 0.9


def test_a_guarantee_pays_what_is_short_of_the_floor_and_takes_half_of_what_exceeds_it():
    market = market_at(
        FIRST_REVIEW + 5, floor_year1_usd_per_h=3.0, floor_year2_usd_per_h=1.5, operator_rent_usd_per_h=6.0,
        share_above_floor=0.5,
    )  # fmt: skip
    clouds = clouds_of(market, INDEPENDENT)
    clouds.vintages[:, :, 0], clouds.vintages[:, :, 1] = 0.2, 0.4
    clouds.signed_usd[:] = 1000.0  # floors of 500 in the first year and of 250 in the second
    clouds._pay(np.full(clouds.backed.shape, 0.3), np.full(clouds.backed.shape, 1000.0))  # income of 300
    work = np.take(market.state.work_h100e, clouds.members, axis=1)
    assert clouds.payout_usd == pytest.approx(0.2 * work * 200)
    assert clouds.fee_usd == pytest.approx(0.4 * work * 25)
    got = np.take(market.state.partner_usd, clouds.members, axis=1)
    assert got == pytest.approx(clouds.payout_usd - clouds.fee_usd)
    paid = market.ledger.quarter_net_usd(slice(None))[:, market.ledger.place["vendor.nvidia"]]
    assert paid == pytest.approx(-got.sum(axis=1))


def test_the_brand_keeps_what_hours_bring_beyond_cost_and_margin():
    market = market_at(FIRST_REVIEW + 5)
    clouds = clouds_of(market, WHITE_LABEL)
    clouds.white[:], clouds.paid_usd[:] = 0.5, 700.0
    market.state.booked_rent_usd_per_h100e_hour[:] = 1.0
    clouds._pay(np.ones_like(clouds.white), np.full(clouds.white.shape, 1000.0))
    work = np.take(market.state.work_h100e, clouds.members, axis=1)
    assert clouds.brand_usd == pytest.approx(0.5 * work * 300)


def test_white_label_pay_returns_the_margin_on_capital():
    market = market_at(FIRST_REVIEW)
    clouds = market.cast.operator_regimes
    rent = np.full((4, 5, 6), 1.2) / HOURS_PER_YEAR  # per dollar of capital and hour, for six years
    part = clouds._wholesale(rent, np.zeros((4, 5)))
    running = 1 - market.value("capex.rental_margin")[:, None]
    assert part == pytest.approx(np.repeat(np.minimum(running + 1 / 7.2, 1.0), 5, axis=1))


def test_new_guarantees_cover_deliveries_of_franchisees_alone():
    market = market_at(FIRST_REVIEW + 5, backstop_cap=2.0)
    clouds = clouds_of(market, FRANCHISE)
    clouds.regime[:, 0] = INDEPENDENT
    rent, hours = np.full(clouds.backed.shape, 0.5), np.full((4, 1), 1000.0)
    clouds.vintages[:] = 0.0
    clouds._book(rent, hours)
    new = np.take(market.state.delivered_units, clouds.members, axis=1) * market.state.work[:, None, :]
    old = np.take(market.state.work_h100e, clouds.members, axis=1)
    share = new.sum(axis=2) / (old + new.sum(axis=2))
    assert (clouds.backed[:, 0] == 0).all()
    assert clouds.backed[:, 1:] == pytest.approx(share[:, 1:])
    assert clouds.guaranteed_usd[:, 1:].sum() > 0


def test_without_equity_to_stand_behind_it_nobody_gets_a_guarantee():
    clouds = market_at(FIRST_REVIEW + 10, backstop_cap=0.0).cast.operator_regimes
    assert clouds.backed.sum() == 0
    late = market_at(FIRST_REVIEW + 10, franchise_from_quarter=99.0).cast.operator_regimes
    assert not (late.regime == FRANCHISE).any()


def test_guarantees_stay_below_what_the_leader_can_bear_when_they_are_given():
    small, large = (
        market_at(FIRST_REVIEW + 10, backstop_cap=cap).cast.operator_regimes for cap in (0.01, 2.0)
    )
    assert small.guaranteed_usd.sum() < 0.5 * large.guaranteed_usd.sum()


def test_franchisees_order_from_the_leader_alone_and_are_served_before():
    market = market_at(FIRST_REVIEW + 9, allocation_loyalty=1.0)
    clouds = clouds_of(market, FRANCHISE)
    clouds.price()
    rivals = ~market.structure.of_leader & market.structure.flagship
    orders.order(market)
    ordered = np.take(market.state.ordered_units, clouds.members, axis=1)
    assert ordered[:, :, rivals].sum() == 0
    assert ordered.sum() > 0
    favoured = np.take(market.state.priority, clouds.members, axis=1) / clouds.first_priority
    preference = market.state.venue_preference[:, None]
    assert favoured == pytest.approx(np.broadcast_to(np.exp(1.0 + preference), favoured.shape))
    clouds.regime[:] = INDEPENDENT
    clouds.price()
    orders.order(market)
    assert np.take(market.state.ordered_units, clouds.members, axis=1)[:, :, rivals].sum() > 0
    assert np.take(market.state.priority, clouds.members, axis=1) == pytest.approx(clouds.first_priority)


def test_lenders_ask_less_of_a_backed_cloud_and_count_what_partners_pay():
    market = market_at(FIRST_REVIEW + 9)
    lenders, state = market.cast.lenders, market.state
    state.backed_share[:] = 0.0
    bare = lenders._rates()
    state.backed_share[:, lenders.debtors] = 1.0
    backed = lenders._rates()
    assert (backed <= bare).all()
    assert (backed < bare).any()
    ladder = market.value("finance.risk_free") + market.value("finance.spread_backed")
    assert backed == pytest.approx(np.repeat(ladder[:, None], backed.shape[1], axis=1))
    cash = lenders._cash_flow_usd()
    state.partner_usd[:, lenders.debtors] += 1e9
    assert lenders._cash_flow_usd() == pytest.approx(cash + 1e9)


def test_a_cloud_whose_returns_stay_below_its_debt_gives_up_standing_alone():
    market = market_at(FIRST_REVIEW + 8, regime_review_share=0.0)
    clouds = market.cast.operator_regimes
    clouds.gave_up[:] = True
    clouds.wholesale[:] = 1.0
    clouds._review()
    free = (clouds.regime == INDEPENDENT).any(axis=1)
    assert not free[clouds._has_room()[:, 0]].any()


@pytest.fixture(scope="module")
def panels():
    names = ("baseline", "factory_operators", "clouds_without_customers")
    found = {name: simulate_chunk(prepare(name, seed=1), RUNS) for name in names}
    return found, {name: panels_from_recorder(one, name, RUNS.tolist()) for name, one in found.items()}


@pytest.mark.parametrize(
    ("name", "moves"),
    [
        (
            "factory_operators",
            (("franchised_clouds", +1), ("taken_by_gpu_clouds", -1)),
        ),
        ("clouds_without_customers", (("white_label_clouds", +1), ("franchised_clouds", -1))),
    ],
)
def test_scenarios_turn_clouds_into_operators_or_take_their_customers(panels, name, moves):
    found, by_name = panels
    for headline, sign in moves:
        before, after = (measure(headline).at(by_name[case], "2031") for case in ("baseline", name))
        assert (np.sign(after - before) == sign).mean() >= 0.75, headline
    start = quarters_since_start("2027Q1")
    for variable in found["baseline"].series:
        one, other = (
            np.ascontiguousarray(found[case].array(variable)[:, :start]) for case in ("baseline", name)
        )
        assert one.tobytes() == other.tobytes(), variable


def test_fewer_guaranteed_clouds_fail_and_more_without_customers(panels):
    found, _ = panels
    failed = {name: one.array("defaulted")[:, 24:].mean() for name, one in found.items()}
    assert failed["factory_operators"] < failed["baseline"] < failed["clouds_without_customers"]
