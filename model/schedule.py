"""A quarter as a list of steps: who acts when, by which law, and which arrays of the state each may change."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from computemarket.model.market import ComputeMarket

PHASES = (
    "begin",
    "regulate",
    "launch",
    "expect",
    "price",
    "demand",
    "serve",
    "invest",
    "supply",
    "settle",
    "record",
)


@dataclass(frozen=True, slots=True)
class Step:
    """One row of the schedule.

    Parameters
    ----------
    phase : one of `PHASES`
    name : what happens, in the words of the field; no two steps share it
    act : a function of the market, or the method by which an actor acts
    by : member of the cast that acts; a member that holds several acts one by one in its order; none: the market
    law : the mechanism and its source
    """

    phase: str
    name: str
    act: Callable[..., None]
    by: str = ""
    law: str = ""

    @property
    def module(self) -> str:
        """The module in which the function is found."""
        return self.act.__module__

    @property
    def function(self) -> str:
        """The function, or the class and its method."""
        return self.act.__qualname__


@dataclass(frozen=True, slots=True)
class BoundStep:
    """A step of one market: the calls that carry it out, in order."""

    step: Step
    calls: tuple[Callable[[], None], ...]

    def run(self) -> None:
        """Carry the step out."""
        for call in self.calls:
            call()


def bind(schedule: Sequence[Step], market: "ComputeMarket", cast: object) -> tuple[BoundStep, ...]:
    """Return the steps of a schedule with the actors of a market's cast."""
    return tuple(BoundStep(step, _calls(step, market, cast)) for step in schedule)


def _calls(step: Step, market: "ComputeMarket", cast: object) -> tuple[Callable[[], None], ...]:
    if not step.by:
        return (partial(step.act, market),)
    found: Any = getattr(cast, step.by)
    actors = found if isinstance(found, tuple) else (found,)
    return tuple(getattr(actor, step.act.__name__) for actor in actors)  # a kind may act in its own way
