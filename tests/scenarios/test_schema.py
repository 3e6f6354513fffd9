"""Scenario files: what is read, what is laid over what, and how a mistake is told."""

import pytest

from computemarket.errors import InputError
from computemarket.model.core.calendar import QUARTERS
from computemarket.model.core.parameters import Distribution, Schedule, schema
from computemarket.scenarios import schema as scenario_schema
from computemarket.scenarios.scenario import LARGEST_SEED
from computemarket.scenarios.schema import (
    Scenario,
    library_names,
    load_scenario,
    parse_set,
    parse_sets,
)


def write(folder, text, name="mine.toml"):
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


@pytest.mark.parametrize("name", library_names())
def test_every_scenario_of_the_library_loads_and_says_what_it_asks(name):
    scenario = load_scenario(name)
    assert scenario.name == name
    assert 10 < len(scenario.description) < 120
    assert "\n" not in scenario.description


def test_the_baseline_sets_nothing():
    assert load_scenario("baseline").settings == {}
    assert load_scenario("baseline").until == QUARTERS[-1]


def test_a_file_is_laid_over_what_it_extends(tmp_path):
    text = """
    extends = "baseline"
    description = "Herding, and dear power from 2027"
    seed = 9
    until = "2030Q4"
    [capex]
    herding = 0.5
    belief_noise_sd = { uniform = [0.0, 0.1] }
    [power]
    price_usd_per_mwh = [{ from = "2027Q1", value = 150 }]
    """
    scenario = load_scenario(write(tmp_path, text))
    assert (scenario.name, scenario.seed, scenario.until, scenario.quarters) == ("mine", 9, "2030Q4", 36)
    assert scenario.settings["capex.herding"] == 0.5
    assert scenario.settings["capex.belief_noise_sd"] == Distribution("uniform", (0.0, 0.1))
    dated = scenario.settings["power.price_usd_per_mwh"]
    assert isinstance(dated, Schedule)
    assert dated.before == schema()["power.price_usd_per_mwh"].setting


def test_a_path_may_be_text_or_a_path_and_a_name_is_of_the_library(tmp_path):
    path = write(tmp_path, 'extends = "baseline"')
    assert load_scenario(path) == load_scenario(str(path))
    assert load_scenario(write(tmp_path, 'extends = "baseline"', "baseline.toml")).name == "baseline"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "an empty file"),
        ("# only a comment", "an empty file"),
        (b"\xff\xfe", "is not TOML in UTF-8"),
        ("x = ", "is not TOML in UTF-8"),
        ("a = " + "[" * 5000, "is not TOML in UTF-8"),
        ("seed = 1\nseed = 2", "is not TOML in UTF-8"),
        (bytes(range(256)), "'a file that is not text' is not TOML in UTF-8"),
        (b"seed = 1\n\0", "'a file that is not text' is not TOML in UTF-8"),
        ('extends = "nope"', "extends: 'nope' is not a scenario of the library"),
        ('extends = "nope"', "or the path of a .toml file"),
        ('extends = "baselin"', "the nearest is baseline"),
        ('extends = "../../etc/passwd"', "is not the name of a file beside the scenario"),
        ('extends = "/etc/passwd"', "is not the name of a file beside the scenario"),
        ('extends = "nope.toml"', "a readable file (No such file or directory)"),
        ('extends = "a\\u0000.toml"', "a readable file (embedded null byte)"),
        ('extends = "mine.toml"', "free of cycles"),
        ('extends = "mine"', "is not a scenario of the library"),
        ("extends = [1]", "is not the name of a scenario"),
        ("extends = ['baseline']", "is not 2 to 8 different scenarios"),
        ("no_such_key = 1", "no_such_key: 1 is not known"),
        ('untl = "2030Q4"', "the nearest is until"),
        ("[capx]\nherding = 0.1", "the nearest is capex"),
        ("capex = 1", "capex: 1 is not a table of parameters, as in [capex]"),
        ("[capex]\nqqq = 0.1", "'capex.qqq' is not a parameter; `computemarket parameters` lists them"),
        ("[capex]\nherdin = 0.1", "the nearest is capex.herding"),
        ("[capex]\nherding = 7", "capex.herding: 7 is not a number in 0..0.6"),
        ("[capex]\nherding = nan", "is not a number in"),
        (f"[capex]\nherding = {'9' * 400}", "is not a number in"),
        (f"[capex]\nherding = 0x{'f' * 5000}", "a number of too many digits is not a number in"),
        (f"[capex]\nherding = {{ uniform = [0, {'9' * 400}] }}", "is not one of"),
        (f"seed = 0x{'f' * 5000}", "a number of too many digits is not a whole number"),
        ("[capex]\nherding = 'much'", "is not a number in"),
        ("[capex]\nherding = true", "is not a number in"),
        ('seed = "abc"', "seed: 'abc' is not a whole number in 0.."),
        ("seed = -1", "is not a whole number in 0.."),
        ("seed = true", "is not a whole number in 0.."),
        (f"seed = {LARGEST_SEED + 1}", "is not a whole number in 0.."),
        ("seed = 1.5", "is not a whole number in 0.."),
        ('until = "2031Q9"', "until: '2031Q9' is not a quarter from 2022Q1"),
        ('until = "2033Q1"', "is not a quarter from 2022Q1"),
        ("until = 2030", "is not a quarter from 2022Q1"),
        ("until = 2030-12-31", "is not a quarter from 2022Q1"),
        ("description = 1", "description: 1 is not text"),
        ('knowledge = "1999"', "knowledge: '1999' is not one of"),
        ("knowledge = ['today']", "is not one of"),
    ],
)
def test_a_bad_file_is_one_line_that_names_file_key_and_value(tmp_path, text, line):
    with pytest.raises(InputError) as refused:
        load_scenario(write(tmp_path, text))
    said = str(refused.value)
    assert said.startswith("mine.toml")
    assert line in said
    assert "\n" not in said
    assert len(said) <= 300


@pytest.mark.parametrize(
    "name", ["missing.toml", "no/such/place", "", "Baseline", "baseline/../baseline", "../baseline"]
)
def test_what_is_no_scenario_is_refused(name):
    with pytest.raises(InputError, match=r"^scenario"):
        load_scenario(name)


def test_a_folder_is_no_scenario(tmp_path):
    with pytest.raises(InputError, match="a readable file"):
        load_scenario(tmp_path)


@pytest.mark.parametrize("name", ["Mine.toml", "1st.toml", "a b.toml", "x" * 41 + ".toml"])
def test_a_file_name_becomes_a_folder_name_so_it_is_plain(tmp_path, name):
    with pytest.raises(InputError, match="a scenario name"):
        load_scenario(write(tmp_path, 'extends = "baseline"', name))


def test_a_library_that_goes_round_in_a_circle_is_refused(tmp_path, monkeypatch):
    library = tmp_path / "library"
    library.mkdir()
    for name, parent in (("one", "two"), ("two", "three"), ("three", "one")):
        write(library, f'extends = "{parent}"', f"{name}.toml")
    monkeypatch.setattr(scenario_schema, "files", lambda _: tmp_path)
    with pytest.raises(InputError, match=r"free of cycles \(one -> two -> three -> one\)"):
        load_scenario("one")


def test_a_chain_of_scenarios_has_an_end(tmp_path, monkeypatch):
    library = tmp_path / "library"
    library.mkdir()
    for place in range(30):
        write(library, f'extends = "s{place + 1}"', f"s{place}.toml")
    monkeypatch.setattr(scenario_schema, "files", lambda _: tmp_path)
    with pytest.raises(InputError, match="levels deep"):
        load_scenario("s0")


@pytest.mark.parametrize(
    ("text", "pair"),
    [
        ("capex.herding=0.5", ("capex.herding", 0.5)),
        ("capex.herding = { uniform = [0, 1] }", ("capex.herding", {"uniform": [0, 1]})),
        ("a.b=[{from='2027Q1', value=1}]", ("a.b", [{"from": "2027Q1", "value": 1}])),
    ],
)
def test_a_setting_of_the_command_line_is_written_as_in_toml(text, pair):
    assert parse_set(text) == pair


@pytest.mark.parametrize(
    "text", ["capex.herding", "capex.herding=", "a=1\nb=2", "capex.herding=much", "a=[[[", "=1 1"]
)
def test_a_bad_setting_of_the_command_line_is_refused(text):
    with pytest.raises(InputError, match=r"^--set"):
        parse_set(text)


def test_settings_are_laid_over_those_of_the_scenario():
    first = load_scenario("baseline").with_settings({"capex.herding": 0.5})
    second = first.with_settings({"capex.herding": [{"from": "2027Q1", "value": 0.1}]})
    assert second.settings["capex.herding"] == Schedule(((20, 0.1),), 0.5)
    assert first.settings["capex.herding"] == 0.5


@pytest.mark.parametrize(
    "given",
    [
        {"name": "No Name"},
        {"seed": -1},
        {"until": "2040Q1"},
        {"settings": {"capex.nothing": 1.0}},
        {"settings": {"capex.herding": 99.0}},
        {"settings": {"capex.herding": "much"}},
    ],
)
def test_a_scenario_made_in_python_is_checked_too(given):
    with pytest.raises(InputError, match=r"^scenario"):
        Scenario(**{"name": "mine", **given})


def test_a_key_is_set_once_on_a_command_line():
    assert parse_sets(["a.b=1", "a.c=2"]) == {"a.b": 1, "a.c": 2}
    with pytest.raises(InputError, match=r"set once \(a.b\)"):
        parse_sets(["a.b=1", "a.b=2"])


def test_a_file_may_extend_a_file_beside_it(tmp_path):
    write(tmp_path, 'extends = "baseline"\n[capex]\nherding = 0.1', "base.toml")
    found = load_scenario(write(tmp_path, 'extends = "base.toml"\nuntil = "2030Q4"', "mine.toml"))
    assert (found.name, found.until, found.settings["capex.herding"]) == ("mine", "2030Q4", 0.1)


def test_a_byte_order_mark_is_passed_over(tmp_path):
    assert load_scenario(write(tmp_path, b"\xef\xbb\xbfseed = 7")).seed == 7


def test_a_file_without_end_is_refused(tmp_path):
    (tmp_path / "mine.toml").symlink_to("/dev/zero")
    with pytest.raises(InputError, match="a regular file"):
        load_scenario(tmp_path / "mine.toml")
