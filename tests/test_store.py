"""The store: whole or not there, its own and nobody else's, with all that is needed to repeat it."""

import errno
import json
import os
from pathlib import Path

import pandas as pd
import pytest

from computemarket.analysis.headline import NAMES, Headline
from computemarket.errors import InputError
from computemarket.scenarios import store as module
from computemarket.scenarios.batch import run_study
from computemarket.scenarios.chunk import PART_COLUMNS, RUNS
from computemarket.scenarios.executor import Inline
from computemarket.scenarios.query import as_csv, as_text, ask
from computemarket.scenarios.store import open_store, read_manifest, study_of, write_whole
from computemarket.scenarios.study import read_study

TEXT = f'scenarios = ["baseline"]\nruns = {RUNS + 6}\nuntil = "2022Q2"\n'


def study(text: str = TEXT):
    return read_study(text.encode(), "asked.toml", Path(), Headline())


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("batch") / "whole"
    report = run_study(study(), folder, Inline(), text=TEXT.encode())
    return folder, report


def test_a_store_holds_a_row_for_every_run_quarter_and_headline_measure(whole):
    folder, _ = whole
    frame = pd.read_parquet(folder / "parts")
    assert tuple(frame.columns) == PART_COLUMNS
    assert len(frame) == (RUNS + 6) * 2 * len(NAMES)
    assert set(frame["variable"]) == set(NAMES)
    assert set(frame["run"]) == set(range(RUNS + 6))


def test_the_manifest_says_what_was_run_and_how_to_repeat_it(whole):
    folder, report = whole
    held = read_manifest(folder)
    assert (held["status"], held["runs"], held["failed"]) == ("complete", RUNS + 6, 0)
    assert held["digest"] == report.digest
    assert {"model", "numpy", "pyarrow", "python", "machine", "computemarket"} <= set(held["versions"])
    assert (folder / "study.toml").read_text() == TEXT
    again = study_of(folder, Headline())
    assert module.identity(again) == module.identity(study()) == held["identity"]


def test_nothing_but_whole_files_is_left(whole):
    folder, _ = whole
    found = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    assert found == [
        ".lock", "manifest.json", "parts/0000-000000000.parquet", f"parts/0000-{RUNS:09d}.parquet",
        "scenarios/case-0000.toml", "study.toml",
    ]  # fmt: skip


def test_headline_recording_is_what_the_measures_say_of_the_full_results(whole):
    from computemarket.analysis.measures import measure
    from computemarket.analysis.panels import panels_from_frame
    from computemarket.scenarios.ensemble import simulate

    panels = panels_from_frame(simulate("baseline", runs=5, until="2022Q2").frame)
    frame = pd.read_parquet(whole[0] / "parts")
    for name in ("nvidia_revenue_share", "power", "h100_rental_contract"):
        kept = frame[(frame["variable"] == name) & (frame["run"] < 5)].sort_values(["run", "quarter"])
        expected = measure(name).series(panels).reshape(-1)
        pd.testing.assert_series_equal(
            kept["value"].reset_index(drop=True), pd.Series(expected, name="value")
        )


def test_leftovers_of_a_killed_batch_are_swept(tmp_path):
    folder = tmp_path / "out"
    with open_store(folder, study()):
        pass
    (folder / "parts" / ".0000-000000000.parquet.part").write_bytes(b"half")
    (folder / ".manifest.json.part").write_bytes(b"half")
    with open_store(folder, study()) as store:
        assert store.done == {}
    assert not list(folder.rglob(".*.part"))


def test_a_store_killed_before_its_manifest_is_begun_again(tmp_path):
    folder = tmp_path / "out"
    with open_store(folder, study()):
        pass
    (folder / "manifest.json").unlink()
    with open_store(folder, study()) as store:
        assert store.done == {}


def test_two_batches_do_not_share_a_folder(tmp_path):
    with (
        open_store(tmp_path, study()),
        pytest.raises(InputError, match="another batch is writing"),
        open_store(tmp_path, study()),
    ):
        pass


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda folder: (folder / "manifest.json").write_text("{"), "damaged text"),
        (lambda folder: (folder / "manifest.json").write_text("[]"), "other data"),
        (lambda folder: (folder / "manifest.json").write_text("[" * 100_000), "damaged text"),
        (lambda folder: _edit(folder, format=99), "it is of another version"),
        (lambda folder: _edit(folder, identity="0", versions={}), "another version: computemarket"),
        (lambda folder: _edit(folder, identity="0", study={}), "another study: cases"),
        (lambda folder: (folder / "parts" / "0000-000000000.parquet").write_bytes(b"PAR1"), "a damaged file"),
        (lambda folder: (folder / "parts" / "mine.txt").write_text("mine"), "a strange file"),
        (lambda folder: pd.DataFrame({"a": [1]}).to_parquet(folder / "parts" / "x.parquet"), "a strange file"),
    ],
)  # fmt: skip
def test_what_is_not_this_studys_is_refused_and_left_alone(tmp_path, change, says):
    folder = tmp_path / "out"
    with open_store(folder, study()):
        pass
    change(folder)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with pytest.raises(InputError, match=says), open_store(folder, study()):
        pass
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def _edit(folder: Path, **changes: object) -> None:
    held = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(held | changes))


def test_a_folder_with_other_things_is_refused(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match=r"it holds thesis\.txt"), open_store(tmp_path, study()):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file" / "out", tmp_path / "file", Path("/proc/none")):
        with pytest.raises(InputError, match="--out"), open_store(folder, study()):
            pass


def test_a_full_disk_costs_nothing_that_is_there(tmp_path, monkeypatch):
    folder, written = tmp_path / "out", []
    sync = os.fsync

    def full(descriptor):
        written.append(descriptor)
        if len(written) == 5:  # scenario, study, manifest, first part, then:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match="No space left on device"):
        run_study(study(), folder, Inline(), text=TEXT.encode())
    assert [path.name for path in (folder / "parts").iterdir()] == ["0000-000000000.parquet"]
    report = run_study(study(), folder, Inline())
    assert (report.runs, report.computed) == (RUNS + 6, 6)


def test_a_write_that_fails_leaves_what_was_there(tmp_path, monkeypatch):
    write_whole(tmp_path / "kept", b"old")
    monkeypatch.setattr(os, "fsync", lambda _file: (_ for _ in ()).throw(OSError(errno.EIO, "broken")))
    with pytest.raises(OSError, match="broken"):
        write_whole(tmp_path / "kept", b"new")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("kept", b"old")]


def test_a_store_whose_scenario_was_changed_does_not_repeat_anything(whole, tmp_path):
    import shutil

    folder = tmp_path / "copy"
    shutil.copytree(whole[0], folder)
    with (folder / "scenarios" / "case-0000.toml").open("a") as file:
        file.write("# changed\n")
    with pytest.raises(InputError, match="the scenario that was run"):
        study_of(folder, Headline())


def test_sql_sees_the_results(whole):
    answer = ask(
        whole[0], "select count(distinct run) as runs, max(point) as points from results"
    ).to_pylist()
    assert answer == [{"runs": RUNS + 6, "points": 0}]


@pytest.mark.parametrize(
    "sql",
    [
        "", ";", "select 1; select 2", "drop table results", "create table t as select 1", "delete from results",
        "insert into results values (1)", "update results set value = 0", "set enable_external_access = true",
        "reset lock_configuration", "attach '/tmp/other.db'", "copy (select 1) to '/tmp/out.csv'", "install httpfs",
        "load httpfs", "pragma enable_object_cache", "export database '/tmp/x'", "call pragma_version()", "selec 1",
        "select * from read_csv('/etc/passwd')", "select * from read_text('/etc/passwd')",
        "select * from '/etc/passwd'",
        "select * from read_parquet('https://example.org/x.parquet')", "select * from glob('/*')",
        "select getenv('HOME')", "select * from NAMES", "select * from sniff_csv('/etc/passwd')", "\x00",
        "select " + "1+" * 20_000 + "1", "begin transaction", "vacuum", "checkpoint",
    ],
)  # fmt: skip
def test_hostile_sql_is_one_line_and_changes_nothing(whole, sql):
    with pytest.raises(InputError) as caught:
        ask(whole[0], sql)
    assert "\n" not in str(caught.value)
    assert read_manifest(whole[0])["runs"] == RUNS + 6


def test_text_of_an_answer_is_no_formula_and_moves_no_cursor(whole):
    table = ask(whole[0], "select '=1+1' as \"=name\", -1.5 as value, chr(27) || '[2J' as odd")
    assert as_csv(table).splitlines() == ["'=name,value,odd", "'=1+1,-1.5, [2J"]
    assert "\x1b" not in as_text(table)


def test_asking_where_there_is_nothing_is_one_line(tmp_path):
    with pytest.raises(InputError, match="the folder of a batch"):
        ask(tmp_path, "select 1")
