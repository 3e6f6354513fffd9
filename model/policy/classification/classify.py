"""Classify chips and HBM stacks: status, control number and rule under each regime, and on a day."""

from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from computemarket.errors import InputError
from computemarket.model.policy.classification.cases import Cases
from computemarket.model.policy.classification.margins import Margin, nearest_margin
from computemarket.model.policy.regimes.compose import compose, inside, status_on
from computemarket.model.policy.regimes.conditions import first_match, matches, the_only
from computemarket.model.policy.regimes.metrics import METRICS, Metrics
from computemarket.model.policy.regimes.regime import NONE, STATUSES, Regime, RegimeBook, Rule

DESTINATION = "china"
BASE_2022, BASE_2023, HBM_REGIME = "us_2022_10", "us_2023_11", "us_2024_12_hbm"
TARIFF = "us_2026_01_tariff_232"
COMPOSED_COLUMNS = {  # column of the case file -> day whose rules it asks for
    "status_cn_2022_10": date(2022, 10, 21),
    "status_cn_2023_11": date(2023, 11, 17),
    "status_cn_2025_04": date(2025, 4, 9),
    "status_cn_2026_01": date(2026, 1, 15),
}
_ORDER = (
    *("status_cn_2022_10", "eccn_2023_11", "status_cn_2023_11", "status_cn_2025_04"),
    *("status_cn_2026_01", "tariff_band_2026_01"),
)
Object = dict[str, str | int | float | list[str] | None]


@dataclass(frozen=True, slots=True)
class Finding:
    """What one regime says of one chip; None where the specification leaves it open.

    `after` are the regimes whose statuses it acts on; `by_estimate` says that the answer would be open or another
    without the estimated figures of the specification.
    """

    case_id: str
    chip: str
    regime: str
    status: str | None
    eccn: str | None
    computer_eccn: str
    rule: str
    margin: Margin | None
    after: tuple[str, ...] = ()
    by_estimate: bool = False
    warnings: tuple[str, ...] = ()


def standard_objects(cases: Cases, book: RegimeBook) -> list[Object]:
    """Return one object per case with the columns of the shipped case file, and what to know of them.

    `by_estimate` lists the columns whose answer is another without estimated figures, `warnings` what contradicts.
    """
    if cases.item == "hbm":
        return _stack_objects(cases, book)
    columns = _columns(cases.metrics, book, len(cases.ids))
    published = columns if cases.published is None else _columns(cases.published, book, len(cases.ids))
    return [
        {
            "case_id": case_id,
            **{column: columns[column][i] for column in _ORDER},
            "by_estimate": [c for c in _ORDER if columns[c][i] != published[c][i]],
            "warnings": list(cases.warnings.get(case_id, ())),
        }
        for i, case_id in enumerate(cases.ids)
    ]


def _columns(metrics: Metrics, book: RegimeBook, count: int) -> dict[str, list[str | None]]:
    """Return the answer of each column of the case file for each chip, None where it is open."""
    columns: dict[str, list[str | None]] = {}
    for column, day in COMPOSED_COLUMNS.items():
        composed = status_on(book, day, metrics, DESTINATION)
        columns[column] = [status_word(code) for code in composed.status]
        if column == "status_cn_2023_11":
            columns["eccn_2023_11"] = [composed.eccn[i] if i >= 0 else None for i in composed.eccn_place]
    columns["tariff_band_2026_01"] = tariff_band(metrics, book[TARIFF], count)
    return columns


def status_word(code: int) -> str | None:
    """Return the word of a status, None for -1."""
    return STATUSES[code] if code >= 0 else None


def tariff_band(metrics: Metrics, regime: Regime, count: int) -> list[str | None]:
    """Return the name of the band each chip falls in, "none" outside, None where that is open."""
    found: list[str | None] = ["none"] * count
    for charge in regime.charges:
        certain, possible = inside(charge, metrics, (count,))
        for i in np.flatnonzero(possible):
            found[i] = charge.name if certain[i] else None
    return found


def _stack_objects(cases: Cases, book: RegimeBook) -> list[Object]:
    regime = book[HBM_REGIME]
    shape = (len(cases.ids),)
    chosen = first_match(regime.rules, cases.metrics, {}, shape)
    status = compose([regime], regime.effective, cases.metrics, DESTINATION).status
    objects: list[Object] = []
    for i, stack in enumerate(cases.ids):
        controlled = None if status[i] < 0 else int(status[i] != NONE)
        objects.append(
            {
                "stack": stack,
                "controlled_3A090c": controlled,
                "exception_hbm_possible": _exception_possible(regime, cases.metrics, chosen, i),
                "warnings": list(cases.warnings.get(stack, ())),
            }
        )
    return objects


def _exception_possible(regime: Regime, metrics: Metrics, chosen: np.ndarray, i: int) -> int | None:
    answers = set()
    for place in np.flatnonzero(chosen[i]):
        if place == len(regime.rules) or not regime.rules[place].exception_if:
            answers.add(0)
            continue
        rule = regime.rules[place]
        certain, possible = matches(Rule(rule.outcome, all_of=rule.exception_if), metrics, {})
        answers |= {int(certain[i]), int(possible[i])}
    return answers.pop() if len(answers) == 1 else None


def find_regime(book: RegimeBook, regime_id: str) -> Regime:
    """Return a regime by id; raises InputError naming the ids."""
    if regime_id not in book.ids:
        raise InputError("--regime", regime_id, "one of " + ", ".join(book.ids))
    return book[regime_id]


def findings(cases: Cases, regime: Regime, book: RegimeBook) -> list[Finding]:
    """Return what a regime says of each case: status, control number, rule, nearest threshold.

    A regime that acts on every status speaks alone; one that acts only on some (a letter, a review policy, a
    charge) speaks after those in force when it takes force.

    Raises
    ------
    InputError
        if the regime is about another kind of item.
    """
    if regime.item != cases.item:
        raise InputError(
            "--regime", regime.id, f"a regime on {cases.item} items; it is on {regime.item} items"
        )
    view = _View(cases, regime, book)
    found = [view.finding(i) for i in range(len(cases.ids))]
    if cases.published is None:
        return found
    without = _View(replace(cases, metrics=cases.published), regime, book)
    return [
        replace(finding, by_estimate=view.answer(i) != without.answer(i)) for i, finding in enumerate(found)
    ]


class _View:
    """One regime's answers for a table of cases."""

    def __init__(self, cases: Cases, regime: Regime, book: RegimeBook) -> None:
        self.cases, self.regime = cases, regime
        self.destination = DESTINATION if DESTINATION in regime.destinations else regime.destinations[0]
        self.day = max([regime.effective, *(rule.start for rule in regime.rules if rule.start)])
        stands_alone = regime.sets_status and len(regime.acts_on) == len(STATUSES)
        earlier = (
            () if stands_alone else tuple(r for r in book.on(self.day, regime.item) if r.id != regime.id)
        )
        self.regimes = (*(r for r in earlier if _before(r, regime, book)), regime)
        self.rules = regime.rules_on(self.day)
        before = compose(self.regimes[:-1], self.day, cases.metrics, self.destination)
        after = compose(self.regimes, self.day, cases.metrics, self.destination)
        self.status_before, self.status = before.status, after.status
        self.chosen = first_match(self.rules, cases.metrics, {}, (len(cases.ids),))
        self.place = the_only(self.chosen)
        self.eccn, self.eccn_place = after.eccn, after.eccn_place

    def finding(self, i: int) -> Finding:
        """Return the answer for one case."""
        status = int(self.status[i])
        sets = self.regime.sets_status
        margin = nearest_margin(self.regimes, self.day, self.cases.metrics, i, self.destination)
        return Finding(
            case_id=self.cases.ids[i],
            chip=self.cases.names[i],
            regime=self.regime.id,
            status=status_word(status),
            eccn=self._eccn(i),
            computer_eccn=self._computer_eccn(i),
            rule=self._rule(i) if sets else self._charge(i),
            margin=margin if sets and status >= 0 else None,
            after=tuple(
                r.id for r in self.regimes[:-1] if self.destination in r.destinations and r.sets_status
            ),
            warnings=self.cases.warnings.get(self.cases.ids[i], ()),
        )

    def answer(self, i: int) -> tuple[int, str | None, str]:
        """Return status, control number and charge of one case, to be compared with another view's."""
        charge = "" if self.regime.sets_status else self._charge(i)
        return int(self.status[i]), self._eccn(i), charge

    def _eccn(self, i: int) -> str | None:
        own = any(rule.eccn for rule in self.rules)
        if own and not self.regime.is_base:
            place = int(self.place[i])
            return None if place < 0 else (*(rule.eccn for rule in self.rules), "none")[place]
        return self.eccn[self.eccn_place[i]] if self.eccn_place[i] >= 0 else None

    def _computer_eccn(self, i: int) -> str:
        rules = {rule.eccn: rule.computer_eccn for r in self.regimes for rule in r.rules if rule.eccn}
        return rules.get(self._eccn(i) or "", "")

    def _rule(self, i: int) -> str:
        if self.status_before[i] >= 0 and self.status_before[i] not in self.regime.acts_on:
            return f"does not act on {STATUSES[self.status_before[i]]}"
        place = int(self.place[i])
        if place < 0:
            return "open: the specification does not say"
        return describe(self.rules[place]) if place < len(self.rules) else "no rule matches"

    def _charge(self, i: int) -> str:
        bands = tariff_band(self.cases.metrics, self.regime, len(self.cases.ids))[i]
        charge = next((charge for charge in self.regime.charges if charge.name == bands), None)
        if bands is None:
            return "open: the specification does not say"
        if charge is None or self.status[i] not in charge.on:
            return "no charge"
        return f"{charge.name}: {charge.rate:.0%} of the price"


def _before(first: Regime, second: Regime, book: RegimeBook) -> bool:
    return book.ids.index(first.id) < book.ids.index(second.id)


def describe(rule: Rule) -> str:
    """Return a rule as one line: its tests with their thresholds."""

    def show(metric: str, op: str, value: float) -> str:
        if METRICS[metric].flag:
            return f"{metric} {'yes' if value else 'no'}"
        return f"{metric} {op} {value:g}"

    both = " and ".join(show(c.metric, c.op, c.value) for c in rule.all_of)
    one = " or ".join(show(c.metric, c.op, c.value) for c in rule.any_of)
    return " and ".join(part for part in (both, f"({one})" if both and one else one) if part) or "always"
