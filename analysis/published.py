"""Published results of policy studies beside what the model says under the matching scenario.

Which simulated number answers a published one is told by rules over its words (study, scenario, metric), never by its
value; a result about something the market does not hold is said to be so.
"""

import csv
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np

from computemarket.analysis.compare import Outcome, simulate_outcome
from computemarket.errors import InputError
from computemarket.model.arrays import Floats
from computemarket.scenarios.schema import load_scenario

COLUMNS = ("result_id", "study", "scenario", "metric", "year", "value", "low", "high", "unit")
B300_H100E = 2.4  # dense 8-bit rate of a B300 over that of an H100; source: catalogue, 2.3-2.5
THOUSAND = 1e3


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

    @property
    def words(self) -> str:
        """Everything that says what was measured, in lower case."""
        return f"{self.study} | {self.metric} | {self.unit}".lower()


@dataclass(frozen=True)
class Answer:
    """What the model says to a published result."""

    result: Published
    scenario: str
    median: float
    low: float
    high: float
    verdict: str  # in, near, out, not modelled
    why: str


def read_published(path: Path | None = None) -> tuple[Published, ...]:
    """Read a file of published results; that of the package where none is given.

    Raises
    ------
    InputError
        for a file that cannot be read, a missing column or a cell that is not a number.
    """
    name = "published_results.csv" if path is None else path.name
    try:
        folder = files("computemarket.model.data").joinpath("policy", "published_results.csv")
        text = folder.read_text("utf-8") if path is None else path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(str(path), str(error), "a CSV file in UTF-8") from error
    rows = list(csv.DictReader(text.splitlines()))
    missing = [column for column in COLUMNS if not rows or column not in rows[0]]
    if missing:
        raise InputError(name, ", ".join(missing), "present as columns")
    return tuple(_published(row, f"{name}: {row['result_id']}") for row in rows)


def _published(row: dict[str, str], where: str) -> Published:
    texts = {
        key: (row[key] or "").strip() for key in ("result_id", "study", "scenario", "metric", "year", "unit")
    }
    return Published(
        **texts, **{key: _number(row[key], f"{where}: {key}") for key in ("value", "low", "high")}
    )


def _number(text: str | None, where: str) -> float:
    if not (text or "").strip():
        return float("nan")
    try:
        return float(text or "")
    except ValueError as error:
        raise InputError(where, text, "a number or empty") from error


Reader = Callable[[Outcome, int], Floats]


@dataclass(frozen=True)
class Rule:
    """Which results a reader answers: all of `words` appear, none of `without`."""

    words: tuple[str, ...]
    without: tuple[str, ...]
    read: Reader
    why: str


def _of(name: str, factor: float = 1.0) -> Reader:
    return lambda outcome, year: outcome.values[name][:, year] * factor


def _cumulative(name: str, factor: float = 1.0) -> Reader:
    return lambda outcome, year: (
        np.ascontiguousarray(outcome.values[name][:, : year + 1]).sum(axis=1) * factor
    )


def _share(above: tuple[str, ...], below: tuple[str, ...]) -> Reader:
    def read(outcome: Outcome, year: int) -> Floats:
        top = sum(outcome.values[name][:, year] for name in above)
        return np.asarray(top / np.maximum(sum(outcome.values[name][:, year] for name in below), 1e-9))

    return read


def _sum(names: tuple[str, ...], factor: float = 1.0) -> Reader:
    return lambda outcome, year: np.asarray(sum(outcome.values[name][:, year] for name in names) * factor)


def _growth(outcome: Outcome, year: int) -> Floats:
    stock = outcome.values["China stock, owned"]
    return np.asarray(stock[:, year] / np.maximum(stock[:, year - 1], 1e-9) - 1)


LEGAL = ("China added, legal", "China added, variant")
OWNED = "China compute added, owned"
DOMESTIC, SMUGGLED = "China added, domestic", "China added, smuggled"
LOCAL = ("Huawei revenue", "Cambricon revenue", "other Chinese revenue")
SALES, WORLD = ("sales of accelerators, china",), ("world compute added",)
IN_B300 = THOUSAND / B300_H100E
RULES = (
    Rule(("ratio", "added"), ("stock",), _of("US/China compute added, owned"), "compute added, by owners"),
    Rule(("smuggled chips",), (), _of("smuggled units", THOUSAND), "units that arrived in the year"),
    Rule(("cumulative smuggled",), (), _cumulative(SMUGGLED, THOUSAND), "arrived since 2022"),
    Rule(
        ("smuggled share",),
        (),
        _share((SMUGGLED,), (OWNED,)),
        "of compute added in the year, whatever its use",
    ),
    Rule(("share of world ai compute",), (), _of("China's share of stock, owned"), "stock by headquarters"),
    Rule(("ai compute sold",), (), _of(*WORLD, THOUSAND), "all accelerators of the year"),
    Rule(
        ("cut in china compute",), (), _of(OWNED), "share by which compute added falls against the baseline"
    ),
    Rule(("china compute acquired",), (), _of(OWNED, IN_B300), "in B300 by dense 8-bit rate"),
    Rule(("legal imports",), (), _sum(LEGAL, IN_B300), "in B300 by dense 8-bit rate, cards included"),
    Rule(("huawei output",), (), _of(DOMESTIC, IN_B300), "all domestic accelerators, in B300"),
    Rule(("us-designed ai chip output",), (), _sum(WORLD, IN_B300), "world, in B300"),
    Rule(("share of acquisitions",), (), _share((DOMESTIC,), (OWNED,)), "all domestic makers"),
    Rule(("ascend units",), (), _of("Huawei units", THOUSAND), "units delivered"),
    Rule(("huawei aggregate compute",), (), _share((DOMESTIC,), WORLD), "all domestic over the world's"),
    Rule(("ai chip output / us output",), (), _share((DOMESTIC,), WORLD), "domestic over the world's"),
    Rule(("increase in china installed",), (), _growth, "growth of China's stock by owner"),
    Rule(("nvidia filing", "charge"), (), _of("charge on stopped products", -1.0), "written off in the year"),
    Rule(
        ("nvidia share of china",),
        (),
        _share(("Nvidia units in China",), ("accelerator units in China",)),
        "of units",
    ),
    Rule(("huawei share of china",), (), _share(("Huawei revenue",), SALES), "of sales in China"),
    Rule(("local share of china",), (), _share(LOCAL, SALES), "of sales in China"),
    Rule(("local ai chip supply",), (), _sum(LOCAL), "sales of domestic accelerators with their systems"),
    Rule(("china ai chip demand",), (), _sum(SALES), "sales of accelerators in China with their systems"),
)
SCENARIOS = (  # words of the published scenario -> scenario of the library, first match
    (("b30a", "aggressive"), "blackwell_b30a_sale"),
    (("b30a",), "blackwell_b30a_sale"),
    (("cap filled",), "case_by_case_2026"),
    (("unrestricted",), "case_by_case_2026"),
    (("h200",), "case_by_case_2026"),
    (("no powerful chips",), "h20_ban"),
    (("no exports",), "h20_ban"),
    (("bans all legal",), "no_exports_2026"),
    (("diffusion",), "diffusion_framework"),
    (("full decoupling",), "no_chips_to_china"),
)


def scenario_of(result: Published) -> str:
    """Return the scenario of the library that matches a published one: the baseline unless its words say otherwise."""
    text = result.scenario.lower()
    return next((name for words, name in SCENARIOS if all(word in text for word in words)), "baseline")


def rule_of(result: Published) -> Rule | None:
    """Return the rule that answers a result, None where the market holds nothing like it."""
    text = result.words
    return next(
        (r for r in RULES if all(w in text for w in r.words) and not any(w in text for w in r.without)), None
    )


def answer_all(results: Sequence[Published], runs: int) -> list[Answer]:
    """Simulate the scenarios that are needed and answer every result."""

    @cache
    def outcome(name: str) -> Outcome:
        return simulate_outcome(load_scenario(name), runs)

    return [_answer(result, outcome) for result in results]


def _answer(result: Published, outcome: Callable[[str], Outcome]) -> Answer:
    rule, name = rule_of(result), scenario_of(result)
    nothing = (float("nan"),) * 3
    if rule is None:
        return Answer(result, name, *nothing, "not modelled", "the market holds no such number")
    found = outcome(name)
    if result.year not in found.years:
        return Answer(result, name, *nothing, "not modelled", "outside the years simulated")
    place = found.years.index(result.year)
    values = rule.read(found, place)
    if "cut in" in result.words:
        values = 1 - values / np.maximum(rule.read(outcome("baseline"), place), 1e-9)
    low, median, high = np.percentile(values, (10.0, 50.0, 90.0)).tolist()
    return Answer(result, name, median, low, high, _verdict(result, low, median, high), rule.why)


def _verdict(result: Published, low: float, median: float, high: float) -> str:
    """Say `in` where the median lies in the published range, `near` where the bands meet, else `out`.

    A published number without a range stands for a quarter of it to either side.
    """
    known = [x for x in (result.low, result.value, result.high) if not np.isnan(x)]
    if not known:
        return "not modelled"
    least, most = min(known), max(known)
    if least == most:
        least, most = sorted((least * 0.75, least * 1.25))
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
