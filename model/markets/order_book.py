"""The order book: orders placed twice while deliveries are late, and withdrawn when they no longer are."""

import numpy as np

from computemarket.model.core.arrays import Floats, over_holders
from computemarket.model.core.calendar import WEEKS_PER_QUARTER
from computemarket.model.market import ComputeMarket
from computemarket.model.mechanisms.suppliers.rationing import cancel_double_orders, duplicate_orders


def withdraw_duplicates(market: ComputeMarket, wait_quarters: Floats) -> None:
    """Take duplicates off the book as far as the quoted delivery has come down since the last orders.

    Parameters
    ----------
    wait_quarters : (R, P) the queue in front of an order placed now
    """
    state = market.state
    build = market.value("capacity.build_weeks")[:, None] / WEEKS_PER_QUARTER
    quoted = build + np.maximum(wait_quarters - 1.0, 0.0)  # the first quarter in the queue is the building
    before = np.where(state.quoted_quarters > 0, state.quoted_quarters, quoted)
    response = market.value("orders.cancel_response")
    withdrawn = cancel_double_orders(
        state.duplicate_share, before, quoted, response
    )  # (R, P), of the backlog
    state.backlog_units *= (1 - withdrawn)[:, None, :]
    state.duplicate_share[:] = (state.duplicate_share - withdrawn) / (1 - withdrawn)
    state.quoted_quarters[:] = quoted


def order_twice(market: ComputeMarket) -> None:
    """Put this quarter's orders on the book, swollen where merchants quote late deliveries."""
    state = market.state
    extra = duplicate_orders(
        np.broadcast_to(market.world.products.merchant.astype(np.float64), state.quoted_quarters.shape),
        state.quoted_quarters,
        market.value("orders.normal_lead_quarters"),
        market.value("orders.duplicate_intensity"),
        market.value("orders.duplicate_most"),
    )
    duplicates = state.duplicate_share * over_holders(state.backlog_units)
    duplicates += extra * over_holders(state.ordered_units)
    state.ordered_units *= (1 + extra)[:, None, :]
    state.backlog_units += state.ordered_units
    waiting = over_holders(state.backlog_units)
    counted = waiting >= np.finfo(np.float64).tiny  # a quotient of subnormal numbers may round to one
    state.duplicate_share[:] = np.where(counted, duplicates / np.where(counted, waiting, 1.0), 0.0)


def real_backlog_units(market: ComputeMarket) -> Floats:
    """Return (R, H, P) the orders that buyers mean to take: the backlog without duplicates."""
    state = market.state
    return state.backlog_units * (1 - state.duplicate_share)[:, None, :]
