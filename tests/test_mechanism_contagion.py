"""Clearing payments and DebtRank."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from computemarket.model.mechanisms.contagion import clear_payments, debt_rank, impact, systemic_importance


def chain():
    """Firm 0 owes 10 to firm 1, which owes 8 to firm 2."""
    owes = np.zeros((1, 3, 3))
    owes[0, 0, 1], owes[0, 1, 2] = 10.0, 8.0
    return owes


def test_solvent_firms_pay_in_full():
    result = clear_payments(chain(), np.array([[10.0, 0.0, 0.0]]))
    assert result.paid_usd.tolist() == [[10.0, 8.0, 0.0]]
    assert not result.defaulted.any()
    assert result.loss_usd.sum() == 0.0


def test_a_shortfall_travels_down_the_chain():
    result = clear_payments(chain(), np.array([[4.0, 1.0, 0.0]]))
    assert result.paid_usd.tolist() == [[4.0, 5.0, 0.0]]
    assert result.defaulted.tolist() == [[True, True, False]]
    assert result.loss_usd.tolist() == [[0.0, 6.0, 3.0]]


def test_a_cycle_clears_at_its_fixed_point():
    # 0 owes 1 ten, 1 owes 0 ten and 2 ten; outside means 1 and 2
    owes = np.zeros((1, 3, 3))
    owes[0, 0, 1], owes[0, 1, 0], owes[0, 1, 2] = 10.0, 10.0, 10.0
    paid = clear_payments(owes, np.array([[1.0, 2.0, 0.0]]), steps=120).paid_usd[0]
    # p0 = 1 + p1/2, p1 = 2 + p0 -> p0 = 4, p1 = 6; half the money stays inside, so the error halves every two steps
    np.testing.assert_allclose(paid, [4.0, 6.0, 0.0], rtol=1e-12)
    usual = clear_payments(owes, np.array([[1.0, 2.0, 0.0]])).paid_usd[0]
    assert (np.abs(usual - paid) < 10 * 0.5**29).all()


def test_the_cost_of_default_deepens_losses():
    cheap = clear_payments(chain(), np.array([[4.0, 1.0, 0.0]]), 1.0).loss_usd.sum()
    assert clear_payments(chain(), np.array([[4.0, 1.0, 0.0]]), 0.5).loss_usd.sum() > cheap


MATRIX = st.lists(st.floats(0, 100), min_size=16, max_size=16)
VECTOR = st.lists(st.floats(0, 100), min_size=4, max_size=4)


@given(MATRIX, VECTOR)
def test_clearing_obeys_limited_liability_and_absolute_priority(debts, cash):
    owes = np.array(debts).reshape(1, 4, 4) * (1 - np.eye(4))
    means_outside = np.array([cash]) + 5.0  # money from outside makes the clearing vector unique
    result = clear_payments(owes, means_outside, steps=4000)
    owed = owes.sum(axis=-1)
    share = owes / np.where(owed > 0, owed, 1.0)[..., None]
    received = (share * result.paid_usd[..., None]).sum(axis=1)
    assert (result.paid_usd <= owed + 1e-9).all()
    expected = np.minimum(owed, means_outside + received)
    np.testing.assert_allclose(result.paid_usd, expected, rtol=1e-6, atol=1e-6)


@given(VECTOR, st.floats(0, 50))
def test_more_cash_never_lowers_any_payment(cash, more):
    poor = clear_payments(chain().repeat(1, axis=0), np.array([cash[:3]])).paid_usd
    rich = clear_payments(chain(), np.array([cash[:3]]) + more).paid_usd
    assert (rich >= poor - 1e-12).all()


def test_a_run_clears_alone_as_it_does_in_company():
    draws = np.random.Generator(np.random.Philox(7))
    owes = draws.uniform(0, 10, (9, 12, 12)) * (1 - np.eye(12))
    cash = draws.uniform(0, 30, (9, 12))
    together = clear_payments(owes, cash).paid_usd
    alone = clear_payments(owes[4:5].copy(), cash[4:5].copy()).paid_usd
    np.testing.assert_array_equal(together[4:5], alone)


def test_impact_is_loss_over_equity_up_to_one():
    exposure = np.zeros((1, 2, 2))
    exposure[0, 0, 1] = 5.0
    assert impact(exposure, np.array([[10.0, 3.0]]))[0].tolist() == [[0.0, 0.5], [0.0, 0.0]]
    assert impact(exposure, np.array([[2.0, 3.0]]))[0, 0, 1] == 1.0
    assert impact(exposure, np.array([[-1.0, 3.0]]))[0, 0, 1] == 1.0


def test_distress_fades_along_a_chain():
    matrix = np.zeros((1, 3, 3))
    matrix[0, 1, 0], matrix[0, 2, 1] = 0.5, 0.4
    level, lost = debt_rank(matrix, np.array([[1.0, 0.0, 0.0]]), np.full((1, 3), 1 / 3))
    np.testing.assert_allclose(level, [[1.0, 0.5, 0.2]])
    assert lost[0] == pytest.approx(0.7 / 3)


def test_a_cycle_passes_distress_on_only_once():
    matrix = np.array([[[0.0, 0.5], [0.5, 0.0]]])
    level, _ = debt_rank(matrix, np.array([[0.4, 0.0]]), np.full((1, 2), 0.5))
    np.testing.assert_allclose(level, [[0.5, 0.2]])


@given(st.lists(st.floats(0, 1), min_size=9, max_size=9), st.floats(0, 1), st.floats(0, 1))
def test_distress_stays_in_bounds_and_a_larger_shock_never_leaves_less(matrix, shock, more):
    w = np.array(matrix).reshape(1, 3, 3)
    weight = np.full((1, 3), 1 / 3)
    start = np.array([[shock, 0.0, 0.0]])
    level, lost = debt_rank(w, start, weight)
    larger, _ = debt_rank(w, np.minimum(1.0, start + np.array([[more, 0.0, 0.0]])), weight)
    assert (level <= 1).all()
    assert lost[0] >= -1e-12
    if shock > 0:
        assert (larger >= level - 1e-12).all()


def test_the_most_owing_firm_matters_most():
    exposure = np.zeros((1, 3, 3))
    exposure[0, 1, 0], exposure[0, 2, 0], exposure[0, 2, 1] = 8.0, 8.0, 1.0
    ranks = systemic_importance(impact(exposure, np.full((1, 3), 10.0)), np.full((1, 3), 1 / 3))
    assert ranks[0, 0] > ranks[0, 1] > ranks[0, 2] == 0.0
