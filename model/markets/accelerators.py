"""The supply of accelerators: capacity is shared, deliveries are rationed, fleets age, sites are connected."""

import numpy as np

from computemarket.model.core.arrays import Floats, over_holders, weighted_sum
from computemarket.model.core.calendar import QUARTERS_PER_YEAR
from computemarket.model.core.ledger import balance
from computemarket.model.market import ComputeMarket
from computemarket.model.markets.order_book import real_backlog_units
from computemarket.model.mechanisms.suppliers.rationing import ration
from computemarket.model.mechanisms.suppliers.supply import next_quarter, put_in
from computemarket.model.state import CONSTRAINTS

PACKAGING, MEMORY, WAFERS, POWER, DEMAND = range(len(CONSTRAINTS))
STACK_GB = 16.0  # of the memory stacks on Chinese packages
VALUE_OF_A_WAFER_USD = 1e6  # unit of the value of a packaging wafer


def produce(market: ComputeMarket) -> None:
    """Finish last quarter's starts, and start for the backlog within packaging, memory and Chinese wafers."""
    state, products = market.state, market.world.products
    state.produced_units[:] = state.in_process_units
    state.inventory_units += state.in_process_units
    backlog = over_holders(state.backlog_units)
    target = backlog + market.value("capacity.inventory_quarters")[:, None] * over_holders(
        market.state.delivered_units
    )
    need = np.maximum(target - state.inventory_units, 0.0) * (products.end >= market.quarter)
    started = np.minimum(need, ramp_limit(market))
    started = limit_packaging(market, started)
    started = limit_memory(market, started)
    started = limit_chinese(market, started)
    state.in_process_units[:] = started
    state.waiting_wafers[:] = wafers(market, np.maximum(need, 0.0)).sum(axis=1)


def ramp_limit(market: ComputeMarket) -> Floats:
    """Return (R, P) the most that can be started of a young product: supply chains of a rack take quarters to ramp."""
    age = market.quarter + 1 - market.world.products.launch
    limit = np.where(age < 0, 0.0, np.inf)
    packaged = market.world.products.packages_per_wafer > 0
    steps = market.value("capacity.ramp_quarters")[:, None]
    scale = market.value("capacity.ramp_wafers_share")[:, None] * market.state.packaging_wafers[:, None]
    young = (age >= 0) & (age < steps) & packaged
    share = np.clip((age + 1) / steps, 0.0, 1.0)
    units = scale * share * market.differences.ramp_factor * market.world.products.packages_per_wafer
    return np.where(young, units, np.broadcast_to(limit, units.shape))


def wafers(market: ComputeMarket, units: Floats) -> Floats:
    """Return (R, P) packaging wafers that units need."""
    per_wafer = market.state.packages_per_wafer
    need = np.where(per_wafer > 0, 1 / np.where(per_wafer > 0, per_wafer, 1.0), 0.0)
    return units * need / market.value("capacity.packaging_yield")[:, None]


def limit_packaging(market: ComputeMarket, units: Floats) -> Floats:
    """Share packaging wafers over products by need and by what a wafer earns its vendor."""
    state = market.state
    wanted = wafers(market, units)
    capacity = state.packaging_wafers * (1 - market.value("capacity.packaging_other_share"))
    given = share_wafers(market, wanted, capacity)
    state.packaging_used[:] = given
    share = np.where(wanted > 0, given / np.where(wanted > 0, wanted, 1.0), 1.0)
    lost = units * (1 - share)
    state.binding[:, PACKAGING] = (lost * market.rates.h100e).sum(axis=1)
    return units * share


def share_wafers(market: ComputeMarket, wanted: Floats, capacity: Floats) -> Floats:
    """Share (R,) wafers over (R, P) needs: among vendors by their orders, inside a vendor to what earns most per wafer.

    Capacity is booked ahead by every customer, so vendors are cut alike; a vendor then starts first what pays it best.
    A variant made for a market with rivals claims its part all the same, as far as its vendor is committed to it.
    """
    vendor = market.world.products.vendor
    asked = np.stack(
        [np.compress(vendor == v, wanted, axis=1).sum(axis=1) for v in range(len(market.world.vendors.ids))],
        axis=1,
    )
    granted = ration(asked, capacity)
    margin_usd = (market.state.price_usd - market.state.unit_cost_usd) * market.state.packages_per_wafer
    value = (
        np.maximum(margin_usd / VALUE_OF_A_WAFER_USD, 1e-3) ** market.value("capacity.value_weight")[:, None]
    )
    best = np.where(wanted > 0, value, 0.0)
    given = np.zeros_like(wanted)
    for v in market.structure.packaged_vendors:
        mine = market.structure.products_of_vendor[v]
        top = np.take(best, mine, axis=1).max(axis=1, keepdims=True)
        worth = np.maximum(np.take(value, mine, axis=1), np.take(market.state.commitment, mine, axis=1) * top)
        given[:, mine] = ration(np.take(wanted, mine, axis=1), np.ascontiguousarray(granted[:, v]), worth)
    return given


def limit_memory(market: ComputeMarket, units: Floats) -> Floats:
    """Scale production to the high-bandwidth memory there is."""
    need = (units * market.world.products.hbm_gb * ~market.world.products.chinese).sum(axis=1)
    share = np.minimum(1.0, market.state.memory_gb / np.maximum(need, 1.0))
    share_p = np.where(market.world.products.hbm_gb > 0, share[:, None], 1.0)
    lost = units * (1 - share_p)
    market.state.binding[:, MEMORY] = (lost * market.rates.h100e).sum(axis=1)
    return units * share_p


def limit_chinese(market: ComputeMarket, units: Floats) -> Floats:
    """Share Chinese advanced wafers over Chinese products, in dies of the first product."""
    chinese = market.world.products.chinese
    dies = units * chinese * market.structure.dies_per_unit
    share = np.minimum(1.0, market.state.smic_units / np.maximum(dies.sum(axis=1), 1.0))
    stacks = (units * chinese * market.world.products.hbm_gb).sum(axis=1) / STACK_GB * share
    packed = np.minimum(1.0, market.state.china_stacks / np.maximum(stacks, 1.0))[:, None]
    held = np.where(market.world.products.hbm_gb > 0, packed, 1.0)
    share_p = np.where(chinese, share[:, None] * held, 1.0)
    market.state.binding[:, WAFERS] = (units * (1 - share_p) * market.rates.h100e).sum(axis=1)
    return units * share_p


def deliver(market: ComputeMarket) -> None:
    """Ration finished goods over waiting operators, as far as they have power to switch them on."""
    state, rates = market.state, market.rates
    opening = state.fleet_units.sum(axis=(1, 2)) + state.inventory_units.sum(axis=1)
    retire(market)
    headroom_kw = np.maximum(state.power_mw - state.power_used_mw, 0.0) * 1000
    # only what arrives needs power: an operator that waits for most of its orders is not held up by its sites
    waiting = real_backlog_units(market)
    claim = over_holders(waiting)
    arriving = np.minimum(1.0, state.inventory_units / np.maximum(claim, 1e-9))
    arriving_kw = weighted_sum(waiting, (arriving * rates.power_kw)[:, None, :])
    powered = np.minimum(1.0, headroom_kw / np.maximum(arriving_kw, 1e-9))
    held_up = weighted_sum(waiting, (arriving * rates.h100e)[:, None, :]) * (1 - powered)
    wanted = waiting
    wanted *= powered[:, :, None]
    limited = state.restricted_holders
    wanted[:, limited] *= np.take(state.open_share, limited, axis=1)
    delivered = state.delivered_units
    ration_stock(market, wanted, delivered)
    hold_back(market, delivered)
    # what others cannot power goes to who can, as far as their own sites reach
    kw = weighted_sum(delivered, rates.power_kw)
    fits = np.minimum(1.0, headroom_kw / np.maximum(kw, 1e-9))
    held_up += weighted_sum(delivered, rates.h100e) * (1 - fits)
    delivered *= fits[:, :, None]
    state.binding[:, POWER] = held_up.sum(axis=1)
    install(market, delivered)
    total = over_holders(delivered)
    state.inventory_units -= total
    # an order that is served takes its duplicates off the book
    state.backlog_units -= delivered / (1 - state.duplicate_share)[:, None, :]
    np.maximum(state.backlog_units, 0.0, out=state.backlog_units)
    np.maximum(state.inventory_units, 0.0, out=state.inventory_units)
    state.sold_units += total
    state.added_units += total
    write_off(market)
    closing = state.fleet_units.sum(axis=(1, 2)) + state.inventory_units.sum(axis=1)
    made = state.produced_units.sum(axis=1)
    gone = state.retired_units.sum(axis=(1, 2)) + state.written_off_units.sum(axis=1)
    balance(opening - made, made, gone, closing, "accelerators are conserved", market.quarter)
    unmet = np.maximum(state.wish_h100e - state.wanted_h100e, 0.0).sum(axis=1)
    state.binding[:, DEMAND] = unmet


def ration_stock(market: ComputeMarket, wanted: Floats, delivered: Floats) -> None:
    """Share finished goods out by order and priority, product by product, into (R, H, P) `delivered`."""
    stock = market.state.inventory_units
    columns = np.flatnonzero((stock > 0).any(axis=0))  # where there is nothing, nobody gets anything
    by_product = np.ascontiguousarray(np.swapaxes(np.take(wanted, columns, axis=2), 1, 2))
    given = ration(by_product, np.take(stock, columns, axis=1), market.state.priority[:, None, :])
    delivered[:] = 0.0
    delivered[:, :, columns] = np.swapaxes(given, 1, 2)


def hold_back(market: ComputeMarket, delivered: Floats) -> None:
    """Ship to restricted holders no more than what is finished on the days on which they may be served."""
    state, limited = market.state, market.state.restricted_holders
    if not len(limited):
        return
    open_share = np.take(state.open_share, limited, axis=1)
    columns = np.flatnonzero((open_share < 1).any(axis=(0, 1)))
    cells = np.ix_(np.arange(len(delivered)), limited, columns)
    asked = delivered[cells]
    # over all products, and where this run has a rule: the columns are those of all runs together
    total = np.take(np.take(delivered, limited, axis=1).sum(axis=1), columns, axis=1)[:, None, :]
    may = np.take(open_share, columns, axis=2)
    most = may * np.take(state.inventory_units, columns, axis=1)[:, None, :]
    held = np.where(may < 1, np.minimum(1.0, most / np.maximum(total, 1e-9)), 1.0)
    delivered[cells] = asked * held


def install(market: ComputeMarket, delivered: Floats) -> None:
    """Add deliveries to fleets and bring the mean age along."""
    state = market.state
    state.age_quarters += 1
    state.age_quarters *= state.fleet_units
    state.fleet_units += delivered
    state.age_quarters /= state.fleet_units + np.finfo(np.float64).tiny  # no fleet has no age


def retire(market: ComputeMarket) -> None:
    """Take old accelerators out: a logistic hazard in age around the service life."""
    state = market.state
    life = market.value("chips.life_years")[:, None, None] * QUARTERS_PER_YEAR
    spread = market.value("chips.retirement_spread_quarters")[:, None, None]
    old = state.retired_units
    np.subtract(life, state.age_quarters, out=old)
    old /= spread
    np.exp(old, out=old)
    old += 1.0
    np.divide(market.value("chips.retirement_hazard")[:, None, None], old, out=old)
    old *= state.fleet_units
    state.fleet_units -= state.retired_units


def write_off(market: ComputeMarket) -> None:
    """Scrap finished goods of products that can no longer be ordered and that nobody waits for."""
    state = market.state
    over = market.world.products.end < market.quarter - market.value("orders.kept_quarters")[:, None]
    waiting = over_holders(state.backlog_units) > 0
    scrapped = np.where(over & ~waiting, state.inventory_units, 0.0)
    state.written_off_units[:] = scrapped
    state.inventory_units -= scrapped


def connect_power(market: ComputeMarket) -> None:
    """Plan sites for the accelerators believed to come, and switch on what is connected."""
    state, rates = market.state, market.rates
    state.power_added_mw[:], state.power_pipeline_mw[:] = next_quarter(state.power_pipeline_mw)
    state.power_mw += state.power_added_mw
    state.power_used_mw[:] = weighted_sum(state.fleet_units, rates.power_kw) / 1000
    kw_per_h100e = kw_of_new(market)[:, None]
    wished_mw = (
        (market.state.work_h100e + market.state.backlog_h100e + state.wish_h100e) * kw_per_h100e / 1000
    )
    ahead = np.exp(market.value("power.planned_growth_ln") * market.value("power.lead_quarters"))[:, None]
    most_ahead = market.value("power.most_planned_ahead")[:, None]
    coming = state.power_pipeline_mw.sum(axis=2)
    planned_mw = wished_mw * (1 + market.value("power.margin")[:, None]) * np.minimum(ahead, most_ahead)
    gap = np.maximum(planned_mw - state.power_mw - coming, 0.0)
    most = (
        market.value("power.fastest_growth")[:, None] * (state.power_mw + coming)
        + market.value("power.first_sites_mw")[:, None]
    )
    started = np.minimum(gap, most) * market.value("power.completion")[:, None]
    put_in(state.power_pipeline_mw, started, market.lag("power.lead_quarters"))


def kw_of_new(market: ComputeMarket) -> Floats:
    """Return (R,) power per H100e of what was delivered last quarter."""
    # a trace of what is on sale stands where nothing was delivered; of products to come nobody knows
    delivered = over_holders(market.state.delivered_units) + 1e-6 * market.structure.on_sale[market.quarter]
    return (delivered * market.rates.power_kw).sum(axis=1) / (delivered * market.rates.h100e).sum(axis=1)


def by_country(market: ComputeMarket, units: Floats) -> Floats:
    """Sum (R, H, P) over operators by where their accelerators stand: (R, C, P)."""
    return over_holders(units, market.world.operators.host.T)
