"""What it costs to leave the leader's software, what that does to the choice of chips, and who pays for it."""

import numpy as np
import pytest

from computemarket.agents.vendors.lock_in import FIRST
from computemarket.analysis.results.measures import measure
from computemarket.analysis.results.series import panels_from_recorder
from computemarket.model.core.calendar import quarters_since_start
from computemarket.scenarios.assembly import assemble
from computemarket.scenarios.batches.ensemble import prepare, simulate_chunk
from computemarket.scenarios.schema import load_scenario

RUNS = np.arange(8)
DATE = quarters_since_start("2027Q1")
PLAIN = {
    "lock_in.engineer_months_per_stack": 40,
    "lock_in.wage_usd_per_month": 20000,
    "lock_in.open_share_start": 0,
    "lock_in.open_erosion": 0,
    "lock_in.agent_help_2026": 0.5,
    "lock_in.agent_help_2030": 0.8,
    "lock_in.anchor_spillover": 0,
    "lock_in.service_share_ceiling": 0,
    "lock_in.upgrade_effort_share": 0.1,
    "lock_in.porting_share": 0.5,
    "credits.forfeited_share": 0,
}


def market_at(quarter, **settings):
    pairs = PLAIN | {key.replace("__", "."): value for key, value in settings.items()}
    market = assemble(load_scenario("baseline").with_settings(pairs), np.arange(3), frozenset())
    while market.quarter < quarter:
        market.step()
    return market


def test_the_cost_of_a_stack_is_worked_out_by_hand():
    lock = market_at(FIRST + 1).cast.leader.lock_in
    assert lock.exit_usd == pytest.approx(40 * 20000 * 0.5)
    assert lock.upgrade_usd == pytest.approx(0.1 * 40 * 20000 * 0.5)


def test_coding_agents_lower_the_index_in_a_straight_line_to_2030():
    # 2028Q1: half of the way from 0.5 to 0.8, so 0.35 of the work is left where 0.5 was in 2026
    market = market_at(FIRST + 9)
    assert market.cast.leader.lock_in.index == pytest.approx(0.35 / 0.5)
    assert market.state.porting_factor == pytest.approx(0.5 + 0.5 * 0.7)


def test_nothing_moves_before_2026_however_dear_a_port_is():
    cheap, dear = (market_at(FIRST, lock_in__engineer_months_per_stack=months) for months in (6, 120))
    assert np.array_equal(cheap.state.ordered_units, dear.state.ordered_units)
    assert np.array_equal(cheap.ledger.cash_usd, dear.ledger.cash_usd)


def test_usual_funding_of_open_software_is_left_to_the_calibrated_fading_of_the_gap():
    usual = market_at(FIRST + 6, lock_in__open_erosion=0.02)
    none = market_at(FIRST + 6, lock_in__open_erosion=0.0)
    assert usual.cast.leader.lock_in.index == pytest.approx(none.cast.leader.lock_in.index)
    assert (usual.cast.leader.lock_in.exit_usd < none.cast.leader.lock_in.exit_usd).all()


def test_more_effort_for_open_software_opens_the_lock():
    effort = [{"from": "2026Q2", "value": 5}]
    usual = market_at(FIRST + 6, lock_in__open_erosion=0.02)
    funded = market_at(FIRST + 6, lock_in__open_erosion=0.02, lock_in__open_effort=effort)
    assert (funded.cast.leader.lock_in.index < usual.cast.leader.lock_in.index).all()


def test_packaged_services_and_credits_that_are_forfeited_bind():
    free = market_at(FIRST + 2).cast.leader.lock_in
    served = market_at(FIRST + 2, lock_in__service_share_ceiling=1.0).cast.leader.lock_in
    bound = market_at(FIRST + 2, credits__forfeited_share=1.0, credits__stage_hazard=0).cast.leader.lock_in
    assert (served.exit_usd > free.exit_usd).all()
    assert (served.upgrade_usd < free.upgrade_usd).all()
    assert (bound.exit_usd > free.exit_usd).all()


def test_a_watched_lab_that_leaves_makes_it_cheaper_for_others():
    alone = market_at(FIRST + 8, lock_in__anchor_spillover=0.0).cast.leader.lock_in
    helped = market_at(FIRST + 8, lock_in__anchor_spillover=0.6).cast.leader.lock_in
    assert (alone.foreign_share[:, alone.anchor] > 0).all()
    assert (helped.exit_usd < alone.exit_usd).all()


def test_who_moves_pays_engineers_in_proportion_to_their_months():
    few, many = (
        market_at(FIRST + 3, lock_in__engineer_months_per_stack=months, lock_in__porting_share=0)
        for months in (20, 40)
    )
    assert few.cast.leader.lock_in.bill_usd.sum() > 0
    assert many.cast.leader.lock_in.bill_usd == pytest.approx(2 * few.cast.leader.lock_in.bill_usd, rel=1e-6)


def test_who_saves_more_than_a_port_costs_leaves_more_often():
    cheap = market_at(FIRST + 4, lock_in__porting_share=0).cast.leader.lock_in
    dear = market_at(
        FIRST + 4, lock_in__porting_share=0, lock_in__accelerators_per_stack=10,
        lock_in__engineer_months_per_stack=120, lock_in__wage_usd_per_month=60000,
    ).cast.leader.lock_in  # fmt: skip
    assert (dear.hazard <= cheap.hazard).all()
    assert (dear.hazard.sum(axis=1) < cheap.hazard.sum(axis=1)).all()


def test_open_compilers_turn_orders_to_rivals_and_change_nothing_before_their_date():
    found = [simulate_chunk(prepare(name, seed=1), RUNS) for name in ("baseline", "open_compilers")]
    panels = [panels_from_recorder(recorder, "", RUNS.tolist()) for recorder in found]
    for name, sign in (("amd_revenue_share", +1), ("nvidia_revenue_share", -1), ("nvidia_compute_share", -1)):
        before, after = (measure(name).at(panel, "2030") for panel in panels)
        assert (np.sign(after - before) == sign).mean() >= 0.75, name
    for variable in found[0].series:
        one, other = (np.ascontiguousarray(recorder.array(variable)[:, :DATE]) for recorder in found)
        assert one.tobytes() == other.tobytes(), variable
