"""The declaration of an array of the state: axes, unit, kind, owner, meaning, bounds and start in one place."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import cast

import numpy as np

from computemarket.model.core.arrays import Floats, Ints
from computemarket.model.world.world import World

STOCK = "stock"  # stands at a moment, and carries over until its owner changes it
FLOW = "flow"  # happens in a quarter: its owner forms it anew in every quarter
UNLIMITED = 1e18  # where no limit is set: arrays stay finite

Bounds = tuple[float, float]
SHARE: Bounds = (0.0, 1.0)
POSITIVE: Bounds = (0.0, np.inf)  # or nothing
ANY: Bounds = (-np.inf, np.inf)
_ROUNDING = 1e-9  # by which sums of shares may pass their bound


@dataclass(frozen=True, slots=True)
class Declared:
    """One array of the state.

    Parameters
    ----------
    axes : letters of `axes.AXES` that follow the runs; a list of places (N) has no runs
    kind : stock or flow
    owner : step of the schedule that forms it; no owner: it is set once, when the market is made
    start : value at the start of 2022Q1, or the attribute of the world that holds it
    within : lowest and highest value
    lagged : whether steps before its owner read a flow of the quarter before
    """

    axes: str
    unit: str
    kind: str
    owner: str
    meaning: str
    start: float | str
    within: Bounds
    lagged: bool
    dtype: type
    name: str = ""
    book: str = ""

    @property
    def shape(self) -> str:
        """The axes with the runs, as docstrings write shapes: (R, H, P)."""
        letters = self.axes.split() if self.axes == "N" else ["R", *self.axes.split()]
        return f"({', '.join(letters)}{',' * (len(letters) == 1)})"

    def make(self, world: World, lengths: Mapping[str, int]) -> Floats | Ints:
        """Return the array at the start of 2022Q1."""
        letters = self.axes.split() if self.axes == "N" else ["R", *self.axes.split()]
        made: Floats = np.empty([lengths[letter] for letter in letters], dtype=self.dtype)
        made[...] = attrgetter(self.start)(world) if isinstance(self.start, str) else self.start
        return made

    def outside(self, values: Floats | Ints) -> str:
        """Say which value of the array is out of its bounds; nothing where all are within."""
        low, high = self.within
        if not values.size:
            return ""
        least, most = float(values.min()), float(values.max())
        if low - _ROUNDING <= least and most <= high + _ROUNDING:  # not where one is no number
            return ""
        return f"{self.name}: {least:g} to {most:g} is not within {low:g} to {high:g} ({self.unit})"


def array(
    axes: str,
    *,
    unit: str,
    kind: str,
    owner: str,
    meaning: str,
    start: float | str = 0.0,
    within: Bounds = POSITIVE,
    lagged: bool = False,
) -> Floats:
    """Declare an array of a book; in a state the name stands for the array itself.

    Parameters
    ----------
    axes, unit, kind, owner, meaning, start, within, lagged : as `Declared` says
    """
    return cast("Floats", Declared(axes, unit, kind, owner, meaning, start, within, lagged, np.float64))


def places(*, unit: str, kind: str, owner: str, meaning: str) -> Ints:
    """Declare a list of places on some axis: whole numbers, none at the start, and the same in all runs."""
    return cast("Ints", Declared("N", unit, kind, owner, meaning, 0.0, POSITIVE, False, np.int64))


class Book:
    """Arrays of one subject."""

    @classmethod
    def arrays(cls) -> tuple[Declared, ...]:
        """Return the declarations of the book itself, in their order."""
        declared = vars(cls).items()
        book = cls.__module__.rpartition(".")[2]
        return tuple(
            replace(one, name=name, book=book) for name, one in declared if isinstance(one, Declared)
        )
