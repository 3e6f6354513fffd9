"""The stylised facts: a market that repeats the record passes them, and each miss is seen and said."""

import importlib.util
import json
import math
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from computemarket.analysis.record.fact_statistics import h100e_per_chip
from computemarket.analysis.record.facts import (
    MISS,
    NOT_SIMULATED,
    PASS,
    count_verdicts,
    evaluate_facts,
    facts_json,
    load_facts,
    show_number,
    variables_of_facts,
)
from computemarket.analysis.results.series import NotSimulatedError, panels_from_arrays
from computemarket.commands.results import facts as facts_command

_spec = importlib.util.spec_from_file_location("record_world", Path(__file__).with_name("record_world.py"))
record_world = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(record_world)
QUARTERS = record_world.QUARTERS


@pytest.fixture(scope="module")
def series():
    return {key: values[None, :] for key, values in record_world.record_series().items()}


def verdict(series, number):
    """Return the verdict on one fact in a market of the given series."""
    return evaluate_facts(panels_from_arrays(QUARTERS, series))[number - 1].verdict


def changed(series, variable, change, **labels):
    """Return the same series, one variable (of the given entity or detail) put through a function."""
    return {
        key: change(values)
        if key[0] == variable
        and all(key[1:][("entity", "region", "detail").index(k)] == v for k, v in labels.items())
        else values
        for key, values in series.items()
    }


def at(quarter, factor):
    """Return a function that multiplies one quarter, or every quarter of a year."""
    scale = np.array([factor if name.startswith(quarter) else 1.0 for name in QUARTERS])
    return lambda values: values * scale


def test_a_market_that_repeats_the_record_passes_every_fact(series):
    results = evaluate_facts(panels_from_arrays(QUARTERS, series))
    assert [result.fact.number for result in results] == list(range(1, 32))
    assert {result.fact.number: result.verdict for result in results if result.verdict != PASS} == {}
    assert count_verdicts(results) == "31 facts: 31 pass, 0 miss, 0 not simulated"


# For each fact, one way to leave its band.
BREAKS = {
    1: ("data_center_revenue_usd", at("2023", 1.2), {}),
    2: ("data_center_revenue_usd", at("2024", 0.85), {}),
    3: ("data_center_revenue_usd", at("2023Q2", 2.0), {}),
    4: ("data_center_revenue_usd", at("2025Q2", 1.08), {}),
    5: ("data_center_revenue_usd", at("2025Q2", 1.2), {}),
    6: ("gross_margin", at("2024Q2", 0.9), {}),
    7: ("data_center_networking_revenue_usd", at("2024Q4", 1.5), {}),
    8: ("capex_usd", at("2024", 1.12), {}),
    9: ("capex_usd", at("2025Q1", 1.4), {}),
    10: ("compute_shipped_h100e", at("2024", 1.5), {"entity": "nvidia"}),
    11: ("accelerator_revenue_usd", at("2023", 3.0), {"entity": "amd"}),
    12: ("accelerator_revenue_usd", at("2024", 4.0), {"entity": "cerebras"}),
    13: ("accelerator_revenue_usd", at("2025Q2", 1.3), {"entity": "broadcom"}),
    14: ("compute_shipped_h100e", at("2023", 2.0), {"entity": "google"}),
    15: ("china_revenue_usd", at("2025Q2", 2.0), {"entity": "nvidia"}),
    16: ("accelerator_units", at("2024", 1.5), {"detail": "nvidia_h20"}),
    17: ("accelerator_units", at("2023", 12.0), {"entity": "china_other"}),
    18: ("accelerator_units", at("2024", 1.5), {"entity": "huawei"}),
    19: ("smuggled_units", at("2024", 4.0), {}),
    20: ("packaging_capacity_wafers_per_month", at("2024", 1.2), {}),
    21: ("lead_time_weeks", at("2024", 1.9), {}),
    22: ("memory_revenue_usd", at("2024", 2.5), {"entity": "sk_hynix"}),
    23: ("binding_constraint_share", at("2025", 0.1), {"detail": "power"}),
    24: ("rental_spot_price_usd_per_hour", at("2023", 0.6), {}),
    25: ("accelerator_price_usd", at("2023", 1.1), {"detail": "nvidia_h100_sxm"}),
    26: ("accelerator_price_usd", at("2025", 1.3), {"detail": "nvidia_gb200"}),
    27: ("frontier_token_price_usd_per_mtok", at("2024Q2", 0.2), {}),
    28: ("compute_added_since_2022_h100e", at("2023Q4", 1.4), {"entity": "nvidia"}),
    29: ("tokens_served", at("2025Q2", 0.4), {"entity": "google"}),
    30: ("lab_revenue_usd", at("2024", 1.5), {}),
    31: ("inference_share_of_compute", at("2023", 1.4), {}),
}


@pytest.mark.parametrize("number", sorted(BREAKS))
def test_a_fact_that_does_not_hold_is_a_miss(series, number):
    variable, change, labels = BREAKS[number]
    assert verdict(changed(series, variable, change, **labels), number) == MISS


@pytest.mark.parametrize("fact", load_facts(), ids=lambda fact: str(fact.number))
def test_a_fact_without_its_variables_is_not_simulated(fact):
    empty = panels_from_arrays(QUARTERS, {("other", "", "", ""): np.ones((2, len(QUARTERS)))})
    result = evaluate_facts(empty)[fact.number - 1]
    assert result.verdict == NOT_SIMULATED
    assert all(check.reason for check in result.checks)


def test_a_miss_is_a_miss_even_where_another_check_is_not_simulated(series):
    half = {key: values for key, values in series.items() if key[0] != "accelerator_spend_usd"}
    assert verdict(half, 14) == NOT_SIMULATED
    assert verdict(changed(half, "compute_shipped_h100e", at("2023", 2.0), entity="google"), 14) == MISS


def test_the_median_over_runs_decides_and_not_every_run(series):
    outlier = {key: np.repeat(values, 5, axis=0) for key, values in series.items()}
    key = ("data_center_revenue_usd", "nvidia", "", "")
    outlier[key][:2] *= 10.0
    assert verdict(outlier, 1) == PASS
    outlier[key][:3] *= 10.0
    assert verdict(outlier, 1) == MISS


def test_a_band_in_every_quarter_is_broken_by_one_quarter(series):
    assert verdict(changed(series, "capex_usd", at("2024Q3", 1.3)), 9) == MISS


def test_designers_that_the_record_takes_up_in_2024_count_from_then(series):
    key = ("compute_added_since_2022_h100e", "amd", "", "")
    early = dict(series)
    early[key] = series[key] + 5e6  # bought before 2024: outside the record
    assert verdict(early, 28) == PASS


def test_results_that_end_early_leave_later_facts_not_simulated(series):
    short = {key: values[:, :8] for key, values in series.items()}
    results = evaluate_facts(panels_from_arrays(QUARTERS[:8], short))
    assert results[4].verdict == NOT_SIMULATED
    assert results[1].verdict == NOT_SIMULATED


def test_h100_equivalents_of_a_chip_come_from_its_dense_8_bit_rate():
    assert math.isclose(h100e_per_chip("nvidia_a100_80gb_sxm"), 624 / 1979)
    with pytest.raises(NotSimulatedError):
        h100e_per_chip("nvidia_v100_sxm2")


def test_the_json_is_plain_json_with_every_check(series):
    rows = json.loads(facts_json(evaluate_facts(panels_from_arrays(QUARTERS, series))))
    assert len(rows) == 31
    assert sum(len(row["checks"]) for row in rows) == sum(len(fact.checks) for fact in load_facts())


def test_every_judged_band_holds_its_target():
    for fact in load_facts():
        for check in fact.checks:
            if check.judged and check.target is not None:
                assert check.low <= check.target[0] <= check.target[1] <= check.high, (
                    fact.number,
                    check.name,
                )


def test_the_facts_read_a_known_set_of_variables(series):
    assert {key[0] for key in series} - {"utilisation", "compute_stock_h100e"} <= variables_of_facts() | {
        "revenue"
    }


def test_numbers_keep_three_digits():
    assert [show_number(x) for x in (0.0993, 15.04, 1234.5, float("nan"))] == ["0.0993", "15", "1,234", "–"]


@pytest.fixture
def app():
    app = typer.Typer()
    app.callback()(lambda: None)
    facts_command.register(app)
    return app


@pytest.fixture(scope="module")
def folder(tmp_path_factory, series, as_made):
    path = tmp_path_factory.mktemp("results")
    two = {key: np.repeat(values, 2, axis=0) for key, values in series.items()}
    record_world.results_frame(two).to_parquet(path / "results.parquet")
    return as_made(path)


def test_the_command_prints_every_fact_and_counts_them(app, folder):
    outcome = CliRunner().invoke(app, ["facts", str(folder)])
    assert outcome.exit_code == 0
    assert outcome.output.rstrip().endswith("31 facts: 31 pass, 0 miss, 0 not simulated")
    assert "Chip prices slide slowly" in outcome.output


def test_the_command_prints_json(app, folder):
    outcome = CliRunner().invoke(app, ["facts", str(folder), "--json"])
    assert [row["verdict"] for row in json.loads(outcome.output)] == [PASS] * 31


def test_the_command_scores_the_record(app, folder):
    outcome = CliRunner().invoke(app, ["facts", str(folder), "--history"])
    assert outcome.exit_code == 0
    assert "series scored" in outcome.output.splitlines()[-1]
