"""What export rules measure of a chip: names, units, ranges, and how specifications give them.

A metric is a pair of bounds, because a data sheet may leave it open: what is known exactly has equal bounds,
what is unknown spans everything the physics allows. Definitions: technical notes to 3A090 (88 FR 73458).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from computemarket.model.core.arrays import Bools, Floats


@dataclass(frozen=True, slots=True)
class Metric:
    """One quantity a rule may test; a flag is 0 or 1."""

    unit: str
    largest: float
    items: tuple[str, ...]
    flag: bool = False


CHIP, HBM, DIE = "chip", "hbm", "die"
METRICS: Mapping[str, Metric] = {
    "tpp": Metric("TOPS x bits", 1e8, (CHIP,)),
    "pd": Metric("TPP/mm2", 1e5, (CHIP,)),
    "dram_bw_gbps": Metric("GB/s", 1e8, (CHIP,)),
    "io_bidir_gbps": Metric("GB/s", 1e8, (CHIP,)),
    "dram_plus_io_gbps": Metric("GB/s", 2e8, (CHIP,)),
    "datacenter": Metric("yes/no", 1.0, (CHIP,), flag=True),
    "transistors_bn": Metric("bn", 1e6, (CHIP, DIE)),
    "has_hbm": Metric("yes/no", 1.0, (CHIP, DIE), flag=True),
    "advanced_node": Metric("yes/no", 1.0, (DIE,), flag=True),
    "hbm_density": Metric("GB/s/mm2", 1e4, (HBM,)),
}


@dataclass(frozen=True, slots=True)
class Bounds:
    """Lowest and highest value a metric may have; the same array twice where it is known."""

    low: Floats
    high: Floats

    @property
    def known(self) -> Bools:
        """Say where the metric is known exactly."""
        return np.asarray(self.low == self.high)


Metrics = Mapping[str, Bounds]


def exact(values: Floats) -> Bounds:
    """Return the bounds of a metric known everywhere; any shape."""
    array = np.asarray(values, dtype=np.float64)
    return Bounds(array, array)


def bounds_of(values: Floats, metric: str, least: Floats | float = 0.0) -> Bounds:
    """Return bounds of a metric where NaN stands for unknown, at least `least`; any shape."""
    array = np.asarray(values, dtype=np.float64)
    unknown = np.isnan(array)
    if not unknown.any():
        return exact(array)
    low = np.where(unknown, least, array)
    return Bounds(low, np.where(unknown, METRICS[metric].largest, array))


def performance_density(tpp: Floats, die_area_mm2: Floats) -> Floats:
    """Return TPP per mm2 of non-planar logic die; NaN where the area is unknown, 0 where there is none.

    Shapes broadcast. Source: 88 FR 73458, note 3 to 3A090.
    """
    area = np.asarray(die_area_mm2, dtype=np.float64)
    none = area == 0
    return np.where(none, 0.0, tpp / np.where(none, 1.0, area))


def chip_metrics(
    tpp: Floats,
    pd: Floats,
    dram_bw_gbps: Floats,
    io_bidir_gbps: Floats,
    datacenter: Floats,
    io_least_gbps: Floats | float = 0.0,
) -> dict[str, Bounds]:
    """Return the metrics of chips from their specification arrays; NaN is unknown.

    Parameters
    ----------
    tpp : (…) total processing performance, TOPS x bits
    pd : (…) performance density, TPP/mm2
    dram_bw_gbps, io_bidir_gbps : (…) GB/s, I/O both directions
    datacenter : (…) 1 where designed or marketed for data centres, else 0
    io_least_gbps : the part of the I/O that is known where the sum is not
    """
    dram = bounds_of(dram_bw_gbps, "dram_bw_gbps")
    links = bounds_of(io_bidir_gbps, "io_bidir_gbps", io_least_gbps)
    both_known = dram.low is dram.high and links.low is links.high
    low = dram.low + links.low
    return {
        "tpp": bounds_of(tpp, "tpp"),
        "pd": bounds_of(pd, "pd"),
        "dram_bw_gbps": dram,
        "io_bidir_gbps": links,
        "dram_plus_io_gbps": exact(low) if both_known else Bounds(low, dram.high + links.high),
        "datacenter": bounds_of(datacenter, "datacenter"),
    }
