"""A scenario written out in full runs as it stands: every scenario of the library comes back whole."""

import tomllib

import pytest

from computemarket.errors import InputError
from computemarket.scenarios.resolved import resolved_text
from computemarket.scenarios.schema import Scenario, library_names, load_scenario

ODD = "it's '''odd'''\r\n\tand \x01 not printable, \"quoted\" \\ é"


@pytest.mark.parametrize("name", library_names())
def test_a_resolved_scenario_of_the_library_comes_back_with_its_name_and_rules(name, tmp_path):
    asked = load_scenario(name)
    path = tmp_path / "scenario.toml"
    path.write_text(resolved_text(asked), encoding="utf-8")
    again = load_scenario(path)
    for field in ("name", "description", "seed", "until", "knowledge", "regimes", "enforce", "suspend"):
        assert getattr(again, field) == getattr(asked, field)
    assert resolved_text(again) == resolved_text(asked)
    assert "extends" not in tomllib.loads(path.read_text())


@pytest.mark.parametrize(
    "text", [ODD, "ends with '", "two '' quotes", "\nleading line", "", "plain\nlines\n"]
)
def test_any_text_of_a_regime_survives_being_written_in_place(text):
    asked = Scenario("odd", regimes=(("a \"b'.toml", text.encode()),))
    [held] = tomllib.loads(resolved_text(asked))["regimes"]
    assert held == {"name": "a \"b'.toml", "text": text}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("regimes = [3]", "the name of a file"),
        ('regimes = [{ name = "a" }]', "the name of a file"),
        ('regimes = [{ name = "a", text = 3 }]', "the name of a file"),
        ('regimes = "a.toml"', "a list of files"),
        ('regimes = [{ name = "a.toml", text = "x" }]\nenforce = ["x"]', "a.toml"),
        ("name = 3", "text"),
        ('name = "../up"', "a scenario name"),
        ('name = "=1+1"', "a scenario name"),
    ],
)
def test_a_scenario_with_a_strange_name_or_regime_is_one_line(line, said, tmp_path):
    path = tmp_path / "s.toml"
    path.write_text(line + "\n")
    with pytest.raises(InputError, match=said) as caught:
        load_scenario(path)
    assert "\n" not in str(caught.value)
