"""Licences: the chance of approval and the time from application to shipment."""

import numpy as np

from computemarket.model.core.arrays import Floats
from computemarket.model.mechanisms.broadcast import Parameter, per_run

QUARTER_DAYS = 365.25 / 4


def approval_probability(
    base: Parameter, tpp: Floats, frontier_tpp: Floats, lag_ratio: Parameter, steepness: Parameter
) -> Floats:
    """Return the chance that a licence is granted, falling as a product nears the frontier.

    base x 1 / (1 + (tpp / (lag_ratio x frontier))^steepness): half of `base` for a product at `lag_ratio` of
    the frontier. Steepness 0 with base doubled is a fixed probability; prefer `base` alone for that.

    Parameters
    ----------
    base : chance far behind the frontier, 0..1; a number or (R,)
    tpp : (R, P) or (P,) of the products
    frontier_tpp : (R,) best product on sale at home
    lag_ratio : share of the frontier's TPP regarded as too close
    steepness : how sharp the line is, at least 0
    """
    frontier = np.asarray(frontier_tpp, dtype=np.float64)[:, None]
    closeness = tpp / (per_run(lag_ratio, 2) * frontier)
    return per_run(base, 2) / (1.0 + closeness ** per_run(steepness, 2))


def review_delay_quarters(licence_days: Parameter, congress_days: Parameter = 0.0) -> Floats:
    """Return the quarters from application to shipment, Congress's review added."""
    return (np.asarray(licence_days, dtype=np.float64) + congress_days) / QUARTER_DAYS
