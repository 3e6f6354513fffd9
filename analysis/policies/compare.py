"""Policies compared run by run, with the same draws: a difference is the policy and not the dice."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from computemarket.analysis.policies.compare_lines import LAG, LARGEST_RUN, LINES, RATIOS, VARIABLES, Line
from computemarket.analysis.policies.training_run import largest_run_flop
from computemarket.analysis.results.measures import BAND
from computemarket.model.core.arrays import Floats
from computemarket.model.core.calendar import QUARTERS, QUARTERS_PER_YEAR
from computemarket.model.core.recorder import Recorder
from computemarket.scenarios.batches.ensemble import chunks, simulate_chunk
from computemarket.scenarios.schema import Scenario

if TYPE_CHECKING:
    import pandas as pd

NEGLIGIBLE = 1e-9  # below it a number counts as nothing, as the trace of a licence nobody uses


@dataclass(frozen=True)
class Outcome:
    """The yearly numbers of a scenario: name -> (R, years), with units; and stocks by quarter for the lag."""

    scenario: str
    years: tuple[str, ...]
    values: Mapping[str, Floats]
    units: Mapping[str, str]
    stock_us: Floats  # (R, T) owned H100e
    stock_china: Floats


def simulate_outcome(scenario: Scenario, runs: int, progress: Callable[[int], None] | None = None) -> Outcome:
    """Simulate a scenario for runs 0..runs-1 and return its yearly numbers."""
    parts: list[tuple[dict[str, Floats], Floats, Floats]] = []
    for numbers in chunks(runs):
        parts.append(_read(simulate_chunk(scenario, numbers, VARIABLES)))
        if progress is not None:
            progress(len(numbers))
    values = {name: np.concatenate([part[0][name] for part in parts]) for name in parts[0][0]}
    units = {line.name: line.unit for line in LINES} | {name: "ratio" for name, _, _ in RATIOS}
    us, china = np.concatenate([part[1] for part in parts]), np.concatenate([part[2] for part in parts])
    lag = lag_quarters(us, china)
    values[LAG], units[LAG] = yearly(lag, "end"), "quarters"
    values[LARGEST_RUN] = largest_run_flop(values["China stock, used"] * 1e3) / 1e25
    units[LARGEST_RUN] = "1e25 FLOP"
    years = tuple(sorted({quarter[:4] for quarter in QUARTERS[: scenario.quarters]}))
    return Outcome(scenario.name, years, values, units, us, china)


def _read(recorder: Recorder) -> tuple[dict[str, Floats], Floats, Floats]:
    values = {line.name: yearly(_series(recorder, line), line.how) for line in LINES}
    for name, above, below in RATIOS:
        values[name] = values[above] / np.maximum(values[below], NEGLIGIBLE)
    stocks = {
        line.name: _series(recorder, line)
        for line in LINES
        if line.name in ("US stock, owned", "China stock, owned")
    }
    return values, stocks["US stock, owned"], stocks["China stock, owned"]


def _series(recorder: Recorder, line: Line) -> Floats:
    """Return (R, T) the sum over the series that a line asks for."""
    kept = recorder.series[line.variable]
    labels = zip(kept.entity, kept.region, kept.detail, strict=True)
    asked = (line.entity, line.region, line.detail)
    chosen = [
        all(not want or want == have for want, have in zip(asked, label, strict=True)) for label in labels
    ]
    values = np.compress(chosen, recorder.array(line.variable), axis=2)
    total = np.nan_to_num(values).sum(axis=2) / line.scale
    return np.where(np.abs(total) < NEGLIGIBLE, 0.0, total)


def yearly(series: Floats, how: str) -> Floats:
    """Return (R, years) of (R, T): sums of flows, means of rates, last values of stocks; a started year counts."""
    edges = range(0, series.shape[1], QUARTERS_PER_YEAR)
    parts = [series[:, start : start + QUARTERS_PER_YEAR] for start in edges]
    reduce: Mapping[str, Callable[[Floats], Floats]] = {
        "sum": lambda part: part.sum(axis=1),
        "mean": lambda part: part.mean(axis=1),
        "end": lambda part: part[:, -1],
    }
    return np.stack([reduce[how](part) for part in parts], axis=1)


def lag_quarters(ahead: Floats, behind: Floats) -> Floats:
    """Return (R, T) how many quarters ago the leader stood where the follower stands; at most since the start.

    Between quarters the leader's stock is taken as a straight line; 0 where the follower is ahead.
    """
    runs, quarters = ahead.shape
    lag = np.zeros((runs, quarters))
    for run in range(runs):
        path = np.maximum.accumulate(ahead[run])
        when = np.interp(behind[run], path, np.arange(quarters, dtype=np.float64))
        lag[run] = np.maximum(np.arange(quarters) - when, 0.0)
    return lag


def differences(base: Outcome, others: Sequence[Outcome]) -> "pd.DataFrame":
    """Return one row by scenario, measure and year: median and band of level, and of the paired difference."""
    import pandas as pd

    rows = []
    for outcome in (base, *others):
        for name, values in outcome.values.items():
            gap = values - base.values[name]
            for place, year in enumerate(outcome.years):
                level, change = _band(values[:, place]), _band(gap[:, place])
                rows.append((outcome.scenario, name, outcome.units[name], int(year), *level, *change))
    columns = (
        "scenario",
        "measure",
        "unit",
        "year",
        "median",
        "p10",
        "p90",
        "change",
        "change_p10",
        "change_p90",
    )
    return pd.DataFrame(rows, columns=list(columns))


def _band(values: Floats) -> tuple[float, float, float]:
    low, middle, high = np.percentile(values, (BAND[0], 50.0, BAND[1]))
    return float(middle), float(low), float(high)


CHANNELS = {  # of compute for China: what a policy closes, and what may take its place
    "legal imports": "China added, legal",
    "compliant variants": "China added, variant",
    "bought abroad": "China added, offshore_owned",
    "smuggled": "China added, smuggled",
    "remote": "China rented abroad",
    "domestic": "China added, domestic",
}


def channel_changes(base: Outcome, policy: Outcome, first_year: str) -> dict[str, Floats]:
    """Return by channel the (R,) change of H100e (thousands) since a year: of flows the sum, of rentals the last."""
    start = base.years.index(first_year)
    changes = {}
    for channel, name in CHANNELS.items():
        gap = policy.values[name] - base.values[name]
        changes[channel] = (
            gap[:, -1].copy() if channel == "remote" else np.ascontiguousarray(gap[:, start:]).sum(axis=1)
        )
    return changes


def waterfall(base: Outcome, policy: Outcome, first_year: str) -> dict[str, Floats]:
    """Return what took the place of compute that China lost under a policy since a year, (R,) H100e (thousands).

    Blocked is the sum of what fell over all channels, those of smugglers and landlords included where the policy
    closes them; what rose took its place; `never` is the rest.
    """
    changes = channel_changes(base, policy, first_year)
    blocked = sum((np.maximum(-gap, 0.0) for gap in changes.values()), np.zeros_like(base.stock_us[:, 0]))
    found = {"blocked": blocked}
    found |= {channel: np.maximum(gap, 0.0) for channel, gap in changes.items()}
    found["never"] = blocked - sum(found[channel] for channel in changes)
    return found


def waterfall_parts(base: Outcome, policy: Outcome, first_year: str) -> tuple[tuple[str, str, Floats], ...]:
    """Return part, channel and (R,) change of China's compute, H100e (thousands), as table and picture show them.

    One sign: below zero China loses. In every run, and so in means, the channels of `of which` add up to `blocked`,
    and `blocked` with the channels of `replaced by` to `never replaced`; medians and bands need not add up.
    """
    changes = channel_changes(base, policy, first_year)
    whole = waterfall(base, policy, first_year)
    return (
        ("blocked", "", -whole["blocked"]),
        *(("of which", name, np.minimum(gap, 0.0)) for name, gap in changes.items()),
        *(("replaced by", name, np.maximum(gap, 0.0)) for name, gap in changes.items()),
        ("never replaced", "", -whole["never"]),
    )
