"""GPU cloud regimes and specialised operators."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from computemarket.model.core.parameters import schema
from computemarket.model.mechanisms.operators.operator_regime import (
    drawn_regime,
    exits,
    irr_per_year,
    regime_shares,
    rent_path_usd_per_h,
    vendor_share_usd_per_h,
)


def value(name):
    return schema()[f"platform.{name}"].default


FLOOR = np.array([value(f"floor_year{year}_usd_per_h") for year in range(1, 7)])


ANCHOR_DRIFT = (
    0.16  # yearly fall of rents behind the published anchors; market_facts: gpu_depreciation 15-20%
)


def anchor_rent():
    start = np.array([value("operator_rent_usd_per_h")])
    return rent_path_usd_per_h(start, ANCHOR_DRIFT, 6)


def test_the_return_of_a_single_payment_is_its_growth():
    np.testing.assert_allclose(irr_per_year(np.array([100.0]), np.array([[0.0, 121.0]])), [0.1], atol=1e-12)


def test_a_project_without_cash_returns_the_lowest_rate():
    np.testing.assert_allclose(irr_per_year(np.array([100.0]), np.zeros((1, 3))), [-0.95])


@given(st.floats(0.0, 1.5), st.integers(1, 8))
def test_a_level_annuity_gives_back_its_rate(rate, years):
    cash = np.ones((1, years))
    outlay = np.array([sum((1 + rate) ** -t for t in range(1, years + 1))])
    assert irr_per_year(outlay, cash)[0] == pytest.approx(rate, abs=1e-9)


def test_the_vendors_take_at_the_anchor_is_the_published_18_to_20_percent_of_revenue():
    rent = anchor_rent()
    take = vendor_share_usd_per_h(rent, FLOOR, 0.5).sum() / rent.sum()
    assert 0.18 <= take <= 0.20


def test_volatile_rentals_make_operators_seek_backing():
    expected = np.array([[0.40, 0.25, 0.05]])
    none = np.zeros((1, 3))
    offered = np.ones((1, 3), dtype=bool)
    calm = regime_shares(expected, none, 0.5, none, 20.0, offered)
    risky = regime_shares(expected, np.array([[0.5, 0.1, 0.0]]), 0.5, none, 20.0, offered)
    assert calm[0, 0] > 0.9
    assert risky[0, 1] > risky[0, 0]
    assert risky.sum() == pytest.approx(1.0)


def test_a_regime_not_on_offer_is_never_chosen():
    offered = np.array([[True, False, True]])
    shares = regime_shares(
        np.array([[0.0, 9.0, 0.0]]), np.zeros((1, 3)), 0.5, np.zeros((1, 3)), 20.0, offered
    )
    assert shares.tolist() == [[0.5, 0.0, 0.5]]


def test_a_draw_picks_each_regime_with_its_share():
    uniform = (np.arange(1000) + 0.5) / 1000
    drawn = drawn_regime(np.broadcast_to(np.array([0.5, 0.3, 0.2]), (1000, 3)), uniform)
    assert np.bincount(drawn).tolist() == [500, 300, 200]


def test_contracts_keep_an_operator_alive_when_spot_collapses():
    spot, cost = np.array([0.5, 0.5]), np.array([1.0, 1.0])
    covered, good = np.array([0.9, 0.0]), np.full(2, 2.0)
    leaves, count = exits(spot, cost, covered, good, np.array([1, 1]), 2, np.full(2, 0.1), np.full(2, 0.2))
    assert leaves.tolist() == [False, True]
    assert count.tolist() == [0, 2]


def test_dear_debt_drives_out_an_operator_with_a_low_return():
    args = (np.array([2.0]), np.array([1.0]), np.array([0.0]), np.array([0.0]), np.array([1]), 2)
    assert exits(*args, np.array([0.15]), np.array([0.05]))[0][0]
    assert not exits(*args, np.array([0.04]), np.array([0.05]))[0][0]
