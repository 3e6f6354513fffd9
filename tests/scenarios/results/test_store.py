"""The store: whole or not there, its own and nobody else's, with all that is needed to repeat it."""

import errno
import json
import os
import re
import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from computemarket.analysis.results.headline import NAMES, Headline
from computemarket.analysis.uncertainty.discover import find_boxes
from computemarket.analysis.uncertainty.sensitivity import _salib as analyze
from computemarket.errors import InputError
from computemarket.scenarios.batches.batch import run_study
from computemarket.scenarios.batches.executor import Inline
from computemarket.scenarios.results import query as query_module
from computemarket.scenarios.results import store as module
from computemarket.scenarios.results.manifests import manifest_bytes
from computemarket.scenarios.results.open_results import dataset_of, files_of
from computemarket.scenarios.results.query import Limits, as_csv, as_text, ask
from computemarket.scenarios.results.store import (
    open_store,
    read_manifest,
    runs_held,
    study_of,
    write_whole,
)
from computemarket.scenarios.studies.chunk import PART_COLUMNS, RUNS
from computemarket.scenarios.studies.study import read_study

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
        ".lock", "manifest.json", "parts.sha256", "parts/0000-000000000.parquet", f"parts/0000-{RUNS:09d}.parquet",
        "scenarios/case-0000.toml", "study.toml",
    ]  # fmt: skip


def test_headline_recording_is_what_the_measures_say_of_the_full_results(whole):
    from computemarket.analysis.results.measures import measure
    from computemarket.analysis.results.series import panels_from_frame
    from computemarket.scenarios.batches.ensemble import simulate

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
        (lambda folder: _edit(folder, identity="0", study={"cases": []}), "another study: cases"),
        (lambda folder: _edit(folder, study={}), "changed text"),
        (lambda folder: _edit(folder, study={"cases": 5}), "changed text"),
        (lambda folder: _edit(folder, versions=[]), "changed text"),
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
    (folder / "manifest.json").write_bytes(manifest_bytes(held | changes))


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
        if len(written) == 7:  # scenario, study, list, manifest, first part, its line, then:
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
        "select '290000-01-01'::date", "select 'infinity'::timestamp", "create secret s (type s3)",
        "select * from query('drop table results')", "use memory", "explain analyze select 1",
        "select * from range(3) r, '/etc/passwd'", "select * from parquet_metadata('/etc/passwd')", "set threads = 1",
        "with x as (copy results to '/tmp/x') select 1", "select * from duckdb_secrets() s, glob('*')", "--", "/* x */",
    ],
)  # fmt: skip
def test_hostile_sql_is_one_line_and_changes_nothing(whole, sql):
    with pytest.raises(InputError) as caught:
        as_text(ask(whole[0], sql))
    assert "\n" not in str(caught.value)
    assert read_manifest(whole[0])["runs"] == RUNS + 6


def test_text_of_an_answer_is_no_formula_and_moves_no_cursor(whole):
    table = ask(whole[0], "select '=1+1' as \"=name\", -1.5 as value, chr(27) || '[2J' as odd")
    assert as_csv(table).splitlines() == ["'=name,value,odd", "'=1+1,-1.5, [2J"]
    assert "\x1b" not in as_text(table)


def test_asking_where_there_is_nothing_is_one_line(tmp_path):
    with pytest.raises(InputError, match="a folder of results"):
        ask(tmp_path, "select 1")


def test_columns_of_one_name_are_all_shown():
    table = pa.table([pa.array([1]), pa.array([2])], names=["a", "a"])
    assert as_csv(table) == "a,a\n1,2\n"
    assert as_text(table).splitlines()[-1].split() == ["1", "2"]


def test_a_question_that_takes_too_much_memory_is_one_line_and_writes_nothing(whole, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    sql = "select count(*) from (select distinct a.range * 1000 + b.range from range(9000) a, range(1000) b)"
    with pytest.raises(InputError, match="answerable in 20MB of memory"):
        ask(whole[0], sql, Limits(memory_bytes=20_000_000))
    assert list(tmp_path.iterdir()) == []


def test_a_question_that_is_stopped_is_stopped(whole, monkeypatch):
    monkeypatch.setattr(query_module, "dataset_of", lambda _folder: pa.table({"a": [1]}))
    monkeypatch.setattr("duckdb.connect", lambda _name: _Stopped())
    with pytest.raises(KeyboardInterrupt):
        ask(whole[0], "select 1")


class _Stopped:
    """A connection whose question Control-C ends."""

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        return None

    def __getattr__(self, _name):
        return lambda *_given: None

    def extract_statements(self, _sql):
        raise RuntimeError("Query interrupted")


@pytest.mark.parametrize("name", ["0000-000000000.parquet", "9999-000000000.parquet", "stray.txt"])
def test_parts_of_another_tool_are_never_read_as_results(whole, tmp_path, name):
    folder = tmp_path / "copy"
    shutil.copytree(whole[0], folder)
    pd.DataFrame({"a": [1]}).to_parquet(folder / "parts" / name)
    for read in (dataset_of, files_of):
        with pytest.raises(InputError, match=r"'a (strange|changed) file' is not"):
            read(folder)
    with pytest.raises(InputError, match="'a strange file' is not a part of this batch"):
        run_study(study(), folder, Inline())


def test_a_part_cut_short_is_named(whole, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(whole[0], folder)
    path = folder / "parts" / "0000-000000000.parquet"
    path.write_bytes(path.read_bytes()[:1000])
    for read in (dataset_of, files_of):
        with pytest.raises(InputError, match="'a changed file' is not what was written there"):
            read(folder)


def test_a_case_that_was_changed_or_lost_is_written_again_by_the_same_command(whole, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(whole[0], folder)
    (folder / "scenarios" / "case-0000.toml").write_text("x = 1")
    assert run_study(study(), folder, Inline()).digest == whole[1].digest
    assert study_of(folder, Headline()) == study_of(whole[0], Headline())
    shutil.rmtree(folder / "scenarios")
    run_study(study(), folder, Inline())
    assert study_of(folder, Headline()) == study_of(whole[0], Headline())


@pytest.mark.parametrize(
    ("records", "says"),
    [
        ("5", "damaged text"),
        ('["x"]', "damaged text"),
        ("[" * 100_000, "damaged text"),
        ('[{"scenario": "x"}]', "damaged text"),
        (
            '[{"scenario":"baseline","policy":"as_is","run":"0","point":0,"seed":1,"error":"","parameters":{}}]',
            "damaged",
        ),
        (
            '[{"scenario":"x","policy":"y","run":0,"point":0,"seed":1,"error":"","parameters":{}}]',
            "of this study",
        ),
    ],
)
def test_records_of_failures_that_are_none_are_one_line(whole, tmp_path, records, says):
    folder = tmp_path / "copy"
    shutil.copytree(whole[0], folder)
    (folder / "failures").mkdir()
    (folder / "failures" / "0000-000000000.json").write_text(records)
    with pytest.raises(InputError, match=says):
        run_study(study(), folder, Inline(), retry_failed=True)


def test_the_estimate_refuses_the_folder_that_the_batch_would_refuse(whole, tmp_path):
    (tmp_path / "manifest.json").write_text("{}")
    with pytest.raises(InputError, match="the manifest of results"):
        runs_held(tmp_path, study())
    assert runs_held(tmp_path / "none", study()) == 0
    assert runs_held(whole[0], study()) == RUNS + 6


@pytest.mark.parametrize(
    ("module_name", "call", "extra"),
    [
        ("duckdb", lambda folder: ask(folder, "select 1"), "query"),
        (
            "SALib.sample.sobol",
            lambda _folder: _saltelli().design.quantiles(np.zeros(1, dtype=np.int64)),
            "sensitivity",
        ),
        ("SALib.sample", lambda folder: run_study(_saltelli(), folder / "new", Inline()), "sensitivity"),
        ("SALib.analyze.sobol", lambda _folder: analyze("sobol"), "sensitivity"),
        (
            "sklearn.tree",
            lambda _folder: find_boxes(np.zeros((2, 1)), np.zeros(2, dtype=bool), ("a",)),
            "sensitivity",
        ),
    ],
)
def test_what_is_not_installed_is_told_with_how_to_install_it(whole, monkeypatch, module_name, call, extra):
    for loaded in [name for name in sys.modules if name.startswith(f"{module_name}.")]:
        monkeypatch.delitem(sys.modules, loaded)  # an import of it would not ask for its parent
    monkeypatch.setitem(sys.modules, module_name, None)
    with pytest.raises(InputError, match=re.escape(f"pip install 'computemarket[{extra}]'")):
        call(whole[0])
    assert not (whole[0] / "new").exists()


def _saltelli():
    text = TEXT + '[design]\nmethod = "saltelli"\npoints = 4\n[uncertainties.tokens]\nelasticity = "prior"\n'
    return study(text)
