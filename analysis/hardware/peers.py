"""Compare with other predictors on the same rows: ``python -m computemarket.analysis.hardware.peers``.

Rows: time per output token of aggregated serving. Peers that are formulas are computed here; NVIDIA's aiconfigurator
is read from its shipped answers (it can answer some of the rows).
"""

import csv
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np

from computemarket.analysis.hardware.kernel_inputs import Kind, Setup, prepare
from computemarket.analysis.hardware.peer_programs import genz, llm_analysis
from computemarket.analysis.hardware.performance import evaluate
from computemarket.analysis.hardware.points.coefficient_space import build_space, values_at
from computemarket.analysis.hardware.points.fit_hardware import (
    configuration_groups,
    cross_validate,
    fit_pruned,
)
from computemarket.analysis.hardware.points.fit_points import fit_points
from computemarket.analysis.hardware.points.perf_points import Points, read_points
from computemarket.analysis.hardware.points.point_predictor import predict_rows, take_rows
from computemarket.model.core.arrays import Bools, Floats
from computemarket.model.hardware.specs.chips import chip_table
from computemarket.model.hardware.specs.models import model_table
from computemarket.model.hardware.specs.precision import weight_bytes

_MS = 1000.0


@dataclass(frozen=True)
class Peer:
    """Errors of one predictor on rows that it can answer."""

    name: str
    rows: int
    median: float
    mean: float
    ours_median: float  # of this core on the same rows, left out of the fit by configuration
    ours_mean: float


def shared_rows(points: Points) -> Bools:
    """Return the rows that state the time per output token of aggregated serving."""
    words = points.conditions.words
    return np.array(
        [m == "agg" and p == "decode" for m, p in zip(words["mode"], words["phase"], strict=True)], dtype=bool
    )


def aiconfigurator(points: Points) -> Floats:
    """Return tokens/s of one user by NVIDIA's aiconfigurator 0.12.0, NaN where it has no answer."""
    text = (files("computemarket.model.data") / "perf_peer_aiconfigurator.csv").read_text(encoding="utf-8")
    answers = {
        row["id"]: row["aic_tpot_ms"] for row in csv.DictReader(text.splitlines()) if row["aic_tpot_ms"]
    }
    return np.array([_MS / float(answers[i]) if i in answers else np.nan for i in points.ids])


def scaling_book(setup: Setup) -> Floats:
    """Return tokens/s of one user without any efficiency: bytes over bandwidth or operations over peak.

    The form of "How to scale your model" (Austin et al. 2025): ``max((W + B kv S)/(n BW), 2 P_a B/(n F))``, all
    weights read once a step.
    """
    chips, models = chip_table().arrays.take(setup.chip), model_table().arrays.take(setup.model)
    expert, shared = weight_bytes(setup.code, models.mixture)
    weights = models.experts * np.minimum(expert, models.expert_bytes) + models.shared * shared
    context = setup.input_tokens + 0.5 * setup.output_tokens
    cache = setup.batch * models.cache_values * setup.cache_bytes * context
    read = (weights + cache) / (setup.chips * chips.bandwidth_b_s)
    compute = 2.0 * models.active * setup.batch / (setup.chips * chips.rate(setup.code))
    return 1.0 / np.maximum(read, compute)


def unfitted(setup: Setup) -> Floats:
    """Return this core's predictions with starting values in place of fitted ones."""
    space = build_space(setup.levels)
    return predict_rows(setup, values_at(space, space.design(setup.levels), space.start))


def compare(points: Points) -> list[Peer]:
    """Return the errors of every peer on its rows, and of this core on the same ones."""
    rows = np.flatnonzero(shared_rows(points))
    setup, _ = prepare(points.conditions)
    folder = Path(str(files("computemarket.model.data")))
    data = fit_points(points, read_points(folder / "perf_points_outside.csv"))
    fit = fit_pruned(data.setup, data.measured, build_space(data.setup.levels), weight=data.weight)
    left_out = cross_validate(data, fit, configuration_groups(data)).predicted
    ours = np.full(len(data.points), np.nan)
    ours[data.setup.rows] = left_out
    ours = ours[: len(points)]
    whole = np.full(len(points), np.nan)
    whole[setup.rows] = unfitted(setup)
    book = np.full(len(points), np.nan)
    stream = np.flatnonzero((setup.kind == Kind.STREAM) & np.isfinite(setup.batch))
    book[setup.rows[stream]] = scaling_book(take_rows(setup, stream))
    asked = np.flatnonzero(shared_rows(points)[setup.rows])
    zoo, formula = np.full(len(points), np.nan), np.full(len(points), np.nan)
    zoo[setup.rows[asked]] = genz(take_rows(setup, asked))
    formula[setup.rows[asked]] = llm_analysis(take_rows(setup, asked))
    peers: Mapping[str, Floats] = {
        "scaling-book form, no efficiency": book,
        "llm-analysis 0.2.2, its own efficiencies": formula,
        "GenZ 0.0.16, efficiency 0.8": zoo,
        "aiconfigurator 0.12.0, measured operator tables": aiconfigurator(points),
        "this core, starting values, no fit": whole,
        "this core, fitted, in sample": evaluate(points).predicted,
        "this core, fitted, configuration left out": ours,
    }
    compared = (_peer(name, found[rows], ours[rows], points.value[rows]) for name, found in peers.items())
    return [peer for peer in compared if peer is not None]


def _peer(name: str, found: Floats, ours: Floats, measured: Floats) -> Peer | None:
    known = np.isfinite(found)
    if not known.any():
        return None  # not installed
    # A predictor of time per token is judged on time, as the published comparisons are.
    error = np.abs(measured[known] / found[known] - 1.0)
    own = np.abs(measured[known] / ours[known] - 1.0)
    return Peer(
        name,
        int(known.sum()),
        float(np.median(error)),
        float(error.mean()),
        float(np.median(own)),
        float(own.mean()),
    )


def main() -> None:
    """Print the comparison as a Markdown table."""
    points = read_points(Path(str(files("computemarket.model.data"))) / "perf_points.csv")
    lines = [
        "| predictor | rows | median error | mean error | this core on the same rows, left out: median | mean |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {p.name} | {p.rows} | {p.median:.1%} | {p.mean:.1%} | {p.ours_median:.1%} | {p.ours_mean:.1%} |"
        for p in compare(points)
    ]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
