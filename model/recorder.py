"""What is kept of every quarter, and how it becomes one tidy table."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from computemarket.model.arrays import Bools, Floats, Ints
from computemarket.model.calendar import QUARTERS

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
    wanted : names of the variables to keep, or None for all
    """

    def __init__(self, wanted: frozenset[str] | None = None) -> None:
        self.wanted = wanted
        self.series: dict[str, Series] = {}

    def add(
        self,
        variable: str,
        unit: str,
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
        """
        if self.wanted is not None and variable not in self.wanted:
            return
        if variable not in self.series:
            self.series[variable] = _layout(unit, entity, region, detail, keep)
        chosen = self.series[variable]
        flat = values.reshape(len(values), -1)
        if chosen.keep is not None:
            flat = np.compress(chosen.keep, flat, axis=1)
        chosen.values.append(np.array(flat, dtype=np.float64, order="C"))

    def array(self, variable: str) -> Floats:
        """Return (R, T, n) values of a variable."""
        return np.stack(self.series[variable].values, axis=1)

    def table(self, scenario: str, runs: Ints) -> Any:
        """Return the recorded quarters as a pyarrow Table with the columns of `COLUMNS`."""
        import pyarrow as pa

        parts = [self._rows(name, series, scenario, runs) for name, series in self.series.items()]
        return pa.concat_tables(parts).unify_dictionaries()

    def _rows(self, name: str, series: Series, scenario: str, runs: Ints) -> Any:
        import pyarrow as pa

        values = np.stack(series.values, axis=1)  # (R, T, n)
        count, quarters, cells = values.shape
        rows = values.size
        cell = np.tile(np.arange(cells), count * quarters)

        def repeated(text: str) -> Any:
            return pa.DictionaryArray.from_arrays(np.zeros(rows, dtype=np.int32), pa.array([text]))

        def by_cell(texts: list[str]) -> Any:
            words = sorted(set(texts))
            code = np.array([words.index(text) for text in texts], dtype=np.int32)
            return pa.DictionaryArray.from_arrays(code[cell], pa.array(words, pa.string()))

        quarter = np.tile(np.repeat(np.arange(quarters, dtype=np.int32), cells), count)
        columns = [
            repeated(scenario),
            pa.array(np.repeat(runs.astype(np.int32), quarters * cells)),
            pa.DictionaryArray.from_arrays(quarter, pa.array(QUARTERS[:quarters])),
            repeated(name),
            by_cell(series.entity),
            by_cell(series.region),
            by_cell(series.detail),
            repeated(series.unit),
            pa.array(values.reshape(-1)),
        ]
        return pa.table(dict(zip(COLUMNS, columns, strict=True)))


def _layout(unit: str, entity: str | Labels, region: str | Labels, detail: str | Labels, keep: Bools | None) -> Series:
    """Spread the labels of the trailing axes over their product, in C order."""
    axes = [[axis] if isinstance(axis, str) else list(axis) for axis in (entity, region, detail)]
    cells = [(e, r, d) for e in axes[0] for r in axes[1] for d in axes[2]]
    mask = None if keep is None else np.ascontiguousarray(keep, dtype=np.bool_).reshape(-1)
    if mask is not None:
        cells = [cell for cell, kept in zip(cells, mask.tolist(), strict=True) if kept]
    columns = [list(texts) for texts in zip(*cells, strict=True)] if cells else [[], [], []]
    return Series(unit, columns[0], columns[1], columns[2], mask)
