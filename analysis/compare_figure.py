"""A page of paired differences: what a policy changes, year by year, with 80% bands over runs."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from computemarket.analysis.compare import Outcome
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

SHOWN = (
    "China compute added, owned", "US compute added, owned", "US/China compute added, owned",
    "China stock, owned", "China's share of stock, hosted", "China added, smuggled",
    "China added, domestic", "price of compute in China over the world's, less one", "China rented abroad",
    "Nvidia revenue", "token price in China, high tier", "China's lag behind the US stock",
)  # fmt: skip
HUES = (VERMILION, BLUE, GREEN, ORANGE, PURPLE, SKY)


def draw_differences(base: Outcome, others: Sequence[Outcome], target: Path) -> None:
    """Write the figure; one panel a measure, one line a scenario."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(4, 3, figsize=(13.3, 13.0), layout="constrained")
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
