"""Chips as arrays: peak rates by format, memory, links and software stack, in SI units."""

import csv
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files

import numpy as np

from computemarket.errors import InputError
from computemarket.model.catalogue import Catalogue, load_catalogue
from computemarket.model.catalogue.estimates import estimated_catalogue
from computemarket.model.catalogue.rows import Accelerator, PerfChip
from computemarket.model.core.arrays import Bools, Floats, Ints
from computemarket.model.hardware.specs.names import nearest_chip
from computemarket.model.hardware.specs.precision import FORMATS, compute_rates

_GIGA, _TERA = 1e9, 1e12
_RATE_FIELDS = ("fp16_tflops", "fp8_tflops", "fp6_tflops", "fp4_tflops", "int8_tops", "int4_tops")
_PCIE_GBS = 128.0  # PCI-SIG: PCIe 5.0 x16, both directions, for cards whose table says nothing
_DOMAIN = 8  # accelerators of the usual server
_SCALEOUT_GBPS = 400.0  # one NDR port per accelerator, where a table says nothing
DIES_TOLD_AS_CHIPS = 2  # cores counted as devices per chip by AWS Neuron


@dataclass(frozen=True, slots=True)
class Chips:
    """Arrays over chips, shape (C,) unless said otherwise; ``take`` gathers them to any shape."""

    memory_bytes: Floats  # capacity that holds weights and cache; SRAM where there is nothing else
    bandwidth_b_s: Floats  # of that memory
    rate_flop_s: Floats  # (C, 6) used for each format of ``FORMATS``
    native: Bools  # (C, 6) the chip computes the format itself
    peak_16bit_flop_s: Floats
    link_b_s: Floats  # one way, to peers of the scale-up domain
    scaleout_b_s: Floats  # one way, beyond it
    domain: Floats  # accelerators of the scale-up domain
    switched: Bools  # peers meet through a fabric; False: over the host bus
    on_chip: Bools  # weights live in SRAM, spread over many chips
    power_w: Floats
    launch_years: Floats  # calendar years, NaN where unknown

    def take(self, index: Ints) -> "Chips":
        """Return the chips at ``index``: every array takes its shape (rates add a last axis)."""
        return Chips(*(np.take(getattr(self, f.name), index, axis=0) for f in fields(self)))

    def rate(self, code: Ints) -> Floats:
        """Return the rate used for each chip's format ``code``, which broadcasts with the chips."""
        return _pick(self.rate_flop_s, code)

    def is_native(self, code: Ints) -> Bools:
        """Return whether each chip computes its format ``code`` itself."""
        return _pick(self.native, code)


def _pick(table: np.ndarray, code: Ints) -> np.ndarray:
    shape = np.broadcast_shapes(table.shape[:-1], np.shape(code))
    wide = np.broadcast_to(table, (*shape, table.shape[-1]))
    return np.take_along_axis(wide, np.broadcast_to(code, shape)[..., None], axis=-1)[..., 0]


@dataclass(frozen=True, slots=True)
class ChipTable:
    """The chips the core knows, with their ids, vendors' software stacks and generations."""

    ids: tuple[str, ...]
    names: tuple[str, ...]
    stacks: tuple[str, ...]  # software stack of the vendor, as ``nvidia``
    generations: tuple[str, ...]  # chip generation within the stack, as ``hopper``
    arrays: Chips

    def index(self, chip_id: str, where: str = "accelerator") -> int:
        """Return the place of a chip.

        Raises
        ------
        InputError
            If the core does not know it; names the nearest.
        """
        if chip_id not in self.ids:
            raise InputError(where, chip_id, f"a known accelerator{nearest_chip(chip_id, self.ids)}")
        return self.ids.index(chip_id)


@cache
def chip_table() -> ChipTable:
    """Return the chips of the catalogue and of the measured points that can be evaluated."""
    catalogue = estimated_catalogue()
    stacks = _stacks()
    guesses = perf_estimates()
    rows: list[tuple[str, str, tuple[str, str], dict[str, float]]] = []
    for chip in (*catalogue.accelerators, *catalogue.perf_chips_extra):
        values = _values(chip, catalogue, guesses.get(chip.id, {}))
        if {"memory", "bandwidth", "rate"} <= values.keys():
            family = chip.family if isinstance(chip, Accelerator) else chip.id
            vendor = chip.vendor_id if isinstance(chip, Accelerator) else "other"
            rows.append((chip.id, chip.name, stacks.get(family, (vendor, vendor)), values))
    return ChipTable(
        ids=tuple(row[0] for row in rows),
        names=tuple(row[1] for row in rows),
        stacks=tuple(row[2][0] for row in rows),
        generations=tuple(row[2][1] for row in rows),
        arrays=_arrays([row[3] for row in rows]),
    )


def perf_estimates() -> dict[str, dict[str, float]]:
    """Return the documented guesses of ``perf_estimates.csv``: id, then column, then value."""
    guesses: dict[str, dict[str, float]] = {}
    text = (files("computemarket.model.data") / "perf_estimates.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(text.splitlines()):
        guesses.setdefault(row["id"], {})[row["field"]] = float(row["value"])
    return guesses


def _stacks() -> dict[str, tuple[str, str]]:
    text = (files("computemarket.model.data") / "software_stacks.csv").read_text(encoding="utf-8")
    return {row["match"]: (row["stack"], row["generation"]) for row in csv.DictReader(text.splitlines())}


def _values(
    chip: Accelerator | PerfChip, catalogue: Catalogue, guesses: dict[str, float]
) -> dict[str, float]:
    """Return what is known of a chip in SI units; a key is absent where nothing is known."""

    def known(name: str) -> float | None:
        value = getattr(chip, name, None)
        return guesses.get(name) if value is None else float(value)

    values: dict[str, float] = {}
    rates = {name: rate * _TERA for name in _RATE_FIELDS if (rate := known(name))}
    if rates:
        values["rate"] = max(rates.values())
        values |= rates
    memory_gb, bandwidth_gbs = known("memory_gb"), known("memory_bw_gbs")
    sram_mb, sram_bw_gbs = known("sram_mb"), known("sram_bw_gbs")
    if memory_gb and bandwidth_gbs:
        values |= {"memory": memory_gb * _GIGA, "bandwidth": bandwidth_gbs * _GIGA, "on_chip": 0.0}
    elif sram_mb and sram_bw_gbs:
        values |= {"memory": sram_mb * 1e6, "bandwidth": sram_bw_gbs * _GIGA, "on_chip": 1.0}
    link_gbs, switched = _link(chip, catalogue, known)
    values |= {
        "link": link_gbs * _GIGA / 2,
        "switched": float(switched),
        "domain": known("scaleup_domain") or _DOMAIN,
        "scaleout": (known("scaleout_gbps") or _SCALEOUT_GBPS) * _GIGA / 8,
        "power": known("tdp_w") or np.nan,
    }
    launch = getattr(chip, "launch_years", None)
    values["launch"] = np.nan if launch is None else float(launch)
    return values


def _link(chip: Accelerator | PerfChip, catalogue: Catalogue, known) -> tuple[float, bool]:  # type: ignore[no-untyped-def]
    """Return the bidirectional GB/s to peers: the scale-up fabric, or the host bus without one."""
    recorded = load_catalogue().accelerators
    guessed = catalogue.accelerators.estimated.get((chip.id, "scaleup_bw_gbs"))
    single = chip.id in recorded and (recorded[chip.id].scaleup_domain or _DOMAIN) == 1
    if known("scaleup_bw_gbs") and not (single and guessed):
        return float(known("scaleup_bw_gbs")), True
    return float(known("pcie_bw_gbs") or _PCIE_GBS), False


def _arrays(rows: list[dict[str, float]]) -> Chips:
    def column(name: str, default: float = np.nan) -> Floats:
        return np.array([row.get(name, default) for row in rows], dtype=np.float64)

    rates = np.stack([column(name) for name in _RATE_FIELDS], axis=1)
    used, native = compute_rates(rates)
    return Chips(
        memory_bytes=column("memory"),
        bandwidth_b_s=column("bandwidth"),
        rate_flop_s=used,
        native=native,
        peak_16bit_flop_s=np.ascontiguousarray(used[:, FORMATS.index("fp16")]),
        link_b_s=column("link"),
        scaleout_b_s=column("scaleout"),
        domain=column("domain"),
        switched=column("switched") > 0,
        on_chip=column("on_chip") > 0,
        power_w=column("power"),
        launch_years=column("launch"),
    )
