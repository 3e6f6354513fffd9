"""Memory makers: who supplies high-bandwidth memory, at which share, and what it earns (M10)."""

import numpy as np

from computemarket.model.actor import Actor
from computemarket.model.market import ComputeMarket
from computemarket.model.mechanisms.choice import weighted_logit_shares
from computemarket.model.world.world import column, labels, read_rows


class MemoryMarket(Actor):
    """The contest of memory makers for accelerators: qualification decides, shares move slowly.

    A buyer qualifies a maker's stack for a generation and keeps several; the share follows a logit of how well
    a maker is qualified, with luck by quarter, and contracts hold most of it for a year.
    """

    def __init__(self, market: ComputeMarket) -> None:
        super().__init__(market, "memory_market")
        rows = read_rows("memory_makers")
        self.makers = labels(rows)
        self.qualification = np.broadcast_to(
            column(rows, "qualification"), (len(market.runs), len(rows))
        ).copy()
        self.share = np.broadcast_to(column(rows, "share_2022"), self.qualification.shape).copy()
        self.revenue_usd = np.zeros_like(self.share)
        self.noise = market.streams.quarterly_normal("memory.qualification", len(rows))

    def supply(self) -> None:
        """Split the memory of this quarter's starts; scarcity lifts its price."""
        state = self.state
        self.qualification += self.value("memory.luck_sd")[:, None] * self.noise[:, self.quarter]
        open_to_all = np.ones_like(self.share)
        target = weighted_logit_shares(self.qualification, open_to_all)
        weight = self.value("memory.turnover")[:, None]
        self.share += weight * (target - self.share)
        used_gb = (state.in_process_units * self.world.products.hbm_gb).sum(axis=1)
        tight = np.clip(used_gb / state.memory_gb, 0.0, 1.0)
        price = self.value("memory.price_usd_per_gb") * (1 + self.value("memory.scarcity_markup") * tight**2)
        self.revenue_usd = self.share * (used_gb * price)[:, None]


__all__ = ["MemoryMarket"]
