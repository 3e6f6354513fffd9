"""The error that the record states of its own estimates, and what it does to a band of simulated values."""

import re

import numpy as np

from computemarket.model.core.arrays import Floats

Z_90 = 1.6449  # half-width of a central 90% interval, in standard deviations
NO_ERROR = (0.0, 0.0)
_POINTS = 15  # equally likely errors that stand for their distribution
_NUMBER = r"(\d+(?:\.\d+)?)"
_FACTOR = re.compile(rf"90%[^;]*?x/÷{_NUMBER}")
_MULTIPLES = re.compile(rf"90%[^;]*?{_NUMBER}x-{_NUMBER}x")
_INTERVAL = re.compile(rf"(?:90%|\brange)(?: range| interval)? {_NUMBER}-{_NUMBER}(?![\dx.])")


def stated_error(value: float, note: str) -> tuple[float, float]:
    """Return the standard deviations of ln truth below and above a recorded estimate, as far as its note states them.

    Read are a 90% interval as a factor (x/÷1.3), as multiples (0.45x-2.3x) or as two numbers in the unit of the value,
    and a stated range, which counts as a 90% interval. An interval that does not hold the value is none of its own.
    """
    if value <= 0:
        return NO_ERROR
    if found := _FACTOR.search(note):
        spread = np.log(float(found[1])) / Z_90
        return float(spread), float(spread)
    if found := _MULTIPLES.search(note):
        low, high = value * float(found[1]), value * float(found[2])
    elif found := _INTERVAL.search(note):
        low, high = float(found[1]), float(found[2])
    else:
        return NO_ERROR
    if not 0 < low <= value <= high:
        return NO_ERROR
    return float(np.log(value / low) / Z_90), float(np.log(high / value) / Z_90)


def as_recorded(simulated: Floats, below: Floats, above: Floats) -> Floats:
    """Return what a recorder with these errors would write down of simulated truths, (R, K) to (R * points, K).

    Where the truth lies above its estimate the estimate lies below the truth, so the sides change places. The errors
    are quantiles of a two-piece lognormal distribution, the same for every run.

    Parameters
    ----------
    simulated : (R, K) positive
    below, above : (K,) standard deviations of ln truth on both sides of the estimate
    """
    from statistics import NormalDist

    steps = np.array([NormalDist().inv_cdf((place + 0.5) / _POINTS) for place in range(_POINTS)])
    spread = np.where(steps[:, None] > 0, above, below)  # (N, K)
    factors = np.exp(-steps[:, None] * spread)
    return (simulated[:, None, :] * factors).reshape(-1, simulated.shape[1])
