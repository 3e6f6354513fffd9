"""What a quarter leaves in the results table: the variables, their units and labels."""

import numpy as np

from computemarket.model.accelerator_market import CONSTRAINTS, by_country
from computemarket.model.arrays import Floats
from computemarket.model.calendar import QUARTERS_PER_YEAR
from computemarket.model.market import ComputeMarket
from computemarket.model.settlement import by_vendor, content_cost
from computemarket.model.world import TIERS, TOKEN_MARKETS

WEEKS_PER_QUARTER = 13.0
OUTSIDE_CHINA = "world_outside_china"


def record_sales(market: ComputeMarket) -> None:
    """Record what vendors sold, to whom, at which price."""
    state, world, keep = market.state, market.world, market.recorder.add
    products, vendors, countries = world.products, world.vendors.ids, world.countries.ids
    units = by_country(market, state.delivered_units)  # (R, C, P)
    content = 1 + products.network_content + products.system_content
    revenue = units * (state.price_usd * content)[:, None, :]
    keep("accelerator_revenue_usd", "USD", sum_products(market, revenue, products.vendor, len(vendors)),
         entity=vendors, region=countries)  # fmt: skip
    total = by_vendor(market, units.sum(axis=1) * state.price_usd * content)
    keep("data_center_revenue_usd", "USD", total, entity=vendors)
    network = by_vendor(market, units.sum(axis=1) * state.price_usd * products.network_content)
    keep("data_center_networking_revenue_usd", "USD", network, entity=vendors)
    designers = market.structure.designers
    keep("compute_shipped_h100e", "H100e",
         sum_products(market, units * market.rates.h100e, market.structure.designer, len(designers)),
         entity=designers, region=countries)  # fmt: skip
    keep("compute_shipped_h100e_tpp", "H100e (TPP)",
         sum_products(market, units * market.rates.h100e_tpp, market.structure.designer, len(designers)),
         entity=designers, region=countries)  # fmt: skip
    sold = market.structure.product_of_designer
    china = world.country("china")
    here = units[:, china]
    two = np.stack([here, units.sum(axis=1) - here], axis=1)  # (R, 2, P)
    spread = np.where(sold[:, None, :], two[:, None, :, :], 0.0)  # (R, D, 2, P)
    mask = np.broadcast_to(sold[:, None, :], spread.shape[1:])
    keep("accelerator_units", "units", spread, entity=designers, region=("china", OUTSIDE_CHINA), detail=products.ids,
         keep=mask)  # fmt: skip
    spend = sum_products(market, (units.sum(axis=1) * state.price_usd)[:, None, :], market.structure.designer, len(designers))
    keep("accelerator_spend_usd", "USD", spend, entity=designers)
    on_sale = market.structure.on_sale[market.quarter]
    keep("accelerator_price_usd", "USD", diagonal(np.where(on_sale, state.price_usd, np.nan), sold), entity=designers,
         detail=products.ids, keep=sold)  # fmt: skip
    record_margins(market, total, network)


def record_margins(market: ComputeMarket, total: Floats, network: Floats) -> None:
    """Record margins; the leader's are those of the whole company, its other business being exogenous."""
    state, world, keep = market.state, market.world, market.recorder.add
    vendors = world.vendors.ids
    gaming = market.value("chips.gaming_revenue_usd_bn") * 1e9
    charge = state.export_charge_usd
    other = world.vendors.gaming_revenue_usd_per_quarter > 0
    company = total + np.where(other, gaming[:, None], 0.0)
    profit = total - state.cost_of_sales_usd
    profit += np.where(other, (gaming * market.value("chips.gaming_margin") - charge)[:, None], 0.0)
    keep("company_revenue_usd", "USD", company, entity=vendors)
    keep("gross_margin", "share", np.where(company > 0, profit / np.maximum(company, 1.0), np.nan), entity=vendors)
    keep("export_charge_usd", "USD", charge, entity="nvidia")
    keep("export_lost_sales_usd", "USD", state.export_lost_usd, entity="nvidia")
    china = market.world.country("china")
    units = by_country(market, state.delivered_units)[:, china]
    content = 1 + world.products.network_content + world.products.system_content
    keep("china_revenue_usd", "USD", by_vendor(market, units * state.price_usd * content) + gaming[:, None] * 0.2 * other,
         entity=vendors)  # fmt: skip


def record_operators(market: ComputeMarket) -> None:
    """Record what operators spend, hold and draw."""
    state, world, keep = market.state, market.world, market.recorder.add
    operators = world.operators.ids
    keep("capex_usd", "USD", state.capex_usd, entity=operators)
    keep("ai_capex_usd", "USD", state.ai_capex_usd, entity=operators)
    keep("debt_usd", "USD", state.debt_usd, entity=operators)
    keep("power_mw", "MW", state.power_used_mw, entity=operators)
    keep("power_connected_mw", "MW", state.power_mw, entity=operators)
    held = state.fleet_units * market.rates.h100e
    fleet = np.stack([np.compress(world.products.vendor == v, held, axis=2).sum(axis=2) for v in range(len(world.vendors.ids))], axis=2)
    keep("fleet_h100e", "H100e", fleet, entity=operators, detail=world.vendors.ids, keep=market.structure.may_hold_of_vendor)
    stock = market.structure.host_country(held.sum(axis=2))
    keep("compute_stock_h100e", "H100e", stock, region=world.countries.ids)
    owned = market.structure.owner_country(held.sum(axis=2))
    keep("compute_stock_owned_h100e", "H100e", owned, region=world.countries.ids)
    busy = state.utilisation[:, 0][:, None] * stock
    keep("compute_stock_used_h100e", "H100e", busy, region=world.countries.ids)
    added = sum_products(market, (state.added_units * market.rates.h100e)[:, None, :], market.structure.designer,
                         len(market.structure.designers))  # fmt: skip
    keep("compute_added_since_2022_h100e", "H100e", added, entity=market.structure.designers)


def record_markets(market: ComputeMarket) -> None:
    """Record token, rental and supply markets."""
    state, world, keep = market.state, market.world, market.recorder.add
    weight = state.capacity_h100e / state.capacity_h100e.sum(axis=1, keepdims=True)
    keep("utilisation", "share", (state.utilisation * weight).sum(axis=1), entity="world")
    merchant = world.products.merchant
    rent = state.contract_rent_usd_per_h100e_hour[:, :1] * market.rates.h100e
    spot = state.rent_usd_per_h100e_hour[:, :1] * market.rates.h100e
    here = state.fleet_units.sum(axis=1) > 0
    keep("rental_price_usd_per_hour", "USD/h", np.where(here, rent, np.nan), detail=world.products.ids, keep=merchant)
    keep("rental_spot_price_usd_per_hour", "USD/h", np.where(here, spot, np.nan), detail=world.products.ids, keep=merchant)
    served = np.concatenate([state.tokens.sum(axis=1)[:, None, :], state.lab_tokens], axis=1)
    keep("tokens_served", "tokens", served, entity=("world", *market.labs.ids), detail=TIERS)
    keep("token_price_usd_per_mtok", "USD/Mtok", state.token_price_usd_per_mtok, region=TOKEN_MARKETS, detail=TIERS)
    years = market.quarter / QUARTERS_PER_YEAR
    medium = state.token_price_usd_per_mtok[:, 0, 1]
    fixed = medium * np.exp(-market.value("tokens.capability_growth_ln") * years)
    keep("token_price_fixed_capability_usd_per_mtok", "USD/Mtok", fixed, entity="world")
    keep("frontier_token_price_usd_per_mtok", "USD/Mtok", state.token_price_usd_per_mtok[:, 0, 2], entity="world")
    keep("token_revenue_usd", "USD", state.token_revenue_usd, region=TOKEN_MARKETS)
    total = state.token_hours_h100e.sum(axis=(1, 2)) + state.captive_hours_h100e.sum(axis=1)
    every = total + state.training_hours_h100e.sum(axis=1)
    keep("inference_share_of_compute", "share", total / every, entity="world")
    keep("lab_revenue_usd", "USD", state.lab_revenue_usd, entity=market.labs.ids)
    keep("lab_power_mw", "MW", state.lab_power_mw, entity=market.labs.ids)
    keep("lab_funding_usd", "USD", state.lab_funding_usd, entity=market.labs.ids)
    keep("believed_ai_revenue_usd", "USD/year", np.exp(state.belief_ln_usd).mean(axis=1), entity="world")
    keep("realised_ai_revenue_usd", "USD/year", state.realised_revenue_usd, entity="world")


def record_supply(market: ComputeMarket) -> None:
    """Record capacities, lead times and what binds."""
    state, world, keep = market.state, market.world, market.recorder.add
    backlog = by_vendor(market, state.backlog_units.sum(axis=1) * market.rates.h100e)
    shipped = by_vendor(market, state.delivered_units.sum(axis=1) * market.rates.h100e)
    lead = market.value("capacity.build_weeks")[:, None] + WEEKS_PER_QUARTER * backlog / np.maximum(shipped, 1e-6)
    keep("lead_time_weeks", "weeks", np.where(shipped > 1.0, lead, np.nan), entity=world.vendors.ids)
    keep("packaging_capacity_wafers_per_month", "wafers/month", state.packaging_wafers / 3, entity="tsmc")
    memory = market.parts["memory"]
    keep("memory_revenue_usd", "USD", memory.revenue_usd, entity=memory.makers)
    keep("memory_capacity_gb", "GB", state.memory_gb, entity="world")
    total = np.maximum(state.binding.sum(axis=1, keepdims=True), 1e-9)
    keep("binding_constraint_share", "share", state.binding / total, detail=CONSTRAINTS)
    keep("smuggled_units", "units", state.smuggled_units.sum(axis=1), region="china")
    keep("smuggled_h100e", "H100e", state.smuggled_h100e, region="china")


def diagonal(values: Floats, mask: Floats) -> Floats:
    """Spread (R, P) values over (R, D, P) where the mask (D, P) holds."""
    return np.where(mask, values[:, None, :], 0.0)


def sum_products(market: ComputeMarket, values: Floats, group: Floats, groups: int) -> Floats:
    """Sum (R, C, P) over the products of each group: (R, G, C); C of length 1 is dropped."""
    parts = [np.compress(group == g, values, axis=2).sum(axis=2) for g in range(groups)]
    out = np.ascontiguousarray(np.stack(parts, axis=1))
    return out[:, :, 0] if out.shape[2] == 1 else out


OBSERVERS = (record_sales, record_operators, record_markets, record_supply)
