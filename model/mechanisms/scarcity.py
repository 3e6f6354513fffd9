"""Who gets what is scarce: rationing that conserves to the last unit, and capacity split by the shortest side."""

import numpy as np

from computemarket.model.arrays import Floats


def ration(wanted: Floats, weight: Floats, supply: Floats, passes: int = 4) -> Floats:
    """Split supply over claims in proportion to claim times weight, nobody above his claim.

    Water-filling with a fixed number of passes; what the last pass leaves goes to open claims in proportion, so
    that the sum is min(supply, sum of claims) to rounding.

    Parameters
    ----------
    wanted, weight : (R, …, n) claims and priority weights, the last axis is split over
    supply : (R, …)
    """
    total = wanted.sum(axis=-1)
    left = np.minimum(supply, total)
    given = np.zeros_like(wanted)
    for _ in range(passes):
        open_claims = wanted - given
        pull = open_claims * weight
        scale = left / np.maximum(pull.sum(axis=-1), 1e-300)
        step = np.minimum(pull * scale[..., None], open_claims)
        given += step
        left = np.maximum(left - step.sum(axis=-1), 0.0)
    open_claims = wanted - given
    share = left / np.maximum(open_claims.sum(axis=-1), 1e-300)
    given += open_claims * np.minimum(share, 1.0)[..., None]
    return given


def logit_shares(utility: Floats, available: Floats) -> Floats:
    """Return logit shares along the last axis; `available` weighs options, 0 takes one out (McFadden 1974)."""
    best = np.max(np.where(available > 0, utility, -np.inf), axis=-1, keepdims=True)
    best = np.where(np.isfinite(best), best, 0.0)
    pull = np.exp(np.minimum(utility - best, 0.0)) * available
    return pull / np.maximum(pull.sum(axis=-1, keepdims=True), 1e-300)


def expansion(capacity: Floats, pressure: Floats, slow: Floats, fast: Floats) -> Floats:
    """Return the capacity started this quarter: slow growth when slack, rising to fast with unmet orders.

    pressure is unmet orders over capacity, at least 0; the response saturates: slow + (fast - slow) tanh(pressure).
    """
    return capacity * (slow + (fast - slow) * np.tanh(np.maximum(pressure, 0.0)))
