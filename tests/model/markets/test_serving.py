"""Hours and tokens: accounts add up, rents pay for what stands, and levers move the right way."""

import numpy as np
import pytest

from computemarket.model.core.calendar import HOURS_PER_QUARTER
from computemarket.model.markets import serving as serving_market

RUNS = np.arange(6)


def test_the_lasting_rent_pays_for_an_accelerator(market_after):
    market = market_after(hours__margin_over_cost=0.2, hours__planned_utilisation=0.6)
    market.state.hour_cost_usd[:] = 1.5
    market.state.loan_rate_per_year[:] = 0.0
    assert serving_market.lasting_rent_usd(market) == pytest.approx(1.5 * 1.2 / 0.6)


def test_what_letting_an_hour_costs_by_hand(market_after):
    market = market_after(
        power__price_usd_per_mwh=100.0, hardware__other_opex_share=0.0, hours__reserve_share=0.5,
        hours__margin_over_cost=0.2, hours__planned_utilisation=0.6,
    )  # fmt: skip
    market.state.hour_cost_usd[:] = 1.5
    market.state.loan_rate_per_year[:] = 0.0
    h100 = np.array([market.world.products.ids.index("nvidia_h100_sxm")])
    power_usd = market.rates.power_kw[h100] / 1000 * 100.0
    reserve_usd = 0.5 * 3.0 * market.state.work[:, h100]  # half of the rent that lasts, 3 USD an H100e-hour
    found = serving_market.letting_cost_usd(market, h100)
    assert found[:, 0] == pytest.approx(power_usd + reserve_usd)


def test_rents_of_products_add_up_to_what_their_hours_earn(market_after):
    market = market_after(10)
    state = market.state
    made = state.tokens / serving_market.tokens_per_rated(market)[:, None, :] / 1e6  # rated Mtok
    by_use = np.concatenate(
        [made, state.training_hours_h100e[..., None], state.captive_hours_h100e[..., None]], axis=2
    )
    earned_usd = (by_use * state.use_price_usd).sum(axis=2)
    hours = state.utilisation * state.capacity_h100e * HOURS_PER_QUARTER
    assert earned_usd / hours == pytest.approx(state.rent_usd_per_h100e_hour)


def test_a_squeeze_raises_the_rent_of_every_generation(market_after):
    rents, ids = [], market_after().world.products.ids
    place = [ids.index(name) for name in ("nvidia_a100_80gb_sxm", "nvidia_h100_sxm", "nvidia_b200_sxm")]
    for factor in (1.0, 1.5):
        market = market_after(13)
        market.state.use_usd *= factor
        market.state.belief_ln_usd += np.log(factor)
        serving_market.serve(market)
        rents.append(market.state.product_rent_usd[:, 0, place])
    assert (rents[1] > rents[0]).all()
    assert (np.diff(rents[0], axis=1) > 0).all()  # the newer, the dearer an hour


def test_rents_differ_by_what_products_earn_in_their_best_uses(market_after):
    market = market_after(13)
    stands = market.state.standing_units[:, 0] > 0
    per_work = np.where(stands, market.state.product_rent_usd[:, 0] / market.state.work, np.nan)
    assert (np.nanmax(per_work, axis=1) > 1.1 * np.nanmin(per_work, axis=1)).all()


def test_sellers_give_away_no_more_hours_than_they_set_aside(market_after):
    market = market_after(9, tokens__free_ratio=100.0, tokens__free_budget_share=0.3)
    state, per_unit = market.state, serving_market.tokens_per_rated(market)
    shown = serving_market.token_prices_usd(market, state.use_price_usd, per_unit)
    cost = state.use_price_usd[:, :, 0] / per_unit[:, :1]
    wanted = serving_market.tokens_wanted(market, shown, serving_market.menu_shares(market, shown), cost)
    paid_usd = (wanted * shown)[:, :, 1:].sum(axis=2) / 1e6
    free_usd = wanted[:, :, 0] * cost / 1e6
    assert (free_usd <= 0.3 * paid_usd * (1 + 1e-9)).all()
    assert (free_usd > 0.25 * paid_usd).all()  # so many are wished for that the budget is spent


def test_a_tier_exists_only_where_a_fleet_serves_its_speed(market_after):
    market = market_after(12)  # no system for 750 tokens a second and user but a few wafers
    fast = (
        market.rates.tokens_per_s[:, 4]
        >= market.value("tokens.least_fit")[0] * market.rates.tokens_per_s[:, 0]
    )
    assert not fast[market.world.products.ids.index("nvidia_h100_sxm")]
    assert (market.state.tokens[:, 0, 4] > 0).any()
    market.state.fleet_units[:, :, fast] = 0.0
    serving_market.serve(market)
    assert (market.state.tokens[:, :, 4] == 0).all()
    assert (market.state.menu_share[:, 4] == 0).all()
    assert (market.state.tokens[:, 0, 3] > 0).all()


def test_dearer_power_never_makes_tokens_cheaper(market_after):
    usual, dear = (
        market_after(20, power__price_usd_per_mwh=[{"from": "2025Q1", "value": value}])
        for value in (70.0, 300.0)
    )
    price = [m.state.token_price_usd_per_mtok[:, 0, 1:] for m in (usual, dear)]
    assert (price[1] > price[0]).all()


def test_training_is_paid_from_the_profit_that_is_expected(market_after):
    market = market_after(10)
    before = serving_market.other_hours(market, market.state.use_price_usd)[:, :, 0]
    market.state.token_markup[:] = 1.1  # rivals give up their margins
    after = serving_market.other_hours(market, market.state.use_price_usd)[:, :, 0]
    assert (after < 0.5 * before).all()


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
