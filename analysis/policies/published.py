"""Published results of policy studies beside what the model says under the matching scenario.

Which simulated number answers a published one is told by rules over its words (study, scenario, metric), never by its
value; a result about something the market does not hold is said to be so.
"""

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType

import numpy as np

from computemarket.analysis.policies.compare import Outcome, simulate_outcome
from computemarket.analysis.policies.published_readers import Question, Rule
from computemarket.analysis.policies.published_rules import NOT_HELD, RULES
from computemarket.analysis.policies.published_scenarios import scenario_for, settings_for
from computemarket.errors import InputError
from computemarket.model.core.given_files import LARGEST_TABLE, read_given
from computemarket.model.core.parameters import schema
from computemarket.model.core.texts import decoded
from computemarket.scenarios.schema import load_scenario

COLUMNS = ("result_id", "study", "scenario", "metric", "year", "value", "low", "high", "unit")
AROUND = 0.25  # a number without a range stands for this share of it to either side
VERDICTS = ("in", "near", "out", "input", "not modelled")
_NO_SETTINGS: Mapping[str, float] = MappingProxyType({})
NOTHING = (float("nan"), float("nan"), float("nan"))


@dataclass(frozen=True)
class Published:
    """One row of a file of published results."""

    result_id: str
    study: str
    scenario: str
    metric: str
    year: str
    value: float
    low: float
    high: float
    unit: str
    note: str = ""

    @property
    def words(self) -> str:
        """Everything that says what was measured, in lower case, with one kind of apostrophe and of space."""
        return _plain(f"{self.study} | {self.metric} | {self.unit}")

    @property
    def condition(self) -> str:
        """The words of the scenario, written as `words` are."""
        return _plain(self.scenario)


def _plain(text: str) -> str:
    return " ".join(text.lower().replace("\u2019", "'").replace("china's", "china").split())


@dataclass(frozen=True)
class Answer:
    """What the model says to a published result."""

    result: Published
    scenario: str
    median: float
    low: float
    high: float
    verdict: str  # in, near, out, input, not modelled
    why: str


def read_published(path: Path | None = None) -> tuple[Published, ...]:
    """Read a file of published results; that of the package where none is given.

    Raises
    ------
    InputError
        for a file that cannot be read, a missing column or a cell that is not a number.
    """
    name = "published_results.csv" if path is None else path.name
    folder = files("computemarket.model.data").joinpath("policy", "published_results.csv")
    data = folder.read_bytes() if path is None else read_given(path, "published", LARGEST_TABLE)
    text = decoded(data, str(path), "CSV")
    rows = list(csv.DictReader(text.splitlines()))
    missing = [column for column in COLUMNS if not rows or column not in rows[0]]
    if missing:
        raise InputError(name, ", ".join(missing), "present as columns")
    return tuple(_published(row, f"{name}: {row['result_id']}") for row in rows)


def _published(row: dict[str, str], where: str) -> Published:
    texts = {
        key: (row[key] or "").strip() for key in ("result_id", "study", "scenario", "metric", "year", "unit")
    }
    value, low, high = (_number(row[key], f"{where}: {key}") for key in ("value", "low", "high"))
    return Published(
        **texts, value=value, low=low, high=high, note=(row.get("definition_note") or "").strip()
    )


def _number(text: str | None, where: str) -> float:
    if not (text or "").strip():
        return float("nan")
    try:
        return float(text or "")
    except ValueError as error:
        raise InputError(where, text, "a number or empty") from error


def scenario_of(result: Published) -> str | None:
    """Return the scenario of the library that matches a published one, None where it has none."""
    return scenario_for(result.condition)


def rule_of(result: Published) -> Rule | None:
    """Return the rule that answers a result, None where the market holds nothing like it."""
    return next((rule for rule in RULES if rule.answers(result.words, result.unit, result.condition)), None)


def reason_without(result: Published) -> str:
    """Return why nothing simulated answers a result."""
    text = result.words
    for words, why in NOT_HELD:
        if any(word in text for word in words):
            return why
    return "no simulated number has these words"


def answer_all(results: Sequence[Published], runs: int) -> list[Answer]:
    """Simulate the scenarios that are needed and answer every result."""

    @cache
    def simulated(name: str, settings: tuple[tuple[str, float], ...]) -> Outcome:
        return simulate_outcome(load_scenario(name).with_settings(dict(settings)), runs)

    def outcome(name: str, settings: Mapping[str, float] = _NO_SETTINGS) -> Outcome:
        return simulated(name, tuple(sorted(settings.items())))

    return [_answer(result, outcome) for result in results]


def _answer(result: Published, outcome: Callable[..., Outcome]) -> Answer:
    name, settings = scenario_of(result), _settings(result)
    if name is None:
        why = f"no scenario of the library is {result.scenario!r}"
        return Answer(
            result, "", *NOTHING, "not modelled", reason_without(result) if _not_held(result) else why
        )
    shown = " ".join([name, *(f"with {lever} = {value:g}" for lever, value in settings.items())])
    rule = None if _not_held(result) else rule_of(result)
    if rule is None:
        return Answer(result, shown, *NOTHING, "not modelled", reason_without(result))
    years = outcome("baseline").years
    if result.year not in years:
        return Answer(
            result, shown, *NOTHING, "not modelled", f"no year of {years[0]} to {years[-1]} is given"
        )
    question = Question(
        outcome(name, settings),
        lambda: outcome("baseline"),
        years.index(result.year),
        result.unit,
        f"{result.words} | {result.condition}",
        max(bounds_of(result)) < 0,
    )
    values = rule.read(question)
    low, median, high = np.percentile(values, (10.0, 50.0, 90.0)).tolist()
    verdict = _verdict(result, low, median, high)
    why = f"{rule.why}{_distance(result, verdict, median)}"
    return Answer(result, shown, median, low, high, "input" if rule.given else verdict, why)


def _settings(result: Published) -> Mapping[str, float]:
    """Return what a result's condition sets beyond its scenario: nothing where it is the value in force."""
    return {
        lever: value
        for lever, value in settings_for(result.condition).items()
        if value != schema()[lever].default
    }


def scores(answers: Sequence[Answer]) -> dict[str, int]:
    """Return how many results got each verdict; inputs are counted apart from what the model says."""
    return {verdict: sum(a.verdict == verdict for a in answers) for verdict in VERDICTS}


def _not_held(result: Published) -> bool:
    return any(word in result.words for words, _ in NOT_HELD for word in words)


def bounds_of(result: Published) -> tuple[float, float]:
    """Return the published range.

    A bound alone that is said to be one ("under", "over", "upper bound") leaves the other side open; a number alone
    stands for a quarter of it to either side.
    """
    low, value, high = result.low, result.value, result.high
    known = [x for x in (low, value, high) if not np.isnan(x)]
    if not known:
        return float("nan"), float("nan")
    least, most = min(known), max(known)
    if least < most:
        return least, most
    text = f"{result.unit} {result.metric} {result.note}".lower()
    if "just " not in text:
        if any(word in text for word in ("(under)", "upper bound", "at most", "less than", "below")):
            return -np.inf, most
        if any(word in text for word in ("(over)", "lower bound", "at least", "more than")):
            return least, np.inf
    around = sorted((least * (1 - AROUND), least * (1 + AROUND)))
    return around[0], around[1]


def _distance(result: Published, verdict: str, median: float) -> str:
    """Say how far outside of the range the median lies."""
    if verdict == "in":
        return ""
    least, most = bounds_of(result)
    bound, side = (least, "under") if median < least else (most, "over")
    if bound == 0 or median / bound <= 0:
        return f"; {side} the range"
    times = max(median / bound, bound / median)
    return f"; {times:.2g} times {side} the range"


def _verdict(result: Published, low: float, median: float, high: float) -> str:
    """Say `in` where the median lies in the published range, `near` where the bands meet, else `out`."""
    least, most = bounds_of(result)
    if np.isnan(least):
        return "not modelled"
    if least <= median <= most:
        return "in"
    return "near" if low <= most and high >= least else "out"


def as_json(answers: Sequence[Answer]) -> str:
    """Return the answers as a JSON list."""
    rows = [
        {
            "result_id": a.result.result_id, "study": a.result.study, "metric": a.result.metric, "year": a.result.year,
            "published": _clean(a.result.value), "published_low": _clean(a.result.low),
            "published_high": _clean(a.result.high), "unit": a.result.unit, "scenario": a.scenario,
            "median": _clean(a.median), "p10": _clean(a.low), "p90": _clean(a.high), "verdict": a.verdict, "why": a.why,
        }
        for a in answers
    ]  # fmt: skip
    return json.dumps(rows, indent=1, ensure_ascii=False)


def _clean(number: float) -> float | None:
    return None if np.isnan(number) else float(f"{number:.6g}")
