"""Batches forked, compared and exported: the same past in every part, whatever is recorded."""

import json
import shutil

import pandas as pd
import pytest

from computemarket.analysis.exchange.layouts import Ask, cases_of, tables
from computemarket.analysis.exchange.reading import scenarios_of
from computemarket.analysis.results.differences import differing_values
from computemarket.analysis.results.headline import Headline
from computemarket.errors import InputError
from computemarket.scenarios.batches.batch import run_study
from computemarket.scenarios.batches.executor import LocalProcesses
from computemarket.scenarios.batches.fork import Change, fork_batch
from computemarket.scenarios.results.manifests import manifest_bytes
from computemarket.scenarios.results.open_results import files_of
from computemarket.scenarios.studies.study import read_study

STUDY = b"""
name = "small"
scenarios = ["baseline"]
runs = 3
until = "2023Q2"
recording = ["ai_capex_usd", "utilisation"]
[levers.capex]
cash_share = [0.5, 0.9]
"""
AT = "2022Q4"


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """Two policies of three runs."""
    folder = tmp_path_factory.mktemp("stored") / "batch"
    run_study(read_study(STUDY, "small.toml", folder), folder, LocalProcesses(1))
    return folder


def compute(study, folder, _held):
    run_study(study, folder, LocalProcesses(1))


def test_a_batch_forked_without_change_has_the_same_values(stored, tmp_path):
    found = fork_batch(stored, tmp_path / "same", Change(AT, {}), Headline(), compute)
    assert found.changed == 0
    assert found.past > 0
    assert differing_values(stored, tmp_path / "same")["different"].sum() == 0


def test_a_forked_batch_changes_after_the_quarter_alone(stored, tmp_path):
    change = Change(AT, {"capex.cash_share": 0.2})
    found = fork_batch(stored, tmp_path / "less", change, Headline(), compute)
    assert 0 < found.changed <= found.future
    rows = differing_values(stored, tmp_path / "less").set_index("variable")
    assert rows.loc["ai_capex_usd", "first_quarter"] >= AT
    again = fork_batch(stored, tmp_path / "less", change, Headline(), compute)  # resumes: it is all there
    assert again == found


def test_a_fork_of_a_batch_that_reaches_back_leaves_nothing(stored, tmp_path):
    with pytest.raises(InputError, match="the past differs"):
        fork_batch(stored, tmp_path / "no", Change(AT, {}, suspend=("us_2022_10",)), Headline(), compute)
    with pytest.raises(InputError, match="another folder"):
        fork_batch(stored, stored, Change(AT, {}), Headline(), compute)
    assert list(tmp_path.iterdir()) == []


def test_an_unfinished_batch_is_not_forked(stored, tmp_path):
    held = json.loads((stored / "manifest.json").read_text())
    shutil.copytree(stored, tmp_path / "half")
    (tmp_path / "half" / "manifest.json").write_bytes(manifest_bytes({**held, "status": "running"}))
    with pytest.raises(InputError, match="complete"):
        fork_batch(tmp_path / "half", tmp_path / "fork", Change(AT, {}), Headline(), compute)


def test_a_batch_says_which_data_it_was_made_with(stored):
    held = json.loads((stored / "manifest.json").read_text())
    assert held["data"]["model/data/parameters/capex.toml"]


def test_every_policy_of_a_batch_is_exported_under_a_name_of_its_own(stored):
    names = [case.scenario for case in cases_of(stored)]
    assert names == [f"baseline|capex.cash_share={share}" for share in (0.5, 0.9)]
    assert [label for label, _ in scenarios_of(stored)] == names
    whole = pd.concat(
        tables(stored, Ask(ensemble="runs", form="csv", periods="quarters", variables=("ai_*",)))
    )
    results = pd.concat(pd.read_parquet(path) for path in files_of(stored))
    results = results[results["variable"].astype(str) == "ai_capex_usd"]
    assert sorted(whole["value"]) == sorted(results["value"])
    assert set(whole["scenario"]) == set(names)
