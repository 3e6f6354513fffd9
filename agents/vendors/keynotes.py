"""Keynotes and beliefs: rules of forecasting that people switch between, and what the leader is worth (M28)."""

import numpy as np

from computemarket.model.actor import Actor
from computemarket.model.core.calendar import QUARTERS_PER_YEAR, quarters_since_start
from computemarket.model.core.recorded import END, MEAN, Variable, recorded
from computemarket.model.market import ComputeMarket
from computemarket.model.mechanisms.finance.expectations import (
    RULES,
    adaptive_log,
    cost_of_capital,
    market_belief,
    next_fitness,
    next_signal,
    predictions,
    rule_shares,
    valuation_multiple,
)
from computemarket.model.mechanisms.platform.business_modes import recurring_share
from computemarket.model.state import REVENUE_LAYERS

FIRST = quarters_since_start("2026Q1")
RECURRING = np.array([name != "hardware" for name in REVENUE_LAYERS])
LEAST_RATE, MOST_RATE = 0.02, 0.3  # bounds of a cost of capital


class Keynotes(Actor):
    """Forecasts growth of AI revenue by three rules whose followers are those whose errors were small of late.

    A keynote in the first quarter of a year lifts the forecast of those who believe in it; the lift halves each
    quarter, and believers leave where growth disappoints. What believers add lifts the belief of builders and the mood
    of investors while it lasts. The leader's value follows its recurring revenue.
    """

    def __init__(self, market: ComputeMarket) -> None:
        super().__init__(market, "keynotes")
        runs = len(market.runs)
        self.signal, self.lift = np.zeros(runs), np.zeros(runs)
        self.adaptive, self.last_growth = np.zeros(runs), np.zeros(runs)
        self.last_level = np.zeros(runs)
        self.fitness = np.zeros((runs, len(RULES)))
        self.shares = np.full((runs, len(RULES)), 1.0 / len(RULES))
        self.forecasts = np.zeros((runs, len(RULES)))
        self.multiple, self.value_usd, self.capital_cost = np.zeros(runs), np.zeros(runs), np.zeros(runs)
        self.first_value_usd = np.ones(runs)

    def price(self) -> None:
        """Judge the rules by the growth that came, forecast anew, and lift or lower beliefs by the difference."""
        level = np.log(np.maximum(self.state.realised_revenue_usd, 1.0))
        growth = level - self.last_level
        self.last_level = level
        if self.quarter < FIRST:
            self.adaptive, self.last_growth = self.state.realised_growth.copy(), growth
            return
        if self.quarter > FIRST:
            memory = self.value("expectations.fitness_memory")
            self.fitness = next_fitness(self.fitness, self.forecasts, growth, memory)
        self.shares = rule_shares(self.fitness, self.value("expectations.choice_intensity"))
        self.adaptive = adaptive_log(self.adaptive, growth, self.value("expectations.adaptive_gain"))
        announced = self.value("expectations.keynote_lift") * (self.quarter % QUARTERS_PER_YEAR == 0)
        self.signal = next_signal(self.signal, announced, self.value("expectations.signal_decay"))
        trend = self.value("expectations.trend_strength")
        self.forecasts = predictions(self.adaptive, growth, self.last_growth, self.signal, trend)
        self.last_growth = growth
        believed = RULES.index("keynote")
        lift = self.shares[:, believed] * self.signal
        self.state.belief_ln_usd += (lift - self.lift)[:, None]
        self.state.sentiment_ln[:] = np.clip(self.state.sentiment_ln + lift, -2.0, 1.0)
        self.lift = lift

    def settle(self) -> None:
        """Value the leader by its revenue and the part of it that recurs."""
        if self.quarter < FIRST:
            return
        layers = self.state.layer_revenue_usd
        ahead = market_belief(self.forecasts, self.shares) - self.adaptive
        self.multiple = valuation_multiple(
            recurring_share(layers, RECURRING), ahead, self.value("expectations.multiple_base"),
            self.value("expectations.multiple_slope"), self.value("expectations.multiple_scale"),
        )  # fmt: skip
        self.value_usd = self.multiple * QUARTERS_PER_YEAR * layers.sum(axis=1)
        if self.quarter == FIRST:
            self.first_value_usd = self.value_usd
        self.capital_cost = cost_of_capital(
            self.value_usd, self.first_value_usd, self.value("expectations.capital_cost_base"),
            self.value("expectations.capital_cost_slope"), LEAST_RATE, MOST_RATE,
        )  # fmt: skip

    @recorded(
        Variable(
            "forecast_rule_share",
            "share",
            MEAN,
            "Forecast Rule Share",
            "Share of investors by the rule they forecast with",
            entity="investors",
            detail="rules of forecasting",
            single=True,
        ),
        Variable(
            "keynote_lift_ln",
            "ln",
            MEAN,
            "Keynote Lift",
            "By how much keynotes lift what investors expect",
            entity="investors",
            single=True,
        ),
        Variable(
            "valuation_multiple",
            "x",
            MEAN,
            "Valuation Multiple",
            "Value of the leader over its yearly earnings as investors see them",
            entity="the leader",
            single=True,
        ),
        Variable(
            "enterprise_value_usd",
            "USD",
            END,
            "Enterprise Value",
            "What investors think the leader is worth",
            entity="the leader",
            single=True,
        ),
        Variable(
            "capital_cost_per_year",
            "1/year",
            MEAN,
            "Cost of Capital",
            "What capital costs the leader in a year",
            entity="the leader",
            single=True,
        ),
    )
    def record(self) -> None:
        """Record followers of each rule, the lift of beliefs, and what the leader is worth."""
        keep = self.market.recorder.add
        keep("forecast_rule_share", self.shares, entity="investors", detail=RULES)
        keep("keynote_lift_ln", self.lift, entity="investors")
        keep("valuation_multiple", self.multiple, entity=self.world.leader)
        keep("enterprise_value_usd", self.value_usd, entity=self.world.leader)
        keep("capital_cost_per_year", self.capital_cost, entity=self.world.leader)
