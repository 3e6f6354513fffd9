"""Access of the products on sale by country and quarter, from the regimes and the compliant variants."""

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np

from computemarket.errors import InputError
from computemarket.model.core.arrays import Bools, Floats
from computemarket.model.core.calendar import QUARTERS, quarters_since_start
from computemarket.model.core.parameters import schema
from computemarket.model.core.texts import nearest
from computemarket.model.policy.classification.products import product_metrics
from computemarket.model.policy.regimes.conditions import Thresholds
from computemarket.model.policy.regimes.metrics import Bounds, Metrics, exact
from computemarket.model.policy.regimes.regime import Regime, RegimeBook
from computemarket.model.policy.regimes.regime_files import load_regimes, with_regimes
from computemarket.model.policy.trade.access import (
    QuarterAccess,
    access_status,
    regime_levers,
    with_indexation,
)
from computemarket.model.world.world import Products, load_world

if TYPE_CHECKING:
    from computemarket.model.policy.trade.designs import Design

INDEXED_FROM = quarters_since_start("2026Q4")
_COUNTED = ("tpp", "pd", "dram_bw_gbps", "io_bidir_gbps")


@dataclass(frozen=True, slots=True)
class Rules:
    """Which regimes hold in a scenario: files of its own, switches, and what is known."""

    files: tuple[tuple[str, bytes], ...] = ()  # name, TOML text
    enforce: tuple[str, ...] = ()
    suspend: tuple[str, ...] = ()
    known_until: date | None = None  # regimes announced later are unknown, so not in force

    def book(self) -> RegimeBook:
        """Return the regimes in force.

        Raises
        ------
        InputError
            for a file of regimes that cannot hold.
        """
        book = load_regimes()
        for name, raw in self.files:
            book = with_regimes(book, raw, name)
        if self.known_until is not None:
            shipped = load_regimes().ids
            keep = (
                replace(r, enforced=r.enforced and (r.id not in shipped or _announced(r) <= self.known_until))
                for r in book.regimes
            )
            book = RegimeBook(tuple(keep))
        check_names((*self.enforce, *self.suspend), book)
        return book.switched(self.enforce, self.suspend)


def _announced(regime: Regime) -> date:
    return regime.announced or regime.effective


def check_names(ids: tuple[str, ...], book: RegimeBook, where: str = "enforce or suspend") -> None:
    """Refuse the id of a regime that there is not.

    Raises
    ------
    InputError
        with the nearest known id.
    """
    for name in ids:
        if name not in book.ids:
            raise InputError(where, name, f"the id of a regime{nearest(name, book.ids)}")


@dataclass(frozen=True, slots=True)
class Variants:
    """Products made for one country, and the products that count as another card there."""

    only_in: Mapping[int, str]  # product -> the one country in which it is sold
    counts_as: Mapping[str, Mapping[int, Mapping[str, float]]]  # country -> product -> metrics
    resold_as: Mapping[
        int, int
    ]  # product -> what it becomes when the rule stops it, where the cut can be undone

    def with_designs(self, designs: "Sequence[Design]", country: str) -> "Variants":
        """Return these variants and those designed for a country."""
        return replace(self, only_in={**self.only_in, **dict.fromkeys((d.slot for d in designs), country)})


def compliant_variants(products: Products) -> Variants:
    """Read the compliant variants there have been."""
    text = files("computemarket.model.data").joinpath("policy", "compliant_variants.csv").read_text("utf-8")
    only_in: dict[int, str] = {}
    resold_as: dict[int, int] = {}
    counts_as: dict[str, dict[int, Mapping[str, float]]] = {}
    for row in csv.DictReader(text.splitlines()):
        place = products.ids.index(row["product"])
        if row["sold_elsewhere"] == "0":
            only_in[place] = row["destination"]
        if row["tpp"]:
            metrics = {name: float(row[name]) for name in _COUNTED}
            counts_as.setdefault(row["destination"], {})[place] = metrics
        if row["resold_as"]:
            resold_as[place] = products.ids.index(row["resold_as"])
    return Variants(only_in, counts_as, resold_as)


def countries_in_group(ids: tuple[str, ...]) -> Floats:
    """Return (C,) how many countries a group of the model stands for: each has a cap of its own."""
    text = files("computemarket.model.data").joinpath("policy", "routes.csv").read_text("utf-8")
    known = {row["country"]: float(row["countries"]) for row in csv.DictReader(text.splitlines())}
    return np.array([known[country] for country in ids])


def market_metrics(products: Products) -> dict[str, Bounds]:
    """Return the legal metrics (P,) of the products on sale; one without a specification counts as what it replaces."""
    predecessors = {
        name: products.ids[place]
        for name, place in zip(products.ids, products.replaces, strict=True)
        if place >= 0
    }
    return product_metrics(products.ids, predecessors)


def controlled(products: Products) -> Bools:
    """Return (P,) which products fall under the exporter's rules: what is sold, and not made in the destination."""
    own = np.array([bool(name) for name in products.own_of])
    return ~products.chinese & ~own


def as_counted(metrics: Metrics, changes: Mapping[int, Mapping[str, float]]) -> dict[str, Bounds]:
    """Return metrics with some products counted as other cards."""
    low = {name: bounds.low.copy() for name, bounds in metrics.items()}
    for place, values in changes.items():
        for name, value in values.items():
            low[name][place] = value
        low["dram_plus_io_gbps"][place] = values["dram_bw_gbps"] + values["io_bidir_gbps"]
    return {name: exact(array) for name, array in low.items()}


def quarter_access(
    book: RegimeBook,
    metrics: Metrics,
    variants: Variants,
    countries: tuple[str, ...],
    quarter: int,
    levers: Thresholds | None = None,
    close_days: int = 0,
) -> QuarterAccess:
    """Return the access of a quarter, with the metrics that each country's version of a product has."""
    everywhere = access_status(book, metrics, countries, quarter, levers, close_days)
    share, status, charge = everywhere.share.copy(), everywhere.status.copy(), everywhere.charge.copy()
    for country, changes in variants.counts_as.items():
        c = countries.index(country)
        here = access_status(book, as_counted(metrics, changes), (country,), quarter, levers, close_days)
        share[:, c], status[:, c], charge[:, c] = here.share[:, 0], here.status[:, 0], here.charge[:, 0]
    return QuarterAccess(everywhere.countries, share, status, charge, everywhere.caps)


@lru_cache(maxsize=16)
def access_by_quarter(rules: Rules, close_days: int = 0) -> tuple[QuarterAccess, ...]:
    """Return the access of all quarters where no threshold differs by run; computed once for equal rules."""
    world = load_world()
    book, metrics = rules.book(), market_metrics(world.products)
    variants = compliant_variants(world.products)
    return tuple(
        quarter_access(book, metrics, variants, world.countries.ids, quarter, close_days=close_days)
        for quarter in range(len(QUARTERS))
    )


At = Callable[[str, int], Floats]  # parameter, quarter -> values by run


def levers_in(book: RegimeBook, at: At, quarter: int) -> dict[str, Floats]:
    """Return the thresholds, rates and caps that a quarter has other than the files, by run; none where none has."""
    known = schema()

    def default(name: str) -> float | None:
        return known[name].default if name in known else None

    levers = regime_levers(book, lambda name: at(name, quarter), default)
    levers = {name: value for name, value in levers.items() if not np.isnan(value).all()}
    rate = at("policy.threshold_indexation", quarter)
    if rate.any() and quarter > INDEXED_FROM:
        levers = with_indexation(levers, rate, quarter - INDEXED_FROM)
    return levers


def access_under(
    rules: Rules, at: At, close_days: int, designs: "Sequence[Design]" = ()
) -> list[QuarterAccess]:
    """Return the access of all quarters of vendors; computed by run only where a threshold was set or is indexed."""
    book, world = rules.book(), load_world()
    metrics, variants = market_metrics(world.products), compliant_variants(world.products)
    shared = access_by_quarter(rules, close_days)
    table = []
    for quarter in range(len(QUARTERS)):
        levers = levers_in(book, at, quarter)
        if not levers:
            alike = tuple(designs)
            table.append(_shared_designs(rules, close_days, alike, quarter) if alike else shared[quarter])
            continue
        access = quarter_access(book, metrics, variants, world.countries.ids, quarter, levers, close_days)
        table.append(_with_designs(access, book, designs, quarter, levers, close_days) if designs else access)
    return table


@lru_cache(maxsize=16 * len(QUARTERS))
def _shared_designs(
    rules: Rules, close_days: int, designs: "tuple[Design, ...]", quarter: int
) -> QuarterAccess:
    """Return access with designs where no threshold differs by run; computed once for all chunks of an ensemble."""
    access = access_by_quarter(rules, close_days)[quarter]
    return _with_designs(access, rules.book(), designs, quarter, {}, close_days)


def _with_designs(
    access: QuarterAccess,
    book: RegimeBook,
    designs: "Sequence[Design]",
    quarter: int,
    levers: Thresholds,
    close_days: int,
) -> QuarterAccess:
    """Return access with that of designs in their rows."""
    from computemarket.model.policy.trade.designs import counted

    slots = [design.slot for design in designs]
    all_metrics = counted(market_metrics(load_world().products), designs)
    mine = {name: exact(np.take(bounds.low, slots)) for name, bounds in all_metrics.items()}
    own = access_status(book, mine, access.countries, quarter, levers, close_days)

    def put(whole: Floats, part: Floats) -> Floats:
        runs = max(len(whole), len(part))
        changed = np.array(np.broadcast_to(whole, (runs, *whole.shape[1:])))
        changed[:, :, slots] = part
        return changed

    status = put(access.status.astype(np.float64), own.status.astype(np.float64)).astype(np.int64)
    return replace(
        access, share=put(access.share, own.share), status=status, charge=put(access.charge, own.charge)
    )
