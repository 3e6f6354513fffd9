"""Architecture shocks: models of another kind arrive, and each kind of chip keeps another part of its value (M14)."""

import numpy as np

from computemarket.model.actor import Actor
from computemarket.model.catalogue import estimated_catalogue
from computemarket.model.core.arrays import Floats, Ints
from computemarket.model.core.calendar import quarters_since_start
from computemarket.model.core.recorded import END, Variable, recorded
from computemarket.model.hardware.specs.compatibility import KINDS, load_compatibility, product_kinds
from computemarket.model.market import ComputeMarket
from computemarket.model.mechanisms.operators.options import (
    chip_value_after_shock,
    fleet_value_after_shock,
    shock_arrives,
)
from computemarket.model.world.world import Products

FIRST_SHOCK = quarters_since_start("2026Q1")  # what came before is in the record and in the calibration
LEAST_SHARE = 1e-3  # of its work: a chip that is useless still has a cost per unit of work


class ArchitectureShocks(Actor):
    """Draws when a new architecture of models arrives and which, and what accelerators are worth for it.

    What a shock leaves of a chip's work depends on its kind, on kernels that are rewritten, and on how much work has
    moved. A chip whose launch lies a design time after the shock was made for the new architecture and loses nothing.
    A later shock multiplies what an earlier one has left by then.
    """

    def __init__(self, market: ComputeMarket) -> None:
        super().__init__(market, "architecture_shocks")
        runs = len(market.runs)
        self.table = load_compatibility()
        self.kinds = kinds_of(market.world.products)
        self.draws = market.streams.quarterly_uniform("architecture.shock", 2)  # arrival, which
        self.since = np.full(runs, -1.0)  # quarters since the last shock, negative before the first
        self.arrived = np.full(runs, -1, dtype=np.int64)  # quarter of the last shock
        self.architecture = np.zeros(
            runs, dtype=np.int64
        )  # 0 today's, then the places of the table from 1 on
        self.shocks = np.zeros(runs)
        self.kept = np.ones((runs, len(KINDS)))
        self.before = np.ones((runs, len(market.world.products.ids)))  # what earlier shocks have left
        self.value_by_kind = np.ones((runs, len(KINDS)))

    def launch(self) -> None:
        """Let shocks arrive, and set what is left of each product's work."""
        if self.quarter < FIRST_SHOCK:
            return
        self.since = np.where(self.since >= 0, self.since + 1, self.since)
        uniform = self.draws[:, self.quarter]
        new = shock_arrives(uniform[:, 0], self.value("custom_silicon.shock_rate"))
        self.before = np.where(new[:, None], self.state.architecture_share, self.before)
        self.since = np.where(new, 0.0, self.since)
        self.arrived = np.where(new, self.quarter, self.arrived)
        self.shocks = self.shocks + new
        self.state.architecture_shocks[:] = self.shocks
        self.architecture = np.where(new, self._which(uniform[:, 1]) + 1, self.architecture)
        if not self.shocks.any():
            return
        self.kept = np.where(new[:, None], self._kept(), self.kept)
        chips = chip_value_after_shock(
            self.kept, self.since, self.value("custom_silicon.recompile_loss"),
            self.value("custom_silicon.recompile_half_life_quarters"),
        )  # fmt: skip
        self.value_by_kind = fleet_value_after_shock(
            chips, self.since, self.value("custom_silicon.migration_half_life_quarters")
        )
        design = self.value("custom_silicon.design_quarters")[:, None]
        made_for_it = self.world.products.launch >= self.arrived[:, None] + design
        left = np.where(made_for_it, 1.0, np.take(self.value_by_kind, self.kinds, axis=1))
        share = np.where(self.since[:, None] >= 0, self.before * left, 1.0)
        self.state.architecture_share[:] = np.maximum(share, LEAST_SHARE)

    def _which(self, uniform: Floats) -> Ints:
        """Return the (R,) place of the architecture that the lottery draws."""
        names = self.table.architectures
        weight = np.stack([self.value(f"custom_silicon.shock_weight_{name}") for name in names], axis=1)
        reached = np.cumsum(weight, axis=1)
        drawn = (uniform * reached[:, -1])[:, None] >= reached
        return np.minimum(drawn.sum(axis=1), len(names) - 1)

    def _kept(self) -> Floats:
        """Return (R, kinds) the lasting share of value under each run's architecture."""
        kinds = np.stack([self.value(f"custom_silicon.kept_{kind}") for kind in KINDS], axis=1)
        kept = np.ones_like(kinds)
        for place, name in enumerate(self.table.architectures):
            here = (self.architecture == place + 1)[:, None]
            kept = np.where(here, self.table.kept(kinds, name), kept)
        return kept

    @recorded(
        Variable(
            "architecture_shocks",
            "1",
            END,
            "Architecture Shocks",
            "Number of architecture shocks so far",
            entity="world",
        ),
        Variable(
            "architecture_kept_share",
            "share",
            END,
            "Value Kept after Shocks",
            "Share of its value that a kind of chip keeps after the architecture shocks so far",
            entity="kinds of chips",
        ),
    )
    def record(self) -> None:
        """Record shocks so far, and what chips of each kind made for the old architecture still do of their work."""
        keep = self.market.recorder.add
        keep("architecture_shocks", self.shocks, entity="world")
        keep("architecture_kept_share", self.value_by_kind, entity=KINDS)


def kinds_of(products: Products) -> Ints:
    """Return the (P,) place in `KINDS` of every product; what nobody has specified is of its predecessor's kind."""
    chips = estimated_catalogue().accelerators
    known = list(products.ids)
    for place in range(len(known)):
        ancestor = place
        while products.ids[ancestor] not in chips.ids:
            ancestor = int(products.replaces[ancestor])
        known[place] = products.ids[ancestor]
    return product_kinds(known, [chips[name].kind for name in known])
