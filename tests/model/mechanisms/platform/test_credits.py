"""Compute credits: stages, books, band, priority and the choice against a subscription."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from computemarket.model.mechanisms.platform.credits import (
    credit_cash_usd,
    credit_cost,
    credit_share,
    defend_band,
    issuable_credits,
    needs_financial_approval,
    next_stage,
    next_variance,
    regulatory_exposure,
    settle_credits,
    stage_chance,
)


def chance(share=0.5, volatility=0.1, regulation=0.0, stage=2):
    arrays = (np.array([share]), np.array([volatility]), np.array([regulation]))
    return stage_chance(np.array([stage]), *arrays, 0.03, 2.0, 3.0, 1.0)[0]


def test_the_stage_hazard_rises_with_share_and_falls_with_volatility_and_regulation():
    assert chance(share=0.8) > chance() > chance(volatility=0.3)
    assert chance(regulation=2.0) < chance()


def test_the_stage_chance_is_the_base_hazard_without_covariates():
    assert chance(0.0, 0.0) == pytest.approx(1 - np.exp(-0.03))


def test_regulation_bites_more_at_later_stages():
    early = chance(regulation=2.0, stage=1) / chance(stage=1)
    late = chance(regulation=2.0, stage=3) / chance(stage=3)
    assert late < early < 1


def test_stages_move_one_step_and_stop_at_what_is_allowed():
    stage = np.array([0, 1, 4, 3])
    new = next_stage(stage, np.array([0.0, 0.9, 0.0, 0.9]), np.full(4, 0.5), np.array([4, 4, 4, 1]))
    assert new.tolist() == [1, 1, 4, 1]


def test_only_tradable_credits_need_the_financial_regulator():
    assert needs_financial_approval(np.arange(5)).tolist() == [False, False, False, True, True]


def test_a_reserve_of_a_quarter_lets_four_hours_be_outstanding_per_hour():
    assert issuable_credits(np.array([10.0, 10.0]), np.array([0.0, 100.0]), 0.25).tolist() == [40.0, 0.0]


def test_credit_books_by_hand():
    books = settle_credits(
        np.array([[10.0, 0.0]]), np.array([[0.0, 8.0]]), np.array([[6.0, 12.0]]), np.array([7.0]), 0.5
    )
    # presented 6 and 8, half of it honoured: 3 and 4; left 7 and 4; half expires
    assert books.redeemed.tolist() == [[3.0, 4.0]]
    assert books.expired.tolist() == [[3.5, 2.0]]
    assert books.closing.tolist() == [[3.5, 2.0]]


WHOLE = st.integers(0, 2**20).map(float)


@given(st.lists(st.tuples(WHOLE, WHOLE, WHOLE), min_size=1, max_size=6), WHOLE, st.floats(0, 1))
def test_credits_are_conserved_and_never_negative(rows, capacity, expiry):
    opening, issued, wanted = (np.array([column]) for column in zip(*rows, strict=True))
    books = settle_credits(opening, issued, wanted, np.array([capacity]), expiry)
    np.testing.assert_allclose(
        opening + issued, books.redeemed + books.expired + books.closing, rtol=1e-12, atol=1e-9
    )
    assert (books.redeemed <= wanted + 1e-9).all()
    assert books.redeemed.sum() <= capacity * (1 + 1e-12)
    assert min(books.redeemed.min(), books.expired.min(), books.closing.min()) >= 0


def test_prepaid_credits_bring_cash_at_a_discount():
    assert credit_cash_usd(np.array([100.0]), 2.0, 0.12)[0] == pytest.approx(176.0)


def band(free, credits=1e9, cash=1e9):
    arrays = (np.array([100.0]), np.array([credits]), np.array([cash]))
    return defend_band(np.array([free]), np.array([1.0]), 0.85, 1.15, *arrays)


def test_a_price_inside_the_band_is_left_alone():
    assert band(1.1).price_usd[0] == 1.1
    assert band(1.1).sold[0] == 0.0


def test_a_full_reserve_holds_both_edges():
    assert band(2.0).price_usd[0] == pytest.approx(1.15)
    assert band(0.5).price_usd[0] == pytest.approx(0.85)
    assert band(2.0).cash_usd[0] > 0 > band(0.5).cash_usd[0]


def test_an_exhausted_reserve_lets_the_price_leave_the_band():
    assert band(2.0, credits=0.0).price_usd[0] == 2.0
    assert band(0.5, cash=0.0).price_usd[0] == 0.5
    assert 1.15 < band(2.0, credits=20.0).price_usd[0] < 2.0


@given(st.floats(0.05, 20.0), st.floats(0, 1e3), st.floats(0, 1e3))
def test_intervention_pulls_towards_the_band_and_never_overspends(free, credits, cash):
    result = band(free, credits, cash)
    assert min(free, 0.85) - 1e-12 <= result.price_usd[0] <= max(free, 1.15) + 1e-12
    assert result.sold[0] <= credits
    assert -result.cash_usd[0] <= cash * (1 + 1e-9)


def test_smoothed_variance_by_hand():
    assert next_variance(np.array([0.04]), np.array([0.1]), 0.5)[0] == pytest.approx(0.025)


def test_stable_credits_beat_a_subscription_and_volatile_ones_lose():
    calm = credit_cost(0.12, 0.05, 0.01, np.array([0.05]), 2.0)
    wild = credit_cost(0.12, 0.05, 0.01, np.array([0.5]), 2.0)
    assert calm[0] < 1 < wild[0]
    assert credit_share(calm, 10.0)[0] > 0.5 > credit_share(wild, 10.0)[0]


def test_the_risk_premium_by_hand():
    assert credit_cost(0.0, 0.0, 0.0, np.array([0.3]), 2.0)[0] == pytest.approx(1.09)


@given(st.floats(0, 2), st.floats(0, 5))
def test_more_risk_aversion_never_favours_credits(cv, aversion):
    price_cv = np.array([cv])
    assert (
        credit_cost(0.1, 0.05, 0.01, price_cv, aversion)[0]
        <= credit_cost(0.1, 0.05, 0.01, price_cv, aversion + 1)[0]
    )


def test_private_prepaid_credits_do_not_expose_their_issuer():
    exposure = regulatory_exposure(np.arange(5), np.full(5, 1e9), 1e9)
    np.testing.assert_allclose(exposure, np.array([0, 0, 1 / 3, 2 / 3, 1]) * (1 - np.exp(-1)))


def test_an_even_choice_splits_buyers_and_a_tenth_cheaper_credits_win_by_the_logit():
    np.testing.assert_allclose(credit_share(np.array([1.0, 0.9]), 10.0), [0.5, 1 / (1 + np.exp(-1))])


def test_unused_and_distrusted_credits_cost_more():
    zero = np.zeros(1)
    assert credit_cost(0.1, 0.1, 0.0, zero, 2.0)[0] == pytest.approx(1.0)
    assert credit_cost(0.0, 0.0, 0.02, zero, 2.0, trust=0.8)[0] == pytest.approx(1.27)


def test_regulation_bites_fully_at_the_last_stage():
    assert chance(0.0, 0.0, 2.0, stage=4) == pytest.approx(1 - np.exp(-0.03 * np.exp(-2.0)))
    assert chance(0.0, 0.0, 2.0, stage=2) == pytest.approx(1 - np.exp(-0.03 * np.exp(-1.0)))
