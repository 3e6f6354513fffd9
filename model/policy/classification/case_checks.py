"""What is wrong with a table of cases: columns nobody reads, cells without a column, figures that contradict."""

import csv
import difflib
from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import cache
from importlib.resources import files

from computemarket.errors import InputError
from computemarket.model.core.texts import nearest

Row = Mapping[str, str]
_SHIPPED = ("export_classification_cases.csv", "hbm_classification_cases.csv")
_MISTYPED = 0.85  # names this alike are one name and a slip of the hand, not two columns
_ROUNDING = Fraction(1, 100)  # data sheets round rates and areas to within a percent


@cache
def _shipped_columns() -> frozenset[str]:
    """Return the columns of the shipped case files, answers and notes among them."""
    folder = files("computemarket.model.data").joinpath("policy")
    texts = (folder.joinpath(name).read_text("utf-8") for name in _SHIPPED)
    return frozenset(column for text in texts for column in text.partition("\n")[0].strip().split(","))


def check_table(header: Sequence[str], reader: "csv.DictReader[str]", where: str) -> list[Row]:
    """Return the rows of a table, stripped.

    Raises
    ------
    InputError
        for a column given twice, a row with more cells than the header has columns, and a table without rows.
    """
    twice = next((name for name in header if header.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"{where}: columns", twice, "given once")
    rows: list[Row] = []
    for raw in reader:
        extra: object = raw.pop(None, None)  # where csv puts the cells left over
        if extra:
            raise InputError(f"{where}: line {reader.line_num}", extra, f"cells of {len(header)} columns")
        rows.append({key: (value or "").strip() for key, value in raw.items()})
    if not rows:
        raise InputError(f"{where}: rows", 0, "at least one below the header")
    return rows


def unread_columns(header: Sequence[str], read: Sequence[str], where: str) -> tuple[str, ...]:
    """Return a warning for each column that no classification reads.

    Raises
    ------
    InputError
        for a column that is nearly the name of one that is read and absent.
    """
    unread = [name for name in header if name and name not in read and name not in _shipped_columns()]
    absent = [name for name in read if name not in header]
    for name in unread:
        if near := difflib.get_close_matches(name.lower(), absent, n=1, cutoff=_MISTYPED):
            raise InputError(f"{where}: columns", name, f"a column of the specification: is it {near[0]}?")
    return tuple(f"column {name} is not read{nearest(name, read)}" for name in unread)


def contradiction(
    stated: Fraction | None, computed: Fraction | None, name: str, formula: str
) -> tuple[str, ...]:
    """Return a warning where a stated figure is further from what follows than rounding explains."""
    if stated is None or computed is None or abs(stated - computed) <= _ROUNDING * max(stated, computed):
        return ()
    return (f"{name} {float(stated):g} is used though {formula} gives {float(computed):g}",)
