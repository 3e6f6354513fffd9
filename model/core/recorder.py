"""What is kept of every quarter, and how it becomes one tidy table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from computemarket.model.core.arrays import Bools, Floats, Ints
from computemarket.model.core.calendar import QUARTERS

COLUMNS = ("scenario", "run", "quarter", "variable", "entity", "region", "detail", "unit", "value")
Labels = Sequence[str]


@dataclass
class Series:
    """One variable: its labels, fixed when first recorded, and its values by quarter."""

    unit: str
    entity: list[str]
    region: list[str]
    detail: list[str]
    keep: Bools | None
    values: list[Floats] = field(default_factory=list)  # T times (R, n)


class Recorder:
    """Collects arrays each quarter; `table()` lays them out as tidy rows.

    Parameters
    ----------
    units : the unit of every variable that is declared
    wanted : names of the variables to keep, or None for all
    """

    def __init__(self, units: Mapping[str, str], wanted: frozenset[str] | None = None) -> None:
        self.units = units
        self.wanted = wanted
        self.series: dict[str, Series] = {}

    def add(
        self,
        variable: str,
        values: Floats,
        *,
        entity: str | Labels = "",
        region: str | Labels = "",
        detail: str | Labels = "",
        keep: Bools | None = None,
    ) -> None:
        """Record one quarter of a variable.

        Parameters
        ----------
        values : (R, …) with one trailing axis for each of entity, region, detail that is a sequence, in that order
        keep : (…) which cells of the trailing axes mean anything; the same in every quarter

        Raises
        ------
        ValueError
            if nobody declared the variable, or the labels do not fit the values.
        """
        if variable not in self.units:
            raise ValueError(f"{variable} is recorded and nowhere declared")
        if self.wanted is not None and variable not in self.wanted:
            return
        if variable not in self.series:
            self.series[variable] = _layout(self.units[variable], entity, region, detail, keep)
        chosen = self.series[variable]
        flat = values.reshape(len(values), -1)
        if chosen.keep is not None:
            flat = np.compress(chosen.keep, flat, axis=1)
        if flat.shape[1] != len(chosen.entity):
            raise ValueError(f"{variable}: {flat.shape[1]} values for {len(chosen.entity)} labels")
        chosen.values.append(np.array(flat, dtype=np.float64, order="C"))

    def wants(self, *variables: str) -> bool:
        """Say whether any of some variables is kept: what is costly is not computed for nobody."""
        return self.wanted is None or not self.wanted.isdisjoint(variables)

    def array(self, variable: str) -> Floats:
        """Return (R, T, n) values of a variable."""
        return np.stack(self.series[variable].values, axis=1)

    def layout(self) -> "Layout":
        """Return which series were recorded, in the order of the rows of the table."""
        return Layout(
            tuple(
                (name, series.unit, tuple(zip(series.entity, series.region, series.detail, strict=True)))
                for name, series in self.series.items()
            )
        )

    def values(self) -> Floats:
        """Return everything recorded in the order of the rows of the table: by variable, run, quarter, series."""
        return np.concatenate([self.array(name).reshape(-1) for name in self.series] or [np.empty(0)])

    def table(self, scenario: str, runs: Ints) -> Any:
        """Return the recorded quarters as a pyarrow Table with the columns of `COLUMNS`."""
        quarters = max((len(series.values) for series in self.series.values()), default=0)
        return tidy_table(self.layout(), scenario, runs, quarters, self.values())


@dataclass(frozen=True)
class Layout:
    """The series of a table: (variable, unit, ((entity, region, detail) of each series))."""

    variables: tuple[tuple[str, str, tuple[tuple[str, str, str], ...]], ...]

    def rows(self, runs: int, quarters: int) -> list[int]:
        """Return the number of rows of each variable."""
        return [runs * quarters * len(cells) for _, _, cells in self.variables]


def tidy_table(layout: Layout, scenario: str, runs: Ints, quarters: int, values: Floats) -> Any:
    """Return a pyarrow Table with the columns of `COLUMNS`; text is stored as codes of words.

    Parameters
    ----------
    runs : (R,) run numbers
    quarters : number of quarters T
    values : all values by variable, run, quarter and series, as `Recorder.values` gives them
    """
    import pyarrow as pa

    words, codes, run = _codes(layout, len(runs), quarters)
    texts = {"scenario": [scenario], "quarter": list(QUARTERS[:quarters]), **words}
    columns = {
        name: pa.DictionaryArray.from_arrays(codes[name], pa.array(text, pa.string()))
        for name, text in texts.items()
    }
    columns["run"] = pa.array(np.take(runs.astype(np.int32), run))
    columns["value"] = pa.array(values)
    return pa.table({name: columns[name] for name in COLUMNS})


@lru_cache(maxsize=2)  # chunks of one ensemble share it
def _codes(layout: Layout, runs: int, quarters: int) -> tuple[dict[str, list[str]], dict[str, Any], Any]:
    """Return the words of the text columns, the code of every row in each, and its place among the runs."""
    cells = [cell for _, _, cells in layout.variables for cell in cells]
    words = {
        key: sorted({cell[place] for cell in cells})
        for place, key in enumerate(("entity", "region", "detail"))
    }
    words["variable"] = [name for name, _, _ in layout.variables]
    words["unit"] = sorted({unit for _, unit, _ in layout.variables})
    codes: dict[str, Any] = {name: [] for name in ("quarter", *words)}
    run = []
    for number, (_, unit, cells_of_variable) in enumerate(layout.variables):
        shape = (runs, quarters, len(cells_of_variable))
        places = {
            "quarter": np.arange(quarters)[:, None],
            "variable": number,
            "unit": words["unit"].index(unit),
            **{
                key: np.array([words[key].index(cell[place]) for cell in cells_of_variable], dtype=np.int16)
                for place, key in enumerate(("entity", "region", "detail"))
            },
        }
        for name, place in places.items():
            codes[name].append(np.broadcast_to(np.asarray(place, dtype=np.int16), shape).reshape(-1))
        run.append(np.broadcast_to(np.arange(runs, dtype=np.int32)[:, None, None], shape).reshape(-1))
    nothing = np.empty(0, dtype=np.int16)
    joined = {name: np.concatenate([nothing, *parts]) for name, parts in codes.items()}
    joined["scenario"] = np.zeros(len(joined["variable"]), dtype=np.int16)
    return words, joined, np.concatenate([np.empty(0, dtype=np.int32), *run])


def _layout(
    unit: str, entity: str | Labels, region: str | Labels, detail: str | Labels, keep: Bools | None
) -> Series:
    """Spread the labels of the trailing axes over their product, in C order."""
    axes = [[axis] if isinstance(axis, str) else list(axis) for axis in (entity, region, detail)]
    cells = [(e, r, d) for e in axes[0] for r in axes[1] for d in axes[2]]
    mask = None if keep is None else np.ascontiguousarray(keep, dtype=np.bool_).reshape(-1)
    if mask is not None:
        cells = [cell for cell, kept in zip(cells, mask.tolist(), strict=True) if kept]
    columns = [list(texts) for texts in zip(*cells, strict=True)] if cells else [[], [], []]
    return Series(unit, columns[0], columns[1], columns[2], mask)
