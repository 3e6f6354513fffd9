"""Rivals that open a niche in the leader's market, and its reply: fight, make, license or buy (M9, M13)."""

import numpy as np

from computemarket.agents.vendors.entry_barriers import FIRST, annuity, fast_products, leader_margin
from computemarket.model.actor import Actor
from computemarket.model.core.arrays import Bools, Floats
from computemarket.model.core.calendar import QUARTERS_PER_YEAR, quarters_since_start
from computemarket.model.core.recorded import END, MEAN, SUM, Variable, recorded
from computemarket.model.market import ComputeMarket
from computemarket.model.mechanisms.operators.options import advance_programme, licence_payment_usd
from computemarket.model.mechanisms.vendors.entry import (
    BUY,
    LICENSE,
    MAKE,
    REPLIES,
    best_reply,
    blocking_chance,
    reply_values_usd,
    survives,
)
from computemarket.model.state import WITHDRAWN
from computemarket.model.world.world import GROUPS

SIGNED = quarters_since_start("2025Q4")  # market_facts: groq_deal_value, 24 December 2025
LASTING = quarters_since_start("2028Q1")  # who still sells then can open a niche
SCHEDULE = np.array([0.85, 0.0, 0.10, 0.0, 0.05])  # by quarter; market_facts: groq_deal_payment
SOLD_OUT = quarters_since_start("2026Q3")  # from when the licensed rival's own chips are sold no more
IDEA, SIZE, BLOCK, SLIP, HOPE = range(5)  # draws of a quarter


class Rivals(Actor):
    """Rivals with an idea enter where the fast segment pays for a whole system; the leader answers those it notices.

    What keeps them out is worked out apart. A licence takes a rival's engineers and brings its technology, a purchase
    removes the rival unless it is forbidden, an own design comes late. The licence of 2025Q4 is a dated fact that can
    be undone.
    """

    def __init__(self, market: ComputeMarket) -> None:
        super().__init__(market, "rivals")
        products, vendors = market.world.products, market.world.vendors
        self.leader = market.world.vendor(market.world.leader)
        other = GROUPS.index("other_merchant")
        lasting = {int(v) for v in products.vendor[products.merchant & (products.end >= LASTING)]}
        self.slots = np.array([v for v in sorted(lasting) if vendors.group[v] == other], dtype=np.int64)
        self.names = tuple(vendors.ids[v] for v in self.slots)
        self.western = vendors.group != GROUPS.index("chinese")
        runs, n = len(market.runs), len(self.slots)
        self.draws = market.streams.quarterly_uniform("rivals", 5 * n).reshape(runs, -1, n, 5)
        self.open = np.zeros((runs, n), dtype=np.bool_)
        self.size, self.since = np.zeros((runs, n)), np.zeros((runs, n))
        self.hope = np.zeros((runs, n))  # of investors in a rival, one on average
        self.reply = np.zeros((runs, n), dtype=np.int64)  # place in REPLIES
        self.left, self.made = np.zeros((runs, n), dtype=np.int64), np.zeros((runs, n), dtype=np.bool_)
        self.forbidden = np.zeros((runs, n), dtype=np.bool_)
        self.deal = np.zeros((runs, n), dtype=np.int64)  # the last one with each rival, place in REPLIES
        self.arrives = np.full((runs, n), np.inf)  # quarter in which its technology is in products
        self.technology = np.zeros(runs)  # what has been brought so far, in licences
        self.price_usd, self.signed = np.zeros((runs, n)), np.full((runs, n), -1, dtype=np.int64)
        self.gone = np.zeros((runs, n), dtype=np.bool_)  # rivals that sell no more
        self.edge = np.zeros((runs, n))  # of niches, after the leader's reply
        self.pull = np.zeros((runs, n))  # before it
        self.brought = np.full(runs, np.inf)  # quarter from which the leader has products for fast tokens
        self.paid_usd = np.zeros(runs)
        self.at_stake_usd = np.zeros((runs, n))
        self.fast = fast_products(market)
        self._publish()

    def launch(self) -> None:
        """Let rivals enter or give up, let the leader answer, and set what all this does to the choice of products."""
        if self.quarter < FIRST:
            return
        if self.quarter == FIRST:
            self._begin()
        self.paid_usd = np.zeros_like(self.paid_usd)
        u = self.draws[:, self.quarter]
        self.since += self.open
        self._give_up()
        self._enter(u)
        self._answer(u)
        working = (self.reply == MAKE) & ~self.made
        self.left, done = advance_programme(
            self.left, working, np.ascontiguousarray(u[:, :, SLIP]), self.value("custom_silicon.slip_chance")
        )
        self.made |= done
        self._integrate(done)
        self._set_edges()

    def _begin(self) -> None:
        """Start from the licence of 2025Q4 where it was signed: the leader has its technology, the rival sells out."""
        licensed = self.value("rivals.groq_licence") >= 0.5
        self.brought = np.where(licensed, SIGNED, np.inf)
        place = self.names.index(self.world.roles.one("licensed_rival"))
        self.reply[:, place] = np.where(licensed, LICENSE, 0)
        self.gone[:, place] = licensed

    def _revenue_usd(self) -> Floats:
        """Return (R, n) what their niches added to rivals' sales of last quarter, sales x (1 - exp(-edge))."""
        return np.take(self.state.revenue_usd, self.slots, axis=1) * -np.expm1(-self.edge)

    def _give_up(self) -> None:
        """Close niches that have had their time and earn less than their scale costs; let the others ripen."""
        value, sales = self.value, self._revenue_usd()
        profit, cost = sales * value("rivals.margin")[:, None], self.state.entry_cost_usd[:, None]
        worth = survives(profit, cost, annuity(self.market))
        self.open &= (worth >= 1) | (self.since <= value("rivals.patience_quarters")[:, None])
        # a niche has as many customers as the contestable part of the segment lets it have
        room = 1 - sales / np.maximum(value("rivals.most_share") * self.state.contestable_usd, 1.0)[:, None]
        full = np.log1p(np.expm1(self.size * self._ramped()) * np.clip(room, 0.0, 1.0))
        self.pull += value("rivals.pull_speed")[:, None] * (np.where(self.open, full, 0.0) - self.pull)

    def _enter(self, u: Floats) -> None:
        """Open niches: where there is an idea, and what can be won is worth waiting no longer."""
        value = self.value
        idea = u[:, :, IDEA] < -np.expm1(-value("rivals.idea_rate"))[:, None]
        paid = (self.signed < 0) | (self.quarter - self.signed >= len(SCHEDULE))
        may = idea & ~self.open & ~self.gone & paid
        starts = may & (self.state.entry_value_ratio >= 1)[:, None]
        # luck of the idea is exponential: most niches are small and a few are large
        size = -np.log(u[:, :, SIZE]) * value("rivals.niche_size_ln")[:, None]
        self.size = np.where(starts, size, self.size)
        self.hope = np.where(starts, -np.log(u[:, :, HOPE]), self.hope)
        self.since = np.where(starts, 0.0, self.since)
        self.reply = np.where(starts, 0, self.reply)
        self.made &= ~starts
        self.forbidden &= ~starts
        self.open |= starts

    def _ramped(self) -> Floats:
        return -np.expm1(-self.since / self.value("rivals.ramp_quarters")[:, None])

    def _answer(self, u: Floats) -> None:
        """Weigh replies to niches that show, and carry out the best."""
        value, state = self.value, self.state
        revenue = self._revenue_usd()
        sales = np.maximum(np.compress(self.western, state.revenue_usd, axis=1).sum(axis=1), 1.0)[:, None]
        seen = self.open & (self.reply == 0) & (revenue > value("rivals.notice_share")[:, None] * sales)
        if not seen.any():
            return
        coming = revenue * np.exp(
            np.minimum(self.size * (1 - self._ramped()), value("rivals.foresight_ln")[:, None])
        )
        share = state.revenue_usd[:, self.leader] / sales[:, 0]
        each = leader_margin(self.market) * annuity(
            self.market
        )  # worth to the leader of a dollar of sales a quarter
        self.at_stake_usd = np.minimum(coming, state.fast_segment_usd[:, None]) * (share * each)[:, None]
        technology = value("rivals.technology_share") * state.fast_segment_usd * each
        worth = (
            value("rivals.valuation_floor_usd")[:, None] * self.hope
            + value("rivals.sales_multiple")[:, None] * QUARTERS_PER_YEAR * revenue
        )
        price = value("custom_silicon.acquisition_multiple")[:, None] * worth
        delay = value("custom_silicon.design_quarters")
        blocked = blocking_chance(
            share, state.regulatory_stage, value("rivals.block_base_ln"), value("rivals.block_share_weight")
        )
        values = reply_values_usd(
            self.at_stake_usd, technology[:, None] * np.ones_like(price), price,
            value("custom_silicon.design_cost_usd")[:, None] * np.ones_like(price),
            value("rivals.made_share"), np.exp(-value("custom_silicon.rate") * delay / QUARTERS_PER_YEAR),
            value("rivals.licensed_share"), value("rivals.purchase_premium"), blocked, value("rivals.break_fee"),
        )  # fmt: skip
        values[:, :, BUY] = np.where(self.forbidden, -np.inf, values[:, :, BUY])
        self._carry_out(np.where(seen, best_reply(values), 0), price, u[:, :, BLOCK] < blocked[:, None])

    def _carry_out(self, reply: Floats, price: Floats, stopped: Bools) -> None:
        """Sign, or begin to design; a forbidden purchase costs its fee and is not tried again."""
        failed = (reply == BUY) & stopped
        self.forbidden |= failed
        taken = np.where(failed, 0, reply)
        deal = (taken == LICENSE) | (taken == BUY)
        premium = 1 + self.value("rivals.purchase_premium")[:, None] * (taken == BUY)
        self.price_usd = np.where(deal, price * premium, self.price_usd)
        self.signed = np.where(deal, self.quarter, self.signed)
        self.deal = np.where(deal, taken, self.deal)
        later = self.quarter + np.rint(self.value("rivals.integration_quarters"))[:, None]
        self.arrives = np.where(deal, later, self.arrives)
        steps = np.maximum(np.rint(self.value("custom_silicon.design_quarters")), 1.0).astype(np.int64)
        self.left = np.where(taken == MAKE, steps[:, None], self.left)
        self.reply = np.where(taken > 0, taken, self.reply)
        self.paid_usd += (np.where(failed, price, 0.0) * self.value("rivals.break_fee")[:, None]).sum(axis=1)

    def _publish(self) -> None:
        """Show how many rivals are in, and how many may still come."""
        self.state.open_niches[:] = self.open.sum(axis=1)
        self.state.outside_rivals[:] = (~self.open & ~self.gone).sum(axis=1)

    def _set_edges(self) -> None:
        """Tell the market what niches add to rivals' products, and what technology adds to the leader's."""
        state = self.state
        lost = np.where(self.reply == LICENSE, self.value("rivals.licensed_share")[:, None], 0.0)
        lost = np.where(self.made, self.value("rivals.made_share")[:, None], lost)
        self.edge = self.pull * (1 - lost)
        self.gone |= self.reply == BUY
        self.open &= ~self.gone
        self._publish()
        shown = np.where(self.gone & (self.quarter >= SOLD_OUT), WITHDRAWN, self.edge)
        for place, slot in enumerate(self.slots):
            mine = self.market.structure.products_of_vendor[slot]
            state.product_edge[:, mine] = shown[:, place][:, None]
        known = self.technology + self.value("rivals.made_share") * state.deterring_designs
        here = np.where(self.quarter >= self.brought, self.value("rivals.technology_edge") * known, WITHDRAWN)
        state.product_edge[:, self.fast] = here[:, None]

    def _integrate(self, made: Bools) -> None:
        """Count technology that arrives: that of a licence whole, an own answer by what it takes from the rival."""
        landed = self.arrives <= self.quarter
        self.arrives = np.where(landed, np.inf, self.arrives)
        self.technology += landed.sum(axis=1) + self.value("rivals.made_share") * made.sum(axis=1)
        new = (landed | made).any(axis=1) | (self.state.deterring_design_landed > 0)
        self.brought = np.where(new, np.minimum(self.brought, self.quarter), self.brought)

    def settle(self) -> None:
        """Pay what licences and purchases cost this quarter, by their schedules, and the work on own answers."""
        if self.quarter < SIGNED:
            return
        since = np.where(self.signed < 0, -1, self.quarter - self.signed)
        due = np.where(self.deal == LICENSE, licence_payment_usd(self.price_usd, since, SCHEDULE), 0.0)
        due += np.where((self.deal == BUY) & (since == 0), self.price_usd, 0.0)
        fact = self.value("rivals.groq_price_usd") * (self.value("rivals.groq_licence") >= 0.5)
        quarters = np.full(len(fact), self.quarter - SIGNED)
        self.paid_usd = self.paid_usd + due.sum(axis=1) + licence_payment_usd(fact, quarters, SCHEDULE)
        pay = self.market.ledger.pay
        pay(f"vendor.{self.world.leader}", "investors", self.paid_usd, "licences and purchases of rivals")
        steps = np.maximum(self.value("custom_silicon.design_quarters"), 1.0)
        working = ((self.reply == MAKE) & ~self.made).sum(axis=1)
        bill = working * self.value("custom_silicon.design_cost_usd") / steps
        pay(f"vendor.{self.world.leader}", "public", bill, "design")

    @recorded(
        Variable(
            "niche_open",
            "share",
            END,
            "Niches Open",
            "Share of histories in which a rival serves a niche of the market for accelerators",
            entity="vendors",
        ),
        Variable(
            "niche_edge_ln",
            "1",
            MEAN,
            "Pull of Niches",
            "Utility that a rival's niche adds to its products, after the leader's reply",
            entity="vendors",
        ),
        Variable(
            "reply_to_rival",
            "share",
            END,
            "Reply to Rivals",
            "The leader's standing reply to each rival's niche: own design, licence or purchase",
            entity="vendors",
            detail="replies",
        ),
        Variable(
            "licence_payment_usd",
            "USD",
            SUM,
            "Licences and Purchases of Rivals",
            "What the leader pays for licences and purchases of rivals",
            entity="the leader",
            single=True,
        ),
    )
    def record(self) -> None:
        """Record niches, and the leader's replies and payments."""
        keep = self.market.recorder.add
        keep("niche_open", self.open.astype(np.float64), entity=self.names)
        keep("niche_edge_ln", self.edge, entity=self.names)
        chosen = self.reply[:, :, None] == np.arange(1, len(REPLIES))
        keep("reply_to_rival", chosen.astype(np.float64), entity=self.names, detail=REPLIES[1:])
        keep("licence_payment_usd", self.paid_usd, entity=self.world.leader)
