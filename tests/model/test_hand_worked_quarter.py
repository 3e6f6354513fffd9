"""One quarter of each market worked by hand: small round numbers in, and the numbers that the laws make of them.

The markets are those of the simulation; what stands in their arrays is written over before a step is taken. Each
comment is the calculation.
"""

from dataclasses import replace

import numpy as np
import pytest

from computemarket.model.markets import accelerators as accelerator_market
from computemarket.model.markets import china as china_market
from computemarket.model.markets import orders, settlement
from computemarket.model.markets import serving as serving_market
from computemarket.model.markets.order_book import order_twice, withdraw_duplicates
from computemarket.model.markets.user_cost import hour_cost_usd
from computemarket.model.mechanisms.operators.hours_by_use import Assignment, Fleets
from computemarket.model.world.world import TIERS

YEAR_H = 8766.0
QUARTER_H = YEAR_H / 4
WEST, CHINA = 0, 1
FREE = 0  # place of the free tier
PAID = len(TIERS) - 1
FIRST, SECOND = 0, 1  # two operators outside China


def product(market, name):
    return market.world.products.ids.index(name)


def announce(market, places, quarter):
    """Let products be known from a quarter on."""
    announced = market.world.products.announced.copy()
    announced[list(places)] = quarter
    market.world = replace(market.world, products=replace(market.world.products, announced=announced))


def clear_fleets(market):
    """Take away every accelerator and every order, and give everybody plenty of sites."""
    state = market.state
    for array in (
        state.fleet_units, state.age_quarters, state.backlog_units, state.ordered_units, state.duplicate_share,
        state.delivered_units, state.retired_units, state.inventory_units, state.in_process_units,
        state.power_used_mw, state.wish_h100e, state.wanted_h100e,
    ):  # fmt: skip
        array[:] = 0.0
    state.power_mw[:] = 1e6
    state.power_pipeline_mw[:] = 0.0


# hours and tokens


def booked(market, used=0.75):
    """Book 1,000 hours of one product, of which 100 of 750 go to each tier, 200 to training and 50 to own use.

    An hour makes 3.6 million rated tokens, as many as are served, or an H100e-hour of work. A million tokens pay their
    hours 1 USD and cost users 5; an hour of other work pays 10.
    """
    state, place = market.state, np.array([product(market, "nvidia_h100_sxm")])
    kinds = len(TIERS)
    state.work[:, place] = 1.0
    state.capacity_h100e[:] = 1000.0 / QUARTER_H
    state.usual_utilisation[:], state.realised_growth[:] = 0.75, 0.0
    state.token_efficiency_ln[:], state.request_factor[:] = 0.0, 1.0
    state.token_markup[:], state.markup_factor[:] = 2.5, 2.0
    state.use_price_usd[:, :, :kinds], state.use_price_usd[:, :, kinds:] = 1.0, 10.0
    state.hour_cost_usd[:], state.loan_rate_per_year[:] = 1.5, 0.0
    state.contract_rent_usd_per_h100e_hour[:] = 4.0
    rate = np.ones((6, 1, kinds + 2))
    rate[:, :, :kinds] = 3.6
    hours = np.full((6, 2, 1), 1000.0)
    share = np.array([100.0] * kinds + [200.0, 50.0]) / 750.0 * np.ones((6, 2, 1, 1))
    put = Assignment(share, np.full((6, 2, 1), used), np.full((6, 2, 1), 5.0))
    serving_market.book(market, Fleets(hours, np.log(rate), np.zeros((6, 2, 1))), put, place)
    return state


RENT = (len(TIERS) * 360 * 1.0 + 250 * 10.0) / 750  # what tokens and other work earn, over hours that are let


def test_tokens_sell_at_todays_price_and_teach_what_ai_earns(market_after):
    market = market_after(
        1, tokens__serving_share=1.0, hours__contract_weight=0.5, hours__contract_scarcity=0.25,
        hours__margin_over_cost=0.2, capex__growth_gain=0.5,
    )  # fmt: skip
    realised = 4 * 2 * (PAID * 360 * 5.0 + 250 * RENT)  # a year, in two markets
    market.state.realised_revenue_usd[:] = realised / np.e
    state = booked(market)
    assert state.tokens == pytest.approx(100 * 3.6e6)
    assert state.token_price_usd_per_mtok[:, :, 1:] == pytest.approx(5.0)
    assert (state.token_price_usd_per_mtok[:, :, FREE] == 0).all()
    assert state.token_revenue_usd == pytest.approx(PAID * 360 * 5.0)
    assert state.training_hours_h100e == pytest.approx(200.0)
    assert state.captive_hours_h100e == pytest.approx(50.0)
    assert state.inference_share == pytest.approx(1 - 200 / 750)
    assert state.utilisation == pytest.approx(0.75)
    assert state.rent_usd_per_h100e_hour == pytest.approx(RENT)
    assert state.product_rent_usd[:, :, product(market, "nvidia_h100_sxm")] == pytest.approx(5.0)
    assert state.realised_revenue_usd == pytest.approx(realised)
    assert state.realised_growth == pytest.approx(0.5)  # half of ln e
    lasting = 1.5 * 1.2 / 0.75  # 2.4: cost with its margin over usual use
    middle = lasting * (RENT / lasting) ** 0.25  # little of a squeeze enters a contract
    assert state.contract_rent_usd_per_h100e_hour == pytest.approx((4.0 * middle) ** 0.5)


def test_idle_hours_are_not_sold_and_are_remembered(market_after):
    market = market_after(1, tokens__serving_share=1.0, hours__contract_weight=0.5)
    state = booked(market, used=0.375)  # half as many
    assert state.token_hours_h100e == pytest.approx(50.0)
    assert state.tokens == pytest.approx(50 * 3.6e6)
    assert state.utilisation == pytest.approx(0.375)
    assert state.usual_utilisation == pytest.approx((0.75 * 0.375) ** 0.5)
    assert state.rent_usd_per_h100e_hour == pytest.approx(RENT)  # of the hours that are let


def test_a_glut_enters_contracts_more_than_a_squeeze(market_after):
    market = market_after(
        1, hours__contract_weight=0.5, hours__contract_scarcity=0.25, hours__contract_glut=0.5,
        hours__margin_over_cost=0.2,
    )  # fmt: skip
    state = market.state
    state.hour_cost_usd[:], state.loan_rate_per_year[:], state.usual_utilisation[:] = 1.5, 0.0, 0.75
    state.contract_rent_usd_per_h100e_hour[:] = 2.4
    serving_market.renew_contract_rent(market, np.full((6, 2), 0.6))  # a quarter of the rent that lasts, 2.4
    assert state.contract_rent_usd_per_h100e_hour == pytest.approx(2.4 * 0.25**0.25)  # half of half of ln 1/4


def test_paid_and_free_tokens_follow_use_price_and_the_wages_there_are(market_after):
    market = market_after(
        6, tokens__elasticity=2.0, tokens__china_size=0.1, tokens__addressable_usd_bn=4000.0,
        tokens__free_ratio=8.0, tokens__free_budget_share=0.5,
    )  # fmt: skip
    state = market.state
    state.use_usd[:], state.use_factor[:], state.wage_growth[:] = 2e12, 0.5, 1.0
    state.first_price_usd[:] = 1.0
    tiers = np.ones((6, 2, len(TIERS)))
    wanted = serving_market.tokens_wanted(market, 2.0 * tiers, tiers / len(TIERS), np.full((6, 2), 2.0))
    # 2 x 10^12 x 0.5 x (2 / 1)^(1 - 2) = 5 x 10^11 under wages of 10^12; China a tenth of both
    spent = 1e12 * (1 - np.exp(-0.5)) * np.array([1.0, 0.1])
    assert wanted[0, :, 1:] == pytest.approx(spent[:, None] / 2 * 1e6 / PAID * np.ones(PAID))
    # wished for are 8 x 0.2 / 0.8 = 2 free for one paid, and half of what is spent would pay for 1/2: a ceiling
    paid = spent / 2 * 1e6
    assert wanted[0, :, FREE] == pytest.approx(0.5 * paid * (1 - np.exp(-4.0)))


def test_training_and_captive_use_are_budgets(market_after):
    market = market_after(
        8, hours__training_share=0.5, hours__training_scale=0.5, hours__margin_over_cost=0.2,
        capex__belief_2022_usd_bn=30.0, tokens__markup_2023=6.0,
    )  # fmt: skip
    state = market.state
    state.belief_ln_usd[:] = np.log(2e11)
    state.token_markup[:], state.markup_factor[:] = 1.0, 2.0
    state.funding_ratio[:], state.captive_usd_per_year[:], state.robot_hours_h100e[:] = 0.5, 8e9, 7.0
    state.hour_cost_usd[:], state.loan_rate_per_year[:], state.usual_utilisation[:] = 1.5, 0.0, 0.75
    hours = serving_market.other_hours(market, np.full((6, 2, len(TIERS) + 2), 2.0))
    # profit: 2 x 10^11 x (1 - 1/2) = 10^11 today, 3 x 10^10 x (1 - 1/6) = 2.5 x 10^10 in 2022, a quarter of it:
    training = 0.5 * 2.5e10 * 4**0.5 * 0.5 / 4 / 2.0
    assert hours[:, :, 0].sum(axis=1) == pytest.approx(training)
    assert (hours[:, :, 1] - 7.0).sum(axis=1) == pytest.approx(8e9 / 4 / 2.0)
    dear = serving_market.other_hours(
        market, np.full((6, 2, len(TIERS) + 2), 4.8)
    )  # twice the rent that lasts
    assert (dear[:, :, 1] - 3.5).sum(axis=1) == pytest.approx(8e9 / 4 / 4.8)


def test_use_grows_by_adopters_by_the_growth_that_is_left_and_by_chance(market_after):
    market = market_after(
        8, tokens__bass_p=0.02, tokens__bass_q=0.2, tokens__use_growth=0.1, tokens__growth_fade_quarters=20.0,
        tokens__noise_sd=0.1,
    )  # fmt: skip
    state = market.state
    state.adoption[:], state.use_growth_left[:], state.use_usd[:] = 0.5, 1.0, 100.0
    serving_market.grow_use(market)
    chance = 0.1 * market.draws["tokens.use"][:, 8, 0]
    assert state.adoption == pytest.approx(0.56)  # 0.5 + (0.02 + 0.2 x 0.5) x 0.5
    assert state.use_growth_left == pytest.approx(np.exp(-0.05))
    assert state.use_usd == pytest.approx(112.0 * 1.1 ** np.exp(-0.05) * np.exp(chance))


def test_paid_use_is_counted_from_2023_on(market_after):
    market = market_after(4, tokens__adopted_2023=0.04, tokens__spend_2023_usd_bn=2.0)
    serving_market.grow_use(market)
    assert market.state.use_usd == pytest.approx(2e9)  # the first quarter is given
    market = market_after(5, tokens__adopted_2023=0.04, tokens__spend_2023_usd_bn=2.0)
    serving_market.grow_use(market)
    assert (market.state.use_usd > 2e9).all()


def test_an_hour_makes_tokens_of_the_tiers_it_is_fast_enough_for_or_its_work(market_after):
    market = market_after(6, tokens__least_fit=0.1, tokens__serving_share=0.5)
    state, rates, p = market.state, market.rates, product(market, "nvidia_h100_sxm")
    state.work[:, p] = market.nominal_work[:, p] / 2  # half as good as it was
    state.token_efficiency_ln[:], state.request_factor[:] = np.log(2.0), 0.25
    found = serving_market.use_rates_ln(market, np.array([p]))[:, 0]
    speed = rates.tokens_per_s[p]
    by_hand = speed * rates.maturity[p, 6] * 3600 / 1e6 / 2
    offered = speed >= 0.1 * speed[0]
    kinds = len(TIERS)
    assert np.exp(found[:, :kinds][:, offered]) == pytest.approx(by_hand[offered] * np.ones((6, 1)))
    assert np.isneginf(found[:, :kinds][:, ~offered]).all()
    assert np.exp(found[:, kinds:]) == pytest.approx(state.work[:, p, None] * np.ones(2))
    assert serving_market.tokens_per_rated(market) == pytest.approx(0.5 * 2.0 * 0.25)


def test_a_million_tokens_cost_their_hours_times_the_markup(market_after):
    market = market_after()
    market.state.token_markup[:], market.state.markup_factor[:] = 3.0, 0.5
    use_price, per_unit = np.full((6, 2, len(TIERS) + 2), 3.6), np.full((6, len(TIERS)), 1.8)
    found = serving_market.token_prices_usd(market, use_price, per_unit)
    assert found == pytest.approx(3.0)  # 3.6 USD for 1.8 million tokens, x 3 x 0.5


def test_capacity_is_what_is_up_and_what_is_rented_abroad_works_for_china(market_after):
    market = market_after(6, hours__availability=0.9)
    state = market.state
    state.availability_factor[:] = 1.0
    state.used_abroad_h100e[:] = 100.0
    serving_market.serve(market)
    up = 0.9 * (serving_market.fleets_by_market(market) * market.state.work[:, None, :]).sum(axis=2)
    assert state.capacity_h100e[:, WEST] == pytest.approx(up[:, WEST] - 100.0)
    assert state.capacity_h100e[:, CHINA] == pytest.approx(up[:, CHINA] + 100.0)


def test_a_tier_that_nobody_takes_serves_nothing(market_after):
    market = market_after(6)
    market.state.tier_tilt[:, -1] = 0.0
    serving_market.serve(market)
    assert (market.state.tokens[:, :, -1] < 1e-6 * market.state.tokens[:, :, 1]).all()
    assert (market.state.tokens[:, :, 1] > 0).all()


def test_each_use_answers_rents_by_its_own_elasticity(market_after):
    market = market_after(
        tokens__elasticity=1.2, hours__training_elasticity=0.6, hours__captive_elasticity=0.3
    )
    # free use is a budget in dollars: it takes as many fewer hours as they are dearer
    assert serving_market.elasticities(market)[0, 0].tolist() == [1.0] + [1.2] * PAID + [0.6, 0.3]


# accelerators


def stocked(market, stock=200.0):
    """Let two operators wait for 100 and 300 of a product of which some are finished."""
    state, p = market.state, product(market, "nvidia_h100_sxm")
    clear_fleets(market)
    market.state.priority[:] = 1.0
    state.backlog_units[:, FIRST, p], state.backlog_units[:, SECOND, p] = 100.0, 300.0
    state.inventory_units[:, p] = stock
    return p


def test_what_is_finished_is_shared_by_orders_and_priority(market_after):
    market = market_after(8)
    p = stocked(market)
    market.state.priority[:, FIRST] = 2.0
    accelerator_market.deliver(market)
    # 100 x 2 t + 300 t = 200 at t = 0.4
    assert market.state.delivered_units[:, FIRST, p] == pytest.approx(80.0)
    assert market.state.delivered_units[:, SECOND, p] == pytest.approx(120.0)
    assert market.state.backlog_units[:, SECOND, p] == pytest.approx(180.0)
    assert market.state.inventory_units[:, p] == pytest.approx(0.0, abs=1e-9)
    assert market.state.fleet_units[:, FIRST, p] == pytest.approx(80.0)


def test_nobody_gets_more_than_its_sites_can_power(market_after):
    market = market_after(8)
    p = stocked(market)
    kw = market.rates.power_kw[p]
    state = market.state
    state.power_mw[:, SECOND] = 50.0 + 75 * kw / 1000
    state.power_used_mw[:, SECOND] = 50.0
    accelerator_market.deliver(market)
    # half of the orders arrive, 50 and 150; the second's sites bear 75, so it claims 150 of its 300; 200 go round
    # by 100 : 150 as 80 and 120, of which it can power 75
    assert state.delivered_units[:, FIRST, p] == pytest.approx(80.0)
    assert state.delivered_units[:, SECOND, p] == pytest.approx(75.0)
    # held up: 75 of the 150 that would arrive, then 45 of the 120
    assert state.binding[:, accelerator_market.POWER] == pytest.approx(120.0 * market.rates.h100e[p])


def test_an_order_that_is_served_takes_its_duplicates_with_it(market_after):
    market = market_after(8)
    p = stocked(market, stock=1000.0)
    market.state.duplicate_share[:, p] = 0.2
    accelerator_market.deliver(market)
    assert market.state.delivered_units[:, SECOND, p] == pytest.approx(240.0)  # 300 x 0.8
    assert market.state.backlog_units[:, :, p] == pytest.approx(0.0, abs=1e-9)


def test_old_accelerators_retire_by_their_age_and_the_mean_age_follows(market_after):
    market = market_after(
        8, chips__life_years=5.0, chips__retirement_spread_quarters=2.0, chips__retirement_hazard=0.2
    )
    state, p = market.state, product(market, "nvidia_h100_sxm")
    clear_fleets(market)
    state.fleet_units[:, FIRST, p] = state.fleet_units[:, SECOND, p] = 1000.0
    state.age_quarters[:, FIRST, p] = 20.0 + 2 * np.log(3.0)
    state.age_quarters[:, SECOND, p] = 20.0 - 2 * np.log(3.0)
    accelerator_market.retire(market)
    assert state.retired_units[:, FIRST, p] == pytest.approx(150.0)  # 0.2 x 3/4
    assert state.retired_units[:, SECOND, p] == pytest.approx(50.0)  # 0.2 x 1/4
    state.fleet_units[:, FIRST, p], state.age_quarters[:, FIRST, p] = 100.0, 4.0
    new = np.zeros_like(state.fleet_units)
    new[:, FIRST, p] = 300.0
    accelerator_market.install(market, new)
    assert state.age_quarters[:, FIRST, p] == pytest.approx(1.25)  # 100 of 5 quarters among 400


def test_what_was_started_is_finished_and_what_is_needed_is_started(market_after):
    market = market_after(
        8, capacity__inventory_quarters=0.5, capacity__packaging_yield=0.8, capacity__ramp_quarters=4.0
    )
    state, p = market.state, product(market, "nvidia_h100_sxm")
    clear_fleets(market)
    state.in_process_units[:, p] = 70.0
    state.backlog_units[:, FIRST, p] = 500.0
    state.delivered_units[:, FIRST, p] = 100.0
    state.packaging_wafers[:], state.memory_gb[:] = 1e6, 1e9
    accelerator_market.produce(market)
    assert state.produced_units[:, p] == pytest.approx(70.0)
    assert state.inventory_units[:, p] == pytest.approx(70.0)
    assert state.in_process_units[:, p] == pytest.approx(480.0)  # 500 + 0.5 x 100 - 70
    assert state.waiting_wafers == pytest.approx(480 / 29 / 0.8)
    accelerator_market.produce(market)
    assert state.inventory_units[:, p] == pytest.approx(550.0)  # all that is needed
    assert state.in_process_units[:, p] == pytest.approx(0.0, abs=1e-9)
    state.backlog_units[:, FIRST, p] += 400.0
    state.memory_gb[:] = 100 * 80.0
    accelerator_market.produce(market)
    assert state.in_process_units[:, p] == pytest.approx(100.0)  # of 400, at 80 GB each


def test_a_product_that_has_ended_is_not_made(market_after):
    market = market_after(8)
    state, p = market.state, product(market, "nvidia_a800_sxm")  # sold until 2023Q4, the eighth quarter
    clear_fleets(market)
    state.backlog_units[:, FIRST, p] = 500.0
    state.packaging_wafers[:], state.memory_gb[:] = 1e6, 1e9
    accelerator_market.produce(market)
    assert (state.in_process_units[:, p] == 0).all()


def test_a_young_product_ramps_by_its_age(market_after):
    market = market_after(4, capacity__ramp_quarters=5.0, capacity__ramp_wafers_share=0.5)
    p = product(market, "nvidia_h800_sxm")  # sold from the fifth quarter, this one
    market.state.packaging_wafers[:] = 1000.0
    limit = accelerator_market.ramp_limit(market)[:, p]
    factor = market.differences.ramp_factor[:, p]
    assert limit == pytest.approx(
        1000 * 0.5 * 2 / 5 * 29 * factor
    )  # next quarter it is 1 old: (1 + 1) of 5 steps


def test_sites_are_planned_ahead_and_connected_after_their_lag(market_after):
    market = market_after(
        8, power__margin=0.25, power__planned_growth_ln=0.0, power__lead_quarters=3.0, power__completion=0.5,
        power__fastest_growth=0.1, power__first_sites_mw=10.0,
    )  # fmt: skip
    state, p = market.state, product(market, "nvidia_h100_sxm")
    clear_fleets(market)
    market.measure()
    state.delivered_units[:, FIRST, p] = 1e9  # so that all others are nothing
    per_mw = 1000 / (market.rates.power_kw[p] / market.rates.h100e[p])
    state.power_mw[:] = 100.0
    state.power_pipeline_mw[:, FIRST, 0], state.power_pipeline_mw[:, FIRST, 1] = 5.0, 20.0
    state.wish_h100e[:, FIRST] = 104.0 * per_mw
    state.wish_h100e[:, SECOND] = 1e6 * per_mw
    accelerator_market.connect_power(market)
    assert state.power_mw[:, FIRST] == pytest.approx(105.0)
    assert state.power_added_mw[:, FIRST] == pytest.approx(5.0)
    # planned 104 x 1.25 = 130 MW, of which 105 stand and 20 come: 5 are begun, half of them are completed
    assert state.power_pipeline_mw[:, FIRST, :4] == pytest.approx(
        np.array([20.0, 0.0, 2.5, 0.0]) * np.ones((6, 1)), rel=1e-6
    )
    # at most a tenth of 100 and 10 more
    assert state.power_pipeline_mw[:, SECOND, 2] == pytest.approx(10.0)


def test_goods_are_scrapped_when_kept_too_long_and_wanted_by_nobody(market_after):
    market = market_after(12, orders__kept_quarters=4.0)
    state = market.state
    old, waited = (product(market, name) for name in ("nvidia_a800_sxm", "nvidia_h800_sxm"))
    clear_fleets(market)  # both ended in the quarter 7; at 12 more than 4 quarters have passed
    state.inventory_units[:, [old, waited]] = 30.0
    state.backlog_units[:, FIRST, waited] = 1.0
    a100 = product(market, "nvidia_a100_80gb_sxm")
    state.inventory_units[:, a100] = 30.0  # ended in the quarter 8: four quarters ago, still kept
    accelerator_market.write_off(market)
    assert state.written_off_units[:, old] == pytest.approx(30.0)
    assert (state.written_off_units[:, [waited, a100]] == 0).all()
    assert (state.inventory_units[:, old] == 0).all()


def test_an_accelerator_costs_its_price_with_content_and_its_shell(market_after):
    market = market_after(capex__shell_usd_per_mw=1.2e7)
    p = product(market, "nvidia_h100_sxm")
    market.state.price_usd[:, p] = 30000.0
    by_hand = 30000.0 * (1 + 0.15 + 0.18) + 12000.0 * market.rates.power_kw[p]
    assert orders.all_in_cost_usd(market)[:, p] == pytest.approx(by_hand)


def test_a_queue_waits_as_long_as_making_it_takes_and_puts_buyers_off(market_after):
    market = market_after(8, chips__waiting_weight=0.2, orders__longest_queue_quarters=6.0)
    p = stocked(market, stock=100.0)
    before = orders.appeal(market)[:, p]
    idle = orders.quarters_to_wait(market)[:, p]
    market.state.in_process_units[:, p] = 99.0
    wait = orders.quarters_to_wait(market)[:, p]
    assert idle == pytest.approx(6.0)  # 300 for 1 a quarter: as long as anybody waits
    assert wait == pytest.approx(3.0)  # (400 - 100) / (99 + 1)
    assert orders.appeal(market)[:, p] - before == pytest.approx(0.2 * 3.0)


def test_a_product_just_launched_has_few_places_to_go(market_after):
    market = market_after(7, chips__qualification_quarters=4.0, chips__qualification_loss=1.0)
    p = product(market, "amd_mi300x")  # sold from the quarter 7, this one
    late = market_after(7, chips__qualification_quarters=4.0, chips__qualification_loss=0.5)
    for one in (market, late):
        one.state.software_gap[:] = one.state.backlog_units[:] = 0.0  # what was sold before differs
    both = [orders.appeal(one)[:, p] for one in (market, late)]
    assert both[1] - both[0] == pytest.approx(0.5 * 0.75)  # one of four quarters is served


def test_orders_wait_for_a_cheaper_product_that_is_due_soon(market_after):
    market = market_after(8, orders__patience_quarters=2.0, chips__waiting_share=0.4)
    usd = np.full((6, len(market.world.products.ids)), 100.0)
    soon, later = product(market, "nvidia_b200_sxm"), product(market, "nvidia_gb200")  # sold from 10, from 11
    announce(market, (soon, later), 8)
    usd[:, later], usd[:, soon] = 1.0, 75.0
    assert orders.waiting_share(market, usd) == pytest.approx(0.4 * 0.25)
    usd[:, product(market, "amd_mi300x")] = 60.0  # what is on sale is cheaper still
    assert (orders.waiting_share(market, usd) == 0).all()


def test_what_is_on_sale_today_or_not_yet_announced_is_not_waited_for(market_after):
    market = market_after(9, orders__patience_quarters=2.0, chips__waiting_share=0.4)
    usd = np.full((6, len(market.world.products.ids)), 100.0)
    hidden, now = (
        product(market, "nvidia_b200_sxm"),
        product(market, "nvidia_h200_sxm"),
    )  # sold from 10, from 9
    announce(market, (hidden,), 10)
    announce(market, (now, product(market, "nvidia_gb200")), 7)
    usd[:, [hidden, now]] = 50.0
    usd[:, product(market, "nvidia_gb200")] = 45.0  # sold from 11
    assert orders.waiting_share(market, usd) == pytest.approx(0.4 * 0.1)


def test_who_waits_for_an_announced_product_orders_less_today(market_after):
    settings = {"chips__waiting_share": 1.0, "orders__duplicate_intensity": 0.0, "chips__card_share": 0.0}
    market = market_after(8, **settings)
    p = product(market, "nvidia_b200_sxm")
    market.state.price_usd[:, p] = 1000.0

    def ordered():
        orders.order(market)
        work = (market.state.ordered_units * market.state.work[:, None, :]).sum(axis=2)
        return np.delete(work, market.state.restricted_holders, axis=1)

    announce(market, np.flatnonzero(market.world.products.launch > 8), 99)
    usual = ordered()
    announce(market, (p,), 8)
    waiting = orders.waiting_share(market, hour_cost_usd(market) / market.state.work)
    assert (waiting > 0.1).all()
    assert ordered() == pytest.approx(usual * (1 - waiting)[:, None])


def test_nobody_waits_for_what_is_due_beyond_their_patience(market_after):
    for patience, waiting in ((1.0, 0.0), (2.0, 0.75)):
        market = market_after(8, chips__waiting_share=1.0, orders__patience_quarters=patience)
        p = product(market, "nvidia_b200_sxm")  # comes out in the tenth quarter
        announce(market, np.flatnonzero(market.world.products.launch > 8), 99)
        announce(market, (p,), 8)
        hour = np.full(market.state.price_usd.shape, 2.0)
        hour[:, p] = 0.5  # a quarter of what is on sale
        assert orders.waiting_share(market, hour) == pytest.approx(waiting)


def test_orders_of_ended_products_are_cancelled_in_part(market_after):
    market = market_after(9, orders__ended_kept_share=0.75)
    ended, just = (product(market, name) for name in ("nvidia_a800_sxm", "nvidia_a100_80gb_sxm"))
    clear_fleets(market)  # ended in the quarters 7 and 8
    market.state.holder_access[:] = 1.0
    market.state.backlog_units[:, FIRST, [ended, just]] = 100.0
    orders.cancel_ended(market)
    assert market.state.backlog_units[:, FIRST, ended] == pytest.approx(75.0)
    assert market.state.backlog_units[:, FIRST, just] == pytest.approx(100.0)


def test_own_silicon_takes_its_share_and_others_what_is_left(market_after):
    market = market_after(10)
    columns = np.flatnonzero(market.structure.on_sale[10])
    owners = np.flatnonzero(np.take(market.structure.owner, columns, axis=1).any(axis=1))
    market.state.own_share[:] = 0.4
    shares = np.zeros((6, len(market.world.operators.ids), len(columns)))
    shares[:, :, 0] = 1.0
    orders.add_own_silicon(market, np.zeros((6, len(market.world.products.ids))), columns, shares)
    assert shares[:, owners, 0] == pytest.approx(0.6)
    assert shares.sum(axis=2) == pytest.approx(1.0)


def test_partners_of_the_leader_move_their_orders_to_it(market_after):
    market = market_after(8)
    columns = np.array([product(market, "nvidia_h100_sxm"), product(market, "amd_mi300x")])
    market.state.exclusive_share[:] = 0.0
    market.state.exclusive_share[:, FIRST] = 0.25
    shares = np.full((6, len(market.world.operators.ids), 2), 0.5)
    orders.bind_partners(market, columns, shares)
    # a quarter of the orders goes whole to the leader: 0.75 x 0.5 + 0.25 x 1
    assert shares[0, FIRST] == pytest.approx([0.625, 0.375])
    assert shares[0, SECOND] == pytest.approx([0.5, 0.5])


def test_cards_take_a_share_of_what_was_spent_where_they_may_be_had(market_after):
    market = market_after(8)
    state, p, card = market.state, product(market, "nvidia_h100_sxm"), market.structure.card
    clear_fleets(market)
    state.delivered_units[:, FIRST, p] = 10.0
    state.delivered_units[:, SECOND, p] = 10.0
    state.price_usd[:, p], state.price_usd[:, card] = 30000.0, 3000.0
    state.card_budget_share[:] = 0.1
    state.holder_access[:, FIRST, card], state.holder_access[:, SECOND, card] = 0.5, 1.0
    orders.order_cards(market)
    assert state.ordered_units[:, SECOND, card] == pytest.approx(10.0)  # a tenth of 300,000
    assert state.ordered_units[:, FIRST, card] == pytest.approx(5.0)


def test_the_book_swells_by_what_is_ordered_twice(market_after):
    market = market_after(
        8, orders__normal_lead_quarters=2.0, orders__duplicate_intensity=0.5, orders__duplicate_most=0.4,
        orders__cancel_response=1.0, capacity__build_weeks=13.0,
    )  # fmt: skip
    state, p = market.state, product(market, "nvidia_h100_sxm")
    clear_fleets(market)
    state.quoted_quarters[:, p] = 3.0
    state.backlog_units[:, FIRST, p], state.duplicate_share[:, p] = 100.0, 0.1
    state.ordered_units[:, FIRST, p] = 200.0
    order_twice(market)
    # 0.5 x (3 / 2 - 1) = a quarter more: 250 come to 100, 10 + 50 of 350 are duplicates
    assert state.backlog_units[:, FIRST, p] == pytest.approx(350.0)
    assert state.duplicate_share[:, p] == pytest.approx(60 / 350)
    state.quoted_quarters[:, p], state.duplicate_share[:, p] = 4.0, 0.2
    withdraw_duplicates(market, np.full((6, len(market.world.products.ids)), 2.0))
    # a quarter of building and one of waiting are quoted, half of 4: half of the duplicates go
    assert state.quoted_quarters[:, p] == pytest.approx(2.0)
    assert state.backlog_units[:, FIRST, p] == pytest.approx(315.0)
    assert state.duplicate_share[:, p] == pytest.approx(0.1 / 0.9)


# China


def test_fronts_divert_what_is_denied_and_part_of_it_is_seized(market_after):
    market = market_after(12, policy__diversion_limit=0.5)
    state, at, p = market.state, market.china, product(market, "nvidia_h100_sxm")
    clear_fleets(market)
    front = at.fronts[0]
    state.access[:] = 1.0
    state.access[:, at.country, p] = 0.0
    state.delivered_units[:, front, p] = state.fleet_units[:, front, p] = 1000.0
    state.transit_share[:] = 1.0
    state.detection[:] = 0.25
    state.price_usd[:, p] = 30000.0
    state.diverted_h100e[:] = 80.0 * market.state.work[:, p]
    china_market.receive(market)
    assert state.seized_units[:, p] == pytest.approx(20.0)
    assert state.smuggled_units[:, p] == pytest.approx(60.0)
    assert state.fleet_units[:, front, p] == pytest.approx(920.0)
    assert state.fleet_units[:, at.grey, p] == pytest.approx(60.0)
    assert state.front_sales_usd[:, front] == pytest.approx(80 * 30000.0)
    assert state.smuggled_h100e == pytest.approx(60 * market.rates.h100e[p])


def test_smugglers_earn_the_premium_and_bear_seizures_and_fines(market_after):
    market = market_after(12, policy__penalty_multiple=2.0, policy__penalty_collected_share=0.5)
    state, p = market.state, product(market, "nvidia_h100_sxm")
    state.smuggled_units[:] = state.seized_units[:] = state.front_sales_usd[:] = 0.0
    state.price_usd[:, p], state.china_premium[:] = 30000.0, 0.5
    state.smuggled_units[:, p], state.seized_units[:, p] = 60.0, 20.0
    state.front_sales_usd[:, FIRST] = 80 * 30000.0
    market.ledger.start_quarter()
    china_market.pay_smugglers(market)
    flows = market.ledger.flows
    assert flows["paid to smugglers"] == pytest.approx(60 * 30000.0 * 1.5)
    assert flows["paid by smugglers to fronts"] == pytest.approx(80 * 30000.0)
    assert flows["fines on smugglers"] == pytest.approx(2 * 0.5 * 20 * 30000.0)
    assert state.smuggling_fines_usd == pytest.approx(600000.0)


# money


def test_deliveries_are_paid_for_by_operators_and_cost_vendors_what_they_cost(market_after):
    market = market_after(
        8, capex__shell_usd_per_mw=1.2e7, chips__network_margin=0.5, chips__system_margin=0.25,
        capex__herding_memory=0.25,
    )  # fmt: skip
    state, p, leader = market.state, product(market, "nvidia_h100_sxm"), market.world.vendor("nvidia")
    clear_fleets(market)
    state.delivered_units[:, FIRST, p] = 1000.0
    state.price_usd[:, p], state.unit_cost_usd[:, p] = 30000.0, 8000.0
    state.written_off_units[:] = 0.0
    state.written_off_units[:, p] = 100.0
    bill, site = 1000 * 30000 * 1.33, 1000 * 12000 * market.rates.power_kw[p]
    state.ai_capex_usd[:] = 0.0
    state.ai_capex_usd[:, SECOND] = (bill + site) / np.e
    state.ai_capex_growth[:] = 0.4
    state.vendor_share[:] = 0.0
    market.ledger.start_quarter()
    settlement.pay_for_accelerators(market)
    cost = 1000 * (8000 + 30000 * (0.15 * 0.5 + 0.18 * 0.75)) + 100 * 8000
    flows = market.ledger.flows
    assert flows["accelerators bought"] == pytest.approx(bill)
    assert flows["accelerators sold"] == pytest.approx(bill)
    assert flows["sites"] == pytest.approx(site)
    assert flows["cost of accelerators"] == pytest.approx(cost)
    assert state.cost_of_sales_usd[:, leader] == pytest.approx(cost)
    assert state.ai_capex_usd[:, FIRST] == pytest.approx(bill + site)
    assert state.ai_capex_growth == pytest.approx(0.75 * 0.4 + 0.25)  # spending grew by a factor of e
    assert state.vendor_share[:, leader] == pytest.approx(0.25)  # all of a quarter, a fourth of a year


def test_rents_power_interest_and_owners_are_paid(market_after):
    market = market_after(
        12, power__price_usd_per_mwh=80.0, capex__debt_term_quarters=20.0, finance__contract_quarters=4.0
    )
    state, ledger = market.state, market.ledger
    clear_fleets(market)
    market.measure()
    p = product(market, "nvidia_h100_sxm")
    state.fleet_units[:, FIRST, p] = state.delivered_units[:, FIRST, p] = 1000.0
    state.utilisation[:], state.contract_rent_usd_per_h100e_hour[:] = 0.5, 3.0
    state.let_factor[:] = 0.8
    market.measure()
    work = market.state.work_h100e[:, FIRST]
    state.booked_rent_usd_per_h100e_hour[:] = 5.0
    state.power_used_mw[:, FIRST] = 2.0
    state.power_added_mw[:] = 0.0
    state.power_seen_mw[:] = state.power_mw.sum(axis=1)
    state.debt_usd[:] = 0.0
    state.debt_usd[:, FIRST] = 4e9
    state.loan_rate_per_year[:] = 0.05
    state.other_cash_flow_usd[:] = state.legacy_capex_usd[:] = state.lab_compute_usd[:] = 0.0
    state.lab_compute_usd[:, 0] = 1000.0
    ledger.start_quarter()
    settlement.pay_for_running(market)
    # of a fleet that was just delivered twice over: 3/4 of the old keeps 5, the other 5/4 are let at 3
    booked = (0.75 * 5 + 1.25 * 3) / 2
    rent = (
        work * booked * 0.5 * QUARTER_H * 0.75 * 0.8
    )  # three quarters of the fleet are let, with a factor of 0.8
    flows = ledger.flows
    assert state.rental_revenue_usd[:, FIRST] == pytest.approx(rent)
    assert flows["rents"] == pytest.approx(rent)
    assert flows["compute rented by others"] == pytest.approx(rent - 1000.0)
    assert flows["power"] == pytest.approx(2 * QUARTER_H * 80)
    assert flows["interest"] == pytest.approx(4e9 * 0.05 / 4)


def test_lenders_give_their_share_of_what_is_short_and_owners_the_rest(market_after):
    market = market_after(4)
    state, ledger = market.state, market.ledger
    operators = settlement.account_slice(market, market.world.operators.ids)
    ledger.start_quarter()
    ledger.cash_usd[:, operators] = 0.0
    ledger.cash_usd[:, operators.start] = -40.0
    state.debt_usd[:] = 0.0
    state.loan_share[:] = 0.6
    settlement.close_operators(market, operators)
    assert state.debt_usd[:, FIRST] == pytest.approx(24.0)
    assert ledger.flows["debt"] == pytest.approx(24.0)
    assert ledger.flows["equity of operators"] == pytest.approx(16.0)


def test_vendors_pay_research_before_owners(market_after):
    market = market_after(4, chips__payout=0.5)
    state = market.state
    state.revenue_usd[:] = state.cost_of_sales_usd[:] = 0.0
    leader = market.world.vendor("nvidia")
    state.revenue_usd[:, leader], state.cost_of_sales_usd[:, leader] = 100.0, 40.0
    market.ledger.start_quarter()
    settlement.pay_owners(market)
    assert market.ledger.flows["research of vendors"] == pytest.approx(20.0)  # a fifth of revenue
    assert market.ledger.flows["paid out to owners of vendors"] == pytest.approx(
        20.0
    )  # half of 100 - 40 - 20
