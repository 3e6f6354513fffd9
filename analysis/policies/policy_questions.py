"""What researchers ask first of a policy: the largest run it leaves, denial against revenue, and each regime's part."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from computemarket.analysis.policies.compare import NEGLIGIBLE, Outcome, simulate_outcome
from computemarket.errors import InputError
from computemarket.model.core.arrays import Floats
from computemarket.model.core.calendar import QUARTERS
from computemarket.model.policy.trade.market_access import Rules
from computemarket.scenarios.schema import Scenario

if TYPE_CHECKING:
    import pandas as pd

FRONTIER_COLUMNS = tuple(
    ["value"]
    + [
        f"{name}{kind}{part}"
        for name in ("China added", "Nvidia revenue")
        for kind in ("", " change")
        for part in ("", "_p10", "_p90")
    ]
)


def frontier(
    scenario: Scenario, key: str, values: Sequence[str], start: str, year: str, runs: int
) -> "pd.DataFrame":
    """Return denial against revenue: compute China adds and Nvidia's revenue in a year, by values of a lever.

    Of both, the level and the change in each run against the first value, as median and 80% band.

    Parameters
    ----------
    key : the lever, like policy.cbc_tpp_ceiling; it takes each value from quarter `start` on
    year : in which both are read
    """
    import pandas as pd

    scenario = _until(scenario, year)
    rows: list[list[float]] = []
    first: list[Floats] = []
    for text in values:
        try:
            number = float(text)
        except ValueError as error:
            raise InputError("--sweep", text, "a number") from error
        asked = scenario.with_settings({key: [{"from": start, "value": number}]})
        outcome = simulate_outcome(asked, runs)
        place = _place(outcome, year)
        pair = [outcome.values[name][:, place] for name in ("China compute added, owned", "Nvidia revenue")]
        first = first or pair
        row = [number]
        for level, reference in zip(pair, first, strict=True):
            for shown in (level, level - reference):
                row += np.percentile(shown, (50.0, 10.0, 90.0)).tolist()
        rows.append(row)
    return pd.DataFrame(rows, columns=list(FRONTIER_COLUMNS))


def attribution(scenario: Scenario, measures: Sequence[str], year: str, runs: int) -> "pd.DataFrame":
    """Return what each regime in force does alone: the change of measures when it is taken out, run by run.

    Regimes that take force after the year are left out. Effects of single regimes need not add up: one that is
    taken out may leave the field to another.
    """
    import pandas as pd

    scenario = _until(scenario, year)
    base = simulate_outcome(scenario, runs)
    book = Rules(scenario.regimes, scenario.enforce, scenario.suspend).book()
    rows = []
    for regime in (r.id for r in book.regimes if r.enforced and r.effective.year <= int(year)):
        without = simulate_outcome(replace(scenario, suspend=(*scenario.suspend, regime)), runs)
        place = _place(base, year)
        for name in measures:
            change = base.values[name][:, place] - without.values[name][:, place]
            middle, low, high = np.percentile(change, (50.0, 10.0, 90.0))
            rows.append(
                (regime, name, base.units[name], middle, low, high, "yes" if holds_zero(low, high) else "no")
            )
    columns = ["regime", "measure", "unit", "effect", "effect_p10", "effect_p90", "band_holds_zero"]
    return pd.DataFrame(rows, columns=columns)


def holds_zero(low: float, high: float) -> bool:
    """Say whether a band holds zero, or comes so near that only the last bits of sums keep it away."""
    return low <= NEGLIGIBLE and high >= -NEGLIGIBLE


def _until(scenario: Scenario, year: str) -> Scenario:
    """Return the scenario up to the end of a year: what is later does not bear on it."""
    years = sorted({quarter[:4] for quarter in QUARTERS[: scenario.quarters]})
    if year not in years:
        raise InputError("--year", year, f"one of {years[0]}..{years[-1]}")
    last = [quarter for quarter in QUARTERS[: scenario.quarters] if quarter.startswith(year)][-1]
    return replace(scenario, until=last)


def _place(outcome: Outcome, year: str) -> int:
    return outcome.years.index(year)
