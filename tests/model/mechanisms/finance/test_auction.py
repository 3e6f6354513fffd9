"""A uniform-price double auction and forward prices."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from computemarket.model.mechanisms.finance.auction import (
    clear_double_auction,
    hedged_forward_price,
    hedged_share,
    local_price,
    settlement_usd,
)

WHOLE = st.integers(0, 12).map(float)
BIDS = arrays(np.float64, (3, 6), elements=WHOLE)
ASKS = arrays(np.float64, (3, 4), elements=WHOLE)
LAST = np.full(3, 99.0)


def one(*rows):
    return [np.array([row], dtype=float) for row in rows]


def test_a_market_by_hand():
    bid, bid_h, ask, ask_h = one([10, 8, 4], [5, 5, 5], [3, 6, 9], [4, 4, 4])
    found = clear_double_auction(bid, bid_h, ask, ask_h, 0.5, np.array([1.0]))
    assert found.volume_h[0] == 8.0  # the bid of 8 meets the ask of 6 until that is sold out
    np.testing.assert_array_equal(found.bought_h, [[5, 3, 0]])
    np.testing.assert_array_equal(found.sold_h, [[4, 4, 0]])
    assert found.price_usd_per_h[0] == 8.0  # hours bid at 8 are left over


def test_the_price_splits_the_gap_between_marginal_bid_and_ask():
    bid, bid_h, ask, ask_h = one([10], [5], [4], [5])
    for k, price in ((0.0, 4.0), (0.5, 7.0), (1.0, 10.0)):
        assert clear_double_auction(bid, bid_h, ask, ask_h, k, np.array([1.0])).price_usd_per_h[0] == price


def test_orders_of_no_hours_leave_the_price_alone():
    bare = clear_double_auction(*one([10, 5], [5, 5], [4, 9], [5, 5]), 0.5, np.array([0.0]))
    noisy = clear_double_auction(
        *one([11, 10, 6, 5], [0, 5, 0, 5], [1, 4, 4.5, 9], [0, 5, 0, 5]), 0.5, np.array([0.0])
    )
    assert bare.price_usd_per_h[0] == noisy.price_usd_per_h[0] == 7.0
    np.testing.assert_array_equal(noisy.sold_h, [[0, 5, 0, 0]])


def test_bids_below_all_asks_leave_the_last_price():
    found = clear_double_auction(*one([3, 2], [5, 5], [4, 5], [5, 5]), 0.5, np.array([3.7]))
    assert found.volume_h[0] == 0
    assert found.price_usd_per_h[0] == 3.7
    assert found.bought_h.sum() == found.sold_h.sum() == 0


def test_equal_prices_are_served_in_the_order_of_the_arrays():
    found = clear_double_auction(*one([5, 5, 5], [2, 2, 2], [1, 1], [2, 1]), 0.5, np.array([0.0]))
    np.testing.assert_array_equal(found.bought_h, [[2, 1, 0]])


@given(BIDS, BIDS, ASKS, ASKS, st.floats(0, 1))
def test_hours_are_conserved_and_nobody_trades_at_a_loss(bid, bid_h, ask, ask_h, k):
    found = clear_double_auction(bid, bid_h, ask, ask_h, k, LAST)
    np.testing.assert_array_equal(found.bought_h.sum(axis=-1), found.volume_h)
    np.testing.assert_array_equal(found.sold_h.sum(axis=-1), found.volume_h)
    price = found.price_usd_per_h[:, None]
    assert ((bid >= price - 1e-9) | (found.bought_h == 0)).all()
    assert ((ask <= price + 1e-9) | (found.sold_h == 0)).all()
    assert ((found.bought_h <= bid_h) & (found.bought_h >= 0)).all()
    assert ((found.sold_h <= ask_h) & (found.sold_h >= 0)).all()


@given(BIDS, BIDS, ASKS, ASKS)
def test_no_gain_from_trade_is_left(bid, bid_h, ask, ask_h):
    found = clear_double_auction(bid, bid_h, ask, ask_h, 0.5, LAST)
    prices = np.arange(-1.0, 14.0)
    demand = np.where(bid[:, None, :] >= prices[:, None], bid_h[:, None, :], 0.0).sum(axis=-1)
    supply = np.where(ask[:, None, :] <= prices[:, None], ask_h[:, None, :], 0.0).sum(axis=-1)
    np.testing.assert_array_equal(found.volume_h, np.minimum(demand, supply).max(axis=-1))
    for run in range(3):  # at the price, whoever strictly wants to trade and does not leaves no partner
        price = found.price_usd_per_h[run]
        if found.volume_h[run] > 0:
            eager_bids = bid_h[run][bid[run] > price + 1e-9].sum()
            eager_asks = ask_h[run][ask[run] < price - 1e-9].sum()
            assert max(eager_bids, eager_asks) <= found.volume_h[run]


@given(BIDS, BIDS, ASKS, ASKS, st.sampled_from([2.0, 0.5, 8.0]))
def test_the_unit_of_price_does_not_matter(bid, bid_h, ask, ask_h, factor):
    base = clear_double_auction(bid, bid_h, ask, ask_h, 0.5, LAST)
    scaled = clear_double_auction(bid * factor, bid_h, ask * factor, ask_h, 0.5, LAST * factor)
    np.testing.assert_array_equal(scaled.price_usd_per_h, base.price_usd_per_h * factor)
    np.testing.assert_array_equal(scaled.bought_h, base.bought_h)


def test_sellers_who_hedge_more_than_buyers_pay_speculators():
    args = (np.array([0.5]), 10.0, 0.01)
    balanced = hedged_forward_price(np.array([3.0]), np.array([100.0]), np.array([100.0]), *args)
    backward = hedged_forward_price(np.array([3.0]), np.array([500.0]), np.array([100.0]), *args)
    assert balanced[0] == 3.0
    assert backward[0] == pytest.approx(3.0 - 0.001 * 0.25 * 400)
    assert hedged_forward_price(np.array([3.0]), np.array([100.0]), np.array([500.0]), *args)[0] > 3.0
    more = hedged_forward_price(
        np.array([3.0]), np.array([500.0]), np.array([100.0]), np.array([0.5]), 100.0, 0.01
    )
    assert backward[0] < more[0] < 3.0


def test_a_free_hedge_is_a_full_hedge_and_a_dear_one_none():
    got = hedged_share(0.01, np.full(3, 100.0), np.full(3, 0.5), np.array([0.0, 0.125, 9.0]))
    np.testing.assert_allclose(got, [1.0, 0.5, 0.0])


def test_local_prices_scatter_around_the_index():
    draws = np.random.Generator(np.random.Philox(5)).normal(size=(1, 200_000))
    local = local_price(np.array([[2.5]]), 0.12, draws)
    assert local.mean() == pytest.approx(2.5, rel=2e-3)
    assert np.log(local).std() == pytest.approx(0.12, rel=1e-2)


def test_settlement_pays_the_buyer_when_spot_rose_and_sums_to_nothing():
    cash = settlement_usd(np.array([[730.0, -730.0]]), np.array([[3.0]]), np.array([[3.5]]))
    np.testing.assert_allclose(cash, [[365.0, -365.0]])
