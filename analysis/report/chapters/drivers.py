"""What drives the spread of outcomes, and what warns of an outcome early."""

from collections.abc import Callable, Mapping
from statistics import NormalDist
from textwrap import wrap

import numpy as np

from computemarket.analysis.report.chapters.money import DEBTORS, ever
from computemarket.analysis.report.parts.charts import lying
from computemarket.analysis.report.parts.figures import Picture, Section, Table, blank, short, subtitle
from computemarket.analysis.report.parts.number_text import at
from computemarket.analysis.report.parts.source import Source
from computemarket.analysis.results.measures import ratio
from computemarket.analysis.results.summary import HEADLINES
from computemarket.analysis.style import BLUE, GREY, VERMILION
from computemarket.model.core.arrays import Bools, Floats
from computemarket.model.core.parameters import schema

OUTCOMES = (
    ("nvidia_data_center_revenue", "Nvidia's data-centre revenue"),
    ("nvidia_revenue_share", "Nvidia's share of revenue"),
    ("custom_compute_share", "Custom silicon's share of compute"),
    ("four_clouds_capex", "Capex of four large clouds"),
    ("power", "Power of AI fleets"),
    ("smuggled_units", "Chips smuggled into China"),
)
SHOWN = 5
LINE = 72  # letters of a line beside the bars
ERROR = 0.05  # chance that any of all correlations of an outcome passes for one by luck
FEWEST_RUNS, FEWEST_EVENTS = 24, 6


def drivers_section(source: Source) -> Section:
    """Return rank correlations of the drawn parameters with outcomes of the last year."""
    section = Section("drivers", "What drives the spread")
    names = source.uncertain()
    if source.runs < FEWEST_RUNS or not names:
        section.missing.append(f"drivers of the spread: it takes {FEWEST_RUNS} runs and uncertain parameters")
        return section
    inputs = {name: source.parameter(name) for name in names}
    inputs = {name: values for name, values in inputs.items() if float(np.ptp(values)) > 0.0}
    year = source.years[-1]
    found = {}
    for measure, label in OUTCOMES:
        outcome = at(source, measure, year)
        known = ~np.isnan(outcome)
        if known.all() and float(np.ptp(outcome)) > 0.0:
            found[label] = {name: rank_correlation(values, outcome) for name, values in inputs.items()}
    if not found:
        section.missing.append("drivers of the spread: no headline outcome varies")
        return section
    floor = luck(source.runs, len(inputs))
    section.pictures.append(draw_drivers(source.runs, found, floor, year))
    strongest = {label: max(table.items(), key=_strength)[0] for label, table in found.items()}
    first = next(iter(found))
    over = [label for label in found if abs(found[label][strongest[label]]) > floor]
    section.sentences += [
        f"Rank correlations of {len(inputs)} drawn parameters with outcomes of {year} over {source.runs} runs; one "
        f"beyond {floor:.2f} is unlikely (5% over all parameters) to be luck. {len(over)} of {len(found)} outcomes "
        "have such a driver.",
        f"Most moves {first} with “{schema()[strongest[first]].meaning}” (rank correlation "
        f"{found[first][strongest[first]]:+.2f}).",
    ]
    return section


def _strength(item: tuple[str, float]) -> float:
    return abs(item[1])


def rank_correlation(x: Floats, y: Floats) -> float:
    """Return Spearman's rank correlation; ties share their mean rank."""
    from scipy.stats import rankdata

    a, b = rankdata(x), rankdata(y)
    return float(np.corrcoef(a, b)[0, 1])


def luck(runs: int, tests: int) -> float:
    """Return the rank correlation that the largest of `tests` chance ones passes with probability ERROR.

    Fisher's z with a Bonferroni share of the error for each test: tanh(z / sqrt(n - 3)).
    """
    z = NormalDist().inv_cdf(1 - ERROR / 2 / tests)
    return float(np.tanh(z / np.sqrt(runs - 3)))


def draw_drivers(runs: int, found: Mapping[str, Mapping[str, float]], floor: float, year: str) -> Picture:
    """Draw the strongest rank correlations with each outcome, and what luck may make."""
    import pandas as pd

    title = f"What drives the spread of {year}"
    rows = len(found)
    figure, grid = blank(title, rows, 1, height=1.35 + 2.35 * rows, squeeze=False, sharex=True)
    height = float(figure.get_size_inches()[1])
    figure.subplots_adjust(left=0.53, right=0.98, top=1 - 1.2 / height, bottom=0.35 / height, hspace=0.32)
    subtitle(
        figure,
        f"rank correlation with the outcome over {runs:,} runs; blue: more of it goes with more of the outcome,\n"
        f"red: with less; beyond the dashed lines ({floor:.2f}) luck is unlikely",
    )
    data = []
    for axes, (label, table) in zip(grid[:, 0], found.items(), strict=True):
        first = sorted(table, key=lambda name: -abs(table[name]))[:SHOWN]
        values = [table[name] for name in first]
        tints = [(BLUE if value > 0 else VERMILION) if abs(value) > floor else "#BBBBBB" for value in values]
        axes.barh(range(len(first)), values, color=tints, height=0.68)
        lying(axes, [_words(f"{schema()[name].meaning} ({name})") for name in first])
        axes.tick_params(axis="y", labelsize=7.6)
        axes.set_title(label, loc="left", fontsize=10.6, fontweight="bold", x=-1.12)
        for edge in (-floor, floor):
            axes.axvline(edge, color=GREY, linewidth=0.8, linestyle=(0, (3, 2)))
        axes.set_xlim(-1, 1)
        data += [(label, name, schema()[name].meaning, value, floor) for name, value in table.items()]
    frame = pd.DataFrame(data, columns=["outcome", "parameter", "meaning", "rank_correlation", "luck"])
    note = (
        "A correlation says that the two move together over runs in which everything else varies too; grey bars may "
        "be luck. The data hold every drawn parameter."
    )
    return Picture("drivers", title, note, figure, frame)


def _words(text: str) -> str:
    """Return a meaning in lines that fit beside the bars; nothing of it is cut."""
    return "\n".join(wrap(text, LINE))


def warnings_section(source: Source) -> Section:
    """Return which early numbers tell that something will happen later."""
    section = Section("warnings", "Early warnings")
    if len(source.years) < 4 or source.runs < FEWEST_RUNS:
        section.missing.append(f"early warnings: they take {FEWEST_RUNS} runs and four whole years")
        return section
    early = "2027" if "2030" in source.years else source.years[-3]
    signs = indicators(source, early)
    rows, quiet = [], []
    for words, happens in events(source, early):
        count = int(happens.sum())
        if min(count, source.runs - count) < FEWEST_EVENTS:
            quiet.append(f"{words} ({100 * happens.mean():.0f}% of runs)")
            continue
        rows += _told(words, happens, signs)
    note = (
        f"Among {len(signs)} numbers of {early}, those that tell best; told: chance that a run in which it happens "
        "ranks above one in which it does not (50%: nothing, 100%: all). Only those are listed that luck (5% over "
        "all numbers) does not explain. The shares are of the same runs that chose the mark, so they flatter."
    )
    columns = ["What may happen", "Runs", f"Sign in {early}", "Told", "Then it happens in", "Otherwise in"]
    section.tables.append(Table(f"What numbers of {early} tell of later years", note, columns, rows))
    if quiet:
        section.sentences.append(f"Too rare or too common for a sign: {'; '.join(quiet)}.")
    told = {row[0] for row in rows if row[3] != "–"}
    section.sentences.append(f"{len(told)} of the outcomes asked about announce themselves in {early}.")
    return section


def events(source: Source, early: str) -> list[tuple[str, Bools]]:
    """Return what may happen after the early year, (R,) each."""
    last = source.years[-1]
    middle = source.years[-3]
    share, custom = at(source, "nvidia_revenue_share", last), at(source, "custom_revenue_share", last)
    capex = {year: at(source, "four_clouds_capex", year) for year in (early, middle, last)}
    revenue = {year: at(source, "nvidia_data_center_revenue", year) for year in (early, last)}
    found = [
        (f"Nvidia takes under half of accelerator revenue in {last}", share < 50.0),
        (f"Custom silicon takes over a quarter of revenue in {last}", custom > 25.0),
        (f"Nvidia's revenue of {last} is below that of {early}", revenue[last] < revenue[early]),
        (f"Four large clouds spend less in {last} than in {middle}", capex[last] < capex[middle]),
    ]
    if "defaulted" in source.panels.variables:
        after = source.quarters.index(f"{early}Q4") + 1
        failed = [ever(source.level("defaulted", name)[:, after:])[:, -1] for name in DEBTORS]
        found.append((f"A GPU cloud fails after {early}", np.max(failed, axis=0) > 0))
    if "china_premium" in source.panels.variables:
        premium = source.level("china_premium", region="china")[:, -4:].mean(axis=1)
        found.append((f"Compute in China costs over twice the world price in {last}", premium > 1.0))
    return found


def indicators(source: Source, year: str) -> dict[str, Floats]:
    """Return headline numbers of a year and their change over the year before, {words: (R,)}."""
    before = str(int(year) - 1)
    found = {}
    for name, label, unit in dict.fromkeys(HEADLINES):
        now, then = at(source, name, year), at(source, name, before)
        words = f"{label}, {unit}"
        if np.isfinite(now).all() and float(np.ptp(now)) > 0:
            found[words] = now
        change = 100.0 * (ratio(now, then) - 1.0)
        if np.isfinite(change).all() and float(np.ptp(change)) > 0:
            found[f"{label}, change over the year, %"] = change
    for name, words in (
        ("debt_cover", "Debt-service cover of GPU clouds"),
        ("loan_share", "What lenders give GPU clouds"),
    ):
        if name in source.panels.variables:
            cover = source.level(name)[:, source.quarters.index(f"{year}Q4")]
            if np.isfinite(cover).all():
                found[words] = cover
    return found


def _told(words: str, happens: Bools, signs: Mapping[str, Floats]) -> list[list[str]]:
    """Return the rows of one event: its best signs beyond luck, or that there is none."""
    yes, no = int(happens.sum()), int((~happens).sum())
    z = NormalDist().inv_cdf(1 - ERROR / 2 / len(signs))
    floor = z * np.sqrt((yes + no + 1) / (12.0 * yes * no))  # of an area, Mann and Whitney (1947)
    areas = {name: area(values, happens) for name, values in signs.items()}
    best = sorted(areas, key=lambda name: -abs(areas[name] - 0.5))[:3]
    best = [name for name in best if abs(areas[name] - 0.5) > floor]
    runs = f"{100 * happens.mean():.0f}%"
    if not best:
        return [[words, runs, "none beyond luck", "–", "–", "–"]]
    rows = []
    for place, name in enumerate(best):
        above = areas[name] > 0.5
        mark = best_mark(signs[name], happens, above=above)
        sign = signs[name] >= mark if above else signs[name] <= mark
        tells = max(areas[name], 1 - areas[name])
        rows.append(
            [
                words if place == 0 else "", runs if place == 0 else "",
                f"{name} {'at least' if above else 'at most'} {short(mark)}", f"{100 * tells:.0f}%",
                f"{100 * happens[sign].mean():.0f}% of {int(sign.sum())}",
                f"{100 * happens[~sign].mean():.0f}% of {int((~sign).sum())}" if (~sign).any() else "–",
            ]
        )  # fmt: skip
    return rows


def area(values: Floats, happens: Bools) -> float:
    """Return the chance that a run with the event has the larger value, ties half: the area under the ROC curve."""
    from scipy.stats import rankdata

    ranks = rankdata(values)
    yes, no = int(happens.sum()), int((~happens).sum())
    return float((ranks[happens].sum() - yes * (yes + 1) / 2) / (yes * no))


def best_mark(values: Floats, happens: Bools, *, above: bool) -> float:
    """Return the mark that parts events from the rest best, by Youden's J."""
    marks = np.unique(values)
    side: Callable[[float], Bools] = (lambda m: values >= m) if above else (lambda m: values <= m)
    score = [side(m)[happens].mean() - side(m)[~happens].mean() for m in marks]
    return float(marks[int(np.argmax(score))])
