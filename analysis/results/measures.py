"""Measures: what a strategist asks of the results, defined as data and evaluated run by run.

A measure is one selection of series, or a ratio of two, with the way in which quarters make up a longer
period. They are defined in `model/data/measures.toml`; facts, scores against the record, summary and figures
use the same ones, so that a name means the same number everywhere.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from computemarket.analysis.results.series import NotSimulatedError, Panels, Selector
from computemarket.errors import InputError
from computemarket.model.core.arrays import Floats

AGGREGATES = ("sum", "mean", "end")
BAND = (10.0, 90.0)  # the 80% band, in percentiles over runs
_PERIOD = re.compile(r"(\d{4})(?:-?(?:Q([1-4])|H([12])))?")


@dataclass(frozen=True, slots=True)
class Selection:
    """Which series of one variable count, and from when.

    `entering` maps an entity to the quarter from which it counts: what it did before is left out, as in a
    record that took up a designer later than others.
    """

    variable: str
    entity: Selector = None
    region: Selector = None
    detail: Selector = None
    entering: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Measure:
    """A selection or the ratio of two, and how quarters make up a longer period.

    `aggregate`: sum (flows), mean (prices, rates) or end (stocks). `level` takes the mean over the matching
    series, not their sum, and `positive` leaves zeros out of it. `cumulative_from` turns a flow into what has
    come together since that quarter.
    """

    name: str
    label: str
    unit: str
    scale: float
    aggregate: str
    numerator: Selection
    denominator: Selection | None = None
    level: bool = False
    positive: bool = False
    cumulative_from: str = ""

    @property
    def variables(self) -> frozenset[str]:
        """The variables of a results table that the measure reads."""
        parts = (self.numerator, self.denominator)
        return frozenset(part.variable for part in parts if part is not None)

    def at(self, panels: Panels, period: str) -> Floats:
        """Return the value in a period (2024, 2024H1, 2024Q1) for every run, (R,).

        Raises
        ------
        NotSimulatedError
            if a series is not in the results or the period lies outside them.
        """
        places = places_of(period, panels.quarters)
        value = self._part(panels, self.numerator, places)
        if self.denominator is not None:
            value = ratio(value, self._part(panels, self.denominator, places))
        return value * self.scale

    def series(self, panels: Panels) -> Floats:
        """Return the value in every quarter of the results, (R, Q)."""
        value = self._quarters(panels, self.numerator)
        if self.denominator is not None:
            value = ratio(value, self._quarters(panels, self.denominator))
        return value * self.scale

    def _part(self, panels: Panels, selection: Selection, places: slice) -> Floats:
        values = self._quarters(panels, selection)[:, places]
        if self.aggregate == "end":
            return np.asarray(values[:, -1])
        if self.aggregate == "mean":
            return mean_known(values)
        return np.asarray(values.sum(axis=1))

    def _quarters(self, panels: Panels, selection: Selection) -> Floats:
        chosen = (selection.variable, selection.entity, selection.region, selection.detail)
        if self.level:
            return panels.level(*chosen, positive=self.positive)
        if not selection.entering:
            return self._cumulated(panels.total(*chosen), panels.quarters)
        return self._late(panels, selection)

    def _late(self, panels: Panels, selection: Selection) -> Floats:
        """Sum over entities of which some count only from a quarter on."""
        entering = dict(selection.entering)
        names = (
            [selection.entity] if isinstance(selection.entity, str) else list(selection.entity or entering)
        )
        known = set(panels.entities(selection.variable))
        total = np.zeros((len(panels.runs), len(panels.quarters)))
        if not known & set(names):
            raise NotSimulatedError(f"no {selection.variable} of {', '.join(names)}")
        for name in sorted(known & set(names)):
            values = panels.total(selection.variable, name, selection.region, selection.detail)
            first = entering.get(name, panels.quarters[0])
            counted = np.array([quarter >= first for quarter in panels.quarters])
            if self.aggregate == "end" and not counted.all() and counted.any():
                start = int(np.argmax(counted)) - 1
                values = values - values[:, start : start + 1]
            total += np.where(counted, values, 0.0)
        return self._cumulated(total, panels.quarters)

    def _cumulated(self, values: Floats, quarters: Sequence[str]) -> Floats:
        if not self.cumulative_from:
            return values
        counted = np.array([quarter >= self.cumulative_from for quarter in quarters])
        return np.cumsum(np.where(counted, values, 0.0), axis=1)


def places_of(period: str, quarters: Sequence[str]) -> slice:
    """Return the places of a period's quarters; NotSimulatedError when one of them is not simulated."""
    match = _PERIOD.fullmatch(period)
    if match is None:
        raise InputError("period", period, "a year, half-year or quarter like 2024, 2024H1 or 2024Q1")
    year, quarter, half = match.groups()
    first, last = (quarter, quarter) if quarter else {None: (1, 4), "1": (1, 2), "2": (3, 4)}[half]
    try:
        return slice(quarters.index(f"{year}Q{first}"), quarters.index(f"{year}Q{last}") + 1)
    except ValueError as error:
        raise NotSimulatedError(f"{period} is not simulated") from error


def ratio(numerator: Floats, denominator: Floats) -> Floats:
    """Return the quotient, NaN where the denominator is not positive."""
    quotient: Floats = np.divide(
        numerator, denominator, out=np.full(numerator.shape, np.nan), where=denominator > 0
    )
    return quotient


def mean_known(values: Floats) -> Floats:
    """Return the mean over the last axis of the entries that are known, NaN where none is."""
    known = ~np.isnan(values)
    count = known.sum(axis=-1)
    summed = np.where(known, values, 0.0).sum(axis=-1)
    mean: Floats = np.divide(summed, count, out=np.full(count.shape, np.nan), where=count > 0)
    return mean


def band_over_runs(values: Floats) -> Floats:
    """Return the 10th percentile, the median and the 90th over runs: (R, …) to (3, …).

    Unknown runs are left out; where fewer than half of the runs are known the answer is NaN.
    """
    known = ~np.isnan(values)
    enough = known.mean(axis=0) >= 0.5
    filled = np.where(enough, values, 0.0)
    if known.all():
        return np.asarray(np.percentile(filled, (BAND[0], 50.0, BAND[1]), axis=0))
    found = np.asarray(np.nanpercentile(filled, (BAND[0], 50.0, BAND[1]), axis=0))
    return np.where(enough, found, np.nan)


@cache
def load_groups() -> Mapping[str, tuple[str, ...]]:
    """Return the named groups of entities."""
    return {name: tuple(members) for name, members in _definitions()["groups"].items()}


@cache
def load_measures() -> Mapping[str, Measure]:
    """Return all measures by name."""
    return {name: read_measure(name, table) for name, table in _definitions()["measure"].items()}


def measure(name: str) -> Measure:
    """Return a measure by its name."""
    found = load_measures()
    if name not in found:
        raise InputError("measure", name, f"one of {', '.join(sorted(found))}")
    return found[name]


def read_measure(name: str, table: Mapping[str, Any]) -> Measure:
    """Build a measure from its table; InputError for a key or an aggregate that does not exist."""
    allowed = {
        "label",
        "unit",
        "scale",
        "aggregate",
        "numerator",
        "denominator",
        "level",
        "positive",
        "cumulative_from",
    }
    unknown = set(table) - allowed
    if unknown:
        raise InputError(f"measure {name}", sorted(unknown)[0], f"one of {', '.join(sorted(allowed))}")
    if table.get("aggregate", "sum") not in AGGREGATES:
        raise InputError(f"measure {name}: aggregate", table["aggregate"], " or ".join(AGGREGATES))
    below = table.get("denominator")
    return Measure(
        name=name,
        label=table.get("label", name.replace("_", " ")),
        unit=table.get("unit", "1"),
        scale=float(table.get("scale", 1.0)),
        aggregate=table.get("aggregate", "sum"),
        numerator=_selection(name, table["numerator"]),
        denominator=None if below is None else _selection(name, below),
        level=bool(table.get("level", False)),
        positive=bool(table.get("positive", False)),
        cumulative_from=table.get("cumulative_from", ""),
    )


def _selection(name: str, table: Mapping[str, Any]) -> Selection:
    unknown = set(table) - {"variable", "entity", "region", "detail", "entering"}
    if unknown:
        raise InputError(
            f"measure {name}", sorted(unknown)[0], "variable, entity, region, detail or entering"
        )
    entering = tuple(
        (entity, quarter)
        for names, quarter in table.get("entering", {}).items()
        for entity in _members(names)
    )
    return Selection(
        table["variable"],
        _chosen(table.get("entity")),
        _chosen(table.get("region")),
        _chosen(table.get("detail")),
        entering,
    )


def _chosen(value: str | Sequence[str] | None) -> Selector:
    if isinstance(value, str) and value.startswith("@"):
        return _members(value)
    return value if value is None or isinstance(value, str) else tuple(value)


def _members(name: str) -> tuple[str, ...]:
    if not name.startswith("@"):
        return (name,)
    groups = load_groups()
    if name[1:] not in groups:
        raise InputError("group", name, f"one of @{', @'.join(sorted(groups))}")
    return groups[name[1:]]


@cache
def _definitions() -> dict[str, Any]:
    return tomllib.loads(files("computemarket.model.data").joinpath("measures.toml").read_text("utf-8"))
