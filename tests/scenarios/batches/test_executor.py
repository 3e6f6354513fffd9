"""Executors: every job comes back once, whatever happens to the workers."""

import os
import subprocess
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from computemarket.errors import InputError
from computemarket.scenarios.batches.executor import (
    ATTEMPTS,
    DaskCluster,
    Inline,
    LocalProcesses,
    Lost,
    WorkersError,
)

HELP = '''
import os, signal
from pathlib import Path

def double(job):
    return 2 * job

def fragile(job):
    """Fail on 3, die on 5, die once on 7."""
    number, folder = job
    if number == 3:
        raise ValueError("three")
    mark = Path(folder) / "seven"
    if number == 5 or (number == 7 and not mark.exists()):
        if number == 7:
            mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return 2 * number

class Stillborn:
    def __reduce__(self):
        return os._exit, (3,)
    def __call__(self, job):
        return job
'''


@pytest.fixture
def helpers(tmp_path, monkeypatch):
    (tmp_path / "executor_helpers.py").write_text(HELP)
    monkeypatch.syspath_prepend(tmp_path)  # spawned processes get the same path
    import executor_helpers

    yield executor_helpers
    sys.modules.pop("executor_helpers", None)


@pytest.mark.parametrize("executor", [Inline(), LocalProcesses(1), LocalProcesses(2)])
def test_every_job_comes_back_once_with_its_result(helpers, executor):
    found = list(executor.run(helpers.double, iter(range(20))))
    assert sorted(found) == [(job, 2 * job) for job in range(20)]


def test_nothing_to_do_is_done_at_once(helpers):
    assert list(LocalProcesses(2).run(helpers.double, iter(()))) == []


def test_a_job_that_fails_or_kills_its_worker_costs_nobody_else(helpers, tmp_path):
    jobs = [(number, str(tmp_path)) for number in range(10)]
    found = {job[0]: result for job, result in LocalProcesses(2).run(helpers.fragile, iter(jobs))}
    assert {number for number, result in found.items() if isinstance(result, Lost)} == {3, 5}
    assert found[3] == Lost("ValueError: three")
    assert f"{ATTEMPTS} processes died of it, the last with exit code -9" in found[5].reason
    assert all(found[number] == 2 * number for number in range(10) if number not in (3, 5))
    assert (tmp_path / "seven").exists()


def test_workers_killed_from_outside_are_replaced(helpers):
    executor = LocalProcesses(2)
    seen: Counter[int] = Counter()
    for job, result in executor.run(helpers.double, iter(range(40))):
        seen[job] += 1
        assert result == 2 * job
        if job in (5, 20) and executor.team:
            executor.team[-1].process.kill()
    assert seen == Counter(range(40))


def test_workers_that_cannot_start_are_an_error_and_not_a_loop(helpers):
    with pytest.raises(WorkersError, match="ended as they started"):
        list(LocalProcesses(1).run(helpers.Stillborn(), iter(range(3))))


def test_leaving_early_leaves_no_process_behind(helpers):
    executor = LocalProcesses(2)
    with closing(executor.run(helpers.double, iter(range(1000)))) as results:
        next(results)
        processes = [worker.process for worker in executor.team]
    assert not any(process.is_alive() for process in processes)


def test_workers_use_one_thread_each_and_this_process_keeps_its_own(helpers, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    [(_, found)] = LocalProcesses(1).run(os.getenv, iter(["OMP_NUM_THREADS"]))
    assert found == "1"
    assert os.environ["OMP_NUM_THREADS"] == "7"
    assert "OPENBLAS_NUM_THREADS" not in os.environ


def test_a_worker_ends_when_the_program_is_gone(helpers, tmp_path):
    code = (
        "import os, signal\n"
        "from computemarket.scenarios.batches.executor import LocalProcesses\n"
        "if __name__ == '__main__':\n"
        "    executor = LocalProcesses(1)\n"
        "    run = executor.run(os.nice, iter([0, 0]))\n"
        "    next(run)\n"
        "    print(executor.team[0].process.pid, flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    (tmp_path / "parent.py").write_text(code)
    done = subprocess.run(  # noqa: S603
        [sys.executable, tmp_path / "parent.py"], capture_output=True, text=True, check=False
    )
    # its output was ours to read to the end: so the worker, which holds the same pipe, has ended too
    assert done.returncode == -9
    assert not _runs(int(done.stdout))


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nonsense", "", "ftp://127.0.0.1:1"])
def test_a_cluster_that_does_not_answer_is_one_line(address, monkeypatch):
    monkeypatch.setattr("computemarket.scenarios.batches.executor.ANSWER_S", 0.5)
    with pytest.raises(InputError, match="--cluster"):
        DaskCluster(address)


def test_no_more_workers_are_started_than_there_are_jobs(helpers):
    executor = LocalProcesses(50)
    with closing(executor.run(helpers.double, iter(range(2)))) as results:
        next(results)
        assert len(executor.team) <= 2
        assert len(list(results)) == 1
