"""Where the leader has its second line of chips made: at the second foundry still, or at the lead one (M10)."""

import numpy as np

from computemarket.model.actor import Actor
from computemarket.model.core.arrays import Floats
from computemarket.model.core.calendar import QUARTERS_PER_YEAR, quarters_since_start
from computemarket.model.core.recorded import END, MEAN, Variable, recorded
from computemarket.model.market import ComputeMarket
from computemarket.model.mechanisms.broadcast import present_value_factor
from computemarket.model.mechanisms.suppliers.supply import learned_yield, moves_foundry

FIRST = quarters_since_start("2026Q1")


class FoundryChoice(Actor):
    """Weighs for each generation of a line made at a second foundry whether to move it to the lead one.

    The second foundry's yield is learned by making. The lead foundry's wafers are dearer and its packages scarce, but
    building everything in one house saves a part and lets chips do more beside GPUs. The first generation stays where
    it is; a later one may move once, from some quarters before its launch on, at the cost of porting the design. What
    is made at the lead foundry takes packages from GPUs.
    """

    def __init__(self, market: ComputeMarket) -> None:
        super().__init__(market, "foundry_choice")
        products = market.world.products
        leader = market.world.vendor(market.world.leader)
        second = market.world.roles.one("second_foundry")
        line = [
            p for p, name in enumerate(products.foundry) if name == second and products.vendor[p] == leader
        ]
        self.places = np.array(sorted(line, key=lambda p: int(products.launch[p])), dtype=np.int64)
        self.names = tuple(products.ids[p] for p in self.places)
        self.launch_due = products.launch[self.places]
        shape = (len(market.runs), len(self.places))
        self.at_lead, self.worth_usd = np.zeros(shape, dtype=np.bool_), np.zeros(shape)
        self.moved = np.zeros(shape, dtype=np.bool_)
        self.lands = np.full(shape, np.inf)  # quarter in which a design that moves is there
        self.units, self.switch_usd = np.zeros(shape), np.zeros(shape[0])
        self.made_second = np.zeros(shape[0])  # dies of the line made at the second foundry so far
        self.saving = np.zeros(shape[0])  # cost at the second foundry over that at the lead one, less one

    def launch(self) -> None:
        """Decide on moves, land those that are due, and set costs and packages."""
        if self.quarter < FIRST:
            return
        sold = np.take(self.state.delivered_units, self.places, axis=2).sum(axis=1)
        self.units += (sold - self.units) / QUARTERS_PER_YEAR
        self.made_second += (sold * ~self.at_lead).sum(axis=1)
        second, lead = self._cost_factors()
        self.saving = second / lead - 1
        self._decide(second, lead)
        arrived = self.lands <= self.quarter
        self.at_lead |= arrived
        self.lands = np.where(arrived, np.inf, self.lands)
        factor = np.where(self.at_lead, lead[:, None], second[:, None])
        self.state.unit_cost_usd[:, self.places] *= factor
        better = self.value("chips.choice_alpha") * np.log1p(self.value("supply.integrated_work"))
        self.state.product_edge[:, self.places] += np.where(self.at_lead, better[:, None], 0.0)
        per_wafer = self.value("supply.packages_per_wafer")[:, None]
        self.state.packages_per_wafer[:, self.places] = np.where(self.at_lead, per_wafer, 0.0)

    def _cost_factors(self) -> tuple[Floats, Floats]:
        """Return (R,) cost of a good die over that of the first dies: at the second foundry, and at the lead one."""
        value, state = self.value, self.state
        start, ceiling = (
            value("supply.second_source_yield_start"),
            value("supply.second_source_yield_ceiling"),
        )
        wafers = self.made_second / value("supply.dies_per_wafer")
        good = learned_yield(start, ceiling, wafers, value("supply.yield_learning_wafers"))
        queue = state.waiting_wafers / np.maximum(state.packaging_wafers, 1.0)
        dearer = (
            1 + value("supply.lead_wafer_premium") + value("supply.queue_weight") * np.minimum(queue, 2.0)
        )
        lead = dearer * start / value("supply.lead_yield") * (1 - value("supply.integration_gain"))
        return start / good, lead

    def _decide(self, second: Floats, lead: Floats) -> None:
        """Move where the present value of what it brings covers the cost of moving; a generation moves once."""
        value, state = self.value, self.state
        ahead = np.rint(value("supply.move_quarters"))[:, None]
        later = np.arange(len(self.places)) > 0  # the first generation is signed
        may = later & (self.quarter >= self.launch_due - ahead) & ~self.moved
        volume = np.maximum(
            self.units, self.units.max(axis=1, keepdims=True) * (self.quarter < self.launch_due)
        )
        per_die = self.world.products.unit_cost_usd[self.places] * (second - lead)[:, None]
        per_die += (
            np.take(state.list_price_usd, self.places, axis=1) * value("supply.integrated_work")[:, None]
        )
        gain = per_die * volume
        rate = value("capex.discount_rate") / QUARTERS_PER_YEAR
        annuity = present_value_factor(rate, value("supply.horizon_quarters"))
        self.worth_usd = np.where(may, moves_foundry(gain, annuity, value("supply.source_switch_usd")), 0.0)
        moves = may & (self.worth_usd > 0)
        self.moved |= moves
        self.lands = np.where(moves, np.maximum(self.quarter + ahead, self.launch_due), self.lands)
        self.switch_usd = moves.sum(axis=1) * value("supply.source_switch_usd")

    def settle(self) -> None:
        """Pay for porting designs."""
        if self.quarter >= FIRST:
            self.market.ledger.pay(
                f"vendor.{self.world.leader}", "suppliers", self.switch_usd, "moves to another foundry"
            )

    @recorded(
        Variable(
            "made_at_lead_foundry",
            "share",
            END,
            "LPUs Made at the Lead Foundry",
            "Whether a generation of LPUs is made at the lead foundry",
            entity="products",
        ),
        Variable(
            "lead_foundry_saving",
            "share",
            MEAN,
            "Saving at the Lead Foundry",
            "Cost of an LPU at the second foundry over that at the lead one, less one",
            entity="world",
            single=True,
        ),
    )
    def record(self) -> None:
        """Record what is made at the lead foundry, and what it would cost the line to stay at the second one."""
        keep = self.market.recorder.add
        keep("made_at_lead_foundry", self.at_lead.astype(np.float64), entity=self.names)
        keep("lead_foundry_saving", self.saving, entity="world")
