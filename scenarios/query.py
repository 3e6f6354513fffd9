"""SQL over the results of a batch: DuckDB in memory, read-only, cut off from files and network."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from computemarket.errors import InputError
from computemarket.scenarios.harmless import harmless
from computemarket.scenarios.open_results import dataset_of

LONGEST = 10_000  # characters of a statement
MOST_ROWS = 1_000_000  # of an answer
MOST_MEMORY = "4GB"  # of a question: beyond it DuckDB gives up
_CLOSED = {  # settings under which SQL sees nothing but the table of the results
    "memory_limit": f"'{MOST_MEMORY}'",
    "temp_directory": "''",  # nothing is written to disk where memory is short
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "python_enable_replacements": "false",  # no variable of this program is a table
    "lock_configuration": "true",  # last: nothing above can be taken back
}


def ask(folder: Path, sql: str) -> Any:
    """Return the answer to one SELECT over `results` as a pyarrow Table.

    The columns are scenario, policy, run, point, quarter, variable, entity, region, detail, unit, value.

    Raises
    ------
    InputError
        if it is not one SELECT, or DuckDB refuses it.
    """
    try:
        import duckdb
    except ImportError as error:
        raise InputError("query", "duckdb", "installed: pip install 'computemarket[query]'") from error
    if len(sql) > LONGEST:
        raise InputError("query", f"{len(sql):,} characters", f"at most {LONGEST:,}")
    rows = dataset_of(folder)
    with duckdb.connect(":memory:") as connection:
        connection.register("results", rows)
        for name, value in _CLOSED.items():
            connection.execute(f"SET {name} = {value}")
        try:
            statements = connection.extract_statements(sql)
            if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
                raise InputError("query", sql, "one SELECT")
            return connection.sql(statements[0].query).limit(MOST_ROWS).to_arrow_table()
        except (duckdb.Error, ValueError, OverflowError, UnicodeError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError("query", sql, f"understood by DuckDB: {error}") from error
        except RuntimeError as error:  # how DuckDB tells of Control-C
            raise KeyboardInterrupt from error


def as_text(table: Any) -> str:
    """Return a table in aligned columns."""
    names = table.column_names
    rows = [[_shown(value) for value in row] for row in _rows(table)]
    widths = [max([len(name), *(len(row[place]) for row in rows)]) for place, name in enumerate(names)]
    lines = [names, ["-" * width for width in widths], *rows]
    return "".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() + "\n"
        for line in lines
    )


def as_csv(table: Any) -> str:
    """Return a table as comma-separated values in which no text can act as a formula."""
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator="\n")
    writer.writerow([harmless(name) for name in table.column_names])
    for row in _rows(table):
        writer.writerow([harmless(value) for value in row])
    return sink.getvalue()


def _rows(table: Any) -> Iterator[tuple[object, ...]]:
    """Yield the rows of a table, whatever its columns are called.

    Raises
    ------
    InputError
        for a date outside of what the calendar of Python holds.
    """
    try:
        yield from zip(*(column.to_pylist() for column in table.columns), strict=True)
    except (ValueError, OverflowError) as error:
        raise InputError("query", str(error), "an answer that can be shown; ask for it as text") from error


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    return "".join(letter if letter.isprintable() else "?" for letter in str(value))
