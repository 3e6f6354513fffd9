"""Products as arrays: H100-equivalents, power at the meter, price with its share of the system.

The market trades announced and undisclosed products too, so blanks are filled: specifications by the rules of
the catalogue's estimates, own designs without a price by the price of equal performance. Products that needed
it are marked. Validation of the performance core never reads a price or power from here.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files

import numpy as np

from computemarket.model.arrays import Bools, Floats, Ints
from computemarket.model.calendar import QUARTERS, quarter_of_month
from computemarket.model.catalogue import H100_TPP, Accelerator, estimated_catalogue, load_catalogue
from computemarket.model.hardware.chips import chip_table
from computemarket.model.hardware.parameters import parameter_default

_RACK_DOMAIN = (
    32  # from this scale-up size on an accelerator lives in a rack or pod, not in an eight-way server
)
_SMALL_CARD_KW = 0.5  # below it host and fans scale with the card
_H100_LAUNCH = quarter_of_month("2022-10")
_SYSTEM_WITHOUT_FIGURES = "groq3_lpx_rack"  # power and price undisclosed: parameters of the area


@dataclass(frozen=True, slots=True)
class ProductSpecs:
    """Products in the order asked for; every array has shape (P,)."""

    ids: tuple[str, ...]
    vendor: tuple[str, ...]
    kind: tuple[str, ...]  # gpu, asic, lpu, wafer
    chip: Ints  # place in ``chip_table()``
    launch_quarter: Ints  # signed quarters since 2022Q1; the end of the calendar where no date is known
    memory_gb: Floats
    memory_bw_gbs: Floats  # of the on-chip memory where there is no other
    tdp_kw: Floats
    h100e: Floats  # dense 8-bit peak over 1,979 TFLOPS
    h100e_tpp: Floats  # TPP over 15,832
    power_kw: Floats  # all-in, at the meter of the site
    it_power_kw: Floats  # share of the rated power of server or rack
    price_usd: Floats  # accelerator alone, at launch
    system_price_usd: Floats  # with its share of server, rack and network
    estimated: Bools  # a specification was filled

    def __len__(self) -> int:
        return len(self.ids)


def product_ids() -> tuple[str, ...]:
    """Return the ids of all accelerators of the catalogue, in its order."""
    return estimated_catalogue().accelerators.ids


def product_specs(ids: Sequence[str] | None = None) -> ProductSpecs:
    """Return the specifications of products, all of the catalogue by default.

    Raises
    ------
    InputError
        If an id is not in the catalogue; names the nearest one.
    """
    return _specs(tuple(ids) if ids is not None else product_ids())


@cache
def _specs(ids: tuple[str, ...]) -> ProductSpecs:
    table = estimated_catalogue().accelerators
    chips = [table[name] for name in ids]
    arrays = chip_table().arrays
    place = np.array([chip_table().index(name) for name in ids], dtype=np.int64)
    launch = np.array([_launch(chip) for chip in chips], dtype=np.int64)
    h100e = np.array([chip.h100e or 0.0 for chip in chips])
    tpp = np.array([chip.tpp or chip.tpp_from_rates or 0.0 for chip in chips])
    tdp_kw = np.nan_to_num(np.take(arrays.power_w, place)) / 1000
    price = _price(chips, h100e, launch)
    power, it_power = _power(chips, tdp_kw, np.take(arrays.domain, place))
    touched = {name for name, _ in table.estimated}
    specs = ProductSpecs(
        ids=ids,
        vendor=tuple(chip.vendor_id for chip in chips),
        kind=tuple(chip.kind for chip in chips),
        chip=place,
        launch_quarter=launch,
        memory_gb=np.take(arrays.memory_bytes, place) / 1e9,
        memory_bw_gbs=np.take(arrays.bandwidth_b_s, place) / 1e9,
        tdp_kw=tdp_kw,
        h100e=h100e,
        h100e_tpp=tpp / H100_TPP,
        power_kw=power,
        it_power_kw=it_power,
        price_usd=price,
        system_price_usd=_system_price(ids, price),
        estimated=np.array([name in touched for name in ids]),
    )
    return freeze(specs)


def freeze(table: ProductSpecs) -> ProductSpecs:
    """Make the arrays of a shared table read-only."""
    for field in fields(table):
        value = getattr(table, field.name)
        if isinstance(value, np.ndarray):
            value.flags.writeable = False
    return table


def _launch(chip: Accelerator) -> int:
    return quarter_of_month(chip.launch_date) if chip.launch_date else len(QUARTERS)


def _price(chips: Sequence[Accelerator], h100e: Floats, launch: Ints) -> Floats:
    """Return known and estimated prices; for the rest the cost of an own design of equal performance.

    The merchant price of equal performance is that of an H100 falling with the growth of performance per
    dollar; it is not followed below the cost of the memory.
    """
    years = (np.minimum(launch, len(QUARTERS) - 1) - _H100_LAUNCH) / 4
    growth = 1 + parameter_default("price_performance_growth")
    trend = parameter_default("price_per_h100e") * h100e * growth**-years
    memory = np.array([chip.memory_gb or 0.0 for chip in chips])
    own = np.maximum(
        trend * parameter_default("price_share_own_design"), memory * parameter_default("price_floor_memory")
    )
    listed = np.array([chip.list_or_asp_usd or 0.0 for chip in chips])
    return np.where(listed > 0, listed, own)


@cache
def _systems() -> dict[str, tuple[float, float]]:
    """Return recorded power (kW) and price (USD) per accelerator of the systems of one kind of accelerator."""
    found: dict[str, tuple[float, float]] = {}
    for system in load_catalogue().systems:
        if len(system.accelerator_ids) != 1 or not system.n_accelerators:
            continue
        power, price = system.system_power_kw or 0.0, system.system_price_usd or 0.0
        if system.id == _SYSTEM_WITHOUT_FIGURES:
            power, price = (
                power or parameter_default("lpx_rack_power"),
                price or parameter_default("lpx_rack_price"),
            )
        old = found.get(system.accelerator_id, (0.0, 0.0))
        found[system.accelerator_id] = (
            old[0] or power / system.n_accelerators,
            old[1] or price / system.n_accelerators,
        )
    return found


def _system_price(ids: Sequence[str], price: Floats) -> Floats:
    """Return the known system price per accelerator, else the price times the content multiplier."""
    known = np.array([_systems().get(name, (0.0, 0.0))[1] for name in ids])
    return np.where(known >= price, known, price * parameter_default("content_multiplier"))


def _power(chips: Sequence[Accelerator], tdp_kw: Floats, domain: Floats) -> tuple[Floats, Floats]:
    """Return all-in and IT power: a published all-in constant, the rated system, or a line through TDP."""
    anchors = tco_anchors()
    anchor = np.array([anchors[chip.id][0] if chip.id in anchors else 0.0 for chip in chips])
    rated = np.array([_systems().get(chip.id, (0.0, 0.0))[0] for chip in chips])
    factor = parameter_default("system_power_factor")
    server = parameter_default("server_power_base") + parameter_default("server_power_slope") * tdp_kw
    server = np.where(tdp_kw < _SMALL_CARD_KW, parameter_default("card_power_factor") * tdp_kw, server)
    rack = parameter_default("rack_power_factor") * tdp_kw
    wafer = np.array(
        [chip.kind == "wafer" for chip in chips]
    )  # its recorded power is that of the whole system
    by_tdp = np.where(wafer, factor * tdp_kw, np.where(domain >= _RACK_DOMAIN, rack, server))
    all_in = np.where(anchor > 0, anchor, np.where(rated > 0, rated * factor, by_tdp))
    return all_in, np.where(rated > 0, rated, all_in / factor)


@cache
def tco_anchors() -> dict[str, tuple[float, float]]:
    """Return published all-in kW and owner's USD per accelerator-hour by id, to compare with."""
    text = files("computemarket.model.data").joinpath("tco_anchors.csv").read_text("utf-8")
    rows = csv.DictReader(text.splitlines())
    return {row["id"]: (float(row["all_in_kw"]), float(row["usd_per_accel_hour"])) for row in rows}
