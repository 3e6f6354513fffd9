"""Learning: cost with output, software with age, and what is left of vendors' claims (M11)."""

import numpy as np

from computemarket.model.arrays import Floats
from computemarket.model.mechanisms.per_run import Parameter, per_run


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


def mature_software(
    maturity: Floats, gap_rate: Parameter, spillover: Parameter = 0.0, open_maturity: Floats | float = 0.0
) -> Floats:
    """Return software maturity a quarter later: m + r (1 - m), plus what shared open engines lift a laggard by.

    r of the gap to full maturity closes each quarter; an open engine that is ahead pulls all vendors up by
    s (m_open - m). The early part of a logistic is left out: a generation starts with the ports of its predecessor.
    Source: logistic diffusion near its ceiling, Griliches 1957; spillovers, Cohen and Levinthal 1989.

    Parameters
    ----------
    maturity : (R, …) by generation or vendor, 0..1
    gap_rate, spillover : per quarter, a number or (R, …); open_maturity : broadcasts to `maturity`
    """
    ndim = maturity.ndim
    pull = per_run(spillover, ndim) * np.maximum(open_maturity - maturity, 0.0)
    return np.minimum(maturity + per_run(gap_rate, ndim) * (1 - maturity) + pull, 1.0)


def software_gain(maturity: Floats, full_gain: Parameter) -> Floats:
    """Return the throughput multiple of a generation over its launch, G^m: 1 at launch, G when mature."""
    return np.exp(maturity * np.log(per_run(full_gain, maturity.ndim)))


def logistic_maturity(age_quarters: Floats, start: Parameter, rate: Parameter) -> Floats:
    """Return maturity by age on a logistic, 1/(1 + (1/m0 - 1) e^(-r t)): slow start, then fast, then flat.

    Source: Verhulst 1838; Griliches 1957. Negative ages (before launch) count as 0.

    Parameters
    ----------
    age_quarters : (R, …); start : m0 in (0, 1); rate : per quarter; a number or (R, …)
    """
    ndim = age_quarters.ndim
    odds = 1 / per_run(start, ndim) - 1
    return 1 / (1 + odds * np.exp(-per_run(rate, ndim) * np.maximum(age_quarters, 0.0)))


def realised_gain(claimed_gain: Floats, realised_share: Parameter) -> Floats:
    """Return the gain that users see of a claimed multiple, 1 + r (claim - 1)."""
    return 1 + per_run(realised_share, claimed_gain.ndim) * (claimed_gain - 1)


def learned_share(believed: Floats, claimed_gain: Floats, measured_gain: Floats, weight: Parameter) -> Floats:
    """Return what share of claims buyers believe after a measurement: believed + w (measured share - believed).

    A claim of no gain teaches nothing. Source: adaptive expectations, Cagan 1956; signalling by claims, Nelson 1974.

    Parameters
    ----------
    believed, claimed_gain, measured_gain : (R, …); gains are multiples
    weight : a number or (R, …), 0..1
    """
    claim = claimed_gain - 1
    seen = np.where(claim > 0, (measured_gain - 1) / np.where(claim > 0, claim, 1.0), believed)
    return believed + per_run(weight, believed.ndim) * (seen - believed)


def frontier_trend(base: Floats, growth_per_year: Parameter, years: Floats | float) -> Floats:
    """Return a frontier quantity that grows at a constant rate, x (1 + g)^t (Moore 1965; Epoch AI's trends)."""
    return base * np.exp(np.log1p(per_run(growth_per_year, base.ndim)) * years)
