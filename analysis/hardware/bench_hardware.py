"""Measure the kernel's speed on one core: ``python -m computemarket.analysis.hardware.bench_hardware``.

Two forms: a grid, where what does not depend on the batch is computed once and broadcast, and independent
configurations, where every argument differs in every element. Both run in chunks that fit the cache.
"""

import json
import sys
import time
from collections.abc import Callable

import numpy as np

from computemarket.model.core.arrays import Floats
from computemarket.model.hardware.performance.coefficients import efficiency_of, load_coefficients
from computemarket.model.hardware.performance.roofline import (
    Layout,
    Replica,
    build_replica,
    context_read_s,
    decode_step_s,
    step_s,
)
from computemarket.model.hardware.performance.serving import (
    Requests,
    prompt_s,
    sequences_that_fit,
    time_per_output_token_s,
)
from computemarket.model.hardware.specs.chips import chip_table
from computemarket.model.hardware.specs.models import model_table

_CHUNK = 16384  # elements of one array in flight: a dozen of them fit a second-level cache
_MODELS = 20
_TOKENS = 1024.0
_REPEATS = 3


def _seconds(work: Callable[[], int]) -> tuple[float, int]:
    """Return the shortest of some runs and the configurations of one."""
    best, count = np.inf, 0
    for _ in range(_REPEATS):
        start = time.perf_counter()
        count = work()
        best = min(best, time.perf_counter() - start)
    return best, count


def all_replicas(formats: int = 3) -> Replica:
    """Return every chip x 20 models x formats x tensor sizes 1 to 8, shape (C, 20, formats, 4, 1)."""
    table = chip_table()
    levels = [(stack, generation) for stack, generation in zip(table.stacks, table.generations, strict=True)]
    chips = table.arrays.take(np.arange(len(table.ids)).reshape(-1, 1, 1, 1, 1))
    models = model_table().arrays.take(np.arange(_MODELS).reshape(1, -1, 1, 1, 1))
    code = np.array([0, 1, 3])[:formats].reshape(1, 1, -1, 1, 1)
    layout = Layout(np.array([1.0, 2.0, 4.0, 8.0]).reshape(1, 1, 1, -1, 1))
    efficiency = efficiency_of(load_coefficients(), levels, (-1, 1, 1, 1, 1))
    return build_replica(chips, models, code, layout, efficiency)


def grid(batches: int = 256) -> int:
    """Evaluate decode steps over the whole grid of replicas and batches, chip by chip."""
    whole = all_replicas()
    count = len(chip_table().ids)
    batch = np.geomspace(1.0, 4096.0, batches)
    context = np.asarray(1.5 * _TOKENS)
    evaluated = 0
    for chip in range(count):
        part = whole.at((chip,))
        compute = part.flop_s + part.attention_s * np.minimum(context, part.sparse_tokens)
        evaluated += step_s(part, batch, context_read_s(part, context), compute).size
    return evaluated


def independent(count: int = 2_000_000) -> Callable[[], int]:
    """Return work that evaluates decode steps of configurations with nothing in common."""
    whole = all_replicas(1)
    shape = (len(chip_table().ids), _MODELS, 1, 4, 1)
    rng = np.random.Generator(np.random.Philox(7))
    place = np.unravel_index(rng.integers(0, int(np.prod(shape)), count), shape)
    rows = whole.at(place)
    batch, context = rng.uniform(1, 512, count), rng.uniform(100, 20000, count)
    parts: list[tuple[Replica, Floats, Floats]] = [
        (rows.at((cut,)), batch[cut], context[cut])
        for cut in (slice(i, i + _CHUNK) for i in range(0, count, _CHUNK))
    ]
    return lambda: sum(decode_step_s(*part).size for part in parts)


def frontier(batches: int = 64) -> int:
    """Evaluate speed and rate per chip of every chip, 20 models, formats and layouts, prefill included."""
    whole = all_replicas()
    requests = Requests(np.asarray(_TOKENS), np.asarray(_TOKENS))
    batch = np.geomspace(1.0, 4096.0, batches)
    evaluated = 0
    for chip in range(len(chip_table().ids)):
        part = whole.at((chip,))
        token_s = time_per_output_token_s(part, requests, batch, prompt_s(part, requests))
        rate = np.where(batch <= sequences_that_fit(part, requests), batch / (token_s * part.chips), 0.0)
        evaluated += rate.size
    return evaluated


def main() -> None:
    """Print configurations per second, the time of a full frontier, and bytes and operations per configuration."""
    grid_s, grid_count = _seconds(grid)
    alone_s, alone_count = _seconds(independent())
    frontier_s, frontier_count = _seconds(frontier)
    arrays = 16  # read by the independent form: 14 constants, batch, context
    result = {
        "grid_million_per_s": round(grid_count / grid_s / 1e6, 1),
        "independent_million_per_s": round(alone_count / alone_s / 1e6, 1),
        "frontier_s": round(frontier_s, 3),
        "frontier_configurations": frontier_count,
        "independent_bytes_per_configuration": 8 * (arrays + 1),
        "independent_operations_per_configuration": 26,  # counted in step_s and context_read_s; expm1 as one
    }
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
