"""Measures of scenarios compared run by run: the answer in words, a table, and small multiples."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from computemarket.analysis.results.measures import BAND, Measure
from computemarket.analysis.results.series import NotSimulatedError, Panels, panels_from_recorder
from computemarket.model.core.arrays import Floats
from computemarket.model.core.calendar import QUARTERS
from computemarket.scenarios.batches.ensemble import chunks, simulate_chunk
from computemarket.scenarios.schema import Scenario

if TYPE_CHECKING:
    import pandas as pd

DECIDED = 0.8  # share of runs with one sign from which an answer speaks of a direction
TOLD = 6  # sentences
NAMED = 4  # measures without a clear direction
MOST_PANELS = 16  # of one slide
ORDERS = 50.0  # from the least to the largest median, above which a scale is logarithmic


@dataclass(frozen=True)
class Measured:
    """Yearly measures of a scenario: name -> (R, years), NaN where a year is not simulated."""

    scenario: str
    years: tuple[str, ...]
    values: Mapping[str, Floats]


def simulate_measures(scenario: Scenario, measures: Sequence[Measure], runs: int) -> Measured:
    """Simulate runs 0..runs-1 of a scenario and return its measures by year."""
    years = tuple(sorted({quarter[:4] for quarter in QUARTERS[: scenario.quarters]}))
    wanted = frozenset(name for one in measures for name in one.variables)
    parts: dict[str, list[Floats]] = {one.name: [] for one in measures}
    for numbers in chunks(runs):
        panels = panels_from_recorder(
            simulate_chunk(scenario, numbers, wanted), scenario.name, [int(number) for number in numbers]
        )
        for one in measures:
            parts[one.name].append(np.stack([_year(one, panels, year) for year in years], axis=1))
    return Measured(scenario.name, years, {name: np.concatenate(found) for name, found in parts.items()})


def _year(one: Measure, panels: Panels, year: str) -> Floats:
    try:
        return one.at(panels, year)
    except NotSimulatedError:
        return np.full(len(panels.runs), np.nan)


def table_of(measures: Sequence[Measure], base: Measured, others: Sequence[Measured]) -> "pd.DataFrame":
    """Return one row by scenario, measure and year: median and band of the level and of the paired change.

    `lower`: share of runs in which the scenario is below the first one.
    """
    import pandas as pd

    rows = []
    for found in (base, *others):
        for one in measures:
            values, gap = found.values[one.name], found.values[one.name] - base.values[one.name]
            for place, year in enumerate(found.years):
                level, change = _band(values[:, place]), _band(gap[:, place])
                lower = float((gap[:, place] < 0).mean())
                rows.append(
                    (found.scenario, one.name, one.label, one.unit, int(year), *level, *change, lower)
                )
    columns = [
        "scenario",
        "measure",
        "label",
        "unit",
        "year",
        "median",
        "p10",
        "p90",
        "change",
        "change_p10",
        "change_p90",
        "lower",
    ]
    return pd.DataFrame(rows, columns=columns)


def _band(values: Floats) -> tuple[float, float, float]:
    known = values[np.isfinite(values)]
    if not len(known):
        return float("nan"), float("nan"), float("nan")
    low, middle, high = np.percentile(known, (BAND[0], 50.0, BAND[1]))
    return float(middle), float(low), float(high)


def sentences(measures: Sequence[Measure], base: Measured, other: Measured, year: str) -> list[str]:
    """Return the answer in words, what is decided most clearly and changes most first."""
    place = base.years.index(year)
    told: list[tuple[float, str]] = []
    quiet = []
    for one in measures:
        before, after = base.values[one.name][:, place], other.values[one.name][:, place]
        known = np.isfinite(before) & np.isfinite(after)
        if known.mean() < 0.5:
            continue
        gap = after[known] - before[known]
        lower, higher = float((gap < 0).mean()), float((gap > 0).mean())
        first, then = float(np.median(before[known])), float(np.median(after[known]))
        unit = "" if one.unit == "1" else f" {one.unit}"
        if max(lower, higher) < DECIDED:
            quiet.append(one.label)
            continue
        way, share = ("lower", lower) if lower > higher else ("higher", higher)
        size = abs(then - first) / max(abs(first), abs(then), 1e-12)
        told.append(
            (size, f"{one.label}: {short(first)} → {short(then)}{unit}; {way} in {100 * share:.0f}% of runs")
        )
    lines = [text for _, text in sorted(told, key=lambda row: -row[0])[:TOLD]]
    if quiet:
        more = f" and {len(quiet) - NAMED} more" if len(quiet) > NAMED else ""
        lines.append(f"in no clear direction: {', '.join(quiet[:NAMED])}{more}")
    return lines


def _grows(found: Sequence[Measured], name: str) -> bool:
    """Say whether medians move by orders of magnitude, so that only a logarithmic scale shows all years."""
    values = np.concatenate([scenario.values[name] for scenario in found])
    known = np.isfinite(values).mean(axis=0) > 0.5
    medians = np.nanpercentile(values[:, known], 50.0, axis=0)
    return bool(len(medians) and medians.min() > 0 and medians.max() > ORDERS * medians.min())


def short(number: float) -> str:
    """Return a number in three digits, without an exponent."""
    size = abs(number)
    if not np.isfinite(number):
        return "unknown"
    if size >= 100:
        return f"{number:,.0f}"
    return f"{number:.3g}" if size >= 1e-3 or size == 0 else f"{number:.4f}"


def draw(measures: Sequence[Measure], found: Sequence[Measured], target: Path) -> None:
    """Write small multiples on a slide: a panel for each measure, a line and a band for each scenario."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    from computemarket.analysis.style import (
        BAND_ALPHA,
        BLUE,
        GREEN,
        GREY,
        INK,
        ORANGE,
        PURPLE,
        SLIDE_DPI,
        VERMILION,
    )

    hues = (GREY, VERMILION, BLUE, GREEN, ORANGE, PURPLE)
    shown = measures[:MOST_PANELS]
    columns = 4
    lines = -(-len(shown) // columns)
    figure, axes = plt.subplots(
        lines, columns, figsize=(13.3, 0.9 + 2.2 * lines), layout="constrained", squeeze=False
    )
    for panel, one in zip(axes.flat, shown, strict=False):
        for place, scenario in enumerate(found):
            values = scenario.values[one.name]
            years = np.array([int(year) for year in scenario.years])
            known = np.isfinite(values).mean(axis=0) > 0.5
            low, middle, high = np.nanpercentile(values[:, known], (BAND[0], 50.0, BAND[1]), axis=0)
            hue = hues[place % len(hues)]
            panel.fill_between(years[known], low, high, color=hue, alpha=BAND_ALPHA, linewidth=0)
            panel.plot(years[known], middle, color=hue, linewidth=1.8, label=scenario.scenario)
        if _grows(found, one.name):
            panel.set_yscale("log")
        unit = "" if one.unit == "1" else f" ({one.unit})"
        panel.set_title(f"{one.label}{unit}", fontsize=9, color=INK, wrap=True)
        panel.set_xticks([year for year in years if year % 2 == 0])
        panel.tick_params(labelsize=8)
        panel.spines[["top", "right"]].set_visible(False)
    for panel in axes.flat[len(shown) :]:
        panel.set_axis_off()
    handles, labels = axes.flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(found), frameon=False, fontsize=10)
    figure.savefig(target, dpi=SLIDE_DPI)
    plt.close(figure)
