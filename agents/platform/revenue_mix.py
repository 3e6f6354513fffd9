"""How far revenue that recurs steadies the leader: the variance of its growth with and without each part (M15)."""

import numpy as np

from computemarket.model.actor import Actor
from computemarket.model.core.arrays import Floats
from computemarket.model.core.calendar import quarters_since_start
from computemarket.model.core.recorded import MEAN, Variable, recorded
from computemarket.model.market import ComputeMarket
from computemarket.model.mechanisms.platform.credits import next_variance

FIRST = quarters_since_start("2026Q1")
MIXES = ("hardware", "recurring", "all")
LEAST_USD = 1e6


class RevenueMix(Actor):
    """Follows the growth of three mixes of revenue, and how much it swings around its own trend."""

    def __init__(self, market: ComputeMarket) -> None:
        super().__init__(market, "revenue_mix")
        shape = (len(market.runs), len(MIXES))
        self.last_ln, self.trend = np.zeros(shape), np.zeros(shape)
        self.variance = np.zeros(shape)  # of quarterly ln growth around its trend

    def settle(self) -> None:
        """Compare the quarter's growth with what was usual."""
        if self.quarter < FIRST - 1:
            return
        layers = self.state.layer_revenue_usd
        now = np.log(np.maximum(mixes_usd(layers), LEAST_USD))
        growth = now - self.last_ln
        self.last_ln = now
        weight = self.value("platform.swing_weight")[:, None]
        if self.quarter <= FIRST:  # a trend needs one growth rate
            self.trend = growth
            return
        self.variance = next_variance(self.variance, growth - self.trend, weight)
        self.trend = self.trend + weight * (growth - self.trend)

    @recorded(
        Variable(
            "revenue_variance",
            "1",
            MEAN,
            "Revenue Variance",
            "Variance of quarterly growth of the leader's revenue around its trend, by mix",
            entity="the leader",
            detail="mixes of revenue",
            single=True,
        ),
    )
    def record(self) -> None:
        """Record the variance of growth by mix."""
        self.market.recorder.add("revenue_variance", self.variance, entity=self.world.leader, detail=MIXES)


def mixes_usd(layer_usd: Floats) -> Floats:
    """Return (R, 3) revenue of hardware, of all that recurs, and of both; `layer_usd` (R, L), hardware first."""
    every = layer_usd.sum(axis=1)
    return np.stack([layer_usd[:, 0], every - layer_usd[:, 0], every], axis=1)
