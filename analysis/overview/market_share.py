"""The market-share figure: who supplies AI compute, by revenue and by compute, with the record marked on it."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from computemarket.analysis.record.history import Key, Observation, read_history
from computemarket.analysis.results.measures import band_over_runs, load_groups, ratio
from computemarket.analysis.results.series import NotSimulatedError, Panels, panels_from_frame
from computemarket.analysis.style import (
    BAND_ALPHA,
    GREY,
    GROUP_NAMES,
    INK,
    SLIDE_DPI,
    SLIDE_INCHES,
    colour,
    plain_axes,
    spread_labels,
)
from computemarket.model.core.arrays import Floats

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

GROUPS = tuple(GROUP_NAMES)
REVENUE, COMPUTE = "accelerator_revenue_usd", "compute_shipped_h100e"
VARIABLES = frozenset((REVENUE, COMPUTE))  # what the figure reads of a results table
Points = dict[str, list[tuple[float, float, bool]]]  # group -> (year, share in %, complete record)

# The record, group by group: revenue in bn USD (Cambricon's yuan at 7.2 a dollar), compute in H100e. Revenue
# shares are yearly, and only for years with Nvidia, AMD and custom silicon on record.
_REVENUE_RECORD: Mapping[str, tuple[tuple[Key, float], ...]] = {
    "nvidia": ((("data_center_compute_revenue", "Nvidia"), 1.0),),
    "amd": (
        (("instinct_ai_revenue_annual", "AMD"), 1.0),
        (("instinct_ai_revenue", "AMD"), 1.0),
    ),
    "custom_silicon": ((("ai_semiconductor_revenue", "Broadcom"), 1.0),),
    "other_merchant": (
        (("revenue_annual", "Cerebras"), 1.0),
        (("revenue_annual", "Groq"), 1.0),
    ),
    "chinese": (
        (("ascend_revenue_implied", "Huawei"), 1.0),
        (("revenue", "Cambricon"), 1 / 7.2),
    ),
}
_COMPUTE_RECORD: Mapping[str, tuple[str, ...]] = {
    "nvidia": ("Nvidia",),
    "amd": ("AMD",),
    "custom_silicon": ("Google", "Amazon"),
    "chinese": ("Huawei", "Cambricon"),
}
_ALL_COUNTED_FROM = "2024Q1"  # before, the record of compute holds Nvidia and Google only


@dataclass(frozen=True, slots=True)
class Shares:
    """What the figure draws, run by run.

    Parameters
    ----------
    by_variable : variable -> group -> (R, Q) per cent; a variable that is not simulated is left out
    """

    scenario: str
    runs: int
    quarters: tuple[str, ...]
    by_variable: Mapping[str, Mapping[str, Floats]]


def market_shares(panels: Panels) -> Shares:
    """Return the shares of the groups by revenue and by compute."""
    found = {}
    for variable in (REVENUE, COMPUTE):
        with suppress(NotSimulatedError):
            found[variable] = group_shares(panels, variable)
    return Shares(panels.scenario, len(panels.runs), panels.quarters, found)


def join_shares(parts: Sequence[Shares]) -> Shares:
    """Put the runs of several parts of one ensemble together."""
    first = parts[0]
    joined = {
        variable: {
            group: np.concatenate([part.by_variable[variable][group] for part in parts]) for group in groups
        }
        for variable, groups in first.by_variable.items()
    }
    return Shares(first.scenario, sum(part.runs for part in parts), first.quarters, joined)


def group_shares(panels: Panels, variable: str) -> dict[str, Floats]:
    """Return the share of each group, per cent, {group: (R, Q)}; together 100 wherever anything is sold.

    By revenue custom silicon is its design partners', by compute its designers'. Vendors in no other group are
    other merchants.
    """
    total = panels.total(variable)
    members = load_groups()
    custom = members["design_partners"] if variable == REVENUE else members["own_silicon"]
    named = {
        "nvidia": ("nvidia",),
        "amd": ("amd",),
        "custom_silicon": custom,
        "chinese": members["chinese_vendors"],
    }
    sums = {group: _total_or_zero(panels, variable, names) for group, names in named.items()}
    sums["other_merchant"] = np.maximum(total - sum(sums.values()), 0.0)
    return {group: 100.0 * ratio(sums[group], total) for group in GROUPS}


def recorded_revenue_shares(record: Mapping[Key, tuple[Observation, ...]]) -> Points:
    """Return recorded shares of accelerator revenue by year; not complete while a group is not on record."""
    points: Points = {group: [] for group in GROUPS}
    years = sorted({point.period[:4] for key in record for point in record[key]})
    for year in years:
        sums = {group: _recorded_year(record, parts, year) for group, parts in _REVENUE_RECORD.items()}
        known = {group: value for group, value in sums.items() if not np.isnan(value)}
        if not {"nvidia", "amd", "custom_silicon"} <= set(known):
            continue
        for group, value in known.items():
            complete = len(known) == len(GROUPS)
            points[group].append((int(year) + 0.5, 100.0 * value / sum(known.values()), complete))
    return points


def recorded_compute_shares(record: Mapping[Key, tuple[Observation, ...]]) -> Points:
    """Return recorded shares of compute shipped by quarter; not complete before all designers are counted."""
    points: Points = {group: [] for group in GROUPS}
    amounts = {
        group: _by_period(record, [("h100e_shipped", name) for name in names])
        for group, names in _COMPUTE_RECORD.items()
    }
    for quarter in sorted(amounts["nvidia"]):
        if not amounts["custom_silicon"].get(quarter):
            continue
        total = sum(by_quarter.get(quarter, 0.0) for by_quarter in amounts.values())
        for group, by_quarter in amounts.items():
            if quarter in by_quarter:
                share = 100.0 * by_quarter[quarter] / total
                points[group].append((year_of(quarter), share, quarter >= _ALL_COUNTED_FROM))
    return points


def draw_market_share(
    results: "pd.DataFrame | Panels | Shares",
    path: Path | str,
    record: Mapping[Key, tuple[Observation, ...]] | None = None,
) -> None:
    """Draw market_share.png: two panels at slide size, medians with 80% bands, the record as points.

    Parameters
    ----------
    results : a table of one scenario, its panels, or its shares
    path : where the picture goes; its ending names the format
    record : recorded series, those of the package when left out
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    if not isinstance(results, Shares):
        results = market_shares(results if isinstance(results, Panels) else panels_from_frame(results))
    record = read_history() if record is None else record
    figure = Figure(figsize=SLIDE_INCHES, facecolor="white")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2, sharey=True)
    figure.subplots_adjust(left=0.052, right=0.83, top=0.80, bottom=0.115, wspace=0.56)
    _panel(left, results, REVENUE, "Share of accelerator revenue", recorded_revenue_shares(record))
    _panel(right, results, COMPUTE, "Share of compute shipped", recorded_compute_shares(record))
    _words(figure, results)
    figure.savefig(path, dpi=SLIDE_DPI)


def year_of(quarter: str) -> float:
    """Return the middle of a quarter as a decimal year."""
    return int(quarter[:4]) + (int(quarter[5]) - 0.5) / 4.0


def _panel(axes: "Axes", results: Shares, variable: str, title: str, points: Points) -> None:
    plain_axes(axes)
    axes.set_title(title, loc="left", fontsize=17, color=INK, pad=10, fontweight="bold")
    times = np.array([year_of(quarter) for quarter in results.quarters])
    axes.set_ylim(0.0, 100.0)
    axes.set_xlim(times[0] - 0.2, times[-1] + 0.1)
    axes.set_yticks(range(0, 101, 20), [f"{tick}%" for tick in range(0, 101, 20)])
    years = range(int(times[0]), int(times[-1]) + 1, 2 if times[-1] - times[0] > 5 else 1)
    axes.set_xticks([year + 0.5 for year in years], [str(year) for year in years])
    shares = results.by_variable.get(variable)
    if shares is None:
        axes.text(0.5, 0.5, "not simulated", transform=axes.transAxes, ha="center", fontsize=16, color=GREY)
        return
    ends: dict[str, float] = {}
    for group in reversed(GROUPS):
        low, median, high = band_over_runs(shares[group])
        axes.fill_between(times, low, high, color=colour(group), alpha=BAND_ALPHA, linewidth=0)
        axes.plot(times, median, color=colour(group), linewidth=2.8, solid_capstyle="round")
        ends[group] = float(median[-1]) if np.isfinite(median[-1]) else 0.0
    _mark_record(axes, points, (float(times[0]), float(times[-1])))
    _label_ends(axes, ends, float(times[-1]))


def _mark_record(axes: "Axes", points: Points, span: tuple[float, float]) -> None:
    for group, marks in points.items():
        for time, share, complete in marks:
            if span[0] - 0.2 <= time <= span[1] + 0.1:
                axes.plot(
                    [time],
                    [share],
                    marker="o",
                    markersize=7.5,
                    markerfacecolor=colour(group) if complete else "white",
                    markeredgecolor="white" if complete else colour(group),
                    markeredgewidth=1.0 if complete else 1.8,
                    linestyle="none",
                    zorder=5,
                    clip_on=False,
                )


def _label_ends(axes: "Axes", ends: Mapping[str, float], last: float) -> None:
    groups = list(ends)
    heights = spread_labels([ends[group] for group in groups], gap=5.4, low=1.0, high=99.0)
    for group, height in zip(groups, heights, strict=True):
        axes.annotate(
            f"{GROUP_NAMES[group]} {ends[group]:.0f}%",
            xy=(last, ends[group]),
            xytext=(last + 0.035 * (axes.get_xlim()[1] - axes.get_xlim()[0]), height),
            annotation_clip=False,
            fontsize=13,
            fontweight="bold",
            color=colour(group),
            va="center",
            arrowprops={
                "arrowstyle": "-",
                "color": colour(group),
                "linewidth": 0.8,
                "shrinkA": 1,
                "shrinkB": 1,
            },
        )


def _words(figure: "Figure", results: Shares) -> None:
    figure.text(
        0.012, 0.945, "Who supplies AI compute", fontsize=24, fontweight="bold", color=INK, va="center"
    )
    scenario = f"scenario {results.scenario}, " if results.scenario else ""
    figure.text(
        0.012,
        0.893,
        f"{scenario}{results.quarters[0]} to {results.quarters[-1]}; "
        f"line: median of {results.runs} runs, shade: 80% band",
        fontsize=14,
        color=GREY,
        va="center",
    )
    figure.text(
        0.012,
        0.032,
        "Points are the record, by year on the left and by quarter on the right; hollow where vendors are missing "
        "from it (before 2024).\nCustom silicon is the design partners' revenue on the left "
        "and the designers' chips on the right.",
        fontsize=11.5,
        color=GREY,
        va="center",
        linespacing=1.35,
    )


def _total_or_zero(panels: Panels, variable: str, names: tuple[str, ...]) -> Floats:
    try:
        return panels.total(variable, names)
    except NotSimulatedError:
        return np.zeros((len(panels.runs), len(panels.quarters)))


def _recorded_year(
    record: Mapping[Key, tuple[Observation, ...]], parts: tuple[tuple[Key, float], ...], year: str
) -> float:
    """Return a group's recorded sum of a year: a yearly row, else four quarters; NaN where neither is there."""
    found: dict[str, float] = {}
    for (series, entity), scale in parts:
        yearly = _by_period(record, [(series, entity)])
        quarters = [yearly.get(f"{year}Q{quarter}") for quarter in range(1, 5)]
        if year in yearly:
            found[entity] = yearly[year] * scale
        elif entity not in found and all(value is not None for value in quarters):
            found[entity] = sum(value for value in quarters if value is not None) * scale
    return sum(found.values()) if found else float("nan")


def _by_period(record: Mapping[Key, tuple[Observation, ...]], keys: list[Key]) -> dict[str, float]:
    sums: dict[str, float] = {}
    for key in keys:
        for point in record.get(key, ()):
            sums[point.period] = sums.get(point.period, 0.0) + point.value
    return sums
