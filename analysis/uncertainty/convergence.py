"""How many runs a result needs: how well the edges of its bands are known.

The p-quantile of n independent runs lies between the order statistics of ranks np ± 1.96 √(np(1-p)) with 95%
confidence (David and Nagaraja 2003, Order Statistics, section 7.1), whatever the distribution. Half that interval, as
a share of the band's size, is what is not known about the band; its size is the larger of its width and its median, so
that neither a narrow band nor one around zero asks for more runs than its reader would.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from computemarket.analysis.uncertainty.outcomes import CASE, KEYS
from computemarket.errors import InputError
from computemarket.model.core.arrays import Floats
from computemarket.scenarios.results.open_results import dataset_of
from computemarket.scenarios.studies.study import Study

if TYPE_CHECKING:
    import pandas as pd

BAND = (0.1, 0.5, 0.9)
CONFIDENCE_Z = 1.959963984540054  # 95% of a normal distribution lie within
FEWEST = 64  # runs below which nothing is said to be stable
_PREFIX = ("none", "latin_hypercube", "sobol")  # designs whose first points are a sample of the whole space
FORECAST_FROM = "2026Q4"  # what a band is wanted for; the years before it are recorded history


@dataclass(frozen=True)
class Precision:
    """A band over runs, and how well it is known."""

    low: float
    median: float
    high: float
    unknown: float  # share of the band's size
    runs: int

    def needed(self, share: float) -> int:
        """Return how many runs would bring what is unknown down to a share: it falls with their square root."""
        return int(np.ceil(self.runs * max(self.unknown / share, 0.0) ** 2))


def precision(values: Floats) -> Precision:
    """Return the 80% band of (n,) values and how well its edges are known; unknown values are left out."""
    known = np.sort(values[~np.isnan(values)])
    count = len(known)
    if count == 0:
        return Precision(np.nan, np.nan, np.nan, np.inf, 0)
    low, middle, high = (float(edge) for edge in np.quantile(known, BAND))
    size = max(high - low, abs(middle))
    if high == low:
        return Precision(low, middle, high, 0.0, count)
    unknown = max(_half_interval(known, p) for p in BAND) / size
    return Precision(low, middle, high, unknown, count)


def _half_interval(ordered: Floats, p: float) -> float:
    count = len(ordered)
    spread = CONFIDENCE_Z * np.sqrt(count * p * (1 - p))
    low, high = int(np.floor(count * p - spread)), int(np.ceil(count * p + spread))
    if low < 0 or high > count - 1:
        return float("inf")
    return float(ordered[high] - ordered[low]) / 2


def precisions(folder: Path) -> "pd.DataFrame":
    """Return band, precision and runs of every series of a store at the ends of the years ahead."""
    import pandas as pd
    import pyarrow.dataset as ds

    from computemarket.model.core.calendar import QUARTERS

    ends = [quarter for quarter in QUARTERS if quarter.endswith("Q4") and quarter >= FORECAST_FROM]
    rows = dataset_of(folder)
    columns = [*CASE, "variable", *KEYS, "unit", "quarter", "run", "value"]
    frame = rows.to_table(columns=columns, filter=ds.field("quarter").isin(ends)).to_pandas()
    if not len(frame):  # it ends before: its last quarter
        frame = rows.to_table(columns=columns).to_pandas()
        frame = frame[frame["quarter"].astype(str) == frame["quarter"].astype(str).max()]
    keys = [*CASE, "variable", *KEYS, "unit", "quarter"]
    found = []
    for labels, group in frame.groupby(keys, sort=True, observed=True):
        one = precision(group["value"].to_numpy())
        if one.runs * 2 >= len(group):  # as in the summary: a band of what most runs know
            found.append((*labels, one.low, one.median, one.high, one.unknown, one.runs))
    return pd.DataFrame(found, columns=[*keys, "low", "median", "high", "unknown", "runs"])


def needs(folder: Path, share: float) -> "pd.DataFrame":
    """Return a row for each series: its band at the end, what is unknown of it, and the runs that a share takes.

    `worst_quarter` is the one whose band is known least, `runs_needed` what that one takes; -1 where the runs are too
    few to say.
    """
    import pandas as pd

    table = precisions(folder)
    keys = [
        name for name in (*CASE, "variable", *KEYS, "unit") if name == "variable" or table[name].nunique() > 1
    ]
    found = []
    for labels, group in table.groupby(keys, sort=False):
        last, worst = group.iloc[-1], group.iloc[int(np.argmax(group["unknown"].to_numpy()))]
        rows = (group[name].to_numpy() for name in ("low", "median", "high", "unknown", "runs"))
        counted = [Precision(*numbers) for numbers in zip(*rows, strict=True)]
        needed = [one.needed(share) if np.isfinite(one.unknown) else -1 for one in counted]
        found.append(
            (*labels, last["quarter"], last["low"], last["median"], last["high"], last["unknown"], worst["quarter"],
             worst["unknown"], -1 if -1 in needed else max(needed))
        )  # fmt: skip
    columns = ["quarter", "low", "median", "high", "unknown", "worst_quarter", "worst_unknown", "runs_needed"]
    return pd.DataFrame(found, columns=[*keys, *columns])


def until_stable(study: Study, share: float) -> Callable[[Path, int], bool]:
    """Return the rule that stops a batch once all its bands are known to a share of their size.

    Raises
    ------
    InputError
        if the share is none, or if the first runs of the study say nothing about the others.
    """
    if not 0.0 < share <= 1.0:
        raise InputError("--until-stable", share, "a share of a band's size, over 0 and at most 1")
    if study.design.method not in _PREFIX:
        raise InputError(
            "--until-stable", study.design.method, f"a design that can stop early: {', '.join(_PREFIX)}"
        )
    if study.recording.kind == "full":
        raise InputError("--until-stable", "full", "possible with this recording: record headline or a list")

    def stable(folder: Path, runs: int) -> bool:
        return runs >= FEWEST and bool((precisions(folder)["unknown"] <= share).all())

    return stable
