"""Where chunks are computed: in this process, in local processes, or on a Dask cluster; the same bytes out of each.

An executor takes a function and its jobs and yields each job with what became of it, in the order in which they
are done. A job is never lost: the one whose worker died is given to another, and when it has cost several workers
it comes back as `Lost`.
"""

import os
import re
import signal
import socket
from asyncio import CancelledError as _Cancelled
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError as _Revoked
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from typing import Any, Protocol

from computemarket.errors import InputError

ATTEMPTS = 3  # workers that a job may cost before it is given up
AHEAD = 2  # jobs in flight for each thread of a cluster
ANSWER_S = 15.0  # how long a cluster may take to answer
_ADDRESS = re.compile(r"(?:tcp|tls)://\[?(?P<host>[A-Za-z0-9.:_-]+?)\]?:(?P<port>[0-9]{1,5})")
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
Call = Callable[[Any], Any]


@dataclass(frozen=True)
class Lost:
    """A job that could not be done."""

    reason: str


class Executor(Protocol):
    """Applies a function to jobs, somewhere."""

    workers: int

    def run(self, call: Call, jobs: Iterator[Any]) -> Iterator[tuple[Any, Any]]:
        """Yield (job, result or Lost) as they are done; `call` and the jobs can be pickled."""
        ...


class WorkersError(RuntimeError):
    """Workers that do not even start, or have gone all together."""


@dataclass(frozen=True)
class Inline:
    """Computes in this process, one job after the other."""

    workers: int = 1

    def run(self, call: Call, jobs: Iterator[Any]) -> Iterator[tuple[Any, Any]]:
        """Yield (job, result or Lost) in order."""
        for job in jobs:
            yield job, _attempt(call, job)


def _attempt(call: Call, job: Any) -> Any:
    try:
        return call(job)
    except Exception as error:  # a bug of one job must not cost the others
        return Lost(f"{type(error).__name__}: {error}")


@dataclass
class _Job:
    what: Any
    deaths: int = 0


@dataclass
class _Worker:
    """A process with the pipe to it and the job it has."""

    process: Any
    pipe: Any  # a Connection, or the class that takes its place on other systems
    ready: bool = False
    job: _Job | None = None


class LocalProcesses:
    """Computes in spawned processes of this machine.

    The standard pool gives up everything that waits when one process is killed; here a worker has a pipe of its own,
    so its death costs the time of its job. Workers end by themselves when this process is gone.
    """

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self.team: list[_Worker] = []

    def run(self, call: Call, jobs: Iterator[Any]) -> Iterator[tuple[Any, Any]]:
        """Yield (job, result or Lost) as they are done.

        Raises
        ------
        WorkersError
            when processes end before they have begun to work.
        """
        waiting = _Jobs(jobs)
        stillborn = 0
        try:
            self.team = [_start(call) for _ in range(waiting.fetch(self.workers))]
            while self.team:
                for worker in self._speaking():
                    job, worker.job = worker.job, None
                    try:
                        result = worker.pipe.recv()
                    except (EOFError, OSError):
                        lost = self._bury(worker, job, waiting)
                        stillborn = 0 if worker.ready else stillborn + 1
                        if stillborn == ATTEMPTS:
                            raise WorkersError(f"{ATTEMPTS} processes ended as they started") from None
                        if waiting.may_come:
                            self.team.append(_start(call))
                        if job is not None and lost is not None:
                            yield job.what, lost
                        continue
                    worker.ready = True
                    self._give(worker, waiting)
                    if job is not None:
                        yield job.what, result
        finally:
            self._end()

    def _speaking(self) -> list[_Worker]:
        """Wait until a worker has something to say or has died."""
        pipes = {id(worker.pipe): worker for worker in self.team}
        return [pipes[id(pipe)] for pipe in wait([worker.pipe for worker in self.team])]

    def _give(self, worker: _Worker, waiting: "_Jobs") -> None:
        """Hand a worker its next job, or send it home."""
        job = waiting.take()
        if job is None:
            self.team.remove(worker)
            _dismiss(worker)
            return
        worker.job = job
        with suppress(OSError):  # it died meanwhile: noticed when its pipe is read
            worker.pipe.send(job.what)

    def _bury(self, worker: _Worker, job: _Job | None, waiting: "_Jobs") -> Lost | None:
        """Take a dead worker off the team; its job goes back, or is lost."""
        self.team.remove(worker)
        _dismiss(worker)
        if job is None:
            return None
        job.deaths += 1
        if job.deaths < ATTEMPTS:
            waiting.again.append(job)
            return None
        return Lost(f"{ATTEMPTS} processes died of it, the last with exit code {worker.process.exitcode}")

    def _end(self) -> None:
        for worker in self.team:
            worker.process.terminate()
        for worker in self.team:
            _dismiss(worker)
        self.team = []


class _Jobs:
    """Jobs that wait: first those that were fetched, or whose worker died."""

    def __init__(self, jobs: Iterator[Any]) -> None:
        self.again: deque[_Job] = deque()
        self._rest = jobs
        self._all_taken = False

    @property
    def may_come(self) -> bool:
        """Whether there is, or may be, another job."""
        return bool(self.again) or not self._all_taken

    def fetch(self, most: int) -> int:
        """Take up to so many jobs from where they come from, and return how many there are: no worker is idle."""
        self.again.extend(_Job(what) for what in islice(self._rest, most))
        return len(self.again)

    def take(self) -> _Job | None:
        """Return the next job, None when there is none."""
        if self.again:
            return self.again.popleft()
        for what in self._rest:
            return _Job(what)
        self._all_taken = True
        return None


def _start(call: Call) -> _Worker:
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, call), daemon=True)
    with _one_thread_each():
        process.start()
    theirs.close()  # so that the end of the process is the end of the pipe
    return _Worker(process, ours)


def _dismiss(worker: _Worker) -> None:
    worker.pipe.close()  # it reads the end of the pipe and leaves
    worker.process.join(ANSWER_S)
    if worker.process.is_alive():
        worker.process.kill()
        worker.process.join()


def _serve(pipe: Connection, call: Call) -> None:
    """Do jobs until the pipe ends: the life of a worker."""
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Control-C reaches the whole group; the parent says when to stop
    with suppress(EOFError, OSError):
        pipe.send(None)
        while True:
            pipe.send(_attempt(call, pipe.recv()))


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Let processes started meanwhile use one thread: the processors are shared out by process."""
    before = {name: os.environ.get(name) for name in _ONE_THREAD}
    os.environ.update(dict.fromkeys(_ONE_THREAD, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


class DaskCluster:
    """Computes on the workers of a Dask scheduler at `address`, like tcp://127.0.0.1:8786.

    Parameters
    ----------
    told : what every worker is asked, and has to answer as this process does, before it is given work

    Raises
    ------
    InputError
        if nobody answers there, or workers run another version.
    """

    def __init__(self, address: str, told: Callable[[], str] | None = None) -> None:
        self.client = _connect(address)
        answers = self.client.run(told) if told is not None else {}
        strangers = sorted(worker for worker, answer in answers.items() if told is None or answer != told())
        self.workers = sum(self.client.nthreads().values())
        if strangers or not self.workers:
            self.close()
            found = (
                f"a worker of another version at {strangers[0]}"
                if strangers
                else "a scheduler without workers"
            )
            raise InputError("--cluster", found, "a cluster whose workers run this version of the program")

    def run(self, call: Call, jobs: Iterator[Any]) -> Iterator[tuple[Any, Any]]:
        """Yield (job, result or Lost) as they are done."""
        import distributed

        there = self.client.scatter(call, broadcast=True, hash=False)
        done: Any = _untyped(distributed, "as_completed")(loop=self.client.loop)
        jobs_of: dict[str, Any] = {}

        def submit() -> None:
            for job in jobs:
                future = self.client.submit(_call_there, there, job, pure=False)
                jobs_of[future.key] = job
                done.add(future)
                return

        try:
            for _ in range(AHEAD * self.workers):
                submit()
            for future in done:
                submit()
                yield jobs_of.pop(future.key), _result_of(future)
        finally:
            self.client.cancel(list(done.futures))

    def close(self) -> None:
        """Leave the cluster; it goes on running."""
        self.client.close()


def _connect(address: str) -> Any:
    wanted = "the address of a Dask scheduler that answers, like tcp://127.0.0.1:8786"
    match = _ADDRESS.fullmatch(address)
    if match is None:
        raise InputError("--cluster", address, wanted)
    try:
        socket.create_connection((match["host"], int(match["port"])), ANSWER_S).close()
    except (
        OSError,
        OverflowError,
    ) as error:  # asked first: Dask itself goes on trying, and complains at length
        raise InputError("--cluster", address, f"{wanted} ({error})") from error
    try:
        import distributed
    except ImportError as error:
        raise InputError("--cluster", address, "possible: pip install 'computemarket[cluster]'") from error
    try:
        return _untyped(distributed, "Client")(address, timeout=ANSWER_S, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise InputError(
            "--cluster", address, "the address of a Dask scheduler, like tcp://127.0.0.1:8786"
        ) from error


def _untyped(module: Any, name: str) -> Any:
    """Return a part of a library that declares types on some of its functions only."""
    return getattr(module, name)


def _call_there(call: Call, job: Any) -> Any:
    return _attempt(call, job)


def _result_of(future: Any) -> Any:
    """Return a future's result; a job that killed several workers is lost.

    Raises
    ------
    WorkersError
        when the cluster is gone: that is nobody's failure, and the batch can go on later.
    """
    from distributed import KilledWorker

    try:
        return future.result()
    except KilledWorker as error:
        return Lost(" ".join(str(error).split()))
    except (_Cancelled, _Revoked, OSError, TimeoutError) as error:
        raise WorkersError(f"the cluster has gone ({type(error).__name__})") from error
