"""Defaults of parameters, for tables that are computed once for all runs."""

from functools import cache

from computemarket.model.core.parameters import schema


@cache
def default_of(name: str) -> float:
    """Return the default of a parameter by its full name, ``area.key``."""
    return float(schema()[name].default)


def parameter_default(key: str) -> float:
    """Return the default of the parameter ``hardware.<key>``."""
    return default_of(f"hardware.{key}")
