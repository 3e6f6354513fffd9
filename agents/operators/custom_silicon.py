"""Own silicon: programmes of hyperscalers and labs, and the share of orders that they take."""

import numpy as np

from computemarket.agents.labs.architecture import FIRST_SHOCK
from computemarket.model.actor import Actor
from computemarket.model.core.arrays import Floats
from computemarket.model.market import ComputeMarket
from computemarket.model.markets.user_cost import hour_cost_usd
from computemarket.model.mechanisms.operators.options import expected_kept
from computemarket.model.state import WITHDRAWN


class SiliconProgramme(Actor):
    """An owner's own chips: what share of its orders they take (M13)."""

    def __init__(self, market: ComputeMarket, owner: str) -> None:
        super().__init__(market, f"{owner}_silicon")
        self.slot = market.world.operator(owner)
        self.start = int(market.world.operators.custom_start[self.slot])
        self.mine = np.flatnonzero(market.structure.owner[self.slot])
        self.owner = owner

    def price(self) -> None:
        """Compare the hourly cost per H100e of the best own chip with the best on the market, porting included."""
        state, now = self.state, self.quarter
        on_sale = self.market.structure.on_sale[now]
        mine = self.mine[on_sale[self.mine]]
        if now < self.start or len(mine) == 0:
            state.own_share[:, self.slot] = 0.0
            return
        cost = np.take(self._hour_cost_usd(), mine, axis=1)
        offered = np.take(state.product_edge, mine, axis=1) > WITHDRAWN
        own = np.where(offered, cost, np.inf).min(axis=1) * (1 + self.porting())
        target = self.wanted_share(own, state.merchant_hour_cost_usd[:, self.slot])
        speed = self.value("custom.ramp_speed")
        share = state.own_share[:, self.slot]
        state.own_share[:, self.slot] = np.where(offered.any(axis=1), share + speed * (target - share), 0.0)

    def wanted_share(self, own_usd: Floats, merchant_usd: Floats) -> Floats:
        """Return the (R,) share of orders that own chips would take at these hourly costs, porting included."""
        return self.value("custom.ceiling") / (1 + np.exp(-self._odds_ln(own_usd, merchant_usd)))

    def benefit_ln(self, own_usd: Floats, merchant_usd: Floats) -> Floats:
        """Return (R,) by how much own chips at these costs cheapen an owner's orders, ln.

        The expected saving of a logit choice, ln(1 + exp(odds)) / sensitivity (Small and Rosen 1981), on the part of
        orders that own chips can take.
        """
        gain = np.log1p(np.exp(self._odds_ln(own_usd, merchant_usd))) / self.value("custom.cost_weight")
        return self.value("custom.ceiling") * gain

    def _odds_ln(self, own_usd: Floats, merchant_usd: Floats) -> Floats:
        advantage = np.log(merchant_usd / own_usd) + self._risk_ln()
        return self.value("custom.cost_weight") * advantage + self.value(f"custom.readiness_{self.owner}")

    def porting(self) -> Floats:
        """Return the cost of porting and of running a second platform, as a share of the chip's cost."""
        overhead = self.value("custom.porting_overhead") * self.state.porting_factor
        return overhead * self.state.porting_left[:, self.slot]

    def _risk_ln(self) -> Floats:
        """Return ln of the work expected over a life of own silicon over that of GPUs, when models may change (M14).

        The gap is what the general-purpose chip's power buys as insurance against a change of architecture. Shares of
        orders until 2025 hold what owners thought of it then.
        """
        if self.quarter < FIRST_SHOCK:
            return np.zeros(len(self.market.runs))
        hazard, life = (
            self.value("custom_silicon.believed_shock_rate"),
            self.value("custom_silicon.life_quarters"),
        )
        own, gpu = (
            expected_kept(self.value(f"custom_silicon.kept_{kind}"), hazard, life)
            for kind in ("systolic", "gpu")
        )
        return np.log(own / gpu)

    def _hour_cost_usd(self) -> Floats:
        return hour_cost_usd(self.market) / self.state.work
