"""The main job on the command line: what it leaves, what it says, and how it refuses."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from io import StringIO

import pandas as pd
import pytest

from computemarket.model.parameters import schema

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
        (["nothing"], "'nothing' is not one of"),
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

    from computemarket.commands.parameters import _table

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
