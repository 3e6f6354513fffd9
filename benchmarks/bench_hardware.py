"""How many configurations a second the kernel evaluates on one core, and how long a full frontier takes."""

import sys

import numpy as np
import pytest

from computemarket.analysis.hardware import bench_hardware
from computemarket.model.catalogue import estimated_catalogue
from computemarket.model.hardware.performance.frontier import Service, frontiers
from computemarket.model.hardware.specs.models import model_table


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


def test_frontiers_of_the_catalogue(benchmark):
    ids, models = estimated_catalogue().accelerators.ids, model_table().ids[:20]
    service, speeds = Service(1024.0, 1024.0), np.geomspace(5.0, 1000.0, 24)
    benchmark.pedantic(lambda: frontiers(ids, models, service, speeds), rounds=3)
    seconds = benchmark.stats.stats.median
    sys.stdout.write(f"\nbest of all layouts, {len(ids)} accelerators x 20 models: {seconds:.2f} s\n")
