"""Credits that trade and futures on hours: prices, who pays whom, and what hedges and regulators do."""

import numpy as np
import pytest

from computemarket.agents.finance.futures import FIRST, TENORS
from computemarket.model.core.calendar import quarters_since_start
from computemarket.scenarios.assembly import assemble
from computemarket.scenarios.batches.ensemble import prepare, simulate_chunk
from computemarket.scenarios.schema import load_scenario

RUNS = np.arange(8)
DATE = quarters_since_start("2026Q4")
NEVER = 100
TRADING = {"credits.stage_hazard": [{"from": "2026Q1", "value": 1}], "credits.stage_regulation_weight": 0}


def market_at(quarter, runs=4, **settings):
    pairs = {key.replace("__", "."): value for key, value in settings.items()}
    market = assemble(load_scenario("baseline").with_settings(pairs), np.arange(runs), frozenset())
    while market.quarter < quarter:
        market.step()
    return market


def traded(**settings):
    return market_at(
        FIRST + 14, **({key.replace(".", "__"): value for key, value in TRADING.items()} | settings)
    )


@pytest.fixture(scope="module")
def usual():
    return traded()


def test_credits_have_a_price_only_where_they_trade(usual):
    market, stage = usual.cast.leader.credits, usual.cast.leader.platform.stage
    assert (stage >= 3).any()
    assert ((market.price_usd > 0) == (stage >= 3)).all()


def test_holders_trade_among_themselves_where_their_hours_cost_differently(usual):
    alike = traded(rental__basis_sd_ln=0.0)
    trades = usual.cast.leader.platform.stage >= 3
    assert (usual.cast.leader.credits.volume_h[trades] > 0).all()
    spot = alike.state.rent_usd_per_h100e_hour[:, 0]
    inside = (alike.cast.leader.credits.issuer_sold == 0) & (alike.cast.leader.platform.stage >= 3)
    price = alike.cast.leader.credits.price_usd
    assert price[inside] == pytest.approx((spot * alike.value("credits.trust"))[inside])


def test_an_issuer_with_means_keeps_the_price_inside_its_band():
    held = traded(credits__market_depth=0.01, credits__defence_share=5, credits__band_low=0.9)
    trades = held.cast.leader.credits.price_usd > 0
    over = held.cast.leader.credits.over_par[trades]
    assert (over >= 0.9 - 1e-9).all()
    assert (over <= held.value("credits.band_high")[trades] + 1e-9).all()


def test_an_issuer_without_means_lets_the_price_fall_with_the_spot():
    idle = traded(credits__defence_share=0, credits__band_low=1.0, credits__trust=0.8)
    held = traded(
        credits__defence_share=5, credits__band_low=1.0, credits__trust=0.8, credits__market_depth=0.01
    )
    both = (idle.cast.leader.credits.price_usd > 0) & (held.cast.leader.credits.price_usd > 0)
    low, high = (market.cast.leader.credits.over_par[both] for market in (idle, held))
    assert (low <= high * (1 + 1e-12)).all()  # both may stand at the upper edge of the band
    assert low.mean() < high.mean()


def test_credits_that_trade_bring_in_the_financial_regulator(usual):
    exposure, stage = usual.state.credit_exposure, usual.cast.leader.platform.stage
    assert (exposure[stage >= 3] > exposure[stage < 2].max(initial=0.0)).all()
    small = traded(credits__regulatory_scale_usd=2e11)
    assert small.state.credit_exposure.sum() < exposure.sum()


def test_buyers_who_fear_risk_more_prefer_credits_less():
    bold, wary = (market_at(FIRST + 4, credits__risk_aversion=fear) for fear in (0.5, 20.0))
    assert (wary.cast.leader.credits.share < bold.cast.leader.credits.share).all()


def test_the_wish_for_credits_is_what_it_was_until_terms_change():
    assert (market_at(FIRST + 1).state.credit_demand_factor == 1.0).all()


def test_futures_trade_from_their_listing_and_not_before_2026():
    early = market_at(FIRST, rental__futures_listed_quarter=16)
    assert not early.cast.futures.hedged.any()
    listed = market_at(FIRST + 5, rental__futures_listed_quarter=18)
    assert (listed.cast.futures.hedged > 0).all()
    assert not market_at(FIRST + 5, rental__futures_listed_quarter=NEVER).cast.futures.hedged.any()


def test_the_curve_starts_at_the_spot_and_falls_with_launches_and_drift():
    futures = market_at(FIRST + 5).cast.futures
    spot = np.exp(futures.short_ln + futures.long_ln)
    assert (np.abs(np.log(futures.curve_usd[:, 0] / spot)) < 0.5).all()
    assert (np.diff(futures.curve_usd, axis=1) < 0).all()
    assert futures.curve_usd.shape == (4, len(TENORS))


def test_clouds_who_sell_more_than_labs_buy_pay_a_premium_and_bolder_speculators_take_less():
    terms = {"rental__futures_listed_quarter": 16, "rental__speculator_number": 10}
    dear, cheap = (
        market_at(FIRST + 8, rental__speculator_risk_aversion=fear, **terms).cast.futures
        for fear in (1e-7, 1e-9)
    )
    assert (np.sign(dear.premium_usd) == np.sign(dear.sold_h - dear.bought_h)).all()
    more = dear.premium_usd > 0
    assert (dear.premium_usd[more] > cheap.premium_usd[more]).all()
    assert (dear.hedged[more] < cheap.hedged[more]).all()


def test_lenders_give_more_against_rent_that_is_hedged():
    market = market_at(FIRST + 8, rental__futures_listed_quarter=16, rental__hedge_lending=1.0)
    slots = market.cast.lenders.debtors
    market.state.loan_share[:, slots] = 0.3
    market.cast.futures.price()
    hedged = market.cast.futures.hedged
    expected = np.minimum(0.3 * (1 + hedged), market.value("finance.most_loan_to_value"))
    assert market.state.loan_share[:, slots] == pytest.approx(
        np.repeat(expected[:, None], len(slots), axis=1)
    )


def test_the_scenario_brings_trade_and_hedges_and_changes_nothing_before_its_date():
    found = [simulate_chunk(prepare(name, seed=1), RUNS) for name in ("baseline", "credits_tradable")]
    for name in ("credits_traded_hours", "hedged_rent_share", "credit_stage"):
        # an issuer that buys back counts as trade too
        before, after = (
            np.abs(recorder.array(name)[:, DATE : DATE + 12]).sum(axis=(1, 2)) for recorder in found
        )
        assert (after > before).mean() >= 0.75, name
    for variable in found[0].series:
        one, other = (np.ascontiguousarray(recorder.array(variable)[:, :DATE]) for recorder in found)
        assert one.tobytes() == other.tobytes(), variable
