"""A menu of service tiers: self-selection of users, the ladder of prices, and power split by its shadow price (M7).

Users of type theta pay for speed and quality: a tier is worth theta v to them. Because values are linear in theta,
who takes which tier follows from the thresholds between pairs of tiers and the lognormal distribution, exactly; no
grid of types is needed, and shares move smoothly in prices. Tiers stand in the last axis in rising order of value.
"""

from dataclasses import dataclass

import numpy as np

from computemarket.model.arrays import Floats
from computemarket.model.mechanisms.per_run import Parameter, per_run
from computemarket.model.mechanisms.pricing import lerner_price, own_price_elasticity

BISECTIONS = 40  # for the shadow price: 1e-12 of its transform
TYPE_BISECTIONS = 40  # for the marginal type, in standard deviations of ln theta
WIDEST_Z = 8.0  # types beyond eight standard deviations do not exist


def tier_value(
    speed: Floats, reference_speed: float, exponent: Parameter, quality: Floats | float = 1.0
) -> Floats:
    """Return v = q (u / u_ref)^beta, what a tier is worth to a user of type 1; (R, …, K).

    Source: quality in Mussa and Rosen 1978, with speed as quality; beta from market_facts derived_price_speed_exponent.

    Parameters
    ----------
    speed : (R, …, K) or (K,) tokens/s and user
    exponent : a number or (R,)
    quality : of the model behind a tier, broadcasting to `speed`
    """
    ratio = np.log(speed / reference_speed)
    steepness = np.asarray(exponent, dtype=np.float64)
    value: Floats = quality * np.exp(steepness[..., None] * ratio)
    return value


def menu_shares(
    payment_usd: Floats,
    value_usd: Floats,
    taste_ln_mean: Parameter,
    taste_ln_sd: Parameter,
    may_leave: bool = True,
) -> Floats:
    """Return the share of users that choose each tier, (R, …, K).

    Type theta takes the tier with the highest theta v_k - p_k, or leaves at 0. Tier k is best for theta between
    max over lower j of (p_k - p_j)/(v_k - v_j) and min over higher j of the same; what is left of 1 leaves.
    Where demand already answers prices by an elasticity of volume, pass may_leave=False: the choice then only splits.
    Source: Mussa and Rosen 1978, Journal of Economic Theory 18; Maskin and Riley 1984.

    Parameters
    ----------
    payment_usd : (R, …, K) what a user of a tier pays (price times tokens); inf closes a tier
    value_usd : (R, …, K) or (K,), rising, above 0: what the tier is worth to a user of type 1
    taste_ln_mean, taste_ln_sd : of ln theta; a number or (R, …)
    """
    payment, value = np.broadcast_arrays(payment_usd, value_usd)
    lower, upper = _thresholds(payment, value, may_leave)
    return _mass_between(lower, upper, taste_ln_mean, taste_ln_sd)


def _thresholds(payment: Floats, value: Floats, may_leave: bool) -> tuple[Floats, Floats]:
    """Return (R, …, K) lowest and highest type that prefers each tier to all others."""
    tiers = payment.shape[-1]
    closed = ~np.isfinite(payment)
    asked = np.where(closed, 0.0, payment)
    lower = asked / value if may_leave else np.zeros(payment.shape)
    upper = np.full(payment.shape, np.inf)
    for high in range(1, tiers):
        for low in range(high):
            meet = (asked[..., high] - asked[..., low]) / (value[..., high] - value[..., low])
            either = closed[..., high] | closed[..., low]
            np.maximum(lower[..., high], np.where(either, -np.inf, meet), out=lower[..., high])
            np.minimum(upper[..., low], np.where(either, np.inf, meet), out=upper[..., low])
    upper[closed] = 0.0
    return lower, upper


def _mass_between(lower: Floats, upper: Floats, ln_mean: Parameter, ln_sd: Parameter) -> Floats:
    """Return the probability that lower < theta < upper for a lognormal theta."""
    from scipy.special import ndtr

    mean, sd = per_run(ln_mean, lower.ndim), per_run(ln_sd, lower.ndim)
    bounds = []
    for bound in (lower, upper):
        z = np.full(bound.shape, -np.inf)
        np.log(bound, out=z, where=bound > 0)
        bounds.append(ndtr((z - mean) / sd))
    return np.maximum(bounds[1] - bounds[0], 0.0)


def monopoly_payments(
    cost_usd: Floats, value_usd: Floats, taste_ln_mean: Parameter, taste_ln_sd: Parameter
) -> Floats:
    """Return the ladder of payments that a single seller would ask, (R, …, K): second-degree price discrimination.

    Each step up the ladder is sold to types above theta with theta - (1 - F)/f = (step of cost)/(step of value), and
    p_k is the sum of theta times step of value. Steps use the lower convex hull of cost over value, which irons tiers
    that are not worth offering (nobody takes them). Source: Mussa and Rosen 1978; Maskin and Riley 1984.

    Parameters
    ----------
    cost_usd : (R, …, K) cost of serving a user in a tier, at least 0
    value_usd : (R, …, K) or (K,), rising, above 0
    """
    cost, value = np.broadcast_arrays(cost_usd, value_usd)
    value_step = np.diff(value, axis=-1, prepend=0.0)
    hull = _lower_hull(cost, value)
    slope = np.diff(hull, axis=-1, prepend=0.0) / value_step
    marginal = _marginal_type(slope, taste_ln_mean, taste_ln_sd)
    return np.cumsum(marginal * value_step, axis=-1)


def _lower_hull(cost: Floats, value: Floats) -> Floats:
    """Return the lower convex hull of (value, cost) with the origin, at each tier's value."""
    zero = np.zeros((*cost.shape[:-1], 1))
    y, x = np.concatenate([zero, cost], axis=-1), np.concatenate([zero, value], axis=-1)
    hull = cost.copy()
    tiers = cost.shape[-1]
    for k in range(1, tiers):  # the last tier is on the hull
        for i in range(k):
            for j in range(k + 1, tiers + 1):
                weight = (x[..., k] - x[..., i]) / (x[..., j] - x[..., i])
                np.minimum(
                    hull[..., k - 1], y[..., i] + weight * (y[..., j] - y[..., i]), out=hull[..., k - 1]
                )
    return hull


def _marginal_type(cost_slope: Floats, ln_mean: Parameter, ln_sd: Parameter) -> Floats:
    """Return theta with theta (1 - sd Mills(z)) = cost slope, z = (ln theta - mean)/sd, by bisection in z.

    The inverse hazard of a lognormal over theta, sd (1 - Phi)/phi, falls in z, so the solution is unique.
    """
    from scipy.special import erfcx

    mean, sd = per_run(ln_mean, cost_slope.ndim), per_run(ln_sd, cost_slope.ndim)
    low, high = np.full(cost_slope.shape, -WIDEST_Z), np.full(cost_slope.shape, WIDEST_Z)
    for _ in range(TYPE_BISECTIONS):
        z = 0.5 * (low + high)
        mills = np.sqrt(np.pi / 2) * erfcx(z / np.sqrt(2.0))
        too_low = np.exp(mean + sd * z) * (1 - sd * mills) < cost_slope
        low, high = np.where(too_low, z, low), np.where(too_low, high, z)
    return np.exp(mean + sd * high)


def eroded_ladder(
    monopoly_usd: Floats, cost_usd: Floats, share: Floats, alpha: Parameter, eta: Parameter
) -> Floats:
    """Return the best response of an operator in each tier when others sell it too, (R, …, K).

    The Lerner price at the operator's share of the tier, at most the ladder a single seller would ask: alone it
    asks the monopoly ladder; as rivals come it erodes to cost times alpha/(alpha - 1).
    Source: Stole 2007, Handbook of Industrial Organization 3 (price discrimination and competition).

    Parameters
    ----------
    monopoly_usd, cost_usd : (R, …, K)
    share : (R, …, K) of the operator in each tier
    alpha, eta : a number or (R, …); sensitivity of users to an operator's price, elasticity of the tier as a whole
    """
    return lerner_price(cost_usd, own_price_elasticity(alpha, share, eta), monopoly_usd)


@dataclass(frozen=True, slots=True)
class TierClearing:
    """A menu served within a power budget; all arrays (R, …, K) but the shadow price (R, …).

    shadow_usd_per_mwh : what one more MWh would earn; price_usd_per_mtok : ladder plus scarcity; share : of users;
    volume_mtok_per_h : served; power_mw : used by tier
    """

    shadow_usd_per_mwh: Floats
    price_usd_per_mtok: Floats
    share: Floats
    volume_mtok_per_h: Floats
    power_mw: Floats


@dataclass(frozen=True, slots=True)
class TierDemand:
    """Users of a menu of tiers.

    mtok_per_h : (R, …) million tokens wanted per hour at the ladder's prices; tokens_per_user : (K,) or (R, …, K)
    tokens that a user of the tier consumes, relative; value_usd : (R, …, K) or (K,) worth of a tier to type 1;
    taste_ln_mean, taste_ln_sd : a number or (R, …); elasticity : of volume to the price index, a number or (R, …)
    """

    mtok_per_h: Floats
    tokens_per_user: Floats
    value_usd: Floats
    taste_ln_mean: Parameter
    taste_ln_sd: Parameter
    elasticity: Parameter

    def shares(self, price_usd: Floats) -> Floats:
        """Return the (R, …, K) shares of users at prices per million tokens; an infinite price closes a tier."""
        payment = price_usd * self.tokens_per_user
        return menu_shares(payment, self.value_usd, self.taste_ln_mean, self.taste_ln_sd, may_leave=False)

    def mtok_per_h_at(
        self, price_usd: Floats, share: Floats, ladder_usd: Floats, base_share: Floats
    ) -> Floats:
        """Return (R, …, K) volumes; the total answers the price index at the ladder's shares."""
        base = base_share * self.tokens_per_user
        sold = base > 0
        spent = (base * np.where(sold, price_usd, 0.0)).sum(axis=-1)
        at_ladder = (base * np.where(sold, ladder_usd, 0.0)).sum(axis=-1)
        index = np.where(at_ladder > 0, spent / np.where(at_ladder > 0, at_ladder, 1.0), 1.0)
        users = self.mtok_per_h / base.sum(axis=-1) * index ** -per_run(self.elasticity, index.ndim)
        return users[..., None] * share * self.tokens_per_user


def clear_power(
    demand: TierDemand, ladder_usd: Floats, mtok_per_mwh: Floats, power_mw: Floats
) -> TierClearing:
    """Serve a menu within a power budget: sum of T_k / X_k <= MW, the shadow price of power added to the ladder.

    p_k = ladder_k + lambda / X_k; lambda is 0 where power suffices and else clears, by bisection of
    lambda/(lambda + scale) in a fixed number of steps. A free tier (ladder price 0) carries the scarcity charge too, as
    limits or waiting. Source: peak-load pricing, Boiteux 1949; Crew, Fernando and Kleindorfer 1995.

    Parameters
    ----------
    ladder_usd : (R, …, K) posted prices, USD per million tokens; inf closes a tier, one at least is open
    mtok_per_mwh : (R, …, K) X, million tokens per MWh served at the tier's speed, above 0 where open
    power_mw : (R, …) power at hand, at least 0
    """
    rate = np.where(np.isfinite(ladder_usd), mtok_per_mwh, 1.0)
    base_share = demand.shares(ladder_usd)
    scale = np.where(np.isfinite(ladder_usd), ladder_usd * rate, 0.0).max(axis=-1) + 1.0

    def serve(shadow: Floats) -> tuple[Floats, Floats, Floats]:
        price = ladder_usd + shadow[..., None] / rate
        share = demand.shares(price)
        return price, share, demand.mtok_per_h_at(price, share, ladder_usd, base_share)

    slack = (serve(np.zeros(power_mw.shape))[2] / rate).sum(axis=-1) <= power_mw
    low, high = np.zeros(power_mw.shape), np.ones(power_mw.shape)
    for _ in range(BISECTIONS):
        middle = 0.5 * (low + high)
        short = (serve(scale * middle / (1 - middle))[2] / rate).sum(axis=-1) > power_mw
        low, high = np.where(short, middle, low), np.where(short, high, middle)
    shadow = np.where(slack, 0.0, scale * low / (1 - low))
    price, share, volume = serve(shadow)
    used = volume / rate
    total = used.sum(axis=-1)
    fit = np.where(total > power_mw, power_mw / np.where(total > 0, total, 1.0), 1.0)[..., None]
    return TierClearing(shadow, price, share, volume * fit, used * fit)


def convert_free_users(
    free_users: Floats, paying_users: Floats, conversion: Parameter
) -> tuple[Floats, Floats]:
    """Move a share of free users to paying ones each quarter; what the free tier earns. Users are conserved.

    Source: freemium conversion, Kumar 2014, Harvard Business Review; rate in the parameters.
    """
    moved = per_run(conversion, free_users.ndim) * free_users
    return free_users - moved, paying_users + moved


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
