"""China's market cleared by legal, domestic, remote and smuggled compute."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from computemarket.model.mechanisms.states.smuggling import (
    ChinaSide,
    Smuggling,
    clear_china,
    detection_probability,
    route_shares,
    shipped_at,
)

PRICE = np.array([30000.0])
TERMS = Smuggling(detection=0.28, penalty=0.3, scale_h100e=100e3, effort=0.3, elasticity=1.5)


def side(**changed: object) -> ChinaSide:
    usual = ChinaSide(
        np.array([400e3]), 1.3, np.array([50e3]), 0.0, np.array([60e3]), 0.2, np.array([50e3]), 0.3
    )
    return replace(
        usual,
        **{k: np.array([v]) if isinstance(v, float) and "h100e" in k else v for k, v in changed.items()},
    )


def test_the_smuggler_earns_nothing_at_the_margin():
    found = clear_china(PRICE, side(), TERMS)
    ratio = found.price_usd / PRICE
    effort = TERMS.effort * (found.shipped_h100e / TERMS.scale_h100e) ** (1 / TERMS.elasticity)
    assert ((1 - 0.28) * ratio)[0] == pytest.approx((1 + effort + 0.28 * 0.3)[0], rel=1e-9)


def test_without_risk_and_effort_smuggling_keeps_the_world_price():
    free = Smuggling(0.0, 0.0, 1e12, 1e-6, 1.0)
    assert clear_china(PRICE, side(legal_h100e=0.0), free).premium[0] == pytest.approx(0.0, abs=1e-5)


def test_where_the_quota_is_not_used_up_the_legal_price_holds():
    found = clear_china(PRICE, side(legal_h100e=1e6, legal_charge=0.25), TERMS)
    assert found.premium[0] == pytest.approx(0.25, rel=1e-12)
    assert 0 < found.legal_h100e[0] < 1e6
    assert found.shipped_h100e[0] == 0


@given(
    st.floats(0, 1e6), st.floats(0, 0.6), st.floats(0.05, 0.85), st.floats(0.1, 3), st.floats(0, 3e5), st.floats(0.5, 3)
)  # fmt: skip
def test_what_is_bought_is_what_the_sources_bring(legal, charge, detection, effort, domestic, elasticity):
    china = side(
        legal_h100e=legal, legal_charge=charge, domestic_h100e=domestic, demand_elasticity=elasticity
    )
    found = clear_china(PRICE, china, replace(TERMS, detection=detection, effort=effort))
    demand = 400e3 * (found.price_usd / PRICE) ** -elasticity
    supply = found.legal_h100e + found.domestic_h100e + found.remote_h100e + found.delivered_h100e
    ratio = found.price_usd[0] / PRICE[0]
    if 1 / 60 < ratio < 60:
        assert supply[0] == pytest.approx(demand[0], rel=1e-9)
    assert found.shipped_h100e[0] == pytest.approx(found.delivered_h100e[0] + found.seized_h100e[0])


def test_more_detection_means_a_higher_premium_and_less_smuggled():
    low, high = (clear_china(PRICE, side(), replace(TERMS, detection=d)) for d in (0.2, 0.4))
    assert high.premium[0] > low.premium[0]
    assert high.delivered_h100e[0] < low.delivered_h100e[0]


def test_a_tighter_quota_means_a_higher_price_and_more_smuggling_and_more_of_the_rest():
    loose, tight = (clear_china(PRICE, side(legal_h100e=quota), TERMS) for quota in (90e3, 20e3))
    assert tight.price_usd[0] > loose.price_usd[0]
    assert tight.delivered_h100e[0] > loose.delivered_h100e[0]
    assert tight.domestic_h100e[0] > loose.domestic_h100e[0]
    assert tight.legal_h100e[0] == pytest.approx(20e3)


def test_closing_remote_access_raises_the_premium():
    assert (
        clear_china(PRICE, side(remote_h100e=0.0), TERMS).premium > clear_china(PRICE, side(), TERMS).premium
    )


def test_a_run_clears_the_same_alone_and_in_company():
    quota = np.linspace(0, 5e5, 9)
    runs = 9
    full = ChinaSide(
        np.full(runs, 400e3), 1.3, quota, 0.1, np.full(runs, 60e3), 0.2, np.full(runs, 50e3), 0.3
    )
    together = clear_china(np.full(runs, 30000.0), full, TERMS)
    for run in range(runs):
        alone = clear_china(PRICE, side(legal_h100e=float(quota[run]), legal_charge=0.1), TERMS)
        assert alone.price_usd[0] == together.price_usd[run]
        assert alone.seized_h100e[0] == together.seized_h100e[run]


def test_nothing_is_shipped_below_the_price_of_goods_and_risk():
    reserve = (1 + 0.28 * 0.3) / 0.72
    assert shipped_at(np.array([reserve * 0.999, reserve * 1.01]), TERMS)[0] == 0
    assert shipped_at(np.array([reserve * 1.01]), TERMS)[0] > 0


def test_detection_rises_in_budget_officers_and_verification():
    base = detection_probability(0.28, 1.0, 1.0, 0.5, 0.3)
    assert base == pytest.approx(0.28)
    assert detection_probability(0.28, 4.0, 1.0, 0.5, 0.3) == pytest.approx(1 - 0.72**2)
    assert detection_probability(0.28, 1.0, 2.0, 0.5, 0.3) > base
    assert detection_probability(0.28, 1.0, 1.0, 0.5, 0.3, 1.0, 0.5) == pytest.approx(1 - 0.72 * 0.5)
    assert detection_probability(0.28, 1e9, 1e9, 0.5, 0.3) <= 1.0


def test_routes_go_where_chips_are_and_detection_is_low():
    ease = np.array([0.0, 1.0, 1.0])
    shares = route_shares(ease, np.array([[100.0, 400.0, 100.0]]), np.full((1, 3), 0.3), 3.0)
    assert shares[0].tolist() == pytest.approx([0.0, 2 / 3, 1 / 3])
    watched = route_shares(ease, np.array([[100.0, 400.0, 100.0]]), np.array([[0.3, 0.9, 0.3]]), 3.0)
    assert watched[0, 1] < shares[0, 1]
    assert route_shares(ease, np.zeros((1, 3)), np.full((1, 3), 0.3), 3.0).sum() == 0.0
