"""Vendors: who designs and sells accelerators, and what they ask."""

import numpy as np

from computemarket.model.actor import Actor
from computemarket.model.core.arrays import Floats
from computemarket.model.core.calendar import HOURS_PER_YEAR
from computemarket.model.market import ComputeMarket
from computemarket.model.mechanisms.vendors.learning import wright_cost
from computemarket.model.mechanisms.vendors.pricing import (
    break_even_price_usd,
    lerner_price,
    own_price_elasticity,
    posted_price,
)

LEAST_RENT_USD = 0.05  # per H100e-hour: no vendor expects compute to earn less


class Vendor(Actor):
    """Sells its products at posted prices that move towards the markup its share allows."""

    def __init__(self, market: ComputeMarket, name: str) -> None:
        super().__init__(market, name)
        self.slot = market.world.vendor(name)
        products = market.world.products
        self.products = np.flatnonzero(products.vendor == self.slot)
        state = market.state
        agreed = market.differences.agreed_price_factor[:, self.products]
        listed = products.price_usd[self.products] * agreed
        state.list_price_usd[:, self.products] = state.price_usd[:, self.products] = listed
        state.unit_cost_usd[:, self.products] = products.unit_cost_usd[self.products]

    def launch(self) -> None:
        """Bring costs down the learning curve; memory prices pass through."""
        state, mine = self.state, self.products
        given = self.world.products.unit_cost_usd[mine]
        first = self.value("chips.learning_first_units")[:, None]
        rate = self.value("chips.learning_rate")[:, None]
        state.unit_cost_usd[:, mine] = wright_cost(given, state.sold_units[:, mine], first, rate)

    def price(self) -> None:
        """Post list prices: the Lerner markup, at most what the chip earns for its buyer, moved part of the way."""
        state, mine = self.state, self.products
        elasticity = own_price_elasticity(
            self.value("chips.alpha"), state.vendor_share[:, self.slot], self.value("chips.eta")
        )
        cost = state.unit_cost_usd[:, mine]
        target = lerner_price(cost, elasticity[:, None], self.break_even_usd())
        floor = state.unit_cost_usd[:, mine] * (1 + self.value("chips.least_markup")[:, None])
        target = np.maximum(target, floor)
        weight = self.value("chips.price_weight")[:, None] * (self.world.products.launch[mine] < self.quarter)
        state.list_price_usd[:, mine] = posted_price(state.list_price_usd[:, mine], target, weight)

    def break_even_usd(self) -> Floats:
        """Return the (R, n) break-even prices of this vendor's products at last quarter's rents."""
        state, mine = self.state, self.products
        rates, products = self.market.rates, self.world.products
        rent = (
            np.maximum(state.contract_rent_usd_per_h100e_hour[:, :1], LEAST_RENT_USD)
            * self.state.work[:, mine]
        )
        power_usd = rates.power_kw[mine] / 1000 * self.value("power.price_usd_per_mwh")[:, None]
        shell = self.value("capex.shell_usd_per_mw")[:, None] * rates.power_kw[mine] / 1000
        content = 1 + products.network_content[mine] + products.system_content[mine]
        return break_even_price_usd(
            rent,
            self.value("chips.expected_utilisation")[:, None],
            power_usd,
            shell,
            HOURS_PER_YEAR,
            self.value("chips.rent_decline")[:, None],
            self.value("capex.discount_rate")[:, None],
            self.value("chips.life_years")[:, None],
            content,
        )


class DesignPartner(Vendor):
    """Makes custom silicon for its owner at a negotiated margin."""

    def price(self) -> None:
        """Ask cost plus the partner's margin: the owner can take the design elsewhere."""
        state, mine = self.state, self.products
        target = state.unit_cost_usd[:, mine] / (1 - self.value("chips.partner_margin")[:, None])
        weight = self.value("chips.price_weight")[:, None] * (self.world.products.launch[mine] < self.quarter)
        state.list_price_usd[:, mine] = posted_price(state.list_price_usd[:, mine], target, weight)


def ask_prices(market: ComputeMarket) -> None:
    """Set what buyers pay, list price x (1 - cut): a vendor cuts where that keeps entrants out."""
    state = market.state
    state.price_usd[:] = state.list_price_usd * (1 - state.price_cut)
