"""Futures on accelerator-hours: the forward curve, the price of hedging, and what hedges are to lenders (M17)."""

import numpy as np

from computemarket.model.actor import Actor
from computemarket.model.core.arrays import Floats
from computemarket.model.core.calendar import HOURS_PER_QUARTER, quarters_since_start
from computemarket.model.core.recorded import MEAN, Variable, recorded
from computemarket.model.market import ComputeMarket
from computemarket.model.markets.settlement import account_slice
from computemarket.model.mechanisms.finance.auction import hedged_forward_price, hedged_share, settlement_usd
from computemarket.model.mechanisms.operators.rental import forward_prices, split_price

FIRST = quarters_since_start("2026Q1")
TENORS = np.array([1.0, 2.0, 4.0, 8.0])  # quarters ahead
NEXT = 0  # place of the next quarter in TENORS
LEAST_RENT_USD = 1e-3


class FuturesMarket(Actor):
    """Prices hours ahead from two factors of the spot rent, and lets clouds and labs hedge with speculators.

    Clouds sell what they expect to rent out, labs buy what they expect to use, both as far as the market reaches and as
    the premium is worth to them; speculators take the rest at a premium. Positions of a quarter settle in cash at the
    next spot rent. Lenders give more against rent that is hedged.
    """

    def __init__(self, market: ComputeMarket) -> None:
        super().__init__(market, "futures")
        runs = len(market.runs)
        products = market.world.products
        mine = market.structure.of_leader & market.structure.flagship & products.merchant
        self.launches = np.sort(products.launch[mine & (products.packages_per_wafer > 0)])
        self.short_ln, self.long_ln = np.zeros(runs), np.zeros(runs)
        self.curve_usd = np.full((runs, len(TENORS)), np.nan)
        self.reach = np.zeros(runs)
        self.forward_usd, self.premium_usd = np.zeros(runs), np.zeros(runs)  # for the next quarter
        self.hedged, self.labs_hedged = np.zeros(runs), np.zeros(runs)  # shares of rented hours
        self.sold_h, self.bought_h = np.zeros(runs), np.zeros(runs)
        self.due_usd = np.zeros(runs)  # what clouds get this quarter from hedges of the last one
        self.labs_due_usd = np.zeros((runs, len(market.labs.ids)))

    def listed(self) -> Floats:
        """Return (R,) 1 where futures trade this quarter."""
        from_quarter = np.maximum(np.rint(self.value("rental.futures_listed_quarter")), FIRST)
        return (from_quarter <= self.quarter).astype(np.float64)

    def price(self) -> None:
        """Let lenders count hedged rent: more is lent per dollar, up to the usual loan to value."""
        if self.quarter < FIRST or not self.hedged.any():
            return
        more = 1 + self.value("rental.hedge_lending") * self.hedged
        slots = self.market.structure.gpu_clouds
        most = self.value("finance.most_loan_to_value")[:, None]
        now = np.take(self.state.loan_share, slots, axis=1)
        self.state.loan_share[:, slots] = np.maximum(now, np.minimum(now * more[:, None], most))

    def invest(self) -> None:
        """Settle last quarter's positions at today's spot, draw the curve anew, and hedge the next quarter."""
        if self.quarter < FIRST:
            return
        spot = np.maximum(self.state.rent_usd_per_h100e_hour[:, 0], LEAST_RENT_USD)
        started = float((self.launches == self.quarter).sum())
        drift, jump = self.value("rental.drift_ln"), self.value("rental.launch_jump_ln")
        before = self.long_ln if self.quarter > FIRST else np.log(spot) - drift - jump * started
        self.short_ln, self.long_ln = split_price(
            np.log(spot), before, drift, started, jump, self.value("rental.level_gain")
        )
        sds = self.value("rental.short_sd_ln"), self.value("rental.long_sd_ln")
        due = np.array(
            [((self.launches > self.quarter) & (self.launches <= self.quarter + t)).sum() for t in TENORS]
        )
        self.curve_usd = forward_prices(
            self.short_ln, self.long_ln, TENORS, self.value("rental.reversion"), drift, due, jump,
            self.value("rental.risk_premium_ln"), *sds,
        )  # fmt: skip
        self._settle_positions(spot)
        self._hedge(np.sqrt(sds[0] ** 2 + sds[1] ** 2))

    def _settle_positions(self, spot: Floats) -> None:
        """Fix what the positions taken a quarter ago bring: what clouds lose labs and speculators win."""
        self.due_usd = -settlement_usd(self.sold_h, self.forward_usd, spot)
        labs = self._lab_h()
        part = labs / np.maximum(labs.sum(axis=1, keepdims=True), 1e-9)
        self.labs_due_usd = settlement_usd(self.bought_h, self.forward_usd, spot)[:, None] * part

    def _hedge(self, sd_ln: Floats) -> None:
        """Let hedgers and speculators meet for the next quarter; the premium is where what they want adds up.

        Each side hedges the share 1 - premium/(A sd^2 X) of its hours X, buyers with the premium's other sign; with
        speculators' price of risk c = A_s sd^2/n that is linear in the premium.
        """
        listed = self.listed()
        gap = self.value("rental.futures_reach") - self.reach
        self.reach = (self.reach + self.value("rental.futures_speed") * gap) * listed
        expected = self.curve_usd[:, NEXT]
        sd = expected * sd_ln
        rented = self._rented_h().sum(axis=1)
        offered, wanted = self.reach * rented, self.reach * np.minimum(self._lab_h().sum(axis=1), rented)
        aversion = self.value("rental.hedger_risk_aversion")
        worth = np.maximum(aversion * sd**2 * rented, 1e-12)  # premium at which nobody hedges
        count, bold = self.value("rental.speculator_number"), self.value("rental.speculator_risk_aversion")
        price_of_risk = bold * sd**2 / count
        premium = price_of_risk * (offered - wanted) / (1 + price_of_risk * (offered + wanted) / worth)
        self.hedged = hedged_share(aversion, rented, sd, premium) * self.reach
        self.state.hedged_share[:] = self.hedged
        self.sold_h = self.hedged * rented
        self.bought_h = hedged_share(aversion, rented, sd, -premium) * wanted
        self.forward_usd = hedged_forward_price(expected, self.sold_h, self.bought_h, sd, count, bold)
        self.premium_usd = expected - self.forward_usd

    def _rented_h(self) -> Floats:
        """Return (R, H) western hours that each operator lets."""
        out = self.world.operators.rented_out_share * self.market.structure.host_market[:, 0]
        return self.state.work_h100e * out * self.state.utilisation[:, :1] * HOURS_PER_QUARTER

    def _lab_h(self) -> Floats:
        """Return (R, L) hours that western labs use."""
        return self.state.lab_compute_hours_h100e * (self.market.labs.token_market == 0)

    def settle(self) -> None:
        """Pay what positions brought: clouds and labs against speculators."""
        if self.quarter < FIRST:
            return
        state, ledger = self.state, self.market.ledger
        rent = state.rental_revenue_usd
        part = rent / np.maximum(rent.sum(axis=1, keepdims=True), 1.0)
        operators = account_slice(self.market, self.world.operators.ids)
        ledger.receive_each("investors", operators, self.due_usd[:, None] * part, "hedges of clouds")
        for slot, name in enumerate(self.market.labs.ids):
            ledger.pay("investors", f"{name}_lab", self.labs_due_usd[:, slot], "hedges of labs")

    @recorded(
        Variable(
            "forward_rent_usd_per_h100e_hour",
            "USD/h",
            MEAN,
            "Forward Rent",
            "Rent of an H100-equivalent hour agreed today for a later quarter",
            detail="tenors",
        ),
        Variable(
            "hedging_premium_usd_per_h100e_hour",
            "USD/h",
            MEAN,
            "Hedging Premium",
            "What a hedge costs above the rent expected",
            entity="clouds",
        ),
        Variable(
            "hedged_rent_share",
            "share",
            MEAN,
            "Rent Hedged",
            "Share of rented hours whose price is hedged",
            entity="clouds",
        ),
    )
    def record(self) -> None:
        """Record the forward curve, the premium of hedgers, and the share of rent that is hedged."""
        keep = self.market.recorder.add
        listed = self.listed()[:, None] > 0
        tenors = tuple(f"{int(tenor)}_quarters" for tenor in TENORS)
        keep(
            "forward_rent_usd_per_h100e_hour",
            np.where(listed, self.curve_usd, np.nan),
            detail=tenors,
        )
        keep("hedging_premium_usd_per_h100e_hour", self.premium_usd, entity="clouds")
        keep("hedged_rent_share", self.hedged, entity="clouds")
