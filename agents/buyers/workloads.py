"""Classes of work: what models are used for, and what that asks of speed, context and accelerators (M6, M8, M30)."""

from collections.abc import Iterable

import numpy as np

from computemarket.model.actor import Actor
from computemarket.model.core.arrays import Floats
from computemarket.model.core.calendar import QUARTERS_PER_YEAR, quarters_since_start
from computemarket.model.core.recorded import END, MEAN, SUM, Variable, recorded
from computemarket.model.hardware.economics.workload_table import Call, hours_per_token
from computemarket.model.hardware.specs.defaults import default_of
from computemarket.model.market import ComputeMarket
from computemarket.model.markets.serving import TOKENS_PER_MTOK
from computemarket.model.mechanisms.buyers.demand import WORKLOADS
from computemarket.model.mechanisms.buyers.life_cycle import herfindahl
from computemarket.model.mechanisms.buyers.workloads import (
    SEGMENTS,
    STAGES,
    answer_cost_usd,
    hours_factor,
    right_share,
    segments_by_need,
    segments_that_carry_a_chip,
    tier_preference,
    tilt,
    value_over_cost,
    worth_while,
)
from computemarket.model.world.world import TIERS, column, read_rows

FIRST = quarters_since_start("2026Q1")  # until then the calibrated use of the mean user holds them all
FAST_TOKENS_PER_S, LONG_CONTEXT_TOKENS = 80.0, 8000.0  # where the segments of reports part
LEAST_USD = 1e-12
EMBODIED = WORKLOADS.index("embodied")


class Workloads(Actor):
    """Splits paid use into classes, each with own tokens, patience and context, and follows their shifting mix.

    The growth of all use is calibrated, so a class at its usual growth adds nothing to it; what grows faster or slower
    does. Cheaper tokens and models that carry longer tasks to their end move the mix, not the total: the elasticity
    counts once. The mix moves which tiers are asked for and how many hours a token takes.
    """

    def __init__(self, market: ComputeMarket) -> None:
        super().__init__(market, "workloads")
        rows = read_rows("workloads")
        place = {row["id"]: row for row in rows}
        rows = [place[name] for name in WORKLOADS]
        calls = tuple(
            Call(float(row["input_tokens"]), float(row["output_tokens"]), float(row["cached_share"]))
            for row in rows
        )
        self.answer_tokens, self.patience_s = column(rows, "output_tokens"), column(rows, "patience_s")
        self.reasons, self.small = column(rows, "reasons"), column(rows, "small") > 0
        self.hours = np.ascontiguousarray(hours_per_token(calls)[:, 1:])  # (C, K) of the paid tiers
        waiting = column(rows, "may_wait") > 0
        context = column(rows, "input_tokens") + self.answer_tokens / 2
        speed = self.answer_tokens / self.patience_s
        self.segments = segments_by_need(speed, context, waiting, FAST_TOKENS_PER_S, LONG_CONTEXT_TOKENS)
        self.usual_growth = np.array([default_of(f"demand.task_growth_ln_{name}") for name in WORKLOADS])
        self.usual_deepening = default_of("demand.deepening_ln")
        shape = (len(market.runs), len(WORKLOADS))
        self.noise = market.streams.quarterly_normal("workloads.tasks", shape[1])
        self.usual, self.extra, self.deepened = np.zeros(shape), np.zeros(shape), np.zeros(shape)
        self.weight = np.full(shape, 1 / shape[1])  # tokens of 2026Q1, shares
        self.first_cost_usd, self.cost_usd = np.zeros(shape), np.full((*shape, len(STAGES)), np.nan)
        self.right, self.mix = np.ones(shape), np.full(shape, np.nan)
        self.seen_robots_ln = np.zeros(shape[0])
        self.worth_per_usd, self.first_worth = (
            np.full(shape, np.nan),
            np.ones(shape),
        )  # of answers, over their cost
        self.preference = np.full((*shape, len(TIERS) - 1), np.nan)  # of classes for paid tiers
        self.factor = np.ones(shape[0])

    def demand(self) -> None:
        """Let classes grow; move total use, tiers and the hours of a token by their mix."""
        if self.quarter < FIRST:
            return
        if self.quarter == FIRST:
            tasks = self._stack(f"demand.task_share_start_{name}" for name in WORKLOADS)
            self.weight = tasks * self._stack(f"demand.tokens_per_task_{name}" for name in WORKLOADS)
            self.weight = self.weight / self.weight.sum(axis=1, keepdims=True)
        else:
            self._grow()
        usual, now = self.weight * np.exp(self.usual), self.weight * np.exp(self.usual + self.extra)
        self.factor = now.sum(axis=1) / usual.sum(axis=1)
        self.state.use_factor *= self.factor
        self._sort(now)
        self.state.workload_share[:] = self.mix
        self.state.small_task_share[:] = self.small_share()

    def _stack(self, names: Iterable[str]) -> Floats:
        """Return (R, C) the values of a parameter that every class has of its own."""
        return np.stack([self.value(name) for name in names], axis=1)

    def _grow(self) -> None:
        """Add a quarter of growth: the usual one, and what tasks, longer reasoning, robots and luck add to it."""
        growth = self._stack(f"demand.task_growth_ln_{name}" for name in WORKLOADS)
        longer = self.value("demand.deepening_ln")[:, None] * self.reasons
        luck = self.value("demand.mix_noise_sd")[:, None] * self.noise[:, self.quarter]
        self.usual = self.usual + self.usual_growth + self.usual_deepening * self.reasons
        self.extra = self.extra + growth - self.usual_growth + luck
        self.extra += longer - self.usual_deepening * self.reasons
        self.extra[:, EMBODIED] += self.state.robots_ln - self.seen_robots_ln
        self.seen_robots_ln = self.state.robots_ln.copy()
        self.deepened = self.deepened + longer

    def _sort(self, volume: Floats) -> None:
        """Let each class choose tiers at last quarter's prices, cost its answers, and weigh what that asks for."""
        state = self.state
        base = state.menu_share[:, 1:] / state.menu_share[:, 1:].sum(axis=1, keepdims=True)
        weight = self._stack(f"demand.speed_weight_{name}" for name in WORKLOADS)
        beyond = weight - (weight * self.weight).sum(axis=1, keepdims=True)
        speed = self.market.structure.tier_speed[1:]
        preference = self.preference = tier_preference(
            base, speed, beyond, self.answer_tokens, self.patience_s
        )
        self._cost(preference)
        total = self.cost_usd.sum(axis=2)
        if self.quarter == FIRST:
            self.first_cost_usd = total
        ratio = total / np.maximum(self.first_cost_usd, LEAST_USD)
        spread = self.value("demand.worth_start"), ratio, self.value("demand.task_value_ln_sd")
        worth = worth_while(*spread)
        self.worth_per_usd = value_over_cost(*spread)
        if self.quarter == FIRST:
            self.first_worth = self.worth_per_usd
        volume = volume * worth
        self.mix = volume / volume.sum(axis=1, keepdims=True)
        state.tier_tilt[:, 1:] = tilt(self.mix, self.weight, preference, base)
        slower = hours_factor(self.mix, self.weight, preference, self.hours)
        state.request_factor[:, 1:] = 1 / slower

    def _cost(self, preference: Floats) -> None:
        """Work out what a useful answer of each class costs, by stage."""
        price = self.state.token_price_usd_per_mtok[:, 0, None, 1:]
        tokens = self._stack(f"demand.tokens_per_task_{name}" for name in WORKLOADS) * np.exp(self.deepened)
        generation = tokens * (preference * price).sum(axis=2) / TOKENS_PER_MTOK
        doublings = (self.quarter - FIRST) / self.value("demand.horizon_doubling_quarters")
        horizon = self.value("demand.horizon_2026_tokens") * 2.0**doublings
        self.right = right_share(tokens, horizon, self.value("demand.horizon_slope"))
        self.cost_usd = answer_cost_usd(
            generation, self.right, self.value("demand.retrieved_share"), self.value("demand.validation_share"),
            self.value("demand.data_usd_per_answer"), self.value("demand.output_usd_per_answer"),
        )  # fmt: skip

    def segment_in_tier(self) -> Floats:
        """Return (R, S, K) the shares of segments in the tokens of each tier; the free tier is interactive."""
        volume = self.mix[:, :, None] * self.preference  # (R, C, K-1)
        every = np.maximum(volume.sum(axis=1), LEAST_USD)
        paid = [
            (volume * self.segments[:, s, None]).sum(axis=1) / every for s in range(len(SEGMENTS))
        ]  # (R, K-1) each
        free = np.zeros((len(self.mix), len(SEGMENTS), 1))
        free[:, SEGMENTS.index("interactive")] = 1.0
        return np.concatenate(
            [np.where(np.isnan(self.mix[:, :1, None]), np.nan, free), np.stack(paid, axis=1)], axis=2
        )

    def segment_revenue_share(self) -> Floats:
        """Return (R, S) the shares of segments in what is paid for tokens in the west, NaN before 2026."""
        price = self.state.token_price_usd_per_mtok[:, 0, None, 1:]
        paid = self.mix * (self.preference * price).sum(axis=2)
        share = (paid[:, :, None] * self.segments).sum(axis=1)
        total: Floats = share / np.maximum(share.sum(axis=1, keepdims=True), LEAST_USD)
        return total

    def small_share(self) -> Floats:
        """Return (R,) the share of tasks that are small requests; 0 before 2026."""
        tasks = self.mix / (
            self._stack(f"demand.tokens_per_task_{name}" for name in WORKLOADS) * np.exp(self.deepened)
        )
        share: Floats = np.compress(self.small, tasks, axis=1).sum(axis=1) / tasks.sum(axis=1)
        return share

    @recorded(
        Variable(
            "token_share_by_workload",
            "share",
            MEAN,
            "Token Share by Workload",
            "Share of each class of work in paid tokens, from 2026 on",
            detail="kinds of work",
        ),
        Variable(
            "tokens_by_workload",
            "tokens",
            SUM,
            "Tokens by Workload",
            "Paid tokens served by class of work, from 2026 on",
            detail="kinds of work",
        ),
        Variable(
            "token_share_by_segment",
            "share",
            MEAN,
            "Token Share by Segment",
            "Share in paid tokens of segments by the latency and context that work needs, from 2026 on",
            detail="segments of work",
        ),
        Variable(
            "cost_per_useful_answer_usd",
            "USD",
            MEAN,
            "Cost per Useful Answer",
            "What an answer that passes the check costs its user, failed attempts, retrieval and "
            "checking counted, by class of work",
            detail="kinds of work",
        ),
        Variable(
            "answer_return_index",
            "1",
            MEAN,
            "Return on Useful Answers",
            "What useful answers are worth to their users per dollar, over that of 2026Q1, by class of work",
            detail="kinds of work",
        ),
        Variable(
            "answer_cost_share",
            "share",
            MEAN,
            "Answer Cost Share",
            "Share of each stage of the pipeline in the cost of useful answers",
            detail="stages of an answer",
        ),
        Variable(
            "right_answer_share",
            "share",
            MEAN,
            "Right Answer Share",
            "Share of attempts that pass the check, by class of work",
            detail="kinds of work",
        ),
        Variable(
            "workload_use_factor",
            "1",
            MEAN,
            "Workload Use Factor",
            "What classes of work that grow faster or slower than usual make of token use",
            entity="world",
        ),
        Variable(
            "token_revenue_share_by_segment",
            "share",
            MEAN,
            "Token Revenue Share by Segment",
            "Share in what is paid for tokens of segments by the latency and context that work needs, from 2026 on",
            detail="segments of work",
        ),
        Variable(
            "effective_segments",
            "segments",
            MEAN,
            "Effective Segments",
            "One over the Herfindahl index of segments' shares in what is paid for tokens",
            entity="world",
        ),
        Variable(
            "inference_over_training",
            "1",
            MEAN,
            "Inference over Training",
            "Accelerator-hours of inference, captive use counted, over those of training",
            entity="world",
        ),
        Variable(
            "viable_segments",
            "segments",
            END,
            "Viable Segments",
            "Segments of work that would carry a chip of their own: a specialist's profit covers what "
            "it costs to bring out",
            entity="world",
        ),
    )
    def record(self) -> None:
        """Record tokens by class and by segment, what a useful answer costs, and what the mix adds to use and hours."""
        keep, state = self.market.recorder.add, self.state
        keep("token_share_by_workload", self.mix, detail=WORKLOADS)
        paid = state.tokens[:, :, 1:].sum(axis=(1, 2))
        keep("tokens_by_workload", self.mix * paid[:, None], detail=WORKLOADS)
        segment = (self.mix[:, :, None] * self.segments).sum(axis=1)
        keep("token_share_by_segment", segment, detail=SEGMENTS)
        cost = self.cost_usd.sum(axis=2)
        keep("cost_per_useful_answer_usd", cost, detail=WORKLOADS)
        keep("answer_return_index", self.worth_per_usd / self.first_worth, detail=WORKLOADS)
        part = self.cost_usd / np.maximum(cost, LEAST_USD)[:, :, None]
        stages = (part * self.mix[:, :, None]).sum(axis=1)
        keep("answer_cost_share", stages, detail=STAGES)
        keep("right_answer_share", np.where(cost > 0, self.right, np.nan), detail=WORKLOADS)
        keep("workload_use_factor", self.factor, entity="world")
        self._record_segments()

    def _record_segments(self) -> None:
        """Record what segments pay, how many there are in effect, and how many would carry a chip of their own."""
        keep, state, value = self.market.recorder.add, self.state, self.value
        share = self.segment_revenue_share()
        keep("token_revenue_share_by_segment", share, detail=SEGMENTS)
        index = herfindahl(share)
        keep("effective_segments", 1 / index, entity="world")
        training = state.training_hours_h100e.sum(axis=1)
        inference = state.token_hours_h100e.sum(axis=(1, 2)) + state.captive_hours_h100e.sum(axis=1)
        keep("inference_over_training", inference / np.maximum(training, LEAST_USD), entity="world")
        serving = state.token_hours_h100e.sum(axis=(1, 2)) / np.maximum(training + inference, LEAST_USD)
        chips = (
            state.revenue_usd.sum(axis=1) * QUARTERS_PER_YEAR * serving
        )  # a year's chips for paid and free tokens
        viable = segments_that_carry_a_chip(
            chips[:, None] * share,
            value("demand.segment_entrant_share"),
            value("demand.segment_entrant_margin"),
            value("demand.segment_generation_years"),
            value("custom_silicon.design_cost_usd") * value("demand.segment_cost_multiple"),
        )
        keep(
            "viable_segments",
            np.where(np.isnan(index), np.nan, viable.sum(axis=1)),
            entity="world",
        )
