"""Lock-in: what leaving costs, who leaves, and what erodes it."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from computemarket.model.mechanisms.broadcast import per_run, present_value_factor
from computemarket.model.mechanisms.buyers.switching_cost import (
    after_anchor,
    after_services,
    agent_help_at,
    next_open_share,
    switching_cost_usd,
    switching_hazard,
    with_credit_balance,
)

SHARE = st.floats(0.0, 1.0)


def test_two_stacks_of_36_months_at_25k_cost_1_8_million():
    assert switching_cost_usd(np.array([2.0]), 36.0, 25e3, 0.0, 0.0)[0] == 1.8e6


def test_open_software_and_agents_multiply_what_they_save():
    cost = switching_cost_usd(np.array([2.0]), 36.0, 25e3, 0.5, 0.5)[0]
    assert cost == 0.45e6


def test_a_fully_open_stack_costs_nothing_to_leave():
    assert switching_cost_usd(np.array([7.0]), 36.0, 25e3, 1.0, 0.0)[0] == 0.0


@given(SHARE, SHARE, SHARE)
def test_more_openness_never_makes_leaving_dearer(low, high, help_share):
    low, high = min(low, high), max(low, high)
    stacks = np.array([[3.0, 1.0]])
    dear = switching_cost_usd(stacks, 36.0, 25e3, low, help_share)
    assert (switching_cost_usd(stacks, 36.0, 25e3, high, help_share) <= dear).all()


def test_services_cut_upgrades_by_80_percent_and_raise_exit_by_20_percent():
    upgrade, leave = after_services(np.array([100.0]), 1.0, 0.8, 0.2)
    np.testing.assert_allclose([upgrade[0], leave[0]], [20.0, 120.0])


@given(st.floats(-1e9, 1e9), st.floats(0.0, 1e9))
def test_the_hazard_rises_with_the_gain_and_stays_below_the_review_rate(gain, more):
    stake = np.array([1e8])
    low = switching_hazard(np.array([gain]), stake, 0.25, 0.2)[0]
    high = switching_hazard(np.array([gain + more]), stake, 0.25, 0.2)[0]
    assert 0.0 <= low <= high <= 0.25


def test_an_indifferent_population_switches_at_half_the_review_rate():
    assert switching_hazard(np.array([0.0]), np.array([1.0]), 0.2, 0.1)[0] == 0.1


def test_anchor_diversification_lowers_others_switching_cost():
    np.testing.assert_allclose(after_anchor(np.array([100.0]), 0.5, 0.3), [85.0])


def test_forfeited_credits_lock_in_and_portable_ones_do_not():
    cost, balance = np.array([10.0]), np.array([4.0])
    assert with_credit_balance(cost, balance, 1.0)[0] == 14.0
    assert with_credit_balance(cost, balance, 0.0)[0] == 10.0


@given(SHARE, st.floats(0, 0.1), st.floats(0, 3), SHARE)
def test_the_open_share_never_falls_and_respects_its_ceiling(share, erosion, effort, ceiling):
    new = next_open_share(np.array([share]), erosion, effort, ceiling)[0]
    assert share <= new <= max(share, ceiling)


def test_agent_help_runs_straight_between_its_years():
    assert agent_help_at(2025.0, 0.3, 0.7, 2026.0, 2030.0) == 0.3
    np.testing.assert_allclose(agent_help_at(2028.0, 0.3, 0.7, 2026.0, 2030.0), 0.5)
    assert agent_help_at(2031.0, 0.3, 0.7, 2026.0, 2030.0) == 0.7


def test_present_value_factor_by_hand_and_at_zero_interest():
    np.testing.assert_allclose(present_value_factor(0.1, 2.0), 1 / 1.1 + 1 / 1.21)
    assert present_value_factor(0.0, 8.0) == 8.0


def test_a_parameter_by_run_meets_each_run_alone():
    cost = switching_cost_usd(np.ones((2, 3)), np.array([1.0, 2.0]), 10.0, 0.0, 0.0)
    assert cost.tolist() == [[10.0] * 3, [20.0] * 3]
    assert per_run(np.array([1.0, 2.0]), 3).shape == (2, 1, 1)


def test_the_hazard_depends_on_gain_over_stake():
    hazards = switching_hazard(np.array([10.0, 1000.0]), np.array([100.0, 10_000.0]), 0.25, 0.1)
    np.testing.assert_allclose(hazards, 0.25 / (1 + np.exp(-1)))
