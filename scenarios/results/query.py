"""SQL over the results of a batch: DuckDB in memory, read-only, cut off from files and network, bounded in time."""

import csv
import io
import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Timer
from typing import Any, TextIO

from computemarket.errors import InputError, is_memory
from computemarket.memory import is_scarce, limit_bytes
from computemarket.scenarios.results.open_results import dataset_of
from computemarket.scenarios.results.spreadsheet import harmless

LONGEST = 10_000  # characters of a statement
MOST_ROWS = 1_000_000  # of an answer
MOST_MEMORY = 4_000_000_000  # bytes of a question: beyond them DuckDB gives up
TIMEOUT_S = 60.0  # of a question
_SHARE = 0.35  # of the memory this process may use; what Arrow and Python hold has no part in DuckDB's count
_ROWS_AT_ONCE = 10_000
_CLOSED = {  # settings under which SQL sees nothing but the table of the results
    "temp_directory": "''",  # nothing is written to disk where memory is short
    "home_directory": "'/'",  # so that no message names anybody's
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "python_enable_replacements": "false",  # no variable of this program is a table
    "lock_configuration": "true",  # last: nothing above can be taken back
}


@dataclass(frozen=True)
class Limits:
    """What a question may take."""

    seconds: float = TIMEOUT_S
    memory_bytes: int = MOST_MEMORY

    @property
    def memory(self) -> str:
        """The limit of memory in the words of DuckDB: no more than this process has a chance to get."""
        most = limit_bytes()
        held = self.memory_bytes if most is None else min(self.memory_bytes, int(_SHARE * most))
        return f"{max(held // 1_000_000, 10)}MB"


def ask(folder: Path, sql: str, limits: Limits | None = None) -> Any:
    """Return the answer to one SELECT over `results` as a pyarrow Table.

    The columns are scenario, policy, run, point, quarter, variable, entity, region, detail, unit, value.

    Raises
    ------
    InputError
        if it is not one SELECT, DuckDB refuses it, or it takes more time or memory than it may.
    """
    with _answer(folder, sql, limits or Limits()) as (found, clock), clock:
        table = found.read_all()
    if table.num_rows > MOST_ROWS:
        raise _too_long()
    return table


def write_answer(folder: Path, sql: str, out: TextIO, limits: Limits, *, as_data: bool = False) -> None:
    """Write the answer to one SELECT, a few rows at a time.

    Parameters
    ----------
    as_data : as comma-separated values; else in aligned columns
    """
    with _answer(folder, sql, limits) as (found, clock):
        (_write_csv if as_data else _write_text)(found.schema.names, _batches(found, clock), out)


def _batches(found: Any, clock: "_Clock") -> Iterator[list[tuple[object, ...]]]:
    """Yield rows of an answer, some at a time; while they are read by somebody the clock stands still."""
    left = MOST_ROWS
    while left >= 0:
        with clock:
            batch = next(found, None)
        if batch is None:
            return
        yield list(_rows(batch.slice(0, max(left, 0))))
        left -= batch.num_rows
    if left < 0:
        raise _too_long()


def _too_long() -> InputError:
    return InputError("query", "a longer answer", f"one of at most {MOST_ROWS:,} rows")


class _Clock:
    """Interrupts a connection that has worked for too long; it runs while it is entered."""

    def __init__(self, connection: Any, seconds: float) -> None:
        self.late = False
        self._connection = connection
        self._left_s = seconds
        self._since = 0.0
        self._timer: Timer | None = None

    def __enter__(self) -> None:
        self._since = time.monotonic()
        self._timer = Timer(self._left_s, self._end)
        self._timer.daemon = True
        self._timer.start()

    def __exit__(self, *_error: object) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._left_s = max(self._left_s - (time.monotonic() - self._since), 0.0)

    def _end(self) -> None:
        self.late = True
        self._connection.interrupt()


@contextmanager
def _answer(folder: Path, sql: str, limits: Limits) -> "Iterator[tuple[Any, _Clock]]":
    """Give the answer to a question as a reader of record batches, with the clock that bounds its work."""
    try:
        import duckdb
    except ImportError as error:
        raise InputError("query", "duckdb", "installed: pip install 'computemarket[query]'") from error
    if len(sql) > LONGEST:
        raise InputError("query", f"{len(sql):,} characters", f"at most {LONGEST:,}")
    rows = dataset_of(folder)
    with duckdb.connect(":memory:") as connection:
        connection.register("results", rows)
        if is_scarce():
            connection.execute("SET threads = 1")
        connection.execute(f"SET memory_limit = '{limits.memory}'")
        for name, value in _CLOSED.items():
            connection.execute(f"SET {name} = {value}")
        clock = _Clock(connection, limits.seconds)
        try:
            with clock:
                found = _asked(connection, sql)
            yield found, clock
        except Exception as error:
            raise _told(error, sql, limits, late=clock.late) from error


def _asked(connection: Any, sql: str) -> Any:
    import duckdb

    statements = connection.extract_statements(sql)
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise InputError("query", sql, "one SELECT")
    return connection.sql(statements[0].query).limit(MOST_ROWS + 1).to_arrow_reader(_ROWS_AT_ONCE)


def _told(error: Exception, sql: str, limits: Limits, *, late: bool) -> BaseException:
    """Return what to say of an error of a question."""
    import duckdb

    if late:
        return InputError("query", sql, f"answered within {limits.seconds:g} s; --timeout gives it more")
    if isinstance(error, InputError) and not is_memory(error):
        return error
    if is_memory(error):
        return InputError("query", sql, f"answerable in {limits.memory} of memory; ask for less, or --memory")
    if isinstance(error, duckdb.Error | ValueError | OverflowError | UnicodeError):
        told = str(error).replace(str(Path.home()), "~")
        return InputError("query", sql, f"understood by DuckDB: {told}")
    return KeyboardInterrupt() if isinstance(error, RuntimeError) else error  # how DuckDB tells of Control-C


def as_text(table: Any) -> str:
    """Return a table in aligned columns."""
    sink = io.StringIO()
    _write_text(table.column_names, [list(_rows(table))], sink)
    return sink.getvalue()


def as_csv(table: Any) -> str:
    """Return a table as comma-separated values in which no text can act as a formula."""
    sink = io.StringIO()
    _write_csv(table.column_names, [list(_rows(table))], sink)
    return sink.getvalue()


def _write_text(names: "list[str]", batches: "Iterator[Any] | list[Any]", out: TextIO) -> None:
    """Write aligned columns: the rows wait in a file until the widest cell of each column is known."""
    widths = [len(name) for name in names]
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="surrogatepass") as waiting:
        for rows in batches:
            for row in rows:
                cells = [_shown(value) for value in row]
                widths = [max(width, len(cell)) for width, cell in zip(widths, cells, strict=True)]
                waiting.write(json.dumps(cells) + "\n")
        waiting.seek(0)
        out.write(_line(names, widths) + _line(["-" * width for width in widths], widths))
        for line in waiting:
            out.write(_line(json.loads(line), widths))


def _line(cells: "list[str]", widths: "list[int]") -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip() + "\n"


def _write_csv(names: "list[str]", batches: "Iterator[Any] | list[Any]", out: TextIO) -> None:
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([harmless(name) for name in names])
    for rows in batches:
        for row in rows:
            writer.writerow([_harmless(value) if type(value) is str else value for value in row])


@lru_cache(maxsize=10_000)
def _harmless(text: str) -> object:
    """Return a harmless text: the same few words stand in most rows."""
    return harmless(text)


def _rows(table: Any) -> Iterator[tuple[object, ...]]:
    """Yield the rows of a table, whatever its columns are called.

    Raises
    ------
    InputError
        for a date outside of what the calendar of Python holds.
    """
    try:
        yield from zip(*(_cells(column) for column in table.columns), strict=True)
    except (ValueError, OverflowError) as error:
        raise InputError("query", str(error), "an answer that can be shown; ask for it as text") from error


def _cells(column: Any) -> list[object]:
    """Return the cells of a column; text by its few words, numbers at once."""
    import pyarrow as pa

    if column.null_count == 0:
        if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
            return list(column.to_numpy(zero_copy_only=False).tolist())
        if pa.types.is_string(column.type) and isinstance(column, pa.Array):
            coded = column.dictionary_encode()
            words = coded.dictionary.to_pylist()
            return [words[place] for place in coded.indices.to_numpy().tolist()]
    return list(column.to_pylist())


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    return "".join(letter if letter.isprintable() else "?" for letter in str(value))
