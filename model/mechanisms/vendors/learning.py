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
