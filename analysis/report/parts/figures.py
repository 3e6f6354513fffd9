"""Figures that explain themselves, and the data beside each."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from io import BytesIO, StringIO
from typing import TYPE_CHECKING, Any

import numpy as np

from computemarket.analysis.exchange.files import NUMBER, safe
from computemarket.analysis.overview.market_share import year_of
from computemarket.analysis.results.measures import band_over_runs
from computemarket.analysis.style import BAND_ALPHA, FAINT, GREY, INK, colour, plain_axes, spread_labels
from computemarket.model.core.arrays import Floats
from computemarket.model.world.world import load_world

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, HEIGHT, DPI = 9.6, 4.9, 150
LONGEST = 42  # letters of a label at the right; longer ones are set smaller
NAMES = {
    "nvidia": "Nvidia", "amd": "AMD", "intel": "Intel", "groq": "Groq", "cerebras": "Cerebras",
    "sambanova": "SambaNova", "broadcom": "Broadcom", "marvell": "Marvell", "google": "Google", "amazon": "Amazon",
    "microsoft": "Microsoft", "meta": "Meta", "oracle": "Oracle", "xai": "xAI", "coreweave": "CoreWeave",
    "nebius": "Nebius", "lambda": "Lambda", "openai": "OpenAI", "anthropic": "Anthropic", "huawei": "Huawei",
    "cambricon": "Cambricon", "china_other": "Other Chinese", "alibaba": "Alibaba", "tencent": "Tencent",
    "bytedance": "ByteDance", "baidu": "Baidu", "deepseek": "DeepSeek", "moonshot": "Moonshot",
    "gpu_clouds_small": "Smaller GPU clouds", "clouds_my_sg": "Clouds of Malaysia, Singapore",
    "sk_hynix": "SK hynix", "samsung": "Samsung", "micron": "Micron", "cxmt": "CXMT", "tsmc": "TSMC",
    "us": "United States", "eu_uk": "EU and UK", "jp_kr_tw": "Japan, Korea, Taiwan", "india": "India",
    "gulf": "Gulf", "my_sg": "Malaysia, Singapore", "china": "China", "tier1": "Other tier 1", "tier2": "Tier 2",
    "tier3": "Tier 3", "custom_silicon": "Custom silicon", "other_merchant": "Other merchants",
    "chinese": "Chinese vendors", "others_west": "Other western labs", "others_china": "Other Chinese labs",
}  # fmt: skip


def name_of(entity: str) -> str:
    """Return what an entity is called in figures and sentences."""
    return NAMES.get(entity) or _operator_names().get(entity) or entity.replace("_", " ")


@cache
def _operator_names() -> Mapping[str, str]:
    operators = load_world().operators
    return dict(zip(operators.ids, operators.names, strict=True))


@dataclass(frozen=True)
class Picture:
    """A figure with its data.

    Parameters
    ----------
    slug : its file name without ending
    title : what it shows, as a sentence or a question
    note : how it is to be read, one or two sentences
    """

    slug: str
    title: str
    note: str
    figure: "Figure"
    data: "pd.DataFrame"

    def svg(self) -> str:
        """Return the figure as an element for a page: text as text, ids of its own."""
        from matplotlib import rc_context

        out = StringIO()
        with rc_context({"svg.fonttype": "none", "svg.hashsalt": self.slug}):
            self.figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
        return _inline(out.getvalue(), self.slug, self.title)

    def png(self) -> bytes:
        """Return the figure as pixels."""
        out = BytesIO()
        self.figure.savefig(out, format="png", dpi=DPI, metadata={"Software": None})
        return out.getvalue()

    def csv(self) -> str:
        """Return the data as text that no spreadsheet takes for a formula."""
        return safe_csv(self.data)


@dataclass(frozen=True)
class Table:
    """A table of words and numbers, and what its numbers are."""

    title: str
    note: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass
class Section:
    """A part of the report: sentences, figures and tables."""

    slug: str
    title: str
    sentences: list[str] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


def safe_csv(table: "pd.DataFrame") -> str:
    """Return a table as CSV; text that a spreadsheet would run gets a leading apostrophe."""
    text: str = safe(table).to_csv(index=False, float_format=NUMBER, lineterminator="\n")
    return text


def _inline(text: str, slug: str, title: str) -> str:
    """Strip what belongs to a file, make ids unique on the page and say what the figure is."""
    body = text[text.index("<svg") :]
    body = re.sub(r'\bid="', f'id="{slug}-', body)
    body = re.sub(r"url\(#", f"url(#{slug}-", body)
    body = re.sub(r'xlink:href="#', f'xlink:href="#{slug}-', body)
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = body.replace("'DejaVu Sans'", "'DejaVu Sans', Verdana, sans-serif")  # of the same widths
    label = title.replace("&", "and").replace('"', "").replace("<", "under ")
    return body.replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1)


def blank(title: str, rows: int = 1, columns: int = 1, *, height: float = HEIGHT, **kwargs: Any) -> Any:
    """Return a figure with its title, and its axes."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, height), facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, columns, **kwargs)
    figure.text(
        0.012, 1 - 0.2 / height, title, fontsize=14.5, fontweight="bold", color=INK, va="top", ha="left"
    )
    return figure, axes


def subtitle(figure: "Figure", text: str) -> None:
    """Say under the title what lines, shades and marks mean."""
    height = figure.get_size_inches()[1]
    figure.text(0.012, 1 - 0.53 / height, text, fontsize=10.2, color=GREY, va="top", ha="left")


def dress(axes: "Axes", title: str = "", unit: str = "") -> None:
    """Give axes the look of the others, a title, and the unit over the scale."""
    plain_axes(axes)
    axes.tick_params(labelsize=10)
    axes.margins(x=0)
    head = f"{title}, {unit}" if title and unit else title or unit
    if head:
        axes.set_title(head, loc="left", fontsize=10.8, color=INK, pad=6)


def time_axis(axes: "Axes", quarters: Sequence[str], ends: str = "") -> Floats:
    """Put years on the time axis, mark where the record ends, and return the times."""
    times = np.array([year_of(quarter) for quarter in quarters])
    axes.set_xlim(times[0] - 0.15, times[-1] + 0.1)
    span = times[-1] - times[0]
    years = range(int(times[0]), int(times[-1]) + 1, 1 if span < 6 else 2)
    axes.set_xticks([year + 0.5 for year in years], [str(year) for year in years])
    if ends and times[0] < year_of(ends) < times[-1]:
        edge = year_of(ends) + 0.125
        axes.axvline(edge, color=INK, linewidth=0.9, linestyle=(0, (2, 2)), zorder=6)
        axes.annotate(
            "record ends", (edge, 1.0), xycoords=("data", "axes fraction"), xytext=(3, -2),
            textcoords="offset points", fontsize=8.2, color=INK, va="top", zorder=7,
        )  # fmt: skip
    return times


def fan(
    axes: "Axes", times: Floats, values: Floats, tint: str, *, width: float = 2.2, shade: bool = True
) -> Floats:
    """Draw the median of (R, Q) runs and the band of 80% of them; return (3, Q)."""
    band = band_over_runs(values)
    if shade:
        axes.fill_between(times, band[0], band[2], color=tint, alpha=BAND_ALPHA, linewidth=0)
    axes.plot(times, band[1], color=tint, linewidth=width, solid_capstyle="round")
    return band


def room_for(figure: "Figure", labels: Iterable[str], left: float = 0.075) -> None:
    """Leave room for labels at the right of the axes."""
    longest = max((len(label) for label in labels), default=0)
    right = (0.985 - 0.0094 * longest * WIDTH / float(figure.get_size_inches()[0]) + 0.035 * left) / 1.035
    figure.subplots_adjust(right=min(max(right, 0.55), 0.93))


def label_ends(
    axes: "Axes",
    ends: Mapping[str, tuple[float, str]],
    last: float,
    *,
    gap: float = 0.068,
    stops: Mapping[str, float] | None = None,
) -> None:
    """Name each line at its end; `ends` maps a name to (height, colour), `stops` to where a line stops earlier."""
    known = {name: end for name, end in ends.items() if np.isfinite(end[0])}
    if not known:
        return
    low, high = axes.get_ylim()
    logarithmic = axes.get_yscale() == "log"

    def share(value: float) -> float:
        if logarithmic:
            value = max(value, low)
            return float((np.log(value) - np.log(low)) / (np.log(high) - np.log(low)))
        return (value - low) / (high - low)

    size = 9.6 * min(1.0, LONGEST / max(len(name) for name in known))
    heights = spread_labels([share(end[0]) for end in known.values()], gap, 0.01, 0.99)
    for (name, (value, tint)), height in zip(known.items(), heights, strict=True):
        axes.annotate(
            name, xy=((stops or {}).get(name, last), max(value, low) if logarithmic else value), xycoords="data",
            xytext=(1.035, height), textcoords="axes fraction", fontsize=size, fontweight="bold", color=tint,
            va="center", annotation_clip=False,
            # from the left edge of the text: a line from its middle would cross the labels beside it
            arrowprops={
                "arrowstyle": "-", "color": tint, "linewidth": 0.7, "shrinkA": 1, "shrinkB": 0, "relpos": (0.0, 0.5),
            },
        )  # fmt: skip


def points(axes: "Axes", seen: Sequence[tuple[str, float]], span: tuple[float, float], tint: str) -> None:
    """Mark recorded values: a dot for a quarter, a bar as long as the period for a year."""
    for period, value in seen:
        middle = int(period[:4]) + 0.5 if len(period) == 4 else _middle(period)
        if span[0] - 0.2 <= middle <= span[1] + 0.1:
            axes.plot(
                [middle], [value], "o", markersize=5.2, markerfacecolor=tint, markeredgecolor="white",
                markeredgewidth=0.9, zorder=5, clip_on=False,
            )  # fmt: skip


def _middle(period: str) -> float:
    if period[4] == "H":
        return int(period[:4]) + (0.25 if period[5] == "1" else 0.75)
    return year_of(period)


def bands_frame(
    quarters: Sequence[str], bands: Mapping[str, Floats], unit: str, key: str = "series"
) -> "pd.DataFrame":
    """Return bands (3, Q) by name as a tidy table."""
    import pandas as pd

    parts = [
        pd.DataFrame(
            {
                key: name,
                "period": list(quarters),
                "p10": band[0],
                "median": band[1],
                "p90": band[2],
                "unit": unit,
            }
        )
        for name, band in bands.items()
    ]
    return pd.concat(parts, ignore_index=True)


def lines(
    slug: str, title: str, note: str, quarters: Sequence[str], series: Mapping[str, Floats], unit: str, runs: int,
    *, ends: str = "", record: Mapping[str, Sequence[tuple[str, float]]] | None = None, log: bool = False,
    top: float | None = None, tints: Mapping[str, str] | None = None,
    names: Mapping[str, str] | None = None, shaded: Sequence[str] | None = None,
) -> Picture:  # fmt: skip
    """Draw fans of several (R, Q) series in one panel, named at their ends, with the record as dots.

    `shaded`: the series whose bands are drawn; all by default. The data hold all bands.
    """
    figure, axes = blank(title)
    figure.subplots_adjust(left=0.075, right=0.775, top=0.82, bottom=0.08)
    marks = ", dots: the record" if record and any(record.values()) else ""
    only = set(series if shaded is None else shaded)
    some = "" if only >= set(series) else f" (of {', '.join(key for key in series if key in only)} alone)"
    subtitle(figure, f"{unit}; line: median of {runs:,} runs, shade: 80% of them lie in it{some}{marks}")
    dress(axes)
    times = time_axis(axes, quarters, ends)
    bands: dict[str, Floats] = {}
    labels: dict[str, tuple[float, str]] = {}
    stops: dict[str, float] = {}
    for name, values in series.items():
        tint = (tints or {}).get(name, colour(name))
        bands[name] = fan(axes, times, values, tint, shade=name in only)
        points(axes, (record or {}).get(name, ()), (float(times[0]), float(times[-1])), tint)
        shown = (names or {}).get(name, name_of(name))
        known = np.flatnonzero(np.isfinite(bands[name][1]))
        end = float(bands[name][1][known[-1]]) if len(known) else np.nan
        label = f"{shown} {short(end)}" if len(known) else shown
        labels[label] = (end, tint)
        if len(known):
            stops[label] = float(times[known[-1]])
    _scale(axes, bands, log, top)
    room_for(figure, labels)
    label_ends(axes, labels, float(times[-1]), stops=stops)
    return Picture(slug, title, note, figure, bands_frame(quarters, bands, unit))


def _scale(axes: "Axes", bands: Mapping[str, Floats], log: bool, top: float | None) -> None:
    if log and any((band[np.isfinite(band)] > 0).any() for band in bands.values()):
        log_scale(axes)
        return
    lows = [float(np.nanmin(band[0])) for band in bands.values() if np.isfinite(band).any()]
    low = min(lows, default=0.0)
    axes.set_ylim(top=top)
    axes.set_ylim(bottom=min(0.0, low * 1.05))
    axes.yaxis.set_major_formatter(lambda value, _: short(float(value)))


def log_scale(axes: "Axes") -> None:
    """Make the upright scale logarithmic, with labels at 1, 2 and 5 where they fit."""
    from matplotlib.ticker import LogLocator

    axes.set_yscale("log")
    low, high = axes.get_ylim()
    wide = high / low > 300.0
    axes.yaxis.set_major_locator(LogLocator(base=10, subs=(1.0,) if wide else (1.0, 2.0, 5.0)))
    axes.yaxis.set_major_formatter(lambda value, _: short(float(value)))
    axes.minorticks_off()


def short(value: float) -> str:
    """Return a number with about three digits, large ones with k, m, bn."""
    if not np.isfinite(value):
        return "–"
    size = abs(value)
    for step, letter in ((1e12, "tn"), (1e9, "bn"), (1e6, "m"), (1e4, "k")):
        if size >= step:
            scaled = value / (1e3 if letter == "k" else step)
            return f"{scaled:.3g}{letter}" if abs(scaled) < 999.5 else f"{scaled:,.0f}{letter}"
    if size >= 99.5:
        return f"{value:,.0f}"
    if size >= 1:
        return f"{value:.3g}"
    return f"{value:.2g}" if size >= 1e-12 else "0"


__all__ = ["FAINT", "Picture", "Section", "Table"]
