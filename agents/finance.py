"""Lenders and investors: who may borrow at which spread, who defaults, and how much money labs find."""

import numpy as np

from computemarket.model.actor import Actor
from computemarket.model.arrays import Bools, Floats
from computemarket.model.calendar import QUARTERS_PER_YEAR
from computemarket.model.market import ComputeMarket
from computemarket.model.mechanisms.vendor_finance import (
    debt_cover,
    debt_service_usd,
    defaults,
    loan_rate_per_year,
    next_distress,
    recovery_usd,
    rung,
)

SPREADS = ("backed", "graded", "contracted", "unsecured", "first_project")


class Lenders(Actor):
    """Lend to GPU clouds against contracts; a cloud that cannot serve its debt loses its fleet.

    Credit loosens while covers are high and tightens with every default: the multiplier on new lending is what
    `GpuCloud` builds with.
    """

    def __init__(self, market: ComputeMarket) -> None:
        super().__init__(market, "lenders")
        kinds = market.world.operators.kind
        self.debtors = np.array([place for place, kind in enumerate(kinds) if kind == "gpu_cloud"])
        self.buyer = market.world.operator("microsoft")
        shape = (len(market.runs), len(self.debtors))
        self.distress = np.zeros(shape, dtype=np.int64)
        self.rate_per_year = np.zeros(shape)
        self.cover = np.zeros(shape)
        self.lost_usd = np.zeros(shape[0])

    def settle(self) -> None:
        """Price loans, test covers, foreclose, and set how freely the next quarter lends."""
        state = self.state
        debt = np.take(state.debt_usd, self.debtors, axis=1)
        self.rate_per_year = self._rates()
        service = debt_service_usd(debt, self.rate_per_year / QUARTERS_PER_YEAR, self._term())
        margin = self.value("capex.rental_margin")[:, None]
        self.cover = debt_cover(np.take(state.rental_revenue_usd, self.debtors, axis=1) * margin, service)
        self.distress = next_distress(
            self.distress, self.cover, debt > self.value("finance.least_debt_usd")[:, None]
        )
        patience = np.rint(self.value("finance.default_patience_quarters"))[:, None]
        failing = defaults(self.distress, patience)
        self._foreclose(failing, debt)
        stress = self.value("finance.credit_stress")
        memory = self.value("finance.credit_memory")
        lost = self.lost_usd / np.maximum(debt.sum(axis=1), 1.0)
        target = np.exp(-self.value("finance.loss_aversion") * lost) / (1 + stress)
        state.credit_conditions += memory * (target - state.credit_conditions)

    def _rates(self) -> Floats:
        """Return (R, N) yearly rates by the rung of the spread ladder each cloud stands on."""
        given = self.world.operators.rented_out_share[self.debtors]
        contracted = np.broadcast_to(given, self.distress.shape) * self.state.utilisation[:, :1]
        seasoned = np.full(self.distress.shape, self.quarter >= QUARTERS_PER_YEAR)
        none = np.zeros(self.distress.shape)
        enough = self.value("finance.enough_contracted")[:, None]
        ladder = np.stack([self.value(f"finance.spread_{name}") for name in SPREADS], axis=1)
        place = rung(none, none, contracted, seasoned, enough)
        stress = self.value("finance.credit_stress")
        return loan_rate_per_year(self.value("finance.risk_free"), ladder, place, stress)

    def _term(self) -> Floats:
        return self.value("finance.loan_quarters")[:, None]

    def _foreclose(self, failing: Bools, debt: Floats) -> None:
        """Sell the fleets of failed clouds to a buyer, write the rest of the debt off, let the cloud start again."""
        state = self.state
        mine = state.fleet_units[:, self.debtors] * failing[:, :, None]
        value = (mine * (state.price_usd * np.exp(-self._age_discount()[:, None]))[:, None, :]).sum(axis=2)
        recovered = np.where(failing, recovery_usd(debt, value, self.value("finance.recovery")), 0.0)
        state.fleet_units[:, self.debtors] -= mine
        state.fleet_units[:, self.buyer] += mine.sum(axis=1)
        buyer = self.world.operators.ids[self.buyer]
        self.market.ledger.pay(
            f"operator.{buyer}", "lenders", recovered.sum(axis=1), "fleets of failed clouds"
        )
        self.lost_usd = np.where(failing, debt - recovered, 0.0).sum(axis=1)
        state.debt_usd[:, self.debtors] = np.where(failing, 0.0, debt)
        state.backlog_units[:, self.debtors] *= ~failing[:, :, None]
        state.defaulted[:, self.debtors] = failing
        self.distress = np.where(failing, 0, self.distress)

    def _age_discount(self) -> Floats:
        return self.value("chips.rent_decline") * self.value("finance.resale_years")


class Investors(Actor):
    """Fund labs out of what they believe AI will earn; when labs want more than that, all get less.

    Sentiment follows the growth of the believed revenue over what was usual, and carries to startups.
    """

    def __init__(self, market: ComputeMarket) -> None:
        super().__init__(market, "investors")
        self.last_ln = market.state.belief_ln_usd.mean(axis=1)
        self.usual = np.zeros(len(market.runs))
        market.state.funding_ratio[:] = 1.0

    def expect(self) -> None:
        """Update sentiment by how fast belief grows compared with its usual pace."""
        level = self.state.belief_ln_usd.mean(axis=1)
        growth = level - self.last_ln
        gain = self.value("finance.sentiment_gain")
        self.usual += gain * (growth - self.usual)
        self.last_ln = level
        lift = self.value("finance.sentiment_weight") * (growth - self.usual) - self.value(
            "finance.credit_stress"
        )
        self.state.sentiment_ln[:] = np.clip(lift, -2.0, 1.0)

    def settle(self) -> None:
        """Compare what labs asked for with what is on offer; the ratio limits next quarter's training."""
        state = self.state
        asked = state.lab_funding_usd.sum(axis=1)
        belief = np.exp(state.belief_ln_usd.mean(axis=1))
        supply = belief * self.value("finance.funding_share") / QUARTERS_PER_YEAR * np.exp(state.sentiment_ln)
        state.funding_ratio[:] = np.where(asked > 0, np.minimum(1.0, supply / np.maximum(asked, 1.0)), 1.0)


def record_finance(market: ComputeMarket) -> None:
    """Record credit, defaults and sentiment."""
    state, keep = market.state, market.recorder.add
    lenders = market.parts["lenders"]
    names = tuple(market.world.operators.ids[place] for place in lenders.debtors)
    keep("loan_rate_per_year", "1/year", lenders.rate_per_year, entity=names)
    keep("debt_cover", "1", lenders.cover, entity=names)
    keep("defaulted", "1", np.take(state.defaulted, lenders.debtors, axis=1), entity=names)
    keep("credit_losses_usd", "USD", lenders.lost_usd, entity="lenders")
    keep("credit_conditions", "1", state.credit_conditions, entity="lenders")
    keep("funding_ratio", "share", state.funding_ratio, entity="investors")
    keep("sentiment", "ln", state.sentiment_ln, entity="investors")
