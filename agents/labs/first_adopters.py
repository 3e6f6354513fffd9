"""Who runs coding agents on a new generation of LPUs first, and what the head start is worth (M24, M8)."""

import numpy as np

from computemarket.agents.vendors.lpu_rack import paired_products
from computemarket.model.actor import Actor
from computemarket.model.core.arrays import Floats, Ints
from computemarket.model.core.calendar import QUARTERS, quarters_since_start
from computemarket.model.core.recorded import END, Variable, recorded
from computemarket.model.market import ComputeMarket
from computemarket.model.mechanisms.buyers.demand import WORKLOADS
from computemarket.model.world.world import TOKEN_MARKETS

FIRST = quarters_since_start("2026Q1")
CODING = WORKLOADS.index("coding_agent")
NOBODY = -1


class FirstAdopters(Actor):
    """Draws the lab that is first to run coding on each generation of LPUs, and lets it gain or lose by that.

    The expected lab is first by chance, else one in proportion to paid use. While others wait, fast coding agents draw
    users to it, the more the larger the part of coding in paid use and the riper the joint software; where the
    generation fails, its effort is lost.
    """

    def __init__(self, market: ComputeMarket) -> None:
        super().__init__(market, "first_adopters")
        self.products = paired_products(market.world.products)
        self.names = tuple(market.world.products.ids[place] for place in self.products)
        shape = (len(market.runs), len(self.products))
        self.adopter: Ints = np.full(shape, NOBODY, dtype=np.int64)  # places of labs
        self.draws = market.streams.uniform("first_adopters", 2 * shape[1]).reshape(shape[0], 2, shape[1])
        self.expected = market.labs.ids.index(market.world.roles.one("expected_first_lab"))

    def launch(self) -> None:
        """Draw who is first when a generation comes out; move users to and from first adopters."""
        age = self.quarter - self.world.products.launch[self.products]
        if self.quarter < FIRST or (age < 0).all():
            return
        state = self.state
        coding = state.workload_share[:, CODING]
        gain, ahead = self.value("labs.first_adopter_gain"), self.value("labs.head_start_quarters")
        for place in np.flatnonzero((age >= 0) & (age < len(QUARTERS))):
            if age[place] == 0:
                self.adopter[:, place] = self._draw(int(place))
            works = np.take(state.joined_share, self.products[place], axis=1)
            failed = np.take(state.joint_failed, self.products[place], axis=1) > 0
            worth = np.where(failed, -1.0, np.minimum(works, 1.0))
            pull = np.where(age[place] < ahead, gain * coding * worth, 0.0)
            chosen = np.arange(state.lab_quality.shape[1]) == self.adopter[:, place, None]
            state.lab_quality += np.where(chosen, pull[:, None], 0.0)

    def _draw(self, place: int) -> Ints:
        """Return (R,) the place of the lab that is first with a generation."""
        labs = self.market.labs
        west = (labs.token_market == TOKEN_MARKETS.index("west")) & (
            np.arange(len(labs.ids)) != self.expected
        )
        weight = np.where(west, self.state.lab_paid_share, 0.0)
        total = np.cumsum(weight, axis=1)
        other = (total < self.draws[:, 1, place, None] * total[:, -1:]).sum(axis=1)
        first = self.draws[:, 0, place] < self.value("labs.first_adopter_chance")
        return np.where(first, self.expected, np.minimum(other, len(labs.ids) - 1))

    def first(self) -> Floats:
        """Return (R, L, G) 1 where a lab was first with a generation."""
        labs = np.arange(len(self.market.labs.ids))
        return (self.adopter[:, None, :] == labs[:, None]).astype(np.float64)

    @recorded(
        Variable(
            "first_lpu_adopter",
            "1",
            END,
            "First Adopter of LPUs",
            "One for the lab that was first to run coding on a generation of LPUs",
            entity="labs",
            detail="products",
        ),
    )
    def record(self) -> None:
        """Record which lab was first with each generation of LPUs."""
        self.market.recorder.add(
            "first_lpu_adopter", self.first(), entity=self.market.labs.ids, detail=self.names
        )
