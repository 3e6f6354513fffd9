"""Software that buys: agents with a budget and no brand, and startups that route a task over several labs (M18)."""

import numpy as np

from computemarket.agents.buyers.startups import Startups
from computemarket.model.actor import Actor
from computemarket.model.core.arrays import Floats, Ints
from computemarket.model.core.calendar import quarters_since_start
from computemarket.model.core.recorded import END, MEAN, SUM, Variable, recorded
from computemarket.model.market import ComputeMarket
from computemarket.model.markets.serving import TOKENS_PER_MTOK
from computemarket.model.mechanisms.buyers.demand import bass_step
from computemarket.model.mechanisms.buyers.life_cycle import herfindahl
from computemarket.model.mechanisms.buyers.search import search_shares, total_cost, wallet_price
from computemarket.model.mechanisms.platform.credits import STAGES
from computemarket.model.world.world import TIERS, TOKEN_MARKETS

FIRST = quarters_since_start("2026Q1")
HIGH = TIERS.index("high")
WEST = TOKEN_MARKETS.index("west")
PORTABLE = STAGES.index("portable")
BUYERS = ("people", "startups", "everybody")
LEAST = 1e-9
LEAST_ROUTE = 0.02  # of a startup's bill: a change from nothing is no factor


class SoftwareBuyers(Actor):
    """Lets agents compare the offers of labs and pay from wallets, and startups spread their calls over labs.

    People buy by habit and brand; a lab with many of them asks a premium. Agents take the least of price, waiting and
    failure among a few offers, so that the more of them there are the less a brand is worth. Their principals plan
    budgets by what was spent; what agents do not need stays in the wallet, up to a quarter's plan. Startups route over
    several labs at once. Both count by what has changed since 2026Q1, when the calibrated shares hold them.
    """

    def __init__(self, market: ComputeMarket, startups: Startups) -> None:
        super().__init__(market, "software_buyers")
        self.startups = startups
        runs, labs = len(market.runs), len(market.labs.ids)
        self.news = market.streams.quarterly_normal("agents.offer_speed", labs)
        self.speed = self.news[:, 0].copy()  # ln, over the mean offer's, in standard deviations
        self.failures = market.streams.normal("agents.offer_failures", labs)
        self.luck = market.streams.quarterly_normal("agents.tasks")[:, :, 0]
        self.adopted = np.zeros(runs)  # of what agents may come to buy
        self.part, self.first_part = np.zeros(runs), np.zeros(runs)  # of paid tokens
        self.plan_usd, self.wallet_usd, self.spent_usd = np.zeros(runs), np.zeros(runs), np.zeros(runs)
        self.served = np.ones(runs)  # of what agents were asked to do, what their wallets pay
        self.fee = np.ones(runs)  # what the way of paying adds to prices
        self.saving = np.zeros(runs)  # of what people pay, what agents save by comparing
        self.choice, self.route = np.zeros((runs, labs)), np.zeros((runs, labs))
        self.people = np.zeros((runs, labs))
        self.first_route = np.zeros((runs, labs))

    def price(self) -> None:
        """Let the premium of brands shrink with the part of tokens that is bought by comparing."""
        if self.quarter > FIRST:
            self.state.markup_factor *= 1 - (self.part - self.first_part) * self.saving

    def demand(self) -> None:
        """Spread among principals; give agents budgets, and let wallets bound what they buy."""
        if self.quarter < FIRST:
            return
        ceiling = self.value("demand.agent_potential")
        if self.quarter == FIRST:
            self.adopted = np.minimum(
                self.value("demand.agent_share_start") / np.maximum(ceiling, LEAST), 1.0
            )
        else:
            self.adopted = bass_step(
                self.adopted, self.value("demand.agent_bass_p"), self.value("demand.agent_bass_q")
            )
        self.part = ceiling * self.adopted
        if self.quarter == FIRST:
            self.first_part = self.part
        self._pay_from_wallets()

    def _pay_from_wallets(self) -> None:
        """Set what agents want to spend, what they may, and what that leaves of use."""
        expected = self.state.token_revenue_usd.sum(axis=1) * np.exp(self.state.realised_growth)
        weight = self.value("demand.agent_plan_memory")
        planned = expected if self.quarter == FIRST else (1 - weight) * self.plan_usd + weight * expected
        self.plan_usd = planned
        sd = self.value("demand.agent_task_noise")
        asked = self.part * expected * np.exp(sd * self.luck[:, self.quarter] - sd**2 / 2)
        payable = np.ones(len(asked))
        self.fee, _ = wallet_price(
            payable,
            self.value("demand.agent_fee"),
            self.value("credits.discount"),
            self.state.credit_stage >= PORTABLE,
        )
        asked = asked * self.fee ** (1 - self.value("tokens.elasticity"))
        wallet = self.wallet_usd + self.part * planned * self.value("demand.agent_budget_slack")
        self.spent_usd = np.minimum(asked, wallet)
        self.wallet_usd = np.minimum(wallet - self.spent_usd, self.part * planned)  # the rest goes back
        self.served = self.spent_usd / np.maximum(asked, LEAST)
        used = self.spent_usd / self.fee / np.maximum(self.part * expected, LEAST)
        self.state.use_factor *= 1 - self.part + self.part * np.where(expected > 0, used, 1.0)

    def serve(self) -> None:
        """Let agents and startups choose labs, and count what has changed since 2026Q1."""
        if self.quarter < FIRST:
            return
        labs, paid = self.market.labs, self.state.lab_paid_share
        memory = self.value("demand.offer_speed_memory")[:, None]
        self.speed = memory * self.speed + np.sqrt(1 - memory**2) * self.news[:, self.quarter]
        self.people = paid.copy()
        for m in range(len(TOKEN_MARKETS)):
            here = np.flatnonzero((labs.token_market == m) & (labs.entry <= self.quarter))
            self._choose(m, here)
        if self.quarter == FIRST:
            self.first_route = self.route.copy()
        agents = (self.part - self.first_part)[:, None]
        startups = self.value("startups.share_of_use")[:, None]
        turned = (self.route + LEAST_ROUTE) / (self.first_route + LEAST_ROUTE)
        moved = self.people * (1 - startups + startups * turned)
        moved = moved + agents * (self.choice - moved)
        for m in range(len(TOKEN_MARKETS)):
            here = labs.token_market == m
            mine = np.where(here, moved, 0.0)
            total = mine.sum(axis=1, keepdims=True)
            paid[:] = np.where(here & (total > 0), mine / np.maximum(total, LEAST), paid)

    def _choose(self, m: int, here: Ints) -> None:
        """Set what agents and, in the west, startups buy at the labs of a token market, and what agents save."""

        def of_labs(values: Floats) -> Floats:
            return np.take(values, here, axis=1)

        share = of_labs(self.people)
        mean = share.sum(axis=1, keepdims=True) / len(here)
        relative = np.maximum(share, LEAST) / np.maximum(mean, LEAST)
        multiple = relative ** self.value("demand.brand_premium")[:, None]
        price = np.maximum(self.state.token_price_usd_per_mtok[:, m, HIGH], LEAST)[:, None] * multiple
        luck = of_labs(self.speed) * self.value("demand.offer_speed_sd")[:, None]
        speed = self.market.structure.tier_speed[HIGH] * np.exp(luck)
        failing = self.value("demand.call_failure_rate")[:, None] * np.exp(0.5 * of_labs(self.failures))
        cost = total_cost(
            price * self.fee[:, None], speed, np.minimum(failing, 1.0),
            self.value("demand.tokens_per_task_coding_agent") / TOKENS_PER_MTOK,
            self.value("demand.agent_time_value_usd_per_h"), self.value("demand.agent_failure_usd"),
        )  # fmt: skip
        seen = np.ones(len(here))
        found = search_shares(cost, seen, self.value("demand.agent_sampled_offers")).share
        self.choice[:, here] = found
        if m == WEST:
            self.route[:, here] = self.startups.routed(cost, here)
            asked = (share * multiple).sum(axis=1) / np.maximum(share.sum(axis=1), LEAST)
            self.saving = 1 - (found * multiple).sum(axis=1) / np.maximum(asked, LEAST)

    @recorded(
        Variable(
            "agent_bought_share",
            "share",
            MEAN,
            "Agents as Buyers",
            "Share of paid tokens that software agents buy",
            entity="agents",
            single=True,
        ),
        Variable(
            "agent_spending_usd",
            "USD",
            SUM,
            "Agents' Spending",
            "What software agents spend on tokens",
            entity="agents",
            single=True,
        ),
        Variable(
            "agent_wallet_usd",
            "USD",
            END,
            "Agents' Wallets",
            "What agents hold unspent of their principals' budgets",
            entity="agents",
            single=True,
        ),
        Variable(
            "agent_served_share",
            "share",
            MEAN,
            "Agents' Tasks within Budget",
            "Share of what agents are asked to do that their wallets pay",
            entity="agents",
            single=True,
        ),
        Variable(
            "agent_saving_share",
            "share",
            MEAN,
            "Agents' Saving",
            "What agents save by comparing offers, of what people pay",
            entity="agents",
            single=True,
        ),
        Variable(
            "lab_concentration",
            "1",
            MEAN,
            "Concentration of Labs",
            "Herfindahl index of western labs in what people, startups and all buyers choose",
            detail="buyers",
        ),
    )
    def record(self) -> None:
        """Record what agents buy, pay and save, and how concentrated the choice of labs is."""
        keep = self.market.recorder.add
        keep("agent_bought_share", self.part, entity="agents")
        keep("agent_spending_usd", self.spent_usd, entity="agents")
        keep("agent_wallet_usd", self.wallet_usd, entity="agents")
        keep("agent_served_share", self.served, entity="agents")
        keep("agent_saving_share", self.saving, entity="agents")
        west = self.market.labs.token_market == 0
        chosen = [
            np.compress(west, share, axis=1) for share in (self.people, self.route, self.state.lab_paid_share)
        ]
        index = np.stack([herfindahl(share) for share in chosen], axis=1)
        keep("lab_concentration", np.where(index > 0, index, np.nan), detail=BUYERS)
