"""Free entry of specialised operators on Salop's circle."""

import numpy as np
import pytest

from computemarket.model.mechanisms.operators.vertical_entry import (
    free_entry_number,
    licence_revenue_usd,
    mismatch_cost_usd,
    next_operators,
    price_usd,
)


def test_free_entry_by_hand():
    # t = 0.2 x 10 = 2, D = 4e8, F = 5e7, no fee: sqrt(16) = 4 operators
    mismatch = mismatch_cost_usd(np.array([[10.0]]), 0.2)
    assert free_entry_number(np.array([[4e8]]), mismatch, 5e7, 0.0)[0, 0] == pytest.approx(4.0)
    assert price_usd(np.array([[9.0]]), mismatch, np.array([[4.0]]), 0.0)[0, 0] == pytest.approx(9.5)


def test_more_operators_mean_a_lower_price():
    prices = price_usd(np.full((1, 2), 9.0), np.full((1, 2), 2.0), np.array([[2.0, 8.0]]), 0.05)
    assert prices[0, 0] > prices[0, 1]


def test_licence_income_is_a_share_of_spend_and_zero_without_operators():
    income = licence_revenue_usd(np.full((1, 2), 100.0), np.full((1, 2), 2.0), np.array([[3.0, 0.0]]), 0.05)
    np.testing.assert_allclose(income, [[10.0, 0.0]])


def test_entry_is_gradual_and_its_mean_step_is_exact():
    uniform = ((np.arange(1000) + 0.5) / 1000)[:, None]
    new = next_operators(np.zeros((1000, 1)), np.full((1000, 1), 5.0), 0.15, uniform)
    assert new.mean() == pytest.approx(0.75)
    assert set(np.unique(new)) == {0.0, 1.0}


def test_a_market_too_small_for_one_operator_empties():
    count = np.array([[3.0]])
    for step in range(60):
        count = next_operators(count, np.array([[0.9]]), 0.5, np.array([[(step % 10) / 10]]))
    assert count[0, 0] == 0.0


def test_operators_stay_at_the_free_entry_number():
    assert next_operators(np.array([[4.0]]), np.array([[4.6]]), 0.5, np.array([[0.99]]))[0, 0] == 4.0


def test_a_licence_fee_raises_the_price_by_more_than_itself():
    price = price_usd(np.array([[9.0]]), np.array([[2.0]]), np.array([[1.0]]), 0.1)
    assert price[0, 0] == pytest.approx(12.0)
