"""Factory operators for one line of business: they enter freely and license the leader's blueprint (M22)."""

import numpy as np

from computemarket.model.actor import Actor
from computemarket.model.core.arrays import Floats
from computemarket.model.core.calendar import QUARTERS_PER_YEAR, quarters_since_start
from computemarket.model.core.recorded import END, SUM, Variable, recorded
from computemarket.model.market import ComputeMarket
from computemarket.model.mechanisms.operators.vertical_entry import (
    free_entry_number,
    licence_revenue_usd,
    mismatch_cost_usd,
    next_operators,
    price_usd,
)

FIRST = quarters_since_start("2026Q1")
VERTICALS = ("biopharma", "finance", "industry", "public")


class VerticalOperators(Actor):
    """Counts specialised operators by line of business; a unit of service is a dollar of generic tokens.

    Their market spreads to a share of western token spending. Operators enter while the premium for a fitting domain
    covers a year's fixed cost; buyers pay a premium that entry erodes, and the leader takes a fee on revenue.
    """

    def __init__(self, market: ComputeMarket) -> None:
        super().__init__(market, "vertical_operators")
        shape = (len(market.runs), len(VERTICALS))
        self.draws = market.streams.quarterly_uniform("verticals.entry", len(VERTICALS))
        self.spread = np.zeros(len(market.runs))  # of the markets, 0 to 1
        self.operators = np.zeros(shape)
        self.revenue_usd, self.licence_usd = np.zeros(shape), np.zeros(shape)  # of the quarter

    def settle(self) -> None:
        """Let operators enter or leave, and pay the licence and the premium that buyers pay beyond tokens."""
        if self.quarter < FIRST:
            return
        self.spread = self.spread + self.value("verticals.spread_speed") * (1 - self.spread)
        units = self._market_units()
        worth = mismatch_cost_usd(np.ones_like(units), self.value("verticals.premium"))
        fixed, fee = self.value("verticals.fixed_usd"), self.value("verticals.licence_fee")
        target = free_entry_number(units, worth, fixed, fee)
        speed = self.value("verticals.entry_speed")
        self.operators = next_operators(self.operators, target, speed, self.draws[:, self.quarter])
        price = price_usd(np.ones_like(units), worth, self.operators, fee)
        yearly = np.where(self.operators > 0, price * units, 0.0)
        self.revenue_usd = yearly / QUARTERS_PER_YEAR
        self.licence_usd = licence_revenue_usd(units, price, self.operators, fee) / QUARTERS_PER_YEAR
        licence = self.licence_usd.sum(axis=1)
        self.market.ledger.pay(
            "customers", f"vendor.{self.world.leader}", licence, "licences of factory blueprints"
        )

    def _market_units(self) -> Floats:
        """Return (R, verticals) units bought a year."""
        shares = np.stack([self.value(f"verticals.market_{name}") for name in VERTICALS], axis=1)
        yearly = QUARTERS_PER_YEAR * self.state.token_revenue_usd[:, 0]
        return shares * (self.spread * yearly)[:, None]

    @recorded(
        Variable(
            "vertical_operators",
            "firms",
            END,
            "Factory Operators",
            "Operators of factories for one line of business",
            entity="lines of business",
        ),
        Variable(
            "vertical_revenue_usd",
            "USD",
            SUM,
            "Factory Operator Revenue",
            "Revenue of operators of factories for one line of business",
            entity="lines of business",
        ),
        Variable(
            "vertical_licence_usd",
            "USD",
            SUM,
            "Blueprint Licence Revenue",
            "What factory operators pay the leader for its blueprint",
            entity="the leader",
            single=True,
        ),
    )
    def record(self) -> None:
        """Record operators and their revenue by line of business, and the leader's licences."""
        keep = self.market.recorder.add
        keep("vertical_operators", self.operators, entity=VERTICALS)
        keep("vertical_revenue_usd", self.revenue_usd, entity=VERTICALS)
        keep("vertical_licence_usd", self.licence_usd.sum(axis=1), entity=self.world.leader)
