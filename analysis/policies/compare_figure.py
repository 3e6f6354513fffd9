"""Pictures of policies compared: yearly differences, what replaced what was blocked, denial against revenue, parts."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from computemarket.analysis.policies.compare import CHANNELS, Outcome, channel_changes, waterfall
from computemarket.analysis.policies.compare_lines import LAG, LARGEST_RUN
from computemarket.analysis.style import (
    BAND_ALPHA,
    BLUE,
    FAINT,
    GREEN,
    INK,
    ORANGE,
    PURPLE,
    SKY,
    SLIDE_DPI,
    VERMILION,
)

if TYPE_CHECKING:
    import pandas as pd

SHOWN = (
    "China compute added, owned", "US compute added, owned", "US/China compute added, owned",
    "China stock, owned", "China's share of stock, hosted", "China added, smuggled",
    "China added, domestic", "price of compute in China over the world's, less one", "China rented abroad",
    "Nvidia revenue", "token price in China, high tier", LAG, LARGEST_RUN, "sales of accelerators, my_sg",
    "seizures per million of budget",
)  # fmt: skip
HUES = (VERMILION, BLUE, GREEN, ORANGE, PURPLE, SKY)


def draw_differences(base: Outcome, others: Sequence[Outcome], target: Path) -> None:
    """Write the figure; one panel a measure, one line a scenario."""
    plt = _plotter()
    figure, axes = plt.subplots(5, 3, figsize=(13.3, 16.0), layout="constrained")
    years = np.array([int(year) for year in base.years])
    for panel, name in zip(axes.flat, SHOWN, strict=True):
        panel.axhline(0.0, color=FAINT, linewidth=1.0)
        for place, outcome in enumerate(others):
            gap = outcome.values[name] - base.values[name]
            low, middle, high = np.percentile(gap, (10.0, 50.0, 90.0), axis=0)
            hue = HUES[place % len(HUES)]
            panel.fill_between(years, low, high, color=hue, alpha=BAND_ALPHA, linewidth=0)
            panel.plot(years, middle, color=hue, linewidth=1.8, label=outcome.scenario)
        panel.set_title(f"{name} ({base.units[name]})", fontsize=9, color=INK)
        panel.tick_params(labelsize=8)
    axes.flat[0].legend(fontsize=8, frameon=False)
    figure.suptitle(f"Change against {base.scenario}, run by run: median and 80% band", fontsize=12)
    figure.savefig(target, dpi=SLIDE_DPI)
    plt.close(figure)


def _plotter() -> Any:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    return plt


def draw_waterfalls(base: Outcome, others: Sequence[Outcome], since: str, target: Path) -> None:
    """Write what each policy takes from China by channel, what comes instead, and what is never replaced."""
    plt = _plotter()
    figure, axes = plt.subplots(
        len(others), 1, figsize=(10.0, 1.0 + 3.4 * len(others)), layout="constrained", squeeze=False
    )
    for panel, policy in zip(axes.flat, others, strict=True):
        changes = channel_changes(base, policy, since)
        rows = [(name, changes[name]) for name in CHANNELS]
        rows.append(("never replaced", -waterfall(base, policy, since)["never"]))
        for place, (name, values) in enumerate(rows):
            low, high = np.percentile(values, (10.0, 90.0)) / 1e3
            middle = float(values.mean()) / 1e3
            hue = FAINT if name == "never replaced" else VERMILION if middle < 0 else GREEN
            panel.barh(place, middle, color=hue, height=0.6)
            panel.plot([low, high], [place, place], color=INK, linewidth=1.2)
        panel.axvline(0.0, color=INK, linewidth=0.8)
        panel.set_yticks(range(len(rows)), [name for name, _ in rows], fontsize=9)
        panel.invert_yaxis()
        panel.set_title(
            f"{policy.scenario} against {base.scenario}, {since} to {base.years[-1]}", fontsize=10
        )
        panel.set_xlabel(
            "change of China's compute, million H100e (bar: mean, line: 80% of runs)", fontsize=9
        )
        panel.tick_params(labelsize=8)
    figure.savefig(target, dpi=SLIDE_DPI)
    plt.close(figure)


def draw_frontier(table: "pd.DataFrame", key: str, year: str, target: Path) -> None:
    """Write compute that China adds against Nvidia's revenue, one point for each value of the lever."""
    plt = _plotter()
    figure, panel = plt.subplots(figsize=(9.0, 6.0), layout="constrained")
    x, y = (table[f"{name} change"] for name in ("China added", "Nvidia revenue"))
    panel.plot(x, y, color=FAINT, linewidth=1.0, zorder=1)
    across, up = (
        [
            table[f"{name} change"] - table[f"{name} change_p10"],
            table[f"{name} change_p90"] - table[f"{name} change"],
        ]
        for name in ("China added", "Nvidia revenue")
    )
    panel.errorbar(
        x, y, xerr=across, yerr=up, fmt="o", color=VERMILION, ecolor=FAINT, elinewidth=1.0, capsize=2
    )
    for value, right, height in zip(table["value"], x, y, strict=True):
        panel.annotate(
            f"{value:g}", (right, height), xytext=(7, 7), textcoords="offset points", fontsize=9, color=INK
        )
    first = f"{table['value'].iloc[0]:g}"
    panel.set_xlabel(f"compute China adds in {year}, thousand H100e, against {first} (median, 80% of runs)")
    panel.set_ylabel(f"Nvidia data-centre revenue in {year}, bn USD, against {first}")
    panel.set_title(f"Denial against revenue by {key}", fontsize=11)
    figure.savefig(target, dpi=SLIDE_DPI)
    plt.close(figure)


def draw_attribution(table: "pd.DataFrame", year: str, target: Path) -> None:
    """Write what each regime does alone, one panel a measure."""
    plt = _plotter()
    measures = list(dict.fromkeys(table["measure"]))
    regimes = list(dict.fromkeys(table["regime"]))
    figure, axes = plt.subplots(
        1, len(measures), figsize=(4.0 * len(measures), 1.5 + 0.35 * len(regimes)), layout="constrained",
        squeeze=False, sharey=True,
    )  # fmt: skip
    for panel, measure in zip(axes.flat, measures, strict=True):
        rows = table[table["measure"] == measure]
        places = range(len(rows))
        panel.barh(places, rows["effect"], color=BLUE, height=0.6)
        panel.hlines(places, rows["effect_p10"], rows["effect_p90"], color=INK, linewidth=1.2)
        panel.axvline(0.0, color=INK, linewidth=0.8)
        panel.set_yticks(places, list(rows["regime"]), fontsize=8)
        panel.set_title(f"{measure} ({rows['unit'].iloc[0]})", fontsize=9)
        panel.tick_params(labelsize=8)
    axes.flat[0].invert_yaxis()
    figure.suptitle(
        f"What each regime does in {year}, all others in force: median and 80% of runs", fontsize=11
    )
    figure.savefig(target, dpi=SLIDE_DPI)
    plt.close(figure)
