"""Energy per token against measured figures: ``python -m computemarket.analysis.hardware.energy_check``.

The rate comes from the laws of ``performance``; the site's boundary takes the all-in power at the meter, the chip's own
takes its power by what is busy. No figure of energy enters a fit.
"""

import csv
import sys
from dataclasses import dataclass
from importlib.resources import files

import numpy as np

from computemarket.analysis.hardware.kernel_inputs import OUTPUT_CHIP, Setup, prepare
from computemarket.analysis.hardware.points.perf_points import NUMBERS, WORDS, Conditions
from computemarket.analysis.hardware.points.point_predictor import busy_shares, predict_rows, take_rows
from computemarket.model.core.arrays import Floats
from computemarket.model.hardware.economics.site import site_figures
from computemarket.model.hardware.performance.coefficients import load_coefficients
from computemarket.model.hardware.performance.energy import chip_power_w
from computemarket.model.hardware.specs.chips import chip_table

_WATTS_PER_KW = 1000.0
# Power of a chip over its design limit while idle, and of its dynamic part while arithmetic and memory are busy.
# Assumptions; an H100 idles near 100 of 700 W, and nodes average 0.7 of their maximum in steady serving.
_IDLE_SHARE, _COMPUTE_WEIGHT, _MEMORY_WEIGHT = 0.15, 0.6, 0.55
_COLUMNS = {"batch": "batch_or_concurrency", "input_tokens": "input_len", "output_tokens": "output_len"}


@dataclass(frozen=True)
class EnergyRow:
    """One measured figure beside what the laws say, J per output token."""

    name: str
    measured: float
    predicted: float

    @property
    def error(self) -> float:
        """Return the relative error."""
        return self.predicted / self.measured - 1.0


def energy_rows() -> list[EnergyRow]:
    """Return the recorded figures with predictions."""
    text = (files("computemarket.model.data") / "energy_points.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    setup, _ = prepare(_conditions(rows))
    coefficients = load_coefficients()
    values = {name: coefficients.per_row(name, setup.levels) for name in coefficients.table}
    watts = np.array(
        [
            _WATTS_PER_KW * site_figures((row["accelerator"],)).power_kw[0]
            if row["boundary"] == "site"
            else np.nan
            for row in rows
        ]
    )
    watts = np.where(np.isnan(watts), _chip_watts(setup, values), watts)
    joules = watts / predict_rows(setup, values)
    return [
        EnergyRow(row["id"], float(row["joules_per_token"]), float(joule))
        for row, joule in zip(rows, joules, strict=True)
    ]


def _conditions(rows: list[dict[str, str]]) -> Conditions:
    """Return the rows as conditions of measured points: output tokens/s per chip at a speed or a batch."""
    words = {name: tuple(row.get(name, "") for row in rows) for name in WORDS}
    words |= {"phase": ("offline_total",) * len(rows), "metric": (OUTPUT_CHIP,) * len(rows)}
    numbers = {name: np.full(len(rows), np.nan) for name in NUMBERS}
    for column, name in _COLUMNS.items():
        numbers[name] = _column(rows, column)
    numbers["interactivity_tok_s_user"] = _column(rows, "speed")
    alone = np.isfinite(numbers["batch_or_concurrency"])
    numbers["n_chips"] = np.where(alone, 1.0, np.nan)
    numbers["tensor_parallel"] = np.where(alone, 1.0, np.nan)
    return Conditions(words, numbers)


def _column(rows: list[dict[str, str]], name: str) -> Floats:
    return np.array([float(row[name]) if row[name] else np.nan for row in rows])


def _chip_watts(setup: Setup, values: dict[str, Floats]) -> Floats:
    """Return the power of a chip by what is busy, NaN for rows without a stated batch, W."""
    out = np.full(len(setup), np.nan)
    stated = np.flatnonzero(np.isfinite(setup.batch))
    part = take_rows(setup, stated)
    compute, memory = busy_shares(part, {name: column[stated] for name, column in values.items()})
    limit = chip_table().arrays.take(part.chip).power_w
    out[stated] = chip_power_w(
        _IDLE_SHARE * limit,
        limit,
        compute,
        memory,
        _COMPUTE_WEIGHT,
        _MEMORY_WEIGHT,
    )
    return out


def main() -> None:
    """Print the comparison as a Markdown table."""
    rows = energy_rows()
    lines = ["| figure | measured, J per token | core | error |", "|---|---|---|---|"]
    lines += [f"| {row.name} | {row.measured:.2f} | {row.predicted:.2f} | {row.error:+.0%} |" for row in rows]
    lines.append(f"\nmedian error {np.median([abs(row.error) for row in rows]):.0%}")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
