"""Commands that look and run nothing: `measures` and `validate`."""

import json

from typer.testing import CliRunner

from computemarket.analysis.results.measures import load_measures
from computemarket.cli import app


def printed(*arguments):
    done = CliRunner().invoke(app, [*map(str, arguments)])
    assert done.exit_code == 0, done.exception
    return done.output


def test_every_measure_is_listed_with_unit_meaning_and_topics():
    rows = json.loads(printed("measures", "--json"))
    assert [row["name"] for row in rows] == list(load_measures())
    ultra = next(row for row in rows if row["name"] == "token_price_ultra")
    assert (ultra["unit"], ultra["topics"]) == ("USD", "tokens")
    assert "custom_compute_share" in printed("measures", "custom")


def test_a_word_that_no_measure_holds_names_the_nearest(command):
    code, _, told = command("measures", "utilization")
    assert code == 2
    assert "near it: utilisation" in told


def test_a_scenario_says_what_it_changes(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('extends = "demand_stall"\n[power]\nprice_usd_per_mwh = 90\n')
    told = json.loads(printed("validate", path, "--json"))
    assert told["scenario"] == "mine"
    assert "power.price_usd_per_mwh" in told["changes to the baseline"]
    assert "scenario: demand_stall+credit_crunch" in printed("validate", "demand_stall+credit_crunch")


def test_a_study_says_how_much_it_takes():
    told = json.loads(printed("validate", "example", "--json"))
    assert told["runs"] == told["cases"] * told["points"] * told["runs of each"]


def test_what_cannot_run_is_refused_like_by_the_command_that_runs_it(tmp_path, command):
    for text, why in (("[power]\nprice = 1\n", "power.price"), ('scenarios = ["nope"]\nruns = 2\n', "nope")):
        path = tmp_path / "bad.toml"
        path.write_text(text)
        code, _, told = command("validate", path)
        assert code == 2
        assert why in told
    assert command("validate", tmp_path / "none.toml")[0] == 2
