"""How model laboratories source compute."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from computemarket.model.mechanisms.labs import (
    concentration,
    finance_tie,
    rationed_compute,
    realised_commitment,
    releases_openly,
    share_off_incumbent,
    sourcing_shares,
    split_compute,
    training_budget_usd,
)


def split(cost, tie=None, cap=None, weight=0.6):
    costs = np.array([[cost]], dtype=float)
    ties = np.zeros_like(costs) if tie is None else np.array([[tie]], dtype=float)
    caps = np.ones_like(costs) if cap is None else np.array([[cap]], dtype=float)
    return sourcing_shares(costs, ties, caps, weight)[0, 0]


def test_equal_costs_mean_equal_shares():
    np.testing.assert_allclose(split([2.0, 2.0, 2.0, 2.0]), 0.25)


def test_two_sources_by_hand():
    # relative costs 0.8 and 1.2, k = 1: shares differ by 0.4
    np.testing.assert_allclose(split([0.8, 1.2], weight=1.0), [0.7, 0.3])


def test_without_a_penalty_the_cheapest_takes_all_up_to_its_cap():
    np.testing.assert_allclose(split([0.8, 1.2], weight=1e-3), [1.0, 0.0], atol=1e-9)
    np.testing.assert_allclose(split([0.8, 1.2], cap=[0.6, 1.0], weight=1e-3), [0.6, 0.4], atol=1e-9)


def test_a_stronger_penalty_spreads_sourcing():
    light, heavy = (concentration(split([0.8, 1.0, 1.4], weight=k)[None])[0] for k in (0.3, 3.0))
    assert heavy < light


def test_an_investor_gets_more_of_the_work():
    assert split([1.0, 1.0], tie=[0.2, 0.0])[0] > 0.5


def test_capacity_short_of_need_is_used_whole():
    np.testing.assert_allclose(split([1.0, 1.0], cap=[0.3, 0.4]), [0.3, 0.4])


@given(
    st.lists(
        st.tuples(st.floats(0.1, 10), st.floats(-0.5, 0.5), st.floats(0.0, 1.0)), min_size=1, max_size=6
    ),
    st.floats(0.05, 5),
)
def test_shares_respect_caps_and_add_to_what_can_be_had(sources, weight):
    cost, tie, cap = (list(column) for column in zip(*sources, strict=True))
    result = split(cost, tie, cap, weight)
    assert (result >= 0).all()
    assert (result <= np.array(cap) + 1e-12).all()
    assert result.sum() == pytest.approx(min(1.0, sum(cap)), abs=1e-9)


@given(st.lists(st.floats(0.5, 2), min_size=3, max_size=3), st.floats(0.1, 2))
def test_no_transfer_between_two_used_sources_lowers_the_objective(cost, weight):
    shares = split(cost, weight=weight)
    price = np.array(cost) / np.mean(cost)

    def objective(s):
        return (s * price).sum() + weight / 2 * (s**2).sum()

    for i in range(3):
        for j in range(3):
            moved = shares.copy()
            step = min(1e-3, moved[i])
            moved[i], moved[j] = moved[i] - step, moved[j] + step
            assert objective(moved) >= objective(shares) - 1e-9


def test_concentration_of_equal_and_single_sources():
    np.testing.assert_allclose(concentration(np.array([[1.0, 1.0], [3.0, 0.0], [0.0, 0.0]])), [0.5, 1.0, 0.0])


def test_the_tie_grows_with_money_and_is_bounded():
    tie = finance_tie(np.array([[[0.0, 5.0, 5e6]]]), np.array([[10.0]]), 0.2)[0, 0]
    assert tie[0] == 0.0 < tie[1] < tie[2] <= 0.2


def test_the_share_off_the_incumbent_by_hand():
    shares = np.array([[[0.6, 0.3, 0.1], [0.0, 0.0, 0.0]]])
    np.testing.assert_allclose(share_off_incumbent(shares, np.array([True, False, False])), [[0.4, 0.0]])


def test_training_budgets_come_from_funding_and_revenue():
    assert training_budget_usd(np.array([[10.0]]), np.array([[4.0]]), 0.5, 0.25)[0, 0] == 6.0


def test_the_plan_holds_until_paid_use_crowds_training_out():
    training, inference = split_compute(np.full((1, 3), 90.0), 2.0, np.array([[10.0, 75.0, 500.0]]))
    np.testing.assert_allclose(inference, [[60.0, 75.0, 90.0]])
    np.testing.assert_allclose(training, [[30.0, 15.0, 0.0]])


def test_commitments_are_realised_in_part_and_only_as_far_as_money_goes():
    headline = np.array([[[100.0, 300.0]]])
    np.testing.assert_allclose(realised_commitment(headline, 0.5, np.array([[1e9]])), [[[50.0, 150.0]]])
    np.testing.assert_allclose(realised_commitment(headline, 0.5, np.array([[100.0]])), [[[25.0, 75.0]]])
    assert realised_commitment(headline, 0.5, np.array([[-5.0]])).sum() == 0.0


def test_rationed_laboratories_use_home_machines_then_the_quota():
    one = np.ones((1, 1))
    home, abroad, unmet = rationed_compute(100 * one, 40 * one, 30 * one, 0 * one, 1.5)
    assert (home[0, 0], abroad[0, 0], unmet[0, 0]) == (40.0, 30.0, 30.0)
    _, priced_out, _ = rationed_compute(100 * one, 40 * one, 30 * one, 1.5 * one, 1.5)
    assert priced_out[0, 0] == 0.0


@given(st.floats(0, 1e6), st.floats(0, 1e6), st.floats(0, 1e6), st.floats(0, 3))
def test_rationed_compute_adds_up(wanted, domestic, quota, premium):
    parts = rationed_compute(*(np.array([[x]]) for x in (wanted, domestic, quota, premium)), 1.5)
    assert sum(part[0, 0] for part in parts) == pytest.approx(wanted)
    assert min(part[0, 0] for part in parts) >= -1e-9


def test_short_compute_at_the_frontier_favours_open_release():
    uniform = ((np.arange(1000) + 0.5) / 1000)[:, None]
    full = np.ones((1000, 1))
    short = releases_openly(full, 0 * full, uniform, 0.1, 2.0).mean()
    ample = releases_openly(0 * full, 0 * full, uniform, 0.1, 2.0).mean()
    behind = releases_openly(full, 3 * full, uniform, 0.1, 2.0).mean()
    assert short > ample == pytest.approx(1 - np.exp(-0.1), abs=1e-3)
    assert behind < short
