"""Published results beside the model's: matched by words and units, never by value; honest where there is no answer."""

from dataclasses import replace

import numpy as np
import pytest

from computemarket.analysis.policies.published import (
    answer_all,
    bounds_of,
    read_published,
    reason_without,
    rule_of,
    scenario_of,
)
from computemarket.analysis.policies.published_readers import kind_of
from computemarket.analysis.policies.published_rules import NOT_HELD
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
        ("China’s share of world AI compute owned", "share", "stock by headquarters"),
        ("Nvidia share of China AI chip sales", "share", "of sales in China"),
        ("smuggled  chips in the year", "chips", "units that arrived in the year"),
        ("H20 revenue lost", "USD bn", "Nvidia's sales missing in the two quarters after a stop"),
        ("smuggled share of China training compute added", "share",
         "of compute added in the year, whatever its use"),
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
    assert {scenario_of(result) for result in RESULTS.values()} <= set(library_names())


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
