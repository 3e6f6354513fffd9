"""LPUs beside GPUs: whether the joint system comes to work, and how fast its software ripens (M2)."""

import numpy as np

from computemarket.model.actor import Actor
from computemarket.model.core.arrays import Bools, Floats, Ints, over_holders
from computemarket.model.core.recorded import END, Variable, recorded
from computemarket.model.hardware.economics.market_table import load_basket
from computemarket.model.hardware.performance.hybrid import integration_maturity
from computemarket.model.hardware.specs.defaults import parameter_default
from computemarket.model.market import ComputeMarket
from computemarket.model.world.world import Products

LEAST_SHARE = 1e-3  # of the planned work: a failed rack still has a cost per unit of work


class LpuRacks(Actor):
    """Settles for each generation of LPUs sold as part of a system whether the system works.

    Buyers trust the plan until the trial is over; then a failed generation does the part of its work that GPUs can hand
    to it without joint software, and most orders for it are withdrawn. Where one generation has failed, the next fails
    with another chance; where it has worked, it works. The ripening of joint software is uncertain either way.
    """

    def __init__(self, market: ComputeMarket) -> None:
        super().__init__(market, "lpu_racks")
        self.products = paired_products(market.world.products)
        self.names = tuple(market.world.products.ids[place] for place in self.products)
        shape = (len(market.runs), len(self.products))
        self.draws = market.streams.uniform("lpu_rack.integration", shape[1])
        self.tried, self.failed = np.zeros(shape, dtype=np.bool_), np.zeros(shape, dtype=np.bool_)

    def launch(self) -> None:
        """End the trials that are due, and set what each generation does of its planned work."""
        age = self.quarter - self.world.products.launch[self.products]
        if (age < 0).all():
            return
        over = age >= np.rint(self.value("lpu_rack.trial_quarters"))[:, None]
        for place in range(len(self.products)):
            self._try(place, over[:, place] & ~self.tried[:, place])
        share = self._ripeness(np.maximum(age, 0).astype(np.float64))
        kept = np.maximum(self.value("lpu_rack.failed_share"), LEAST_SHARE)[:, None]
        share = np.where(age >= 0, share * np.where(self.failed, kept, 1.0), 1.0)
        self.state.joined_share[:, self.products] = share

    def _try(self, place: int, now: Bools) -> None:
        """Draw the fate of a generation in the runs whose trial ends, and withdraw orders where it failed."""
        chance = self.value("lpu_rack.failure_chance")
        if place > 0:
            chance = np.where(self.failed[:, place - 1], self.value("lpu_rack.repeat_chance"), 0.0)
        lost = now & (self.draws[:, place] < chance)
        self.failed[:, place] |= lost
        self.tried[:, place] |= now
        self.state.joint_failed[:, self.products[place]] = self.failed[:, place]
        left = np.where(lost, self.value("lpu_rack.orders_kept"), 1.0)
        self.state.backlog_units[:, :, self.products[place]] *= left[:, None]

    def _ripeness(self, age: Floats) -> Floats:
        """Return (R, n) maturity of the joint software in each run over that of the table, which holds the defaults."""
        start, rise = self.value("hardware.integration_start"), self.value("hardware.integration_per_quarter")
        usual = integration_maturity(
            age, parameter_default("integration_start"), parameter_default("integration_per_quarter")
        )
        return np.maximum(integration_maturity(age, start[:, None], rise[:, None]), LEAST_SHARE) / usual

    @recorded(
        Variable(
            "lpu_joined_share",
            "share",
            END,
            "LPU Integration",
            "Share of their planned work that LPUs joined to GPUs do, by product",
            entity="products",
        ),
        Variable(
            "lpu_share_of_work",
            "share",
            END,
            "LPU Share of Work",
            "Share of racks of LPUs and GPUs in the work that fleets can do",
            entity="world",
        ),
    )
    def record(self) -> None:
        """Record what each generation of LPUs does of its planned work, and its part of all accelerators' work."""
        keep, state = self.market.recorder.add, self.state
        share = np.take(state.joined_share, self.products, axis=1)
        keep("lpu_joined_share", share, entity=self.names)
        work = over_holders(state.fleet_units) * self.state.work
        part = np.take(work, self.products, axis=1).sum(axis=1) / np.maximum(work.sum(axis=1), 1e-9)
        keep("lpu_share_of_work", part, entity="world")


def paired_products(products: Products) -> Ints:
    """Return the places of generations that are sold as part of a system with GPUs, in order of launch."""
    paired = [products.ids.index(name) for name in load_basket().paired if name in products.ids]
    return np.array(sorted(paired, key=lambda place: int(products.launch[place])), dtype=np.int64)
