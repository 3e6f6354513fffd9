"""Rivals open niches, the leader answers: what is entered, paid, brought and withdrawn in the market."""

import numpy as np
import pytest

from computemarket.agents.vendors.rivals import FIRST, SIGNED, SOLD_OUT
from computemarket.analysis.results.measures import measure
from computemarket.analysis.results.series import panels_from_recorder
from computemarket.model.mechanisms.vendors.entry import BUY, LICENSE, MAKE
from computemarket.model.state import WITHDRAWN
from computemarket.scenarios.assembly import assemble
from computemarket.scenarios.batches.ensemble import prepare, simulate_chunk
from computemarket.scenarios.schema import load_scenario

RUNS = np.arange(16)
EAGER = {"idea_rate": 20, "system_cost_usd": 1e7, "notice_share": 0, "pull_speed": 1, "ramp_quarters": 0.5}


def market_at(quarter, runs=4, **settings):
    pairs = {f"rivals.{key}": value for key, value in settings.items()}
    market = assemble(load_scenario("baseline").with_settings(pairs), np.arange(runs), frozenset())
    while market.quarter < quarter:
        market.step()
    return market


def flow(market, purpose):
    return market.ledger.flows.get(purpose, np.zeros(len(market.runs)))


def test_the_licence_of_2025_is_paid_by_its_schedule():
    market = market_at(SIGNED)
    paid = []
    for _ in range(6):
        market.step()
        paid.append(flow(market, "licences and purchases of rivals"))
    assert np.array(paid)[:, 0].tolist() == pytest.approx([17e9, 0, 2e9, 0, 1e9, 0])


def test_the_licensed_rival_sells_out_and_its_chips_are_chosen_no_more():
    market = market_at(SOLD_OUT + 1)
    groq = market.world.products.ids.index("groq_lpu_v1")
    assert (market.state.product_edge[:, groq] == WITHDRAWN).all()
    assert (market.state.ordered_units[:, :, groq] == 0).all()
    without = market_at(SOLD_OUT + 1, groq_licence=0)
    assert (without.state.ordered_units[:, :, groq].sum(axis=1) > 0).all()


def test_without_the_licence_the_leader_has_nothing_for_fast_tokens():
    market = market_at(SOLD_OUT + 3, groq_licence=0, idea_rate=0)
    lpus = market.cast.leader.defence.fast
    assert (np.take(market.state.fleet_units, lpus, axis=2) == 0).all()
    assert (np.take(market_at(SOLD_OUT + 3).state.fleet_units, lpus, axis=2).sum(axis=(1, 2)) > 0).all()


def test_nobody_enters_without_an_idea_or_where_a_system_costs_too_much():
    assert not market_at(FIRST + 8, idea_rate=0).cast.rivals.open.any()
    assert not market_at(FIRST + 8, idea_rate=20, system_cost_usd=1e11).cast.rivals.open.any()
    entered = market_at(FIRST + 8, **EAGER, deterrence=0).cast.rivals
    selling = ~entered.gone
    assert entered.open[selling].mean() > 0.8


def test_an_entrant_below_its_scale_leaves_when_its_time_is_over():
    _, rivals = answering(patience_quarters=6)
    rivals.state.entry_cost_usd[:], rivals.state.contestable_usd[:] = 1e9, 20e9
    rivals.since[:] = 6.0
    rivals.edge[:] = 1e-6
    rivals._give_up()
    assert rivals.open.all()
    rivals.since[:] = 7.0
    rivals.edge[:, 0] = 2.0
    rivals._give_up()
    assert rivals.open[:, 0].all()
    assert not rivals.open[:, 1:].any()


def answering(**settings):
    """Return a market in which every rival has a large niche that the leader has not answered."""
    market = market_at(FIRST + 8, **settings)
    rivals = market.cast.rivals
    rivals.open[:], rivals.gone[:] = True, False
    rivals.reply[:], rivals.signed[:], rivals.forbidden[:] = 0, -1, False
    rivals.size[:], rivals.since[:], rivals.edge[:], rivals.hope[:] = 3.0, 8.0, 2.0, 0.1
    market.state.fast_segment_usd[:], rivals.paid_usd[:] = 50e9, 0.0
    market.state.revenue_usd[:, rivals.slots] = 5e9
    return market, rivals


def draws(rivals, block):
    return np.full((*rivals.open.shape, 5), block)


def test_a_licence_brings_technology_later_and_weakens_the_rival_at_once():
    market, rivals = answering(technology_share=0.5, valuation_floor_usd=1e7, sales_multiple=0.1)
    before = rivals.technology.copy()
    rivals._carry_out(np.full(rivals.reply.shape, LICENSE), np.full(rivals.reply.shape, 10e9), False)
    rivals._set_edges()
    assert rivals.edge == pytest.approx(rivals.pull * (1 - market.value("rivals.licensed_share"))[:, None])
    rivals._integrate(np.zeros_like(rivals.made))
    assert rivals.technology == pytest.approx(before)
    market.quarter += 6
    rivals._integrate(np.zeros_like(rivals.made))
    assert rivals.technology == pytest.approx(before + len(rivals.names))


def test_a_purchase_removes_the_rival_unless_it_is_forbidden_and_then_costs_a_fee():
    market, rivals = answering()
    price = np.full(rivals.reply.shape, 10e9)
    rivals._carry_out(np.full(rivals.reply.shape, BUY), price, draws(rivals, 0.0)[:, :, 0] > 0)
    rivals._set_edges()
    assert rivals.gone.all()
    mine = market.structure.products_of_vendor[rivals.slots[0]]
    assert (np.take(market.state.product_edge, mine, axis=1) == WITHDRAWN).all()
    market, rivals = answering()
    rivals._carry_out(np.full(rivals.reply.shape, BUY), price, draws(rivals, 1.0)[:, :, 0] > 0)
    assert rivals.forbidden.all()
    assert not rivals.gone.any()
    fee = market.value("rivals.break_fee") * 10e9 * len(rivals.names)
    assert rivals.paid_usd == pytest.approx(fee)


@pytest.mark.parametrize(
    ("settings", "reply"),
    [
        ({"valuation_floor_usd": 1e12, "technology_share": 0, "made_share": 1}, MAKE),
        (
            {"valuation_floor_usd": 1e7, "sales_multiple": 0, "block_base_ln": 10, "licensed_share": 1},
            LICENSE,
        ),
        ({"valuation_floor_usd": 1e7, "sales_multiple": 0, "block_base_ln": -10, "licensed_share": 0}, BUY),
        ({"valuation_floor_usd": 1e12, "technology_share": 0, "made_share": 0}, 0),
    ],
)
def test_the_leader_makes_licenses_buys_or_fights_as_each_pays(settings, reply):
    _, rivals = answering(**settings)
    rivals._answer(draws(rivals, 0.5))
    assert (rivals.reply == reply).all()


def test_small_niches_go_unnoticed():
    _, rivals = answering(notice_share=1)
    rivals._answer(draws(rivals, 0.5))
    assert (rivals.reply == 0).all()


@pytest.fixture(scope="module")
def compared():
    names = ("baseline", "niches_open", "no_groq_licence")
    return {name: simulate_chunk(prepare(name, seed=1), RUNS) for name in names}


def test_open_niches_turn_sales_to_challengers(compared):
    panels = {name: panels_from_recorder(found, "", RUNS.tolist()) for name, found in compared.items()}
    rise = [measure("other_merchants_over_nvidia").at(panels[name], "2028") for name in panels]
    assert (rise[1] >= rise[0]).all()
    assert (rise[1] > rise[0]).mean() >= 0.8  # in some histories the segment is too small for a niche even so
    assert (rise[2] > rise[0]).mean() >= 0.9
    date = FIRST + 4
    for variable in compared["baseline"].series:
        one, other = (
            np.ascontiguousarray(compared[name].array(variable)[:, :date])
            for name in ("baseline", "niches_open")
        )
        assert one.tobytes() == other.tobytes(), variable


def test_without_the_licence_the_leader_loses_share_and_fast_tokens_stay_dear(compared):
    panels = [
        panels_from_recorder(compared[name], "", RUNS.tolist()) for name in ("baseline", "no_groq_licence")
    ]
    for name, sign, year in (("nvidia_revenue_share", -1, "2028"), ("token_price_ultra", +1, "2032")):
        before, after = (measure(name).at(panel, year) for panel in panels)
        assert (np.sign(after - before) == sign).mean() >= 0.75, name


def test_replies_differ_between_runs(compared):
    replies = compared["niches_open"].array("reply_to_rival")[:, -1].reshape(len(RUNS), -1, 3)
    used = replies.max(axis=(0, 1))
    assert used[MAKE - 1] == used[LICENSE - 1] == 1
    assert 0 < replies[:, :, MAKE - 1].mean() < 1
