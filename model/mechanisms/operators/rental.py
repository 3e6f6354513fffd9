"""Prices of rented accelerator-hours: spot with utilisation, contracts, and the forward curve (M17)."""

from dataclasses import dataclass

import numpy as np

from computemarket.model.core.arrays import Floats
from computemarket.model.mechanisms.broadcast import Parameter, per_run

HIGHEST_UTILISATION = 0.97
HOUR_BISECTIONS = 26  # brackets it to 1e-8: the market calls it every quarter


def asked_price(
    utilisation: Floats, floor_usd: Parameter, slope_usd: Parameter, curvature: Parameter
) -> Floats:
    """Return the price asked at a utilisation, c + k (u/(1-u))^eta, u held at 0.97 at most.

    The odds u/(1-u) are the mean queue of an M/M/1 server: the asked price rises with what a sold hour displaces.
    Source: Kleinrock 1975 for the queue; the form is that of supply curves near capacity (Borenstein 2002).

    Parameters
    ----------
    utilisation : (R, …) 0..1
    floor_usd, slope_usd, curvature : c, k in USD/h and eta; a number or (R, …)
    """
    busy = np.minimum(utilisation, HIGHEST_UTILISATION)
    odds = busy / (1 - busy)
    ndim = utilisation.ndim
    return per_run(floor_usd, ndim) + per_run(slope_usd, ndim) * odds ** per_run(curvature, ndim)


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


@dataclass(frozen=True, slots=True)
class HourDemand:
    """Demand for H100e-hours in a market, each part falling in the rent.

    base_h : (R, M, D) hours wanted at the reference rent by use; elasticity : (D,) or (R, M, D);
    reference_usd : (R, M) the rent at which the base holds
    """

    base_h: Floats
    elasticity: Floats
    reference_usd: Floats

    def at(self, rent_usd: Floats) -> Floats:
        """Return (R, M, D) hours at a rent (R, M)."""
        ratio = (rent_usd / self.reference_usd)[..., None]
        return self.base_h * ratio**-self.elasticity


def clear_hours(
    demand: HourDemand, capacity_h: Floats, floor_usd: Floats, slope_usd: Floats, curvature: Floats
) -> tuple[Floats, Floats]:
    """Find the utilisation at which hours wanted at its rent equal hours worked, by bisection.

    Demand falls and the asked rent rises with utilisation, so the crossing is unique; where demand exceeds
    97% of capacity even there, utilisation stays at 0.97 and demand is rationed.

    Returns
    -------
    utilisation, rent : (R, M); (R, M) USD per H100e-hour
    """
    low = np.full(capacity_h.shape, 1e-6)
    high = np.full(capacity_h.shape, HIGHEST_UTILISATION)
    for _ in range(HOUR_BISECTIONS):
        middle = 0.5 * (low + high)
        rent = asked_price(middle, floor_usd, slope_usd, curvature)
        short = demand.at(rent).sum(axis=-1) > middle * capacity_h
        low = np.where(short, middle, low)
        high = np.where(short, high, middle)
    utilisation = 0.5 * (low + high)
    return utilisation, asked_price(utilisation, floor_usd, slope_usd, curvature)
