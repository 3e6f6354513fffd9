"""Prices of rented hours."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from computemarket.model.mechanisms.operators.rental import (
    forward_prices,
    split_price,
)


def test_a_launch_lowers_the_long_run_level_by_its_jump():
    spot = np.array([np.log(3.0)])
    _, calm = split_price(spot, spot, -0.04, 0.0, -0.22, 0.0)
    _, launch = split_price(spot, spot, -0.04, 1.0, -0.22, 0.0)
    assert launch[0] - calm[0] == pytest.approx(-0.22)


@given(st.floats(-1, 2), st.floats(-1, 2), st.floats(0, 1))
def test_the_two_factors_add_up_to_the_price(spot, level, gain):
    short, long = split_price(np.array([spot]), np.array([level]), -0.04, 0.0, -0.22, gain)
    assert short[0] + long[0] == pytest.approx(spot)


def test_a_lasting_price_becomes_the_level():
    level, spot = np.array([0.0]), np.array([1.0])
    for _ in range(60):
        short, level = split_price(spot, level, 0.0, 0.0, -0.22, 0.2)
    assert short[0] == pytest.approx(0.0, abs=1e-4)


def test_forward_prices_start_at_spot_and_fall_with_drift_and_launches():
    quarters = np.array([0.0, 4.0, 8.0])
    drift = np.log(1 - 0.17) / 4
    curve = forward_prices(np.array([0.0]), np.array([np.log(3.0)]), quarters, 0.5, drift, 0.0, -0.22)
    np.testing.assert_allclose(curve, [[3.0, 3.0 * 0.83, 3.0 * 0.83**2]])
    jumped = forward_prices(
        np.array([0.0]), np.array([np.log(3.0)]), quarters, 0.5, drift, quarters / 4, -0.22
    )
    np.testing.assert_allclose(jumped / curve, [np.exp(-0.22 * quarters / 4)])


def test_scarcity_gives_backwardation_that_dies_out():
    quarters = np.arange(40.0)
    scarce = forward_prices(np.array([1.0]), np.array([0.0]), quarters, 0.5, 0.0, 0.0, 0.0)[0]
    assert (np.diff(scarce) < 0).all()
    assert scarce[0] == pytest.approx(np.e)
    assert scarce[-1] == pytest.approx(1.0, abs=1e-6)


def test_sellers_pay_speculators_to_bear_risk():
    args = (np.zeros(1), np.zeros(1), np.array([4.0]), 0.5, 0.0, 0.0, 0.0)
    assert forward_prices(*args, 0.02)[0, 0] < forward_prices(*args)[0, 0]
    assert forward_prices(*args, 0.0, 0.3, 0.1)[0, 0] > 1.0
