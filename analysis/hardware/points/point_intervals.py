"""Prediction intervals that hold outside: wide where few points show a stack, chip, model, engine or year.

Half-widths come from the errors of points whose publisher the fit has not seen. A row's half-width is that of its
kind times ``1 + sum over traits of c k/(k + n)``, n points of the fit that share the trait; c is fitted to the same
errors.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from computemarket.model.core.arrays import Floats

TRAITS = ("stack", "chip", "model", "engine", "year")
HALF_EVIDENCE = 10.0  # points at which half of a trait's widening is left; assumption
_SMALLEST = 0.02  # ln units: errors below it tell nothing of the scale
_GRID: Floats = np.array([0.0, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0])


def evidence(traits: Sequence[Mapping[str, str]]) -> Counter[str]:
    """Return how many rows show each trait, keyed ``trait:value``."""
    return Counter(f"{name}:{row[name]}" for row in traits for name in TRAITS)


def thinness(traits: Sequence[Mapping[str, str]], counts: Mapping[str, int]) -> Floats:
    """Return ``k/(k + n)`` of each row and trait, (rows, traits): 1 where no point shows it, near 0 where many do."""
    seen = np.array(
        [[counts.get(f"{name}:{row[name]}", 0) for name in TRAITS] for row in traits], dtype=np.float64
    )
    return HALF_EVIDENCE / (HALF_EVIDENCE + seen.reshape(len(traits), len(TRAITS)))


def widening(thin: Floats, factors: Mapping[str, float]) -> Floats:
    """Return the factor on each row's half-width, at least 1."""
    return np.asarray(1.0 + thin @ np.array([factors.get(name, 0.0) for name in TRAITS]))


def fit_widening(residual_ln: Floats, thin: Floats, kinds: Sequence[str]) -> dict[str, float]:
    """Return the factor of each trait, the likeliest of a grid under Laplace errors with a scale by kind.

    Laplace errors are judged by their size alone: ``ln scale + |error|/scale``. One trait is moved at a time.
    """
    size = np.maximum(np.abs(residual_ln), _SMALLEST)
    names = sorted(set(kinds))
    place = np.array([names.index(kind) for kind in kinds])
    chosen: dict[str, float] = dict.fromkeys(TRAITS, 0.0)

    def loss(factors: Mapping[str, float]) -> float:
        relative = size / widening(thin, factors)
        total = np.bincount(place, relative, len(names)) / np.bincount(place, minlength=len(names))
        scale = total[place] * widening(thin, factors)
        return float(np.mean(np.log(scale) + size / scale))

    for _ in range(2):
        for name in TRAITS:
            losses = [loss(chosen | {name: float(value)}) for value in _GRID]
            chosen[name] = float(_GRID[int(np.argmin(losses))])
    return chosen
