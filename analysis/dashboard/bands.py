"""The numbers behind the charts: bands over runs, differences run by run, the record, and a sentence for each."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from computemarket.analysis.dashboard.ensembles import QUARTERS, YEARS, Ensemble, paired
from computemarket.analysis.record.history import load_counterparts, read_history
from computemarket.analysis.results.measures import band_over_runs, measure
from computemarket.analysis.results.summary import show
from computemarket.model.core.arrays import Floats

if TYPE_CHECKING:
    import pandas as pd

BAND_TEXT = "8 of 10 runs lie in the band; the line is the median"
LEAST_CLEAR = 0.6  # share of the runs that have to move one way before words say so
_PER = {QUARTERS: "a quarter", YEARS: "a year"}


@dataclass(frozen=True)
class Fan:
    """What one chart shows of one ensemble: (3, periods) 10th percentile, median, 90th percentile."""

    label: str
    periods: tuple[str, ...]
    band: Floats


def title_of(name: str) -> str:
    """Return a measure's name in words, with a capital."""
    label = measure(name).label
    return label[:1].upper() + label[1:]


def unit_of(name: str, grain: str) -> str:
    """Return a measure's unit in words; a flow says per which time it is."""
    one = measure(name)
    unit = {"1": "ratio", "H100e": "H100-equivalents", "m H100e": "million H100-equivalents", "m units": "million",
            "bn USD": "billion USD", "k USD": "thousand USD"}.get(one.unit, one.unit)  # fmt: skip
    flow = (
        one.aggregate == "sum" and one.denominator is None and not one.cumulative_from and " a " not in unit
    )
    return f"{unit} {_PER[grain]}" if flow else unit


def fan(ensemble: Ensemble, name: str, grain: str) -> Fan | None:
    """Return the band of a measure; None where the ensemble does not hold it."""
    values = ensemble.values.get((name, grain))
    if values is None:
        return None
    return Fan(ensemble.label, ensemble.periods[grain], band_over_runs(values))


def difference(base: Ensemble, other: Ensemble, name: str, grain: str) -> Floats | None:
    """Return other minus base run by run, (R, periods both have); None where runs cannot be paired."""
    one, two = (ensemble.values.get((name, grain)) for ensemble in (base, other))
    if one is None or two is None or not paired(base, other):
        return None
    count = min(one.shape[1], two.shape[1])
    return two[:, :count] - one[:, :count]


def difference_fan(base: Ensemble, other: Ensemble, name: str, grain: str) -> Fan | None:
    """Return the band of the differences run by run."""
    gaps = difference(base, other, name, grain)
    if gaps is None:
        return None
    return Fan(
        f"{other.label} minus {base.label}", base.periods[grain][: gaps.shape[1]], band_over_runs(gaps)
    )


def record_of(name: str, grain: str) -> dict[str, float]:
    """Return the recorded values of a measure by period, in the measure's unit.

    A year without a number of its own takes it from its quarters: their sum, their mean or the last of them, as the
    measure does. A sum or mean needs all four; a ratio of sums is not made up from ratios.
    """
    by_quarter, by_year = _recorded(name)
    if grain == QUARTERS:
        return by_quarter
    one = measure(name)
    for year in sorted({quarter[:4] for quarter in by_quarter} - set(by_year)):
        seen = [by_quarter.get(f"{year}Q{q}") for q in range(1, 5)]
        if one.aggregate == "end" and seen[-1] is not None:
            by_year[year] = seen[-1]
        known = [value for value in seen if value is not None]
        if (
            len(known) == 4
            and (one.denominator is None or one.aggregate == "mean")
            and one.aggregate != "end"
        ):
            by_year[year] = sum(known) / (4 if one.aggregate == "mean" else 1)
    return by_year


def _recorded(name: str) -> tuple[dict[str, float], dict[str, float]]:
    """Return what is on record by quarter and by year."""
    record = read_history()
    by_quarter: dict[str, float] = {}
    by_year: dict[str, float] = {}
    for key, counterpart in load_counterparts().items():
        if counterpart.measure.name == name:
            for seen in record.get(key, ()):
                found = by_year if len(seen.period) == 4 else by_quarter
                if "H" not in seen.period:
                    found[seen.period] = seen.value * counterpart.scale
    return by_quarter, by_year


def table(base: Ensemble, other: Ensemble | None, names: list[str], grain: str) -> "pd.DataFrame":
    """Return what the charts show: one row for each measure and period.

    Columns: measure, unit, period; for each ensemble median, p10, p90; for the paired difference the same and the
    share of runs in which the other is higher; recorded, where there is a record.
    """
    import pandas as pd

    rows = []
    for name in names:
        record = record_of(name, grain)
        for place, period in enumerate(base.periods[grain]):
            row: dict[str, object] = {
                "measure": title_of(name),
                "unit": unit_of(name, grain),
                "period": period,
            }
            row |= _cells(base.label, fan(base, name, grain), place)
            if other is not None:
                row |= _cells(other.label, fan(other, name, grain), place)
                gaps = difference(base, other, name, grain)
                if gaps is not None and place < gaps.shape[1]:
                    row |= _cells("difference", difference_fan(base, other, name, grain), place)
                    row["share of runs higher"] = float(np.mean(gaps[:, place] > 0))
            row["recorded"] = record.get(period, np.nan)
            rows.append(row)
    return pd.DataFrame(rows)


def _cells(label: str, shown: Fan | None, place: int) -> dict[str, object]:
    known = shown is not None and place < shown.band.shape[1]
    low, median, high = shown.band[:, place] if shown is not None and known else (np.nan,) * 3
    return {f"{label}: median": median, f"{label}: p10": low, f"{label}: p90": high}


def sentence(base: Ensemble, other: Ensemble | None, name: str, grain: str, period: str) -> str:
    """Say in words what a measure is in a period, and what the other ensemble makes of it."""
    shown = fan(base, name, grain)
    if shown is None or period not in shown.periods:
        return ""
    place = shown.periods.index(period)
    unit = unit_of(name, grain)
    text = f"{title_of(name)}, {period}: {_interval(shown.band[:, place], unit)} in {base.label}"
    if other is None:
        return f"{text}."
    rival = fan(other, name, grain)
    if rival is None or place >= rival.band.shape[1]:
        return f"{text}."
    short = unit if unit == "%" else ""
    text += f", {_interval(rival.band[:, place], short)} in {other.label}"
    gaps = difference(base, other, name, grain)
    if gaps is None:
        return f"{text}."
    up = float(np.mean(gaps[:, place] > 0))
    down = float(np.mean(gaps[:, place] < 0))
    if not up and not down:
        return f"{text}; the same in every run."
    word, share = ("higher", up) if up >= down else ("lower", down)
    if share < LEAST_CLEAR:
        return f"{text}; no clear direction, {word} in {100 * share:.0f}% of the runs."
    return f"{text}; {word} in {100 * share:.0f}% of the runs."


def _interval(band: Floats, unit: str) -> str:
    low, median, high = (show(float(value)) for value in band)
    space = " " if unit not in ("", "%") else ""
    return f"{median}{space}{unit} ({low} to {high})"
