"""How a number is read from what was simulated, from the rules or from the catalogue, to answer a published one."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from computemarket.analysis.policies.compare import Outcome
from computemarket.analysis.policies.published_scenarios import decoupled
from computemarket.model.core.arrays import Floats
from computemarket.model.core.calendar import QUARTERS_PER_YEAR
from computemarket.model.core.parameters import Parameter, schema
from computemarket.model.world.world import H100_TPP, load_world

B300_H100E = 2.4  # dense 8-bit rate of a B300 over that of an H100; source: catalogue, 2.3-2.5
THOUSAND, MILLION = 1e3, 1e6
LEAST = 1e-9


@dataclass(frozen=True)
class Question:
    """What a reader may look at."""

    policy: Outcome  # of the matching scenario
    baseline: Callable[[], Outcome]
    year: int  # place on the years
    unit: str
    text: str
    negative: bool = False  # the published number is below zero

    def at(self, name: str) -> Floats:
        """Return the (R,) value of a measure in the year."""
        return self.policy.values[name][:, self.year]

    def change(self, name: str) -> Floats:
        """Return the (R,) change of a measure against the baseline."""
        return self.at(name) - self.baseline().values[name][:, self.year]


Reader = Callable[[Question], Floats]


KINDS = (  # words of a unit, the kind of number it is of
    (("usd", "dollar"), "money"),
    (("h100e", "b300e"), "compute"),
    (("share", "ratio", "%", "percent", "per cent", "x per"), "ratio"),
    (("units", "chips", "dies", "packages", "stacks", "gpus", "cards"), "count"),
)


def kind_of(unit: str) -> str:
    """Return the kind of number that a unit is of; "" where its words are not known."""
    return next((kind for words, kind in KINDS if any(w in unit.lower() for w in words)), "")


@dataclass(frozen=True)
class Rule:
    """Which results a reader answers: one of each group of `words` appears, none of `without`."""

    words: tuple[tuple[str, ...], ...]
    read: Reader
    why: str
    without: tuple[str, ...] = ()
    condition: tuple[str, ...] = ()  # one of them appears in the published scenario, where there are any
    kind: str = ""  # of the number, as `kind_of` says it
    given: bool = False  # read from rules, catalogue or parameters: an input, not a result

    def answers(self, text: str, unit: str = "", condition: str = "") -> bool:
        """Say whether the rule answers a result of these words and unit, found under this condition."""
        if self.condition and not any(w in condition for w in self.condition):
            return False
        asked = kind_of(unit)
        if asked and self.kind and asked != self.kind:
            return False
        return all(any(w in text for w in group) for group in self.words) and not any(
            w in text for w in self.without
        )


def compute(name: str) -> Reader:
    """Return thousands of H100e in the unit that is asked for: B300e, H100e, or millions of them."""

    def read(question: Question) -> Floats:
        unit = question.unit.lower()
        factor = THOUSAND / B300_H100E if "b300" in unit else THOUSAND
        return question.at(name) * (factor / MILLION if unit.startswith(("m ", "million")) else factor)

    return read


def level(name: str, factor: float = 1.0) -> Reader:
    """Return a reader of a measure, times a factor."""
    return lambda question: question.at(name) * factor


def units(name: str) -> Reader:
    """Return a reader of thousands of units in units, or in millions where these are asked for."""

    def read(question: Question) -> Floats:
        return question.at(name) * (1 / THOUSAND if question.unit.lower().startswith("m") else THOUSAND)

    return read


def total(*names: str, reader: Callable[[str], Reader] = compute) -> Reader:
    """Return a reader of the sum of measures."""
    readers = [reader(name) for name in names]
    return lambda question: np.asarray(sum(read(question) for read in readers))


def cumulative(name: str) -> Reader:
    """Return a reader of what a flow has brought since 2022, H100e."""

    def read(question: Question) -> Floats:
        path = np.ascontiguousarray(question.policy.values[name][:, : question.year + 1])
        return path.sum(axis=1) * THOUSAND

    return read


def share(above: tuple[str, ...], below: tuple[str, ...], less: tuple[str, ...] = ()) -> Reader:
    """Return the share of sums of measures; `less` is taken off above and, if it is part of it, below."""

    def read(question: Question) -> Floats:
        off = sum((question.at(name) for name in less), np.zeros(1))
        top = sum(question.at(name) for name in above) - off
        bottom = sum(question.at(name) for name in below) - (off if not set(less) & set(below) else 0.0)
        percent = 100.0 if question.unit.strip().lower() in ("%", "percent", "per cent") else 1.0
        return np.asarray(percent * top / np.maximum(bottom, LEAST))

    return read


def growth(name: str, more: float) -> Reader:
    """Return the value over the year before, less one where the increase is asked for."""

    def read(question: Question) -> Floats:
        path = question.policy.values[name]
        before = path[:, max(question.year - 1, 0)]
        return np.asarray(path[:, question.year] / np.maximum(before, LEAST) - more)

    return read


def cut(name: str) -> Reader:
    """Return a reader of the share by which a measure falls against the baseline, run by run."""

    def read(question: Question) -> Floats:
        usual = question.baseline().values[name][:, question.year]
        return 1 - question.at(name) / np.maximum(usual, LEAST)

    return read


def lost(*names: str) -> Reader:
    """Return the change of sums of measures against the baseline, with the sign that the result is written in.

    A loss is written above zero, unless the published number is below it. Of a part of the decoupling, the part counts.
    """

    def read(question: Question) -> Floats:
        change = np.asarray(sum(question.change(name) for name in names))
        loss = any(word in question.text for word in ("lost", "loss")) and not question.negative
        return (-change if loss else change) * decoupled(question.text)

    return read


def as_signed(name: str) -> Reader:
    """Return a measure that is never below zero, with the sign that the result is written in."""
    return lambda question: question.at(name) * (-1.0 if question.negative else 1.0)


def fact(number: Callable[[Question], float]) -> Reader:
    """Return a number of the rules or of the catalogue, the same in all runs."""
    return lambda question: np.full(1, number(question))


def belief(name: str, factor: float) -> Reader:
    """Return what is believed of a parameter, times a factor."""

    def read(question: Question) -> Floats:
        parameter: Parameter = schema()[name]
        middle = np.linspace(0.005, 0.995, 199)
        drawn = np.full(1, parameter.default) if parameter.prior is None else parameter.prior.quantile(middle)
        return np.asarray(drawn * factor)

    return read


@cache
def tpp() -> dict[str, float]:
    """Return the TPP of the products on sale at some time, as rules count it."""
    from computemarket.model.policy.trade.market_access import market_metrics

    products = load_world().products
    return dict(zip(products.ids, market_metrics(products)["tpp"].low.tolist(), strict=True))


def best_over_huawei(question: Question) -> float:
    """Return TPP of the best American accelerator on sale over that of Huawei's best, at the end of the year."""
    products, last = load_world().products, (question.year + 1) * QUARTERS_PER_YEAR - 1
    best = {True: 0.0, False: 0.0}
    for name, launch, chinese in zip(products.ids, products.launch, products.chinese, strict=True):
        if launch <= last and not name.startswith("cerebras"):
            best[bool(chinese)] = max(best[bool(chinese)], tpp()[name])
    return best[False] / best[True]


def dies_h100e(question: Question) -> float:
    """Return H100e by TPP of dies obtained through shell firms by the end of a year: dies of the 910B."""
    dies = schema()["policy.illicit_dies"].default * (question.year - 1)  # from the middle of 2023 on
    return max(dies, 0.0) * tpp()["huawei_ascend_910b"] / H100_TPP
