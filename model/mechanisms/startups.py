"""A population of AI startups: funding, burn, exit, several providers at once, and a wallet (M18, M16, M24).

Sources: Hopenhayn, Econometrica 60 (1992) on entry and exit; Gompers and Lerner, The Venture Capital Cycle
(2004); Gumbel draws for discrete choice (McFadden 1974); inventory of a hedging buyer (Working 1953).
"""

from dataclasses import dataclass

import numpy as np

from computemarket.model.arrays import Bools, Floats
from computemarket.model.mechanisms.per_run import Parameter, per_run


def enters(active: Bools, uniform: Floats, expected_entrants: Parameter) -> Bools:
    """Return which empty places a new firm takes; on average `expected_entrants` of them, if there is room.

    Parameters
    ----------
    active : (R, M) firms alive
    uniform : (R, M) draws on 0..1
    expected_entrants : entrants per quarter, a number or (R,)
    """
    empty = ~active
    room = np.maximum(empty.sum(axis=-1, keepdims=True), 1)
    return empty & (uniform < np.minimum(1.0, per_run(expected_entrants, 2) / room))


def expected_entrants(
    base: Parameter,
    entry_cost: Floats,
    sentiment_log: Floats,
    cost_weight: Parameter,
    sentiment_weight: Parameter,
) -> Floats:
    """Return entrants per quarter, base x exp(-a entry cost + b sentiment); lower barriers bring more; (R,)."""
    drive = np.asarray(sentiment_weight) * sentiment_log - np.asarray(cost_weight) * entry_cost
    return np.asarray(base) * np.exp(np.clip(drive, -20, 20))


def raised_usd(
    active: Bools,
    uniform: Floats,
    hazard: Parameter,
    monthly_burn_usd: Floats,
    runway_months: Parameter,
    sentiment_log: Floats,
) -> Floats:
    """Return funding raised this quarter: rounds that buy a runway, more often when investors are hopeful.

    A round comes where uniform < 1 - exp(-hazard exp(sentiment)) and is runway x burn. Shapes (R, M);
    `sentiment_log` (R,).
    """
    rate = per_run(hazard, 2) * np.exp(np.clip(per_run(sentiment_log, 2), -5, 5))
    funded = active & (uniform < -np.expm1(-rate))
    return np.where(funded, per_run(runway_months, 2) * np.maximum(monthly_burn_usd, 0.0), 0.0)


def next_revenue_usd(revenue_usd: Floats, growth: Parameter, spread: Parameter, normal: Floats) -> Floats:
    """Return revenue a quarter later, revenue x exp(g - s^2/2 + s z): proportionate random growth (Gibrat).

    Shapes (R, M); `growth` and `spread` per quarter, `normal` standard normal draws.
    """
    sd = per_run(spread, 2)
    return revenue_usd * np.exp(per_run(growth, 2) - sd**2 / 2 + sd * normal)


def next_cash_usd(
    cash_usd: Floats, revenue_usd: Floats, raised: Floats, payroll_usd: Floats, compute_usd: Floats
) -> Floats:
    """Return cash after a quarter, cash + revenue + raised - payroll - compute; may be negative; (R, M)."""
    return cash_usd + revenue_usd + raised - payroll_usd - compute_usd


def leaves(
    active: Bools, cash_usd: Floats, uniform: Floats, acquisition_hazard: Parameter
) -> tuple[Bools, Bools]:
    """Return (failed, acquired): firms out of cash, and solvent ones that are bought; (R, M)."""
    failed = active & (cash_usd <= 0)
    bought = active & ~failed & (uniform < -np.expm1(-per_run(acquisition_hazard, 2)))
    return failed, bought


def provider_shares(
    unit_cost: Floats, gumbel: Floats, sensitivity: Parameter, homes: int, usable: Bools
) -> Floats:
    """Return the split of each startup's spend over its best providers.

    U = -alpha ln(cost) + gumbel noise; the best `homes` usable providers are kept (multi-homing), spend goes
    by exp(-alpha ln cost) among them.

    Parameters
    ----------
    unit_cost : (R, P) or (R, M, P) price per unit of work with fees, positive
    gumbel : (R, M, P) standard Gumbel draws
    sensitivity : alpha
    homes : providers used at once, at least one
    usable : (R, P) or (R, M, P) providers that serve this buyer
    """
    cost = np.broadcast_to(unit_cost[:, None, :] if unit_cost.ndim == 2 else unit_cost, gumbel.shape)
    served = np.broadcast_to(usable[:, None, :] if usable.ndim == 2 else usable, gumbel.shape)
    value = -per_run(sensitivity, 3) * np.log(cost)
    score = np.where(served, value + gumbel, -np.inf)
    kept = min(homes, score.shape[-1])
    bar = np.ascontiguousarray(np.sort(score, axis=-1)[..., score.shape[-1] - kept, None])
    chosen = served & (score >= bar)
    top = np.where(chosen, value, -np.inf).max(axis=-1, keepdims=True)
    weight = np.where(chosen, np.exp(value - np.where(np.isfinite(top), top, 0.0)), 0.0)
    total = weight.sum(axis=-1, keepdims=True)
    return weight / np.where(total > 0, total, 1.0)


@dataclass(frozen=True, slots=True)
class Payment:
    """How a bill was paid, (R, M): cash, credits used, what stayed unpaid (all but credits in USD)."""

    cash_usd: Floats
    credits: Floats
    unpaid_usd: Floats


def pay(bill_usd: Floats, cash_usd: Floats, credits: Floats, credit_usd: Floats) -> Payment:
    """Pay a compute bill from a wallet, credits first (they can buy nothing else), then cash.

    Parameters
    ----------
    bill_usd, cash_usd, credits : (R, M) bill, money, credits held
    credit_usd : (R,) work a credit buys, USD at list price
    """
    unit = per_run(credit_usd, 2)
    used = np.minimum(credits, bill_usd / np.maximum(unit, 1e-12))
    rest = np.maximum(0.0, bill_usd - used * unit)
    paid = np.minimum(rest, np.maximum(cash_usd, 0.0))
    return Payment(paid, used, rest - paid)


def treasury_purchase(
    credits: Floats,
    bill_usd: Floats,
    credit_usd: Floats,
    cover_quarters: Parameter,
    volatility: Floats,
    hedge_weight: Parameter,
    cash_usd: Floats,
    cash_share: Parameter,
) -> Floats:
    """Return credits bought for the treasury: up to a cover of expected bills that grows with price risk.

    target = bill x cover x (1 + w volatility) / price of a credit; the purchase fills the gap within a share
    of cash. Shapes: `credits`, `bill_usd`, `cash_usd` (R, M); `credit_usd`, `volatility` (R,).
    """
    unit = np.maximum(per_run(credit_usd, 2), 1e-12)
    cover = per_run(cover_quarters, 2) * (1 + per_run(hedge_weight, 2) * per_run(volatility, 2))
    target = bill_usd * cover / unit
    affordable = per_run(cash_share, 2) * np.maximum(cash_usd, 0.0) / unit
    return np.minimum(np.maximum(0.0, target - credits), affordable)
