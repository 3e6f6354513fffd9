"""Who gets what is scarce, how orders swell in a shortage and shrink after it."""

import numpy as np

from computemarket.model.core.arrays import Bools, Floats
from computemarket.model.mechanisms.broadcast import Parameter, per_run

PASSES = 6  # Newton steps of water-filling; each serves at least one more order in full


def ration(orders: Floats, supply: Floats, priority: Floats | None = None) -> Floats:
    """Split supply over orders in proportion to order times priority, nobody above its order.

    Delivered d_i = o_i min(1, t w_i) with t such that the sum is the supply. Water-filling in a fixed number of
    passes; what they leave goes to open orders in proportion, so that the sum never exceeds supply, and misses
    min(supply, sum of orders) by rounding only. Where supply is enough
    the orders come back unchanged. Source: Cachon and Lariviere 1999; proportional rule of Aumann and Maschler 1985.

    Parameters
    ----------
    orders : (R, …, n), at least 0
    supply : (R, …), at least 0
    priority : broadcasts to `orders`, above 0; None treats all alike
    """
    supply = np.where(supply < np.finfo(np.float64).tiny, 0.0, supply)  # below it sums lose their last bits
    short = ~(supply >= orders.sum(axis=-1))
    delivered = orders.copy()
    if short.any():  # each row is shared by itself: those that have enough need no sharing
        weight = None if priority is None else np.broadcast_to(priority, orders.shape)[short]
        delivered[short] = _share(orders[short], supply[short], weight)
    return delivered


def _share(orders: Floats, supply: Floats, priority: Floats | None) -> Floats:
    """Split (n,) supply over (n, m) orders that exceed it."""
    if priority is None:
        total = orders.sum(axis=-1)
        delivered = orders * (supply / np.where(total > 0, total, 1.0))[..., None]
    else:
        delivered = _fill(orders, supply, priority)
    np.minimum(delivered, orders, out=delivered)
    _trim(delivered, supply)
    return delivered


def _fill(orders: Floats, supply: Floats, priority: Floats) -> Floats:
    """Return o min(1, t w), t by Newton's method from below; the rest goes to open orders in proportion."""
    weighted = orders * priority
    total = weighted.sum(axis=-1)
    scale = supply / np.where(total > 0, total, 1.0)
    before: Bools | None = None
    for _ in range(PASSES):
        served = scale[..., None] * priority >= 1
        if before is not None and np.array_equal(served, before):
            break  # every further pass would repeat the last one
        before = served
        full = np.where(served, orders, 0.0).sum(axis=-1)
        open_weight = np.where(served, 0.0, weighted).sum(axis=-1)
        scale = np.where(
            open_weight > 0, (supply - full) / np.where(open_weight > 0, open_weight, 1.0), scale
        )
    delivered = np.minimum(scale[..., None] * weighted, orders)
    open_orders = orders - delivered
    waiting = open_orders.sum(axis=-1)
    left = np.maximum(supply - delivered.sum(axis=-1), 0.0)
    open_orders *= (np.minimum(left, waiting) / np.where(waiting > 0, waiting, 1.0))[..., None]
    delivered += open_orders
    return delivered


def _trim(delivered: Floats, supply: Floats) -> None:
    """Take back the rounding by which a sum exceeds the supply."""
    total = delivered.sum(axis=-1)
    excess = total > supply
    slack = 1 - delivered.shape[-1] * np.finfo(np.float64).eps  # more than any rounding of a sum of n terms
    factor = np.where(excess, supply / np.where(excess, total, 1.0) * slack, 1.0)
    delivered *= factor[..., None]


def duplicate_orders(
    orders: Floats,
    lead_quarters: Floats,
    normal_lead_quarters: Parameter,
    intensity: Parameter,
    most: Parameter,
) -> Floats:
    """Return the phantom part that buyers add to orders when lead times are long.

    Extra = order x min(most, k max(0, L/L0 - 1)): buyers inflate orders when they expect to be rationed.
    Source: Lee, Padmanabhan and Whang 1997 (rationing game); Armony and Plambeck 2005 (duplicate orders).

    Parameters
    ----------
    orders : (R, …)
    lead_quarters : broadcasts to `orders`
    normal_lead_quarters, intensity, most : a number or (R, …)
    """
    late = lead_quarters / per_run(normal_lead_quarters, np.ndim(lead_quarters)) - 1
    swelling = per_run(intensity, np.ndim(late)) * np.maximum(late, 0.0)
    return orders * np.minimum(swelling, per_run(most, np.ndim(late)))


def cancel_double_orders(
    phantom: Floats, lead_before_quarters: Floats, lead_quarters: Floats, response: Parameter
) -> Floats:
    """Return the phantom orders withdrawn as lead times fall: phantom x (1 - (L/L_before)^k), none when they rise.

    Source: Armony and Plambeck 2005; the fall of lead times in 2024 took duplicates out of the backlog.

    Parameters
    ----------
    phantom : (R, …) duplicate orders still in the backlog
    lead_before_quarters, lead_quarters : broadcast to `phantom`, above 0
    response : k, a number or (R, …), at least 0
    """
    fall = np.log(np.minimum(lead_quarters / lead_before_quarters, 1.0))
    return phantom * -np.expm1(per_run(response, np.ndim(fall)) * fall)


def lead_time_quarters(backlog: Floats, deliveries_per_quarter: Floats, longest: Parameter) -> Floats:
    """Return the wait of an order placed now, backlog over deliveries, at most `longest`. Source: Little 1961."""
    flow = np.where(deliveries_per_quarter > 0, deliveries_per_quarter, 1.0)
    wait = np.where(deliveries_per_quarter > 0, backlog / flow, np.where(backlog > 0, np.inf, 0.0))
    return np.minimum(wait, per_run(longest, wait.ndim))
