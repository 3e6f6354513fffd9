"""Software maturity: what a stack has learnt to get out of a hardware generation (M11).

Logistic learning, as diffusion and learning curves are usually written (Verhulst 1838; Mansfield 1961):
``m(age) = 1/(1 + (G - 1) exp(-r age))``, 1/G at launch and 1 when learnt, so that software gains a factor G on
the same hardware. Engines that all vendors share pass on part of the leading stack's speed of learning.
"""

import csv
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

import numpy as np

from computemarket.model.arrays import Floats
from computemarket.model.hardware.chips import chip_table
from computemarket.model.hardware.parameters import parameter_default
from computemarket.model.hardware.product_specs import ProductSpecs

_UNKNOWN_STACK = (0.3, 0.0)  # slowest rate of the table, no shared engine


def software_level(age_quarters: Floats, gain: Floats | float, rate: Floats | float) -> Floats:
    """Return the share of full performance that software reaches, 1/gain at age 0 and towards 1.

    Parameters
    ----------
    age_quarters : quarters since the generation's launch; negative ages count as 0
    gain : G, performance when learnt over that at launch, at least 1
    rate : r, per quarter
    """
    age = np.maximum(age_quarters, 0.0)
    return np.asarray(1.0 / (1.0 + (np.asarray(gain) - 1.0) * np.exp(-np.asarray(rate) * age)))


def learning_rate(
    leading_rate: Floats | float, relative: Floats, open_engine: Floats, spillover: Floats | float
) -> Floats:
    """Return each stack's rate of learning, per quarter.

    ``r (q + (1 - q) o s)``: its own speed q relative to the leading stack, and of the rest the part s that
    shared engines pass on to a stack that uses them to the degree o (all 0..1).
    """
    return np.asarray(leading_rate * (relative + (1.0 - relative) * open_engine * spillover))


@cache
def stack_speeds() -> dict[str, tuple[float, float]]:
    """Return relative speed of learning and use of shared engines by software stack."""
    text = files("computemarket.model.data").joinpath("stack_maturity.csv").read_text("utf-8")
    rows = csv.DictReader(text.splitlines())
    return {row["stack"]: (float(row["relative_rate"]), float(row["open_engine"])) for row in rows}


def product_learning_rates(specs: ProductSpecs) -> Floats:
    """Return the (P,) rates of learning of products' stacks at the parameters' defaults."""
    table = chip_table()
    pairs = [stack_speeds().get(table.stacks[place], _UNKNOWN_STACK) for place in specs.chip]
    relative, shared = np.array(pairs).T
    return learning_rate(
        parameter_default("software_gap_rate"), relative, shared, parameter_default("open_engine_spillover")
    )


def generation_launch(specs: ProductSpecs) -> Floats:
    """Return the (P,) quarter in which each product's generation began to be learnt: its first product's."""
    table = chip_table()
    key = [(table.stacks[place], table.generations[place]) for place in specs.chip]
    everything = _first_launches()
    return np.array(
        [min(everything.get(k, own), own) for k, own in zip(key, specs.launch_quarter, strict=True)],
        dtype=np.float64,
    )


@cache
def _first_launches() -> dict[tuple[str, str], int]:
    from computemarket.model.hardware.product_specs import product_specs

    table, first = chip_table(), {}
    specs = product_specs()
    for place, launch in zip(specs.chip, specs.launch_quarter, strict=True):
        key = (table.stacks[place], table.generations[place])
        # A stack without named generations starts anew with every product.
        if key[0] != key[1]:
            first[key] = min(first.get(key, int(launch)), int(launch))
    return first


def product_maturity(specs: ProductSpecs, quarters: Sequence[int]) -> Floats:
    """Return the (P, T) factor on the kernel's rates by quarter, 0 before a product's launch.

    The kernel's coefficients describe software of the parameter's reference age: there the factor is 1.
    """
    time = np.asarray(quarters, dtype=np.float64)[None, :]
    gain, rate = parameter_default("software_gain"), product_learning_rates(specs)[:, None]
    level = software_level(time - generation_launch(specs)[:, None], gain, rate)
    leading = parameter_default("software_gap_rate")
    reference = software_level(np.array(parameter_default("software_reference_age")), gain, leading)
    return np.where(time >= specs.launch_quarter[:, None], level / reference, 0.0)
