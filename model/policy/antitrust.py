"""Antitrust: cases with stages, remedies and fines (M26).

A case moves from none to inquiry, finding and remedy. Its start is a logistic hazard; stages last as in the
European cloud case (seven months to a finding, about twelve to a decision, six to comply). Draws come in.
"""

from dataclasses import dataclass

import numpy as np

from computemarket.model.core.arrays import Floats
from computemarket.model.mechanisms.broadcast import Parameter, per_run

NO_CASE, INQUIRY, FINDING, REMEDY = 0.0, 1.0, 2.0, 3.0


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
