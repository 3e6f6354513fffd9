"""Business modes of the leading vendor."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from computemarket.model.mechanisms.platform.business_modes import (
    allowed_backstop_usd,
    channel_orders,
    next_attach,
    partnership_cash_usd,
    ranked_shares,
    recurring_share,
    software_revenue_usd,
    trade_volume,
)


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


def test_a_million_accelerators_at_15_percent_attach_pay_169_million_a_quarter():
    assert software_revenue_usd(np.array([1e6]), 4500.0, 0.15)[0] == pytest.approx(168.75e6)


@given(st.floats(0.001, 0.5), st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_attach_grows_to_its_ceiling_and_only_with_integration(attach, speed, integration):
    new = next_attach(np.array([attach]), 0.5, speed, integration)[0]
    assert attach <= new <= 0.5
    assert next_attach(np.array([attach]), 0.5, speed, 0.0)[0] == attach


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
