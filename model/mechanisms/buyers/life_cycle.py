"""Life cycle of the industry: shares that move from one use to another, and concentration (M30)."""

import numpy as np

from computemarket.model.core.arrays import Floats
from computemarket.model.mechanisms.broadcast import Parameter


def logistic_shift(
    quarters: Floats | float,
    start: Parameter,
    end: Parameter,
    midpoint_quarters: Parameter,
    span_quarters: Parameter,
) -> Floats:
    """Return a share that moves from `start` to `end` on a logistic; span is the time from 12% to 88% of the way.

    s = a + (b - a)/(1 + exp(-4 (t - m)/span)). Source: logistic substitution, Fisher and Pry 1971.

    Parameters
    ----------
    quarters : a number or (T,), from the base quarter; others : a number or (R,), then the result is (R,) or (R, T)
    """
    time = np.asarray(quarters, dtype=np.float64)
    values = (np.asarray(x, dtype=np.float64) for x in (start, end, midpoint_quarters, span_quarters))
    a, b, middle, span = (x[..., None] if time.ndim and x.ndim else x for x in values)
    way = 1 / (1 + np.exp(np.clip(-4.0 * (time - middle) / span, -500, 500)))
    return a + (b - a) * way


def herfindahl(amount: Floats) -> Floats:
    """Return the Herfindahl-Hirschman index of amounts along the last axis, 1/n..1; 0 where all is 0.

    Source: Hirschman 1945; Herfindahl 1950.
    """
    total = amount.sum(axis=-1)
    safe = np.where(total > 0, total, 1.0)
    share = amount / safe[..., None]
    share *= share
    concentration: Floats = share.sum(axis=-1)
    return concentration
