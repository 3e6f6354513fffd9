"""Enterprise procurement: own, reserve, or buy by use, under yearly budgets (M23)."""

import numpy as np

from computemarket.model.actor import Actor
from computemarket.model.core.arrays import Floats
from computemarket.model.core.calendar import QUARTERS_PER_YEAR, quarters_since_start
from computemarket.model.core.recorded import MEAN, Variable, recorded
from computemarket.model.market import ComputeMarket
from computemarket.model.markets.serving import TOKENS_PER_MTOK
from computemarket.model.mechanisms.buyers.procurement import (
    OPTIONS,
    adoption_chance,
    capex_opex,
    entry_cost,
    gate,
    next_budget_usd,
    option_shares,
    own_cost_usd_per_mtok,
    user_cost_usd_per_h,
)
from computemarket.model.world.world import TIERS

FIRST = quarters_since_start("2026Q1")
OWN, RESERVE, API, CREDITS, SUBSCRIPTION = range(len(OPTIONS))
MEDIUM = TIERS.index("medium")
MOST_GROWTH = 4.0  # of orders of own machines, over what they would be
LEAST_USD = 1e-6  # per million tokens or hour


class Procurement(Actor):
    """Chooses for the enterprises of each region how they buy, and holds their spending to yearly budgets.

    What moves the market is the change since 2026Q1: fewer own machines are ordered where services win, easier entry
    brings buyers in sooner, and a surge late in a budget year waits for the next budget. Consumers and software firms
    are not bound by budgets.
    """

    def __init__(self, market: ComputeMarket) -> None:
        super().__init__(market, "procurement")
        given = market.world.operators
        china = market.world.country("china")
        chosen = [k == "enterprise" and c != china for k, c in zip(given.kind, given.country, strict=True)]
        self.members = np.flatnonzero(chosen)
        self.names = tuple(given.ids[slot] for slot in self.members)
        self.weight = given.belief_share[self.members] / given.belief_share[self.members].sum()
        runs, n = len(market.runs), len(self.members)
        self.services_liked = np.zeros(runs)  # utility of services beside cost
        self.shares = np.zeros((runs, n, len(OPTIONS)))  # of enterprises by way to buy
        self.first_own = np.ones((runs, n))
        self.first_entry = np.zeros((runs, n))
        self.adopted, self.adopted_as_before = np.ones((runs, n)), np.ones((runs, n))
        self.spent_usd, self.wanted_usd = (
            np.zeros((runs, n)),
            np.zeros((runs, n)),
        )  # in the budget year so far
        self.budget_usd, self.left_usd = np.zeros((runs, n)), np.zeros((runs, n))
        self.served_share = np.ones(runs)  # of what enterprises want this quarter that their budgets allow
        self.capex_share = np.zeros(runs)

    def demand(self) -> None:
        """Choose ways to buy; let budgets and entry move the use of tokens."""
        self.services_liked = self.services_liked + self.value("procurement.attraction_services_growth")
        before = self.quarter - FIRST
        if before < -QUARTERS_PER_YEAR:
            return
        wish = self._wish_usd()
        if before < 0:
            self.spent_usd += wish  # the year that the first budget is drawn from
            self.wanted_usd += wish
            return
        self.shares = self._choose()
        entry = self._entry()
        if before == 0:
            self.first_own, self.first_entry = self.shares[:, :, OWN].copy(), entry
            self.adopted = np.repeat(
                self.value("procurement.adopted_2026")[:, None], len(self.members), axis=1
            )
            self.adopted_as_before = self.adopted
        self._adopt(entry)
        factor = (self.adopted / self.adopted_as_before * self.weight).sum(axis=1)
        wish = wish * (self.adopted / self.adopted_as_before)
        spend = self._within_budget(wish)
        asked = wish.sum(axis=1)
        self.served_share = np.where(asked > 0, spend.sum(axis=1) / np.maximum(asked, LEAST_USD), 1.0)
        part = self.value("procurement.share_of_tokens")
        held = 1 - self.value("procurement.budget_bound") * (1 - self.served_share)
        self.state.use_factor *= 1 - part + part * factor * held
        capital = (
            np.array([1.0, 0.0, 0.0, 0.0, 0.0]) * self.value("procurement.capex_share_own")[:, None, None]
        )
        capex, opex = capex_opex(spend[:, :, None] * self.shares, capital)
        self.capex_share = capex / np.maximum(capex + opex, LEAST_USD)

    def invest(self) -> None:
        """Order own machines in proportion to the enterprises that still want them."""
        if self.quarter >= FIRST:
            kept = np.minimum(self.shares[:, :, OWN] / np.maximum(self.first_own, 1e-9), MOST_GROWTH)
            self.state.wanted_h100e[:, self.members] *= kept

    def _wish_usd(self) -> Floats:
        """Return (R, n) what enterprises would spend on tokens this quarter: last quarter's spending, grown."""
        bought = self.value("procurement.share_of_tokens") * self.state.token_revenue_usd[:, 0]
        return (bought * np.exp(self.state.realised_growth))[:, None] * self.weight

    def _choose(self) -> Floats:
        """Return (R, n, options) shares by cost, by the risk of cost, and by what each way is worth beside them."""
        state = self.state
        cost = self._costs_usd_per_mtok()
        swing = np.zeros_like(cost)
        swing[:, :, API] = np.sqrt(state.rent_variance)[:, None]
        swing[:, :, CREDITS] = np.sqrt(state.credit_price_variance)[:, None]
        liked = np.zeros_like(cost)
        liked[:, :, OWN] = self.value("procurement.attraction_own_start")[:, None]
        liked[:, :, API:] = self.services_liked[:, None, None]
        offered = np.ones_like(cost)
        offered[:, :, CREDITS] = (state.credit_stage > 0)[:, None]
        return option_shares(
            cost, swing, liked, offered, self.value("procurement.sensitivity"),
            self.value("procurement.variance_penalty"), self.value("procurement.nest"),
        )  # fmt: skip

    def _costs_usd_per_mtok(self) -> Floats:
        """Return (R, n, options) what a million tokens of the medium tier cost, idle hours included."""
        state, value = self.state, self.value
        hours = state.token_hours_h100e[:, 0, MEDIUM]
        mtok_per_h = state.tokens[:, 0, MEDIUM] / np.maximum(hours, 1e-9) / TOKENS_PER_MTOK
        mtok_per_h = np.maximum(mtok_per_h, LEAST_USD)
        power = self.market.mean_kw_per_h100e() / 1000 * value("power.price_usd_per_mwh")
        price = np.take(state.cost_per_h100e_usd, self.members, axis=1)
        hour = user_cost_usd_per_h(
            price, value("procurement.own_rate"), value("procurement.own_depreciation"),
            value("procurement.price_drift"), np.repeat(power[:, None], len(self.members), axis=1),
        )  # fmt: skip
        used = np.repeat(value("procurement.own_utilisation")[:, None], len(self.members), axis=1)
        own = own_cost_usd_per_mtok(hour / mtok_per_h[:, None], used, value("hours.availability"))
        rent = state.rent_usd_per_h100e_hour[:, 0] * (1 - value("procurement.reserve_discount"))
        reserve = rent / mtok_per_h / value("procurement.reserved_utilisation")
        api = np.maximum(state.token_price_usd_per_mtok[:, 0, MEDIUM], LEAST_USD)
        credit = api * (1 - value("credits.discount")) / (1 - value("credits.unused"))
        fixed = api * (1 + value("procurement.subscription_markup"))
        others = np.stack([reserve, api, credit, fixed], axis=1)[:, None, :]
        others = np.broadcast_to(others, (*own.shape, len(OPTIONS) - 1))
        return np.maximum(np.concatenate([own[:, :, None], others], axis=2), LEAST_USD)

    def _entry(self) -> Floats:
        """Return (R, n) the mean cost to begin over a yearly budget."""
        service = self.value("procurement.entry_cost_service")
        costs = [self.value("procurement.entry_cost_own"), self.value("procurement.entry_cost_reserve")]
        costs += [service, service, service]
        return entry_cost(self.shares, np.stack(costs, axis=1)[:, None, :])

    def _adopt(self, entry: Floats) -> None:
        """Let enterprises adopt at today's cost to begin, and beside it at that of 2026Q1."""
        terms = self.value("procurement.adoption_innovation"), self.value("procurement.adoption_imitation")
        weight = self.value("procurement.entry_cost_weight")
        chance = adoption_chance(self.adopted, *terms, entry, weight)
        same = adoption_chance(self.adopted_as_before, *terms, self.first_entry, weight)
        self.adopted = self.adopted + (1 - self.adopted) * chance
        self.adopted_as_before = self.adopted_as_before + (1 - self.adopted_as_before) * same

    def _within_budget(self, wish: Floats) -> Floats:
        """Return what budgets let through; a new budget is drawn at the start of each year."""
        season = self.quarter % QUARTERS_PER_YEAR
        if season == 0:
            ahead = self.wanted_usd * np.exp(QUARTERS_PER_YEAR * self.state.realised_growth)[:, None]
            cap = self.value("procurement.budget_growth_cap")
            self.budget_usd = next_budget_usd(self.spent_usd, ahead, cap, np.full_like(ahead, np.inf))
            self.left_usd = self.budget_usd
            self.spent_usd, self.wanted_usd = np.zeros_like(wish), np.zeros_like(wish)
        spend, self.left_usd = gate(wish, self.left_usd, QUARTERS_PER_YEAR - season)
        self.spent_usd = self.spent_usd + spend
        self.wanted_usd = self.wanted_usd + wish
        return spend

    @recorded(
        Variable(
            "enterprise_option_share",
            "share",
            MEAN,
            "Enterprise Procurement Share",
            "Share of enterprises by the way they get compute",
            entity="enterprises",
            detail="ways to buy",
            single=True,
        ),
        Variable(
            "enterprise_capex_share",
            "share",
            MEAN,
            "Enterprise Capital Share",
            "Share of capital expenditure in what enterprises spend on compute",
            entity="enterprises",
            single=True,
        ),
        Variable(
            "enterprise_token_budget_usd",
            "USD/year",
            MEAN,
            "Enterprise Token Budget",
            "Yearly budgets of enterprises for tokens",
            entity="enterprises",
            single=True,
        ),
        Variable(
            "enterprise_served_share",
            "share",
            MEAN,
            "Enterprise Demand within Budget",
            "Share of what enterprises want that their budgets allow",
            entity="enterprises",
            single=True,
        ),
    )
    def record(self) -> None:
        """Record ways to buy, what is capital in what enterprises spend, budgets, and how far they hold use back."""
        keep = self.market.recorder.add
        mean = (self.shares * self.weight[:, None]).sum(axis=1)
        keep("enterprise_option_share", mean, entity="enterprises", detail=OPTIONS)
        keep("enterprise_capex_share", self.capex_share, entity="enterprises")
        keep("enterprise_token_budget_usd", self.budget_usd.sum(axis=1), entity="enterprises")
        keep("enterprise_served_share", self.served_share, entity="enterprises")
