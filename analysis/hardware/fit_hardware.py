"""Fit the hardware coefficients to measured points: ``python -m computemarket.analysis.hardware.fit_hardware``.

Robust least squares on logarithms (soft L1, close to the median) with priors: common values start from public
efficiencies, effects of stacks, generations and engines shrink towards one (partial pooling). Every choice is
judged by cross-validation that leaves out whole configurations, chips or models. Set OPENBLAS_NUM_THREADS=1: the
matrices are small, and threads only get in each other's way.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import cast

import numpy as np

from computemarket.analysis.hardware.coefficient_space import Space, build_space, load_priors, values_at
from computemarket.analysis.hardware.kernel_inputs import Setup, prepare
from computemarket.analysis.hardware.perf_points import Points, read_points
from computemarket.analysis.hardware.performance import interval_kinds, summarise
from computemarket.analysis.hardware.point_predictor import predict_rows, take_rows
from computemarket.model.core.arrays import Floats, Ints
from computemarket.model.hardware.performance.coefficients import FILE

SCALE_LN = 0.15  # residuals beyond this count linearly, not squared
_STEP = 1e-4
_WORST_LN = 3.0  # residual of a row that cannot be computed at a trial value
_FOLDS = 8
LEVEL = 0.9  # of the prediction intervals
LEAST_LN = 0.18  # effects smaller than this are left out, and the rest is fitted again
_ENOUGH = 40  # rows from which a kind of row has its own interval


@dataclass(frozen=True)
class Fit:
    """A fitted vector with the standard errors of its entries."""

    space: Space
    theta: Floats
    sd: Floats

    @property
    def freedom(self) -> float:
        """Return the effective number of fitted numbers: entries the points decide, not their priors."""
        return float(np.sum(1.0 - np.minimum(self.sd / self.space.spread, 1.0) ** 2))


def robust(residual: Floats) -> Floats:
    """Return residuals whose squares are the soft-L1 loss of the given ones."""
    square = (residual / SCALE_LN) ** 2
    return np.sign(residual) * np.sqrt(2.0 * (np.sqrt(1.0 + square) - 1.0))


def log_residual(setup: Setup, values: dict[str, Floats], measured_ln: Floats) -> Floats:
    """Return ln(predicted/measured) of every row."""
    predicted = predict_rows(setup, values)
    with np.errstate(divide="ignore", invalid="ignore"):
        residual = np.log(predicted) - measured_ln
    return np.where(np.isfinite(residual), residual, _WORST_LN)


def fit_rows(
    setup: Setup, measured: Floats, space: Space, start: Floats | None = None, steps: int = 30
) -> Fit:
    """Return the maximum of the posterior over the coefficients.

    Parameters
    ----------
    setup, measured : rows and what was measured
    space : the space of coefficients (may hold levels that no row has: they stay at their prior)
    start : vector to start from
    steps : most steps of the trust region
    """
    from scipy.optimize import least_squares

    design = space.design(setup.levels)
    target = np.log(measured)
    count = len(target)
    matrix = {j: (owner, places.index(j)) for owner, (places, _) in design.items() for j in places}

    def residual(theta: Floats) -> Floats:
        data = robust(log_residual(setup, values_at(space, design, theta), target))
        return np.concatenate([data, (theta - space.start) / space.spread])

    def jacobian(theta: Floats) -> Floats:
        base = residual(theta)[:count]
        out = np.zeros((count + theta.size, theta.size))
        out[count + np.arange(theta.size), np.arange(theta.size)] = 1.0 / space.spread
        for j, (owner, column) in matrix.items():
            rows = np.flatnonzero(design[owner][1][:, column])
            if rows.size == 0:
                continue
            moved = theta.copy()
            moved[j] += _STEP
            part = {name: (places, table[rows]) for name, (places, table) in design.items()}
            change = robust(log_residual(take_rows(setup, rows), values_at(space, part, moved), target[rows]))
            out[rows, j] = (change - base[rows]) / _STEP
        return out

    first = space.start if start is None else start
    solution = least_squares(residual, first, jac=jacobian, max_nfev=steps)
    curvature = solution.jac.T @ solution.jac
    sd = np.sqrt(np.diag(np.linalg.inv(curvature)))
    return Fit(space, solution.x, sd)


def fit_pruned(
    setup: Setup, measured: Floats, space: Space, start: Floats | None = None, steps: int = 30
) -> Fit:
    """Return a fit in two stages: all effects, then only those that matter.

    The few effects left are what the coefficient file holds; leaving small ones out also predicts better.
    """
    whole = fit_rows(setup, measured, space, start, steps)
    kept = [i for i, (_, level) in enumerate(space.entries) if not level or abs(whole.theta[i]) >= LEAST_LN]
    small = Space(space.names, tuple(space.entries[i] for i in kept), space.start[kept], space.spread[kept])
    return fit_rows(setup, measured, small, whole.theta[kept], steps)


def configuration_groups(points: Points, setup: Setup) -> tuple[str, ...]:
    """Return the configuration of each row: chip, model, format, phase, scenario, mode, layout, lengths.

    MLPerf rows of one chip, model and scenario are one configuration, whoever submitted them.
    """
    words, numbers = points.conditions.words, points.conditions.numbers
    names = []
    for i in setup.rows:
        sent = numbers["input_len"][i]
        answered = numbers["output_len"][i] if np.isfinite(sent) else 0.0
        parts = [
            words[name][i] for name in ("accelerator", "model", "precision", "phase", "scenario", "mode")
        ]
        names.append("|".join([*parts, str(numbers["tensor_parallel"][i]), str(sent), str(answered)]))
    return tuple(names)


def cross_validate(
    setup: Setup, measured: Floats, space: Space, groups: Sequence[str], start: Floats, folds: int = _FOLDS
) -> Floats:
    """Return predictions of every row by fits that have not seen its group."""
    fold = _folds(groups, folds)
    predicted = np.full(len(measured), np.nan)
    for k in range(fold.max() + 1):
        seen, left = np.flatnonzero(fold != k), np.flatnonzero(fold == k)
        fit = fit_pruned(take_rows(setup, seen), measured[seen], space, start, steps=6)
        design = fit.space.design(setup.levels)
        predicted[left] = predict_rows(setup, values_at(fit.space, design, fit.theta))[left]
    return predicted


def _folds(groups: Sequence[str], folds: int) -> Ints:
    """Return a fold for each row; the groups, shuffled with a fixed seed, are dealt in turn."""
    names = sorted(set(groups))
    order = np.random.Generator(np.random.Philox(1)).permutation(len(names))
    place = {names[g]: int(rank % folds) for rank, g in enumerate(order)}
    return np.array([place[name] for name in groups], dtype=np.int64)


def half_widths(residual_ln: Floats, kinds: Sequence[str]) -> dict[str, float]:
    """Return by kind the half-width of the interval: a quantile of the cross-validated |ln ratio|.

    Split-conformal (Vovk et al. 2005): the ceil((n + 1) level)-th smallest. Kinds with few rows borrow from
    all rows until their weights sum to the least number.
    """
    size = np.abs(residual_ln)
    out = {}
    for kind in sorted(set(kinds)):
        own = np.array([name == kind for name in kinds])
        borrowed = max(_ENOUGH - int(own.sum()), 0) / len(kinds)
        weight = own + borrowed
        order = np.argsort(size, kind="stable")
        share = np.cumsum(weight[order]) / (weight.sum() + 1.0)
        out[kind] = float(size[order][min(int(np.searchsorted(share, LEVEL)), len(size) - 1)])
    return out


def coverage(residual_ln: Floats, kinds: Sequence[str], groups: Sequence[str]) -> float:
    """Return the share of rows inside intervals made without their own fold."""
    fold = _folds(groups, _FOLDS)
    inside = 0
    for k in range(fold.max() + 1):
        seen, left = np.flatnonzero(fold != k).tolist(), np.flatnonzero(fold == k).tolist()
        widths = half_widths(residual_ln[seen], [kinds[i] for i in seen])
        widest = max(widths.values())
        inside += sum(abs(residual_ln[i]) <= widths.get(kinds[i], widest) for i in left)
    return inside / len(kinds)


def write_coefficients(
    fit: Fit, widths: dict[str, float], report: dict[str, float | str], path: Path
) -> None:
    """Write the fitted numbers with their uncertainty, the errors and the intervals as TOML."""
    priors = load_priors()
    lines = [
        "# Written by `python -m computemarket.analysis.hardware.fit_hardware`; do not edit by hand.",
        "# value: common value; sd_ln: standard error of its logarithm; effect: factors by level, shrunken to 1.",
        "",
        "[fit]",
        *(f"{key} = {_toml(value)}" for key, value in report.items()),
        "",
        "[half_width_ln]",
        f"level = {LEVEL}",
        *(f"{kind} = {width:.4f}" for kind, width in widths.items()),
    ]
    for name in fit.space.names:
        places = [i for i, (owner, _) in enumerate(fit.space.entries) if owner == name]
        common = places[0]
        lines += [
            "",
            f"[coefficient.{name}]",
            f'meaning = "{priors[name].meaning}"',
            f'unit = "{priors[name].unit}"',
            f"value = {np.exp(fit.theta[common]):.6g}",
            f"sd_ln = {fit.sd[common]:.3f}",
        ]
        for i in places[1:]:
            level, factor, sd = fit.space.entries[i][1], np.exp(fit.theta[i]), fit.sd[i]
            lines.append(f'effect."{level}" = {{ factor = {factor:.4f}, sd_ln = {sd:.3f} }}')
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _toml(value: float | str) -> str:
    return f'"{value}"' if isinstance(value, str) else f"{value:.4g}"


def error_summary(points: Points, setup: Setup, predicted: Floats, prefix: str) -> dict[str, float]:
    """Return the headline errors of predictions, keyed with a prefix."""
    whole = np.full(len(points), np.nan)
    whole[setup.rows] = predicted
    summary = summarise(points, whole)
    keys = ("median_ape", "p90_ape", "spearman", "audited_median_ape", "aggregated_tpot_median_ape")
    return {f"{prefix}_{key}": float(cast("float", summary[key])) for key in keys}


def main(arguments: Sequence[str] | None = None) -> None:
    """Fit, cross-validate three ways, print the errors, write the coefficient file."""
    parser = argparse.ArgumentParser(description=__doc__)
    data = Path(str(files("computemarket.model.data")))
    parser.add_argument("points", nargs="?", type=Path, default=data / "perf_points.csv")
    parser.add_argument("--date", required=True, help="date of the fit, YYYY-MM-DD, written into the file")
    parser.add_argument("--out", type=Path, default=data / FILE)
    options = parser.parse_args(arguments)
    points = read_points(options.points)
    setup, _ = prepare(points.conditions)
    measured = points.value[setup.rows]
    space = build_space(setup.levels)
    whole = fit_rows(setup, measured, space)
    fit = fit_pruned(setup, measured, space, whole.theta)
    report: dict[str, float | str] = {"date": options.date, "rows": len(setup)}
    report |= {"coefficients": len(fit.space.entries), "effective_numbers": fit.freedom}
    design = fit.space.design(setup.levels)
    found = predict_rows(setup, values_at(fit.space, design, fit.theta))
    report |= error_summary(points, setup, found, "in_sample")
    groups = configuration_groups(points, setup)
    left_out = {
        "configuration": groups,
        "chip": tuple(points.conditions.words["accelerator"][i] for i in setup.rows),
        "model": tuple(points.conditions.words["model"][i] for i in setup.rows),
    }
    kinds = interval_kinds(setup)
    widths: dict[str, float] = {}
    for name, names in left_out.items():
        predicted = cross_validate(setup, measured, space, names, whole.theta)
        report |= error_summary(points, setup, predicted, f"without_{name}")
        if name == "configuration":
            residual = np.log(predicted / measured)
            widths = half_widths(residual, kinds)
            report["interval_coverage"] = coverage(residual, kinds, groups)
    for key, value in report.items():
        sys.stdout.write(f"{key} {value if isinstance(value, str) else round(value, 4)}\n")
    write_coefficients(fit, widths, report, options.out)


if __name__ == "__main__":
    main()
