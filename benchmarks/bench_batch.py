"""What a run of a batch costs with one and two workers, beside the same scenario run one at a time by mesa."""

import json
import subprocess
import sys
from pathlib import Path

import mesa
import numpy as np
import pytest

from computemarket.model.market import ComputeMarket
from computemarket.scenarios.assembly import assemble
from computemarket.scenarios.batches.ensemble import prepare

RUNS = 10_000
FEW_RUNS = 1024
SINGLE_RUNS = 6
STUDY = 'name = "bench"\nscenarios = ["baseline"]\nruns = {runs}\nrecording = "headline"\n'
# a process of its own, so that its memory and that of its workers is the batch's alone
BATCH = """
import json, resource, sys
from pathlib import Path
from computemarket.analysis.results.headline import Headline
from computemarket.scenarios.batches.batch import run_study
from computemarket.scenarios.batches.executor import LocalProcesses
from computemarket.scenarios.studies.study import read_study

if __name__ == "__main__":
    folder, workers = Path(sys.argv[1]), int(sys.argv[2])
    study = read_study(sys.argv[3].encode(), "bench", folder, Headline())
    report = run_study(study, folder / "out", LocalProcesses(workers))
    peak = [resource.getrusage(who).ru_maxrss / 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    print(json.dumps([report.runs, report.elapsed_s, report.busy_s, report.writing_s, peak[0] + workers * peak[1]]))
"""
seconds_by_workers: dict[int, float] = {}


def run_batch(folder: Path, workers: int, runs: int) -> tuple[float, float, float, float]:
    """Run a batch by itself: seconds, share of them that workers simulate, seconds of writing, peak MB."""
    script = folder / "batch.py"
    script.write_text(BATCH)
    command = [sys.executable, str(script), str(folder), str(workers), STUDY.format(runs=runs)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found, elapsed_s, busy_s, writing_s, peak_mb = json.loads(done.stdout)
    assert found == runs
    return elapsed_s, busy_s / (workers * elapsed_s), writing_s, peak_mb


@pytest.mark.parametrize("workers", [1, 2])
def test_headline_runs_a_second(benchmark, tmp_path, workers):
    told = benchmark.pedantic(run_batch, args=(tmp_path, workers, RUNS), rounds=1)
    elapsed_s, busy, writing_s, peak_mb = told
    seconds_by_workers[workers] = elapsed_s
    sys.stdout.write(
        f"\n{RUNS:,} runs, {workers} worker(s): {elapsed_s:.0f} s, {RUNS / elapsed_s:.0f} runs a second; workers "
        f"simulated {100 * busy:.1f}% of the time, writing took {writing_s:.1f} s; "
        f"peak of all processes {peak_mb:.0f} MB\n"
    )
    if workers == 2 and 1 in seconds_by_workers:
        gain = seconds_by_workers[1] / elapsed_s
        sys.stdout.write(f"two workers are {gain:.2f} times as fast as one: efficiency {50 * gain:.0f}%\n")


def test_memory_of_a_small_batch(benchmark, tmp_path):
    *_, peak_mb = benchmark.pedantic(run_batch, args=(tmp_path, 2, FEW_RUNS), rounds=1)
    sys.stdout.write(f"\n{FEW_RUNS:,} runs, 2 workers: peak of all processes {peak_mb:.0f} MB\n")


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
