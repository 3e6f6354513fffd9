"""Supply: capacity that arrives after a lag, expansion under pressure, yields, moves between foundries (M10, M27)."""

import numpy as np

from computemarket.model.core.arrays import Floats, Ints
from computemarket.model.mechanisms.broadcast import Parameter, per_run


def next_quarter(pipeline: Floats) -> tuple[Floats, Floats]:
    """Return what arrives this quarter and the pipeline that is left, each arrival a quarter nearer.

    Parameters
    ----------
    pipeline : (R, …, L) arrivals by quarters to go; place 0 arrives now
    """
    left = np.zeros_like(pipeline)
    left[..., :-1] = pipeline[..., 1:]
    return pipeline[..., 0].copy(), left


def put_in(pipeline: Floats, started: Floats, lag_quarters: Ints) -> None:
    """Add to a pipeline, in place, what was started this quarter; nothing that is started is lost.

    Parameters
    ----------
    pipeline : (R, …, L) arrivals by quarters to go, after `next_quarter`
    started : (R, …) begun this quarter
    lag_quarters : (R,) whole quarters from start to arrival, at least 1; beyond the pipeline: its last place
    """
    due = np.minimum(lag_quarters, pipeline.shape[-1]) - 1
    np.moveaxis(pipeline, -1, 1)[np.arange(len(due)), due] += started


def learned_yield(start: Parameter, ceiling: Parameter, cumulative: Floats, scale: Parameter) -> Floats:
    """Return the yield after cumulative wafers, y_max - (y_max - y0) exp(-Q/Q0): defects are found by making.

    Source: learning by doing, Arrow 1962; yield learning curves, Stapper 1989; Leachman and Hodges 1996.

    Parameters
    ----------
    cumulative : (R, …) wafers; start, ceiling, scale : a number or (R, …)
    """
    top = per_run(ceiling, cumulative.ndim)
    gap = top - per_run(start, cumulative.ndim)
    return top - gap * np.exp(-cumulative / per_run(scale, cumulative.ndim))


def moves_foundry(
    saving_usd_per_quarter: Floats, annuity_quarters: Parameter, switch_usd: Parameter
) -> Floats:
    """Return the net present value of moving a design to another foundry; move where it is positive.

    Source: sourcing as a switching option at zero volatility, Kogut and Kulatilaka 1994.
    """
    ndim = saving_usd_per_quarter.ndim
    return saving_usd_per_quarter * per_run(annuity_quarters, ndim) - per_run(switch_usd, ndim)


def expansion_started(capacity: Floats, pressure: Floats, slow: Floats, fast: Floats) -> Floats:
    """Return the capacity started this quarter: slow growth when slack, rising to fast with unmet orders.

    pressure is unmet orders over capacity, at least 0; the response saturates: slow + (fast - slow) tanh(pressure).
    """
    return capacity * (slow + (fast - slow) * np.tanh(np.maximum(pressure, 0.0)))
