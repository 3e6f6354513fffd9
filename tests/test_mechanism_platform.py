"""Business modes of the leading vendor."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from computemarket.model.mechanisms.platform import (
    allowed_backstop_usd,
    best_take_rate,
    channel_orders,
    choose_mode,
    mode_profit_usd,
    next_acceptance,
    next_attach,
    partnership_cash_usd,
    ranked_shares,
    recurring_share,
    software_revenue_usd,
    trade_volume,
)

GRID = np.linspace(0.0, 0.1, 41)


def test_partnership_cash_by_hand_above_and_below_the_floor():
    cash = partnership_cash_usd(np.array([10.0, 10.0]), np.array([8.0, 3.0]), np.array([5.0, 5.0]), 0.5)
    assert cash.tolist() == [11.5, 8.0]


@given(st.floats(0, 1e3), st.floats(0, 1e3), st.floats(0, 1))
def test_with_the_partner_the_cash_adds_up_to_hardware_plus_revenue(revenue, floor, phi):
    vendor = partnership_cash_usd(np.array([0.0]), np.array([revenue]), np.array([floor]), phi)[0]
    partner = revenue - vendor
    assert partner >= floor * (1 - 1e-12) - 1e-9  # the floor holds
    assert vendor <= phi * revenue + 1e-9


def test_guarantees_stay_below_the_cap_and_small_requests_pass():
    allowed = allowed_backstop_usd(
        np.array([[30.0, 10.0], [1.0, 1.0]]), np.array([0.0, 0.0]), np.full(2, 100.0), 0.2
    )
    np.testing.assert_allclose(allowed, [[15.0, 5.0], [1.0, 1.0]])
    none = allowed_backstop_usd(np.array([[30.0]]), np.array([50.0]), np.array([100.0]), 0.2)
    assert none[0, 0] == 0.0


@given(st.floats(0, 0.3), st.floats(0, 0.3))
def test_rivals_withdraw_orders_as_the_take_rate_rises(take, more):
    low, high = (channel_orders(np.array([t]), 0.6, 4.0)[0] for t in (take, take + more))
    assert 0.4 <= high <= low <= 1.0


def test_no_take_rate_means_no_conflict_and_full_volume():
    assert channel_orders(np.array([0.0]), 0.6, 4.0)[0] == 1.0
    assert trade_volume(np.array([0.0]), 6.0, 6.0, 0.3)[0] == 1.0


def test_cross_side_feedback_makes_volume_more_fragile():
    take = np.array([0.05])
    assert trade_volume(take, 6.0, 6.0, 0.5)[0] < trade_volume(take, 6.0, 6.0, 0.0)[0]


def test_without_hardware_the_best_take_rate_is_the_inverse_semi_elasticity():
    grid = np.linspace(0, 0.5, 501)
    take, profit = best_take_rate(grid, np.array([100.0]), np.zeros(1), 0.6, 4.0, 4.0, 6.0, 0.0)
    assert take[0] == pytest.approx(0.1)
    assert profit[0] == pytest.approx(100 * 0.1 * np.exp(-1))


def test_a_large_hardware_business_lowers_the_best_take_rate():
    takes = [
        best_take_rate(GRID, np.array([100.0]), np.array([h]), 0.6, 4.0, 4.0, 6.0, 0.0)[0][0]
        for h in (0, 20, 1000)
    ]
    assert takes[0] >= takes[1] >= takes[2]
    assert takes[2] == 0.0


def test_mode_profit_by_hand_without_interest_or_growth():
    profit = mode_profit_usd(
        np.array([100.0]),
        np.array([[0.7, 0.7]]),
        np.array([[1.0, 1.4]]),
        np.array([[1.0, 0.9]]),
        np.array([[0.0, 5.0]]),
        np.array([[0.0, 60.0]]),
        0.0,
        np.zeros((1, 2)),
        10,
    )
    np.testing.assert_allclose(profit, [[700.0, 872.0 + 0.0]])  # (88.2 + 5) x 10 - 60


def test_discounting_a_growing_recurring_flow_matches_the_sum_term_by_term():
    one = np.ones((1, 1))
    profit = mode_profit_usd(np.zeros(1), one, one, one, 3 * one, 0 * one, 0.03, 0.05 * one, 7)
    assert profit[0, 0] == pytest.approx(sum(3 * (1.05 / 1.03) ** t for t in range(1, 8)))


def test_a_mode_changes_only_for_a_gain_above_inertia_and_never_to_a_closed_one():
    profit = np.array([[100.0, 104.0], [100.0, 110.0], [100.0, 110.0], [100.0, 90.0]])
    allowed = np.array([[True, True], [True, True], [True, False], [False, True]])
    assert choose_mode(profit, np.zeros(4, dtype=np.int64), 0.05, allowed).tolist() == [0, 1, 0, 1]


def test_a_million_accelerators_at_15_percent_attach_pay_169_million_a_quarter():
    assert software_revenue_usd(np.array([1e6]), 4500.0, 0.15)[0] == pytest.approx(168.75e6)


@given(st.floats(0.001, 0.5), st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_attach_grows_to_its_ceiling_and_only_with_integration(attach, speed, integration):
    new = next_attach(np.array([attach]), 0.5, speed, integration)[0]
    assert attach <= new <= 0.5
    assert next_attach(np.array([attach]), 0.5, speed, 0.0)[0] == attach


def test_acceptance_moves_towards_gain_less_conflict():
    assert next_acceptance(np.array([0.5]), np.array([2.0]), np.array([0.0]), 0.1)[0] > 0.5
    assert next_acceptance(np.array([0.5]), np.array([0.0]), np.array([2.0]), 0.1)[0] < 0.5


def test_recurring_share_by_hand_and_without_revenue():
    assert recurring_share(np.array([[80.0, 10.0, 5.0, 5.0], [0.0, 0.0, 0.0, 0.0]])).tolist() == [0.2, 0.0]


def test_self_preference_moves_share_to_partners_and_zero_is_neutral():
    neutral = np.array([[0.5, 0.3, 0.2]])
    partner = np.array([True, False, False])
    np.testing.assert_allclose(ranked_shares(neutral, partner, 0.0), neutral)
    tilted = ranked_shares(neutral, partner, 1.0)
    assert tilted[0, 0] > 0.5
    assert tilted.sum() == pytest.approx(1.0)


def test_attach_by_hand():
    assert next_attach(np.array([0.1]), 0.2, 0.5, 0.8)[0] == pytest.approx(0.12)


def test_acceptance_by_hand():
    assert next_acceptance(np.array([0.9]), np.array([1.0]), np.array([1.0]), 0.25)[0] == pytest.approx(0.8)
