"""One way in to results: every reader refuses, in one line, what was changed or is missing."""

import hashlib
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from computemarket.analysis.results.headline import Headline
from computemarket.errors import InputError
from computemarket.scenarios.batches.batch import run_study
from computemarket.scenarios.batches.ensemble import prepare, simulate_to
from computemarket.scenarios.batches.executor import Inline
from computemarket.scenarios.results import part_list
from computemarket.scenarios.results.manifests import manifest_bytes, unchecked
from computemarket.scenarios.results.open_results import open_results
from computemarket.scenarios.results.part_list import PartList
from computemarket.scenarios.results.store import open_store
from computemarket.scenarios.studies.chunk import RUNS
from computemarket.scenarios.studies.study import read_study

TEXT = f'scenarios = ["baseline"]\nruns = {RUNS + 6}\nuntil = "2022Q2"\n'
LAST = f"0000-{RUNS:09d}"


def study():
    return read_study(TEXT.encode(), "asked.toml", Path(), Headline())


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("door") / "run"
    simulate_to(folder, prepare("baseline", seed=5, until="2022Q4"), 2)
    return folder


@pytest.fixture(scope="module")
def batch(tmp_path_factory):
    folder = tmp_path_factory.mktemp("door") / "batch"
    run_study(study(), folder, Inline(), text=TEXT.encode())
    return folder


@pytest.fixture
def copy_of(tmp_path):
    def copied(folder):
        return Path(shutil.copytree(folder, tmp_path / "copy"))

    return copied


def readers_of_a_run(folder, out):
    return [
        ("facts", folder),
        ("facts", folder, "--json"),
        ("facts", folder, "--history"),
        ("export", folder, "--out", out / "t.csv"),
        ("export", folder, "--out", out / "lists", "--format", "codelist"),
        ("diff", folder, folder),
        ("report", folder, "--out", out / "report", "--detail-runs", "0"),
        ("reproduce", folder, "--workers", "1", "--quiet"),
        ("fork", folder, "--at", "2022Q3", "--out", out / "fork", "--quiet"),
        ("dashboard", folder, "--no-browser"),
    ]


def readers_of_a_batch(folder, out):
    outcome = ("--outcome", "nvidia_revenue_share")
    return [
        ("query", folder, "select count(*) from results"),
        ("report", folder, "--out", out / "report"),
        ("export", folder, "--out", out / "t.csv", "--periods", "quarters"),
        ("diff", folder, folder),
        ("convergence", folder),
        ("sensitivity", folder, *outcome, "--out", out / "s"),
        ("discover", folder, "--outcome", "nvidia_revenue_share < 50"),
        ("regret", folder, *outcome),
        ("compare", folder, "nvidia_revenue_share"),
        ("reproduce", folder, "--workers", "1", "--quiet"),
        ("fork", folder, "--at", "2022Q2", "--out", out / "fork", "--quiet"),
        ("dashboard", folder, "--no-browser"),
    ]


def richer(folder):
    """Multiply a vendor's revenue by fifty: the file stays a table of results."""
    path = folder / "results.parquet"
    table = pq.read_table(path)
    mine = np.array(table["entity"].cast("string")) == "nvidia"
    values = np.where(mine, 50.0, 1.0) * table["value"].to_numpy()
    place = table.schema.get_field_index("value")
    pq.write_table(table.set_column(place, "value", pa.array(values)), path)


def say(**changes):
    def write(folder):
        held = json.loads((folder / "manifest.json").read_text())
        (folder / "manifest.json").write_text(json.dumps(held | changes))

    return write


def say_as_made(**changes):
    def write(folder):
        held = json.loads((folder / "manifest.json").read_text())
        (folder / "manifest.json").write_bytes(manifest_bytes(held | changes))

    return write


def part(folder, key):
    return folder / "parts" / f"{key}.parquet"


def cut(name, size):
    return lambda folder: os.truncate(folder / name, size)


def without(name):
    return lambda folder: (folder / name).unlink()


def put(name, data):
    return lambda folder: (folder / name).write_bytes(data)


def other_bytes(name):
    def change(folder):
        path = folder / name
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(bytes(data))

    return change


MANIFEST = [
    ("no manifest", without("manifest.json")),
    ("garbage", put("manifest.json", b"\xff\x00garbage")),
    ("a list", put("manifest.json", b"[1]")),
    ("a future format", say_as_made(format=99)),
    ("an older format", say_as_made(format=1)),
    ("-4 runs", say(runs=-4)),
    ("10^12 runs", say(runs=10**12)),
    ("another digest", say(digest="0" * 64)),
    ("another python", say(python="2.7")),
    ("-4 runs, sealed", say_as_made(runs=-4)),
    ("10^12 runs, sealed", say_as_made(runs=10**12)),
    ("another count, sealed", say_as_made(runs=3)),
]
OF_A_RUN = [
    *MANIFEST,
    ("a richer vendor", richer),
    ("half the results", cut("results.parquet", 5000)),
    ("no results", without("results.parquet")),
    ("one bit of the results", other_bytes("results.parquet")),
    ("another scenario", put("scenario.toml", b'extends = "baseline"\n')),
]
OF_A_BATCH = [
    *MANIFEST,
    ("a missing part", without(f"parts/{LAST}.parquet")),
    ("one bit of a part", other_bytes(f"parts/{LAST}.parquet")),
    ("half a part", cut("parts/0000-000000000.parquet", 1000)),
    ("no list", without("parts.sha256")),
    ("a list of one", cut("parts.sha256", 104)),
    ("a list of nothing", put("parts.sha256", b"")),
    ("another list", put("parts.sha256", b"no hash\n")),
    ("one bit of a scenario", other_bytes("scenarios/case-0000.toml")),
    ("a record of failures", lambda folder: (folder / "failures").mkdir() or put("failures/x.json", b"[]")(folder)),
    ("a second part", lambda folder: shutil.copy(part(folder, LAST), part(folder, "0001-000000000"))),
]  # fmt: skip


def refused(command, arguments):
    code, out, err = command(*arguments)
    assert (code, out) == (2, ""), (arguments[0], code, out, err)
    assert err.startswith("computemarket: "), err
    assert err.count("\n") == 1, err


@pytest.mark.parametrize("change", [pytest.param(change, id=name) for name, change in OF_A_RUN])
def test_no_reader_believes_a_run_that_was_changed(run, copy_of, tmp_path, command, change):
    folder = copy_of(run)
    change(folder)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    for arguments in readers_of_a_run(folder, tmp_path):
        refused(command, arguments)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["copy"]


@pytest.mark.parametrize("change", [pytest.param(change, id=name) for name, change in OF_A_BATCH])
def test_no_reader_believes_a_batch_that_was_changed(batch, copy_of, tmp_path, command, change):
    folder = copy_of(batch)
    change(folder)
    for arguments in readers_of_a_batch(folder, tmp_path):
        refused(command, arguments)
    assert [path.name for path in tmp_path.iterdir()] == ["copy"]


def test_every_reader_reads_what_is_as_it_was_made(run, batch, tmp_path, command):
    chosen = {"facts", "export", "diff", "query", "convergence", "regret"}
    for folder, readers in ((run, readers_of_a_run), (batch, readers_of_a_batch)):
        for arguments in readers(folder, tmp_path):
            if arguments[0] in chosen:
                code, out, _ = command(*arguments)
                assert (code, "note:" in out) == (0, False), arguments[0]


def test_unchecked_results_are_read_and_every_output_says_so(run, batch, copy_of, tmp_path, command):
    folder = copy_of(run)
    richer(folder)
    say(format=1)(folder)
    code, out, _ = command("facts", folder, "--unchecked")
    assert (code, "note:" in out.splitlines()[0], "not checked" in out.splitlines()[0]) == (0, True, True)
    code, out, err = command("facts", folder, "--json", "--unchecked")
    assert (code, len(json.loads(out)) > 0, "not checked" in err) == (0, True, True)
    table = tmp_path / "t.csv"
    assert command("export", folder, "--out", table, "--unchecked")[0] == 0
    assert all(", unchecked" in line for line in table.read_text().splitlines()[1:])
    code, out, err = command(
        "report", folder, "--out", tmp_path / "report", "--detail-runs", "0", "--unchecked"
    )
    assert (code, err) == (0, "")
    assert "not checked" in (tmp_path / "report" / "index.html").read_text()
    part = tmp_path / "part"
    shutil.copytree(batch, part)
    without(f"parts/{LAST}.parquet")(part)
    code, out, err = command("query", part, "select count(distinct run) as n from results", "--unchecked")
    assert (code, str(RUNS) in out, "not checked" in out) == (0, True, True)


def test_a_part_that_was_changed_is_never_gone_on_with(batch, copy_of):
    folder = copy_of(batch)
    other_bytes(f"parts/{LAST}.parquet")(folder)
    with pytest.raises(InputError, match=r"a changed file.*move it away"):
        run_study(study(), folder, Inline())
    (folder / "parts" / f"{LAST}.parquet").unlink()
    report = run_study(study(), folder, Inline())
    assert (report.computed, report.remade) == (6, 1)
    assert report.digest == open_results(batch).manifest["digest"]
    assert open_results(folder).notes == ()


def test_what_is_made_again_has_to_be_the_same(batch, copy_of, monkeypatch):
    folder = copy_of(batch)
    path = folder / "parts.sha256"
    path.write_text(path.read_text().replace(hash_of(folder, LAST), "0" * 64))
    (folder / "parts" / f"{LAST}.parquet").unlink()
    with pytest.raises(InputError, match="other bytes than were there"):
        run_study(study(), folder, Inline())


def hash_of(folder, key):
    return hashlib.sha256((folder / "parts" / f"{key}.parquet").read_bytes()).hexdigest()


def test_the_list_is_the_one_that_sha256sum_checks(batch):
    lines = (batch / "parts.sha256").read_text().splitlines()
    assert lines == [f"{hash_of(batch, key)}  parts/{key}.parquet" for key in ("0000-000000000", LAST)]


def test_a_part_that_was_being_written_is_made_again_and_a_line_cut_short_counts_for_nothing(batch, copy_of):
    folder = copy_of(batch)
    say_as_made(status="running")(folder)
    lines = (folder / "parts.sha256").read_text().splitlines(keepends=True)
    (folder / "parts.sha256").write_text(lines[0] + lines[1][:40])
    opened = open_results(folder)
    assert [path.stem for path in opened.files] == ["0000-000000000"]
    assert opened.notes == (f"not complete: {RUNS} of {RUNS + 6} runs are there",)
    report = run_study(study(), folder, Inline())
    assert (report.computed, report.remade) == (6, 0)
    assert (folder / "parts.sha256").read_text() == "".join(lines)


def test_a_batch_at_work_is_read_with_a_note(batch, copy_of, command):
    folder = copy_of(batch)
    say_as_made(status="running")(folder)
    code, out, err = command("query", folder, "select 1 as one")
    assert (code, out.splitlines()[0].endswith("runs are there"), err) == (0, True, "")
    code, out, err = command("query", folder, "select 1 as one", "--csv")
    assert (code, out, "runs are there" in err) == (0, "one\n1\n", True)


def test_a_batch_without_its_list_is_not_gone_on_with(batch, copy_of):
    folder = copy_of(batch)
    (folder / "parts.sha256").unlink()
    with pytest.raises(InputError, match=r"parts\.sha256 is missing"), open_store(folder, study()):
        pass


def test_a_file_is_hashed_once_as_long_as_it_stays_as_it_is(run, monkeypatch):
    read = []
    monkeypatch.setattr(part_list, "_hashed", {})
    hash_of_open = part_list._hash_of_open
    monkeypatch.setattr(part_list, "_hash_of_open", lambda file: read.append(1) or hash_of_open(file))
    for _ in range(3):
        open_results(run)
    assert len(read) == 1


def test_outside_of_unchecked_everything_is_checked_again(run, copy_of):
    folder = copy_of(run)
    richer(folder)
    with unchecked():
        assert open_results(folder).notes
    with pytest.raises(InputError, match="is not what was run"):
        open_results(folder)


def test_a_later_line_of_a_part_takes_the_place_of_an_earlier_one(tmp_path):
    PartList.add(tmp_path, "0000-000000000", "a" * 64, "b" * 64)
    PartList.add(tmp_path, "0000-000000000", "c" * 64)
    found = PartList.read(tmp_path)
    assert (found.digests, found.failures) == ({"0000-000000000": "c" * 64}, {})
