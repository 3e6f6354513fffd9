"""How GPU clouds operate: on their own, backed by the leader under its rules, or for another brand (M21)."""

import numpy as np

from computemarket.agents.operators.provider_choice import partner_pull
from computemarket.model.actor import Actor
from computemarket.model.core.arrays import Bools, Floats, weighted_sum
from computemarket.model.core.calendar import (
    HOURS_PER_QUARTER,
    HOURS_PER_YEAR,
    QUARTERS_PER_YEAR,
    quarters_since_start,
)
from computemarket.model.core.recorded import END, MEAN, SUM, Variable, recorded
from computemarket.model.market import ComputeMarket
from computemarket.model.markets.orders import quarters_to_wait
from computemarket.model.markets.settlement import account_slice, contract_rent_by_operator
from computemarket.model.mechanisms.operators.operator_regime import (
    REGIMES,
    drawn_regime,
    exits,
    irr_per_year,
    operator_cash_usd,
    regime_shares,
    rent_path_usd_per_h,
    vendor_share_usd_per_h,
)
from computemarket.model.mechanisms.platform.business_modes import allowed_backstop_usd, partnership_cash_usd

FIRST_REVIEW = quarters_since_start("2026Q3")  # partnerships were offered from July 2026 on
INDEPENDENT, FRANCHISE, WHITE_LABEL = range(len(REGIMES))
FLOORS = (
    "platform.floor_year1_usd_per_h",
    "platform.floor_year2_usd_per_h",
    "platform.floor_year3_usd_per_h",
    "platform.floor_year4_usd_per_h",
    "platform.floor_year5_usd_per_h",
    "platform.floor_year6_usd_per_h",
)
YEARS = len(FLOORS)
AHEAD = np.triu(np.ones((YEARS, YEARS)))  # (age, year) years of a guarantee that are left
HALVINGS = 30  # leaves a return known to 6e-9
LEAST = 1e-9


class OperatorRegimes(Actor):
    """Lets every GPU cloud weigh once a year how to operate, and books what a partnership costs and pays.

    A franchisee gets a floor under its revenue and earlier deliveries, gives up a share of what exceeds the floor, and
    buys from the leader alone. A white-label operator is paid its cost and a margin; the leader's brand sells its hours
    and keeps the difference. Alone, a cloud keeps all and bears all; it gives up when returns stay below its cost of
    debt. The leader guarantees no more than a share of what it earns in a year.
    """

    def __init__(self, market: ComputeMarket) -> None:
        super().__init__(market, "operator_regimes")
        self.members = market.structure.gpu_clouds
        self.names = tuple(market.world.operators.ids[slot] for slot in self.members)
        self.leader = market.world.vendor(market.world.leader)
        runs, n = len(market.runs), len(self.members)
        self.draws = market.streams.quarterly_uniform("regimes.choice", 3 * n)
        self.regime = np.zeros((runs, n), dtype=np.int64)
        self.returns = np.full((runs, n, len(REGIMES)), np.nan)
        self.losing, self.gave_up = np.zeros((runs, n), dtype=np.int64), np.zeros((runs, n), dtype=np.bool_)
        self.wholesale = np.ones((runs, n))  # a white-label operator's part of the rent of the day
        self.backed, self.white = np.zeros((runs, n)), np.zeros((runs, n))  # shares of the fleet
        self.vintages = np.zeros(
            (runs, n, YEARS)
        )  # shares of the fleet under a guarantee, by its age in years
        self.signed_usd = np.zeros((runs, n, YEARS))  # income per H100e and quarter when it was signed
        self.paid_usd = np.zeros((runs, n))  # what a white-label operator is paid per H100e and quarter
        self.guaranteed_usd = np.zeros((runs, n))  # what floors may still cost
        self.fee_usd, self.payout_usd, self.brand_usd = (np.zeros((runs, n)) for _ in range(3))
        self.first_priority = np.take(market.state.priority, self.members, axis=1)

    def price(self) -> None:
        """Review how to operate once a year; the leader serves partners first and binds what they buy."""
        if self.quarter < FIRST_REVIEW:
            return
        if (self.quarter - FIRST_REVIEW) % QUARTERS_PER_YEAR == 0:
            self._review()
        state, franchise = self.state, (self.regime == FRANCHISE).astype(np.float64)
        state.exclusive_share[:, self.members] = franchise
        favour = self.value("platform.allocation_loyalty")[:, None] * franchise
        favour = favour + state.venue_preference[:, None] * (self.regime != INDEPENDENT)
        self.state.priority[:, self.members] = self.first_priority * np.exp(favour)

    def _review(self) -> None:
        """Weigh the regimes and let those clouds that are free to do so change."""
        n = len(self.members)
        draws = self.draws[:, self.quarter]
        expected, volatility = self._prospects()
        offered = (np.rint(self.value("platform.franchise_from_quarter")) <= self.quarter)[:, None]
        allowed = np.ones(expected.shape, dtype=np.bool_)
        allowed[:, :, FRANCHISE] = offered & self._has_room()
        # a brand that keeps something takes hours as far as customers come to it
        reach = self.state.venue_reach[:, None]
        taken = (draws[:, 2 * n :] < reach) | (self.regime == WHITE_LABEL)
        allowed[:, :, WHITE_LABEL] = taken & (self.wholesale < 1)
        other = allowed[:, :, FRANCHISE] | allowed[:, :, WHITE_LABEL]
        allowed[:, :, INDEPENDENT] = ~(self.gave_up & other)
        shares = regime_shares(
            expected, volatility, self.value("platform.operator_risk_aversion"), self._bonus(),
            self.value("platform.operator_choice_sharpness"), allowed,
        )  # fmt: skip
        drawn = drawn_regime(shares, np.ascontiguousarray(draws[:, :n]))
        reviews = draws[:, n : 2 * n] < self.value("platform.regime_review_share")[:, None]
        self.regime = np.where(reviews | self.gave_up, drawn, self.regime)
        self.returns = expected

    def _has_room(self) -> Bools:
        """Return (R, 1) where the leader may guarantee more."""
        return (self.guaranteed_usd.sum(axis=1) < self._most_guaranteed_usd())[:, None]

    def _most_guaranteed_usd(self) -> Floats:
        return self.value("platform.backstop_cap") * self._yearly_profit_usd()

    def _yearly_profit_usd(self) -> Floats:
        """Return (R,) the leader's gross profit of a year, which stands for its equity."""
        profit = self.state.revenue_usd[:, self.leader] - self.state.cost_of_sales_usd[:, self.leader]
        return QUARTERS_PER_YEAR * np.maximum(profit, 0.0)

    def _prospects(self) -> tuple[Floats, Floats]:
        """Return (R, N, regimes) expected yearly return on a new accelerator and its standard deviation.

        Clouds plan with contracts that pay for capacity: at usual utilisation all hours of a year are sold. Returns
        are those of a fall and of a rise of rents by a yearly standard deviation, per dollar of capital.
        """
        cost = np.maximum(np.take(self.state.cost_per_h100e_usd, self.members, axis=1), 1.0)
        full = np.minimum(self.state.utilisation[:, :1] / self.state.usual_utilisation[:, :1], 1.0)
        rent = (
            np.take(contract_rent_by_operator(self.market), self.members, axis=1) / cost * full
        )  # per dollar
        own = np.take(self.state.attraction, self.members, axis=1)
        pull, partner = partner_pull(self.market)[:, None], self.backed + self.white
        drift = self.value("chips.rent_decline")
        alone = rent_path_usd_per_h(rent * own * np.exp(-pull * partner), drift, YEARS)
        joined = rent_path_usd_per_h(rent * own * np.exp(pull * (1 - partner)), drift, YEARS)
        sd = np.sqrt(QUARTERS_PER_YEAR * self.state.rent_variance)
        swing = np.exp(np.stack([-sd, sd], axis=1))[:, None, :, None]  # (R, 1, 2, 1)
        alone, joined = alone[:, :, None, :] * swing, joined[:, :, None, :] * swing  # (R, N, 2, Y)
        floor = self.floor_ratio()[:, None, None, :] * rent[:, :, None, None]
        given = vendor_share_usd_per_h(joined, floor, self.value("platform.share_above_floor"))
        left = self.value("capex.rental_margin")[:, None, None, None]  # of rent, after running costs
        nothing = np.zeros_like(alone)
        cash = np.stack(
            [
                operator_cash_usd(left * alone, nothing, 0.0, 1.0),
                operator_cash_usd(left * joined, given, 0.0, 1.0),
            ],
            axis=2,
        )  # (R, N, regime, 2, Y)
        found = irr_per_year(np.ones(cash.shape[:-1]), cash, HALVINGS)
        margin = np.repeat(self.value("platform.white_label_margin")[:, None], len(self.members), axis=1)
        expected = np.stack([found[:, :, 0].mean(axis=2), found[:, :, 1].mean(axis=2), margin], axis=2)
        spread = (found[..., 1] - found[..., 0]) / 2
        volatility = np.stack([spread[:, :, 0], spread[:, :, 1], np.zeros_like(margin)], axis=2)
        self.wholesale = self._wholesale(joined.mean(axis=2), margin)
        return expected, np.maximum(volatility, 0.0)

    def _wholesale(self, rent: Floats, margin: Floats) -> Floats:
        """Return (R, N) the part of the rent that returns cost and margin to its operator, at most all of it."""
        discount = (1 + margin)[:, :, None] ** -np.arange(1.0, YEARS + 1)
        worth = HOURS_PER_YEAR * (rent * discount).sum(axis=2)  # per dollar of capital
        running = 1 - self.value("capex.rental_margin")[:, None]
        return np.minimum(running + 1 / np.maximum(worth, LEAST), 1.0)

    def floor_ratio(self) -> Floats:
        """Return (R, Y) guaranteed revenue of each year over the revenue of the first when the deal is signed."""
        floors = np.stack([self.value(name) for name in FLOORS], axis=1)
        return floors / self.value("platform.operator_rent_usd_per_h")[:, None]

    def _bonus(self) -> Floats:
        """Return (R, N, regimes) yearly return that a regime adds: cheaper debt, and chips that come sooner."""
        stress = 1 + self.value("finance.credit_stress")
        backed = self.value("finance.risk_free") + self.value("finance.spread_backed") * stress
        rate = np.take(self.state.loan_rate_per_year, self.members, axis=1)
        lent = np.take(self.state.loan_share, self.members, axis=1)
        cheaper = np.maximum(rate - backed[:, None], 0.0) * lent
        mine = self.market.structure.of_leader & self.market.structure.on_sale[self.quarter]
        wait = np.compress(mine, quarters_to_wait(self.market), axis=1).mean(axis=1)
        sooner = -np.expm1(-self.value("platform.allocation_loyalty")) * wait
        saved = sooner * self.value("chips.rent_decline") / QUARTERS_PER_YEAR
        franchise = cheaper + saved[:, None]
        nothing = np.zeros_like(franchise)
        return np.stack([nothing, franchise, nothing], axis=2)

    def settle(self) -> None:
        """Book what was delivered under which regime, pay guarantees, shares and brands, and judge independence."""
        if self.quarter < FIRST_REVIEW:
            return
        state = self.state
        rent = np.take(contract_rent_by_operator(self.market), self.members, axis=1)
        hours = state.utilisation[:, :1] * HOURS_PER_QUARTER
        self._book(rent, hours)
        self._pay(rent, hours * np.take(state.let_factor, self.members, axis=1))
        self._publish()
        self._judge(rent)

    def _book(self, rent: Floats, hours: Floats) -> None:
        """Let guarantees age by the year, and add what was delivered at the income of the day."""
        state, d, today_usd = self.state, self.members, rent * hours
        old = np.take(self.state.work_h100e, d, axis=1)
        new = weighted_sum(np.take(state.delivered_units, d, axis=1), self.state.work[:, None, :])
        fresh = new / np.maximum(old + new, LEAST)
        if (self.quarter - FIRST_REVIEW) % QUARTERS_PER_YEAR == 0:
            for book in (self.vintages, self.signed_usd):
                book[:, :, 1:] = book[:, :, :-1].copy()
                book[:, :, 0] = 0.0
        franchise = self.regime == FRANCHISE
        asked = self._left_usd(today_usd, today_usd[:, :, None])[:, :, 0] * new * franchise
        granted = allowed_backstop_usd(
            asked, self.guaranteed_usd.sum(axis=1), self._yearly_profit_usd(), self.value("platform.backstop_cap")
        )  # fmt: skip
        joined = fresh * np.where(asked > 0, granted / np.where(asked > 0, asked, 1.0), franchise)
        self.vintages *= (1 - fresh)[:, :, None]
        first, signed = self.vintages[:, :, 0], self.signed_usd[:, :, 0]
        self.signed_usd[:, :, 0] = _blend(first, signed, joined, today_usd)
        self.vintages[:, :, 0] += joined
        self.backed = self.vintages.sum(axis=2)
        self._relabel(fresh, today_usd)
        held = self.vintages * (old + new)[:, :, None]
        self.guaranteed_usd = (held * self._left_usd(today_usd, self.signed_usd)).sum(axis=2)

    def _left_usd(self, today_usd: Floats, signed_usd: Floats) -> Floats:
        """Return (R, N, A) what guarantees by age may still cost per H100e: floors less running cost that ends.

        Parameters
        ----------
        today_usd : (R, N) quarterly income of the day per H100e
        signed_usd : (R, N, A) quarterly income when the deals of each age in years were signed
        """
        running = (1 - self.value("capex.rental_margin"))[:, None] * today_usd
        floors = signed_usd[:, :, :, None] * self.floor_ratio()[:, None, None, :]  # (R, N, A, Y)
        lost = np.maximum(floors - running[:, :, None, None], 0.0)
        return QUARTERS_PER_YEAR * (lost * AHEAD[: signed_usd.shape[2]]).sum(axis=3)

    def _relabel(self, fresh: Floats, today_usd: Floats) -> None:
        """Move hours to the brand and back as contracts end; what is delivered goes there at once."""
        white = self.regime == WHITE_LABEL
        turns = 1 / self.value("finance.contract_quarters")[:, None]
        stays = self.white * (1 - fresh) * np.where(white, 1.0, 1 - turns)
        room = np.maximum(1 - self.backed - stays, 0.0)
        joins = np.where(white, np.minimum(fresh + turns * (1 - fresh), 1.0) * room, 0.0)
        falls = (1 - self.value("chips.rent_decline")) ** (1 / QUARTERS_PER_YEAR)
        self.paid_usd = _blend(stays, self.paid_usd * falls[:, None], joins, self.wholesale * today_usd)
        self.white = stays + joins

    def _pay(self, rent: Floats, hours: Floats) -> None:
        """Pay shares above floors to the leader, shortfalls to operators, and the brand its difference.

        Guaranteed hours are let on short terms at the rent of the day: the guarantee stands for a long contract.
        """
        share = self.value("platform.share_above_floor")
        work = np.take(self.state.work_h100e, self.members, axis=1)
        held = self.vintages * work[:, :, None]
        floor, earned = (
            held * self.floor_ratio()[:, None, :] * self.signed_usd,
            held * (rent * hours)[:, :, None],
        )
        cash = partnership_cash_usd(np.zeros_like(earned), earned, floor, share)
        self.fee_usd = np.maximum(cash, 0.0).sum(axis=2)
        self.payout_usd = np.maximum(-cash, 0.0).sum(axis=2)
        booked = np.take(self.state.booked_rent_usd_per_h100e_hour, self.members, axis=1)
        self.brand_usd = work * self.white * (booked * hours - self.paid_usd)
        got = np.zeros_like(self.state.partner_usd)
        got[:, self.members] = self.payout_usd - self.fee_usd - self.brand_usd
        self.state.partner_usd[:] = got
        self.state.backed_share[:, self.members] = self.backed
        operators = account_slice(self.market, self.world.operators.ids)
        self.market.ledger.receive_each(
            f"vendor.{self.world.leader}", operators, got, "partnerships of GPU clouds"
        )

    def _publish(self) -> None:
        """Show what others need: who is a partner, what floors may cost and paid, what capacity brings the leader.

        Capacity brings shares above floors, and what the brand keeps.
        """
        state, d = self.state, self.members
        state.partner_share[:, d] = self.backed + self.white
        state.guaranteed_usd[:, d], state.floor_payout_usd[:, d] = self.guaranteed_usd, self.payout_usd
        kept = np.maximum(self.brand_usd, 0.0).sum(axis=1)
        state.capacity_revenue_usd[:] = self.fee_usd.sum(axis=1) + kept

    def _judge(self, rent: Floats) -> None:
        """Count quarters in which standing alone does not pay."""
        state, n = self.state, len(self.members)
        booked = np.take(state.booked_rent_usd_per_h100e_hour, self.members, axis=1)
        running = (1 - self.value("capex.rental_margin"))[:, None] * rent
        contracted = 1 - np.repeat(1 / self.value("finance.contract_quarters")[:, None], n, axis=1)
        over, self.losing = exits(
            np.repeat(state.rent_usd_per_h100e_hour[:, :1], n, axis=1), running, contracted, booked, self.losing,
            QUARTERS_PER_YEAR, np.take(state.loan_rate_per_year, self.members, axis=1), self.returns[:, :, INDEPENDENT],
        )  # fmt: skip
        self.gave_up = over & (self.regime == INDEPENDENT)

    @recorded(
        Variable(
            "cloud_regime_share",
            "share",
            END,
            "Cloud Regime Share",
            "Share of a GPU cloud's fleet that runs alone, under a guarantee, or for another brand",
            entity="operators",
            detail="ways to operate",
        ),
        Variable(
            "cloud_regime_return",
            "1/year",
            MEAN,
            "Cloud Regime Return",
            "Yearly return that GPU clouds expect of a way to operate",
            entity="gpu clouds",
            detail="ways to operate",
            single=True,
        ),
        Variable(
            "floor_guarantees_usd",
            "USD",
            END,
            "Floor Guarantees",
            "What guarantees of cloud revenue may still cost the leader",
            entity="the leader",
            single=True,
        ),
        Variable(
            "partnership_cash_usd",
            "USD",
            SUM,
            "Partnership Cash",
            "Shares above floors, payments on floors and brand margins of the leader",
            entity="the leader",
            detail="kinds of payment",
            single=True,
        ),
    )
    def record(self) -> None:
        """Record how clouds operate, what each way returns, and what guarantees and brands bring the leader."""
        keep = self.market.recorder.add
        alone = 1 - self.backed - self.white
        shares = np.stack([alone, self.backed, self.white], axis=2)
        keep("cloud_regime_share", shares, entity=self.names, detail=REGIMES)
        keep("cloud_regime_return", self.returns.mean(axis=1), entity="gpu_clouds", detail=REGIMES)
        keep("floor_guarantees_usd", self.guaranteed_usd.sum(axis=1), entity=self.world.leader)
        flows = np.stack(
            [flow.sum(axis=1) for flow in (self.fee_usd, self.payout_usd, self.brand_usd)], axis=1
        )
        keep("partnership_cash_usd", flows, entity=self.world.leader, detail=("share", "floor", "brand"))


def _blend(old: Floats, old_usd: Floats, new: Floats, new_usd: Floats) -> Floats:
    """Return the mean of two amounts by the shares that they hold for; nothing where there is none."""
    total = old + new
    return np.where(total > LEAST, (old * old_usd + new * new_usd) / np.maximum(total, LEAST), 0.0)
