"""Prices of rented hours."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from computemarket.model.mechanisms.rental import (
    HIGHEST_UTILISATION,
    asked_price,
    clear_spot,
    contract_price,
    forward_prices,
    next_book_price,
    slope_for_reference,
    split_price,
)

CURVE = {"reference_usd": 2.0, "elasticity": 1.0, "floor_usd": 1.0, "slope_usd": 1.0, "curvature": 1.0}


def test_the_asked_price_by_hand():
    np.testing.assert_allclose(asked_price(np.array([0.0, 0.5, 0.8]), 1.0, 2.0, 1.0), [1.0, 3.0, 9.0])


def test_a_market_that_clears_at_half_of_capacity():
    found = clear_spot(np.array([50.0]), np.array([100.0]), **CURVE)  # p = 1 + u/(1-u) = 2 at u = 0.5
    np.testing.assert_allclose(found.utilisation, [0.5], atol=1e-8)
    np.testing.assert_allclose(found.price_usd_per_h, [2.0], rtol=1e-7)
    np.testing.assert_allclose(found.sold_h, [50.0], rtol=1e-7)
    assert found.unmet_h[0] == 0.0


def test_no_demand_no_use_no_capacity_no_sale():
    found = clear_spot(np.array([0.0, 10.0]), np.array([100.0, 0.0]), **CURVE)
    np.testing.assert_array_equal(found.utilisation, [0.0, HIGHEST_UTILISATION])
    np.testing.assert_allclose(found.price_usd_per_h[0], 1.0)
    np.testing.assert_array_equal(found.sold_h, [0.0, 0.0])
    assert found.unmet_h[1] > 0


def test_beyond_full_use_hours_are_rationed():
    found = clear_spot(np.array([1e6]), np.array([100.0]), **CURVE)
    assert found.utilisation[0] == HIGHEST_UTILISATION
    assert found.sold_h[0] == pytest.approx(97.0)
    assert found.unmet_h[0] > 0


@given(
    st.floats(0.1, 1e4), st.floats(0.1, 1e4), st.floats(0.2, 3.0), st.floats(0.3, 1.3), st.floats(1.01, 3.0)
)
def test_more_demand_raises_price_and_more_capacity_lowers_it(
    wanted, capacity, elasticity, curvature, factor
):
    rest = (2.0, elasticity, 0.5, 1.0, curvature)
    base = clear_spot(np.array([wanted]), np.array([capacity]), *rest)
    busier = clear_spot(np.array([wanted * factor]), np.array([capacity]), *rest)
    roomier = clear_spot(np.array([wanted]), np.array([capacity * factor]), *rest)
    assert busier.price_usd_per_h[0] >= base.price_usd_per_h[0] * (1 - 1e-7)
    assert roomier.price_usd_per_h[0] <= base.price_usd_per_h[0] * (1 + 1e-7)
    assert 0 <= base.utilisation[0] <= HIGHEST_UTILISATION
    if base.utilisation[0] < HIGHEST_UTILISATION:
        demanded = wanted * (base.price_usd_per_h[0] / 2.0) ** -elasticity
        assert demanded == pytest.approx(base.utilisation[0] * capacity, rel=1e-4, abs=1e-6 * capacity)
    assert base.sold_h[0] <= HIGHEST_UTILISATION * capacity * (1 + 1e-12)


def test_the_reference_rent_holds_at_normal_use():
    slope = slope_for_reference(np.array([2.5]), np.array([0.5]), 0.65, 0.8)
    np.testing.assert_allclose(asked_price(np.array([0.65]), 0.5, slope, 0.8), [2.5])


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


def test_a_contract_is_the_mean_of_its_strip_less_a_discount():
    np.testing.assert_allclose(contract_price(np.array([[4.0, 3.0, 2.0]]), 0.1), [2.7])


def test_a_contract_book_by_hand():
    got = next_book_price(
        np.array([4.0, 5.0]),
        np.array([100.0, 0.0]),
        np.array([50.0, 0.0]),
        np.array([50.0, 0.0]),
        np.array([2.0, 2.0]),
    )
    np.testing.assert_allclose(got, [3.0, 5.0])
