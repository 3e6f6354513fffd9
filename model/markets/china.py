"""China's market for compute: legal, domestic, offshore and smuggled sources meet demand at one price (M25).

Chinese firms order what they may buy and what is made at home. What is left of their demand bids up the price of
compute in China; the price draws in smugglers, who divert through fronts abroad and are seized with some chance, and
rental abroad. Quantities are in H100e of work. A chip cut in compute serves models well but trains dearly, so the price
of compute is that of the last buyer who trains.
"""

import numpy as np

from computemarket.model.core.arrays import Floats, weighted_sum
from computemarket.model.core.calendar import HOURS_PER_YEAR
from computemarket.model.core.ledger import balance
from computemarket.model.market import ComputeMarket
from computemarket.model.markets.export_limits import limit_orders
from computemarket.model.markets.settlement import account_slice
from computemarket.model.mechanisms.states.smuggling import (
    ChinaSide,
    Smuggling,
    clear_china,
    detection_probability,
    remote_rental,
    route_shares,
)
from computemarket.model.world.china_places import GREY, ChinaPlaces
from computemarket.model.world.world import TOKEN_MARKETS

HERE = TOKEN_MARKETS.index("china")
QUARTERS_PER_YEAR = 4
TRAINING_RANGE = (0.2, 0.8)  # of the share of demand that trains
MOST_COVERED = 0.95  # a firm always looks for some accelerators of its own


def count_other_sources(market: ComputeMarket) -> None:
    """Take from the wishes of Chinese firms what they rent abroad or on the grey market instead of owning it."""
    state, at = market.state, market.china
    here = at.at_home
    believed = (
        np.exp(state.belief_ln_usd)
        * market.differences.operator_shares
        / (state.hour_cost_usd * HOURS_PER_YEAR)
    )
    desired = np.compress(here, believed, axis=1).sum(axis=1) / market.value("capex.required_cover")
    others = (
        market.state.work_h100e[:, at.grey] + market.state.work_h100e[:, at.offshore] + state.remote_h100e
    )
    left = 1 - np.minimum(others / np.maximum(desired, 1.0), MOST_COVERED)
    factor = np.where(here, left[:, None], 1.0)
    state.wish_h100e *= factor
    state.wanted_h100e *= factor


def clear(market: ComputeMarket) -> None:
    """Find the price of compute in China and place the orders of the grey market."""
    state, at = market.state, market.china
    demand = np.compress(at.at_home, state.wanted_h100e, axis=1).sum(axis=1)
    ordered = np.compress(at.at_home, state.ordered_units, axis=1).sum(axis=1)  # (R, P)
    domestic_units = _made_at_home(market, at, ordered)
    limit_orders(market)
    legal_units = np.compress(at.at_home, state.ordered_units, axis=1).sum(axis=1) * at.foreign
    wanted, legal, domestic = _by_use(market, at, demand, legal_units, domestic_units)
    side = ChinaSide(
        demand_h100e=wanted + 1.0,
        demand_elasticity=market.value("policy.cn_demand_elasticity"),
        legal_h100e=legal,
        legal_charge=_charge(market, legal_units),
        domestic_h100e=domestic,
        domestic_elasticity=market.value("policy.cn_domestic_elasticity"),
        remote_h100e=_remote(market, at, np.maximum(wanted - legal - domestic, 0.0)),
        remote_elasticity=market.value("policy.remote_elasticity"),
    )
    detection, shares = _detection(market, at)
    fine = market.value("policy.penalty_multiple") * market.value("policy.penalty_collected_share")
    terms = Smuggling(
        detection,
        fine,
        market.value("policy.smuggling_supply") / QUARTERS_PER_YEAR,
        market.value("policy.smuggling_effort"),
        market.value("policy.smuggling_price_elasticity"),
    )
    world_price = state.cost_per_h100e_usd[:, 0]
    found = clear_china(world_price, side, terms)
    state.china_price_usd[:], state.china_premium[:] = found.price_usd, np.maximum(found.premium, 0.0)
    state.china_unmet_h100e[:] = np.maximum(wanted - legal - domestic, 0.0)
    state.detection[:] = detection
    state.transit_share[:] = shares
    _rent_abroad(market, at, found.remote_h100e)
    state.diverted_h100e[:] = found.shipped_h100e
    _raise_cost(
        market, at, ((legal_units + domestic_units) * market.state.work).sum(axis=1), found.delivered_h100e
    )


def _by_use(
    market: ComputeMarket, at: ChinaPlaces, demand: Floats, legal_units: Floats, domestic_units: Floats
) -> tuple[Floats, Floats, Floats]:
    """Return (R,) demand at the margin, and what legal and domestic accelerators bring to it.

    Chips cut in compute serve models as well as others, but are dear for training: they meet demand for serving first.
    What trains well meets the rest of it, and then demand for training, whose last buyer sets the price.
    """
    training = np.clip(1 - market.state.inference_share[:, HERE], *TRAINING_RANGE)
    worth = _training_worth(market, at)
    good_legal = (legal_units * market.state.work * worth).sum(axis=1)
    good_domestic = (domestic_units * market.state.work * worth).sum(axis=1)
    cut = ((legal_units + domestic_units) * market.state.work * (1 - worth)).sum(axis=1)
    serving = np.maximum((1 - training) * demand - cut, 0.0)
    good = good_legal + good_domestic
    kept = np.maximum(good - serving, 0.0) / np.maximum(good, 1e-9)
    return training * demand + np.maximum(serving - good, 0.0), good_legal * kept, good_domestic * kept


def _training_worth(market: ComputeMarket, at: ChinaPlaces) -> Floats:
    """Return (R, P) the share of a product's work that can go to training, by peak over work relative to abroad."""
    ratio = market.rates.h100e / market.state.work
    abroad = (
        np.compress(at.elsewhere, market.state.ordered_units, axis=1).sum(axis=1)
        * at.foreign
        * market.state.work
    )
    usual = (abroad * ratio).sum(axis=1) / np.maximum(abroad.sum(axis=1), 1e-9)
    relative = ratio / np.where(usual > 0, usual, 1.0)[:, None]
    least = market.value("policy.training_floor")[:, None]
    return np.clip((relative - least) / (1 - least), 0.0, 1.0)


def _made_at_home(market: ComputeMarket, at: ChinaPlaces, ordered: Floats) -> Floats:
    """Return (R, P) domestic orders that can be made now; cancel what nobody could deliver in time."""
    state, rows, columns = market.state, at.home_rows[:, None], at.chinese_places
    dies = market.structure.dies_per_unit
    wanted_dies = (ordered * dies).sum(axis=1)
    room = market.value("policy.cn_longest_queue_quarters") * state.smic_units
    queued = np.take(np.take(state.backlog_units, at.home_rows, axis=1), columns, axis=2)
    placed = np.take(np.take(state.ordered_units, at.home_rows, axis=1), columns, axis=2)
    waiting = (queued.sum(axis=1) * np.take(dies, columns)).sum(axis=1) - wanted_dies
    kept = np.clip((room - waiting) / np.maximum(wanted_dies, 1.0), 0.0, 1.0)
    cut = placed * (1 - kept)[:, None, None]
    state.ordered_units[:, rows, columns] = placed - cut
    state.backlog_units[:, rows, columns] = np.maximum(queued - cut, 0.0)
    _turn_to_imports(market, at, weighted_sum(cut, np.take(market.state.work, columns, axis=1)[:, None, :]))
    made = np.minimum(1.0, state.smic_units / np.maximum(wanted_dies, 1.0))
    return np.asarray(ordered * at.chinese * made[:, None])


def _turn_to_imports(market: ComputeMarket, at: ChinaPlaces, missing: Floats) -> None:
    """Let those whose domestic orders could not be taken order foreign accelerators, as far as they have access.

    Parameters
    ----------
    missing : (R, n) H100e of work that holders at home could not order
    """
    state, rows = market.state, at.home_rows
    foreign = np.take(state.ordered_units, rows, axis=1) * at.foreign
    work = weighted_sum(foreign, market.state.work[:, None, :])
    access = (np.take(state.holder_access, rows, axis=1) * (foreign > 0)).max(axis=2)
    more = foreign * (access * missing / np.maximum(work, 1e-9))[:, :, None]
    state.ordered_units[:, rows] += more
    state.backlog_units[:, rows] += more


def _charge(market: ComputeMarket, legal_units: Floats) -> Floats:
    """Return the (R,) mean charge on legal units that buyers bear."""
    work = legal_units * market.state.work
    mean = (work * market.state.buyer_charge).sum(axis=1) / np.maximum(work.sum(axis=1), 1e-9)
    return np.asarray(market.value("policy.fee_pass_through") * mean)


def _remote(market: ComputeMarket, at: ChinaPlaces, short_h100e: Floats) -> Floats:
    """Return the (R,) H100e that firms would newly rent abroad at the world price."""
    wanted = market.value("policy.remote_share") * short_h100e
    stock = (market.state.work_h100e * at.rentable).sum(axis=1) * market.value(
        "policy.offshore_rentable_share"
    )
    left = np.maximum(stock * market.value("policy.offshore_capacity_limit") - market.state.remote_h100e, 0.0)
    return remote_rental(wanted, market.value("policy.remote_access_control"), 1.0, left)


def _rent_abroad(market: ComputeMarket, at: ChinaPlaces, rented_h100e: Floats) -> None:
    """Add new contracts to what is rented; old ones run out, and a rule on remote access ends its share of them."""
    state = market.state
    kept = 1 - 1 / market.value("policy.remote_contract_quarters")
    before = state.remote_h100e * kept
    allowed = before * (1 - market.value("policy.remote_access_control")) + rented_h100e
    stock = (market.state.work_h100e * at.rentable).sum(axis=1) * market.value(
        "policy.offshore_rentable_share"
    )
    state.remote_h100e[:] = np.minimum(allowed, stock * market.value("policy.offshore_capacity_limit"))
    state.used_abroad_h100e[:] = state.remote_h100e + market.state.work_h100e[:, at.offshore]


def _detection(market: ComputeMarket, at: ChinaPlaces) -> tuple[Floats, Floats]:
    """Return (R,) the chance that a shipment is seized and (R, C) the shares of routes, which flee detection."""
    value = market.value
    base = detection_probability(
        value("policy.detection_prob"),
        value("policy.enforcement_budget") / value("policy.enforcement_budget_base"),
        value("policy.control_officers") / value("policy.control_officers_base"),
        value("policy.detection_budget_elasticity"),
        value("policy.detection_officers_elasticity"),
        _verified(market),
        value("policy.verification_power"),
    )
    by_route = 1 - (1 - base)[:, None] ** at.factor
    sold = market.structure.host_country(market.state.work_h100e)
    shares = route_shares(at.ease, sold, by_route, value("policy.route_sensitivity"))
    return (shares * by_route).sum(axis=1), shares


def _verified(market: ComputeMarket) -> Floats:
    """Return the (R,) share of chips that report their location, as it was a lag ago."""
    lag = market.lag("policy.verification_lag")
    found = np.zeros(len(lag))
    for quarters in np.unique(lag):
        then = max(market.quarter - int(quarters), 0)
        found = np.where(lag == quarters, market.values.at("policy.location_verification", then), found)
    return found


def _raise_cost(market: ComputeMarket, at: ChinaPlaces, usual_h100e: Floats, smuggled_h100e: Floats) -> None:
    """Let the price in China enter what Chinese operators pay on average, by the share bought at that price."""
    state = market.state
    dear = smuggled_h100e / np.maximum(usual_h100e + smuggled_h100e, 1.0)
    own = state.cost_per_h100e_usd
    blended = own * (1 - dear)[:, None] + np.maximum(own, state.china_price_usd[:, None]) * dear[:, None]
    own[:] = np.where(at.at_home, blended, own)
    own[:, at.grey] = state.china_price_usd


def connect_idle_sites(market: ComputeMarket, grey: int) -> None:
    """Take halls that stand idle in China into use for what was smuggled: power is not what limits it there."""
    state = market.state
    drawn_mw = (state.fleet_units[:, grey] * market.rates.power_kw).sum(axis=1) / 1000
    missing = np.maximum(drawn_mw - state.power_mw[:, grey], 0.0)
    state.power_mw[:, grey] += missing
    state.power_added_mw[:, grey] += missing


def receive(market: ComputeMarket) -> None:
    """Divert part of what fronts abroad were delivered this quarter; what is seized on the way leaves the market.

    Fronts are clouds, enterprises and institutes outside China, each as far as its countries are open to diversion.
    """
    state, at = market.state, market.china
    if not (state.diverted_h100e > 0).any():
        for none in (state.seized_units, state.smuggled_units, state.smuggled_h100e, state.front_sales_usd):
            none[:] = 0.0
        state.transit_units[:] = 0.0
        return
    fronts = at.fronts
    openness = weighted_sum(state.transit_share[:, None, :], at.front_host)  # (R, F)
    openness = openness / np.maximum(openness.max(axis=1, keepdims=True), 1e-9)
    denied = (state.access[:, at.country] < 1) * at.foreign
    limit = market.value("policy.diversion_limit")[:, None, None] * openness[:, :, None]
    pool = np.take(state.delivered_units, fronts, axis=1) * denied[:, None, :] * limit  # (R, F, P)
    work = (pool * market.state.work[:, None, :]).sum(axis=(1, 2))
    taken = pool * np.minimum(1.0, state.diverted_h100e / np.maximum(work, 1e-9))[:, None, None]
    opening = state.fleet_units.sum(axis=(1, 2))
    state.fleet_units[:, fronts] -= taken
    shipped = taken.sum(axis=1)
    state.seized_units[:] = shipped * state.detection[:, None]
    state.smuggled_units[:] = shipped - state.seized_units
    state.fleet_units[:, at.grey] += state.smuggled_units
    connect_idle_sites(market, at.grey)
    state.smuggled_h100e[:] = (state.smuggled_units * market.rates.h100e).sum(axis=1)
    state.front_sales_usd[:, fronts] = weighted_sum(taken, state.price_usd[:, None, :])
    by_front = taken.sum(axis=2)
    state.transit_units[:] = (by_front[:, :, None] * at.front_host).sum(axis=1)
    closing = state.fleet_units.sum(axis=(1, 2))
    balance(opening, np.zeros_like(opening), state.seized_units.sum(axis=1), closing,
            "smuggled accelerators are conserved", market.quarter)  # fmt: skip


def pay_smugglers(market: ComputeMarket) -> None:
    """Pay fronts the list price and smugglers the premium; smugglers bear what is seized and the fines collected."""
    state, ledger = market.state, market.ledger
    arrived_usd = (state.smuggled_units * state.price_usd).sum(axis=1)
    seized_usd = (state.seized_units * state.price_usd).sum(axis=1)
    ledger.pay(f"operator.{GREY}", "smugglers", arrived_usd * (1 + state.china_premium), "paid to smugglers")
    operators = account_slice(market, market.world.operators.ids)
    ledger.receive_each("smugglers", operators, state.front_sales_usd, "paid by smugglers to fronts")
    fine = (
        market.value("policy.penalty_multiple") * market.value("policy.penalty_collected_share") * seized_usd
    )
    state.smuggling_fines_usd[:] = fine
    ledger.pay("smugglers", "public", fine, "fines on smugglers")
