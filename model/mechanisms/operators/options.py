"""Own silicon as a real option, and shocks to what silicon is good for (M13, M14).

Sources: Dixit and Pindyck, Investment under Uncertainty (1994), ch. 5; McDonald and Siegel, Quarterly
Journal of Economics 101 (1986); McFadden's logit for the share of own chips.
"""

import numpy as np

from computemarket.model.core.arrays import Bools, Floats, Ints
from computemarket.model.mechanisms.broadcast import Parameter, per_run, present_value_factor


def investment_hurdle(volatility: Parameter, rate: Parameter, payout: Parameter) -> Floats:
    """Return the multiple of cost at which investing now beats waiting, b1 / (b1 - 1).

    b1 is the positive root of s^2 b(b-1)/2 + (r - y) b - r = 0 (Dixit and Pindyck 1994, eq. 5.16); volatility
    0.4, rate 0.10 and payout 0.05 give 4.1. Without volatility it is max(1, r/y).

    Parameters
    ----------
    volatility : yearly standard deviation of the project's value, positive; a number or (R,)
    rate : yearly discount rate, positive
    payout : yearly payout rate y of the project, positive
    """
    variance = np.asarray(volatility, dtype=np.float64) ** 2
    shift = 0.5 - (np.asarray(rate, dtype=np.float64) - payout) / variance
    root = shift + np.sqrt(shift**2 + 2 * np.asarray(rate, dtype=np.float64) / variance)
    return root / (root - 1)


def programme_value_usd(
    saving_usd_per_quarter: Floats,
    rate_per_quarter: Parameter,
    obsolescence_hazard: Parameter,
    value_lost: Parameter,
    delay_quarters: Parameter,
    life_quarters: Parameter,
) -> Floats:
    """Return the present value of a chip programme's savings under an obsolescence hazard.

    V = saving x a(r + h l, n) x exp(-(r + h) d): a shock while the chip is being designed ends the programme;
    one during service destroys the share l of the remaining savings (Dixit and Pindyck 1994, ch. 5.5).

    Parameters
    ----------
    saving_usd_per_quarter : (R, …) saving against merchant chips once in volume
    rate_per_quarter : discount rate
    obsolescence_hazard : h, chance of an architecture shock per quarter
    value_lost : l, share of value a shock destroys for this kind of chip, 0..1
    delay_quarters : d, quarters from start to volume
    life_quarters : n, service life
    """
    ndim = saving_usd_per_quarter.ndim
    rate, hazard = per_run(rate_per_quarter, ndim), per_run(obsolescence_hazard, ndim)
    factor = present_value_factor(rate + hazard * per_run(value_lost, ndim), per_run(life_quarters, ndim))
    return saving_usd_per_quarter * factor * np.exp(-(rate + hazard) * per_run(delay_quarters, ndim))


def starts_programme(value_usd: Floats, cost_usd: Floats, hurdle: Parameter, may_start: Bools) -> Bools:
    """Return who starts a programme: V >= hurdle x I, where allowed (no programme running, cash enough).

    Shapes: `value_usd`, `cost_usd` and `may_start` (R, …); `hurdle` from `investment_hurdle`.
    """
    return may_start & (value_usd >= per_run(hurdle, value_usd.ndim) * cost_usd) & (value_usd > 0)


def advance_programme(
    quarters_left: Ints, running: Bools, uniform: Floats, slip_chance: Parameter
) -> tuple[Ints, Bools]:
    """Return (quarters left, completed this quarter) of running programmes.

    Each quarter is a step unless a respin costs it: it slips where the given uniform is below `slip_chance`.

    Parameters
    ----------
    quarters_left : (R, …) quarters to volume
    running : (R, …) programmes under way
    uniform : (R, …) draws on 0..1
    slip_chance : chance that a quarter brings no progress, 0..1
    """
    moves = running & (uniform >= per_run(slip_chance, uniform.ndim))
    left = np.where(moves, np.maximum(quarters_left - 1, 0), quarters_left)
    return left, moves & (left == 0)


def expected_kept(kept: Parameter, hazard: Parameter, life_quarters: Parameter) -> Floats:
    """Return the expected average share of value over a life with Poisson shocks of the given hazard.

    kept + (1 - kept) (1 - exp(-h n)) / (h n): full value until the first shock, `kept` after it. The gap
    between a flexible and a fixed-function chip is what the flexible one's power buys as insurance.

    Parameters
    ----------
    kept : (…) share of value kept after a shock, 0..1
    hazard : shocks per quarter
    life_quarters : service life
    """
    exposure = np.asarray(hazard, dtype=np.float64) * life_quarters
    quiet = exposure < 1e-12
    full = np.where(quiet, 1.0, -np.expm1(-exposure) / np.where(quiet, 1.0, exposure))
    return np.asarray(kept) + (1 - np.asarray(kept)) * full


def licence_payment_usd(price_usd: Floats, quarters_since: Ints, schedule: Floats) -> Floats:
    """Return this quarter's instalment of a licence.

    Parameters
    ----------
    price_usd : (R, …) total price
    quarters_since : (R, …) quarters since signing; negative means not signed
    schedule : (Q,) shares by quarter, summing to one
    """
    due = (quarters_since >= 0) & (quarters_since < len(schedule))
    return np.where(due, price_usd * schedule[np.clip(quarters_since, 0, len(schedule) - 1)], 0.0)


def shock_arrives(uniform: Floats, rate_per_quarter: Parameter) -> Bools:
    """Return where an architecture shock arrives: uniform < 1 - exp(-rate), a Poisson arrival; (R, …)."""
    return uniform < -np.expm1(-per_run(rate_per_quarter, uniform.ndim))


def chip_value_after_shock(
    kept: Floats, quarters_since: Floats, recompile_loss: Parameter, half_life_quarters: Parameter
) -> Floats:
    """Return the share of value each kind of chip has on the new architecture.

    kept x (1 - loss x 2^(-t/h)): what the hardware cannot do is lost for good, what old kernels cannot do
    comes back as they are rewritten.

    Parameters
    ----------
    kept : (R, K) or (K,) long-run share of value by kind of chip, 0..1
    quarters_since : (R,) quarters since the shock; negative: no shock, value one
    recompile_loss : share lost at arrival until kernels are rewritten, 0..1
    half_life_quarters : half-life of that loss
    """
    since = per_run(quarters_since, 2)
    rewritten = 0.5 ** (np.maximum(since, 0.0) / per_run(half_life_quarters, 2))
    return np.where(since < 0, 1.0, kept * (1 - per_run(recompile_loss, 2) * rewritten))


def fleet_value_after_shock(
    chip_value: Floats, quarters_since: Floats, migration_half_life_quarters: Parameter
) -> Floats:
    """Return the value of a fleet while work moves to the new architecture, 1 - w (1 - value).

    The moved share w = 1 - 2^(-t/h) grows from zero. Shapes: `chip_value` (R, K), `quarters_since` (R,).
    """
    since = np.maximum(per_run(quarters_since, 2), 0.0)
    moved = 1 - 0.5 ** (since / per_run(migration_half_life_quarters, 2))
    return 1 - moved * (1 - chip_value)
