"""What analysts ask first: a revenue bridge, orders and backlog, concentration, depreciation, residual values."""

from collections.abc import Mapping

import numpy as np

from computemarket.analysis.report.chapters.money import BILLION, depreciation_picture
from computemarket.analysis.report.parts.accounts import detail_runs
from computemarket.analysis.report.parts.charts import bars, bridge
from computemarket.analysis.report.parts.figures import (
    Picture,
    Section,
    blank,
    dress,
    fan,
    lines,
    name_of,
    subtitle,
)
from computemarket.analysis.report.parts.number_text import spread
from computemarket.analysis.report.parts.source import Source, by_year
from computemarket.analysis.results.measures import ratio
from computemarket.analysis.style import BLUE, GREEN, VERMILION
from computemarket.model.core.arrays import Floats
from computemarket.model.world.world import load_world

ABROAD = "world_outside_china"
VINTAGES = {
    # shades and strokes of Nvidia's own colour, as in the figure of list prices: another hue would be another firm
    "nvidia_a100_80gb_sxm": ("A100, 2020", "#8FD3BC", "-"),
    "nvidia_h100_sxm": ("H100, 2022", GREEN, "-"),
    "nvidia_h200_sxm": ("H200, 2024", GREEN, (0, (1, 1))),
    "nvidia_gb200": ("GB200, 2024", "#00785A", (0, (4, 1.5))),
    "nvidia_rubin_vr200": ("Rubin, 2026", "#005A43", (0, (6, 1, 1, 1))),
    "nvidia_feynman": ("Feynman, 2028", "#00241B", "-"),
}
BOOKS = ("nvidia", "amd", "broadcom")
FEW = 1e6  # USD a quarter under which a ratio to sales says nothing


def analyst_section(source: Source) -> Section:
    """Return the analysts' figures."""
    section = Section("analysts", "For analysts")
    if source.detail is None:
        section.missing.append(f"the analysts' figures: {source.reason}")
        return section
    for first, last in bridge_years(source):
        section.pictures.append(_bridge(source, first, last))
    section.pictures += [_book_to_bill(source), _backlog(source), _concentration(source), _customers(source)]
    section.pictures.append(depreciation_picture(source))
    section.pictures.append(_residual(source))
    runs, year = detail_runs(source), source.years[-1]
    share = top_share(source, "nvidia", 4)
    _, wait = by_year(source.total("backlog_usd", "nvidia"), source.quarters, "end")
    section.sentences += [
        f"Nvidia's four largest customers take {spread(100 * share[:, -1], '%')} of its data-centre sales in {year} "
        f"(first {runs} runs).",
        f"Its backlog at the end of {year} is {spread(wait[:, -1] / BILLION)} bn USD.",
    ]
    return section


def bridge_years(source: Source) -> list[tuple[str, str]]:
    """Return the pairs of years to bridge: over the boom, from it to the middle of the horizon, and on to its end."""
    known = source.years
    wished = [("2022", "2025"), ("2025", "2028"), ("2028", known[-1] if known else "")]
    return [(a, b) for a, b in wished if a in known and b in known and a < b]


def revenue_steps(source: Source, first: str, last: str) -> dict[str, Floats]:
    """Decompose the change of Nvidia's data-centre revenue between two years, run by run; the steps add up exactly.

    Chips with stacked memory sold outside China: units at the old mean price; price, of chips sold in both years, at
    new units; mix, the rest: newer chips for older ones. Cards and language processors (chips without stacked memory,
    many and cheap), networking and systems outside China, and everything in China are steps of their own.
    """
    sales, units, small = _sold(source)
    (old_s, new_s), (old_u, new_u) = ((one[first], one[last]) for one in (sales, units))  # (P, R)
    volume = old_u.sum(axis=0), new_u.sum(axis=0)
    mean_price = ratio(old_s.sum(axis=0), volume[0])
    by_units = (volume[1] - volume[0]) * mean_price
    both = (old_u > 0.5) & (new_u > 0.5)
    old_p, new_p = ratio(old_s, old_u), ratio(new_s, new_u)
    by_price = np.where(both, new_u * (np.nan_to_num(new_p) - np.nan_to_num(old_p)), 0.0).sum(axis=0)
    chips = new_s.sum(axis=0) - old_s.sum(axis=0)
    rest = _yearly(source, "sales_usd", "nvidia", ABROAD, ("networking", "systems"))
    china = _yearly(source, "sales_usd", "nvidia", "china", None)
    steps = {
        "Units": by_units,
        "Price of\nsame chips": by_price,
        "Mix": chips - by_units - by_price,
        "Cards,\nLPUs": small[last] - small[first],
        "Networking,\nsystems": rest[last] - rest[first],
        "China": china[last] - china[first],
    }
    total = _yearly(source, "sales_usd", "nvidia", None, None)
    return {first: total[first], **steps, last: total[last]}


def _sold(source: Source) -> tuple[dict[str, Floats], dict[str, Floats], dict[str, Floats]]:
    """Return Nvidia's chip sales and units outside China by year, {year: (P, R)}, and sales of small chips."""
    runs = detail_runs(source)
    stacked = stacked_memory()
    sales: dict[str, list[Floats]] = {year: [] for year in source.years}
    units: dict[str, list[Floats]] = {year: [] for year in source.years}
    small = {year: np.zeros(runs) for year in source.years}
    for name in source.labels("chip_sales_usd", "detail"):
        shipped = source.total("accelerator_units", "nvidia", ABROAD, name)[:runs]
        if not shipped.any():
            continue
        sold = by_year(source.total("chip_sales_usd", region=ABROAD, detail=name), source.quarters)[1]
        count = by_year(shipped, source.quarters)[1]
        for place, year in enumerate(source.years):
            if name in stacked:
                sales[year].append(sold[:, place])
                units[year].append(count[:, place])
            else:
                small[year] = small[year] + sold[:, place]
    return {y: np.array(v) for y, v in sales.items()}, {y: np.array(v) for y, v in units.items()}, small


def stacked_memory() -> frozenset[str]:
    """Return the products with stacked memory."""
    products = load_world().products
    return frozenset(name for name, size in zip(products.ids, products.hbm_gb, strict=True) if size > 0)


def _yearly(
    source: Source, variable: str, entity: str, region: str | None, detail: tuple[str, ...] | None
) -> Mapping[str, Floats]:
    years, values = by_year(source.total(variable, entity, region, detail), source.quarters)
    return {year: values[:, place] for place, year in enumerate(years)}


def _bridge(source: Source, first: str, last: str) -> Picture:
    steps = {name: values / BILLION for name, values in revenue_steps(source, first, last).items()}
    return bridge(
        f"revenue_bridge_{first}_{last}", f"How Nvidia's data-centre revenue goes from {first} to {last}",
        "Units: more accelerators at the old mean price. Price: chips sold in both years. Mix: newer chips for older "
        "ones. Cards and LPUs: chips without stacked memory. China: all sales there. Steps are taken in every run.",
        steps, "bn USD a year", detail_runs(source), (first, last),
    )  # fmt: skip


def _book_to_bill(source: Source) -> Picture:
    series = {}
    for name in BOOKS:
        orders, billed = source.total("orders_usd", name), source.total("data_center_revenue_usd", name)
        orders, billed = _four_quarters(orders), _four_quarters(billed[: len(orders)])
        series[name] = np.where(billed > FEW, ratio(orders, billed), np.nan)
    return lines(
        "book_to_bill", "Book-to-bill: orders over sales",
        "Both over four quarters, at prices of the quarter; orders count what buyers place twice in a shortage.",
        source.quarters, series, "orders per dollar of sales", detail_runs(source), ends=source.record_ends, top=4.0,
    )  # fmt: skip


def _four_quarters(values: Floats) -> Floats:
    """Return the sum over this quarter and the three before it; the first three are unknown."""
    summed = np.cumsum(values, axis=1)
    out = np.full_like(values, np.nan)
    out[:, 3:] = summed[:, 3:]
    out[:, 4:] -= summed[:, :-4]
    return out


def _backlog(source: Source) -> Picture:
    series = {name: source.total("backlog_usd", name) / BILLION for name in BOOKS}
    return lines(
        "backlog", "Backlog: ordered and not delivered", "At prices of the quarter, with what was ordered twice.",
        source.quarters, series, "bn USD", detail_runs(source), ends=source.record_ends,
    )  # fmt: skip


def top_share(source: Source, vendor: str, count: int) -> Floats:
    """Return (R, Y) the share of a vendor's sales that its largest customers of a year take."""
    buyers = source.labels("purchases_usd", "entity")
    bought = [
        by_year(source.total("purchases_usd", name, detail=vendor), source.quarters)[1] for name in buyers
    ]
    ordered = -np.sort(-np.stack(bought), axis=0)
    return ratio(ordered[:count].sum(axis=0), ordered.sum(axis=0))


def _concentration(source: Source) -> Picture:
    series = {}
    for count, key in ((1, "one"), (4, "four"), (10, "ten")):
        share = top_share(source, "nvidia", count)
        series[key] = 100.0 * np.repeat(share, 4, axis=1)
    quarters = [f"{year}Q{quarter}" for year in source.years for quarter in range(1, 5)]
    return lines(
        "customer_concentration", "How much of Nvidia's sales its largest customers take",
        "By who operates the accelerators, year by year; distributors and server makers in between are passed through.",
        quarters, series, "% of data-centre sales of the year", detail_runs(source), ends=source.record_ends, top=100,
        tints={"one": VERMILION, "four": BLUE, "ten": GREEN},
        names={"one": "Largest", "four": "Four largest", "ten": "Ten largest"},
    )  # fmt: skip


def _customers(source: Source) -> Picture:
    year = "2027" if "2027" in source.years else source.years[-1]
    place = source.years.index(year)
    buyers = source.labels("purchases_usd", "entity")
    total = by_year(source.total("purchases_usd", detail="nvidia"), source.quarters)[1][:, place]
    found = {}
    for name in buyers:
        bought = by_year(source.total("purchases_usd", name, detail="nvidia"), source.quarters)[1][:, place]
        found[name] = 100.0 * ratio(bought, total)
    largest = sorted(found, key=lambda name: -float(np.median(found[name])))[:10]
    return bars(
        "customers", f"Nvidia's ten largest customers in {year}", "By who operates the accelerators.",
        {name: found[name] for name in largest}, "% of its data-centre sales", detail_runs(source),
        names={name: name_of(name) for name in largest},
    )  # fmt: skip


def _residual(source: Source) -> Picture:
    """Draw what is left of the value of an accelerator, by age and vintage."""
    import pandas as pd

    known = set(source.labels("residual_value", "detail"))
    chosen = {name: shown for name, shown in VINTAGES.items() if name in known}
    title = "What is left of an accelerator's value, by vintage"
    figure, axes = blank(title)
    figure.subplots_adjust(left=0.075, right=0.97, top=0.82, bottom=0.12)
    runs = detail_runs(source)
    subtitle(
        figure,
        f"% of what it was worth when it came out, by age; line: median of {runs} runs, shade: 80% lie in it",
    )
    dress(axes)
    rows = []
    for name, (label, tint, stroke) in chosen.items():
        worth = source.level("residual_value", detail=name)
        first = int(np.argmax(np.isfinite(worth).all(axis=0)))
        left = 100.0 * ratio(
            worth[:, first:], np.repeat(worth[:, first : first + 1], worth.shape[1] - first, axis=1)
        )
        years = (np.arange(left.shape[1]) / 4.0)[:25]
        band = fan(axes, years, left[:, :25], tint)
        axes.lines[-1].set(label=label, linestyle=stroke)
        rows += [
            (
                label,
                source.quarters[first + place],
                float(years[place]),
                *(float(edge[place]) for edge in band),
                "%",
            )
            for place in range(len(years))
        ]
    axes.set_xlim(0, 6)
    axes.set_ylim(0, 100)
    axes.set_xlabel("years since it came out (the oldest: since 2022Q1)", fontsize=10)
    axes.legend(frameon=False, fontsize=10, title="Nvidia's, by year", handlelength=3.4)
    data = pd.DataFrame(rows, columns=["vintage", "period", "age_years", "p10", "median", "p90", "unit"])
    note = (
        "Worth: what rents can still earn over the rest of the service life, at the contract rents of the day and each "
        "run's cost of capital; an accelerator bought when its generation came out."
    )
    return Picture("residual_values", title, note, figure, data)
