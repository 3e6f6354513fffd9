"""The record: how far simulated medians lie from recorded series, and how often the record lies in the band."""

import csv
import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from computemarket.analysis.record.facts import show_number
from computemarket.analysis.record.record_error import NO_ERROR, as_recorded, stated_error
from computemarket.analysis.results.measures import Measure, band_over_runs, measure, read_measure
from computemarket.analysis.results.series import NotSimulatedError, Panels
from computemarket.errors import InputError
from computemarket.model.core.arrays import Floats
from computemarket.model.core.given_files import LARGEST_TABLE, read_given
from computemarket.model.core.texts import decoded

if TYPE_CHECKING:
    from rich.table import Table

HISTORY_FILES = (
    "chip_shipments.csv",
    "demand.csv",
    "hyperscaler_capex.csv",
    "market_share.csv",
    "prices.csv",
    "supply.csv",
    "vendor_revenue.csv",
)
FORWARD_LOOKING = (
    "forecast",
    "guidance",
    "plan",
    "target",
)  # not observations, by the series' name or its note
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Observation:
    """One recorded number in the unit of its file, and the error that its note states (ln, below and above)."""

    period: str
    value: float
    error: tuple[float, float] = NO_ERROR


@dataclass(frozen=True, slots=True)
class Counterpart:
    """The measure that simulates a recorded series, and the factor from the recorded unit to its own."""

    measure: Measure
    scale: float


@dataclass(frozen=True, slots=True)
class SeriesScore:
    """How a recorded series compares with its simulated counterpart.

    Parameters
    ----------
    points : number of recorded points inside the simulated time
    bias : median over the points of ln(simulated median / recorded); NaN if none is positive in both
    log_error : median over the points of its absolute value
    mape : mean over the points of |simulated median / recorded - 1|
    inside : share of the points inside the 80% band over runs
    inside_as_recorded : that share where the record's own stated error widens the band
    stated : points of which the record states an error
    reason : why there is no score, else empty
    """

    series: str
    entity: str
    points: int
    bias: float = np.nan
    log_error: float = np.nan
    mape: float = np.nan
    inside: float = np.nan
    inside_as_recorded: float = np.nan
    stated: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class HistoryScore:
    """Scores of all mapped series, and the recorded series that have no simulated counterpart."""

    series: tuple[SeriesScore, ...]
    unmapped: tuple[Key, ...]

    @property
    def scored(self) -> tuple[SeriesScore, ...]:
        """The series that have a score."""
        return tuple(score for score in self.series if not score.reason)


def read_history(directory: Path | str | None = None, since: str = "") -> dict[Key, tuple[Observation, ...]]:
    """Read recorded series: those of the package, or every CSV file of a directory in the same format.

    Parameters
    ----------
    directory : a folder of history files
    since : drop periods that end before this quarter

    Returns
    -------
    (series, entity) -> its observations; forecasts, guidance and plans are left out
    """
    if directory is None:
        root = files("computemarket.model.data").joinpath("history")
        texts = [(name, root.joinpath(name).read_text("utf-8")) for name in HISTORY_FILES]
    else:
        paths = sorted(Path(directory).glob("*.csv"))
        if not paths:
            raise InputError("history", str(directory), "a directory with history files (CSV)")
        texts = [
            (path.name, decoded(read_given(path, "history", LARGEST_TABLE), str(path), "CSV"))
            for path in paths
        ]
    record: dict[Key, tuple[Observation, ...]] = {}
    for name, text in texts:
        for key, observation in _rows(name, text):
            if not since or _last_quarter(observation.period) >= since:
                record[key] = (*record.get(key, ()), observation)
    return record


def score_history(
    panels: Panels, record: Mapping[Key, tuple[Observation, ...]] | None = None
) -> HistoryScore:
    """Compare every recorded series that has a simulated counterpart with the runs."""
    record = read_history() if record is None else record
    counterparts = load_counterparts()
    scores = [
        _score(panels, key, record[key], counterparts[key]) for key in sorted(record) if key in counterparts
    ]
    return HistoryScore(tuple(scores), tuple(key for key in sorted(record) if key not in counterparts))


def _score(panels: Panels, key: Key, seen: Sequence[Observation], counterpart: Counterpart) -> SeriesScore:
    try:
        points = [point for point in seen if _is_simulated(point.period, panels.quarters)]
        if not points:
            return SeriesScore(*key, 0, reason="recorded outside the simulated time")
        values = np.stack([counterpart.measure.at(panels, point.period) for point in points], axis=1)
    except NotSimulatedError as error:
        return SeriesScore(*key, 0, reason=str(error))
    recorded = np.array([point.value * counterpart.scale for point in points])
    errors = np.array([point.error for point in points]).T
    wide = band_over_runs(as_recorded(values, *errors)) if errors.any() else None
    return compare(key, recorded, band_over_runs(values), wide, int((errors > 0).any(axis=0).sum()))


def compare(
    key: Key, recorded: Floats, band: Floats, wide: Floats | None = None, stated: int = 0
) -> SeriesScore:
    """Score one series.

    Parameters
    ----------
    key : series and entity
    recorded : (K,) in the unit of the simulation
    band : (3, K) 10th percentile, median, 90th percentile over runs
    wide : (3, K) the same with the error that the record states; the band itself where it states none
    stated : points of which it states one
    """
    low, median, high = band
    known = np.isfinite(median)
    if not known.any():
        return SeriesScore(*key, 0, reason="unknown in most runs")
    least, _, most = (row[known] for row in (band if wide is None else wide))
    low, median, high, recorded = (row[known] for row in (low, median, high, recorded))
    positive = (median > 0.0) & (recorded > 0.0)
    errors = np.log(median[positive] / recorded[positive])
    nonzero = recorded != 0.0
    return SeriesScore(
        *key,
        points=int(known.sum()),
        bias=float(np.median(errors)) if len(errors) else np.nan,
        log_error=float(np.median(np.abs(errors))) if len(errors) else np.nan,
        mape=float(np.mean(np.abs(median[nonzero] / recorded[nonzero] - 1.0))) if nonzero.any() else np.nan,
        inside=float(np.mean((recorded >= low) & (recorded <= high))),
        inside_as_recorded=float(np.mean((recorded >= least) & (recorded <= most))),
        stated=stated,
    )


@cache
def load_counterparts() -> dict[Key, Counterpart]:
    """Return the measure of every mapped series of `model/data/history_map.toml`."""
    text = files("computemarket.model.data").joinpath("history_map.toml").read_text("utf-8")
    found: dict[Key, Counterpart] = {}
    for table in tomllib.loads(text)["series"]:
        key = (table["series"], table["entity"])
        if key in found:
            raise InputError("history map", " of ".join(key), "a series named once")
        rest = {name: value for name, value in table.items() if name not in ("series", "entity", "measure")}
        scale = float(rest.pop("scale", 1.0))
        name = table.get("measure", "")
        found[key] = Counterpart(measure(name) if name else read_measure(" of ".join(key), rest), scale)
    return found


def variables_of_history() -> frozenset[str]:
    """Return the variables of a results table that the score reads."""
    return frozenset().union(*(part.measure.variables for part in load_counterparts().values()))


def scores_table(score: HistoryScore) -> "Table":
    """Return the scores as a table for the terminal."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("recorded series")
    table.add_column("of")
    for heading in ("points", "median log error", "MAPE", "in 80% band", "with stated error"):
        table.add_column(heading, justify="right")
    for found in score.series:
        if found.reason:
            table.add_row(found.series, found.entity, "", f"[yellow]{found.reason}[/yellow]", "", "")
            continue
        table.add_row(
            found.series,
            found.entity,
            str(found.points),
            f"{found.bias:+.2f}" if np.isfinite(found.bias) else "–",
            f"{show_number(100.0 * found.mape)}%",
            f"{100.0 * found.inside:.0f}%",
            f"{100.0 * found.inside_as_recorded:.0f}%" if found.stated else "",
        )
    return table


def count_scores(score: HistoryScore) -> str:
    """Return the closing line: how many series are scored, and how well over all of them."""
    scored = score.scored
    text = f"{len(scored)} series scored, {len(score.series) - len(scored)} without a simulated value"
    if scored:
        points = np.array([found.points for found in scored])
        inside, recorded = (
            float((np.array(share) * points).sum() / points.sum())
            for share in zip(*((found.inside, found.inside_as_recorded) for found in scored), strict=True)
        )
        stated = sum(found.stated for found in scored)
        errors = np.array([found.log_error for found in scored])
        middle = float(np.median(errors[np.isfinite(errors)])) if np.isfinite(errors).any() else np.nan
        text += (
            f"; {points.sum()} points, {100.0 * inside:.0f}% inside the 80% band, "
            f"{100.0 * recorded:.0f}% with the error that the record states of {stated} of them, "
            f"median absolute log error {middle:.2f}"
        )
    return f"{text}; {len(score.unmapped)} recorded series have no counterpart"


def scores_json(score: HistoryScore) -> str:
    """Return the scores as JSON."""
    rows = [
        {
            "series": found.series,
            "entity": found.entity,
            "points": found.points,
            "median_log_error": _finite(found.bias),
            "median_absolute_log_error": _finite(found.log_error),
            "mape": _finite(found.mape),
            "inside_80_band": _finite(found.inside),
            "inside_80_band_with_stated_error": _finite(found.inside_as_recorded),
            "points_with_stated_error": found.stated,
            "reason": found.reason,
        }
        for found in score.series
    ]
    return json.dumps({"series": rows, "unmapped": [list(key) for key in score.unmapped]}, indent=1)


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _rows(name: str, text: str) -> list[tuple[Key, Observation]]:
    rows: list[tuple[Key, Observation]] = []
    for line, row in enumerate(csv.DictReader(text.splitlines()), start=2):
        try:
            key = (row["series"], row["entity"])
            value, note = row["value"], row.get("note") or ""
            if not value or is_forward_looking(key[0], note):
                continue
            period = row["period"].replace("-", "")
            _last_quarter(period)
            number = float(value)
            rows.append((key, Observation(period, number, stated_error(number, note))))
        except (KeyError, ValueError) as error:
            raise InputError(
                f"{name}:{line}", dict(row), "a row with series, entity, period and value"
            ) from error
    return rows


def is_forward_looking(series: str, note: str) -> bool:
    """Say whether a row is a forecast, guidance or a plan rather than an observation."""
    if any(series.endswith(f"_{word}") or f"_{word}_" in series for word in FORWARD_LOOKING):
        return True
    return note.startswith(("forecast", "plan", "guidance"))


def _last_quarter(period: str) -> str:
    if len(period) == 4 and period.isdigit():
        return f"{period}Q4"
    if len(period) == 6 and period[:4].isdigit() and period[4] in "QH" and period[5] in "1234":
        return period if period[4] == "Q" else f"{period[:4]}Q{2 * int(period[5])}"
    raise ValueError(period)


def _is_simulated(period: str, quarters: Sequence[str]) -> bool:
    first = f"{period}Q1" if len(period) == 4 else period
    return bool(quarters) and first >= quarters[0] and _last_quarter(period) <= quarters[-1]
