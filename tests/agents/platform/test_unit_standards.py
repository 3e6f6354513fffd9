"""The contest of units: who launches, who joins which, what a neutral venue takes, and what the leader keeps."""

import numpy as np
import pytest

from computemarket.agents.platform.unit_standards import FIRST, LEADER
from computemarket.model.core.calendar import quarters_since_start
from computemarket.scenarios.assembly import assemble
from computemarket.scenarios.batches.ensemble import prepare, simulate_chunk
from computemarket.scenarios.schema import load_scenario

RUNS = np.arange(8)
DATE = quarters_since_start("2027Q1")


def market_at(quarter, **settings):
    pairs = {f"units.{key}": value for key, value in settings.items()}
    market = assemble(load_scenario("baseline").with_settings(pairs), np.arange(4), frozenset())
    while market.quarter < quarter:
        market.step()
    return market


def test_two_units_stand_at_the_start_of_2026_and_rivals_come_by_their_hazard():
    none = market_at(FIRST + 6, rival_unit_hazard=0).cast.unit_standards
    sure = market_at(FIRST + 6, rival_unit_hazard=1).cast.unit_standards
    assert (none.present.sum(axis=1) == 2).all()
    assert (sure.present.sum(axis=1) == len(sure.issuers)).all()
    assert (none.base[:, 2] == 0).all()


def test_users_of_units_are_never_more_than_those_who_would_use_them():
    units = market_at(FIRST + 8).cast.unit_standards
    assert (units.base.sum(axis=1) <= units.market.value("units.users_million")).all()
    assert units.held().sum(axis=1) == pytest.approx(1.0)


def test_stronger_network_effects_concentrate_users_on_one_unit():
    weak, strong = (
        market_at(FIRST + 28, network_weight=weight, users_million=50, outside_utility=-2, user_churn=0.3)
        for weight in (0.0, 5.0)
    )
    tops = [market.cast.unit_standards.held().max(axis=1).mean() for market in (weak, strong)]
    assert tops[1] > tops[0]


def test_a_venue_opens_only_where_it_may_and_takes_trade_from_the_leader():
    closed, opened = (market_at(FIRST + 6, hub_hazard=rate) for rate in (0, 1))
    assert not closed.cast.unit_standards.hub.any()
    assert opened.cast.unit_standards.hub.all()
    assert (opened.state.venue_share < closed.state.venue_share).all()


def test_a_dearer_venue_carries_less():
    cheap, dear = (
        market_at(FIRST + 6, hub_hazard=1, hub_sensitivity=1, hub_fee=fee).cast.unit_standards
        for fee in (0, 0.3)
    )
    assert (dear.hub_share < cheap.hub_share).all()


def test_issuers_open_their_units_where_a_closed_one_pays_no_more():
    market = market_at(FIRST + 9, margin_own_unit=0.0, margin_common_unit=0.3, margin_conversion=0.1)
    units = market.cast.unit_standards
    assert (units.choice[units.present] == 2).all()


def test_the_leaders_credits_are_wanted_in_proportion_to_the_users_it_keeps():
    alone, beset = (market_at(FIRST + 16, rival_unit_hazard=rate, hub_hazard=0) for rate in (0, 1))
    held = [market.cast.unit_standards.held()[:, LEADER] for market in (alone, beset)]
    assert (held[1] < held[0]).all()
    for market, kept in zip((alone, beset), held, strict=True):
        units, credits = market.cast.unit_standards, market.cast.leader.credits
        expected = credits.share / credits.first_share * kept / units.first_pull
        assert market.state.credit_demand_factor == pytest.approx(expected)


def test_the_scenario_gives_trade_to_the_venue_and_changes_nothing_before_its_date():
    found = [simulate_chunk(prepare(name, seed=1), RUNS) for name in ("baseline", "rival_units")]
    before, after = (recorder.array("neutral_venue_trade_share")[:, DATE + 8, 0] for recorder in found)
    assert (after >= before).all()
    assert after.mean() > before.mean() + 0.2
    for variable in found[0].series:
        one, other = (np.ascontiguousarray(recorder.array(variable)[:, :DATE]) for recorder in found)
        assert one.tobytes() == other.tobytes(), variable
