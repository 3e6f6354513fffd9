"""Licences, caps, charges and import permission."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from computemarket.model.policy.trade.licences import (
    Caps,
    advance_applications,
    approval_probability,
    blocked_by_congress,
    demand_with_charge,
    domestic_quota_units,
    legal_sales,
    review_delay_quarters,
    served_after_home,
    window_units,
)

ONE = np.ones((1, 1))


def sales(
    demand=1000.0, approved=800.0, permission=0.5, charge=0.25, caps=None, us=5000.0, sold=0.0, window=0.0
):
    return legal_sales(
        ONE * demand, ONE * approved, permission, ONE * 100.0, charge, 1.0, 1.0, caps or Caps(), ONE * sold, ONE * us,
        ONE * window,
    )  # fmt: skip


def test_demand_falls_with_the_charge_the_buyer_bears():
    assert demand_with_charge(ONE * 1000, 0.25, 1.0, 1.0)[0, 0] == pytest.approx(800)
    assert demand_with_charge(ONE * 1000, 0.25, 0.0, 1.0)[0, 0] == 1000


@pytest.mark.parametrize(
    ("given_", "units", "binding"),
    [
        ({"permission": 1.0, "approved": 9999.0}, 800.0, 0),
        ({}, 400.0, 1),
        ({"caps": Caps(buyers=10, units_per_buyer=20)}, 200.0, 2),
        ({"caps": Caps(buyers=10, units_per_buyer=20), "sold": 150.0}, 50.0, 2),
        ({"caps": Caps(share_of_us_units=0.5), "us": 300.0}, 150.0, 3),
        ({"caps": Caps(share_of_us_units=0.5), "us": 300.0, "window": 100.0}, 50.0, 3),
        ({"caps": Caps(buyers=0)}, 0.0, 2),
        ({"caps": Caps(np.nan, np.nan, np.nan)}, 400.0, 1),
    ],
)
def test_the_least_of_the_four_limits_is_sold(given_, units, binding):
    sold = sales(**given_)
    assert sold.units[0, 0] == pytest.approx(units)
    assert sold.binding[0, 0] == binding


def test_the_state_receives_its_share_of_the_price():
    assert sales().charge_usd[0, 0] == pytest.approx(400 * 100 * 0.25)


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 2), st.floats(0, 1e6))
def test_refusing_imports_or_a_lower_cap_never_raises_sales(permission, less, share, us):
    caps = Caps(share_of_us_units=share)
    loose = sales(permission=permission, caps=caps, us=us).units[0, 0]
    assert sales(permission=permission * less, caps=caps, us=us).units[0, 0] <= loose
    assert sales(permission=permission, caps=Caps(share_of_us_units=share * less), us=us).units[0, 0] <= loose


def test_applications_arrive_after_the_delay_and_none_is_lost():
    pipeline = np.zeros((2, 1, 6))
    delay, arrived = np.array([2.0, 1.5]), []
    for quarter in range(6):
        applied = np.full((2, 1), 100.0 if quarter == 0 else 0.0)
        pipeline, approved = advance_applications(pipeline, applied, delay, 0.5)
        arrived.append(approved[:, 0])
    assert np.array(arrived)[:, 0].tolist() == [0, 0, 50, 0, 0, 0]
    assert np.array(arrived)[:, 1].tolist() == [0, 25, 25, 0, 0, 0]


def test_the_window_of_the_share_cap_is_a_switch():
    history = np.arange(1.0, 9.0).reshape(1, 1, 8)
    assert window_units(history, 5, np.array([False]))[0, 0] == 3 + 4 + 5 + 6
    assert window_units(history, 5, np.array([True]))[0, 0] == 21


def test_approval_falls_towards_the_frontier():
    tpp = np.array([[2000.0, 9000.0, 36000.0]])
    chance = approval_probability(0.8, tpp, np.array([36000.0]), 0.25, 2.0)
    assert chance[0, 1] == pytest.approx(0.4)
    assert chance[0, 0] > chance[0, 1] > chance[0, 2]


def test_review_by_congress_adds_delay_and_may_block():
    assert review_delay_quarters(180.0, 30.0) == pytest.approx(210 / 91.3125)
    uniform = np.array([[0.1, 0.9]])
    assert blocked_by_congress(0.5, 30.0, uniform).tolist() == [[True, False]]
    assert not blocked_by_congress(0.5, 0.0, uniform).any()


def test_a_domestic_quota_limits_foreign_units():
    assert domestic_quota_units(np.array([[100.0]]), 2.0)[0, 0] == 50
    assert np.isinf(domestic_quota_units(np.array([[100.0]]), 0.0)[0, 0])


def test_home_orders_come_first_as_far_as_the_test_is_strict():
    available, home = np.array([[100.0]]), np.array([[80.0]])
    assert served_after_home(available, home, 0.0, 0.0)[0, 0] == 100
    assert served_after_home(available, home, 0.0, 0.5)[0, 0] == 60
    assert served_after_home(available, home, 1.0, 0.0)[0, 0] == 20
