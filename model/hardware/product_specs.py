"""Specifications of the catalogue's products as arrays, with blanks filled by marked estimates.

A blank in the catalogue means that no figure was found. The market still has to trade announced and
undisclosed products, so this module fills blanks from `data/spec_estimates.csv` (each row says on what it
rests) and marks every product that needed it. Validation of the performance core never uses filled values.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files

import numpy as np

from computemarket.errors import InputError
from computemarket.model.arrays import Bools, Floats, Ints
from computemarket.model.calendar import QUARTERS, quarter_of_month
from computemarket.model.parameters import schema

H100_TFLOPS_8BIT = 1979.0  # one H100-equivalent: dense 8-bit peak
H100_TPP = 15832.0  # one H100-equivalent by total processing performance
_BITS = {"fp16_tflops": 16, "fp8_tflops": 8, "int8_tops": 8, "fp6_tflops": 6, "fp4_tflops": 4}
_RACK_DOMAIN = (
    32  # from this scale-up size on an accelerator lives in a rack or pod, not in an eight-way server
)
_SMALL_CARD_KW = 0.5  # below it host and fans scale with the card


@dataclass(frozen=True, slots=True)
class ProductSpecs:
    """Products in the order asked for; every array has shape (P,), zero means "has none"."""

    ids: tuple[str, ...]
    vendor: tuple[str, ...]
    kind: tuple[str, ...]  # gpu, asic, lpu, wafer
    launch_quarter: Ints  # signed quarters since 2022Q1; beyond the calendar where no date is known
    fp16_tflops: Floats
    fp8_tflops: Floats
    int8_tops: Floats
    fp4_tflops: Floats
    memory_gb: Floats
    memory_bw_gbs: Floats
    sram_gb: Floats
    sram_bw_gbs: Floats
    tdp_kw: Floats
    scaleup_bw_gbs: Floats
    scaleup_domain: Floats
    scaleout_gbs: Floats
    tpp: Floats
    h100e: Floats
    h100e_tpp: Floats
    power_kw: Floats  # all-in, at the meter of the site
    it_power_kw: Floats  # share of the rated power of server or rack
    price_usd: Floats  # accelerator alone
    system_price_usd: Floats  # with its share of server, rack and network
    trains: Bools
    estimated: Bools  # a blank was filled

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def sram_machine(self) -> Bools:
        """Tell the products whose weights live in on-chip memory."""
        return self.memory_bw_gbs == 0

    @property
    def peak_8bit_tflops(self) -> Floats:
        """Return the dense peak that H100-equivalents count."""
        return self.h100e * H100_TFLOPS_8BIT


def parameter_default(key: str) -> float:
    """Return the default of a parameter of the hardware area."""
    return schema()[f"hardware.{key}"].default


@cache
def read_rows(name: str) -> tuple[Mapping[str, str], ...]:
    """Return the rows of one of the package's CSV files."""
    text = files("computemarket.model.data").joinpath(name).read_text("utf-8")
    return tuple(csv.DictReader(text.splitlines()))


@cache
def _filled_rows() -> dict[str, tuple[dict[str, str], bool]]:
    rows = {row["id"]: dict(row) for row in read_rows("accelerators.csv")}
    touched = set()
    for row in read_rows("spec_estimates.csv"):
        if not rows[row["id"]].get(row["field"]):
            rows[row["id"]][row["field"]] = row["value"]
            touched.add(row["id"])
    return {key: (row, key in touched) for key, row in rows.items()}


def product_ids() -> tuple[str, ...]:
    """Return the ids of all accelerators of the catalogue, in its order."""
    return tuple(_filled_rows())


def product_specs(ids: Sequence[str] | None = None) -> ProductSpecs:
    """Return the specifications of products, all of the catalogue by default.

    Raises
    ------
    InputError
        if an id is not in the catalogue.
    """
    return _specs(tuple(ids) if ids is not None else product_ids())


@cache
def _specs(ids: tuple[str, ...]) -> ProductSpecs:
    known = _filled_rows()
    for key in ids:
        if key not in known:
            import difflib

            nearest = difflib.get_close_matches(key, known, n=1, cutoff=0.0)
            raise InputError("accelerator", key, f"in the catalogue; the nearest is {nearest[0]}")
    rows = [known[key][0] for key in ids]
    number = {name: np.array([float(row.get(name) or 0) for row in rows]) for name in _NUMBERS}
    launch = np.array([_launch(row) for row in rows], dtype=np.int64)
    peak = _peak_8bit(number)
    domain = np.maximum(number["scaleup_domain"], 1.0)
    h100e = peak / H100_TFLOPS_8BIT
    tpp = np.where(number["tpp"] > 0, number["tpp"], _tpp(number))
    price = _price(rows, number, h100e, launch)
    kind = tuple(row["kind"] for row in rows)
    power, it_power = _power(ids, kind, number["tdp_w"] / 1000, domain)
    values = {
        "ids": ids,
        "vendor": tuple(row["vendor"] for row in rows),
        "kind": kind,
        "launch_quarter": launch,
        **{key: number[key] for key in ("fp16_tflops", "fp8_tflops", "int8_tops", "fp4_tflops", "memory_gb")},
        "memory_bw_gbs": number["memory_bw_gbs"],
        "sram_gb": number["sram_mb"] / 1000,
        "sram_bw_gbs": number["sram_bw_gbs"],
        "tdp_kw": number["tdp_w"] / 1000,
        "scaleup_bw_gbs": number["scaleup_bw_gbs"],
        "scaleup_domain": domain,
        "scaleout_gbs": number["scaleout_gbps"] / 8,
        "tpp": tpp,
        "h100e": h100e,
        "h100e_tpp": tpp / H100_TPP,
        "power_kw": power,
        "it_power_kw": it_power,
        "price_usd": price,
        "system_price_usd": _system_price(ids, price),
        "trains": np.array([row.get("trains", "1") != "0" for row in rows]),
        "estimated": np.array([known[key][1] for key in ids]),
    }
    for field in fields(ProductSpecs):
        if isinstance(values[field.name], np.ndarray):
            values[field.name].flags.writeable = False
    return ProductSpecs(**values)


_NUMBERS = (*_BITS, "memory_gb", "memory_bw_gbs", "sram_mb", "sram_bw_gbs", "tdp_w", "scaleup_bw_gbs",
            "scaleup_domain", "scaleout_gbps", "list_or_asp_usd", "tpp")  # fmt: skip


def _launch(row: Mapping[str, str]) -> int:
    date = row["launch_date"]
    return quarter_of_month(date) if date else len(QUARTERS)


def _peak_8bit(number: Mapping[str, Floats]) -> Floats:
    """Dense 8-bit peak; a chip without an 8-bit format runs 8-bit weights at its 16-bit rate."""
    eight = np.maximum(number["fp8_tflops"], number["int8_tops"])
    sixteen = np.where(number["fp16_tflops"] > 0, number["fp16_tflops"], number["fp4_tflops"] / 2)
    return np.where(eight > 0, eight, sixteen)


def _tpp(number: Mapping[str, Floats]) -> Floats:
    """Total processing performance: the largest product of dense rate and bit length."""
    return np.max([number[name] * bits for name, bits in _BITS.items()], axis=0)


def _price(
    rows: Sequence[Mapping[str, str]], number: Mapping[str, Floats], h100e: Floats, launch: Ints
) -> Floats:
    """Known price, else its part of the known system price, else that of equal performance at the trend.

    The trend is the price of an H100 falling with the growth of performance per dollar; it is not followed
    below the cost of the memory.
    """
    years = (np.minimum(launch, len(QUARTERS) - 1) - quarter_of_month("2022-10")) / 4
    trend = parameter_default("price_per_h100e") * h100e
    trend = trend * (1 + parameter_default("price_performance_growth")) ** -years
    share = {
        "hyperscaler_captive": parameter_default("price_share_own_design"),
        "china_domestic": parameter_default("price_share_china"),
    }
    trend = trend * np.array([share.get(row["designer_type"], 1.0) for row in rows])
    trend = np.maximum(trend, parameter_default("price_floor_memory") * number["memory_gb"])
    system = np.array([_systems().get(row["id"], (0.0, 0.0))[1] for row in rows])
    from_system = np.where(system > 0, system / parameter_default("content_multiplier"), trend)
    return np.where(number["list_or_asp_usd"] > 0, number["list_or_asp_usd"], from_system)


@cache
def _systems() -> dict[str, tuple[float, float]]:
    """Power (kW) and price (USD) per accelerator of the systems that name a single accelerator."""
    found: dict[str, tuple[float, float]] = {}
    for row in read_rows("systems.csv"):
        if ";" in row["accelerator_id"] or not row["n_accelerators"]:
            continue
        count = float(row["n_accelerators"])
        power, price = (float(row[key] or 0) / count for key in ("system_power_kw", "system_price_usd"))
        if row["id"] == "groq3_lpx_rack":  # neither is published
            power = power or parameter_default("lpx_rack_power") / count
            price = price or parameter_default("lpx_rack_price") / count
        old = found.get(row["accelerator_id"], (0.0, 0.0))
        found[row["accelerator_id"]] = (old[0] or power, old[1] or price)
    return found


def _system_price(ids: Sequence[str], price: Floats) -> Floats:
    """Known system price per accelerator where it covers more than the accelerator, else the content multiplier."""
    known = np.array([_systems().get(key, (0.0, 0.0))[1] for key in ids])
    return np.where(known >= price, np.maximum(known, price), price * parameter_default("content_multiplier"))


def _power(ids: Sequence[str], kind: Sequence[str], tdp_kw: Floats, domain: Floats) -> tuple[Floats, Floats]:
    """All-in and IT power per accelerator: published all-in constant, rated system, or line through TDP."""
    anchors = {row["id"]: float(row["all_in_kw"]) for row in read_rows("tco_anchors.csv")}
    anchor = np.array([anchors.get(key, 0.0) for key in ids])
    rated = np.array([_systems().get(key, (0.0, 0.0))[0] for key in ids])
    factor = parameter_default("system_power_factor")
    server = parameter_default("server_power_base") + parameter_default("server_power_slope") * tdp_kw
    server = np.where(tdp_kw < _SMALL_CARD_KW, parameter_default("card_power_factor") * tdp_kw, server)
    rack = parameter_default("rack_power_factor") * tdp_kw
    wafer = np.array([name == "wafer" for name in kind])  # the catalogue's power is that of the whole system
    by_tdp = np.where(wafer, factor * tdp_kw, np.where(domain >= _RACK_DOMAIN, rack, server))
    all_in = np.where(anchor > 0, anchor, np.where(rated > 0, rated * factor, by_tdp))
    return all_in, np.where(rated > 0, rated, all_in / factor)
