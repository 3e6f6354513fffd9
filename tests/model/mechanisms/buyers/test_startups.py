"""The startup population."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from computemarket.model.mechanisms.buyers.startups import (
    enters,
    expected_entrants,
    leaves,
    next_cash_usd,
    next_revenue_usd,
    provider_shares,
    raised_usd,
)

ALIVE = np.array([[True, True, False, False]])


def uniforms(shape, seed=1):
    return np.random.Generator(np.random.Philox(seed)).uniform(size=shape)


def test_only_empty_places_are_taken():
    assert enters(ALIVE, np.zeros((1, 4)), 2.0).tolist() == [[False, False, True, True]]


def test_the_mean_number_of_entrants_is_as_asked():
    entered = enters(np.zeros((2000, 50), dtype=bool), uniforms((2000, 50)), 4.0).sum(axis=-1)
    assert entered.mean() == pytest.approx(4.0, abs=0.2)


def test_a_full_house_takes_nobody():
    assert not enters(np.ones((1, 4), dtype=bool), np.zeros((1, 4)), 9.0).any()


def test_lower_barriers_and_hope_bring_entrants():
    args = (np.zeros(1), 1.0, 1.0)
    base = expected_entrants(4.0, np.array([1.0]), *args)[0]
    assert expected_entrants(4.0, np.array([0.1]), *args)[0] > base
    assert expected_entrants(4.0, np.array([1.0]), np.array([0.5]), 1.0, 1.0)[0] > base
    assert expected_entrants(4.0, np.zeros(1), *args)[0] == 4.0


def test_a_round_pays_a_runway_and_only_firms_alive_get_one():
    raised = raised_usd(ALIVE, np.zeros((1, 4)), 0.17, np.full((1, 4), 2.0), 18.0, np.zeros(1))
    assert raised.tolist() == [[36.0, 36.0, 0.0, 0.0]]


def test_hopeful_investors_fund_more_firms():
    alive, draws, burn = np.ones((1, 5000), dtype=bool), uniforms((1, 5000)), np.ones((1, 5000))
    counts = [
        np.count_nonzero(raised_usd(alive, draws, 0.17, burn, 18.0, np.array([mood])))
        for mood in (-1.0, 0.0, 1.0)
    ]
    assert counts[0] < counts[1] < counts[2]
    assert counts[1] / 5000 == pytest.approx(1 - np.exp(-0.17), abs=0.02)


def test_mean_revenue_growth_does_not_depend_on_its_spread():
    normal = np.random.Generator(np.random.Philox(3)).normal(size=(1, 200_000))
    grown = next_revenue_usd(np.ones((1, 200_000)), 0.15, 0.3, normal)
    assert grown.mean() == pytest.approx(np.exp(0.15), rel=0.005)


def test_cash_by_hand():
    one = np.ones((1, 1))
    assert next_cash_usd(10 * one, 3 * one, 5 * one, 4 * one, 2 * one)[0, 0] == 12.0


def test_firms_without_cash_fail_and_only_solvent_ones_are_bought():
    alive = np.array([[True, True, True, False]])
    failed, bought = leaves(alive, np.array([[-1.0, 5.0, 5.0, -1.0]]), np.array([[0.0, 0.0, 0.9, 0.0]]), 0.02)
    assert failed.tolist() == [[True, False, False, False]]
    assert bought.tolist() == [[False, True, False, False]]


def test_spend_goes_to_the_cheapest_homes():
    cost, usable = np.array([[1.0, 2.0, 4.0]]), np.ones((1, 3), dtype=bool)
    two = provider_shares(cost, np.zeros((1, 1, 3)), 1.0, 2, usable)[0, 0]
    np.testing.assert_allclose(two, [2 / 3, 1 / 3, 0.0])
    one = provider_shares(cost, np.zeros((1, 1, 3)), 1.0, 1, usable)[0, 0]
    assert one.tolist() == [1.0, 0.0, 0.0]


def test_noise_lets_a_dearer_provider_in():
    gumbel = np.zeros((1, 1, 3))
    gumbel[0, 0, 2] = 10.0
    chosen = provider_shares(np.array([[1.0, 2.0, 4.0]]), gumbel, 1.0, 2, np.ones((1, 3), dtype=bool))[0, 0]
    assert chosen[2] > 0
    assert chosen[1] == 0


@given(st.lists(st.booleans(), min_size=4, max_size=4), st.integers(1, 6), st.integers(0, 50))
def test_spend_adds_up_over_at_most_the_homes(usable, homes, seed):
    mask = np.array([usable])
    gumbel = -np.log(-np.log(uniforms((1, 3, 4), seed)))
    shares = provider_shares(np.array([[1.0, 1.5, 2.0, 3.0]]), gumbel, 2.0, homes, mask)
    assert ((shares > 0).sum(axis=-1) <= homes).all()
    assert (shares[:, :, ~mask[0]] == 0).all()
    np.testing.assert_allclose(shares.sum(axis=-1), float(mask.any()))
