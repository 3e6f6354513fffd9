"""Variants that vendors design in answer to the rules of a scenario."""

import numpy as np
import pytest

from computemarket.model.core.calendar import quarter_index
from computemarket.model.policy.trade.design_plan import design_plan
from computemarket.model.policy.trade.market_access import Rules
from computemarket.scenarios.assembly import rules_of
from computemarket.scenarios.batches.ensemble import prepare, simulate_chunk
from computemarket.scenarios.schema import load_scenario

DATE = "2024Q1"


def plan(scenario):
    return design_plan(rules_of(scenario), scenario.settings)


def by_name(scenario):
    made = plan(scenario)
    return {made.world.products.ids[design.slot]: design for design in made.designs}


def with_threshold(tpp):
    return load_scenario("baseline").with_settings({"policy.tpp_threshold_a": [{"from": DATE, "value": tpp}]})


def test_the_rules_of_2022_and_2023_need_no_design_beside_those_of_the_record():
    launches = [design.launch for design in plan(load_scenario("baseline")).designs]
    assert all(launch > quarter_index("2025Q2") for launch in launches)


def test_the_letters_of_2025_are_answered_by_a_chip_like_the_rtx_pro_6000d():
    design = by_name(load_scenario("baseline"))["nvidia_variant_1"]
    assert design.launch == quarter_index("2025Q3")
    assert design.tpp == pytest.approx(2368, rel=0.01)
    assert design.dram_bw_gbps < 1400
    assert design.dram_bw_gbps + design.io_bidir_gbps < 1700


def test_a_new_threshold_gets_the_best_chip_just_under_it_after_the_lag():
    design = by_name(with_threshold(2000.0))["nvidia_variant_1"]
    assert 1900 < design.tpp < 2000
    assert design.memory == 1.0
    assert design.launch == quarter_index(DATE) + 2


def test_where_no_cut_pays_nothing_is_designed():
    assert all(design.launch > quarter_index("2025Q2") for design in by_name(with_threshold(450.0)).values())


def test_a_threshold_by_run_is_answered_for_its_middle():
    spread = load_scenario("baseline").with_settings(
        {"policy.tpp_threshold_a": [{"from": DATE, "value": {"uniform": [1900.0, 2100.0]}}]}
    )
    assert by_name(spread)["nvidia_variant_1"].tpp == pytest.approx(
        by_name(with_threshold(2000.0))["nvidia_variant_1"].tpp
    )


def test_without_controls_nobody_designs_anything():
    assert plan(load_scenario("no_controls")).designs == ()


def test_a_kept_rule_is_answered_again_with_each_better_generation():
    values = [
        design.value * design.tpp for design in plan(load_scenario("controls_2022")).designs if design.slot
    ]
    assert len(values) >= 3


def test_a_later_rule_leaves_the_past_as_it_was_bit_for_bit():
    usual = prepare("baseline", until="2024Q4")
    changed = usual.with_settings({"policy.tpp_threshold_a": [{"from": DATE, "value": 2000.0}]})
    one, other = (simulate_chunk(scenario, np.arange(2)) for scenario in (usual, changed))
    before = quarter_index(DATE)
    for name in one.series:
        assert one.array(name)[:, :before].tobytes() == other.array(name)[:, :before].tobytes(), name


def test_designs_hang_on_rules_and_policy_alone():
    settings = load_scenario("baseline").settings
    assert design_plan(Rules(), settings) is design_plan(Rules(), dict(settings))
