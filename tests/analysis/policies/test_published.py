"""Published results beside the model's: matched by words and units, never by value; honest where there is no answer."""

from dataclasses import replace

import numpy as np
import pytest

from computemarket.analysis.policies.compare import Outcome
from computemarket.analysis.policies.published import (
    answer_all,
    bounds_of,
    read_published,
    reason_without,
    rule_of,
    scenario_of,
    scores,
)
from computemarket.analysis.policies.published_readers import Question, kind_of
from computemarket.analysis.policies.published_rules import NOT_HELD
from computemarket.analysis.policies.published_scenarios import settings_for
from computemarket.errors import InputError
from computemarket.scenarios.schema import library_names

RESULTS = {result.result_id: result for result in read_published()}
ROW = RESULTS["PR027"]


def test_every_result_has_a_rule_or_a_reason_of_its_own():
    without = [result for result in RESULTS.values() if rule_of(result) is None]
    reasons = {why for _, why in NOT_HELD}
    assert all(reason_without(result) in reasons for result in without)
    assert len(without) <= 4


def test_a_match_hangs_on_words_and_unit_alone():
    for result in RESULTS.values():
        moved = replace(result, value=1.0, low=0.5, high=2.0)
        assert rule_of(moved) is rule_of(result)
        assert scenario_of(moved) == scenario_of(result)


@pytest.mark.parametrize(
    ("metric", "unit", "why"),
    [
        ("Huawei output, high case", "B300e", "by the dense 8-bit rate"),
        ("China’s share of world AI compute owned", "share", "stock by headquarters, of the world's"),
        ("Nvidia share of China AI chip sales", "share", "of all sales of accelerators in China"),
        ("smuggled  chips in the year", "chips", "units that arrived in the year"),
        ("H20 revenue lost", "USD bn", "Nvidia's sales missing in the two quarters after a stop"),
        ("smuggled share of China training compute added", "share",
         "of all compute that China's owners add in the year, whatever its use"),
    ],
)  # fmt: skip
def test_other_words_of_the_same_studies_find_their_rule(metric, unit, why):
    rule = rule_of(replace(ROW, study="a study", scenario="status", metric=metric, unit=unit))
    assert rule is not None
    assert rule.why == why


def test_a_unit_of_another_kind_is_no_match():
    share = replace(ROW, study="a study", metric="US-designed AI chip output", unit="share")
    assert rule_of(share) is None
    assert kind_of("B300e") == "compute"
    assert kind_of("ratio (under)") == "ratio"


def test_a_bound_leaves_the_other_side_open_and_a_number_stands_for_a_quarter_around_it():
    nan = float("nan")
    under = replace(ROW, value=4.0, low=nan, high=4.0, unit="ratio (under)", note="")
    alone = replace(ROW, value=4.0, low=nan, high=nan, unit="ratio", note="")
    assert bounds_of(under) == (-np.inf, 4.0)
    assert bounds_of(alone) == (3.0, 5.0)
    assert bounds_of(replace(alone, value=-4.0)) == (-5.0, -3.0)


def test_every_scenario_that_words_name_is_in_the_library():
    assert {scenario_of(result) for result in RESULTS.values()} - {None} <= set(library_names())


def test_a_condition_without_a_scenario_is_refused_not_read_as_the_baseline():
    asked = replace(ROW, scenario="all chip makers move to the Moon")
    assert scenario_of(asked) is None
    answer = answer_all([asked], 2)[0]
    assert (answer.verdict, answer.scenario) == ("not modelled", "")
    assert "no scenario of the library is 'all chip makers move to the Moon'" in answer.why


def test_how_things_are_and_no_words_at_all_are_the_baseline():
    for words in ("status", "base forecast", "smuggling", ""):
        assert scenario_of(replace(ROW, scenario=words)) == "baseline"
    without = {result.result_id for result in RESULTS.values() if scenario_of(result) is None}
    assert without == {"PR020", "PR021"}  # volumes of Huawei's that no scenario sets


def test_what_is_read_from_rules_catalogue_or_parameters_is_an_input_and_not_counted():
    given = {result.result_id for result in RESULTS.values() if (rule := rule_of(result)) and rule.given}
    assert given == {"PR005", "PR006", "PR018", "PR024", "PR049", "PR066", "PR069"}
    answers = answer_all([RESULTS["PR024"], replace(ROW, low=1.0, high=1e7)], 2)
    assert [answer.verdict for answer in answers] == ["input", "in"]
    assert scores(answers) == {"in": 1, "near": 0, "out": 0, "input": 1, "not modelled": 0}


def question(words: str, negative: bool, now: float, usual: float) -> Question:
    def outcome(value: float) -> Outcome:
        values = {
            name: np.full((2, 1), value)
            for name in ("charge on stopped products", "Nvidia research", "AMD research")
        }
        return Outcome("a", ("2025",), values, {}, np.zeros((2, 4)), np.zeros((2, 4)))

    return Question(outcome(now), lambda: outcome(usual), 0, "USD bn", words, negative)


def test_a_charge_has_the_sign_that_is_published():
    read = rule_of(RESULTS["PR070"]).read
    assert read(question("h20 charge", True, 4.5, 0.0)).tolist() == [-4.5, -4.5]
    assert read(question("h20 charge", False, 4.5, 0.0)).tolist() == [4.5, 4.5]


@pytest.mark.parametrize(
    ("words", "negative", "found"),
    [
        ("r&d change | full decoupling", True, -8.0),
        ("r&d change | 25% decoupling", True, -2.0),
        ("r&d change | 50% decoupling", True, -4.0),
        ("r&d change | 10 per cent decoupling", True, -0.8),
        ("r&d lost | full decoupling", False, 8.0),
        ("r&d lost | full decoupling", True, -8.0),
    ],
)
def test_of_a_part_of_a_decoupling_the_part_counts_with_one_sign(words, negative, found):
    read = rule_of(RESULTS["PR059"]).read
    assert read(question(words, negative, 3.0, 7.0)) == pytest.approx([found, found])


@pytest.mark.parametrize(
    ("condition", "scenario", "settings"),
    [
        ("H20 licences for a revenue share of 15%", "revenue_share", {"policy.revenue_share_rate": 0.15}),
        ("revenue share raised to 30%", "revenue_share", {"policy.revenue_share_rate": 0.3}),
        ("licences against a 40 per cent fee", "case_by_case_2026", {"policy.section232_rate": 0.4}),
        ("25% decoupling", "no_exports_2025", {}),
        ("status", "baseline", {}),
    ],
)
def test_the_rate_of_a_fee_is_that_of_the_condition(condition, scenario, settings):
    result = replace(ROW, scenario=condition)
    assert scenario_of(result) == scenario
    assert settings_for(result.condition) == settings


def test_another_fee_is_simulated_and_named():
    fees = replace(ROW, metric="licence fees collected", unit="USD bn", year="2026")
    low, high = answer_all([replace(fees, scenario=f"revenue share of {rate}%") for rate in (15, 30)], 2)
    assert low.scenario == "revenue_share"
    assert high.scenario == "revenue_share with policy.revenue_share_rate = 0.3"
    assert high.median > low.median > 0


def test_the_answer_says_how_far_off_it_is():
    near, far = answer_all([replace(ROW, low=1.0, high=1e7), replace(ROW, value=1.5, low=1.0, high=2.0)], 2)
    assert near.verdict == "in"
    assert far.verdict == "out"
    assert "times over the range" in far.why


def test_a_year_outside_of_the_simulation_is_said_to_be_one():
    answer = answer_all([replace(ROW, year="")], 2)[0]
    assert answer.verdict == "not modelled"
    assert "2022 to 2032" in answer.why


def test_a_wrong_file_of_published_results_is_one_line(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("result_id,study\nX,Y\n")
    with pytest.raises(InputError, match="scenario, metric"):
        read_published(path)
    with pytest.raises(InputError, match=r"none\.csv.* is not a readable file"):
        read_published(tmp_path / "none.csv")
