"""What a run of a batch costs with one and two workers, beside the same scenario run one at a time by mesa."""

import sys
import time

import mesa
import numpy as np
import pytest

from computemarket.analysis.headline import Headline
from computemarket.model.market import ComputeMarket
from computemarket.scenarios.assembly import assemble
from computemarket.scenarios.batch import run_study
from computemarket.scenarios.ensemble import prepare
from computemarket.scenarios.executor import LocalProcesses
from computemarket.scenarios.study import read_study

RUNS = 1536  # twelve chunks: each of two workers gets six
SINGLE_RUNS = 6
STUDY = f'name = "bench"\nscenarios = ["baseline"]\nruns = {RUNS}\nrecording = "headline"\n'
seconds_by_workers: dict[int, float] = {}


@pytest.mark.parametrize("workers", [1, 2])
def test_headline_runs_a_second(benchmark, tmp_path, workers):
    study = read_study(STUDY.encode(), "bench", tmp_path, Headline())

    def work() -> None:
        report = run_study(study, tmp_path / f"out{time.monotonic_ns()}", LocalProcesses(workers))
        assert report.runs == RUNS

    benchmark.pedantic(work, rounds=1)
    seconds = seconds_by_workers[workers] = benchmark.stats.stats.median
    sys.stdout.write(
        f"\n{workers} workers: {RUNS / seconds:.0f} runs a second, 10,000 in {1e4 * seconds / RUNS:.0f} s\n"
    )
    if 1 in seconds_by_workers and workers == 2:
        gain = seconds_by_workers[1] / seconds
        sys.stdout.write(f"two workers are {gain:.2f} times as fast as one: efficiency {50 * gain:.0f}%\n")


def one_history(run: int) -> ComputeMarket:
    """Return the market of a single run, as mesa's batch runner wants it."""
    market = assemble(prepare("baseline", seed=1), np.array([run]), frozenset({"utilisation"}))
    market.datacollector = mesa.DataCollector(
        model_reporters={"utilisation": lambda found: float(found.state.utilisation[0, 0])}
    )
    step = market.step

    def step_and_collect() -> None:
        step()
        market.datacollector.collect(market)

    market.step = step_and_collect  # type: ignore[method-assign]
    return market


def test_one_at_a_time_with_mesa(benchmark):
    def work() -> None:
        rows = mesa.batch_run(
            one_history,
            {"run": list(range(SINGLE_RUNS))},
            max_steps=43,
            display_progress=False,  # type: ignore[arg-type]
        )
        assert len(rows) == SINGLE_RUNS

    benchmark.pedantic(work, rounds=1)
    each = benchmark.stats.stats.median / SINGLE_RUNS
    sys.stdout.write(f"\nmesa.batch_run, one at a time: {1 / each:.1f} runs a second\n")
    if 1 in seconds_by_workers:
        ratio = each * RUNS / seconds_by_workers[1]
        sys.stdout.write(f"one worker with ensembles does {ratio:.0f} times as many\n")
