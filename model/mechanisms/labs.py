"""How model laboratories source compute (M24).

Sources: Burke, Carrillo and Vakharia, European Journal of Operational Research 182 (2007) on single against
multiple sourcing; Markowitz, Journal of Finance 7 (1952) for the quadratic form.
"""

import numpy as np

from computemarket.model.arrays import Bools, Floats
from computemarket.model.mechanisms.per_run import Parameter, per_run

_HALVINGS = 50


def sourcing_shares(cost: Floats, tie: Floats, cap: Floats, concentration_weight: Parameter) -> Floats:
    """Return each laboratory's split over sources, the cheapest under a penalty on concentration.

    min over s of sum_j s_j (c_j / mean c - tie_j) + k/2 sum_j s_j^2, sum s = 1, 0 <= s <= cap. With
    multiplier m the solution is s_j = clip((m - c_j + tie_j) / k, 0, cap_j); m by bisection with a fixed
    number of steps. Where the caps add up to less than one, all are used and the rest is unmet.

    Parameters
    ----------
    cost : (R, L, S) cost per unit of work by source, positive
    tie : (R, L, S) advantage of a source that finances the laboratory, share of mean cost
    cap : (R, L, S) largest share a source can supply, 0..1; zero closes it
    concentration_weight : k, positive; the penalty is k/2 times the Herfindahl index
    """
    open_source = cap > 0
    count = np.maximum(open_source.sum(axis=-1, keepdims=True), 1)
    mean = np.where(open_source, cost, 0.0).sum(axis=-1, keepdims=True) / count
    price = np.where(open_source, cost / np.where(mean > 0, mean, 1.0) - tie, 0.0)
    weight = per_run(concentration_weight, 3)
    low = price.min(axis=-1, keepdims=True)
    high = price.max(axis=-1, keepdims=True) + weight
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        used = np.clip((middle - price) / weight, 0.0, cap).sum(axis=-1, keepdims=True)
        low, high = np.where(used < 1, middle, low), np.where(used < 1, high, middle)
    return np.clip((high - price) / weight, 0.0, cap)


def concentration(shares: Floats) -> Floats:
    """Return the Herfindahl index of shares along the last axis, 1/n to 1 (0 without shares)."""
    total = shares.sum(axis=-1, keepdims=True)
    scaled = shares / np.where(total > 0, total, 1.0)
    return (scaled**2).sum(axis=-1)


def finance_tie(invested_usd: Floats, yearly_compute_usd: Floats, strength: Parameter) -> Floats:
    """Return the advantage of sources that have invested in a laboratory, strength x tanh(invested / compute).

    Bounded, because money does not make a source better without limit. Shapes: `invested_usd` (R, L, S),
    `yearly_compute_usd` (R, L).
    """
    depth = invested_usd / np.maximum(yearly_compute_usd, 1.0)[:, :, None]
    return per_run(strength, 3) * np.tanh(depth)


def share_off_incumbent(shares: Floats, incumbent: Bools) -> Floats:
    """Return the share of a laboratory's compute that is not the incumbent vendor's; (R, L).

    Shapes: `shares` (R, L, S), `incumbent` (S,) sources that run on the incumbent's chips.
    """
    total = shares.sum(axis=-1)
    inside = (shares * incumbent).sum(axis=-1)
    return np.where(total > 0, 1 - inside / np.where(total > 0, total, 1.0), 0.0)


def training_budget_usd(
    funding_usd: Floats, revenue_usd: Floats, funding_share: Parameter, revenue_share: Parameter
) -> Floats:
    """Return the training budget, a share of funding raised plus a share of revenue; (R, L), USD a quarter."""
    return per_run(funding_share, 2) * funding_usd + per_run(revenue_share, 2) * revenue_usd


def split_compute(
    compute: Floats, inference_per_training: Parameter, inference_need: Floats
) -> tuple[Floats, Floats]:
    """Return (training, inference) compute: the plan 1 : k, and paid inference served first.

    inference = max(plan k / (1 + k) of compute, min(need, compute)); training takes the rest, so a surge of
    paid use crowds training out. Shapes (R, L).
    """
    ratio = per_run(inference_per_training, compute.ndim)
    inference = np.maximum(compute * ratio / (1 + ratio), np.minimum(inference_need, compute))
    return compute - inference, inference


def realised_commitment(headline_usd: Floats, realisation: Parameter, payable_usd: Floats) -> Floats:
    """Return what laboratories take up of the headline value of their deals this quarter.

    headline x realisation, scaled down where the sum exceeds what a laboratory can pay.

    Parameters
    ----------
    headline_usd : (R, L, D) headline due this quarter by deal
    realisation : share that is ever realised, a number, (R,) or (R, L, D)
    payable_usd : (R, L) money for compute this quarter
    """
    due = headline_usd * per_run(realisation, 3)
    total = due.sum(axis=-1)
    scale = np.minimum(1.0, payable_usd / np.where(total > 0, total, 1.0))
    return due * np.maximum(scale, 0.0)[:, :, None]


def rationed_compute(
    wanted: Floats,
    domestic: Floats,
    offshore_quota: Floats,
    offshore_premium: Floats,
    premium_tolerated: Parameter,
) -> tuple[Floats, Floats, Floats]:
    """Return (domestic use, offshore rental, unmet) of laboratories under export control.

    Domestic machines first; the rest is rented offshore up to the quota, less as the premium for it
    approaches what the laboratory tolerates.

    Parameters
    ----------
    wanted, domestic, offshore_quota : (R, L) compute, same unit
    offshore_premium : (R, L) price above the free-market rental, share
    premium_tolerated : premium at which nothing is rented
    """
    at_home = np.minimum(wanted, domestic)
    willing = np.clip(1 - offshore_premium / per_run(premium_tolerated, wanted.ndim), 0.0, 1.0)
    abroad = np.minimum((wanted - at_home) * willing, offshore_quota)
    return at_home, abroad, wanted - at_home - abroad


def releases_openly(
    unmet_share: Floats, quality_gap: Floats, uniform: Floats, hazard: Parameter, unmet_weight: Parameter
) -> Bools:
    """Return which laboratories release their model's weights this quarter.

    uniform < 1 - exp(-hazard exp(w unmet - gap)): a laboratory that cannot serve its own demand, and whose
    model is close to the frontier, gains more from others running it than from a closed service. Shapes (R,
    L).

    Parameters
    ----------
    unmet_share : share of wanted compute not obtained
    quality_gap : distance to the frontier, quarters
    """
    rate = per_run(hazard, 2) * np.exp(per_run(unmet_weight, 2) * unmet_share - quality_gap)
    return uniform < -np.expm1(-rate)
