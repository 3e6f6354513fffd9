"""The main job on the command line: what it leaves, what it says, and how it refuses."""

import errno
import fcntl
import json
import os
import re
import signal
import subprocess
import sys
import time
from io import StringIO
from pathlib import Path

import pandas as pd
import pytest

from computemarket.commands.figures import figure_file
from computemarket.errors import InputError
from computemarket.model.core.parameters import schema
from computemarket.scenarios.batches.executor import Lost

SHORT = ("--until", "2023Q4", "--seed", "1", "--workers", "1")
PNG = b"\x89PNG"


@pytest.fixture(autouse=True)
def empty_folder(monkeypatch, tmp_path):
    """Stand in an empty folder."""
    monkeypatch.chdir(tmp_path)


def refused(answer, line):
    """Check that an answer is one line on stderr, naming what is wrong, with exit code 2."""
    code, out, err = answer
    assert code == 2
    assert out == ""
    assert err.startswith("computemarket: ")
    assert err.count("\n") == 1
    assert err.endswith("\n")
    assert line in err


def test_a_run_leaves_table_manifest_and_figure_and_prints_a_summary(command, tmp_path):
    code, out, err = command("run", "baseline", "--runs", 3, "--out", "here", *SHORT)
    assert (code, err) == (0, "")
    folder = tmp_path / "here"
    assert sorted(path.name for path in folder.iterdir()) == [
        "manifest.json",
        "market_share.png",
        "results.parquet",
        "scenario.toml",
    ]
    assert (folder / "market_share.png").read_bytes().startswith(PNG)
    assert json.loads((folder / "manifest.json").read_text())["runs"] == 3
    assert pd.read_parquet(folder / "results.parquet")["run"].nunique() == 3
    assert "Nvidia data-centre revenue" in out
    assert "baseline: median of 3 runs" in out
    assert len(out.splitlines()) <= 45
    assert max(map(len, out.splitlines())) <= 100


def test_quiet_says_nothing(command):
    assert command("run", "baseline", "--runs", 1, "--quiet", *SHORT) == (0, "", "")


def test_results_go_to_a_folder_named_after_the_scenario(command, tmp_path):
    (tmp_path / "mine.toml").write_text('extends = "baseline"\ndescription = "Mine"\nuntil = "2022Q1"\n')
    assert command("run", "mine.toml", "--runs", 1, "--quiet")[0] == 0
    assert (tmp_path / "out" / "mine" / "results.parquet").exists()


def test_settings_of_the_command_line_are_in_the_manifest(command, tmp_path):
    pair = "capex.herding = { uniform = [0.1, 0.5] }"
    assert command("run", "baseline", "--runs", 1, "--out", "o", "--set", pair, "--quiet", *SHORT)[0] == 0
    told = json.loads((tmp_path / "o" / "manifest.json").read_text())
    assert told["settings"] == {"capex.herding": "uniform(0.1, 0.5)"}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "an empty file"),
        ('extends = "baseline"\nno_such_key = 1\n', "no_such_key"),
        ('extends = "baseline"\nseed = "abc"\n', "seed: 'abc'"),
        ('extends = "baseline"\n[capex]\nherding = 9\n', "a number in 0..0.6"),
        ('extends = "baseline"\nuntil = "2031Q9"\n', "2031Q9"),
        ('extends = "s"\n', "extends"),
        ("x = \n", "TOML"),
        ('extends = "../../etc/passwd"\n', "extends"),
    ],
)
def test_a_bad_scenario_is_one_line_and_leaves_nothing(command, tmp_path, text, line):
    (tmp_path / "s.toml").write_text(text)
    refused(command("run", "s.toml", "--runs", 2, "--out", "o"), line)
    assert [path.name for path in tmp_path.iterdir()] == ["s.toml"]


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["missing.toml"], "missing.toml"),
        (["nothing"], "'nothing' is not a scenario of the library"),
        (["../baseline"], "../baseline"),
        (["baseline", "--runs", "-3"], "--runs: -3 is not a whole number"),
        (["baseline", "--runs", "0"], "--runs"),
        (["baseline", "--runs", "many"], "--runs"),
        (["baseline", "--runs", "1.5"], "--runs"),
        (["baseline", "--seed", "-1"], "--seed"),
        (["baseline", "--seed", "x"], "--seed"),
        (["baseline", "--until", "2031Q9"], "--until"),
        (["baseline", "--until", "soon"], "--until"),
        (["baseline", "--workers", "0"], "--workers"),
        (["baseline", "--workers", "1000"], "--workers"),
        (["baseline", "--set", "capex.herding"], "--set"),
        (["baseline", "--set", "capex.herdin=1"], "the nearest is capex.herding"),
        (["baseline", "--set", "capex.herding=7"], "a number in 0..0.6"),
        (["baseline", "--set", "capex.herding=much"], "a TOML value"),
        (["baseline", "--set", "capex.herding=0.1", "--set", "capex.herding=0.2"], "set once"),
        (["baseline", "--nonsense"], "--nonsense"),
        ([], "Missing argument"),
        (["baseline", "surplus"], "surplus"),
    ],
)
def test_a_bad_option_is_one_line_and_leaves_nothing(command, tmp_path, options, line):
    refused(command("run", *options), line)
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_command_is_one_line(command):
    refused(command("ran"), "ran")


def test_an_out_that_is_a_file_is_one_line(command, tmp_path):
    (tmp_path / "taken").write_text("mine")
    refused(command("run", "baseline", "--runs", 1, "--out", "taken", *SHORT), "--out")
    assert (tmp_path / "taken").read_text() == "mine"


def test_a_polite_request_to_stop_leaves_nothing_half_written(tmp_path):
    job = [
        sys.executable,
        "-m",
        "computemarket",
        "run",
        "baseline",
        "--runs",
        "2000",
        "--quiet",
        "--out",
        "o",
    ]
    with subprocess.Popen([*job, "--workers", "1"], cwd=tmp_path) as process:  # noqa: S603
        deadline = time.monotonic() + 60
        while not any(tmp_path.glob("o/.parts-*/*")) and time.monotonic() < deadline:
            os.sched_yield()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 128 + signal.SIGTERM
    assert list(tmp_path.iterdir()) == []


def test_without_a_command_the_help_is_shown(command):
    code, out, _ = command()
    assert code == 0
    for name in ("run", "scenarios", "parameters", "facts", "coverage"):
        assert re.search(rf"\b{name}\b", out)


def test_scenarios_are_listed_with_a_line_each(command):
    code, out, _ = command("scenarios")
    assert code == 0
    assert "baseline" in out


def test_parameters_are_listed_by_word(command):
    code, out, _ = command("parameters", "vintage")
    assert code == 0
    found = schema()["finance.recovery"]
    for part in (found.name, str(found.setting), f"{found.low:g} to {found.high:g}", found.meaning[:20]):
        assert part in out


def test_parameters_are_data_too(command):
    found = json.loads(command("parameters", "--json")[1])
    assert [entry["name"] for entry in found] == list(schema())
    assert set(found[0]) == {"name", "unit", "default", "setting", "range", "meaning", "source", "status"}


def test_a_word_that_no_parameter_holds_is_refused(command):
    refused(command("parameters", "zzzz"), "zzzz")


@pytest.mark.parametrize("width", [100, 150, 200])
def test_the_table_of_parameters_leaves_nothing_out_at_any_width(width):
    from rich.console import Console

    from computemarket.commands.inspect.parameters import _table

    shown = StringIO()
    Console(width=width, file=shown).print(_table(list(schema().values()), width))
    assert max(map(len, shown.getvalue().splitlines())) <= width
    assert "…" not in shown.getvalue()


def test_help_loads_no_heavy_library():
    asked = "import sys; from computemarket.cli import main; sys.argv = ['computemarket', '--help']\ntry: main()\n"
    asked += "finally: sys.stderr.write(' '.join(sys.modules))"
    told = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=False)  # noqa: S603
    assert told.returncode == 0
    heavy = {"pandas", "pyarrow", "matplotlib", "scipy", "mesa", "networkx", "duckdb", "streamlit"}
    assert not heavy & set(told.stderr.split())


def test_two_runs_do_not_share_a_folder(command, tmp_path):
    (tmp_path / "o").mkdir()
    held = os.open(tmp_path / "o", os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        refused(command("run", "baseline", "--runs", 1, "--out", "o", *SHORT), "another run is writing there")
    finally:
        os.close(held)


@pytest.mark.parametrize("text", ['{"name": "of somebody"}', "[1]", "x", '{"study": {}, "versions": {}}'])
def test_a_run_never_writes_over_the_manifest_of_somebody_else(command, tmp_path, text):
    (tmp_path / "o").mkdir()
    (tmp_path / "o" / "manifest.json").write_text(text)
    refused(
        command("run", "baseline", "--runs", 1, "--out", "o", *SHORT), "free for a run: it holds the results"
    )
    assert [path.name for path in (tmp_path / "o").iterdir()] == ["manifest.json"]
    assert (tmp_path / "o" / "manifest.json").read_text() == text


def test_a_killed_process_costs_a_run_nothing(tmp_path):
    short = ("--until", "2022Q4", "--quiet", "--runs", "600")
    job = [sys.executable, "-m", "computemarket", "run", "baseline", *short]
    subprocess.run([*job, "--workers", "1", "--out", "one"], cwd=tmp_path, check=True)  # noqa: S603
    with subprocess.Popen([*job, "--workers", "2", "--out", "two"], cwd=tmp_path) as process:  # noqa: S603
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        deadline = time.monotonic() + 60
        while not any(tmp_path.glob("two/.parts-*/*")) and time.monotonic() < deadline:
            os.sched_yield()
        spawned = [one for one in children.read_text().split()
                   if "spawn_main" in Path(f"/proc/{one}/cmdline").read_text()]  # fmt: skip
        os.kill(int(spawned[0]), signal.SIGKILL)
        assert process.wait(timeout=120) == 0
    digests = [
        json.loads((tmp_path / name / "manifest.json").read_text())["digest"] for name in ("one", "two")
    ]
    assert digests[0] == digests[1]


def test_a_chunk_that_cannot_be_simulated_is_one_line_and_keeps_what_was_there(
    command, tmp_path, monkeypatch
):
    class Broken:
        def __init__(self, _workers):
            pass

        def run(self, _call, jobs):
            yield next(jobs), Lost("InvariantError: law broken")

    monkeypatch.setattr("computemarket.scenarios.batches.ensemble.LocalProcesses", Broken)
    answer = command("run", "baseline", "--runs", 40, "--out", "o", *SHORT[:-1], 2)
    refused(answer, "runs from 0 on could not be simulated: InvariantError: law broken")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_an_output_that_takes_no_more_is_one_line_and_a_reader_who_leaves_none(tmp_path):
    job = [sys.executable, "-m", "computemarket", "parameters"]
    with open("/dev/full", "w") as full:  # noqa: PTH123
        done = subprocess.run(job, stdout=full, stderr=subprocess.PIPE, text=True, check=False)  # noqa: S603
    assert done.returncode == 2
    assert done.stderr == "computemarket: output: No space left on device\n"
    with subprocess.Popen(job, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(timeout=60) in (0, 1, 141)  # what is left unsaid depends on the size of the pipe


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["compare", "baseline", "baseline"], "compare: 'baseline' is not the name of one scenario only"),
        (["compare", "baseline", "--sweep", "policy.zzz=1"], "--sweep: 'policy.zzz' is not a parameter"),
        (
            ["compare", "baseline", "--sweep", "policy.enforcement_budget=a"],
            "--sweep policy.enforcement_budget: 'a'",
        ),
        (["compare", "baseline", "--sweep", "policy.enforcement_budget=nan"], "is not a number in"),
        (["sensitivity", "nowhere"], "'nowhere' is not a folder of results"),
    ],
)
def test_what_cannot_be_compared_is_one_line_and_leaves_nothing(command, tmp_path, arguments, line):
    refused(command(*arguments), line)
    assert list(tmp_path.iterdir()) == []


def test_tables_of_a_comparison_hold_no_formula(command, tmp_path, monkeypatch):
    hostile = pd.DataFrame(
        {"scenario": ["=cmd"], "measure": ["+1"], "unit": ["@x"], "year": [2028], "median": [-1.5]}
    )
    monkeypatch.setattr("computemarket.analysis.policies.compare.simulate_outcome", lambda *_given: None)
    monkeypatch.setattr("computemarket.analysis.policies.compare.differences", lambda *_given: hostile)
    monkeypatch.setattr("computemarket.commands.policies.compare._print", lambda *_given: None)
    monkeypatch.setattr("computemarket.commands.policies.compare.answer", lambda *_given: None)
    assert command("compare", "baseline", "--topic", "china", "--out", "o")[0] == 0
    text = (tmp_path / "o" / "differences.csv").read_text()
    assert text == "scenario,measure,unit,year,median\n'=cmd,'+1,'@x,2028,-1.5\n"


def test_a_figure_is_there_whole_or_not_there(tmp_path):
    target = tmp_path / "a.png"
    target.write_text("before")

    def draw():
        with figure_file(target) as hidden:
            hidden.write_text("half")
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(InputError, match="a figure that can be written"):
        draw()
    assert target.read_text() == "before"
    assert list(tmp_path.iterdir()) == [target]


def test_the_page_that_is_not_installed_is_told_with_how_to_install_it(command, monkeypatch):
    monkeypatch.setattr("computemarket.commands.results.dashboard.find_spec", lambda _name: None)
    refused(command("dashboard"), "pip install 'computemarket[dashboard]'")


def test_a_figure_of_a_kind_that_is_not_drawn_is_one_line(tmp_path):
    with pytest.raises(InputError, match="a file that ends in"):
        figure_file(tmp_path / "a.zzz").__enter__()


@pytest.mark.parametrize(("data", "says"), [(b'a,"b\n1,2\n', "end of data"), (bytes(range(256)), "not text")])
def test_points_that_are_no_table_are_one_line(command, tmp_path, data, says):
    (tmp_path / "points.csv").write_bytes(data)
    refused(command("performance", "points.csv"), says)
