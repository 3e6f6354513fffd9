"""The end of a quarter: bills add up, what is short is borrowed, and shares follow revenue."""

import numpy as np
import pytest

from computemarket.errors import InvariantError
from computemarket.model.markets import settlement

RUNS = np.arange(4)


def test_what_operators_pay_for_accelerators_is_what_vendors_receive(market_after):
    market = market_after(8)
    state, products = market.state, market.world.products
    content = 1 + products.network_content + products.system_content
    bills = (state.delivered_units * (state.price_usd * content)[:, None, :]).sum(axis=(1, 2))
    assert state.revenue_usd.sum(axis=1) == pytest.approx(bills)
    flows = market.ledger.flows
    assert flows["accelerators sold"] == pytest.approx(flows["accelerators bought"])


def test_capital_expenditure_is_accelerators_with_their_sites(market_after):
    market = market_after(8)
    state = market.state
    site_usd = (state.delivered_units * market.rates.power_kw).sum(axis=(1, 2)) / 1000
    market.quarter -= 1  # the values of the quarter that has just ended
    site_usd = site_usd * market.value("capex.shell_usd_per_mw")
    assert state.ai_capex_usd.sum(axis=1) == pytest.approx(state.revenue_usd.sum(axis=1) + site_usd)


def test_shares_of_vendors_are_shares(market_after):
    share = market_after(10).state.vendor_share
    assert (share >= 0).all()
    assert share.sum(axis=1) == pytest.approx(1.0, abs=0.2)  # the start names the leader's share alone
    assert market_after(30).state.vendor_share.sum(axis=1) == pytest.approx(1.0, abs=0.01)


def test_values_are_summed_by_vendor(market_after):
    market = market_after()
    ones = np.ones((len(RUNS), len(market.world.products.ids)))
    found = settlement.by_vendor(market, ones)
    assert found[0].tolist() == [
        (market.world.products.vendor == v).sum() for v in range(len(market.world.vendors.ids))
    ]


def test_what_is_sold_with_a_chip_costs_what_its_margin_leaves(market_after):
    market = market_after(chips__network_margin=0.6, chips__system_margin=0.4)
    products = market.world.products
    by_hand = 0.4 * products.network_content + 0.6 * products.system_content
    assert settlement.content_cost(market)[0] == pytest.approx(by_hand)


def test_what_is_short_is_borrowed_and_debt_is_paid_down_from_what_is_spare(market_after):
    market = market_after(4)
    operators = settlement.account_slice(market, market.world.operators.ids)
    state, ledger = market.state, market.ledger
    ledger.start_quarter()
    ledger.cash_usd[:, operators] = 0.0
    state.debt_usd[:] = 100.0
    ledger.cash_usd[:, operators.start] = -40.0
    ledger.cash_usd[:, operators.start + 1] = 1e6
    settlement.close_operators(market, operators)
    term = market.value("capex.debt_term_quarters")
    assert state.debt_usd[:, 0] == pytest.approx(140.0)
    assert state.debt_usd[:, 1] == pytest.approx(100.0 - 100.0 / term)
    closing = ledger.cash_usd[:, operators] + ledger.quarter_net_usd(operators)
    assert closing == pytest.approx(0.0, abs=1e-6)


def test_rent_is_earned_where_the_fleet_stands(market_after):
    market = market_after(6)
    state, host = market.state, market.structure.host_market
    state.contract_rent_usd_per_h100e_hour[:] = np.array([1.0, 3.0])
    assert settlement.contract_rent_by_operator(market) == pytest.approx(
        np.broadcast_to(host[:, 0] + 3.0 * host[:, 1], state.debt_usd.shape)
    )


def test_contracts_keep_their_rent_and_turn_over_by_their_length(market_after):
    market = market_after(6)
    state = market.state
    state.booked_rent_usd_per_h100e_hour[:] = 4.0
    state.contract_rent_usd_per_h100e_hour[:] = 2.0
    state.delivered_units[:] = 0.0
    settlement.renew_contracts(market)
    length = market.value("finance.contract_quarters")[:, None]
    held = market.state.work_h100e > 0
    expected = np.broadcast_to(2.0 / length + 4.0 * (1 - 1 / length), held.shape)
    assert state.booked_rent_usd_per_h100e_hour[held] == pytest.approx(expected[held])


def test_power_that_nobody_connected_is_found_out(market_after):
    market = market_after(6)
    market.state.power_added_mw[:] = 0.0
    settlement.check_power(market)
    market.state.power_mw[:, 0] += 1.0
    with pytest.raises(InvariantError, match="power is conserved"):
        settlement.check_power(market)


def test_fleets_beyond_their_sites_are_found_out(market_after):
    market = market_after(6)
    market.state.power_added_mw[:] = 0.0
    market.state.fleet_units[:, 0] *= 10.0
    with pytest.raises(InvariantError, match="draw no more"):
        settlement.check_power(market)


def test_dearer_power_costs_operators_more(market_after):
    cheap, dear = (market_after(6, power__price_usd_per_mwh=price) for price in (40.0, 160.0))
    assert dear.ledger.flows["power"].sum() > cheap.ledger.flows["power"].sum()


def test_interest_follows_debt(market_after):
    market = market_after(12)
    market.state.debt_usd[:] = 1e9
    market.state.power_added_mw[:] = 0.0
    settlement.pay_for_running(market)
    capital = np.broadcast_to(
        market.value("capex.discount_rate")[:, None], market.state.debt_usd.shape
    ).copy()
    lenders = market.cast.lenders
    capital[:, lenders.debtors] = lenders.rate_per_year
    assert market.state.interest_usd == pytest.approx(1e9 * capital / 4)
