"""What the market did when the baselines were last written, quarter by quarter.

A change of the model that changes no result leaves every number where it was, to a relative 1e-9. A failure names
the world, the quarter, and the arrays of the state that moved first: the fault is in what writes them. Results that
are meant to change are written anew by `pytest tests/baselines --update-baselines`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from tests.baselines.digests import (
    Numbers,
    arrays_of,
    as_text,
    digest,
    first_difference,
    rounded,
    spread,
)
from tests.baselines.headlines import HEADLINES
from tests.baselines.worlds import BLENDS, RUNS, blend

from computemarket.model.core.calendar import QUARTERS
from computemarket.model.state import check_bounds
from computemarket.scenarios.assembly import assemble

SHOWN = 6  # arrays, series or variables named in a failure


@dataclass(frozen=True)
class History:
    """What a world did: numbers and the sizes they are compared with, by part, name and quarter."""

    world: str
    quarters: int
    numbers: Mapping[str, Mapping[str, Numbers]]
    sizes: Mapping[str, Mapping[str, Numbers]]
    outside: Sequence[str]

    def kept(self) -> dict[str, object]:
        """Return what is written to the file of the baseline."""
        parts = {
            part: {name: rounded(numbers) for name, numbers in sorted(named.items())}
            for part, named in self.numbers.items()
        }
        return {"world": self.world, "runs": RUNS, "quarters": self.quarters, **parts}

    def differences(
        self, kept: Mapping[str, Mapping[str, Numbers | float]], part: str
    ) -> list[tuple[int, str]]:
        """Return (quarter, what differs) for one part of the file, the earliest first."""
        found = []
        for name, old in kept[part].items():
            numbers, sizes = self.numbers[part].get(name), self.sizes[part].get(name)
            if numbers is None or sizes is None:
                found.append((0, f"{name} is gone"))
                continue
            before = spread(old, len(numbers))
            place = first_difference(before, numbers, sizes)
            if place is not None:
                found.append((place, f"{name} {before[place]:.6g} -> {numbers[place]:.6g}"))
        return sorted(found)


def path_of(world: str) -> Path:
    """Return the file of a world's baseline."""
    return Path(__file__).with_name(f"{world}.json")


def simulate(world: str) -> History:
    """Simulate a world and take the digest of everything after each quarter."""
    scenario = blend(world)
    market = assemble(scenario, np.arange(RUNS), None)
    state: dict[str, list[tuple[float, float]]] = {}
    outside = []
    for quarter in range(scenario.quarters):
        market.step()
        outside += [f"{QUARTERS[quarter]}: {sentence}" for sentence in check_bounds(market.state)]
        for name, array in arrays_of(market).items():
            state.setdefault(name, []).append(digest(array))
    recorded = {name: [digest(market.recorder.array(name))] for name in market.recorder.series}
    headlines = {
        one.name: [(value, abs(value)) for value in one.values(market.recorder).tolist()] for one in HEADLINES
    }
    parts = {"series": headlines, "state": state, "recorded": recorded}
    numbers, sizes = (
        {
            part: {name: [pair[place] for pair in pairs] for name, pairs in named.items()}
            for part, named in parts.items()
        }
        for place in (0, 1)
    )
    return History(world, scenario.quarters, numbers, sizes, outside)


@pytest.fixture(scope="module", params=list(BLENDS))
def history(request: pytest.FixtureRequest) -> History:
    """Return what a world does today; rewrite its baseline where that is asked."""
    today = simulate(request.param)
    if request.config.getoption("--update-baselines"):
        path_of(today.world).write_text(as_text(today.kept()))
    return today


def told(history: History, part: str, unit: str) -> str:
    """Return what differs from the baseline in a sentence; nothing where nothing does."""
    kept = json.loads(path_of(history.world).read_text())
    found = history.differences(kept, part)
    if not found:
        return ""
    first = found[0][0]
    together = [text for place, text in found if place == first]
    when = f"{QUARTERS[first]}: " if part != "recorded" else ""
    more = f" and {len(together) - SHOWN} more" if len(together) > SHOWN else ""
    later = f"; {len(found) - len(together)} {unit} later" if len(found) > len(together) else ""
    return f"{history.world} {when}{unit} differ: {'; '.join(together[:SHOWN])}{more}{later}"


def test_the_state_after_each_quarter_is_what_it_was(history: History) -> None:
    difference = told(history, "state", "arrays")
    assert not difference, difference


def test_the_headline_series_are_what_they_were(history: History) -> None:
    difference = told(history, "series", "series")
    assert not difference, difference


def test_every_recorded_variable_is_what_it_was(history: History) -> None:
    difference = told(history, "recorded", "variables")
    assert not difference, difference


def test_every_array_of_the_state_stays_within_its_declared_bounds(history: History) -> None:
    assert not history.outside, history.outside[:SHOWN]
