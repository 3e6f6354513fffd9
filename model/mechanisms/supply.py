"""Inputs and power: capacity with lags, the binding input, packaging by priority, yields, sites (M10, M27)."""

import numpy as np

from computemarket.model.arrays import Floats
from computemarket.model.mechanisms.per_run import Parameter, per_run


def advance_pipeline(pipeline: Floats, started: Floats, lag_quarters: Parameter) -> tuple[Floats, Floats]:
    """Return what arrives now and the pipeline after it, with new starts put in `lag_quarters` from now.

    A lag between two quarters is split between them; a lag beyond the pipeline enters its last slot. Nothing is lost.

    Parameters
    ----------
    pipeline : (R, …, L) arrivals by quarters left; slot 0 arrives now
    started : (R, …) begun this quarter; lag_quarters : a number or (R, …), at least 1
    """
    slots = pipeline.shape[-1]
    arrived = pipeline[..., 0].copy()
    later = np.empty(pipeline.shape)
    later[..., :-1] = pipeline[..., 1:]
    later[..., -1] = 0.0
    place = np.clip(per_run(lag_quarters, started.ndim) - 1, 0, slots - 1)[..., None]
    near = np.maximum(
        1 - np.abs(place - np.arange(slots)), 0.0
    )  # weights of the two neighbouring slots, sum 1
    later += started[..., None] * near
    return arrived, later


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
