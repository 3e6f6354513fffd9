"""Two results side by side: the rows of both in step, a few at a time, so that any size fits in memory."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from computemarket.errors import InputError, is_memory
from computemarket.model.core.arrays import Bools, Floats
from computemarket.scenarios.results.open_results import files_of

KEYS = ("scenario", "policy", "run", "quarter", "variable", "entity", "region", "detail")


class UnlikeRowsError(LookupError):
    """Two results whose rows are not of the same series in the same order."""


@dataclass(frozen=True)
class Window:
    """Which rows count.

    Parameters
    ----------
    before : first quarter that does not count; "": all count
    runs : runs that do not count, failed ones
    most : runs from this number on do not count
    """

    before: str = ""
    without: frozenset[int] = frozenset()
    most: int = 2**31 - 1


def pairs(
    one: Path, other: Path, window: Window | None = None, keys: tuple[str, ...] = KEYS
) -> Iterator[tuple[Any, Any]]:
    """Yield tables of the same rows of two results, in the order in which they are stored.

    The columns are `keys` (where the results hold them) and value; text is stored as codes of words.

    Raises
    ------
    UnlikeRowsError
        if the rows do not belong to the same series, runs and quarters in the same order.
    InputError
        if a file cannot be read.
    """
    chosen = window or Window()
    left, right = _tables(one, chosen, keys), _tables(other, chosen, keys)
    a, b = next(left, None), next(right, None)
    while a is not None and b is not None:
        count = min(a.num_rows, b.num_rows)
        first, second = a.slice(0, count), b.slice(0, count)
        if not _same_keys(first, second):
            raise UnlikeRowsError(f"rows of {one} and {other}")
        yield first, second
        a = a.slice(count) if a.num_rows > count else next(left, None)
        b = b.slice(count) if b.num_rows > count else next(right, None)
    if a is not None or b is not None:
        raise UnlikeRowsError(f"rows of {one} and {other}")


def same_bits(one: Floats, other: Floats) -> Bools:
    """Return where two arrays hold the same bits; a value that is not a number equals itself."""
    found: Bools = one.view(np.int64) == other.view(np.int64)
    return found


def values_of(table: Any) -> Floats:
    """Return the values of a table as one array."""
    return np.ascontiguousarray(table["value"].to_numpy(), dtype=np.float64)


def _tables(folder: Path, window: Window, keys: tuple[str, ...]) -> Iterator[Any]:
    """Yield the rows that count, a row group at a time; never an empty table."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    for path in files_of(folder):
        try:
            with pq.ParquetFile(path) as file:
                names = [name for name in (*keys, "value") if name in file.schema_arrow.names]
                for group in range(file.num_row_groups):
                    table = _within(file.read_row_group(group, names), window)
                    if table.num_rows:
                        yield table.combine_chunks()
        except (pa.ArrowException, OSError) as error:
            if is_memory(error):
                raise
            raise InputError(str(path), type(error).__name__, "a whole file of results") from error


def _within(table: Any, window: Window) -> Any:
    """Return the rows of a table that count."""
    import pyarrow.compute as pc

    if window == Window():
        return table
    keep = pc.less(table["run"], window.most)
    if window.before:
        keep = pc.and_(keep, pc.less(table["quarter"].cast("string"), window.before))
    if window.without:
        import pyarrow as pa

        gone = pa.array(sorted(window.without), table["run"].type)
        keep = pc.and_(keep, pc.invert(pc.is_in(table["run"], value_set=gone)))
    return table.filter(keep)


def _same_keys(one: Any, other: Any) -> bool:
    names = [name for name in one.column_names if name != "value"]
    if names != [name for name in other.column_names if name != "value"]:
        return False
    return all(_same_column(one[name].combine_chunks(), other[name].combine_chunks()) for name in names)


def _same_column(one: Any, other: Any) -> bool:
    """Compare codes where both use the same words, and words elsewhere."""
    import pyarrow as pa

    a, b = (_whole(column) for column in (one, other))
    if not pa.types.is_dictionary(a.type) or not pa.types.is_dictionary(b.type):
        return bool(a.equals(b))
    if a.dictionary.equals(b.dictionary):
        return bool(a.indices.equals(b.indices))
    return bool(a.cast("string").equals(b.cast("string")))


def _whole(column: Any) -> Any:
    return column.chunk(0) if hasattr(column, "num_chunks") else column
