"""Makers of accelerators in China: wafers and yields, dies obtained abroad, and stacks of memory (M25)."""

import numpy as np

from computemarket.model.actor import Actor
from computemarket.model.core.arrays import Floats
from computemarket.model.market import ComputeMarket
from computemarket.model.mechanisms.suppliers.supply import next_quarter, put_in
from computemarket.model.policy.trade.market_access import Rules
from computemarket.model.state import UNLIMITED

HBM_REGIMES = "hbm"  # item of the regimes that control memory
PIPELINE_QUARTERS = 16
STACK_GB = 16.0  # of the stacks that Chinese packages use (eight on a package of 128 GB)
QUARTERS_PER_YEAR = 4


class ChineseFoundry(Actor):
    """Makes advanced dies: capacity grows by learning, faster where the price in China has risen, after a lag.

    Dies ordered abroad through shell firms add to a bank that is used up over some years. From the quarter in which
    memory is controlled, packages need stacks out of a stock, of leakage and of what is made in China.
    """

    def __init__(self, market: ComputeMarket, name: str, rules: Rules) -> None:
        super().__init__(market, name)
        runs = len(market.runs)
        self.own_dies = self.value("capacity.smic_2022_units").copy()
        self.growth_left = np.ones(runs)  # of the growth of 2022, as it faded
        self.bank = np.zeros(runs)
        self.coming = np.zeros((runs, PIPELINE_QUARTERS))  # growth on top, by quarters to go
        self.servicing = np.zeros(runs)  # quarters under a ban on servicing
        self.stacks = self.value("policy.hbm_stockpile").copy()
        days = [r.effective for r in rules.book().regimes if r.item == HBM_REGIMES and r.enforced]
        self.controlled_from = min(
            ((day.year - 2022) * 4 + (day.month - 1) // 3 + 1 for day in days), default=10**6
        )
        market.state.smic_units[:] = self.own_dies
        self.per_unit = np.where(market.world.products.chinese, market.world.products.hbm_gb / STACK_GB, 0.0)

    def supply(self) -> None:
        """Grow, draw on the bank of dies, and count the stacks."""
        self._grow()
        bought = (
            self.value("policy.illicit_dies")
            * (1 - self.value("policy.foundry_diligence"))
            / QUARTERS_PER_YEAR
        )
        usable = bought if self.quarter >= self._bank_start() else np.zeros_like(bought)
        self.bank = self.bank + usable
        used = self.bank / self.value("policy.die_bank_quarters")
        self.bank = self.bank - used
        self.state.smic_units[:] = self.own_dies * self._yield() + used
        self._count_stacks()

    def _bank_start(self) -> int:
        """Return the quarter from which shell firms order: after the rule of October 2022 has bitten."""
        return 6

    def _grow(self) -> None:
        """Grow at the pace of equipment and yield; a high price in China adds investment that arrives later."""
        value = self.value
        if self.quarter > 0:
            self.growth_left = self.growth_left * np.exp(
                -value("capacity.smic_growth_fade") / QUARTERS_PER_YEAR
            )
        fade = self.growth_left
        tools = 1 - value("policy.immersion_duv_ban") * (1 - value("policy.duv_ban_capacity_growth"))
        money = (value("policy.cn_chip_subsidy") / value("policy.cn_chip_subsidy_base")) ** value(
            "policy.cn_subsidy_elasticity"
        )
        usual = value("capacity.smic_growth") * fade * money
        arrived, self.coming = next_quarter(self.coming)
        self.own_dies *= 1 + (usual + arrived) * tools
        answer = (
            value("policy.cn_supply_response")
            * np.tanh(self.state.china_premium)
            * value("capacity.smic_growth")
        )
        put_in(self.coming, answer * fade, self.market.lag("policy.cn_supply_lag_quarters"))

    def _yield(self) -> Floats:
        """Return the (R,) multiplier on yield of a ban on servicing tools, reached over four quarters."""
        banned = self.value("policy.tool_servicing_ban")
        self.servicing = np.where(banned > 0, np.minimum(self.servicing + 1, QUARTERS_PER_YEAR), 0.0)
        return (
            1 - banned * (1 - self.value("policy.servicing_ban_yield")) * self.servicing / QUARTERS_PER_YEAR
        )

    def _count_stacks(self) -> None:
        """Take last quarter's use from the stock of stacks and say how many packages' worth can be used."""
        if self.quarter < self.controlled_from:
            self.state.china_stacks[:] = UNLIMITED
            return
        used = (self.state.produced_units * self.per_unit).sum(axis=1)
        new = (self.value("policy.hbm_leakage") + self.value("policy.cxmt_hbm_output")) / QUARTERS_PER_YEAR
        self.stacks = np.maximum(self.stacks + new - used, 0.0)
        self.state.china_stacks[:] = self.stacks / self.value("policy.hbm_stock_quarters") + new
