"""The secondary market of compute credits: an auction among holders, and a band that the issuer defends (M16)."""

import numpy as np

from computemarket.agents.platform import HOLDERS, LEADER
from computemarket.model.actor import Actor
from computemarket.model.arrays import Bools, Floats
from computemarket.model.calendar import quarters_since_start
from computemarket.model.ledger import balance
from computemarket.model.market import ComputeMarket
from computemarket.model.mechanisms.auction import clear_double_auction, local_price
from computemarket.model.mechanisms.credits import (
    Band,
    credit_cost,
    credit_share,
    defend_band,
    issuable_credits,
    needs_financial_approval,
    next_variance,
    regulatory_exposure,
)

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
        self.places = market.streams.quarterly_normal("credits.basis", len(HOLDERS))
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
        platform = self.market.parts["platform"]
        trades = needs_financial_approval(platform.stage)
        par = platform.par_usd()
        self._choose(trades)
        outstanding = platform.credits.sum(axis=1)
        seen = regulatory_exposure(
            platform.stage, outstanding * par, self.value("credits.regulatory_scale_usd")
        )
        platform.exposure = FULL_EXPOSURE * seen
        nothing = np.zeros(len(par))
        self.volume_h, self.issuer_sold, self.issuer_usd, self.fees_usd = nothing, nothing, nothing, nothing
        if trades.any():
            self._trade(trades & (outstanding > LEAST_H), par)

    def _choose(self, trades: Bools) -> None:
        """Set the wish for credits: what they save against the risk that their price brings (CARA)."""
        platform, futures = self.market.parts["platform"], self.market.parts["futures"]
        variance = np.where(trades, self.variance, platform.variance)
        swing = np.sqrt(variance) * (1 - futures.hedged)  # hedges take their part of the risk away
        cost = credit_cost(
            self.value("credits.discount"), self.value("credits.unused"), self.value("credits.settlement_cost"),
            swing, self.value("credits.risk_aversion"), self.value("credits.trust"),
        )  # fmt: skip
        self.share = credit_share(cost, self.value("credits.choice_sharpness"))
        if self.quarter == FIRST:
            self.first_share = self.share
        platform.demand_factor = self.share / self.first_share

    def _trade(self, trades: Bools, par: Floats) -> None:
        """Clear the auction among holders, then let the issuer defend its band."""
        platform = self.market.parts["platform"]
        spot = self.state.rent_usd_per_h100e_hour[:, 0]
        local = local_price(spot[:, None], self.value("rental.basis_sd_ln"), self.places[:, self.quarter])
        worth = local * self.value("credits.trust")[:, None]
        last = np.where(self.price_usd > 0, self.price_usd, par)
        active = self.value("credits.turnover")[:, None] * trades[:, None]
        offered, wanted = active * platform.credits, active * platform.redeemed
        found = clear_double_auction(worth, wanted, worth, offered, self.value("rental.auction_k"), last)
        before = platform.credits
        after = before + found.bought_h - found.sold_h
        free = np.where(found.volume_h > 0, found.price_usd_per_h, worth.mean(axis=1))
        band = self._defend(np.where(trades, free, par), par, after.sum(axis=1))
        moved = np.where(trades, band.sold, 0.0)
        growth = moved / np.maximum(after.sum(axis=1), LEAST_H)
        platform.credits = after * (1 + growth)[:, None]
        self.issuer_sold, self.issuer_usd = moved, np.where(trades, band.cash_usd, 0.0)
        balance(
            before.sum(axis=1), np.maximum(moved, 0.0), np.maximum(-moved, 0.0),
            platform.credits.sum(axis=1), "traded credits are conserved", self.quarter,
        )  # fmt: skip
        price = np.where(trades, band.price_usd, 0.0)
        ratio = np.where(trades, np.where(price > 0, price, par) / par, 1.0)
        known = trades & (self.price_usd > 0)
        swing = np.where(known, np.log(ratio / self.over_par), 0.0)
        start = np.where(trades & ~known, platform.variance, self.variance)
        self.variance = np.where(
            trades, next_variance(start, swing, self.value("credits.variance_weight")), 0.0
        )
        self.price_usd, self.over_par = price, ratio
        self.volume_h = found.volume_h
        self.fees_usd = platform.take_rate() * found.volume_h * price

    def _defend(self, free: Floats, par: Floats, outstanding: Floats) -> Band:
        """Return what the issuer's defence makes of a free price."""
        platform = self.market.parts["platform"]
        depth = np.maximum(self.value("credits.market_depth") * outstanding, 1.0)
        room = issuable_credits(platform.pooled_h, outstanding, self.value("credits.reserve_share"))
        cash = self.value("credits.defence_share") * platform.sold_usd
        low = self.value("credits.band_low")
        cash = np.minimum(cash, outstanding * low * par)  # no more is bought back than there is
        return defend_band(free, par, low, self.value("credits.band_high"), depth, room, cash)

    def settle(self) -> None:
        """Pay the issuer for its sales and for its venue; what it buys back it pays."""
        pay = self.market.ledger.pay
        pay("customers", f"vendor.{LEADER}", self.issuer_usd, "defence of credits")
        pay("customers", f"vendor.{LEADER}", self.fees_usd, "fees on traded credits")


def record_credit_market(market: ComputeMarket) -> None:
    """Record price over par, turnover and defence of credits, and the share of buyers that prefer them."""
    credits, keep = market.parts["credit_market"], market.recorder.add
    traded = credits.price_usd > 0
    keep("credit_price_usd_per_hour", "USD/h", np.where(traded, credits.price_usd, np.nan), entity="platform")
    keep("credit_price_over_par", "1", np.where(traded, credits.over_par, np.nan), entity="platform")
    flows = np.stack([credits.volume_h, credits.issuer_sold], axis=1)
    keep("credits_traded_hours", "GPU-hours", flows, entity="platform", detail=("holders", "issuer"))
    keep("credit_preference", "share", credits.share, entity="buyers")
