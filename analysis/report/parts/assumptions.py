"""What a report assumes beyond the model, read from a file that it also prints."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Assumption:
    """One number with its meaning and source."""

    name: str
    meaning: str
    unit: str
    value: float
    source: str
    status: str


@cache
def assumptions() -> dict[str, Assumption]:
    """Return all assumptions by name."""
    text = files("computemarket.analysis.report").joinpath("assumptions.toml").read_text("utf-8")
    return {name: Assumption(name, **table) for name, table in tomllib.loads(text).items()}


def assumed(name: str) -> float:
    """Return the value of an assumption."""
    return assumptions()[name].value
