"""Defaults of the hardware area's parameters, for tables that are computed once for all runs."""

from functools import cache

from computemarket.model.parameters import schema


@cache
def parameter_default(key: str) -> float:
    """Return the default of the parameter ``hardware.<key>``."""
    return float(schema()[f"hardware.{key}"].default)
