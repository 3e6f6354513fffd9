"""Classes of work: by hand, at their limits, and what their mix does to the market."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from computemarket.agents.buyers.workloads import EMBODIED
from computemarket.analysis.results.measures import measure
from computemarket.analysis.results.series import panels_from_recorder
from computemarket.model.core.calendar import quarters_since_start
from computemarket.model.hardware.economics.market_table import load_basket
from computemarket.model.hardware.economics.workload_table import Call, hours_per_token
from computemarket.model.markets.serving import serve, tokens_per_rated, wishes
from computemarket.model.mechanisms.buyers.demand import WORKLOADS
from computemarket.model.mechanisms.buyers.workloads import (
    SEGMENTS,
    answer_cost_usd,
    hours_factor,
    right_share,
    segments_by_need,
    tier_preference,
    tilt,
    value_over_cost,
    worth_while,
)
from computemarket.model.world.world import read_rows
from computemarket.scenarios.assembly import assemble
from computemarket.scenarios.batches.ensemble import prepare, simulate_chunk
from computemarket.scenarios.schema import load_scenario

RUNS = np.arange(32)
FIRST, CHANGE = (quarters_since_start(quarter) for quarter in ("2026Q1", "2027Q1"))
SPEED = np.array([10.0, 100.0])
one = np.ones(1)


def test_a_class_without_own_wishes_chooses_as_the_mean_user_does():
    base = np.array([[0.7, 0.3]])
    found = tier_preference(base, SPEED, np.zeros((1, 1)), np.array([100.0]), np.array([np.inf]))
    np.testing.assert_allclose(found[0, 0], base[0])


def test_speed_and_patience_by_hand():
    base = np.array([[0.5, 0.5]])
    keen = tier_preference(base, SPEED, np.ones((1, 1)), np.array([100.0]), np.array([np.inf]))
    np.testing.assert_allclose(keen[0, 0], [1 / 11, 10 / 11])  # speed to the power of one
    hasty = tier_preference(base, SPEED, np.zeros((1, 1)), np.array([100.0]), np.array([9.0]))
    np.testing.assert_allclose(hasty[0, 0, 1], 1 / (1 + np.exp(-1)))  # ten seconds of wait against one


def test_an_answer_by_hand():
    right = right_share(np.array([[1000.0]]), 1000.0, 0.6)
    np.testing.assert_allclose(right, 0.5)
    stages = answer_cost_usd(one[None] * 2.0, right, 0.25, 0.1, 0.5, 0.3)
    np.testing.assert_allclose(stages[0, 0], [1.0, 4.0, 1.0, 0.4, 0.3])


@given(st.floats(1.0, 1e7), st.floats(1.0, 1e7), st.floats(0.1, 3.0))
def test_longer_tasks_come_out_right_less_often_and_longer_horizons_help(length, more, slope):
    tokens = np.array([[length, length + more]])
    near, far = right_share(tokens, 1e4, slope)[0], right_share(tokens, 1e5, slope)[0]
    assert near[1] <= near[0]
    assert (far >= near).all()


def test_tasks_are_worth_their_cost_as_often_as_values_allow():
    share = worth_while(0.5, np.array([[1.0, np.exp(-2.0), np.exp(2.0)]]), 2.0)
    np.testing.assert_allclose(share, [[1.0, 2 * 0.8413447, 2 * 0.1586553]], rtol=1e-6)


def test_cheaper_answers_return_more_by_hand():
    ratio = np.array([[1.0, 0.5]])
    found = value_over_cost(0.5, ratio, 1.0)[0]
    draws = np.exp(
        np.random.default_rng(1).normal(size=400_000)
    )  # values, with the cost of the start at the median
    for place, cost in enumerate(ratio[0]):
        assert found[place] == pytest.approx(draws[draws > cost].mean() / cost, rel=0.01)
    assert found[1] > found[0] > 1


def test_an_unchanged_mix_tilts_nothing_and_a_mix_of_fast_work_asks_for_fast_tiers():
    base, preference = np.array([[0.5, 0.5]]), np.array([[[0.8, 0.2], [0.2, 0.8]]])
    hours = np.array([[1.0, 1.0], [3.0, 3.0]])
    even, fast = np.array([[0.5, 0.5]]), np.array([[0.25, 0.75]])
    np.testing.assert_allclose(tilt(even, even, preference, base), 1.0)
    np.testing.assert_allclose(tilt(fast, even, preference, base), [[0.7, 1.3]])
    np.testing.assert_allclose(hours_factor(even, even, preference, hours), 1.0)
    expected = [(0.2 + 0.15 * 3) / 0.35 / 1.4, (0.05 + 0.6 * 3) / 0.65 / 2.6]
    np.testing.assert_allclose(hours_factor(fast, even, preference, hours), [expected])


def test_segments_by_hand():
    speed, context = np.array([400.0, 20.0, 20.0, 400.0]), np.array([1e5, 1e3, 1e5, 1e3])
    found = segments_by_need(speed, context, np.array([False, False, False, True]), 80.0, 8000.0)
    np.testing.assert_array_equal(found, np.eye(4))


def test_the_hardware_serves_the_baskets_own_request_at_its_own_cost_and_long_prompts_dearer():
    service = load_basket().service
    usual = Call(service.input_tokens, service.output_tokens, service.cached_share)
    longer = Call(80000, 4000, service.cached_share)
    found = hours_per_token((usual, longer, Call(80000, 4000, 0.99)))
    np.testing.assert_allclose(found[0], 1.0)
    assert (found[1, :3] > 1.2).all()  # where users wait for tokens one by one, decoding is most of the cost
    assert (found[2] < found[1]).all()


def test_every_class_has_a_row_and_a_segment():
    assert {row["id"] for row in read_rows("workloads")} == set(WORKLOADS)
    market = assemble(load_scenario("baseline"), np.arange(1), frozenset())
    segments = market.cast.workloads.segments
    assert (segments.sum(axis=1) == 1).all()
    assert (segments.sum(axis=0) > 0).all()


def test_a_class_at_its_usual_growth_adds_nothing_to_all_use():
    scenario = load_scenario("baseline")
    work = assemble(scenario, np.arange(2), frozenset()).cast.workloads
    names = [f"demand.task_growth_ln_{name}" for name in WORKLOADS]
    usual = dict(zip(names, work.usual_growth.tolist(), strict=True))
    usual |= {"demand.mix_noise_sd": 0, "demand.deepening_ln": work.usual_deepening}
    market = assemble(scenario.with_settings(usual), np.arange(2), frozenset())
    work = market.cast.workloads
    while market.quarter < FIRST + 6:
        market.step()
        if market.quarter == FIRST + 1:
            assert market.state.tier_tilt == pytest.approx(1.0)
            assert market.state.request_factor == pytest.approx(1.0)
    others = np.delete(work.extra, EMBODIED, axis=1)  # robots have a fate of their own
    np.testing.assert_allclose(others, 0.0, atol=1e-12)
    assert not np.allclose(market.state.tier_tilt, 1.0)


def test_the_market_wants_more_of_a_tier_that_work_asks_for_and_slower_work_takes_more_hours():
    market = assemble(load_scenario("baseline"), np.arange(2), frozenset())
    while market.quarter < FIRST:
        market.step()
    state = market.state
    served = np.ones(state.use_price_usd.shape, dtype=np.bool_)

    def wanted():
        return wishes(market, state.use_price_usd, served).amount[:, 0]

    usual = wanted()
    state.tier_tilt[:, 4] = 2.0
    keen = wanted()
    np.testing.assert_allclose(keen[:, 4] / keen[:, 1], 2 * usual[:, 4] / usual[:, 1])
    state.tier_tilt[:], per_unit = 1.0, tokens_per_rated(market)
    state.request_factor[:] *= 0.5
    np.testing.assert_allclose(tokens_per_rated(market), 0.5 * per_unit)
    hours = (state.token_hours_h100e / state.tokens)[:, 0, 1:4]
    serve(market)
    assert ((state.token_hours_h100e / state.tokens)[:, 0, 1:4] > 1.5 * hours).all()


@pytest.fixture(scope="module")
def compared():
    names = ("baseline", "world_models", "long_tasks_stall")
    return {name: simulate_chunk(prepare(name, seed=1), RUNS) for name in names}


def test_scenarios_change_nothing_before_their_date(compared):
    for name in ("world_models", "long_tasks_stall"):
        for variable in compared["baseline"].series:
            one, other = (
                np.ascontiguousarray(compared[found].array(variable)[:, :CHANGE])
                for found in ("baseline", name)
            )
            assert one.tobytes() == other.tobytes(), variable


@pytest.mark.parametrize(
    ("scenario", "name", "sign", "year"),
    [
        ("world_models", "world_compute_stock", +1, "2030"),
        ("world_models", "inference_share", +1, "2029"),
        ("world_models", "four_clouds_capex", +1, "2031"),
        ("long_tasks_stall", "world_compute_stock", -1, "2032"),
        ("long_tasks_stall", "agent_work_share", -1, "2030"),
    ],
)
def test_scenarios_move_the_market_as_their_lines_say(compared, scenario, name, sign, year):
    before, after = (
        measure(name).at(panels_from_recorder(compared[found], "", RUNS.tolist()), year)
        for found in ("baseline", scenario)
    )
    assert (np.sign(after - before) == sign).mean() >= 0.75, np.median(after / before)


def test_useful_answers_get_cheaper_and_talk_gives_way_to_heavier_work(compared):
    found = compared["baseline"]
    cost = found.array("cost_per_useful_answer_usd")
    coding = WORKLOADS.index("coding_agent")
    assert (cost[:, -1, coding] < cost[:, FIRST, coding]).all()
    share = found.array("token_share_by_segment")
    talk = SEGMENTS.index("interactive")
    assert (share[:, -1, talk] < share[:, FIRST, talk]).all()
    np.testing.assert_allclose(share[:, FIRST:].sum(axis=2), 1.0)


def test_agents_at_long_tasks_wait_for_models_that_finish_them(compared):
    slow = load_scenario("baseline").with_settings({"demand.horizon_doubling_quarters": 40})
    place = WORKLOADS.index("multi_agent")
    never, usual = (
        found.array("token_share_by_workload")[:, -1, place]
        for found in (simulate_chunk(prepare(slow, seed=1), RUNS), compared["baseline"])
    )
    assert (never < usual).mean() >= 0.75
