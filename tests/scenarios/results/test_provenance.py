"""Results made again, compared and refused: `reproduce`, `diff`, `fork` on the command line, and bad folders."""

import json
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from computemarket.analysis.results.difference_counts import relative_difference
from computemarket.analysis.results.differences import (
    differing_settings,
    differing_values,
    headline_differences,
)
from computemarket.errors import InputError
from computemarket.scenarios.batches.ensemble import prepare, simulate_to
from computemarket.scenarios.results.manifests import kind_of, manifest_bytes
from computemarket.scenarios.results.open_results import check_whole
from computemarket.scenarios.results.provenance import (
    changed_versions,
    data_sha256,
    file_sha256,
    read_run_manifest,
    scenario_of,
)

UNTIL = "2022Q4"
FILES = ("manifest.json", "results.parquet", "scenario.toml")


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """Two runs of one year."""
    folder = tmp_path_factory.mktemp("stored") / "run"
    simulate_to(folder, prepare("revenue_share", seed=5, until=UNTIL), 2)
    return folder


def copy(stored, target, **changes):
    """Copy results, with other words in the manifest."""
    shutil.copytree(stored, target)
    told = json.loads((target / "manifest.json").read_text())
    (target / "manifest.json").write_bytes(manifest_bytes({**told, **changes}))
    return target


def test_a_run_says_with_what_it_was_made(stored):
    told = read_run_manifest(stored)
    assert told["digest"] == file_sha256(stored / "results.parquet")
    assert {"model", "numpy", "pandas", "pyarrow", "mesa", "scipy"} <= set(told["versions"])
    assert told["data"] == data_sha256()
    assert told["data"]["model/data/parameters/capex.toml"]
    assert changed_versions(told) == []
    assert kind_of(stored) == "run"


def test_what_changed_since_is_named(stored):
    told = read_run_manifest(stored)
    told["versions"] = {**told["versions"], "numpy": "1.0"}
    told["data"] = {**told["data"], "model/data/parameters/capex.toml": "0"}
    found = changed_versions(told)
    assert found[0].startswith("numpy 1.0 then")
    assert found[1:] == ["1 data files (model/data/parameters/capex.toml, …)"]


def test_the_resolved_scenario_runs_as_it_stands_and_gives_the_same_file(stored, tmp_path, command):
    alone = tmp_path / "moved.toml"
    alone.write_bytes((stored / "scenario.toml").read_bytes())
    code, _, err = command("run", alone, "--runs", 2, "--out", tmp_path / "again", "--quiet", "--workers", 1)
    assert (code, err) == (0, "")
    for name in ("results.parquet", "scenario.toml"):
        assert (tmp_path / "again" / name).read_bytes() == (stored / name).read_bytes()


def test_reproduce_says_that_the_digest_agrees(stored, tmp_path, command):
    code, out, err = command("reproduce", stored, "--workers", 1, "--quiet")
    assert (code, err) == (0, "")
    assert out == f"the digest agrees: 2 runs, {read_run_manifest(stored)['digest']}\n"
    code, _, _ = command("reproduce", stored, "--workers", 1, "--quiet", "--out", tmp_path / "kept")
    assert code == 0
    assert (tmp_path / "kept" / "manifest.json").read_bytes() == (stored / "manifest.json").read_bytes()


def test_reproduce_says_by_how_much_values_differ_and_what_changed(stored, tmp_path, command, as_made):
    other = copy(stored, tmp_path / "other")
    table = pq.read_table(other / "results.parquet")
    values = table["value"].to_numpy().copy()
    values[:10] = values[:10] * 1.25 + 1.0
    pq.write_table(table.set_column(8, "value", pa.array(values)), other / "results.parquet")
    told = json.loads((other / "manifest.json").read_text())
    as_made(other, versions={**told["versions"], "numpy": "1.0"})
    code, out, err = command("reproduce", other, "--workers", 1, "--quiet")
    assert (code, err) == (1, "")
    assert out.startswith(f"the digest differs: 10 of {len(values):,} values")
    assert "numpy 1.0 then" in out


def test_two_results_differ_in_what_was_asked_then_in_what_came_out(stored, tmp_path, command):
    simulate_to(
        tmp_path / "other",
        prepare("baseline", seed=5, until=UNTIL).with_settings({"capex.adjustment_speed": 0.6}),
        2,
    )
    code, out, err = command("diff", stored, tmp_path / "other")
    assert (code, err) == (0, "")
    assert "scenario: revenue_share -> baseline" in out
    assert "regimes: revenue_share.toml: " in out
    assert "capex.adjustment_speed: " in out
    assert "-> 0.6" in out
    assert "the first in 2022Q1" in out
    assert "Nvidia data-centre revenue" in out
    code, out, _ = command("diff", stored, stored)
    assert "nothing that was asked differs" in out
    assert "what came out is the same" in out


def test_results_of_other_sizes_are_compared_where_they_meet(stored, tmp_path):
    simulate_to(tmp_path / "more", prepare("revenue_share", seed=5, until="2022Q2"), 3)
    found = differing_values(stored, tmp_path / "more")
    assert found["different"].sum() == 0
    count = pd.read_parquet(stored / "results.parquet", columns=["quarter"])["quarter"].astype(str)
    assert found["values"].sum() == (count <= "2022Q2").sum()


def test_headlines_say_since_when_and_by_how_much(stored, tmp_path):
    asked = scenario_of(stored).with_settings(
        {"capex.legacy_floor_share": [{"from": "2022Q3", "value": 0.9}]}
    )
    simulate_to(tmp_path / "other", asked, 2)
    found = headline_differences(stored, tmp_path / "other").set_index("outcome")
    row = found.loc["Capex of four large clouds"]
    assert row["first_quarter"] >= "2022Q3"
    assert row["p10"] <= row["change"] <= row["p90"]
    assert (found["year"] == "2022").all()


def test_the_size_of_a_difference_is_relative_to_the_larger():
    one, other = np.array([1.0, 0.0, np.nan, np.nan, -2.0]), np.array([2.0, 0.0, np.nan, 1.0, 2.0])
    assert relative_difference(one, other).tolist() == [0.5, 0.0, 0.0, 1.0, 2.0]


def test_a_scenario_and_its_resolved_text_do_not_differ(stored):
    assert differing_settings(scenario_of(stored), prepare("revenue_share", seed=5, until=UNTIL)) == []


def test_scenarios_differ_by_name_and_by_what_a_few_runs_say(command, monkeypatch):
    code, out, _ = command("diff", "baseline", "h20_ban")
    assert code == 0
    assert "policy.licence_approval_prob_letter: " in out
    code, _, err = command("diff", "baseline", "no_such_scenario")
    assert code == 2
    assert err.count("\n") == 1


def test_a_fork_on_the_command_line_says_what_it_kept(stored, tmp_path, command):
    folder = tmp_path / "fork"
    code, out, err = command(
        "fork", stored, "--at", "2022Q3", "--set", "capex.cash_share=0.3", "--out", folder, "--workers", 1
    )
    assert (code, err) == (0, "")
    assert "before 2022Q3, bit for bit" in out
    assert (folder / "market_share.png").stat().st_size > 0
    code, out, _ = command("reproduce", folder, "--workers", 1, "--quiet")
    assert (code, out[:17]) == (0, "the digest agrees")


@pytest.mark.parametrize("at", ["../../up", "=1+1", "2022Q5", "'; drop table results"])
def test_a_hostile_quarter_is_one_line_and_no_path(stored, at, command):
    before = sorted(stored.parent.iterdir())
    code, _, err = command("fork", stored, "--at", at, "--quiet")
    assert (code, err.count("\n")) == (2, 1)
    assert sorted(stored.parent.iterdir()) == before


def broken(name, change):
    return pytest.param(change, id=name)


def rewrite(name, text):
    return lambda folder: (folder / name).write_text(text)


def say(**changes):
    def write(folder):
        told = json.loads((folder / "manifest.json").read_text())
        (folder / "manifest.json").write_bytes(manifest_bytes({**told, **changes}))

    return write


def outdated(folder):
    rewrite("scenario.toml", "[capex]\nx = 1\n")(folder)
    say(scenario_text="[capex]\nx = 1\n")(folder)


@pytest.mark.parametrize(
    "change",
    [
        broken("no manifest", lambda folder: (folder / "manifest.json").unlink()),
        broken("half a manifest", rewrite("manifest.json", '{"format": 1, "scen')),
        broken("deep manifest", rewrite("manifest.json", "[" * 100_000)),
        broken("a list", rewrite("manifest.json", "[1]")),
        broken("another program's", rewrite("manifest.json", '{"versions": {"other": "1"}, "format": "x"}')),
        broken("an older version", say(format=0)),
        broken("a path as name", say(scenario="../../etc/passwd")),
        broken("a formula as name", say(scenario="=cmd()")),
        broken("a table as runs", say(runs="2; drop table results")),
        broken("too many runs", say(runs=10**12)),
        broken("no runs", say(runs=0)),
        broken("half results", lambda folder: os.truncate(folder / "results.parquet", 1000)),
        broken("no results", lambda folder: (folder / "results.parquet").unlink()),
        broken("results of another tool", rewrite("results.parquet", "a,b\n1,2\n")),
        broken("no scenario", lambda folder: (folder / "scenario.toml").unlink()),
        broken("another scenario", rewrite("scenario.toml", 'extends = "baseline"\n')),
        broken("a changed text", say(scenario_text="until = 3")),
        broken("an unknown parameter", outdated),
    ],
)  # fmt: skip
def test_folders_that_cannot_be_believed_are_one_line_and_stay_as_they_are(stored, tmp_path, command, change):
    folder = copy(stored, tmp_path / "run")
    change(folder)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    for arguments in (("reproduce", folder, "--quiet"), ("fork", folder, "--at", "2022Q3", "--quiet")):
        code, out, err = command(*arguments, "--workers", 1)
        assert (code, out) == (2, ""), err
        assert err.startswith("computemarket: ")
        assert (err.count("\n"), err.count("Traceback")) == (1, 0)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_results_that_do_not_fit_the_manifest_are_refused(stored, tmp_path):
    folder = copy(stored, tmp_path / "run", digest="0" * 64)
    with pytest.raises(InputError, match="is not what was run"):
        check_whole(folder)


def test_a_store_of_another_tool_is_refused(tmp_path, command):
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "0000-000000000.parquet").write_bytes(b"PAR1")
    (tmp_path / "manifest.json").write_text(
        json.dumps({"study": {"cases": []}, "versions": {}, "identity": ""})
    )
    for arguments in (
        ("reproduce", tmp_path),
        ("fork", tmp_path, "--at", "2022Q3"),
        ("diff", tmp_path, tmp_path),
    ):
        code, _, err = command(*arguments)
        assert (code, err.count("\n")) == (2, 1), err


def limited():
    resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))


@pytest.mark.parametrize("name", ["run", "fork"])
def test_a_disk_that_is_full_is_one_line_and_nothing_is_lost(stored, tmp_path, name):
    folder = copy(stored, tmp_path / "there")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    arguments = {
        "run": ["run", "baseline", "--runs", "2", "--until", UNTIL, "--out", folder],
        "fork": ["fork", folder, "--at", "2022Q3", "--out", tmp_path / "fork"],
    }[name]
    line = [sys.executable, "-m", "computemarket", *map(str, arguments), "--workers", "1", "--quiet"]
    done = subprocess.run(line, capture_output=True, text=True, check=False, preexec_fn=limited)  # noqa: S603
    assert done.returncode == 2, done.stderr
    assert (done.stdout, done.stderr.count("\n")) == ("", 1)
    assert "can be written" in done.stderr
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["there"]


def test_a_disk_that_is_full_at_the_last_file_keeps_the_results_that_were_there(
    stored, tmp_path, monkeypatch
):
    folder = copy(stored, tmp_path / "there")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    write = Path.write_bytes

    def full(path, data):
        if path.name == "manifest.json":
            raise OSError(28, "No space left on device")
        return write(path, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(InputError, match="No space left"):
        simulate_to(folder, prepare("baseline", seed=6, until="2022Q1"), 1)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_folder_that_cannot_be_written_is_one_line(stored, tmp_path, command):
    (tmp_path / "file").write_text("in the way")
    for arguments in (
        ("fork", stored, "--at", "2022Q3", "--out", tmp_path / "file" / "deep"),
        ("reproduce", stored, "--out", tmp_path / "file" / "deep"),
    ):
        code, _, err = command(*arguments, "--workers", 1, "--quiet")
        assert (code, err.count("\n")) == (2, 1), err
    assert (tmp_path / "file").read_text() == "in the way"
