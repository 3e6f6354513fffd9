"""Operators, vendors, suppliers, labs and own silicon decide in the right direction."""

import numpy as np
import pytest

from computemarket.agents.operators.custom_silicon import SiliconProgramme
from computemarket.agents.operators.operator import GpuCloud, Operator
from computemarket.agents.suppliers.supplier import MemoryMakers, PackagingFoundry
from computemarket.agents.vendors.vendor import DesignPartner, Vendor

RUNS = np.arange(6)


def actor(market, kind, name):
    return next(found for found in market.actors(kind) if found.name == name)


def test_more_believed_revenue_means_more_orders(market_after):
    market = market_after(6)
    buyer = actor(market, Operator, "meta")
    market.measure()
    buyer.invest()
    wish = market.state.wish_h100e[:, buyer.slot].copy()
    market.state.belief_ln_usd[:, buyer.slot] += 0.5
    buyer.invest()
    assert (market.state.wish_h100e[:, buyer.slot] > wish).all()


def test_a_dearer_accelerator_is_wished_less(market_after):
    market = market_after(6)
    buyer = actor(market, Operator, "meta")
    market.measure()
    buyer.invest()
    wish = market.state.wish_h100e[:, buyer.slot].copy()
    market.state.hour_cost_usd[:, buyer.slot] *= 1.5
    buyer.invest()
    assert (market.state.wish_h100e[:, buyer.slot] < wish).all()


def test_nobody_wants_more_than_it_can_pay(market_after):
    state = market_after(9).state
    paid = state.wanted_h100e * state.cost_per_h100e_usd
    assert (state.wanted_h100e <= state.wish_h100e).all()
    assert state.wanted_h100e.sum() > 0
    assert np.isfinite(paid).all()


def test_a_stronger_shock_of_late_2022_lifts_belief_and_spending(market_after):
    weak, strong = (market_after(8, capex__adoption_shock_ln=shock) for shock in (0.5, 1.5))
    assert (strong.state.belief_ln_usd > weak.state.belief_ln_usd).all()
    assert strong.state.ai_capex_usd.sum() > weak.state.ai_capex_usd.sum()


def test_the_shock_sinks_in_whole(market_after):
    market = market_after()
    buyer = actor(market, Operator, "meta")
    assert sum(buyer._wave(quarter) for quarter in range(200)) == pytest.approx(1.0)


def test_ai_crowds_out_other_spending_down_to_a_floor(market_after):
    market = market_after(
        6, capex__legacy_floor_share=0.65, capex__legacy_crowding=0.85, capex__payment_noise_sd=0.0
    )
    buyer = actor(market, Operator, "meta")
    market.state.ai_capex_usd[:, buyer.slot] = [0.0, 1e9, 1e12, 0.0, 0.0, 0.0]
    buyer.settle()
    legacy = buyer.legacy_2022_usd
    found = market.state.legacy_capex_usd[:3, buyer.slot]
    assert found == pytest.approx([legacy, legacy - 0.85e9, 0.65 * legacy])


def test_clouds_build_more_while_rents_pay_within_limits(market_after):
    market = market_after(6, capex__cloud_least_factor=0.3, capex__cloud_most_factor=2.0)
    cloud = actor(market, GpuCloud, "coreweave")
    rent = market.state.rent_usd_per_h100e_hour[:, 0].copy()
    found = []
    for times in (0.0, 0.9, 1.1, 1e6):
        market.state.rent_usd_per_h100e_hour[:, 0] = times * rent
        found.append(cloud.demand_factor().copy())
    assert (found[0] == 0.3).all()
    assert (found[3] == 2.0).all()
    assert (found[1] <= found[2]).all()


def test_cheaper_own_silicon_takes_a_larger_share_of_orders(market_after):
    shares = []
    for factor in (1.0, 0.6):
        market = market_after(8)
        own = market.structure.owner[market.world.operator("google")]
        market.state.price_usd[:, own] *= factor
        programme = next(a for a in market.actors(object) if a.name == "google_silicon")
        programme.price()
        shares.append(market.state.own_share[:, programme.slot].copy())
    assert (shares[1] > shares[0]).all()


def test_nobody_orders_own_silicon_before_its_programme_starts(market_after):
    market = market_after(4)
    assert (market.state.own_share[:, market.world.operator("openai")] == 0).all()
    assert (market.state.own_share <= 1).all()


def test_own_silicon_is_weighed_against_what_merchants_sell_and_not_against_itself(market_after):
    market = market_after(12)
    programme = actor(market, SiliconProgramme, "amazon_silicon")
    state, slot = market.state, programme.slot
    before = state.own_share[:, slot].copy()

    def decided(mean_usd, merchant_usd):
        state.own_share[:, slot] = before
        state.cost_per_h100e_usd[:, slot] *= mean_usd
        state.merchant_hour_cost_usd[:, slot] *= merchant_usd
        programme.price()
        return state.own_share[:, slot].copy()

    usual = decided(1.0, 1.0)
    assert (decided(2.0, 1.0) == usual).all()
    assert (decided(1.0, 2.0) > usual).all()


def test_a_posted_price_moves_part_of_the_way(market_after):
    moves = []
    for weight in (0.1, 0.2):
        market = market_after(6)
        market.values.at = lambda name, quarter, w=weight, at=market.values.at: (
            np.full(len(RUNS), w) if name == "chips.price_weight" else at(name, quarter)
        )
        vendor = actor(market, Vendor, "nvidia")
        before = market.state.list_price_usd.copy()
        market.state.unit_cost_usd *= 2
        vendor.price()
        moves.append(np.log(market.state.list_price_usd / before))
    assert np.abs(moves[0]).max() > 0
    assert moves[1] == pytest.approx(2 * moves[0], rel=0.1, abs=1e-3)


def test_dearer_chips_to_make_are_dearer_to_buy(market_after):
    prices = []
    for factor in (1.0, 2.0):
        market = market_after(6)
        market.state.unit_cost_usd *= factor
        vendor = actor(market, Vendor, "amd")
        vendor.price()
        prices.append(np.take(market.state.list_price_usd, vendor.products, axis=1))
    assert (prices[1] >= prices[0]).all()
    assert (prices[1] > prices[0]).any()


def test_a_larger_share_carries_a_larger_markup(market_after):
    prices = []
    for share in (0.1, 0.9):
        market = market_after(6)
        vendor = actor(market, Vendor, "nvidia")
        market.state.vendor_share[:, vendor.slot] = share
        vendor.price()
        prices.append(np.take(market.state.list_price_usd, vendor.products, axis=1).sum(axis=1))
    assert (prices[1] >= prices[0]).all()
    assert (prices[1] > prices[0]).any()


def test_costs_fall_with_units_sold(market_after):
    market = market_after(6, chips__learning_rate=0.1)
    vendor = actor(market, Vendor, "nvidia")
    vendor.launch()
    before = np.take(market.state.unit_cost_usd, vendor.products, axis=1)
    market.state.sold_units += 1e7
    vendor.launch()
    assert (np.take(market.state.unit_cost_usd, vendor.products, axis=1) < before).all()


def test_a_design_partner_asks_its_margin(market_after):
    market = market_after(6, chips__partner_margin=0.5, chips__price_weight=1.0)
    partner = actor(market, DesignPartner, "broadcom")
    partner.price()
    old = partner.products[market.world.products.launch[partner.products] < market.quarter]
    price, cost = (
        np.take(values, old, axis=1) for values in (market.state.list_price_usd, market.state.unit_cost_usd)
    )
    assert price == pytest.approx(2 * cost)


def test_capacity_arrives_after_its_lag_and_orders_that_wait_hasten_it(market_after):
    market = market_after(capacity__packaging_lag_quarters=3.0)
    foundry = next(iter(market.actors(PackagingFoundry)))
    capacity = np.full(len(RUNS), 100.0)
    pipeline = np.zeros((len(RUNS), 12))
    foundry.expand(capacity, pipeline, np.full(len(RUNS), 1e6))
    assert (capacity == 100.0).all()
    due = np.flatnonzero(pipeline[0])
    assert due.tolist() == [2]
    hurried = pipeline[:, 2].copy()
    pipeline[:] = 0
    foundry.expand(capacity, pipeline, np.zeros(len(RUNS)))
    assert (pipeline[:, 2] < hurried).all()
    for _ in range(3):
        foundry.expand(capacity, pipeline, np.zeros(len(RUNS)))
    assert (capacity > 100.0).all()


def test_memory_makers_expand_as_accelerators_use_what_there_is(market_after):
    grown = []
    for factor in (0.0, 1.0):
        market = market_after(4)
        maker = next(iter(market.actors(MemoryMakers)))
        market.state.memory_pipeline[:] = 0
        used = (market.state.in_process_units * market.world.products.hbm_gb).sum(axis=1)
        market.state.memory_gb[:] = np.maximum(used, 1.0)
        market.state.in_process_units *= factor
        maker.supply()
        grown.append(market.state.memory_pipeline.sum(axis=1) / market.state.memory_gb)
    assert (grown[1] > grown[0]).all()


def test_labs_share_each_token_market(market_after):
    market = market_after(12)
    for place in range(market.state.token_revenue_usd.shape[1]):
        here = market.labs.token_market == place
        assert np.compress(here, market.state.lab_share, axis=1).sum(axis=1) == pytest.approx(1.0)
    served = market.state.lab_tokens[:, :, 1:].sum(axis=(1, 2))
    assert served == pytest.approx(market.state.tokens[:, :, 1:].sum(axis=(1, 2)))


def test_a_better_lab_gains_users(market_after):
    shares = []
    for lead in (0.0, 1.0):
        market = market_after(10)
        market.state.lab_quality[:, 0] += lead
        next(a for a in market.actors(object) if a.name == "lab_market").serve()
        shares.append(market.state.lab_share[:, 0].copy())
    assert (shares[1] > shares[0]).all()


def test_memory_makers_share_the_market_and_scarcity_pays_them(market_after):
    usual, scarce = (market_after(10, memory__scarcity_markup=markup) for markup in (0.0, 1.0))
    for market in (usual, scarce):
        assert market.cast.memory.share.sum(axis=1) == pytest.approx(1.0)
    assert scarce.cast.memory.revenue_usd.sum() > usual.cast.memory.revenue_usd.sum()
