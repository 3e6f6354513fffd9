"""Customers choose among clouds, spare hours find customers through the venue, and the venue may favour its own."""

import numpy as np
import pytest

from computemarket.agents.operators.operator_regimes import FIRST_REVIEW
from computemarket.agents.operators.provider_choice import FIRST, HIGHEST_UTILISATION
from computemarket.scenarios.assembly import assemble
from computemarket.scenarios.schema import load_scenario

LATER = FIRST_REVIEW + 8


def market_at(quarter, settings=None):
    market = assemble(load_scenario("baseline").with_settings(settings or {}), np.arange(4), frozenset())
    while market.quarter < quarter:
        market.step()
    return market


@pytest.fixture
def full():
    """Return a market whose first GPU cloud has twice the customers it can serve and whose clouds are alike."""
    market = market_at(LATER)
    choice = market.cast.provider_choice
    state = market.state
    state.attraction[:], state.venue_reach[:], state.venue_preference[:] = 1.0, 0.5, 0.0
    market.state.utilisation[:] = 0.485  # so a cloud can let twice what is usual
    market.state.work_h100e[:, choice.clouds] = 1000.0
    return market, choice


LUCK = np.array([[4.0, 1.0, 1.0, 1.0, 1.0]] * 4)


def test_half_of_the_customers_beyond_capacity_move_to_clouds_with_room(full):
    _, choice = full
    let = choice._let(LUCK)
    assert let == pytest.approx(np.array([[2.0, 1.25, 1.25, 1.25, 1.25]] * 4), rel=1e-6)
    assert choice.moved_h.sum(axis=1) == pytest.approx(np.full(4, 1000.0 * 0.485 * 8766 / 4), rel=1e-3)


def test_without_a_venue_customers_beyond_capacity_are_lost(full):
    market, choice = full
    market.state.venue_reach[:] = 0.0
    assert choice._let(LUCK) == pytest.approx(np.array([[2.0, 1.0, 1.0, 1.0, 1.0]] * 4))
    assert choice.moved_h.sum() == 0


def test_no_cloud_lets_more_hours_than_it_has(full):
    market, choice = full
    market.state.venue_reach[:] = 1.0
    let = choice._let(np.full((4, 5), 3.0))
    assert (let * market.state.utilisation[:, :1] <= HIGHEST_UTILISATION + 1e-12).all()


def test_a_venue_that_favours_partners_sends_them_more(full):
    market, choice = full
    market.state.partner_share[:, choice.clouds] = np.array([0.0, 1.0, 0.0, 0.0, 0.0])
    neutral = choice._let(LUCK)
    market.state.venue_preference[:] = 1.0
    biased = choice._let(LUCK)
    e = np.e
    assert biased[:, 1] - 1 == pytest.approx(np.full(4, e / (e + 3)), rel=1e-6)
    assert (biased[:, 2:] < neutral[:, 2:]).all()
    assert biased.sum() == pytest.approx(neutral.sum())


def test_nothing_is_pooled_and_nobody_is_favoured_before_2026():
    market = market_at(FIRST)
    assert (market.state.attraction == 1).all()
    assert market.state.venue_preference.sum() == market.state.venue_reach.sum() == 0


def test_attractions_split_hours_and_make_none():
    market = market_at(LATER)
    choice = market.cast.provider_choice
    choice.invest()
    weight = np.take(
        market.state.work_h100e * market.world.operators.rented_out_share, choice.members, axis=1
    )
    attraction = np.take(market.state.attraction, choice.members, axis=1)
    assert (weight * attraction).sum(axis=1) == pytest.approx(weight.sum(axis=1))
    assert attraction.std(axis=1).min() > 0


@pytest.mark.parametrize(
    ("name", "weight"), [("cost_per_h100e_usd", "price_weight"), ("power_used_mw", "efficiency_weight")]
)
def test_a_cloud_with_dearer_or_hungrier_machines_loses_customers(name, weight):
    market = market_at(LATER, {f"rental.{weight}": 1.0})
    choice = market.cast.provider_choice
    before = market.state.attraction.copy()
    getattr(market.state, name)[:, choice.members[0]] *= 2
    choice.invest()
    changed = market.state.attraction.copy()
    market.state.attraction[:] = before
    getattr(market.state, name)[:, choice.members[0]] /= 2
    choice.invest()
    mine = choice.members[0]
    assert (changed[:, mine] < market.state.attraction[:, mine]).all()


@pytest.mark.parametrize("weight", ["software_weight", "liquidity_weight", "brand_loss"])
def test_partners_win_customers_by_software_and_liquidity(weight):
    def lead(value):
        market = market_at(LATER, {f"rental.{weight}": value})
        choice = market.cast.provider_choice
        market.state.partner_share[:] = 0.0
        market.state.partner_share[:, choice.clouds[0]] = 1.0
        for _ in range(4):
            choice.invest()
        mine = np.take(market.state.attraction, choice.clouds, axis=1)
        return mine[:, 0] / mine[:, 1]

    assert (lead(1.0) > lead(0.0)).all()


def test_a_vendor_holds_back_while_a_case_runs_and_stops_after_a_remedy():
    market = market_at(LATER, {"platform.self_preference": 1.0, "platform.preference_in_inquiry": 0.5})
    choice = market.cast.provider_choice
    market.state.remedy_share[:] = 0.0
    for stage, wished in ((0.0, 1.0), (1.0, 0.5)):
        market.state.regulatory_stage[:] = stage
        choice.launch()
        assert market.state.venue_preference == pytest.approx(np.full(4, wished))
    reached = sum(authority.weight for authority in market.cast.authorities)
    market.state.remedy_share[:] = reached
    choice.launch()
    assert market.state.venue_preference == pytest.approx(np.full(4, 0.5 * (1 - min(reached, 1.0))))


def test_authorities_see_self_preferencing():
    def cases(preference):
        settings = {"platform.self_preference": preference, "policy.inquiry_self_preferencing_weight": 20.0}
        market = assemble(load_scenario("baseline").with_settings(settings), np.arange(16), frozenset())
        stages = 0.0
        while market.quarter < LATER + 8:
            market.step()
            stages += sum(authority.stage.sum() for authority in market.cast.authorities)
        return stages

    assert cases(2.0) > cases(0.0)


def test_the_venue_charges_for_hours_that_it_moved():
    market = market_at(LATER)
    platform = market.cast.leader.platform
    market.state.pooled_rent_usd[:] = 0.0
    before = platform._marketplace_fees()
    market.state.pooled_rent_usd[:] = 1e6
    fee = market.value("platform.take_rate") * market.state.venue_share * 1e6
    assert platform._marketplace_fees() - before == pytest.approx(fee)
