"""Learning in cost, software and claims."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from computemarket.model.mechanisms.learning import (
    frontier_trend,
    learned_share,
    logistic_maturity,
    mature_software,
    realised_gain,
    software_gain,
    wright_cost,
)


@given(st.floats(0.0, 0.5), st.floats(1.0, 1e9))
def test_each_doubling_cuts_cost_by_the_learning_rate(rate, output):
    cost = wright_cost(np.array([100.0]), np.array([[output], [2 * output]]), 1.0, rate)
    assert cost[1, 0] / cost[0, 0] == pytest.approx(1 - rate)


def test_cost_stands_until_the_first_units_are_made():
    np.testing.assert_allclose(
        wright_cost(np.full(3, 100.0), np.array([0.0, 10.0, 40.0]), 10.0, 0.15), [100, 100, 72.25]
    )


def test_thirty_percent_of_the_software_gap_closes_each_quarter():
    maturity = np.zeros(1)
    for quarter in range(1, 9):
        maturity = mature_software(maturity, 0.3)
        assert maturity[0] == pytest.approx(1 - 0.7**quarter)
    np.testing.assert_allclose(software_gain(np.array([0.0, 0.5, 1.0]), 3.0), [1.0, np.sqrt(3.0), 3.0])


def test_an_open_engine_lifts_laggards_only():
    got = mature_software(np.array([0.2, 0.9]), 0.1, 0.5, 0.6)
    np.testing.assert_allclose(got, [0.2 + 0.08 + 0.2, 0.91])
    assert mature_software(np.array([0.5]), 0.9, 1.0, 1.0)[0] == 1.0


def test_a_logistic_starts_where_told_and_is_steepest_half_way():
    age = np.arange(-2.0, 40.0)
    maturity = logistic_maturity(age, 0.05, 0.4)
    np.testing.assert_allclose(maturity[:3], 0.05)
    assert maturity[-1] > 0.99
    steepest = np.diff(maturity).argmax()
    assert abs(maturity[steepest] - 0.5) < 0.1


def test_a_claim_of_ten_at_a_share_of_forty_two_percent_is_the_measured_gain():
    np.testing.assert_allclose(realised_gain(np.array([10.0, 1.0]), 3.8 / 9), [4.8, 1.0])


@given(st.floats(0, 1), st.floats(0.01, 1), st.floats(0.05, 1))
def test_buyers_come_to_believe_what_is_measured(believed, truth, weight):
    share, claim = np.array([believed]), np.array([10.0])
    for _ in range(400):
        share = learned_share(share, claim, realised_gain(claim, truth), weight)
    assert share[0] == pytest.approx(truth, abs=1e-6)
    assert learned_share(share, np.ones(1), np.ones(1), weight)[0] == share[0]


def test_a_trend_compounds():
    np.testing.assert_allclose(
        frontier_trend(np.array([2.0, 2.0]), np.array([0.49, 0.0]), 2.0), [2 * 1.49**2, 2.0]
    )
