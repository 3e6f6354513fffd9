"""What fleets really do of their peak: failures of large racks, and accelerators cut for small requests (M5)."""

import numpy as np

from computemarket.model.actor import Actor
from computemarket.model.core.arrays import Floats
from computemarket.model.core.calendar import quarters_since_start
from computemarket.model.core.recorded import MEAN, Variable, recorded
from computemarket.model.hardware.economics.utilisation import availability, shared_load
from computemarket.model.hardware.specs.chips import chip_table
from computemarket.model.market import ComputeMarket
from computemarket.model.mechanisms.buyers.life_cycle import logistic_shift

FIRST = quarters_since_start("2026Q1")  # until then the calibrated shares hold both
LEAST = 1e-9


def available(usual: Floats, up: Floats, first_up: Floats) -> Floats:
    """Return the (R,) share of time in which a fleet works when its domains fail more or less often than in 2026Q1.

    a up / up0 where they fail more often; 1 - (1 - a) (1 - up) / (1 - up0) where less: it nears 1 and never passes.

    Parameters
    ----------
    usual : a, share of time up in 2026Q1, 0..1; up, first_up : what failures of domains alone leave, today and then
    """
    better = 1 - (1 - usual) * (1 - up) / np.maximum(1 - first_up, LEAST)
    worse = usual * up / np.maximum(first_up, LEAST)
    return np.where(up > first_up, better, worse)


class FleetUse(Actor):
    """Follows the uptime of a fleet of ever larger racks, and what cutting accelerators into instances gains.

    One failure stops a part of a scale-up domain until it is repaired, so larger domains are up less, and operators
    learn to keep the rest at work. Where an accelerator serves one customer's small requests it stands idle for the
    rest, unless it is cut. Both act by their change since 2026Q1.
    """

    def __init__(self, market: ComputeMarket) -> None:
        super().__init__(market, "fleet_use")
        table, products = chip_table(), market.world.products
        domain = np.ones(len(products.ids))
        for place, name in enumerate(products.ids):
            parent = int(products.replaces[place])
            known = name in table.ids
            domain[place] = table.arrays.domain[table.index(name)] if known else domain[max(parent, 0)]
        self.domain = domain
        runs = len(market.runs)
        self.up, self.first_up = np.ones(runs), np.ones(runs)
        self.load, self.first_load = np.full(runs, np.nan), np.ones(runs)
        self.stranded_left = np.ones(runs)  # of the part that stood still in 2026Q1, as operators learnt
        self.packing = np.ones(runs)  # tokens an hour over those at the packing of 2026Q1

    def demand(self) -> None:
        """Set uptime and packing for the quarter, by the fleet and the work of today."""
        if self.quarter < FIRST:
            return
        here = self.state.standing_units[:, 0] * self.state.work  # (R, P) west, H100e of work
        total = np.maximum(here.sum(axis=1), LEAST)
        self.up = (here * self._availability()).sum(axis=1) / total
        cut = np.compress(self.market.structure.of_leader, here, axis=1).sum(axis=1) / total
        self.load = self._packed(cut)
        if self.quarter == FIRST:
            self.first_up, self.first_load = self.up, self.load
        usual = self.value("hours.availability")
        self.state.availability_factor[:] = available(usual, self.up, self.first_up) / usual
        part = self.value("hours.shared_fleet_share")
        self.packing = 1 + part * (self.load / np.maximum(self.first_load, LEAST) - 1)
        self.state.request_factor[:, 0] = self.packing
        self.state.request_factor[:, 1:] *= self.packing[:, None]

    def _availability(self) -> Floats:
        """Return (R, P) the share of time in which an accelerator works, its domain's failures counted."""
        if self.quarter > FIRST:
            self.stranded_left = self.stranded_left * (1 - self.value("hours.stranded_learning"))
        stranded = self.value("hours.stranded_share") * self.stranded_left
        stopped = np.maximum(self.domain * stranded[:, None], 1.0)
        return availability(
            self.value("hardware.mtbf")[:, None], self.value("hardware.repair")[:, None], stopped
        )

    def _packed(self, cut_fleet: Floats) -> Floats:
        """Return (R,) the load of accelerators that serve single customers' models, some of them cut.

        One large and six small requests fill an accelerator that is cut into seven; uncut each takes a whole one.
        """
        shared = cut_fleet * logistic_shift(
            float(self.quarter - FIRST), self.value("hours.sharing_start"), self.value("hours.sharing_end"),
            self.value("hours.sharing_middle_quarters"), self.value("hours.sharing_span_quarters"),
        )  # fmt: skip
        small = self.state.small_task_share
        weight = np.stack([small, 1 - small], axis=1)
        load = np.stack(
            [self.value("hours.small_request_load"), self.value("hours.large_request_load")], axis=1
        )
        slots = np.rint(self.value("hours.partition_slots")).astype(np.int64)[:, None]
        whole, pieces = shared_load(load, weight, 1), shared_load(load, weight, slots)
        taken = (1 - shared) / np.maximum(whole, LEAST) + shared / np.maximum(pieces, LEAST)
        packed: Floats = 1 / taken  # accelerators per unit of work, uncut and cut
        return packed

    @recorded(
        Variable(
            "fleet_availability",
            "share",
            MEAN,
            "Fleet Availability",
            "Share of western accelerators that work, failures of their scale-up domains counted",
            entity="world",
        ),
        Variable(
            "shared_accelerator_load",
            "share",
            MEAN,
            "Load of Single Customers' Accelerators",
            "Load of accelerators that serve single customers' models, some of them cut into instances",
            entity="world",
        ),
        Variable(
            "packing_factor",
            "1",
            MEAN,
            "Packing Factor",
            "Tokens an hour over those at the packing of 2026Q1",
            entity="world",
        ),
        Variable(
            "effective_of_peak_share",
            "share",
            MEAN,
            "Effective Share of Peak",
            "What fleets serve of what the roofline gives: availability, utilisation, batches and packing together",
            entity="world",
        ),
    )
    def record(self) -> None:
        """Record uptime, packing, and what is left of the peak that the roofline gives."""
        keep, state = self.market.recorder.add, self.state
        usual = self.value("hours.availability")
        up = usual * state.availability_factor
        keep("fleet_availability", up, entity="world")
        keep("shared_accelerator_load", self.load, entity="world")
        keep("packing_factor", self.packing, entity="world")
        weight = state.capacity_h100e / np.maximum(state.capacity_h100e.sum(axis=1, keepdims=True), LEAST)
        busy = (state.utilisation * weight).sum(axis=1)
        of_peak = up * busy * self.value("tokens.serving_share") * self.packing
        keep("effective_of_peak_share", of_peak, entity="world")
