"""Outcomes: one number of every run, named in one expression, with the uncertain inputs that led to it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from computemarket.analysis.results.measures import load_measures
from computemarket.errors import InputError
from computemarket.model.core.arrays import Bools, Floats, Ints
from computemarket.model.core.calendar import QUARTERS
from computemarket.model.core.parameters import Distribution, ParameterValues, Schedule, schema
from computemarket.model.core.randomness import Streams
from computemarket.scenarios.results.open_results import dataset_of
from computemarket.scenarios.studies.study import Study

if TYPE_CHECKING:
    import pandas as pd

KEYS = ("entity", "region", "detail")
CASE = ("scenario", "policy")
_FORM = re.compile(
    r"\s*(?P<variable>[a-z][a-z0-9_]*)\s*"
    r"(?:\{(?P<labels>[^{}]*)\})?\s*"
    r"(?:@\s*(?P<period>\d{4}(?:Q[1-4])?))?\s*"
    r"(?:(?P<sign><=|>=|<|>)\s*(?P<limit>[-+]?[0-9][0-9_]*\.?[0-9]*(?:[eE][-+]?[0-9]+)?))?\s*"
)
_SHAPE = 'like "nvidia_revenue_share@2030Q4 < 50" or "capex_usd{entity=amazon}@2030"'


@dataclass(frozen=True)
class Outcome:
    """A variable or headline measure of a quarter or year, and a limit if one is given.

    Several matching series are summed. Over a year flows are summed, levels and shares averaged, stocks taken at the
    end.
    """

    variable: str
    period: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    sign: str = ""
    limit: float = float("nan")

    @property
    def text(self) -> str:
        """The expression in its plain form, without the limit."""
        labels = ",".join(f"{key}={value}" for key, value in self.labels.items())
        return (
            self.variable + (f"{{{labels}}}" if labels else "") + (f"@{self.period}" if self.period else "")
        )

    @property
    def file(self) -> str:
        """The expression as the stem of a file."""
        return re.sub(r"[^A-Za-z0-9]+", "_", self.text).strip("_")

    def holds(self, values: Floats) -> Bools:
        """Return where the limit is kept; unknown values do not keep it."""
        compare = {"<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal}[self.sign]
        return np.asarray(compare(values, self.limit))


def read_outcome(text: str, *, limited: bool = False, unlimited: bool = False) -> Outcome:
    """Read an outcome such as `nvidia_revenue_share@2030Q4 < 50`.

    Parameters
    ----------
    limited, unlimited : whether a limit has to be given, or may not be

    Raises
    ------
    InputError
        if it is not of that form.
    """
    match = _FORM.fullmatch(text)
    if match is None:
        raise InputError("--outcome", text, f"an outcome, {_SHAPE}")
    labels = {}
    for pair in filter(None, (match["labels"] or "").split(",")):
        key, sign, value = (part.strip() for part in pair.partition("="))
        if key not in KEYS or not sign or not value:
            raise InputError("--outcome", pair, f"one of {', '.join(KEYS)}, {_SHAPE}")
        labels[key] = value
    if limited and not match["sign"]:
        raise InputError("--outcome", text, f"an outcome with a limit, {_SHAPE}")
    if unlimited and match["sign"]:
        allowed = f"an outcome without a limit ({match['sign']} {match['limit']}): what moves it is asked"
        raise InputError("--outcome", text, f"{allowed}; `discover` asks when it is kept")
    period = match["period"] or ""
    if period and (period if "Q" in period else f"{period}Q4") not in QUARTERS:
        raise InputError("--outcome", period, f"in {QUARTERS[0]} to {QUARTERS[-1]}")
    limit = float(match["limit"]) if match["sign"] else float("nan")
    return Outcome(match["variable"], period, labels, match["sign"] or "", limit)


def outcomes_of(folder: Path, asked: Outcome) -> "pd.DataFrame":
    """Return scenario, policy, run, point, value of every run of a store, in that order.

    Raises
    ------
    InputError
        if the store does not hold the outcome.
    """
    import pyarrow.dataset as ds

    rows = dataset_of(folder)
    wanted = ds.field("variable") == asked.variable
    if asked.period:
        quarters = (
            [asked.period] if "Q" in asked.period else [f"{asked.period}Q{place}" for place in range(1, 5)]
        )
        wanted &= ds.field("quarter").isin(quarters)
    frame = rows.to_table(
        columns=[*CASE, "run", "point", "quarter", *KEYS, "value"], filter=wanted
    ).to_pandas()
    if not len(frame):
        raise InputError("--outcome", asked.text, f"recorded here; there is {', '.join(_held(folder))}")
    for key, value in asked.labels.items():
        frame = frame[frame[key] == value]
        if not len(frame):
            raise InputError("--outcome", f"{key}={value}", f"a label of {asked.variable} in these results")
    if not asked.period:
        frame = frame[frame["quarter"].astype(str) == frame["quarter"].astype(str).max()]
    keys = [*CASE, "run", "point"]
    frame = frame.astype(dict.fromkeys((*CASE, "quarter"), str))
    quarterly = frame.groupby([*keys, "quarter"], sort=True)["value"].sum(min_count=1).reset_index()
    grouped = quarterly.groupby(keys, sort=True)["value"]
    over = _over_year(asked.variable)
    found = grouped.last() if over == "end" else grouped.sum(min_count=1) if over == "sum" else grouped.mean()
    return found.reset_index()


def _over_year(variable: str) -> str:
    """Return how quarters of a variable make a year."""
    known = load_measures().get(variable)
    if known is not None:
        return "mean" if known.denominator is not None and known.aggregate == "sum" else known.aggregate
    return "sum" if variable.endswith(("revenue_usd", "capex_usd", "_units", "tokens_served")) else "mean"


def _held(folder: Path) -> list[str]:
    rows = dataset_of(folder).head(200_000, columns=["variable"])
    return sorted(set(rows["variable"].unique().to_pylist()))


@dataclass(frozen=True)
class Inputs:
    """Uncertain inputs of runs: (R, k) values and their quantiles where a design gave them."""

    names: tuple[str, ...]
    values: Floats


def uncertain_of(study: Study) -> tuple[str, ...]:
    """Return the parameters that a study varies: those of its design, or else every one with a distribution."""
    if study.uncertainties:
        return study.uncertainties
    settings = study.cases[0].scenario.settings
    return tuple(name for name, one in schema().items() if _varies(settings.get(name, one.setting)))


def _varies(setting: object) -> bool:
    if isinstance(setting, Schedule):
        return any(isinstance(value, Distribution) for _, value in setting.steps)
    return isinstance(setting, Distribution)


def inputs_of(study: Study, case: int, numbers: Ints, names: Sequence[str]) -> Inputs:
    """Return the values of parameters in runs of a case, drawn again as the market drew them."""
    scenario = study.cases[case].scenario
    quantiles = study.design.quantiles(study.points_of(numbers))
    points = {
        name: np.ascontiguousarray(quantiles[:, place]) for place, name in enumerate(study.uncertainties)
    }
    drawn = ParameterValues(scenario.settings, Streams(scenario.seed, study.shocks_of(numbers)), points)
    columns = [drawn.at(name, scenario.quarters - 1) for name in names]
    return Inputs(tuple(names), np.stack(columns, axis=1) if columns else np.empty((len(numbers), 0)))


def case_named(study: Study, text: str | None) -> int:
    """Return the place of a case named SCENARIO or SCENARIO/POLICY; the first when nothing is named."""
    if text is None:
        return 0
    names = [f"{case.scenario.name}/{case.policy}" for case in study.cases]
    fitting = [place for place, name in enumerate(names) if text in (name, name.split("/")[0])]
    if not fitting:
        raise InputError("--case", text, f"one of {', '.join(names)}")
    return fitting[0]
