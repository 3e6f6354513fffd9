"""The leader's business beyond boxes: software, compute credits, and a marketplace with its take rate (M15, M16)."""

import numpy as np

from computemarket.model.actor import Actor
from computemarket.model.core.arrays import Floats
from computemarket.model.core.calendar import HOURS_PER_QUARTER, quarters_since_start
from computemarket.model.core.ledger import balance
from computemarket.model.core.recorded import END, MEAN, SUM, Variable, recorded
from computemarket.model.market import ComputeMarket
from computemarket.model.mechanisms.platform.business_modes import (
    channel_orders,
    next_attach,
    software_revenue_usd,
    trade_volume,
)
from computemarket.model.mechanisms.platform.credits import (
    STAGES,
    credit_cash_usd,
    issuable_credits,
    next_stage,
    next_variance,
    settle_credits,
    stage_chance,
)
from computemarket.model.state import CREDIT_HOLDERS, REVENUE_LAYERS, MarketState

SHARES = np.array([0.5, 0.2, 0.3])  # of new credits, in the order of CREDIT_HOLDERS; assumption
PORTABLE = STAGES.index("portable")  # from here on credits trade
LEAST_PAR_USD = 0.01
FIRST_CREDITS = quarters_since_start("2025Q4")  # private prepaid credits of an enterprise cloud


class Platform(Actor):
    """Sells software on its installed base, issues credits for hours, and takes a share of what is traded.

    Credits climb from private to portable, tradable and stakable units by a hazard that rises with the installed
    share and falls with price swings and regulatory pressure. A take rate costs hardware orders of those buyers who are
    rivals of the marketplace.
    """

    def __init__(self, market: ComputeMarket) -> None:
        super().__init__(market, "platform")
        runs = len(market.runs)
        self.leader = market.world.vendor(market.world.leader)
        self.attach = self.value("platform.software_attach_start").copy()
        self.stage = np.zeros(runs, dtype=np.int64)
        self.issued = np.zeros((runs, len(CREDIT_HOLDERS)))  # this quarter
        self.variance = np.zeros(runs)
        self.last_rent_ln = np.zeros(runs)
        self.steps = market.streams.quarterly_uniform("credits.stage")[:, :, 0]

    def launch(self) -> None:
        """Let software spread over the installed base and credits climb a stage."""
        ceiling, speed = (
            self.value("platform.software_attach_ceiling"),
            self.value("platform.software_attach_speed"),
        )
        self.attach = next_attach(self.attach, ceiling, speed, np.ones(len(self.attach)))
        self.state.software_attach[:] = self.attach
        rent_ln = np.log(np.maximum(self.state.rent_usd_per_h100e_hour[:, 0], 1e-3))
        swing = np.where(self.quarter > 1, rent_ln - self.last_rent_ln, 0.0)
        self.last_rent_ln = rent_ln
        self.variance = next_variance(self.variance, swing, self.value("credits.variance_weight"))
        self.state.rent_variance[:] = self.variance
        if self.quarter < FIRST_CREDITS:
            return
        chance = stage_chance(
            self.stage, self.state.vendor_share[:, self.leader], np.sqrt(self.variance),
            self.state.regulatory_stage + self.state.credit_exposure,
            self.value("credits.stage_hazard"), self.value("credits.stage_share_weight"),
            self.value("credits.stage_volatility_weight"), self.value("credits.stage_regulation_weight"),
        )  # fmt: skip
        last = np.rint(self.value("credits.last_stage")).astype(np.int64)
        self.stage = np.maximum(next_stage(self.stage, self.steps[:, self.quarter], chance, last), 1)
        self.state.credit_stage[:] = self.stage

    def invest(self) -> None:
        """Lose orders of rivals in proportion to the take rate, once the marketplace trades."""
        take = take_rate(self.market)
        kept = channel_orders(
            take, self.value("platform.rival_buyer_share"), self.value("platform.channel_conflict")
        )
        self.state.leader_order_factor[:] = kept

    def settle(self) -> None:
        """Sell software and credits, honour what is redeemed, and take the share of trades."""
        fleet = np.compress(self.world.products.vendor == self.leader, self.state.fleet_units, axis=2)
        accelerators = np.ascontiguousarray(fleet.sum(axis=2)).sum(axis=1)
        software = software_revenue_usd(
            accelerators, self.value("platform.software_price_usd_per_year"), self.attach
        )
        pay, leader = self.market.ledger.pay, f"vendor.{self.world.leader}"
        pay("customers", leader, software, "software of the leader")
        self._trade_credits(accelerators)
        hardware = self.state.revenue_usd[:, self.leader]
        fees = self._marketplace_fees()
        pay("clouds", leader, fees, "marketplace fees")
        pay("customers", "clouds", fees, "marketplace fees passed on")
        sold = credit_cash_usd(
            self.issued.sum(axis=1), par_usd_per_h(self.state), self.value("credits.discount")
        )
        settlement = self.value("credits.settlement_cost") * sold
        capacity = self.state.capacity_revenue_usd
        self.state.layer_revenue_usd[:] = np.stack([hardware, software, fees, settlement, capacity], axis=1)

    def _marketplace_fees(self) -> Floats:
        take = take_rate(self.market)
        volume = self.state.rental_revenue_usd.sum(axis=1) * self.value("platform.traded_share")
        left = trade_volume(
            take,
            self.value("platform.buyer_fee_elasticity"),
            self.value("platform.seller_fee_elasticity"),
            self.value("platform.cross_side_feedback"),
        )
        pooled = self.value("platform.take_rate") * self.state.venue_share * self.state.pooled_rent_usd
        return take * volume * left + pooled

    def _trade_credits(self, accelerators: Floats) -> None:
        """Issue within the reserve, redeem what holders need, let the rest age; hours are conserved."""
        pooled_h = accelerators * HOURS_PER_QUARTER * self.value("platform.pooled_share") * (self.stage > 0)
        state = self.state
        state.credit_pool_h[:] = pooled_h
        room = issuable_credits(pooled_h, state.credits_h.sum(axis=1), self.value("credits.reserve_share"))
        wish = pooled_h * self.value("platform.credit_demand") * state.credit_demand_factor
        opening = state.credits_h.copy()
        self.issued = np.minimum(np.maximum(room, 0.0), wish)[:, None] * SHARES
        wanted = (opening + self.issued) * self.value("platform.credit_use")[:, None]
        books = settle_credits(opening, self.issued, wanted, pooled_h, self.value("credits.unused"))
        state.credits_redeemed_h[:], state.credits_h[:] = books.redeemed, books.closing
        gone = books.redeemed + books.expired
        balance(opening, self.issued, gone, books.closing, "credits are conserved", self.quarter)
        par, leader = par_usd_per_h(state), f"vendor.{self.world.leader}"
        sold = credit_cash_usd(self.issued.sum(axis=1), par, self.value("credits.discount"))
        pay = self.market.ledger.pay
        state.credit_sales_usd[:] = sold
        pay("customers", leader, sold, "credits sold")
        honoured = books.redeemed.sum(axis=1) * par * (1 - self.value("credits.discount"))
        pay(leader, "clouds", honoured, "credits honoured")
        pay("clouds", "customers", honoured, "hours paid with credits")

    @recorded(
        Variable(
            "nvidia_layer_revenue_usd",
            "USD",
            SUM,
            "Nvidia Layer Revenue",
            "Revenue of the leader by layer of its platform",
            entity="the leader",
            detail="layers of revenue",
            single=True,
        ),
        Variable(
            "credits_outstanding_hours",
            "GPU-hours",
            END,
            "Compute Credits Outstanding",
            "Credits for compute not used yet, by holder",
            entity="holders of credits",
        ),
        Variable(
            "credit_stage",
            "1",
            END,
            "Compute Credit Stage",
            "Stage that the platform's credits have reached",
            entity="platform",
            single=True,
        ),
        Variable(
            "software_attach",
            "share",
            MEAN,
            "Software Attach Rate",
            "Share of accelerators sold with a software subscription",
            entity="the leader",
            single=True,
        ),
    )
    def record(self) -> None:
        """Record layers of revenue, credits and the stage they stand at."""
        keep = self.market.recorder.add
        keep(
            "nvidia_layer_revenue_usd",
            self.state.layer_revenue_usd,
            entity=self.world.leader,
            detail=REVENUE_LAYERS,
        )
        keep("credits_outstanding_hours", self.state.credits_h, entity=CREDIT_HOLDERS)
        keep("credit_stage", self.stage.astype(float), entity="platform")
        keep("software_attach", self.attach, entity=self.world.leader)


def par_usd_per_h(state: MarketState) -> Floats:
    """Return (R,) par of a credit: an hour at the contract rent, USD."""
    return np.maximum(state.contract_rent_usd_per_h100e_hour[:, 0], LEAST_PAR_USD)


def take_rate(market: ComputeMarket) -> Floats:
    """Return (R,) the share of trades that the marketplace keeps, 0 before credits are portable."""
    trades = market.state.credit_stage >= PORTABLE
    return market.value("platform.take_rate") * trades * market.state.venue_share
