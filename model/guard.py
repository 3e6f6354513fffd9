"""Holds every step of a quarter to what the schedule declares: a debug switch, on in the tests and free elsewhere.

While a step runs, arrays that it does not declare cannot be looked at, and those that it may not change are read-only.
A flow counts as formed once its owner has run in the quarter.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from computemarket.errors import ScheduleError
from computemarket.model.schedule import BoundStep, Step
from computemarket.model.state import ARRAYS, MarketState
from computemarket.model.state.declared import FLOW

if TYPE_CHECKING:
    from computemarket.model.market import ComputeMarket

FLOWS = frozenset(name for name, one in ARRAYS.items() if one.kind == FLOW)
_READ_ONLY = "read-only"  # how numpy says it


class Guard:
    """Runs the steps of one market and refuses what the schedule does not declare.

    Raises
    ------
    ScheduleError
        naming the step and the array: one that is looked at or changed without being declared, a flow that is looked at
        before anything has formed it this quarter, or money moved by a step that does not say that it pays.
    """

    def __init__(self, market: "ComputeMarket") -> None:
        refuse(faults(tuple(bound.step for bound in market.walk)))
        self.market = market
        self.step: Step | None = None
        self._declared: frozenset[str] = frozenset()
        self._formed: set[str] = set()
        self._last = ""
        vars(market.state)["guard"] = self
        object.__setattr__(market.state, "__class__", _WatchedState)

    def run(self, bound: BoundStep) -> None:
        """Carry a step out under guard."""
        first, last = (self.market.walk[place].step.name == bound.step.name for place in (0, -1))
        if first:
            self._formed.clear()
            self._allow(ARRAYS, False)
        self.step, self._declared = bound.step, bound.step.declares
        self._allow(bound.step.changes, True)
        moved = self.market.ledger.turnover_usd.copy()
        try:
            bound.run()
        except ValueError as error:
            if _READ_ONLY in str(error):
                raise ScheduleError(f"{bound.step.name!r} changes state.{self._last}, not its own") from error
            raise
        finally:
            self.step = None
            self._allow(ARRAYS if last else bound.step.changes, last)
        if not bound.step.pays and bound.step.phase != "begin":
            self._still(bound.step, moved)
        self._formed.update(bound.step.writes)

    def look(self, name: str) -> None:
        """Refuse a look at an array that the running step does not declare, or that nothing has formed yet."""
        step = self.step
        if step is None:
            return
        self._last = name
        if name not in self._declared:
            raise ScheduleError(f"{step.name!r} looks at state.{name}, which the schedule does not declare")
        if name in FLOWS and name not in self._formed and name in step.reads:
            raise ScheduleError(
                f"{step.name!r} looks at state.{name} before {ARRAYS[name].owner!r} has formed it"
            )

    def _allow(self, names: Iterable[str], writing: bool) -> None:
        held = vars(self.market.state)
        for name in names:
            held[name].flags.writeable = writing

    def _still(self, step: Step, moved: Any) -> None:
        if (self.market.ledger.turnover_usd != moved).any():
            raise ScheduleError(f"{step.name!r} moves money, and the schedule does not say that it pays")


def guard(market: "ComputeMarket") -> None:
    """Let a market hold its steps to what the schedule declares."""
    market.run_step = Guard(market).run


def _watched(name: str) -> property:
    def look(state: MarketState) -> Any:
        held = vars(state)
        held["guard"].look(name)
        return held[name]

    return property(look)


_WatchedState: type = type(
    "WatchedState",
    (MarketState,),
    {"__module__": MarketState.__module__} | {name: _watched(name) for name in ARRAYS},
)


def faults(schedule: Sequence[Step]) -> list[str]:
    """Return what is wrong with the declarations of a schedule, one sentence for each fault."""
    place = {step.name: number for number, step in enumerate(schedule)}
    owned = [name for step in schedule for name in step.writes]
    found = [f"state.{name} has two owners" for name in sorted(set(owned)) if owned.count(name) > 1]
    for step in schedule:
        found += [f"{step.name!r}: state.{name} is not declared in any book" for name in _unknown(step)]
        found += [f"{step.name!r}: {said}" for said in _out_of_order(step, place)]
    return found


def _unknown(step: Step) -> Iterator[str]:
    yield from sorted(step.declares - ARRAYS.keys())


def _out_of_order(step: Step, place: dict[str, int]) -> Iterator[str]:
    """Yield what does not agree with the books: owners, and flows looked at before or after they are formed."""
    here = place[step.name]
    for name in sorted(step.declares & ARRAYS.keys()):
        one = ARRAYS[name]
        formed = place.get(one.owner, here)  # of an owner that takes no part nothing is known
        if (name in step.writes) != (one.owner == step.name):
            yield f"state.{name} is owned by {one.owner!r}"
        if one.kind == FLOW and name in step.reads and formed > here:
            yield f"state.{name} is formed later, by {one.owner!r}: it is lagged"
        if name in step.lagged and (one.kind != FLOW or formed < here):
            yield f"state.{name} is not of the last quarter: it is not lagged"


def refuse(found: Sequence[str]) -> None:
    """Raise where a schedule has faults.

    Raises
    ------
    ScheduleError
        with all of them.
    """
    if found:
        raise ScheduleError("; ".join(found))
