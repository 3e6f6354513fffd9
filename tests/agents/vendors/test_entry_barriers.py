"""What keeps rivals out: entry is blockaded, deterred by prices or by a design, or let come."""

import numpy as np
import pytest

from computemarket.agents.vendors.entry_barriers import FIRST
from computemarket.agents.vendors.vendor import ask_prices
from computemarket.scenarios.assembly import assemble
from computemarket.scenarios.batches.ensemble import prepare, simulate_chunk
from computemarket.scenarios.schema import load_scenario

OWN_USD = np.full(4, 2e9)
THREAT = {"deterrence": 1, "idea_rate": 20, "entrant_share": 0.1, "technology_edge": 1, "made_share": 1}


def market_at(quarter, **settings):
    pairs = {name if "." in name else f"rivals.{name}": value for name, value in settings.items()}
    market = assemble(load_scenario("baseline").with_settings(pairs), np.arange(4), frozenset())
    while market.quarter < quarter:
        market.step()
    return market


def threatened(**settings):
    """Return barriers in a segment of 10 bn USD of which the leader serves two with a product of its own."""
    market = market_at(FIRST + 1, **(THREAT | settings))
    barriers = market.cast.leader.defence
    barriers.segment_usd, barriers.contest_usd = np.full(4, 10e9), np.full(4, 8e9)
    barriers.working[:] = False
    market.state.open_niches[:] = 0.0
    market.state.outside_rivals[:] = len(market.cast.rivals.names)
    return barriers


def test_what_the_leader_sells_around_its_chips_raises_the_cost_of_entry():
    barriers = market_at(FIRST + 8).cast.leader.defence
    before = barriers._entry_cost_usd()
    barriers.first_content = barriers.first_content - 0.2  # its systems have grown by as much more
    assert (barriers._entry_cost_usd() > before).all()
    assert (barriers.first_content > 0).all()


def test_entry_is_worth_less_the_more_are_in_and_the_dearer_a_system_is():
    barriers = threatened()
    barriers._value_entry()
    alone = barriers.entry_ratio
    barriers.state.open_niches[:] = 1.0
    barriers._value_entry()
    assert barriers.entry_ratio == pytest.approx(alone / 2)
    barriers.cost_usd = barriers.cost_usd * 4
    barriers._value_entry()
    assert barriers.entry_ratio == pytest.approx(alone / 8)


def test_the_leader_cuts_prices_only_where_that_keeps_entrants_out():
    barriers = threatened()
    for ratio, cuts in ((0.9, False), (1.001, True), (1e6, False)):  # blockaded, deterred, accommodated
        barriers.entry_ratio = np.full(4, ratio)
        barriers._deter(OWN_USD)
        assert (barriers.cut > 0).tolist() == [cuts] * 4, ratio
        assert (barriers.entry_ratio < 1).tolist() == [ratio < 1.01] * 4, ratio


def test_a_cut_that_costs_more_than_entry_is_not_made():
    barriers = threatened(entrant_share=1e-6)
    barriers.entry_ratio = np.full(4, 1.001)
    barriers._deter(OWN_USD)
    assert (barriers.cut == 0).all()


def test_a_price_cut_lowers_what_buyers_pay_and_leaves_the_list_price():
    market = market_at(FIRST + 6)
    barriers, state = market.cast.leader.defence, market.state
    listed = state.list_price_usd.copy()
    for cut in (0.2, 0.0):
        barriers.cut = np.full(4, cut)
        barriers._publish()
        ask_prices(market)
        fast = np.take(listed, barriers.fast, axis=1)
        assert np.take(state.price_usd, barriers.fast, axis=1) == pytest.approx((1 - cut) * fast)
        others = np.delete(np.arange(listed.shape[1]), barriers.fast)
        assert np.take(state.price_usd, others, axis=1).tolist() == np.take(listed, others, axis=1).tolist()
        assert state.list_price_usd.tobytes() == listed.tobytes()


@pytest.mark.parametrize(
    ("ratio", "cost_usd", "begins"), [(0.9, 2e8, False), (5.0, 2e8, True), (5.0, 1.5e9, False)]
)
def test_a_design_for_the_segment_is_begun_against_a_threat_that_is_worth_it(ratio, cost_usd, begins):
    design = {"custom_silicon.design_cost_usd": cost_usd, "custom_silicon.value_volatility": 0.4}
    quiet = {"custom_silicon.payout": 0.05, "custom_silicon.rate": 0.1, "custom_silicon.design_quarters": 8}
    barriers = threatened(**design, **quiet)
    barriers.entry_ratio = np.full(4, ratio)
    barriers._commit(OWN_USD)
    assert barriers.working.tolist() == [begins] * 4


def test_a_design_takes_its_time_then_strengthens_the_line():
    market = market_at(
        FIRST + 1, **{"custom_silicon.slip_chance": 0, "technology_edge": 0.5, "made_share": 0.5}
    )
    barriers = market.cast.leader.defence
    barriers.working[:], barriers.left[:] = True, 2
    edge = market.state.product_edge[:, barriers.fast].copy()
    market.step()
    assert market.state.product_edge[:, barriers.fast] == pytest.approx(edge)
    market.step()
    assert (barriers.shields == 1).all()
    assert market.state.product_edge[:, barriers.fast] == pytest.approx(edge + 0.25)


def test_in_some_runs_entry_is_deterred_and_in_others_it_is_not():
    found = simulate_chunk(prepare("baseline", seed=1), np.arange(32))
    cut, ratio, designs = (
        found.array(name)[:, FIRST:, 0]
        for name in ("limit_price_cut", "entry_value_over_threshold", "deterring_designs")
    )
    assert 0 < (cut > 0).any(axis=1).mean() < 1
    assert 0.1 < (ratio < 1).mean() < 0.9
    assert 0 < (designs > 0).any(axis=1).mean() < 1
