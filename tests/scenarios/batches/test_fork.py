"""Forks: bit-equal before the quarter, throughout where nothing changes; what reaches back is refused."""

import hashlib
import json
import re
import shutil

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from computemarket.errors import InputError
from computemarket.model.core.parameters import Schedule
from computemarket.scenarios.batches.ensemble import prepare, simulate_to
from computemarket.scenarios.batches.fork import Change, fork_run, forked
from computemarket.scenarios.results.pairs import UnlikeRowsError, Window, pairs, same_bits, values_of

UNTIL, AT = "2023Q4", "2023Q1"
NOTHING = Change(AT, {})
LESS = Change(AT, {"capex.cash_share": 0.3})


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """Three runs of two years."""
    folder = tmp_path_factory.mktemp("stored") / "run"
    simulate_to(folder, prepare("baseline", seed=5, until=UNTIL), 3)
    return folder


def frame(folder):
    return pd.read_parquet(folder / "results.parquet").astype({"quarter": str, "variable": str})


def test_where_nothing_is_changed_a_fork_is_the_same_file(stored, tmp_path):
    found, _ = fork_run(stored, tmp_path / "same", NOTHING)
    digests = {
        hashlib.sha256((one / "results.parquet").read_bytes()).digest() for one in (stored, tmp_path / "same")
    }
    assert len(digests) == 1
    assert found.changed == 0
    assert found.past + found.future == len(frame(stored))


def test_a_fork_keeps_the_past_bit_for_bit_and_changes_what_follows(stored, tmp_path):
    found, _ = fork_run(stored, tmp_path / "less", LESS)
    one, other = frame(stored), frame(tmp_path / "less")
    pd.testing.assert_frame_equal(one.drop(columns="value"), other.drop(columns="value"))
    differs = ~same_bits(*(table["value"].to_numpy(dtype=float) for table in (one, other)))
    assert not differs[(one["quarter"] < AT).to_numpy()].any()
    assert found.changed == differs.sum() > 0
    assert differs[((one["variable"] == "ai_capex_usd") & (one["quarter"] == AT)).to_numpy()].any()


def test_a_fork_is_a_result_that_says_what_it_continues(stored, tmp_path):
    fork_run(stored, tmp_path / "less", LESS)
    assert sorted(path.name for path in (tmp_path / "less").iterdir()) == [
        "manifest.json", "results.parquet", "scenario.toml",
    ]  # fmt: skip
    told = json.loads((tmp_path / "less" / "manifest.json").read_text())
    source = json.loads((stored / "manifest.json").read_text())
    assert told["fork"]["of"] == source["digest"]
    assert told["fork"]["at"] == AT
    assert told["fork"]["set"] == {"capex.cash_share": 0.3}
    again, _ = fork_run(tmp_path / "less", tmp_path / "twice", Change("2023Q3", {}))
    assert again.changed == 0


def test_a_dated_change_keeps_what_held_before():
    scenario = prepare("baseline").with_settings({"capex.cash_share": [{"from": "2024Q1", "value": 0.5}]})
    held = forked(scenario, Change("2026Q1", {"capex.cash_share": 0.4})).settings["capex.cash_share"]
    assert isinstance(held, Schedule)
    assert [value for _, value in held.steps] == [0.5, 0.4]
    assert held.before == scenario.settings["capex.cash_share"].before


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (Change("2022Q1", {}), "a quarter from 2022Q2 to 2023Q4"),
        (Change("2024Q1", {}), "a quarter from 2022Q2 to 2023Q4"),
        (Change("soon", {}), "a quarter"),
        (Change(AT, {"capex.cash": 0.3}), "the nearest is"),
        (Change(AT, {"capex.cash_share": 7}), "a number in"),
        (Change(AT, {"capex.cash_share": [{"from": "2022Q2", "value": 0.3}]}), "dated 2023Q1 or later"),
        (Change(AT, {}, enforce=("no_such_regime",)), "no_such_regime"),
        (Change(AT, {}, suspend=("us_2022_10",)), "a change that reaches back"),
    ],
)
def test_a_change_that_cannot_be_is_one_line_and_leaves_nothing(stored, tmp_path, change, said):
    with pytest.raises(InputError, match=said) as caught:
        fork_run(stored, tmp_path / "deep" / "fork", change)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_fork_never_takes_the_place_of_anything(stored, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("kept")
    for folder in (stored, tmp_path / "full", tmp_path / "full" / "mine.txt"):
        with pytest.raises(InputError, match="a new or empty folder"):
            fork_run(stored, folder, NOTHING)
    assert (tmp_path / "full" / "mine.txt").read_text() == "kept"


def test_a_past_that_comes_out_otherwise_is_refused_and_nothing_is_left(stored, tmp_path, as_made):
    strange = tmp_path / "strange"
    shutil.copytree(stored, strange)
    table = pq.read_table(strange / "results.parquet")
    values = table["value"].to_numpy().copy()
    values[0] = np.nextafter(values[0], np.inf) if values[0] else 5e-324
    pq.write_table(table.set_column(8, "value", pa.array(values)), strange / "results.parquet")
    told = json.loads((strange / "manifest.json").read_text())
    as_made(strange, versions={**told["versions"], "numpy": "1.0"})
    with pytest.raises(InputError, match=re.escape("numpy 1.0 then")):
        fork_run(strange, tmp_path / "fork", NOTHING)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["strange"]


def test_a_full_disk_leaves_nothing_of_a_fork(stored, tmp_path, monkeypatch):
    def full(*_arguments, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("computemarket.scenarios.batches.fork.write_whole", full)
    with pytest.raises(InputError, match="No space left on device"):
        fork_run(stored, tmp_path / "fork", NOTHING)
    assert list(tmp_path.iterdir()) == []


def test_rows_are_paired_in_step_whatever_the_groups(stored, tmp_path, as_made):
    other = tmp_path / "other"
    other.mkdir()
    table = pq.read_table(stored / "results.parquet")
    pq.write_table(table, other / "results.parquet", row_group_size=1000)
    as_made(other)
    count = sum(
        len(values_of(one))
        for one, two in pairs(stored, other)
        if same_bits(values_of(one), values_of(two)).all()
    )
    assert count == table.num_rows
    past = sum(one.num_rows for one, _ in pairs(stored, other, Window(before=AT)))
    assert past == (frame(stored)["quarter"] < AT).sum()
    left = sum(one.num_rows for one, _ in pairs(stored, other, Window(without=frozenset({1}))))
    assert left == (frame(stored)["run"] != 1).sum()


def test_rows_of_other_series_are_told_apart(stored, tmp_path, as_made):
    table = pq.read_table(stored / "results.parquet")
    for name, changed in (
        ("short", table.slice(0, 900)),
        ("turned", table.take(pa.array(range(table.num_rows)[::-1]))),
    ):
        (tmp_path / name).mkdir()
        pq.write_table(changed, tmp_path / name / "results.parquet")
        as_made(tmp_path / name)
        with pytest.raises(UnlikeRowsError):
            list(pairs(stored, tmp_path / name))
