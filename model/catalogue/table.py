"""A table of rows with ids: read from CSV, every fault one line with file, line and column."""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import replace
from difflib import get_close_matches
from importlib.resources.abc import Traversable
from pathlib import Path
from types import MappingProxyType
from typing import Any, Generic, TypeVar

import numpy as np

from computemarket.errors import InputError
from computemarket.model.catalogue.schema import Cell, CellError, Column, columns_of
from computemarket.model.core.arrays import Floats
from computemarket.model.core.given_files import LARGEST_TABLE, read_given
from computemarket.model.core.texts import decoded

Row = TypeVar("Row")
_NOTHING: Mapping[tuple[str, str], str] = MappingProxyType({})


class Table(Generic[Row]):
    """Rows in file order, found by id; ``estimated`` names the rule behind each filled value."""

    def __init__(
        self,
        name: str,
        rows: tuple[Row, ...],
        estimated: Mapping[tuple[str, str], str] = _NOTHING,
    ) -> None:
        self.name = name
        self.rows = rows
        self.estimated: Mapping[tuple[str, str], str] = MappingProxyType(dict(estimated))
        self._place = {getattr(row, "id", str(i)): i for i, row in enumerate(rows)}

    @property
    def ids(self) -> tuple[str, ...]:
        """Return the ids in file order (line counts where rows have no id)."""
        return tuple(self._place)

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __contains__(self, row_id: object) -> bool:
        return row_id in self._place

    def __getitem__(self, row_id: str) -> Row:
        return self.rows[self.index(row_id)]

    def index(self, row_id: str) -> int:
        """Return the place of an id in file order.

        Raises
        ------
        InputError
            If there is no such row; names the nearest id.
        """
        try:
            return self._place[row_id]
        except KeyError:
            raise InputError(self.name, row_id, "a known id" + _nearest(str(row_id), self._place)) from None

    def array(self, column: str) -> Floats:
        """Return a numeric column (or property) as float64, shape (rows,), NaN where unknown."""
        values = [getattr(row, column) for row in self.rows]
        return np.array([np.nan if value is None else value for value in values], dtype=np.float64)

    def filled(
        self, values: Mapping[tuple[str, str], Any], rules: Mapping[tuple[str, str], str]
    ) -> "Table[Row]":
        """Return a copy with ``values`` put in by (id, column), each marked with its rule."""
        rows = list(self.rows)
        for (row_id, column), value in values.items():
            place = self.index(row_id)
            rows[place] = replace(rows[place], **{column: value})  # type: ignore[type-var]  # rows are dataclasses
        return Table(self.name, tuple(rows), {**self.estimated, **rules})


def _nearest(word: str, known: Mapping[str, object]) -> str:
    near = get_close_matches(word, known, n=1)
    return f" (nearest: {near[0]})" if near else ""


def read_table(source: Path | Traversable | str, row_type: type[Row], name: str | None = None) -> Table[Row]:
    """Read a CSV file, or CSV text, as a table of ``row_type``.

    Parameters
    ----------
    source : file to read, or the text itself where it is a string
    row_type : dataclass whose fields declare the columns
    name : what messages call the table; the file's name by default

    Raises
    ------
    InputError
        For a file that cannot be read or decoded, a missing, unknown or repeated column, a cell its
        column does not allow, or a repeated id.
    """
    if isinstance(source, str):
        return _parse(source, row_type, name or "table")
    where = name or source.name
    content = decoded(
        read_given(source, "table", LARGEST_TABLE) if isinstance(source, Path) else source.read_bytes(), where
    )
    return _parse(content, row_type, where)


def _parse(content: str, row_type: type[Row], where: str) -> Table[Row]:
    columns = columns_of(row_type)
    reader = csv.reader(io.StringIO(content, newline=""), strict=True)
    try:
        header = next(reader, [])
        _check_header(header, columns, where)
        rows: list[Row] = []
        seen: dict[str, int] = {}
        for cells in reader:
            if not cells:
                continue
            at = f"{where}: line {reader.line_num}"
            row = _row(cells, header, columns, row_type, at)
            _check_new(row, seen, reader.line_num, at)
            rows.append(row)
    except csv.Error as error:
        raise InputError(where, str(error), "well-formed CSV") from error
    return Table(where, tuple(rows))


def _check_header(header: list[str], columns: dict[str, Column], where: str) -> None:
    at = f"{where}: line 1"
    for column in columns:
        if column not in header:
            raise InputError(f"{at}: column {column}", "missing", "present")
    for column in header:
        if column not in columns:
            raise InputError(at, column, "a known column" + _nearest(column, columns))
        if header.count(column) > 1:
            raise InputError(at, column, "a column named once")


def _row(
    cells: list[str], header: list[str], columns: dict[str, Column], row_type: type[Row], at: str
) -> Row:
    if len(cells) != len(header):
        raise InputError(at, len(cells), f"the number of cells of the header, {len(header)}")
    return row_type(
        **{
            name: _cell(text, columns[name], f"{at}: {name}")
            for name, text in zip(header, cells, strict=True)
        }
    )


def _cell(text: str, column: Column, at: str) -> Cell:
    stripped = text.strip()
    if not stripped:
        if column.required:
            raise InputError(at, "", "a value (the column may not be blank)")
        return None
    try:
        return column.parse(stripped)
    except CellError as error:
        raise InputError(at, text, str(error)) from error


def _check_new(row: object, seen: dict[str, int], line: int, at: str) -> None:
    row_id = getattr(row, "id", None)
    if row_id is None or getattr(row, "REPEATS_IDS", False):
        return
    if row_id in seen:
        raise InputError(f"{at}: id", row_id, f"an id used once (first on line {seen[row_id]})")
    seen[row_id] = line
