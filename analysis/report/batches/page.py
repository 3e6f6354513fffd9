"""The report of a batch: what was asked, each case, the cases beside each other, drivers, regret, failures."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from computemarket.analysis.report.batches.cases import (
    MOST_CASES,
    CaseSeries,
    case_sections,
    case_sentences,
    read_cases,
)
from computemarket.analysis.report.batches.comparison import (
    compared_section,
    differences_section,
    known_section,
    recorded_section,
    regret_section,
)
from computemarket.analysis.report.batches.drivers import batch_drivers_section, names_of
from computemarket.analysis.report.chapters.early_indicators import first_signs, signs_table
from computemarket.analysis.report.parts.figures import Section, Table
from computemarket.analysis.results.differences import differing_settings
from computemarket.analysis.results.headline import Headline
from computemarket.scenarios.results.store import read_failures, read_manifest, study_of
from computemarket.scenarios.studies.study import AS_IS, Study

FAILURES = 24  # listed; the store holds all
DESIGNS = {
    "none": "every uncertain parameter is drawn from its prior in every run",
    "grid": "every combination of the levels of its uncertainties",
    "latin_hypercube": "a Latin hypercube: each uncertainty is covered evenly on its own",
    "sobol": "a Sobol sequence: all uncertainties together are covered evenly",
    "saltelli": "a Saltelli sample, made for Sobol indices",
    "morris": "Morris' trajectories: one uncertainty moves at a time",
}


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
    sections = [_asked(folder, study, held, cases), _headlines(cases)]
    recorded = recorded_section(cases)
    sections += [recorded] if recorded is not None else []
    if any(case.values for case in cases):
        sections += [compared_section(cases), differences_section(cases)]
    sections += [batch_drivers_section(study, cases[0]), regret_section(cases)]
    if len(cases) > 1:
        sections.append(_signs(cases))
    if cases[0].values:
        sections += [*case_sections(folder, cases, held), known_section(cases)]
    sections += [_failures(folder), _repeat(folder, study, held, cases)]
    count = min(len(case.runs) for case in cases)
    title = f"AI compute: {study.name.replace('_', ' ')}"
    several = f"{len(study.cases)} cases, each of {count:,} histories or more; all cases meet the same draws"
    lead = (
        f"{study.description or 'A batch'}. {several if len(study.cases) > 1 else f'One case of {count:,} histories'}, "
        f"{cases[0].quarters[0]} to {cases[0].quarters[-1]}."
    )
    return title, lead, sections


def _asked(folder: Path, study: Study, held: Mapping[str, object], cases: Sequence[CaseSeries]) -> Section:
    section = Section("asked", "What was asked")
    failed = len(read_failures(folder))
    recording = study.recording.text
    kept = {
        "headline": "the headline measures of every quarter",
        "full": "everything",
    }.get(str(recording), f"a list of {len(recording)} variables")
    section.sentences += [
        f"Study {study.name}: {study.description or 'no description'}.",
        f"{_count(len(study.scenarios), 'scenario')}, {_count(len(study.cases), 'case')} (a case is a scenario under a "
        f"policy), {study.design.count:,} point{'s' if study.design.count > 1 else ''} of the uncertainties with "
        f"{study.runs:,} histories each: {study.total_runs:,} runs. "
        f"{sum(len(case.runs) for case in cases):,} of them are "
        f"read here, {failed} failed. Recorded was {kept}.",
        f"Design “{study.design.method.replace('_', ' ')}”: {DESIGNS[study.design.method]}. "
        + (
            "All points meet the same shocks, so two points differ by their parameters alone."
            if study.shocks == "common"
            else "Every run draws its own shocks, so bands show the whole spread."
        ),
        "Lines are medians over runs and bands hold 80% of them. They say how far the model's own "
        "uncertainty reaches, not "
        "how far the model may be wrong.",
    ]
    if held.get("status") != "complete":
        section.missing.append("runs that are still to come: the batch is not complete")
    if len(study.cases) > len(cases):
        section.missing.append(
            f"{len(study.cases) - len(cases)} cases: without results, or beyond {MOST_CASES}"
        )
    rows = [
        [
            str(place), case.scenario.name, "as the scenario is" if case.policy == AS_IS else case.policy,
            case.scenario.description, str(case.scenario.seed),
        ]
        for place, case in enumerate(study.cases, start=1)
    ]  # fmt: skip
    section.tables.append(Table("Cases", "", ["Case", "Scenario", "Policy", "What it asks", "Seed"], rows))
    changes = [
        [case.label, name, here, there]
        for case in cases[1:]
        for name, there, here in differing_settings(study.cases[cases[0].place].scenario, case.scenario)
        if name not in ("name", "description")
    ]
    if changes:
        note = "Every setting in which a case differs from the first."
        columns = ["Case", "Setting", "In this case", f"In {cases[0].label}"]
        section.tables.append(Table("What the cases change", note, columns, changes))
    if study.uncertainties:
        columns = ["Parameter", "Meaning", "Drawn from", "Unit"]
        section.tables.append(Table("Uncertainties of the design", "", columns, names_of(study)))
    return section


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def _headlines(cases: Sequence[CaseSeries]) -> Section:
    """Return the headline sentences of the first case, and where the others are told."""
    section = Section(
        "headlines", f"Headline numbers of {cases[0].label}" if len(cases) > 1 else "Headline numbers"
    )
    section.sentences += case_sentences(cases[0])
    if len(section.sentences) > 1:
        section.sentences.append("In brackets: the band that holds 80% of the runs.")
    return section


def _signs(cases: Sequence[CaseSeries]) -> Section:
    """Return by which number each case can be told from the first, and from when on."""
    first = cases[0]
    section = Section("signs", "Early warnings")
    found = {
        case.label: first_signs(case.values, first.values, first.quarters)
        for case in cases[1:]
        if case.quarters == first.quarters
    }
    told = [label for label, signs in found.items() if signs]
    section.sentences.append(
        f"An observer sees one history and not the band. {len(told)} of {len(found)} cases can be told "
        f"from {first.label} "
        "by a headline number of one history" + (f": {'; '.join(told)}." if told else ".")
    )
    section.tables.append(signs_table(found, first.label))
    return section


def _failures(folder: Path) -> Section:
    section = Section("failures", "Failures")
    failed = read_failures(folder)
    if not failed:
        section.sentences.append("No run failed.")
        return section
    kinds = Counter(one.error for one in failed)
    section.sentences.append(
        f"{len(failed):,} runs failed and are missing from every number above; the commonest error, in "
        f"{kinds.most_common(1)[0][1]:,} of them: {kinds.most_common(1)[0][0]}"
    )
    section.sentences.append(
        f"computemarket batch {folder.name}/study.toml --out {folder.name} --retry-failed"
    )
    rows = [
        [one.scenario, one.policy, str(one.run), str(one.point), str(one.seed), one.error]
        for one in failed[:FAILURES]
    ]
    note = f"The first {FAILURES}; failures/ in the store holds all, with their parameters."
    columns = ["Scenario", "Policy", "Run", "Point", "Seed", "Error"]
    section.tables.append(Table("Failed runs", note, columns, rows))
    return section


def _repeat(folder: Path, study: Study, held: Mapping[str, object], cases: Sequence[CaseSeries]) -> Section:
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
    asked = next(iter(cases[0].values), "") or next((name for name, _ in cases[0].others), "")
    section.sentences += [f"computemarket report {name}", f"computemarket reproduce {name}"]
    if asked:
        section.sentences.append(f'computemarket sensitivity {name} --outcome "{asked}"')
        if len(study.cases) > 1:
            section.sentences.append(f'computemarket regret {name} --outcome "{asked}"')
    section.sentences += [
        f"computemarket convergence {name}",
        f"The digest of all parts is {str(held.get('digest', 'unknown'))[:16]}…; made with {made}.",
        "study.toml holds the study as it was asked, scenarios/ each case with every parameter written "
        "out. A page about "
        "one scenario alone, with all figures: computemarket run its file under scenarios/, then report.",
    ]
    return section
