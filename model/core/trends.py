"""Trends that run on from quarter to quarter: what rates of growth, learning and erosion have done so far.

A rate acts from its date on. Each level here is a state that moves by the rate in force in the quarter, so that a rate
that changes in one year leaves what earlier years did as it was.
"""

import numpy as np

from computemarket.model.core.calendar import QUARTERS_PER_YEAR, quarters_since_start
from computemarket.model.market import ComputeMarket
from computemarket.model.mechanisms.operators.investment import grown

REFERENCE = quarters_since_start("2026Q1")  # the quarter whose reference models the hardware table prices
FIRST_PAID = quarters_since_start("2023Q1")  # from when on rivals erode the markup on tokens
A_QUARTER = 1 / QUARTERS_PER_YEAR  # in years


def follow_trends(market: ComputeMarket) -> None:
    """Move every trend on by the quarter; in the first quarter set where it starts.

    Writes card_budget_share, captive_usd_per_year, token_markup, token_efficiency_ln,
    capability_ln, wage_growth, porting_left, business_growth and business_growth_ln.
    """
    if market.quarter == 0:
        _start(market)
        return
    _follow_chips(market)
    _follow_tokens(market)
    _follow_businesses(market)


def renew_rates(market: ComputeMarket) -> None:
    """Take up the tables of hardware that hold from this quarter on, for products that come out from now on.

    A table is of a product's launch: what stands already draws and does what it did.
    """
    for quarter, rates in market.rates_to_come:
        if quarter == market.quarter:
            market.rates = rates


def _start(market: ComputeMarket) -> None:
    """Set the levels of the first quarter; some are known of a later one and carried back."""
    state, value, operators = market.state, market.value, market.world.operators
    state.card_budget_share[:] = value("chips.card_share")
    state.captive_usd_per_year[:] = value("hours.captive_2022_usd_bn") * 1e9
    state.token_markup[:] = value("tokens.markup_2023")
    state.token_efficiency_ln[:] = -value("tokens.efficiency_growth_ln") * REFERENCE * A_QUARTER
    state.wage_growth[:] = 1.0
    until = operators.custom_start * A_QUARTER  # (H,) years until own silicon can be deployed
    state.porting_left[:] = np.exp(value("custom.porting_learning")[:, None] * until)
    state.business_growth[:] = 1.0
    state.business_growth_ln[:] = np.log1p(operators.cash_flow_growth)


def _follow_chips(market: ComputeMarket) -> None:
    """Let budgets for cards fade, and owners learn to port to their own chips."""
    state, value = market.state, market.value
    state.card_budget_share *= np.exp(-value("chips.card_fade") * A_QUARTER)
    state.porting_left *= np.exp(-value("custom.porting_learning") * A_QUARTER)[:, None]


def _follow_tokens(market: ComputeMarket) -> None:
    """Let captive use and the wage bill grow, models get leaner, and rivals erode the markup towards its end.

    Captive use grows by a rate that falls with its age, g / (1 + f t)^2, the derivative of g t / (1 + f t).
    """
    state, value = market.state, market.value
    now, before = market.quarter * A_QUARTER, (market.quarter - 1) * A_QUARTER
    fade = value("hours.captive_fade")
    aged = now / (1 + fade * now) - before / (1 + fade * before)
    state.captive_usd_per_year *= np.exp(np.log1p(value("hours.captive_growth")) * aged)
    state.token_efficiency_ln += value("tokens.efficiency_growth_ln") * A_QUARTER
    state.capability_ln += value("tokens.capability_growth_ln") * A_QUARTER
    state.wage_growth *= (1 + value("tokens.wage_growth")) ** A_QUARTER
    if market.quarter > FIRST_PAID:
        gap = value("tokens.markup_long_run") - state.token_markup
        state.token_markup += gap * -np.expm1(-value("tokens.markup_erosion"))


def _follow_businesses(market: ComputeMarket) -> None:
    """Let the businesses of operators that are not AI grow; growth beyond what lasts fades."""
    state = market.state
    lasting = market.value("capex.lasting_growth")[:, None]
    fade = market.value("capex.growth_fade")[:, None]
    rate = state.business_growth_ln
    state.business_growth *= grown(np.expm1(rate), lasting, fade, A_QUARTER)
    lasts = np.minimum(rate, np.log1p(lasting))
    state.business_growth_ln[:] = lasts + (rate - lasts) * np.exp(-fade * A_QUARTER)
