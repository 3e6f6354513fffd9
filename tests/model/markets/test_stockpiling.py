"""Stocks against rules: fear follows the rules of late, what is announced is certain, other countries do not care."""

from datetime import date

import numpy as np
import pytest

from computemarket.agents.states.us_export_control import _rules_to_come
from computemarket.model.core.calendar import QUARTERS, quarters_since_start
from computemarket.model.policy.regimes.regime import LICENCE, LICENCE_DENIAL, NONE, Regime, RegimeBook, Rule

Q = quarters_since_start


def rule(name, announced, effective, **rest):
    """Return a regime that denies everything to China."""
    rest = {"rules": (Rule(LICENCE_DENIAL),), "destinations": ("china",), **rest}
    return Regime(name, name, effective, announced=announced, **rest)


def test_a_rule_counts_when_announced_and_is_due_until_it_takes_force():
    book = RegimeBook((rule("r", date(2026, 11, 21), date(2027, 4, 1)),))
    announced, ahead = _rules_to_come(book, "china")
    assert [QUARTERS[t] for t in np.flatnonzero(announced)] == ["2026Q4"]
    assert [QUARTERS[t] for t in np.flatnonzero(ahead)] == ["2026Q4", "2027Q1"]


@pytest.mark.parametrize(
    "changed",
    [
        {"enforced": False},
        {"destinations": ("gulf",)},
        {"rules": (), "otherwise": None},
        {"acts_on": (LICENCE, LICENCE_DENIAL)},
        {"rules": (Rule(NONE),)},
    ],
)
def test_what_takes_nothing_from_the_country_is_not_feared(changed):
    book = RegimeBook((rule("r", date(2024, 1, 5), date(2024, 6, 5), **changed),))
    announced, ahead = _rules_to_come(book, "china")
    assert not announced.any()
    assert not ahead.any()


def test_fear_follows_the_rules_of_late_by_hand(market_after):
    market = market_after(0, policy__fear_2022=0.1, policy__fear_memory=0.6, policy__stock_per_fear=1.0)
    here = market.world.operators.country == market.world.country("china")
    seen = []
    for _ in range(Q("2023Q3") + 1):
        market.step()
        assert (market.state.stockpiling[:, ~here] == 1).all()
        seen.append(market.state.stockpiling[0, here][0] - 1)
    # one rule, of October 2022: known at the end of the fourth quarter, so it counts from the fifth on
    assert seen == pytest.approx([0.1, 0.06, 0.036, 0.0216, 0.41296, 0.247776, 0.1486656])


def test_who_fears_more_wishes_for_more(market_after):
    wishes = {}
    for fear in (0.0, 1.0):
        market = market_after(1, policy__stock_per_fear=fear)
        here = market.world.operators.country == market.world.country("china")
        wishes[fear] = market.state.wish_h100e[:, here].sum(axis=1)
    assert (wishes[1.0] > wishes[0.0]).all()
