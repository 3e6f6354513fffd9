"""The space in which coefficients are fitted: common values and shrunken effects as one vector."""

import tomllib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

import numpy as np

from computemarket.errors import InputError
from computemarket.model.core.arrays import Floats
from computemarket.model.hardware.performance.coefficients import SHARES
from computemarket.model.hardware.specs.chips import chip_table

# A level that fewer points show takes the mean of its family.
LEAST_ROWS = {"stack": 2, "drafts": 2, "generation": 4}
_LEAST_ROWS = 6
_PREFIXES = ("chip", "attention", "model", "format", "engine", "kind", "mode", "drafts")
_ALONE = {
    "mixture": "mixture",
    "dense": "mixture",
    "widened": "widened",
    "host_bus": "host_bus",
    "native4": "native4",
    "delivered": "delivered",
    "service": "drafts",
    "many_experts": "experts",
    "sparse": "attention",
}


@dataclass(frozen=True)
class Prior:
    """What the fit knows of a coefficient before it sees points."""

    meaning: str
    unit: str
    start: float
    sd_ln: float
    effects: dict[str, float]  # spread of the logarithm of effects by type of level
    # Centre of the logarithm of a level's effect, else 0.
    means: dict[str, float] = field(default_factory=dict)
    begin: float | None = None  # where the search for the common value begins, the centre if not given


@cache
def load_priors() -> dict[str, Prior]:
    """Return the shipped priors by coefficient."""
    text = (files("computemarket.model.data") / "hardware_priors.toml").read_text(encoding="utf-8")
    return {name: Prior(**entry) for name, entry in tomllib.loads(text).items()}


@cache
def level_type(level: str) -> str:
    """Return the type of a level: stack, generation, engine, format, kind, scenario and the like."""
    if level == "mlperf":
        return "mlperf"
    if level.startswith("mlperf:"):
        return "scenario"
    prefix = level.partition(":")[0]
    if prefix in _PREFIXES and ":" in level:
        return prefix
    if level in _ALONE:
        return _ALONE[level]
    table = chip_table()
    if level in table.stacks:
        return "stack"
    if level not in table.generations:
        raise InputError("level of a row", level, "of a known type")
    return "generation"


@dataclass(frozen=True)
class Space:
    """Names of the vector's entries, prior spreads, and which rows each entry acts on."""

    names: tuple[str, ...]  # coefficients, in the order of the common values
    entries: tuple[tuple[str, str], ...]  # (coefficient, level); level "" is the common value
    start: Floats  # (P,) logarithms, the centres of the priors
    spread: Floats  # (P,)
    begin: Floats  # (P,) where a search begins

    def part(self, kept: Sequence[int]) -> "Space":
        """Return the space of some of the entries."""
        places = list(kept)
        entries = tuple(self.entries[i] for i in places)
        return Space(self.names, entries, self.start[places], self.spread[places], self.begin[places])

    def design(self, levels: Sequence[Sequence[str]]) -> dict[str, tuple[list[int], Floats]]:
        """Return for each coefficient its entries and the (rows, entries) matrix of what acts where."""
        tables = [set(row) for row in levels]
        out: dict[str, tuple[list[int], Floats]] = {}
        for name in self.names:
            places = [i for i, (owner, _) in enumerate(self.entries) if owner == name]
            matrix = np.array(
                [
                    [1.0 if not self.entries[i][1] or self.entries[i][1] in row else 0.0 for i in places]
                    for row in tables
                ]
            ).reshape(len(tables), len(places))
            out[name] = (places, matrix)
        return out


def build_space(levels: Sequence[Sequence[str]], priors: dict[str, Prior] | None = None) -> Space:
    """Return the space that rows with these levels span."""
    priors = load_priors() if priors is None else priors
    count = Counter(level for row in levels for level in set(row))
    seen = sorted(
        level for level, rows in count.items() if rows >= LEAST_ROWS.get(level_type(level), _LEAST_ROWS)
    )
    entries: list[tuple[str, str]] = []
    start: list[float] = []
    spread: list[float] = []
    begin: list[float] = []
    for name, prior in priors.items():
        entries.append((name, ""))
        start.append(float(np.log(prior.start)))
        spread.append(prior.sd_ln)
        begin.append(float(np.log(prior.begin or prior.start)))
        # A level of which something is known beforehand has its effect even where no point shows it.
        for level in sorted({*seen, *prior.means}):
            if level_type(level) in prior.effects:
                entries.append((name, level))
                start.append(prior.means.get(level, 0.0))
                spread.append(prior.effects[level_type(level)])
                begin.append(start[-1])
    return Space(tuple(priors), tuple(entries), np.array(start), np.array(spread), np.array(begin))


def values_at(space: Space, design: dict[str, tuple[list[int], Floats]], theta: Floats) -> dict[str, Floats]:
    """Return every coefficient for every row at a vector of logarithms."""
    values = {name: np.exp(matrix @ theta[places]) for name, (places, matrix) in design.items()}
    return {name: np.minimum(value, 1.0) if name in SHARES else value for name, value in values.items()}
