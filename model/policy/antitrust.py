"""Antitrust and financial supervision: cases with stages, remedies, and reviews in blocks of days (M26).

A case moves from none to inquiry, finding and remedy. Its start is a logistic hazard; stages last as in the
European cloud case (seven months to a finding, about twelve to a decision, six to comply). Draws come in.
"""

from dataclasses import dataclass

import numpy as np

from computemarket.model.core.arrays import Bools, Floats
from computemarket.model.mechanisms.broadcast import Parameter, per_run

NO_CASE, INQUIRY, FINDING, REMEDY = 0.0, 1.0, 2.0, 3.0
BLOCK_DAYS = 45.0  # of the review of a new futures contract; source: mechanisms M26
_QUARTER_DAYS = 365.25 / 4


@dataclass(frozen=True, slots=True)
class Conduct:
    """What an authority sees, (R,) or (R, V); shares 0..1."""

    market_share: Floats
    take_rate: Floats
    self_preferencing: Floats
    systemic: Floats  # share of the financial system's exposure
    complaints: Floats  # complaints a year from rivals and customers


@dataclass(frozen=True, slots=True)
class HazardWeights:
    """Log-odds of an inquiry in a quarter: a base and a weight for each kind of conduct."""

    base: Parameter
    market_share: Parameter  # per unit of share above one half
    take_rate: Parameter
    self_preferencing: Parameter
    systemic: Parameter
    complaints: Parameter


@dataclass(frozen=True, slots=True)
class StageTerms:
    """Mean quarters from stage to stage, and the chance that a stage ends without result."""

    to_finding: Parameter
    to_remedy: Parameter
    to_comply: Parameter
    dropped: Parameter


@dataclass(frozen=True, slots=True)
class Effects:
    """What a remedy does once complied with: multipliers and shares."""

    switching_cost: Parameter  # multiplier
    adoption: Parameter  # multiplier on the speed of adoption of the platform
    bundling_limit: Parameter  # share of bundling and self-preferencing that ends
    fine_share: Parameter  # of yearly turnover, once


def inquiry_hazard(conduct: Conduct, weights: HazardWeights) -> Floats:
    """Return the chance that an inquiry opens this quarter, logistic in conduct.

    Shapes as in `conduct`. Rises in each kind of conduct whose weight is positive.
    """
    ndim = conduct.market_share.ndim
    log_odds = (
        per_run(weights.base, ndim)
        + per_run(weights.market_share, ndim) * (conduct.market_share - 0.5)
        + per_run(weights.take_rate, ndim) * conduct.take_rate
        + per_run(weights.self_preferencing, ndim) * conduct.self_preferencing
        + per_run(weights.systemic, ndim) * conduct.systemic
        + per_run(weights.complaints, ndim) * conduct.complaints
    )
    return np.asarray(1.0 / (1.0 + np.exp(-log_odds)))


def advance_case(
    stage: Floats, in_stage: Floats, hazard: Floats, terms: StageTerms, uniform: Floats, drop_uniform: Floats
) -> tuple[Floats, Floats]:
    """Return (stage, quarters in it) after a quarter.

    Waiting is geometric with the stage's mean, at least a quarter; a stage that ends may end the case.
    A remedy stays.

    Parameters
    ----------
    stage, in_stage : (R, …) stage of the case and quarters spent in it
    hazard : (R, …) chance that a case opens
    terms : numbers or (R,)
    uniform, drop_uniform : (R, …) draws on 0..1
    """
    ndim = stage.ndim
    mean = np.where(stage == INQUIRY, per_run(terms.to_finding, ndim), per_run(terms.to_remedy, ndim))
    chance = np.where(stage == NO_CASE, hazard, 1.0 / np.maximum(mean, 1.0))
    moves = (uniform < chance) & (stage < REMEDY)
    dropped = moves & (stage > NO_CASE) & (drop_uniform < per_run(terms.dropped, ndim))
    after = np.where(dropped, NO_CASE, np.where(moves, stage + 1.0, stage))
    return after, np.where(moves, 0.0, in_stage + 1.0)


def complied(stage: Floats, in_stage: Floats, to_comply: Parameter) -> Floats:
    """Return (R, …) how far a remedy is in effect, 0..1, rising over the time to comply."""
    quarters = np.maximum(per_run(to_comply, stage.ndim), 1e-9)
    return np.where(stage >= REMEDY, np.clip(in_stage / quarters, 0.0, 1.0), 0.0)


@dataclass(frozen=True, slots=True)
class RemedyState:
    """Multipliers and shares in force, (R, …); all neutral without a remedy."""

    switching_cost: Floats
    adoption: Floats
    self_preferencing: Floats  # multiplier
    portability: Floats  # share of credits that can be moved


def remedy_state(in_effect: Floats, effects: Effects) -> RemedyState:
    """Return what a remedy does, in proportion to how far it is in effect.

    Parameters
    ----------
    in_effect : (R, …) from `complied`
    effects : at full effect
    """
    ndim = in_effect.ndim

    def towards(multiplier: Parameter) -> Floats:
        return 1.0 + in_effect * (per_run(multiplier, ndim) - 1.0)

    kept = 1.0 - in_effect * per_run(effects.bundling_limit, ndim)
    return RemedyState(towards(effects.switching_cost), towards(effects.adoption), kept, in_effect)


def fine_usd(stage: Floats, in_stage: Floats, turnover_usd: Floats, fine_share: Parameter) -> Floats:
    """Return (R, …) the fine due in the quarter in which a remedy is decided."""
    decided = (stage == REMEDY) & (in_stage == 0.0)
    return np.where(decided, per_run(fine_share, stage.ndim) * turnover_usd, 0.0)


def advance_futures(
    blocks_left: Floats, filed: Bools, approved: Bools, uniform: Floats, stay_probability: Parameter
) -> tuple[Floats, Bools]:
    """Return (blocks of review left, approved) of a futures contract after a quarter.

    A contract is reviewed in blocks of 45 days; the regulator may stay it for as many again, with a chance per
    quarter, once the blocks have run.

    Parameters
    ----------
    blocks_left : (R,) of those filed
    filed, approved : (R,)
    uniform : (R,) draws on 0..1
    stay_probability : chance that the end of review is put off by a quarter
    """
    left = np.where(filed & ~approved, np.maximum(blocks_left - _QUARTER_DAYS / BLOCK_DAYS, 0.0), blocks_left)
    passes = filed & ~approved & (left <= 0.0) & (uniform >= per_run(stay_probability, 1))
    return left, approved | passes


def deal_stopped(review_probability: Parameter, uniform: Floats) -> Bools:
    """Say which licence-and-hire deals (R, …) a review stops."""
    return uniform < per_run(review_probability, uniform.ndim)


def training_duties(
    training_flop: Floats, thresholds_flop: tuple[Parameter, ...], cost_share: Parameter
) -> Floats:
    """Return (R, …) the multiplier on training cost from duties above compute thresholds.

    Each threshold passed (European systemic risk, Californian frontier, …) adds `cost_share`.
    """
    ndim = training_flop.ndim
    passed = np.zeros_like(training_flop)
    for line in thresholds_flop:
        passed = passed + (training_flop >= per_run(line, ndim))
    return 1.0 + per_run(cost_share, ndim) * passed


def connection_wait_quarters(
    site_mw: Floats,
    wait_quarters: Floats,
    large_load_mw: Parameter,
    extra_quarters: Parameter,
    curtailable: Parameter,
    curtailable_gain: Parameter,
) -> Floats:
    """Return the wait for a grid connection: large loads queue longer, curtailable load is served sooner.

    Parameters
    ----------
    site_mw : (R, …) size of the site
    wait_quarters : (R, …) usual wait there
    large_load_mw : threshold of the large-load queue
    extra_quarters : its additional wait
    curtailable : share of the load that may be curtailed
    curtailable_gain : share of the wait saved by a wholly curtailable load
    """
    ndim = site_mw.ndim
    large = np.where(site_mw >= per_run(large_load_mw, ndim), per_run(extra_quarters, ndim), 0.0)
    return (wait_quarters + large) * (1.0 - per_run(curtailable, ndim) * per_run(curtailable_gain, ndim))
