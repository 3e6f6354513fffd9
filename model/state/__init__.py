"""The state of the market: books of arrays with a leading runs axis, each declared once.

A declaration says axes, unit, kind, owner and meaning; it makes the array, its documentation and its guards. An array
lies in the state under its own name (`state.fleet_units`), whatever book declares it.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from computemarket.model.state.accelerators import AcceleratorBook
from computemarket.model.state.axes import CONSTRAINTS as CONSTRAINTS
from computemarket.model.state.axes import CREDIT_HOLDERS as CREDIT_HOLDERS
from computemarket.model.state.axes import REVENUE_LAYERS as REVENUE_LAYERS
from computemarket.model.state.axes import STARTUP_KINDS as STARTUP_KINDS
from computemarket.model.state.axes import lengths
from computemarket.model.state.declared import UNLIMITED as UNLIMITED
from computemarket.model.state.declared import Book, Declared
from computemarket.model.state.hours import HoursBook
from computemarket.model.state.labs import LabBook
from computemarket.model.state.money import MoneyBook
from computemarket.model.state.operators import OperatorBook
from computemarket.model.state.platform import PlatformBook
from computemarket.model.state.rules import RulesBook
from computemarket.model.state.supply import SupplyBook
from computemarket.model.world.world import World

BOOKS: tuple[type[Book], ...] = (
    AcceleratorBook, OperatorBook, HoursBook, LabBook, SupplyBook, RulesBook, MoneyBook, PlatformBook,
)  # fmt: skip
ARRAYS: Mapping[str, Declared] = {one.name: one for book in BOOKS for one in book.arrays()}
# utility of a product that is not, or no longer, offered: its share underflows to nothing
WITHDRAWN = -2000.0


class MarketState(
    AcceleratorBook, OperatorBook, HoursBook, LabBook, SupplyBook, RulesBook, MoneyBook, PlatformBook
):
    """What changes from quarter to quarter: every declared array, changed in place and never replaced."""

    def __init__(self, world: World, runs: int, labs: int) -> None:
        long = lengths(world, runs, labs)
        for name, declared in ARRAYS.items():
            vars(self)[name] = declared.make(world, long)

    if not TYPE_CHECKING:  # for type checkers the names and types are those of the books

        def __setattr__(self, name: str, value: Any) -> None:
            """Refuse what is not declared, and another array in the place of one.

            A list of places may be replaced: its length says how many there are.
            """
            if name not in ARRAYS:
                raise AttributeError(f"state.{name} is not declared in any book of the state")
            if ARRAYS[name].axes != "N" and value is not vars(self).get(name):
                raise AttributeError(f"state.{name} is replaced: write into it (state.{name}[:] = …)")
            vars(self)[name] = value


def check_bounds(state: MarketState) -> list[str]:
    """Return what is out of its declared bounds, one sentence for each array; none where all is within."""
    found = (one.outside(vars(state)[name]) for name, one in ARRAYS.items())
    return [sentence for sentence in found if sentence]
