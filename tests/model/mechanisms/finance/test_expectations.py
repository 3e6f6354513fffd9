"""Beliefs, signals and valuation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from computemarket.model.mechanisms.finance.expectations import (
    adaptive_log,
    cost_of_capital,
    market_belief,
    next_fitness,
    next_signal,
    predictions,
    rule_shares,
    valuation_multiple,
)

ONE = np.array([1.0])


def test_adaptive_forecasts_close_part_of_the_error():
    assert adaptive_log(np.array([1.0]), np.array([3.0]), 0.4)[0] == pytest.approx(1.8)


def test_a_keynote_halves_each_quarter():
    signal = next_signal(np.zeros(1), np.array([0.2]), 0.5)
    assert next_signal(next_signal(signal, np.zeros(1), 0.5), np.zeros(1), 0.5)[0] == pytest.approx(0.05)


def test_forecasts_by_rule():
    rules = predictions(ONE, 2 * ONE, 1.5 * ONE, 0.2 * ONE, 0.6)
    np.testing.assert_allclose(rules, [[1.0, 1.2, 2.3]])


def test_the_rule_that_was_right_gains_believers():
    forecasts = np.array([[0.0, 1.0]])
    fitness = next_fitness(np.zeros((1, 2)), forecasts, np.array([1.0]), 0.7)
    shares = rule_shares(fitness, 8.0)
    assert shares[0, 1] > 0.5 > shares[0, 0]
    np.testing.assert_allclose(fitness, [[-0.3, 0.0]])


def test_without_intensity_of_choice_all_rules_are_equal():
    np.testing.assert_allclose(rule_shares(np.array([[-5.0, 0.0, 3.0]]), 0.0), 1 / 3)


def test_with_endless_intensity_all_follow_the_best():
    np.testing.assert_allclose(rule_shares(np.array([[-5.0, 0.0]]), 1e6), [[0.0, 1.0]])


@given(
    st.lists(st.floats(-5, 5), min_size=3, max_size=3), st.lists(st.floats(-100, 0), min_size=3, max_size=3)
)
def test_the_market_believes_something_between_its_rules(forecasts, fitness):
    belief = market_belief(np.array([forecasts]), rule_shares(np.array([fitness]), 2.0))[0]
    assert min(forecasts) - 1e-9 <= belief <= max(forecasts) + 1e-9


def test_keynotes_lift_the_market_belief_and_then_fade():
    def belief(signal):
        rules = predictions(np.zeros(1), np.zeros(1), np.zeros(1), np.array([signal]), 0.6)
        return market_belief(rules, np.full((1, 3), 1 / 3))[0]

    assert belief(0.2) > belief(0.1) > belief(0.0) == 0.0


def test_multiples_run_from_6_to_20_with_recurring_revenue():
    multiple = valuation_multiple(np.array([0.0, 0.2, 1.0]), np.zeros(3), 6.0, 14.0, 1.0)
    np.testing.assert_allclose(multiple, [6.0, 8.8, 20.0])


def test_hope_raises_the_multiple():
    assert valuation_multiple(np.zeros(1), 0.2 * ONE, 6.0, 14.0, 1.0)[0] > 6.0


@given(st.floats(1e6, 1e13), st.floats(1.0, 100.0))
def test_the_cost_of_capital_falls_with_value_within_bounds(value, factor):
    low = cost_of_capital(np.array([value * factor]), np.array([1e11]), 0.1, 0.01, 0.05, 0.2)[0]
    high = cost_of_capital(np.array([value]), np.array([1e11]), 0.1, 0.01, 0.05, 0.2)[0]
    assert 0.05 <= low <= high <= 0.2


def test_the_cost_of_capital_at_the_reference_is_the_base():
    assert cost_of_capital(np.array([1e12]), np.array([1e12]), 0.1, 0.01, 0.05, 0.2)[0] == pytest.approx(0.1)


def test_the_uncertainty_of_the_rule_scales_the_multiple():
    assert valuation_multiple(np.zeros(1), np.zeros(1), 6.0, 14.0, 1.5)[0] == pytest.approx(9.0)
