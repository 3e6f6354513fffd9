"""A menu of service tiers: users of different taste for speed sort themselves over it (M7)."""

import numpy as np

from computemarket.model.core.arrays import Floats


def logit_menu_shares(
    price_usd: Floats, speed: Floats, taste_ln_mean: Floats, taste_ln_sd: Floats, speed_exponent: Floats,
    price_weight: Floats, points: Floats,
) -> Floats:  # fmt: skip
    """Return the share of users in each tier of a menu: second-degree price discrimination with self-selection.

    A user of type theta (lognormal) values a tier at theta (u_k/u_1)^beta and weighs the price in logarithms; each type
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
