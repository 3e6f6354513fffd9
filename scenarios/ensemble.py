"""Ensembles: many runs of one scenario, in chunks, in this process or in several."""

import json
import os
import platform
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from computemarket.errors import InputError
from computemarket.model.arrays import Ints
from computemarket.scenarios.schema import Scenario, load_scenario, read_quarter, read_seed

CHUNK_RUNS = 32  # runs that share one pass: their working set stays in the cache
MOST_RUNS = 1_000_000
MOST_WORKERS = 256
Progress = Callable[[int], None]


@dataclass(frozen=True)
class Results:
    """The table of an ensemble, in memory or on disk."""

    scenario: Scenario
    arrow: Any  # pyarrow.Table

    @cached_property
    def frame(self) -> Any:
        """The whole tidy table as a pandas DataFrame with categorical text columns."""
        return self.arrow.to_pandas()

    def table(self, variable: str) -> Any:
        """Return the rows of one variable as a DataFrame.

        Raises
        ------
        InputError
            if the variable was not recorded.
        """
        import pyarrow.compute as pc

        rows = self.arrow.filter(pc.equal(self.arrow["variable"].cast("string"), variable))
        if rows.num_rows == 0:
            known = sorted(set(self.arrow["variable"].unique().to_pylist()))
            raise InputError("variable", variable, f"one of {', '.join(known)}")
        return rows.to_pandas()


def simulate(
    scenario: Scenario | str = "baseline",
    runs: int = 64,
    seed: int | None = None,
    until: str | None = None,
    variables: frozenset[str] | None = None,
) -> Results:
    """Simulate an ensemble in this process and return its table.

    Parameters
    ----------
    scenario : a Scenario, a library name or the path of a TOML file
    runs : number of runs, numbered from 0
    seed, until : replace the scenario's
    variables : what to record; everything by default
    """
    import pyarrow as pa

    asked = prepare(scenario, seed, until)
    check_runs(runs)
    tables = [run_chunk(asked, numbers, variables) for numbers in chunks(runs)]
    return Results(asked, pa.concat_tables(tables).unify_dictionaries())


def prepare(scenario: Scenario | str, seed: int | None = None, until: str | None = None) -> Scenario:
    """Load a scenario and lay the options over it."""
    asked = scenario if isinstance(scenario, Scenario) else load_scenario(scenario)
    if seed is not None:
        asked = replace(asked, seed=read_seed(seed, "--seed"))
    if until is not None:
        asked = replace(asked, until=read_quarter(until, "--until"))
    return asked


def check_runs(runs: int) -> None:
    """Refuse a number of runs that cannot be simulated."""
    if isinstance(runs, bool) or not isinstance(runs, int) or not 1 <= runs <= MOST_RUNS:
        raise InputError("--runs", runs, f"a whole number in 1..{MOST_RUNS}")


def check_workers(workers: int) -> None:
    """Refuse a number of processes that cannot be started."""
    if isinstance(workers, bool) or not isinstance(workers, int) or not 1 <= workers <= MOST_WORKERS:
        raise InputError("--workers", workers, f"a whole number in 1..{MOST_WORKERS}")


def usable_processors() -> int:
    """Return how many processors this process may use, at most as many as there may be workers."""
    return min(
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        MOST_WORKERS,
    )


def chunks(runs: int, first: int = 0) -> Iterator[Ints]:
    """Split run numbers into chunks that do not depend on the number of workers."""
    for start in range(first, first + runs, CHUNK_RUNS):
        yield np.arange(start, min(start + CHUNK_RUNS, first + runs), dtype=np.int64)


def run_chunk(scenario: Scenario, numbers: Ints, variables: frozenset[str] | None = None) -> Any:
    """Simulate the given run numbers and return their tidy pyarrow Table."""
    from computemarket.scenarios.assembly import assemble

    market = assemble(scenario, numbers, variables)
    for _ in range(scenario.quarters):
        market.step()
    return market.recorder.table(scenario.name, numbers)


def simulate_to(
    folder: Path,
    scenario: Scenario,
    runs: int,
    workers: int = 1,
    progress: Progress | None = None,
) -> None:
    """Simulate an ensemble into `folder`: results.parquet and manifest.json, whole or not at all.

    Each chunk becomes a hidden part beside the results; the parts are joined in order of run, so that the
    file is the same whatever the number of workers.
    """
    check_runs(runs)
    check_workers(workers)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".parts-", dir=folder) as parts:
            names = _run_parts(Path(parts), scenario, runs, workers, progress)
            _join(names, folder / "results.parquet")
    except OSError as error:
        raise InputError("--out", str(folder), f"a folder that can be written ({error.strerror})") from error
    write_whole(folder / "manifest.json", json.dumps(manifest(scenario, runs), indent=1).encode())


def _run_parts(
    parts: Path, scenario: Scenario, runs: int, workers: int, progress: Progress | None
) -> list[Path]:
    jobs = list(chunks(runs))
    names = [parts / f"{numbers[0]:07d}.parquet" for numbers in jobs]
    if workers == 1 or len(jobs) == 1:
        for numbers, name in zip(jobs, names, strict=True):
            _write_part(scenario, numbers, name)
            if progress:
                progress(len(numbers))
        return names
    with ProcessPoolExecutor(min(workers, len(jobs)), mp_context=get_context("spawn")) as pool:
        waiting = {
            pool.submit(_write_part, scenario, numbers, name): len(numbers)
            for numbers, name in zip(jobs, names, strict=True)
        }
        for done in as_completed(waiting):
            done.result()
            if progress:
                progress(waiting[done])
    return names


def _write_part(scenario: Scenario, numbers: Ints, name: Path) -> None:
    import pyarrow.parquet as pq

    table = run_chunk(scenario, numbers)
    pq.write_table(table, name, **parquet_options())


def parquet_options() -> dict[str, Any]:
    """Return how every results table is written: text as dictionaries, values split by byte and compressed."""
    return {
        "compression": "zstd",
        "compression_level": 1,
        "use_dictionary": ["scenario", "run", "quarter", "variable", "entity", "region", "detail", "unit"],
        "column_encoding": {"value": "BYTE_STREAM_SPLIT"},
        "write_statistics": False,
    }


def _join(names: list[Path], target: Path) -> None:
    """Write the parts one after the other into one file, holding one part in memory at a time."""
    import pyarrow.parquet as pq

    hidden = target.with_name(f".{target.name}.part")
    writer = None
    for name in names:
        table = pq.read_table(name, read_dictionary=list(parquet_options()["use_dictionary"]))
        if writer is None:
            writer = pq.ParquetWriter(hidden, table.schema, **parquet_options())
        writer.write_table(table, row_group_size=max(len(table), 1))
        name.unlink()
    if writer is not None:
        writer.close()
    _publish(hidden, target)


def write_whole(target: Path, data: bytes) -> None:
    """Write a file so that it is there whole or not there."""
    hidden = target.with_name(f".{target.name}.part")
    hidden.write_bytes(data)
    _publish(hidden, target)


def _publish(hidden: Path, target: Path) -> None:
    with hidden.open("rb") as file:
        os.fsync(file.fileno())
    hidden.replace(target)


def manifest(scenario: Scenario, runs: int) -> dict[str, object]:
    """Return everything needed to repeat a result, and with what it was made."""
    return {
        "scenario": scenario.name,
        "description": scenario.description,
        "seed": scenario.seed,
        "runs": runs,
        "until": scenario.until,
        "knowledge": scenario.knowledge,
        "settings": {name: str(setting) for name, setting in scenario.settings.items()},
        "versions": {name: version(name) for name in ("computemarket", "mesa", "numpy", "pandas", "pyarrow")},
        "python": platform.python_version(),
        "machine": platform.machine(),
    }
