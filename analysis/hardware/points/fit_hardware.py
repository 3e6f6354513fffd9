"""Fit the hardware coefficients to measured points: ``python -m computemarket.analysis.hardware.points.fit_hardware``.

Robust least squares on logarithms (soft L1, close to the median) with priors: common values start from public
efficiencies, effects of stacks, generations and engines shrink towards one (partial pooling). Every choice is
judged by cross-validation that leaves out whole publishers, configurations, chips or models. Set
OPENBLAS_NUM_THREADS=1: the matrices are small, and threads only get in each other's way.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import cast

import numpy as np

from computemarket.analysis.hardware.kernel_inputs import Setup
from computemarket.analysis.hardware.performance import interval_kinds, summarise
from computemarket.analysis.hardware.points.coefficient_space import (
    Space,
    build_space,
    load_priors,
    values_at,
)
from computemarket.analysis.hardware.points.fit_points import (
    FitPoints,
    fit_points,
    publisher_groups,
    read_both,
)
from computemarket.analysis.hardware.points.perf_points import Points
from computemarket.analysis.hardware.points.point_intervals import (
    TRAITS,
    evidence,
    fit_widening,
    thinness,
    widening,
)
from computemarket.analysis.hardware.points.point_predictor import predict_rows, take_rows
from computemarket.model.core.arrays import Floats, Ints
from computemarket.model.hardware.performance.coefficients import FILE

SCALE_LN = 0.15  # residuals beyond this count linearly, not squared
_STEP = 1e-4
_WORST_LN = 3.0  # residual of a row that cannot be computed at a trial value
_FOLDS = 5
_STEPS = 60  # of the trust region, from where the priors let the search begin
# Of the trust region in each fold, which begins there too: no level's effect is remembered of the rows left out.
_FOLD_STEPS = 20
LEVEL = 0.9  # of the prediction intervals
LEAST_LN = 0.12  # effects smaller than this are left out, and the rest is fitted again
_ENOUGH = 40  # rows from which a kind of row has its own interval
WIDTH_WAYS = ("source", "chip", "model")  # of leaving out, by whose errors intervals are made


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
    setup: Setup,
    measured: Floats,
    space: Space,
    start: Floats | None = None,
    steps: int = _STEPS,
    weight: Floats | None = None,
) -> Fit:
    """Return the maximum of the posterior over the coefficients.

    Parameters
    ----------
    setup, measured : rows and what was measured
    space : the space of coefficients (may hold levels that no row has: they stay at their prior)
    start : vector to start from, where the priors let the search begin if not given
    steps : most steps of the trust region
    weight : how many rows each row counts as, one by default
    """
    from scipy.optimize import least_squares

    design = space.design(setup.levels)
    target = np.log(measured)
    count = len(target)
    root = np.ones(count) if weight is None else np.sqrt(weight)
    matrix = {j: (owner, places.index(j)) for owner, (places, _) in design.items() for j in places}

    def residual(theta: Floats) -> Floats:
        found = log_residual(setup, values_at(space, design, theta), target)
        return np.concatenate([root * robust(found), (theta - space.start) / space.spread])

    def jacobian(theta: Floats) -> Floats:
        base = robust(log_residual(setup, values_at(space, design, theta), target))
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
            out[rows, j] = root[rows] * (change - base[rows]) / _STEP
        return out

    first = space.begin if start is None else start
    solution = least_squares(residual, first, jac=jacobian, max_nfev=steps, x_scale="jac")
    curvature = solution.jac.T @ solution.jac
    sd = np.sqrt(np.diag(np.linalg.inv(curvature)))
    return Fit(space, solution.x, sd)


def fit_pruned(
    setup: Setup,
    measured: Floats,
    space: Space,
    start: Floats | None = None,
    steps: int = _STEPS,
    weight: Floats | None = None,
) -> Fit:
    """Return a fit in two stages: all effects, then only those that matter.

    The few effects left are what the coefficient file holds; leaving small ones out also predicts better.
    """
    whole = fit_rows(setup, measured, space, start, steps, weight)
    kept = [
        i
        for i, (_, level) in enumerate(space.entries)
        if not level or abs(whole.theta[i]) >= LEAST_LN or space.start[i]
    ]
    return fit_rows(setup, measured, space.part(kept), whole.theta[kept], steps, weight)


def configuration_groups(data: FitPoints) -> tuple[str, ...]:
    """Return the configuration of each row: chip, model, format, phase, scenario, mode, layout, lengths.

    MLPerf rows of one chip, model and scenario are one configuration, whoever submitted them.
    """
    words, numbers = data.points.conditions.words, data.points.conditions.numbers
    names = []
    for i in data.setup.rows:
        sent = numbers["input_len"][i]
        answered = numbers["output_len"][i] if np.isfinite(sent) else 0.0
        parts = [
            words[name][i] for name in ("accelerator", "model", "precision", "phase", "scenario", "mode")
        ]
        names.append("|".join([*parts, str(numbers["tensor_parallel"][i]), str(sent), str(answered)]))
    return tuple(names)


@dataclass(frozen=True)
class LeftOut:
    """Predictions of every row by a fit that has not seen its group, and how well that fit knew its traits."""

    predicted: Floats
    thin: Floats  # (n, traits), by the points that the fit did see


def cross_validate(data: FitPoints, fit: Fit, groups: Sequence[str], folds: int = _FOLDS) -> LeftOut:
    """Return predictions of every row by fits that have not seen its group.

    Which effects matter was chosen once, with all rows; their values are fitted anew without each group.
    """
    setup, fold = data.setup, _folds(groups, folds)
    predicted, thin = np.full(len(data), np.nan), np.ones((len(data), len(TRAITS)))
    for k in range(fold.max() + 1):
        seen, left = np.flatnonzero(fold != k), np.flatnonzero(fold == k)
        part, others = take_rows(setup, seen), take_rows(setup, left)
        again = fit_rows(part, data.measured[seen], fit.space, None, _FOLD_STEPS, data.weight[seen])
        values = values_at(fit.space, fit.space.design(others.levels), again.theta)
        predicted[left] = predict_rows(others, values)
        known = evidence([setup.traits[i] for i in seen])
        thin[left] = thinness([setup.traits[i] for i in left], known)
    return LeftOut(predicted, thin)


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


def coverage(relative: Floats, kinds: Sequence[str], groups: Sequence[str], folds: int = _FOLDS) -> float:
    """Return the share of rows inside intervals made without their own fold.

    Parameters
    ----------
    relative : logarithms of prediction over measurement, over the widening of each row
    """
    fold = _folds(groups, folds)
    inside = 0
    for k in range(fold.max() + 1):
        seen, left = np.flatnonzero(fold != k).tolist(), np.flatnonzero(fold == k).tolist()
        widths = half_widths(relative[seen], [kinds[i] for i in seen])
        widest = max(widths.values())
        inside += sum(abs(relative[i]) <= widths.get(kinds[i], widest) for i in left)
    return inside / len(kinds)


def within(relative: Floats, kinds: Sequence[str], widths: Mapping[str, float]) -> float:
    """Return the share of rows inside given half-widths by kind."""
    return float(np.mean([abs(r) <= widths[kind] for r, kind in zip(relative, kinds, strict=True)]))


@dataclass(frozen=True)
class Intervals:
    """Half-widths by kind, what widens them, and the points that the fit rests on by trait."""

    half_width_ln: Mapping[str, float]
    widening: Mapping[str, float]
    evidence: Mapping[str, int]


def write_coefficients(fit: Fit, intervals: Intervals, report: Mapping[str, float | str], path: Path) -> None:
    """Write the fitted numbers with their uncertainty, the errors and the intervals as TOML."""
    priors = load_priors()
    lines = [
        "# Written by `python -m computemarket.analysis.hardware.points.fit_hardware`; do not edit by hand.",
        "# value: common value; sd_ln: standard error of its logarithm; effect: factors by level, shrunken to 1.",
        "",
        "[fit]",
        *(f"{key} = {_toml(value)}" for key, value in report.items()),
        "",
        "[half_width_ln]",
        f"level = {LEVEL}",
        *(f"{kind} = {width:.4f}" for kind, width in intervals.half_width_ln.items()),
        "",
        "[widening]",
        *(f"{trait} = {factor:g}" for trait, factor in intervals.widening.items()),
        "",
        "[evidence]",
        *(f'"{trait}" = {rows}' for trait, rows in sorted(intervals.evidence.items())),
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


def error_summary(points: Points, rows: Ints, predicted: Floats, prefix: str) -> dict[str, float]:
    """Return the headline errors of predictions of rows of a file, keyed with a prefix."""
    whole = np.full(len(points), np.nan)
    whole[rows] = predicted
    summary = summarise(points, whole)
    keys = ("median_ape", "p90_ape", "spearman", "audited_median_ape", "aggregated_tpot_median_ape")
    return {f"{prefix}_{key}": float(cast("float", summary[key])) for key in keys if summary[key] is not None}


def _errors(data: FitPoints, predicted: Floats, prefix: str) -> dict[str, float]:
    """Return the errors on the benchmark's points, and their median on those of other publishers."""
    inside = ~data.outside
    found = error_summary(data.points, data.setup.rows[inside], predicted[inside], prefix)
    error = np.abs(predicted[data.outside] / data.measured[data.outside] - 1.0)
    return found | {f"{prefix}_outside_median_ape": float(np.median(error))}


def _print(report: Mapping[str, float | str]) -> None:
    for key, value in report.items():
        sys.stdout.write(f"{key} {value if isinstance(value, str) else round(value, 4)}\n")
    sys.stdout.flush()


def leave_out_groups(data: FitPoints) -> dict[str, tuple[tuple[str, ...], int]]:
    """Return the ways of leaving out: group of every row, and how many folds its groups are dealt to."""
    publishers = publisher_groups(data.publisher)
    return {
        "source": (publishers, len(set(publishers))),
        "configuration": (configuration_groups(data), _FOLDS),
        "chip": (tuple(row["chip"] for row in data.setup.traits), _FOLDS),
        "model": (tuple(row["model"] for row in data.setup.traits), _FOLDS),
    }


@dataclass(frozen=True)
class Calibration:
    """Half-widths by kind, what widens them, and the share of rows left out that lie inside, by way."""

    half_width_ln: Mapping[str, float]
    widening: Mapping[str, float]
    coverage: Mapping[str, float]


def calibrate(data: FitPoints, left_out: Mapping[str, LeftOut]) -> Calibration:
    """Return intervals from the errors of rows whose publisher, chip or model the fit had not seen.

    A row that somebody asks about is new in one of these ways; the three count alike. Their coverage is found once
    more by half-widths made without the row's own publisher.
    """
    kinds = interval_kinds(data.setup)
    residual = {name: np.log(left.predicted / data.measured) for name, left in left_out.items()}
    factors = fit_widening(
        np.concatenate([residual[name] for name in WIDTH_WAYS]),
        np.concatenate([left_out[name].thin for name in WIDTH_WAYS]),
        kinds * len(WIDTH_WAYS),
    )
    relative = {name: residual[name] / widening(left.thin, factors) for name, left in left_out.items()}
    pooled = np.concatenate([relative[name] for name in WIDTH_WAYS])
    widths = half_widths(pooled, kinds * len(WIDTH_WAYS))
    publishers, folds = leave_out_groups(data)["source"]
    times = len(WIDTH_WAYS)
    inside = {f"interval_coverage_without_{name}": within(r, kinds, widths) for name, r in relative.items()}
    inside["interval_coverage"] = coverage(pooled, kinds * times, publishers * times, folds)
    outside = np.flatnonzero(data.outside)
    inside["interval_coverage_outside"] = within(
        relative["source"][outside], [kinds[i] for i in outside], widths
    )
    return Calibration(widths, factors, inside)


def main(arguments: Sequence[str] | None = None) -> None:
    """Fit, cross-validate four ways, print the errors, write the coefficient file."""
    parser = argparse.ArgumentParser(description=__doc__)
    folder = Path(str(files("computemarket.model.data")))
    parser.add_argument("--date", required=True, help="date of the fit, YYYY-MM-DD, written into the file")
    parser.add_argument("--out", type=Path, default=folder / FILE)
    options = parser.parse_args(arguments)
    data = fit_points(*read_both(folder))
    fit = fit_pruned(data.setup, data.measured, build_space(data.setup.levels), weight=data.weight)
    left_out = {
        name: cross_validate(data, fit, groups, folds)
        for name, (groups, folds) in leave_out_groups(data).items()
    }
    write_result(data, fit, left_out, options.date, options.out)


def write_result(data: FitPoints, fit: Fit, left_out: Mapping[str, LeftOut], date: str, path: Path) -> None:
    """Calibrate the intervals, print the errors and write the coefficient file."""
    setup = data.setup
    report: dict[str, float | str] = {"date": date, "rows": len(setup)}
    report |= {"coefficients": len(fit.space.entries), "effective_numbers": fit.freedom}
    values = values_at(fit.space, fit.space.design(setup.levels), fit.theta)
    report |= _errors(data, predict_rows(setup, values), "in_sample")
    for name, left in left_out.items():
        report |= _errors(data, left.predicted, f"without_{name}")
    found = calibrate(data, left_out)
    report |= found.coverage
    _print(report)
    intervals = Intervals(found.half_width_ln, found.widening, evidence(setup.traits))
    write_coefficients(fit, intervals, report, path)


if __name__ == "__main__":
    main()
