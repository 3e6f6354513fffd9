"""How regimes compose: the status of products on a day for a destination.

Regimes in force act one after the other in order of the day they took force. Each maps the status that the
earlier ones gave into a new one. Where a specification leaves a metric open, all statuses it allows are kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from computemarket.model.core.arrays import Bools, Floats, Ints
from computemarket.model.policy.regimes.conditions import Thresholds, first_match, the_only
from computemarket.model.policy.regimes.metrics import Metrics
from computemarket.model.policy.regimes.regime import NONE, STATUSES, Charge, Regime, RegimeBook, Rule

NO_ECCN = "none"


@dataclass(frozen=True, slots=True)
class Composed:
    """Statuses and classification of products, shape (…); `possible` (…, S) keeps what is open."""

    possible: Bools
    eccn: tuple[str, ...]  # names that `eccn_place` points at
    eccn_place: Ints  # (…) of the base regime's rule, -1 where the specification leaves it open

    @property
    def status(self) -> Ints:
        """Return (…) the status, -1 where the specification leaves it open."""
        return the_only(self.possible)


def product_shape(metrics: Metrics, levers: Thresholds) -> tuple[int, ...]:
    """Return the shape that metrics and thresholds broadcast to."""
    shapes = [bounds.low.shape for bounds in metrics.values()] + [
        np.shape(value) for value in levers.values()
    ]
    return np.broadcast_shapes(*shapes)


def apply_regime(
    possible: Bools, regime: Regime, rules: Sequence[Rule], chosen: Bools, destination: str
) -> Bools:
    """Return (…, S) possible statuses after a regime, given (…, K+1) which rules may be first.

    Parameters
    ----------
    possible : (…, S) before
    regime : what it acts on, and its outcome where no rule matches
    rules : the K rules that hold on the day
    chosen : (…, K+1) from `first_match`
    destination : country id, for the milder outcomes some destinations have
    """
    milder = {
        old: new for r in regime.relief if destination in r.destinations for old, new in r.outcomes.items()
    }
    acts = np.zeros(len(STATUSES), dtype=bool)
    acts[list(regime.acts_on)] = True
    after = possible & ~acts
    touched = (possible & acts).any(axis=-1)
    for place, rule in enumerate(rules):
        after[..., milder.get(rule.outcome, rule.outcome)] |= touched & chosen[..., place]
    unmatched = chosen[..., len(rules)]
    if regime.otherwise is None:
        after |= possible & acts & unmatched[..., None]
    else:
        after[..., milder.get(regime.otherwise, regime.otherwise)] |= touched & unmatched
    return after


def compose(
    regimes: Sequence[Regime], day: date, metrics: Metrics, destination: str, levers: Thresholds | None = None
) -> Composed:
    """Return the status of products for a destination under regimes that hold on a day.

    Parameters
    ----------
    regimes : those in force, in order (`RegimeBook.on`)
    day : decides which dated rules hold
    metrics : of the products, arrays that broadcast together
    destination : country id
    levers : thresholds by lever, broadcasting against the metrics: (R, 1) for P products in R runs
    """
    levers = levers or {}
    shape = product_shape(metrics, levers)
    possible = np.zeros((*shape, len(STATUSES)), dtype=bool)
    possible[..., NONE] = True
    names: tuple[str, ...] = (NO_ECCN,)
    place = np.zeros(shape, dtype=np.int64)
    for regime in regimes:
        if destination not in regime.destinations or not regime.sets_status:
            continue
        rules = regime.rules_on(day)
        chosen = first_match(rules, metrics, levers, shape)
        possible = apply_regime(possible, regime, rules, chosen, destination)
        if regime.is_base:
            names = (*(rule.eccn or NO_ECCN for rule in rules), NO_ECCN)
            place = the_only(chosen)
    return Composed(possible, names, place)


def status_on(
    book: RegimeBook,
    day: date,
    metrics: Metrics,
    destination: str = "china",
    levers: Thresholds | None = None,
) -> Composed:
    """Return the status of chips on a day, all enforced regimes together; see `compose`."""
    return compose(book.on(day), day, metrics, destination, levers)


def lever_value(lever: str, value: float, levers: Thresholds) -> Floats:
    """Return the value of a charge or cap: that of the file, or its lever's where that is set (not NaN)."""
    given = np.asarray(levers.get(lever, np.nan), dtype=np.float64)
    return np.where(np.isnan(given), value, given)


def inside(charge: Charge, metrics: Metrics, shape: tuple[int, ...]) -> tuple[Bools, Bools]:
    """Return (certainly, possibly) strictly inside the ranges of a charge, arrays of the given shape.

    A value on an edge is outside. Source: Proclamation 11002, "greater than … and less than …".
    """
    certain = possible = np.ones(shape, dtype=bool)
    for metric, (low, high) in charge.ranges.items():
        bounds = metrics[metric]
        certain = certain & (low < bounds.low) & (bounds.high < high)
        possible = possible & (low < bounds.high) & (bounds.low < high)
    return certain, possible


def charge_rate(
    regimes: Sequence[Regime], metrics: Metrics, destination: str, status: Bools, levers: Thresholds
) -> Floats:
    """Return (…) the share of the price charged on units for a destination.

    One unit never bears two charges: the higher one counts.

    Parameters
    ----------
    status : (…, S) one-hot
    levers : may replace a rate, by the charge's lever
    """
    rate = np.zeros(status.shape[:-1])
    for regime in regimes:
        if destination not in regime.destinations:
            continue
        for charge in regime.charges:
            bears = inside(charge, metrics, rate.shape)[0] & status[..., list(charge.on)].any(axis=-1)
            rate = np.maximum(rate, np.where(bears, lever_value(charge.lever, charge.rate, levers), 0.0))
    return rate
