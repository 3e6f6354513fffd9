"""Labs pay for sites of their own out of what they raise and what their models earn."""

import numpy as np

from computemarket.model.core.calendar import quarters_since_start
from computemarket.scenarios.assembly import assemble
from computemarket.scenarios.batches.ensemble import prepare

LAST = quarters_since_start("2029Q4")
FEW = np.arange(8)


def test_labs_with_revenue_go_on_building_and_their_own_chip_ships():
    market = assemble(prepare("baseline", seed=1), FEW, frozenset())
    slots = [market.world.operator(name) for name in ("openai", "anthropic")]
    own = np.flatnonzero(np.array(market.world.products.own_of) == "openai")
    delivered, shipped = np.zeros((len(FEW), 2)), np.zeros(len(FEW))
    while market.quarter <= LAST:
        market.step()
        if market.quarter > quarters_since_start("2027Q1"):
            delivered += market.state.delivered_units[:, slots].sum(axis=2)
        shipped += market.state.delivered_units[:, slots[0]][:, own].sum(axis=1)
    assert (np.median(delivered, axis=0) > 10_000).all()  # before, nothing at all from 2027 on
    assert np.median(shipped) > 0


def test_money_for_sites_is_a_share_of_what_is_raised_and_of_what_sales_leave(market_after):
    market = market_after(16, capex__lab_own_sites_share=0.25)
    state, lab = market.state, market.labs.ids.index("openai")
    market.quarter -= 1
    payroll = market.value("labs.payroll_per_compute") * state.lab_compute_usd[:, lab]
    left = np.maximum(state.lab_revenue_usd[:, lab] - state.lab_compute_usd[:, lab] - payroll, 0.0)
    by_hand = 0.25 * (state.lab_funding_usd[:, lab] + left)
    np.testing.assert_allclose(state.lab_site_money_usd[:, lab], by_hand)


def test_the_lab_pays_for_what_came_and_no_more_than_it_set_aside(market_after):
    market = market_after(20)
    state = market.state
    paid = market.ledger.flows["sites of labs"]
    labs = ("openai", "anthropic", "xai")
    due = sum(
        np.minimum(
            state.ai_capex_usd[:, market.world.operator(name)],
            state.lab_site_money_usd[:, market.labs.ids.index(name)],
        )
        for name in labs
    )
    np.testing.assert_allclose(paid, due)
    assert (due > 0).any()
