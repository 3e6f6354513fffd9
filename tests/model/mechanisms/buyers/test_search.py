"""Posted-price search of software agents."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from computemarket.model.mechanisms.buyers.search import search_shares, total_cost, wallet_price

COSTS = arrays(np.float64, (2, 6), elements=st.integers(1, 9).map(float))
SEEN = arrays(np.float64, (2, 6), elements=st.floats(0.01, 1))


def test_total_cost_by_hand():
    got = total_cost(np.array([[10.0]]), np.array([[100.0]]), np.array([[0.02]]), 0.36, 5.0, 1.0)
    np.testing.assert_allclose(got, [[3.6 + 5.0 * 1.0 + 0.02]])


def test_the_cheaper_of_two_wins_unless_it_is_never_drawn():
    found = search_shares(np.array([[1.0, 2.0]]), np.ones(2), 3.0)
    np.testing.assert_allclose(found.share, [[7 / 8, 1 / 8]])
    np.testing.assert_allclose(found.expected_cost, [9 / 8])


@given(COSTS, SEEN, st.floats(1, 20))
def test_everybody_buys_and_equal_offers_share_by_visibility(cost, seen, n):
    found = search_shares(cost, seen, n)
    np.testing.assert_allclose(found.share.sum(axis=-1), 1.0)
    same = search_shares(np.full((2, 6), 3.0), seen, n)
    np.testing.assert_allclose(same.share, seen / seen.sum(axis=-1, keepdims=True))


@given(COSTS, SEEN)
def test_shares_are_those_of_drawing_two_offers(cost, seen):
    weight = seen / seen.sum(axis=-1, keepdims=True)
    expected = np.zeros((2, 6))
    for run in range(2):
        for i in range(6):
            for j in range(6):
                both = weight[run, i] * weight[run, j]
                equal = np.flatnonzero(cost[run] == cost[run, i])
                if cost[run, i] < cost[run, j]:
                    expected[run, i] += both
                elif cost[run, i] > cost[run, j]:
                    expected[run, j] += both
                else:
                    expected[run, equal] += both * weight[run, equal] / weight[run, equal].sum()
    np.testing.assert_allclose(search_shares(cost, seen, 2.0).share, expected, atol=1e-12)


def test_an_offer_out_of_sight_sells_nothing_and_costs_nothing():
    found = search_shares(np.array([[np.inf, 2.0]]), np.array([0.0, 1.0]), 3.0)
    np.testing.assert_array_equal(found.share, [[0.0, 1.0]])
    assert found.expected_cost[0] == 2.0


def test_agents_make_a_price_cut_worth_more_than_loyal_buyers_do():
    cost = np.array([[1.9, 2.0, 2.0]])
    gain = [search_shares(cost, np.ones(3), n).share[0, 0] for n in (1.0, 3.0, 10.0)]
    assert gain[0] == pytest.approx(1 / 3)
    assert gain[0] < gain[1] < gain[2]


def test_a_wallet_pays_the_cheaper_way():
    paid, credit = wallet_price(
        np.full(3, 10.0), 0.01, np.array([0.12, 0.12, -0.05]), np.array([True, False, True])
    )
    np.testing.assert_allclose(paid, [8.8, 10.1, 10.1])
    np.testing.assert_array_equal(credit, [True, False, False])
