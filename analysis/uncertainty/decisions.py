"""Deciding between cases: bands, paired differences, regret and satisficing, over the same futures.

All cases of a study meet the same points and shocks, so they are compared run by run: the difference between two of
them is the policy and not the dice. Regret is Savage's (1951): how much better the best policy of the same scenario
would have done in the same run. Satisficing is Simon's (1956): the share of runs in which a limit is kept.
"""

from typing import TYPE_CHECKING

import numpy as np

from computemarket.analysis.results.measures import BAND, band_over_runs
from computemarket.analysis.uncertainty.outcomes import CASE, Outcome

if TYPE_CHECKING:
    import pandas as pd


def payoffs(frame: "pd.DataFrame", outcome: Outcome, *, lower_is_better: bool = False) -> "pd.DataFrame":
    """Return a row for each case: band, mean, regret and, with a limit, the share of runs that keep it.

    `share_best`: the share of runs in which no policy of the same scenario does better.

    Parameters
    ----------
    frame : scenario, policy, run, value of every run
    """
    import pandas as pd

    rows = []
    for scenario, group in frame.groupby("scenario", sort=True):
        table = group.pivot_table(index="run", columns="policy", values="value", sort=True).dropna()
        values = table.to_numpy()
        best = values.min(axis=1) if lower_is_better else values.max(axis=1)
        regret = np.abs(values - best[:, None])
        for place, policy in enumerate(table.columns):
            low, median, high = band_over_runs(values[:, place]) if len(values) else (np.nan,) * 3
            row = {
                "scenario": scenario, "policy": policy, "runs": len(values), "low": low, "median": median, "high": high,
                "mean": values[:, place].mean(),
                "share_best": float((regret[:, place] <= 0).mean()), "mean_regret": regret[:, place].mean(),
                "regret_90": float(np.percentile(regret[:, place], BAND[1])), "largest_regret": regret[:, place].max(),
            }  # fmt: skip
            if outcome.sign:
                row["share_kept"] = float(outcome.holds(values[:, place]).mean())
            rows.append(row)
    return pd.DataFrame(rows)


def paired(frame: "pd.DataFrame") -> "pd.DataFrame":
    """Return how each case differs from the first, run by run: band of the difference and share of runs above."""
    import pandas as pd

    table = frame.pivot_table(index="run", columns=list(CASE), values="value", sort=True).dropna()
    first = table.columns[0]
    rows = []
    for case in table.columns[1:]:
        difference = (table[case] - table[first]).to_numpy()
        low, median, high = band_over_runs(difference)
        error = difference.std(ddof=1) / np.sqrt(len(difference)) if len(difference) > 1 else np.nan
        rows.append(
            {
                "case": "/".join(case), "against": "/".join(first), "runs": len(difference), "low": low,
                "median": median, "high": high, "mean": difference.mean(), "standard_error": error,
                "share_above": float((difference > 0).mean()),
            }
        )  # fmt: skip
    columns = ["case", "against", "runs", "low", "median", "high", "mean", "standard_error", "share_above"]
    return pd.DataFrame(rows, columns=columns)
