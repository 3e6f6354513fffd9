"""The market for accelerator-hours and tokens: fleets serve, one rent clears each token market."""

import numpy as np

from computemarket.model.core.arrays import Floats, over_holders, weighted_sum
from computemarket.model.core.calendar import (
    HOURS_PER_QUARTER,
    QUARTERS_PER_YEAR,
    quarters_since_start,
)
from computemarket.model.market import ComputeMarket
from computemarket.model.markets.user_cost import spread_usd_per_hour
from computemarket.model.mechanisms.buyers.demand import bass_step, spending_with_ceiling
from computemarket.model.mechanisms.operators.investment import learned_growth_ln
from computemarket.model.mechanisms.operators.rental import HourDemand, clear_hours
from computemarket.model.mechanisms.vendors.tiers import logit_menu_shares
from computemarket.model.world.world import TIERS, TOKEN_MARKETS

WEST, CHINA = (TOKEN_MARKETS.index(name) for name in ("west", "china"))
MOST_USED_FROM_ABROAD = 0.5  # share of western capacity: a market is never emptied
SECONDS_PER_HOUR = 3600.0
TOKENS_PER_MTOK = 1e6
LEAST_REALISED_USD = 1.0  # where nothing is sold growth has no logarithm
LEAST_RENT_USD = 0.01  # per H100e-hour: keeps prices positive where a fleet costs nothing
START = quarters_since_start("2023Q1")  # when paid use is first counted


def grow_use(market: ComputeMarket) -> None:
    """Let adoption spread and use per adopter grow: yearly spending at the prices of 2023Q1 before elasticity.

    Adoption follows Bass from 2023Q1 on; use per adopter grows at a rate that fades as tasks are automated.
    """
    state, quarters = market.state, market.quarter - START
    if quarters <= 0:
        state.adoption[:] = market.value("tokens.adopted_2023")
        state.use_usd[:] = market.value("tokens.spend_2023_usd_bn") * 1e9
        if quarters < 0:
            state.use_usd *= market.value("tokens.spend_before_share")
        return
    before = state.adoption.copy()
    state.adoption[:] = bass_step(before, market.value("tokens.bass_p"), market.value("tokens.bass_q"))
    state.use_growth_left *= np.exp(-1 / market.value("tokens.growth_fade_quarters"))
    growth = np.log1p(market.value("tokens.use_growth")) * state.use_growth_left
    noise = market.value("tokens.noise_sd") * market.draws["tokens.use"][:, market.quarter, 0]
    state.use_usd *= state.adoption / before * np.exp(growth + noise)


def serve(market: ComputeMarket) -> None:
    """Clear the hours of each token market and book what was served."""
    state = market.state
    fleets = fleets_by_market(market)  # (R, M, P)
    state.standing_units[:] = fleets
    up = np.minimum(market.value("hours.availability") * state.availability_factor, 1.0)
    state.capacity_h100e[:] = weighted_sum(fleets, market.state.work[:, None, :]) * up[:, None]
    abroad = np.minimum(state.used_abroad_h100e, MOST_USED_FROM_ABROAD * state.capacity_h100e[:, WEST])
    state.capacity_h100e[:, WEST] -= abroad
    state.capacity_h100e[:, CHINA] += abroad
    reference = reference_rent_usd(market)
    tokens_per_s = tokens_per_h100e_s(market, fleets)  # (R, M, K)
    price = tier_prices_usd(market, reference, tokens_per_s)
    usual = menu_shares(market, price)
    state.menu_share[:] = usual[:, WEST]
    shares = usual * state.tier_tilt[:, None, :]
    wanted = tokens_wanted(market, price, shares)  # (R, M, K) at the reference rent
    serving_hours = wanted / (tokens_per_s * SECONDS_PER_HOUR)
    capacity_h = state.capacity_h100e * HOURS_PER_QUARTER
    other = other_hours(market, reference)  # (R, M, 2) training, captive
    demand = HourDemand(np.concatenate([serving_hours, other], axis=2), elasticities(market), reference)
    floor, slope, curvature = rent_curve(market, reference)
    utilisation, rent = clear_hours(demand, capacity_h, floor, slope, curvature)
    book(market, demand.at(rent), utilisation, rent, capacity_h, reference, price, tokens_per_s)


def fleets_by_market(market: ComputeMarket) -> Floats:
    """Return (R, M, P) accelerators by the token market in which they stand."""
    return over_holders(market.state.fleet_units, market.structure.host_market.T)


def reference_rent_usd(market: ComputeMarket) -> Floats:
    """Return (R, M) the rent per H100e-hour that pays for a new accelerator at normal utilisation, with a margin."""
    state = market.state
    cost = state.hour_cost_usd + spread_usd_per_hour(market)
    weight = market.state.work_h100e + 1.0
    host = market.structure.host_market
    parts = []
    for m in range(len(TOKEN_MARKETS)):
        share = weight * host[:, m]
        parts.append((cost * share).sum(axis=1) / share.sum(axis=1))
    mean = np.stack(parts, axis=1)
    asked = mean * (1 + market.value("hours.margin_over_cost")[:, None])
    return np.maximum(asked / market.value("hours.normal_utilisation")[:, None], LEAST_RENT_USD)


def rent_curve(market: ComputeMarket, reference: Floats) -> tuple[Floats, Floats, Floats]:
    """Return floor, slope and curvature of the asked rent; at normal utilisation it is the reference."""
    normal = market.value("hours.normal_utilisation")[:, None]
    curvature = market.value("hours.curvature")[:, None]
    floor = market.value("hours.floor_share")[:, None] * reference
    slope = (reference - floor) / (normal / (1 - normal)) ** curvature
    return floor, slope, curvature


def tokens_per_h100e_s(market: ComputeMarket, fleets: Floats) -> Floats:
    """Return (R, M, K) tokens a second per H100e at each tier, weighted to the accelerators that are good at it."""
    rates = market.rates
    tokens_per_s = (
        rates.tokens_per_s * rates.maturity[:, market.quarter, None]
    )  # (P, K) as software is by now
    per_h100e = tokens_per_s / rates.h100e[:, None]
    gain = np.exp(market.state.token_efficiency_ln)[:, None]
    unfit = market.value("tokens.unfit_fleet_ratio")[:, None]
    out = np.empty((*fleets.shape[:2], len(TIERS)))
    fleets = fleets * (market.state.work / market.nominal_work)[:, None, :]  # as much as still does its work
    for k in range(len(TIERS)):
        weight = fleets * tokens_per_s[:, k]
        out[:, :, k] = weighted_sum(weight, per_h100e[:, k]) / np.maximum(weight.sum(axis=2), 1e-9)
        out[:, :, k] = np.maximum(out[:, :, k], market.structure.best_rate[k] / unfit) * gain
    # What keeps the speed of a fast tier keeps that of a slower one as well.
    out = np.ascontiguousarray(np.maximum.accumulate(out[:, :, ::-1], axis=2)[:, :, ::-1])
    reached = market.value("tokens.serving_share")[:, None] * market.state.request_factor
    return out * reached[:, None, :]


def tier_prices_usd(market: ComputeMarket, rent: Floats, tokens_per_s: Floats) -> Floats:
    """Return (R, M, K) USD per million tokens: the cost of the hours times a markup that rivals erode."""
    cost = rent[:, :, None] / (tokens_per_s * SECONDS_PER_HOUR) * TOKENS_PER_MTOK
    markup = market.state.token_markup * market.state.markup_factor
    return cost * markup[:, None, None]


def menu_shares(market: ComputeMarket, price: Floats) -> Floats:
    """Return (R, M, K) the shares of use by tier: users choose by their taste for speed."""
    shown = price.copy()
    shown[:, :, 0] = market.value("tokens.free_attention_usd")[:, None]
    return logit_menu_shares(
        shown,
        market.structure.tier_speed,
        market.value("tokens.taste_ln_mean"),
        market.value("tokens.taste_ln_sd"),
        market.value("tokens.speed_exponent"),
        market.value("tokens.alpha"),
        market.structure.type_quantiles,
    )


def tokens_wanted(market: ComputeMarket, price: Floats, shares: Floats) -> Floats:
    """Return (R, M, K) tokens wanted: paid ones by adoption, use and price, free ones beside them."""
    state = market.state
    paid = shares[:, :, 1:]
    paid_share = paid.sum(axis=2)
    mean_price = weighted_sum(paid, price[:, :, 1:]) / np.maximum(paid_share, 1e-12)
    if market.quarter <= START:
        state.first_price_usd[:] = mean_price
    eps = market.value("tokens.elasticity")[:, None]
    size = np.stack([np.ones(len(market.runs)), market.value("tokens.china_size")], axis=1)
    raw = (
        (state.use_usd * state.use_factor)[:, None] * size * (mean_price / state.first_price_usd) ** (1 - eps)
    )
    wages = market.value("tokens.addressable_usd_bn") * 1e9 / QUARTERS_PER_YEAR * state.wage_growth
    ceiling = wages[:, None] * size
    spend = spending_with_ceiling(raw, ceiling)
    paid_tokens = (
        (spend / mean_price * TOKENS_PER_MTOK)[:, :, None] * paid / np.maximum(paid_share, 1e-12)[:, :, None]
    )
    free_ratio = market.value("tokens.free_ratio")[:, None] * shares[:, :, 0] / np.maximum(paid_share, 1e-12)
    free = paid_tokens.sum(axis=2) * free_ratio
    return np.concatenate([free[:, :, None], paid_tokens], axis=2)


def other_hours(market: ComputeMarket, reference: Floats) -> Floats:
    """Return (R, M, 2) hours wanted at the reference rent for training and for captive use.

    Both are budgets in dollars: training is a share of the AI revenue that builders believe in, a share that falls as
    the industry turns from making models to running them (M30); captive use (advertising, recommendation, science)
    grows by itself. Robots' hours of training and simulation count with it.
    """
    state = market.state
    start, end = market.value("hours.training_budget_2022"), market.value("hours.training_budget_long_run")
    middle, speed = market.value("hours.training_shift_quarter"), market.value("hours.training_shift_speed")
    share = end + (start - end) / (1 + np.exp(speed * (market.quarter - middle)))
    share = share / (1 / (1 + np.exp(-speed * middle)))
    belief = np.exp(state.belief_ln_usd).mean(axis=1)
    training = share * belief * state.funding_ratio
    budgets = np.stack([training, state.captive_usd_per_year], axis=1) / QUARTERS_PER_YEAR  # (R, 2) USD
    where = state.work_by_market / state.work_by_market.sum(axis=1, keepdims=True)  # (R, M)
    hours: Floats = where[:, :, None] * budgets[:, None, :] / reference[:, :, None]
    hours[:, :, 1] += state.robot_hours_h100e
    return hours


def elasticities(market: ComputeMarket) -> Floats:
    """Return (R, 1, K+2) the rent elasticity of hours by use."""
    eps = market.value("tokens.elasticity")
    training, captive = market.value("hours.training_elasticity"), market.value("hours.captive_elasticity")
    columns = [eps] * len(TIERS) + [training, captive]
    return np.stack(columns, axis=1)[:, None, :]


def book(
    market: ComputeMarket, hours: Floats, utilisation: Floats, rent: Floats, capacity_h: Floats,
    reference: Floats, price: Floats, tokens_per_s: Floats,
) -> None:  # fmt: skip
    """Write down what was served, at which prices, and what it taught."""
    state = market.state
    served = np.minimum(1.0, utilisation * capacity_h / np.maximum(hours.sum(axis=2), 1e-9))
    given = hours * served[:, :, None]
    kinds = len(TIERS)
    state.token_hours_h100e[:] = given[:, :, :kinds]
    state.training_hours_h100e[:] = given[:, :, kinds]
    state.captive_hours_h100e[:] = given[:, :, kinds + 1]
    state.tokens[:] = state.token_hours_h100e * tokens_per_s * SECONDS_PER_HOUR
    state.unmet_tokens[:] = hours[:, :, :kinds] * (1 - served[:, :, None]) * tokens_per_s * SECONDS_PER_HOUR
    scarce = (rent / reference)[:, :, None]
    state.token_price_usd_per_mtok[:] = price * scarce
    state.token_price_usd_per_mtok[:, :, 0] = 0.0
    revenue = weighted_sum(state.tokens, state.token_price_usd_per_mtok) / TOKENS_PER_MTOK
    state.token_revenue_usd[:] = revenue
    state.utilisation[:] = utilisation
    state.rent_usd_per_h100e_hour[:] = rent
    weight = market.value("hours.contract_weight")[:, None]
    pull = market.value("hours.contract_scarcity")[:, None]
    middle = reference * (rent / reference) ** pull
    last = np.where(market.quarter == 0, middle, state.contract_rent_usd_per_h100e_hour)
    state.contract_rent_usd_per_h100e_hour[:] = last ** (1 - weight) * middle**weight
    total = given.sum(axis=2)
    state.inference_share[:] = 1 - state.training_hours_h100e / np.maximum(total, 1e-9)
    learn(market, revenue, rent)


def learn(market: ComputeMarket, revenue: Floats, rent: Floats) -> None:
    """Update the realised yearly AI revenue, with own and training hours at their rent, and its expected growth."""
    state = market.state
    other = ((state.captive_hours_h100e + state.training_hours_h100e) * rent).sum(axis=1)
    realised = np.maximum(QUARTERS_PER_YEAR * (revenue.sum(axis=1) + other), LEAST_REALISED_USD)
    if market.quarter > 0:
        state.realised_growth[:] = learned_growth_ln(
            state.realised_growth,
            np.log(realised),
            np.log(state.realised_revenue_usd),
            market.value("capex.growth_gain"),
        )
    state.realised_revenue_usd[:] = realised
