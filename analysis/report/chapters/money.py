"""Capital expenditure and debt, value and default of actors, the profit pool: what strategists ask first."""

import numpy as np

from computemarket.analysis.report.parts.accounts import (
    LAYERS,
    book_value_usd,
    depreciation_usd,
    detail_runs,
    discounted,
    discounted_to_date,
    free_cash_flow,
    profit_pool,
)
from computemarket.analysis.report.parts.figures import Picture, Section, Table, lines, name_of, short
from computemarket.analysis.report.parts.number_text import band_words, spread
from computemarket.analysis.report.parts.source import Source, by_year
from computemarket.analysis.style import BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILION
from computemarket.model.core.arrays import Floats

BILLION = 1e9
CLOUDS = ("microsoft", "amazon", "google", "meta", "oracle")
DEBTORS = ("coreweave", "nebius", "lambda", "gpu_clouds_small", "clouds_my_sg")
VALUED = ("nvidia", "amd", "broadcom", "openai", "anthropic", "huawei")
VALUED_CLOUDS = (*CLOUDS, "xai", "coreweave", "gpu_clouds_small")
LAYER_TINTS = dict(zip(LAYERS, (ORANGE, GREY, GREEN, SKY, PURPLE, VERMILION), strict=True))


def money_section(source: Source) -> Section:
    """Return capital expenditure, debt and defaults."""
    section = Section("capex", "Capital expenditure and debt")
    capex = {name: source.total("capex_usd", name) / BILLION for name in CLOUDS}
    record = {name: _recorded_capex(source, name) for name in CLOUDS}
    section.pictures.append(
        lines(
            "capex", "Capital expenditure of the largest clouds",
            "All of it, AI and the rest; the record is cash spent.",
            source.quarters, capex, "bn USD a quarter", source.runs, ends=source.record_ends, record=record, log=True,
        )
    )  # fmt: skip
    groups = {"large": CLOUDS, "gpu": DEBTORS}
    debt = {key: source.total("debt_usd", names) / BILLION for key, names in groups.items()}
    section.pictures.append(
        lines(
            "debt", "Debt taken up for AI", "Large clouds: the five largest. GPU clouds: those that live by letting.",
            source.quarters, debt, "bn USD", source.runs, ends=source.record_ends, tints={"large": BLUE, "gpu": PURPLE},
            names={"large": "Large clouds", "gpu": "GPU clouds"},
        )
    )  # fmt: skip
    failed = {name: 100.0 * ever(source.level("defaulted", name)) for name in DEBTORS}
    section.pictures.append(_defaults(source, failed))
    year = source.years[-1]
    any_failed = np.max([ever(source.level("defaulted", name))[:, -1] for name in DEBTORS], axis=0)
    section.sentences.append(
        f"Four large clouds spend {band_words(source, 'four_clouds_capex', year)} in {year}. In "
        f"{100 * any_failed.mean():.0f}% of the runs at least one GPU cloud has failed by then."
    )
    return section


def ever(happens: Floats) -> Floats:
    """Return (R, Q) ones from the first quarter on in which something happens."""
    return np.maximum.accumulate(np.nan_to_num(happens) > 0, axis=1).astype(np.float64)


def strategist_section(source: Source) -> Section:
    """Return value by actor and the profit pool."""
    section = Section("value", "Value and the profit pool")
    if source.detail is None:
        section.missing.append(f"value by actor and the profit pool: {source.reason}")
        return section
    runs = detail_runs(source)
    rate = source.parameter("capex.discount_rate", runs)
    earned = {
        name: discounted_to_date(free_cash_flow(source, name), rate) / BILLION
        for name in (*VALUED, *VALUED_CLOUDS)
    }
    for name in VALUED_CLOUDS:
        earned[name] += discounted(book_value_usd(source, name), rate) / BILLION
    cash = "Running sum of cash before debt and equity, discounted to 2022Q1 at each run's cost of capital."
    section.pictures += [
        lines(
            "value_by_actor", "What chip vendors and labs have earned with AI since 2022, discounted",
            f"{cash} Vendors: sales less cost and research; labs: tokens less compute and payroll.",
            source.quarters, {name: earned[name] for name in VALUED}, "bn USD of 2022", runs, ends=source.record_ends,
        ),
        lines(
            "value_of_clouds", "What clouds have earned with AI since 2022, discounted",
            f"{cash} Rents, and what they use themselves at the same rents, less power and investment in AI; of "
            "Google, Meta and xAI with what their labs keep. That own use is worth what letting it would earn is an "
            "assumption: what it earns (better advertising, search) stands in no AI book. Chips and sites count at "
            "what is not yet written off, in a straight line.",
            source.quarters, {name: earned[name] for name in VALUED_CLOUDS}, "bn USD of 2022", runs,
            ends=source.record_ends,
        ),
    ]  # fmt: skip
    pool = profit_pool(source)
    years = {layer: by_year(values, source.quarters)[1] / BILLION for layer, values in pool.items()}
    section.pictures.append(
        lines(
            "profit_pool", "Profit pool: gross profit by layer",
            "Revenue less direct cost. Memory and other suppliers at assumed margins (see the assumptions); clouds "
            "after power and straight-line depreciation of what they let; models before training and payroll.",
            source.quarters, {key: values / BILLION for key, values in pool.items()}, "bn USD a quarter", runs,
            ends=source.record_ends, tints=LAYER_TINTS, names=LAYERS,
        )
    )  # fmt: skip
    section.tables.append(_pool_table(source, years))
    last = source.years[-1]
    ordered = sorted(earned, key=lambda name: -float(np.median(earned[name][:, -1])))
    first, least = ordered[0], ordered[-1]
    section.sentences.append(
        f"Discounted to 2022, {name_of(first)} has earned most by the end of {source.quarters[-1]}: "
        f"{spread(earned[first][:, -1])} bn USD, and {name_of(least)} least: {spread(earned[least][:, -1])} bn USD, "
        "fleets at book value."
    )
    best = max(years, key=lambda layer: float(np.median(years[layer][:, -1])))
    section.sentences.append(
        f"In {last} the largest gross profit lies with {LAYERS[best].lower()}: {spread(years[best][:, -1])} bn USD."
    )
    return section


def depreciation_picture(source: Source) -> Picture:
    """Draw depreciation of AI capital beside AI revenue."""
    runs = detail_runs(source)
    series = {
        "depreciation": 4.0 * depreciation_usd(source) / BILLION,
        "tokens": 4.0 * source.total("token_revenue_usd")[:runs] / BILLION,
        "all": source.total("realised_ai_revenue_usd", "world")[:runs] / BILLION,
    }
    return lines(
        "depreciation", "Depreciation of AI capital against AI revenue",
        "Straight line: accelerators over each run's service life, sites over an assumed one; capital bought since "
        "2022Q1. All AI revenue adds, at market rents, compute that owners use themselves and training.",
        source.quarters, series, "bn USD a year", runs, ends=source.record_ends, log=True,
        tints={"depreciation": VERMILION, "tokens": BLUE, "all": GREEN},
        names={"depreciation": "Depreciation", "tokens": "Token revenue", "all": "All AI revenue"},
    )  # fmt: skip


def _recorded_capex(source: Source, name: str) -> list[tuple[str, float]]:
    recorded = {"google": "Alphabet"}.get(name, name_of(name))
    return [(point.period, point.value) for point in source.record.get(("capex_cash_ppe", recorded), ())]


def _defaults(source: Source, failed: dict[str, Floats]) -> Picture:
    """Draw the share of runs in which each cloud has failed."""
    from computemarket.analysis.report.parts.figures import (
        blank,
        dress,
        label_ends,
        room_for,
        subtitle,
        time_axis,
    )
    from computemarket.analysis.style import colour

    figure, axes = blank("Which GPU clouds have failed")
    figure.subplots_adjust(left=0.075, right=0.775, top=0.82, bottom=0.08)
    subtitle(
        figure, f"% of {source.runs} runs in which debt service went unpaid until lenders stepped in, by then"
    )
    dress(axes)
    times = time_axis(axes, source.quarters, source.record_ends)
    labels, rows = {}, []
    for name, values in failed.items():
        share = values.mean(axis=0)
        axes.step(times, share, where="mid", color=colour(name), linewidth=2.2)
        labels[f"{name_of(name)} {share[-1]:.0f}%"] = (float(share[-1]), colour(name))
        rows += [
            (name, quarter, float(one), "% of runs")
            for quarter, one in zip(source.quarters, share, strict=True)
        ]
    axes.set_ylim(0, max(5.0, axes.get_ylim()[1]))
    room_for(figure, labels)
    label_ends(axes, labels, float(times[-1]))
    import pandas as pd

    data = pd.DataFrame(rows, columns=["cloud", "period", "share_of_runs", "unit"])
    note = (
        "A failed cloud sells part of its fleet to larger ones and goes on with the debt the rest can bear."
    )
    return Picture("defaults", "Which GPU clouds have failed", note, figure, data)


def _pool_table(source: Source, years: dict[str, Floats]) -> Table:
    shown = [year for year in ("2023", "2025", "2027", "2030", "2032") if year in source.years]
    places = [source.years.index(year) for year in shown]
    rows = [
        [LAYERS[layer], *(f"{short(float(np.median(values[:, place])))}" for place in places)]
        for layer, values in years.items()
    ]
    return Table(
        "Gross profit by layer, bn USD a year",
        "Medians over runs; they do not add up exactly.",
        ["Layer", *shown],
        rows,
    )
