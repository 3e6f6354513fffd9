"""What a run costs by size of the ensemble, where its time goes, and how much memory a batch needs."""

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from computemarket.model.schedule import PHASES
from computemarket.scenarios.assembly import assemble
from computemarket.scenarios.batches.ensemble import CHUNK_RUNS, chunks, prepare, run_chunk

_PEAK = """
import resource, sys
from pathlib import Path
from computemarket.scenarios.batches.ensemble import prepare, simulate_to
simulate_to(Path(sys.argv[2]), prepare("baseline", seed=1), int(sys.argv[1]))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


@pytest.mark.parametrize("runs", [1, 16, 64, 256])
def test_runs_per_second(benchmark, runs):
    scenario = prepare("baseline", seed=1)
    run_chunk(scenario, np.arange(1))  # imports and caches are paid once

    def simulate() -> int:
        return sum(run_chunk(scenario, numbers).num_rows for numbers in chunks(runs))

    benchmark.pedantic(simulate, rounds=3 if runs <= 16 else 1)
    benchmark.extra_info["runs_per_second"] = runs / benchmark.stats.stats.median
    seconds = benchmark.stats.stats.median
    sys.stdout.write(
        f"\n{runs} runs: {runs / seconds:.1f} runs a second, {1e3 * seconds / runs:.0f} ms a run\n"
    )


def test_time_of_the_phases(benchmark):
    seconds = dict.fromkeys(PHASES, 0.0)

    def timed(bound):
        start = time.perf_counter()
        bound.run()
        seconds[bound.step.phase] += time.perf_counter() - start

    scenario = prepare("baseline", seed=1)

    def simulate():
        market = assemble(scenario, np.arange(CHUNK_RUNS), None)
        market.run_step = timed
        for _ in range(scenario.quarters):
            market.step()

    benchmark.pedantic(simulate, rounds=1)
    total = sum(seconds.values())
    shares = ", ".join(f"{phase} {100 * spent / total:.0f}%" for phase, spent in seconds.items())
    sys.stdout.write(f"\nphases of {CHUNK_RUNS} runs, {total:.2f} s: {shares}\n")


@pytest.mark.parametrize("runs", [64, 256])
def test_peak_memory_of_a_batch(benchmark, tmp_path: Path, runs):
    def simulate() -> str:
        command = [sys.executable, "-c", _PEAK, str(runs), str(tmp_path / "out")]
        return subprocess.run(
            command, capture_output=True, text=True, check=True, env=dict(os.environ)
        ).stdout

    peak_mb = int(benchmark.pedantic(simulate, rounds=1))
    benchmark.extra_info["peak_mb"] = peak_mb
    sys.stdout.write(f"\n{runs} runs in one process: {peak_mb} MB at the peak\n")


def test_from_command_to_files(benchmark, tmp_path: Path):
    command = [sys.executable, "-m", "computemarket", "run", "baseline", "--runs", "256", "--seed", "1"]
    command += ["--out", str(tmp_path / "out")]
    benchmark.pedantic(lambda: subprocess.run(command, capture_output=True, check=True), rounds=2)
    sys.stdout.write(f"\n256 runs from command to files: {benchmark.stats.stats.min:.1f} s\n")


def test_start_of_the_command_line(benchmark):
    command = [sys.executable, "-m", "computemarket", "--help"]
    benchmark.pedantic(lambda: subprocess.run(command, capture_output=True, check=True), rounds=5)
    sys.stdout.write(f"\nthe help is there after {benchmark.stats.stats.median:.2f} s\n")
