"""Tables of chips and HBM stacks to classify: only the columns of the specification are read.

What a row states itself wins over what follows from other columns: TPP over dense rate times bits, density
over TPP per area, the I/O sum over its parts. Arithmetic on the decimals of the file is exact, so that a value
at a threshold is at the threshold. Where what is stated contradicts what follows, the case bears a warning.

A rule is about one integrated circuit: where a card carries several (`circuits`), each has its part of the card's
compute and of its memory bandwidth; all reach the outside through the card's links. Dies in one package are one.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import numpy as np

from computemarket.errors import InputError
from computemarket.model.core.arrays import Floats
from computemarket.model.core.given_files import LARGEST_TABLE, read_given
from computemarket.model.core.texts import decoded
from computemarket.model.policy.classification.case_checks import (
    Row,
    check_table,
    contradiction,
    unread_columns,
)
from computemarket.model.policy.regimes.metrics import METRICS, Bounds, Metrics, chip_metrics

CHIP_COLUMNS = (
    *("datacenter", "best_bits", "dense_tops", "tpp", "die_mm2", "pd", "memory", "dram_bw_gbps"),
    *("link_bidir_gbps", "pcie_bidir_gbps", "io_bidir_gbps", "circuits"),
)
HBM_COLUMNS = ("bandwidth_gbps", "area_mm2", "density")
_YES, _NO = {"1", "1.0", "yes", "true", "y"}, {"0", "0.0", "no", "false", "n"}
_LONGEST_CELL = 40  # a number in a table is shorter; guards against endless digits
_MOST_CIRCUITS = 1000
Warnings = Mapping[str, tuple[str, ...]]  # case id -> what to know about it


@dataclass(frozen=True, slots=True)
class Cases:
    """Chips (or stacks) to classify, N of them, with metrics of shape (N,).

    `published` are the metrics with estimated figures left open, None where no figure is an estimate.
    """

    ids: tuple[str, ...]
    names: tuple[str, ...]
    metrics: Mapping[str, Bounds]
    item: str
    published: Metrics | None = None
    warnings: Warnings = field(default_factory=dict)


def read_cases(path: Path) -> Cases:
    """Read a table of chips or of HBM stacks.

    Raises
    ------
    InputError
        for a file that is not such a table or has no rows, a mistyped column, a cell too many, or one that is
        not a number.
    """
    text = decoded(read_given(path, "table", LARGEST_TABLE), str(path), "CSV")
    reader = csv.DictReader(text.splitlines())
    header = [name.strip() for name in reader.fieldnames or ()]
    reader.fieldnames = header
    where = path.name
    if "stack" in header and not set(header).isdisjoint(HBM_COLUMNS):
        warnings = unread_columns(header, ("stack", *HBM_COLUMNS), where)
        return _stacks(check_table(header, reader, where), where, warnings)
    warnings = unread_columns(header, ("case_id", "chip", *CHIP_COLUMNS), where)
    if set(header).isdisjoint(("tpp", "dense_tops")):
        allowed = "a table with a column tpp or dense_tops (chips), or stack and density (HBM)"
        raise InputError(f"{where}: columns", ", ".join(header[:8]), allowed)
    return _chips(check_table(header, reader, where), where, warnings)


def _chips(rows: list[Row], where: str, of_table: tuple[str, ...]) -> Cases:
    label = "case_id" if any(row.get("case_id") for row in rows) else "chip"
    ids = tuple(row.get(label) or f"row {place}" for place, row in enumerate(rows, 2))
    _once(ids, where)
    chips = [_chip(_Cells(row, f"{where}: line {place}")) for place, row in enumerate(rows, 2)]
    columns = {key: [figures[key] for figures, _ in chips] for key in chips[0][0]}
    warnings = {case_id: (*of_table, *found) for case_id, (_, found) in zip(ids, chips, strict=True)}
    array = {key: _floats(values) for key, values in columns.items()}
    metrics = chip_metrics(
        array["tpp"], array["pd"], array["dram"], array["io"], array["dc"], io_least_gbps=array["io_least"]
    )
    return Cases(ids, tuple(row.get("chip", "") for row in rows), metrics, "chip", warnings=warnings)


def _chip(spec: "_Cells") -> tuple[dict[str, Fraction | None], tuple[str, ...]]:
    """Return the figures of one integrated circuit, and where they contradict each other."""
    stated, area = spec.number("tpp"), spec.number("die_mm2")
    by_rate = _product(spec.number("dense_tops"), spec.number("best_bits"))
    tpp = _either(stated, by_rate)
    density = Fraction(0) if area == 0 else _quotient(tpp, area)  # no die of a non-planar process
    parts = (spec.number("link_bidir_gbps"), spec.number("pcie_bidir_gbps"))
    share = 1 / spec.circuits()
    figures = {
        "tpp": _product(tpp, share),
        "pd": _either(spec.number("pd"), density),
        "dram": _product(_either(spec.number("dram_bw_gbps"), _no_dram(spec.row)), share),
        "io": _either(spec.number("io_bidir_gbps"), _sum(parts)),
        "io_least": sum((part for part in parts if part is not None), Fraction(0)),
        "dc": spec.flag("datacenter"),
    }
    warnings = (
        *contradiction(stated, by_rate, "tpp", "dense_tops times best_bits"),
        *contradiction(spec.number("pd"), density, "pd", "TPP over die_mm2"),
        *contradiction(spec.number("io_bidir_gbps"), _sum(parts), "io_bidir_gbps", "links plus PCIe"),
    )
    return figures, warnings


def _stacks(rows: list[Row], where: str, of_table: tuple[str, ...]) -> Cases:
    ids = tuple(row.get("stack") or f"row {place}" for place, row in enumerate(rows, 2))
    _once(ids, where)
    densities, warnings = [], {}
    for place, (stack, row) in enumerate(zip(ids, rows, strict=True), 2):
        spec = _Cells(row, f"{where}: line {place}")
        computed, stated = (
            _quotient(spec.number("bandwidth_gbps"), spec.number("area_mm2")),
            spec.number("density"),
        )
        densities.append(_either(stated, computed))
        warnings[stack] = (*of_table, *contradiction(stated, computed, "density", "bandwidth over area"))
    array = _floats(densities)
    known = np.where(np.isnan(array), METRICS["hbm_density"].largest, array)
    metrics = {"hbm_density": Bounds(np.nan_to_num(array), known)}
    return Cases(ids, ids, metrics, "hbm", warnings=warnings)


@dataclass(frozen=True, slots=True)
class _Cells:
    """The cells of one row, read with the line they stand on."""

    row: Row
    where: str

    def number(self, column: str) -> Fraction | None:
        """Return the exact value of a cell, None where it is blank."""
        cell = self.row.get(column, "")
        if not cell:
            return None
        try:
            value = (
                Fraction(cell)
                if len(cell) <= _LONGEST_CELL and "e" not in cell.lower()
                else Fraction(float(cell))
            )
        except (ValueError, ZeroDivisionError, OverflowError):
            value = Fraction(-1)
        if not 0 <= value <= 10**12:
            raise InputError(f"{self.where}: {column}", cell, "a number from 0 to 1e12, or blank")
        return value

    def circuits(self) -> Fraction:
        """Return the number of integrated circuits on the card, 1 where it is blank."""
        found = self.number("circuits")
        if found is not None and not (found.denominator == 1 and 1 <= found <= _MOST_CIRCUITS):
            raise InputError(
                f"{self.where}: circuits", self.row["circuits"], f"1 to {_MOST_CIRCUITS}, or blank"
            )
        return Fraction(1) if found is None else found

    def flag(self, column: str) -> Fraction | None:
        """Return 1 or 0 for a yes/no cell, None where it is blank."""
        cell = self.row.get(column, "").lower()
        if cell and cell not in _YES | _NO:
            raise InputError(f"{self.where}: {column}", cell, "1, 0, yes, no or blank")
        return Fraction(cell in _YES) if cell else None


def _once(ids: tuple[str, ...], where: str) -> None:
    if len(set(ids)) < len(ids):
        twice = next(name for name in ids if ids.count(name) > 1)
        raise InputError(f"{where}: id", twice, "given once")


def _no_dram(row: Row) -> Fraction | None:
    """Return 0 for a chip whose memory is SRAM on the chip alone."""
    memory = row.get("memory", "").lower()
    return Fraction(0) if "sram" in memory and "dram" not in memory.replace("sram", "") else None


def _either(stated: Fraction | None, computed: Fraction | None) -> Fraction | None:
    return computed if stated is None else stated


def _product(left: Fraction | None, right: Fraction | None) -> Fraction | None:
    return None if left is None or right is None else left * right


def _quotient(left: Fraction | None, right: Fraction | None) -> Fraction | None:
    return None if left is None or right is None or right == 0 else left / right


def _sum(parts: tuple[Fraction | None, ...]) -> Fraction | None:
    return None if None in parts else sum((part for part in parts if part is not None), Fraction(0))


def _floats(values: list[Fraction | None]) -> Floats:
    return np.array([np.nan if value is None else float(value) for value in values], dtype=np.float64)
