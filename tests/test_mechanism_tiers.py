"""A menu of service tiers."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from computemarket.model.mechanisms.tiers import (
    TierDemand,
    clear_power,
    convert_free_users,
    eroded_ladder,
    menu_shares,
    monopoly_payments,
    tier_value,
)

SPEED = np.array([20.0, 35.0, 80.0, 280.0, 750.0])
VALUE = tier_value(SPEED, 20.0, 0.75)
PAYMENTS = arrays(np.float64, (2, 5), elements=st.floats(0, 50))


def chosen_by(types, payment, value, may_leave):
    gain = types[:, None] * value - payment
    if may_leave:
        gain = np.concatenate([gain, np.zeros((len(types), 1))], axis=1)
    return np.bincount(gain.argmax(axis=1), minlength=gain.shape[1])[: len(value)] / len(types)


def test_value_grows_with_speed_by_its_exponent():
    np.testing.assert_allclose(tier_value(np.array([1.0, 2.5]), 1.0, 2.0), [1.0, 6.25])
    assert tier_value(SPEED, 20.0, np.array([0.5, 2.0])).shape == (2, 5)


def test_two_tiers_by_hand():
    from scipy.special import ndtr

    shares = menu_shares(np.array([[1.0, 3.0]]), np.array([1.0, 2.0]), 0.0, 1.0)
    low, between = ndtr(np.log(1.0)), ndtr(np.log(2.0))
    np.testing.assert_allclose(shares, [[between - low, 1 - between]])


@settings(max_examples=60)
@given(PAYMENTS, st.floats(-1, 1), st.floats(0.2, 1.5), st.booleans())
def test_exact_shares_are_what_a_crowd_of_types_chooses(payment, mean, sd, may_leave):
    from scipy.special import ndtri

    types = np.exp(mean + sd * ndtri((np.arange(20000) + 0.5) / 20000))
    shares = menu_shares(payment, VALUE, mean, sd, may_leave)
    for row, paid in zip(shares, payment, strict=True):
        np.testing.assert_allclose(row, chosen_by(types, paid, VALUE, may_leave), atol=2e-3)


@given(PAYMENTS)
def test_nobody_is_lost_and_without_leaving_everybody_buys(payment):
    assert (menu_shares(payment, VALUE, 0.0, 0.6).sum(axis=-1) <= 1 + 1e-12).all()
    np.testing.assert_allclose(menu_shares(payment, VALUE, 0.0, 0.6, may_leave=False).sum(axis=-1), 1.0)


def test_a_closed_tier_sells_nothing_and_a_dominated_one_neither():
    payment = np.array([[1.0, np.inf, 3.0, 90.0, 20.0]])
    shares = menu_shares(payment, VALUE, 1.0, 0.6)
    np.testing.assert_array_equal(shares[0, [1, 3]], 0.0)
    assert (shares[0, [0, 2, 4]] > 0).all()


def test_a_dearer_tier_loses_users_to_its_neighbours():
    payment = np.array([[0.5, 1.0, 3.0, 10.0, 25.0]])
    before = menu_shares(payment, VALUE, 0.2, 0.6)[0]
    after = menu_shares(payment + np.array([0, 0, 0.5, 0, 0]), VALUE, 0.2, 0.6)[0]
    assert after[2] < before[2]
    assert after[1] > before[1]
    assert after[3] > before[3]


def revenue(payment, cost, mean=0.2, sd=0.6):
    return (menu_shares(payment, VALUE, mean, sd) * (payment - cost)).sum(axis=-1)


def test_no_other_ladder_earns_a_single_seller_more():
    cost = np.array([[0.1, 0.3, 1.5, 6.0, 20.0]])
    best = monopoly_payments(cost, VALUE, 0.2, 0.6)
    top = revenue(best, cost)
    for k in range(5):
        for factor in (0.9, 0.97, 1.03, 1.1):
            other = best.copy()
            other[:, k] *= factor
            assert revenue(other, cost)[0] <= top[0] * (1 + 1e-9)
    assert (revenue(best * 1.05, cost) < top).all()
    assert (revenue(best * 0.95, cost) < top).all()


@settings(max_examples=50)
@given(arrays(np.float64, (1, 5), elements=st.floats(0, 20)))
def test_ironing_never_earns_less_than_a_random_ladder(cost):
    best = revenue(monopoly_payments(cost, VALUE, 0.2, 0.6), cost)[0]
    ladders = np.random.Generator(np.random.Philox(3)).uniform(0.0, 6.0, (300, 5)) * VALUE
    assert best >= revenue(ladders, cost).max() - 1e-9


def test_rivals_erode_the_ladder_to_cost_plus_markup():
    cost = np.array([[0.1, 0.3, 1.5, 6.0, 20.0]])
    alone = monopoly_payments(cost, VALUE, 0.2, 0.6)
    shares = [np.full((1, 5), s) for s in (1.0, 0.5, 0.1, 0.0)]
    ladders = [eroded_ladder(alone, cost, share, 1.5, 0.65) for share in shares]
    np.testing.assert_array_equal(ladders[0], alone)
    for dearer, cheaper in itertools.pairwise(ladders):
        assert (dearer >= cheaper).all()
    np.testing.assert_allclose(ladders[3], np.minimum(cost * 3.0, alone))


THROUGHPUT = np.array([[900.0, 500.0, 150.0, 30.0, 5.0]])
LADDER = np.array([[0.0, 1.0, 4.0, 20.0, 90.0]])


def demand(mtok=1000.0, elasticity=1.3):
    return TierDemand(np.array([mtok]), np.ones(5), VALUE * 3, 0.2, 0.9, elasticity)


def test_with_power_to_spare_the_ladder_stands_and_power_has_no_price():
    found = clear_power(demand(), LADDER, THROUGHPUT, np.array([1e6]))
    assert found.shadow_usd_per_mwh[0] == 0.0
    np.testing.assert_array_equal(found.price_usd_per_mtok, LADDER)
    np.testing.assert_allclose(found.volume_mtok_per_h.sum(), 1000.0)
    np.testing.assert_allclose(found.power_mw, found.volume_mtok_per_h / THROUGHPUT)


@settings(max_examples=60)
@given(st.floats(1.0, 1e5), st.floats(0.01, 100.0), st.floats(0.3, 2.0))
def test_power_used_never_exceeds_power_and_scarce_power_is_used(mtok, power, elasticity):
    found = clear_power(demand(mtok, elasticity), LADDER, THROUGHPUT, np.array([power]))
    used = found.power_mw.sum()
    assert used <= power * (1 + 1e-12)
    if found.shadow_usd_per_mwh[0] > 0:
        assert used == pytest.approx(power, rel=1e-6)


def test_with_one_tier_the_price_clears_iso_elastic_demand():
    users = TierDemand(np.array([1000.0]), np.ones(1), np.ones(1), 0.2, 0.9, 2.0)
    found = clear_power(users, np.array([[4.0]]), np.array([[50.0]]), np.array([5.0]))
    np.testing.assert_allclose(found.price_usd_per_mtok, [[4.0 * np.sqrt(1000 / 250)]], rtol=1e-6)
    np.testing.assert_allclose(found.shadow_usd_per_mwh, [50.0 * 4.0], rtol=1e-6)
    np.testing.assert_allclose(found.volume_mtok_per_h, [[250.0]], rtol=1e-6)


def test_the_more_elastic_demand_the_lower_the_price_of_scarce_power():
    stiff, soft = (clear_power(demand(elasticity=e), LADDER, THROUGHPUT, np.array([5.0])) for e in (0.5, 2.0))
    assert 0 < soft.shadow_usd_per_mwh[0] < stiff.shadow_usd_per_mwh[0]


def test_scarcer_power_has_a_higher_shadow_price_and_leaves_the_hungriest_tier_first():
    rich, poor = (clear_power(demand(), LADDER, THROUGHPUT, np.array([mw])) for mw in (20.0, 5.0))
    assert poor.shadow_usd_per_mwh[0] > rich.shadow_usd_per_mwh[0] > 0
    assert poor.share[0, 4] < rich.share[0, 4]
    assert (poor.price_usd_per_mtok > rich.price_usd_per_mtok).all()


def test_a_tier_that_cannot_be_reached_is_closed_and_costs_no_power():
    ladder = np.where(np.arange(5) == 4, np.inf, LADDER)
    found = clear_power(demand(), ladder, np.where(np.arange(5) == 4, 0.0, THROUGHPUT), np.array([2.0]))
    assert found.volume_mtok_per_h[0, 4] == found.power_mw[0, 4] == 0.0
    assert found.power_mw.sum() == pytest.approx(2.0)


def test_no_power_serves_nobody():
    found = clear_power(demand(), LADDER, THROUGHPUT, np.array([0.0]))
    np.testing.assert_allclose(found.volume_mtok_per_h, 0.0, atol=1e-9)


@given(st.floats(0, 1e9), st.floats(0, 1e9), st.floats(0, 1))
def test_free_users_that_convert_are_users_still(free, paying, rate):
    left, grown = convert_free_users(np.array([free]), np.array([paying]), rate)
    assert left[0] + grown[0] == pytest.approx(free + paying)
    assert grown[0] >= paying
