"""Tables of chips and HBM stacks to classify: only the columns of the specification are read.

What a row states itself wins over what follows from other columns: TPP over dense rate times bits, density
over TPP per area, the I/O sum over its parts. Arithmetic on the decimals of the file is exact, so that a value
at a threshold is at the threshold.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from computemarket.errors import InputError
from computemarket.model.core.arrays import Floats
from computemarket.model.core.given_files import LARGEST_TABLE, read_given
from computemarket.model.core.texts import decoded
from computemarket.model.policy.regimes.metrics import METRICS, Bounds, chip_metrics

CHIP_COLUMNS = (
    *("datacenter", "best_bits", "dense_tops", "tpp", "die_mm2", "pd", "memory", "dram_bw_gbps"),
    *("link_bidir_gbps", "pcie_bidir_gbps", "io_bidir_gbps"),
)
HBM_COLUMNS = ("bandwidth_gbps", "area_mm2", "density")
_YES, _NO = {"1", "1.0", "yes", "true", "y"}, {"0", "0.0", "no", "false", "n"}
_LONGEST_CELL = 40  # a number in a table is shorter; guards against endless digits
Row = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Cases:
    """Chips (or stacks) to classify, N of them, with metrics of shape (N,)."""

    ids: tuple[str, ...]
    names: tuple[str, ...]
    metrics: Mapping[str, Bounds]
    item: str


def read_cases(path: Path) -> Cases:
    """Read a table of chips or of HBM stacks.

    Raises
    ------
    InputError
        for a file that is not such a table, or a cell that is not a number.
    """
    text = decoded(read_given(path, "table", LARGEST_TABLE), str(path), "CSV")
    reader = csv.DictReader(text.splitlines())
    header = [name.strip() for name in reader.fieldnames or ()]
    reader.fieldnames = header
    rows: list[Row] = [{k: (v or "").strip() for k, v in row.items() if isinstance(k, str)} for row in reader]
    where = path.name
    if "stack" in header and not set(header).isdisjoint(HBM_COLUMNS):
        return _stacks(rows, where)
    if set(header).isdisjoint(("tpp", "dense_tops")):
        allowed = "a table with a column tpp or dense_tops (chips), or stack and density (HBM)"
        raise InputError(f"{where}: columns", ", ".join(header[:8]), allowed)
    return _chips(rows, where)


def _chips(rows: list[Row], where: str) -> Cases:
    label = "case_id" if any(row.get("case_id") for row in rows) else "chip"
    ids = tuple(row.get(label) or f"row {place}" for place, row in enumerate(rows, 2))
    _once(ids, where)
    columns: dict[str, list[Fraction | None]] = {
        key: [] for key in ("tpp", "pd", "dram", "io", "io_least", "dc")
    }
    for place, row in enumerate(rows, 2):
        spec = _Cells(row, f"{where}: line {place}")
        tpp = _either(spec.number("tpp"), _product(spec.number("dense_tops"), spec.number("best_bits")))
        parts = (spec.number("link_bidir_gbps"), spec.number("pcie_bidir_gbps"))
        columns["tpp"].append(tpp)
        columns["pd"].append(_either(spec.number("pd"), _quotient(tpp, spec.number("die_mm2"))))
        columns["dram"].append(_either(spec.number("dram_bw_gbps"), _no_dram(row)))
        columns["io"].append(_either(spec.number("io_bidir_gbps"), _sum(parts)))
        columns["io_least"].append(sum((part for part in parts if part is not None), Fraction(0)))
        columns["dc"].append(spec.flag("datacenter"))
    array = {key: _floats(values) for key, values in columns.items()}
    metrics = chip_metrics(
        array["tpp"], array["pd"], array["dram"], array["io"], array["dc"], io_least_gbps=array["io_least"]
    )
    return Cases(ids, tuple(row.get("chip", "") for row in rows), metrics, "chip")


def _stacks(rows: list[Row], where: str) -> Cases:
    ids = tuple(row.get("stack") or f"row {place}" for place, row in enumerate(rows, 2))
    _once(ids, where)
    densities = []
    for place, row in enumerate(rows, 2):
        spec = _Cells(row, f"{where}: line {place}")
        computed = _quotient(spec.number("bandwidth_gbps"), spec.number("area_mm2"))
        densities.append(_either(spec.number("density"), computed))
    array = _floats(densities)
    known = np.where(np.isnan(array), METRICS["hbm_density"].largest, array)
    return Cases(ids, ids, {"hbm_density": Bounds(np.nan_to_num(array), known)}, "hbm")


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
