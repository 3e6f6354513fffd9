"""The web of credit and guarantees around compute: what the failure of one firm would cost the others (M19, M26)."""

import numpy as np

from computemarket.model.actor import Actor
from computemarket.model.core.arrays import Floats
from computemarket.model.core.calendar import QUARTERS_PER_YEAR, quarters_since_start
from computemarket.model.core.recorded import MEAN, Variable, recorded
from computemarket.model.market import ComputeMarket
from computemarket.model.mechanisms.finance.contagion import debt_rank, impact, systemic_importance

FIRST = quarters_since_start("2026Q1")
OTHERS = ("lenders", "hyperscalers", "labs")  # beside the GPU clouds and the leader
LEAST_USD = 1.0
STEPS = 5  # the longest chain: labs, clouds, the leader, clouds, lenders


class CreditWeb(Actor):
    """Adds up who would lose on whom, tests the web each quarter, and lets supervisors see the outcome.

    Lenders have lent to operators, the leader guarantees floors and waits for payment of a quarter's deliveries, clouds
    and hyperscalers count on contracts of labs. The test takes part of every GPU cloud's cash flow away: who then falls
    short of the cover that lenders ask for is in distress, as are labs that find too little money. Distress spreads by
    DebtRank. Where the loss beyond the first one exceeds what supervisors tolerate, lenders must lend less.
    """

    def __init__(self, market: ComputeMarket) -> None:
        super().__init__(market, "credit_web")
        self.clouds = market.structure.gpu_clouds
        self.large = market.structure.hyperscalers
        self.leader = market.world.vendor(market.world.leader)
        self.labs = np.flatnonzero(market.labs.token_market == 0)
        self.names = (
            *(market.world.operators.ids[slot] for slot in self.clouds),
            market.world.leader,
            *OTHERS,
        )
        runs, n = len(market.runs), len(self.names)
        self.risk = np.zeros(runs)  # share of equity lost in the test beyond the first losses
        self.importance = np.zeros((runs, n))  # share of equity that the failure of each destroys elsewhere
        self.exposure_usd, self.equity_usd = np.zeros((runs, n, n)), np.zeros((runs, n))

    def settle(self) -> None:
        """Draw up the web, test it, and hold lending back where the test fails."""
        if self.quarter < FIRST:
            return
        self._draw_up()
        hit_by = impact(self.exposure_usd, self.equity_usd)
        weight = self.equity_usd / self.equity_usd.sum(axis=1, keepdims=True)
        self.risk = debt_rank(hit_by, self._distress(), weight, STEPS)[1]
        self.state.systemic_risk[:] = self.risk
        if (self.quarter - FIRST) % QUARTERS_PER_YEAR == 0:
            self.importance = systemic_importance(hit_by, weight, STEPS)
        beyond = np.maximum(self.risk - self.value("finance.supervision_tolerance"), 0.0)
        kept = np.maximum(1 - self.value("finance.supervision_response") * beyond, 0.0)
        self.state.loan_share[:, self.clouds] *= kept[:, None]

    def _distress(self) -> Floats:
        """Return (R, n) first losses of the test: covers below what lenders ask, money that labs do not find."""
        least = self.value("finance.least_cover")[:, None]
        cover = (
            np.take(self.state.debt_cover, self.clouds, axis=1)
            * (1 - self.value("finance.stress_test_fall"))[:, None]
        )
        first = np.zeros_like(self.equity_usd)
        first[:, : len(self.clouds)] = np.clip(1 - cover / least, 0.0, 1.0)
        first[:, -1] = 1 - self.state.funding_ratio
        return first

    def _draw_up(self) -> None:
        """Set what each would lose on each, and what each can lose, in USD."""
        state, n = self.state, len(self.clouds)
        leader, lenders, large, labs = n, n + 1, n + 2, n + 3
        debt = np.take(state.debt_usd, self.clouds, axis=1)
        work = np.take(self.state.work_h100e * state.cost_per_h100e_usd, self.clouds, axis=1)
        large_debt = np.take(state.debt_usd, self.large, axis=1).sum(axis=1)
        web, lost = self.exposure_usd, 1 - self.value("finance.recovery")
        web[:, lenders, :n], web[:, lenders, large] = lost[:, None] * debt, lost * large_debt
        bought = np.take(state.ai_capex_usd, self.clouds, axis=1)  # one quarter is paid on delivery
        web[:, leader, :n] = np.take(state.guaranteed_usd, self.clouds, axis=1) + bought
        rent = np.maximum(state.rental_revenue_usd, 0.0)
        term = self.value("finance.contract_quarters") / 2  # contracts are half run on average
        promised = np.take(state.lab_compute_usd, self.labs, axis=1).sum(axis=1) * term
        part = rent / np.maximum(rent.sum(axis=1, keepdims=True), LEAST_USD) * (lost * promised)[:, None]
        web[:, :n, labs] = np.take(part, self.clouds, axis=1)
        web[:, large, labs] = np.take(part, self.large, axis=1).sum(axis=1)
        paid = np.take(state.floor_payout_usd, self.clouds, axis=1)
        web[:, :n, leader] = paid * QUARTERS_PER_YEAR
        equity = self.equity_usd
        equity[:, :n] = work - debt
        profit = state.revenue_usd[:, self.leader] - state.cost_of_sales_usd[:, self.leader]
        equity[:, leader] = QUARTERS_PER_YEAR * profit
        equity[:, lenders] = self.value("finance.lender_capital") * (debt.sum(axis=1) + large_debt)
        equity[:, large] = QUARTERS_PER_YEAR * np.take(state.funds_usd, self.large, axis=1).sum(axis=1)
        raised = np.take(state.lab_funding_usd, self.labs, axis=1).sum(axis=1)
        equity[:, labs] = QUARTERS_PER_YEAR * raised
        np.maximum(equity, LEAST_USD, out=equity)

    @recorded(
        Variable(
            "systemic_risk",
            "share",
            MEAN,
            "Systemic Risk",
            "Share of equity in the credit web lost in the supervisors' test beyond the first losses",
            entity="world",
            single=True,
        ),
        Variable(
            "systemic_importance",
            "share",
            MEAN,
            "Systemic Importance",
            "Share of equity in the credit web that the failure of a firm destroys elsewhere",
            entity="members of the credit web",
        ),
    )
    def record(self) -> None:
        """Record what the test costs beyond its first losses, and whose failure would cost most."""
        keep = self.market.recorder.add
        keep("systemic_risk", self.risk, entity="world")
        keep("systemic_importance", self.importance, entity=self.names)
