"""Software maturity: how a hardware generation gains throughput with its age, and what open engines pass on (M11)."""

import csv
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

import numpy as np

from computemarket.model.core.arrays import Floats, Ints
from computemarket.model.hardware.specs.defaults import parameter_default

UNKNOWN_STACK = (0.3, 0.0)  # the slowest of the table, without a shared engine


def software_maturity(
    age_quarters: Floats,
    gain: Floats | float,
    rate_per_quarter: Floats | float,
    reference_age: Floats | float,
) -> Floats:
    """Return the factor on a generation's throughput at an age, 1 at the age of the measured points, 0 unborn.

    Logistic closing of the gap: ``m(a) = 1/(1 + (G - 1) exp(-rate a))``, normalised by ``m(reference age)``, so that
    software multiplies the launch-day throughput by G in the long run (market_facts: software_gain_same_hw).
    """
    age = np.maximum(age_quarters, 0.0)
    level = 1.0 / (1.0 + (np.asarray(gain) - 1.0) * np.exp(-np.asarray(rate_per_quarter) * age))
    reference = 1.0 / (1.0 + (np.asarray(gain) - 1.0) * np.exp(-np.asarray(rate_per_quarter) * reference_age))
    return np.where(np.asarray(age_quarters) >= 0.0, level / reference, 0.0)


def learning_rates(
    own_rate: Floats, leader_rate: Floats | float, spillover: Floats | float, open_share: Floats | float = 1.0
) -> Floats:
    """Return the rate at which a stack closes its gap when engines are shared in the open.

    ``own + spillover open (leader - own)+``: shared engines (vLLM, SGLang) lift all vendors, the leader keeps its own.
    """
    return own_rate + np.asarray(spillover) * open_share * np.maximum(leader_rate - own_rate, 0.0)


@cache
def stack_speeds() -> dict[str, tuple[float, float]]:
    """Return by software stack its speed of learning over the leader's, and how far it uses shared engines."""
    text = files("computemarket.model.data").joinpath("stack_maturity.csv").read_text("utf-8")
    rows = csv.DictReader(text.splitlines())
    return {row["stack"]: (float(row["relative_rate"]), float(row["open_engine"])) for row in rows}


def stack_learning_rates(stacks: Sequence[str]) -> Floats:
    """Return the rates at which stacks close their gap, per quarter, at the parameters' defaults."""
    relative, shared = np.array([stack_speeds().get(name, UNKNOWN_STACK) for name in stacks]).T
    leader = parameter_default("software_gap_rate")
    return learning_rates(leader * relative, leader, parameter_default("open_engine_spillover"), shared)


def maturity_table(
    launch: Ints, quarters: int, gain: float, rate_per_quarter: float, reference_age: float
) -> Floats:
    """Return (P, T) software maturity of products launched in quarter ``launch`` over the calendar's quarters."""
    age = np.arange(quarters, dtype=np.float64) - launch[:, None]
    return software_maturity(age, gain, rate_per_quarter, reference_age)


def wright_cost(cost: Floats, made: Floats, made_at_cost: Floats, learning_rate: Floats | float) -> Floats:
    """Return unit cost after cumulative output has grown, Wright's law ``c (Q/Q0)^-b, b = -log2(1 - learning rate)``.

    Source: Wright 1936; a learning rate of 0.15 means 15% less at every doubling.
    """
    exponent = -np.log2(1.0 - np.asarray(learning_rate))
    return cost * (made / made_at_cost) ** -exponent
