"""China's own rules: domestic content in state data centres, quotas, power and chip subsidies, minerals, fines."""

import numpy as np

from computemarket.model.actor import Actor
from computemarket.model.core.arrays import Floats
from computemarket.model.core.calendar import HOURS_PER_YEAR
from computemarket.model.market import ComputeMarket
from computemarket.model.markets.settlement import by_vendor

STATE_BUYER = "china_state"
MW = 1000.0  # kW


class ChinaRegulators(Actor):
    """Customs, industry ministry and market regulator; import permission itself is applied to licences."""

    def __init__(self, market: ComputeMarket, name: str) -> None:
        super().__init__(market, name)
        self.state_buyer = market.world.operator(STATE_BUYER)
        self.last_fine = np.zeros(len(market.runs))
        self.fined_usd = np.zeros(len(market.runs))
        self.subsidy_usd = np.zeros(len(market.runs))

    def regulate(self) -> None:
        """Keep foreign accelerators out of state data centres, tie imports to domestic purchases, discount power."""
        state, at = self.state, self.market.china
        ban = self.value("policy.cn_state_dc_foreign_ban")[:, None]
        foreign = at.foreign | ~at.bought & ~at.chinese
        state.holder_access[:, self.state_buyer] *= np.where(foreign, 1 - ban, 1.0)
        state.holder_access[:, at.grey] = 1.0
        state.open_share[:, at.grey] = 1.0
        self._tie_imports()
        state.domestic_bonus[:] = np.where(at.chinese, np.log1p(self._power_saved()), 0.0)

    def _tie_imports(self) -> None:
        """Limit foreign orders to domestic ones over the quota."""
        state, at = self.state, self.market.china
        quota = self.value("policy.cn_domestic_quota")
        if not quota.any():
            return
        bought = np.compress(at.at_home, state.delivered_units, axis=1).sum(axis=1)
        domestic, imported = (bought * at.chinese).sum(axis=1), (bought * at.foreign).sum(axis=1)
        allowed = np.where(quota > 0, domestic / np.where(quota > 0, quota, 1.0), np.inf)
        kept = np.minimum(1.0, allowed / np.maximum(imported, 1.0))[:, None, None]
        tied = at.at_home[:, None] & at.foreign
        state.holder_access[:] = np.where(tied, state.holder_access * kept, state.holder_access)

    def _power_saved(self) -> Floats:
        """Return (R, P) the discount on power over a product's life, over its price."""
        hours = HOURS_PER_YEAR * self.value("chips.life_years") * self.value("chips.expected_utilisation")
        usd_per_kw = hours * self.value("power.price_usd_per_mwh") / MW
        bill = self.market.rates.power_kw * usd_per_kw[:, None]
        return self.value("policy.cn_power_discount")[:, None] * bill / self.state.price_usd

    def launch(self) -> None:
        """Withhold minerals from chip makers abroad: their costs rise."""
        rise = self.value("policy.cn_mineral_restriction") * self.value("policy.mineral_cost_pass")
        abroad = ~self.world.products.chinese
        self.state.unit_cost_usd *= np.where(abroad, 1 + rise[:, None], 1.0)

    def settle(self) -> None:
        """Fine the leader once where a fine begins; pay the subsidy to domestic makers by their sales."""
        value, ledger = self.value, self.market.ledger
        share = value("policy.cn_antitrust_fine")
        began = (share > 0) & (self.last_fine == 0)
        self.last_fine = share.copy()
        self.subsidy_usd = value("policy.cn_chip_subsidy") * 1e9 / 4
        ledger.pay("public", "suppliers", self.subsidy_usd, "subsidies to chip makers of China")
        self.fined_usd[:] = 0.0
        if not began.any():
            return
        at = self.market.china
        units = np.compress(at.at_home, self.state.delivered_units, axis=1).sum(axis=1)
        sales = by_vendor(self.market, units * self.state.price_usd)[:, self.world.vendor(self.world.leader)]
        self.fined_usd = np.where(began, share * 4 * sales, 0.0)
        ledger.pay(f"vendor.{self.world.leader}", "public", self.fined_usd, "fines of China")
