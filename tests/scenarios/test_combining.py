"""Scenarios laid over each other: both hold, whatever the order; where they disagree nothing runs."""

from dataclasses import replace

import pytest

from computemarket.errors import InputError
from computemarket.scenarios.combining import combined
from computemarket.scenarios.schema import load_scenario


def test_both_hold_and_the_rest_is_as_in_the_baseline():
    both = load_scenario("demand_stall+credit_crunch")
    ground = load_scenario("baseline")
    changed = {}
    for name in ("demand_stall", "credit_crunch"):
        one = load_scenario(name)
        changed |= {key: value for key, value in one.settings.items() if value != ground.settings.get(key)}
    assert both.name == "demand_stall+credit_crunch"
    assert {key: both.settings[key] for key in changed} == changed
    assert all(both.settings[key] == value for key, value in ground.settings.items() if key not in changed)


def test_the_order_does_not_matter():
    left, right = load_scenario("demand_stall+credit_crunch"), load_scenario("credit_crunch+demand_stall")
    assert left.settings == right.settings


def test_a_file_may_extend_several(tmp_path):
    path = tmp_path / "bust.toml"
    path.write_text('extends = ["demand_stall", "credit_crunch"]\n[capex]\ndiscount_rate = 0.2\n')
    found = load_scenario(path)
    assert found.name == "bust"
    assert found.settings["capex.discount_rate"] == 0.2  # a file has the last word over what it extends
    joint = load_scenario("demand_stall+credit_crunch").settings
    assert {key for key, value in found.settings.items() if value != joint[key]} == {"capex.discount_rate"}


@pytest.mark.parametrize(
    ("names", "told"),
    [
        ("demand_stall+adoption_boom", r"tokens.use_growth: .* in demand_stall, .* in adoption_boom"),
        ("demand_stall+demand_stall", "2 to 8 different scenarios"),
        ("demand_stall+", "a scenario of the library"),
        ("demand_stall+credit_crunsh", "did you mean|credit_crunch"),
    ],
)
def test_what_does_not_go_together_is_refused(names, told):
    with pytest.raises(InputError, match=told):
        load_scenario(names)


def test_a_regime_is_not_switched_on_and_off_at_once():
    ground = load_scenario("baseline")
    on, off = (replace(ground, name=name, **{name: ("us_2023_11",)}) for name in ("enforce", "suspend"))
    with pytest.raises(InputError, match="us_2023_11 on in enforce, off in suspend"):
        combined([on, off], ground, "scenario")


def test_of_two_seeds_there_is_one():
    ground = load_scenario("baseline")
    one, two = replace(ground, name="one", seed=5), replace(ground, name="two", seed=6)
    assert combined([one, replace(ground, name="same")], ground, "scenario").seed == 5
    with pytest.raises(InputError, match="scenario: seed: '5 in one, 6 in two'"):
        combined([one, two], ground, "scenario")
