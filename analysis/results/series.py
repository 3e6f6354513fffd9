"""Results as arrays: every series of a results table as (runs, quarters), made when it is asked for."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from computemarket.errors import InputError, is_memory
from computemarket.model.core.arrays import Floats
from computemarket.model.core.calendar import QUARTERS
from computemarket.scenarios.results.manifests import RUN
from computemarket.scenarios.results.open_results import open_results

if TYPE_CHECKING:
    import pandas as pd

    from computemarket.model.core.recorder import Recorder

KEYS = ("entity", "region", "detail")
COLUMNS = ("scenario", "run", "quarter", "variable", *KEYS, "unit", "value")
WORLD = "world"  # an entity that is already a total, so never an addend
Selector = str | Sequence[str] | None


class NotSimulatedError(LookupError):
    """A series that the results do not hold."""


@dataclass(frozen=True)
class Block:
    """All series of one variable.

    Parameters
    ----------
    labels : one (entity, region, detail) per series
    values : (S, R, Q) in the unit of the variable; NaN where the table has no row
    """

    labels: tuple[tuple[str, str, str], ...]
    values: Floats

    @cached_property
    def columns(self) -> dict[str, list[str]]:
        """The labels by key column."""
        return {key: [label[place] for label in self.labels] for place, key in enumerate(KEYS)}


@dataclass
class Panels:
    """The series of one scenario, as arrays.

    Parameters
    ----------
    quarters : (Q,) labels like 2024Q1, in order of time
    runs : (R,) run numbers
    variables : names that can be asked for
    load : gives the block of one variable
    """

    quarters: tuple[str, ...]
    runs: tuple[int, ...]
    variables: frozenset[str]
    load: Callable[[str], Block]
    scenario: str = ""
    _blocks: dict[str, Block] = field(default_factory=dict)

    def block(self, variable: str) -> Block:
        """Return all series of a variable; NotSimulatedError when the results do not hold it."""
        if variable not in self.variables:
            raise NotSimulatedError(f"no variable {variable}")
        if variable not in self._blocks:
            self._blocks[variable] = self.load(variable)
        return self._blocks[variable]

    def select(
        self, variable: str, entity: Selector = None, region: Selector = None, detail: Selector = None
    ) -> Floats:
        """Return the series that match every selector, (S, R, Q); a selector of None matches all.

        Without an entity the totals of the entity "world" are left out. Raises NotSimulatedError when nothing
        matches.
        """
        block = self.block(variable)
        chosen = np.ones(len(block.labels), dtype=bool)
        for key, wanted in zip(KEYS, (entity, region, detail), strict=True):
            if wanted is not None:
                names = {wanted} if isinstance(wanted, str) else set(wanted)
                chosen &= np.array([label in names for label in block.columns[key]], dtype=bool)
        if entity is None and any(label != WORLD for label in block.columns["entity"]):
            chosen &= np.array([label != WORLD for label in block.columns["entity"]], dtype=bool)
        if not chosen.any():
            asked = ", ".join(
                str(s) if isinstance(s, str) else "/".join(s) for s in (entity, region, detail) if s
            )
            raise NotSimulatedError(f"no {variable} of {asked}" if asked else f"no rows of {variable}")
        found: Floats = np.compress(chosen, block.values, axis=0)
        return found

    def total(
        self, variable: str, entity: Selector = None, region: Selector = None, detail: Selector = None
    ) -> Floats:
        """Return the sum over the matching series, (R, Q); a missing row counts as zero."""
        found: Floats = np.nansum(self.select(variable, entity, region, detail), axis=0)
        return found

    def level(
        self,
        variable: str,
        entity: Selector = None,
        region: Selector = None,
        detail: Selector = None,
        *,
        positive: bool = False,
    ) -> Floats:
        """Return the mean over the matching series, (R, Q); NaN where no series has a row.

        With `positive` a zero counts as no row: the price of what is not on sale.
        """
        values = self.select(variable, entity, region, detail)
        known = ~np.isnan(values)
        if positive:
            known &= values > 0.0
        count = known.sum(axis=0)
        summed: Floats = np.where(known, values, 0.0).sum(axis=0)
        mean: Floats = np.divide(summed, count, out=np.full(summed.shape, np.nan), where=count > 0)
        return mean

    def entities(self, variable: str) -> list[str]:
        """Return the entities of a variable, sorted."""
        return sorted(set(self.block(variable).columns["entity"]))


def panels_from_arrays(
    quarters: Sequence[str],
    series: Mapping[tuple[str, str, str, str], Floats],
    scenario: str = "",
) -> Panels:
    """Wrap arrays that are in memory already.

    Parameters
    ----------
    quarters : (Q,) labels
    series : (variable, entity, region, detail) -> (R, Q)
    """
    by_variable: dict[str, list[tuple[str, str, str]]] = {}
    for variable, *label in series:
        by_variable.setdefault(variable, []).append((label[0], label[1], label[2]))
    runs = next((len(values) for values in series.values()), 0)

    def load(variable: str) -> Block:
        labels = by_variable[variable]
        return Block(tuple(labels), np.stack([series[(variable, *label)] for label in labels]))

    return Panels(tuple(quarters), tuple(range(runs)), frozenset(by_variable), load, scenario)


def panels_from_recorder(recorder: "Recorder", scenario: str, runs: Sequence[int]) -> Panels:
    """Wrap what a market has recorded."""
    quarters = max((len(series.values) for series in recorder.series.values()), default=0)

    def load(variable: str) -> Block:
        series = recorder.series[variable]
        labels = tuple(zip(series.entity, series.region, series.detail, strict=True))
        return Block(labels, np.ascontiguousarray(np.moveaxis(recorder.array(variable), 2, 0)))

    return Panels(QUARTERS[:quarters], tuple(runs), frozenset(recorder.series), load, scenario)


def panels_from_frame(frame: "pd.DataFrame", scenario: str | None = None) -> Panels:
    """Index a results table.

    Parameters
    ----------
    frame : columns of `COLUMNS` but `unit`; fastest when the text columns are categories
    scenario : which one, where the table holds several

    Raises
    ------
    InputError
        if a column is missing or the table holds another number of scenarios than one.
    """
    missing = [name for name in COLUMNS if name not in frame.columns and name not in ("unit", "scenario")]
    if missing:
        raise InputError("results", sorted(frame.columns), f"a table with the columns {', '.join(missing)}")
    frame, scenario = _one_scenario(frame, scenario)
    codes: dict[str, Any] = {}
    names: dict[str, list[str]] = {}
    for key in ("quarter", "variable", *KEYS):
        categories = frame[key].astype("category").cat
        codes[key], names[key] = categories.codes.to_numpy(), [str(name) for name in categories.categories]
    run = frame["run"].to_numpy().astype(np.int64)
    run_numbers = np.flatnonzero(np.bincount(run))
    present = np.flatnonzero(np.bincount(codes["quarter"], minlength=len(names["quarter"])))
    quarters = sorted(names["quarter"][code] for code in present)
    place_of_quarter = np.full(len(names["quarter"]), -1)
    for code in present:
        place_of_quarter[code] = quarters.index(names["quarter"][code])
    table = _Table(
        codes=codes,
        names=names,
        run=np.searchsorted(run_numbers, run),
        quarter=place_of_quarter[codes["quarter"]],
        value=frame["value"].to_numpy(),
        shape=(len(run_numbers), len(quarters)),
    )
    variables = np.flatnonzero(np.bincount(codes["variable"], minlength=len(names["variable"])))
    return Panels(
        tuple(quarters),
        tuple(int(run) for run in run_numbers),
        frozenset(names["variable"][code] for code in variables),
        table.block,
        scenario,
    )


def read_panels(
    directory: Path | str, variables: Iterable[str] | None = None, until: str | None = None
) -> Panels:
    """Read results.parquet of a results directory: only the variables asked for, only until a quarter.

    Raises
    ------
    InputError
        if the directory holds no readable results.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = open_results(Path(directory), RUN).files[0]
    filters: list[tuple[str, str, object]] = []
    if variables is not None:
        filters.append(("variable", "in", sorted(variables)))
    if until is not None:
        filters.append(("quarter", "<=", until))
    columns = [name for name in COLUMNS if name != "unit"]
    text = ["scenario", "quarter", "variable", *KEYS]
    try:
        table = pq.read_table(path, columns=columns, filters=filters or None, read_dictionary=text)
    except (pa.ArrowException, OSError, KeyError) as error:
        if is_memory(error):
            raise
        raise InputError(str(path), type(error).__name__, "a readable results table") from error
    return panels_from_frame(table.to_pandas(categories=text))


@dataclass(frozen=True)
class _Table:
    """Columns of a results table as codes, so that a block is a few passes over numbers."""

    codes: dict[str, Any]
    names: dict[str, list[str]]
    run: Any
    quarter: Any
    value: Any
    shape: tuple[int, int]

    def block(self, variable: str) -> Block:
        rows = np.flatnonzero(self.codes["variable"] == self.names["variable"].index(variable))
        widths = [len(self.names[key]) for key in KEYS]
        series = np.zeros(len(rows), dtype=np.int64)
        for key, width in zip(KEYS, widths, strict=True):
            series = series * width + self.codes[key][rows]
        used = np.flatnonzero(np.bincount(series, minlength=1))
        place = np.zeros(int(used[-1]) + 1 if len(used) else 1, dtype=np.int64)
        place[used] = np.arange(len(used))
        runs, quarters = self.shape
        cell = (place[series] * runs + self.run[rows]) * quarters + self.quarter[rows]
        values = np.full(len(used) * runs * quarters, np.nan)
        values[cell] = self.value[rows]
        if len(cell) > len(values) or np.bincount(cell, minlength=1).max(initial=0) > 1:
            raise InputError(f"results: {variable}", "two rows", "one row for a run, quarter and series")
        labels = [self._label(int(code), widths) for code in used]
        return Block(tuple(labels), values.reshape(len(used), runs, quarters))

    def _label(self, code: int, widths: list[int]) -> tuple[str, str, str]:
        rest, detail = divmod(code, widths[2])
        entity, region = divmod(rest, widths[1])
        return self.names["entity"][entity], self.names["region"][region], self.names["detail"][detail]


def _one_scenario(frame: "pd.DataFrame", scenario: str | None) -> "tuple[pd.DataFrame, str]":
    if "scenario" not in frame.columns:
        return frame, scenario or ""
    found = [str(name) for name in frame["scenario"].unique()]
    if scenario is None and len(found) > 1:
        raise InputError("results", sorted(found), "a table of one scenario")
    if scenario is not None and len(found) > 1:
        return frame[frame["scenario"] == scenario], scenario
    return frame, found[0] if found else ""
