"""The cases of a batch one by one: headline sentences, a figure and a table of each, and more where it was recorded."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from computemarket.analysis.record.history import read_history
from computemarket.analysis.report.chapters.market import market_section, silicon_section
from computemarket.analysis.report.chapters.money import money_section
from computemarket.analysis.report.chapters.scenario import HEADLINE_YEARS, headline_cell
from computemarket.analysis.report.chapters.world import china_section, tiers_section
from computemarket.analysis.report.parts.figures import (
    Picture,
    Section,
    Table,
    bands_frame,
    blank,
    dress,
    fan,
    log_scale,
    short,
    subtitle,
    time_axis,
)
from computemarket.analysis.report.parts.number_text import spread
from computemarket.analysis.report.parts.source import Source, by_year, record_ends
from computemarket.analysis.results.measures import band_over_runs, load_measures, measure
from computemarket.analysis.results.series import NotSimulatedError, Panels, panels_from_frame
from computemarket.analysis.results.summary import HEADLINES, variables_of_summary
from computemarket.analysis.style import GREY, colour
from computemarket.errors import InputError, is_memory
from computemarket.model.core.arrays import Floats
from computemarket.scenarios.results.open_results import dataset_of
from computemarket.scenarios.schema import Scenario
from computemarket.scenarios.studies.study import AS_IS, Study

MOST_CASES = 40  # read and compared
PICTURED = 8  # cases with a section of their own
DETAILED = 4  # of those, with figures of single firms where they were recorded
WANTED = (
    "market_shares", "custom_silicon_by_owner", "china_compute_by_source", "smuggled", "capex", "debt", "defaults",
    "token_prices", "tier_revenue",
)  # fmt: skip
PARTS = (market_section, silicon_section, china_section, money_section, tiers_section)
FIRMS = frozenset(
    (
        "accelerator_price_usd", "accelerator_revenue_usd", "accelerator_spend_usd", "accelerator_units", "capex_usd",
        "china_compute_added_h100e", "china_premium", "company_revenue_usd", "china_revenue_usd",
        "compute_shipped_h100e", "compute_stock_owned_h100e", "debt_usd", "defaulted", "gross_margin",
        "rental_price_usd_per_hour", "rental_spot_price_usd_per_hour", "seized_units", "smuggled_units",
        "token_price_usd_per_mtok", "token_revenue_usd", "tokens_served",
    )
)  # fmt: skip
NOT_ADDED = (
    "share",
    "%",
    "1",
    "1/year",
    "USD/h",
    "USD/Mtok",
    "weeks",
    "quarters",
)  # units of which sums say nothing
FEW_SERIES = 6
GLANCE: tuple[tuple[str, str, tuple[tuple[str, str, str], ...]], ...] = (
    ("Shares of accelerator revenue", "%", (
        ("nvidia_revenue_share", "Nvidia", "nvidia"), ("custom_revenue_share", "custom silicon", "custom_silicon"),
        ("amd_revenue_share", "AMD", "amd"))),
    ("Shares of compute shipped", "%", (
        ("nvidia_compute_share", "Nvidia", "nvidia"), ("custom_compute_share", "custom silicon", "custom_silicon"))),
    ("Nvidia's data-centre revenue", "bn USD a quarter", (("nvidia_data_center_revenue", "", "nvidia"),)),
    ("China's domestic share", "% of the compute it gets", (("china_domestic_compute_share", "", "chinese"),)),
    ("Chips smuggled into China", "thousand a quarter", (("smuggled_units", "", "chinese"),)),
    ("Capex of four large clouds", "bn USD a quarter", (("four_clouds_capex", "", "custom_silicon"),)),
    ("Power of AI fleets", "GW", (("power", "", "world"),)),
    ("Price of a million tokens", "USD", (
        ("token_price_ultra", "ultra tier", "chinese"), ("token_price_medium", "medium tier", "amazon"))),
    ("Tokens served", "trillion a month", (("world_tokens", "", "world"),)),
)  # fmt: skip


@dataclass(frozen=True)
class CaseSeries:
    """One case of a batch.

    Parameters
    ----------
    place : in the study
    values : the headline measures that were recorded, or follow from what was: name -> (R, Q)
    others : variables of a list that are no headline measures: (name, series) -> (unit, (R, Q))
    panels : what figures of single firms need, of the first cases alone
    """

    label: str
    place: int
    scenario: Scenario
    policy: str
    quarters: tuple[str, ...]
    runs: tuple[int, ...]
    values: Mapping[str, Floats]
    others: Mapping[tuple[str, str], tuple[str, Floats]] = field(default_factory=dict)
    panels: Panels | None = None

    @property
    def years(self) -> tuple[str, ...]:
        """The years that are wholly simulated."""
        found = sorted({quarter[:4] for quarter in self.quarters})
        return tuple(y for y in found if f"{y}Q1" in self.quarters and f"{y}Q4" in self.quarters)

    def yearly(self, name: str) -> Floats:
        """Return a headline measure by whole year, (R, Y)."""
        how = measure(name).aggregate if measure(name).denominator is None else "mean"
        return by_year(self.values[name], self.quarters, how)[1]

    def at(self, name: str, year: str) -> Floats:
        """Return a headline measure of a year, (R,); NaN where it was not recorded."""
        if name not in self.values or year not in self.years:
            return np.full(len(self.runs), np.nan)
        return np.asarray(self.yearly(name)[:, self.years.index(year)])


def read_cases(folder: Path, study: Study) -> list[CaseSeries]:
    """Read the cases of a batch, one at a time, and of each no more than the report shows.

    Raises
    ------
    InputError
        if none has results, or they cannot be read.
    """
    import pyarrow as pa
    import pyarrow.dataset as ds

    rows = dataset_of(folder)
    listed = study.recording.variables
    wanted = set(listed) if listed is not None else set(load_measures()) | _pictured_variables()
    found: list[CaseSeries] = []
    for place, case in enumerate(study.cases[:MOST_CASES]):
        chosen = (ds.field("scenario") == case.scenario.name) & (ds.field("policy") == case.policy)
        try:
            frame = rows.to_table(filter=chosen & ds.field("variable").isin(sorted(wanted))).to_pandas()
        except (pa.ArrowException, OSError) as error:
            if is_memory(error):
                raise
            raise InputError("store", str(folder), f"readable ({type(error).__name__})") from error
        if not len(frame):
            continue
        panels = panels_from_frame(frame.drop(columns=["policy"]))
        units = dict(zip(frame["variable"].astype(str), frame["unit"].astype(str), strict=True))
        reduced = study.recording.reduction is not None
        values = {name: _series(panels, name, reduced=reduced) for name, _, _ in HEADLINES}
        kept = {name: one for name, one in values.items() if one is not None}
        others = _others(panels, units, set(listed or ()) - set(kept))
        detail = panels if len(found) < DETAILED and study.recording.reduction is None else None
        found.append(
            CaseSeries(
                label_of(case.scenario.name, case.policy), place, case.scenario, case.policy, panels.quarters,
                panels.runs, kept, others, detail,
            )
        )  # fmt: skip
    if not found:
        raise InputError("store", str(folder), "a batch with results: none of its cases has any yet")
    return found


def _pictured_variables() -> frozenset[str]:
    """Return the variables that the headline measures and the figures of single firms read."""
    return FIRMS | variables_of_summary()


def label_of(scenario: str, policy: str) -> str:
    """Return what a case is called: "drought" under "fast:capex.subsidy=0.5" is "drought, fast, subsidy 0.5"."""
    levers = re.sub(r"[a-z_]+\.([a-z0-9_]+)=", r"\1 ", policy.replace(":", ", "))
    return (scenario if policy == AS_IS else f"{scenario}, {levers}").replace("_", " ")


def _series(panels: Panels, name: str, *, reduced: bool) -> Floats | None:
    """Return a headline measure, as it was recorded or from the series it is made of; None where neither is there.

    Some measures have the name of the variable they are made of, in another unit.
    """
    if reduced:
        return panels.level(name) if name in panels.variables else None
    try:
        return measure(name).series(panels)
    except NotSimulatedError:
        return None


def _others(
    panels: Panels, units: Mapping[str, str], names: set[str]
) -> dict[tuple[str, str], tuple[str, Floats]]:
    """Return series of the listed variables: each where there are few, else their sum, or mean where no sum is due."""
    found: dict[tuple[str, str], tuple[str, Floats]] = {}
    for name in sorted(names & panels.variables):
        block, unit = panels.block(name), units.get(name, "")
        if 1 < len(block.labels) <= FEW_SERIES:
            for place, label in enumerate(block.labels):
                words = " ".join(part for part in label if part).replace("_", " ")
                found[name, words] = unit, block.values[place]
        elif len(block.labels) == 1 or unit not in NOT_ADDED:
            found[name, ""] = unit, panels.total(name)
        else:
            found[name, f"mean of {len(block.labels)} series"] = unit, panels.level(name)
    return found


def case_sections(folder: Path, cases: Sequence[CaseSeries], manifest: Mapping[str, object]) -> list[Section]:
    """Return a section for each of the first cases; the others stand in the tables that compare all."""
    sections = [
        _case(folder, case, number, manifest) for number, case in enumerate(cases[:PICTURED], start=1)
    ]
    if len(cases) > PICTURED:
        sections[-1].missing.append(
            f"a part of its own for the other {len(cases) - PICTURED} cases: they stand in the comparisons below"
        )
    return sections


def _case(folder: Path, case: CaseSeries, number: int, manifest: Mapping[str, object]) -> Section:
    section = Section(f"case-{number}", f"Case {number}: {case.label}")
    section.sentences += case_sentences(case)
    if case.values and case.years:
        section.tables.append(_by_year_table(case))
    glance = _glance(case, number)
    if glance is not None:
        section.pictures.append(glance)
    if case.panels is not None and case.years:
        _firms(folder, case, number, manifest, section)
    return section


def case_sentences(case: CaseSeries) -> list[str]:
    """Return the headline numbers of a case in sentences, as far as they were recorded."""
    if not case.years:
        return ["No whole year was simulated."]
    last = case.years[-1]
    first = "2026" if "2026" in case.years[:-1] else case.years[0]

    def words(name: str, year: str) -> str:
        return spread(case.at(name, year), load_measures()[name].unit)

    def path(name: str) -> str:
        return (
            words(name, last)
            if first == last
            else f"{words(name, first)} in {first} and {words(name, last)} in {last}"
        )

    said = (
        ("nvidia_data_center_revenue", "Nvidia sells {} to data centres"),
        ("nvidia_revenue_share", "Of what is paid for accelerators, Nvidia takes {}"),
        ("custom_compute_share", "Custom silicon makes {} of the compute shipped"),
        ("china_domestic_compute_share", "Of the compute that China gets, its own vendors make {}"),
        ("four_clouds_capex", "Four large clouds spend {} on capital goods"),
        ("power", "AI fleets draw {}"),
        ("token_price_medium", "A million tokens of the medium tier cost {}"),
    )
    found = []
    for name, form in said:
        if name in case.values:
            found.append(f"{form.format(path(name))}.")
    if not found:
        return [
            "The study recorded none of the series that the headline numbers are made of; what it recorded stands "
            "under “What was recorded”."
        ]
    return found


def _by_year_table(case: CaseSeries) -> Table:
    years = [year for year in HEADLINE_YEARS if year in case.years] or list(case.years)
    rows = [
        [f"{label}, {unit}", *(headline_cell(band_over_runs(case.at(name, year))) for year in years)]
        for name, label, unit in HEADLINES
        if name in case.values
    ]
    note = f"Median over {len(case.runs):,} runs; under it the band of 80% of them."
    return Table(f"Headline numbers of {case.label}", note, ["", *years], rows)


def _glance(case: CaseSeries, number: int) -> Picture | None:
    """Draw what was recorded of the headline measures in small panels."""
    import pandas as pd

    panels = [
        (title, unit, [one for one in series if one[0] in case.values]) for title, unit, series in GLANCE
    ]
    panels = [one for one in panels if one[2]]
    if not panels:
        return None
    rows = -(-len(panels) // 3)
    title = f"{case.label} at a glance"
    figure, grid = blank(title, rows, 3, height=1.35 + 2.5 * rows, squeeze=False)
    height = float(figure.get_size_inches()[1])
    figure.subplots_adjust(
        left=0.055, right=0.985, top=1 - 1.32 / height, bottom=0.38 / height, wspace=0.23, hspace=0.52
    )
    subtitle(figure, f"line: median of {len(case.runs):,} runs, shade: 80% of them lie in it")
    frames = []
    for axes, (name, unit, series) in zip(grid.flat, panels, strict=False):
        dress(axes, f"{name}\n{unit}")
        times = time_axis(axes, case.quarters, record_ends(read_history()))
        for one, words, key in series:
            band = fan(axes, times, case.values[one], colour(key), width=1.8)
            frames.append(bands_frame(case.quarters, {f"{name} {words}".strip(): band}, unit))
        if name.startswith("Price") or name.startswith("Tokens"):
            log_scale(axes)
        else:
            axes.set_ylim(bottom=0)
            axes.yaxis.set_major_formatter(lambda value, _: short(float(value)))
        _inside(axes, [(words, colour(key)) for _, words, key in series if words])
        axes.tick_params(labelsize=8.6)
        axes.title.set_fontsize(9.6)
        for text in axes.texts:
            text.set_fontsize(min(text.get_fontsize(), 8.4))
    for axes in list(grid.flat)[len(panels) :]:
        axes.axis("off")
    note = "The dotted line marks where the record of history ends. Flows are by quarter."
    data = pd.concat(frames, ignore_index=True)
    return Picture(f"case_{number}_glance", title, note, figure, data)


def _inside(axes: object, names: Sequence[tuple[str, str]]) -> None:
    """Name the lines of a small panel at its upper right, each in its colour."""
    for place, (words, tint) in enumerate(names):
        axes.annotate(  # type: ignore[attr-defined]
            words, (1.0, 0.98 - 0.11 * place), xycoords="axes fraction", fontsize=8.4, fontweight="bold", color=tint,
            ha="right", va="top", bbox={"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 0.6}, zorder=8,
        )  # fmt: skip


def _firms(
    folder: Path, case: CaseSeries, number: int, manifest: Mapping[str, object], section: Section
) -> None:
    """Add figures of single firms from a case that was recorded in full, or whose list holds what they need."""
    if case.panels is None:
        return
    source = Source(folder, case.scenario, case.panels, None, "a batch is not simulated again", manifest)
    for make in PARTS:
        try:
            made = make(source)
        except NotSimulatedError:
            continue  # such a part is missing from what was recorded: nothing is filled in
        for picture in made.pictures:
            if picture.slug in WANTED:
                picture.figure.text(0.988, 0.012, case.label, fontsize=9, color=GREY, ha="right", va="bottom")
                section.pictures.append(replace(picture, slug=f"case_{number}_{picture.slug}"))
        if make is money_section:
            section.sentences += [one for one in made.sentences if one not in section.sentences]
