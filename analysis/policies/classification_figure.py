"""TPP against performance density of the catalogue, with the thresholds of a regime drawn."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from computemarket.analysis.style import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    SLIDE_DPI,
    SLIDE_INCHES,
    VERMILION,
)
from computemarket.model.policy.classification.cases import Cases
from computemarket.model.policy.regimes.compose import compose
from computemarket.model.policy.regimes.regime import STATUSES, Regime

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.patheffects import AbstractPathEffect

_COLOURS = {
    "none": GREEN,
    "NAC": ORANGE,
    "licence_approval": BLUE,
    "licence_case_by_case": BLUE,
    "licence": VERMILION,
    "licence_denial": VERMILION,
    "open": GREY,
}
_WORDS = {
    "none": "free",
    "NAC": "notice (NAC)",
    "licence_approval": "licence, presumption of approval",
    "licence_case_by_case": "licence, case by case",
    "licence": "licence",
    "licence_denial": "licence, presumption of denial",
}
_LIMITS = ((500.0, 500000.0), (0.5, 600.0))
_EDGE = 560.0  # where chips of unknown density stand
_EDGE_GAP = 13.0  # points between their names
_IDLE = re.compile(r"\d+GB|PCIe|SXM\d?|Instinct|GPU|per|package|Edition|Server|OAM")
_CELLS = 240


def draw_classification(cases: Cases, regime: Regime, path: Path, destination: str = "china") -> Path:
    """Draw chips by TPP and performance density over the areas a regime puts under each status.

    Chips whose density is not published are drawn on the upper edge, so that their compute shows.
    """
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=SLIDE_INCHES, layout="constrained")
    axes.set(xscale="log", yscale="log", xlim=_LIMITS[0], ylim=_LIMITS[1])
    _draw_areas(axes, regime, destination)
    _draw_lines(axes, regime)
    _draw_chips(axes, cases, regime, destination)
    axes.set_xlabel("Total processing performance (TOPS × bits, log scale)", fontsize=15, color=INK)
    axes.set_ylabel("Performance density (TPP per mm², log scale)", fontsize=15, color=INK)
    axes.set_title(f"Data-centre chips under {regime.id}", fontsize=19, color=INK, loc="left")
    axes.tick_params(labelsize=13, colors=INK)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    figure.savefig(path, dpi=SLIDE_DPI)
    plt.close(figure)
    return path


def _draw_areas(axes: "Axes", regime: Regime, destination: str) -> None:
    """Shade each status where it holds for a data-centre chip without bandwidth limits."""
    from matplotlib.colors import to_rgba
    from matplotlib.patches import Patch

    tpp, density = (np.geomspace(low, high, _CELLS) for low, high in _LIMITS)
    grid = {"tpp": tpp[None, :] + 0 * density[:, None], "pd": density[:, None] + 0 * tpp[None, :]}
    status = _status(grid, regime, destination)
    colours = np.array([to_rgba(_COLOURS[word], 0.13) for word in STATUSES])
    axes.pcolormesh(tpp, density, colours[status], shading="nearest", zorder=0, rasterized=True)
    shown = [STATUSES[code] for code in np.unique(status)]
    handles = [Patch(color=_COLOURS[word], label=_WORDS[word]) for word in shown]
    axes.legend(handles=handles, fontsize=13, frameon=False, loc="lower right")


def _status(grid: dict[str, np.ndarray], regime: Regime, destination: str) -> np.ndarray:
    from computemarket.model.policy.regimes.metrics import chip_metrics

    zero = np.zeros_like(grid["tpp"])
    # the joint test of 2022 is shown for chips with links above its line
    links = zero + (1e4 if any(c.metric == "io_bidir_gbps" for r in regime.rules for c in r.all_of) else 0.0)
    metrics = chip_metrics(grid["tpp"], grid["pd"], zero, links, zero + 1.0)
    return compose([regime], regime.effective, metrics, destination).status


def _draw_lines(axes: "Axes", regime: Regime) -> None:
    """Draw and name each threshold on the two axes."""
    for metric, value in sorted({(c.metric, c.value) for rule in regime.rules for c in rule.conditions}):
        if metric == "tpp":
            axes.axvline(value, color=GREY, linewidth=1.0, linestyle=(0, (4, 3)), zorder=1)
            axes.text(value * 0.985, _LIMITS[1][0] * 1.06, f"{value:,.0f}", fontsize=12, color=INK, rotation=90,
                      ha="right", va="bottom")  # fmt: skip
        elif metric == "pd":
            axes.axhline(value, color=GREY, linewidth=1.0, linestyle=(0, (4, 3)), zorder=1)
            axes.text(_LIMITS[0][0] * 1.03, value * 1.02, f"{value:g}", fontsize=12, color=INK, va="bottom")


def _draw_chips(axes: "Axes", cases: Cases, regime: Regime, destination: str) -> None:
    tpp, pd = cases.metrics["tpp"], cases.metrics["pd"]
    status = compose([regime], regime.effective, cases.metrics, destination).status
    drawable = tpp.known & (tpp.low >= _LIMITS[0][0]) & (tpp.low <= _LIMITS[0][1])
    places = []
    for i in np.flatnonzero(drawable):
        colour = _COLOURS[STATUSES[status[i]] if status[i] >= 0 else "open"]
        x, y = float(tpp.low[i]), float(np.clip(pd.low[i], *_LIMITS[1])) if pd.known[i] else _EDGE
        axes.plot(x, y, "o" if pd.known[i] else "|", color=colour, markersize=8, zorder=3, clip_on=False)
        places.append((x, y, _short(cases.names[i])))
    _label(axes, [place for place in places if place[1] != _EDGE])
    _label_edge(axes, [place for place in places if place[1] == _EDGE])


def _short(name: str) -> str:
    """Return a chip's name without form factors, capacities and what stands in brackets."""
    words = name.split("(")[0].split(",")[0].split()
    return " ".join([word for word in words if not _IDLE.fullmatch(word)][:3])


def _label_edge(axes: "Axes", places: list[tuple[float, float, str]]) -> None:
    """Name chips on the upper edge, from the left, as many as fit side by side."""
    free_from = -np.inf
    for x, y, name in sorted(places):
        across = axes.transData.transform((x, y))[0] * 72.0 / axes.figure.dpi
        if across >= free_from:
            axes.annotate(name, (x, y), (0, -9), textcoords="offset points", fontsize=11, color=INK, rotation=90,
                          ha="center", va="top", zorder=4, path_effects=_halo())  # fmt: skip
            free_from = across + _EDGE_GAP
    note = "Marks on the upper edge: die area not published, placed by TPP alone"
    axes.set_title(note, fontsize=12, color=GREY, loc="right")


def _label(axes: "Axes", places: list[tuple[float, float, str]]) -> None:
    """Name chips, each beside its point, no two names on one another; chips on one spot share a name."""
    groups = list(_merged(places))
    taken = [_box(axes, x, y, "  ", -4, 0, "left") for x, y, _ in groups]
    for x, y, name in groups:
        for dx, dy, align in _OFFSETS:
            box = _box(axes, x, y, name, dx, dy, align)
            if not any(_overlaps(box, other) for other in taken):
                taken.append(box)
                axes.annotate(name, (x, y), (dx, dy), textcoords="offset points", fontsize=12, color=INK, ha=align,
                              va="center", zorder=4, arrowprops=_leader(dx, dy),
                              path_effects=_halo())  # fmt: skip
                break


def _halo() -> list["AbstractPathEffect"]:
    from matplotlib.patheffects import withStroke

    return [withStroke(linewidth=2.5, foreground="white", alpha=0.7)]


_OFFSETS = tuple(
    (dx, dy, "left" if dx >= 0 else "right")
    for reach in (9, 26, 44, 66, 90)
    for dx, dy in ((reach, 0), (-reach, 0), (9, reach), (9, -reach), (-9, reach), (-9, -reach), (reach, reach),
                   (reach, -reach), (-reach, reach), (-reach, -reach))
)  # fmt: skip
_NEAR = 18  # points; nearer names need no line to their chip


def _leader(dx: float, dy: float) -> dict[str, object] | None:
    if abs(dx) + abs(dy) <= _NEAR:
        return None
    return {"arrowstyle": "-", "color": GREY, "linewidth": 0.8, "shrinkA": 0, "shrinkB": 3}


def _merged(places: list[tuple[float, float, str]]) -> Iterator[tuple[float, float, str]]:
    groups: dict[tuple[int, int], list[tuple[float, float, str]]] = {}
    for x, y, name in places:
        groups.setdefault((round(40 * np.log(x)), round(40 * np.log(y))), []).append((x, y, name))
    for members in groups.values():
        names = list(dict.fromkeys(name for _, _, name in members))
        yield members[0][0], members[0][1], ", ".join(names[:3]) + (" …" if len(names) > 3 else "")


def _box(
    axes: "Axes", x: float, y: float, name: str, dx: float, dy: float, align: str
) -> tuple[float, float, float, float]:
    """Return the box of a name in points, from its place on the axes."""
    points = 72.0 / axes.figure.dpi
    across, up = axes.transData.transform((x, y)) * points
    width, height = 6.6 * len(name), 15.0
    left = across + dx if align == "left" else across + dx - width
    return left, up + dy - height / 2, left + width, up + dy + height / 2


def _overlaps(first: tuple[float, float, float, float], second: tuple[float, float, float, float]) -> bool:
    return first[0] < second[2] and second[0] < first[2] and first[1] < second[3] and second[1] < first[3]
