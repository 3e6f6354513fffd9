"""Counting where two results differ, variable by variable, a few rows at a time."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from computemarket.model.core.arrays import Floats, Ints


@dataclass
class _Tally:
    values: int = 0
    different: int = 0
    first_quarter: str = ""
    sum_relative: float = 0.0
    largest_relative: float = 0.0


@dataclass
class Tallies:
    """How many values of each variable were compared, how many differ, by how much and since when."""

    _found: dict[str, _Tally] = field(default_factory=dict)

    def add(self, rows: Any, one: Floats, other: Floats) -> None:
        """Count rows.

        Parameters
        ----------
        rows : a pyarrow Table with the columns variable and quarter
        one, other : (rows,) the values of both results
        """
        same = (one == other) | (np.isnan(one) & np.isnan(other))
        relative = relative_difference(one, other)
        variables, of = _words(rows, "variable")
        quarters, at = _words(rows, "quarter")
        for place in np.unique(of).tolist():
            here = of == place
            tally = self._found.setdefault(variables[place], _Tally())
            tally.values += int(here.sum())
            changed = here & ~same
            count = int(changed.sum())
            if not count:
                continue
            tally.different += count
            first = min(quarters[code] for code in np.unique(at[changed]).tolist())
            tally.first_quarter = min(tally.first_quarter or first, first)
            tally.sum_relative += float(relative[changed].sum())
            tally.largest_relative = max(tally.largest_relative, float(relative[changed].max()))

    def rows(self) -> list[tuple[str, int, int, str, float, float]]:
        """Return (variable, values, different, first quarter, mean and largest relative difference), sorted by name."""
        return [
            (
                name, one.values, one.different, one.first_quarter,
                one.sum_relative / max(one.values, 1), one.largest_relative,
            )
            for name, one in sorted(self._found.items())
        ]  # fmt: skip


def relative_difference(one: Floats, other: Floats) -> Floats:
    """Return |a - b| / max(|a|, |b|): 0 where they are the same, 1 where only one of them is a number."""
    size = np.maximum(np.maximum(np.abs(one), np.abs(other)), np.finfo(float).tiny)
    same = (one == other) | (np.isnan(one) & np.isnan(other))
    with np.errstate(invalid="ignore"):
        found = np.abs(one - other) / size
    return np.where(same, 0.0, np.where(np.isfinite(found), found, 1.0))


def _words(rows: Any, name: str) -> tuple[list[str], Ints]:
    """Return the words of a column of text, and the code of each row."""
    import pyarrow as pa

    column = rows[name].combine_chunks()
    column = column.chunk(0) if isinstance(column, pa.ChunkedArray) else column
    if not pa.types.is_dictionary(column.type):
        column = column.cast("string").dictionary_encode()
    return column.dictionary.to_pylist(), column.indices.to_numpy(zero_copy_only=False).astype(np.int64)
