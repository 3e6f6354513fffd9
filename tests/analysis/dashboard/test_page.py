"""The interactive page: what it asks, what it shows, what it lets a reader keep, and how it refuses."""

import json
import socket
import sys
from dataclasses import replace
from importlib.resources import files

import numpy as np
import pytest

from computemarket import cli
from computemarket.analysis.dashboard import FOLDER_VARIABLE, RUNS_VARIABLE, bands, ensembles, figures, levers
from computemarket.analysis.dashboard.ensembles import QUARTERS, YEARS, Ensemble
from computemarket.analysis.dashboard.levers import Lever, Question
from computemarket.analysis.results.measures import measure
from computemarket.errors import InputError
from computemarket.model.core.parameters import schema
from computemarket.scenarios.batches.ensemble import simulate_to
from computemarket.scenarios.schema import load_scenario

SHORT = "2023Q4"
SHARE, REVENUE, STOCK = "nvidia_compute_share", "nvidia_data_center_revenue", "world_compute_stock"


def ensemble(values, seed=1, label="base", runs=None):
    """Return an ensemble of one measure over the years 2022, 2023 and so on."""
    years = tuple(str(2022 + place) for place in range(values.shape[1]))
    numbers = np.arange(len(values)) if runs is None else np.array(runs)
    return Ensemble(label, numbers, {QUARTERS: (), YEARS: years}, {(STOCK, YEARS): values}, seed)


# ---- what is asked


def test_the_scenario_file_asks_what_the_page_asked(tmp_path):
    moved = (Lever("tokens.elasticity", 1.75), Lever("capex.discount_rate", 0.2, "2027Q1"))
    question = Question("credit_crunch", moved, 64, 7, SHORT)
    path = tmp_path / "compared.toml"
    path.write_text(question.file())
    asked = question.asked()
    assert replace(load_scenario(path), name=asked.name, description=asked.description) == asked
    assert asked.seed == 7
    assert asked.until == SHORT
    assert asked.settings["tokens.elasticity"] == 1.75


def test_a_lever_from_a_later_quarter_leaves_what_held_before():
    before = load_scenario("baseline")
    after = Question("baseline", (Lever("tokens.elasticity", 1.75, "2030Q1"),)).asked()
    setting = after.settings["tokens.elasticity"]
    assert setting.steps[0][1] == 1.75
    assert setting.before == schema()["tokens.elasticity"].setting
    assert "tokens.elasticity" not in before.settings


def test_every_parameter_can_be_a_lever_in_every_scenario():
    for scenario in ("baseline", "credit_crunch"):
        for parameter in schema().values():
            setting = levers.setting_of(scenario, parameter)
            assert parameter.low <= levers.starting_value(setting) <= parameter.high, parameter.name
            assert parameter.meaning[1:] in levers.explained(parameter, setting)


def test_a_lever_out_of_its_range_is_refused():
    with pytest.raises(InputError, match="a number in"):
        Question("baseline", (Lever("tokens.elasticity", -3.0),)).asked()


# ---- what is shown


def test_the_page_measures_what_the_command_line_measures(tmp_path):
    scenario = Question("baseline", (), 6, 3, SHORT).asked()
    simulate_to(tmp_path / "out", scenario, 6)
    live = ensembles.simulate_ensemble(scenario, "live", 6)
    stored = ensembles.stored_ensemble(tmp_path / "out", "baseline", "")
    assert live.periods == {
        QUARTERS: tuple(f"{y}Q{q}" for y in (2022, 2023) for q in (1, 2, 3, 4)),
        YEARS: ("2022", "2023"),
    }
    for key in ((SHARE, YEARS), (REVENUE, QUARTERS), (STOCK, YEARS)):
        np.testing.assert_allclose(live.values[key], stored.values[key], rtol=1e-12)
    assert ensembles.paired(live, stored)
    assert ensembles.stored_cases(tmp_path / "out") == [("baseline", "")]


def test_blocks_of_runs_do_not_show(monkeypatch):
    scenario = Question("baseline", (), 6, 3, "2022Q4").asked()
    told = []
    whole = ensembles.simulate_ensemble(scenario, "whole", 6)
    monkeypatch.setattr(ensembles, "BLOCK_RUNS", 4)
    parts = ensembles.simulate_ensemble(scenario, "parts", 6, told.append)
    assert told == [4 / 6, 1.0]
    assert parts.runs.tolist() == list(range(6))
    np.testing.assert_array_equal(parts.values[REVENUE, QUARTERS], whole.values[REVENUE, QUARTERS])


def test_a_year_is_what_the_measure_says_it_is():
    found = ensembles.simulate_ensemble(Question("baseline", (), 3, 1, SHORT).asked(), "", 3)
    quarters = found.values[REVENUE, QUARTERS]
    np.testing.assert_allclose(found.values[REVENUE, YEARS][:, 1], quarters[:, 4:].sum(axis=1))
    np.testing.assert_array_equal(found.values[STOCK, YEARS][:, 1], found.values[STOCK, QUARTERS][:, 7])


def test_a_difference_is_taken_run_by_run():
    base = ensemble(np.array([[1.0, 10.0], [2.0, 30.0], [3.0, 20.0]]))
    other = ensemble(np.array([[1.0, 11.0], [2.0, 32.0], [3.0, 26.0]]), label="other")
    np.testing.assert_array_equal(bands.difference(base, other, STOCK, YEARS), [[0, 1], [0, 2], [0, 6]])
    shown = bands.difference_fan(base, other, STOCK, YEARS)
    assert shown.band[1].tolist() == [
        0.0,
        2.0,
    ]  # the median of differences, not the difference of medians (6)
    words = bands.sentence(base, other, STOCK, YEARS, "2023")
    assert "20 million H100-equivalents (12 to 28) in base, 26 (14 to 30.8) in other" in words
    assert "higher in 100% of the runs" in words
    assert "the same in every run" in bands.sentence(base, other, STOCK, YEARS, "2022")


def test_words_claim_no_direction_where_runs_disagree():
    base, other = (
        ensemble(np.array([[1.0], [1.0], [1.0], [1.0]])),
        ensemble(np.array([[2.0], [2.0], [0.0], [0.0]]), label="other"),
    )
    assert "no clear direction" in bands.sentence(base, other, STOCK, YEARS, "2022")


@pytest.mark.parametrize("change", [{"seed": 2}, {"seed": None}, {"runs": [0, 2, 1]}])
def test_ensembles_that_met_other_shocks_have_no_difference(change):
    values = np.ones((3, 2))
    assert bands.difference(ensemble(values), ensemble(values), STOCK, YEARS) is not None
    assert bands.difference(ensemble(values), ensemble(values, **change), STOCK, YEARS) is None


def test_the_table_holds_bands_differences_and_the_record():
    base = ensemble(np.array([[1.0, 10.0], [3.0, 30.0]]))
    other = ensemble(np.array([[2.0, 10.0], [5.0, 33.0]]), label="other")
    shown = bands.table(base, other, [STOCK], YEARS)
    assert shown["base: median"].tolist() == [2.0, 20.0]
    assert shown["difference: median"].tolist() == [1.5, 1.5]
    assert shown["share of runs higher"].tolist() == [1.0, 0.5]
    assert set(shown["unit"]) == {"million H100-equivalents"}
    assert list(shown["period"]) == ["2022", "2023"]


def test_the_record_of_a_year_is_made_of_its_quarters_only_where_that_is_right():
    quarters, years = bands.record_of(REVENUE, QUARTERS), bands.record_of(REVENUE, YEARS)
    assert years["2024"] == pytest.approx(sum(quarters[f"2024Q{q}"] for q in range(1, 5)))
    assert "2025" not in years or all(f"2025Q{q}" in quarters for q in range(1, 5))
    margin = bands.record_of("nvidia_gross_margin", QUARTERS)
    assert bands.record_of("nvidia_gross_margin", YEARS)["2023"] == pytest.approx(
        np.mean([margin[f"2023Q{q}"] for q in range(1, 5)])
    )
    assert bands.record_of("nvidia_china_share", YEARS) == {}  # a ratio of sums is not the mean of ratios


def test_a_unit_says_its_time_where_it_is_a_flow():
    assert bands.unit_of(REVENUE, YEARS) == "billion USD a year"
    assert bands.unit_of(REVENUE, QUARTERS) == "billion USD a quarter"
    assert bands.unit_of(STOCK, YEARS) == "million H100-equivalents"
    assert bands.unit_of(SHARE, YEARS) == measure(SHARE).unit == "%"


def test_charts_tell_the_ensembles_apart_by_dash_as_well_as_by_hue():
    base, other = ensemble(np.array([[1.0, 2.0]])), ensemble(np.array([[1.0, 3.0]]), label="other")
    fans = [bands.fan(base, STOCK, YEARS), bands.fan(other, STOCK, YEARS)]
    figure = figures.fan_figure("title", "unit", fans, {"2022": 1.5, "1999": 4.0})
    first, second, record = figure.axes[0].get_lines()
    assert first.get_color() != second.get_color()
    assert (first.get_linestyle(), second.get_linestyle()) == ("-", "--")
    assert record.get_ydata().tolist() == [1.5]  # 1999 is not simulated
    assert [text.get_text() for text in figure.axes[0].get_legend().get_texts()] == [
        "base",
        "other",
        "record",
    ]
    assert figures.png(figure).startswith(b"\x89PNG")


@pytest.mark.parametrize(("one", "two"), [(2.0, 9.0), (9.0, 2.0)])
def test_a_row_shows_base_and_other_on_one_scale(one, two):
    base, other = ensemble(np.array([[1.0, one]])), ensemble(np.array([[1.0, two]]), label="other")
    pair = [bands.fan(base, STOCK, YEARS), bands.fan(other, STOCK, YEARS)]
    gap = bands.difference_fan(base, other, STOCK, YEARS)
    left, middle, right = figures.row_sheet([("title", "unit", pair, {}, gap)]).axes
    assert left.get_ylim() == middle.get_ylim()
    assert left.get_ylim()[1] >= 9.0
    assert right.get_lines()[1].get_ydata().tolist() == [0.0, two - one]


# ---- stored results


def test_a_batch_can_be_shown(tmp_path):
    from computemarket.analysis.results.headline import Headline
    from computemarket.scenarios.batches.batch import run_study
    from computemarket.scenarios.batches.executor import Inline
    from computemarket.scenarios.studies.study import load_study

    study = tmp_path / "small.toml"
    study.write_text(
        'name = "small"\ndescription = "two"\nscenarios = ["baseline", "demand_stall"]\nruns = 4\nuntil = "2023Q4"\n'
        'recording = "headline"\n'
    )
    run_study(load_study(study, Headline()), tmp_path / "out", Inline())
    cases = ensembles.stored_cases(tmp_path / "out")
    assert [scenario for scenario, _ in cases] == ["baseline", "demand_stall"]
    found = ensembles.stored_ensemble(tmp_path / "out", *cases[1])
    live = ensembles.simulate_ensemble(Question("demand_stall", (), 4, 1, SHORT).asked(), "", 4)
    for name in (SHARE, REVENUE, STOCK):
        np.testing.assert_allclose(found.values[name, QUARTERS], live.values[name, QUARTERS], rtol=1e-12)
    np.testing.assert_allclose(found.values[REVENUE, YEARS], live.values[REVENUE, YEARS], rtol=1e-12)
    assert (SHARE, YEARS) not in found.values  # a year's share cannot be made of quarterly shares


@pytest.mark.parametrize("text", [None, "{", "[]", '{"cases": []}', "{}"])
def test_a_folder_without_results_is_refused_in_one_line(tmp_path, text, monkeypatch, capsys):
    if text is not None:
        (tmp_path / "manifest.json").write_text(text)
    monkeypatch.setattr(sys, "argv", ["computemarket", "dashboard", str(tmp_path)])
    with pytest.raises(SystemExit) as left:
        cli.main()
    said = capsys.readouterr()
    assert (left.value.code, said.out) == (2, "")
    assert said.err.count("\n") == 1


def test_a_port_in_use_is_refused_in_one_line(monkeypatch, capsys):
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        monkeypatch.setattr(sys, "argv", ["computemarket", "dashboard", "--port", str(held.getsockname()[1])])
        with pytest.raises(SystemExit) as left:
            cli.main()
    assert left.value.code == 2
    assert "another program listens there" in capsys.readouterr().err


def test_a_number_of_runs_that_is_no_choice_is_refused(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["computemarket", "dashboard", "--runs", "7"])
    with pytest.raises(SystemExit) as left:
        cli.main()
    assert left.value.code == 2
    assert "one of 32, 64" in capsys.readouterr().err


def test_without_streamlit_the_command_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "streamlit", None)
    monkeypatch.setattr("computemarket.commands.results.dashboard.find_spec", lambda name: None)
    monkeypatch.setattr(sys, "argv", ["computemarket", "dashboard"])
    with pytest.raises(SystemExit) as left:
        cli.main()
    assert left.value.code == 2
    assert "computemarket[dashboard]" in capsys.readouterr().err


# ---- the page, without a browser


@pytest.fixture
def page(monkeypatch):
    """Return the page, small enough for a test, before it has run."""
    from streamlit.testing import v1 as testing

    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)
    path = files("computemarket.analysis.dashboard").joinpath("page.py")
    shown = testing.AppTest.from_file(str(path), default_timeout=120)
    monkeypatch.setenv(RUNS_VARIABLE, "32")
    shown.session_state["until"] = "2022Q4"
    return shown


def texts(shown):
    """Return all prose on the page."""
    return "\n".join(
        element.value for element in (*shown.markdown, *shown.caption, *shown.info, *shown.warning)
    )


def test_the_page_compares_two_scenarios_and_reruns_with_a_changed_parameter(page):
    page.run()
    assert not page.exception
    assert not page.error
    assert "**demand_stall** (:orange[dashed])" in texts(page)
    assert "the same in every run" in texts(page)  # it departs in 2027
    page.multiselect("levers").set_value(["tokens.elasticity"]).run()
    page.number_input("value demand_stall tokens.elasticity").set_value(1.9).run()
    assert not page.exception
    assert "demand_stall with 1 parameter set" in texts(page)
    assert "% of the runs" in texts(page)  # no longer the same
    page.radio("view").set_value("Scenario file").run()
    assert "elasticity = 1.9" in page.code[1].value
    page.radio("view").set_value("Table").run()
    shown = page.dataframe[0].value
    assert {"measure", "unit", "period", "baseline: median", "difference: median", "recorded"} <= set(
        shown.columns
    )
    page.radio("view").set_value("Side by side, with the difference").run()
    assert "run by run" in texts(page)
    page.selectbox("other").set_value("(nothing)").run()
    assert "Choose a second scenario" in texts(page)
    assert not page.exception


def test_the_page_shows_stored_results_beside_new_ones(page, tmp_path, monkeypatch):
    simulate_to(tmp_path / "out", Question("baseline", (), 4, 9, "2022Q4").asked(), 4)
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "out"))
    page.run()
    assert not page.exception
    assert page.selectbox("base").value == "stored: baseline"
    page.radio("view").set_value("Side by side, with the difference").run()
    assert "other seeds" in texts(page)


def test_the_page_says_in_words_what_is_wrong_with_stored_results(page, tmp_path, monkeypatch):
    (tmp_path / "manifest.json").write_text(json.dumps({"scenario": "baseline"}))
    (tmp_path / "results.parquet").write_text("no table")
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    page.run()
    assert not page.exception
    assert "the manifest of results" in page.error[0].value
