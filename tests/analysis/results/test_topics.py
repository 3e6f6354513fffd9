"""Topics: every scenario of the library has one, every measure of one exists, and they decide what is shown."""

import numpy as np
import pytest

from computemarket.analysis.results.compared import Measured, sentences, simulate_measures, table_of
from computemarket.analysis.results.measures import load_measures, measure
from computemarket.analysis.results.topics import load_topics, measures_of, topics_of
from computemarket.errors import InputError
from computemarket.scenarios.batches.ensemble import prepare
from computemarket.scenarios.schema import library_names, load_scenario

YEARS = ("2027", "2028")


def test_every_scenario_of_the_library_has_a_topic():
    asked = {name for topic in load_topics().values() for name in topic.scenarios}
    assert asked == set(library_names())


def test_every_measure_of_a_topic_exists_and_can_be_simulated():
    measures = measures_of(topics_of([], "all"))
    assert {one.name for one in measures} <= set(load_measures())
    found = simulate_measures(prepare("credits_tradable", until="2029Q4"), measures, 2)
    unknown = [name for name, values in found.values.items() if not np.isfinite(values).any()]
    assert unknown == []


def names(*scenarios, asked=""):
    return [topic.name for topic in topics_of([load_scenario(name) for name in scenarios], asked)]


def test_the_scenarios_decide_what_is_shown():
    assert names("baseline", "lpu_rack_fails") == ["market", "tokens"]
    assert names("baseline", "export_opening") == ["market", "china"]
    assert names("baseline", "demand_stall+credit_crunch") == ["market", "clouds", "money"]


def test_a_scenario_of_ones_own_that_changes_a_rule_is_about_china(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('extends = "baseline"\n[policy]\nvariant_commitment = 0.1\n')
    ground, mine = load_scenario("baseline"), load_scenario(path)
    assert [topic.name for topic in topics_of([ground, mine])] == ["market", "china"]


def test_a_topic_may_be_asked_for_and_there_are_no_others():
    assert names("baseline", "lpu_rack_fails", asked="supply") == ["supply"]
    with pytest.raises(InputError, match="one of market, silicon"):
        names("baseline", asked="weather")


def measured(name, **series):
    return Measured(name, YEARS, {key: np.array(values, dtype=np.float64) for key, values in series.items()})


def test_words_say_from_what_to_what_which_way_and_in_how_many_runs():
    two = [measure("power"), measure("utilisation")]
    base = measured("baseline", power=[[10, 20]] * 10, utilisation=[[50, 50]] * 10)
    other = measured("stall", power=[[10, 15]] * 9 + [[10, 20]], utilisation=[[50, 40]] * 5 + [[50, 60]] * 5)
    assert sentences(two, base, other, "2028") == [
        "power of AI fleets: 20 → 15 GW; lower in 90% of runs",
        "in no clear direction: utilisation of the world's fleet",
    ]
    row = (
        table_of(two, base, [other])
        .query("scenario == 'stall' and measure == 'power' and year == 2028")
        .iloc[0]
    )
    assert (row["median"], row["change"], row["lower"]) == (15.0, -5.0, 0.9)


def test_what_is_not_simulated_is_left_out():
    base = measured("baseline", power=[[np.nan, np.nan]] * 4)
    assert sentences([measure("power")], base, base, "2028") == []
