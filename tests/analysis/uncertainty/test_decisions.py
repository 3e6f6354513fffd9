"""Regret, satisficing, paired differences and the differences of results, on numbers worked out by hand."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from computemarket.analysis.results.differences import (
    differing_manifests,
    differing_settings,
    differing_values,
)
from computemarket.analysis.uncertainty.decisions import paired, payoffs
from computemarket.analysis.uncertainty.outcomes import outcomes_of, read_outcome
from computemarket.errors import InputError
from computemarket.scenarios.schema import load_scenario

_spec = importlib.util.spec_from_file_location(
    "analytic_store", Path(__file__).with_name("analytic_store.py")
)
_module = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_module)
analytic_store = _module.analytic_store

TABLE = pd.DataFrame(
    [
        ("base", policy, run, 0, value)
        for policy, values in {"a": (1.0, 5.0, 3.0), "b": (2.0, 4.0, 3.0)}.items()
        for run, value in enumerate(values)
    ],
    columns=["scenario", "policy", "run", "point", "value"],
)
TWO = "runs = 100\n[levers.power]\nmargin = [0.1, 0.2]\n"


def test_regret_is_what_the_best_policy_of_the_same_run_would_have_added():
    found = payoffs(TABLE, read_outcome("x >= 3")).set_index("policy")
    assert found.loc["a", "mean_regret"] == pytest.approx(1 / 3)
    assert found.loc["b", "largest_regret"] == 1.0
    assert found.loc["a", "share_kept"] == pytest.approx(2 / 3)
    assert found["median"].tolist() == [3.0, 3.0]
    lower = payoffs(TABLE, read_outcome("x"), lower_is_better=True).set_index("policy")
    assert lower["mean_regret"].tolist() == pytest.approx([1 / 3, 1 / 3])
    assert "share_kept" not in lower


def test_runs_that_failed_under_one_policy_are_compared_under_none():
    assert payoffs(TABLE.iloc[1:], read_outcome("x"))["runs"].tolist() == [2, 2]


def test_paired_differences_are_run_by_run():
    [row] = paired(TABLE).to_dict("records")
    assert (row["case"], row["against"], row["runs"]) == ("base/b", "base/a", 3)
    assert (row["median"], row["mean"], row["share_above"]) == (0.0, 0.0, pytest.approx(1 / 3))


def test_a_year_of_a_level_is_its_mean_and_a_quarter_itself(tmp_path):
    analytic_store(tmp_path, "runs = 3\n", lambda _case, _u, shocks: shocks + 0.5)
    for text in ("utilisation", "utilisation@2022", "utilisation@2022Q1"):
        assert outcomes_of(tmp_path, read_outcome(text))["value"].tolist() == [0.5, 1.5, 2.5]


def test_two_results_differ_in_what_was_asked_and_what_came_out(tmp_path):
    analytic_store(tmp_path / "one", TWO, lambda case, _u, shocks: shocks + 10.0 * case)
    analytic_store(tmp_path / "same", TWO, lambda case, _u, shocks: shocks + 10.0 * case)
    analytic_store(
        tmp_path / "other", TWO.replace("0.2", "0.3"), lambda case, _u, shocks: 1.1 * (shocks + 10.0 * case)
    )
    assert differing_manifests(tmp_path / "one", tmp_path / "same") == []
    assert differing_values(tmp_path / "one", tmp_path / "same")["different"].tolist() == [0]
    assert ("case-0001: power.margin", "0.2", "0.3") in differing_manifests(
        tmp_path / "one", tmp_path / "other"
    )
    [row] = differing_values(tmp_path / "one", tmp_path / "other").to_dict("records")
    assert row["values"] == 200  # the first case: the second has a name of its own in each
    assert row["different"] == 198
    assert row["largest_relative"] == pytest.approx(1 - 1 / 1.1)


def test_two_scenarios_differ_where_their_parameters_do():
    one = load_scenario("baseline")
    other = one.with_settings({"power.margin": 0.15})
    assert differing_settings(one, one) == []
    [(name, _, value)] = differing_settings(one, other)
    assert (name, value) == ("power.margin", "0.15")


def test_results_of_a_run_can_be_compared_too(tmp_path):
    from computemarket.scenarios.batches.ensemble import prepare, simulate_to

    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        simulate_to(tmp_path / name, prepare("baseline", seed=seed, until="2022Q1"), 2)
    assert differing_values(tmp_path / "a", tmp_path / "b")["different"].sum() == 0
    assert differing_values(tmp_path / "a", tmp_path / "c")["different"].sum() > 0
    assert ("seed", "1", "2") in differing_manifests(tmp_path / "a", tmp_path / "c")


def test_what_holds_no_results_is_one_line(tmp_path):
    with pytest.raises(InputError, match="a folder of results"):
        differing_manifests(tmp_path, tmp_path)
    (tmp_path / "manifest.json").write_text("[")
    with pytest.raises(InputError, match="damaged text"):
        differing_manifests(tmp_path, tmp_path)
    with pytest.raises(InputError, match="damaged text"):
        differing_values(tmp_path, tmp_path)


def command(*arguments: object) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "computemarket", *map(str, arguments)]
    return subprocess.run(line, capture_output=True, text=True, check=False)  # noqa: S603


def test_the_commands_answer_and_refuse(tmp_path):
    folder = tmp_path / "store"
    analytic_store(folder, TWO, lambda case, _u, shocks: shocks % 50 + 10.0 * case)
    done = command("regret", folder, "--outcome", "utilisation > 20")
    assert done.returncode == 0, done.stderr
    assert "share_kept" in done.stdout
    assert "paired differences" in done.stdout
    done = command("convergence", folder, "--share", "0.1")
    assert "to know every band at the end of every year ahead to 0.1 of its size" in done.stdout
    done = command("query", folder, "select count(*) as n from results")
    assert done.stdout.split() == ["n", "---", "400"]
    done = command("diff", "baseline", folder)
    assert done.returncode == 2
    assert "two scenarios or two folders" in done.stderr


def test_results_that_cannot_be_made_again_say_so(tmp_path):
    folder = tmp_path / "store"
    analytic_store(folder, "runs = 2\n", lambda _case, _u, shocks: shocks)
    done = command("reproduce", folder, "--workers", "1", "--quiet")
    assert done.returncode == 1, done.stderr
    assert done.stdout.startswith("the digest differs: 4 of 4 values")
    kept = tmp_path / "kept"
    assert command("reproduce", folder, "--workers", "1", "--quiet", "--out", kept).returncode == 1
    done = command("reproduce", kept, "--workers", "1", "--quiet")
    assert done.returncode == 0, done.stderr + done.stdout
    assert done.stdout.startswith("the digest agrees: 2 runs")
