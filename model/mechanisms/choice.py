"""Discrete choice: logit shares along the last axis, safe for any size of utility (McFadden 1974)."""

import numpy as np

from computemarket.model.core.arrays import Bools, Floats


def weighted_logit_shares(utility: Floats, weight: Floats | Bools) -> Floats:
    """Return logit shares along the last axis of options that are open for part of the time.

    P_j = w_j exp(V_j) / sum w exp(V), w the share of the period in which the option is open; 0 takes it out, shares
    are 0 where nothing is open. Source: McFadden 1974, with choice sets drawn in proportion to time.

    Parameters
    ----------
    utility, weight : (R, …, J), broadcasting; weights 0..1
    """
    best = np.max(np.where(weight > 0, utility, -np.inf), axis=-1, keepdims=True)
    best = np.where(np.isfinite(best), best, 0.0)
    pull = utility - best
    np.minimum(pull, 0.0, out=pull)
    np.exp(pull, out=pull)
    pull = pull * weight
    pull /= np.maximum(pull.sum(axis=-1, keepdims=True), 1e-300)
    return pull
