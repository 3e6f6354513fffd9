"""Cost of an accelerator-hour and of tokens: hand-worked, limits, anchors."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from computemarket.analysis.hardware.hardware_tables import hour_cost
from computemarket.model.hardware.economics.cost import (
    HOURS_PER_YEAR,
    Terms,
    accelerator_hour_cost,
    capital_recovery_factor,
    default_terms,
    levelised_token_cost,
    own_design_price,
    plain_token_cost,
    usd_per_mtok,
)
from computemarket.model.hardware.economics.site import published_anchors

M6 = Terms(0.10, 5.0, 15.0, 12.0e6, 1.2, 70.0, 0.03)  # the starting values of mechanism M6
GB300_PRICE, GB300_KW, GB300_PUBLISHED = 4.0e6 / 72, 2.10, 2.652


def test_the_recovery_factor_of_ten_per_cent_over_five_years_is_the_textbook_one():
    assert capital_recovery_factor(0.10, 5.0) == pytest.approx(0.2637975)


def test_without_interest_capital_is_paid_back_evenly():
    assert capital_recovery_factor(0.0, 5.0) == 0.2
    assert capital_recovery_factor(1e-9, 5.0) == pytest.approx(0.2, rel=1e-6)


def test_yearly_payments_are_worth_the_capital():
    payment = float(capital_recovery_factor(0.08, 6.0))
    assert sum(payment / 1.08**year for year in range(1, 7)) == pytest.approx(1.0)


def test_plain_cost_is_capital_plus_running_cost_times_time_over_tokens():
    assert plain_token_cost(1000.0, 2.0, 500.0, 4000.0) == 0.5


def test_no_token_costs_infinity():
    assert plain_token_cost(1000.0, 2.0, 500.0, 0.0) == np.inf
    assert levelised_token_cost(1000.0, 0.25, 0.0, 0.0, 0.0) == np.inf
    assert usd_per_mtok(np.array([1.0]), np.array([0.0]))[0] == np.inf


def test_levelised_cost_adds_capital_fixed_and_energy():
    assert levelised_token_cost(1000.0, 0.25, 30.0, 20.0, 100.0) == 3.0


def test_gb300_hour_by_hand():
    cost = accelerator_hour_cost(np.array([GB300_PRICE]), np.array([GB300_KW]), M6)
    assert cost.capital[0] == pytest.approx(GB300_PRICE * 0.2637975 / HOURS_PER_YEAR)
    assert cost.energy[0] == pytest.approx(0.147)  # 2.1 kW at 7 cents
    assert cost.other[0] == pytest.approx(GB300_PRICE * 0.03 / HOURS_PER_YEAR)
    assert cost.total[0] == pytest.approx(2.33, abs=0.01)


def test_gb300_hour_is_within_fifteen_per_cent_of_the_published_one():
    for terms in (M6, default_terms()):
        total = accelerator_hour_cost(np.array([GB300_PRICE]), np.array([GB300_KW]), terms).total[0]
        assert total == pytest.approx(GB300_PUBLISHED, rel=0.15)


def test_published_hours_are_met_on_the_whole():
    anchors = published_anchors()
    cost, _, _ = hour_cost(tuple(anchors))
    error = np.log(cost.total / np.array([anchor.usd_per_hour for anchor in anchors.values()]))
    assert np.median(np.abs(error)) < 0.20
    assert abs(error.mean()) < 0.10
    assert np.abs(error).max() < 0.40  # B200 and MI355X have list prices above what operators pay


def test_a_token_of_an_accelerator_half_idle_costs_twice():
    hour, rate = np.array([3.6]), np.array([1000.0])
    assert usd_per_mtok(hour, rate)[0] == pytest.approx(1.0)
    assert usd_per_mtok(hour, rate, 0.5)[0] == pytest.approx(2.0)


@given(
    price=st.floats(1e3, 1e6), power=st.floats(0.1, 30.0), rate=st.floats(0.0, 0.3), life=st.floats(2.0, 10.0)
)
def test_dearer_money_and_shorter_life_never_make_an_hour_cheaper(price, power, rate, life):
    def total(rate: float, life: float) -> float:
        terms = Terms(rate, life, 15.0, 12.0e6, 1.2, 70.0, 0.03)
        return float(accelerator_hour_cost(np.array([price]), np.array([power]), terms).total[0])

    assert total(rate + 0.01, life) > total(rate, life) > total(rate, life + 0.5)


def test_terms_that_differ_by_run_broadcast():
    rates = np.array([[0.05], [0.10]])
    cost = accelerator_hour_cost(
        np.array([1e4, 2e4]), np.array([1.0, 2.0]), Terms(rates, 5.0, 15.0, 12e6, 1.2, 70.0, 0.0)
    )
    assert cost.total.shape == (2, 2)
    assert (cost.capital[1] > cost.capital[0]).all()


def test_an_own_design_falls_in_price_until_its_memory_is_all_it_costs():
    price = own_design_price(np.ones(3), np.full(3, 100.0), np.array([0.0, 2.0, 50.0]))
    assert price[0] > price[1] > price[2] == 2500.0
