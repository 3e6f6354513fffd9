"""What vendors ask."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from computemarket.model.mechanisms.choice import logit_shares
from computemarket.model.mechanisms.pricing import (
    acquires_rival,
    average_system_cost,
    bertrand_nash_prices,
    gross_margin,
    lerner_price,
    own_price_elasticity,
    posted_price,
    scarcity_price,
    system_price,
    token_derived_elasticity,
)


def test_a_share_of_four_fifths_gives_the_margin_of_three_quarters():
    elasticity = own_price_elasticity(4.0, np.array([0.8]), 0.65)
    assert elasticity[0] == pytest.approx(1.32)
    assert own_price_elasticity(4.0, np.array([0.79]), 0.65)[0] == pytest.approx(1.35, abs=0.01)
    price = lerner_price(np.array([10.0]), np.array([1.35]), 1e9)
    assert gross_margin(price, np.array([10.0]))[0] == pytest.approx(0.74, abs=0.001)


def test_elasticity_runs_from_rivalry_to_the_markets_own():
    np.testing.assert_allclose(own_price_elasticity(4.0, np.array([0.0, 1.0]), 0.65), [4.0, 0.65])


def test_an_input_of_half_the_cost_faces_half_the_elasticity():
    assert token_derived_elasticity(0.5, 1.3) == pytest.approx(0.65)


def test_where_demand_does_not_discipline_the_buyers_break_even_does():
    cost, cap = np.array([10.0, 10.0, 10.0]), np.array([60.0, 60.0, 8.0])
    np.testing.assert_array_equal(lerner_price(cost, np.array([1.05, 0.4, 0.4]), cap), [60.0, 60.0, 10.0])
    assert lerner_price(np.array([10.0]), np.array([1.1]), 60.0)[0] == 60.0


@given(st.floats(0.1, 1e5), st.floats(1.06, 50), st.floats(1.001, 2.0))
def test_markups_fall_with_elasticity_and_prices_rise_with_cost(cost, elasticity, factor):
    price = lerner_price(np.array([cost]), np.array([elasticity]), 1e12)
    assert 1 - cost / price[0] == pytest.approx(1 / elasticity)
    assert lerner_price(np.array([cost]), np.array([elasticity * factor]), 1e12) < price
    assert lerner_price(np.array([cost * factor]), np.array([elasticity]), 1e12) > price


def test_a_posted_price_moves_part_of_the_way_in_logarithms():
    np.testing.assert_allclose(posted_price(np.array([100.0]), np.array([25.0]), 0.5), [50.0])
    np.testing.assert_allclose(
        posted_price(np.full(3, 100.0), np.full(3, 25.0), np.array([0.0, 1.0, 0.5])), [100, 25, 50]
    )


@given(st.floats(1, 1e5), st.floats(1, 1e5), st.floats(0.05, 0.95))
def test_posting_forever_reaches_the_target_and_never_passes_it(start, target, weight):
    price = np.array([start])
    for _ in range(600):
        nearer = posted_price(price, np.array([target]), weight)
        assert abs(np.log(nearer[0] / target)) <= abs(np.log(price[0] / target)) + 1e-12
        price = nearer
    assert price[0] == pytest.approx(target)


def test_a_system_costs_its_chips_and_its_content():
    np.testing.assert_allclose(system_price(np.array([[30.0]]), 0.2, np.array([0.3])), [[45.0]])


def test_in_a_shortage_the_price_stays_between_list_and_clearing():
    listed, wanted, room, e = np.array([30.0]), np.array([200.0]), np.array([100.0]), np.array([2.0])
    clearing = listed * np.sqrt(2.0)
    np.testing.assert_allclose(scarcity_price(listed, wanted, room, e, 1.0), clearing)
    held = scarcity_price(listed, wanted, room, e, 0.3)
    assert listed[0] < held[0] < clearing[0]
    np.testing.assert_array_equal(scarcity_price(listed, room, wanted, e, 0.3), listed)
    np.testing.assert_array_equal(scarcity_price(listed, wanted, np.zeros(1), e, 0.3), listed)


def test_no_firm_gains_by_another_price_in_equilibrium():
    cost, appeal = np.array([[10.0, 8.0, 12.0]]), np.array([[1.0, 0.0, 0.5]])
    firm, alpha, eta = np.array([0, 1, 0]), 4.0, 0.65
    price, share = bertrand_nash_prices(cost, appeal, firm, alpha, eta, 1e9)

    def profit(prices, f):
        utility = appeal - (alpha - 1) * np.log(prices)
        index = np.exp(utility).sum() ** (-1 / (alpha - 1))
        sold = (
            logit_shares(utility) / prices * index ** (1 - eta)
        )  # shares of spending; the market answers its index
        return ((prices - cost) * sold)[0, firm == f].sum()

    for f in (0, 1):
        best = profit(price, f)
        for factor in (0.95, 0.98, 1.02, 1.05):
            other = price * np.where(firm == f, factor, 1.0)
            assert profit(other, f) <= best * (1 + 1e-6)
    np.testing.assert_allclose(share.sum(), 1.0)


def test_a_merger_raises_prices():
    cost, appeal = np.full((1, 4), 10.0), np.zeros((1, 4))
    apart, _ = bertrand_nash_prices(cost, appeal, np.array([0, 1, 2, 3]), 4.0, 0.65, 1e9)
    merged, _ = bertrand_nash_prices(cost, appeal, np.array([0, 0, 1, 2]), 4.0, 0.65, 1e9)
    assert (merged > apart).all()
    assert merged[0, 0] > merged[0, 2]


def test_an_entrant_without_scale_bears_its_platform_on_few_units():
    np.testing.assert_allclose(
        average_system_cost(np.full(3, 10.0), 1e6, np.array([0.0, 1e3, 1e9])), [1e6 + 10, 1010, 10.001]
    )


def test_a_rival_is_bought_when_its_segment_is_worth_more_than_it_asks():
    bought = acquires_rival(np.array([30.0, 10.0]), np.array([6.9, 6.9]), 2.9)
    np.testing.assert_array_equal(bought, [True, False])
