"""The first signs of a scenario: which headline number departs from the baseline's first, and when."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from computemarket.analysis.report.chapters.drivers import area
from computemarket.analysis.report.parts.figures import Table
from computemarket.analysis.report.parts.source import Source, simulate_series
from computemarket.analysis.results.measures import measure
from computemarket.analysis.results.series import NotSimulatedError
from computemarket.analysis.results.summary import HEADLINES, variables_of_summary
from computemarket.model.core.arrays import Floats
from computemarket.scenarios.batches.ensemble import prepare

TELLS = 0.9  # chance of telling two histories apart by one number of one quarter
LASTING = 2  # quarters in a row in which it does
SHOWN = 6
BASELINE = "baseline"


@dataclass(frozen=True, slots=True)
class Sign:
    """A headline number, the quarter from which it tells, how well, and whether it lies higher."""

    name: str
    quarter: str
    tells: float
    higher: bool


def first_signs(
    mine: Mapping[str, Floats], base: Mapping[str, Floats], quarters: Sequence[str]
) -> list[Sign]:
    """Return the numbers by which an observer of one history can tell the scenario from the other, earliest first.

    A number tells where a history of the scenario ranks above (or below) one of the other with a chance of TELLS in
    LASTING quarters in a row: the area under the ROC curve (Mann and Whitney 1947). Observers see one history, so
    histories are not paired here.

    Parameters
    ----------
    mine, base : measure -> (R, Q)
    """
    found = []
    for name in mine:
        if name not in base:
            continue
        areas = np.array([_area(mine[name][:, q], base[name][:, q]) for q in range(len(quarters))])
        told = np.abs(areas - 0.5) >= TELLS - 0.5
        runs = np.convolve(told, np.ones(LASTING), mode="full")[LASTING - 1 :] >= LASTING
        if runs.any():
            place = int(np.argmax(runs))
            tells = max(areas[place], 1 - areas[place])
            found.append(Sign(name, quarters[place], float(tells), bool(areas[place] > 0.5)))
    return sorted(found, key=lambda sign: (sign.quarter, -sign.tells))


def _area(mine: Floats, base: Floats) -> float:
    values = np.concatenate([mine, base])
    if not np.isfinite(values).all():
        return 0.5
    return area(values, np.arange(len(values)) < len(mine))


def signs_table(signs: Mapping[str, Sequence[Sign]], against: str) -> Table:
    """Return the first signs of each scenario as a table."""
    words = {name: f"{label}, {unit}" for name, label, unit in HEADLINES}
    rows = []
    for scenario, found in signs.items():
        if not found:
            rows.append([scenario, "none of the headline numbers tells", "–", "–"])
        rows += [
            [scenario if place == 0 else "", words[s.name], f"{'higher' if s.higher else 'lower'} from {s.quarter}",
             f"{100 * s.tells:.0f}%"]
            for place, s in enumerate(found[:SHOWN])
        ]  # fmt: skip
    note = (
        f"From when on one number of one quarter tells a history of the scenario from one of {against}: with a "
        f"chance of {100 * TELLS:.0f}% or more, {LASTING} quarters in a row."
    )
    columns = ["Scenario", "Headline number", "Lies", "Told"]
    return Table(f"First signs that it is not {against}", note, columns, rows)


def headline_series(source: Source) -> dict[str, Floats]:
    """Return the quarterly headline measures that the results hold."""
    found = {}
    for name, _, _ in HEADLINES:
        try:
            found[name] = measure(name).series(source.panels)
        except NotSimulatedError:
            continue
    return found


def signs_of_run(source: Source, runs: int) -> Table | None:
    """Return the first signs of a run's scenario against the baseline of the same seed; None for the baseline."""
    if source.scenario.name == BASELINE or runs < 1:
        return None
    base = prepare(BASELINE, source.scenario.seed, source.scenario.until)
    panels = simulate_series(base, min(runs, source.runs), variables_of_summary())
    theirs = {}
    mine = headline_series(source)
    for name in mine:
        theirs[name] = measure(name).series(panels)
    found = first_signs(mine, theirs, source.quarters)
    return signs_table({source.scenario.name.replace("_", " "): found}, "the baseline")
