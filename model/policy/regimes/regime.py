"""An export regime as data: conditions on metrics, rules, charges, caps, destinations and dates."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date

# Ordered from free to closed, except that `licence_approval` (presumption of approval) is for third countries.
STATUSES = ("none", "NAC", "licence_approval", "licence_case_by_case", "licence", "licence_denial")
NONE, NAC, LICENCE_APPROVAL, LICENCE_CASE_BY_CASE, LICENCE, LICENCE_DENIAL = range(len(STATUSES))


@dataclass(frozen=True, slots=True)
class Condition:
    """A test of one metric against a threshold; `lever` names the parameter that may replace the value."""

    metric: str
    op: str
    value: float
    lever: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """All of `all_of` and, where given, at least one of `any_of`; in force from `start`."""

    outcome: int
    all_of: tuple[Condition, ...] = ()
    any_of: tuple[Condition, ...] = ()
    eccn: str = ""
    computer_eccn: str = ""
    start: date | None = None
    exception: str = ""
    exception_if: tuple[Condition, ...] = ()

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """Return every condition that decides whether the rule matches."""
        return self.all_of + self.any_of


@dataclass(frozen=True, slots=True)
class Charge:
    """A share of the price that is paid on units with a status in `on` and inside the closed `ranges`."""

    name: str
    rate: float
    lever: str = ""
    on: tuple[int, ...] = tuple(range(len(STATUSES)))
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cap:
    """A limit on volumes."""

    kind: str
    value: float
    lever: str = ""


@dataclass(frozen=True, slots=True)
class Relief:
    """Milder outcomes for some destinations."""

    destinations: tuple[str, ...]
    outcomes: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Regime:
    """One regime; `destinations` are country ids of the model."""

    id: str
    name: str
    effective: date
    destinations: tuple[str, ...]
    ended: date | None = None
    announced: date | None = None
    compliance: date | None = None
    item: str = "chip"
    enforced: bool = True
    headquarters: bool = False
    acts_on: tuple[int, ...] = tuple(range(len(STATUSES)))
    otherwise: int | None = None
    rules: tuple[Rule, ...] = ()
    charges: tuple[Charge, ...] = ()
    caps: tuple[Cap, ...] = ()
    relief: tuple[Relief, ...] = ()
    replaces: tuple[str, ...] = ()
    texts: Mapping[str, object] = field(default_factory=dict)

    def in_force(self, day: date) -> bool:
        """Say whether the regime holds on a day, were it enforced."""
        return self.effective <= day and (self.ended is None or day < self.ended)

    def rules_on(self, day: date) -> tuple[Rule, ...]:
        """Return the rules that hold on a day, in order."""
        return tuple(rule for rule in self.rules if rule.start is None or rule.start <= day)

    @property
    def sets_status(self) -> bool:
        """Say whether the regime can change a status."""
        return bool(self.rules) or self.otherwise is not None

    @property
    def is_base(self) -> bool:
        """Say whether the regime stands alone, whatever earlier ones said."""
        return self.otherwise is not None and len(self.acts_on) == len(STATUSES)


@dataclass(frozen=True, slots=True)
class RegimeBook:
    """Regimes in the order in which they take force."""

    regimes: tuple[Regime, ...]

    def __getitem__(self, regime_id: str) -> Regime:
        return next(regime for regime in self.regimes if regime.id == regime_id)

    @property
    def ids(self) -> tuple[str, ...]:
        """Return the ids in order of date."""
        return tuple(regime.id for regime in self.regimes)

    def on(self, day: date, item: str = "chip") -> tuple[Regime, ...]:
        """Return the enforced regimes on an item that hold on a day."""
        return tuple(r for r in self.regimes if r.enforced and r.item == item and r.in_force(day))

    def switched(self, on: tuple[str, ...] = (), off: tuple[str, ...] = ()) -> "RegimeBook":
        """Return the book with some regimes enforced and others not; an id in both is off."""
        chosen = {**dict.fromkeys(on, True), **dict.fromkeys(off, False)}
        return RegimeBook(tuple(replace(r, enforced=chosen.get(r.id, r.enforced)) for r in self.regimes))

    def turning_days(self, item: str = "chip") -> tuple[date, ...]:
        """Return the days on which what is in force changes, in order."""
        days = set()
        for regime in self.regimes:
            if regime.enforced and regime.item == item:
                days.update({regime.effective, *(rule.start for rule in regime.rules if rule.start)})
                days.update({regime.ended} if regime.ended else set())
        return tuple(sorted(days))
