"""Lenders and investors: who may borrow at which spread, who defaults, and how much money labs find."""

import numpy as np

from computemarket.model.actor import Actor
from computemarket.model.core.arrays import Bools, Floats, Ints, weighted_sum
from computemarket.model.core.calendar import QUARTERS_PER_YEAR
from computemarket.model.core.recorded import END, MEAN, SUM, Variable, recorded
from computemarket.model.market import ComputeMarket
from computemarket.model.markets.settlement import contract_rent_by_operator, letting_usd_per_quarter
from computemarket.model.mechanisms.finance.vendor_finance import (
    called_usd,
    debt_capacity_usd,
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
    """Lend to GPU clouds against contracts; a cloud that cannot serve its debt is wound up in part.

    What a loan may be follows from what new accelerators earn at today's contract rents; credit loosens while covers
    are high and tightens with every loss. A failed cloud sells part of its fleet and starts again with the debt that
    the rest can bear.
    """

    def __init__(self, market: ComputeMarket) -> None:
        super().__init__(market, "lenders")
        self.debtors, self.buyers = market.structure.gpu_clouds, market.structure.hyperscalers
        shape = (len(market.runs), len(self.debtors))
        self.distress = np.zeros(shape, dtype=np.int64)
        self.rate_per_year = self._rates()
        self.cover = np.zeros(shape)
        self.lost_usd = np.zeros(shape[0])
        ids = [market.world.operators.ids[place] for place in self.debtors]
        self.news = np.stack(
            [market.streams.quarterly_normal(f"contracts.{name}")[:, :, 0] for name in ids], axis=1
        )
        self.luck_ln = np.zeros(shape)  # of a cloud's own contracts: customers won and lost

    def settle(self) -> None:
        """Price loans, test covers, wind up who failed, and set how much the next quarter lends."""
        state = self.state
        debt = np.take(state.debt_usd, self.debtors, axis=1)
        self.rate_per_year = self._rates()
        state.loan_rate_per_year[:, self.debtors] = self.rate_per_year
        service = debt_service_usd(debt, self.rate_per_year / QUARTERS_PER_YEAR, self._term())
        service = service + self._called_usd(debt)
        self.cover = debt_cover(self._cash_flow_usd(), service)
        state.debt_cover[:, self.debtors] = self.cover
        self.distress = next_distress(
            self.distress, self.cover, debt > self.value("finance.least_debt_usd")[:, None]
        )
        patience = np.rint(self.value("finance.default_patience_quarters"))[:, None]
        failing = defaults(self.distress, patience)
        self._wind_up(failing, debt)
        stress = self.value("finance.credit_stress")
        memory = self.value("finance.credit_memory")
        lost = self.lost_usd / np.maximum(debt.sum(axis=1), 1.0)
        target = np.exp(-self.value("finance.loss_aversion") * lost) / (1 + stress)
        state.credit_conditions += memory * (target - state.credit_conditions)
        state.loan_share[:, self.debtors] = self._loan_share()

    def hear_of_contracts(self) -> None:
        """Let each cloud win or lose customers: news that fades, one on average."""
        lasting = self.value("finance.contract_persistence")[:, None]
        spread = self.value("finance.contract_news_sd")[:, None]
        self.luck_ln = lasting * self.luck_ln + spread * self.news[:, :, self.quarter]
        variance = spread**2 / (1 - lasting**2)
        self.state.contract_luck[:, self.debtors] = np.exp(self.luck_ln - variance / 2)

    def _cash_flow_usd(self) -> Floats:
        """Return (R, N) quarterly cash flow of the fleets at the rents they are let for, partnerships included."""
        fleet = weighted_sum(self.state.fleet_units, self.state.work[:, None, :])
        rent = letting_usd_per_quarter(self.market, self.state.booked_rent_usd_per_h100e_hour)
        earned = np.take(fleet * rent * self.state.let_factor, self.debtors, axis=1)
        partner = np.take(self.state.partner_usd, self.debtors, axis=1)
        return earned * self.value("capex.rental_margin")[:, None] + partner

    def _called_usd(self, debt: Floats) -> Floats:
        """Return (R, N) what lenders do not renew of the loans that fall due beyond what the level payment repays."""
        worth = np.take(self.state.work_h100e * self.state.cost_per_h100e_usd, self.debtors, axis=1)
        worth = worth * np.exp(-self._age_discount())[:, None]
        allowed = np.take(self.state.loan_share, self.debtors, axis=1) * worth
        due = self.value("finance.balloon_share")[:, None] * debt / self._term()
        return called_usd(debt, due, allowed)

    def _loan_share(self) -> Floats:
        """Return (R, N) loan per dollar of new accelerators: both tests of lenders at today's contract rents."""
        state = self.state
        cost = np.take(state.cost_per_h100e_usd, self.debtors, axis=1)
        rent = letting_usd_per_quarter(self.market, contract_rent_by_operator(self.market))
        earned = np.take(rent, self.debtors, axis=1) * self.value("capex.rental_margin")[:, None]
        loan = debt_capacity_usd(
            earned,
            cost,
            self.rate_per_year / QUARTERS_PER_YEAR,
            self.value("finance.loan_quarters"),
            self.value("finance.least_cover"),
            self.value("finance.most_loan_to_value"),
        )
        return loan / np.maximum(cost, 1.0) * np.minimum(state.credit_conditions, 1.0)[:, None]

    def _rates(self) -> Floats:
        """Return (R, N) yearly rates by the rung of the spread ladder each cloud stands on."""
        given = self.world.operators.rented_out_share[self.debtors]
        contracted = np.broadcast_to(given, self.distress.shape) * self.state.utilisation[:, :1]
        seasoned = np.full(self.distress.shape, self.quarter >= QUARTERS_PER_YEAR)
        none = np.zeros(self.distress.shape)
        enough = self.value("finance.enough_contracted")[:, None]
        ladder = np.stack([self.value(f"finance.spread_{name}") for name in SPREADS], axis=1)
        backed = np.take(self.state.backed_share, self.debtors, axis=1)
        place = rung(backed, none, contracted, seasoned, enough)
        stress = self.value("finance.credit_stress")
        return loan_rate_per_year(self.value("finance.risk_free"), ladder, place, stress)

    def _term(self) -> Floats:
        return self.value("finance.loan_quarters")[:, None]

    def _wind_up(self, failing: Bools, debt: Floats) -> None:
        """Sell part of the fleets of failed clouds to hyperscalers, by their means; write down the debt."""
        state, kept, recovered = self.state, debt.copy(), np.zeros_like(debt)
        runs = np.flatnonzero(failing.any(axis=1))  # the others' fleets stay as they are
        if len(runs):
            fleet = state.fleet_units[np.ix_(runs, self.debtors)] * failing[runs, :, None]
            sold = fleet * self.value("finance.sold_in_default")[runs, None, None]
            price = (state.price_usd[runs] * np.exp(-self._age_discount()[runs, None]))[:, None]
            share = self.value("finance.recovery")[runs]
            recovered[runs] = recovery_usd(debt[runs], weighted_sum(sold, price), share)
            left = np.where(failing[runs], debt[runs] - recovered[runs], 0.0)
            owed = recovery_usd(left, weighted_sum(fleet - sold, price), share)
            kept[runs] = np.where(failing[runs], owed, debt[runs])
            self._hand_over(runs, sold)
        state.debt_usd[:, self.debtors] = kept
        self.lost_usd = (debt - recovered - kept).sum(axis=1)
        self._pay_lenders(recovered.sum(axis=1))
        state.backlog_units[:, self.debtors] *= ~failing[:, :, None]
        state.defaulted[:, self.debtors] = failing
        self.distress = np.where(failing, 0, self.distress)

    def _means(self) -> Floats:
        """Return (R, B) the part of each hyperscaler in what is sold, by what it can spend."""
        means = np.maximum(np.take(self.state.funds_usd, self.buyers, axis=1), 1.0)
        return means / means.sum(axis=1, keepdims=True)

    def _hand_over(self, runs: Ints, sold: Floats) -> None:
        """Move (r, N, P) accelerators of some runs to the hyperscalers, with the sites on which they stand."""
        state, part = self.state, self._means()[runs]
        sellers, buyers = np.ix_(runs, self.debtors), np.ix_(runs, self.buyers)
        older = (sold * state.age_quarters[sellers]).sum(axis=1)
        gained = part[:, :, None] * sold.sum(axis=1)[:, None, :]
        had = state.fleet_units[buyers]
        total = had + gained
        aged = state.age_quarters[buyers] * had + part[:, :, None] * older[:, None, :]
        state.age_quarters[buyers] = np.where(total > 0, aged / np.where(total > 0, total, 1.0), 0.0)
        sites_mw = weighted_sum(sold, self.market.rates.power_kw) / 1000
        sites_mw = np.minimum(sites_mw, state.power_mw[sellers])
        drawn_mw = np.minimum(
            sites_mw, state.power_used_mw[sellers]
        )  # what came this quarter is not counted yet
        for power, moved_mw in ((state.power_mw, sites_mw), (state.power_used_mw, drawn_mw)):
            power[sellers] -= moved_mw
            power[buyers] += part * moved_mw.sum(axis=1, keepdims=True)
        state.fleet_units[sellers] -= sold
        state.fleet_units[buyers] = total

    def _pay_lenders(self, paid_usd: Floats) -> None:
        """Let the hyperscalers pay lenders for the fleets of failed clouds."""
        part = self._means()
        for place, buyer in enumerate(self.buyers):
            name = self.world.operators.ids[buyer]
            self.market.ledger.pay(
                f"operator.{name}", "lenders", paid_usd * part[:, place], "fleets of failed clouds"
            )

    def _age_discount(self) -> Floats:
        return self.value("chips.rent_decline") * self.value("finance.resale_years")

    @recorded(
        Variable(
            "loan_rate_per_year",
            "1/year",
            MEAN,
            "Loan Rate",
            "Interest rate of loans to clouds that borrow",
            entity="operators",
        ),
        Variable(
            "debt_cover",
            "1",
            MEAN,
            "Debt Service Cover",
            "Cash flow over debt service of clouds that borrow",
            entity="operators",
        ),
        Variable(
            "defaulted",
            "1",
            END,
            "Defaulted",
            "Share of runs in which a cloud has defaulted by the end of the period; 0 or 1 in one run",
            entity="operators",
        ),
        Variable(
            "loan_share",
            "share",
            MEAN,
            "Loan Share",
            "Share of new systems paid by loans",
            entity="operators",
        ),
        Variable(
            "credit_losses_usd",
            "USD",
            SUM,
            "Credit Losses",
            "Losses of lenders",
            entity="lenders",
            single=True,
        ),
        Variable(
            "credit_conditions",
            "1",
            MEAN,
            "Credit Conditions",
            "Readiness to lend; 1: normal",
            entity="lenders",
            single=True,
        ),
        Variable(
            "funding_ratio",
            "share",
            MEAN,
            "Funding Ratio",
            "Capital raised over capital sought",
            entity="investors",
            single=True,
        ),
        Variable(
            "sentiment",
            "ln",
            MEAN,
            "Investor Sentiment",
            "Mood of investors; 0: neutral",
            entity="investors",
            single=True,
        ),
    )
    def record(self) -> None:
        """Record credit, defaults and sentiment."""
        state, keep = self.state, self.market.recorder.add
        names = tuple(self.world.operators.ids[place] for place in self.debtors)
        keep("loan_rate_per_year", self.rate_per_year, entity=names)
        keep("debt_cover", self.cover, entity=names)
        keep("defaulted", np.take(state.defaulted, self.debtors, axis=1), entity=names)
        keep("loan_share", np.take(state.loan_share, self.debtors, axis=1), entity=names)
        keep("credit_losses_usd", self.lost_usd, entity="lenders")
        keep("credit_conditions", state.credit_conditions, entity="lenders")
        keep("funding_ratio", state.funding_ratio, entity="investors")
        keep("sentiment", state.sentiment_ln, entity="investors")


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
