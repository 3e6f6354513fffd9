"""Results for other programs: laid out as IAMC or tidy tables, variable by variable."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from computemarket.analysis.exchange.codes import QUARTERS, YEARS, Code, Entry, code_of, entry_of, region_of
from computemarket.analysis.exchange.reading import blocks, cases_of
from computemarket.analysis.results.series import Block
from computemarket.errors import InputError
from computemarket.model.core.arrays import Floats

if TYPE_CHECKING:
    import pandas as pd

MODEL = "computemarket"
QUANTILES, RUNS = "quantiles", "runs"
SUFFIX, COLUMN = "suffix", "column"
IAMC, TIDY = "iamc", "csv"
WIDE, LONG = "wide", "long"
_INDEX = ("model", "scenario", "region", "variable", "unit")
_QUARTERS_OF_YEAR = 4
_KNOWN = 0.5  # share of the runs that have a value, below which a quantile is none (as in every band)


@dataclass(frozen=True)
class Ask:
    """What to export.

    Parameters
    ----------
    form : "iamc" or "csv" (tidy, by the names of the results table)
    periods : "years" or "quarters"; IAMC tables state quarters as `subannual` of a year
    ensemble : "quantiles" over runs, or every one of the "runs"
    mark : where an IAMC table says quantile or run: as a "suffix" of the scenario or in a "column"
    layout : of an IAMC table: "wide" (a column for each year) or "long"
    variables : patterns of variables, as in file names; all where there are none
    """

    form: str = IAMC
    periods: str = YEARS
    ensemble: str = QUANTILES
    mark: str = SUFFIX
    layout: str = WIDE
    quantiles: tuple[float, ...] = (0.1, 0.5, 0.9)
    variables: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, allowed in (
            ("form", (IAMC, TIDY)), ("periods", (YEARS, QUARTERS)), ("ensemble", (QUANTILES, RUNS)),
            ("mark", (SUFFIX, COLUMN)), ("layout", (WIDE, LONG)),
        ):  # fmt: skip
            if getattr(self, name) not in allowed:
                raise InputError(f"--{name}", getattr(self, name), f"one of {', '.join(allowed)}")
        if not self.quantiles or not all(0.0 <= share <= 1.0 for share in self.quantiles):
            raise InputError("--quantile", self.quantiles, "numbers in 0..1")
        names = [quantile_name(share) for share in self.quantiles]
        if len(set(names)) < len(names):
            raise InputError("--quantile", self.quantiles, "numbers that all differ")


def tables(folder: Path, ask: Ask) -> Iterator["pd.DataFrame"]:
    """Yield the tables of an export, all with the same columns, in order of case and variable.

    Raises
    ------
    InputError
        if the folder cannot be read, or nothing in it was asked for.
    """
    some = False
    for case in cases_of(folder):
        for variable, unit, quarters, runs, block in blocks(case, ask.variables):
            table = _table(case.scenario, code_of(variable, unit), unit, quarters, runs, block, ask)
            some = some or len(table) > 0
            yield table
    if not some:
        raise InputError(
            "--variable", ", ".join(ask.variables) or "*", "the name of a variable with values there"
        )


def entries_of(folder: Path, variables: Sequence[str] = ()) -> list[Entry]:
    """Return the codelist of results: every series with its units and its meaning."""
    found = {
        entry_of(variable, unit, entity, detail)
        for case in cases_of(folder)
        for variable, unit, _, _, block in blocks(case, variables)
        for entity, _, detail in block.labels
    }
    return sorted(found)


def regions_of(folder: Path, variables: Sequence[str] = ()) -> list[str]:
    """Return the regions of results."""
    return sorted(
        {
            region_of(region)
            for case in cases_of(folder)
            for _, _, _, _, block in blocks(case, variables)
            for _, region, _ in block.labels
        }
    )


def over_years(values: Floats, quarters: Sequence[str], aggregate: str) -> tuple[list[int], Floats]:
    """Return the years that are wholly there, and their values.

    Parameters
    ----------
    values : (…, Q)
    aggregate : sum, mean (of the quarters that are known) or end
    """
    whole = [name[:4] for name in quarters if name.endswith("Q4")]
    years = [year for year in whole if sum(name.startswith(year) for name in quarters) == _QUARTERS_OF_YEAR]
    found = np.empty((*values.shape[:-1], len(years)))
    for place, year in enumerate(years):
        mine = values[..., [at for at, name in enumerate(quarters) if name.startswith(year)]]
        found[..., place] = _over(mine, aggregate)
    return [int(year) for year in years], found


def _over(values: Floats, aggregate: str) -> Floats:
    if aggregate == "sum":
        return np.asarray(values.sum(axis=-1))
    if aggregate == "end":
        return np.asarray(values[..., -1])
    known = ~np.isnan(values)
    count = known.sum(axis=-1)
    total = np.where(known, values, 0.0).sum(axis=-1)
    return np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)


def over_runs(values: Floats, shares: Sequence[float]) -> Floats:
    """Return quantiles over runs, (S, R, P) to (S, K, P); where fewer than half of the runs are known there is none."""
    known = ~np.isnan(values)
    enough = known.mean(axis=1, keepdims=True) >= _KNOWN
    filled = np.where(enough, values, 0.0)
    percent = [100.0 * share for share in shares]
    found = (np.percentile if known.all() else np.nanpercentile)(filled, percent, axis=1)
    return np.where(enough, np.moveaxis(found, 0, 1), np.nan)


def quantile_name(share: float) -> str:
    """Return the name of a quantile: P10 of 0.1."""
    return f"P{100.0 * share:g}"


def _table(
    scenario: str, code: Code, unit: str, quarters: Sequence[str], runs: Sequence[int], block: Block, ask: Ask
) -> "pd.DataFrame":
    """Lay one variable out."""
    labels: Sequence[int] | Sequence[str]
    values = np.asarray(block.values)
    if ask.periods == YEARS:
        labels, values = over_years(values, quarters, code.over_year)
        if not labels:
            found = f"{quarters[0]} to {quarters[-1]}"
            raise InputError("results", found, "of a whole year; ask for --periods quarters")
    else:
        labels = list(quarters)
    marks: list[object] = list(runs)
    if ask.ensemble == QUANTILES:
        marks = [quantile_name(share) for share in ask.quantiles]
        values = over_runs(values, ask.quantiles)
    if ask.form == TIDY:
        return _tidy(scenario, code, unit, block, marks, labels, values, ask)
    return _iamc(scenario, code, unit, block, marks, labels, values, ask)


def _tidy(
    scenario: str, code: Code, unit: str, block: Block, marks: Sequence[object], labels: Sequence[object],
    values: Floats, ask: Ask,
) -> "pd.DataFrame":  # fmt: skip
    """Return one row for each value, by the names of the results table."""
    import pandas as pd

    shape = values.shape
    series, mark, period = (axis.reshape(-1) for axis in np.indices(shape))
    keys = {
        name: np.array([label[place] for label in block.labels], dtype=object)[series]
        for place, name in enumerate(("entity", "region", "detail"))
    }
    one = "year" if ask.periods == YEARS else "quarter"
    columns = {
        "scenario": scenario,
        "run" if ask.ensemble == RUNS else "quantile": np.array(marks, dtype=object)[mark],
        one: np.array(labels, dtype=object)[period],
        "variable": code.variable,
        **keys,
        "unit": code.unit(unit, ask.periods),
        "value": values.reshape(-1),
    }
    return pd.DataFrame(columns).dropna(subset=["value"]).reset_index(drop=True)


def _iamc(
    scenario: str, code: Code, unit: str, block: Block, marks: Sequence[object], labels: Sequence[object],
    values: Floats, ask: Ask,
) -> "pd.DataFrame":  # fmt: skip
    """Return one row for each series, quantile or run (and quarter of the year), or one for each value."""
    import pandas as pd

    names = [(region_of(region), code.path(entity, detail)) for entity, region, detail in block.labels]
    if len(set(names)) < len(names):
        twice = next(name for place, name in enumerate(names) if name in names[:place])
        raise InputError(f"export: {code.variable}", twice, "a series that is there once")
    seasons: list[tuple[str, list[int], list[int]]] = _seasons(labels, ask.periods)
    shown = code.unit(unit, ask.periods)
    frames = []
    for season, years, places in seasons:
        rows = np.take(values, places, axis=2).reshape(-1, len(years))
        table = pd.DataFrame(rows, columns=years)
        index = [
            (MODEL, _marked(scenario, mark, ask), region, path, shown, mark, season)
            for region, path in names
            for mark in marks
        ]
        head = pd.DataFrame(
            index, columns=[*_INDEX, "run" if ask.ensemble == RUNS else "quantile", "subannual"]
        )
        frames.append(pd.concat([head, table], axis=1).dropna(how="all", subset=years))
    whole = pd.concat(frames, ignore_index=True)
    gone = [
        *(["run", "quantile"] if ask.mark == SUFFIX else []),
        *(["subannual"] if ask.periods == YEARS else []),
    ]
    whole = whole.drop(columns=gone, errors="ignore")
    if ask.layout == WIDE:
        return whole
    index_columns = [name for name in whole.columns if isinstance(name, str)]
    long = whole.melt(id_vars=index_columns, var_name="year", value_name="value").dropna(subset=["value"])
    return long.astype({"year": int}).reset_index(drop=True)


def _seasons(labels: Sequence[object], periods: str) -> list[tuple[str, list[int], list[int]]]:
    """Return (part of the year, years, their places) of the periods; every part has the same years."""
    if periods == YEARS:
        return [("", [int(str(label)) for label in labels], list(range(len(labels))))]
    found = []
    for season in ("Q1", "Q2", "Q3", "Q4"):
        places = [place for place, label in enumerate(labels) if str(label).endswith(season)]
        if places:
            found.append((season, [int(str(labels[place])[:4]) for place in places], places))
    return found


def _marked(scenario: str, mark: object, ask: Ask) -> str:
    if ask.mark == COLUMN:
        return scenario
    return f"{scenario} (run {mark})" if ask.ensemble == RUNS else f"{scenario} ({mark})"
