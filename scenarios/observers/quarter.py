"""What a quarter leaves in the results table: of the market, of each actor, and what is worked out from both."""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, get_args, get_type_hints

from computemarket.agents.vendors.leader import LeadingVendor
from computemarket.model.actor import Actor
from computemarket.model.core.recorded import Variable, recorded_by
from computemarket.scenarios.cast import Cast, StagedMarket
from computemarket.scenarios.observers.layers import LAYER_OBSERVERS
from computemarket.scenarios.observers.market import MARKET_OBSERVERS
from computemarket.scenarios.observers.policy import POLICY_OBSERVERS
from computemarket.scenarios.observers.report import REPORT_OBSERVERS

LATER_OBSERVERS = (*LAYER_OBSERVERS, *POLICY_OBSERVERS, *REPORT_OBSERVERS)


def record_quarter(market: StagedMarket) -> None:
    """Keep what the quarter leaves; who records nothing that is wanted is not asked."""
    wanted = market.recorder.wanted
    for observe in MARKET_OBSERVERS:
        if recorded_by(observe).is_asked(wanted):
            observe(market)
    for actor in market.cast.everybody():
        if recorded_by(actor.record).is_asked(wanted):
            actor.record()
    for later in LATER_OBSERVERS:
        if recorded_by(later).is_asked(wanted):
            later(market)


@cache
def recorded_variables() -> Mapping[str, Variable]:
    """Return the declarations of all recorded variables by name, in the order of the results table.

    Raises
    ------
    ValueError
        if two functions declare a variable of one name.
    """
    found: dict[str, Variable] = {}
    for function in _recording():
        for one in recorded_by(function).variables:
            if one.name in found:
                raise ValueError(f"{one.name}: declared by two functions that record")
            found[one.name] = one
    return found


def owner_of(variable: str) -> str:
    """Return who records a variable: the class of an actor, or the function of an observer."""
    return next(
        function.__qualname__.removesuffix(".record")
        for function in _recording()
        if variable in recorded_by(function).names
    )


def _recording() -> Iterator[Callable[..., Any]]:
    """Yield the functions that record: each kind of actor once, in the order of the cast."""
    yield from MARKET_OBSERVERS
    for member, hint in get_type_hints(Cast).items():
        parts = LeadingVendor.__annotations__.values() if member == "vendors" else ()
        for kind in (hint, *get_args(hint), *parts):
            if isinstance(kind, type) and issubclass(kind, Actor):
                yield kind.record
    yield from LATER_OBSERVERS
