"""Rival units of compute and how their contest ends."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from computemarket.model.mechanisms.platform.standards import (
    adoption_shares,
    choice_profit_usd,
    compatibility_choice,
    end_state,
    hub_trade_share,
    links,
    network_size,
    next_base,
    rival_unit_appears,
    take_up,
    with_hub,
)

ALL = np.ones((1, 3), dtype=bool)


def reach(*choice, quality=0.6):
    return links(np.array([choice]), np.ones((1, len(choice)), dtype=bool), quality)


def test_closed_units_reach_only_their_own_users():
    np.testing.assert_array_equal(reach(0, 0, 0)[0], np.eye(3))


def test_converters_reach_the_common_unit_at_a_loss_and_its_members_reach_each_other_fully():
    expected = [[1.0, 0.6, 0.6], [0.6, 1.0, 1.0], [0.6, 1.0, 1.0]]
    np.testing.assert_array_equal(reach(1, 2, 2)[0], expected)


def test_a_unit_that_does_not_exist_reaches_nobody():
    found = links(np.array([[2, 2]]), np.array([[True, False]]), 0.6)
    assert found[0].tolist() == [[1.0, 0.0], [0.0, 0.0]]


def test_a_hub_lists_everyone_for_its_fee():
    listed = with_hub(reach(0, 0), np.array([True]), 0.03)
    np.testing.assert_allclose(listed[0], [[1.0, 0.97], [0.97, 1.0]])
    np.testing.assert_array_equal(with_hub(reach(0, 0), np.array([False]), 0.03), reach(0, 0))


def test_network_size_by_hand():
    assert network_size(np.array([[10.0, 20.0]]), reach(1, 1, quality=0.5)).tolist() == [[20.0, 25.0]]


def test_equal_units_share_equally_and_an_empty_market_has_no_shares():
    shares = adoption_shares(np.zeros((1, 3)), np.ones((1, 3)), 0.5, ALL)
    np.testing.assert_allclose(shares, 1 / 3)
    assert adoption_shares(np.zeros((1, 3)), np.ones((1, 3)), 0.5, ~ALL).sum() == 0.0


def test_adoption_share_by_hand():
    shares = adoption_shares(np.zeros((1, 2)), np.array([[3.0, 0.0]]), 1.0, ALL[:, :2])
    np.testing.assert_allclose(shares, [[0.8, 0.2]])  # odds 4 : 1


def play(weight, start, quarters=200):
    base = np.array([start])
    for _ in range(quarters):
        network = network_size(base, reach(*[0] * base.shape[1]))
        shares = adoption_shares(np.zeros_like(base), network, weight, np.ones_like(base, dtype=bool))
        base = next_base(base, np.array([0.0]), shares, 0.1)
    return base / base.sum()


def test_strong_networks_tip_to_the_early_leader_and_weak_ones_do_not():
    assert play(1.5, [60.0, 40.0])[0, 0] > 0.95
    assert play(0.5, [60.0, 40.0])[0, 0] == pytest.approx(0.5, abs=0.01)


@given(st.lists(st.floats(0, 1e6), min_size=2, max_size=5), st.floats(0, 1e6), st.floats(0, 1))
def test_users_are_conserved(base, joining, churn):
    bases = np.array([base])
    shares = adoption_shares(np.zeros_like(bases), bases, 0.5, np.ones_like(bases, dtype=bool))
    new = next_base(bases, np.array([joining]), shares, churn)
    assert new.sum() == pytest.approx(bases.sum() + joining, rel=1e-9, abs=1e-9)


def test_a_small_platform_opens_up_and_a_dominant_one_stays_closed():
    base = np.array([[1000.0, 10.0]])
    choice = np.array([[0, 1]])
    margin = np.array([0.08, 0.06, 0.04])
    market = np.array([1e9])
    present = np.ones((1, 2), dtype=bool)
    # the large one weighs its own closed margin; let it be open so that the small one has somewhere to connect
    profit = choice_profit_usd(choice, base, np.zeros((1, 2)), present, market, margin, 1.0, 0.6)
    assert compatibility_choice(choice, profit, 0.05)[0, 0] == 0
    open_leader = np.array([[1, 0]])
    profit = choice_profit_usd(open_leader, base, np.zeros((1, 2)), present, market, margin, 1.0, 0.6)
    assert compatibility_choice(open_leader, profit, 0.05)[0, 1] == 1


def test_inertia_keeps_the_present_choice():
    profit = np.array([[[1.0, 1.04, 0.0]]])
    now = np.array([[0]])
    assert compatibility_choice(now, profit, 0.05)[0, 0] == 0
    assert compatibility_choice(now, profit, 0.01)[0, 0] == 1


def test_the_race_quickens_as_the_leaders_credit_advances():
    uniform = (np.arange(1000)[:, None] + 0.5) / 1000
    none = np.zeros((1000, 1), dtype=bool)
    early = rival_unit_appears(uniform, 0.08, np.zeros(1000, dtype=np.int64), none).mean()
    late = rival_unit_appears(uniform, 0.08, np.full(1000, 3), none).mean()
    assert early == pytest.approx(1 - np.exp(-0.08), abs=1e-3)
    assert late == pytest.approx(1 - np.exp(-0.32), abs=1e-3)
    assert not rival_unit_appears(uniform, 9.0, np.zeros(1000, dtype=np.int64), ~none).any()


def test_fragmented_networks_hold_back_take_up():
    base = np.array([[50.0, 50.0, 50.0]])
    alone = take_up(np.zeros((1, 3)), network_size(base, reach(0, 0, 0)), 0.5, ALL, 2.0)
    common = take_up(np.zeros((1, 3)), network_size(base, reach(2, 2, 2)), 0.5, ALL, 2.0)
    assert alone[0] < common[0] < 1
    assert take_up(np.zeros((1, 3)), base, 0.5, ~ALL, 2.0)[0] == 0.0


def test_end_states_by_hand():
    shares = np.array([[0.5, 0.5], [0.9, 0.1], [0.9, 0.1]])
    assert end_state(shares, np.array([0.2, 0.2, 0.6]), 0.75, 0.5).tolist() == [0, 1, 2]


def test_the_hub_carries_trade_between_closed_units_and_little_between_linked_ones():
    shares = np.array([[0.5, 0.5]])
    closed = hub_trade_share(reach(0, 0), shares, 0.03, 8.0)[0]
    common = hub_trade_share(reach(2, 2), shares, 0.03, 8.0)[0]
    assert common < closed <= 0.5
    assert common == pytest.approx(0.5 / (1 + np.exp(8 * 0.03)))
    assert hub_trade_share(reach(0, 0), np.array([[1.0, 0.0]]), 0.03, 8.0)[0] == 0.0


def test_huge_utilities_do_not_overflow():
    shares = adoption_shares(np.array([[900.0, 899.0]]), np.zeros((1, 2)), 0.5, ALL[:, :2])
    np.testing.assert_allclose(shares, [[1 / (1 + np.exp(-1)), 1 / (1 + np.exp(1))]])
