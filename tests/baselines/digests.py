"""Small numbers that stand for large arrays: any change of an array moves its digest.

A digest is a weighted mean over all cells. The weight of a cell depends on its place, so cells that change places
are seen as well as cells that change. Limits of 1e18, which stand for "no limit", and cells that are not a number
count as one more than the largest cell, so that they neither hide the others nor go unseen.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from computemarket.model.core.arrays import Floats

NO_LIMIT = 1e17  # cells from here on mean "unlimited"
GOLDEN = 0.6180339887498949  # its multiples spread evenly over 0..1
RELATIVE = (
    1e-9  # of the mean size of a quarter's cells; the last bits of exp and log differ between processors
)
FLOOR = 1e-12  # of the largest such size in any quarter: what is nothing beside it may be another nothing
Numbers = list[float]


def digest(array: Floats) -> tuple[float, float]:
    """Return (weighted mean, weighted mean of the sizes) of the cells of an array of any shape."""
    cells = np.asarray(array, dtype=np.float64).reshape(-1)
    if not cells.size:
        return 0.0, 0.0
    weights = 0.5 + np.mod(np.arange(1, cells.size + 1) * GOLDEN, 1.0)
    special = ~(np.abs(cells) < NO_LIMIT)
    usual = np.where(special, 0.0, cells)
    beyond = np.abs(usual).max() + 1.0
    signed = np.where(special, np.where(np.isnan(cells), -beyond, np.copysign(beyond, cells)), cells)
    total = weights.sum()
    return float((weights * signed).sum() / total), float((weights * np.abs(signed)).sum() / total)


def arrays_of(market: Any) -> dict[str, Floats]:
    """Return every array of the state by name, the cash of all accounts, and the payments of the quarter.

    The state is looked through as it is: arrays may lie in it directly or in parts of it.
    """
    ledger = market.ledger
    found = {f"state.{name}": array for name, array in _arrays(market.state)}
    found["ledger.cash_usd"] = ledger.cash_usd
    found["ledger.flows"] = _flows(ledger.flows, len(market.runs))
    return found


def _flows(flows: Mapping[str, Floats], runs: int) -> Floats:
    """Return (R, n) USD of the quarter's payments by purpose, in the order of their names."""
    return np.stack([flows[purpose] for purpose in sorted(flows)] or [np.zeros(runs)], axis=1)


def _arrays(held: object) -> Iterator[tuple[str, Floats]]:
    """Yield (name, array) of all that an object of the model's state holds, parts of it included."""
    for name in _names(held):
        value = held[name] if isinstance(held, Mapping) else getattr(held, name, None)
        if isinstance(value, np.ndarray):
            if np.issubdtype(value.dtype, np.number) or value.dtype == np.bool_:
                yield name, value
        elif isinstance(value, Mapping) or type(value).__module__.startswith("computemarket.model.state"):
            yield from _arrays(value)


def _names(held: object) -> list[str]:
    if isinstance(held, Mapping):
        return sorted(name for name in held if isinstance(name, str))
    slots = [slot for kind in type(held).__mro__ for slot in getattr(kind, "__slots__", ())]
    return sorted({*getattr(held, "__dict__", {}), *slots} - {"__dict__", "__weakref__"})


def rounded(numbers: Numbers) -> Numbers | float:
    """Return numbers with the digits worth keeping; one number where all are the same."""
    short = [float(f"{number:.12g}") for number in numbers]
    return short[0] if short and len(set(short)) == 1 else short


def spread(kept: Numbers | float, length: int) -> Numbers:
    """Undo what `rounded` does to numbers that are all the same."""
    return kept if isinstance(kept, list) else [kept] * length


def first_difference(kept: Numbers, found: Numbers, sizes: Numbers) -> int | None:
    """Return the first place where numbers differ by more than `RELATIVE` of their size, or None."""
    least = FLOOR * max(sizes, default=0.0)
    for place, (old, new, size) in enumerate(zip(kept, found, sizes, strict=True)):
        if not abs(old - new) <= RELATIVE * max(abs(old), size) + least:
            return place
    return 0 if len(kept) != len(found) else None


def as_text(table: Mapping[str, Any]) -> str:
    """Return a table as JSON with one line for each array or series: small, and a change of one is one line."""
    parts = []
    for key, value in table.items():
        if isinstance(value, Mapping):
            lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(one)}" for name, one in value.items())
            parts.append(f" {json.dumps(key)}: {{\n{lines}\n }}")
        else:
            parts.append(f" {json.dumps(key)}: {json.dumps(value)}")
    return "{\n" + ",\n".join(parts) + "\n}\n"
