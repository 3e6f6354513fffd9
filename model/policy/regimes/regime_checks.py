"""What no regime may say: thresholds that never match, dates out of order, caps and charges that overlap."""

from collections.abc import Iterable
from datetime import date
from itertools import combinations, pairwise

import numpy as np

from computemarket.errors import InputError
from computemarket.model.policy.regimes.metrics import METRICS
from computemarket.model.policy.regimes.regime import Condition, Regime, Rule

Box = dict[str, tuple[float, float]]  # metric -> closed interval of values that pass


def check_regime(regime: Regime, where: str) -> None:
    """Raise InputError where a regime contradicts itself."""
    _check_dates(regime, where)
    _check_rules(regime, where)
    _check_bands(regime, where)
    if not (regime.sets_status or regime.charges or regime.caps):
        raise InputError(f"{where}: rule", None, "a regime with a rule, a charge, a band or a cap")
    if not regime.destinations:
        raise InputError(f"{where}: destinations", [], "a list of at least one country")


def check_book(regimes: Iterable[Regime], where: str) -> None:
    """Raise InputError where two regimes in force at once cap the same thing, or stand as base."""
    for first, second in combinations([r for r in regimes if r.enforced], 2):
        day = max(first.effective, second.effective)
        shared = sorted(set(first.destinations) & set(second.destinations))
        if not (shared and first.in_force(day) and second.in_force(day)):
            continue
        for kind in sorted({cap.kind for cap in first.caps} & {cap.kind for cap in second.caps}):
            raise InputError(
                f"{where}: {second.id}: caps: {kind}",
                f"for {shared[0]} from {day}",
                f"free: {first.id} caps it already (end it, or list it under `replaces`)",
            )
        if first.is_base and second.is_base and first.item == second.item:
            raise InputError(
                f"{where}: {second.id}: effective",
                str(day),
                f"a day on which no other base regime holds: {first.id} does (end it, or list it under `replaces`)",
            )


def _check_dates(regime: Regime, where: str) -> None:
    named = [("announced", regime.announced), ("effective", regime.effective), ("ended", regime.ended)]
    known: list[tuple[str, date]] = [(name, day) for name, day in named if day is not None]
    for (earlier, before), (later, after) in pairwise(known):
        if after < before or (later == "ended" and after == before):
            raise InputError(f"{where}: {later}", str(after), f"after {earlier} ({before})")
    if regime.compliance is not None and regime.compliance < regime.effective:
        raise InputError(
            f"{where}: compliance", str(regime.compliance), f"on or after effective ({regime.effective})"
        )
    for rule in regime.rules:
        if rule.start is not None and regime.ended is not None and rule.start >= regime.ended:
            raise InputError(f"{where}: rule: from", str(rule.start), f"before ended ({regime.ended})")


def _check_rules(regime: Regime, where: str) -> None:
    earlier: list[tuple[int, Box, bool]] = []
    for place, rule in enumerate(regime.rules, 1):
        boxes = boxes_of(rule)
        live = [box for box in boxes if not _empty(box)]
        if not live or len(live) < len(boxes):
            shown = " and ".join(f"{c.metric} {c.op} {c.value:g}" for c in rule.conditions)
            raise InputError(
                f"{where}: rule {place}", shown, "a threshold that can match: no chip can pass it"
            )
        for box in live:
            for other, seen, always in earlier:
                if always and _inside(box, seen):
                    raise InputError(
                        f"{where}: rule {place}",
                        f"{_shown(box)}",
                        f"reached: rule {other} always matches first",
                    )
        earlier.extend((place, box, rule.start is None) for box in live)


def boxes_of(rule: Rule) -> list[Box]:
    """Return the boxes of metric values that a rule matches, one for each alternative of `any_of`."""
    alternatives: list[tuple[Condition, ...]] = [(c,) for c in rule.any_of] or [()]
    return [_box(rule.all_of + alternative) for alternative in alternatives]


def _box(conditions: tuple[Condition, ...]) -> Box:
    box: Box = {}
    for condition in conditions:
        low, high = box.get(condition.metric, (0.0, METRICS[condition.metric].largest))
        value = condition.value
        if condition.op in (">=", "==", ">"):
            low = max(low, value if condition.op != ">" else float(np.nextafter(value, np.inf)))
        if condition.op in ("<=", "==", "<"):
            high = min(high, value if condition.op != "<" else float(np.nextafter(value, -np.inf)))
        box[condition.metric] = (low, high)
    return box


def _empty(box: Box) -> bool:
    if any(low > high for low, high in box.values()):
        return True
    least = sum(box.get(metric, (0.0, 0.0))[0] for metric in ("dram_bw_gbps", "io_bidir_gbps"))
    return least > box.get("dram_plus_io_gbps", (0.0, np.inf))[1]


def _inside(box: Box, outer: Box) -> bool:
    return all(
        metric in box and low <= box[metric][0] and box[metric][1] <= high
        for metric, (low, high) in outer.items()
    )


def _shown(box: Box) -> str:
    return ", ".join(f"{metric} {low:g}..{high:g}" for metric, (low, high) in box.items()) or "any chip"


def _check_bands(regime: Regime, where: str) -> None:
    for charge in regime.charges:
        for metric, (low, high) in charge.ranges.items():
            if low >= high:
                raise InputError(
                    f"{where}: {charge.name}: {metric}",
                    [low, high],
                    "[above this, below that]: nothing can match it",
                )
    for first, second in combinations(regime.charges, 2):
        shared_status = set(first.on) & set(second.on)
        metrics = set(first.ranges) | set(second.ranges)
        apart = any(_apart(first.ranges.get(m), second.ranges.get(m)) for m in metrics)
        if shared_status and not apart:
            raise InputError(
                f"{where}: {second.name}", dict(second.ranges), f"apart from {first.name}: the two overlap"
            )


def _apart(first: tuple[float, float] | None, second: tuple[float, float] | None) -> bool:
    return first is not None and second is not None and (first[1] <= second[0] or second[1] <= first[0])
