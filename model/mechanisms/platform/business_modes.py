"""How the leading vendor does business: parts, bundle, franchise or marketplace (M15).

Sources: Armstrong, RAND Journal of Economics 37 (2006); Rochet and Tirole, RAND Journal of Economics 37
(2006); Hagiu and Wright, Management Science 61 (2015) on platform or reseller.
"""

import numpy as np

from computemarket.model.core.arrays import Bools, Floats
from computemarket.model.mechanisms.broadcast import Parameter, per_run

LAYERS = ("hardware", "software", "capacity", "settlement")
RECURRING = np.array([False, True, True, True])  # which layers are paid again every quarter


def partnership_cash_usd(
    hardware_usd: Floats, revenue_usd: Floats, floor_usd: Floats, share_above: Parameter
) -> Floats:
    """Return the vendor's cash from a partner, hardware + phi max(0, R - F) - max(0, F - R).

    A sold floor and a bought share of the upside: a short put and phi calls on the partner's revenue
    (market_facts: acp_launch, acp_share_above_floor). Shapes (R, …), USD a quarter.
    """
    above = np.maximum(0.0, revenue_usd - floor_usd)
    below = np.maximum(0.0, floor_usd - revenue_usd)
    return hardware_usd + per_run(share_above, revenue_usd.ndim) * above - below


def allowed_backstop_usd(
    requested_usd: Floats, outstanding_usd: Floats, equity_usd: Floats, cap_share: Parameter
) -> Floats:
    """Return new floor guarantees, scaled down so that all guarantees stay below a share of equity.

    Parameters
    ----------
    requested_usd : (R, P) new guarantees asked by partners
    outstanding_usd, equity_usd : (R,) guarantees in force, vendor's equity
    cap_share : largest guarantees over equity
    """
    room = np.maximum(0.0, np.asarray(cap_share) * equity_usd - outstanding_usd)
    asked = requested_usd.sum(axis=-1)
    scale = np.minimum(1.0, room / np.maximum(asked, 1.0))
    return requested_usd * scale[:, None]


def channel_orders(take_rate: Floats, rival_share: Parameter, conflict: Parameter) -> Floats:
    """Return hardware orders relative to no conflict, 1 - s (1 - exp(-k take)).

    Buyers that are also rivals of the platform (share s of sales) withdraw orders as the take rate rises: the
    supplier that enters its customers' market (channel conflict; Hagiu and Wright 2015). Shapes (R, …).
    """
    ndim = take_rate.ndim
    withdrawn = -np.expm1(-per_run(conflict, ndim) * take_rate)
    return 1 - per_run(rival_share, ndim) * withdrawn


def trade_volume(
    take_rate: Floats, buyer_elasticity: Parameter, seller_elasticity: Parameter, cross: Parameter
) -> Floats:
    """Return marketplace volume relative to a free venue, exp(-(eb + es) take / (1 - cross)).

    Each side leaves as it pays more, and each departure costs members of the other side: the cross-side
    feedback `cross`, 0..1, multiplies the loss (Armstrong 2006, section 3). Shapes (R, …).
    """
    ndim = take_rate.ndim
    direct = per_run(buyer_elasticity, ndim) + per_run(seller_elasticity, ndim)
    return np.exp(-direct * take_rate / (1 - per_run(cross, ndim)))


def software_revenue_usd(accelerators: Floats, price_usd_per_year: Parameter, attach: Parameter) -> Floats:
    """Return a quarter's software licences, accelerators x attach x yearly price / 4; (R, …)."""
    ndim = accelerators.ndim
    return accelerators * per_run(attach, ndim) * per_run(price_usd_per_year, ndim) / 4


def next_attach(attach: Floats, ceiling: Parameter, speed: Parameter, integration: Parameter) -> Floats:
    """Return the software attach rate a quarter later: logistic growth towards its ceiling.

    a' = a + speed x integration x a (1 - a/ceiling), where `integration` (0..1) is how far hardware is sold
    as a bundle. Shapes (R,).
    """
    gain = np.asarray(speed) * integration * attach * (1 - attach / np.maximum(ceiling, 1e-9))
    return np.clip(attach + gain, 0.0, np.maximum(ceiling, attach))


def recurring_share(layer_usd: Floats, recurring: Bools = RECURRING) -> Floats:
    """Return recurring over all revenue; `layer_usd` (R, L) by `LAYERS`, zero where there is no revenue."""
    total = layer_usd.sum(axis=-1)
    again = (layer_usd * recurring).sum(axis=-1)
    return np.where(total > 0, again / np.where(total > 0, total, 1.0), 0.0)


def ranked_shares(neutral: Floats, partner: Bools | Floats, preference: Parameter) -> Floats:
    """Return venue shares when partners are ranked up, s exp(b partner) / sum; b = 0 is a neutral venue.

    Self-preferencing (Hagiu, Teh and Wright, RAND Journal of Economics 53, 2022). Shapes: `neutral` (R, P)
    summing to one, `partner` (R, P) or (P,), true or the share of an offer that is a partner's.
    """
    weighted = neutral * np.exp(per_run(preference, neutral.ndim) * partner)
    return weighted / weighted.sum(axis=-1, keepdims=True)
