"""Specialised factory operators: how many enter, and what the leader's licence earns and costs."""

import numpy as np
import pytest

from computemarket.agents.operators.vertical_operators import FIRST, VERTICALS
from computemarket.scenarios.assembly import assemble
from computemarket.scenarios.schema import load_scenario


def group_at(quarter, **settings):
    pairs = {f"verticals.{key}": value for key, value in settings.items()}
    market = assemble(load_scenario("baseline").with_settings(pairs), np.arange(4), frozenset())
    while market.quarter < quarter:
        market.step()
    return market.cast.vertical_operators


def test_nobody_enters_before_2026():
    assert group_at(FIRST).operators.sum() == 0


def test_dearer_factories_keep_operators_out():
    few, many = (group_at(FIRST + 20, fixed_usd=cost).operators.sum() for cost in (2e8, 1e7))
    assert few < many


def test_a_better_fit_to_the_domain_brings_operators_in():
    few, many = (group_at(FIRST + 20, premium=share).operators.sum() for share in (0.05, 0.5))
    assert few < many


def test_numbers_approach_free_entry_and_the_licence_is_its_share_of_revenue():
    group = group_at(FIRST + 24, entry_speed=1.0, licence_fee=0.1)
    assert (group.operators >= 1).all()
    assert group.licence_usd == pytest.approx(0.1 * group.revenue_usd)


def test_a_line_of_business_that_spends_nothing_has_no_operator():
    group = group_at(FIRST + 12, market_finance=0.0)
    place = VERTICALS.index("finance")
    assert (group.operators[:, place] == 0).all()
    assert group.operators.sum() > 0
