"""Hold the kernel against measured points: predictions with intervals, errors, and the file of both."""

import csv
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from computemarket.analysis.hardware.kernel_inputs import Kind, Setup, prepare
from computemarket.analysis.hardware.points.perf_points import Points
from computemarket.analysis.hardware.points.point_intervals import thinness, widening
from computemarket.analysis.hardware.points.point_predictor import predict_rows
from computemarket.model.core.arrays import Bools, Floats
from computemarket.model.hardware.performance.coefficients import Coefficients, load_coefficients

_ADDED = ("predicted", "ratio", "low", "high", "skipped_because")


@dataclass(frozen=True)
class Evaluation:
    """Predictions of a file's rows; arrays over all rows, NaN where skipped."""

    points: Points
    predicted: Floats
    low: Floats
    high: Floats
    skipped: dict[int, str]  # reason by row

    @property
    def summary(self) -> dict[str, object]:
        """Return the errors as plain values, ready for JSON."""
        summary = summarise(self.points, self.predicted)
        known = _known(self.points, self.predicted)
        if known.any():
            value = self.points.value[known]
            inside = (self.low[known] <= value) & (value <= self.high[known])
            summary["interval_level"] = load_coefficients().half_width_ln["level"]
            summary["interval_coverage"] = float(inside.mean())
        return summary


def evaluate(points: Points, coefficients: Coefficients | None = None) -> Evaluation:
    """Predict every row that can be predicted, from its conditions alone."""
    coefficients = load_coefficients() if coefficients is None else coefficients
    setup, skipped = prepare(points.conditions, points.faults)
    predicted, low, high = (np.full(len(points), np.nan) for _ in range(3))
    if len(setup):
        values = {name: coefficients.per_row(name, setup.levels) for name in coefficients.table}
        found = predict_rows(setup, values)
        width = np.array([_half_width(coefficients, kind) for kind in interval_kinds(setup)])
        width = width * widening(thinness(setup.traits, coefficients.evidence), coefficients.widening)
        predicted[setup.rows] = found
        low[setup.rows], high[setup.rows] = found * np.exp(-width), found * np.exp(width)
    for row in np.flatnonzero(~np.isfinite(predicted)):
        skipped.setdefault(int(row), "the equations give no finite number")
    return Evaluation(points, predicted, low, high, skipped)


def _half_width(coefficients: Coefficients, kind: str) -> float:
    table = coefficients.half_width_ln
    return float(table.get(kind, max(value for name, value in table.items() if name != "level")))


def interval_kinds(setup: Setup) -> tuple[str, ...]:
    """Return the kind of interval each row takes: kind of prediction, MLPerf apart."""
    return tuple(
        Kind(k).name.lower() + ("_mlperf" if audited else "")
        for k, audited in zip(setup.kind, setup.audited_kind, strict=True)
    )


def _known(points: Points, predicted: Floats) -> Bools:
    return np.asarray(np.isfinite(predicted) & np.isfinite(points.value) & (points.value > 0))


def summarise(points: Points, predicted: Floats) -> dict[str, object]:
    """Return errors over the rows that are predicted and measured.

    Returns
    -------
    counts, median and 90th percentile of the absolute percentage error, Spearman rank correlation, medians over
    audited rows and over time per output token in aggregated serving, and errors by phase and by chip
    """
    known = _known(points, predicted)
    words = points.conditions.words
    error = np.abs(np.where(known, predicted, np.nan) / np.where(known, points.value, 1.0) - 1.0)
    shared = np.array(
        [
            mode == "agg" and phase == "decode"
            for mode, phase in zip(words["mode"], words["phase"], strict=True)
        ],
        dtype=bool,
    )

    def median(rows: Bools) -> float | None:
        rows = rows & known
        return float(np.median(error[rows])) if rows.any() else None

    def table(column: str) -> dict[str, dict[str, float | int | None]]:
        names = np.array(words[column], dtype=object)
        return {
            name: {"n": int((rows := (names == name) & known).sum()), "median_ape": median(rows)}
            for name in sorted(set(words[column]))
            if ((names == name) & known).any()
        }

    everything = np.ones(len(points), dtype=bool)
    finite = int(np.isfinite(predicted).sum())
    return {
        "n_predicted": finite,
        "n_skipped": len(points) - finite,
        "median_ape": median(everything),
        "p90_ape": float(np.quantile(error[known], 0.9)) if known.any() else None,
        "spearman": _spearman(predicted[known], points.value[known]),
        "audited_median_ape": median(points.audited),
        "aggregated_tpot_median_ape": median(shared),
        "by_phase": table("phase"),
        "by_accelerator": table("accelerator"),
    }


def _spearman(left: Floats, right: Floats) -> float | None:
    """Return the rank correlation, ties at their mean rank (Spearman 1904); None for fewer than two rows."""
    if len(left) < 2 or np.ptp(left) == 0 or np.ptp(right) == 0:
        return None
    return float(np.corrcoef(_ranks(left), _ranks(right))[0, 1])


def _ranks(values: Floats) -> Floats:
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    return np.asarray((last - 0.5 * (count - 1.0))[place])


def write_evaluation(evaluation: Evaluation, path: Path) -> None:
    """Write the points as read with prediction, ratio, interval and reasons for skipping added."""
    out = io.StringIO(newline="")
    columns = [name for name in evaluation.points.columns if name not in _ADDED]
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*columns, *_ADDED])
    for i, row in enumerate(evaluation.points.rows):
        predicted, value = evaluation.predicted[i], evaluation.points.value[i]
        numbers = (predicted, predicted / value if value else np.nan, evaluation.low[i], evaluation.high[i])
        cells = [_safe(row[name]) for name in columns]
        writer.writerow([*cells, *(_cell(x) for x in numbers), evaluation.skipped.get(i, "")])
    path.write_text(out.getvalue(), encoding="utf-8")


def _cell(number: float) -> str:
    return f"{number:.6g}" if np.isfinite(number) else ""


def _safe(text: str) -> str:
    """Return text that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text
