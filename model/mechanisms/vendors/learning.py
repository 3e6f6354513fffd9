"""Learning: unit cost falls with cumulative output (M11)."""

import numpy as np

from computemarket.model.core.arrays import Floats
from computemarket.model.mechanisms.broadcast import Parameter, per_run


def wright_cost(cost_usd: Floats, cumulative: Floats, first: Parameter, learning_rate: Parameter) -> Floats:
    """Return unit cost after cumulative output, c0 (Q/Q0)^-b with b = -log2(1 - learning rate); c0 up to Q0.

    Source: Wright 1936, Journal of the Aeronautical Sciences 3; Nagy et al. 2013, PLoS ONE 8.

    Parameters
    ----------
    cost_usd : broadcasts to `cumulative`; cumulative : (R, …) units
    first, learning_rate : a number or (R, …); cost falls by the learning rate with each doubling, 0..1
    """
    ndim = cumulative.ndim
    doublings = np.log2(np.maximum(cumulative / per_run(first, ndim), 1.0))
    doublings *= np.log1p(-per_run(learning_rate, ndim))
    return cost_usd * np.exp(doublings, out=doublings)


def gap_left(before: Floats, after: Floats, learning: Parameter, open_rate: Parameter) -> Floats:
    """Return what is left of a software gap after a quarter, exp(-e) (after / before)^-b.

    What is open to all closes it at a rate e; what a vendor spends itself, and learns from those who use its chips,
    closes it with experience (Arrow 1962, Review of Economic Studies 29).

    Parameters
    ----------
    before, after : (R, V) cumulative spending on software, above 0
    learning : b, gap elasticity of experience; open_rate : e, per quarter
    """
    ndim = before.ndim
    return np.exp(-per_run(open_rate, ndim) - per_run(learning, ndim) * np.log(after / before))
