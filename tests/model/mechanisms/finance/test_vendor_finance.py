"""Loans, cover tests, default and vendor money."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from computemarket.model.mechanisms.finance.vendor_finance import (
    called_usd,
    debt_capacity_usd,
    debt_cover,
    debt_service_usd,
    defaults,
    loan_rate_per_year,
    next_distress,
    recovery_usd,
    rung,
)

LADDER = np.array([0.015, 0.0225, 0.045, 0.055, 0.085])


def test_the_best_covered_rung_counts():
    backed, graded = np.array([0.7, 0.0, 0.0, 0.0, 0.0]), np.array([0.7, 0.7, 0.0, 0.0, 0.0])
    contracted, seasoned = np.array([0.9, 0.9, 0.9, 0.1, 0.1]), np.array([True, True, True, True, False])
    assert rung(backed, graded, contracted, seasoned, 0.6).tolist() == [0, 1, 2, 3, 4]


def test_rates_climb_the_ladder_and_stress_widens_it():
    rungs = np.arange(5)[None, :]
    calm = loan_rate_per_year(0.04, LADDER, rungs, 0.0)
    np.testing.assert_allclose(calm, [[0.055, 0.0625, 0.085, 0.095, 0.125]])
    crunch = loan_rate_per_year(0.04, LADDER, rungs, 1.0)
    np.testing.assert_allclose(crunch - 0.04, 2 * (calm - 0.04))


def test_debt_service_repays_the_loan():
    payment = debt_service_usd(np.array([100.0]), np.array([0.02]), np.array([8.0]))[0]
    left = 100.0
    for _ in range(8):
        left = left * 1.02 - payment
    assert left == pytest.approx(0.0, abs=1e-9)


def test_cover_by_hand_and_without_debt():
    assert debt_cover(np.array([13.0, 5.0]), np.array([10.0, 0.0])).tolist() == [1.3, 99.0]


def test_debt_capacity_takes_the_tighter_test():
    flow, rate = np.array([13.0, 13.0]), np.zeros(2)
    capacity = debt_capacity_usd(flow, np.array([1000.0, 100.0]), rate, 20.0, 1.3, 0.75)
    np.testing.assert_allclose(capacity, [200.0, 75.0])


@given(st.floats(0, 0.2), st.floats(0.001, 0.1), st.floats(0.1, 1e6))
def test_dearer_debt_means_less_debt(rate, more, flow):
    flows, plenty = np.array([flow]), np.array([1e12])
    low = debt_capacity_usd(flows, plenty, np.array([rate + more]), 20.0, 1.3, 0.75)[0]
    assert low < debt_capacity_usd(flows, plenty, np.array([rate]), 20.0, 1.3, 0.75)[0]


def test_a_loan_at_capacity_has_exactly_the_required_cover():
    flow, rate = np.array([50.0]), np.array([0.02])
    loan = debt_capacity_usd(flow, np.array([1e9]), rate, 20.0, 1.3, 0.75)
    assert debt_cover(flow, debt_service_usd(loan, rate, np.array([20.0])))[0] == pytest.approx(1.3)


def test_a_loss_making_operator_gets_no_loan():
    assert debt_capacity_usd(np.array([-5.0]), np.array([1e3]), np.array([0.02]), 20.0, 1.3, 0.75)[0] == 0.0


def test_default_takes_two_bad_quarters_in_a_row():
    owing = np.array([True])
    count = np.array([0])
    history = []
    for cover in (0.9, 1.1, 0.9, 0.8):
        count = next_distress(count, np.array([cover]), owing)
        history.append(bool(defaults(count, 2)[0]))
    assert history == [False, False, False, True]


def test_recovery_is_bounded_by_the_debt():
    assert recovery_usd(np.array([100.0, 10.0]), np.array([100.0, 100.0]), 0.4).tolist() == [40.0, 10.0]


def test_lenders_call_what_they_would_no_longer_lend_as_far_as_it_falls_due():
    debt, due = np.array([100.0, 100.0, 100.0]), np.array([10.0, 10.0, 10.0])
    allowed = np.array([120.0, 95.0, 40.0])  # room to renew all, half, nothing
    assert called_usd(debt, due, allowed).tolist() == [0.0, 5.0, 10.0]
