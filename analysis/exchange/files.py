"""Files of an exchange: comma-separated values in which no text can act as a formula, and Excel workbooks."""

import errno
import io
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from computemarket.errors import InputError
from computemarket.scenarios.results.spreadsheet import harmless

if TYPE_CHECKING:
    import pandas as pd

NUMBER = "%.12g"  # twelve significant digits come back exactly from every reader of decimal numbers
_SHEET_ROWS, _SHEET_COLUMNS, _CELL = 1_048_576, 16_384, 32_767  # what a sheet and a cell of Excel hold


def safe(table: "pd.DataFrame") -> "pd.DataFrame":
    """Return a table in which no text, in cells or heads, can act as a formula."""
    import pandas as pd

    columns: dict[Any, Any] = {
        harmless(name): table[name] if table[name].dtype.kind in "iuf" else list(map(harmless, table[name]))
        for name in table.columns
    }
    return pd.DataFrame(columns, index=table.index)


def write_csv(path: Path, tables: Iterable["pd.DataFrame"]) -> int:
    """Write tables of the same columns below each other as one file, there whole or not there; return its rows.

    Raises
    ------
    InputError
        if the file cannot be written.
    """
    rows = 0
    with _whole(path) as hidden, hidden.open("w", encoding="utf-8", newline="") as file:
        columns: list[object] = []
        for table in tables:
            first = not columns
            columns = columns or list(table.columns)
            cells = safe(table.reindex(columns=columns))
            cells.to_csv(file, index=False, header=first, float_format=NUMBER, lineterminator="\n")
            rows += len(table)
    return rows


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Write lines of text, there whole or not there."""
    with _whole(path) as hidden:
        hidden.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def write_excel(path: Path, sheets: Sequence[tuple[str, Iterable["pd.DataFrame"]]]) -> int:
    """Write a workbook of one sheet for each (name, tables), there whole or not there; return the rows of the first.

    Text stays text: no formulas, no links.

    Raises
    ------
    InputError
        if a sheet is too large for Excel, or the file cannot be written.
    """
    try:
        import xlsxwriter
    except ImportError as error:
        raise InputError("export", "XlsxWriter", "installed: pip install 'computemarket[excel]'") from error
    counts = []
    packed = io.BytesIO()  # a workbook that cannot be closed on a full disk would leave half a file behind
    with _whole(path) as hidden:
        with tempfile.TemporaryDirectory(prefix="computemarket-") as spare:
            book = xlsxwriter.Workbook(packed, {"constant_memory": True, "tmpdir": spare})
            bold = book.add_format({"bold": True})
            try:
                for name, tables in sheets:
                    counts.append(_fill(book.add_worksheet(name), bold, tables))
                book.close()
            except xlsxwriter.exceptions.FileCreateError as error:  # a disk too full for what it puts aside
                raise OSError(errno.ENOSPC, str(error)) from error
            except BaseException:
                with suppress(Exception):  # what went wrong first is what is told
                    book.close()
                raise
        hidden.write_bytes(packed.getvalue())  # a view of it would outlive a write that fails
    return counts[0]


def _fill(sheet: Any, bold: Any, tables: Iterable["pd.DataFrame"]) -> int:
    """Write tables below each other into a sheet under one head."""
    row = 0
    sheet.freeze_panes(1, 0)
    for table in tables:
        if row == 0:
            if len(table.columns) > _SHEET_COLUMNS:
                raise InputError(
                    "export", f"{len(table.columns):,} columns", f"at most {_SHEET_COLUMNS:,} of a sheet"
                )
            for place, name in enumerate(table.columns):
                _write_cell(sheet, 0, place, name, bold)
            row = 1
        if row + len(table) > _SHEET_ROWS:
            raise InputError(
                "export", f"more than {_SHEET_ROWS:,} rows", "what a sheet of Excel holds; choose variables"
            )
        for cells in table.itertuples(index=False, name=None):
            for place, cell in enumerate(cells):
                _write_cell(sheet, row, place, cell)
            row += 1
    return max(row - 1, 0)


def _write_cell(sheet: Any, row: int, place: int, cell: object, style: Any = None) -> None:
    """Write text as text, whatever it looks like, and a number as a number."""
    if isinstance(cell, str):
        sheet.write_string(row, place, cell[:_CELL], style)
    elif cell == cell:  # a value that is not a number leaves its cell empty
        sheet.write_number(row, place, cell, style)


@contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """Give a hidden file that takes the place of `path` in the end, or goes again.

    Where the disk can, it has no name until it is whole, so that a killed process leaves nothing behind.
    """
    if path.is_dir() or not path.name:
        raise InputError("--out", str(path), "a file: it is a folder")
    hidden = path.with_name(f".{path.name}.part")
    try:
        with _nameless(hidden) as nameless:
            yield hidden if nameless is None else nameless
            if nameless is not None:
                hidden.unlink(missing_ok=True)  # of a process that was killed as it gave the name
                _name(nameless, hidden)
        with hidden.open("rb") as file:
            os.fsync(file.fileno())
        hidden.replace(path)
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError("--out", str(path), f"a file that can be written ({reason})") from error
    finally:
        _remove(hidden)


def _name(nameless: Path, hidden: Path) -> None:
    """Give a file without a name one: the link in /proc has to be followed, which takes a call with a folder."""
    folder = os.open(hidden.parent, os.O_RDONLY)
    try:
        os.link(nameless, hidden, src_dir_fd=folder, follow_symlinks=True)
    finally:
        os.close(folder)


@contextmanager
def _nameless(beside: Path) -> Iterator[Path | None]:
    """Give a path of a file without a name in the folder of another one; None where there are none."""
    kind = getattr(os, "O_TMPFILE", None)
    try:
        held = os.open(beside.parent, kind | os.O_RDWR, 0o666) if kind is not None else -1
    except (
        OSError
    ):  # the disk knows no such files, or the folder cannot be written: that is told when it is tried
        held = -1
    if held < 0:
        yield None
        return
    try:
        yield Path(f"/proc/self/fd/{held}")
    finally:
        os.close(held)


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:  # in a folder that cannot be written there is nothing to remove
        return


def columns_of(rows: Sequence[Sequence[object]], names: Sequence[str]) -> "pd.DataFrame":
    """Return rows as a table."""
    import pandas as pd

    return pd.DataFrame(list(rows), columns=list(names))
