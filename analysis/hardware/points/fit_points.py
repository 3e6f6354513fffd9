"""The measured points that the fit reads: two files as one, with who published each row and what it measured."""

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np

from computemarket.analysis.hardware.kernel_inputs import Setup, prepare
from computemarket.analysis.hardware.points.perf_points import Conditions, Points
from computemarket.model.core.arrays import Bools, Floats

_FEW = 30  # rows below which a publisher's rows count double: many voices, not one of many words
_DOUBLE = 2.0
_PUBLISHER = re.compile(r"[ :#(]")


@dataclass(frozen=True)
class FitPoints:
    """Rows of the fit, shape (n,): what the kernel needs, what was measured, and by whom."""

    setup: Setup
    measured: Floats
    publisher: tuple[str, ...]
    outside: Bools  # row of the second file: publishers that the first does not hold
    weight: Floats
    points: Points  # all rows as read, of both files

    def __len__(self) -> int:
        return len(self.setup)


@cache
def _measures() -> tuple[tuple[str, str, str], ...]:
    """Return which sources state another measure than their metric says: start of the source, phase, metric."""
    text = (files("computemarket.model.data") / "perf_point_measures.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return tuple((row["source_starts"], row["phase"], row["metric"]) for row in rows)


def publisher_of(source: str) -> str:
    """Return who published a row: an audit as a whole, a repository, a site."""
    if source.startswith("MLCommons"):
        return " ".join(source.split()[:3])
    return _PUBLISHER.split(source)[0]


def joined(first: Points, second: Points) -> Points:
    """Return the rows of both files, the first file's before the second's."""
    words = {name: column + second.conditions.words[name] for name, column in first.conditions.words.items()}
    numbers = {
        name: np.concatenate([column, second.conditions.numbers[name]])
        for name, column in first.conditions.numbers.items()
    }
    return Points(
        ids=first.ids + second.ids,
        conditions=Conditions(words, numbers),
        value=np.concatenate([first.value, second.value]),
        audited=np.concatenate([first.audited, second.audited]),
        rows=first.rows + second.rows,
        columns=first.columns,
        faults={**first.faults, **{len(first) + i: fault for i, fault in second.faults.items()}},
    )


def fit_points(inside: Points, outside: Points) -> FitPoints:
    """Return the rows that the fit reads, each with the measure that its source states."""
    points = joined(inside, outside)
    setup, _ = prepare(_restated(points).conditions, points.faults)
    publisher = tuple(publisher_of(points.rows[i].get("source", "")) for i in setup.rows)
    count = Counter(publisher)
    return FitPoints(
        setup=setup,
        measured=points.value[setup.rows],
        publisher=publisher,
        outside=setup.rows >= len(inside),
        weight=np.array([_DOUBLE if count[name] < _FEW else 1.0 for name in publisher]),
        points=points,
    )


def _restated(points: Points) -> Points:
    metric = list(points.conditions.words["metric"])
    for i, row in enumerate(points.rows):
        for start, phase, stated in _measures():
            if row.get("source", "").startswith(start) and row["phase"] == phase:
                metric[i] = stated
    words = points.conditions.words | {"metric": tuple(metric)}
    return replace(points, conditions=Conditions(words, points.conditions.numbers))


def publisher_groups(publisher: Sequence[str]) -> tuple[str, ...]:
    """Return the group with which each row is left out: its publisher; publishers of few rows go three by three."""
    count = Counter(publisher)
    small = sorted(name for name, rows in count.items() if rows < _FEW // 3)
    shared = {name: f"small publishers {place % 3}" for place, name in enumerate(small)}
    return tuple(shared.get(name, name) for name in publisher)


def read_both(data: Path) -> tuple[Points, Points]:
    """Return the points of the benchmark and those of other publishers, as shipped."""
    from computemarket.analysis.hardware.points.perf_points import read_points

    return read_points(data / "perf_points.csv"), read_points(data / "perf_points_outside.csv")
