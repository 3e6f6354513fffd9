"""Discrete choice: logit and nested logit shares along the last axis, safe for any size of utility."""

from dataclasses import dataclass

import numpy as np

from computemarket.model.arrays import Bools, Floats, Ints
from computemarket.model.mechanisms.per_run import Parameter, per_run


def _pull(utility: Floats, available: Bools | None) -> tuple[Floats, Floats]:
    """Return exp(utility - best) of what is available and the best utility, -inf where there is none."""
    masked = utility if available is None else np.where(available, utility, -np.inf)
    best = masked.max(axis=-1, keepdims=True)
    pull = masked - np.where(np.isfinite(best), best, 0.0)  # exp(-inf) is 0 where nothing is available
    np.exp(pull, out=pull)
    return pull, best


def logit_shares(utility: Floats, available: Bools | None = None) -> Floats:
    """Return the choice probabilities of a logit, exp(V_j) / sum exp(V), without an outside good.

    Source: McFadden 1974, in Frontiers in Econometrics. Shares are 0 where nothing is available.

    Parameters
    ----------
    utility : (R, …, J)
    available : broadcasts to `utility`; what is not available has share 0
    """
    pull, _ = _pull(utility, available)
    total = pull.sum(axis=-1, keepdims=True)
    pull /= np.where(total > 0, total, 1.0)
    return pull


def inclusive_value(utility: Floats, available: Bools | None = None) -> Floats:
    """Return (R, …) ln sum exp(V_j), the expected utility of the best option; -inf where there is none.

    Source: Small and Rosen 1981, Econometrica 49.
    """
    pull, best = _pull(utility, available)
    total = pull.sum(axis=-1)
    value: Floats = np.log(np.where(total > 0, total, 1.0)) + best[..., 0]
    return value


@dataclass(frozen=True, slots=True)
class NestedChoice:
    """Shares of a nested logit.

    share : (R, …, J) of each option; nest_share : (R, …, N) of each nest; outside_share : (R, …), 0 without an
    outside good; inclusive_value : (R, …) expected utility of the choice, the outside good included
    """

    share: Floats
    nest_share: Floats
    outside_share: Floats
    inclusive_value: Floats


def nested_logit_shares(
    utility: Floats,
    nest_index: Ints,
    dissimilarity: Parameter,
    available: Bools | None = None,
    outside_utility: Parameter | None = None,
) -> NestedChoice:
    """Split by a nested logit: P(j) = P(j | n) P(n).

    P(j | n) is proportional to exp(V_j / lambda_n), P(n) to exp(lambda_n I_n) with I_n = ln sum exp(V_j / lambda_n).
    Options of a nest are closer substitutes the smaller lambda; lambda = 1 is the plain logit.
    Source: McFadden 1978, Modelling the choice of residential location; Train 2009, ch. 4.

    Parameters
    ----------
    utility : (R, …, J)
    nest_index : (J,) nest of each option, 0..N-1, each nest with an option at least
    dissimilarity : lambda in (0, 1]; a number, (R,), or one for each nest in the last axis (R, …, N)
    available : broadcasts to `utility`
    outside_utility : utility of buying nothing; without it everybody buys
    """
    nests = int(nest_index.max()) + 1
    lead = utility.shape[:-1]
    spread = np.broadcast_to(per_run(dissimilarity, utility.ndim), (*lead, nests))
    share = np.zeros(utility.shape)
    inclusive = np.empty((*lead, nests))
    for n in range(nests):
        inside = np.flatnonzero(nest_index == n)
        scale = spread[..., n : n + 1]
        given = None
        if available is not None:
            given = np.take(np.broadcast_to(available, utility.shape), inside, axis=-1)
        pull, best = _pull(np.take(utility, inside, axis=-1) / scale, given)
        total = pull.sum(axis=-1, keepdims=True)
        total[total == 0] = 1.0  # an empty nest: its best is -inf, so its share is 0
        pull /= total
        share[..., inside] = pull
        inclusive[..., n] = (scale * (np.log(total) + best))[..., 0]
    return _with_nests(share, inclusive, nest_index, outside_utility)


def _with_nests(
    share: Floats, inclusive: Floats, nest_index: Ints, outside_utility: Parameter | None
) -> NestedChoice:
    """Multiply the shares within nests by the shares of nests."""
    lead = share.shape[:-1]
    if outside_utility is None:
        nest_share, outside = logit_shares(inclusive), np.zeros(lead)
        value = inclusive_value(inclusive)
    else:
        nothing = np.broadcast_to(per_run(outside_utility, len(lead)), lead)[..., None]
        upper = np.concatenate([inclusive, nothing], axis=-1)
        all_shares = logit_shares(upper)
        nest_share, outside = np.ascontiguousarray(all_shares[..., :-1]), all_shares[..., -1].copy()
        value = inclusive_value(upper)
    share *= np.take(nest_share, nest_index, axis=-1)
    return NestedChoice(share, nest_share, outside, value)


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
