"""Studies: read from TOML, laid out in cases and points, refused in one line when they cannot be run."""

from pathlib import Path

import numpy as np
import pytest

from computemarket.errors import InputError
from computemarket.model.core.parameters import Distribution, schema
from computemarket.scenarios.schema import Scenario, load_scenario
from computemarket.scenarios.studies.study import check_size, load_study, read_study, studies_names

WHOLE = """
scenarios = ["baseline"]
runs = 3
until = "2022Q4"
seed = 7
recording = ["utilisation"]
[design]
method = "latin_hypercube"
points = 10
[uncertainties.capex]
growth_2022_ln = { uniform = [0.1, 0.4] }
[levers.power]
existing_mw = [3000.0, 5000.0]
[policies.as_now]
[policies.bold.capex]
realised_2022_usd_bn = 30.0
"""
SHORT = 'scenarios = ["baseline"]\nruns = 2\nrecording = "full"\n'


def study(text: str):
    return read_study(text.encode(), "asked.toml", Path())


def test_cases_are_scenarios_times_policies_times_levers():
    found = study(WHOLE)
    assert [case.policy for case in found.cases] == [
        "as_now:power.existing_mw=3000.0",
        "as_now:power.existing_mw=5000.0",
        "bold:power.existing_mw=3000.0",
        "bold:power.existing_mw=5000.0",
    ]
    assert [case.scenario.settings["power.existing_mw"] for case in found.cases] == [3000.0, 5000.0] * 2
    assert "capex.realised_2022_usd_bn" not in found.cases[0].scenario.settings
    assert found.cases[2].scenario.settings["capex.realised_2022_usd_bn"] == 30.0


def test_every_case_draws_the_uncertainties_from_the_same_distribution():
    found = study(WHOLE)
    drawn = {case.scenario.settings["capex.growth_2022_ln"] for case in found.cases}
    assert drawn == {Distribution("uniform", (0.1, 0.4))}
    assert found.uncertainties == ("capex.growth_2022_ln",)


def test_seed_and_horizon_of_the_study_hold_for_every_case():
    assert {(case.scenario.seed, case.scenario.until) for case in study(WHOLE).cases} == {(7, "2022Q4")}


def test_runs_are_points_times_runs_of_each_case():
    found = study(WHOLE)
    assert (found.runs_of_case, found.total_runs) == (30, 120)
    assert found.points_of(np.arange(7)).tolist() == [0, 0, 0, 1, 1, 1, 2]


def test_shocks_are_each_runs_own_or_common_to_all_points():
    own, common = study(WHOLE), study('shocks = "common"\n' + WHOLE)
    assert own.shocks_of(np.arange(5)).tolist() == [0, 1, 2, 3, 4]
    assert common.shocks_of(np.arange(5)).tolist() == [0, 1, 2, 0, 1]


def test_a_study_without_design_draws_everything_from_the_priors():
    found = study(SHORT)
    assert found.design.count == 1
    assert [case.policy for case in found.cases] == ["as_is"]


def test_values_of_a_grid_come_back_as_they_were_listed():
    text = (
        SHORT + '[design]\nmethod = "grid"\n[uncertainties.power]\nexisting_mw = [4000.0, 3000.0, 5000.0]\n'
    )
    found = study(text)
    spread = found.cases[0].scenario.settings["power.existing_mw"]
    quantiles = found.design.quantiles(np.arange(3))[:, 0]
    assert isinstance(spread, Distribution)
    assert spread.quantile(quantiles).tolist() == [4000.0, 3000.0, 5000.0]


def test_a_prior_is_taken_from_the_scenario(tmp_path):
    (tmp_path / "mine.toml").write_text(
        'extends = "baseline"\n[power]\nexisting_mw = { uniform = [1000.0, 9000.0] }\n'
    )
    text = SHORT.replace("baseline", "mine.toml") + (
        '[design]\nmethod = "sobol"\npoints = 4\n[uncertainties.power]\nexisting_mw = "prior"\n'
    )
    found = read_study(text.encode(), "asked.toml", tmp_path)
    assert found.cases[0].scenario.settings["power.existing_mw"] == Distribution("uniform", (1000.0, 9000.0))


@pytest.mark.parametrize("name", studies_names())
def test_every_study_of_the_library_can_be_read(name):
    from computemarket.analysis.results.headline import Headline

    found = load_study(name, Headline())
    assert found.name == name
    assert found.description
    check_size(found)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "an empty file"),
        ("x = ", "TOML in UTF-8"),
        ('scenarios = ["baseline"]', "runs: 'missing' is not a whole number"),
        ('scenarios = "baseline"\nruns = 2', "scenarios: 'baseline' is not a list"),
        ('scenarios = []\nruns = 2', "scenarios: [] is not a list"),
        ('scenarios = ["nope"]\nruns = 2', "'nope' is not a scenario of the library"),
        ('scenarios = ["../../etc/passwd"]\nruns = 2', "is not"),
        ('scenarios = ["baseline", "baseline"]\nruns = 2', "named once"),
        (SHORT.replace("2", "0"), "runs: 0 is not a whole number"),
        (SHORT.replace("2", "true"), "runs: True is not a whole number"),
        ("speed = 3\n" + SHORT, "speed: 3 is not known"),
        ('name = "../up"\n' + SHORT, "name: '../up' is not"),
        ('seed = "x"\n' + SHORT, "seed: 'x' is not"),
        ('until = "2040Q1"\n' + SHORT, "until: '2040Q1' is not"),
        ('shocks = "none"\n' + SHORT, "shocks: 'none' is not"),
        (SHORT.replace('"full"', '"all"'), "recording: 'all' is not"),
        (SHORT.replace('"full"', "[]"), "recording: [] is not"),
        (SHORT + "design = 3", "design: 3 is not a table"),
        (SHORT + '[design]\nmethod = "random"', "method: 'random' is not one of"),
        (SHORT + '[design]\nmethod = "sobol"\npoints = 4', "possible without a table of uncertainties"),
        (SHORT + '[uncertainties.power]\nexisting_mw = "prior"', "a design that says which"),
        (SHORT + "[uncertainties]\npower = 3", "a table of parameters"),
        (SHORT + '[uncertainties.power]\nexisting_mv = "prior"', "the nearest is power.existing_mw"),
        (SHORT + "[uncertainties.power]\nexisting_mw = 3.0", '"prior", a distribution'),
        (SHORT + "[uncertainties.power]\nexisting_mw = { uniform = [5000.0, 4000.0] }", "rising order"),
        (SHORT + "[levers.power]\nexisting_mw = 3000.0", "a list of settings"),
        (SHORT + "[levers.power]\nexisting_mw = []", "a list of settings"),
        (SHORT + "[levers.power]\nexisting_mw = [-5.0]", "is not a number in"),
        (SHORT + "[policies.Big.power]\nexisting_mw = 4000.0", "'Big' is not"),
        (
            SHORT + "[policies.big.power]\nexisting_mw = 4000.0\n[levers.power]\nexisting_mw = [3000.0]",
            "one or the other",
        ),
        (
            SHORT + '[design]\nmethod = "sobol"\npoints = 4\n[uncertainties.power]\nexisting_mw = "prior"\n'
            "[levers.power]\nexisting_mw = [3000.0]",
            "one or the other",
        ),
        (
            SHORT + '[design]\nmethod = "sobol"\npoints = 4\n[uncertainties.power]\nexisting_mw = [3000.0, 4000.0]',
            "grid, which alone",
        ),
        (
            SHORT + '[design]\nmethod = "grid"\n[uncertainties.power]\nexisting_mw = [3000.0, "x"]',
            "is not a number in",
        ),
    ],
)  # fmt: skip
def test_a_malformed_study_is_one_line(text, says):
    with pytest.raises(InputError) as caught:
        study(text)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_bytes_that_are_no_text_are_refused():
    with pytest.raises(InputError, match="UTF-8"):
        read_study(b"\xff\xfe", "asked.toml", Path())


def test_a_study_that_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(InputError, match="a readable file"):
        load_study(tmp_path / "none.toml")
    with pytest.raises(InputError, match="a readable file"):
        load_study(tmp_path)
    with pytest.raises(InputError, match=r"one of .*example"):
        load_study("nothing")


def test_a_grid_too_large_is_refused_with_its_count_unless_forced():
    names = [name for name, one in schema().items() if one.prior is not None][:8]
    areas: dict[str, list[str]] = {}
    for name in names:
        area, key = name.split(".")
        areas.setdefault(area, []).append(f'{key} = "prior"')
    tables = "".join(f"[uncertainties.{area}]\n" + "\n".join(keys) + "\n" for area, keys in areas.items())
    found = study(SHORT + '[design]\nmethod = "grid"\nlevels = 10\n' + tables)
    assert found.total_runs == 2 * 10**8
    with pytest.raises(InputError, match="it is 200,000,000; --force lifts"):
        check_size(found)
    check_size(found, force=True)


def test_levers_too_many_are_refused_before_they_are_laid_out():
    values = ", ".join(str(3000.0 + place) for place in range(200))
    text = (
        SHORT
        + f"[levers.power]\nexisting_mw = [{values}]\n[levers.capex]\nrealised_2022_usd_bn = [{values}]\n"
    )
    with pytest.raises(InputError, match="40,000 combinations"):
        study(text)


def test_a_scenario_written_out_reads_back_as_the_same_scenario(tmp_path):
    from computemarket.scenarios.resolved import resolved_text

    for scenario in (
        load_scenario("baseline"),
        Scenario("odd", 'a "quoted"\nline \x7f').with_settings(
            {"power.existing_mw": [{"from": "2025Q1", "value": {"uniform": [4000.0, 5000.0]}}]}
        ),
    ):
        path = tmp_path / "written.toml"
        path.write_text(resolved_text(scenario))
        again = load_scenario(path)
        assert set(again.settings) == set(schema())
        assert resolved_text(again) == resolved_text(scenario)
        assert (again.seed, again.until, again.description) == (
            scenario.seed,
            scenario.until,
            scenario.description,
        )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('scenarios = ["baselin"]\nruns = 2', "asked.toml: scenarios: 'baselin' is not a scenario of the library"),
        ('scenarios = ["baselin"]\nruns = 2', "the nearest is baseline"),
        ('scenarios = ["no.toml"]\nruns = 2', "asked.toml: scenarios: 'no.toml' is not a readable file"),
        ('scenarios = ["a\\u0000.toml"]\nruns = 2', "a readable file (embedded null byte)"),
        (SHORT + "[levers.capex]\nherding = [0.1, 0.1]", "herding: [0.1, 0.1] is not a list of settings"),
        (SHORT + "[levers.capex]\nherding = [0, 0.0]", "is not a list of settings that all differ"),
        (SHORT + "[levers.capex]\nherding = [nan]", "levers: capex.herding: nan is not a number in"),
        (SHORT + '[design]\nmethod = "grid"\n[uncertainties.power]\nexisting_mw = [3e3, 3e3, 4e3]', "all differ"),
        ("scenaros = 1", "the nearest is scenarios"),
    ],
)  # fmt: skip
def test_a_study_says_where_in_it_something_is_wrong(text, says):
    with pytest.raises(InputError) as caught:
        study(text)
    assert says in str(caught.value)


def test_a_study_names_its_own_file_and_that_of_the_scenario_in_which_something_is_wrong(tmp_path):
    (tmp_path / "mine.toml").write_text("[capex]\nherding = 7\n")
    (tmp_path / "asked.toml").write_text('scenarios = ["mine.toml"]\nruns = 2\n')
    with pytest.raises(
        InputError, match=r"^asked.toml: scenarios: mine.toml: capex.herding: 7 is not a number"
    ):
        load_study(tmp_path / "asked.toml")


def test_a_study_that_is_not_text_says_so():
    with pytest.raises(InputError, match="'a file that is not text' is not TOML in UTF-8"):
        read_study(bytes(range(256)), "asked.toml", Path())


def test_what_a_design_sets_in_place_of_a_scenario_is_told(tmp_path):
    text = (
        'name = "s"\nscenarios = ["baseline", "demand_stall"]\nruns = 2\nrecording = ["utilisation"]\n[design]\n'
        'method = "latin_hypercube"\npoints = 4\n[uncertainties.tokens]\nelasticity = "prior"\n'
    )
    asked = read_study(f"{text}use_growth = {{ uniform = [0.02, 0.06] }}\n".encode(), "s.toml", tmp_path)
    assert asked.overridden == (("demand_stall", "tokens.use_growth"),)
    assert read_study(text.encode(), "s.toml", tmp_path).overridden == ()


def test_points_that_share_their_histories_say_so(tmp_path):
    text = (
        'name = "s"\nscenarios = ["baseline"]\nruns = 1\nshocks = "common"\nrecording = ["utilisation"]\n[design]\n'
        'method = "latin_hypercube"\npoints = 4\n[uncertainties.tokens]\nelasticity = "prior"\n'
    )
    told = read_study(text.encode(), "s.toml", tmp_path).told_of_points
    assert told.startswith("all points stand in one history")
    own = text.replace('shocks = "common"', 'shocks = "own"').encode()
    assert read_study(own, "s.toml", tmp_path).told_of_points == ""
