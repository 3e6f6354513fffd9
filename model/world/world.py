"""What is given: countries, operators, vendors and products, as labels and arrays the market runs on."""

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np

from computemarket.errors import InputError
from computemarket.model.core.arrays import Bools, Floats, Ints
from computemarket.model.core.calendar import QUARTERS, quarters_since_start
from computemarket.model.world.roles import Roles

H100_DENSE_8BIT_TFLOPS = 1979.0  # the unit of _h100e; source: NVIDIA H100 data sheet
H100_TPP = 15832.0  # the unit of _h100e_tpp; source: BIS definition of total processing performance
TIERS = ("free", "medium", "high", "premium", "ultra")
USES = (*TIERS, "training", "captive")  # of accelerator-hours
TOKEN_MARKETS = ("west", "china")
GROUPS = ("nvidia", "amd", "custom_silicon", "other_merchant", "chinese")


def read_rows(name: str) -> list[dict[str, str]]:
    """Return the rows of a table of `model/data/world`."""
    text = files("computemarket.model.data").joinpath("world", f"{name}.csv").read_text("utf-8")
    return list(csv.DictReader(text.splitlines()))


def column(rows: list[dict[str, str]], key: str, blank: float = np.nan) -> Floats:
    """Return a numeric column; a blank cell becomes `blank`."""
    return np.array([float(row[key]) if row[key] else blank for row in rows])


def labels(rows: list[dict[str, str]], key: str = "id") -> tuple[str, ...]:
    """Return a text column."""
    return tuple(row[key] for row in rows)


def positions(values: tuple[str, ...], axis: tuple[str, ...]) -> Ints:
    """Return the place of each value on an axis, -1 where it is blank."""
    return np.array([axis.index(value) if value else -1 for value in values], dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Countries:
    """Axis C: about ten countries or groups of countries."""

    ids: tuple[str, ...]
    regions: tuple[str, ...]
    token_market: Ints  # (C,) place on TOKEN_MARKETS
    demand_share: Floats  # (C,) share of its token market's demand
    power_price_usd_mwh: Floats  # (C,)
    grid_lead_quarters: Floats  # (C,)


@dataclass(frozen=True, slots=True)
class Vendors:
    """Axis V: who sells accelerators (for custom silicon: the design partner)."""

    ids: tuple[str, ...]
    names: tuple[str, ...]
    group: Ints  # (V,) place on GROUPS
    country: tuple[str, ...]
    software_stock: Floats  # (V,) software stock of 2022 relative to the leader's
    gaming_revenue_usd_per_quarter: Floats  # (V,) other business of 2022, exogenous
    cash_usd: Floats  # (V,) at the start of 2022
    rnd_share: Floats  # (V,) research spending per revenue


@dataclass(frozen=True, slots=True)
class Products:
    """Axis P: product generations on sale at some time, with what the market needs to know of each."""

    ids: tuple[str, ...]
    designers: tuple[str, ...]  # who designed it: the owner where the silicon is its own
    vendor: Ints  # (P,) place on the vendor axis
    launch: Ints  # (P,) first quarter of delivery, negative before 2022
    end: Ints  # (P,) last quarter in which it can be ordered
    announced: Ints  # (P,)
    price_usd: Floats  # (P,) list price per accelerator at launch
    unit_cost_usd: Floats  # (P,) cost of goods per accelerator at launch
    packages_per_wafer: Floats  # (P,) accelerators per CoWoS wafer; 0: not packaged there
    foundry: tuple[str, ...]
    hbm_gb: Floats  # (P,)
    network_content: Floats  # (P,) networking sold with a chip, per chip price
    system_content: Floats  # (P,) memory, boards and racks sold with it, per chip price
    replaces: Ints  # (P,) the product it succeeds, -1 none
    merchant: Bools  # (P,) on sale to anybody
    own_of: tuple[str, ...]  # operator whose own silicon it is, or ""
    chinese: Bools  # (P,)


@dataclass(frozen=True, slots=True)
class Operators:
    """Axis H: who holds accelerators."""

    ids: tuple[str, ...]
    names: tuple[str, ...]
    kind: tuple[str, ...]
    country: Ints  # (H,) of the headquarters
    belief_share: Floats  # (H,) share of the believed AI revenue it builds for
    legacy_capex_usd: Floats  # (H,) other capital expenditure of a quarter of 2022
    cash_flow_usd: Floats  # (H,) operating cash flow of a quarter of 2022, without AI
    cash_flow_growth: Floats  # (H,) per year, at the start of 2022
    debt_to_cash_flow: Floats  # (H,) debt it can carry per yearly cash flow
    custom_start: Ints  # (H,) quarter from which own silicon can be deployed, T where never
    own_silicon: tuple[str, ...]
    rented_out_share: Floats  # (H,)
    fleet_2022_h100e: Floats  # (H,) installed at the start of 2022
    host: Floats  # (H, C) where its accelerators stand, rows sum to 1


@dataclass(frozen=True, slots=True)
class World:
    """The labels and given facts of all axes."""

    countries: Countries
    vendors: Vendors
    products: Products
    operators: Operators
    roles: Roles

    @property
    def leader(self) -> str:
        """The vendor that leads the market for merchant accelerators."""
        return self.roles.one("leader")

    def vendor(self, name: str) -> int:
        """Return a vendor's place on its axis."""
        return self.vendors.ids.index(name)

    def operator(self, name: str) -> int:
        """Return an operator's place on its axis."""
        return self.operators.ids.index(name)

    def country(self, name: str) -> int:
        """Return a country's place on its axis."""
        return self.countries.ids.index(name)


def _countries() -> Countries:
    rows = read_rows("countries")
    return Countries(
        ids=labels(rows),
        regions=labels(rows, "region"),
        token_market=positions(labels(rows, "token_market"), TOKEN_MARKETS),
        demand_share=column(rows, "demand_share"),
        power_price_usd_mwh=column(rows, "power_price_usd_mwh"),
        grid_lead_quarters=column(rows, "grid_lead_quarters"),
    )


def _vendors() -> Vendors:
    rows = read_rows("vendors")
    return Vendors(
        ids=labels(rows),
        names=labels(rows, "name"),
        group=positions(labels(rows, "group"), GROUPS),
        country=labels(rows, "country"),
        software_stock=column(rows, "software_stock_2022"),
        gaming_revenue_usd_per_quarter=column(rows, "gaming_revenue_2022_bn_usd", 0.0) * 1e9 / 4,
        cash_usd=column(rows, "cash_2022_bn_usd", 0.0) * 1e9,
        rnd_share=column(rows, "rnd_share"),
    )


def _products(vendors: Vendors) -> Products:
    rows = read_rows("products")
    channel = labels(rows, "channel")
    ids = labels(rows)
    for row in rows:
        if row["replaces"] and row["replaces"] not in ids:
            raise InputError(f"products.csv: {row['id']}: replaces", row["replaces"], "the id of a product")
    return Products(
        ids=ids,
        designers=labels(rows, "designer"),
        vendor=positions(labels(rows, "vendor"), vendors.ids),
        launch=_quarters(rows, "launch"),
        end=_quarters(rows, "end"),
        announced=_quarters(rows, "announced"),
        price_usd=column(rows, "price_usd"),
        unit_cost_usd=column(rows, "unit_cost_usd"),
        packages_per_wafer=column(rows, "packages_per_wafer"),
        foundry=labels(rows, "packaging"),
        hbm_gb=column(rows, "hbm_gb"),
        network_content=column(rows, "network_content"),
        system_content=column(rows, "system_content"),
        replaces=positions(labels(rows, "replaces"), ids),
        merchant=np.array([value == "merchant" for value in channel]),
        own_of=tuple(row["designer"] if row["channel"] == "own" else "" for row in rows),
        chinese=np.array([value == "china" for value in channel]),
    )


def _quarters(rows: list[dict[str, str]], key: str) -> Ints:
    never = len(QUARTERS)
    return np.array([quarters_since_start(row[key]) if row[key] else never for row in rows], dtype=np.int64)


def _operators(countries: Countries) -> Operators:
    rows = read_rows("operators")
    host = np.stack([column(rows, f"host_{country}") for country in countries.ids], axis=1)
    share = column(rows, "belief_share")
    return Operators(
        ids=labels(rows),
        names=labels(rows, "name"),
        kind=labels(rows, "kind"),
        country=positions(labels(rows, "country"), countries.ids),
        belief_share=share / share.sum(),
        legacy_capex_usd=column(rows, "legacy_capex_2022_bn_usd") * 1e9 / 4,
        cash_flow_usd=column(rows, "cash_flow_2022_bn_usd") * 1e9 / 4,
        cash_flow_growth=column(rows, "cash_flow_growth"),
        debt_to_cash_flow=column(rows, "debt_to_cash_flow"),
        custom_start=_quarters(rows, "custom_start"),
        own_silicon=labels(rows, "own_silicon"),
        rented_out_share=column(rows, "rented_out_share"),
        fleet_2022_h100e=column(rows, "ai_fleet_2022_h100e"),
        host=host,
    )


def _roles() -> Roles:
    rows = read_rows("roles")
    names: dict[str, tuple[str, ...]] = {}
    for row in rows:
        names[row["role"]] = (*names.get(row["role"], ()), row["name"])
    return Roles(names)


@cache
def load_world() -> World:
    """Return the given world, read once."""
    countries, vendors = _countries(), _vendors()
    return World(countries, vendors, _products(vendors), _operators(countries), _roles())
