"""Physical AI: robots that carry edge chips and load the cloud with training and simulation (M29, M25)."""

import numpy as np

from computemarket.model.actor import Actor
from computemarket.model.core.arrays import Floats
from computemarket.model.core.calendar import QUARTERS, QUARTERS_PER_YEAR, quarters_since_start
from computemarket.model.core.recorded import END, SUM, Variable, recorded
from computemarket.model.hardware.specs.defaults import default_of
from computemarket.model.market import ComputeMarket
from computemarket.model.mechanisms.buyers.demand import bass_step, physical_ai_load
from computemarket.model.policy.trade.edge_chips import edge_access
from computemarket.model.policy.trade.market_access import Rules
from computemarket.model.world.world import TOKEN_MARKETS

FIRST = quarters_since_start("2026Q1")
CHINA = TOKEN_MARKETS.index("china")
MOST_PUSH = 4.0  # of the spread of robots, either way
LEAST = 1e-9


class Robots(Actor):
    """Robots steered by large models, in China and elsewhere: a Bass diffusion that dear hours and barred chips slow.

    New robots carry edge chips and take training; all robots are simulated on. Where the leader's edge chip may not be
    sold, robots run on domestic ones and spread more slowly. Their hours compete with all other work for accelerators.
    """

    def __init__(self, market: ComputeMarket, rules: Rules) -> None:
        super().__init__(market, "robots")
        self.access = edge_access(rules, "china")
        runs = len(market.runs)
        self.adopted, self.new = np.zeros((runs, 2)), np.zeros((runs, 2))
        self.robots = np.zeros((runs, 2))
        self.first_rent_usd = np.ones((runs, 2))
        self.edge_h100e = np.zeros((runs, 2))
        self.edge_price_left = np.ones(runs)  # of the price of 2026Q1
        self.usual = _usual_robots()
        leader = int(np.argmax(market.world.vendors.software_stock))
        self.leader = f"vendor.{market.world.vendors.ids[leader]}"

    def demand(self) -> None:
        """Let robots spread; ask for edge chips and for hours; tell the work of embodied agents how many there are."""
        if self.quarter < FIRST:
            return
        share = self.value("demand.robot_china_share")
        room = np.stack([1 - share, share], axis=1) * self.value("demand.robot_potential")[:, None]
        rent = np.maximum(self.state.contract_rent_usd_per_h100e_hour, LEAST)
        if self.quarter == FIRST:
            self.first_rent_usd = rent.copy()
            here = np.stack([1 - share, share], axis=1) * self.value("demand.robots_start")[:, None]
            self.adopted = np.minimum(here / np.maximum(room, 1.0), 1.0)
            self.robots = self.adopted * room
            self.new = np.zeros_like(here)
        else:
            push = self._push(rent)
            before = self.robots
            self.adopted = bass_step(
                self.adopted, self.value("demand.robot_bass_p")[:, None] * push,
                self.value("demand.robot_bass_q")[:, None] * push,
            )  # fmt: skip
            self.robots = self.adopted * room
            worn = before / self.value("demand.robot_life_quarters")[:, None]
            self.new = np.maximum(self.robots - before, 0.0) + worn
        self._load()
        every = np.maximum(self.robots.sum(axis=1), 1.0)
        first = np.maximum(self.value("demand.robots_start"), 1.0)
        ahead = np.log(every / first) - np.log(self.usual[self.quarter] / self.usual[FIRST])
        self.state.robots_ln[:] = ahead

    def _push(self, rent: Floats) -> Floats:
        """Return (R, M) how fast robots spread, over what they would at the rents of 2026Q1 and with every chip."""
        dear = (rent / self.first_rent_usd) ** -self.value("demand.robot_cost_weight")[:, None]
        push = np.clip(dear, 1 / MOST_PUSH, MOST_PUSH)
        allowed = self.access[self.quarter]
        push[:, CHINA] *= allowed + (1 - allowed) * self.value("demand.robot_domestic_quality")
        return push

    def _load(self) -> None:
        """Set the edge compute that is shipped, the leader's sales of it, and the hours that robots want."""
        self.edge_h100e, hours = physical_ai_load(
            self.robots, self.new, self.value("demand.robot_edge_h100e"),
            self.value("demand.robot_training_h"), self.value("demand.robot_simulation_h"),
        )  # fmt: skip
        self.state.robot_hours_h100e[:] = hours
        if self.quarter > FIRST:
            kept = 1 - self.value("demand.edge_price_decline")
            self.edge_price_left = self.edge_price_left * kept ** (1 / QUARTERS_PER_YEAR)
        price = self.value("demand.edge_usd_per_h100e") * self.edge_price_left
        part = np.repeat(self.value("demand.edge_leader_share")[:, None], 2, axis=1)
        part[:, CHINA] *= self.access[self.quarter]
        self.state.edge_sales_usd[:] = self.edge_h100e * price[:, None] * part

    def settle(self) -> None:
        """Pay for the leader's edge chips; what they cost goes to suppliers, the rest to the leader's owners."""
        if self.quarter < FIRST:
            return
        sales = self.state.edge_sales_usd.sum(axis=1)
        cost = sales * (1 - self.value("chips.gaming_margin"))
        pay = self.market.ledger.pay
        pay("customers", self.leader, sales, "edge chips")
        pay(self.leader, "suppliers", cost, "cost of edge chips")
        pay(
            self.leader,
            "public",
            (sales - cost) * self.value("chips.payout"),
            "paid out to owners of vendors",
        )

    @recorded(
        Variable(
            "robots",
            "units",
            END,
            "Robots",
            "Robots steered by large models in service",
            region="token markets",
        ),
        Variable(
            "robots_new",
            "units",
            SUM,
            "Robots Sold",
            "Robots steered by large models that enter service, replacements counted",
            region="token markets",
        ),
        Variable(
            "edge_compute_shipped_h100e",
            "H100e",
            SUM,
            "Edge Compute Shipped",
            "Compute of the chips that new robots carry; peak dense 8-bit rate over that of an H100",
            region="token markets",
        ),
        Variable(
            "edge_sales_usd",
            "USD",
            SUM,
            "Edge Chip Sales",
            "The leader's sales of chips for robots",
            entity="the leader",
            region="token markets",
        ),
        Variable(
            "robot_hours_h100e",
            "H100e-hours",
            SUM,
            "Robot Training and Simulation",
            "Accelerator-hours wanted for training and simulating robots, at usual rents",
            region="token markets",
        ),
    )
    def record(self) -> None:
        """Record robots in service and new, edge compute shipped, the leader's sales of it, and hours wanted."""
        keep, state = self.market.recorder.add, self.state
        keep("robots", self.robots, region=TOKEN_MARKETS)
        keep("robots_new", self.new, region=TOKEN_MARKETS)
        keep("edge_compute_shipped_h100e", self.edge_h100e, region=TOKEN_MARKETS)
        keep(
            "edge_sales_usd",
            state.edge_sales_usd,
            entity=self.leader.removeprefix("vendor."),
            region=TOKEN_MARKETS,
        )
        keep("robot_hours_h100e", state.robot_hours_h100e, region=TOKEN_MARKETS)


def _usual_robots() -> Floats:
    """Return (T,) robots in service if all were as the defaults say and nothing pushed or held them back."""
    potential, start = default_of("demand.robot_potential"), default_of("demand.robots_start")
    adopted, out = np.array([start / potential]), np.full(len(QUARTERS), start)
    for quarter in range(FIRST + 1, len(QUARTERS)):
        adopted = bass_step(adopted, default_of("demand.robot_bass_p"), default_of("demand.robot_bass_q"))
        out[quarter] = adopted[0] * potential
    return out
