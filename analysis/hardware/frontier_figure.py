"""The frontier of throughput against speed, one line per accelerator, as a figure for a slide."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from computemarket.analysis.hardware.hardware_tables import PER
from computemarket.analysis.style import (
    FAINT,
    GREY,
    INK,
    SLIDE_DPI,
    SLIDE_INCHES,
    colour,
    plain_axes,
    spread_labels,
)
from computemarket.model.catalogue import estimated_catalogue
from computemarket.model.hardware.specs.chips import chip_table
from computemarket.model.hardware.specs.models import model_table
from computemarket.model.hardware.specs.precision import format_code

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_DASHES = ("-", (0, (6, 2)), (0, (2, 1.5)), (0, (6, 2, 1.5, 2)), (0, (1, 1)), (0, (9, 2)))
_DARKEST, _LIGHTEST = -0.5, 0.35  # shades of one vendor's colour: towards black, towards white
_DECADES = 4.0  # of throughput shown below the best


def draw_frontier(table: pd.DataFrame, path: Path) -> Path:
    """Draw a table of ``hardware_tables.frontier_table``; the format follows the file's ending.

    Several accelerators of one vendor share its colour and differ by dashes; every line carries its name.
    """
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=SLIDE_INCHES, layout="constrained")
    axes.set(xscale="log", yscale="log")
    plain_axes(axes)
    axes.grid(axis="x", color=FAINT, linewidth=0.8)
    best = float(table["value"].max())
    low = max(float(table["value"].min()), best / 10**_DECADES)
    axes.set_ylim(low * 0.8, best * 1.6)
    _draw_lines(axes, table, low)
    _plain_ticks(axes, float(table["tokens_per_s_per_user"].max()))
    per, model = str(table["per"].iloc[0]), str(table["model"].iloc[0])
    axes.set_xlabel("Output tokens per second for one user (log scale)", fontsize=15, color=INK)
    axes.set_ylabel(_axis_title(per), fontsize=15, color=INK)
    models = model_table()
    axes.set_title(
        f"Speed against throughput: {models.names[models.index(model)]}", fontsize=19, color=INK, loc="left"
    )
    figure.savefig(path, dpi=SLIDE_DPI)
    plt.close(figure)
    return path


def _axis_title(per: str) -> str:
    name = (
        PER[per]
        .replace("tokens/s", "Output tokens per second")
        .replace("million tokens", "Million output tokens")
    )
    return f"{name} (log scale)"


def _draw_lines(axes: "Axes", table: pd.DataFrame, low: float) -> None:
    """Draw the lines and put each name at its right end, spread where they would overlap."""
    catalogue = estimated_catalogue().accelerators
    vendors = {str(name): catalogue[str(name)].vendor_id for name in table["accelerator"].unique()}
    many = Counter(colour(vendor) for vendor in vendors.values())
    seen: Counter[str] = Counter()
    ends: list[tuple[float, float, str, str]] = []
    for name, points in table.groupby("accelerator", sort=False):
        shown = points[points["value"] >= low * 0.8]
        base = colour(vendors[str(name)])
        count = seen[base]
        seen[base] += 1
        hue = _shade(base, count, many[base])
        axes.plot(shown["tokens_per_s_per_user"], shown["value"], color=hue, linewidth=2.6,
                  linestyle=_DASHES[count % len(_DASHES)])  # fmt: skip
        last = shown.iloc[-1]
        axes.plot(last["tokens_per_s_per_user"], last["value"], "o", color=hue, markersize=6)
        label = (
            f"{_short(catalogue[str(name)].name)} ({_format(str(name), str(points['precision'].iloc[0]))})"
        )
        ends.append((float(last["tokens_per_s_per_user"]), float(last["value"]), label, hue))
    _name_ends(axes, ends)


def _shade(hue: str, place: int, count: int) -> str:
    """Return the place-th of so many shades of a hue, from dark to light; the hue itself where it stands alone."""
    from matplotlib.colors import to_hex, to_rgb

    mix = _DARKEST + (_LIGHTEST - _DARKEST) * place / (count - 1) if count > 1 else 0.0
    target = 1.0 if mix > 0 else 0.0
    red, green, blue = (part + abs(mix) * (target - part) for part in to_rgb(hue))
    return str(to_hex((red, green, blue)))


def _name_ends(axes: "Axes", ends: list[tuple[float, float, str, str]]) -> None:
    right = max(speed for speed, *_ in ends)
    bottom, top = (float(np.log10(limit)) for limit in axes.get_ylim())
    heights = [float(np.log10(value)) for _, value, _, _ in ends]
    gap = (top - bottom) / 22
    placed = spread_labels(heights, gap, bottom + gap / 2, top - gap / 2)
    column = right * 1.12
    for (speed, value, label, hue), height in zip(ends, placed, strict=True):
        axes.plot([speed, column], [value, 10**height], color=hue, linewidth=0.8, alpha=0.6)
        axes.text(column * 1.03, 10**height, label, color=INK, fontsize=13, va="center")
    left = axes.get_xlim()[0]
    axes.set_xlim(left, column * (column / left) ** 0.36)


def _format(accelerator: str, precision: str) -> str:
    """Return the format as readers know it; a chip that lacks it keeps only its weights so small."""
    chips = chip_table()
    native = chips.arrays.native[chips.index(accelerator), format_code(precision)]
    return precision.upper() if native else f"{precision.upper()} weights"


def _short(name: str) -> str:
    """Return a chip's name without what stands in brackets."""
    return name.split(" (")[0].split(",")[0]


def _plain_ticks(axes: "Axes", fastest: float) -> None:
    """Write numbers as people do: 20, 1,000; no powers of ten, and none to the right of the lines."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter, NullLocator

    low = axes.get_xlim()[0]
    marks = [m * 10.0**e for e in range(-1, 6) for m in (1, 2, 5) if low <= m * 10.0**e <= fastest]
    axes.xaxis.set_major_locator(FixedLocator(marks))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_minor_formatter(NullFormatter())
    plain = FuncFormatter(lambda value, _: f"{value:,.0f}" if value >= 1 else f"{value:g}")
    axes.xaxis.set_major_formatter(plain)
    axes.yaxis.set_major_formatter(plain)
    axes.tick_params(axis="both", which="minor", length=0, colors=GREY)
