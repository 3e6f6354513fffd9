"""How many configurations a second the kernel evaluates on one core, and how long a full frontier takes."""

import sys

import pytest

from computemarket.analysis import bench_hardware


@pytest.mark.parametrize("form", ["grid", "independent"])
def test_configurations_per_second(benchmark, form):
    work = bench_hardware.grid if form == "grid" else bench_hardware.independent()
    count = benchmark.pedantic(work, rounds=3)
    rate = count / benchmark.stats.stats.median
    benchmark.extra_info["configurations_per_second"] = rate
    sys.stdout.write(f"\n{form}: {rate / 1e6:.1f} million configurations a second\n")


def test_a_full_frontier(benchmark):
    count = benchmark.pedantic(bench_hardware.frontier, rounds=3)
    seconds = benchmark.stats.stats.median
    sys.stdout.write(
        f"\nfull frontier, all accelerators x 20 models: {count} configurations in {seconds:.2f} s\n"
    )
