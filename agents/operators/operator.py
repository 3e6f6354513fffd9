"""Operators: who builds fleets of accelerators, how much they believe in, and what they can pay."""

import numpy as np

from computemarket.model.actor import Actor
from computemarket.model.core.arrays import Floats
from computemarket.model.core.calendar import HOURS_PER_YEAR, QUARTERS_PER_YEAR, quarters_since_start
from computemarket.model.market import ComputeMarket
from computemarket.model.markets.user_cost import spread_usd_per_hour
from computemarket.model.mechanisms.operators.investment import (
    desired_stock,
    legacy_capex,
    next_belief_ln,
    outlook_ln_usd,
    wanted_units,
)

ADOPTION_SHOCK = quarters_since_start("2022Q4")  # a chat assistant opens to everybody on 30 November
DAYS_LEFT = 31 / 92  # share of that quarter after the opening


class Operator(Actor):
    """Builds for its share of the AI revenue it believes in, as far as its money reaches."""

    def __init__(self, market: ComputeMarket, name: str) -> None:
        super().__init__(market, name)
        given = market.world.operators
        self.slot = market.world.operator(name)
        self.share = np.ascontiguousarray(market.differences.operator_shares[:, self.slot])
        self.chinese = given.country[self.slot] == market.world.country("china")
        self.payments = market.streams.quarterly_normal(f"payments.{name}")[:, :, 0]
        self.legacy_2022_usd = given.legacy_capex_usd[self.slot]
        self.debt_to_cash_flow = given.debt_to_cash_flow[self.slot]
        self.noise = market.streams.quarterly_normal(f"belief.{name}")[:, :, 0]
        start = self.value("capex.belief_2022_usd_bn") * 1e9
        market.state.belief_ln_usd[:, self.slot] = np.log(start)

    def expect(self) -> None:
        """Move the belief towards the outlook, with the herd, and by the shock of late 2022."""
        state, now = self.state, self.quarter
        outlook = outlook_ln_usd(
            state.realised_revenue_usd,
            state.realised_growth,
            self.value("capex.horizon_quarters"),
            self.value("capex.growth_cap_ln"),
        )
        shock = self.value("capex.belief_noise_sd") * self.noise[:, now]
        if now >= ADOPTION_SHOCK:
            shock = shock + self.value("capex.adoption_shock_ln") * self._wave(now - ADOPTION_SHOCK)
        state.belief_ln_usd[:, self.slot] = next_belief_ln(
            state.belief_ln_usd[:, self.slot],
            outlook,
            state.ai_capex_growth,
            self.value("capex.correction"),
            self.value("capex.herding"),
            shock,
        )

    def _wave(self, quarters: int) -> Floats:
        """Return the share of the shock that sinks in this quarter: geometric, the first quarter by days."""
        at_once = self.value("capex.shock_at_once_china" if self.chinese else "capex.shock_at_once")
        if quarters == 0:
            return at_once * DAYS_LEFT
        left = 1 - at_once * DAYS_LEFT
        return left * at_once * (1 - at_once) ** (quarters - 1)

    def invest(self) -> None:
        """Wish for accelerators and count the money."""
        state, h = self.state, self.slot
        installed = self.state.work_h100e[:, h]
        on_order = self.state.backlog_h100e[:, h]
        retired = self.state.retired_h100e[:, h]
        revenue_needed = self.hour_cost_usd() * HOURS_PER_YEAR * self.value("capex.required_cover")
        belief = np.exp(state.belief_ln_usd[:, h]) * self.demand_factor()
        desired = desired_stock(belief, self.share, revenue_needed) * state.stockpiling[:, h]
        worn = retired / np.maximum(installed + retired, 1e-9)
        wish = wanted_units(installed, desired, on_order, worn, self.value("capex.adjustment_speed"))
        state.wish_h100e[:, h] = wish
        state.funds_usd[:, h] = self.funds_usd()
        money = self.money_ahead_usd(on_order) * self.value("capex.commitment_speed")
        affordable = money / state.cost_per_h100e_usd[:, h]
        state.wanted_h100e[:, h] = np.minimum(wish, affordable) * (1 - state.defaulted[:, h])

    def hour_cost_usd(self) -> Floats:
        """Return (R,) what an H100e-hour on new accelerators costs this operator, with the rate at which it borrows."""
        mine = slice(self.slot, self.slot + 1)
        return self.state.hour_cost_usd[:, self.slot] + spread_usd_per_hour(self.market, mine)[:, 0]

    def money_ahead_usd(self, on_order_h100e: Floats) -> Floats:
        """Return what new orders may cost, (R,): the money of some quarters, less what the book will take of it."""
        state, h = self.state, self.slot
        money = np.maximum(state.funds_usd[:, h], 0.0) * self.value("capex.commitment_quarters")
        return np.maximum(money - on_order_h100e * state.cost_per_h100e_usd[:, h], 0.0)

    def demand_factor(self) -> Floats | float:
        """Return what multiplies the operator's share of the believed revenue; 1 unless a kind knows better."""
        return 1.0

    def cash_flow_usd(self) -> Floats:
        """Return (R,) the quarter's cash flow of the business that is not AI."""
        return self.state.other_cash_flow_usd[:, self.slot]

    def funds_usd(self) -> Floats:
        """Return what may be spent on AI: a share of cash flow after other capex, cash, and room for debt."""
        state, h = self.state, self.slot
        flow = self.cash_flow_usd() + state.rental_revenue_usd[:, h] * self.value("capex.rental_margin")
        room = self.debt_to_cash_flow * QUARTERS_PER_YEAR * flow - state.debt_usd[:, h]
        spread = np.maximum(room, 0.0) / self.value("capex.debt_draw_quarters")
        return self.value("capex.cash_share") * flow - state.interest_usd[:, h] + spread

    def settle(self) -> None:
        """Book the quarter's capital expenditure: AI as built, the other as crowded out and as payments fall due."""
        state, h = self.state, self.slot
        state.legacy_capex_usd[:, h] = legacy_capex(
            self.legacy_2022_usd,
            state.ai_capex_usd[:, h],
            self.value("capex.legacy_floor_share"),
            self.value("capex.legacy_crowding"),
        )
        timing = np.exp(self.value("capex.payment_noise_sd") * self.payments[:, self.quarter])
        state.legacy_capex_usd[:, h] *= timing
        state.capex_usd[:, h] = state.ai_capex_usd[:, h] + state.legacy_capex_usd[:, h]


class ChinaPlatform(Operator):
    """A Chinese platform: the same wishes, limited by what may be imported and what is made at home."""


class GreyMarket(Operator):
    """Firms in China that run smuggled accelerators: what they order follows from the price there, not from a plan."""

    def __init__(self, market: ComputeMarket, name: str) -> None:
        super().__init__(market, name)
        sites_mw = self.value("policy.grey_sites_mw")
        market.state.power_seen_mw += sites_mw - market.state.power_mw[:, self.slot]
        market.state.power_mw[:, self.slot] = sites_mw

    def invest(self) -> None:
        """Plan nothing."""


class GpuCloud(Operator):
    """A cloud that borrows against contracts: it builds more while rents pay for it."""

    def demand_factor(self) -> Floats:
        """Build more than the market share while what a new accelerator earns covers what it costs, loans counted."""
        market = self.state
        rent = market.rent_usd_per_h100e_hour[:, 0] * market.utilisation[:, 0]
        cover = rent / self.hour_cost_usd()
        least, most = self.value("capex.cloud_least_factor"), self.value("capex.cloud_most_factor")
        return np.clip(cover / self.value("capex.required_cover"), least, most)

    def funds_usd(self) -> Floats:
        """Owners put in equity as investors believe in AI; every dollar of it carries the loan that lenders allow."""
        state, h = self.state, self.slot
        outlook = self.share * np.exp(state.belief_ln_usd[:, h] + state.sentiment_ln) / QUARTERS_PER_YEAR
        equity = outlook * self.value("capex.cloud_equity_share")
        flow = self.cash_flow_usd() + state.rental_revenue_usd[:, h] * self.value("capex.rental_margin")
        flow = flow + state.partner_usd[:, h]
        kept = self.value("capex.cash_share") * flow - state.interest_usd[:, h]
        own = equity + np.maximum(kept, 0.0)
        return own / (1 - np.minimum(state.loan_share[:, h], self.value("finance.most_loan_to_value")))


class Sovereign(Operator):
    """A state buyer: subsidised, slower, with public money."""

    def funds_usd(self) -> Floats:
        """Public money adds to cash flow."""
        return super().funds_usd() * (1 + self.value("capex.sovereign_subsidy"))


class Enterprise(Operator):
    """Firms of a region that keep accelerators of their own beside what they rent."""


class LabOperator(Operator):
    """A lab that owns accelerators: it pays from what investors gave and from what its models earn."""

    def funds_usd(self) -> Floats:
        """Money for own sites: a share of what the lab raised and of what its sales leave."""
        mine = self.market.labs.ids.index(self.name)
        return super().funds_usd() + self.state.lab_site_money_usd[:, mine]


KINDS: dict[str, type[Operator]] = {
    "hyperscaler": Operator,
    "china_platform": ChinaPlatform,
    "gpu_cloud": GpuCloud,
    "sovereign": Sovereign,
    "enterprise": Enterprise,
    "lab": LabOperator,
    "grey_market": GreyMarket,
}
