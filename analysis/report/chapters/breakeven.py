"""When own silicon pays: volume, the cost of a token, and the cost of porting."""

from typing import TYPE_CHECKING

import numpy as np

from computemarket.analysis.report.parts.accounts import detail_runs
from computemarket.analysis.report.parts.assumptions import assumed
from computemarket.analysis.report.parts.figures import (
    Picture,
    Section,
    blank,
    dress,
    lines,
    name_of,
    short,
    subtitle,
)
from computemarket.analysis.report.parts.source import Source, by_year
from computemarket.analysis.results.measures import load_groups
from computemarket.analysis.results.series import NotSimulatedError
from computemarket.analysis.style import GREY, INK, colour
from computemarket.model.core.arrays import Floats
from computemarket.model.world.world import load_world

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PORTING_USD = (0.0, 5e8, 2e9, 8e9)
YEARS_PER_GENERATION = 2.0  # over which a generation has to pay for itself; the cadence of the catalogue
QUADRILLION = 1e15
LEAST_VOLUME = 1e-3  # thousand trillion tokens a year under which an owner is not drawn


def break_even_cost(tokens_per_year: Floats, fixed_usd: float, merchant_usd_per_mtok: float) -> Floats:
    """Return the cost of a token on own chips, over that on merchant chips, at which a generation pays for itself.

    (merchant - own) x tokens x years = fixed, so own / merchant = 1 - fixed / (tokens x years x merchant).

    Parameters
    ----------
    tokens_per_year : (N,) tokens a year served on own chips
    fixed_usd : chip programme and porting
    """
    saved_usd = tokens_per_year / 1e6 * YEARS_PER_GENERATION * merchant_usd_per_mtok
    return 1.0 - fixed_usd / saved_usd


def breakeven_pictures(source: Source, section: Section) -> list[Picture]:
    """Return the cost per token of own and merchant chips, and the break-even lines with where owners stand."""
    if source.detail is None:
        section.missing.append(f"break-even lines of custom silicon: {source.reason}")
        return []
    runs = detail_runs(source)
    owners = [name for name in load_groups()["own_silicon"] if name in load_world().operators.ids]
    cost = {name: source.level("own_chip_usd_per_mtok", name) for name in owners}
    cost["merchant"] = source.level("merchant_chip_usd_per_mtok", "world")
    tints = {"merchant": INK}
    found = [
        lines(
            "cost_per_token", "What a million tokens cost on own and on merchant chips",
            "Hardware in place and power, over the tokens of a service life at usual utilisation, software maturing as "
            "the chip ages; of what owners order, own chips before porting and merchant chips. Owners choose by the "
            "cost of raw compute (H100-equivalents), by which chips with few tokens to it look better than here.",
            source.quarters, cost, "USD per million tokens, medium tier", runs, ends=source.record_ends, log=True,
            tints=tints, names={"merchant": "Merchant chips"},
        ),
    ]  # fmt: skip
    try:
        found.append(_lines(source, owners, cost))
    except NotSimulatedError as error:
        section.missing.append(f"break-even lines of custom silicon: {error}")
    share = {name: 100.0 * source.level("own_silicon_order_share", name) for name in owners}
    found.append(
        lines(
            "own_order_share", "How much of each owner's orders goes to its own chips", "By compute ordered.",
            source.quarters, share, "% of the owner's orders", runs, ends=source.record_ends, top=100,
        )
    )  # fmt: skip
    return found


def _lines(source: Source, owners: list[str], cost: dict[str, Floats]) -> Picture:
    """Draw the cost of own tokens that breaks even over volume, a line for each cost of porting, and the owners."""
    import pandas as pd

    year = "2027" if "2027" in source.years else source.years[-1]
    place = source.years.index(year)
    merchant = by_year(cost["merchant"], source.quarters, "mean")[1][:, place]
    middle = float(np.median(merchant[np.isfinite(merchant)])) if np.isfinite(merchant).any() else np.nan
    if not np.isfinite(middle):
        raise NotSimulatedError(f"owners of chip programmes order no merchant chips in {year}")
    spots = _spots(source, owners, cost, place, merchant)
    volumes = _volumes([float(x[1]) for x, _ in spots.values()], middle)
    programme = assumed("chip_programme_usd") / 1e9
    title = f"When an own chip pays for itself, and where owners stand in {year}"
    figure, axes = blank(title, height=5.6)
    figure.subplots_adjust(left=0.085, right=0.95, top=0.80, bottom=0.11)
    subtitle(
        figure,
        f"under a line, a chip programme of {programme:g} bn USD and the porting beside it pay within "
        f"{YEARS_PER_GENERATION:g} years;\ndots: medians of {detail_runs(source)} runs, bars: 80% of them",
    )
    dress(axes)
    axes.set_xscale("log")
    rows = [row for name, (x, y) in spots.items() for row in _owner_rows(name, x, y)]
    rows += _draw_edges(axes, volumes, programme, middle)
    _draw_owners(axes, volumes, spots)
    data = pd.DataFrame(rows, columns=["what", "number", "p10", "median", "p90", "unit"])
    note = (
        f"A million tokens of the medium tier cost {short(middle)} USD on merchant chips that owners order in {year}. "
        "Volume counts all that own chips can do at usual utilisation, own use and training too, in tokens of the "
        "medium tier. An owner above 100% gains nothing per token of this tier: it has its chips for work "
        "they do better, or by the price of raw compute (H100-equivalents), by which owners choose in this model."
    )
    return Picture("break_even", title, note, figure, data)


def _spots(
    source: Source, owners: list[str], cost: dict[str, Floats], place: int, merchant: Floats
) -> dict[str, tuple[Floats, Floats]]:
    """Return where owners stand in a year: percentiles (10, 50, 90) of volume and of cost over merchant, %."""
    spots = {}
    for name in owners:
        relative = 100.0 * by_year(cost[name], source.quarters, "mean")[1][:, place] / merchant
        tokens = by_year(source.total("own_chip_work_tokens", name), source.quarters)[1][:, place]
        volume = tokens / QUADRILLION
        known = np.isfinite(relative) & (volume > LEAST_VOLUME)
        if known.mean() >= 0.5:
            spots[name] = (
                np.percentile(volume[known], (10, 50, 90)),
                np.percentile(relative[known], (10, 50, 90)),
            )
    return spots


def _owner_rows(name: str, volume: Floats, relative: Floats) -> list[tuple[object, ...]]:
    return [
        (name_of(name), "volume", *volume, "thousand trillion tokens a year"),
        (name_of(name), "cost of a token over merchant", *relative, "%"),
    ]


def _draw_edges(
    axes: "Axes", volumes: Floats, programme_bn_usd: float, merchant_usd_per_mtok: float
) -> list[tuple[object, ...]]:
    """Draw the line of break-even for each cost of porting; return its points as rows."""
    rows: list[tuple[object, ...]] = []
    for step, porting in enumerate(PORTING_USD):
        fixed = programme_bn_usd * 1e9 + porting
        edge = 100.0 * break_even_cost(volumes * QUADRILLION, fixed, merchant_usd_per_mtok)
        words = f"porting {porting / 1e9:g} bn USD" if porting else "no porting"
        axes.plot(volumes, edge, color=GREY, linewidth=1.0 + 0.6 * step)
        crossing = float(np.interp(8.0 + 9.0 * step, edge, np.log(volumes)))
        axes.annotate(
            words, (np.exp(crossing), 8.0 + 9.0 * step), xytext=(5, 0), textcoords="offset points", fontsize=9.2,
            color=INK, va="center", bbox={"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "pad": 0.8},
        )  # fmt: skip
        for v, one in zip(volumes[::8], edge[::8], strict=True):
            number = f"break-even at {short(float(v))} thousand trillion tokens a year"
            rows.append((words, number, np.nan, float(one), np.nan, "%"))
    return rows


def _draw_owners(axes: "Axes", volumes: Floats, spots: dict[str, tuple[Floats, Floats]]) -> None:
    """Draw a cross with its name for each owner, the line of merchant chips, and the axes."""
    ends = {}
    for name, (x, y) in spots.items():
        axes.plot([x[0], x[2]], [y[1], y[1]], color=colour(name), linewidth=1.6)
        axes.plot([x[1], x[1]], [y[0], y[2]], color=colour(name), linewidth=1.6)
        axes.plot([x[1]], [y[1]], "o", color=colour(name), markersize=9, markeredgecolor="white")
        ends[name_of(name)] = (float(y[2]), colour(name), float(x[1]))
    axes.axhline(100.0, color=INK, linewidth=0.9)
    axes.annotate(
        "merchant chips", (float(volumes[0]), 100.0), xytext=(4, 3), textcoords="offset points", fontsize=9.2,
        color=INK,
    )  # fmt: skip
    axes.set_xlim(volumes[0], volumes[-1])
    axes.set_ylim(0, max([130.0, *(float(y[2]) * 1.05 for _, y in spots.values())]))
    for name, (height, tint, across) in ends.items():
        axes.annotate(
            name, (across, height), xytext=(0, 4), textcoords="offset points", fontsize=10.2, fontweight="bold",
            color=tint, annotation_clip=False, ha="center", va="bottom",
        )  # fmt: skip
    axes.xaxis.set_major_formatter(lambda value, _: short(float(value)))
    axes.minorticks_off()
    axes.set_xlabel(
        "work of own chips: thousand trillion tokens a year, were all of the medium tier", fontsize=10
    )
    axes.set_ylabel("cost of a token on own chips, % of merchant", fontsize=10)


def _volumes(held: list[float], merchant_usd_per_mtok: float) -> Floats:
    """Return volumes that show both the owners and where the lines bend, thousand trillion tokens a year."""
    bend = assumed("chip_programme_usd") / (YEARS_PER_GENERATION * merchant_usd_per_mtok) * 1e6 / QUADRILLION
    most = bend * (1 + PORTING_USD[-1] / assumed("chip_programme_usd"))
    return np.geomspace(min([bend / 2, *(v / 2 for v in held)]), max([most * 5, *(v * 3 for v in held)]), 120)
