"""What drives the spread of an outcome: variance-based, screening and density-based indices, by SALib.

Sobol indices need a Saltelli sample (Saltelli et al. 2010), elementary effects Morris' trajectories (Morris 1991;
Campolongo et al. 2007); any other sample gives Borgonovo's delta (Plischke, Borgonovo and Smith 2013).
"""

import warnings
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import numpy as np

from computemarket.analysis.results.measures import load_measures
from computemarket.analysis.style import BLUE, INK, ORANGE, SLIDE_DPI, SLIDE_INCHES
from computemarket.analysis.uncertainty.outcomes import (
    Outcome,
    case_named,
    inputs_of,
    outcomes_of,
    uncertain_of,
)
from computemarket.errors import InputError
from computemarket.model.core.arrays import Floats
from computemarket.model.core.parameters import schema
from computemarket.scenarios.results.store import study_of
from computemarket.scenarios.studies.designs import salib_problem
from computemarket.scenarios.studies.recording import Reduction
from computemarket.scenarios.studies.study import Study

if TYPE_CHECKING:
    import pandas as pd

METHODS = ("sobol", "morris", "delta")
MOST_DELTA = 20  # parameters whose delta is estimated: the others hardly move with the outcome
ROUNDING = 1e-9  # share of a value by which it may be off: differences below are of no cause
FEWEST = 50  # points below which an index of a plain sample says nothing
EDGE_SHARE = 0.2  # the lowest and the highest fifth of a parameter, for the tornado
RESAMPLES = 100
DELTA_RESAMPLES, DELTA_POINTS = 20, 2000  # kernel densities take their time
SHOWN = 12  # bars of the tornado
LONGEST_LABEL = 60
_ENDS = {"morris": ("5% quantile", "95% quantile")}
_ORDER = {"sobol": "total Sobol index", "morris": "mean size of the effect", "delta": "Borgonovo's delta"}
_INDEX = {"sobol": "total", "morris": "mean_effect", "delta": "delta"}


@dataclass(frozen=True)
class Sensitivity:
    """The parameters that move an outcome, the strongest first.

    `table` has parameter, the indices of the method with what is not known of them, and `low`, `high`: the mean of
    the outcome in the lowest and the highest fifth of the parameter; from Morris' trajectories the mean at its 5% and
    95% quantile, by the mean effect of going from one to the other.
    """

    outcome: Outcome
    case: str
    method: str
    points: int
    middle: float
    table: "pd.DataFrame"
    measured: bool = (
        True  # whether the outcome is a headline measure, which may share its name with a variable
    )

    @property
    def words(self) -> str:
        """What the outcome is called."""
        known = load_measures().get(self.outcome.variable) if self.measured else None
        return self.outcome.variable.replace("_", " ") if known is None else known.label

    @property
    def ends(self) -> tuple[str, str]:
        """What `low` and `high` are: words for the ends of a parameter."""
        return _ENDS.get(self.method, ("lowest fifth", "highest fifth"))

    @property
    def index(self) -> str:
        """The column by which the table is ordered."""
        return _INDEX[self.method]

    @property
    def index_words(self) -> str:
        """What that column is called."""
        return _ORDER[self.method]

    @property
    def unit(self) -> str:
        """The unit of the outcome; empty where it is no headline measure."""
        known = load_measures().get(self.outcome.variable) if self.measured else None
        return "" if known is None else known.unit


def sensitivity(
    folder: Path,
    outcome: Outcome,
    headline: Reduction | None,
    case: str | None = None,
    method: str | None = None,
) -> Sensitivity:
    """Return what drives an outcome in one case of a store.

    Parameters
    ----------
    case : SCENARIO or SCENARIO/POLICY; the first by default
    method : sobol, morris or delta; by default what the design was made for

    Raises
    ------
    InputError
        if the store does not hold the outcome, or its design does not suit the method.
    """
    study = study_of(folder, headline)
    place = case_named(study, case)
    return drivers_of(study, place, outcome, outcomes_of(folder, outcome), method)


def drivers_of(
    study: Study, place: int, outcome: Outcome, frame: "pd.DataFrame", method: str | None = None,
    resamples: int = DELTA_RESAMPLES,
) -> Sensitivity:  # fmt: skip
    """Return what drives an outcome in one case of a study.

    Parameters
    ----------
    place : of the case in the study
    frame : scenario, policy, run, point, value of every run
    resamples : bootstrap samples for what is not known of a delta

    Raises
    ------
    InputError
        if the outcome does not vary, or the design does not suit the method.
    """
    asked = method or {"saltelli": "sobol", "morris": "morris"}.get(study.design.method, "delta")
    _check_method(asked, study)
    names = uncertain_of(study)
    by_point = asked != "delta" or bool(study.uncertainties)
    values, inputs = _sample(study, frame, outcome, place, names, by_point=by_point)
    if asked == "delta":
        table = _delta(names, inputs, values, resamples)
    else:
        table = (_sobol if asked == "sobol" else _morris)(study, names, values)
    middle = float(np.mean(values))
    if asked == "morris":  # a step at a time shows the effect itself; the others' steps would blur a mean
        table["low"], table["high"] = middle - table["effect"] / 2, middle + table["effect"] / 2
    else:
        edges = [_edges(inputs[:, names.index(name)], values) for name in table["parameter"]]
        table["low"], table["high"] = [edge[0] for edge in edges], [edge[1] for edge in edges]
    table = table.sort_values(_INDEX[asked], ascending=False, kind="stable").reset_index(drop=True)
    table.insert(1, "meaning", [schema()[name].meaning for name in table["parameter"]])
    chosen = study.cases[place]
    label = f"{chosen.scenario.name}/{chosen.policy}"
    measured = study.recording.reduction is not None
    return Sensitivity(outcome, label, asked, len(values), middle, table, measured)


def _check_method(method: str, study: Study) -> None:
    if method not in METHODS:
        raise InputError("--method", method, f"one of {', '.join(METHODS)}")
    needed = {"sobol": "saltelli", "morris": "morris"}.get(method, study.design.method)
    if study.design.method != needed:
        raise InputError(
            "--method", method, f"possible: it needs a design of {needed}, this one is {study.design.method}"
        )


def _sample(
    study: Study,
    frame: "pd.DataFrame",
    outcome: Outcome,
    place: int,
    names: tuple[str, ...],
    *,
    by_point: bool,
) -> tuple[Floats, Floats]:
    """Return (n,) outcomes and (n, k) inputs of one case: means over the runs of a point, or run by run."""
    chosen = study.cases[place]
    frame = frame[(frame["scenario"] == chosen.scenario.name) & (frame["policy"] == chosen.policy)]
    if by_point:
        means = frame.groupby("point")["value"].mean()
        if study.design.method in ("saltelli", "morris") and len(means.dropna()) < study.design.count:
            found = f"{len(means.dropna())} of {study.design.count} points"
            raise InputError("store", found, "a whole sample: the indices need every point")
        known = means.dropna()
        numbers = known.index.to_numpy(dtype=np.int64) * study.runs
    else:
        known = frame.set_index("run")["value"].dropna()
        numbers = known.index.to_numpy(dtype=np.int64)
    if len(known) < 2 or not varies(known.to_numpy()):
        raise InputError("--outcome", outcome.text, "an outcome that varies in these results")
    return known.to_numpy(dtype=np.float64), inputs_of(study, place, numbers, names).values


def varies(values: Floats) -> bool:
    """Say whether values differ by more than the rounding of sums: books balance to as much."""
    return bool(float(np.ptp(values)) > ROUNDING * float(np.abs(values).max()))


def _salib(name: str) -> Any:
    try:
        return import_module(f"SALib.analyze.{name}")
    except ImportError as error:
        raise InputError(
            "sensitivity", "SALib", "installed: pip install 'computemarket[sensitivity]'"
        ) from error


def _sobol(study: Study, names: tuple[str, ...], values: Floats) -> "pd.DataFrame":
    import pandas as pd

    found = _salib("sobol").analyze(
        salib_problem(len(names)), values, calc_second_order=study.design.second_order, seed=study.design.seed,
        num_resamples=RESAMPLES,
    )  # fmt: skip
    return pd.DataFrame(
        {
            "parameter": names, "total": found["ST"], "total_unknown": found["ST_conf"],
            "first_order": found["S1"], "first_order_unknown": found["S1_conf"],
        }
    )  # fmt: skip


def _morris(study: Study, names: tuple[str, ...], values: Floats) -> "pd.DataFrame":
    import pandas as pd

    quantiles = study.design.quantiles(np.arange(study.design.count))
    found = _salib("morris").analyze(
        salib_problem(len(names)), quantiles, values, num_levels=dict(study.design.numbers)["levels"],
        seed=study.design.seed, num_resamples=RESAMPLES,
    )  # fmt: skip
    return pd.DataFrame(
        {
            "parameter": names, "mean_effect": np.asarray(found["mu_star"]),
            "mean_effect_unknown": np.asarray(found["mu_star_conf"]), "effect": np.asarray(found["mu"]),
            "spread_of_effect": np.asarray(found["sigma"]),
        }
    )  # fmt: skip


def _delta(names: tuple[str, ...], inputs: Floats, values: Floats, resamples: int) -> "pd.DataFrame":
    """Estimate delta of the parameters that move most with the outcome, in order of rank correlation."""
    import pandas as pd

    if len(values) < FEWEST:
        raise InputError(
            "sensitivity", len(values), f"enough points: an index of a plain sample needs {FEWEST}"
        )
    varying = [place for place in range(len(names)) if float(np.ptp(inputs[:, place])) > 0.0]
    correlation = np.zeros(len(names))
    correlation[varying] = [_rank_correlation(inputs[:, place], values) for place in varying]
    first = np.argsort(-np.abs(correlation), kind="stable")[: min(MOST_DELTA, len(varying))]
    chosen = sorted(int(place) for place in first)
    sample = np.ascontiguousarray(inputs[:, chosen])
    problem = {**salib_problem(len(chosen)), "bounds": [[column.min(), column.max()] for column in sample.T]}
    form = warnings.formatwarning
    with warnings.catch_warnings(
        record=True
    ):  # it warns of what `delta_unknown` says, through filters of its own
        found = _salib("delta").analyze(
            problem,
            sample,
            values,
            num_resamples=resamples,
            y_resamples=min(len(values), DELTA_POINTS),
            seed=1,
        )
    warnings.formatwarning = form  # it leaves another one behind
    key = "delta" if "delta" in found else "delta_raw"  # its name since SALib 1.6
    return pd.DataFrame(
        {
            "parameter": [names[place] for place in chosen], "delta": found[key],
            "delta_unknown": found[f"{key}_conf"], "first_order": found["S1"],
            "rank_correlation": correlation[chosen],
        }
    )  # fmt: skip


def _rank_correlation(x: Floats, y: Floats) -> float:
    ranks = [
        np.argsort(np.argsort(column, kind="stable"), kind="stable").astype(np.float64) for column in (x, y)
    ]
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])


def _edges(x: Floats, values: Floats) -> tuple[float, float]:
    """Return the mean outcome in the lowest and the highest fifth of a parameter."""
    low, high = np.quantile(x, (EDGE_SHARE, 1 - EDGE_SHARE))
    return float(values[x <= low].mean()), float(values[x >= high].mean())


def draw_tornado(found: Sensitivity, path: Path) -> None:
    """Draw which parameters move the outcome, from one end of each to the other: a PNG, and an SVG beside it."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    table = found.table.head(SHOWN).iloc[::-1]
    figure = Figure(figsize=(SLIDE_INCHES[0], 1.8 + 0.46 * len(table)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    places = np.arange(len(table))
    # each end has half of the height: where both lie on one side, neither hides the other
    for column, colour, label, shift in (
        ("low", BLUE, found.ends[0], 0.18),
        ("high", ORANGE, found.ends[1], -0.18),
    ):
        width = table[column] - found.middle
        axes.barh(places + shift, width, left=found.middle, color=colour, label=label, height=0.36)
    axes.axvline(found.middle, color=INK, linewidth=1)
    meanings = ["\n".join(wrap(schema()[name].meaning, LONGEST_LABEL)) for name in table["parameter"]]
    axes.set_yticks(
        places, [f"{m}\n{name}" for m, name in zip(meanings, table["parameter"], strict=True)], fontsize=9
    )
    axes.set_xlabel(f"{_named(found)}: mean of the runs in which the parameter is at the end of that colour")
    axes.set_title(f"What moves {_titled(found)}", pad=22, fontweight="bold", color=INK)
    axes.text(
        0.5, 1.005, f"{_case(found.case)}, {found.points:,} points, by {_ORDER[found.method]}; line: mean of all",
        transform=axes.transAxes, ha="center", va="bottom", fontsize=9, color=INK,
    )  # fmt: skip
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(colors=INK, length=0)
    axes.legend(loc="lower right", frameon=False, title="parameter at its")
    try:
        figure.savefig(path, dpi=SLIDE_DPI)
        with rc_context({"svg.fonttype": "none", "svg.hashsalt": path.stem}):
            figure.savefig(path.with_suffix(".svg"), metadata={"Date": None})
    except OSError as error:
        raise InputError("figure", str(path), f"a file that can be written ({error.strerror})") from error


def _case(case: str) -> str:
    """Return what a case is called in a figure."""
    return case.removesuffix("/as_is").replace("_", " ")


def _named(found: Sensitivity) -> str:
    """Return what an outcome is called, with its unit where it is a measure."""
    return f"{found.words}, {found.unit}" if found.unit else found.words


def _titled(found: Sensitivity) -> str:
    """Return what an outcome is called, of what and when."""
    labels = ", ".join(found.outcome.labels.values())
    return f"{found.words}{f' ({labels})' if labels else ''}, {found.outcome.period or 'last quarter'}"
