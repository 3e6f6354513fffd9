"""Segments of work by latency and context: which there are, what they pay, and on whose chips they are served."""

import numpy as np
import pytest

from computemarket.analysis.results.measures import measure
from computemarket.analysis.results.series import panels_from_recorder
from computemarket.model.core.calendar import quarters_since_start
from computemarket.model.core.recorded import recorded_by
from computemarket.model.mechanisms.buyers.demand import WORKLOADS
from computemarket.model.mechanisms.buyers.workloads import SEGMENTS, segments_that_carry_a_chip
from computemarket.scenarios.assembly import assemble
from computemarket.scenarios.batches.ensemble import prepare, simulate_chunk
from computemarket.scenarios.observers.chips import record_makers_by_segment
from computemarket.scenarios.schema import load_scenario

BY_SEGMENT = recorded_by(record_makers_by_segment).names

RUNS = np.arange(8)
FIRST = quarters_since_start("2026Q1")
QUICK = SEGMENTS.index("ultra_low_latency")


def test_a_segment_carries_a_chip_where_profit_covers_its_cost():
    sales = np.array([[10e9, 9.9e9, 0.0]])
    found = segments_that_carry_a_chip(sales, 0.2, 0.5, 2.0, 2e9)
    np.testing.assert_array_equal(found, [[1.0, 0.0, 0.0]])


@pytest.fixture(scope="module")
def market():
    found = assemble(load_scenario("baseline"), np.arange(2), frozenset(BY_SEGMENT))
    while found.quarter < FIRST + 4:
        found.step()
    return found


def test_what_segments_pay_follows_the_prices_of_their_tiers(market):
    work, state = market.cast.workloads, market.state
    share = work.segment_revenue_share()
    np.testing.assert_allclose(share.sum(axis=1), 1.0)
    before = state.token_price_usd_per_mtok[:, 0, -1].copy()
    state.token_price_usd_per_mtok[:, 0, -1] *= 100  # the tier that work without patience takes most
    dear = work.segment_revenue_share()
    state.token_price_usd_per_mtok[:, 0, -1] = before
    assert (dear[:, QUICK] > share[:, QUICK]).all()


def test_segments_fill_every_tier(market):
    found = market.cast.workloads.segment_in_tier()
    np.testing.assert_allclose(found.sum(axis=1), 1.0)
    assert (found[:, QUICK, -1] > found[:, QUICK, 1]).all()


def test_work_that_waits_for_nobody_is_served_by_the_chips_of_the_fast_tier(market):
    state, structure = market.state, market.structure
    products = market.world.products
    units, tokens, abroad = state.fleet_units.copy(), state.tokens.copy(), state.used_abroad_h100e.copy()
    state.fleet_units[:] = state.used_abroad_h100e[:] = 0.0
    place = market.world.operator("coreweave")
    state.fleet_units[:, place, [products.ids.index("nvidia_gb200"), products.ids.index("cerebras_wse3")]] = (
        1e6,
        10.0,
    )
    record_makers_by_segment(market)
    last = market.recorder.array("segment_tokens_by_designer")[:, -1]
    series = last.reshape(2, len(structure.designers), len(SEGMENTS))
    wafer = structure.designers.index("cerebras")
    share = series[:, wafer] / series.sum(axis=1)
    assert (share[:, QUICK] == share.max(axis=1)).all()
    west = tokens[:, 0].sum(axis=1)  # where the fleet stands
    np.testing.assert_allclose(series.sum(axis=(1, 2)), west, rtol=1e-6)
    state.fleet_units[:], state.tokens[:], state.used_abroad_h100e[:] = units, tokens, abroad


@pytest.fixture(scope="module")
def compared():
    wanted = frozenset((*BY_SEGMENT, "tokens_by_designer", "vendor_research_usd", "inference_over_training",
                        "viable_segments", "token_revenue_share_by_segment", "tokens_served",
                        "token_price_usd_per_mtok", "inference_share_of_compute"))  # fmt: skip
    return {
        name: simulate_chunk(prepare(name, seed=1), RUNS, wanted) for name in ("baseline", "lpu_rack_fails")
    }


def test_segments_sum_to_what_designers_serve_and_research_to_what_vendors_spend(compared):
    panels = panels_from_recorder(compared["baseline"], "", RUNS.tolist())
    for name in ("nvidia", "google", "huawei"):
        by_segment, served = (
            panels.total(variable, name) for variable in ("segment_tokens_by_designer", "tokens_by_designer")
        )
        np.testing.assert_allclose(by_segment[:, FIRST:], served[:, FIRST:], rtol=1e-6)
    spent, spread = (
        panels.total(variable, "nvidia")[:, FIRST:]
        for variable in ("vendor_research_usd", "research_by_segment_usd")
    )
    np.testing.assert_allclose(spread, spent, rtol=1e-9)


def test_inference_over_training_is_the_odds_of_its_share_and_rises(compared):
    found = compared["baseline"]
    share, ratio = found.array("inference_share_of_compute"), found.array("inference_over_training")
    np.testing.assert_allclose(ratio, share / (1 - share), rtol=1e-6)
    panels = panels_from_recorder(found, "", RUNS.tolist())
    rise = measure("inference_over_training").at(panels, "2032") - measure("inference_over_training").at(
        panels, "2026"
    )
    assert (rise > 0).mean() >= 0.75


def test_the_number_of_segments_that_carry_a_chip_differs_between_runs_and_stays_in_bounds(compared):
    number = compared["baseline"].array("viable_segments")[:, FIRST:, 0]
    assert ((number >= 0) & (number <= len(SEGMENTS))).all()
    assert len(np.unique(number)) > 1
    assert np.isnan(compared["baseline"].array("viable_segments")[:, :FIRST]).all()


def test_the_fastest_tier_is_served_less_and_dearer_where_the_leaders_lpus_fail(compared):
    served, price = [], []
    for name in ("baseline", "lpu_rack_fails"):
        panels = panels_from_recorder(compared[name], "", RUNS.tolist())
        fast = panels.total("tokens_served", "world", None, "ultra")
        served.append(fast[:, -12:].sum(axis=1))
        price.append(measure("token_price_ultra").at(panels, "2030"))
    assert (served[1] < served[0]).mean() >= 0.75
    assert (price[1] > price[0]).mean() >= 0.75


def test_every_class_of_work_belongs_to_one_segment(market):
    segments = market.cast.workloads.segments
    assert segments.shape == (len(WORKLOADS), len(SEGMENTS))
    assert segments[WORKLOADS.index("embodied"), QUICK] == 1
    assert segments[WORKLOADS.index("deep_research"), SEGMENTS.index("long_context_reasoning")] == 1
    assert segments[WORKLOADS.index("video"), SEGMENTS.index("batch")] == 1
