"""A quarter as a list of steps: who acts when, by which law, and which arrays of the state each may change."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
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
    by : member of the cast that acts, or part of one after a dot; a member that holds several acts one by one in its
        order; none: the market
    law : the mechanism and its source
    reads : arrays of the state that it looks at as they stand: stocks, and flows that this quarter has formed
    lagged : flows that it looks at as the last quarter left them, since they are formed later in the quarter
    writes : arrays that it owns: no other step forms them
    adjusts : arrays of other owners that it changes
    pays : whether it moves money through the books
    """

    phase: str
    name: str
    act: Callable[..., None]
    by: str = ""
    law: str = ""
    reads: tuple[str, ...] = ()
    lagged: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    adjusts: tuple[str, ...] = ()
    pays: bool = False

    @property
    def module(self) -> str:
        """The module in which the function is found."""
        return self.act.__module__

    @property
    def function(self) -> str:
        """The function, or the class and its method."""
        return self.act.__qualname__

    @property
    def changes(self) -> tuple[str, ...]:
        """The arrays that it may change."""
        return (*self.writes, *self.adjusts)

    @property
    def declares(self) -> frozenset[str]:
        """All arrays that it may look at."""
        return frozenset((*self.reads, *self.lagged, *self.changes))


def step(
    phase: str,
    name: str,
    act: Callable[..., None],
    *,
    law: str,
    by: str = "",
    reads: str = "",
    lagged: str = "",
    writes: str = "",
    adjusts: str = "",
    pays: bool = False,
) -> Step:
    """Return a row of the schedule; arrays are given as words."""
    names = [tuple(text.split()) for text in (reads, lagged, writes, adjusts)]
    return Step(phase, name, act, by, law, names[0], names[1], names[2], names[3], pays)


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
    found: Any = attrgetter(step.by)(cast)
    actors = found if isinstance(found, tuple) else (found,)
    return tuple(getattr(actor, step.act.__name__) for actor in actors)  # a kind may act in its own way


def as_row(step: Step, seconds: float | None = None) -> dict[str, object]:
    """Return a step as what JSON can hold; `seconds` that it took, none where it was not timed."""
    return {
        "phase": step.phase,
        "name": step.name,
        "module": step.module,
        "function": step.function,
        "by": step.by or "market",
        "reads": list(step.reads),
        "lagged": list(step.lagged),
        "writes": list(step.writes),
        "adjusts": list(step.adjusts),
        "pays": step.pays,
        "law": step.law,
        "seconds": seconds,
    }


def as_dot(schedule: Sequence[Step]) -> str:
    """Return a drawing for Graphviz: steps by phase, an arrow wherever one looks at what another has changed last.

    Dashed arrows carry what the quarter before left.
    """
    lines = ["digraph quarter {", "  rankdir=LR; node [shape=box, style=rounded, fontname=sans];"]
    for phase in PHASES:
        inside = " ".join(f'"{step.name}";' for step in schedule if step.phase == phase)
        lines.append(f'  subgraph "cluster_{phase}" {{ label="{phase}"; {inside} }}')
    for (source, target, old), names in _carried(schedule).items():
        style = ", style=dashed" if old else ""
        lines.append(f'  "{source}" -> "{target}" [tooltip="{" ".join(names)}"{style}];')
    return "\n".join([*lines, "}"])


def _carried(schedule: Sequence[Step]) -> dict[tuple[str, str, bool], list[str]]:
    """Return the arrays that go from step to step: (from, to, whether over the end of a quarter) -> names."""
    last: dict[str, str] = {}
    for step in schedule:  # where every array stands when a quarter begins
        last.update(dict.fromkeys(step.changes, step.name))
    carried: dict[tuple[str, str, bool], list[str]] = {}
    formed: set[str] = set()
    for step in schedule[:-1]:  # the last one records, and looks at everything
        for name in sorted(step.declares & last.keys()):
            if last[name] != step.name:
                carried.setdefault((last[name], step.name, name not in formed), []).append(name)
        last.update(dict.fromkeys(step.changes, step.name))
        formed.update(step.changes)
    return carried
