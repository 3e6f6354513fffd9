"""Columns of a table: what a cell may hold, and how a row type declares it."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any

Cell = str | float | int | bool | None
_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")
_DATE = re.compile(r"\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?|-Q[1-4])?")
_PERIOD = re.compile(r"\d{4}(-Q[1-4])?")
_ID = re.compile(r"[a-z][a-z0-9_]{0,63}")


class CellError(ValueError):
    """A cell that its column does not allow; the message says what is allowed."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: how its text is read, and whether it may be blank (blank is unknown)."""

    parse: Callable[[str], Cell]
    required: bool = False


def _number(low: float, high: float) -> Callable[[str], float]:
    allowed = f"a number in {low:g}..{high:g}"

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError as error:
            raise CellError(allowed) from error
        if not low <= value <= high:  # NaN fails the comparison
            raise CellError(allowed)
        return value

    return parse


def _whole(low: int, high: int) -> Callable[[str], int]:
    allowed = f"a whole number in {low}..{high}"

    def parse(text: str) -> int:
        try:
            value = float(text)
        except ValueError as error:
            raise CellError(allowed) from error
        if not (value.is_integer() and low <= value <= high):
            raise CellError(allowed)
        return int(value)

    return parse


def _pattern(pattern: re.Pattern[str], allowed: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if not pattern.fullmatch(text):
            raise CellError(allowed)
        return text

    return parse


def _choice(words: tuple[str, ...]) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in words:
            raise CellError("one of " + ", ".join(words))
        return text

    return parse


def _yes_no(text: str) -> bool:
    if text not in {"yes", "no"}:
        raise CellError("yes or no")
    return text == "yes"


def _declare(parse: Callable[[str], Cell], required: bool) -> Any:
    column = Column(parse, required)
    if required:
        return field(metadata={"column": column})
    return field(default=None, metadata={"column": column})


def text(*, required: bool = False) -> Any:
    """Declare a column of free text."""
    return _declare(str, required)


def key() -> Any:
    """Declare the column of ids: lower-case words joined by underscores."""
    return _declare(_pattern(_ID, "an id of a-z, 0-9 and _"), required=True)


def number(low: float = 0.0, high: float = 1e15, *, required: bool = False) -> Any:
    """Declare a column of finite numbers in ``low..high``."""
    return _declare(_number(low, high), required)


def whole(low: int = 0, high: int = 10**12, *, required: bool = False) -> Any:
    """Declare a column of whole numbers in ``low..high``."""
    return _declare(_whole(low, high), required)


def month(*, required: bool = False) -> Any:
    """Declare a column of months, ``YYYY-MM``."""
    return _declare(_pattern(_MONTH, "a month YYYY-MM"), required)


def date(*, required: bool = False) -> Any:
    """Declare a column of dates as exact as they are known: year, quarter, month or day."""
    return _declare(_pattern(_DATE, "a date YYYY, YYYY-Qn, YYYY-MM or YYYY-MM-DD"), required)


def period(*, required: bool = False) -> Any:
    """Declare a column of calendar years or quarters, ``YYYY`` or ``YYYY-Qn``."""
    return _declare(_pattern(_PERIOD, "a period YYYY or YYYY-Qn"), required)


def choice(*words: str, required: bool = True) -> Any:
    """Declare a column that holds one of ``words``."""
    return _declare(_choice(words), required)


def yes_no(*, required: bool = True) -> Any:
    """Declare a column of ``yes`` and ``no``."""
    return _declare(_yes_no, required)


def columns_of(row_type: type) -> dict[str, Column]:
    """Return the columns that a row type declares, in order."""
    return {f.name: f.metadata["column"] for f in fields(row_type) if "column" in f.metadata}
