"""Generations of own silicon as options: when an owner starts the next design, and when it is ready (M13)."""

from collections.abc import Sequence

import numpy as np

from computemarket.agents.operators.custom_silicon import SiliconProgramme
from computemarket.model.actor import Actor
from computemarket.model.core.arrays import Bools, Floats, Ints
from computemarket.model.core.calendar import QUARTERS_PER_YEAR, quarters_since_start
from computemarket.model.core.recorded import END, MEAN, SUM, Variable, recorded
from computemarket.model.market import ComputeMarket
from computemarket.model.markets.user_cost import hour_cost_usd
from computemarket.model.mechanisms.operators.options import (
    advance_programme,
    investment_hurdle,
    programme_value_usd,
    starts_programme,
)
from computemarket.model.state import WITHDRAWN

FIRST = quarters_since_start("2026Q1")
KNOWN = quarters_since_start("2026Q4")  # what is due until then is taken as it was announced


class SiliconGenerations(Actor):
    """Decides for each coming generation whether its owner starts to design it, and lets designs advance and slip.

    An owner starts when the savings it expects are worth the hurdle of an irreversible step times the design's cost,
    one design at a time and not before it is due; until the chip is there the one before stays on offer. A catalogue
    date is the earliest: a design takes its time less the slips it is expected to have.
    """

    def __init__(self, market: ComputeMarket, programmes: Sequence[SiliconProgramme]) -> None:
        super().__init__(market, "silicon_generations")
        products, runs = market.world.products, len(market.runs)
        self.shops = {actor.owner: actor for actor in programmes}
        coming = [
            p for p, own in enumerate(products.own_of) if own in self.shops and products.launch[p] > KNOWN
        ]
        order = sorted(coming, key=lambda place: (products.own_of[place], int(products.launch[place])))
        self.places = np.array(order, dtype=np.int64)
        self.names = tuple(products.ids[place] for place in self.places)
        self.owner = tuple(products.own_of[place] for place in self.places)
        self.launch_due = products.launch[self.places]
        self.before = products.replaces[self.places]
        n = len(self.places)
        self.draws = market.streams.quarterly_uniform("custom_silicon.design", n)
        self.started, self.ready = np.zeros((runs, n), dtype=np.bool_), np.zeros((runs, n), dtype=np.bool_)
        self.left = np.zeros((runs, n), dtype=np.int64)
        self.ready_quarter = np.full((runs, n), np.inf)
        self.ratio = np.full((runs, n), np.nan)  # value over what it must reach to start
        self.spend_usd = np.zeros((runs, n))  # by the owner in a quarter, a mean over about four
        self.bill_usd = np.zeros((runs, n))

    def launch(self) -> None:
        """Advance designs, start those that are worth it, and offer what is ready."""
        if self.quarter < FIRST:
            return
        steps = self._steps()
        if self.quarter == FIRST:
            self._begin(steps)
        running = self.started & ~self.ready
        self.bill_usd = running * (self.value("custom_silicon.design_cost_usd")[:, None] / steps)
        running &= self.quarter > FIRST  # the steps that are left count from here
        uniform = self.draws[:, self.quarter]
        self.left, done = advance_programme(
            self.left, running, uniform, self.value("custom_silicon.slip_chance")
        )
        self.ready |= done
        self.ready_quarter = np.where(done, self.quarter, self.ready_quarter)
        self._start(steps)
        self._offer()

    def _steps(self) -> Ints:
        """Return (R, 1) steps of a design that slips as expected: on average it takes its design time."""
        quarters = self.value("custom_silicon.design_quarters") * (
            1 - self.value("custom_silicon.slip_chance")
        )
        return np.maximum(np.rint(quarters), 1.0).astype(np.int64)[:, None]

    def _begin(self, steps: Ints) -> None:
        """Take designs that must have been started before as under way, with the steps that are left of them."""
        left = (self.launch_due - FIRST) * (1 - self.value("custom_silicon.slip_chance"))[:, None]
        left = np.maximum(np.rint(left), 1.0).astype(np.int64)
        self.started = left < steps
        self.left = np.where(self.started, left, steps)

    def _start(self, steps: Ints) -> None:
        """Start the next design of each owner where it is due and worth more than waiting."""
        state = self.state
        for place, owner in enumerate(self.owner):
            spent = state.ai_capex_usd[:, self.shops[owner].slot]
            old = self.spend_usd[:, place] if self.quarter > FIRST else spent
            self.spend_usd[:, place] = old + (spent - old) / QUARTERS_PER_YEAR
        may = self._may_start()
        places = np.flatnonzero(may.any(axis=0))
        self.ratio[:] = np.nan
        if not len(places):
            return
        cost = hour_cost_usd(self.market) / self.market.nominal_work
        design, slots = self.value("custom_silicon.design_cost_usd"), len(places)
        hurdle = investment_hurdle(
            self.value("custom_silicon.value_volatility"), self.value("custom_silicon.rate"),
            self.value("custom_silicon.payout"),
        )  # fmt: skip
        worth = np.stack([self._value_usd(int(place), cost) for place in places], axis=1)
        price = np.repeat(design[:, None], slots, axis=1)
        begins = starts_programme(worth, price, hurdle, np.take(may, places, axis=1))
        self.ratio[:, places] = np.where(
            np.take(may, places, axis=1), worth / (hurdle[:, None] * price), np.nan
        )
        self.started[:, places] |= begins
        self.left[:, places] = np.where(begins, steps, self.left[:, places])

    def _may_start(self) -> Bools:
        """Return (R, n) what is due to be started, with no other design of its owner under way or open."""
        due = self.quarter >= self.launch_due - np.rint(self.value("custom_silicon.design_quarters"))[:, None]
        may = due & ~self.started
        for place in range(1, len(self.places)):
            if self.owner[place] == self.owner[place - 1]:
                may[:, place] &= self.ready[:, place - 1]
        return may

    def _value_usd(self, place: int, hour_usd: Floats) -> Floats:
        """Return the (R,) present value of what a generation saves its owner, against going on with the one before.

        The saving is that of a choice between own and other chips: ln of the cost with the better option at hand.
        """
        value, shop = self.value, self.shops[self.owner[place]]
        delay = value("custom_silicon.design_quarters")
        falls = np.exp(-value("chips.rent_decline") * delay / QUARTERS_PER_YEAR)
        merchant = self.state.merchant_hour_cost_usd[:, shop.slot] * falls
        new, old = (hour_usd[:, p] * (1 + shop.porting()) for p in (self.places[place], self.before[place]))
        saving = self.spend_usd[:, place] * (shop.benefit_ln(new, merchant) - shop.benefit_ln(old, merchant))
        return programme_value_usd(
            saving,
            value("custom_silicon.rate") / QUARTERS_PER_YEAR,
            value("custom_silicon.believed_shock_rate"),
            1 - value("custom_silicon.kept_systolic"),
            delay,
            value("custom_silicon.generation_quarters"),
        )

    def _offer(self) -> None:
        """Withdraw what is not ready, and the generation before once the new one has been there for a while."""
        edge = self.state.product_edge
        edge[:, self.places] = np.where(self.ready, 0.0, WITHDRAWN)
        there = np.maximum(self.ready_quarter, self.launch_due)
        over = self.quarter - there > self.value("custom_silicon.overlap_quarters")[:, None]
        for place, old in enumerate(self.before):
            edge[:, old] = np.where(over[:, place], WITHDRAWN, edge[:, old])

    def settle(self) -> None:
        """Pay for designs that are under way."""
        if self.quarter < FIRST:
            return
        for place, owner in enumerate(self.owner):
            self.market.ledger.pay(
                f"operator.{owner}", "public", self.bill_usd[:, place], "design of own chips"
            )

    @recorded(
        Variable(
            "own_generation_ready",
            "share",
            END,
            "Generations of Own Silicon Ready",
            "Whether a generation of own silicon is on offer to its owner",
            entity="products",
        ),
        Variable(
            "programme_value_over_threshold",
            "1",
            MEAN,
            "Value of Chip Programmes over Threshold",
            "What starting a generation of own silicon is worth over what it must reach",
            entity="products",
        ),
        Variable(
            "chip_design_spend_usd",
            "USD",
            SUM,
            "Design of Own Silicon",
            "What owners spend on the design of coming generations",
            entity="world",
            single=True,
        ),
    )
    def record(self) -> None:
        """Record which generations are ready, what starting them is worth, and what designs cost."""
        keep = self.market.recorder.add
        there = self.ready & (self.quarter >= self.launch_due)
        keep("own_generation_ready", there.astype(np.float64), entity=self.names)
        keep("programme_value_over_threshold", self.ratio, entity=self.names)
        keep("chip_design_spend_usd", self.bill_usd.sum(axis=1), entity="world")
