"""What buyers and investors believe, and what that makes firms worth (M28).

Sources: Brock and Hommes, Econometrica 65 (1997); Nerlove (1958) on adaptive expectations; constant-gain
learning in Evans and Honkapohja, Learning and Expectations in Macroeconomics (2001).
"""

import numpy as np

from computemarket.model.core.arrays import Floats
from computemarket.model.mechanisms.broadcast import Parameter, per_run

RULES = ("adaptive", "keynote", "trend")


def adaptive_log(forecast_log: Floats, realised_log: Floats, gain: Parameter) -> Floats:
    """Return next adaptive forecast, e + g (x - e); logs of a level or a growth rate; (R, …)."""
    return forecast_log + per_run(gain, forecast_log.ndim) * (realised_log - forecast_log)


def next_signal(signal: Floats, announced: Floats, decay: Parameter) -> Floats:
    """Return the keynote signal in force, decay x signal + announced: it halves each quarter at decay 0.5; (R, …)."""
    return per_run(decay, signal.ndim) * signal + announced


def predictions(
    adaptive: Floats,
    realised_log: Floats,
    last_realised_log: Floats,
    signal: Floats,
    trend_strength: Parameter,
) -> Floats:
    """Return forecasts by rule, (R, …, 3) by `RULES`.

    adaptive e; keynote believers e + signal; trend followers x + s (x - x_1). Shapes (R, …).
    """
    trend = realised_log + per_run(trend_strength, realised_log.ndim) * (realised_log - last_realised_log)
    return np.stack((adaptive, adaptive + signal, trend), axis=-1)


def next_fitness(fitness: Floats, forecasts: Floats, realised_log: Floats, memory: Parameter) -> Floats:
    """Return the fitness of rules, m U - (1 - m) (x - forecast)^2 (Brock and Hommes 1997).

    Shapes: `fitness` and `forecasts` (R, …, K), `realised_log` (R, …).
    """
    kept = per_run(memory, fitness.ndim)
    return kept * fitness - (1 - kept) * (realised_log[..., None] - forecasts) ** 2


def rule_shares(fitness: Floats, intensity: Parameter) -> Floats:
    """Return the share of believers of each rule, exp(b U) / sum; b the intensity of choice; (R, …, K)."""
    score = per_run(intensity, fitness.ndim) * fitness
    weight = np.exp(score - score.max(axis=-1, keepdims=True))
    return weight / weight.sum(axis=-1, keepdims=True)


def market_belief(forecasts: Floats, shares: Floats) -> Floats:
    """Return the believers' mean forecast, sum_k n_k f_k; (R, …, K) each, result (R, …)."""
    return (forecasts * shares).sum(axis=-1)


def valuation_multiple(
    recurring_share: Floats, belief_log: Floats, base: Parameter, slope: Parameter, scale: Parameter
) -> Floats:
    """Return value over yearly revenue, (6 + 14 x recurring share) x scale x exp(belief).

    Recurring revenue is smoother and earns a higher multiple; `belief_log` is expected growth above normal.
    `scale` carries the uncertainty of the rule. Shapes (R, …).
    """
    ndim = recurring_share.ndim
    rule = per_run(base, ndim) + per_run(slope, ndim) * recurring_share
    return rule * per_run(scale, ndim) * np.exp(np.clip(belief_log, -2.0, 2.0))


def cost_of_capital(
    value_usd: Floats, reference_usd: Floats, base: Parameter, slope: Parameter, low: float, high: float
) -> Floats:
    """Return the yearly cost of capital, base - k ln(value / reference), kept in [low, high]; (R, …).

    A highly valued firm funds itself cheaply (Tobin's q in Hayashi, Econometrica 50, 1982).
    """
    ratio = np.log(np.maximum(value_usd, 1.0) / np.maximum(reference_usd, 1.0))
    return np.clip(per_run(base, ratio.ndim) - per_run(slope, ratio.ndim) * ratio, low, high)
