"""What was asked, the headline numbers, what was assumed, and how to repeat it."""

import numpy as np

from computemarket.analysis.report.parts.assumptions import assumptions
from computemarket.analysis.report.parts.figures import Section, Table, short
from computemarket.analysis.report.parts.number_text import at, band_words
from computemarket.analysis.report.parts.source import Source
from computemarket.analysis.results.measures import band_over_runs
from computemarket.analysis.results.summary import HEADLINES, show, show_band
from computemarket.model.core.arrays import Floats
from computemarket.model.core.parameters import Parameter, schema

HEADLINE_YEARS = ("2022", "2023", "2024", "2025", "2026", "2028", "2030", "2032")


def asked_section(source: Source) -> Section:
    """Return what the scenario asks, in sentences and as what differs from the defaults."""
    section = Section("asked", "What was asked")
    scenario, held = source.scenario, source.manifest
    first, last = source.quarters[0], source.quarters[-1]
    section.sentences += [
        f"Scenario {scenario.name}: {scenario.description or 'no description'}.",
        f"{source.runs} histories from {first} to {last} under the same rules; each draws its own luck and "
        f"its own values of {len(source.uncertain())} uncertain parameters (seed {scenario.seed}).",
        "What is known of the future is what was known "
        + ("in November 2026." if scenario.knowledge == "today" else f"at {scenario.knowledge}."),
    ]
    parameters = schema()
    settings = held.get("settings") or {}
    changed = [
        [name, parameters[name].meaning, str(parameters[name].setting), str(setting)]
        for name, setting in settings.items()
        if name in parameters
    ]
    if changed:
        section.tables.append(
            Table(
                "What the scenario changes", "Against the defaults of the model.",
                ["Parameter", "Meaning", "Default", "Here"], changed,
            )
        )  # fmt: skip
    regimes = held.get("regimes")
    if isinstance(regimes, dict) and regimes:
        section.sentences.append(f"Export regimes of its own: {', '.join(sorted(map(str, regimes)))}.")
    for words, rules in (("In force whatever the dates", scenario.enforce), ("Taken out", scenario.suspend)):
        if rules:
            section.sentences.append(f"{words}: {', '.join(rule.replace('_', ' ') for rule in rules)}.")
    return section


def headline_section(source: Source) -> Section:
    """Return the headline numbers, in sentences and as a table."""
    section = Section("headlines", "Headline numbers")
    known = source.years
    now = "2026" if "2026" in known else known[-1]
    last = known[-1]
    section.sentences += [
        f"Nvidia sells {band_words(source, 'nvidia_data_center_revenue', now)} to data centres in {now} and "
        f"{band_words(source, 'nvidia_data_center_revenue', last)} in {last}.",
        f"Its share of accelerator revenue goes from {band_words(source, 'nvidia_revenue_share', now)} to "
        f"{band_words(source, 'nvidia_revenue_share', last)}; custom silicon's from "
        f"{band_words(source, 'custom_revenue_share', now)} to {band_words(source, 'custom_revenue_share', last)}.",
        f"Four large clouds spend {band_words(source, 'four_clouds_capex', now)} in {now} and "
        f"{band_words(source, 'four_clouds_capex', last)} in {last}; AI fleets draw {band_words(source, 'power', now)} "
        f"and {band_words(source, 'power', last)}.",
        f"A million tokens of the medium tier cost {band_words(source, 'token_price_medium', now)} in {now} and "
        f"{band_words(source, 'token_price_medium', last)} in {last}.",
        "In brackets: the band that holds 80% of the runs. It says how far the model's own uncertainty reaches, not "
        "how far the model may be wrong.",
    ]
    years = [year for year in HEADLINE_YEARS if year in known]
    rows = []
    for name, label, unit in HEADLINES:
        bands = [band_over_runs(at(source, name, year)) for year in years]
        rows.append([f"{label}, {unit}", *(headline_cell(band) for band in bands)])
    section.tables.append(
        Table(
            "Headline numbers by year",
            "Median over runs; under it the band of 80% of them.",
            ["", *years],
            rows,
        )
    )
    return section


def headline_cell(band: Floats) -> str:
    """Return a (3,) band as a cell: the median, and under it the band."""
    return f"{show(float(band[1]))}\n{_range(band)}" if np.isfinite(band[1]) else "–"


def _range(band: Floats) -> str:
    return show_band(band).replace("-", "–") if (band >= 0).all() else show_band(band)


def assumptions_section(source: Source) -> Section:
    """Return every parameter with what it was set to, its source and standing."""
    section = Section("assumptions", "Assumptions with sources")
    parameters = schema()
    counts = {
        status: sum(one.status == status for one in parameters.values())
        for status in ("fact", "estimate", "assumption")
    }
    section.sentences.append(
        f"{len(parameters)} parameters: {counts['fact']} are facts, {counts['estimate']} estimates and "
        f"{counts['assumption']} assumptions. A distribution is drawn anew in every run."
    )
    own = [
        [one.name, one.meaning, f"{short(one.value)} {one.unit}", one.source, one.status]
        for one in assumptions().values()
    ]
    columns = ["Name", "Meaning", "Value", "Source", "Standing"]
    section.tables.append(
        Table(
            "What this report assumes beyond the model",
            "Only to turn recorded series into accounts.",
            columns,
            own,
        )
    )
    rows = [
        [name, one.meaning, _value(source, name, one), one.source, one.status]
        for name, one in parameters.items()
    ]
    section.tables.append(Table("Parameters of the model", "As they held in this scenario.", columns, rows))
    return section


def _value(source: Source, name: str, one: Parameter) -> str:
    setting = source.scenario.settings.get(name, one.setting)
    text = f"{setting:g}" if isinstance(setting, float) else str(setting)
    return f"{text} {one.unit}" if one.unit != "1" else text


def repeat_section(source: Source) -> Section:
    """Return how to make the results and this page again."""
    section = Section("repeat", "How to repeat it")
    held, name = source.manifest, source.folder.name or "DIR"
    versions = held.get("versions") or {}
    made = ", ".join(f"{key} {value}" for key, value in sorted(versions.items()))
    section.sentences += [
        f"computemarket run {name}/scenario.toml --runs {source.runs} --seed {source.scenario.seed} --out again",
        f"computemarket report {name}",
        f"The results are the same bytes where the versions are: sha256 {str(held.get('digest', ''))[:16]}… of "
        f"results.parquet, made with {made}, Python {held.get('python', '?')} on {held.get('machine', '?')}.",
        "scenario.toml beside the results holds every parameter as it was; a figure's data lie beside it as CSV.",
    ]
    if source.detail is not None:
        section.sentences.append(
            f"Series that results leave out (who buys from whom, orders, costs by layer) are of the first "
            f"{len(source.detail.runs)} runs, simulated again: a run's history does not depend on which others are "
            "simulated, and a stored series was compared bit for bit."
        )
    return section
