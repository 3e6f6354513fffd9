"""Learning in cost, software and claims."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from computemarket.model.mechanisms.vendors.learning import wright_cost


@given(st.floats(0.0, 0.5), st.floats(1.0, 1e9))
def test_each_doubling_cuts_cost_by_the_learning_rate(rate, output):
    cost = wright_cost(np.array([100.0]), np.array([[output], [2 * output]]), 1.0, rate)
    assert cost[1, 0] / cost[0, 0] == pytest.approx(1 - rate)


def test_cost_stands_until_the_first_units_are_made():
    np.testing.assert_allclose(
        wright_cost(np.full(3, 100.0), np.array([0.0, 10.0, 40.0]), 10.0, 0.15), [100, 100, 72.25]
    )
