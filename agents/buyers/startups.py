"""Startups: a population that enters, buys tokens, raises money, grows, fails and is bought."""

import numpy as np

from computemarket.model.actor import Actor
from computemarket.model.core.arrays import Bools, Floats, Ints
from computemarket.model.core.recorded import END, SUM, Variable, recorded
from computemarket.model.market import ComputeMarket
from computemarket.model.mechanisms.buyers.startups import (
    enters,
    expected_entrants,
    leaves,
    next_cash_usd,
    next_revenue_usd,
    provider_shares,
    raised_usd,
)
from computemarket.model.state import STARTUP_KINDS

PLACES = 240  # firms that can be alive at once
MONTHS_PER_QUARTER = 3.0


class Startups(Actor):
    """Two hundred and forty places, each held by one firm after another.

    Their token bill is part of paid token spending: they pay it to the customers' account, which pays the labs. A
    population that grows faster than its payroll lifts the use of tokens; one that dies out lowers it.
    """

    def __init__(self, market: ComputeMarket) -> None:
        super().__init__(market, "startups")
        shape = (len(market.runs), PLACES)
        first = market.streams.uniform("startups.first", PLACES)
        self.active: Bools = first < self.value("startups.alive_2022")[:, None]
        seed = self.value("startups.seed_usd")[:, None]
        self.cash_usd = np.where(self.active, seed, 0.0)
        self.revenue_usd = np.where(self.active, self._first_revenue(), 0.0)
        self.bill_usd = np.zeros(shape)
        self.usual_bill_usd = np.zeros(shape[0])
        self.entered, self.failed, self.bought = (np.zeros(shape[0]) for _ in range(3))
        self.draws = market.streams.quarterly_uniform("startups.events", 3 * PLACES)
        self.luck = market.streams.quarterly_normal("startups.revenue", PLACES)
        fit = market.streams.uniform("startups.fit", STARTUP_KINDS * len(market.labs.ids))
        self.fit = -np.log(-np.log(fit)).reshape(shape[0], STARTUP_KINDS, len(market.labs.ids))

    def _first_revenue(self) -> Floats:
        return (self.value("startups.payroll_usd_per_quarter") * self.value("startups.first_revenue"))[
            :, None
        ]

    def demand(self) -> None:
        """Grow or shrink revenue, buy tokens by it, and let the population's bill move total use."""
        growth, spread = self.value("startups.revenue_growth"), self.value("startups.revenue_spread")
        self.revenue_usd = next_revenue_usd(self.revenue_usd, growth, spread, self.luck[:, self.quarter])
        payroll = self.value("startups.payroll_usd_per_quarter")[:, None]
        share = self.value("startups.compute_share")[:, None]
        self.bill_usd = np.where(self.active, share * (self.revenue_usd + payroll), 0.0)
        by_kind = self.bill_usd.reshape(-1, PLACES // STARTUP_KINDS, STARTUP_KINDS)
        self.state.startup_bill_usd[:] = by_kind.sum(axis=1)
        bill = self.bill_usd.sum(axis=1)
        weight = self.value("startups.usual_weight")
        first = self.usual_bill_usd <= 0
        self.usual_bill_usd = np.where(first, bill, (1 - weight) * self.usual_bill_usd + weight * bill)
        relative = bill / np.maximum(self.usual_bill_usd, 1.0)
        self.state.use_factor[:] = np.clip(relative, 0.2, 3.0) ** self.value("startups.share_of_use")

    def routed(self, cost: Floats, labs: Ints) -> Floats:
        """Return (R, n) where startups' bills go: each kind routes its calls over the labs that fit it best at a cost.

        Parameters
        ----------
        cost : (R, n) of a task at each of the labs that can be had; labs : (n,) their places
        """
        fit = np.take(self.fit, labs, axis=2)
        usable = np.ones(cost.shape, dtype=np.bool_)
        bills = self.state.startup_bill_usd
        homes = np.rint(self.value("startups.homes")).astype(np.int64)
        out = np.zeros_like(cost)
        for count in np.unique(homes):
            rows = homes == count
            split = provider_shares(
                np.compress(rows, cost, axis=0), np.compress(rows, fit, axis=0),
                np.compress(rows, self.value("startups.price_sensitivity")), int(count),
                np.compress(rows, usable, axis=0),
            )  # fmt: skip
            spent = (split * np.compress(rows, bills, axis=0)[:, :, None]).sum(axis=1)
            out[rows] = spent / np.maximum(spent.sum(axis=1, keepdims=True), 1e-9)
        return out

    def settle(self) -> None:
        """Raise, pay, leave and enter; every dollar through the books."""
        uniform = self.draws[:, self.quarter].reshape(len(self.bill_usd), 3, PLACES)
        mood = self.state.sentiment_ln
        payroll = np.where(self.active, self.value("startups.payroll_usd_per_quarter")[:, None], 0.0)
        burn = np.maximum(payroll + self.bill_usd - self.revenue_usd, 0.0) / MONTHS_PER_QUARTER
        runway = self.value("startups.runway_months")
        raised = raised_usd(
            self.active, uniform[:, 0], self.value("startups.funding_hazard"), burn, runway, mood
        )
        self.cash_usd = next_cash_usd(self.cash_usd, self.revenue_usd, raised, payroll, self.bill_usd)
        pay = self.market.ledger.pay
        pay("investors", "startups", raised.sum(axis=1), "startup funding")
        pay("customers", "startups", self.revenue_usd.sum(axis=1), "startup sales")
        pay("startups", "public", payroll.sum(axis=1), "startup payroll")
        pay("startups", "customers", self.bill_usd.sum(axis=1), "tokens bought by startups")
        self._turn_over(uniform, mood)

    def _turn_over(self, uniform: Floats, mood: Floats) -> None:
        """Let firms fail or be bought, and new ones take empty places with seed money."""
        failed, bought = leaves(
            self.active, self.cash_usd, uniform[:, 1], self.value("startups.acquisition_hazard")
        )
        gone = failed | bought
        self.failed, self.bought = failed.sum(axis=1).astype(float), bought.sum(axis=1).astype(float)
        left = np.where(gone, self.cash_usd, 0.0)
        self.market.ledger.pay("startups", "investors", left.sum(axis=1), "startups wound up")
        self._clear(gone)
        pull = expected_entrants(
            self.value("startups.entrants"),
            np.zeros(len(mood)),
            mood,
            self.value("startups.entry_cost_weight"),
            self.value("startups.sentiment_weight"),
        )
        new = enters(self.active, uniform[:, 2], pull)
        seed = np.where(new, self.value("startups.seed_usd")[:, None], 0.0)
        self.market.ledger.pay("investors", "startups", seed.sum(axis=1), "startup funding")
        self.active = self.active | new
        self.cash_usd += seed
        self.revenue_usd = np.where(new, self._first_revenue(), self.revenue_usd)
        self.entered = new.sum(axis=1).astype(float)

    def _clear(self, gone: Bools) -> None:
        self.active = self.active & ~gone
        self.cash_usd = np.where(gone, 0.0, self.cash_usd)
        self.revenue_usd = np.where(gone, 0.0, self.revenue_usd)

    @recorded(
        Variable(
            "startups_active",
            "firms",
            END,
            "Startups Active",
            "Start-ups in business",
            entity="startups",
            single=True,
        ),
        Variable(
            "startup_turnover",
            "firms",
            SUM,
            "Startup Turnover",
            "Start-ups that entered, failed and were bought",
            entity="startups",
            detail="kinds of turnover",
            single=True,
        ),
        Variable(
            "startup_token_bill_usd",
            "USD",
            SUM,
            "Startup Token Bill",
            "What start-ups paid for tokens",
            entity="startups",
            single=True,
        ),
    )
    def record(self) -> None:
        """Record the population and its flows."""
        keep = self.market.recorder.add
        keep("startups_active", self.active.sum(axis=1).astype(float), entity="startups")
        flows = np.stack([self.entered, self.failed, self.bought], axis=1)
        keep("startup_turnover", flows, entity="startups", detail=("entered", "failed", "bought"))
        keep("startup_token_bill_usd", self.bill_usd.sum(axis=1), entity="startups")
