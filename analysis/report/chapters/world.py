"""Token tiers, export controls and China, supply, and energy."""

import numpy as np

from computemarket.analysis.report.parts.charts import shares_area
from computemarket.analysis.report.parts.figures import Picture, Section, lines
from computemarket.analysis.report.parts.number_text import band_words, spread
from computemarket.analysis.report.parts.source import Source, by_year, series_of
from computemarket.analysis.results.measures import mean_known
from computemarket.analysis.style import BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILION
from computemarket.model.world.world import TIERS

TIER_TINTS: dict[str, str] = dict(zip(TIERS, (GREY, SKY, BLUE, PURPLE, VERMILION), strict=True))
LIMITS = {"packaging": BLUE, "memory": ORANGE, "wafers": PURPLE, "power": VERMILION, "demand": GREY}
LIMIT_NAMES = {
    "packaging": "Packaging", "memory": "Memory", "wafers": "Wafers in China", "power": "Power", "demand": "Money",
}  # fmt: skip
SOURCES = {
    "legal": BLUE, "variant": SKY, "domestic": VERMILION, "offshore_owned": GREEN, "smuggled": "#222222",
}  # fmt: skip
SOURCE_NAMES = {
    "legal": "Imported, as sold elsewhere", "variant": "Imported, made for China", "domestic": "Made in China",
    "offshore_owned": "Owned abroad", "smuggled": "Smuggled",
}  # fmt: skip
REGIONS = {
    "us": BLUE, "china": VERMILION, "eu_uk": SKY, "jp_kr_tw": PURPLE, "gulf": ORANGE, "my_sg": GREEN,
    "india": "#7A3300", "tier1": "#9A9A9A", "tier2": GREY, "tier3": "#444444",
}  # fmt: skip
TRILLION, MONTHS = 1e12, 3.0


def tiers_section(source: Source) -> Section:
    """Return prices and volumes of the token tiers."""
    section = Section("tiers", "Token tiers")
    paid = TIERS[1:]
    price = {tier: source.level("token_price_usd_per_mtok", None, "west", tier) for tier in paid}
    names = {tier: f"{tier.capitalize()}" for tier in TIERS}
    section.pictures.append(
        lines(
            "token_prices", "What a million tokens cost, by tier",
            "Prices paid in the west; the tiers differ in how fast tokens come. The free tier costs its users nothing.",
            source.quarters, price, "USD per million tokens, west", source.runs, ends=source.record_ends, log=True,
            tints=TIER_TINTS, names=names,
        )
    )  # fmt: skip
    volume = {tier: source.total("tokens_served", "world", None, tier) / TRILLION / MONTHS for tier in TIERS}
    section.pictures.append(
        lines(
            "tokens_by_tier", "How many tokens are served, by tier", "All labs, west and China together.",
            source.quarters, volume, "trillion tokens a month", source.runs, ends=source.record_ends, log=True,
            tints=TIER_TINTS, names=names,
        )
    )  # fmt: skip
    revenue = {tier: source.total("tokens_served", "world", None, tier) * price[tier] / 1e6 for tier in paid}
    section.pictures.append(
        shares_area(
            "tier_revenue", "Which tiers the money comes from",
            "Tokens of a tier at its western price: a picture of weights; prices in China differ.",
            source.quarters, revenue, "% of paid token revenue at western prices", source.runs,
            ends=source.record_ends, tints=TIER_TINTS, names=names,
        )
    )  # fmt: skip
    year = source.years[-1]
    section.sentences.append(
        f"In {year} a million tokens, in the mean of the west and China, cost "
        f"{band_words(source, 'token_price_medium', year)} in the medium and "
        f"{band_words(source, 'token_price_ultra', year)} in the ultra tier; "
        f"{band_words(source, 'inference_share', year)} of the compute in use serves, the rest trains."
    )
    return section


def china_section(source: Source) -> Section:
    """Return what export controls do, and where China's compute comes from."""
    section = Section("china", "Export controls and China")
    added = {name: source.total("china_compute_added_h100e", detail=name) / 1e3 for name in SOURCES}
    section.pictures.append(
        lines(
            "china_compute_by_source", "Where China's new compute comes from",
            "Compute that firms of China were delivered in a quarter; what they rent abroad is not in it.",
            source.quarters, added, "thousand H100-equivalents a quarter", source.runs, ends=source.record_ends,
            tints=SOURCES, names=SOURCE_NAMES,
        )
    )  # fmt: skip
    stock = {
        "us": source.total("compute_stock_owned_h100e", region="us") / 1e6,
        "china": source.total("compute_stock_owned_h100e", region="china") / 1e6,
    }
    section.pictures.append(
        lines(
            "us_and_china", "Compute owned by firms of the United States and of China", "Wherever it stands.",
            source.quarters, stock, "million H100-equivalents", source.runs, ends=source.record_ends, log=True,
            tints=REGIONS,
        )
    )  # fmt: skip
    section.pictures.append(
        lines(
            "nvidia_china", "What China is to Nvidia", "China's part of Nvidia's revenue, Hong Kong included.",
            source.quarters, {"nvidia": series_of(source, "nvidia_china_share")}, "% of Nvidia's revenue",
            source.runs, ends=source.record_ends, record={"nvidia": source.recorded("nvidia_china_share")},
        )
    )  # fmt: skip
    premium = 100.0 * source.level("china_premium", region="china")
    smuggled = source.total("smuggled_units", region="china") / 1e3
    section.pictures.append(
        lines(
            "china_premium", "How much dearer compute is in China",
            "Price of an H100e of work there over the world's, less one.",
            source.quarters, {"china": premium}, "% above the world price", source.runs, ends=source.record_ends,
            tints=REGIONS,
        )
    )  # fmt: skip
    section.pictures.append(
        lines(
            "smuggled", "How many accelerators are smuggled into China", "What arrived, without what was seized.",
            source.quarters, {"smuggled": smuggled, "seized": source.total("seized_units", region="china") / 1e3},
            "thousand a quarter", source.runs, ends=source.record_ends,
            tints={"smuggled": "#222222", "seized": ORANGE}, names={"smuggled": "Arrived", "seized": "Seized"},
        )
    )  # fmt: skip
    years, ratio_us = by_year(stock["us"] / np.maximum(stock["china"], 1e-9), source.quarters, "end")
    year = years[-1]
    section.sentences += [
        f"At the end of {year} firms of the United States own {spread(ratio_us[:, -1])} times the compute of firms "
        f"of China; {band_words(source, 'china_domestic_compute_share', year)} of what China gets that year is "
        "made there.",
        f"Smugglers bring in {band_words(source, 'smuggled_units', year)} accelerators in {year}.",
    ]
    rules = [*source.scenario.enforce, *(f"without {name}" for name in source.scenario.suspend)]
    if rules:
        section.sentences.append(
            f"Changed rules of this scenario: {', '.join(r.replace('_', ' ') for r in rules)}."
        )
    return section


def supply_section(source: Source) -> Section:
    """Return what holds deliveries up."""
    section = Section("supply", "Supply bottlenecks")
    limits = {name: source.total("binding_constraint_share", detail=name) for name in LIMITS}
    section.pictures.append(
        shares_area(
            "bottlenecks", "What holds deliveries up",
            "Of the compute that buyers wished for and did not get, the share lost to each limit.",
            source.quarters, limits, "% of compute wished for and not delivered", source.runs,
            ends=source.record_ends, tints=LIMITS, names=LIMIT_NAMES,
        )
    )  # fmt: skip
    lead = {name: source.level("lead_time_weeks", name) for name in ("nvidia", "amd", "broadcom")}
    section.pictures.append(
        lines(
            "lead_times", "How long an order takes", "Build time and queue of what each vendor sells.",
            source.quarters, lead, "weeks", source.runs, ends=source.record_ends,
            record={"nvidia": source.recorded("lead_time")},
        )
    )  # fmt: skip
    packaging = source.total("packaging_capacity_wafers_per_month", "tsmc") / 1e3
    section.pictures.append(
        lines(
            "packaging", "Capacity for advanced packaging", "CoWoS lines of TSMC and those who work for it.",
            source.quarters, {"tsmc": packaging}, "thousand wafers a month", source.runs, ends=source.record_ends,
            log=True, record={"tsmc": source.recorded("packaging_capacity")},
        )
    )  # fmt: skip
    year = source.years[-1]
    worst = {name: float(np.median(mean_known(values))) for name, values in limits.items()}
    first = max(worst, key=lambda name: worst[name])
    section.sentences.append(
        f"Over all quarters {LIMIT_NAMES[first].lower()} holds up the most: {100 * worst[first]:.0f}% of what is "
        f"wished for and not delivered (median run). Nvidia's lead time is {band_words(source, 'lead_time', year)} in "
        f"{year}."
    )
    return section


def energy_section(source: Source) -> Section:
    """Return power drawn, connected and by place."""
    section = Section("energy", "Energy")
    power = {
        "drawn": source.total("power_mw") / 1e3,
        "connected": source.total("power_connected_mw") / 1e3,
    }
    section.pictures.append(
        lines(
            "power", "Power of AI fleets", "All-in at the meter: what fleets draw, and what their sites could give.",
            source.quarters, power, "GW", source.runs, ends=source.record_ends, log=True,
            tints={"drawn": VERMILION, "connected": GREY}, names={"drawn": "Drawn", "connected": "Connected"},
            record={"drawn": source.recorded("power")},
        )
    )  # fmt: skip
    section.pictures.extend(_power_by_place(source, section))
    year = source.years[-1]
    section.sentences.append(
        f"AI fleets draw {band_words(source, 'power', year)} at the end of {year}; over that year, at "
        f"{band_words(source, 'utilisation', year)} use, this is {_terawatt_hours(source)} TWh at the meter."
    )
    return section


def _power_by_place(source: Source, section: Section) -> list[Picture]:
    variable = "power_by_country_mw"
    if source.detail is None or variable not in source.detail.variables:
        section.missing.append(f"power by place: {source.reason}")
        return []
    series = {name: source.total(variable, region=name) / 1e3 for name in REGIONS}
    largest = sorted(series, key=lambda name: -float(np.median(series[name][:, -1])))[:6]
    return [
        lines(
            "power_by_place", "Where the power is drawn", "The six largest places.",
            source.quarters, {name: series[name] for name in largest}, "GW", len(source.detail.runs),
            ends=source.record_ends, log=True, tints=REGIONS,
        )
    ]  # fmt: skip


def _terawatt_hours(source: Source) -> str:
    mwh = source.total("power_mw") * 8760.0 / 4.0
    _, yearly = by_year(mwh, source.quarters)
    return spread(yearly[:, -1] / 1e6)
