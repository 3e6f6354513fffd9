"""The charts of the page as Matplotlib figures, so that what is downloaded is what was seen."""

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from computemarket.analysis.dashboard.bands import BAND_TEXT, Fan
from computemarket.analysis.overview.market_share import year_of
from computemarket.analysis.report.parts.figures import log_scale
from computemarket.analysis.style import BAND_ALPHA, BLUE, GREY, INK, VERMILION, plain_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BASE, OTHER, GAP = (
    (BLUE, "-"),
    (VERMILION, (0, (5, 1.6))),
    (INK, "-"),
)  # hue and dash: told apart without colour too
CHART_INCHES, ROW_INCHES, DPI = (6.4, 3.9), (4.9, 3.3), 160
ORDERS = 50.0  # a median that grows or falls by more is drawn on a logarithmic scale
_COLUMNS = 2


def fan_figure(title: str, unit: str, fans: Sequence[Fan | None], record: Mapping[str, float]) -> "Figure":
    """Draw one chart: a median and a band for each ensemble, the record as points."""
    figure, axes = _blank(1)
    draw_fans(axes[0], title, unit, fans, record)
    return figure


def sheet(
    charts: Sequence[tuple[str, str, Sequence[Fan | None], Mapping[str, float]]], words: str
) -> "Figure":
    """Draw all charts of a page on one sheet, with a line that says what the bands are."""
    figure, axes = _blank(len(charts))
    for place, chart in enumerate(charts):
        draw_fans(axes[place], *chart)
    figure.supxlabel(f"{words}  {BAND_TEXT}.", fontsize=10, color=GREY, x=0.01, ha="left")
    return figure


def row_sheet(
    rows: Sequence[tuple[str, str, Sequence[Fan | None], Mapping[str, float], Fan | None]],
) -> "Figure":
    """Draw a row for each measure: base, other on the same scale, and their difference run by run."""
    figure, axes = _blank(3 * len(rows), columns=3, inches=ROW_INCHES)
    for place, (title, unit, pair, record, gap) in enumerate(rows):
        left, middle, right = axes[3 * place : 3 * place + 3]
        log = spans_orders(pair)
        draw_fans(left, title, unit, pair[:1], record, log=log)
        draw_fans(middle, title, unit, [None, pair[1]], record, log=log)
        low = min(left.get_ylim()[0], middle.get_ylim()[0])
        high = max(left.get_ylim()[1], middle.get_ylim()[1])
        left.set_ylim(low, high)
        middle.set_ylim(low, high)
        if gap is None:
            right.set_visible(False)
        else:
            draw_gap(right, "Difference, run by run", unit, gap)
    return figure


def png(figure: "Figure", dpi: int = DPI) -> bytes:
    """Return a figure as the bytes of a PNG file."""
    held = io.BytesIO()
    figure.savefig(held, format="png", dpi=dpi)
    return held.getvalue()


def spans_orders(fans: Sequence[Fan | None]) -> bool:
    """Say whether ensembles are above zero throughout and change too much for a linear scale to show."""
    drawn = [shown.band for shown in fans if shown is not None]
    medians = np.concatenate([band[1] for band in drawn] or [np.empty(0)])
    known = medians[np.isfinite(medians)]
    lowest = min((float(np.nanmin(band[0], initial=np.inf)) for band in drawn), default=0.0)
    return bool(len(known) and lowest > 0 and known.max() > ORDERS * known.min())


def draw_fans(
    axes: "Axes",
    title: str,
    unit: str,
    fans: Sequence[Fan | None],
    record: Mapping[str, float],
    *,
    log: bool | None = None,
) -> None:
    """Draw medians and bands on axes; the second ensemble is dashed; `log` is found from the fans by default."""
    log = spans_orders(fans) if log is None else log
    _frame(axes, title, f"{unit}, logarithmic scale" if log else unit)
    times = np.empty(0)
    for shown, (hue, dash) in zip(fans, (BASE, OTHER), strict=False):
        if shown is None:
            continue
        times = _times(shown.periods)
        low, median, high = shown.band
        axes.fill_between(times, low, high, color=hue, alpha=BAND_ALPHA, linewidth=0)
        axes.plot(times, median, color=hue, linestyle=dash, linewidth=2.2, label=shown.label)
    if not len(times):
        axes.text(0.5, 0.5, "not in these results", transform=axes.transAxes, ha="center", color=GREY)
        return
    seen = [(year_of_period(period), value) for period, value in record.items()]
    seen = [(when, value) for when, value in seen if times[0] - 0.1 <= when <= times[-1] + 0.1]
    if seen:
        axes.plot(*zip(*seen, strict=True), "o", color=INK, markersize=4.5, markeredgecolor="white", label="record",
                  zorder=5)  # fmt: skip
    _ticks(axes, times)
    if log:
        log_scale(axes)
    elif any(shown is not None and (shown.band[0] >= 0).all() for shown in fans):
        axes.set_ylim(bottom=0)
    axes.legend(frameon=False, fontsize=9.5, loc="best", labelcolor=INK)


def draw_gap(axes: "Axes", title: str, unit: str, gap: Fan) -> None:
    """Draw a band of differences."""
    _frame(axes, title, f"difference, {'percentage points' if unit == '%' else unit}")
    times = _times(gap.periods)
    low, median, high = gap.band
    hue, dash = GAP
    axes.axhline(0.0, color=GREY, linewidth=1.0)
    axes.fill_between(times, low, high, color=hue, alpha=BAND_ALPHA, linewidth=0)
    axes.plot(times, median, color=hue, linestyle=dash, linewidth=2.2)
    if not np.nanmax(np.abs(gap.band), initial=0.0):
        axes.set_ylim(-1, 1)
        axes.set_yticks([0])
    _ticks(axes, times)


def year_of_period(period: str) -> float:
    """Return the middle of a quarter or of a year as a decimal year."""
    return year_of(period) if "Q" in period else int(period) + 0.5


def _blank(
    charts: int, columns: int = _COLUMNS, inches: tuple[float, float] = CHART_INCHES
) -> tuple["Figure", list["Axes"]]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    columns = min(charts, columns)
    rows = -(-charts // columns)
    width, height = inches
    layout = ConstrainedLayoutEngine(h_pad=0.14, w_pad=0.12)
    figure = Figure(figsize=(width * columns, height * rows), facecolor="white", layout=layout)
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, columns, squeeze=False).ravel().tolist()
    for spare in axes[charts:]:
        spare.set_visible(False)
    return figure, axes


def _frame(axes: "Axes", title: str, unit: str) -> None:
    plain_axes(axes)
    axes.tick_params(labelsize=10, pad=6)
    axes.set_title(f"{title}", loc="left", fontsize=12.5, fontweight="bold", color=INK, pad=20)
    axes.text(0.0, 1.03, unit, transform=axes.transAxes, fontsize=10, color=GREY)


def _times(periods: Sequence[str]) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    return np.array([year_of_period(period) for period in periods])


def _ticks(axes: "Axes", times: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> None:
    years = range(int(times[0]), int(times[-1]) + 1, 2 if times[-1] - times[0] > 5 else 1)
    axes.set_xticks([year + 0.5 for year in years], [str(year) for year in years])
    axes.set_xlim(times[0] - 0.15, times[-1] + 0.15)
