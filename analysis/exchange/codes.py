"""The codelist of an exchange: how recorded variables are called in IAMC form, their units, what they mean.

The form is that of the Integrated Assessment Modeling Consortium: a variable is a path of names divided by bars, from
the whole to its parts. Codelists are written as the `nomenclature` package reads them.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from computemarket.analysis.results.measures import load_measures
from computemarket.model.world.world import read_rows
from computemarket.scenarios.observers.quarter import recorded_variables

WORLD = "World"
YEARS, QUARTERS = "years", "quarters"
_PER = {YEARS: "yr", QUARTERS: "quarter"}
_REGIONS = {"": WORLD, "world": WORLD, "west": "West", "world_outside_china": "World outside China"}
_BAR = "|"
_UNKNOWN = "not described; a year is the mean of its quarters"
_COUNTED = ("share", "1", "ln", "%")  # units of rates, which are not flows even where they add up


@dataclass(frozen=True, slots=True)
class Code:
    """A recorded variable in exchange.

    `over_year`: sum (flows), mean (prices, rates) or end (stocks). `single`: its one actor is part of its meaning.
    """

    variable: str
    name: str
    over_year: str
    description: str
    single: bool = False

    def path(self, entity: str, detail: str) -> str:
        """Return the name of one series: the variable, then the actor, then the detail."""
        actor = "" if self.single or entity == "world" else entity
        return _BAR.join(part.replace(_BAR, "/") for part in (self.name, actor, detail) if part)

    def unit(self, unit: str, periods: str) -> str:
        """Return the unit in which a period is stated: a flow says over which time it is counted."""
        flow = self.over_year == "sum" and unit not in _COUNTED and "/" not in unit
        return f"{unit}/{_PER[periods]}" if flow else unit


@cache
def recorded_codes() -> dict[str, Code]:
    """Return the codes of what the market records, by variable."""
    return {
        name: Code(name, one.title, one.over_year, one.meaning, one.single)
        for name, one in recorded_variables().items()
    }


def code_of(variable: str, unit: str) -> Code:
    """Return the code of a variable of a results table: recorded, a headline measure, or one that nobody described."""
    measures = load_measures()
    recorded = recorded_codes().get(variable)
    if variable in measures and (recorded is None or unit == measures[variable].unit):
        one = measures[variable]
        name = one.label[:1].upper() + one.label[1:]
        return Code(variable, f"{name} (headline)", one.aggregate, one.label)
    if recorded is not None:
        return recorded
    return Code(variable, variable.replace("_", " ").strip().title() or "Unnamed", "mean", _UNKNOWN)


def region_of(region: str) -> str:
    """Return the name of a region: the world where a series has none."""
    return _REGIONS.get(region) or _countries().get(region, region).replace(_BAR, "/")


@cache
def _countries() -> dict[str, str]:
    return {row["id"]: row["name"] for row in read_rows("countries")}


@dataclass(frozen=True, order=True, slots=True)
class Entry:
    """One line of a codelist."""

    name: str
    units: tuple[str, ...]
    description: str


def entry_of(variable: str, unit: str, entity: str, detail: str) -> Entry:
    """Return the codelist entry of one series, with its unit over years and over quarters."""
    code = code_of(variable, unit)
    units = tuple(dict.fromkeys(code.unit(unit, periods) for periods in (YEARS, QUARTERS)))
    return Entry(code.path(entity, detail), units, code.description)


def variable_yaml(entries: Iterable[Entry]) -> Iterator[str]:
    """Yield the lines of a codelist of variables as YAML."""
    for one in sorted(set(entries)):
        yield f"- {_quoted(one.name)}:"
        yield f"    description: {_quoted(one.description)}"
        listed = ", ".join(_quoted(unit) for unit in one.units)
        yield f"    unit: {listed if len(one.units) == 1 else f'[{listed}]'}"


def region_yaml(regions: Iterable[str]) -> Iterator[str]:
    """Yield the lines of a codelist of regions as YAML."""
    yield "- computemarket:"
    for name in sorted(set(regions)):
        yield f"  - {_quoted(name)}"


def _quoted(text: str) -> str:
    """Return text as a YAML scalar that is text whatever it looks like; JSON is YAML."""
    shown = json.dumps(text, ensure_ascii=False)
    return "".join(one if one.isprintable() else f"\\U{ord(one):08x}" for one in shown)
