"""The market for accelerator-hours and tokens: one utilisation clears both (M7, M8, M17)."""

from dataclasses import dataclass

import numpy as np

from computemarket.model.arrays import Floats

HIGHEST_UTILISATION = 0.97
BISECTIONS = 26  # halves the bracket to 1e-8 of utilisation


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


def rent_usd_per_h(utilisation: Floats, floor_usd: Floats, slope_usd: Floats, curvature: Floats) -> Floats:
    """Return the rent asked at a utilisation: c + k (u/(1-u))^eta, the supply curve of a nearly full fleet."""
    busy = np.minimum(utilisation, HIGHEST_UTILISATION)
    return floor_usd + slope_usd * (busy / (1 - busy)) ** curvature


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
    for _ in range(BISECTIONS):
        middle = 0.5 * (low + high)
        rent = rent_usd_per_h(middle, floor_usd, slope_usd, curvature)
        short = demand.at(rent).sum(axis=-1) > middle * capacity_h
        low = np.where(short, middle, low)
        high = np.where(short, high, middle)
    utilisation = 0.5 * (low + high)
    return utilisation, rent_usd_per_h(utilisation, floor_usd, slope_usd, curvature)


def tier_shares(
    price_usd: Floats, speed: Floats, taste_ln_mean: Floats, taste_ln_sd: Floats, speed_exponent: Floats,
    price_weight: Floats, points: Floats,
) -> Floats:  # fmt: skip
    """Return the share of users in each tier of a menu: second-degree price discrimination with self-selection.

    A user of type theta (lognormal) values a tier at theta (u_k/u_1)^beta and weighs the price logarithmically; each type
    splits over tiers by a logit of unit scale, and types are summed over fixed quantiles (Mussa and Rosen 1978).

    Parameters
    ----------
    price_usd : (R, M, K) USD per million tokens, above 0
    speed : (K,) tokens a second and user, rising
    taste_ln_mean, taste_ln_sd, speed_exponent, price_weight : (R,)
    points : (Q,) standard normal quantiles of equal weight
    """
    value = (speed / speed[0]) ** speed_exponent[:, None]  # (R, K)
    theta = np.exp(taste_ln_mean[:, None] + taste_ln_sd[:, None] * points)  # (R, Q)
    gain = theta[:, None, :, None] * np.log(value)[:, None, None, :]
    utility = gain - (price_weight[:, None, None] * np.log(price_usd))[:, :, None, :]
    utility -= utility.max(axis=-1, keepdims=True)
    pull = np.exp(utility)
    pull /= pull.sum(axis=-1, keepdims=True)
    shares: Floats = np.ascontiguousarray(np.moveaxis(pull, 2, 3)).mean(axis=-1)
    return shares


def spending_with_ceiling(raw_usd: Floats, ceiling_usd: Floats) -> Floats:
    """Bend spending under a ceiling, the addressable wage bill: s = C (1 - exp(-raw/C))."""
    return ceiling_usd * -np.expm1(-raw_usd / np.maximum(ceiling_usd, 1.0))  # a market of nothing spends nothing


def bass_step(adopted: Floats, innovation: Floats, imitation: Floats) -> Floats:
    """Return adoption after a quarter: N + (p + q N)(1 - N) (Bass 1969)."""
    return np.minimum(adopted + (innovation + imitation * adopted) * (1 - adopted), 1.0)
