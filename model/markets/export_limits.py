"""What export rules leave of orders: buyers with and without a licence choose apart, and volumes are capped."""

import numpy as np

from computemarket.model.core.arrays import Bools, Floats, Ints, weighted_sum
from computemarket.model.market import ComputeMarket
from computemarket.model.mechanisms.choice import weighted_logit_shares
from computemarket.model.state import UNLIMITED
from computemarket.model.world.world import H100_TPP

DESTINATION = "china"  # whose imports are charged and capped


def licensed_shares(market: ComputeMarket, utility: Floats, allowed: Bools, columns: Ints) -> Floats:
    """Return (R, r, n) shares of orders of the r restricted holders over the n products on sale.

    Access below one is the share of buyers, or of days, for whom the product can be had. A share a of orders, the
    largest access below one, comes from those who may buy such products; the others choose among what is free to
    all. Where nothing is free, their orders are not placed. A charge passed on makes a product dearer.

    Parameters
    ----------
    utility : (R, P) of the products
    allowed : (H, n) products on sale that a holder may buy
    columns : (n,) their places among all products
    """
    state = market.state
    rows = state.restricted_holders
    access = np.take(np.take(state.holder_access, rows, axis=1), columns, axis=2) * allowed[rows]
    passed = market.value("policy.fee_pass_through")[:, None] * np.take(state.buyer_charge, columns, axis=1)
    dearer = market.value("chips.choice_alpha")[:, None] * np.log1p(passed)
    bears = market.world.operators.country[rows] == market.world.country(DESTINATION)
    open_to_all = (access >= 1.0).astype(np.float64)
    partial = np.where(access < 1.0, access, 0.0)
    licensed = partial.max(axis=2, keepdims=True)
    relative = open_to_all + partial / np.where(licensed > 0, licensed, 1.0)
    alpha = market.value("chips.choice_alpha")[:, None]
    wished = np.take(utility + alpha * state.domestic_bonus, columns, axis=1)
    wide = wished[:, None, :] - dearer[:, None, :] * bears[:, None]
    without = weighted_logit_shares(wide, open_to_all)
    return (1 - licensed) * without + licensed * weighted_logit_shares(wide, relative)


def limit_orders(market: ComputeMarket) -> None:
    """Cut this quarter's orders of the destination to what caps on its volume leave."""
    state = market.state
    if (state.country_room_tpp < UNLIMITED).any():
        _limit_countries(market)
    if not (state.order_quota_units < UNLIMITED).any():
        return
    here = np.flatnonzero(market.world.operators.country == market.world.country(DESTINATION))
    backlog, orders = np.take(state.backlog_units, here, axis=1), np.take(state.ordered_units, here, axis=1)
    waiting, ordered = backlog.sum(axis=1), orders.sum(axis=1)
    room = np.maximum(state.order_quota_units - (waiting - ordered), 0.0)
    kept = np.where(ordered > room, room / np.maximum(ordered, 1e-9), 1.0)
    cut = orders * (1 - kept)[:, None, :]
    state.ordered_units[:, here] = orders - cut
    state.backlog_units[:, here] = np.maximum(backlog - cut, 0.0)


def _limit_countries(market: ComputeMarket) -> None:
    """Cut orders of firms of capped countries to the TPP that is left to their country."""
    state, structure = market.state, market.structure
    foreign = ~market.world.products.chinese
    tpp = market.rates.h100e_tpp * H100_TPP * foreign
    ordered = structure.owner_country(weighted_sum(state.ordered_units, tpp))
    waiting = structure.owner_country(weighted_sum(state.backlog_units, tpp)) - ordered
    room = np.maximum(state.country_room_tpp - waiting, 0.0)
    kept = np.where(ordered > room, room / np.maximum(ordered, 1e-9), 1.0)
    by_holder = np.take(kept, structure.headquarters, axis=1)
    cut = state.ordered_units * (foreign * (1 - by_holder)[:, :, None])
    state.ordered_units -= cut
    state.backlog_units -= cut
    np.maximum(state.backlog_units, 0.0, out=state.backlog_units)
