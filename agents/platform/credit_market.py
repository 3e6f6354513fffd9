"""The secondary market of compute credits: an auction among holders, and a band that the issuer defends (M16)."""

import numpy as np

from computemarket.agents.platform.platform import par_usd_per_h, take_rate
from computemarket.model.actor import Actor
from computemarket.model.core.arrays import Bools, Floats
from computemarket.model.core.calendar import quarters_since_start
from computemarket.model.core.ledger import balance
from computemarket.model.core.recorded import MEAN, SUM, Variable, recorded
from computemarket.model.market import ComputeMarket
from computemarket.model.mechanisms.finance.auction import clear_double_auction, local_price
from computemarket.model.mechanisms.platform.credits import (
    Band,
    credit_cost,
    credit_share,
    defend_band,
    issuable_credits,
    needs_financial_approval,
    next_variance,
    regulatory_exposure,
)
from computemarket.model.state import CREDIT_HOLDERS

FIRST = quarters_since_start("2026Q1")
LEAST_H = 1.0  # credits outstanding below which nobody makes a market
FULL_EXPOSURE = 3.0  # a large credit that trades like money weighs as much as a case at its remedy


class CreditMarket(Actor):
    """Prices credits once they trade, and tells the issuer who wants them and what regulators see in them.

    A credit is worth to a holder what an hour costs on the spot where the holder rents, less distrust of the issuer.
    Holders whose hours are cheap sell to those whose hours are dear, at one price; the issuer sells above its band and
    buys back below it as long as credits and cash last. Buyers weigh credits against a subscription at a fixed price.
    """

    def __init__(self, market: ComputeMarket) -> None:
        super().__init__(market, "credit_market")
        runs = len(market.runs)
        self.places = market.streams.quarterly_normal("credits.basis", len(CREDIT_HOLDERS))
        self.price_usd = np.zeros(runs)  # of a credit on the secondary market, 0 before it trades
        self.over_par = np.ones(runs)
        self.volume_h, self.issuer_sold = np.zeros(runs), np.zeros(runs)
        self.issuer_usd, self.fees_usd = np.zeros(runs), np.zeros(runs)
        self.variance = np.zeros(runs)  # of the ln price of credits over par
        self.share = np.zeros(runs)  # of buyers that prefer credits to subscriptions
        self.first_share = np.ones(runs)

    def invest(self) -> None:
        """Weigh credits against subscriptions, and let holders and issuer trade."""
        if self.quarter < FIRST:
            return
        state = self.state
        trades = needs_financial_approval(state.credit_stage)
        par = par_usd_per_h(state)
        self._choose(trades)
        outstanding = state.credits_h.sum(axis=1)
        seen = regulatory_exposure(
            state.credit_stage, outstanding * par, self.value("credits.regulatory_scale_usd")
        )
        state.credit_exposure[:] = FULL_EXPOSURE * seen
        nothing = np.zeros(len(par))
        self.volume_h, self.issuer_sold, self.issuer_usd, self.fees_usd = nothing, nothing, nothing, nothing
        if trades.any():
            self._trade(trades & (outstanding > LEAST_H), par)

    def _choose(self, trades: Bools) -> None:
        """Set the wish for credits: what they save against the risk that their price brings (CARA)."""
        state = self.state
        variance = np.where(trades, self.variance, state.rent_variance)
        swing = np.sqrt(variance) * (1 - state.hedged_share)  # hedges take their part of the risk away
        cost = credit_cost(
            self.value("credits.discount"), self.value("credits.unused"), self.value("credits.settlement_cost"),
            swing, self.value("credits.risk_aversion"), self.value("credits.trust"),
        )  # fmt: skip
        self.share = credit_share(cost, self.value("credits.choice_sharpness"))
        if self.quarter == FIRST:
            self.first_share = self.share
        state.credit_demand_factor[:] = self.share / self.first_share

    def _trade(self, trades: Bools, par: Floats) -> None:
        """Clear the auction among holders, then let the issuer defend its band."""
        state = self.state
        spot = self.state.rent_usd_per_h100e_hour[:, 0]
        local = local_price(spot[:, None], self.value("rental.basis_sd_ln"), self.places[:, self.quarter])
        worth = local * self.value("credits.trust")[:, None]
        last = np.where(self.price_usd > 0, self.price_usd, par)
        active = self.value("credits.turnover")[:, None] * trades[:, None]
        offered, wanted = active * state.credits_h, active * state.credits_redeemed_h
        found = clear_double_auction(worth, wanted, worth, offered, self.value("rental.auction_k"), last)
        before = state.credits_h.copy()
        after = before + found.bought_h - found.sold_h
        free = np.where(found.volume_h > 0, found.price_usd_per_h, worth.mean(axis=1))
        band = self._defend(np.where(trades, free, par), par, after.sum(axis=1))
        moved = np.where(trades, band.sold, 0.0)
        growth = moved / np.maximum(after.sum(axis=1), LEAST_H)
        state.credits_h[:] = after * (1 + growth)[:, None]
        self.issuer_sold, self.issuer_usd = moved, np.where(trades, band.cash_usd, 0.0)
        balance(
            before.sum(axis=1), np.maximum(moved, 0.0), np.maximum(-moved, 0.0),
            state.credits_h.sum(axis=1), "traded credits are conserved", self.quarter,
        )  # fmt: skip
        price = np.where(trades, band.price_usd, 0.0)
        ratio = np.where(trades, np.where(price > 0, price, par) / par, 1.0)
        known = trades & (self.price_usd > 0)
        swing = np.where(known, np.log(ratio / self.over_par), 0.0)
        start = np.where(trades & ~known, state.rent_variance, self.variance)
        self.variance = np.where(
            trades, next_variance(start, swing, self.value("credits.variance_weight")), 0.0
        )
        state.credit_price_variance[:] = self.variance
        self.price_usd, self.over_par = price, ratio
        self.volume_h = found.volume_h
        self.fees_usd = take_rate(self.market) * found.volume_h * price

    def _defend(self, free: Floats, par: Floats, outstanding: Floats) -> Band:
        """Return what the issuer's defence makes of a free price."""
        depth = np.maximum(self.value("credits.market_depth") * outstanding, 1.0)
        room = issuable_credits(self.state.credit_pool_h, outstanding, self.value("credits.reserve_share"))
        cash = self.value("credits.defence_share") * self.state.credit_sales_usd
        low = self.value("credits.band_low")
        cash = np.minimum(cash, outstanding * low * par)  # no more is bought back than there is
        return defend_band(free, par, low, self.value("credits.band_high"), depth, room, cash)

    def settle(self) -> None:
        """Pay the issuer for its sales and for its venue; what it buys back it pays."""
        pay = self.market.ledger.pay
        pay("customers", f"vendor.{self.world.leader}", self.issuer_usd, "defence of credits")
        pay("customers", f"vendor.{self.world.leader}", self.fees_usd, "fees on traded credits")

    @recorded(
        Variable(
            "credit_price_usd_per_hour",
            "USD/h",
            MEAN,
            "Compute Credit Price",
            "Price of a credit of one hour where credits are traded",
            entity="platform",
            single=True,
        ),
        Variable(
            "credit_price_over_par",
            "1",
            MEAN,
            "Compute Credit Price over Par",
            "Price of a credit over what the issuer asks for it",
            entity="platform",
            single=True,
        ),
        Variable(
            "credits_traded_hours",
            "GPU-hours",
            SUM,
            "Compute Credits Traded",
            "Credits traded, among holders and sold by the issuer",
            entity="platform",
            detail="sellers",
            single=True,
        ),
        Variable(
            "credit_preference",
            "share",
            MEAN,
            "Compute Credit Preference",
            "Share of buyers that prefer credits to subscriptions",
            entity="buyers",
        ),
    )
    def record(self) -> None:
        """Record price over par, turnover and defence of credits, and the share of buyers that prefer them."""
        keep = self.market.recorder.add
        traded = self.price_usd > 0
        keep("credit_price_usd_per_hour", np.where(traded, self.price_usd, np.nan), entity="platform")
        keep("credit_price_over_par", np.where(traded, self.over_par, np.nan), entity="platform")
        flows = np.stack([self.volume_h, self.issuer_sold], axis=1)
        keep("credits_traded_hours", flows, entity="platform", detail=("holders", "issuer"))
        keep("credit_preference", self.share, entity="buyers")
