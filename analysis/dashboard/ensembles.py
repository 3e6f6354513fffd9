"""The measures of an ensemble run by run, simulated now or read from a folder of results."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from computemarket.analysis.results.measures import Measure, load_measures
from computemarket.analysis.results.series import (
    NotSimulatedError,
    Panels,
    panels_from_frame,
    panels_from_recorder,
    read_panels,
)
from computemarket.errors import InputError
from computemarket.model.core.arrays import Floats, Ints
from computemarket.scenarios.results.manifests import RUN
from computemarket.scenarios.results.open_results import Opened, open_results
from computemarket.scenarios.schema import Scenario

BLOCK_RUNS = 64  # simulated between two moves of the progress bar
QUARTERS, YEARS = "quarters", "years"
Progress = Callable[[float], object]


@dataclass(frozen=True)
class Ensemble:
    """Measures run by run.

    Parameters
    ----------
    periods : grain -> labels, of quarters and of years that are wholly simulated
    values : (measure, grain) -> (R, periods); a measure without a number is left out
    seed : None where the runs cannot be paired with those of another ensemble
    """

    label: str
    runs: Ints
    periods: Mapping[str, tuple[str, ...]]
    values: Mapping[tuple[str, str], Floats]
    seed: int | None

    def measures(self) -> list[str]:
        """Return the names of the measures, in the order of their definition."""
        return [name for name in load_measures() if (name, QUARTERS) in self.values]


def variables_of_measures() -> frozenset[str]:
    """Return the variables of a results table that the measures read."""
    return frozenset().union(*(one.variables for one in load_measures().values()))


def simulate_ensemble(
    scenario: Scenario, label: str, runs: int, progress: Progress | None = None
) -> Ensemble:
    """Simulate runs 0..runs-1 of a scenario and return its measures.

    Parameters
    ----------
    progress : told the share that is done after each block of runs
    """
    from computemarket.scenarios.batches.ensemble import simulate_chunk
    from computemarket.scenarios.schema import check_runs

    check_runs(runs)
    parts = []
    for first in range(0, runs, BLOCK_RUNS):
        numbers = np.arange(first, min(first + BLOCK_RUNS, runs), dtype=np.int64)
        recorder = simulate_chunk(scenario, numbers, variables_of_measures())
        parts.append(evaluate(panels_from_recorder(recorder, label, numbers.tolist()), label, scenario.seed))
        if progress is not None:
            progress((int(numbers[-1]) + 1) / runs)
    return join(parts)


def evaluate(panels: Panels, label: str, seed: int | None) -> Ensemble:
    """Return every measure that the panels hold, by quarter and by year."""
    years = sorted({quarter[:4] for quarter in panels.quarters})
    whole = tuple(year for year in years if all(f"{year}Q{q}" in panels.quarters for q in range(1, 5)))
    values: dict[tuple[str, str], Floats] = {}
    for name, one in load_measures().items():
        try:
            values[name, QUARTERS] = one.series(panels)
            if whole:
                values[name, YEARS] = np.stack([one.at(panels, year) for year in whole], axis=1)
        except NotSimulatedError:
            values.pop((name, QUARTERS), None)
    runs = np.array(panels.runs, dtype=np.int64)
    return Ensemble(label, runs, {QUARTERS: panels.quarters, YEARS: whole}, values, seed)


def join(parts: list[Ensemble]) -> Ensemble:
    """Put blocks of runs of one ensemble together."""
    first = parts[0]
    values = {key: np.concatenate([part.values[key] for part in parts]) for key in first.values}
    return Ensemble(
        first.label, np.concatenate([part.runs for part in parts]), first.periods, values, first.seed
    )


def stored_cases(folder: Path) -> list[tuple[str, str]]:
    """Return the (scenario, policy) pairs that a folder of results holds; policy is empty for a single run.

    Raises
    ------
    InputError
        if the folder holds neither a run nor a batch.
    """
    opened = open_results(folder)
    if opened.kind == RUN:
        return [(str(opened.manifest["scenario"]), "")]
    return [(str(case["scenario"]), str(case["policy"])) for case in opened.manifest["study"]["cases"]]


def stored_ensemble(folder: Path, scenario: str, policy: str) -> Ensemble:
    """Read the measures of one case of a folder of results.

    Raises
    ------
    InputError
        if the folder holds no readable results of that case.
    """
    opened = open_results(folder)
    label = " ".join(part for part in ("stored", scenario, policy) if part)
    if opened.kind == RUN:
        panels = read_panels(folder, variables_of_measures())
        return evaluate(panels, label, int(opened.manifest["seed"]))
    frame = _rows_of_case(opened, scenario, policy)
    if frame.empty:
        raise InputError("DIR", str(folder), f"results of {scenario} {policy}".rstrip())
    panels = panels_from_frame(frame, scenario)
    if panels.variables & set(load_measures()):  # a batch that kept the headline measures themselves
        return _evaluated_already(panels, label)
    return evaluate(panels, label, None)


def paired(one: Ensemble, other: Ensemble) -> bool:
    """Say whether runs of the same number met the same shocks in both."""
    return one.seed is not None and one.seed == other.seed and np.array_equal(one.runs, other.runs)


def _rows_of_case(opened: Opened, scenario: str, policy: str) -> Any:
    import pyarrow as pa
    import pyarrow.dataset as ds

    names = variables_of_measures() | set(load_measures())
    try:
        chosen = (
            (ds.field("scenario") == scenario)
            & (ds.field("policy") == policy)
            & ds.field("variable").isin(sorted(names))
        )
        columns = ["scenario", "run", "quarter", "variable", "entity", "region", "detail", "value"]
        return opened.dataset().to_table(columns=columns, filter=chosen).to_pandas()
    except (pa.ArrowException, OSError) as error:
        raise InputError("DIR", str(opened.folder), f"readable results ({type(error).__name__})") from error


def _evaluated_already(panels: Panels, label: str) -> Ensemble:
    """Return measures that were stored by quarter; a year is made only of what the quarters alone decide."""
    years = sorted({quarter[:4] for quarter in panels.quarters})
    whole = tuple(year for year in years if all(f"{year}Q{q}" in panels.quarters for q in range(1, 5)))
    values: dict[tuple[str, str], Floats] = {}
    for name, one in load_measures().items():
        if name in panels.variables:
            series = panels.block(name).values[0]
            values[name, QUARTERS] = series
            if whole and (one.denominator is None or one.aggregate != "sum"):
                values[name, YEARS] = _by_year(one, series, panels.quarters, whole)
    runs = np.array(panels.runs, dtype=np.int64)
    return Ensemble(label, runs, {QUARTERS: panels.quarters, YEARS: whole}, values, None)


def _by_year(one: Measure, series: Floats, quarters: tuple[str, ...], years: tuple[str, ...]) -> Floats:
    starts = [quarters.index(f"{year}Q1") for year in years]
    parts = [np.ascontiguousarray(series[:, start : start + 4]) for start in starts]
    if one.aggregate == "end":
        return np.stack([part[:, -1] for part in parts], axis=1)
    if one.aggregate == "mean":
        return np.stack([part.mean(axis=1) for part in parts], axis=1)
    return np.stack([part.sum(axis=1) for part in parts], axis=1)
