"""How a parameter that differs by run meets an array of quantities."""

from typing import TypeAlias

import numpy as np

from computemarket.model.core.arrays import Floats

Parameter: TypeAlias = float | Floats


def per_run(value: Parameter, ndim: int) -> Floats:
    """Return a parameter with enough trailing axes to meet an array of `ndim` axes.

    A number and an array that has `ndim` axes already come back as they are; an array (R, …) with fewer axes
    gets trailing axes of length one, so that its runs axis stays first.

    Parameters
    ----------
    value : a number, (R,) or (R, …)
    ndim : number of axes of the quantity it will be combined with
    """
    array = np.asarray(value, dtype=np.float64)
    missing = ndim - array.ndim
    if array.ndim == 0 or missing == 0:
        return array
    return array.reshape(array.shape + (1,) * missing)


def present_value_factor(rate: Parameter, periods: Parameter) -> Floats:
    """Return the present value of one dollar a period, (1 - (1+r)^-n) / r, which is n where r is zero.

    Parameters
    ----------
    rate : interest per period, a number or (R, …), above -1
    periods : number of periods, broadcasting with `rate`
    """
    rate, periods = np.broadcast_arrays(
        np.asarray(rate, dtype=np.float64), np.asarray(periods, dtype=np.float64)
    )
    growth = np.log1p(rate)
    level = np.abs(rate) < 1e-12  # below this, rounding of the quotient exceeds the effect of the rate
    return np.where(level, periods, -np.expm1(-growth * periods) / np.where(level, 1.0, rate))
