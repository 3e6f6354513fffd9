"""Ensembles: many runs of one scenario, in chunks, in this process or in several."""

import fcntl
import gc
import json
import os
import platform
import shutil
import tempfile
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np

from computemarket.errors import InputError
from computemarket.model.core.arrays import Ints
from computemarket.model.core.recorder import COLUMNS, Layout, Recorder, tidy_table
from computemarket.scenarios.batches.executor import LocalProcesses, Lost, WorkersError
from computemarket.scenarios.resolved import changed_settings, resolved_text
from computemarket.scenarios.schema import Scenario, check_runs, load_scenario, read_quarter, read_seed

CHUNK_RUNS = 128  # most runs that share one pass: fewer pay more for the Python around the arrays
LEAST_CHUNK = 16  # runs below which an ensemble is not split in two
MOST_WORKERS = 256
_OURS = (
    "results.parquet",
    "scenario.toml",
    "market_share.png",
    ".market_share.part.png",
)  # of a run that was killed
ROWS_OF_A_GROUP = 2**17  # of a results file, read or passed over together
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
    """Split run numbers into chunks that do not depend on the number of workers; a small ensemble into two."""
    size = min(CHUNK_RUNS, max(LEAST_CHUNK, -(-runs // 2)))
    for start in range(first, first + runs, size):
        yield np.arange(start, min(start + size, first + runs), dtype=np.int64)


def simulate_chunk(scenario: Scenario, numbers: Ints, variables: frozenset[str] | None = None) -> Recorder:
    """Simulate the given run numbers together and return what was recorded."""
    from computemarket.scenarios.assembly import assemble

    market = assemble(scenario, numbers, variables)
    for _ in range(scenario.quarters):
        market.step()
    recorder: Recorder = market.recorder
    del market
    gc.collect()  # its actors and it know each other: a market is large, and the next begins at once
    return recorder


def run_chunk(scenario: Scenario, numbers: Ints, variables: frozenset[str] | None = None) -> Any:
    """Simulate the given run numbers together and return their tidy pyarrow Table."""
    return simulate_chunk(scenario, numbers, variables).table(scenario.name, numbers)


Digest = Callable[
    [Recorder, str, Ints], Any
]  # what to take along of a chunk: recorder, scenario, run numbers


def simulate_to(
    folder: Path,
    scenario: Scenario,
    runs: int,
    workers: int = 1,
    progress: Progress | None = None,
    digest: Digest | None = None,
) -> list[Any]:
    """Simulate an ensemble into `folder`: results.parquet, scenario.toml and manifest.json, whole or not at all.

    The file is the same whatever the number of workers: chunks are written in order of run, each as soon as those
    before it are there, and only their values travel between processes, through files beside the results.

    Parameters
    ----------
    digest : a function of a module, applied to each chunk where it was simulated

    Returns
    -------
    What `digest` returned, in order of run

    Raises
    ------
    InputError
        if numbers are out of range or the folder cannot be written.
    """
    check_runs(runs)
    check_workers(workers)
    try:
        with _folder_of_results(folder), tempfile.TemporaryDirectory(prefix=".parts-", dir=folder) as parts:
            results = Path(parts) / "results.parquet"
            digests = _write_results(results, scenario, runs, workers, progress, digest)
            _publish_results(folder, results, scenario, runs)
    except WorkersError as error:
        raise InputError("run", str(error), "a whole result; what was there stays") from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError("--out", str(folder), f"a folder that can be written ({reason})") from error
    return digests


@contextmanager
def _folder_of_results(folder: Path) -> Iterator[None]:
    """Make the folder and sweep what a killed run left in it; a folder that stays empty goes again."""
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with _alone_in(folder):
            _check_free(folder)
            for stray in folder.glob(".parts-*"):
                shutil.rmtree(stray, ignore_errors=True)
            yield
    except BaseException:
        with suppress(OSError):  # not empty: somebody else's
            for path in made:
                path.rmdir()
        raise


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Keep other runs out of a folder; the lock goes when this process does, however it ends."""
    held = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise InputError("--out", str(folder), "free: another run is writing there") from error
    finally:
        os.close(held)


def _check_free(folder: Path) -> None:
    """Refuse a folder of somebody else's things, or one whose manifest is not that of a run."""
    path = folder / "manifest.json"
    if not path.exists():
        strange = sorted(
            {entry.name for entry in folder.iterdir() if not entry.name.startswith(".parts-")} - set(_OURS)
        )
        if strange:
            raise InputError(
                "--out", str(folder), f"a new folder, or one of earlier results: it holds {strange[0]}"
            )
        return
    try:
        held = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        held = None
    if isinstance(held, dict) and {"scenario", "runs", "versions"} <= set(held):
        return
    whose = "a batch" if isinstance(held, dict) and "study" in held else "another program"
    raise InputError("--out", str(folder), f"free for a run: it holds the results of {whose}")


def _write_results(
    results: Path,
    scenario: Scenario,
    runs: int,
    workers: int,
    progress: Progress | None,
    digest: Digest | None,
) -> list[Any]:
    """Write the chunks one after the other, holding one in memory at a time."""
    digests = []
    with ExitStack() as open_files:
        writer = None
        for part in _simulated_parts(results.parent, scenario, runs, workers, progress, digest):
            table = tidy_table(
                part.layout, scenario.name, part.runs, scenario.quarters, np.fromfile(part.values)
            )
            part.values.unlink()
            if writer is None:
                writer = open_files.enter_context(_parquet_writer(results, table.schema))
            for start, rows in _row_groups(part.layout.rows(len(part.runs), scenario.quarters)):
                writer.write_table(table.slice(start, rows), row_group_size=rows)
            digests.append(part.digest)
    return digests


@dataclass(frozen=True, slots=True)
class _Part:
    """A simulated chunk: where its values lie, and how they are to be read."""

    runs: Ints
    layout: Layout
    values: Path
    digest: Any


def _simulated_parts(
    folder: Path,
    scenario: Scenario,
    runs: int,
    workers: int,
    progress: Progress | None,
    digest: Digest | None,
) -> Iterator[_Part]:
    """Simulate all chunks and give them in order of run."""
    jobs = list(chunks(runs))
    if workers == 1 or len(jobs) == 1:
        for numbers in jobs:
            yield _simulate_part(folder, scenario, numbers, digest)
            if progress:
                progress(len(numbers))
        return
    call = partial(_simulate_part, folder, scenario, digest=digest)
    there: dict[int, _Part] = {}
    results: Any = LocalProcesses(workers).run(call, iter(jobs))
    waiting = deque(int(numbers[0]) for numbers in jobs)
    with closing(results):
        for numbers, part in results:
            if isinstance(part, Lost):
                raise WorkersError(f"runs from {numbers[0]} on could not be simulated: {part.reason}")
            there[int(numbers[0])] = part
            if progress:
                progress(len(numbers))
            while waiting and waiting[0] in there:
                yield there.pop(waiting.popleft())


def _simulate_part(folder: Path, scenario: Scenario, numbers: Ints, digest: Digest | None = None) -> _Part:
    """Simulate a chunk and leave its values in a file."""
    recorder = simulate_chunk(scenario, numbers)
    values = folder / f"{numbers[0]:07d}.values"
    with values.open("wb") as file:  # numpy itself does not say that a disk is full
        file.write(recorder.values().data)
    taken = digest(recorder, scenario.name, numbers) if digest else None
    return _Part(numbers, recorder.layout(), values, taken)


def _publish_results(folder: Path, results: Path, scenario: Scenario, runs: int) -> None:
    """Put results, resolved scenario and manifest in place; a full disk is met before anything there changes."""
    from computemarket.scenarios.results.manifests import MANIFEST, manifest_bytes
    from computemarket.scenarios.results.provenance import SCENARIO, file_sha256

    told = {**manifest(scenario, runs), "digest": file_sha256(results)}
    resolved, described = results.with_name(SCENARIO), results.with_name(MANIFEST)
    resolved.write_bytes(resolved_text(scenario).encode())
    described.write_bytes(manifest_bytes(told))
    (folder / MANIFEST).unlink(missing_ok=True)  # what it describes is about to change
    for path in (results, resolved, described):
        _publish(path, folder / path.name)


def _row_groups(rows: list[int]) -> Iterator[tuple[int, int]]:
    """Return (first row, rows) of groups of whole variables, so that reading a few of them passes over the others."""
    start = stop = 0
    for count in rows:
        stop += count
        if stop - start >= ROWS_OF_A_GROUP:
            yield start, stop - start
            start = stop
    if stop > start:
        yield start, stop - start


def _parquet_writer(path: Path, schema: Any) -> Any:
    import pyarrow.parquet as pq

    text = [name for name in COLUMNS if name not in ("run", "value")]
    return pq.ParquetWriter(
        path,
        schema,
        compression="zstd",
        compression_level=1,
        use_dictionary=[*text, "run"],
        column_encoding={"value": "BYTE_STREAM_SPLIT"},
        write_statistics=False,
    )


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
    """Return everything needed to repeat a result, and with what it was made.

    `settings` are what the scenario changes, in words; `scenario_text` holds every parameter as it was.
    """
    from computemarket.scenarios.results.provenance import FORMAT, data_sha256, package_versions

    return {
        "format": FORMAT,
        "scenario": scenario.name,
        "description": scenario.description,
        "seed": scenario.seed,
        "runs": runs,
        "until": scenario.until,
        "knowledge": scenario.knowledge,
        "settings": {name: str(setting) for name, setting in changed_settings(scenario).items()},
        "enforce": list(scenario.enforce),
        "suspend": list(scenario.suspend),
        "regimes": {name: text.decode() for name, text in scenario.regimes},
        "scenario_text": resolved_text(scenario),
        "versions": package_versions(),
        "python": platform.python_version(),
        "machine": platform.machine(),
        "chunk_runs": CHUNK_RUNS,
        "data": data_sha256(),
    }
