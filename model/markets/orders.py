"""Orders for accelerators: wishes split over products on sale by cost of an hour, appeal and what rules leave."""

import numpy as np

from computemarket.model.core.arrays import Floats, Ints, over_holders, weighted_sum
from computemarket.model.core.calendar import HOURS_PER_YEAR
from computemarket.model.market import ComputeMarket
from computemarket.model.markets.export_limits import licensed_shares
from computemarket.model.markets.order_book import order_twice, withdraw_duplicates
from computemarket.model.markets.user_cost import all_in_cost_usd, hour_cost_usd
from computemarket.model.mechanisms.choice import weighted_logit_shares
from computemarket.model.mechanisms.suppliers.rationing import lead_time_quarters


def order(market: ComputeMarket) -> None:
    """Split every operator's wish over the products it may buy, by the cost of an hour per H100e and appeal."""
    state = market.state
    cancel_ended(market)
    withdraw_duplicates(market, quarters_to_wait(market))
    hour = hour_cost_usd(market) / market.state.work  # (R, P) per H100e
    alpha = market.value("chips.choice_alpha")[:, None]
    utility = -alpha * np.log(hour * HOURS_PER_YEAR) + appeal(market)  # (R, P)
    columns = np.flatnonzero(market.structure.on_sale[market.quarter])  # few of all generations
    shares = merchant_shares(market, utility, columns)  # (R, H, n)
    hour_usd = np.take(hour, columns, axis=1)
    keep_mean_cost(state.merchant_hour_cost_usd, shares, hour_usd)
    add_own_silicon(market, utility, columns, shares)
    factor = np.where(market.structure.of_leader, state.leader_order_factor[:, None], 1.0)
    units_per_h100e = factor / market.state.work * (1 - waiting_share(market, hour))[:, None]
    wanted = state.wanted_h100e[:, :, None] * np.take(units_per_h100e, columns, axis=1)[:, None, :]
    state.ordered_units[:] = 0.0
    state.ordered_units[:, :, columns] = shares * wanted
    order_cards(market)
    order_twice(market)
    in_place = np.take(all_in_cost_usd(market) / market.state.work, columns, axis=1)
    keep_mean_cost(state.cost_per_h100e_usd, shares, in_place)
    keep_mean_cost(state.hour_cost_usd, shares, hour_usd)


def keep_mean_cost(mean_usd: Floats, shares: Floats, usd_per_h100e: Floats) -> None:
    """Set (R, H) mean costs of an H100e to those of orders by (R, H, n) shares; where nothing is ordered they stay."""
    placed = shares.sum(axis=2)  # less than one where licences are refused
    found = placed > 1e-6
    mean = weighted_sum(shares, usd_per_h100e[:, None, :]) / np.where(found, placed, 1.0)
    mean_usd[:] = np.where(found, mean, mean_usd)


def merchant_shares(market: ComputeMarket, utility: Floats, columns: Ints) -> Floats:
    """Return (R, H, n) shares of orders for the n products on sale, as far as each operator may be served."""
    state, structure = market.state, market.structure
    may_buy = structure.may_hold & ~structure.owner & structure.flagship
    allowed = np.take(may_buy, columns, axis=1)  # (H, n)
    reachable = allowed * np.take(state.holder_access, columns, axis=2)
    shares = weighted_logit_shares(np.take(utility, columns, axis=1)[:, None, :], reachable)
    if len(state.restricted_holders):
        shares[:, state.restricted_holders] = licensed_shares(market, utility, allowed, columns)
    bind_partners(market, columns, shares)
    return shares


def bind_partners(market: ComputeMarket, columns: Ints, shares: Floats) -> None:
    """Move orders of operators that may buy from the leader alone to its products among (R, H, n) shares."""
    bound = np.flatnonzero(market.state.exclusive_share.any(axis=0))
    if not len(bound):
        return
    mine = np.take(shares, bound, axis=1)
    leaders = mine * market.structure.of_leader[columns]
    total, kept = mine.sum(axis=2, keepdims=True), leaders.sum(axis=2, keepdims=True)
    scale = np.where(kept > 0, total / np.where(kept > 0, kept, 1.0), 0.0)
    part = np.take(market.state.exclusive_share, bound, axis=1)[:, :, None] * (kept > 0)
    shares[:, bound] = (1 - part) * mine + part * scale * leaders


def appeal(market: ComputeMarket) -> Floats:
    """Return (R, P) what a product is worth beyond its H100e, in utility: software, and maturity after launch.

    The software gap to the leader is a state of each vendor (M12); a chip just launched has few slots of qualified
    systems.
    """
    products = market.world.products
    gap = market.state.software_gap * market.state.rival_gap_factor[:, None]
    age = market.quarter - products.launch
    young = np.maximum(0.0, 1 - (age + 1) / market.value("chips.qualification_quarters")[:, None])
    loss = market.value("chips.qualification_loss")[:, None] * young
    wait = market.value("chips.waiting_weight")[:, None] * quarters_to_wait(market)
    seen = market.differences.product_taste + market.state.product_edge
    return seen - np.take(gap, products.vendor, axis=1) - loss - wait


def quarters_to_wait(market: ComputeMarket) -> Floats:
    """Return (R, P) the quarters that a new order waits: the queue over what is being made, at most a longest."""
    state = market.state
    queue = np.maximum(over_holders(state.backlog_units) - state.inventory_units, 0.0)
    longest = market.value("orders.longest_queue_quarters")
    return lead_time_quarters(queue, state.in_process_units + 1.0, longest)


def add_own_silicon(market: ComputeMarket, utility: Floats, columns: Ints, shares: Floats) -> None:
    """Give part of the (R, H, n) shares to own silicon: decided by its owner, split over its generations."""
    owner = np.take(market.structure.owner, columns, axis=1)  # (H, n)
    rows = np.flatnonzero(owner.any(axis=1))
    if not len(rows):
        return
    split = weighted_logit_shares(np.take(utility, columns, axis=1)[:, None, :], owner[rows])
    split *= np.take(market.state.own_share, rows, axis=1)[:, :, None]
    shares[:, rows] *= 1 - split.sum(axis=2, keepdims=True)
    shares[:, rows] += split


def order_cards(market: ComputeMarket) -> None:
    """Order inference cards as well: for a share, falling by the year, of what was spent on accelerators."""
    state = market.state
    spent = weighted_sum(state.delivered_units, (state.price_usd * market.structure.flagship)[:, None, :])
    budget = state.card_budget_share[:, None] * spent
    price = state.price_usd[:, market.structure.card]
    may = (
        market.structure.may_hold[:, market.structure.card] * state.holder_access[:, :, market.structure.card]
    )
    state.ordered_units[:, :, market.structure.card] += budget * may / price[:, None]


def waiting_share(market: ComputeMarket, hour_usd: Floats) -> Floats:
    """Return the (R,) share of orders put off for an announced product that is due soon and cheaper to run.

    The Osborne effect: buyers compare the least hourly cost per H100e on sale with that of what launches soon.
    """
    now = market.quarter
    products = market.world.products
    announced = (products.launch > now) & (products.announced <= now) & products.merchant
    soon = announced & (products.launch - now <= market.value("orders.patience_quarters")[:, None])  # (R, P)
    selling = (products.launch <= now) & (products.end >= now) & products.merchant & market.structure.flagship
    if not soon.any():
        return np.zeros(len(market.runs))
    today = np.where(selling, hour_usd, np.inf).min(axis=1)
    tomorrow = np.where(soon & market.structure.flagship, hour_usd, np.inf).min(axis=1)
    gain = np.clip(1 - tomorrow / today, 0.0, 1.0)
    return market.value("chips.waiting_share") * gain


def cancel_ended(market: ComputeMarket) -> None:
    """Cancel orders of products that have ended, part of them each quarter, and of those that may not be had."""
    state, now = market.state, market.quarter
    ended = np.flatnonzero(market.world.products.end < now - 1)
    state.backlog_units[:, :, ended] *= market.value("orders.ended_kept_share")[:, None, None]
    foreign = np.flatnonzero(~market.world.products.chinese & (state.holder_access <= 0).any(axis=(0, 1)))
    closed = np.take(state.holder_access, foreign, axis=2) <= 0
    state.backlog_units[:, :, foreign] *= ~closed
