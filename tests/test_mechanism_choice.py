"""Logit and nested logit shares."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from computemarket.model.mechanisms.choice import inclusive_value, logit_shares, nested_logit_shares

UTILITIES = arrays(np.float64, (3, 6), elements=st.floats(-400, 400))
NESTS = np.array([0, 1, 0, 2, 1, 1])


def test_log_odds_are_utility_differences():
    utility = np.log(np.array([[1.0, 2.0, 5.0]]))
    np.testing.assert_allclose(logit_shares(utility), [[1 / 8, 2 / 8, 5 / 8]])
    np.testing.assert_allclose(inclusive_value(utility), [np.log(8.0)])


def test_huge_utilities_do_not_overflow():
    np.testing.assert_array_equal(logit_shares(np.array([[9e5, -9e5], [-9e5, -9e5]])), [[1, 0], [0.5, 0.5]])
    np.testing.assert_allclose(inclusive_value(np.array([[9e5, 9e5]])), [9e5 + np.log(2)])


def test_what_is_not_available_is_not_chosen_and_nothing_is_chosen_of_nothing():
    yes = np.array([[True, False], [False, False]])
    np.testing.assert_array_equal(logit_shares(np.zeros((2, 2)), yes), [[1, 0], [0, 0]])
    np.testing.assert_array_equal(inclusive_value(np.zeros((2, 2)), yes), [0.0, -np.inf])


@given(UTILITIES, st.floats(-100, 100))
def test_shares_sum_to_one_and_only_differences_count(utility, shift):
    shares = logit_shares(utility)
    np.testing.assert_allclose(shares.sum(axis=-1), 1.0, rtol=1e-12)
    np.testing.assert_allclose(logit_shares(utility + shift), shares, atol=1e-9)


@given(UTILITIES)
def test_a_nested_logit_with_dissimilarity_one_is_a_logit(utility):
    nested = nested_logit_shares(utility, NESTS, 1.0)
    np.testing.assert_allclose(nested.share, logit_shares(utility), atol=1e-12)
    np.testing.assert_allclose(nested.inclusive_value, inclusive_value(utility), atol=1e-9)


@given(UTILITIES, st.floats(0.05, 1.0), st.floats(-50, 50))
def test_nested_shares_add_up_with_and_without_an_outside_good(utility, spread, nothing):
    for outside in (None, nothing):
        found = nested_logit_shares(utility, NESTS, spread, outside_utility=outside)
        np.testing.assert_allclose(found.share.sum(axis=-1) + found.outside_share, 1.0, rtol=1e-9)
        for n in range(3):
            np.testing.assert_allclose(
                found.share[:, n == NESTS].sum(axis=-1), found.nest_share[:, n], atol=1e-12
            )


def test_a_second_bus_of_another_colour_takes_from_the_bus_and_not_from_the_car():
    nests = np.array([0, 1, 1])
    found = nested_logit_shares(np.zeros((1, 3)), nests, 1e-3)
    np.testing.assert_allclose(found.share, [[0.5, 0.25, 0.25]], atol=1e-3)
    np.testing.assert_allclose(nested_logit_shares(np.zeros((1, 3)), nests, 1.0).share, 1 / 3)


def test_a_nested_choice_by_hand():
    utility = np.array([[1.0, 0.5, 0.0]])
    found = nested_logit_shares(utility, np.array([0, 0, 1]), np.array([[0.5, 1.0]]))
    inside = np.exp(2.0) + np.exp(1.0)
    nest = np.sqrt(inside) / (np.sqrt(inside) + 1.0)
    np.testing.assert_allclose(
        found.share, [[nest * np.exp(2.0) / inside, nest * np.exp(1.0) / inside, 1 - nest]]
    )
    np.testing.assert_allclose(found.inclusive_value, [np.log(np.sqrt(inside) + 1.0)])


def test_a_better_option_draws_more_from_its_own_nest():
    before = nested_logit_shares(np.zeros((1, 6)), NESTS, 0.5).share
    after = nested_logit_shares(np.array([[0.3, 0, 0, 0, 0, 0]]), NESTS, 0.5).share
    change = (after / before - 1)[0]
    assert change[0] > 0
    assert change[2] < change[1] < 0
    assert change[1] == pytest.approx(change[3])


def test_a_nest_with_nothing_on_offer_gets_nothing():
    yes = np.array([[True, False, True, True, False, False]])
    found = nested_logit_shares(np.zeros((1, 6)), NESTS, 0.6, yes)
    np.testing.assert_array_equal(found.share[0, [1, 4, 5]], 0.0)
    assert found.nest_share[0, 1] == 0.0
    assert found.share.sum() == pytest.approx(1.0)
    none = nested_logit_shares(np.zeros((1, 6)), NESTS, 0.6, np.zeros((1, 6), dtype=bool))
    assert none.share.sum() == 0
    assert none.inclusive_value[0] == -np.inf


def test_dissimilarity_may_differ_by_run():
    found = nested_logit_shares(np.tile(np.arange(6.0), (2, 1)), NESTS, np.array([0.4, 0.9]))
    np.testing.assert_array_equal(
        found.share[:1], nested_logit_shares(np.arange(6.0)[None], NESTS, 0.4).share
    )
