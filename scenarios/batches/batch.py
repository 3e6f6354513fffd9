"""Batches: the chunks of a study, computed by an executor, kept in a store, resumed from what is there."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from computemarket.errors import InputError
from computemarket.model.core.recorder import Recorder
from computemarket.model.core.texts import nearest
from computemarket.scenarios.batches.executor import Executor, Lost
from computemarket.scenarios.results.store import Store, open_store, runs_held, work_of
from computemarket.scenarios.studies import chunk as chunk_module
from computemarket.scenarios.studies.chunk import Chunk, Failure, Outcome, Work
from computemarket.scenarios.studies.study import Case, Study, check_size

BYTES_OF_A_PART = 4096  # what a file occupies beside its data


@dataclass(frozen=True)
class Progress:
    """How far a batch is; `busy_s` is what workers spent simulating."""

    total: int
    before: int  # runs that were there at the start
    done: int
    failed: int
    busy_s: float = 0.0
    writing_s: float = 0.0


@dataclass(frozen=True)
class Report:
    """What became of a batch."""

    runs: int
    computed: int
    failed: int
    digest: str
    elapsed_s: float
    busy_s: float  # spent by workers on chunks
    writing_s: float  # spent by this process on the store
    stable_at: int | None = None
    remade: int = 0  # parts that were there once and had gone


@dataclass
class _Tally:
    total: int
    before: int = 0
    done: int = 0
    failed: int = 0
    busy_s: float = 0.0
    writing_s: float = 0.0
    tell: Callable[[Progress], None] | None = field(default=None, repr=False)

    def add(self, outcome: Outcome) -> None:
        self.done += outcome.runs
        self.failed += len(outcome.failures)
        self.busy_s += outcome.seconds

    def say(self) -> None:
        if self.tell is not None:
            self.tell(Progress(self.total, self.before, self.done, self.failed, self.busy_s, self.writing_s))


def chunks_of(study: Study, first: int = 0, stop: int | None = None) -> Iterator[Chunk]:
    """Yield the chunks of a study in order of case and run; runs of each case from `first` to before `stop`."""
    most = study.runs_of_case if stop is None else min(stop, study.runs_of_case)
    for case in range(len(study.cases)):
        for start in range(first, most, chunk_module.RUNS):
            yield chunk_at(study, case, start)


def chunk_at(study: Study, case: int, start: int) -> Chunk:
    """Return the chunk of a case that begins with run `start`; it does not depend on how many runs are wanted."""
    numbers = np.arange(start, min(start + chunk_module.RUNS, study.runs_of_case), dtype=np.int64)
    quantiles = study.design.quantiles(study.points_of(numbers))
    return Chunk(case, start, study.shocks_of(numbers), np.ascontiguousarray(quantiles))


def run_study(
    study: Study,
    folder: Path,
    executor: Executor,
    *,
    text: bytes | None = None,
    retry_failed: bool = False,
    force: bool = False,
    tell: Callable[[Progress], None] | None = None,
    stable: "Callable[[Path, int], bool] | None" = None,
) -> Report:
    """Run a study into a folder, or the rest of it where some is there.

    Parameters
    ----------
    text : the study file, kept beside the results
    retry_failed : compute chunks with failed runs again
    force : allow more runs than are sensible
    tell : called with the progress after each chunk
    stable : decides from (folder, runs of each case there) at fixed checkpoints whether to stop

    Raises
    ------
    InputError
        if the study is too large or cannot be simulated, or the folder cannot be used.
    """
    check_size(study, force=force)
    check_recording(study)
    begin = time.perf_counter()
    study.design.quantiles(np.zeros(1, dtype=np.int64))  # a sample that cannot be drawn leaves no folder
    with open_store(folder, study, text) as store:
        held, lost = len(store.done), len(store.lost)
        again = {failure_key(failure, study) for failure in store.failures()} if retry_failed else set()
        tally = _Tally(study.total_runs, tell=tell)
        reached = study.runs_of_case
        for start, stop in _stretches(study, stable is not None):
            missing = []
            for one in chunks_of(study, start, stop):
                if one.key in store.done and one.key not in again:
                    tally.before += one.runs
                else:
                    missing.append(one.key)
            tally.say()
            if missing:
                if held or lost:
                    store.reopen()
                wanted = set(missing)
                rest = (one for one in chunks_of(study, start, stop) if one.key in wanted)
                _compute(store, work_of(study), executor, rest, tally)
            if stable is not None and stable(folder, stop):
                reached = stop
                break
        failed = len(store.failures())
        found = {"stable_at": reached} if stable is not None and reached < study.runs_of_case else {}
        manifest = store.finish(**found)
    spent = time.perf_counter() - begin
    return Report(
        manifest["runs"], tally.done, failed, manifest["digest"], spent, tally.busy_s, tally.writing_s,
        found.get("stable_at"), lost,
    )  # fmt: skip


def _compute(store: Store, work: Work, executor: Executor, chunks: Iterator[Chunk], tally: _Tally) -> None:
    """Compute chunks and keep each as soon as it is there."""
    results: Any = executor.run(work, chunks)
    with closing(results):
        for one, result in results:
            outcome = work.failed(one, result.reason) if isinstance(result, Lost) else result
            begin = time.perf_counter()
            store.write(outcome)
            tally.add(outcome)
            tally.writing_s += time.perf_counter() - begin
            tally.say()


def _stretches(study: Study, stops: bool) -> Iterator[tuple[int, int]]:
    """Yield (first, stop) of the runs of each case between two checkpoints: all at once unless it may stop early."""
    if not stops:
        yield 0, study.runs_of_case
        return
    start, stop = 0, 4 * chunk_module.RUNS
    while start < study.runs_of_case:
        yield start, min(stop, study.runs_of_case)
        step = max(stop // 2 // chunk_module.RUNS, 1) * chunk_module.RUNS
        start, stop = stop, stop + step


def failure_key(failure: Failure, study: Study) -> str:
    """Return the chunk of a failed run.

    Raises
    ------
    InputError
        for a failure of another study.
    """
    names = [(case.scenario.name, case.policy) for case in study.cases]
    named = (failure.scenario, failure.policy)
    if named not in names:
        raise InputError(
            "failures", "/".join(named), "a scenario and policy of this study; move the record away"
        )
    case = names.index(named)
    first = failure.run // chunk_module.RUNS * chunk_module.RUNS
    return f"{case:04d}-{first:09d}"


def check_recording(study: Study) -> None:
    """Refuse variables that the market does not record."""
    wanted = study.recording.variables
    if wanted is None:
        return
    try:
        known = set(first_quarter(study.cases[0]).series)
        known |= set(first_quarter(study.cases[0], wanted).series)  # some are recorded only by name
    except Exception:  # then its runs will fail, each with a record
        return
    unknown = sorted(wanted - known)
    if unknown:
        near = nearest(unknown[0], known)
        allowed = f"a variable that is recorded{near}; there are {', '.join(sorted(known))}"
        raise InputError(f"{study.name}: recording", unknown[0], allowed)


def first_quarter(case: Case, wanted: frozenset[str] | None = None) -> Recorder:
    """Simulate one run for one quarter: shows at little cost what is recorded, and that the scenario can start."""
    from computemarket.scenarios.assembly import assemble

    market = assemble(case.scenario, np.zeros(1, dtype=np.int64), wanted)
    market.step()
    return market.recorder


@dataclass(frozen=True)
class Estimate:
    """What a study will take."""

    cases: int
    points: int
    runs_of_point: int
    runs: int
    missing: int
    seconds: float
    disk_bytes: int


def estimate(study: Study, workers: int, folder: Path | None = None) -> Estimate:
    """Time one chunk of a study and scale it up: runs, time and disk.

    Parameters
    ----------
    folder : a store that may hold some of the results already
    """
    check_recording(study)
    held = runs_held(folder, study) if folder is not None else 0
    work = work_of(study)
    first = chunk_at(study, 0, 0)
    work(first.part(slice(0, 1)))  # imports and caches are paid once, in each worker
    outcome = work(first)
    whole = -(-study.runs_of_case // chunk_module.RUNS) * len(study.cases)
    missing = max(study.total_runs - held, 0)
    seconds = outcome.seconds / outcome.runs * missing / workers
    size = len(outcome.data) / outcome.runs * study.total_runs + whole * BYTES_OF_A_PART / 2
    return Estimate(
        len(study.cases), study.design.count, study.runs, study.total_runs, missing, seconds, int(size)
    )
