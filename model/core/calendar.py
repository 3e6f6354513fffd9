"""Quarters: the simulated calendar, 2022Q1 to 2032Q4, and how quarters are written."""

import re

from computemarket.errors import InputError

FIRST_YEAR, LAST_YEAR = 2022, 2032
QUARTERS = tuple(f"{year}Q{q}" for year in range(FIRST_YEAR, LAST_YEAR + 1) for q in range(1, 5))
HOURS_PER_QUARTER = 8766.0 / 4
HOURS_PER_YEAR = 8766.0
QUARTERS_PER_YEAR = 4
MONTHS_PER_QUARTER = 3
WEEKS_PER_QUARTER = 13
_PATTERN = re.compile(r"(\d{4})Q([1-4])")


def quarter_index(label: object, where: str = "quarter") -> int:
    """Return the position of a quarter in the calendar, 0 for 2022Q1.

    Raises
    ------
    InputError
        if the label is not a quarter of the calendar.
    """
    if not isinstance(label, str) or label not in QUARTERS:
        raise InputError(where, label, f"a quarter from {QUARTERS[0]} to {QUARTERS[-1]}, written like 2024Q1")
    return QUARTERS.index(label)


def quarters_since_start(label: str) -> int:
    """Return the signed number of quarters from 2022Q1 to any quarter; earlier quarters are negative."""
    match = _PATTERN.fullmatch(label)
    if match is None:
        raise InputError("quarter", label, "a quarter written like 2024Q1")
    return (int(match[1]) - FIRST_YEAR) * QUARTERS_PER_YEAR + int(match[2]) - 1


def quarter_of_month(month: str) -> int:
    """Return the signed quarter index of a date written 2024-03 or 2024-03-15."""
    year, number = int(month[:4]), int(month[5:7])
    return (year - FIRST_YEAR) * QUARTERS_PER_YEAR + (number - 1) // 3
