"""How far a chip is from another status: the smallest change of one specification that brings it there."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from computemarket.model.policy.regimes.compose import compose
from computemarket.model.policy.regimes.metrics import METRICS, Bounds, Metrics
from computemarket.model.policy.regimes.regime import STATUSES, Condition, Regime

_MOVES = {  # what a designer changes -> metrics that move with it (density moves with TPP)
    "tpp": ("tpp", "pd"),
    "pd": ("pd",),
    "dram_bw_gbps": ("dram_bw_gbps", "dram_plus_io_gbps"),
    "io_bidir_gbps": ("io_bidir_gbps", "dram_plus_io_gbps"),
    "hbm_density": ("hbm_density",),
    "transistors_bn": ("transistors_bn",),
}
_ACROSS = 1e-9  # relative step that takes a value across a line
Spec = dict[str, tuple[float, float]]  # metric -> bounds of one product


@dataclass(frozen=True, slots=True)
class Margin:
    """The nearest threshold whose crossing changes the status, everything else held."""

    metric: str
    value: float
    threshold: float
    status_beyond: str

    @property
    def share(self) -> float:
        """Return the relative change that reaches the threshold; negative is a cut."""
        return self.threshold / self.value - 1 if self.value else np.inf

    def __str__(self) -> str:
        unit = METRICS[self.metric].unit
        step = f" ({self.share:+.1%})" if np.isfinite(self.share) else ""
        return f"{self.metric} {self.value:g} to {self.threshold:g} {unit}{step}: {self.status_beyond}"


def nearest_margin(
    regimes: Sequence[Regime], day: date, metrics: Metrics, i: int, destination: str
) -> Margin | None:
    """Return the margin of product `i` under regimes in force together, None where nothing changes its status.

    The status beyond is "open" where the specification does not determine it there.
    """
    here = {name: (float(b.low[i]), float(b.high[i])) for name, b in metrics.items()}
    conditions = {c: None for r in regimes for rule in r.rules_on(day) for c in rule.conditions}
    trials = [
        (name, target, moved)
        for name in _MOVES
        if name in here and here[name][0] == here[name][1]
        for target, moved in _crossings(name, here, conditions)
    ]
    if not trials:
        return None
    now = compose(regimes, day, _stacked([here]), destination).status[0]
    beyond = compose(regimes, day, _stacked([moved for _, _, moved in trials]), destination).status
    found = [
        Margin(name, here[name][0], target, STATUSES[code] if code >= 0 else "open")
        for (name, target, _), code in zip(trials, beyond, strict=True)
        if code != now
    ]
    return min(found, key=lambda margin: abs(margin.share)) if found else None


def _stacked(specs: Sequence[Spec]) -> dict[str, Bounds]:
    return {
        name: Bounds(np.array([spec[name][0] for spec in specs]), np.array([spec[name][1] for spec in specs]))
        for name in specs[0]
    }


def _crossings(name: str, here: Spec, conditions: dict[Condition, None]) -> Iterator[tuple[float, Spec]]:
    """Yield (value at the line, bounds just across it) for each threshold a specification can cross."""
    value = here[name][0]
    for condition in conditions:
        if condition.metric not in _MOVES[name]:
            continue
        target = _value_at(name, condition.metric, condition.value, here)
        if target is None or target < 0:
            continue
        line_counts = condition.op in (">=", "<")  # the line itself is on the upper side
        above = value >= target if line_counts else value > target
        across = target * (1 - _ACROSS if above else 1 + _ACROSS)
        yield target, _moved(name, across, here)


def _value_at(name: str, metric: str, line: float, here: Spec) -> float | None:
    """Return the value of a specification that puts a metric on its line, None where that is unknown."""
    if metric == name:
        return line
    low, high = here[metric]
    if low != high:
        return None
    if metric == "pd":
        return here["tpp"][0] * line / low if low > 0 else None
    return line - (low - here[name][0])  # the sum: the other part held


def _moved(name: str, value: float, here: Spec) -> Spec:
    moved = {**here, name: (value, value)}
    if name == "tpp" and here["tpp"][0] > 0 and here["pd"][0] == here["pd"][1]:
        density = here["pd"][0] * value / here["tpp"][0]
        moved["pd"] = (density, density)
    if name in ("dram_bw_gbps", "io_bidir_gbps"):
        step = value - here[name][0]
        low, high = here["dram_plus_io_gbps"]
        moved["dram_plus_io_gbps"] = (low + step, high + step)
    return moved
