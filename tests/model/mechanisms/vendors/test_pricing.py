"""What vendors ask."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from computemarket.model.mechanisms.vendors.pricing import lerner_price, own_price_elasticity, posted_price


def test_elasticity_runs_from_rivalry_to_the_markets_own():
    np.testing.assert_allclose(own_price_elasticity(4.0, np.array([0.0, 1.0]), 0.65), [4.0, 0.65])


def test_where_demand_does_not_discipline_the_buyers_break_even_does():
    cost, cap = np.array([10.0, 10.0, 10.0]), np.array([60.0, 60.0, 8.0])
    np.testing.assert_array_equal(lerner_price(cost, np.array([1.05, 0.4, 0.4]), cap), [60.0, 60.0, 10.0])
    assert lerner_price(np.array([10.0]), np.array([1.1]), 60.0)[0] == 60.0


@given(st.floats(0.1, 1e5), st.floats(1.06, 50), st.floats(1.001, 2.0))
def test_markups_fall_with_elasticity_and_prices_rise_with_cost(cost, elasticity, factor):
    price = lerner_price(np.array([cost]), np.array([elasticity]), 1e12)
    assert 1 - cost / price[0] == pytest.approx(1 / elasticity)
    assert lerner_price(np.array([cost]), np.array([elasticity * factor]), 1e12) < price
    assert lerner_price(np.array([cost * factor]), np.array([elasticity]), 1e12) > price


def test_a_posted_price_moves_part_of_the_way_in_logarithms():
    np.testing.assert_allclose(posted_price(np.array([100.0]), np.array([25.0]), 0.5), [50.0])
    np.testing.assert_allclose(
        posted_price(np.full(3, 100.0), np.full(3, 25.0), np.array([0.0, 1.0, 0.5])), [100, 25, 50]
    )


@given(st.floats(1, 1e5), st.floats(1, 1e5), st.floats(0.05, 0.95))
def test_posting_forever_reaches_the_target_and_never_passes_it(start, target, weight):
    price = np.array([start])
    for _ in range(600):
        nearer = posted_price(price, np.array([target]), weight)
        assert abs(np.log(nearer[0] / target)) <= abs(np.log(price[0] / target)) + 1e-12
        price = nearer
    assert price[0] == pytest.approx(target)
