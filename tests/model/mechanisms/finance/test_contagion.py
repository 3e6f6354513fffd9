"""Clearing payments and DebtRank."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from computemarket.model.mechanisms.finance.contagion import debt_rank, impact, systemic_importance


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
