"""Figures of other shapes: shares that fill a whole, bars with their bands, steps of a bridge."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from computemarket.analysis.report.parts.figures import (
    Picture,
    bands_frame,
    blank,
    dress,
    label_ends,
    name_of,
    room_for,
    short,
    subtitle,
    time_axis,
)
from computemarket.analysis.results.measures import BAND
from computemarket.analysis.style import GREY, INK, colour
from computemarket.model.core.arrays import Floats

NOTHING = 1e-3  # of the largest step, under which a step is shown as none

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def shares_area(
    slug: str, title: str, note: str, quarters: Sequence[str], series: Mapping[str, Floats], unit: str, runs: int,
    *, ends: str = "", tints: Mapping[str, str] | None = None, names: Mapping[str, str] | None = None,
) -> Picture:  # fmt: skip
    """Draw how several (R, Q) amounts share a whole: the mean over runs of each share, stacked to 100%."""
    total = sum(np.nan_to_num(values) for values in series.values())
    known = np.asarray(total) > 0
    shares = {
        name: np.divide(np.nan_to_num(values), total, out=np.zeros_like(values), where=known)
        for name, values in series.items()
    }
    count = np.maximum(known.sum(axis=0), 1)
    mean = {name: 100.0 * values.sum(axis=0) / count for name, values in shares.items()}
    bands = {
        name: np.vstack(
            [
                100.0 * np.percentile(values, BAND[0], axis=0),
                mean[name],
                100.0 * np.percentile(values, BAND[1], axis=0),
            ]
        )
        for name, values in shares.items()
    }
    figure, axes = blank(title)
    figure.subplots_adjust(left=0.075, right=0.775, top=0.82, bottom=0.08)
    subtitle(figure, f"{unit}; each colour: mean over {runs} runs")
    dress(axes)
    times = time_axis(axes, quarters, ends)
    base = np.zeros(len(times))
    labels: dict[str, tuple[float, str]] = {}
    for name, height in mean.items():
        tint = (tints or {}).get(name, colour(name))
        axes.fill_between(times, base, base + height, color=tint, linewidth=0.4, edgecolor="white", alpha=0.9)
        shown = (names or {}).get(name, name_of(name))
        labels[f"{shown} {height[-1]:.0f}%"] = (float(base[-1] + height[-1] / 2), tint)
        base = base + height
    axes.set_ylim(0, 100)
    axes.grid(visible=False)
    room_for(figure, labels)
    label_ends(axes, labels, float(times[-1]))
    data = bands_frame(quarters, bands, "%").rename(columns={"median": "mean"})
    return Picture(slug, title, note, figure, data)


def bars(
    slug: str, title: str, note: str, values: Mapping[str, Floats], unit: str, runs: int,
    *, tints: Mapping[str, str] | None = None, names: Mapping[str, str] | None = None,
) -> Picture:  # fmt: skip
    """Draw the median of (R,) values by name as bars, with the band of 80% of runs on each."""
    import pandas as pd

    figure, axes = blank(title, height=1.25 + 0.36 * len(values))
    height = figure.get_size_inches()[1]
    figure.subplots_adjust(left=0.30, right=0.87, top=1 - 0.85 / height, bottom=0.35 / height)
    subtitle(figure, f"{unit}; bar: median of {runs} runs, whisker: 80% of them lie in it")
    table = {name: np.percentile(one, (BAND[0], 50.0, BAND[1])) for name, one in values.items()}
    shown = {name: (names or {}).get(name, name_of(name)) for name in values}
    for place, (name, (low, middle, high)) in enumerate(table.items()):
        tint = (tints or {}).get(name, colour(name))
        axes.barh(place, middle, color=tint, height=0.66)
        axes.plot([low, high], [place, place], color=INK, linewidth=1.3)
        right = max(high, middle, 0.0)
        axes.annotate(
            short(float(middle)), (right, place), xytext=(5, 0), textcoords="offset points", va="center",
            fontsize=9.4, color=INK,
        )  # fmt: skip
    lying(axes, list(shown.values()))
    rows = [(shown[name], low, middle, high, unit) for name, (low, middle, high) in table.items()]
    return Picture(
        slug, title, note, figure, pd.DataFrame(rows, columns=["name", "p10", "median", "p90", "unit"])
    )


def lying(axes: "Axes", labels: Sequence[str]) -> None:
    """Give lying bars their names, the first on top, and a plain scale."""
    axes.set_yticks(range(len(labels)), labels, fontsize=9.8)
    axes.invert_yaxis()
    for side in ("top", "right", "left", "bottom"):
        axes.spines[side].set_visible(False)
    axes.tick_params(length=0, colors=INK, labelsize=9.6)
    axes.axvline(0.0, color=GREY, linewidth=0.8)
    axes.xaxis.set_major_formatter(lambda value, _: short(float(value)))
    axes.grid(axis="x", color="#E6E6E6", linewidth=0.7)
    axes.set_axisbelow(True)


def bridge(
    slug: str, title: str, note: str, steps: Mapping[str, Floats], unit: str, runs: int, ends: tuple[str, str]
) -> Picture:
    """Draw how one total becomes another: (R,) steps between two totals, medians scaled to add up.

    The first and last entries of `steps` are the totals. The steps shown are means over the runs, which add up exactly.
    """
    import pandas as pd

    figure, axes = blank(title)
    figure.subplots_adjust(left=0.075, right=0.985, top=0.80, bottom=0.12)
    subtitle(
        figure, f"{unit}; bars: means over {runs} runs (they add up), whiskers: 80% of runs for each step"
    )
    dress(axes)
    level, rows = 0.0, []
    largest = max(abs(float(values.mean())) for values in steps.values())
    names = list(steps)
    for place, name in enumerate(names):
        values = steps[name]
        mean = float(values.mean())
        low, high = np.percentile(values, BAND)
        total = name in ends
        start = 0.0 if total else level
        tint = INK if total else ("#0072B2" if mean >= 0 else "#D55E00")
        axes.bar(place, mean, bottom=start, color=tint, width=0.62)
        axes.plot([place, place], [start + low, start + high], color=GREY, linewidth=1.4)
        level = start + mean
        top = max(start + high, start, level)
        words = f"{'' if total else '+' if mean >= 0 else '−'}{short(abs(mean))}"
        if abs(mean) < NOTHING * largest:
            words = "0"
        axes.annotate(
            words, (place, top), xytext=(0, 4),
            textcoords="offset points", ha="center", fontsize=10.2, fontweight="bold", color=tint,
        )  # fmt: skip
        if place + 1 < len(names):
            axes.plot([place + 0.31, place + 0.69], [level, level], color=GREY, linewidth=0.8)
        rows.append((name, low, mean, high, unit))
    axes.set_xlim(-0.6, len(names) - 0.4)
    axes.set_xticks(range(len(names)), names, fontsize=10)
    axes.yaxis.set_major_formatter(lambda value, _: short(float(value)))
    return Picture(
        slug, title, note, figure, pd.DataFrame(rows, columns=["step", "p10", "mean", "p90", "unit"])
    )
