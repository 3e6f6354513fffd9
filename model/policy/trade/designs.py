"""Variants that vendors design in answer to rules: when, from which chip, cut how far, and at what price.

The variants of the record (A800, H800, H20, MI308X) have rows of their own among the products. Where the rules of a
scenario leave a vendor without them, it designs another into a free row: the best cut of what it sells elsewhere, if
that beats what it may still sell and pays. It is designed to need no notice, and is the same in all runs: made for the
middle of what is uncertain.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np

from computemarket.model.core.arrays import Bools, Floats, Ints
from computemarket.model.core.calendar import QUARTERS
from computemarket.model.policy.regimes.conditions import Thresholds
from computemarket.model.policy.regimes.metrics import Bounds, Metrics, exact
from computemarket.model.policy.regimes.regime import NONE, RegimeBook
from computemarket.model.policy.trade.access import access_status, quarter_days
from computemarket.model.policy.trade.variants import (
    Parent,
    WorkMix,
    design_variant,
    relative_rate,
    worth_selling,
)
from computemarket.model.world.rates import Rates
from computemarket.model.world.world import H100_TPP, World

DESTINATION = "china"
SLOT = "_variant_"  # products of this name are free rows: <vendor>_variant_<number>
HOST_GBPS = 128.0  # of the host interface, both directions; source: PCIe 5.0 x16
REFERENCE_LINK_GBPS = 900.0  # of an H100: what links are measured by; source: NVIDIA H100 data sheet


@dataclass(frozen=True, slots=True)
class DesignTerms:
    """How vendors design; see the parameters policy.variant_*."""

    mix: WorkMix
    margin: float  # distance from a threshold, share of it
    link_step_gbps: float
    cost_usd: float
    units: float  # a vendor expects to sell
    lag_quarters: int  # from a rule to the variant on sale
    gain: float  # over what may still be sold, below which no variant is designed
    life_quarters: int
    power_floor: float  # share of power that does not fall with compute
    close_days: int


@dataclass(frozen=True, slots=True)
class Design:
    """One variant."""

    slot: int  # place among the products
    parent: int
    launch: int
    end: int
    tpp: float
    pd: float
    dram_bw_gbps: float
    link_gbps: float
    io_bidir_gbps: float
    compute: float  # shares of the parent's that are left
    memory: float
    value: float  # rate of work, of the parent's

    def metrics(self) -> dict[str, float]:
        """Return what rules look at."""
        return {
            "tpp": self.tpp,
            "pd": self.pd,
            "dram_bw_gbps": self.dram_bw_gbps,
            "io_bidir_gbps": self.io_bidir_gbps,
            "dram_plus_io_gbps": self.dram_bw_gbps + self.io_bidir_gbps,
        }


def free_slots(world: World) -> dict[int, list[int]]:
    """Return the free rows of each vendor."""
    slots: dict[int, list[int]] = {}
    for place, name in enumerate(world.products.ids):
        if SLOT in name:
            slots.setdefault(int(world.products.vendor[place]), []).append(place)
    return slots


@dataclass(frozen=True, slots=True)
class _Known:
    """What a vendor knows of the rules."""

    book: RegimeBook
    levers: Thresholds


class Designer:
    """Goes through the quarters and notes what each vendor designs."""

    def __init__(
        self,
        world: World,
        metrics: Metrics,
        made_for: Sequence[int],
        book: RegimeBook,
        levers: Callable[[int], Thresholds],
        terms: DesignTerms,
    ) -> None:
        self.world, self.book, self.levers, self.terms = world, book, levers, terms
        self.metrics = {name: np.asarray(bounds.low, dtype=np.float64) for name, bounds in metrics.items()}
        self.made_for = np.isin(np.arange(len(world.products.ids)), made_for)  # (P,)
        self.worth = self._worth()
        self.densest = float(self.metrics["pd"][world.products.merchant].max())

    def designs(self) -> tuple[Design, ...]:
        """Return what all vendors design, in order of launch."""
        found = [
            d for vendor, slots in free_slots(self.world).items() for d in self._of_vendor(vendor, slots)
        ]
        return tuple(sorted(found, key=lambda d: (d.launch, d.slot)))

    def _worth(self) -> Floats:
        """Return (P,) the rate of the buyer's work, of an H100."""
        link = np.maximum(self.metrics["io_bidir_gbps"], 1.0) / REFERENCE_LINK_GBPS
        compute = self.metrics["tpp"] / H100_TPP
        memory = np.maximum(self.metrics["dram_bw_gbps"], 1.0) / 3352.0
        return relative_rate(self.terms.mix, np.maximum(compute, 1e-3), memory, link)

    def _of_vendor(self, vendor: int, slots: list[int]) -> list[Design]:
        products = self.world.products
        made: list[Design] = []
        mine = (
            (products.vendor == vendor)
            & (products.packages_per_wafer > 0)
            & (products.launch < len(QUARTERS))
        )
        left = list(slots)
        for quarter in range(len(QUARTERS) - self.terms.lag_quarters):
            if not left:
                break
            if made and quarter < made[-1].launch:
                continue
            found = self._answer(quarter, mine, made, left[0])
            if found is not None:
                made.append(found)
                left.pop(0)
        return made

    def _answer(self, quarter: int, mine: Bools, made: list[Design], slot: int) -> Design | None:
        """Return the variant that a vendor starts to design in a quarter, None where none is needed or pays."""
        launch, products = quarter + self.terms.lag_quarters, self.world.products
        known = self._known(quarter)
        sold = mine & (products.launch <= quarter) & (products.end >= quarter)
        parents = np.flatnonzero(sold & ~self.made_for)
        open_then = self._open(known, launch, self.metrics)
        closed = parents[~open_then[parents]]
        if not len(closed):
            return None
        best, value = self._best(known, launch, closed)
        if best is None or value <= (1 + self.terms.gain) * self._offered(
            known, launch, mine & open_then, made
        ):
            return None
        return replace(
            best, slot=slot, launch=launch, end=min(launch + self.terms.life_quarters, len(QUARTERS) - 1)
        )

    def _known(self, quarter: int) -> _Known:
        """Return the regimes announced by the end of a quarter, and thresholds as they then are."""
        day = self._last_day(quarter)
        announced = tuple(r for r in self.book.regimes if (r.announced or r.effective) <= day)
        return _Known(RegimeBook(announced), self.levers(quarter))

    def _last_day(self, quarter: int) -> date:
        return quarter_days(quarter)[1] + timedelta(days=self.terms.close_days - 1)

    def _open(self, known: _Known, launch: int, metrics: Mapping[str, Floats]) -> Bools:
        """Return what will need no notice or licence for the destination, by what is known."""
        bounds = {name: exact(values) for name, values in metrics.items()}
        found = access_status(known.book, bounds, (DESTINATION,), launch, known.levers, self.terms.close_days)
        return np.asarray(found.status[0, 0] == NONE)

    def _offered(self, known: _Known, launch: int, free: Bools, made: list[Design]) -> float:
        """Return the best worth that the vendor may sell to the destination by the time a design would be ready."""
        products = self.world.products
        soon = free & (products.launch <= launch + self.terms.lag_quarters) & (products.end >= launch)
        best = float(np.where(soon, self.worth, 0.0).max())
        for design in made:
            if design.end >= launch and self._open(known, launch, self._as_metrics(design))[0]:
                best = max(best, design.value * float(self.worth[design.parent]))
        return best

    def _as_metrics(self, design: Design) -> dict[str, Floats]:
        own = design.metrics()
        return {
            name: np.array([own.get(name, float(values[design.parent]))])
            for name, values in self.metrics.items()
        }

    def _best(self, known: _Known, launch: int, parents: Ints) -> tuple[Design | None, float]:
        """Return the variant that earns most and what it is worth to the buyer."""
        products, terms = self.world.products, self.terms
        chip = self._parent(parents)
        day = self._last_day(launch)
        variant = design_variant(
            known.book.on(day), day, DESTINATION, chip, terms.mix, (NONE,), terms.margin, terms.link_step_gbps,
            {name: np.asarray(value).reshape(-1)[0] for name, value in known.levers.items()},
        )  # fmt: skip
        price, cost = products.price_usd[parents], products.unit_cost_usd[parents]
        pays = worth_selling(variant, price, cost, np.full(len(parents), terms.units), terms.cost_usd)
        profit = np.where(pays & (variant.value < 1.0), variant.value * price - cost, -np.inf)
        place = int(profit.argmax())
        if not np.isfinite(profit[place]):
            return None, 0.0
        parent = int(parents[place])
        design = Design(
            -1, parent, -1, -1, float(variant.tpp[place]), float(variant.pd[place]),
            float(variant.dram_bw_gbps[place]), float(variant.link_gbps[place]), float(variant.io_bidir_gbps[place]),
            float(variant.tpp[place] / chip.tpp[place]), float(variant.dram_bw_gbps[place] / chip.dram_bw_gbps[place]),
            float(variant.value[place]),
        )  # fmt: skip
        return design, design.value * float(self.worth[parent])

    def _parent(self, places: Ints) -> Parent:
        """Return the chips to cut; what of their I/O is links follows from the host interface."""
        tpp, pd, dram, io = (
            np.take(self.metrics[name], places) for name in ("tpp", "pd", "dram_bw_gbps", "io_bidir_gbps")
        )
        pcie = np.minimum(HOST_GBPS, io)
        # who has not published the area of a die has made it as dense as the densest that is known
        pd = np.where(pd > 0, pd, max(self.densest, float(pd.max())))
        return Parent(tpp, pd, dram, io - pcie, pcie, np.ones(len(places)))


def with_designs(
    world: World, rates: Rates, designs: Sequence[Design], terms: DesignTerms
) -> tuple[World, Rates]:
    """Return the world and rates with designs in their rows."""
    if not designs:
        return world, rates
    products = world.products
    slot, parent = (np.array([getattr(d, name) for d in designs]) for name in ("slot", "parent"))
    value, compute, memory = (
        np.array([getattr(d, name) for d in designs]) for name in ("value", "compute", "memory")
    )

    def put(array: Floats, values: Floats) -> Floats:
        changed = array.copy()
        changed[slot] = values
        return changed

    def put_whole(array: Ints, values: Ints) -> Ints:
        changed = array.copy()
        changed[slot] = values
        return changed

    def as_parent(array: Floats) -> Floats:
        return put(array, np.take(array, parent, axis=0))

    launch = put_whole(products.launch, np.array([d.launch for d in designs], dtype=np.int64))
    changed = replace(
        products,
        launch=launch,
        end=put_whole(products.end, np.array([d.end for d in designs], dtype=np.int64)),
        announced=put_whole(products.announced, np.array([d.launch for d in designs], dtype=np.int64)),
        price_usd=put(products.price_usd, value * np.take(products.price_usd, parent)),
        replaces=put_whole(products.replaces, parent),
        unit_cost_usd=as_parent(products.unit_cost_usd),
        packages_per_wafer=as_parent(products.packages_per_wafer),
        hbm_gb=as_parent(products.hbm_gb),
        network_content=as_parent(products.network_content),
        system_content=as_parent(products.system_content),
    )
    h100e = put(rates.h100e, compute * np.take(rates.h100e, parent))
    # no cut serves more per peak rate than the best there is: what one may expect does not hang on a design
    best = (rates.tokens_per_s / rates.h100e[:, None]).max(axis=0)
    served = np.minimum(
        value[:, None] * np.take(rates.tokens_per_s, parent, axis=0), h100e[slot, None] * best
    )
    power = terms.power_floor + (1 - terms.power_floor) * compute
    made = replace(
        rates,
        h100e=h100e,
        h100e_tpp=put(rates.h100e_tpp, compute * np.take(rates.h100e_tpp, parent)),
        power_kw=put(rates.power_kw, power * np.take(rates.power_kw, parent)),
        tokens_per_s=put(rates.tokens_per_s, served),
        bandwidth=put(rates.bandwidth, memory * np.take(rates.bandwidth, parent)),
        maturity=as_parent(rates.maturity),
    )
    return replace(world, products=changed), made


def counted(metrics: Mapping[str, Bounds], designs: Sequence[Design]) -> dict[str, Bounds]:
    """Return the legal metrics of the products with those of designs in their rows."""
    low = {name: np.array(bounds.low, dtype=np.float64) for name, bounds in metrics.items()}
    for design in designs:
        for values in low.values():
            values[design.slot] = values[design.parent]
        for name, value in design.metrics().items():
            low[name][design.slot] = value
    return {name: exact(array) for name, array in low.items()}
