"""Prices of rented accelerator-hours over time: two factors of a rent and its forward curve (M17)."""

import numpy as np

from computemarket.model.core.arrays import Floats
from computemarket.model.mechanisms.broadcast import Parameter, per_run


def split_price(
    spot_ln: Floats,
    long_ln: Floats,
    drift_ln: Parameter,
    launches: Floats | float,
    jump_ln: Parameter,
    gain: Parameter,
) -> tuple[Floats, Floats]:
    """Update the two factors of a rental price: ln S = chi + xi, short-lived scarcity and long-run level.

    xi' = m + g (ln S - m) with m = xi + drift + jump x launches; chi' = ln S - xi': the steady-state filter of the
    two-factor model, the level jumping down when a new generation starts. Source: Schwartz and Smith 2000,
    Management Science 46; market_facts gpu_jump_per_gen and gpu_depreciation.

    Parameters
    ----------
    spot_ln, long_ln : (R, …) ln USD/h
    drift_ln : ln per quarter; launches : new generations this quarter; jump_ln : ln per launch
    gain : g, 0..1 weight of the newest price in the level

    Returns
    -------
    short_ln, long_ln : (R, …)
    """
    ndim = spot_ln.ndim
    expected = long_ln + per_run(drift_ln, ndim) + per_run(jump_ln, ndim) * launches
    level = expected + per_run(gain, ndim) * (spot_ln - expected)
    return spot_ln - level, level


def forward_prices(
    short_ln: Floats, long_ln: Floats, quarters: Floats, reversion: Parameter, drift_ln: Parameter,
    launches_expected: Floats | float, jump_ln: Parameter, premium_ln: Parameter = 0.0,
    short_sd: Parameter = 0.0, long_sd: Parameter = 0.0,
) -> Floats:  # fmt: skip
    """Return the forward curve of a rental price, (R, …, T) USD/h.

    ln F(T) = chi e^(-kappa T) + xi + (drift - premium) T + jump N(T) + half the variance of ln S(T): scarcity dies out,
    the level drifts down and jumps at expected launches. Source: Schwartz and Smith 2000, eq. 9, uncorrelated factors.

    Parameters
    ----------
    short_ln, long_ln : (R, …) factors today
    quarters : (T,) tenors
    reversion, drift_ln, premium_ln : per quarter; short_sd, long_sd : ln per square root of a quarter
    launches_expected : broadcasts to (R, …, T), launches expected until each tenor
    """
    ndim = short_ln.ndim + 1
    kappa = per_run(reversion, ndim)
    decay = np.exp(-kappa * quarters)
    trend = (per_run(drift_ln, ndim) - per_run(premium_ln, ndim)) * quarters
    variance = per_run(short_sd, ndim) ** 2 * -np.expm1(-2 * kappa * quarters) / (2 * kappa)
    variance = variance + per_run(long_sd, ndim) ** 2 * quarters
    ln_price = short_ln[..., None] * decay + long_ln[..., None]
    ln_price += trend + per_run(jump_ln, ndim) * launches_expected + 0.5 * variance
    return np.exp(ln_price, out=ln_price)
