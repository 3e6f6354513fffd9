"""What an hour of an accelerator costs who runs it: capital, shell, power and upkeep (the user cost of capital).

Rents, the choice of chips and plans to build all start from it, so that dearer power, money or buildings reach the
price of tokens, the chips that are bought and how many. Source: Jorgenson 1963; capital recovery as in `hardware.cost`.
"""

import numpy as np

from computemarket.model.core.arrays import Floats
from computemarket.model.hardware.economics.cost import (
    HOURS_PER_YEAR,
    Terms,
    accelerator_hour_cost,
    capital_recovery_factor,
)
from computemarket.model.market import ComputeMarket

EVERY = slice(None)
AT_THE_METER = 1.0  # the market counts sites by their power at the meter, so nothing is left to take off


def system_price_usd(market: ComputeMarket) -> Floats:
    """Return (R, P) what an accelerator costs with its networking, boards and rack, without a place to stand."""
    products = market.world.products
    return market.state.price_usd * (1 + products.network_content + products.system_content)


def all_in_cost_usd(market: ComputeMarket) -> Floats:
    """Return (R, P) what an accelerator costs its buyer in place: price with content, shell and power connection."""
    shell = market.value("capex.shell_usd_per_mw")[:, None] * market.rates.power_kw / 1000
    return system_price_usd(market) + shell


def hour_cost_usd(market: ComputeMarket) -> Floats:
    """Return (R, P) the levelised cost of an hour of the clock of an accelerator, at the usual cost of capital."""
    terms = Terms(
        discount_rate=market.value("capex.discount_rate")[:, None],
        accelerator_life=market.value("chips.life_years")[:, None],
        shell_life=market.value("hardware.shell_life")[:, None],
        shell_cost=market.value("capex.shell_usd_per_mw")[:, None],
        pue=AT_THE_METER,
        electricity_price=market.value("power.price_usd_per_mwh")[:, None],
        other_opex_share=market.value("hardware.other_opex_share")[:, None],
    )
    return accelerator_hour_cost(system_price_usd(market), market.rates.power_kw, terms).total


def spread_usd_per_hour(market: ComputeMarket, operators: slice = EVERY) -> Floats:
    """Return (R, H) what dearer or cheaper loans than usual capital add to an H100e-hour of some operators.

    Loans pay for the part of an accelerator that lenders finance, at the rate of the last quarter; owners' money costs
    what it usually does. Operators without loans of their own pay what is usual.
    """
    state = market.state
    usual = market.value("capex.discount_rate")[:, None]
    life = market.value("chips.life_years")[:, None]
    rate = state.loan_rate_per_year[:, operators]
    lent = np.where(rate > 0, np.minimum(state.loan_share[:, operators], 1.0), 0.0)
    mean = lent * rate + (1 - lent) * usual
    extra = capital_recovery_factor(mean, life) - capital_recovery_factor(usual, life)
    return state.cost_per_h100e_usd[:, operators] * extra / HOURS_PER_YEAR
