"""The market for accelerator-hours and tokens: fleets serve, one rent clears each token market."""

import numpy as np

from computemarket.model.core.arrays import Bools, Floats, Ints, over_holders, weighted_sum
from computemarket.model.core.calendar import (
    HOURS_PER_QUARTER,
    HOURS_PER_YEAR,
    QUARTERS_PER_YEAR,
    quarters_since_start,
)
from computemarket.model.market import ComputeMarket
from computemarket.model.markets.user_cost import spread_usd_per_hour, system_price_usd
from computemarket.model.mechanisms.buyers.demand import bass_step, spending_with_ceiling
from computemarket.model.mechanisms.labs.training import training_budget_usd
from computemarket.model.mechanisms.operators.hours_by_use import (
    Assignment,
    Fleets,
    Wants,
    assign,
    clear_uses,
)
from computemarket.model.mechanisms.operators.investment import learned_growth_ln
from computemarket.model.mechanisms.vendors.tiers import logit_menu_shares
from computemarket.model.world.world import TIERS, TOKEN_MARKETS, USES

WEST, CHINA = (TOKEN_MARKETS.index(name) for name in ("west", "china"))
MOST_USED_FROM_ABROAD = 0.5  # share of western capacity: a market is never emptied
SECONDS_PER_HOUR = 3600.0
USD_PER_BN = 1e9
TOKENS_PER_MTOK = 1e6
LEAST_REALISED_USD = 1.0  # where nothing is sold growth has no logarithm
LEAST_HOURS = 1e-9  # where nothing stands
LEAST_WANTED = 1e-9  # use units: keeps logarithms of what nobody wants
FIRST_ROUNDS = 4  # of the first quarter, which has no prices to start from
LEAST_USUAL = 0.05  # an accelerator that is never let has no rent that pays for it
LEAST_MARGIN = (
    0.01  # sellers of tokens who earn nothing would train nothing, and nobody could say by how much
)
LEAST_RENT_USD = 0.01  # per H100e-hour: keeps prices positive where a fleet costs nothing
MOST_BELIEVED_LN = np.log(
    1e16
)  # USD a year, a hundred times the world's product: keeps extreme worlds finite
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
    """Clear the hours of each token market by use, and book what was served.

    Wishes are formed at the prices of the last quarter; the prices of uses then clear hours by use and generation.
    """
    state = market.state
    hours = let_hours(market)
    state.standing_units[:] = fleets_by_market(market)
    state.capacity_h100e[:] = weighted_sum(hours, state.work[:, None, :]) / HOURS_PER_QUARTER
    offered, place, entry = offer(market, hours)
    served = offered.serves()  # (R, M, U)
    last = entry if market.quarter == 0 else np.where(served, state.use_price_usd, entry)
    wants = wishes(market, last, served)
    spread, idle = (market.value(f"hours.{name}") for name in ("use_spread", "idle_spread"))
    price = last
    for _ in range(1 if market.quarter > 0 else FIRST_ROUNDS):
        price = clear_uses(offered, wants, price, spread, idle)
    state.use_price_usd[:] = price
    book(market, offered, assign(offered, price, spread, idle), place)


def wishes(market: ComputeMarket, price: Floats, served: Bools) -> Wants:
    """Return what is wanted of each use at its price (R, M, U); of tiers only those that some fleet serves."""
    per_unit = tokens_per_rated(market)  # (R, K)
    shown = token_prices_usd(market, price, per_unit)
    usual = menu_shares(market, np.where(served[:, :, : len(TIERS)], shown, np.inf))
    market.state.menu_share[:] = usual[:, WEST]
    shares = usual * market.state.tier_tilt[:, None, :]
    wanted = tokens_wanted(market, shown, shares, free_cost_usd=price[:, :, 0] / per_unit[:, :1])
    rated = wanted / TOKENS_PER_MTOK / per_unit[:, None, :]
    amount = np.concatenate([rated, other_hours(market, price)], axis=2)
    return Wants(np.maximum(amount, LEAST_WANTED), price, elasticities(market))


def let_hours(market: ComputeMarket) -> Floats:
    """Return (R, M, P) accelerator-hours of the quarter that can be let; those used from China count there."""
    state = market.state
    up = np.minimum(market.value("hours.availability") * state.availability_factor, 1.0)
    hours = fleets_by_market(market) * (up * HOURS_PER_QUARTER)[:, None, None]
    west = weighted_sum(hours[:, WEST], state.work) / HOURS_PER_QUARTER
    abroad = np.minimum(state.used_abroad_h100e / np.maximum(west, LEAST_HOURS), MOST_USED_FROM_ABROAD)
    moved = abroad[:, None] * hours[:, WEST]
    hours[:, WEST] -= moved
    hours[:, CHINA] += moved
    return hours


def offer(market: ComputeMarket, hours: Floats) -> tuple[Fleets, Ints, Floats]:
    """Return what can be let of products that stand or are on sale, their (n,) places, and entry prices (R, M, U)."""
    on_sale = market.structure.on_sale[market.quarter]
    place = np.flatnonzero((hours > 0).any(axis=(0, 1)) | on_sale)
    let = np.ascontiguousarray(np.take(hours, place, axis=2))
    offered = Fleets(let, use_rates_ln(market, place), np.log(letting_cost_usd(market, place)))
    here = (let > 0).any(axis=1) | on_sale[place]
    return (
        offered,
        place,
        entry_prices_usd(market, place, np.where(here[:, :, None], offered.rate_ln, -np.inf)),
    )


def tokens_by_product(market: ComputeMarket) -> Floats:
    """Return (R, K, P) tokens served this quarter by tier and product, as hours were put to uses."""
    offered, place, _ = offer(market, let_hours(market))
    spread, idle = (market.value(f"hours.{name}") for name in ("use_spread", "idle_spread"))
    put = assign(offered, market.state.use_price_usd, spread, idle)
    kinds = len(TIERS)
    made = (
        (offered.hours * put.used)[..., None]
        * put.share[..., :kinds]
        * np.exp(offered.rate_ln)[:, None, :, :kinds]
    )
    part = made / np.maximum(made.sum(axis=2, keepdims=True), LEAST_WANTED)  # (R, M, n, K)
    tokens = (part * market.state.tokens[:, :, None, :]).sum(axis=1)
    found = np.zeros((len(tokens), kinds, len(market.world.products.ids)))
    found[:, :, place] = np.moveaxis(tokens, 2, 1)
    return found


def use_rates_ln(market: ComputeMarket, place: Ints) -> Floats:
    """Return (R, n, U) ln of rated use units an hour of products: million tokens by tier, H100e of work twice.

    What keeps a tier's speed only with next to nothing in its batches is not offered there: its ln is minus infinity.
    """
    rates = market.rates
    tokens_per_s = np.take(rates.tokens_per_s, place, axis=0)  # (n, K)
    offered = (
        tokens_per_s[None] >= market.value("tokens.least_fit")[:, None, None] * tokens_per_s[None, :, :1]
    )
    mature = np.take(rates.maturity[:, market.quarter], place)[:, None]
    work = np.take(market.state.work, place, axis=1)
    still = np.take(market.nominal_work, place, axis=1)
    mtok = (
        np.log(tokens_per_s * mature * SECONDS_PER_HOUR / TOKENS_PER_MTOK) + np.log(work / still)[:, :, None]
    )
    by_work = np.log(work)[:, :, None]
    return np.concatenate([np.where(offered, mtok, -np.inf), by_work, by_work], axis=2)


def tokens_per_rated(market: ComputeMarket) -> Floats:
    """Return (R, K) tokens served per rated token: idle batches, long prompts, leaner models, packing."""
    reached = market.value("tokens.serving_share") * np.exp(market.state.token_efficiency_ln)
    return reached[:, None] * market.state.request_factor


def letting_cost_usd(market: ComputeMarket, place: Ints) -> Floats:
    """Return (R, M, n) what letting an hour costs: power, staff and upkeep, and what cheap hours cost in contracts."""
    power = market.rates.power_kw / 1000 * market.value("power.price_usd_per_mwh")[:, None]
    upkeep = system_price_usd(market) * market.value("hardware.other_opex_share")[:, None] / HOURS_PER_YEAR
    running = np.take(power + upkeep, place, axis=1)
    reserve = market.value("hours.reserve_share")[:, None] * lasting_rent_usd(market)
    found: Floats = (
        running[:, None] + reserve[:, :, None] * np.take(market.state.work, place, axis=1)[:, None]
    )
    return found


def entry_prices_usd(market: ComputeMarket, place: Ints, rate_ln: Floats) -> Floats:
    """Return (R, M, U) what the product that does most of a use for its work asks, at the rent that pays for it."""
    rent_ln = np.log(lasting_rent_usd(market))[:, :, None]
    per_work = rate_ln - np.log(np.take(market.state.work, place, axis=1))[:, :, None]
    best = per_work.max(axis=1)[:, None, :]
    return np.exp(rent_ln - np.where(np.isfinite(best), best, 0.0))


def token_prices_usd(market: ComputeMarket, use_price_usd: Floats, per_unit: Floats) -> Floats:
    """Return (R, M, K) USD per million tokens: the price of their hours times a markup that rivals erode."""
    return use_price_usd[:, :, : len(TIERS)] / per_unit[:, None, :] * closed_markup(market)[:, None, None]


def gross_margin(markup: Floats) -> Floats:
    """Return the share of the price of tokens that is left after the cost of their hours, at a markup on it."""
    return np.maximum(1 - 1 / markup, LEAST_MARGIN)


def closed_markup(market: ComputeMarket) -> Floats:
    """Return (R,) the price of tokens over the cost of their hours, at least 1."""
    return np.maximum(market.state.token_markup * market.state.markup_factor, 1.0)


def fleets_by_market(market: ComputeMarket) -> Floats:
    """Return (R, M, P) accelerators by the token market in which they stand."""
    return over_holders(market.state.fleet_units, market.structure.host_market.T)


def lasting_rent_usd(market: ComputeMarket) -> Floats:
    """Return (R, M) the rent per H100e-hour that pays for a new accelerator, with a margin.

    An accelerator is counted on to be let for as much of its time as others were of late.
    """
    state = market.state
    cost = state.hour_cost_usd + spread_usd_per_hour(market)
    weight = market.state.work_h100e + 1.0
    host = market.structure.host_market
    parts = []
    for m in range(len(TOKEN_MARKETS)):
        share = weight * host[:, m]
        parts.append((cost * share).sum(axis=1) / share.sum(axis=1))
    asked = np.stack(parts, axis=1) * (1 + market.value("hours.margin_over_cost")[:, None])
    return np.maximum(asked / np.maximum(state.usual_utilisation, LEAST_USUAL), LEAST_RENT_USD)


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


def tokens_wanted(market: ComputeMarket, price: Floats, shares: Floats, free_cost_usd: Floats) -> Floats:
    """Return (R, M, K) tokens wanted: paid ones by adoption, use and price, free ones beside them.

    Free use is what users wish for, as far as sellers pay for its hours out of what paid use earns them.

    Parameters
    ----------
    price : (R, M, K) USD per million tokens; free_cost_usd : (R, M) what the hours of a million free tokens cost
    shares : (R, M, K) of use by tier
    """
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
    wished = paid_tokens.sum(axis=2) * free_ratio
    given = market.value("tokens.free_budget_share")[:, None] * spend / free_cost_usd * TOKENS_PER_MTOK
    free = spending_with_ceiling(wished, given)
    return np.concatenate([free[:, :, None], paid_tokens], axis=2)


def other_hours(market: ComputeMarket, price: Floats) -> Floats:
    """Return (R, M, 2) hours wanted at last quarter's prices for training and for captive use.

    Both are budgets in dollars. Training is research: it is paid for out of the gross profit that builders expect from
    AI, as far as investors fund labs. Captive use (advertising, recommendation, science) grows by itself. Robots' hours
    of training and simulation count with it; what their makers spend is planned at the rent that lasts, so that dearer
    hours leave them fewer.
    """
    state = market.state
    training = training_budget_usd(
        np.exp(np.minimum(state.belief_ln_usd, MOST_BELIEVED_LN)).mean(axis=1)
        * gross_margin(closed_markup(market)),
        market.value("capex.belief_2022_usd_bn")
        * USD_PER_BN
        * gross_margin(market.value("tokens.markup_2023")),
        market.value("hours.training_share"),
        market.value("hours.training_scale"),
    )
    training = training * state.funding_ratio
    budgets = np.stack([training, state.captive_usd_per_year], axis=1) / QUARTERS_PER_YEAR  # (R, 2) USD
    where = market.state.work_by_market / market.state.work_by_market.sum(axis=1, keepdims=True)  # (R, M)
    hours: Floats = where[:, :, None] * budgets[:, None, :] / price[:, :, len(TIERS) :]
    captive = price[:, :, USES.index("captive")]
    hours[:, :, 1] += state.robot_hours_h100e * np.minimum(lasting_rent_usd(market) / captive, 1.0)
    return hours


def elasticities(market: ComputeMarket) -> Floats:
    """Return (R, 1, U) how demand falls in the price of its hours; free use is a budget in dollars."""
    eps = market.value("tokens.elasticity")
    training, captive = market.value("hours.training_elasticity"), market.value("hours.captive_elasticity")
    columns = [np.ones_like(eps)] + [eps] * (len(TIERS) - 1) + [training, captive]
    return np.stack(columns, axis=1)[:, None, :]


def book(market: ComputeMarket, offered: Fleets, put: Assignment, place: Ints) -> None:
    """Write down what was served, at which prices and rents, and what it taught."""
    state, kinds = market.state, len(TIERS)
    by_use = (offered.hours * put.used)[..., None] * put.share  # (R, M, n, U)
    work = np.take(state.work, place, axis=1)[:, None, :, None]
    hours = (by_use * work).sum(axis=2)  # (R, M, U) H100e-hours
    made = (by_use * np.exp(offered.rate_ln)[:, None]).sum(axis=2)  # use units
    state.token_hours_h100e[:] = hours[:, :, :kinds]
    state.training_hours_h100e[:] = hours[:, :, kinds]
    state.captive_hours_h100e[:] = hours[:, :, kinds + 1]
    per_unit = tokens_per_rated(market)
    state.tokens[:] = made[:, :, :kinds] * per_unit[:, None, :] * TOKENS_PER_MTOK
    state.token_price_usd_per_mtok[:] = token_prices_usd(market, state.use_price_usd, per_unit)
    state.token_price_usd_per_mtok[:, :, 0] = 0.0
    revenue = weighted_sum(state.tokens, state.token_price_usd_per_mtok) / TOKENS_PER_MTOK
    state.token_revenue_usd[:] = revenue
    total = np.maximum(hours.sum(axis=2), LEAST_HOURS)
    state.utilisation[:] = total / np.maximum(state.capacity_h100e * HOURS_PER_QUARTER, LEAST_HOURS)
    np.minimum(state.utilisation, 1.0, out=state.utilisation)
    weight = market.value("hours.contract_weight")[:, None]
    state.usual_utilisation[:] = state.usual_utilisation ** (1 - weight) * state.utilisation**weight
    rent = np.maximum((made * state.use_price_usd).sum(axis=2) / total, LEAST_RENT_USD)
    state.rent_usd_per_h100e_hour[:] = rent
    state.product_rent_usd[:] = 0.0
    here = (offered.hours > 0).any(axis=1) | market.structure.on_sale[market.quarter][place]
    state.product_rent_usd[:, :, place] = np.where(here[:, None], put.rent_usd, 0.0)
    state.inference_share[:] = 1 - state.training_hours_h100e / total
    renew_contract_rent(market, rent)
    learn(market, revenue, rent)


def renew_contract_rent(market: ComputeMarket, rent: Floats) -> None:
    """Move the rent of one-year contracts (R, M) towards what hours are expected to be worth over their term.

    Expected rents revert to what pays for a new accelerator (Schwartz and Smith 2000). Little of a squeeze enters, as
    sellers keep their customers; more of a glut does, as customers can leave for the spot market.
    """
    state = market.state
    lasting = lasting_rent_usd(market)
    scarce = rent / lasting
    squeeze, glut = (market.value(f"hours.contract_{name}")[:, None] for name in ("scarcity", "glut"))
    middle = lasting * scarce ** np.where(scarce > 1, squeeze, glut)
    weight = market.value("hours.contract_weight")[:, None]
    last = np.where(market.quarter == 0, middle, state.contract_rent_usd_per_h100e_hour)
    state.contract_rent_usd_per_h100e_hour[:] = last ** (1 - weight) * middle**weight


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
