"""Rationing and the orders that a shortage makes."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from computemarket.model.mechanisms.suppliers.rationing import (
    cancel_double_orders,
    duplicate_orders,
    lead_time_quarters,
    ration,
)

ORDERS = arrays(np.float64, (4, 9), elements=st.floats(0, 1e6, allow_subnormal=False))
WEIGHTS = arrays(np.float64, (4, 9), elements=st.floats(0.05, 20))
SUPPLY = arrays(np.float64, 4, elements=st.floats(0, 9e6, allow_subnormal=False))


def test_without_priorities_everybody_gets_the_same_share():
    np.testing.assert_allclose(ration(np.array([[10.0, 30.0]]), np.array([20.0])), [[5.0, 15.0]])


def test_priorities_by_hand():
    got = ration(np.array([[10.0, 10.0, 10.0]]), np.array([15.0]), np.array([[4.0, 1.0, 1.0]]))
    np.testing.assert_allclose(got, [[10.0, 2.5, 2.5]])  # t w = 0.25 for the two, above 1 for the first


@given(ORDERS, SUPPLY, WEIGHTS)
def test_nobody_gets_more_than_ordered_and_nothing_is_kept_back(orders, supply, weights):
    for priority in (None, weights):
        got = ration(orders, supply, priority)
        assert (got <= orders).all()
        assert (got >= 0).all()
        np.testing.assert_allclose(
            got.sum(axis=-1), np.minimum(supply, orders.sum(axis=-1)), rtol=1e-12, atol=1e-300
        )


@given(ORDERS, SUPPLY, WEIGHTS)
def test_a_sum_of_deliveries_is_at_most_the_supply_to_the_last_bit(orders, supply, weights):
    short = supply < orders.sum(axis=-1)
    assert (ration(orders, supply, weights).sum(axis=-1) <= supply)[short].all()
    np.testing.assert_array_equal(ration(orders, supply, weights)[~short], orders[~short])


@given(
    arrays(np.float64, (4, 9), elements=st.floats(1, 1e6)),
    arrays(np.float64, (4, 9), elements=st.floats(0.2, 5)),
    arrays(np.float64, 4, elements=st.floats(0.05, 0.95)),
)
def test_fill_rates_are_proportional_to_priority_up_to_the_order(orders, weights, part):
    supply = part * orders.sum(axis=-1)
    rate = ration(orders, supply, weights) / orders
    for row, w in zip(rate, weights, strict=True):
        open_orders = row < 1 - 1e-9
        level = (row / w)[open_orders]
        np.testing.assert_allclose(level, level[0] if len(level) else 1.0, rtol=1e-6)
        assert not len(level) or (w[~open_orders] * level[0] >= 1 - 1e-6).all()


def test_no_orders_and_no_supply_are_no_trouble():
    np.testing.assert_array_equal(ration(np.zeros((1, 3)), np.array([5.0]), np.ones((1, 3))), 0.0)
    np.testing.assert_array_equal(ration(np.ones((1, 3)), np.zeros(1), np.ones((1, 3))), 0.0)


def test_long_leads_swell_orders_up_to_a_limit_and_normal_leads_do_not():
    got = duplicate_orders(np.full(4, 100.0), np.array([0.5, 2.0, 3.0, 30.0]), 2.0, 0.4, 1.0)
    np.testing.assert_allclose(got, [0.0, 0.0, 20.0, 100.0])


def test_phantom_orders_leave_as_lead_times_fall():
    got = cancel_double_orders(np.full(3, 100.0), np.array([4.0, 4.0, 2.0]), np.array([2.0, 4.0, 4.0]), 1.0)
    np.testing.assert_allclose(got, [50.0, 0.0, 0.0])


def test_the_wait_is_backlog_over_deliveries():
    got = lead_time_quarters(np.array([300.0, 0.0, 5.0]), np.array([100.0, 0.0, 0.0]), 12.0)
    np.testing.assert_array_equal(got, [3.0, 0.0, 12.0])
