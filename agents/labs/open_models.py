"""Open models: when they come out, how far they trail, and what they leave of the prices of closed ones (M29)."""

import numpy as np

from computemarket.model.actor import Actor
from computemarket.model.core.arrays import Bools, Floats
from computemarket.model.core.calendar import quarters_since_start
from computemarket.model.core.recorded import END, MEAN, Variable, recorded
from computemarket.model.market import ComputeMarket
from computemarket.model.mechanisms.buyers.demand import closed_price_ceiling, open_model_price, quality_gap
from computemarket.model.world.world import TOKEN_MARKETS, column, labels, read_rows

FIRST = quarters_since_start(
    "2026Q1"
)  # until then the calibrated erosion of markups holds what open models do
LEAST_SHARE = 1e-4


class OpenModels(Actor):
    """Follows the frontier and the best open model behind it; the gap caps what closed models can ask.

    The leader releases models that its chips run well, by plan or later; other makers release by a lottery whose odds
    fall with the price of compute in China, where most of them are. What moves the market is the gap against that of
    2026Q1: on the part of use for which an open model would do, closed models follow the ceiling, and buyers turn to
    labs with open weights by price and gap, as slowly as they change labs.
    """

    def __init__(self, market: ComputeMarket) -> None:
        super().__init__(market, "open_models")
        rows = read_rows("open_models")
        self.names = labels(rows)
        self.planned = np.array([quarters_since_start(row["planned"]) for row in rows], dtype=np.int64)
        self.announced, self.params_bn = column(rows, "announced") > 0, column(rows, "params_bn")
        runs = len(market.runs)
        self.out: Bools = np.zeros((runs, len(rows)), dtype=np.bool_)
        self.waits = market.streams.quarterly_uniform("open_models.planned", len(rows))
        self.events = market.streams.quarterly_uniform("open_models.others")[:, :, 0]
        self.lags = market.streams.quarterly_normal("open_models.lag")[:, :, 0]
        self.frontier, self.best = (
            np.zeros(runs),
            np.zeros(runs),
        )  # quality of the best model, and of the best open one
        self.gap, self.first_gap = np.zeros(runs), np.zeros(runs)
        self.first_premium_ln, self.released = np.zeros(runs), np.zeros(runs)
        self.ceiling, self.first_ceiling = np.full(runs, np.nan), np.zeros(runs)
        self.share, self.shift_ln = (
            np.full(runs, np.nan),
            np.zeros(runs),
        )  # of the odds of open against closed

    def launch(self) -> None:
        """Move the frontier on, and let models come out behind it."""
        if self.quarter < FIRST:
            return
        progress, lag = self.value("demand.frontier_progress"), self.value("demand.open_lag_quarters")
        if self.quarter == FIRST:
            between = 0.5 / np.maximum(self.value("demand.open_release_hazard"), 0.05)
            self.gap = self.first_gap = quality_gap(lag + between, progress)
            self.best = -self.gap
            self.first_premium_ln = np.log1p(np.maximum(self.state.china_premium, 0.0))
            self.first_ceiling = self._ceiling()
        else:
            money = self.state.funding_ratio ** self.value("demand.frontier_funding_weight")
            self.frontier = self.frontier + progress * money
        self._release(progress, lag)
        self.gap = np.maximum(self.frontier - self.best, 0.0)

    def _release(self, progress: Floats, lag: Floats) -> None:
        """Bring out the leader's models that are due, and others by lottery; the best open one counts."""
        due = ~self.out & (self.planned <= self.quarter)
        slipped = self.waits[:, self.quarter] < self.value("demand.open_release_slip")[:, None]
        now = due & (self.announced | ~slipped)
        self.out |= now
        size = np.log(self.params_bn / self.params_bn[0])
        trailing = lag[:, None] * np.exp(-self.value("demand.open_size_weight")[:, None] * size)
        quality = self.frontier[:, None] - quality_gap(trailing, progress)
        self.best = np.maximum(self.best, np.where(now, quality, -np.inf).max(axis=1))
        dearer = np.log1p(np.maximum(self.state.china_premium, 0.0)) - self.first_premium_ln
        odds = self.value("demand.open_release_hazard") * np.exp(
            -self.value("demand.open_compute_weight") * dearer
        )
        other = self.events[:, self.quarter] < -np.expm1(-odds)
        behind = lag * np.exp(self.value("demand.open_lag_ln_sd") * self.lags[:, self.quarter])
        found = self.frontier - quality_gap(behind, progress)
        self.best = np.where(other, np.maximum(self.best, found), self.best)
        self.released = self.released + now.sum(axis=1) + other

    def _ceiling(self) -> Floats:
        """Return (R,) the most that a closed model can ask where an open one would do, over the cost of its hours."""
        one = np.ones(len(self.gap))
        price = open_model_price(one, self.value("demand.open_markup"))
        return closed_price_ceiling(price, self.gap, self.value("demand.open_premium_per_gap"))

    def price(self) -> None:
        """Cap what closed models ask, and work out how many tokens open ones serve."""
        if self.quarter < FIRST:
            return
        usual, start = self.state.token_markup, self.value("demand.open_share_start")
        self.ceiling = self._ceiling()
        part = self.value("demand.open_contested_share")
        held = np.minimum(usual, self.ceiling) / np.minimum(usual, self.first_ceiling)
        if self.quarter > FIRST:
            self.state.markup_factor[:] = 1 - part + part * held
        gained = self.value("tokens.alpha") * np.log(self.state.markup_factor)
        gained = gained - self.value("demand.quality_weight") * (self.gap - self.first_gap)
        habit = self.value("labs.habit") if self.quarter > FIRST else 1.0
        self.shift_ln = habit * self.shift_ln + (1 - habit) * gained
        odds = start / (1 - start) * np.exp(self.shift_ln)
        self.share = odds / (1 + odds)

    def serve(self) -> None:
        """Let buyers turn to labs with open weights, or from them."""
        if self.quarter < FIRST:
            return
        labs, paid = self.market.labs, self.state.lab_paid_share
        pull = np.where(labs.open_weights, np.exp(self.shift_ln)[:, None], 1.0) * paid
        for m in range(len(TOKEN_MARKETS)):
            here = labs.token_market == m
            mine = np.where(here, pull, 0.0)
            scale = np.where(here, paid, 0.0).sum(axis=1) / np.maximum(mine.sum(axis=1), LEAST_SHARE)
            paid[:] = np.where(here, mine * scale[:, None], paid)

    @recorded(
        Variable(
            "open_model_gap",
            "1",
            END,
            "Open Model Gap",
            "Quality by which the best open model trails the frontier, in the frontier's own measure",
            entity="world",
        ),
        Variable(
            "open_model_releases",
            "models",
            END,
            "Open Model Releases",
            "Open models at the open frontier that came out since 2026",
            entity="world",
        ),
        Variable(
            "open_price_ceiling",
            "1",
            MEAN,
            "Open Price Ceiling",
            "The most that a closed model can ask where an open one would do, over the cost of its hours",
            entity="world",
        ),
        Variable(
            "open_token_share",
            "share",
            MEAN,
            "Open Token Share",
            "Share of open models in paid tokens",
            entity="world",
        ),
        Variable(
            "token_markup",
            "1",
            MEAN,
            "Token Markup",
            "Price of tokens over the cost of their hours",
            entity="world",
        ),
        Variable(
            "lab_paid_share",
            "share",
            MEAN,
            "Lab Share of Paid Use",
            "Share of each lab in paid tokens of its token market",
            entity="labs",
        ),
    )
    def record(self) -> None:
        """Record releases, the gap, the ceiling, what is left of markups, and the share of open models."""
        keep = self.market.recorder.add
        known = self.quarter >= FIRST
        keep("open_model_gap", np.where(known, self.gap, np.nan), entity="world")
        keep("open_model_releases", self.released, entity="world")
        keep("open_price_ceiling", self.ceiling, entity="world")
        keep("open_token_share", self.share, entity="world")
        keep("token_markup", self.state.token_markup * self.state.markup_factor, entity="world")
        keep("lab_paid_share", self.state.lab_paid_share, entity=self.market.labs.ids)
