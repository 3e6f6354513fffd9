"""A population of AI startups: funding, burn, exit, several providers at once, and a wallet (M18, M16, M24).

Sources: Hopenhayn, Econometrica 60 (1992) on entry and exit; Gompers and Lerner, The Venture Capital Cycle
(2004); Gumbel draws for discrete choice (McFadden 1974); inventory of a hedging buyer (Working 1953).
"""

import numpy as np

from computemarket.model.core.arrays import Bools, Floats
from computemarket.model.mechanisms.broadcast import Parameter, per_run


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
