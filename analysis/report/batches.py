"""The report of a batch: its scenarios and policies side by side, and run by run against the first."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from computemarket.analysis.headline import Headline
from computemarket.analysis.history import read_history
from computemarket.analysis.measures import band_over_runs, load_measures, measure
from computemarket.analysis.panels import NotSimulatedError, Panels, panels_from_frame
from computemarket.analysis.report.pictures import Picture, Section, Table, lines, short
from computemarket.analysis.report.signs import first_signs, signs_table
from computemarket.analysis.report.source import by_year, record_ends, record_of
from computemarket.analysis.summary import HEADLINES
from computemarket.errors import InputError
from computemarket.model.arrays import Floats
from computemarket.scenarios.store import dataset_of, read_failures, read_manifest, study_of
from computemarket.scenarios.study import AS_IS, Study

TINTS = (
    "#222222",
    "#332288",
    "#882255",
    "#117733",
    "#B8860B",
    "#44AA99",
    "#AA4499",
    "#999933",
)  # Tol (2021), muted
MOST_CASES = 40  # read and compared
DRAWN = len(TINTS)


@dataclass(frozen=True)
class CaseSeries:
    """The headline measures of one case: name -> (R, Q)."""

    label: str
    quarters: tuple[str, ...]
    runs: tuple[int, ...]
    values: Mapping[str, Floats]


def batch_sections(folder: Path) -> tuple[str, str, list[Section]]:
    """Return title, lead and sections of a batch.

    Raises
    ------
    InputError
        if the folder does not hold a batch with results that this version can read.
    """
    held = read_manifest(folder)
    study = study_of(folder, Headline())
    cases = read_cases(folder, study)
    sections = [_asked(folder, study, held, cases), _compared(cases), _differences(cases)]
    if len(cases) > 1:
        sections.append(_signs(cases))
    sections.append(_repeat(folder, held))
    count = min(len(case.runs) for case in cases)
    title = f"AI compute: {study.name.replace('_', ' ')}"
    lead = (
        f"{study.description or 'A batch'}. {len(study.cases)} cases of {count} histories and more, "
        f"{cases[0].quarters[0]} to {cases[0].quarters[-1]}; all cases meet the same draws."
    )
    return title, lead, sections


def read_cases(folder: Path, study: Study) -> list[CaseSeries]:
    """Read the headline measures of every case, one case at a time."""
    import pyarrow as pa
    import pyarrow.dataset as ds

    rows = dataset_of(folder)
    found = []
    known = load_measures()
    for case in study.cases[:MOST_CASES]:
        chosen = (ds.field("scenario") == case.scenario.name) & (ds.field("policy") == case.policy)
        try:
            frame = rows.to_table(filter=chosen).to_pandas()
        except (pa.ArrowException, OSError) as error:
            raise InputError("store", str(folder), f"readable ({type(error).__name__})") from error
        if not len(frame):
            continue
        panels = panels_from_frame(frame.drop(columns=["policy"]))
        values = {name: _series(panels, name) for name, _, _ in HEADLINES if name in known}
        label = case.scenario.name if case.policy == AS_IS else f"{case.scenario.name}, {case.policy}"
        kept = {name: one for name, one in values.items() if one is not None}
        found.append(CaseSeries(label.replace("_", " "), panels.quarters, panels.runs, kept))
    if not found:
        raise InputError("store", str(folder), "a batch with results: none of its cases has any yet")
    return found


def _series(panels: Panels, name: str) -> Floats | None:
    """Return a headline measure, as it was recorded or from the series it is made of; None where neither is there."""
    if name in panels.variables:
        return panels.level(name)
    try:
        return measure(name).series(panels)
    except NotSimulatedError:
        return None


def _asked(folder: Path, study: Study, held: Mapping[str, object], cases: list[CaseSeries]) -> Section:
    section = Section("asked", "What was asked")
    failed = len(read_failures(folder))
    section.sentences += [
        f"Study {study.name}: {study.description or 'no description'}.",
        f"{len(study.scenarios)} scenarios, {len(study.cases)} cases, design {study.design.method}, "
        f"{study.total_runs:,} runs in all; {sum(len(case.runs) for case in cases):,} are read here, {failed} failed.",
    ]
    if held.get("status") != "complete":
        section.missing.append("runs that are still to come: the batch is not complete")
    if len(study.cases) > len(cases):
        section.missing.append(
            f"{len(study.cases) - len(cases)} cases: without results, or beyond {MOST_CASES}"
        )
    rows = [
        [case.scenario.name, case.policy, case.scenario.description, str(case.scenario.seed)]
        for case in study.cases
    ]
    section.tables.append(Table("Cases", "", ["Scenario", "Policy", "What it asks", "Seed"], rows))
    if study.uncertainties:
        section.sentences.append(f"Uncertainties of the design: {', '.join(study.uncertainties)}.")
    return section


def _compared(cases: list[CaseSeries]) -> Section:
    """Return a figure for each headline measure, with all cases in it."""
    section = Section("compared", "Side by side")
    tints = {case.label: TINTS[place] for place, case in enumerate(cases[:DRAWN])}
    if len(cases) > DRAWN:
        section.sentences.append(f"Figures show the first {DRAWN} cases; tables and data hold all.")
    runs = min(len(case.runs) for case in cases)
    for name, label, unit in dict.fromkeys(HEADLINES):
        held = [case for case in cases[:DRAWN] if name in case.values]
        if not held or not np.isfinite(held[0].values[name]).any():
            continue
        series = {case.label: case.values[name] for case in held}
        section.pictures.append(_picture(name, label, unit, held[0].quarters, series, runs, tints))
    if not section.pictures:
        section.missing.append(
            "figures: the study recorded none of the series that the headline measures are made of"
        )
    return section


def _picture(
    name: str, label: str, unit: str, quarters: tuple[str, ...], series: Mapping[str, Floats], runs: int,
    tints: Mapping[str, str],
) -> Picture:  # fmt: skip
    medians = [band_over_runs(values)[1] for values in series.values()]
    known = np.concatenate([one[np.isfinite(one)] for one in medians])
    wide = bool(len(known) and known.min() > 0 and known.max() / known.min() > 50.0)
    record = read_history()
    recorded = [(period, value) for period, value in record_of(record, name) if "Q" in period]
    per = measure(name).aggregate == "sum" and measure(name).denominator is None
    return lines(
        name, label, "", quarters, series, f"{unit}{', by quarter' if per else ''}", runs, log=wide, tints=tints,
        names={key: key for key in series}, ends=record_ends(record), record={next(iter(series)): recorded},
    )  # fmt: skip


def _differences(cases: list[CaseSeries]) -> Section:
    """Return, for the last year, medians by case and paired differences from the first."""
    section = Section("differences", f"Against {cases[0].label}")
    first = cases[0]
    for name, label, unit in dict.fromkeys(HEADLINES):
        if name not in first.values:
            continue
        how = measure(name).aggregate if measure(name).denominator is None else "mean"
        years, base = by_year(first.values[name], first.quarters, how)
        if not years:
            continue
        rows = [[first.label, *_cells(base[:, -1]), "", ""]]
        for case in cases[1:]:
            if name not in case.values or case.quarters != first.quarters:
                continue
            mine = by_year(case.values[name], case.quarters, how)[1][:, -1]
            runs = sorted(set(first.runs) & set(case.runs))
            gap = mine[np.searchsorted(case.runs, runs)] - base[np.searchsorted(first.runs, runs), -1]
            gap = gap[np.isfinite(gap)]
            text = [short(float(np.median(gap))), _range(gap)] if len(gap) else ["–", "–"]
            rows.append([case.label, *_cells(mine), *text])
        note = f"{unit}, in {years[-1]}; differences are run by run with the same draws, bands hold 80% of the runs."
        columns = ["Case", "Median", "Band", f"Difference from {first.label}", "Band of the difference"]
        section.tables.append(Table(label, note, columns, rows))
    return section


def _signs(cases: list[CaseSeries]) -> Section:
    """Return by which number each case can be told from the first, and from when on."""
    first = cases[0]
    found = {
        case.label: first_signs(case.values, first.values, first.quarters)
        for case in cases[1:]
        if case.quarters == first.quarters
    }
    return Section("signs", "Early warnings", tables=[signs_table(found, first.label)])


def _cells(values: Floats) -> list[str]:
    known = values[np.isfinite(values)]
    return [short(float(np.median(known))), _range(known)] if len(known) else ["–", "–"]


def _range(values: Floats) -> str:
    low, high = np.percentile(values, (10.0, 90.0))
    return f"{short(float(low))} to {short(float(high))}"


def _repeat(folder: Path, held: Mapping[str, object]) -> Section:
    section = Section("repeat", "How to repeat it")
    name = folder.name or "DIR"
    versions = held.get("versions")
    made = (
        ", ".join(f"{key} {value}" for key, value in versions.items())
        if isinstance(versions, Mapping)
        else "?"
    )
    if (folder / "study.toml").is_file():
        section.sentences.append(f"computemarket batch {name}/study.toml --out again")
    section.sentences += [
        f"computemarket report {name}",
        f"The digest of all parts is {str(held.get('digest', 'unknown'))[:16]}…; made with {made}.",
        "A page about one scenario alone, with all figures: computemarket run its file under scenarios/, then report.",
    ]
    return section
