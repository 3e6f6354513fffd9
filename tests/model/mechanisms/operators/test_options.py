"""Own silicon as an option, and shocks to architecture."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from computemarket.model.mechanisms.operators.options import (
    advance_programme,
    chip_value_after_shock,
    expected_kept,
    fleet_value_after_shock,
    investment_hurdle,
    licence_payment_usd,
    programme_value_usd,
    shock_arrives,
    starts_programme,
)


def test_the_textbook_hurdle_is_four_times_the_cost():
    assert investment_hurdle(0.4, 0.10, 0.05) == pytest.approx(4.1, abs=0.05)


def test_without_volatility_the_hurdle_is_the_rate_over_the_payout():
    assert investment_hurdle(1e-3, 0.10, 0.05) == pytest.approx(2.0, rel=1e-3)


@given(st.floats(0.1, 1.0), st.floats(0.01, 0.5))
def test_more_volatility_means_more_waiting(volatility, more):
    assert investment_hurdle(volatility + more, 0.1, 0.05) > investment_hurdle(volatility, 0.1, 0.05) > 1


@given(st.floats(0.05, 0.9), st.floats(0.02, 0.3), st.floats(0.01, 0.3))
def test_the_root_solves_the_fundamental_quadratic(volatility, rate, payout):
    hurdle = float(investment_hurdle(volatility, rate, payout))
    root = hurdle / (hurdle - 1)
    residual = 0.5 * volatility**2 * root * (root - 1) + (rate - payout) * root - rate
    assert residual == pytest.approx(0.0, abs=1e-7 * root**2)


def test_programme_value_without_risk_delay_or_interest_is_saving_times_life():
    assert programme_value_usd(np.array([5.0]), 0.0, 0.0, 0.9, 0.0, 20.0)[0] == 100.0


def test_obsolescence_and_delay_lower_the_value():
    saving = np.array([5.0])
    calm = programme_value_usd(saving, 0.025, 0.0, 0.9, 8.0, 20.0)
    risky = programme_value_usd(saving, 0.025, 0.02, 0.9, 8.0, 20.0)
    late = programme_value_usd(saving, 0.025, 0.0, 0.9, 12.0, 20.0)
    assert risky[0] < calm[0]
    assert late[0] < calm[0]


def test_a_programme_starts_only_above_the_hurdle_and_only_where_allowed():
    value, cost = np.array([4.2, 4.0, 9.0]), np.ones(3)
    assert starts_programme(value, cost, 4.1, np.array([True, True, False])).tolist() == [True, False, False]


def test_a_programme_completes_on_its_last_step_unless_it_slips():
    left, done = advance_programme(
        np.array([1, 1, 3, 1]), np.array([True, True, True, False]), np.array([0.5, 0.01, 0.5, 0.9]), 0.15
    )
    assert left.tolist() == [0, 1, 2, 1]
    assert done.tolist() == [True, False, False, False]


def test_expected_kept_by_hand_and_in_its_limits():
    assert expected_kept(0.1, 0.0, 20.0) == 1.0
    assert expected_kept(0.1, 100.0, 100.0) == pytest.approx(0.1, abs=1e-3)
    assert expected_kept(0.0, 0.05, 20.0) == pytest.approx(1 - np.exp(-1))


def test_instalments_sum_to_the_price():
    schedule = np.array([0.85, 0.0, 0.10, 0.0, 0.05])
    paid = sum(licence_payment_usd(np.array([20e9]), np.array([q]), schedule)[0] for q in range(-3, 12))
    assert paid == pytest.approx(20e9)
    assert licence_payment_usd(np.array([20e9]), np.array([-1]), schedule)[0] == 0


def test_shocks_arrive_with_the_poisson_chance():
    uniform = (np.arange(10_000) + 0.5) / 10_000
    assert shock_arrives(uniform, 0.02).mean() == pytest.approx(1 - np.exp(-0.02), abs=1e-4)
    assert not shock_arrives(np.zeros(3), 0.0).any()


def test_value_recovers_from_recompiling_but_not_beyond_what_hardware_keeps():
    kept = np.array([0.9, 0.1])
    before = chip_value_after_shock(kept, np.array([-1.0]), 0.3, 4.0)
    at_shock = chip_value_after_shock(kept, np.array([0.0]), 0.3, 4.0)
    after = chip_value_after_shock(kept, np.array([4.0]), 0.3, 4.0)
    late = chip_value_after_shock(kept, np.array([400.0]), 0.3, 4.0)
    assert (before == 1).all()
    np.testing.assert_allclose(at_shock, [[0.63, 0.07]])
    np.testing.assert_allclose(after, [[0.765, 0.085]])
    np.testing.assert_allclose(late, [[0.9, 0.1]])


def test_a_fleet_loses_value_only_as_work_moves():
    value = np.array([[0.9, 0.1]])
    np.testing.assert_allclose(fleet_value_after_shock(value, np.array([0.0]), 4.0), [[1.0, 1.0]])
    np.testing.assert_allclose(fleet_value_after_shock(value, np.array([4.0]), 4.0), [[0.95, 0.55]])
