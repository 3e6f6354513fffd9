"""Compliant variants: the best product that the rules of the day let through, derived from a parent.

A designer may cut compute (units fused off), memory bandwidth and links of a chip whose die stays as it is. A
buyer's value follows the roofline (Williams, Waterman and Patterson, CACM 52(4), 2009) with Amdahl's law over
phases: work that spent the shares w of its time bound by compute, memory and links runs at the rate
1 / sum(w / factor). Value rises in every factor, so the best product lies where rules begin to bind: just under
thresholds, or on the line where memory and links share one limit.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from computemarket.model.core.arrays import Bools, Floats
from computemarket.model.policy.regimes.compose import compose
from computemarket.model.policy.regimes.conditions import Thresholds, threshold
from computemarket.model.policy.regimes.metrics import exact
from computemarket.model.policy.regimes.regime import NONE, Condition, Regime

_SUM = "dram_plus_io_gbps"
LEAST_FACTOR = 0.02  # a chip cut below a fiftieth is another chip


@dataclass(frozen=True, slots=True)
class Parent:
    """The chip to derive from; arrays (…) of one shape, a leading runs axis first where there is one."""

    tpp: Floats
    pd: Floats  # TPP/mm2
    dram_bw_gbps: Floats
    link_gbps: Floats  # chip-to-chip links, both directions
    pcie_gbps: Floats  # kept as it is: a host needs it
    datacenter: Floats  # 1 or 0


@dataclass(frozen=True, slots=True)
class Variant:
    """The best product that passes; where none does (or none is needed) see `passes` and `value`."""

    tpp: Floats
    pd: Floats
    dram_bw_gbps: Floats
    link_gbps: Floats
    io_bidir_gbps: Floats
    value: Floats  # rate of the buyer's work relative to the parent, 0 where nothing passes
    passes: Bools


@dataclass(frozen=True, slots=True)
class WorkMix:
    """Shares of the buyer's time on the parent bound by compute (prefill), memory (decode) and links; sum 1."""

    compute: Floats | float
    memory: Floats | float
    links: Floats | float


def relative_rate(mix: WorkMix, compute: Floats, memory: Floats, links: Floats) -> Floats:
    """Return the rate of work relative to the parent's, 1 / (w_c/f_c + w_m/f_m + w_l/f_l).

    Parameters
    ----------
    mix : shares of time, numbers or arrays that broadcast with the factors
    compute, memory, links : (…) remaining shares of the parent's rates, above 0
    """
    return 1.0 / (mix.compute / compute + mix.memory / memory + mix.links / links)


def design_variant(
    regimes: Sequence[Regime],
    day: date,
    destination: str,
    parent: Parent,
    mix: WorkMix,
    accepted: Sequence[int] = (NONE,),
    design_margin: Floats | float = 0.01,
    link_step_gbps: float = 0.0,
    levers: Thresholds | None = None,
) -> Variant:
    """Return the best variant of a parent whose status for a destination is accepted.

    Parameters
    ----------
    regimes : in force on `day`, in order
    destination : country id
    parent : specification arrays (…)
    mix : what the buyer does with it; arrays must have the parent's shape
    accepted : statuses under which the vendor can sell
    design_margin : how far under a threshold the vendor stays, share of it; a number or (…)
    link_step_gbps : rate of one link; links are cut one by one (0: any rate)
    levers : thresholds, numbers or arrays that broadcast with the parent's shape
    """
    levers = levers or {}
    base = np.broadcast_shapes(parent.tpp.shape, *(np.shape(value) for value in levers.values()))
    limits = _Limits(
        regimes, day, levers, np.broadcast_to(np.asarray(design_margin, dtype=np.float64), base), base
    )
    computes = _stack([np.ones(base), *limits.compute_factors(parent)])
    memory, links = _bandwidths(limits, parent, mix, base)
    if link_step_gbps > 0:
        links = _whole_links(parent, links, link_step_gbps)
    return _best(regimes, day, destination, parent, mix, accepted, levers, computes, memory, links)


class _Limits:
    """Values just under the thresholds of the regimes, as shares of a parent's rates."""

    def __init__(
        self, regimes: Sequence[Regime], day: date, levers: Thresholds, margin: Floats, base: tuple[int, ...]
    ) -> None:
        self._conditions = [c for r in regimes for rule in r.rules_on(day) for c in rule.conditions]
        self._levers, self._margin, self._base = levers, margin, base

    def lines(self, metric: str) -> Iterator[Floats]:
        """Yield each threshold on a metric, the margin taken off."""
        seen: list[Condition] = []
        for condition in self._conditions:
            if condition.metric == metric and condition not in seen:
                seen.append(condition)
                yield np.broadcast_to(threshold(condition, self._levers), self._base) * (1.0 - self._margin)

    def compute_factors(self, parent: Parent) -> Iterator[Floats]:
        """Yield the factors on compute that bring TPP or density just under a threshold."""
        for line in self.lines("tpp"):
            yield _share(line, parent.tpp)
        for line in self.lines("pd"):
            yield _share(line, parent.pd)


def _share(line: Floats, of: Floats) -> Floats:
    """Return line / of, kept within what a variant may be."""
    return np.clip(line / np.where(of > 0, of, np.inf), LEAST_FACTOR, 1.0)


def _bandwidths(
    limits: _Limits, parent: Parent, mix: WorkMix, base: tuple[int, ...]
) -> tuple[Floats, Floats]:
    """Return pairs of factors (…, K) on memory and links worth trying."""
    full = np.ones(base)
    memory = [full, *(_share(line, parent.dram_bw_gbps) for line in limits.lines("dram_bw_gbps"))]
    links = [full, *(_link_share(line, parent) for line in limits.lines("io_bidir_gbps"))]
    pairs = [(m, n) for m in memory for n in links]
    for line in limits.lines(_SUM):
        rest = line - parent.pcie_gbps
        m_best, n_best = _on_the_line(rest, parent, mix)
        pairs.append((m_best, n_best))
        pairs += [
            (m, _share(np.maximum(rest - m * parent.dram_bw_gbps, 0.0), parent.link_gbps)) for m in memory
        ]
        pairs += [
            (_share(np.maximum(rest - n * parent.link_gbps, 0.0), parent.dram_bw_gbps), n) for n in links
        ]
    return _stack([pair[0] for pair in pairs]), _stack([pair[1] for pair in pairs])


def _link_share(line: Floats, parent: Parent) -> Floats:
    return _share(np.maximum(line - parent.pcie_gbps, 0.0), parent.link_gbps)


def _on_the_line(total: Floats, parent: Parent, mix: WorkMix) -> tuple[Floats, Floats]:
    """Return the factors that maximise the rate where memory plus links must not exceed `total`.

    Minimising w_m/f_m + w_l/f_l subject to f_m D + f_l L = T gives f proportional to sqrt(w / rate).
    """
    memory_weight = np.sqrt(mix.memory * parent.dram_bw_gbps)
    link_weight = np.sqrt(mix.links * parent.link_gbps)
    total = np.maximum(total, 0.0)
    both = np.maximum(memory_weight + link_weight, 1e-300)
    return (
        _share(total * memory_weight / both, parent.dram_bw_gbps),
        _share(total * link_weight / both, parent.link_gbps),
    )


def _whole_links(parent: Parent, links: Floats, step_gbps: float) -> Floats:
    """Return link factors rounded down to whole links (a full set stays full)."""
    whole = parent.link_gbps[..., None]
    cut = np.floor(links * whole / step_gbps * (1 + 1e-12)) * step_gbps / np.where(whole > 0, whole, 1.0)
    return np.where(links >= 1.0, links, np.maximum(cut, LEAST_FACTOR))


def _stack(factors: list[Floats]) -> Floats:
    return np.stack(factors, axis=-1)


def _best(
    regimes: Sequence[Regime],
    day: date,
    destination: str,
    parent: Parent,
    mix: WorkMix,
    accepted: Sequence[int],
    levers: Thresholds,
    computes: Floats,
    memory: Floats,
    links: Floats,
) -> Variant:
    """Try every pair of a compute factor and a pair of bandwidth factors; return the best that passes."""
    count, pairs = computes.shape[-1], memory.shape[-1]
    compute = np.repeat(computes, pairs, axis=-1)
    memory, links = np.tile(memory, count), np.tile(links, count)
    tpp, pd = _times(parent.tpp, compute), _times(parent.pd, compute)
    dram, link = _times(parent.dram_bw_gbps, memory), _times(parent.link_gbps, links)
    io = link + _times(parent.pcie_gbps, np.ones_like(links))
    metrics = {
        "tpp": exact(tpp),
        "pd": exact(pd),
        "dram_bw_gbps": exact(dram),
        "io_bidir_gbps": exact(io),
        _SUM: exact(dram + io),
        "datacenter": exact(_times(parent.datacenter, np.ones_like(links))),
    }
    wide = {name: np.asarray(value, dtype=np.float64)[..., None] for name, value in levers.items()}
    possible = compose(regimes, day, metrics, destination, wide).possible
    passes = np.zeros(tpp.shape, dtype=bool)
    for status in accepted:
        passes |= possible[..., status]
    wide_mix = WorkMix(*(_wide(w) for w in (mix.compute, mix.memory, mix.links)))
    value = np.where(passes, relative_rate(wide_mix, compute, memory, links), 0.0)
    best = value.argmax(axis=-1)[..., None]

    def pick(array: Floats) -> Floats:
        return np.take_along_axis(np.broadcast_to(array, value.shape), best, axis=-1)[..., 0]

    return Variant(
        pick(tpp), pick(pd), pick(dram), pick(link), pick(io), pick(value), pick(passes).astype(bool)
    )


def _times(array: Floats, factors: Floats) -> Floats:
    return np.asarray(array, dtype=np.float64)[..., None] * factors


def _wide(weight: Floats | float) -> Floats:
    array = np.asarray(weight, dtype=np.float64)
    return array[..., None] if array.ndim else array


def worth_selling(
    variant: Variant,
    parent_price_usd: Floats,
    unit_cost_usd: Floats,
    units: Floats,
    design_cost_usd: Floats | float,
    charge: Floats | float = 0.0,
    forgone_margin_usd: Floats | float = 0.0,
) -> Bools:
    """Say where a variant pays: its margin over the units beats the cost of designing it.

    The price is the parent's times the relative rate, the buyer paying for work done; where packaging binds,
    each unit displaces a unit for other buyers and bears their forgone margin.

    Parameters
    ----------
    variant : from `design_variant`
    parent_price_usd, unit_cost_usd : (…) per unit; the die is the parent's, so is its cost
    units : (…) units the destination would buy over the variant's life
    design_cost_usd : once
    charge : share of the price paid to the state
    forgone_margin_usd : per unit, 0 where supply is slack
    """
    margin = variant.value * parent_price_usd * (1.0 - charge) - unit_cost_usd - forgone_margin_usd
    return variant.passes & (margin * units > design_cost_usd)
