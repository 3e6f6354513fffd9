"""Batches: the same bytes whatever happens on the way, and a record of every run that fails."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from computemarket.analysis.results.headline import Headline
from computemarket.errors import InputError
from computemarket.scenarios import assembly
from computemarket.scenarios.batches.batch import chunk_at, chunks_of, estimate, run_study
from computemarket.scenarios.batches.executor import DaskCluster, Inline, LocalProcesses
from computemarket.scenarios.results.store import read_failures, study_of, version_of_model, work_of
from computemarket.scenarios.studies.chunk import RUNS
from computemarket.scenarios.studies.study import read_study

TEXT = f"""
scenarios = ["baseline"]
runs = 2
until = "2022Q3"
recording = ["utilisation", "capex_usd"]
[design]
method = "latin_hypercube"
points = {RUNS + 20}
[uncertainties.power]
existing_mw = {{ uniform = [2500.0, 6000.0] }}
[levers.capex]
realised_2022_usd_bn = [8.0, 12.0]
"""


def study(text: str = TEXT):
    return read_study(text.encode(), "asked.toml", Path(), Headline())


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("batch") / "whole"
    return folder, run_study(study(), folder, Inline())


def frame_of(folder: Path) -> pd.DataFrame:
    return pd.read_parquet(folder / "parts")


def test_chunks_cover_every_run_of_every_case_once():
    found = [(one.case, int(number)) for one in chunks_of(study()) for number in one.numbers]
    assert found == [(case, run) for case in range(2) for run in range(2 * (RUNS + 20))]


def test_cases_meet_the_same_points_and_shocks():
    one, other = chunk_at(study(), 0, RUNS), chunk_at(study(), 1, RUNS)
    assert np.array_equal(one.quantiles, other.quantiles)
    assert np.array_equal(one.shocks, other.shocks)


def test_a_run_is_the_same_alone_as_in_its_chunk(whole):
    import io

    work = work_of(study())
    alone = pd.read_parquet(io.BytesIO(work(chunk_at(study(), 0, 0).part(slice(5, 6))).data))
    frame = frame_of(whole[0])
    kept = frame[(frame["run"] == 5) & (frame["policy"] == alone["policy"].iloc[0])].reset_index(drop=True)
    keys = ["variable", "quarter", "entity", "value"]
    assert (alone["point"] == 2).all()
    pd.testing.assert_frame_equal(
        alone[keys].astype({"value": float}), kept[keys], check_categorical=False, check_exact=True
    )


def test_points_of_a_design_reach_the_market(whole):
    frame = frame_of(whole[0])
    used = study()
    first = frame[frame["quarter"] == "2022Q1"]
    shares = first[first["variable"] == "utilisation"].groupby("point")["value"].mean()
    assert shares.nunique() > RUNS // 2
    assert len(used.design.quantiles(np.arange(used.design.count))) == RUNS + 20


def test_workers_do_not_matter(whole, tmp_path):
    report = run_study(study(), tmp_path / "two", LocalProcesses(2))
    assert report.digest == whole[1].digest
    assert (report.runs, report.failed) == (4 * (RUNS + 20), 0)


def test_a_worker_killed_on_the_way_costs_nothing(whole, tmp_path):
    executor = LocalProcesses(2)

    def kill(progress):
        if progress.done == RUNS and executor.team:
            executor.team[0].process.kill()

    report = run_study(study(), tmp_path / "killed", executor, tell=kill)
    assert (report.digest, report.failed) == (whole[1].digest, 0)


KILLED = """
import os, signal, sys
from pathlib import Path
from computemarket.scenarios.batches.batch import run_study
from computemarket.scenarios.batches.executor import Inline
from computemarket.scenarios.studies.study import load_study

def kill(progress):
    if progress.done >= int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)

run_study(load_study(sys.argv[1]), Path(sys.argv[2]), Inline(), tell=kill)
"""


def test_a_batch_killed_at_any_moment_goes_on_to_the_same_digest(whole, tmp_path):
    asked, out = tmp_path / "asked.toml", tmp_path / "cut"
    asked.write_text(TEXT)
    for done in (0, 1, 2 * RUNS):
        command = [sys.executable, "-c", KILLED, str(asked), str(out), str(done)]
        assert subprocess.run(command, check=False).returncode == -signal.SIGKILL  # noqa: S603
    report = run_study(study(), out, Inline())
    assert report.digest == whole[1].digest
    assert 0 < report.computed < report.runs
    assert {path.name: path.read_bytes() for path in (out / "parts").iterdir()} == {
        path.name: path.read_bytes() for path in (whole[0] / "parts").iterdir()
    }


def test_a_complete_batch_computes_nothing_again(whole):
    report = run_study(study(), whole[0], Inline())
    assert (report.computed, report.digest) == (0, whole[1].digest)


@pytest.fixture
def broken(monkeypatch):
    """Break the assembly of two of the runs."""
    inner = assembly.assemble

    def assemble(scenario, numbers, variables=None, points=None):
        if {3, RUNS + 1} & set(numbers.tolist()):
            raise ArithmeticError("no\nequilibrium")
        return inner(scenario, numbers, variables, points)

    monkeypatch.setattr(assembly, "assemble", assemble)


def test_a_failed_run_is_a_record_and_the_others_are_kept(whole, tmp_path, broken):
    report = run_study(study(), tmp_path / "out", Inline())
    assert (report.runs, report.failed) == (whole[1].runs, 4)
    found = read_failures(tmp_path / "out")
    assert [(one.policy[-4:], one.run, one.point) for one in found] == [
        ("=8.0", 3, 1), ("=8.0", RUNS + 1, (RUNS + 1) // 2), ("12.0", 3, 1), ("12.0", RUNS + 1, (RUNS + 1) // 2)
    ]  # fmt: skip
    assert found[0].error == "ArithmeticError: no equilibrium"
    assert found[0].seed == 1
    quantile = study().design.quantiles(np.array([1]))[0, 0]
    assert found[0].parameters["power.existing_mw"] == 2500.0 + quantile * 3500.0
    assert found[2].parameters["capex.realised_2022_usd_bn"] == 12.0
    frame, everything = frame_of(tmp_path / "out"), frame_of(whole[0])
    kept = everything[~everything["run"].isin([3, RUNS + 1])].reset_index(drop=True)
    keys = ["run", "point", "value"]
    pd.testing.assert_frame_equal(frame[keys], kept[keys], check_exact=True)


def test_failed_runs_are_tried_again_when_asked(whole, tmp_path, monkeypatch):
    inner = assembly.assemble
    with monkeypatch.context() as patch:
        patch.setattr(assembly, "assemble", lambda *_: (_ for _ in ()).throw(MemoryError()))
        assert run_study(study(), tmp_path / "out", Inline()).failed == whole[1].runs
    assert assembly.assemble is inner
    assert run_study(study(), tmp_path / "out", Inline()).computed == 0
    report = run_study(study(), tmp_path / "out", Inline(), retry_failed=True)
    assert (report.failed, report.digest) == (0, whole[1].digest)
    assert read_failures(tmp_path / "out") == []


def test_a_variable_that_nobody_records_is_refused_before_anything_runs(tmp_path):
    with pytest.raises(InputError, match="'capex' is not a variable"):
        run_study(study(TEXT.replace("capex_usd", "capex")), tmp_path / "out", Inline())
    assert not (tmp_path / "out").exists()


def test_the_estimate_counts_what_is_there(whole, tmp_path):
    found = estimate(study(), 2, whole[0])
    assert (found.cases, found.points, found.runs_of_point) == (2, RUNS + 20, 2)
    assert (found.runs, found.missing) == (whole[1].runs, 0)
    fresh = estimate(study(), 2, tmp_path)
    assert fresh.missing == fresh.runs
    assert fresh.disk_bytes > 0


def test_a_store_repeats_itself(whole, tmp_path):
    report = run_study(study_of(whole[0], Headline()), tmp_path / "again", Inline())
    assert report.digest == whole[1].digest


def test_the_study_stops_where_it_is_told_at_checkpoints_alone(tmp_path):
    asked = study(
        f'scenarios = ["baseline"]\nruns = {40 * RUNS}\nuntil = "2022Q1"\nrecording = ["utilisation"]\n'
    )
    seen = []

    def stable(folder: Path, runs: int) -> bool:
        seen.append((runs, len(list((folder / "parts").iterdir()))))
        return runs > 8 * RUNS

    report = run_study(asked, tmp_path, Inline(), stable=stable)
    assert seen == [(4 * RUNS, 4), (6 * RUNS, 6), (9 * RUNS, 9)]
    assert (report.runs, report.stable_at) == (9 * RUNS, 9 * RUNS)


def batch(*arguments: str, **options) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "computemarket", "batch", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)  # noqa: S603


@pytest.mark.parametrize(
    "arguments",
    [
        ["nothing"], ["example", "--workers", "0"], ["example", "--until-stable", "2"], ["example", "--out", "/proc/x"],
        ["example", "--cluster", "nonsense"], ["example", "--speed", "3"],
    ],
)  # fmt: skip
def test_bad_options_are_one_line_and_exit_code_2(arguments):
    done = batch(*arguments)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "Traceback" not in done.stderr


def test_the_dry_run_says_how_many_how_long_and_how_much(tmp_path):
    (tmp_path / "asked.toml").write_text(TEXT)
    done = batch(str(tmp_path / "asked.toml"), "--dry-run", "--out", str(tmp_path / "out"))
    total = 4 * (RUNS + 20)
    assert done.stdout.startswith(
        f"asked: 2 cases x {RUNS + 20} points x 2 runs = {total} runs, {total} of them still to do\nabout"
    )
    assert not (tmp_path / "out").exists()


def test_control_c_stops_cleanly_and_the_same_command_goes_on(whole, tmp_path):
    (tmp_path / "asked.toml").write_text(TEXT)
    out = tmp_path / "out"
    code = (
        "import os, signal, sys\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell makes its background jobs ignore it\n"
        "from computemarket.scenarios.batches import batch\n"
        "inner = batch.Store.write\n"
        "def write(store, outcome):\n"
        "    inner(store, outcome)\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "batch.Store.write = write\n"
        "sys.argv = ['computemarket', 'batch', sys.argv[1], '--out', sys.argv[2], '--workers', '1']\n"
        "from computemarket.cli import main\n"
        "if __name__ == '__main__': main()\n"
    )
    (tmp_path / "interrupted.py").write_text(code)
    command = [sys.executable, str(tmp_path / "interrupted.py"), str(tmp_path / "asked.toml"), str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 130
    assert done.stderr.startswith("stopped: ")
    assert f"of {4 * (RUNS + 20)} runs are kept; the same command goes on" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    done = batch(str(tmp_path / "asked.toml"), "--out", str(out))
    assert done.returncode == 0, done.stderr
    assert json.loads((out / "manifest.json").read_text())["digest"] == whole[1].digest


def test_a_dask_cluster_of_two_workers_gives_the_same_bytes(whole, tmp_path):
    """Starts the cluster with the commands of docs/batches.md."""
    file, dask = tmp_path / "scheduler.json", [sys.executable, "-m", "dask"]
    options = {
        "stdout": subprocess.DEVNULL,
        "stderr": subprocess.DEVNULL,
        "env": dict(os.environ),
        "cwd": tmp_path,
    }
    commands = [
        ["scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(file)],
        ["worker", "--scheduler-file", str(file), "--nworkers", "2", "--nthreads", "1", "--no-dashboard"],
    ]
    started = [subprocess.Popen([*dask, *command], **options) for command in commands]  # noqa: S603
    try:
        from distributed import Client

        with Client(scheduler_file=str(file), timeout=60, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=60)
            address = client.scheduler.address
        executor = DaskCluster(address, version_of_model)
        try:
            report = run_study(study(), tmp_path / "dask", executor)
        finally:
            executor.close()
        with pytest.raises(InputError, match="a worker of another version"):
            DaskCluster(address, os.getpid)
    finally:
        for process in reversed(started):
            process.terminate()
        for process in started:
            process.wait()
    assert executor.workers == 2
    assert report.digest == whole[1].digest


def test_a_market_is_forgotten_once_its_chunk_is_there(monkeypatch):
    import weakref

    made, inner = [], assembly.assemble

    def assemble(*arguments):
        market = inner(*arguments)
        made.append(weakref.ref(market))
        return market

    monkeypatch.setattr(assembly, "assemble", assemble)
    work = work_of(study())
    work(chunk_at(study(), 0, 0).part(slice(0, 2)))
    assert [one() for one in made] == [None]
