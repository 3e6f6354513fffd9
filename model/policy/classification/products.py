"""The legal metrics of the products on sale: the catalogue's, corrected by what regulators and makers published.

`data/policy/legal_metrics.csv` holds the figures that classification uses where they differ from the
performance figures of the catalogue (rates counted otherwise, links counted in full).
"""

import csv
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from computemarket.errors import InputError
from computemarket.model.core.arrays import Floats
from computemarket.model.policy.classification.cases import Cases
from computemarket.model.policy.regimes.metrics import METRICS, Bounds, chip_metrics, exact

if TYPE_CHECKING:
    from computemarket.model.catalogue.rows import Accelerator
    from computemarket.model.catalogue.table import Table

_CORRECTED = ("tpp", "pd", "dram_bw_gbps", "io_bidir_gbps")
_NO_PREDECESSORS: Mapping[str, str] = MappingProxyType({})


@cache
def legal_metrics() -> Mapping[str, Mapping[str, str]]:
    """Return the published legal figures by product id, as written."""
    text = files("computemarket.model.data").joinpath("policy", "legal_metrics.csv").read_text("utf-8")
    return MappingProxyType({row["id"]: row for row in csv.DictReader(text.splitlines())})


@cache
def catalogue_cases() -> Cases:
    """Return the chips of the catalogue, with gaps filled by its documented estimates where there are any.

    What holds without the estimates stands beside it, so that an answer that hangs on one can say so.
    """
    from computemarket.model.catalogue import estimated_catalogue

    chips = estimated_catalogue().accelerators
    names = tuple(chip.name for chip in chips)
    return Cases(chips.ids, names, _metrics(chips, estimates=True), "chip", _metrics(chips, estimates=False))


def _metrics(chips: "Table[Accelerator]", *, estimates: bool) -> dict[str, Bounds]:
    """Return the legal metrics (N,) of chips, with estimated figures or with those left open."""

    def figure(chip: "Accelerator", column: str) -> float | None:
        return getattr(chip, column) if estimates or not _estimated(chips, chip, column) else None

    columns = {
        "tpp": _column([figure(chip, "tpp") for chip in chips]),
        "pd": _column([figure(chip, "perf_density") for chip in chips]),
        "dram_bw_gbps": _column([_dram(chip.memory_type, figure(chip, "memory_bw_gbs")) for chip in chips]),
        "io_bidir_gbps": _column(
            [_sum(figure(chip, "scaleup_bw_gbs"), figure(chip, "pcie_bw_gbs")) for chip in chips]
        ),
    }
    area = _column([figure(chip, "die_area_mm2") for chip in chips])
    columns["pd"] = np.where(np.isnan(columns["pd"]), columns["tpp"] / area, columns["pd"])
    for product, row in legal_metrics().items():
        place = chips.index(product)
        for metric in (name for name in _CORRECTED if row[name]):
            known = estimates or row["basis"] == "published"
            columns[metric][place] = float(row[metric]) if known else np.nan
    least = _column(
        [(figure(chip, "scaleup_bw_gbs") or 0.0) + (figure(chip, "pcie_bw_gbs") or 0.0) for chip in chips]
    )
    flags = np.array([float(chip.data_center_use) for chip in chips])
    tpp, pd, dram, io = (columns[name] for name in _CORRECTED)
    metrics = chip_metrics(tpp, pd, dram, io, flags, least)
    metrics["has_hbm"] = exact(np.array([float("hbm" in (chip.memory_type or "").lower()) for chip in chips]))
    metrics["transistors_bn"] = _open(_column([figure(chip, "transistors_bn") for chip in chips]))
    return metrics


def _estimated(chips: "Table[Accelerator]", chip: "Accelerator", column: str) -> bool:
    """Say whether a figure is an estimate, or follows from one: TPP follows from the rates."""
    if (chip.id, column) not in chips.estimated:
        return False
    return column != "tpp" or any((chip.id, rate) in chips.estimated for rate in chip.BITS)


def product_metrics(
    ids: Sequence[str], predecessors: Mapping[str, str] = _NO_PREDECESSORS
) -> dict[str, Bounds]:
    """Return the metrics of products as exact arrays (P,), an unknown one at its lower bound.

    An unknown link or density counts as the part that is known, so that no rule catches a product by a figure
    nobody has published. A product that the catalogue lacks counts as the one it replaces.

    Raises
    ------
    InputError
        for a product with no predecessor in the catalogue.
    """
    cases = catalogue_cases()
    places = [cases.ids.index(_known(product, predecessors, cases.ids)) for product in ids]
    return {name: exact(np.take(bounds.low, places)) for name, bounds in cases.metrics.items()}


def _known(product: str, predecessors: Mapping[str, str], ids: tuple[str, ...]) -> str:
    found = product
    for _ in range(len(predecessors) + 1):
        if found in ids:
            return found
        found = predecessors.get(found, "")
    raise InputError("product", product, "a chip of the catalogue or a successor of one")


def _column(values: list[float | None]) -> Floats:
    return np.array([np.nan if value is None else float(value) for value in values])


def _open(values: Floats) -> Bounds:
    unknown = np.isnan(values)
    largest = METRICS["transistors_bn"].largest
    return Bounds(np.where(unknown, 0.0, values), np.where(unknown, largest, values))


def _dram(memory: str | None, bandwidth: float | None) -> float | None:
    return 0.0 if (memory or "").startswith("none (on-") else bandwidth


def _sum(first: float | None, second: float | None) -> float | None:
    return None if first is None or second is None else first + second
