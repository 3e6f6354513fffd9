"""Suppliers: foundries, packaging and memory makers, and what they add when orders wait."""

import numpy as np

from computemarket.model.actor import Actor
from computemarket.model.core.arrays import Floats
from computemarket.model.core.calendar import MONTHS_PER_QUARTER
from computemarket.model.market import ComputeMarket
from computemarket.model.mechanisms.suppliers.supply import expansion_started, next_quarter, put_in


class CapacityOwner(Actor):
    """Owns capacity that answers unmet orders with a lag: slow growth when slack, fast when customers queue."""

    area = ""

    def expand(self, capacity: Floats, pipeline: Floats, unmet: Floats) -> None:
        """Switch on what is due and start what the queue calls for; what is on the way counts against the queue."""
        arrived, pipeline[:] = next_quarter(pipeline)
        capacity += arrived
        coming = pipeline.sum(axis=1)
        pressure = np.maximum(unmet - coming, 0.0) / capacity * self.value(f"capacity.{self.area}_response")
        slow, fast = self.value(f"capacity.{self.area}_slow"), self.value(f"capacity.{self.area}_fast")
        started = expansion_started(capacity + coming, pressure, slow, fast)
        put_in(pipeline, started, self.market.lag(f"capacity.{self.area}_lag_quarters"))


class PackagingFoundry(CapacityOwner):
    """Makes wafers and packages: the CoWoS lines that bound accelerators in 2023 and 2024."""

    area = "packaging"

    def __init__(self, market: ComputeMarket, name: str) -> None:
        super().__init__(market, name)
        market.state.packaging_wafers[:] = self.value("capacity.packaging_2022_wafers") * MONTHS_PER_QUARTER

    def supply(self) -> None:
        """Expand packaging with the orders that wait."""
        state = self.state
        normal = self.value("capacity.packaging_comfort") * state.packaging_wafers
        self.expand(
            state.packaging_wafers, state.packaging_pipeline, np.maximum(state.waiting_wafers - normal, 0.0)
        )


class MemoryMakers(CapacityOwner):
    """Make high-bandwidth memory; expand when accelerators use most of it."""

    area = "memory"

    def __init__(self, market: ComputeMarket, name: str) -> None:
        super().__init__(market, name)
        market.state.memory_gb[:] = self.value("capacity.memory_2022_gb")

    def supply(self) -> None:
        """Expand memory when use nears capacity."""
        state = self.state
        used = (state.in_process_units * self.world.products.hbm_gb).sum(axis=1)
        comfort = self.value("capacity.memory_comfort") * state.memory_gb
        self.expand(state.memory_gb, state.memory_pipeline, np.maximum(used - comfort, 0.0))
