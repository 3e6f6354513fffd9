"""GPU clouds build in units of a stake, and wait where what a unit will earn is uncertain (M13)."""

import numpy as np

from computemarket.model.actor import Actor
from computemarket.model.core.arrays import Floats
from computemarket.model.core.calendar import HOURS_PER_QUARTER, QUARTERS_PER_YEAR, quarters_since_start
from computemarket.model.core.recorded import MEAN, SUM, Variable, recorded
from computemarket.model.market import ComputeMarket
from computemarket.model.mechanisms.broadcast import present_value_factor
from computemarket.model.mechanisms.operators.options import investment_hurdle

FIRST = quarters_since_start("2026Q1")
LEARNING = 2 * QUARTERS_PER_YEAR  # quarters watched before


class CloudOptions(Actor):
    """Turns what GPU clouds wish to build into whole projects that are worth more built than waited with.

    The hurdle rises with the swings of what a cloud's fleet earned, rents and customers, as it has seen them, and with
    the rate at which it thinks new architectures take work away, learned from what has come. The part of projects above
    it falls as it rises; what was usual in 2026Q1 is in the wishes already. Money for less than a project is kept for
    the next quarter.
    """

    def __init__(self, market: ComputeMarket) -> None:
        super().__init__(market, "cloud_options")
        kinds = market.world.operators.kind
        self.clouds = np.array([h for h, kind in enumerate(kinds) if kind == "gpu_cloud"], dtype=np.int64)
        self.names = tuple(market.world.operators.ids[h] for h in self.clouds)
        shape = (len(market.runs), len(self.clouds))
        self.earned_ln, self.drift, self.variance = (np.zeros(shape) for _ in range(3))
        self.hurdle, self.first_hurdle = np.ones(shape), np.ones(shape)
        self.above = np.ones(
            shape
        )  # share of projects worth building, over that of the first quarter's hurdle
        self.saved_usd, self.projects = np.zeros(shape), np.zeros(shape)

    def expect(self) -> None:
        """Learn from contract rents and from customers won and lost how far earnings swing."""
        start = FIRST - LEARNING
        if self.quarter < start:
            return
        let = np.take(self.state.let_factor, self.clouds, axis=1)
        earned = np.log(np.maximum(self.state.contract_rent_usd_per_h100e_hour[:, :1] * let, 1e-9))
        change = earned - self.earned_ln if self.quarter > start else np.zeros_like(earned)
        self.earned_ln = earned
        if self.quarter == start + 1:
            self.drift = change
        weight = self.value("clouds.variance_weight")[:, None]
        surprise = change - self.drift
        self.drift = self.drift + weight * surprise
        seen = self.quarter - start
        pace = np.maximum(weight, 1 / max(seen, 1))  # a plain mean until there is enough to forget
        self.variance = self.variance + pace * (surprise**2 - self.variance)

    def invest(self) -> None:
        """Set what is ordered: the part of projects above the hurdle, in whole projects."""
        if self.quarter < FIRST:
            return
        state = self.state
        cost = np.take(state.cost_per_h100e_usd, self.clouds, axis=1)
        self.hurdle = self._hurdle()
        if self.quarter == FIRST:
            self.first_hurdle = self.hurdle
        worth = self._worth_usd() / np.maximum(cost, 1.0)
        spread = self.value("clouds.project_spread_ln")[:, None]
        self.above = _above(worth, self.hurdle, spread) / _above(worth, self.first_hurdle, spread)
        most = self.value("clouds.most_ahead")[:, None]
        wished = np.take(state.wanted_h100e, self.clouds, axis=1) * np.minimum(self.above, most) * cost
        stake = self.value("custom_silicon.unit_stake_usd")[:, None]
        keeps = wished > 0  # who wishes nothing more, or has failed, gives the money back
        self.saved_usd = np.where(keeps, self.saved_usd + wished, 0.0)
        self.projects = np.floor(self.saved_usd / stake)
        self.saved_usd = self.saved_usd - self.projects * stake
        state.wanted_h100e[:, self.clouds] = self.projects * stake / np.maximum(cost, 1.0)

    def _hurdle(self) -> Floats:
        """Return (R, n) what a dollar of project must be worth: swings of earnings, and shocks as learned."""
        value = self.value
        prior = value("clouds.prior_quarters")
        seen = self.state.architecture_shocks
        rate = (value("custom_silicon.believed_shock_rate") * prior + seen) / (prior + self.quarter - FIRST)
        lost = np.log(np.maximum(value("custom_silicon.kept_gpu"), 0.05))
        shocks = (rate * lost**2)[:, None]
        yearly = QUARTERS_PER_YEAR * (self.variance * value("clouds.swing_weight")[:, None] + shocks)
        swing = np.maximum(np.sqrt(yearly), value("clouds.least_volatility")[:, None])
        lent = np.take(self.state.loan_rate_per_year, self.clouds, axis=1)
        usual = value("capex.discount_rate")[:, None]
        return investment_hurdle(swing, np.where(lent > 0, lent, usual), value("clouds.payout")[:, None])

    def _worth_usd(self) -> Floats:
        """Return (R, 1) the present value of what an H100e earns over its life at rents that go on falling."""
        value, state = self.value, self.state
        earned = state.contract_rent_usd_per_h100e_hour[:, 0] * state.utilisation[:, 0] * HOURS_PER_QUARTER
        rate = (value("capex.discount_rate") + value("chips.rent_decline")) / QUARTERS_PER_YEAR
        life = value("chips.life_years") * QUARTERS_PER_YEAR
        worth = earned * value("capex.rental_margin") * present_value_factor(rate, life)
        return worth[:, None]

    @recorded(
        Variable(
            "cloud_hurdle",
            "1",
            MEAN,
            "Hurdle of GPU Clouds",
            "What a dollar of project must be worth before a GPU cloud builds it",
            entity="operators",
        ),
        Variable(
            "cloud_projects_above_hurdle",
            "1",
            MEAN,
            "Projects above the Hurdle",
            "Share of projects of GPU clouds worth building, over what was usual in 2026Q1",
            entity="operators",
        ),
        Variable(
            "cloud_projects_begun",
            "projects",
            SUM,
            "Projects Begun",
            "Whole projects that GPU clouds order",
            entity="operators",
        ),
    )
    def record(self) -> None:
        """Record the hurdle of GPU clouds, the share of projects above it over the usual one, and projects begun."""
        keep = self.market.recorder.add
        keep("cloud_hurdle", self.hurdle, entity=self.names)
        keep("cloud_projects_above_hurdle", self.above, entity=self.names)
        keep("cloud_projects_begun", self.projects, entity=self.names)


def _above(worth: Floats, hurdle: Floats, spread: Floats) -> Floats:
    """Return the share of projects above the hurdle when their values differ, a logistic in logs; at least a trace."""
    return np.maximum(1 / (1 + np.exp(-(np.log(worth) - np.log(hurdle)) / spread)), 1e-3)
