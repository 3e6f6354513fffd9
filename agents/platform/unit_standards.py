"""The contest of units of compute: who launches one, who opens it, who uses which, and how it stands (M20)."""

import numpy as np

from computemarket.model.actor import Actor
from computemarket.model.core.arrays import Floats, over_holders
from computemarket.model.core.calendar import QUARTERS_PER_YEAR, quarters_since_start
from computemarket.model.core.recorded import END, MEAN, Variable, recorded
from computemarket.model.market import ComputeMarket
from computemarket.model.mechanisms.platform.credits import STAGES
from computemarket.model.mechanisms.platform.standards import (
    adoption_shares,
    choice_profit_usd,
    compatibility_choice,
    end_state,
    hub_trade_share,
    links,
    network_size,
    next_base,
    rival_unit_appears,
    take_up,
    with_hub,
)

FIRST = quarters_since_start("2026Q1")
LEADER = 0  # the leader stands first among issuers of units
PORTABLE = STAGES.index("portable")


class UnitStandards(Actor):
    """Lets clouds answer the leader's credits with units of their own, and buyers choose by what a unit reaches.

    A unit is worth the hours it buys and the users it reaches; once a year each issuer weighs a closed unit against a
    converter and a common unit. A neutral venue may open once two units exist. The leader's credits are wanted in
    proportion to the users that its unit keeps, and trades that pass the venue pay the leader nothing.
    """

    def __init__(self, market: ComputeMarket) -> None:
        super().__init__(market, "unit_standards")
        self.issuers = market.world.roles.all(
            "unit_issuer"
        )  # the leader, then clouds with a unit or a marketplace
        self.known = np.isin(self.issuers, market.world.roles.all("known_unit_issuer"))
        runs, n = len(market.runs), len(self.issuers)
        self.draws = market.streams.quarterly_uniform("units.launch", n + 1)  # issuers, then the venue
        self.present = np.zeros((runs, n), dtype=np.bool_)
        self.choice = np.zeros((runs, n), dtype=np.int64)
        self.base = np.zeros((runs, n))  # million users
        self.shares = np.zeros((runs, n))
        self.hub = np.zeros(runs, dtype=np.bool_)
        self.hub_share = np.zeros(runs)
        self.users = np.zeros(runs)  # share of buyers that would use units
        self.first_pull = np.ones(runs)
        self.stand = np.zeros(runs, dtype=np.int64)

    def launch(self) -> None:
        """Launch units, open the venue, and let issuers think about compatibility once a year."""
        if self.quarter < FIRST:
            return
        uniform = self.draws[:, self.quarter]
        if self.quarter == FIRST:
            self.present = np.broadcast_to(self.known, self.present.shape).copy()
        rivals = self.present | (np.arange(len(self.issuers)) == LEADER)
        self.present = self.present | rival_unit_appears(
            np.ascontiguousarray(uniform[:, : len(self.issuers)]),
            self.value("units.rival_unit_hazard"),
            self.state.credit_stage,
            rivals,
        )
        two = self.present.sum(axis=1) >= 2
        self.hub = self.hub | (
            two & (uniform[:, len(self.issuers)] < -np.expm1(-self.value("units.hub_hazard")))
        )
        if self.quarter % QUARTERS_PER_YEAR == 0:
            self._think()

    def _reach(self) -> Floats:
        """Return (R, issuers) the share of rented hours that each unit buys."""
        ids = self.world.operators.ids
        rented = self.state.work_h100e * self.world.operators.rented_out_share
        total = np.maximum(rented.sum(axis=1), 1.0)
        fleet = over_holders(self.state.fleet_units) * self.state.work
        mine = np.compress(self.market.structure.of_leader, fleet, axis=1).sum(axis=1)
        leader = mine / np.maximum(fleet.sum(axis=1), 1.0)
        open_share = np.where(self.state.credit_stage >= PORTABLE, 1.0, self.value("platform.pooled_share"))
        clouds = [rented[:, ids.index(name)] / total for name in self.issuers[1:]]
        return np.stack([leader * open_share, *clouds], axis=1)

    def _think(self) -> None:
        """Choose the compatibility that pays best, the others keeping theirs."""
        margins = [self.value(f"units.margin_{kind}") for kind in ("own_unit", "conversion", "common_unit")]
        trade = (
            self.state.rental_revenue_usd.sum(axis=1)
            * self.value("platform.traded_share")
            * QUARTERS_PER_YEAR
        )
        profit = choice_profit_usd(
            self.choice, self.base, self.value("units.reach_weight")[:, None] * self._reach(), self.present, trade,
            np.stack(margins, axis=1), self.value("units.network_weight"), self.value("units.conversion_quality"),
        )  # fmt: skip
        self.choice = np.where(
            self.present, compatibility_choice(self.choice, profit, self.value("units.unit_inertia")), 0
        )

    def invest(self) -> None:
        """Let users join and move, and tell the leader's platform what is left to it."""
        if self.quarter < FIRST:
            return
        worth = self.value("units.reach_weight")[:, None] * self._reach()
        reach = links(self.choice, self.present, self.value("units.conversion_quality"))
        open_reach = with_hub(reach, self.hub, self.value("units.hub_fee"))
        network = network_size(self.base, open_reach)
        weight = self.value("units.network_weight")
        self.shares = adoption_shares(worth, network, weight, self.present)
        self.users = take_up(worth, network, weight, self.present, self.value("units.outside_utility"))
        wanted = self.users * self.value("units.users_million") * self.state.adoption
        joining = self.value("units.joining_speed") * np.maximum(wanted - self.base.sum(axis=1), 0.0)
        self.base = next_base(self.base, joining, self.shares, self.value("units.user_churn"))
        held = self.held()
        through = hub_trade_share(
            reach, held, self.value("units.hub_fee"), self.value("units.hub_sensitivity")
        )
        self.hub_share = np.where(self.hub, through, 0.0)
        terms = self.value("units.winner_share"), self.value("units.hub_majority")
        self.stand = end_state(held, self.hub_share, *terms)
        pull = held[:, LEADER]
        if self.quarter == FIRST:
            self.first_pull = pull
        known = self.first_pull > 0
        kept = np.where(known, pull / np.where(known, self.first_pull, 1.0), 1.0)
        self.state.credit_demand_factor *= kept
        self.state.venue_share[:] = 1 - self.hub_share

    def held(self) -> Floats:
        """Return (R, issuers) shares of present users."""
        return self.base / np.maximum(self.base.sum(axis=1, keepdims=True), 1e-12)

    @recorded(
        Variable(
            "unit_users_million",
            "million",
            END,
            "Unit Users",
            "Users of a unit of compute, by issuer",
            entity="issuers of units",
        ),
        Variable(
            "unit_openness",
            "1",
            END,
            "Unit Openness",
            "How open the issuer of a unit of compute has made it, as a number of its list of choices",
            entity="issuers of units",
        ),
        Variable(
            "units_in_use", "1", END, "Units in Use", "Units of compute that are in use", entity="world"
        ),
        Variable(
            "neutral_venue_trade_share",
            "share",
            MEAN,
            "Neutral Venue Share",
            "Share of trade in compute over a venue that sells no unit of its own",
            entity="the neutral venue",
        ),
        Variable(
            "unit_contest_state",
            "1",
            END,
            "Unit Contest State",
            "How the contest of units of compute stands; 0: several units, 1: one winner, 2: a neutral hub",
            entity="world",
        ),
    )
    def record(self) -> None:
        """Record users by unit, how open units are, the venue's part of trade, and how the contest stands."""
        keep = self.market.recorder.add
        keep("unit_users_million", self.base, entity=self.issuers)
        keep("unit_openness", np.where(self.present, self.choice, 0).astype(np.float64), entity=self.issuers)
        keep("units_in_use", self.present.sum(axis=1).astype(np.float64), entity="world")
        keep("neutral_venue_trade_share", self.hub_share, entity=self.world.roles.one("venue"))
        keep("unit_contest_state", self.stand.astype(np.float64), entity="world")
