"""Lock-in in engineer-months: what it takes to leave the leader's software, and who gains by it (M12)."""

import numpy as np

from computemarket.agents.platform.platform import par_usd_per_h
from computemarket.model.actor import Actor
from computemarket.model.core.arrays import Floats
from computemarket.model.core.calendar import FIRST_YEAR, QUARTERS_PER_YEAR, quarters_since_start
from computemarket.model.core.recorded import MEAN, SUM, Variable, recorded
from computemarket.model.market import ComputeMarket
from computemarket.model.markets.user_cost import hour_cost_usd
from computemarket.model.mechanisms.broadcast import present_value_factor
from computemarket.model.mechanisms.buyers.switching_cost import (
    after_anchor,
    after_services,
    agent_help_at,
    net_gain_usd,
    next_open_share,
    switching_cost_usd,
    switching_hazard,
    with_credit_balance,
)
from computemarket.model.mechanisms.platform.credits import STAGES

FIRST = quarters_since_start("2026Q1")  # until then the calibrated gap holds the cost of leaving
HELP_FROM, HELP_TO = 2026.0, 2030.0  # years of the parameters agent_help_2026 and agent_help_2030
LEAST_SHARE = 1e-3
PORTABLE = STAGES.index("portable")


class LockIn(Actor):
    """Works out what a production stack costs to move, and passes its change since 2026Q1 to the choice of chips.

    A port is engineering work, less what runs on vendor-neutral software and what coding agents do, less what a lab
    that everybody watches has already paid for, more what packaged services bind and prepaid credits forfeit. Staying
    costs the work of an upgrade inside the vendor. Open software at its usual funding is part of the calibrated fading
    of the software gap: the index counts only what more or less effort does to it.
    """

    def __init__(self, market: ComputeMarket) -> None:
        super().__init__(market, "lock_in")
        runs, holders = len(market.runs), len(market.world.operators.ids)
        self.anchor = market.world.operator(market.world.roles.one("anchor_lab"))
        self.open_share = self.value("lock_in.open_share_start").copy()
        self.usual_share = self.open_share.copy()  # at normal funding
        self.exit_usd, self.upgrade_usd = np.zeros(runs), np.zeros(runs)  # per stack
        self.start_usd = np.ones(runs)  # exit less upgrade in 2026Q1, no open software counted
        self.index = np.ones(runs)
        self.stacks = np.zeros((runs, holders))  # on the leader's software
        self.foreign_share = np.zeros((runs, holders))  # of accelerators that are not the leader's
        self.gain_usd, self.hazard = np.zeros((runs, holders)), np.zeros((runs, holders))
        self.bill_usd = np.zeros((runs, holders))

    def launch(self) -> None:
        """Let open software spread, and tell the market what leaving costs against what it cost in 2026Q1."""
        ceiling, erosion = self.value("lock_in.open_share_ceiling"), self.value("lock_in.open_erosion")
        effort = self.value("lock_in.open_effort")
        self.open_share = next_open_share(self.open_share, erosion, effort, ceiling)
        self.usual_share = next_open_share(self.usual_share, erosion, 1.0, ceiling)
        if self.quarter < FIRST:
            return
        self._count()
        closed_exit, closed_upgrade = self._costs_usd(np.zeros(len(effort)))
        self.exit_usd, self.upgrade_usd = self._costs_usd(self.open_share)
        if self.quarter == FIRST:
            self.start_usd = closed_exit - closed_upgrade
        extra = np.maximum(1 - self.open_share, LEAST_SHARE) / np.maximum(1 - self.usual_share, LEAST_SHARE)
        today = np.maximum(closed_exit - closed_upgrade, 0.0)
        bound = self.start_usd > 0  # where leaving costs no more than staying nobody is locked in
        self.index = np.where(bound, today / np.where(bound, self.start_usd, 1.0) * extra, 1.0)
        share = self.value("lock_in.porting_share")
        factor = 1 - share + share * self.index
        self.state.rival_gap_factor *= factor
        self.state.porting_factor[:] = factor
        self._weigh()

    def _count(self) -> None:
        """Count stacks on the leader's accelerators, and note how much of each fleet is another's."""
        fleet, leader = self.state.fleet_units, self.market.structure.of_leader
        theirs = np.compress(leader, fleet, axis=2).sum(axis=2)
        every = fleet.sum(axis=2)
        foreign = np.where(every > 0, 1 - theirs / np.maximum(every, 1.0), 0.0)
        moved = (
            np.maximum(foreign - self.foreign_share, 0.0) if self.quarter > FIRST else np.zeros_like(foreign)
        )
        per_stack = self.value("lock_in.accelerators_per_stack")[:, None]
        self.bill_usd = moved * every / per_stack * self.exit_usd[:, None]  # ported at last quarter's cost
        self.foreign_share, self.stacks = foreign, theirs / per_stack

    def _costs_usd(self, open_share: Floats) -> tuple[Floats, Floats]:
        """Return (R,) what a stack costs to leave the vendor with, and to move to its next generation, in USD."""
        year = FIRST_YEAR + self.quarter / QUARTERS_PER_YEAR
        agents = (self.value("lock_in.agent_help_2026"), self.value("lock_in.agent_help_2030"))
        port = switching_cost_usd(
            np.ones(len(open_share)),
            self.value("lock_in.engineer_months_per_stack"),
            self.value("lock_in.wage_usd_per_month"),
            open_share,
            agent_help_at(year, *agents, HELP_FROM, HELP_TO),
        )
        foreign = self.foreign_share[:, self.anchor]
        port = after_anchor(port, foreign, self.value("lock_in.anchor_spillover"))
        state = self.state
        reach = state.software_attach / np.maximum(
            self.value("platform.software_attach_ceiling"), LEAST_SHARE
        )
        served = self.value("lock_in.service_share_ceiling") * np.clip(reach, 0.0, 1.0)
        cut, rise = self.value("lock_in.service_upgrade_cut"), self.value("lock_in.service_exit_rise")
        upgrade, leave = after_services(port, served, cut, rise)
        lost = self.value("credits.forfeited_share") * (state.credit_stage < PORTABLE)
        balance = (
            state.credits_h.sum(axis=1) * par_usd_per_h(state) / np.maximum(self.stacks.sum(axis=1), 1.0)
        )
        return with_credit_balance(leave, balance, lost), upgrade * self.value("lock_in.upgrade_effort_share")

    def _weigh(self) -> None:
        """Weigh for every operator what the best other chip saves against what its stacks cost to move."""
        state, structure, products = self.state, self.market.structure, self.world.products
        cost = hour_cost_usd(self.market) / self.state.work  # (R, P) of an hour per H100e
        selling = structure.on_sale[self.quarter] & structure.flagship & ~products.chinese
        mine = np.flatnonzero(selling & structure.of_leader)
        others = np.flatnonzero(selling & ~structure.of_leader)
        best = np.take(cost, mine, axis=1).min(axis=1)[:, None]
        may = np.take(structure.may_hold, others, axis=1)  # (H, n)
        rival = np.where(may, np.take(cost, others, axis=1)[:, None, :], np.inf).min(axis=2)
        saving = np.where(np.isfinite(rival), 1 - rival / best, 0.0)
        bought = np.compress(structure.of_leader, state.delivered_units * state.price_usd[:, None, :], axis=2)
        spend = bought.sum(axis=2)
        rate = self.value("capex.discount_rate") / QUARTERS_PER_YEAR
        horizon = self.value("lock_in.horizon_quarters")
        leave = self.stacks * np.maximum(self.exit_usd - self.upgrade_usd, 0.0)[:, None]
        overhead = self.value("lock_in.dual_platform_overhead")
        self.gain_usd = net_gain_usd(spend, saving, leave, overhead, rate, horizon)
        stake = spend * present_value_factor(rate, horizon)[:, None]
        review, spread = self.value("lock_in.review_rate"), self.value("lock_in.gain_dispersion")
        self.hazard = np.where(spend > 0, switching_hazard(self.gain_usd, stake, review, spread), 0.0)

    def settle(self) -> None:
        """Pay the engineers of the stacks that were moved."""
        if self.quarter <= FIRST:
            return
        operators = slice(0, len(self.world.operators.ids))
        self.market.ledger.pay_each(operators, "public", self.bill_usd, "porting of software")

    @recorded(
        Variable(
            "stack_cost_usd",
            "USD",
            MEAN,
            "Software Stack Cost",
            "Cost of moving a software stack: to leave the leader, or to upgrade with it",
            entity="world",
            detail="leave or upgrade",
        ),
        Variable(
            "lock_in_index",
            "1",
            MEAN,
            "Lock-in Index",
            "What leaving the leader's software costs more than upgrading with it, relative to the start",
            entity="world",
        ),
        Variable(
            "open_software_share",
            "share",
            MEAN,
            "Open Software Share",
            "Share of work on open software",
            entity="world",
        ),
        Variable(
            "switching_hazard",
            "1/quarter",
            MEAN,
            "Switching Hazard",
            "Chance that an operator leaves the leader's software in a quarter",
            entity="operators",
        ),
        Variable(
            "porting_bill_usd",
            "USD",
            SUM,
            "Porting Bill",
            "What operators spend on porting software",
            entity="world",
        ),
    )
    def record(self) -> None:
        """Record the cost of leaving and of upgrading a stack, its index, and who would gain by leaving."""
        keep = self.market.recorder.add
        costs = np.stack([self.exit_usd, self.upgrade_usd], axis=1)
        keep("stack_cost_usd", costs, entity="world", detail=("leave", "upgrade"))
        keep("lock_in_index", self.index, entity="world")
        keep("open_software_share", self.open_share, entity="world")
        operators = self.world.operators.ids
        keep("switching_hazard", self.hazard, entity=operators)
        keep("porting_bill_usd", self.bill_usd.sum(axis=1), entity="world")
