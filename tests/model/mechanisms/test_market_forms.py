"""Forms of the mechanisms that the running market needs: hand-worked, limits and directions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from computemarket.model.mechanisms.buyers.demand import spending_with_ceiling
from computemarket.model.mechanisms.choice import weighted_logit_shares
from computemarket.model.mechanisms.operators.investment import learned_growth_ln, outlook_ln_usd
from computemarket.model.mechanisms.suppliers.supply import expansion_started
from computemarket.model.mechanisms.vendors.pricing import break_even_price_usd
from computemarket.model.mechanisms.vendors.tiers import logit_menu_shares

ONE = np.ones(1)
SHARES = st.floats(0.01, 0.99)


def test_half_the_time_open_counts_half():
    shares = weighted_logit_shares(np.zeros((1, 2)), np.array([[1.0, 0.5]]))
    assert shares[0] == pytest.approx([2 / 3, 1 / 3])


def test_nothing_open_gives_no_share():
    assert (weighted_logit_shares(np.zeros((1, 3)), np.zeros((1, 3))) == 0).all()


def test_an_outlook_without_growth_is_what_was_realised():
    assert outlook_ln_usd(np.array([1e9]), 0 * ONE, 8 * ONE, 0.2 * ONE)[0] == pytest.approx(np.log(1e9))


def test_an_outlook_carries_growth_forward_up_to_its_cap():
    found = outlook_ln_usd(np.array([1e9]), np.array([0.5]), 8 * ONE, 0.2 * ONE)
    assert found[0] == pytest.approx(np.log(1e9) + 1.6)


@given(SHARES)
def test_learning_lies_between_the_old_and_the_observed_growth(gain):
    learned = learned_growth_ln(np.zeros(1), np.array([0.3]), np.zeros(1), np.array([gain]))
    assert 0 < learned[0] < 0.3


def break_even(rent=3.0, decline=0.2, site=0.0):
    column = np.ones((1, 1))
    return break_even_price_usd(
        rent * column,
        0.65 * column,
        0.1 * column,
        site * column,
        8766.0,
        decline * column,
        0.1 * column,
        5 * column,
        1.3,
    )[0, 0]


def test_a_break_even_price_by_hand():
    annuity = (1 - np.exp(-0.3 * 5)) / 0.3
    assert break_even() == pytest.approx((3.0 * 0.65 - 0.1) * 8766 * annuity / 1.3)


def test_a_buyer_pays_more_where_rents_are_high_and_less_where_they_fade():
    assert break_even(rent=4.0) > break_even() > break_even(decline=0.4)


def test_a_site_dearer_than_the_rents_leaves_nothing_for_the_chip():
    assert break_even(site=1e9) == 0


def test_spending_far_below_the_ceiling_is_itself_and_far_above_is_the_ceiling():
    assert spending_with_ceiling(np.array([1.0]), np.array([1e9]))[0] == pytest.approx(1.0)
    assert spending_with_ceiling(np.array([1e12]), np.array([1e9]))[0] == pytest.approx(1e9)


def test_expansion_is_slow_in_slack_and_fast_in_a_queue():
    def started(pressure):
        return expansion_started(np.array([100.0]), np.array([pressure]), np.array([0.05]), np.array([0.3]))[
            0
        ]

    assert started(0.0) == pytest.approx(5.0)
    assert started(50.0) == pytest.approx(30.0)
    assert started(0.0) < started(0.5) < started(2.0)


def menu(price_weight=1.5, prices=(1.0, 3.0, 30.0)):
    points = np.array([-1.0, 0.0, 1.0])
    parameters = [np.array([value]) for value in (0.2, 0.6, 0.75, price_weight)]
    return logit_menu_shares(np.array([[prices]]), np.array([20.0, 80.0, 800.0]), *parameters, points)[0, 0]


def test_menu_shares_add_up_and_a_cheaper_tier_wins_users():
    assert menu().sum() == pytest.approx(1.0)
    assert menu(prices=(1.0, 2.0, 30.0))[1] > menu()[1]


def test_users_who_mind_the_price_less_choose_faster_tiers():
    assert menu(price_weight=0.8)[2] > menu()[2]
