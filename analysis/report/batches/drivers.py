"""What the outcomes of a batch owe to its uncertainties, by the method that its design was made for."""

from collections.abc import Mapping
from textwrap import wrap

import numpy as np

from computemarket.analysis.report.batches.cases import CaseSeries
from computemarket.analysis.report.chapters.drivers import (
    FEWEST_RUNS,
    OUTCOMES,
    draw_drivers,
    luck,
    rank_correlation,
)
from computemarket.analysis.report.parts.charts import lying
from computemarket.analysis.report.parts.figures import Picture, Section, Table, blank, short, subtitle
from computemarket.analysis.style import BLUE, INK, VERMILION
from computemarket.analysis.uncertainty.outcomes import Outcome, inputs_of, uncertain_of
from computemarket.analysis.uncertainty.sensitivity import Sensitivity, drivers_of
from computemarket.errors import InputError
from computemarket.model.core.arrays import Floats, Ints
from computemarket.model.core.parameters import schema
from computemarket.scenarios.studies.study import Study

SHOWN = 5
LINE = 72  # letters of a line beside the bars
RESAMPLES = 8  # kernel densities take their time
MOST_OUTCOMES = 4
OTHERS = 4  # outcomes asked about where the headline measures were not recorded
METHODS = {  # method -> what its index is, in words
    "sobol": "total Sobol index: share of the outcome's variance that would be left if all other "
    "uncertainties were known",
    "morris": "mean size of the effect on the outcome of going from the 5% to the 95% quantile (Morris), "
    "in the outcome's unit",
    "delta": "Borgonovo's delta: how far knowing the parameter shifts the whole distribution of the "
    "outcome; 0: not at all",
}


def batch_drivers_section(study: Study, case: CaseSeries) -> Section:
    """Return what drives the outcomes of the first case over the points of the design."""
    import pandas as pd

    section = Section("drivers", "What drives the outcomes")
    if not case.years:
        section.missing.append("drivers: no whole year was simulated")
        return section
    year = case.years[-1]
    asked = {label: (name, case.at(name, year), year) for name, label in OUTCOMES if name in case.values}
    if not asked:
        last = case.quarters[-1]
        every = list(case.others.items())[:OTHERS]
        asked = {
            f"{n} {s}".strip().replace("_", " ").capitalize(): (n, one[:, -1], last)
            for (n, s), (_, one) in every
        }
    if study.design.method == "none":
        return _without_design(study, case, {label: one[1] for label, one in asked.items()}, section)
    found: dict[str, Sensitivity] = {}
    why = ""
    for label, (name, values, period) in list(asked.items())[:MOST_OUTCOMES]:
        frame = pd.DataFrame(
            {
                "scenario": case.scenario.name, "policy": case.policy, "run": case.runs,
                "point": study.points_of(_numbers(case)), "value": values,
            }
        )  # fmt: skip
        try:
            found[label] = drivers_of(study, case.place, Outcome(name, period), frame, resamples=RESAMPLES)
        except InputError as error:
            why = str(error)
    if not found:
        section.missing.append(f"drivers of the outcomes ({why})" if why else "drivers: nothing was recorded")
        return section
    one = next(iter(found.values()))
    many = f"{one.points:,} {'runs' if not study.uncertainties else 'points'}"
    section.sentences.append(
        f"Of {case.label}, over {many} of the design “{study.design.method.replace('_', ' ')}”: {METHODS[one.method]}."
    )
    for label, result in found.items():
        first = result.table.iloc[0]
        section.sentences.append(
            f"{label} owes most to “{first['meaning']}” ({first['parameter']}): {short(float(first['low']))} "
            f"{result.unit} on average at its {result.ends[0]} and {short(float(first['high']))} {result.unit} at its "
            f"{result.ends[1]}."
        )
    section.pictures.append(_picture(found, many, case.label))
    section.tables += [_table(label, result) for label, result in found.items()]
    return section


def _without_design(
    study: Study, case: CaseSeries, outcomes: Mapping[str, Floats], section: Section
) -> Section:
    """Add rank correlations of all drawn parameters over runs: without a design all of them vary at once."""
    names = uncertain_of(study)
    inputs = inputs_of(study, case.place, _numbers(case), names).values
    drawn = {n: inputs[:, place] for place, n in enumerate(names) if float(np.ptp(inputs[:, place])) > 0.0}
    if len(case.runs) < FEWEST_RUNS or not drawn:
        section.missing.append(f"drivers: they take {FEWEST_RUNS} runs and uncertain parameters")
        return section
    period = case.years[-1] if case.values else case.quarters[-1]
    found = {
        label: {name: rank_correlation(x, values) for name, x in drawn.items()}
        for label, values in outcomes.items()
        if np.isfinite(values).all() and float(np.ptp(values)) > 0.0
    }
    if not found:
        section.missing.append("drivers: no outcome that was recorded varies")
        return section
    floor = luck(len(case.runs), len(drawn))
    section.sentences.append(
        f"Of {case.label}: rank correlations (Spearman) of {len(drawn)} drawn parameters with the "
        f"outcomes of {period} over "
        f"{len(case.runs):,} runs, the method for a study without a design. One beyond {floor:.2f} is "
        "unlikely (5% over all "
        "parameters) to be luck."
    )
    for label, table in found.items():
        best = max(table, key=lambda name: abs(table[name]))
        section.sentences.append(
            f"{label} goes most with “{schema()[best].meaning}” ({best}): {table[best]:+.2f}"
            + ("." if abs(table[best]) > floor else ", which may be luck.")
        )
    section.pictures.append(draw_drivers(len(case.runs), found, floor, period))
    return section


def _numbers(case: CaseSeries) -> Ints:
    return np.array(case.runs, dtype=np.int64)


def _picture(found: Mapping[str, Sensitivity], many: str, case: str) -> Picture:
    import pandas as pd

    one = next(iter(found.values()))
    title = f"What drives the outcomes of {case}"
    rows = len(found)
    figure, grid = blank(title, rows, 1, height=1.45 + 2.3 * rows, squeeze=False)
    height = float(figure.get_size_inches()[1])
    figure.subplots_adjust(left=0.53, right=0.955, top=1 - 1.3 / height, bottom=0.35 / height, hspace=0.42)
    subtitle(
        figure,
        f"{one.index_words} over {many}, thin line: what is not known of it; blue: more of the parameter goes with\n"
        "more of the outcome, red: with less",
    )
    data = []
    for axes, (label, result) in zip(grid[:, 0], found.items(), strict=True):
        table = result.table.head(SHOWN)
        values, unknown = table[result.index].to_numpy(), table[f"{result.index}_unknown"].to_numpy()
        tints = [BLUE if up else VERMILION for up in table["high"] > table["low"]]
        axes.barh(range(len(table)), values, color=tints, height=0.62)
        for place, (value, half) in enumerate(zip(values, unknown, strict=True)):
            axes.plot([max(value - half, 0.0), value + half], [place, place], color=INK, linewidth=1.2)
        lying(
            axes,
            [
                "\n".join(wrap(f"{m} ({p})", LINE))
                for m, p in zip(table["meaning"], table["parameter"], strict=True)
            ],
        )
        axes.tick_params(axis="y", labelsize=7.6)
        axes.set_xlim(0, max(float((values + unknown).max()) * 1.05, 1e-9))
        unit = f", {result.unit}" if result.method == "morris" and result.unit else ""
        axes.set_title(
            f"{label}, {result.outcome.period}{unit}", loc="left", fontsize=10.6, fontweight="bold", x=-1.18
        )
        every = result.table.assign(
            outcome=label, period=result.outcome.period, case=result.case, method=result.method
        )
        data.append(every)
    note = "An index says how much a parameter matters, the colour in which direction on the whole. The data hold all."
    return Picture("drivers", title, note, figure, pd.concat(data, ignore_index=True))


def _table(label: str, result: Sensitivity) -> Table:
    rows = [
        [
            f"{row['meaning']} ({row['parameter']})",
            f"{short(row[result.index])} ± {short(row[f'{result.index}_unknown'])}",
            short(row["low"]), short(row["high"]),
        ]
        for row in result.table.head(12).to_dict("records")
    ]  # fmt: skip
    low, high = result.ends
    note = (
        f"Mean of all: {short(result.middle)} {result.unit}; the last columns are its mean with the "
        "parameter at the end "
        "named."
    )
    columns = [
        "Parameter",
        result.index_words[:1].upper() + result.index_words[1:],
        f"At its {low}",
        f"At its {high}",
    ]
    unit = f", {result.unit}" if result.unit else ""
    return Table(f"What drives: {label}, {result.outcome.period}{unit}", note, columns, rows)


def names_of(study: Study) -> list[list[str]]:
    """Return the uncertainties of a design with their meaning, unit and what is drawn from."""
    settings = study.cases[0].scenario.settings
    known = schema()
    return [
        [name, known[name].meaning, f"{settings.get(name, known[name].setting)}", known[name].unit]
        for name in study.uncertainties
    ]
