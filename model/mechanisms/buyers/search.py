"""Software agents as buyers: posted-price search among n sampled offers, by order statistics (M18)."""

from dataclasses import dataclass

import numpy as np

from computemarket.model.core.arrays import Bools, Floats
from computemarket.model.mechanisms.broadcast import Parameter, per_run


def total_cost(
    price_usd_per_mtok: Floats, speed: Floats, failure_rate: Floats, mtok: Parameter,
    time_value_usd_per_h: Parameter, failure_usd: Parameter,
) -> Floats:  # fmt: skip
    """Return what a task costs at each offer: price x tokens + value of the wait + expected penalty, USD.

    Source: full price, Becker 1965, Economic Journal 75; least total cost over parallel sellers, as multi-homing.

    Parameters
    ----------
    price_usd_per_mtok, speed, failure_rate : broadcast to (R, …, J); speed in tokens/s; rate 0..1
    mtok : million tokens of a task; time_value_usd_per_h, failure_usd : a number or (R, …)
    """
    ndim = max(price_usd_per_mtok.ndim, speed.ndim, failure_rate.ndim)
    size = per_run(mtok, ndim)
    hours = size * (1e6 / 3600) / speed
    cost = price_usd_per_mtok * size + per_run(time_value_usd_per_h, ndim) * hours
    return cost + per_run(failure_usd, ndim) * failure_rate


@dataclass(frozen=True, slots=True)
class SearchOutcome:
    """Posted-price search: share (R, …, J) of buyers at each offer, expected least cost (R, …) that they pay."""

    share: Floats
    expected_cost: Floats


def search_shares(cost: Floats, visibility: Floats, sampled: Parameter) -> SearchOutcome:
    """Return where buyers end who compare n sampled offers and take the cheapest.

    Offers are drawn in proportion to visibility. With G(c) the visibility of offers at cost c or more, the cheapest of
    n costs c or more with chance G(c)^n, so the offers at c win G(c)^n - G(above c)^n, split by visibility: exact
    order statistics, no simulation; n need not be whole (a mean over buyers). n = 1 is captive buyers, n large is
    Bertrand. Source: Stigler 1961; Burdett and Judd 1983, Econometrica 51.

    Parameters
    ----------
    cost : (R, …, J); visibility : broadcasts to `cost`, at least 0, 0 takes an offer out
    sampled : n, a number or (R, …), at least 1
    """
    seen = np.broadcast_to(visibility, cost.shape)
    total = seen.sum(axis=-1, keepdims=True)
    seen = seen / np.where(total > 0, total, 1.0)
    rivals, mine = cost[..., None, :], cost[..., :, None]
    weight = np.broadcast_to(seen[..., None, :], np.broadcast_shapes(rivals.shape, mine.shape))
    dearer = np.where(rivals > mine, weight, 0.0).sum(axis=-1)
    equal = np.where(rivals == mine, weight, 0.0).sum(axis=-1)
    n = per_run(sampled, cost.ndim)
    won = np.minimum(dearer + equal, 1.0) ** n - np.minimum(dearer, 1.0) ** n
    share = np.where(seen > 0, won * seen / np.where(equal > 0, equal, 1.0), 0.0)
    paid = (share * np.where(seen > 0, cost, 0.0)).sum(axis=-1)
    return SearchOutcome(share, paid)


def wallet_price(
    price_usd: Floats, venue_fee: Parameter, credit_discount: Parameter, has_credit: Bools
) -> tuple[Floats, Bools]:
    """Return what an agent pays and where it pays with credits: cash with the venue's fee, or credits at a discount.

    Parameters
    ----------
    price_usd : (R, …); venue_fee, credit_discount : a number or (R, …); has_credit : broadcasts to `price_usd`
    """
    ndim = price_usd.ndim
    cash = price_usd * (1 + per_run(venue_fee, ndim))
    credit = price_usd * (1 - per_run(credit_discount, ndim))
    uses_credit = has_credit & (credit < cash)
    return np.where(uses_credit, credit, cash), uses_credit
