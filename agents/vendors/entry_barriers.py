"""What keeps rivals out of the segment of fast tokens: the leader's own products, prices and systems (M9)."""

import numpy as np

from computemarket.model.actor import Actor
from computemarket.model.core.arrays import Floats, Ints
from computemarket.model.core.calendar import QUARTERS_PER_YEAR, quarters_since_start
from computemarket.model.core.recorded import END, MEAN, SUM, Variable, recorded
from computemarket.model.market import ComputeMarket
from computemarket.model.markets.serving import TOKENS_PER_MTOK, closed_markup
from computemarket.model.mechanisms.broadcast import present_value_factor
from computemarket.model.mechanisms.operators.options import (
    advance_programme,
    investment_hurdle,
    programme_value_usd,
    starts_programme,
)
from computemarket.model.mechanisms.vendors.entry import contestable_usd, system_cost_usd
from computemarket.model.world.world import GROUPS, TIERS

FIRST = quarters_since_start("2026Q1")
FAST = [TIERS.index("premium"), TIERS.index("ultra")]


class EntryBarriers(Actor):
    """Works out each quarter what entry into the segment is worth, and what the leader does to make it worth less.

    Entry is blockaded where it would not pay anyhow. Where it would, the leader may cut its prices for fast tokens, if
    that keeps entrants out and costs less than they would, and it may begin another design made for the segment, if
    the sales that it saves are worth the hurdle. Else it lets entrants come. What it sells around its chips raises the
    scale of entry all the while.
    """

    def __init__(self, market: ComputeMarket) -> None:
        super().__init__(market, "entry_barriers")
        runs = len(market.runs)
        self.leader = market.world.vendor(market.world.leader)
        self.fast = fast_products(market)
        self.western = market.world.vendors.group != GROUPS.index("chinese")
        self.draws = market.streams.quarterly_uniform("rivals.shield")
        self.segment_usd, self.contest_usd = (
            np.zeros(runs),
            np.zeros(runs),
        )  # and what of it rivals can hope for
        self.cost_usd, self.first_content = np.zeros(runs), np.zeros(runs)  # of bringing a system
        self.entry_ratio = np.zeros(runs)  # value of entry over what it must reach
        self.cut = np.zeros(runs)  # of prices in the segment
        self.working, self.landed = np.zeros(runs, dtype=np.bool_), np.zeros(runs, dtype=np.bool_)
        self.left = np.zeros(runs, dtype=np.int64)  # quarters of the design under way
        self.shields = np.zeros(runs)  # designs made for the segment so far

    def launch(self) -> None:
        """Measure the segment and what entry is worth, and act on it."""
        if self.quarter < FIRST:
            return
        own = self._measure()
        self._value_entry()
        self._deter(own)
        self._commit(own)
        self._publish()

    def _publish(self) -> None:
        """Show rivals and the choice of products what the segment is worth and what guards it."""
        state = self.state
        state.price_cut[:, self.fast] = self.cut[:, None]
        state.fast_segment_usd[:], state.contestable_usd[:] = self.segment_usd, self.contest_usd
        state.entry_cost_usd[:], state.entry_value_ratio[:] = self.cost_usd, self.entry_ratio
        state.deterring_designs[:], state.deterring_design_landed[:] = self.shields, self.landed

    def _measure(self) -> Floats:
        """Set the segment's size, what is contestable and what entry costs; return the leader's own sales in it."""
        self.segment_usd, own = self._segment_usd()
        self.contest_usd = contestable_usd(self.segment_usd, own, self.value("rivals.deterrence"))
        self.cost_usd = self._entry_cost_usd()
        return own

    def _value_entry(self) -> None:
        """Set what entry is worth over the hurdle times its cost, shared with those who are in."""
        value = self.value
        rivals = 1 + self.state.open_niches
        worth = programme_value_usd(
            self.contest_usd * value("rivals.entrant_share") / rivals * value("rivals.margin"),
            value("custom_silicon.rate") / QUARTERS_PER_YEAR,
            value("custom_silicon.believed_shock_rate"),
            1 - value("custom_silicon.kept_lpu"),
            value("rivals.entry_quarters"),
            value("custom_silicon.life_quarters"),
        )
        self.entry_ratio = worth / (self._hurdle() * self.cost_usd)

    def _hurdle(self) -> Floats:
        value = self.value
        return investment_hurdle(
            value("custom_silicon.value_volatility"),
            value("custom_silicon.rate"),
            value("custom_silicon.payout"),
        )

    def _segment_usd(self) -> tuple[Floats, Floats]:
        """Return (R,) western sales of accelerators for fast tokens last quarter, and the leader's own in them.

        Sales belong to fast tokens by the part that these have in what all hours earned.
        """
        state = self.state
        sold_usd = state.tokens[:, 0] * state.token_price_usd_per_mtok[:, 0] / TOKENS_PER_MTOK
        fast = np.take(sold_usd, FAST, axis=1).sum(axis=1) / closed_markup(self.market)
        hours = state.token_hours_h100e[:, 0].sum(axis=1) + state.training_hours_h100e[:, 0]
        every = (hours + state.captive_hours_h100e[:, 0]) * state.rent_usd_per_h100e_hour[:, 0]
        sales = np.compress(self.western, state.revenue_usd, axis=1).sum(axis=1)
        units = np.take(state.delivered_units, self.fast, axis=2).sum(axis=1)
        own = (units * np.take(state.list_price_usd, self.fast, axis=1)).sum(axis=1)
        return fast / np.maximum(every, 1.0) * sales, own

    def _entry_cost_usd(self) -> Floats:
        """Return (R,) what a system costs to bring, as the leader's own systems have grown."""
        products = self.world.products
        mine = self.market.structure.products_of_vendor[self.leader]
        content = (products.network_content + products.system_content)[mine]
        sold = np.take(self.state.delivered_units, mine, axis=2).sum(axis=1)
        sold = sold * np.take(self.state.list_price_usd, mine, axis=1)
        mean = (sold * content).sum(axis=1) / np.maximum(sold.sum(axis=1), 1.0)
        if self.quarter == FIRST:
            self.first_content = mean
        return system_cost_usd(
            self.value("rivals.system_cost_usd"), mean, self.first_content, self.value("rivals.system_weight")
        )

    def _deter(self, own: Floats) -> None:
        """Cut prices in the segment where that keeps entrants out and costs less than entry would (Dixit 1980)."""
        value = self.value
        cut = value("rivals.limit_price_cut")
        more = (1 - cut) ** (1 - value("chips.choice_alpha"))  # sales after the cut over before
        left = contestable_usd(self.segment_usd, own * more, value("rivals.deterrence"))
        works = self.entry_ratio * left < np.where(self.contest_usd > 0, self.contest_usd, 1.0)
        coming = 1 - np.exp(-value("rivals.idea_rate") * self.state.outside_rivals)
        loss = (
            value("rivals.entrant_share")
            * self.contest_usd
            * leader_margin(self.market)
            * annuity(self.market)
        )
        pays = coming * loss > cut * own
        self.cut = np.where((self.entry_ratio >= 1) & works & pays & (own > 0), cut, 0.0)
        # whom the cut keeps out does not come
        self.entry_ratio = np.where(
            self.cut > 0, self.entry_ratio * left / np.maximum(self.contest_usd, 1.0), self.entry_ratio
        )

    def _commit(self, own: Floats) -> None:
        """Begin a design made for the segment where what it keeps of sales is worth the hurdle (Schmalensee 1978)."""
        value = self.value
        uniform = np.ascontiguousarray(self.draws[:, self.quarter, 0])
        self.left, self.landed = advance_programme(
            self.left, self.working, uniform, value("custom_silicon.slip_chance")
        )
        self.shields = self.shields + self.landed
        self.working &= ~self.landed
        more = np.exp(value("rivals.technology_edge") * value("rivals.made_share"))
        left = contestable_usd(self.segment_usd, own * more, value("rivals.deterrence"))
        coming = -np.expm1(
            -value("rivals.idea_rate") * self.state.outside_rivals * QUARTERS_PER_YEAR
        )  # within a year
        kept = coming * value("rivals.entrant_share") * (self.contest_usd - left) * leader_margin(self.market)
        delay = value("custom_silicon.design_quarters")
        worth = programme_value_usd(
            kept,
            value("custom_silicon.rate") / QUARTERS_PER_YEAR,
            value("custom_silicon.believed_shock_rate"),
            1 - value("custom_silicon.kept_lpu"),
            delay,
            value("custom_silicon.life_quarters"),
        )
        threat = (self.entry_ratio >= 1) & ~self.working
        begins = starts_programme(worth, value("custom_silicon.design_cost_usd"), self._hurdle(), threat)
        self.left = np.where(begins, np.maximum(np.rint(delay), 1.0).astype(np.int64), self.left)
        self.working |= begins

    def settle(self) -> None:
        """Pay for the design under way."""
        if self.quarter < FIRST:
            return
        steps = np.maximum(np.rint(self.value("custom_silicon.design_quarters")), 1.0)
        bill = self.working * self.value("custom_silicon.design_cost_usd") / steps
        self.market.ledger.pay(f"vendor.{self.world.leader}", "public", bill, "design")

    @recorded(
        Variable(
            "fast_segment_usd",
            "USD",
            SUM,
            "Fast Segment",
            "Sales of accelerators outside China that serve the fastest tiers of tokens",
            entity="world",
            single=True,
        ),
        Variable(
            "entry_value_over_threshold",
            "1",
            MEAN,
            "Value of Entry over Threshold",
            "What entry into the fast segment is worth over what an entrant must reach",
            entity="world",
            single=True,
        ),
        Variable(
            "limit_price_cut",
            "share",
            MEAN,
            "Limit Pricing",
            "Cut of the leader's prices for fast tokens that keeps entrants out",
            entity="the leader",
            single=True,
        ),
        Variable(
            "deterring_designs",
            "designs",
            END,
            "Deterring Designs",
            "Designs for fast tokens that the leader has made to keep entrants out",
            entity="the leader",
            single=True,
        ),
    )
    def record(self) -> None:
        """Record the segment, what entry into it is worth, and what the leader does to keep entrants out."""
        keep = self.market.recorder.add
        keep("fast_segment_usd", self.segment_usd, entity="world")
        keep("entry_value_over_threshold", self.entry_ratio, entity="world")
        keep("limit_price_cut", self.cut, entity=self.world.leader)
        keep("deterring_designs", self.shields, entity=self.world.leader)


def annuity(market: ComputeMarket) -> Floats:
    """Return (R,) the present value of a dollar a quarter over the life of a chip generation."""
    rate = market.value("custom_silicon.rate") / QUARTERS_PER_YEAR
    return present_value_factor(rate, market.value("custom_silicon.life_quarters"))


def leader_margin(market: ComputeMarket) -> Floats:
    """Return the leader's (R,) gross margin of last quarter."""
    state, leader = market.state, market.world.vendor(market.world.leader)
    mine = np.maximum(state.revenue_usd[:, leader], 1.0)
    return np.maximum(1 - state.cost_of_sales_usd[:, leader] / mine, 0.0)


def fast_products(market: ComputeMarket) -> Ints:
    """Return the places of the leader's products for fast tokens."""
    products, leader = market.world.products, market.world.vendor(market.world.leader)
    foundry = market.world.roles.one("second_foundry")  # where the line for fast tokens began
    line = [p for p, maker in enumerate(products.foundry) if maker == foundry]
    return np.array([p for p in line if products.vendor[p] == leader], dtype=np.int64)
