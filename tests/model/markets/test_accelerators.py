"""Orders, capacity, deliveries: splits add up, what is scarce is shared, and each lever moves the right way."""

import numpy as np
import pytest

from computemarket.model.markets import accelerators as accelerator_market
from computemarket.model.markets import orders
from computemarket.model.markets.order_book import order_twice, real_backlog_units, withdraw_duplicates

RUNS = np.arange(6)
NO_EXTRAS = {"orders__duplicate_intensity": 0.0, "chips__card_share": 0.0, "chips__waiting_share": 0.0}


def leader(market):
    return np.flatnonzero(market.structure.of_leader)


def mean_wait(market):
    wait = np.take(orders.quarters_to_wait(market), leader(market), axis=1)
    waiting = np.take(market.state.backlog_units.sum(axis=1), leader(market), axis=1)
    return (wait * waiting).sum() / waiting.sum()


def test_an_operator_orders_what_it_wants_no_more_and_no_less(market_after):
    market = market_after(6, **NO_EXTRAS)
    ordered = (market.state.ordered_units * market.state.work[:, None, :]).sum(axis=2)
    free = np.setdiff1d(np.arange(ordered.shape[1]), market.state.restricted_holders)
    factor = market.structure.of_leader & (market.state.leader_order_factor != 1).any()
    assert not factor.any()
    wanted = np.take(market.state.wanted_h100e, free, axis=1)
    assert np.take(ordered, free, axis=1) == pytest.approx(wanted, rel=1e-9)


def test_own_silicon_goes_to_its_owner_alone(market_after):
    market = market_after(10)
    own = ~market.world.products.merchant & ~market.world.products.chinese
    held = market.state.fleet_units * own
    assert held.sum() > 0
    assert (held * ~market.structure.owner).sum() == 0


def test_a_cheaper_product_takes_orders_from_its_rivals(market_after):
    shares = []
    for factor in (1.0, 0.8):
        market = market_after(9, **NO_EXTRAS)
        rival = market.world.products.vendor == market.world.vendor("amd")
        market.state.price_usd[:, rival] *= factor
        orders.order(market)
        work = (market.state.ordered_units * market.state.work[:, None, :]).sum(axis=1)
        shares.append(np.compress(rival, work, axis=1).sum() / work.sum())
    assert shares[1] > shares[0] > 0


def test_tighter_packaging_makes_waits_longer_and_chips_dearer(market_after):
    alike = {"chips__taste_sd": 0.0, "chips__price_sd_ln": 0.0}  # six histories are few: none sets the mean
    tight = market_after(7, capacity__packaging_other_share=0.6, **alike)
    wide = market_after(7, capacity__packaging_other_share=0.1, **alike)
    assert mean_wait(tight) > mean_wait(wide)
    first = tight.world.products.ids.index("nvidia_h100_sxm")
    assert tight.state.price_usd[:, first].mean() > wide.state.price_usd[:, first].mean()


def test_scarce_memory_scales_every_product_that_needs_it(market_after):
    market = market_after(4)
    units = np.where(market.world.products.hbm_gb > 0, 1000.0, 500.0) * np.ones((len(RUNS), 1))
    foreign = ~market.world.products.chinese
    need = (units * market.world.products.hbm_gb * foreign).sum(axis=1)
    market.state.memory_gb[:] = need / 4
    made = accelerator_market.limit_memory(market, units)
    with_memory = (market.world.products.hbm_gb > 0) & foreign
    assert np.compress(with_memory, made, axis=1) == pytest.approx(250.0)
    assert np.compress(market.world.products.hbm_gb == 0, made, axis=1) == pytest.approx(500.0)


def test_packaging_is_never_shared_out_twice(market_after):
    market = market_after(6)
    capacity = market.state.packaging_wafers * (1 - market.value("capacity.packaging_other_share"))
    accelerator_market.limit_packaging(market, market.state.backlog_units.sum(axis=1) * 10)
    used = market.state.packaging_used.sum(axis=1)
    assert (used <= capacity * (1 + 1e-12)).all()
    assert used == pytest.approx(capacity, rel=1e-9)


def test_a_new_product_ramps_over_quarters(market_after):
    market = market_after(0, capacity__ramp_quarters=4.0)
    product = market.world.products.ids.index("nvidia_h100_sxm")
    limits = []
    for age in range(5):
        market.quarter = int(market.world.products.launch[product]) + age - 1
        limits.append(accelerator_market.ramp_limit(market)[0, product])
    assert np.array(limits[:4]) / limits[3] == pytest.approx([0.25, 0.5, 0.75, 1.0])
    assert limits[4] == np.inf


def test_without_sites_nothing_is_switched_on(market_after):
    market = market_after(6)
    market.state.power_mw[:] = market.state.power_used_mw
    before = market.state.fleet_units.sum()
    market.state.age_quarters[:] = -1e3  # nobody retires
    accelerator_market.deliver(market)
    assert market.state.delivered_units.sum() == 0
    assert market.state.fleet_units.sum() == pytest.approx(before)


def test_more_finished_goods_are_delivered_sooner(market_after):
    delivered = []
    for factor in (1.0, 1.5):
        market = market_after(6)
        market.state.inventory_units *= 0
        market.state.inventory_units += factor * 1000.0
        market.state.produced_units[:] = 0
        accelerator_market.deliver(market)
        delivered.append(market.state.delivered_units.sum())
    assert delivered[1] > delivered[0]


def test_the_age_of_a_fleet_is_the_mean_of_what_is_in_it(market_after):
    market = market_after()
    market.state.fleet_units[:] = 30.0
    market.state.age_quarters[:] = 3.0
    accelerator_market.install(market, np.full_like(market.state.fleet_units, 10.0))
    assert market.state.age_quarters == pytest.approx((3 + 1) * 30 / 40)


def test_half_of_the_hazard_strikes_at_the_end_of_the_service_life(market_after):
    market = market_after(chips__life_years=5.0, chips__retirement_hazard=0.2)
    market.state.fleet_units[:] = 100.0
    market.state.age_quarters[:] = 20.0
    accelerator_market.retire(market)
    assert market.state.retired_units == pytest.approx(10.0)


def test_a_longer_life_retires_less(market_after):
    gone = []
    for years in (3.0, 7.0):
        state = market_after(16, chips__life_years=years).state
        gone.append(state.retired_units.sum() / state.fleet_units.sum())
    assert gone[1] < gone[0]


def test_as_deliveries_come_down_by_half_half_of_the_duplicates_go(market_after):
    market = market_after(2, orders__cancel_response=1.0, capacity__build_weeks=13.0)
    market.state.backlog_units[:] = 100.0
    market.state.duplicate_share[:] = 0.4
    market.state.quoted_quarters[:] = 6.0
    withdraw_duplicates(
        market, np.full_like(market.state.quoted_quarters, 3.0)
    )  # 1 to build, 2 beyond the first
    assert market.state.backlog_units == pytest.approx(80.0)
    assert market.state.duplicate_share == pytest.approx(0.2 / 0.8)
    assert real_backlog_units(market) == pytest.approx(60.0)


def test_longer_waits_withdraw_nothing(market_after):
    market = market_after(2)
    market.state.backlog_units[:] = 100.0
    market.state.quoted_quarters[:] = 1.0
    withdraw_duplicates(market, np.full_like(market.state.quoted_quarters, 5.0))
    assert (market.state.backlog_units == 100.0).all()


def test_duplicates_swell_the_book_but_not_what_buyers_mean_to_take(market_after):
    market = market_after(
        2, orders__duplicate_intensity=0.5, orders__normal_lead_quarters=1.0, orders__duplicate_most=1.0
    )
    state = market.state
    state.backlog_units[:] = 50.0
    state.duplicate_share[:] = 0.1
    state.ordered_units[:] = 20.0
    state.quoted_quarters[:] = 2.0  # twice the normal: half as much again
    order_twice(market)
    merchant = market.world.products.merchant
    assert np.compress(merchant, state.ordered_units, axis=2) == pytest.approx(30.0)
    assert np.compress(~merchant, state.ordered_units, axis=2) == pytest.approx(20.0)
    assert real_backlog_units(market).sum(axis=1) == pytest.approx(
        (45.0 + 20.0) * state.backlog_units.shape[1]
    )


def test_what_is_left_of_a_book_that_all_but_ended_holds_no_duplicates(market_after):
    market = market_after(2, orders__duplicate_intensity=0.5, orders__normal_lead_quarters=1.0)
    state = market.state
    state.backlog_units[:] = 0.0
    state.backlog_units[:, 0] = 5e-324  # the least number above zero: its shares round to none or all
    state.duplicate_share[:] = 0.8
    state.ordered_units[:] = 0.0
    order_twice(market)
    assert (state.duplicate_share == 0).all()


def test_buyers_who_order_twice_show_longer_waits(market_after):
    once, twice = (
        market_after(8, orders__duplicate_intensity=0.0),
        market_after(8, orders__duplicate_intensity=1.0),
    )
    assert once.state.duplicate_share.max() == 0
    assert mean_wait(twice) > mean_wait(once)
    assert twice.state.backlog_units.sum() > once.state.backlog_units.sum()
