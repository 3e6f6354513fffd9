"""Who supplies AI compute, at which price and margin, and how far custom silicon has come."""

import numpy as np

from computemarket.analysis.overview.market_share import (
    COMPUTE,
    GROUPS,
    REVENUE,
    Points,
    recorded_compute_shares,
    recorded_revenue_shares,
)
from computemarket.analysis.report.chapters.breakeven import breakeven_pictures
from computemarket.analysis.report.parts.figures import (
    Picture,
    Section,
    bands_frame,
    blank,
    dress,
    fan,
    label_ends,
    lines,
    subtitle,
    time_axis,
)
from computemarket.analysis.report.parts.number_text import band_words
from computemarket.analysis.report.parts.source import Source, series_of
from computemarket.analysis.results.measures import load_groups, ratio
from computemarket.analysis.results.series import NotSimulatedError
from computemarket.analysis.style import GREEN, GROUP_NAMES, ORANGE, colour
from computemarket.model.core.arrays import Floats

UNITS, TOKENS = "accelerator_units", "tokens_by_designer"
LEADING = {  # shades of their vendors' colours
    "nvidia_a100_80gb_sxm": ("Nvidia A100", "#8FD3BC"),
    "nvidia_h100_sxm": ("Nvidia H100", GREEN),
    "nvidia_gb200": ("Nvidia GB200", "#00785A"),
    "nvidia_rubin_vr200": ("Nvidia Rubin", "#005A43"),
    "nvidia_feynman": ("Nvidia Feynman", "#00382A"),
    "amd_mi300x": ("AMD MI300X", ORANGE),
    "amd_mi455x": ("AMD MI455X", "#A66F00"),
}
PANELS = (
    (REVENUE, "by revenue"),
    (COMPUTE, "by compute shipped"),
    (UNITS, "by units"),
    (TOKENS, "by tokens served on them"),
)


def market_section(source: Source) -> Section:
    """Return market shares, prices and margins."""
    section = Section("market", "Who supplies AI compute")
    section.pictures.append(_shares(source, section))
    section.pictures.append(_margins(source))
    section.pictures.append(_price_of_compute(source))
    section.pictures.append(_list_prices(source))
    section.pictures.append(_rents(source))
    year = source.years[-1]
    section.sentences += [
        f"Nvidia takes {band_words(source, 'nvidia_revenue_share', year)} of what is paid for accelerators in {year} "
        f"and makes {band_words(source, 'nvidia_compute_share', year)} of the compute shipped.",
        f"Its gross margin is {band_words(source, 'nvidia_gross_margin', year)} that year; an hour of an H100 rents at "
        f"{band_words(source, 'h100_rental_contract', year)}.",
    ]
    return section


def silicon_section(source: Source) -> Section:
    """Return the adoption of custom silicon."""
    section = Section("silicon", "Custom silicon")
    owners = load_groups()["own_silicon"]
    total = source.total(COMPUTE)
    shares = {name: 100.0 * ratio(source.total(COMPUTE, name), total) for name in owners}
    section.pictures.append(
        lines(
            "custom_silicon_by_owner",
            "Whose own chips: share of all compute shipped",
            "Each owner's own chips as a share of the compute that all designers ship in a quarter.",
            source.quarters, shares, "% of compute shipped", source.runs, ends=source.record_ends,
        )
    )  # fmt: skip
    section.pictures += breakeven_pictures(source, section)
    year = source.years[-1]
    section.sentences.append(
        f"Custom silicon is {band_words(source, 'custom_compute_share', year)} of the compute shipped in {year} and "
        f"{band_words(source, 'custom_revenue_share', year)} of what is paid for accelerators, where owners pay their "
        "design partner's cost and margin."
    )
    return section


def grouped(source: Source, variable: str) -> dict[str, Floats]:
    """Return each group's share of a variable, per cent, {group: (R, Q)}.

    By revenue custom silicon is its design partners', otherwise its designers'.
    """
    members = load_groups()
    total = source.total(variable)
    custom = members["design_partners"] if variable == REVENUE else members["own_silicon"]
    chosen = {
        "nvidia": ("nvidia",),
        "amd": ("amd",),
        "custom_silicon": custom,
        "chinese": members["chinese_vendors"],
    }
    if variable != REVENUE:  # designers that are also owners elsewhere stand under custom silicon
        chosen["chinese"] = tuple(name for name in members["chinese_vendors"] if name not in custom)
    sums = {group: source.total(variable, names) for group, names in chosen.items()}
    sums["other_merchant"] = np.maximum(total - sum(sums.values()), 0.0)
    return {group: 100.0 * ratio(sums[group], total) for group in GROUPS}


def _shares(source: Source, section: Section) -> Picture:
    import pandas as pd

    figure, grid = blank("Who supplies AI compute: shares by four measures", 2, 2, height=8.4)
    figure.subplots_adjust(left=0.055, right=0.81, top=0.855, bottom=0.05, wspace=0.70, hspace=0.27)
    subtitle(
        figure,
        f"% of all; line: median of {source.runs} runs, shade: 80% of them lie in it, dots: the record "
        "(hollow where it does not cover all vendors)",
    )
    record: dict[str, Points] = {
        REVENUE: recorded_revenue_shares(source.record),
        COMPUTE: recorded_compute_shares(source.record),
    }
    frames = []
    for axes, (variable, title) in zip(grid.flat, PANELS, strict=True):
        dress(axes, f"Share {title}")
        times = time_axis(axes, source.quarters, source.record_ends)
        axes.set_ylim(0, 100)
        try:
            shares = grouped(source, variable)
        except NotSimulatedError:
            axes.text(0.5, 0.5, "not recorded in these results", transform=axes.transAxes, ha="center")
            section.missing.append(f"shares {title}: {source.reason or 'not recorded'}")
            continue
        bands = {group: fan(axes, times, values, colour(group)) for group, values in shares.items()}
        for group, marks in record.get(variable, {}).items():
            for time, share, whole in marks:
                if times[0] - 0.2 <= time <= times[-1]:
                    axes.plot(
                        [time], [share], "o", markersize=4.2, markeredgewidth=0.9, clip_on=False, zorder=5,
                        markerfacecolor=colour(group) if whole else "white",
                        markeredgecolor="white" if whole else colour(group),
                    )  # fmt: skip
        ends = {
            f"{GROUP_NAMES[group]} {band[1][-1]:.0f}%": (float(band[1][-1]), colour(group))
            for group, band in bands.items()
        }
        label_ends(axes, ends, float(times[-1]), gap=0.085)
        frame = bands_frame(source.quarters, bands, "%")
        frame.insert(0, "share", title)
        frames.append(frame)
    if not frames:
        raise NotSimulatedError("no variable that market shares are made of")
    return Picture(
        "market_shares",
        "Who supplies AI compute: shares by four measures",
        "By revenue custom silicon is what its design partners are paid; by compute, units and tokens it is the "
        "owners' chips. Tokens count where a token was made: within a tier, hours lie on the accelerators that serve "
        "it fastest. Units count inference cards like racks' accelerators.",
        figure,
        pd.concat(frames, ignore_index=True),
    )


def _margins(source: Source) -> Picture:
    names = ("nvidia", "amd", "broadcom", "huawei")
    series = {name: 100.0 * source.level("gross_margin", name) for name in names}
    return lines(
        "gross_margins", "Gross margins of vendors", "Whole companies where they are more than accelerators.",
        source.quarters, series, "% of revenue", source.runs, ends=source.record_ends,
        record={"nvidia": source.recorded("nvidia_gross_margin")},
    )  # fmt: skip


def _price_of_compute(source: Source) -> Picture:
    names = ("nvidia", "amd", "google", "amazon", "huawei")
    series = {}
    for name in names:
        spend, compute = source.total("accelerator_spend_usd", name), source.total(COMPUTE, name)
        series[name] = np.where(compute > 100.0, ratio(spend, compute), np.nan)
    return lines(
        "price_of_compute", "What an H100's worth of compute costs, by designer",
        "Paid for chips over H100-equivalents shipped (dense 8-bit rate), without networking and systems; own chips at "
        "what the design partner is paid.",
        source.quarters, series, "USD per H100-equivalent shipped", source.runs, ends=source.record_ends, log=True,
    )  # fmt: skip


def _list_prices(source: Source) -> Picture:
    known = set(source.labels("accelerator_price_usd", "detail"))
    chosen = {name: look for name, look in LEADING.items() if name in known}
    series = {name: source.level("accelerator_price_usd", detail=name) / 1e3 for name in chosen}
    record = {"nvidia_h100_sxm": source.recorded("h100_price")}
    return lines(
        "list_prices", "What leading accelerators sell for", "While they are on sale; without networking and systems.",
        source.quarters, series, "thousand USD each", source.runs, ends=source.record_ends, record=record,
        tints={name: tint for name, (_, tint) in chosen.items()},
        names={name: words for name, (words, _) in chosen.items()},
    )  # fmt: skip


def _rents(source: Source) -> Picture:
    series = {
        name: series_of(source, measure)
        for name, measure in (("contract", "h100_rental_contract"), ("spot", "h100_rental_spot"))
    }
    record = {
        "contract": source.recorded("h100_rental_contract"),
        "spot": source.recorded("h100_rental_spot"),
    }
    return lines(
        "h100_rent", "What an hour of an H100 rents at", "One-year contracts and the spot market, west.",
        source.quarters, series, "USD per hour", source.runs, ends=source.record_ends, record=record, log=True,
        tints={"contract": colour("nvidia"), "spot": colour("amd")},
        names={"contract": "One-year contract", "spot": "Spot"},
    )  # fmt: skip
