"""What moves capital expenditure."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from computemarket.model.mechanisms.operators.investment import (
    desired_stock,
    grown,
    legacy_capex,
    next_belief_ln,
    wanted_units,
)


def test_a_belief_by_hand():
    got = next_belief_ln(np.array([2.0]), np.array([3.0]), np.array([0.5]), 0.1, 0.2, 0.7)
    np.testing.assert_allclose(got, [2.0 + 0.1 + 0.1 + 0.7])


@given(st.floats(-3, 3), st.floats(-3, 3), st.floats(0.05, 1))
def test_without_herd_and_shock_beliefs_settle_on_what_is_realised(start, realised, correction):
    belief = np.array([start])
    for _ in range(500):
        belief = next_belief_ln(belief, np.array([realised]), np.zeros(1), correction, 0.2)
    assert belief[0] == pytest.approx(realised, abs=1e-6)


def test_a_rivals_boom_raises_beliefs():
    calm, boom = (next_belief_ln(np.zeros(1), np.zeros(1), np.array([g]), 0.1, 0.2) for g in (0.0, 0.5))
    assert boom > calm


def test_the_stock_wanted_by_hand():
    np.testing.assert_allclose(desired_stock(np.array([1e9]), 0.25, 10_000.0), [25_000.0])


def test_orders_by_hand():
    got = wanted_units(
        np.full(3, 100.0), np.array([200.0, 97.0, 50.0]), np.array([20.0, 0.0, 0.0]), 0.05, 0.5
    )
    np.testing.assert_allclose(got, [5.0 + 40.0, 2.0, 0.0])


@given(st.floats(0, 1e6), st.floats(0, 1e6), st.floats(0, 1e6))
def test_orders_are_never_negative_and_fall_with_what_is_on_order(stock, desired, coming):
    few, many = (
        wanted_units(np.array([stock]), np.array([desired]), np.array([line]), 0.05, 0.4)
        for line in (coming, coming + 1e3)
    )
    assert 0 <= many <= few


def test_the_stock_reaches_its_target_and_stays():
    stock = np.array([10.0])
    for _ in range(200):
        worn = 0.05 * stock
        stock = stock - worn + wanted_units(stock, np.array([100.0]), np.zeros(1), 0.05, 0.3)
    assert stock[0] == pytest.approx(100.0, rel=1e-6)


def test_ai_crowds_out_other_spending_down_to_a_floor():
    np.testing.assert_allclose(
        legacy_capex(100.0, np.array([0.0, 40.0, 500.0]), 0.6, 0.5), [100.0, 80.0, 60.0]
    )


def test_growth_that_lasts_compounds_and_more_than_that_fades():
    years = np.arange(0.0, 60.0)
    assert grown(0.08, 0.08, 0.15, years) == pytest.approx(1.08**years)
    assert grown(0.03, 0.08, 0.15, years) == pytest.approx(1.03**years)  # slow growth is left as it is
    assert grown(0.4, 0.08, 1e-9, years) == pytest.approx(1.4**years)
    path = grown(0.4, 0.08, 0.15, years)
    assert path[1] == pytest.approx(1.08 * (1.4 / 1.08) ** ((1 - np.exp(-0.15)) / 0.15))
    assert path[-1] / path[-2] == pytest.approx(1.08, rel=1e-3)
