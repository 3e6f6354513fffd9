"""The declaration of a recorded variable, beside the function that records it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

SUM, MEAN, END = "sum", "mean", "end"
_Function = TypeVar("_Function", bound=Callable[..., None])


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable of the results.

    Parameters
    ----------
    over_year : how quarters make a year: sum (flows), mean (prices, rates) or end (stocks)
    title : its name in IAMC form; the actor and the detail follow it after a bar
    meaning : one line
    entity, region, detail : whose values they are, where, and of what; nothing where it has no such label
    single : its one actor is part of the meaning, not of the name
    """

    name: str
    unit: str
    over_year: str
    title: str
    meaning: str
    entity: str = ""
    region: str = ""
    detail: str = ""
    single: bool = False


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a function records; on request: only where one of the variables is asked for by name."""

    variables: tuple[Variable, ...] = ()
    on_request: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the variables."""
        return tuple(one.name for one in self.variables)

    def is_asked(self, wanted: frozenset[str] | None) -> bool:
        """Say whether somebody wants any of the variables; wanted is None where all are kept."""
        if wanted is None:
            return bool(self.variables) and not self.on_request
        return not wanted.isdisjoint(self.names)


def recorded(*variables: Variable, on_request: bool = False) -> Callable[[_Function], _Function]:
    """Declare what a function records: a variable is recorded under no other function."""

    def declare(function: _Function) -> _Function:
        vars(function)["recorded"] = Recorded(variables, on_request)
        return function

    return declare


def recorded_by(function: Callable[..., Any]) -> Recorded:
    """Return what a function or a method declares that it records; nothing where it declares nothing."""
    found = getattr(function, "recorded", Recorded())
    return found if isinstance(found, Recorded) else Recorded()
