"""Entry into a niche and the leader's replies: what each is worth, and which is best."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from computemarket.model.mechanisms.vendors.entry import (
    BUY,
    FIGHT,
    LICENSE,
    MAKE,
    best_reply,
    blocking_chance,
    contestable_usd,
    reply_values_usd,
    survives,
    system_cost_usd,
)

TERMS = {"made_share": 0.5, "made_discount": 0.8, "licensed_share": 0.7, "premium": 0.2, "fee_share": 0.05}


def values(stake, technology, price, make_cost, blocked=0.0, **terms):
    arrays = (np.array([[float(x)]]) for x in (stake, technology, price, make_cost))
    return reply_values_usd(*arrays, blocked=blocked, **(TERMS | terms))[0, 0]


def test_what_the_incumbent_serves_with_its_own_product_is_not_to_be_won():
    segment, own = np.array([10.0, 10.0, 10.0]), np.array([0.0, 4.0, 8.0])
    assert contestable_usd(segment, own, 1.5).tolist() == [10.0, 4.0, 0.0]


def test_entry_costs_the_same_while_the_incumbents_systems_stay_as_they_are_and_more_as_they_grow():
    assert system_cost_usd(1e9, np.array([0.5]), np.array([0.5]), 3.0)[0] == 1e9
    assert system_cost_usd(1e9, np.array([0.8]), np.array([0.5]), 3.0)[0] == pytest.approx(1.728e9)


def test_each_reply_is_worth_what_it_keeps_less_what_it_costs():
    found = values(stake=10, technology=2, price=5, make_cost=1, blocked=0.25)
    assert found[FIGHT] == 0
    assert found[MAKE] == pytest.approx(0.5 * 0.8 * 10 - 1)
    assert found[LICENSE] == pytest.approx(7 + 2 - 5)
    assert found[BUY] == pytest.approx(0.75 * (12 - 6) - 0.25 * 0.05 * 5)


@pytest.mark.parametrize(
    ("terms", "reply"),
    [
        ({"stake": 1, "technology": 0, "price": 5, "make_cost": 1}, FIGHT),
        ({"stake": 10, "technology": 0, "price": 9, "make_cost": 1}, MAKE),
        ({"stake": 10, "technology": 8, "price": 9, "make_cost": 1, "blocked": 0.9}, LICENSE),
        ({"stake": 30, "technology": 8, "price": 9, "make_cost": 1, "blocked": 0.05}, BUY),
    ],
)
def test_each_reply_is_best_somewhere(terms, reply):
    assert best_reply(values(**terms)) == reply


def test_fighting_wins_a_tie():
    assert best_reply(np.zeros((2, 3, 4))).tolist() == [[FIGHT] * 3] * 2


@given(st.floats(0, 1), st.floats(0, 3), st.floats(0.01, 3))
def test_a_purchase_is_forbidden_more_often_by_share_and_by_stage_of_the_case(share, stage, more):
    chance = blocking_chance(np.array([share]), np.array([stage]), -3.0, 4.0)[0]
    assert 0 < chance < 1
    assert blocking_chance(np.array([share + more]), np.array([stage]), -3.0, 4.0)[0] > chance
    assert blocking_chance(np.array([share]), np.array([stage + more]), -3.0, 4.0)[0] > chance


@given(st.floats(0, 1e12), st.floats(0, 1e12), st.floats(0, 1e12), st.floats(0, 1e12), st.floats(0, 1))
def test_the_best_reply_is_never_worth_less_than_to_fight(stake, technology, price, make_cost, blocked):
    found = values(stake, technology, price, make_cost, blocked)
    assert found[best_reply(found)] >= found[FIGHT] == 0


def test_an_entrant_survives_where_its_profit_pays_for_its_scale():
    profit, cost = np.array([[1.0, 2.0]]), np.array([[20.0]])
    assert survives(profit, cost, np.array([15.0])).tolist() == [[0.75, 1.5]]
