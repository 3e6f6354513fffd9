"""Scenario discovery: the conditions under which an outcome happens (Bryant and Lempert 2010), by CART.

A classification tree (Breiman et al. 1984, as in scikit-learn) splits the inputs of the runs; each of its leaves is a
box: a few conditions on parameters. A box is judged as there: *density* is the share of its runs in which the outcome
happens, *coverage* the share of all runs with the outcome that lie in it.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from computemarket.analysis.uncertainty.outcomes import (
    Outcome,
    case_named,
    inputs_of,
    outcomes_of,
    uncertain_of,
)
from computemarket.errors import InputError
from computemarket.model.core.arrays import Bools, Floats
from computemarket.scenarios.results.store import study_of
from computemarket.scenarios.studies.recording import Reduction

MOST_BOXES = 8
SMALLEST_BOX = 0.05  # share of the runs
FEWEST = 100  # runs below which nothing is said
DEEPEST = 4  # conditions of a box that a person can keep in mind


@dataclass(frozen=True)
class Condition:
    """A parameter between two values."""

    parameter: str
    low: float
    high: float

    def __str__(self) -> str:
        if np.isinf(self.low):
            return f"{self.parameter} <= {self.high:.4g}"
        if np.isinf(self.high):
            return f"{self.parameter} > {self.low:.4g}"
        return f"{self.low:.4g} < {self.parameter} <= {self.high:.4g}"


@dataclass(frozen=True)
class Box:
    """Conditions and what they catch."""

    conditions: tuple[Condition, ...]
    runs: int
    density: float
    coverage: float


@dataclass(frozen=True)
class Discovery:
    """The boxes in which an outcome happens more often than on the whole, the best first."""

    outcome: Outcome
    case: str
    runs: int
    share: float  # of all runs with the outcome
    boxes: tuple[Box, ...]


def discover(
    folder: Path, outcome: Outcome, headline: Reduction | None, case: str | None = None
) -> Discovery:
    """Return the conditions under which an outcome happens in one case of a store.

    Raises
    ------
    InputError
        if the store does not hold the outcome, or it happens always or never.
    """
    study = study_of(folder, headline)
    place = case_named(study, case)
    chosen = study.cases[place]
    frame = outcomes_of(folder, outcome)
    frame = frame[(frame["scenario"] == chosen.scenario.name) & (frame["policy"] == chosen.policy)]
    happens = outcome.holds(frame["value"].to_numpy())
    if len(frame) < FEWEST:
        raise InputError("store", f"{len(frame)} runs", f"enough to discover anything: that takes {FEWEST}")
    if happens.all() or not happens.any():
        found = "in every run" if happens.all() else "in no run"
        raise InputError(
            "--outcome", outcome.text, f"an outcome of some runs and not of others: it happens {found}"
        )
    names = uncertain_of(study)
    inputs = inputs_of(study, place, frame["run"].to_numpy(dtype=np.int64), names).values
    boxes = find_boxes(inputs, happens, names)
    return Discovery(
        outcome, f"{chosen.scenario.name}/{chosen.policy}", len(frame), float(happens.mean()), boxes
    )


def find_boxes(inputs: Floats, happens: Bools, names: tuple[str, ...]) -> tuple[Box, ...]:
    """Return the leaves of a classification tree in which the outcome is denser than on the whole."""
    try:
        from sklearn.tree import DecisionTreeClassifier
    except ImportError as error:
        raise InputError(
            "discover", "scikit-learn", "installed: pip install 'computemarket[sensitivity]'"
        ) from error
    tree = DecisionTreeClassifier(
        max_depth=DEEPEST, max_leaf_nodes=MOST_BOXES, min_samples_leaf=SMALLEST_BOX, random_state=0
    )
    tree.fit(inputs, happens)
    leaves = tree.apply(inputs)
    share = float(happens.mean())
    boxes = []
    for leaf, conditions in _paths(tree.tree_, names):
        inside = leaves == leaf
        density = float(happens[inside].mean())
        coverage = float(happens[inside].sum() / happens.sum())
        if density > share:
            boxes.append(Box(conditions, int(inside.sum()), density, coverage))
    return tuple(sorted(boxes, key=lambda box: (-box.density * box.coverage, box.runs)))


def _paths(tree: Any, names: tuple[str, ...]) -> list[tuple[int, tuple[Condition, ...]]]:
    """Return every leaf with its conditions, those on one parameter put together."""
    found = []
    waiting: list[tuple[int, dict[int, tuple[float, float]]]] = [(0, {})]
    while waiting:
        node, limits = waiting.pop()
        left, right = int(tree.children_left[node]), int(tree.children_right[node])
        if left == right:
            conditions = (Condition(names[place], *limit) for place, limit in sorted(limits.items()))
            found.append((node, tuple(conditions)))
            continue
        place, cut = int(tree.feature[node]), float(tree.threshold[node])
        low, high = limits.get(place, (-np.inf, np.inf))
        waiting.append((right, {**limits, place: (max(low, cut), high)}))
        waiting.append((left, {**limits, place: (low, min(high, cut))}))
    return found
