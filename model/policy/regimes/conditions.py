"""Do rules match: first match wins, on arrays, with metrics that may be partly unknown.

Each test has two answers, certain and possible (Kleene's strong three-valued logic); they are one array where
everything is known.
"""

from collections.abc import Mapping
from functools import reduce

import numpy as np

from computemarket.model.core.arrays import Bools, Floats, Ints
from computemarket.model.policy.regimes.metrics import Bounds, Metrics
from computemarket.model.policy.regimes.regime import Condition, Rule

INDEXATION = "threshold_factor"  # multiplies every threshold that has a lever
Thresholds = Mapping[str, Floats]  # lever -> a number, or values that broadcast against the metrics
Answer = tuple[Bools, Bools]  # certain, possible


def threshold(condition: Condition, levers: Thresholds) -> Floats | float:
    """Return the threshold of a condition: its own, or its lever's where that is set, times any indexation.

    NaN in a lever leaves the value of the regime's file.
    """
    value: Floats | float = condition.value
    if condition.lever in levers:
        given = np.asarray(levers[condition.lever], dtype=np.float64)
        value = np.where(np.isnan(given), condition.value, given)
    if condition.lever and INDEXATION in levers:
        value = value * levers[INDEXATION]
    return value


def holds(condition: Condition, metrics: Metrics, levers: Thresholds) -> Answer:
    """Return (certain, possible) of one condition."""
    bounds, value = metrics[condition.metric], threshold(condition, levers)
    if condition.op == "==":
        return _equals(bounds, value)
    compare = _COMPARE[condition.op]
    ends = (bounds.low, bounds.high) if condition.op in (">=", ">") else (bounds.high, bounds.low)
    certain = np.asarray(compare(ends[0], value))
    return (certain, certain) if bounds.low is bounds.high else (certain, np.asarray(compare(ends[1], value)))


def _equals(bounds: Bounds, value: Floats | float) -> Answer:
    certain = np.asarray((bounds.low == value) & (bounds.high == value))
    return certain, np.asarray((bounds.low <= value) & (value <= bounds.high))


_COMPARE = {">=": np.greater_equal, ">": np.greater, "<=": np.less_equal, "<": np.less}


def _joined(answers: list[Answer], join: np.ufunc) -> Answer:
    certain = reduce(join, [answer[0] for answer in answers])
    if all(answer[0] is answer[1] for answer in answers):
        return certain, certain
    return certain, reduce(join, [answer[1] for answer in answers])


def matches(rule: Rule, metrics: Metrics, levers: Thresholds) -> Answer:
    """Return (certain, possible) of a rule: all of `all_of`, and one of `any_of` where there are any."""
    answers = [holds(condition, metrics, levers) for condition in rule.all_of]
    if rule.any_of:
        answers.append(_joined([holds(c, metrics, levers) for c in rule.any_of], np.logical_or))
    if not answers:
        everywhere = np.ones(next(iter(metrics.values())).low.shape, dtype=bool)
        return everywhere, everywhere
    return _joined(answers, np.logical_and)


def first_match(
    rules: tuple[Rule, ...], metrics: Metrics, levers: Thresholds, shape: tuple[int, ...]
) -> Bools:
    """Return (…, K+1) which of K rules, or none of them, may be the first that matches.

    Exactly one is true where the metrics determine it.

    Parameters
    ----------
    rules : in order
    metrics : arrays that broadcast to `shape`
    levers : thresholds that broadcast to `shape`
    shape : of the products, with a leading runs axis where thresholds or metrics differ by run
    """
    chosen = np.zeros((*shape, len(rules) + 1), dtype=bool)
    open_to_later = np.ones(shape, dtype=bool)
    for place, rule in enumerate(rules):
        certain, possible = matches(rule, metrics, levers)
        chosen[..., place] = open_to_later & possible
        open_to_later = open_to_later & ~certain
    chosen[..., len(rules)] = open_to_later
    return chosen


def the_only(chosen: Bools) -> Ints:
    """Return (…) the place of the only true entry on the last axis, -1 where several are."""
    return np.where(chosen.sum(axis=-1) == 1, chosen.argmax(axis=-1), -1)
