"""The stylised facts: what the record shows, what a baseline makes of it, and where it misses."""

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np

from computemarket.analysis.record.fact_statistics import STATISTIC_MEASURES, STATISTICS
from computemarket.analysis.results.measures import band_over_runs, load_measures, measure, ratio
from computemarket.analysis.results.series import NotSimulatedError, Panels, panels_from_frame
from computemarket.errors import InputError
from computemarket.model.core.arrays import Floats

if TYPE_CHECKING:
    import pandas as pd
    from rich.table import Table

PASS, MISS, NOT_SIMULATED, NOT_JUDGED = "pass", "miss", "not simulated", ""
LAST_QUARTER = "2025Q4"  # no fact looks further
_CHECK_KEYS = {
    "name",
    "measure",
    "statistic",
    "periods",
    "change_since",
    "ratio_to",
    "target",
    "within",
    "points",
    "low",
    "high",
    "unit",
    "judged",
    "note",
}


@dataclass(frozen=True, slots=True)
class Check:
    """One statistic of a fact with the band in which its median over runs must lie."""

    name: str
    unit: str
    target: tuple[float, float] | None
    low: float
    high: float
    judged: bool
    note: str
    measure: str = ""
    statistic: str = ""
    periods: tuple[str, ...] = ()
    change_since: tuple[str, ...] = ()
    ratio_to: tuple[str, ...] = ()

    def values(self, panels: Panels) -> Floats:
        """Return the statistic of every run, one column per period, (R, K)."""
        if self.statistic:
            found = STATISTICS[self.statistic](panels)
            return found if found.ndim == 2 else found[:, None]
        asked = measure(self.measure)
        values = np.stack([asked.at(panels, period) for period in self.periods], axis=1)
        base = self.change_since or self.ratio_to
        if not base:
            return values
        values = ratio(values, np.stack([asked.at(panels, period) for period in base], axis=1))
        return 100.0 * (values - 1.0) if self.change_since else values


@dataclass(frozen=True, slots=True)
class Fact:
    """One stylised fact with its checks."""

    number: int
    statement: str
    target: str
    band: str
    source: str
    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What the runs say to a check: medians and 80% bands, one per period, and the verdict."""

    check: Check
    median: tuple[float, ...]
    p10: tuple[float, ...]
    p90: tuple[float, ...]
    verdict: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class FactResult:
    """A fact and what the runs say to it.

    `verdict` is a miss if any check misses; else "not simulated" if any cannot be computed; else a pass.
    """

    fact: Fact
    checks: tuple[CheckResult, ...]

    @property
    def verdict(self) -> str:
        """The verdict on the whole fact."""
        found = {result.verdict for result in self.checks if result.check.judged}
        return next(verdict for verdict in (MISS, NOT_SIMULATED, PASS) if verdict in found)


def evaluate_facts(results: "pd.DataFrame | Panels") -> list[FactResult]:
    """Hold a results table against every stylised fact.

    Parameters
    ----------
    results : a table of one scenario, or its panels

    Returns
    -------
    one result per fact, in the order of their numbers
    """
    panels = results if isinstance(results, Panels) else panels_from_frame(results)
    return [
        FactResult(fact, tuple(_evaluate(check, panels) for check in fact.checks)) for fact in load_facts()
    ]


def _evaluate(check: Check, panels: Panels) -> CheckResult:
    try:
        p10, median, p90 = band_over_runs(check.values(panels))
    except NotSimulatedError as error:
        return CheckResult(check, (), (), (), NOT_SIMULATED if check.judged else NOT_JUDGED, str(error))
    numbers = (_numbers(median), _numbers(p10), _numbers(p90))
    if not np.isfinite(median).all():
        verdict, reason = (NOT_SIMULATED if check.judged else NOT_JUDGED), "unknown in most runs"
        return CheckResult(check, *numbers, verdict, reason)
    if not check.judged:
        return CheckResult(check, *numbers, NOT_JUDGED)
    inside = bool(((median >= check.low) & (median <= check.high)).all())
    return CheckResult(check, *numbers, PASS if inside else MISS)


def _numbers(values: Floats) -> tuple[float, ...]:
    return tuple(float(value) for value in values)


@cache
def load_facts() -> tuple[Fact, ...]:
    """Return the stylised facts of `model/data/facts.toml`."""
    text = files("computemarket.model.data").joinpath("facts.toml").read_text("utf-8")
    tables = tomllib.loads(text)["fact"]
    return tuple(
        Fact(
            table["number"],
            table["statement"],
            table["target"],
            table["band"],
            table["source"],
            tuple(_read_check(f"fact {table['number']}", check) for check in table["check"]),
        )
        for table in tables
    )


def _read_check(where: str, table: Mapping[str, Any]) -> Check:
    for key in set(table) - _CHECK_KEYS:
        raise InputError(where, key, f"one of {', '.join(sorted(_CHECK_KEYS))}")
    name = table.get("measure", "")
    if (name and name not in load_measures()) or (not name and table.get("statistic") not in STATISTICS):
        raise InputError(where, name or table.get("statistic"), "a measure or a statistic")
    target = table.get("target")
    span = (
        None if target is None else (target[0], target[1]) if isinstance(target, list) else (target, target)
    )
    low, high = _band(where, table, span)
    judged = table.get("judged", True)
    if judged and not (np.isfinite(low) or np.isfinite(high)):
        raise InputError(f"{where}: {table['name']}", "no band", "a band on at least one side")
    default_unit = "%" if "change_since" in table else measure(name).unit if name else ""
    return Check(
        name=table["name"],
        unit=table.get("unit", default_unit),
        target=span,
        low=low,
        high=high,
        judged=judged,
        note=table.get("note", ""),
        measure=name,
        statistic=table.get("statistic", ""),
        periods=tuple(table.get("periods", ())),
        change_since=tuple(table.get("change_since", ())),
        ratio_to=tuple(table.get("ratio_to", ())),
    )


def _band(where: str, table: Mapping[str, Any], span: tuple[float, float] | None) -> tuple[float, float]:
    """Return the band of a check: around its target, or as it is written."""
    if "within" not in table and "points" not in table:
        return table.get("low", -np.inf), table.get("high", np.inf)
    if span is None:
        raise InputError(f"{where}: {table['name']}", "no target", "a target for the band to lie around")
    low, high = span
    if "within" in table:
        return low * (1.0 - table["within"]), high * (1.0 + table["within"])
    return low - table["points"], high + table["points"]


def variables_of_facts() -> frozenset[str]:
    """Return the variables of a results table that the facts and their statistics read."""
    asked = {check.measure for fact in load_facts() for check in fact.checks} - {""}
    return frozenset().union(*(measure(name).variables for name in asked | set(STATISTIC_MEASURES)))


def count_verdicts(results: Sequence[FactResult]) -> str:
    """Return the closing line: how many facts pass, miss and are not simulated."""
    verdicts = [result.verdict for result in results]
    passed, missed, absent = (verdicts.count(name) for name in (PASS, MISS, NOT_SIMULATED))
    return f"{len(results)} facts: {passed} pass, {missed} miss, {absent} not simulated"


def facts_table(results: Sequence[FactResult]) -> "Table":
    """Return the facts as a table for the terminal, misses included."""
    from rich.table import Table
    from rich.text import Text

    styles = {PASS: "green", MISS: "bold red", NOT_SIMULATED: "yellow", NOT_JUDGED: "dim"}
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("#", justify="right")
    for heading in ("fact", "target", "band", "simulated (80% band)", "verdict"):
        table.add_column(heading, overflow="fold")
    for result in results:
        table.add_row(
            str(result.fact.number),
            Text(result.fact.statement, style="bold"),
            "",
            Text(result.fact.band, style="dim"),
            "",
            Text(result.verdict, style=styles[result.verdict]),
        )
        for found in result.checks:
            table.add_row(
                "",
                f"  {found.check.name}",
                show_span(found.check.target, found.check.unit),
                show_limits(found.check),
                show_value(found),
                Text(found.verdict or "not judged", style=styles[found.verdict]),
            )
    return table


def facts_json(results: Sequence[FactResult]) -> str:
    """Return the facts as JSON, one object per fact."""
    return json.dumps([_as_dict(result) for result in results], indent=1, allow_nan=False)


def _as_dict(result: FactResult) -> dict[str, Any]:
    fact = result.fact
    return {
        "number": fact.number,
        "statement": fact.statement,
        "target": fact.target,
        "band": fact.band,
        "source": fact.source,
        "verdict": result.verdict,
        "checks": [
            {
                "name": found.check.name,
                "unit": found.check.unit,
                "periods": found.check.periods,
                "target": found.check.target,
                "low": _finite(found.check.low),
                "high": _finite(found.check.high),
                "judged": found.check.judged,
                "median": [_finite(value) for value in found.median],
                "p10": [_finite(value) for value in found.p10],
                "p90": [_finite(value) for value in found.p90],
                "verdict": found.verdict or "not judged",
                "reason": found.reason,
                "note": found.check.note,
            }
            for found in result.checks
        ],
    }


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def show_number(value: float) -> str:
    """Return a number with three digits, without an exponent."""
    if not np.isfinite(value):
        return "–"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) >= 0.01 or value == 0 else f"{value:.4f}"


def show_span(span: tuple[float, float] | None, unit: str = "") -> str:
    """Return a number or a range with its unit."""
    if span is None:
        return ""
    text = show_number(span[0])
    if span[1] != span[0]:
        text = f"{text} to {show_number(span[1])}"
    return f"{text} {unit}" if unit and unit != "1" else text


def show_limits(check: Check) -> str:
    """Return the band of a check in words."""
    if not check.judged:
        return ""
    if not np.isfinite(check.low):
        return f"at most {show_number(check.high)}"
    if not np.isfinite(check.high):
        return f"at least {show_number(check.low)}"
    return f"{show_number(check.low)} to {show_number(check.high)}"


def show_value(found: CheckResult) -> str:
    """Return the medians of a check with the 80% band, or why there are none."""
    if not found.median:
        return found.reason
    medians = show_span((min(found.median), max(found.median)), found.check.unit)
    return f"{medians} ({show_number(min(found.p10))} to {show_number(max(found.p90))})"
