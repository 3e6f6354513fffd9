"""Compute credits: stages, books, price band, priority by stake, credits or subscription (M16).

Sources: Cobham, Operations Research 2 (1954); Chao and Wilson, American Economic Review 77 (1987) on priority
pricing; Hassin and Haviv, To Queue or Not to Queue (2003); Krugman, Quarterly Journal of Economics 106
(1991) on bands defended by a reserve; Pratt, Econometrica 32 (1964).
"""

from dataclasses import dataclass

import numpy as np

from computemarket.model.core.arrays import Bools, Floats, Ints
from computemarket.model.mechanisms.broadcast import Parameter, per_run

STAGES = ("none", "private_prepaid", "portable", "tradable", "stakable")
TRADABLE = STAGES.index("tradable")


def stage_chance(
    stage: Ints,
    installed_share: Floats,
    volatility: Floats,
    regulatory_stage: Floats,
    base_hazard: Parameter,
    share_weight: Parameter,
    volatility_weight: Parameter,
    regulation_weight: Parameter,
) -> Floats:
    """Return the chance that a credit moves to its next stage this quarter.

    1 - exp(-h), h = base x exp(a share - b volatility - c regulation x stage / last): a proportional hazard
    (Cox 1972). Regulation bites more the more a credit looks like money. Shapes (R,) or (R, issuers).

    Parameters
    ----------
    stage : present stage, index into `STAGES`
    installed_share : issuer's share of installed accelerators, 0..1
    volatility : quarterly standard deviation of the log price of compute
    regulatory_stage : stage of the strictest open procedure (0 none, 1 inquiry, 2 finding, 3 remedy)
    base_hazard : moves per quarter with all covariates zero
    """
    ndim = stage.ndim
    exposure = stage / (len(STAGES) - 1)
    log_ratio = (
        per_run(share_weight, ndim) * installed_share
        - per_run(volatility_weight, ndim) * volatility
        - per_run(regulation_weight, ndim) * regulatory_stage * exposure
    )
    return -np.expm1(-per_run(base_hazard, ndim) * np.exp(np.clip(log_ratio, -30, 30)))


def next_stage(stage: Ints, uniform: Floats, chance: Floats, last_allowed: Ints) -> Ints:
    """Return the stage a quarter later: one step up where uniform < chance, never past what is allowed.

    Shapes: all like `stage`; `last_allowed` indexes `STAGES`. A credit that stands above what has become
    allowed falls back to it.
    """
    risen = np.minimum(stage + (uniform < chance), len(STAGES) - 1)
    return np.minimum(risen, last_allowed).astype(np.int64)


def needs_financial_approval(stage: Ints | Floats) -> Bools:
    """Return where a credit is tradable or more, which is what brings in the financial regulator."""
    return stage >= TRADABLE


def issuable_credits(capacity_h: Floats, outstanding_h: Floats, reserve_share: Parameter) -> Floats:
    """Return credits an issuer may still issue with a reserve of capacity, capacity / reserve - outstanding.

    A reserve of 30% lets 3.3 hours be outstanding for each hour of a quarter's capacity. Shapes (R, …),
    hours.
    """
    room = capacity_h / np.maximum(per_run(reserve_share, capacity_h.ndim), 1e-9) - outstanding_h
    return np.maximum(0.0, room)


@dataclass(frozen=True, slots=True)
class CreditBooks:
    """A quarter of credit balances, each (R, holders), in credits.

    opening + issued = redeemed + expired + closing.
    """

    issued: Floats
    redeemed: Floats
    expired: Floats
    closing: Floats


def settle_credits(
    opening: Floats, issued: Floats, wanted: Floats, capacity: Floats, expiry: Parameter
) -> CreditBooks:
    """Issue, redeem and expire credits of a quarter; balances never go negative and nothing is lost.

    Redemption is capped by each balance and by capacity, which is shared in proportion to what is presented;
    then the share `expiry` of what is left expires unused.

    Parameters
    ----------
    opening, issued, wanted : (R, H) balance, new credits, credits holders want to use
    capacity : (R,) credits the issuer can honour this quarter
    expiry : share of unused credits that expires, a number or (R,)
    """
    balance = opening + issued
    presented = np.minimum(balance, np.maximum(wanted, 0.0))
    total = presented.sum(axis=-1)
    honoured = np.minimum(1.0, capacity / np.where(total > 0, total, 1.0))
    redeemed = presented * honoured[:, None]
    left = balance - redeemed
    expired = left * per_run(expiry, left.ndim)
    return CreditBooks(issued, redeemed, expired, left - expired)


def credit_cash_usd(issued: Floats, par_usd: Parameter, discount: Parameter) -> Floats:
    """Return cash from selling credits, issued x par x (1 - discount); a liability until redeemed; (R, …)."""
    ndim = issued.ndim
    return issued * per_run(par_usd, ndim) * (1 - per_run(discount, ndim))


@dataclass(frozen=True, slots=True)
class Band:
    """A quarter of a defended price: price, credits the issuer sold (bought if negative), its cash from it."""

    price_usd: Floats
    sold: Floats
    cash_usd: Floats


def defend_band(
    free_usd: Floats,
    par_usd: Floats,
    low: Parameter,
    high: Parameter,
    depth: Floats,
    reserve_credits: Floats,
    reserve_usd: Floats,
) -> Band:
    """Keep a credit's price inside its band as long as the reserve lasts.

    Above the band the issuer sells credits, below it buys them back; a net sale of q moves the log price by
    -q / depth (a linear price impact; Kyle 1985). An exhausted reserve lets the price leave the band (Krugman
    1991).

    Parameters
    ----------
    free_usd, par_usd : (R,) price without intervention; par of the credit
    low, high : edges of the band over par
    depth : (R,) credits that move the log price by one, positive
    reserve_credits, reserve_usd : (R,) what the issuer can sell, what it can spend
    """
    gap_high = np.log(free_usd / (np.asarray(high) * par_usd))
    gap_low = np.log(np.asarray(low) * par_usd / free_usd)
    sold = np.minimum(np.maximum(gap_high, 0.0) * depth, reserve_credits)
    affordable = reserve_usd / (np.asarray(low) * par_usd)
    bought = np.minimum(np.maximum(gap_low, 0.0) * depth, affordable)
    price = free_usd * np.exp((bought - sold) / depth)
    return Band(price, sold - bought, (sold - bought) * price)


def next_variance(variance: Floats, log_return: Floats, weight: Parameter) -> Floats:
    """Return the smoothed variance of a price, (1-w) v + w r^2 (RiskMetrics 1996), for the volatility report.

    Shapes (R, …).
    """
    used = per_run(weight, variance.ndim)
    return (1 - used) * variance + used * log_return**2


def credit_cost(
    discount: Parameter,
    unused: Parameter,
    settlement: Parameter,
    price_cv: Floats,
    risk_aversion: Parameter,
    trust: Parameter = 1.0,
) -> Floats:
    """Return the certainty-equivalent cost of credits over a fixed-price subscription.

    (1 - d) / ((1 - u) T) + s + rho cv^2 / 2: discount, credits that expire unused or are not honoured, cost
    of settlement and audit, and the risk premium of a CARA buyer whose wealth unit is the budget (Pratt
    1964). Below one, credits win.

    Parameters
    ----------
    discount, unused, settlement : shares of the price
    trust : T, chance that the issuer honours a credit, above zero
    price_cv : (R, …) standard deviation of the price over its mean within a budget year
    risk_aversion : rho, per budget
    """
    ndim = price_cv.ndim
    received = (1 - per_run(unused, ndim)) * per_run(trust, ndim)
    paid = (1 - per_run(discount, ndim)) / received + per_run(settlement, ndim)
    return paid + per_run(risk_aversion, ndim) * price_cv**2 / 2


def credit_share(relative_cost: Floats, sharpness: Parameter) -> Floats:
    """Return the share of buyers that choose credits, logistic in (1 - relative cost); (R, …)."""
    gain = per_run(sharpness, relative_cost.ndim) * (1 - relative_cost)
    return 1 / (1 + np.exp(-np.clip(gain, -50, 50)))


def regulatory_exposure(stage: Ints | Floats, outstanding_usd: Floats, scale_usd: Parameter) -> Floats:
    """Return how much a credit exposes its issuer to financial regulation, 0..1.

    (stage-1)/3 x (1 - exp(-outstanding / scale)): none for private prepaid units of small size, full for a
    large stakable one. Shapes (R, …).
    """
    size = -np.expm1(-outstanding_usd / per_run(scale_usd, outstanding_usd.ndim))
    return np.maximum(stage - 1, 0) / (len(STAGES) - 2) * size
