"""Ensembles: tables in memory and on disk, and what is left when something goes wrong."""

import hashlib
import json

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from computemarket import simulate
from computemarket.errors import InputError, InvariantError
from computemarket.model.core.recorder import COLUMNS
from computemarket.scenarios.batches import ensemble
from computemarket.scenarios.batches.ensemble import (
    CHUNK_RUNS,
    LEAST_CHUNK,
    check_workers,
    chunks,
    manifest,
    prepare,
    simulate_to,
    usable_processors,
    write_whole,
)
from computemarket.scenarios.results.manifests import sealed
from computemarket.scenarios.schema import MOST_RUNS, check_runs

SHORT = "2022Q2"
RUNS = LEAST_CHUNK + 2  # two chunks
FILES = ["manifest.json", "results.parquet", "scenario.toml"]


def short():
    return prepare("baseline", seed=5, until=SHORT)


def test_a_table_of_one_variable_is_a_frame():
    results = simulate("baseline", runs=2, seed=1, until=SHORT)
    table = results.table("capex_usd")
    assert tuple(table.columns) == COLUMNS
    assert set(table["variable"].astype(str)) == {"capex_usd"}
    assert set(table["run"]) == {0, 1}
    assert set(table["quarter"].astype(str)) == {"2022Q1", "2022Q2"}
    assert len(results.frame) > len(table)


def test_an_unknown_variable_is_told_the_known_ones():
    results = simulate("baseline", runs=1, until=SHORT, variables=frozenset({"capex_usd", "power_mw"}))
    with pytest.raises(InputError, match="'profit' is not one of capex_usd, power_mw"):
        results.table("profit")


def test_options_replace_what_the_scenario_says():
    scenario = prepare("baseline", seed=12, until="2030Q4")
    assert (scenario.seed, scenario.until) == (12, "2030Q4")
    assert prepare(scenario) == scenario


@pytest.mark.parametrize("runs", [0, -3, True, 1.5, "3", MOST_RUNS + 1])
def test_a_number_of_runs_that_cannot_be_is_refused(runs):
    with pytest.raises(InputError, match=r"^--runs"):
        check_runs(runs)
    with pytest.raises(InputError, match=r"^--runs"):
        simulate("baseline", runs=runs)


@pytest.mark.parametrize("workers", [0, -1, True, 2.0, 257])
def test_a_number_of_workers_that_cannot_be_is_refused(workers):
    with pytest.raises(InputError, match=r"^--workers"):
        check_workers(workers)


def test_there_is_a_processor():
    assert 1 <= usable_processors() <= ensemble.MOST_WORKERS


@pytest.mark.parametrize("runs", [1, CHUNK_RUNS, CHUNK_RUNS + 1, 5 * CHUNK_RUNS - 1])
def test_chunks_hold_every_run_once_in_order(runs):
    np.testing.assert_array_equal(np.concatenate(list(chunks(runs))), np.arange(runs))
    assert max(map(len, chunks(runs))) <= CHUNK_RUNS


def test_results_on_disk_are_the_table_and_how_to_repeat_it(tmp_path):
    done = []
    simulate_to(tmp_path / "a" / "b", short(), RUNS, progress=done.append)
    folder = tmp_path / "a" / "b"
    assert sorted(path.name for path in folder.iterdir()) == FILES
    assert done == [LEAST_CHUNK, 2]
    frame = pd.read_parquet(folder / "results.parquet")
    pd.testing.assert_frame_equal(
        frame.astype({"value": float}),
        simulate(short(), runs=RUNS).frame,
        check_categorical=False,
    )
    told = json.loads((folder / "manifest.json").read_text())
    digest = hashlib.sha256((folder / "results.parquet").read_bytes()).hexdigest()
    assert told == sealed({**manifest(short(), RUNS), "digest": digest})
    assert (told["scenario"], told["seed"], told["until"], told["runs"]) == (
        "baseline",
        5,
        SHORT,
        RUNS,
    )


def test_the_manifest_tells_the_settings_that_differ():
    scenario = short().with_settings({"capex.herding": 0.5})
    assert manifest(scenario, 3)["settings"] == {"capex.herding": "0.5"}


def test_a_row_group_holds_whole_variables(tmp_path):
    simulate_to(tmp_path, prepare("baseline", until="2026Q4"), LEAST_CHUNK)
    file = pq.ParquetFile(tmp_path / "results.parquet")
    assert file.num_row_groups > 1
    seen = [
        set(file.read_row_group(g, ["variable"])["variable"].to_pylist()) for g in range(file.num_row_groups)
    ]
    assert sum(map(len, seen)) == len(set().union(*seen))


def count_rows(recorder, scenario, runs):
    return scenario, len(runs), recorder.values().size


def test_a_digest_of_each_chunk_comes_back_in_order_of_run(tmp_path):
    digests = simulate_to(tmp_path, short(), RUNS, digest=count_rows)
    assert [digest[:2] for digest in digests] == [("baseline", LEAST_CHUNK), ("baseline", 2)]
    assert sum(digest[2] for digest in digests) == len(pd.read_parquet(tmp_path / "results.parquet"))


def broken(*_):
    raise InvariantError("a law", "2022Q1", 1.0, 2.0)


def test_a_run_that_fails_leaves_nothing_behind(tmp_path):
    with pytest.raises(InvariantError):
        simulate_to(tmp_path / "new" / "deep", short(), 2, digest=broken)
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_fails_leaves_what_was_there(tmp_path):
    simulate_to(tmp_path, short(), 1)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(InvariantError):
        simulate_to(tmp_path, short(), 2, digest=broken)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_what_a_killed_run_left_is_swept(tmp_path):
    stray = tmp_path / ".parts-old"
    stray.mkdir()
    (stray / "0000000.npy").write_bytes(b"half")
    simulate_to(tmp_path, short(), 1)
    assert sorted(path.name for path in tmp_path.iterdir()) == FILES


def test_a_place_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "taken").write_text("mine")
    with pytest.raises(InputError, match=r"^--out"):
        simulate_to(tmp_path / "taken", short(), 1)
    assert (tmp_path / "taken").read_text() == "mine"


def test_a_file_is_written_whole(tmp_path):
    write_whole(tmp_path / "note", b"one")
    write_whole(tmp_path / "note", b"two")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("note", b"two")]


def test_the_manifest_holds_a_scenario_that_repeats_the_result(tmp_path):
    scenario = prepare("demand_stall", seed=5, until=SHORT).with_settings({"capex.herding": 0.5})
    (tmp_path / "again.toml").write_text(str(manifest(scenario, 2)["scenario_text"]))
    first, again = (simulate(source, runs=2).frame for source in (scenario, str(tmp_path / "again.toml")))
    np.testing.assert_array_equal(first["value"].to_numpy(), again["value"].to_numpy())
