"""Typed values of a TOML table of regimes; each fault is one line naming key, value and what is allowed."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime

from computemarket.errors import InputError
from computemarket.model.core.texts import nearest
from computemarket.model.policy.regimes.regime import STATUSES

Raw = Mapping[str, object]


def known_keys(table: Raw, allowed: Iterable[str], where: str) -> None:
    """Refuse a key that is not allowed, naming the nearest that is."""
    for key in table:
        if key not in allowed:
            raise InputError(where, key, one_of(allowed, key))


def one_of(allowed: Iterable[str], found: object) -> str:
    """Return "one of …" with the nearest allowed name."""
    return f"one of {', '.join(allowed)}{nearest(found, allowed)}"


def choice(value: object, allowed: Iterable[str], where: str) -> str:
    """Return a word, one of those allowed."""
    allowed = tuple(allowed)
    if not isinstance(value, str) or value not in allowed:
        raise InputError(where, value, one_of(allowed, value))
    return value


def status(value: object, where: str) -> int:
    """Return the code of a status word."""
    return STATUSES.index(choice(value, STATUSES, where))


def statuses(value: object, where: str) -> tuple[int, ...]:
    """Return the codes of a list of status words, in order."""
    return tuple(sorted({status(entry, where) for entry in listed(value, where)}))


def number(value: object, low: float, high: float, where: str, unit: str) -> float:
    """Return a number within bounds (NaN is outside every bound)."""
    numeric = isinstance(value, int | float) and not isinstance(value, bool)
    if not numeric or not low <= float(value) <= high:  # type: ignore[arg-type]
        raise InputError(where, value, f"a number in {low:g}..{high:g} ({unit})")
    return float(value)  # type: ignore[arg-type]


def flag(raw: Raw, key: str, default: bool, where: str) -> bool:
    """Return true or false."""
    value = raw.get(key, default)
    if not isinstance(value, bool):
        raise InputError(f"{where}: {key}", value, "true or false")
    return value


def day(raw: Raw, key: str, where: str) -> date | None:
    """Return a date, None where the key is absent."""
    value = raw.get(key)
    if isinstance(value, str):
        try:
            value = date.fromisoformat(value)
        except ValueError:
            value = raw.get(key)
    if value is not None and (not isinstance(value, date) or isinstance(value, datetime)):
        raise InputError(f"{where}: {key}", str(value), "a date like 2026-01-15")
    return value


def listed(value: object, where: str) -> list[object]:
    """Return a value that must be a list."""
    if not isinstance(value, list):
        raise InputError(where, value, "a list")
    return value


def table(raw: Raw, key: str, where: str) -> Raw:
    """Return the table under a key, empty where it is absent."""
    value = raw.get(key, {})
    if not isinstance(value, Mapping):
        raise InputError(f"{where}: {key}", value, "a table")
    return value


def tables(raw: Raw, key: str, where: str) -> list[Raw]:
    """Return the list of tables under a key, empty where it is absent."""
    value = raw.get(key, [])
    if not isinstance(value, list) or not all(isinstance(entry, Mapping) for entry in value):
        raise InputError(f"{where}: {key}", value, "a list of tables")
    return value
