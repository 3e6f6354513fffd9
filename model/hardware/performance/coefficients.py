"""Fitted efficiencies: what stacks reach of the specification, read from ``hardware_coefficients.toml``.

Each coefficient has a common value and effects, factors by software stack, chip generation, serving engine
and the like. Effects were shrunk towards one in the fit (partial pooling), so a chip that no measured point
covers takes its stack's mean, and a stack that none covers the common value.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files
from types import MappingProxyType

import numpy as np

from computemarket.errors import InputError
from computemarket.model.core.arrays import Floats
from computemarket.model.hardware.performance.roofline import Efficiency

FILE = "hardware_coefficients.toml"
# The fit on which the market's other parameters were calibrated: it changes when they are calibrated again.
CALIBRATED_FILE = "hardware_coefficients_calibrated.toml"
_NEUTRAL = MappingProxyType(
    {"imbalance": 0.0, "expert_memory": 1.0, "unpack": 1.0}
)  # terms a fit does not know
SHARES = frozenset(
    {"memory", "compute", "prefill", "link", "widening", "expert_memory", "unpack"}
)  # of a peak: never above one


@dataclass(frozen=True, slots=True)
class Coefficient:
    """One fitted number: common value, standard error of its logarithm, factors by level."""

    value: float
    sd_ln: float
    factors: Mapping[str, float]

    def at(self, levels: Sequence[str]) -> float:
        """Return the value at the given levels; levels without a fitted factor count as one."""
        value = self.value
        for level in levels:
            value *= self.factors.get(level, 1.0)
        return value


@dataclass(frozen=True, slots=True)
class Coefficients:
    """All fitted numbers by name."""

    table: Mapping[str, Coefficient]
    half_width_ln: Mapping[str, float]  # of prediction intervals, by kind of row; "level" is their level
    fit: Mapping[str, float | str]  # date and errors of the fit
    evidence: Mapping[str, int]  # points of the fit by trait, keyed "trait:value"
    widening: Mapping[str, float]  # by trait, how much its want of points widens an interval

    def value(self, name: str, *levels: str) -> float:
        """Return a coefficient at levels, as ``value("memory", "nvidia", "hopper")``.

        Raises
        ------
        InputError
            If there is no such coefficient.
        """
        if name not in self.table and name in _NEUTRAL:
            return _NEUTRAL[name]
        if name not in self.table:
            raise InputError(FILE, name, "one of " + ", ".join(self.table))
        value = self.table[name].at(levels)
        return min(value, 1.0) if name in SHARES else value

    def per_row(self, name: str, levels: Sequence[Sequence[str]]) -> Floats:
        """Return a coefficient for many rows of levels, shape (rows,)."""
        return np.array([self.value(name, *row) for row in levels])


@cache
def load_coefficients(calibrated: bool = False) -> Coefficients:
    """Return the shipped coefficients: the latest fit, or the one that the market was calibrated on."""
    name = CALIBRATED_FILE if calibrated else FILE
    text = (files("computemarket.model.data") / name).read_text(encoding="utf-8")
    content = tomllib.loads(text)
    table = {
        name: Coefficient(
            value=float(entry["value"]),
            sd_ln=float(entry["sd_ln"]),
            factors=MappingProxyType(
                {level: float(effect["factor"]) for level, effect in entry.get("effect", {}).items()}
            ),
        )
        for name, entry in content["coefficient"].items()
    }
    return Coefficients(
        table=MappingProxyType(table),
        half_width_ln=MappingProxyType(content["half_width_ln"]),
        fit=MappingProxyType(content["fit"]),
        evidence=MappingProxyType(content.get("evidence", {})),
        widening=MappingProxyType(content.get("widening", {})),
    )


def efficiency_of(
    coefficients: Coefficients, levels: Sequence[Sequence[str]], shape: tuple[int, ...] | None = None
) -> Efficiency:
    """Return the efficiencies of rows of levels, arrays of shape (rows,) or reshaped.

    Parameters
    ----------
    levels : per row (usually per chip) the levels that apply: stack, generation, engine
    shape : shape to give the arrays, so that they broadcast
    """
    columns = (coefficients.per_row(f.name, levels) for f in fields(Efficiency))
    return Efficiency(*(column if shape is None else column.reshape(shape) for column in columns))
