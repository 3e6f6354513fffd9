"""What a report reads: stored series, and series of the same runs that a result leaves out, simulated again."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from computemarket.analysis.record.history import Key, Observation, load_counterparts, read_history
from computemarket.analysis.results.measures import measure
from computemarket.analysis.results.series import (
    COLUMNS,
    Block,
    NotSimulatedError,
    Panels,
    Selector,
    panels_from_arrays,
    panels_from_frame,
)
from computemarket.errors import InputError, is_memory
from computemarket.model.core.arrays import Floats
from computemarket.model.core.parameters import Distribution, ParameterValues, Schedule, schema
from computemarket.model.core.randomness import Streams
from computemarket.scenarios.batches.ensemble import chunks, simulate_chunk
from computemarket.scenarios.observers.report import REPORT_VARIABLES
from computemarket.scenarios.results.manifests import RUN
from computemarket.scenarios.results.open_results import open_results
from computemarket.scenarios.results.provenance import changed_versions, scenario_of
from computemarket.scenarios.schema import Scenario

CONTROL = "data_center_revenue_usd"  # simulated again and compared, bit for bit, with what is stored


@dataclass
class Source:
    """One ensemble.

    Parameters
    ----------
    panels : stored series of all runs
    detail : series of the first runs that were simulated again; None where that cannot be done
    reason : why there is no detail, else empty
    manifest : of the folder
    """

    folder: Path
    scenario: Scenario
    panels: Panels
    detail: Panels | None
    reason: str
    manifest: Mapping[str, Any]
    record: Mapping[Key, tuple[Observation, ...]] = field(default_factory=read_history)

    @property
    def runs(self) -> int:
        """Number of runs."""
        return len(self.panels.runs)

    @property
    def quarters(self) -> tuple[str, ...]:
        """The simulated quarters."""
        return self.panels.quarters

    @cached_property
    def years(self) -> tuple[str, ...]:
        """The years that are wholly simulated."""
        found = sorted({quarter[:4] for quarter in self.quarters})
        return tuple(y for y in found if f"{y}Q1" in self.quarters and f"{y}Q4" in self.quarters)

    @cached_property
    def values(self) -> ParameterValues:
        """The parameters of all runs, drawn again as the market drew them."""
        numbers = np.array(self.panels.runs, dtype=np.int64)
        return ParameterValues(self.scenario.settings, Streams(self.scenario.seed, numbers))

    @cached_property
    def record_ends(self) -> str:
        """The last quarter of the recorded history."""
        return record_ends(self.record)

    def panels_of(self, variable: str) -> Panels:
        """Return the panels that hold a variable; NotSimulatedError where none does."""
        if variable in self.panels.variables:
            return self.panels
        if self.detail is not None and variable in self.detail.variables:
            return self.detail
        raise NotSimulatedError(f"no variable {variable}")

    def total(
        self, variable: str, entity: Selector = None, region: Selector = None, detail: Selector = None
    ) -> Floats:
        """Return the (R, Q) sum over matching series; zero where a group has no member."""
        try:
            return self.panels_of(variable).total(variable, entity, region, detail)
        except NotSimulatedError:
            panels = self.panels_of(variable)
            return np.zeros((len(panels.runs), len(panels.quarters)))

    def level(
        self, variable: str, entity: Selector = None, region: Selector = None, detail: Selector = None
    ) -> Floats:
        """Return the (R, Q) mean over matching series; NaN where none is known."""
        return self.panels_of(variable).level(variable, entity, region, detail)

    def labels(self, variable: str, key: str) -> list[str]:
        """Return the distinct labels of a variable in one key column, in the order of the results."""
        return list(dict.fromkeys(self.panels_of(variable).block(variable).columns[key]))

    def parameter(self, name: str, runs: int | None = None) -> Floats:
        """Return the (R,) values of a parameter in the last quarter, of the first `runs` runs."""
        return self.values.at(name, len(self.quarters) - 1)[: runs or self.runs]

    def parameter_path(self, name: str, runs: int) -> Floats:
        """Return the (R, Q) values of a parameter."""
        return np.stack([self.values.at(name, place)[:runs] for place in range(len(self.quarters))], axis=1)

    def recorded(self, name: str) -> list[tuple[str, float]]:
        """Return the recorded (period, value) of a measure, in its unit."""
        return record_of(self.record, name)

    def uncertain(self) -> list[str]:
        """Return the parameters that differ from run to run."""
        settings = self.scenario.settings
        return [name for name, one in schema().items() if _varies(settings.get(name, one.setting))]


def record_of(record: Mapping[Key, Sequence[Observation]], name: str) -> list[tuple[str, float]]:
    """Return the recorded (period, value) of a measure, in its unit."""
    found: list[tuple[str, float]] = []
    for key, counterpart in load_counterparts().items():
        if counterpart.measure.name == name:
            found += [(point.period, point.value * counterpart.scale) for point in record.get(key, ())]
    return found


def record_ends(record: Mapping[Key, Sequence[Observation]]) -> str:
    """Return the last quarter of a record."""
    periods = {point.period for points in record.values() for point in points if "Q" in point.period}
    return max(periods, default="")


def _varies(setting: object) -> bool:
    if isinstance(setting, Schedule):
        return any(isinstance(value, Distribution) for _, value in setting.steps)
    return isinstance(setting, Distribution)


def read_source(folder: Path, detail_runs: int) -> Source:
    """Read the results of a run.

    Parameters
    ----------
    detail_runs : runs to simulate again for what results leave out; 0: none

    Raises
    ------
    InputError
        if the folder does not hold whole results that this version can read.
    """
    opened = open_results(folder, RUN)
    manifest = opened.manifest
    scenario = scenario_of(folder)
    panels = read_by_group(opened.files[0])
    detail, reason = again(scenario, panels, detail_runs)
    if reason and detail_runs:
        changed = changed_versions(manifest)
        reason = f"{reason} ({'; '.join(changed[:3])})" if changed else reason
    return Source(folder, scenario, panels, detail, reason, manifest)


def read_by_group(path: Path) -> Panels:
    """Read a results table a row group at a time: what is held in memory is its numbers, not its rows of words.

    Raises
    ------
    InputError
        if the file is not a readable results table.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    text = [name for name in COLUMNS if name not in ("run", "value", "unit")]
    parts: dict[str, list[tuple[Panels, Block]]] = {}
    try:
        with pq.ParquetFile(path, read_dictionary=text) as file:
            for group in range(file.num_row_groups):
                table = file.read_row_group(group, [*text, "run", "value"])
                held = panels_from_frame(table.to_pandas(categories=text))
                for variable in held.variables:
                    parts.setdefault(variable, []).append((held, held.load(variable)))
                held.load = _gone  # lets go of the rows
    except (pa.ArrowException, OSError, KeyError) as error:
        if is_memory(error):
            raise
        raise InputError(str(path), type(error).__name__, "a readable results table") from error
    return _joined(parts)


def _gone(variable: str) -> Block:
    raise NotSimulatedError(variable)


def _joined(parts: dict[str, list[tuple[Panels, Block]]]) -> Panels:
    """Return one panel of parts that hold some runs and variables each."""
    every = [held for blocks in parts.values() for held, _ in blocks]
    if not every:
        raise InputError("results", "an empty table", "a table with rows")
    runs = tuple(sorted({run for held in every for run in held.runs}))
    quarters = tuple(sorted({quarter for held in every for quarter in held.quarters}))
    place_of_run = {run: place for place, run in enumerate(runs)}
    place_of_quarter = {quarter: place for place, quarter in enumerate(quarters)}

    def load(variable: str) -> Block:
        labels = sorted({label for _, block in parts[variable] for label in block.labels})
        place = {label: row for row, label in enumerate(labels)}
        values = np.full((len(labels), len(runs), len(quarters)), np.nan)
        for held, block in parts.pop(variable):  # asked for once: panels keep their blocks
            rows = np.array([place[label] for label in block.labels])
            mine = np.array([place_of_run[run] for run in held.runs])
            when = np.array([place_of_quarter[quarter] for quarter in held.quarters])
            target = np.ix_(rows, mine, when)
            values[target] = np.where(np.isnan(block.values), values[target], block.values)
        return Block(tuple(labels), values)

    return Panels(quarters, runs, frozenset(parts), load, every[0].scenario)


def again(scenario: Scenario, panels: Panels, runs: int) -> tuple[Panels | None, str]:
    """Simulate the first runs again and return what a report needs of them, or why that cannot be.

    A run's history does not depend on which others are simulated, so these are the stored runs; to be sure, a stored
    series is compared with its second edition.
    """
    count = min(runs, len(panels.runs))
    if count < 1:
        return None, "not asked for (--detail-runs 0)"
    if panels.runs[:count] != tuple(range(count)):
        return None, "the runs are not numbered from 0"
    try:
        found = simulate_series(scenario, count, REPORT_VARIABLES | {CONTROL})
    except (InputError, ArithmeticError, TypeError, KeyError) as error:
        return None, f"this version does not simulate the scenario ({type(error).__name__})"
    if CONTROL in panels.variables:
        stored = panels.block(CONTROL).values[:, :count]
        if stored.shape != found.block(CONTROL).values.shape or not np.array_equal(
            stored, found.block(CONTROL).values
        ):
            return None, "this version gives other histories than the stored ones"
    return found, ""


def simulate_series(scenario: Scenario, runs: int, variables: frozenset[str]) -> Panels:
    """Simulate runs 0..runs-1 and return some of their series."""
    parts: dict[tuple[str, str, str, str], list[Floats]] = {}
    quarters: tuple[str, ...] = ()
    for panels in _chunked(scenario, runs, variables):
        quarters = panels.quarters
        for variable in sorted(panels.variables):
            block = panels.block(variable)
            for place, label in enumerate(block.labels):
                parts.setdefault((variable, *label), []).append(block.values[place])
    series = {key: np.concatenate(values) for key, values in parts.items()}
    ordered = dict(sorted(series.items()))  # as a stored table has them
    return panels_from_arrays(quarters, ordered, scenario.name)


def _chunked(scenario: Scenario, runs: int, variables: frozenset[str]) -> Iterator[Panels]:
    from computemarket.analysis.results.series import panels_from_recorder

    for numbers in chunks(runs):
        yield panels_from_recorder(simulate_chunk(scenario, numbers, variables), "", numbers.tolist())


def by_year(values: Floats, quarters: Sequence[str], how: str = "sum") -> tuple[tuple[str, ...], Floats]:
    """Turn (R, Q) quarters into (R, Y) whole years: sum, mean or end."""
    years = [y for y in sorted({q[:4] for q in quarters}) if f"{y}Q1" in quarters and f"{y}Q4" in quarters]
    columns = []
    for year in years:
        first = quarters.index(f"{year}Q1")
        part = values[:, first : first + 4]
        columns.append(
            part[:, -1] if how == "end" else part.mean(axis=1) if how == "mean" else part.sum(axis=1)
        )
    return tuple(years), np.stack(columns, axis=1) if columns else np.empty((len(values), 0))


def series_of(source: Source, name: str) -> Floats:
    """Return a measure in every quarter, (R, Q)."""
    return measure(name).series(source.panels)
