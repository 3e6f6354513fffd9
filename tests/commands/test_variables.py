"""`computemarket variables`: what is in the state and in the results, from their declarations."""

import json

import pytest
from typer.testing import CliRunner

from computemarket.cli import app
from computemarket.errors import InputError
from computemarket.model.state import ARRAYS
from computemarket.scenarios.observers.quarter import recorded_variables


def printed(*arguments: str) -> str:
    found = CliRunner().invoke(app, ["variables", *arguments], catch_exceptions=False)
    assert found.exit_code == 0
    return found.stdout


def test_everything_declared_is_listed_with_what_it_is():
    listed = json.loads(printed("--json"))
    assert [row["name"] for row in listed["arrays"]] == list(ARRAYS)
    assert [row["name"] for row in listed["variables"]] == list(recorded_variables())
    fleet = listed["arrays"][0]
    assert (fleet["name"], fleet["axes"], fleet["unit"], fleet["kind"]) == (
        "fleet_units",
        "(R, H, P)",
        "units",
        "stock",
    )
    assert fleet["owner"] == "deliver accelerators"
    assert all(row["meaning"] and row["unit"] and row["iamc"] and row["owner"] for row in listed["variables"])


def test_a_word_finds_arrays_and_variables_by_name_owner_and_meaning():
    listed = json.loads(printed("robots", "--json"))
    assert "robot_hours_h100e" in [row["name"] for row in listed["arrays"]]
    assert {"robots", "edge_sales_usd"} <= {row["name"] for row in listed["variables"]}


def test_the_tables_name_unit_and_owner():
    text = printed("backlog_usd")
    assert "backlog_usd" in text
    assert "Backlog; record_purchases" in text


def test_a_word_that_nothing_holds_is_answered_with_names_near_it():
    with pytest.raises(InputError, match="near it are utilisation"):
        printed("utilisaton")
