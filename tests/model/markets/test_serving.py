"""Hours and tokens: accounts add up, the rent curve passes through its reference, and levers move the right way."""

import numpy as np
import pytest

from computemarket.model.core.calendar import HOURS_PER_QUARTER
from computemarket.model.markets import serving as serving_market

RUNS = np.arange(6)


def test_at_normal_utilisation_the_asked_rent_is_the_reference(market_after):
    market = market_after()
    reference = serving_market.reference_rent_usd(market)
    floor, slope, curvature = serving_market.rent_curve(market, reference)
    normal = market.value("hours.normal_utilisation")[:, None]
    assert floor + slope * (normal / (1 - normal)) ** curvature == pytest.approx(reference)


def test_the_reference_rent_pays_for_an_accelerator(market_after):
    market = market_after(hours__margin_over_cost=0.2, hours__normal_utilisation=0.6)
    market.state.hour_cost_usd[:] = 1.5
    market.state.loan_rate_per_year[:] = 0.0
    assert serving_market.reference_rent_usd(market) == pytest.approx(1.5 * 1.2 / 0.6)


def test_revenue_is_tokens_times_their_price(market_after):
    state = market_after(8).state
    by_hand = (state.tokens * state.token_price_usd_per_mtok).sum(axis=2) / 1e6
    assert state.token_revenue_usd == pytest.approx(by_hand)
    assert (state.token_price_usd_per_mtok[:, :, 0] == 0).all()  # the free tier


def test_hours_served_are_hours_there_are(market_after):
    state = market_after(8).state
    served = state.token_hours_h100e.sum(axis=2) + state.training_hours_h100e + state.captive_hours_h100e
    assert (served <= state.capacity_h100e * HOURS_PER_QUARTER * state.utilisation * (1 + 1e-6)).all()
    assert ((state.inference_share >= 0) & (state.inference_share <= 1)).all()


def test_adoption_never_turns_back_and_never_passes_everybody(market_after):
    market, last = market_after(), np.zeros(len(RUNS))
    for _ in range(24):
        market.step()
        assert (market.state.adoption >= last).all()
        assert (market.state.adoption <= 1).all()
        last = market.state.adoption.copy()


def test_faster_tiers_are_never_cheaper(market_after):
    price = market_after(12).state.token_price_usd_per_mtok[:, 0]
    assert (np.diff(price, axis=1) >= 0).all()
    assert (price[:, 3] > price[:, 1]).all()


def test_more_use_means_dearer_hours(market_after):
    low, high = (
        market_after(10, tokens__spend_2023_usd_bn=0.05),
        market_after(10, tokens__spend_2023_usd_bn=2.0),
    )
    assert high.state.utilisation[:, 0].mean() > low.state.utilisation[:, 0].mean()
    assert high.state.rent_usd_per_h100e_hour[:, 0].mean() > low.state.rent_usd_per_h100e_hour[:, 0].mean()


def test_a_larger_fleet_makes_hours_cheaper(market_after):
    rents = []
    for factor in (1.0, 2.0):
        market = market_after(6)
        market.state.fleet_units *= factor
        serving_market.serve(market)
        rents.append(market.state.rent_usd_per_h100e_hour.copy())
    assert (rents[1] < rents[0]).all()


def test_better_software_makes_tokens_cheaper(market_after):
    slow, fast = (market_after(16, tokens__efficiency_growth_ln=value) for value in (0.2, 0.8))
    fall = [m.state.token_price_usd_per_mtok[:, 0, 1] / m.state.first_price_usd[:, 0] for m in (slow, fast)]
    assert (fall[1] < fall[0]).all()


def test_rivals_that_erode_markups_lower_prices(market_after):
    patient, fierce = (market_after(16, tokens__markup_erosion=value) for value in (0.01, 0.3))
    price = [m.state.token_price_usd_per_mtok[:, 0, 1] for m in (patient, fierce)]
    assert (price[1] < price[0]).all()


def test_spending_stays_under_the_wages_there_are_to_replace(market_after):
    tight, wide = (market_after(40, tokens__addressable_usd_bn=value) for value in (100.0, 3000.0))
    assert tight.state.token_revenue_usd.sum() < wide.state.token_revenue_usd.sum()


def test_contracts_follow_the_market_slowly(market_after):
    slow, quick = (market_after(9, hours__contract_weight=value) for value in (0.05, 0.9))
    for market in (slow, quick):
        market.before = market.state.contract_rent_usd_per_h100e_hour.copy()
        market.step()
    moved = [
        np.abs(np.log(m.state.contract_rent_usd_per_h100e_hour / m.before)).mean() for m in (slow, quick)
    ]
    assert moved[0] < moved[1]


def test_expected_growth_is_learned_from_what_was_realised(market_after):
    market = market_after(6, capex__growth_gain=0.5)
    market.state.realised_growth[:] = 0.0
    rent = market.state.rent_usd_per_h100e_hour
    revenue = market.state.token_revenue_usd * 3
    before = market.state.realised_revenue_usd.copy()
    serving_market.learn(market, revenue, rent)
    grown = np.log(market.state.realised_revenue_usd / before)
    assert market.state.realised_growth == pytest.approx(0.5 * grown)
