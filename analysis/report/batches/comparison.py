"""The cases of a batch beside each other: fans, differences run by run, regret, and how well all of it is known."""

from collections.abc import Hashable, Mapping, Sequence

import numpy as np

from computemarket.analysis.record.history import read_history
from computemarket.analysis.report.batches.cases import CaseSeries, label_of
from computemarket.analysis.report.parts.charts import lying
from computemarket.analysis.report.parts.figures import Picture, Section, Table, blank, lines, short, subtitle
from computemarket.analysis.report.parts.source import record_ends, record_of
from computemarket.analysis.results.measures import BAND, band_over_runs, measure
from computemarket.analysis.results.summary import HEADLINES
from computemarket.analysis.uncertainty.convergence import precision
from computemarket.analysis.uncertainty.decisions import payoffs
from computemarket.analysis.uncertainty.outcomes import Outcome
from computemarket.model.core.arrays import Floats

TINTS = (
    "#222222",
    "#332288",
    "#882255",
    "#117733",
    "#B8860B",
    "#44AA99",
    "#AA4499",
    "#999933",
)  # Tol (2021), muted: of cases, no firm has one of them
DRAWN = len(TINTS)
SHADED = 3  # more bands than these over each other cannot be told apart
CLEAR = 0.8  # share of the runs in which a difference has one sign
TOLD = 4  # differences named in the sentence of a case
ZERO = 1e-9  # of the first case, under which two cases are the same
STABLE = 0.02  # share of a band's size
VIEWS = (  # measure, whether less is better, to whom
    ("nvidia_data_center_revenue", False, "to Nvidia: more data-centre revenue"),
    ("custom_compute_share", False, "to owners of chip programmes: more custom silicon"),
    ("token_price_medium", True, "to users: cheaper tokens of the medium tier"),
    ("world_compute_stock", False, "to all who compute: more compute in the world"),
    ("power", True, "to the grid: less power drawn"),
    ("smuggled_units", True, "to those who enforce export rules: fewer chips smuggled"),
)


def words_of(name: str) -> tuple[str, str]:
    """Return what a headline measure is called, and its unit in words."""
    return next((label, unit) for one, label, unit in HEADLINES if one == name)


def tints_of(cases: Sequence[CaseSeries]) -> dict[str, str]:
    """Return the colour of each case that is drawn, the same in every figure."""
    return {case.label: TINTS[place] for place, case in enumerate(cases[:DRAWN])}


def compared_section(cases: Sequence[CaseSeries]) -> Section:
    """Return a figure for each headline measure, with all cases in it."""
    section = Section("compared", "Side by side")
    if len(cases) == 1:
        section.sentences.append("The study has one case: its headline numbers, each with its band.")
    if len(cases) > DRAWN:
        section.sentences.append(f"Figures show the first {DRAWN} cases; tables and data hold all.")
    for name, label, unit in dict.fromkeys(HEADLINES):
        held = [case for case in cases[:DRAWN] if name in case.values and case.quarters == cases[0].quarters]
        if held and np.isfinite(held[0].values[name]).any():
            section.pictures.append(_fans(name, label, unit, held, tints_of(cases)))
    if not section.pictures:
        section.missing.append(
            "figures of headline measures: the study recorded none of the series that they are made of"
        )
    return section


def _fans(name: str, label: str, unit: str, held: Sequence[CaseSeries], tints: Mapping[str, str]) -> Picture:
    medians = [band_over_runs(case.values[name])[1] for case in held]
    known = np.concatenate([one[np.isfinite(one)] for one in medians])
    wide = bool(len(known) and known.min() > 0 and known.max() / known.min() > 50.0)
    record = read_history()
    recorded = [(period, value) for period, value in record_of(record, name) if "Q" in period]
    per = measure(name).aggregate == "sum" and measure(name).denominator is None
    labels = [case.label for case in held]
    return lines(
        name, label, "",
        held[0].quarters, {case.label: case.values[name] for case in held},
        f"{unit}{', by quarter' if per else ''}", min(len(case.runs) for case in held), log=wide, tints=tints,
        names={key: key for key in labels}, ends=record_ends(record), record={labels[0]: recorded},
        shaded=labels if len(labels) <= SHADED else labels[:1],
    )  # fmt: skip


def gap(case: CaseSeries, first: CaseSeries, name: str) -> Floats:
    """Return by how much a case lies above the first in the last year, in the runs that both have."""
    year = first.years[-1]
    if name not in case.values or case.years != first.years:
        return np.empty(0)
    runs = sorted(set(first.runs) & set(case.runs))
    mine = case.at(name, year)[np.searchsorted(case.runs, runs)]
    base = first.at(name, year)[np.searchsorted(first.runs, runs)]
    found = mine - base
    return np.asarray(found[np.isfinite(found)])


def differences_section(cases: Sequence[CaseSeries]) -> Section:
    """Return how each case differs from the first in the last year, run by run: figure, sentences and tables."""
    first = cases[0]
    section = Section("differences", f"Against {first.label}")
    if not first.values or not first.years:
        section.missing.append("differences: no headline measure of a whole year was recorded")
        return section
    section.sentences.append(
        "All cases meet the same draws, so they are compared run by run: a difference is what the case changes and not "
        f"the dice. All numbers are of {first.years[-1]}; in brackets, the band of the difference over "
        "80% of the runs and "
        "the share of runs in which it has that sign."
        if len(cases) > 1
        else f"The study has no other case to compare with; the numbers are of {first.years[-1]}."
    )
    names = [name for name, _, _ in HEADLINES if name in first.values]
    section.sentences += [_case_in_words(case, first, names) for case in cases[1:]]
    if len(cases) > 1:
        section.pictures += _gaps(cases, names)
    section.tables += [_measure_table(name, cases) for name in names]
    return section


def _case_in_words(case: CaseSeries, first: CaseSeries, names: Sequence[str]) -> str:
    """Say by what a case differs most clearly from the first."""
    if case.years != first.years:
        return f"{case.label} covers other years than {first.label} and is not compared."
    clear = []
    for name in names:
        found = gap(case, first, name)
        if not len(found):
            continue
        above, below = float((found > 0).mean()), float((found < 0).mean())
        size = abs(float(np.nanmedian(first.at(name, first.years[-1])))) or 1.0
        middle = float(np.median(found))
        if max(above, below) >= CLEAR and abs(middle) > ZERO * size:
            clear.append((abs(middle) / size, name, middle, found, max(above, below)))
    if not clear:
        return (
            f"With {case.label}, no headline number moves one way in {100 * CLEAR:.0f}% of the runs or "
            "more: it can not be "
            f"told from {first.label} by them."
        )
    parts = []
    for _, name, middle, found, share in sorted(clear, key=lambda one: -one[0])[:TOLD]:
        label, unit = words_of(name)
        low, high = np.percentile(found, BAND)
        unit = unit.replace("% of", "points of the % of")
        parts.append(
            f"{label} ({unit}) {'higher' if middle > 0 else 'lower'} by {short(abs(middle))} ({short(float(low))} to "
            f"{short(float(high))}; {100 * share:.0f}%)"
        )
    return f"With {case.label}: {'; '.join(parts)}."


def _gaps(cases: Sequence[CaseSeries], names: Sequence[str]) -> list[Picture]:
    """Draw the paired differences of all drawn cases, a panel for each measure that differs at all."""
    import pandas as pd

    first, others = cases[0], [case for case in cases[1:DRAWN] if case.years == cases[0].years]
    gaps = {name: {case.label: gap(case, first, name) for case in others} for name in names}
    moved = [name for name in names if any(len(one) and np.abs(one).max() > 0 for one in gaps[name].values())]
    if not moved or not others:
        return []
    columns = 2
    rows = -(-len(moved) // columns)
    tall, between = 0.14 + 0.24 * len(others), 0.82  # inches of a panel, and over it
    title = f"Difference from {first.label} in {first.years[-1]}"
    figure, grid = blank(title, rows, columns, height=0.9 + (tall + between) * rows, squeeze=False)
    height = float(figure.get_size_inches()[1])
    left = min(0.02 + 0.0069 * max(len(case.label) for case in others), 0.42)
    figure.subplots_adjust(
        left=left,
        right=0.975,
        top=1 - (0.42 + between) / height,
        bottom=0.36 / height,
        wspace=0.12,
        hspace=between / tall,
    )
    subtitle(
        figure,
        "dot: median of differences run by run, bar: 80% of the runs lie in it",
    )
    tints, data = tints_of(cases), []
    for panel, (axes, name) in enumerate(zip(grid.flat, moved, strict=False)):
        label, unit = words_of(name)
        for place, case in enumerate(others):
            found = gaps[name][case.label]
            if not len(found):
                continue
            low, middle, high = (float(edge) for edge in np.percentile(found, (BAND[0], 50, BAND[1])))
            axes.plot(
                [low, high], [place, place], color=tints[case.label], linewidth=2.4, solid_capstyle="butt"
            )
            axes.plot([middle], [place], "o", color=tints[case.label], markersize=6, markeredgecolor="white")
            data.append((name, case.label, low, middle, high, float((found > 0).mean()), unit))
        lying(axes, [case.label if panel % columns == 0 else "" for case in others])
        axes.set_ylim(len(others) - 0.4, -0.6)
        axes.tick_params(labelsize=8.4)
        axes.set_title(f"{label}\n{unit}", loc="left", fontsize=9.4, pad=4)
        axes.locator_params(axis="x", nbins=5)
    for axes in list(grid.flat)[len(moved) :]:
        axes.axis("off")
    columns_of = ["measure", "case", "p10", "median", "p90", "share_of_runs_above", "unit"]
    same = [", ".join(words_of(name)) for name in names if name not in moved]
    note = (
        f"Exactly the same in every run: {'; '.join(same)}."
        if same
        else "Every headline number differs in some run."
    )
    return [Picture("differences", title, note, figure, pd.DataFrame(data, columns=columns_of))]


def _measure_table(name: str, cases: Sequence[CaseSeries]) -> Table:
    """Return medians and bands of a measure by case, and paired differences from the first."""
    first = cases[0]
    label, unit = words_of(name)
    rows = [[first.label, *_cells(first.at(name, first.years[-1])), "", "", ""]]
    middles = {}
    for case in cases[1:]:
        found = gap(case, first, name)
        if name not in case.values or case.years != first.years:
            continue
        mine = case.at(name, first.years[-1])
        if len(found):
            middles[case.label] = float(np.median(found))
            share = f"{100 * float((found > 0).mean()):.0f}%"
            rows.append([case.label, *_cells(mine), *_cells(found), share])
        else:
            rows.append([case.label, *_cells(mine), "–", "–", "–"])
    note = f"In {first.years[-1]}; bands hold 80% of the runs."
    moved = {key: value for key, value in middles.items() if value != 0.0}
    if moved:
        most = max(moved, key=lambda key: abs(moved[key]))
        note += f" Furthest from {first.label} is {most}, by {short(moved[most])} in the median run."
    elif middles:
        note += f" In the median run no case differs from {first.label}."
    columns = [
        "Case",
        "Median",
        "Band",
        f"Difference from {first.label}, run by run",
        "Its band",
        "Runs above",
    ]
    return Table(f"{label}, {unit}", note, columns if len(rows) > 1 else columns[:3],
                 rows if len(rows) > 1 else [rows[0][:3]])  # fmt: skip


def _cells(values: Floats) -> list[str]:
    known = values[np.isfinite(values)]
    if not len(known):
        return ["–", "–"]
    low, high = np.percentile(known, BAND)
    return [short(float(np.median(known))), f"{short(float(low))} to {short(float(high))}"]


def regret_section(cases: Sequence[CaseSeries]) -> Section:
    """Return what choosing each policy costs against the best one of the same scenario and run, by whose interest."""
    import pandas as pd

    section = Section("regret", "Which policy is regretted least")
    by_scenario: dict[str, list[CaseSeries]] = {}
    for case in cases:
        by_scenario.setdefault(case.scenario.name, []).append(case)
    if max(len(group) for group in by_scenario.values()) < 2:
        section.sentences.append(
            "Regret compares policies under one scenario; each scenario of this study has one policy, so there is none."
        )
        return section
    section.sentences.append(
        "Regret is how much better the best policy of the same scenario would have done in the same run "
        "(Savage 1951); a "
        "policy without regret is the best in every run. What is better depends on who asks, so each table says whose "
        "interest it takes."
    )
    year = cases[0].years[-1] if cases[0].years else ""
    for name, lower, whose in VIEWS:
        held = [case for case in cases if name in case.values and year in case.years]
        frames = [
            pd.DataFrame(
                {"scenario": c.scenario.name, "policy": c.policy, "run": c.runs, "value": c.at(name, year)}
            )
            for c in held
        ]
        if not frames:
            continue
        found = payoffs(pd.concat(frames, ignore_index=True), Outcome(name, year), lower_is_better=lower)
        found = found[(found["runs"] > 0) & (found.groupby("scenario")["policy"].transform("count") > 1)]
        if not len(found) or float(found["largest_regret"].max()) == 0.0:
            continue
        label, unit = words_of(name)
        rows = [
            [
                str(row["scenario"]).replace("_", " "), _policy(row), short(row["median"]),
                f"{100 * row['share_best']:.0f}%", short(row["mean_regret"]), short(row["regret_90"]),
                short(row["largest_regret"]),
            ]
            for row in found.to_dict("records")
        ]  # fmt: skip
        columns = ["Scenario", "Policy", "Median", "Best, or level with it, in", "Mean regret",
                   "Regret in 1 of 10 runs over",
                   "Largest regret"]  # fmt: skip
        title = f"Better {whose}"
        section.tables.append(Table(title, f"{label}, {unit}, in {year}.", columns, rows))
        least = found.loc[found.groupby("scenario")["mean_regret"].idxmin()]
        told = [
            f"{_policy(r)} under {str(r['scenario']).replace('_', ' ')}" for r in least.to_dict("records")
        ]
        section.sentences.append(f"{title}: regretted least is {', '.join(told)}.")
    if not section.tables:
        section.sentences.append("In none of the numbers asked about do the policies differ.")
    return section


def _policy(row: Mapping[Hashable, object]) -> str:
    return label_of("", str(row["policy"])).removeprefix(", ")


def known_section(cases: Sequence[CaseSeries]) -> Section:
    """Return how well the bands of the last year are known from these runs, and how many they would take."""
    section = Section("known", "How well the bands are known")
    rows, worst = [], 0
    for name, label, unit in dict.fromkeys(HEADLINES):
        held = [case for case in cases if name in case.values and case.years]
        found = [precision(case.at(name, case.years[-1])) for case in held]
        found = [one for one in found if one.runs]
        if not found:
            continue
        least = max(found, key=lambda one: one.unknown)
        sure = np.isfinite(least.unknown)
        needed = least.needed(STABLE) if sure else -1
        worst = max(worst, needed)
        known = f"± {100 * least.unknown:.1f}%" if sure else "too few runs to say"
        rows.append([f"{label}, {unit}", f"{least.runs:,}", known, f"{max(needed, 1):,}" if sure else "–"])
    if not rows:
        section.missing.append("precision: no headline measure of a whole year was recorded")
        return section
    section.sentences.append(
        "Bands come from finitely many runs. The table says how far the edges of each may be off, as a "
        "share of the band's "
        "size, with 95% confidence, in the case that is known least"
        + (
            f"; to know all of them to {100 * STABLE:g}% takes about {worst:,} runs of each case."
            if worst > 0
            else "."
        )
    )
    columns = ["Headline number", "Runs", "Band known to", f"Runs for {100 * STABLE:g}%"]
    year = cases[0].years[-1]
    section.tables.append(Table(f"Precision of the bands of {year}", "", columns, rows))
    return section


def recorded_section(cases: Sequence[CaseSeries]) -> Section | None:
    """Return figures of the variables that a study listed beyond the headline measures; None where there are none."""
    first = cases[0]
    if not first.others:
        return None
    section = Section("recorded", "What was recorded")
    names = list(dict.fromkeys(name for name, _ in first.others))
    ends = record_ends(read_history())
    for name in names:
        mine = {series: one for (variable, series), one in first.others.items() if variable == name}
        unit = next(iter(mine.values()))[0]
        plain = name.replace("_", " ")
        size, word = _size(unit, [values for _, values in mine.values()])
        runs = min(len(case.runs) for case in cases)
        if len(cases) == 1:
            series = {key or plain: values / size for key, (_, values) in mine.items()}
            tints = {key: TINTS[place % DRAWN] for place, key in enumerate(series)}
        else:
            key = next(iter(mine))
            if len(mine) > 1:
                section.sentences.append(
                    f"Of {plain}, figures of several cases show {key}; the store holds all series."
                )
            series = {
                case.label: case.others[name, key][1] / size
                for case in cases[:DRAWN]
                if (name, key) in case.others and case.quarters == first.quarters
            }
            tints = tints_of(cases)
        section.pictures.append(
            lines(
                f"recorded_{name}", plain[:1].upper() + plain[1:], "As the study recorded it, by quarter.",
                first.quarters,
                series, word, runs, ends=ends, tints=tints, names={key: key for key in series},
                shaded=list(series) if len(series) <= SHADED else list(series)[:1],
            )
        )  # fmt: skip
        values = next(iter(series.values()))
        band = band_over_runs(values[:, -1])
        if np.isfinite(band).all():
            section.sentences.append(
                f"{plain[:1].upper() + plain[1:]} of {next(iter(series))}: {short(float(band[1]))} {word} "
                f"({short(float(band[0]))} to {short(float(band[2]))}) in {first.quarters[-1]}."
                if len(series) > 1
                else f"{plain[:1].upper() + plain[1:]}: {short(float(band[1]))} {word} ({short(float(band[0]))} to "
                f"{short(float(band[2]))}) in {first.quarters[-1]}."
            )
    return section


def _size(unit: str, values: Sequence[Floats]) -> tuple[float, str]:
    """Return what to divide by and the unit in words, so that numbers are read at a glance."""
    largest = max((float(np.nanmax(np.abs(one))) for one in values if np.isfinite(one).any()), default=0.0)
    if unit == "share":
        return 0.01, "%"
    for size, word in ((1e12, "tn"), (1e9, "bn"), (1e6, "m"), (1e4, "thousand")):
        if largest >= size:
            return (1e3 if size == 1e4 else size), f"{word} {unit}"
    return 1.0, unit
