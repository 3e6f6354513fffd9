"""What researchers ask first of a policy: the largest run it leaves, denial against revenue, and each regime's part."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from computemarket.analysis.compare import Outcome, simulate_outcome
from computemarket.errors import InputError
from computemarket.model.arrays import Floats
from computemarket.model.policy.market_access import Rules
from computemarket.scenarios.schema import Scenario

if TYPE_CHECKING:
    import pandas as pd

# A training run of the largest cluster; sources: Epoch AI on cluster shares and length of runs, dense BF16 of an H100.
CLUSTER_SHARE, UTILISATION, RUN_SECONDS, H100_BF16_FLOPS = 0.05, 0.4, 90 * 86400.0, 989.5e12
FRONTIER_COLUMNS = (
    "value",
    "China added",
    "China_p10",
    "China_p90",
    "Nvidia revenue",
    "Nvidia_p10",
    "Nvidia_p90",
)


def largest_run_flop(stock_h100e: Floats) -> Floats:
    """Return the FLOP of the largest training run that a stock affords: a twentieth of it for ninety days."""
    return np.asarray(stock_h100e * CLUSTER_SHARE * H100_BF16_FLOPS * UTILISATION * RUN_SECONDS)


def frontier(
    scenario: Scenario, key: str, values: Sequence[str], start: str, year: str, runs: int
) -> "pd.DataFrame":
    """Return denial against revenue: compute China adds and Nvidia's revenue in a year, by values of a lever.

    Parameters
    ----------
    key : the lever, like policy.cbc_tpp_ceiling; it takes each value from quarter `start` on
    year : in which both are read
    """
    import pandas as pd

    rows = []
    for text in values:
        try:
            number = float(text)
        except ValueError as error:
            raise InputError("--sweep", text, "a number") from error
        asked = scenario.with_settings({key: [{"from": start, "value": number}]})
        outcome = simulate_outcome(asked, runs)
        place = _place(outcome, year)
        pair = [outcome.values[name][:, place] for name in ("China compute added, owned", "Nvidia revenue")]
        bands = [np.percentile(values_, (50.0, 10.0, 90.0)).tolist() for values_ in pair]
        rows.append((number, *bands[0], *bands[1]))
    return pd.DataFrame(rows, columns=list(FRONTIER_COLUMNS))


def attribution(scenario: Scenario, measures: Sequence[str], year: str, runs: int) -> "pd.DataFrame":
    """Return what each regime in force does alone: the change of measures when it is taken out, run by run.

    Effects of single regimes need not add up: one that is taken out may leave the field to another.
    """
    import pandas as pd

    base = simulate_outcome(scenario, runs)
    book = Rules(scenario.regimes, scenario.enforce, scenario.suspend).book()
    rows = []
    for regime in (r.id for r in book.regimes if r.enforced):
        without = simulate_outcome(replace(scenario, suspend=(*scenario.suspend, regime)), runs)
        place = _place(base, year)
        for name in measures:
            change = base.values[name][:, place] - without.values[name][:, place]
            middle, low, high = np.percentile(change, (50.0, 10.0, 90.0))
            rows.append((regime, name, base.units[name], middle, low, high))
    return pd.DataFrame(rows, columns=["regime", "measure", "unit", "effect", "effect_p10", "effect_p90"])


def _place(outcome: Outcome, year: str) -> int:
    if year not in outcome.years:
        raise InputError("--year", year, f"one of {outcome.years[0]}..{outcome.years[-1]}")
    return outcome.years.index(year)
