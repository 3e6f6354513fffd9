"""Values of parameters for tables that are computed once for all runs: defaults, or what a scenario gives instead."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, wraps
from typing import TypeVar, TypeVarTuple

from computemarket.model.core.parameters import schema

Given = tuple[tuple[str, float], ...]
Arguments = TypeVarTuple("Arguments")
T = TypeVar("T")
TABLES_KEPT = 32  # of each kind, by what was given

_given: ContextVar[Given] = ContextVar("given_parameters", default=())


@cache
def _default_of(name: str) -> float:
    return float(schema()[name].default)


def default_of(name: str) -> float:
    """Return a parameter by its full name, ``area.key``: given for a scenario, or the default."""
    return dict(_given.get()).get(name, _default_of(name))


def parameter_default(key: str) -> float:
    """Return the parameter ``hardware.<key>``: given for a scenario, or the default."""
    return default_of(f"hardware.{key}")


@contextmanager
def parameters_given(values: Mapping[str, float]) -> Iterator[None]:
    """Let tables be made with some parameters (full names) in place of their defaults."""
    token = _given.set(tuple(sorted(values.items())))
    try:
        yield
    finally:
        _given.reset(token)


def cached_as_given(function: Callable[[*Arguments], T]) -> Callable[[*Arguments], T]:
    """Keep what a function of hashable arguments returns, apart for each set of given parameters."""
    kept: dict[tuple[Given, tuple[*Arguments]], T] = {}

    @wraps(function)
    def found(*arguments: *Arguments) -> T:
        key = (_given.get(), arguments)
        if key not in kept:
            if len(kept) >= TABLES_KEPT:
                kept.pop(next(iter(kept)))
            kept[key] = function(*arguments)
        return kept[key]

    return found
