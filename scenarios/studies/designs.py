"""Designs of experiments: where in the space of the uncertainties the points of a study lie.

A point is a vector of quantiles, one for each uncertainty, so that a design knows nothing of distributions. Grid:
the full factorial. Latin hypercube: McKay, Beckman and Conover 1979. Sobol: the scrambled sequence (Owen 1998).
Saltelli: the sample for variance-based indices (Saltelli et al. 2010). Morris: trajectories of one-at-a-time steps
(Morris 1991).
"""

import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from computemarket.errors import InputError
from computemarket.model.core.arrays import Floats, Ints

METHODS = ("none", "grid", "latin_hypercube", "sobol", "saltelli", "morris")
MOST_POINTS = 10_000_000  # of a sampled design: what a study may hold in memory
MOST_LEVELS = 1000
EDGE = 0.05  # the steps of Morris go from the 5% to the 95% quantile: a distribution need not have an end
_INSIDE = 2.0**-53  # keeps sampled quantiles off 0 and 1
_KEYS: dict[
    str, dict[str, tuple[int | None, int, int]]
] = {  # method -> its numbers: (default, least, most); a default of None must be given
    "none": {},
    "grid": {"levels": (4, 2, MOST_LEVELS)},
    "latin_hypercube": {"points": (None, 1, MOST_POINTS)},
    "sobol": {"points": (None, 1, MOST_POINTS)},
    "saltelli": {"points": (None, 2, MOST_POINTS)},
    "morris": {"trajectories": (None, 2, MOST_POINTS), "levels": (4, 2, 100)},
}


@dataclass(frozen=True)
class Design:
    """Points in the unit cube of the uncertainties.

    Parameters
    ----------
    levels_of : for a grid the quantiles of each uncertainty, otherwise empty
    numbers : what the method asks for (points, levels, trajectories)
    """

    method: str = "none"
    dimensions: int = 0
    numbers: tuple[tuple[str, int], ...] = ()
    second_order: bool = False
    levels_of: tuple[tuple[float, ...], ...] = ()
    seed: int = 1

    @property
    def count(self) -> int:
        """Number of points; Python's whole numbers do not overflow."""
        numbers = dict(self.numbers)
        if self.method == "none":
            return 1
        if self.method == "grid":
            return math.prod(len(levels) for levels in self.levels_of)
        if self.method == "saltelli":
            return numbers["points"] * (self.dimensions * (2 if self.second_order else 1) + 2)
        if self.method == "morris":
            return numbers["trajectories"] * (self.dimensions + 1)
        return numbers["points"]

    def quantiles(self, points: Ints) -> Floats:
        """Return (n, dimensions) quantiles of the given points; every point is the same in any company."""
        if self.method == "none":
            return np.empty((len(points), 0))
        if self.method == "grid":
            places = np.unravel_index(points, [len(levels) for levels in self.levels_of])
            columns = [np.array(levels)[place] for levels, place in zip(self.levels_of, places, strict=True)]
            return np.ascontiguousarray(np.stack(columns, axis=1))
        return np.take(self._sample, points, axis=0)

    @cached_property
    def _sample(self) -> Floats:
        if self.count > MOST_POINTS:
            raise InputError(f"design: {self.method}", f"{self.count:,} points", f"at most {MOST_POINTS:,}")
        return _SAMPLERS[self.method](self)

    @property
    def generator(self) -> np.random.Generator:
        """The generator of the design: its draws are nobody else's."""
        sequence = np.random.SeedSequence(self.seed, spawn_key=(zlib.crc32(b"design"),))
        return np.random.Generator(np.random.Philox(sequence))


def read_design(
    table: Mapping[str, object], levels_of: Sequence[Sequence[float] | None], seed: int, where: str
) -> Design:
    """Read the design of a study.

    Parameters
    ----------
    levels_of : for each uncertainty the quantiles of the values listed for it, or None

    Raises
    ------
    InputError
        for an unknown method or key, or a number out of range.
    """
    method = table.get("method", "none")
    if not isinstance(method, str) or method not in METHODS:
        raise InputError(f"{where}: method", method, f"one of {', '.join(METHODS)}")
    numbers = {
        key: _number(table.get(key, default), f"{where}: {key}", least, most)
        for key, (default, least, most) in _KEYS[method].items()
    }
    extra = {"second_order"} if method == "saltelli" else set()
    unknown = sorted(set(table) - {"method", *numbers, *extra})
    if unknown:
        allowed = ", ".join(("method", *numbers, *extra))
        raise InputError(
            f"{where}: {unknown[0]}", table[unknown[0]], f"part of a design of {method}; it has {allowed}"
        )
    second_order = table.get("second_order", False)
    if not isinstance(second_order, bool):
        raise InputError(f"{where}: second_order", second_order, "true or false")
    _check_space(method, numbers, levels_of, where)
    grid: tuple[tuple[float, ...], ...] = ()
    if method == "grid":
        spread = [(place + 0.5) / numbers["levels"] for place in range(numbers["levels"])]
        grid = tuple(tuple(spread if levels is None else levels) for levels in levels_of)
    return Design(method, len(levels_of), tuple(sorted(numbers.items())), second_order, grid, seed)


def _number(value: object, where: str, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise InputError(where, value, f"a whole number in {least}..{most}")
    return value


def _check_space(
    method: str, numbers: Mapping[str, int], levels_of: Sequence[Sequence[float] | None], where: str
) -> None:
    """Refuse what a method cannot sample."""
    if method == "none" and levels_of:
        raise InputError(
            f"{where}: method", "none", "a design that says which uncertainties to vary, and how"
        )
    if method != "none" and not levels_of:
        raise InputError(f"{where}: method", method, "possible without a table of uncertainties")
    if method != "grid" and any(levels is not None for levels in levels_of):
        raise InputError(
            f"{where}: method", method, "grid, which alone takes lists of values of an uncertainty"
        )
    points = numbers.get("points", 1)
    if method in ("sobol", "saltelli") and points & (points - 1):
        near = 2 ** round(math.log2(points))
        raise InputError(f"{where}: points", points, f"a power of two, such as {near}")
    if method == "morris" and numbers["levels"] % 2:
        raise InputError(f"{where}: levels", numbers["levels"], "even")


def salib_problem(dimensions: int) -> dict[str, object]:
    """Return the unit cube in the words of SALib."""
    names = [f"x{place}" for place in range(dimensions)]
    return {"num_vars": dimensions, "names": names, "bounds": [[0.0, 1.0]] * dimensions}


def _latin_hypercube(design: Design) -> Floats:
    from scipy.stats import qmc

    return _inside(qmc.LatinHypercube(design.dimensions, rng=design.generator).random(design.count))


def _sobol(design: Design) -> Floats:
    from scipy.stats import qmc

    return _inside(qmc.Sobol(design.dimensions, rng=design.generator).random(design.count))


def _saltelli(design: Design) -> Floats:
    sobol = _salib("sobol")
    points = dict(design.numbers)["points"]
    problem = salib_problem(design.dimensions)
    sample = sobol.sample(problem, points, calc_second_order=design.second_order, seed=design.generator)
    return _inside(sample)


def _morris(design: Design) -> Floats:
    numbers = dict(design.numbers)
    problem = salib_problem(design.dimensions)
    sample = _salib("morris").sample(
        problem, numbers["trajectories"], num_levels=numbers["levels"], seed=design.generator
    )
    return np.ascontiguousarray(EDGE + (1 - 2 * EDGE) * sample)


def _salib(name: str) -> Any:
    from importlib import import_module

    try:
        return import_module(f"SALib.sample.{name}")
    except ImportError as error:
        raise InputError("design", name, "available: pip install 'computemarket[sensitivity]'") from error


def _inside(sample: Floats) -> Floats:
    return np.ascontiguousarray(np.clip(sample, _INSIDE, 1 - _INSIDE))


_SAMPLERS = {"latin_hypercube": _latin_hypercube, "sobol": _sobol, "saltelli": _saltelli, "morris": _morris}
