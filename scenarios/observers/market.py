"""What a quarter leaves in the results table: the variables, their units and labels."""

from functools import partial

import numpy as np

from computemarket.model.core.arrays import Floats, by_group, over_holders
from computemarket.model.core.calendar import MONTHS_PER_QUARTER, WEEKS_PER_QUARTER
from computemarket.model.core.recorded import END, MEAN, SUM, Variable, recorded
from computemarket.model.market import ComputeMarket
from computemarket.model.markets.accelerators import by_country
from computemarket.model.markets.settlement import by_vendor
from computemarket.model.state import CONSTRAINTS, WITHDRAWN
from computemarket.model.world.world import TIERS, TOKEN_MARKETS
from computemarket.scenarios.cast import StagedMarket

OUTSIDE_CHINA = "world_outside_china"
MEDIUM, HIGH = TIERS.index("medium"), TIERS.index("high")


@recorded(
    Variable(
        "accelerator_revenue_usd",
        "USD",
        SUM,
        "Accelerator Revenue",
        "Sales of accelerator systems by seller, in the country where they stand",
        entity="vendors",
        region="countries",
    ),
    Variable(
        "data_center_revenue_usd",
        "USD",
        SUM,
        "Data-Centre Revenue",
        "Sales of chips, networking and systems for data centres, by vendor",
        entity="vendors",
    ),
    Variable(
        "data_center_networking_revenue_usd",
        "USD",
        SUM,
        "Data-Centre Networking Revenue",
        "Networking within data-centre revenue, by vendor",
        entity="vendors",
    ),
    Variable(
        "compute_shipped_h100e",
        "H100e",
        SUM,
        "Compute Shipped",
        "Compute delivered by designer, in the country where it stands; peak dense 8-bit rate over that of an H100",
        entity="designers",
        region="countries",
    ),
    Variable(
        "compute_shipped_h100e_tpp",
        "H100e (TPP)",
        SUM,
        "Compute Shipped by TPP",
        "Compute delivered by designer and country; total processing performance over that of an H100",
        entity="designers",
        region="countries",
    ),
    Variable(
        "accelerator_spend_usd",
        "USD",
        SUM,
        "Accelerator Spend",
        "Price paid for accelerators alone, without networking and systems, by designer",
        entity="designers",
    ),
    Variable(
        "accelerator_units",
        "units",
        SUM,
        "Accelerators Delivered",
        "Accelerators delivered, by designer and product",
        entity="designers",
        region="China and the world outside",
        detail="products",
    ),
    Variable(
        "accelerator_price_usd",
        "USD",
        MEAN,
        "Accelerator Price",
        "Price of an accelerator on sale, by designer and product",
        entity="designers",
        detail="products",
    ),
    Variable(
        "company_revenue_usd",
        "USD",
        SUM,
        "Company Revenue",
        "Revenue of whole vendors, with business outside data centres",
        entity="vendors",
    ),
    Variable(
        "gross_margin",
        "share",
        MEAN,
        "Gross Margin",
        "Gross profit of whole vendors over revenue",
        entity="vendors",
    ),
    Variable(
        "china_revenue_usd",
        "USD",
        SUM,
        "Revenue from China",
        "Revenue of whole vendors from China",
        entity="vendors",
    ),
    Variable(
        "export_charge_usd",
        "USD",
        SUM,
        "Export Charge",
        "Inventory and commitments that the leader wrote off for export rules",
        entity="the leader",
    ),
    Variable(
        "export_lost_sales_usd",
        "USD",
        SUM,
        "Export Sales Lost",
        "Sales that the leader could not make for export rules",
        entity="the leader",
    ),
)
def record_sales(market: ComputeMarket) -> None:
    """Record what vendors sold, to whom, at which price."""
    state, world, keep = market.state, market.world, market.recorder.add
    products, countries, vendors = world.products, world.countries.ids, world.vendors.ids
    units = by_country(market, state.delivered_units)  # (R, C, P)
    system_usd = state.price_usd * (1 + products.network_content + products.system_content)
    revenue = units * system_usd[:, None, :]
    by_seller = partial(_sum_products, members=market.structure.made_by)
    keep("accelerator_revenue_usd", by_seller(revenue), entity=vendors, region=countries)
    china = world.country("china")
    total = np.ascontiguousarray(units.sum(axis=1))
    sales = by_vendor(market, total * system_usd)
    keep("data_center_revenue_usd", sales, entity=vendors)
    network = by_vendor(market, total * state.price_usd * products.network_content)
    keep("data_center_networking_revenue_usd", network, entity=vendors)
    _record_shipments(market, units, total)
    _record_company(market, sales, by_vendor(market, revenue[:, china]))


def _record_shipments(market: ComputeMarket, units: Floats, total: Floats) -> None:
    """Record units and compute by designer, and the price of what is on sale."""
    state, keep, structure = market.state, market.recorder.add, market.structure
    designers, products = structure.designers, market.world.products
    by_designer = partial(_sum_products, members=structure.designed_by)
    countries = market.world.countries.ids
    shipped = by_designer(units * market.rates.h100e)
    keep("compute_shipped_h100e", shipped, entity=designers, region=countries)
    if market.recorder.wants("compute_shipped_h100e_tpp"):
        shipped = by_designer(units * market.rates.h100e_tpp)
        keep("compute_shipped_h100e_tpp", shipped, entity=designers, region=countries)
    if not market.recorder.wants("accelerator_spend_usd", "accelerator_units", "accelerator_price_usd"):
        return
    spend = by_designer((total * state.price_usd)[:, None, :])[:, :, 0]
    keep("accelerator_spend_usd", spend, entity=designers)
    here = units[:, market.world.country("china")]
    places = np.stack([here, total - here], axis=1)  # (R, 2, P)
    cells = structure.product_of_designer  # (D, P)
    spread = np.where(cells[:, None, :], places[:, None, :, :], 0.0)  # (R, D, 2, P)
    kept = np.broadcast_to(cells[:, None, :], spread.shape[1:])
    where = ("china", OUTSIDE_CHINA)
    keep("accelerator_units", spread, entity=designers, region=where, detail=products.ids, keep=kept)
    offered = structure.on_sale[market.quarter] & (state.product_edge > WITHDRAWN)
    asked = np.where(offered, state.price_usd, np.nan)
    prices = np.where(cells, asked[:, None, :], np.nan)
    keep("accelerator_price_usd", prices, entity=designers, detail=products.ids, keep=cells)


@recorded(
    Variable(
        "software_gap_ln",
        "ln",
        MEAN,
        "Software Gap",
        "Utility that buyers lose by a vendor's software against the leader's",
        entity="vendors",
    ),
)
def record_software(market: ComputeMarket) -> None:
    """Record how far the software of each vendor lags behind the leader's."""
    market.recorder.add("software_gap_ln", market.state.software_gap, entity=market.world.vendors.ids)


def _record_company(market: ComputeMarket, sales: Floats, sales_china: Floats) -> None:
    """Record revenue and margin of whole companies; outside data centres only chips for robots are simulated."""
    state, vendors, keep = market.state, market.world.vendors, market.recorder.add
    other = vendors.gaming_revenue_usd_per_quarter > 0  # (V,)
    gaming = np.where(other, (market.value("chips.gaming_revenue_usd_bn") * 1e9)[:, None], 0.0)
    charge = np.where(other, state.export_charge_usd[:, None], 0.0)
    leader = np.arange(len(vendors.ids)) == int(np.argmax(vendors.software_stock))
    edge, edge_china = (
        np.where(leader, usd[:, None], 0.0)
        for usd in (state.edge_sales_usd.sum(axis=1), state.edge_sales_usd[:, TOKEN_MARKETS.index("china")])
    )
    consumer = gaming + edge
    company = sales + consumer
    profit = (
        sales - state.cost_of_sales_usd + consumer * market.value("chips.gaming_margin")[:, None] - charge
    )
    keep("company_revenue_usd", company, entity=vendors.ids)
    written_off = by_vendor(market, state.written_off_units * state.unit_cost_usd)
    said = company > written_off  # where scrap exceeds sales a margin on them says nothing
    margin = np.where(said, profit / np.where(said, company, 1.0), np.nan)
    keep("gross_margin", margin, entity=vendors.ids)
    china = sales_china + gaming * market.value("chips.gaming_china_share")[:, None] + edge_china
    keep("china_revenue_usd", china, entity=vendors.ids)
    keep("export_charge_usd", state.export_charge_usd, entity=market.world.leader)
    keep("export_lost_sales_usd", state.export_lost_usd, entity=market.world.leader)


@recorded(
    Variable(
        "capex_usd",
        "USD",
        SUM,
        "Capital Expenditure",
        "Capital expenditure of operators, all of it",
        entity="operators",
    ),
    Variable(
        "ai_capex_usd",
        "USD",
        SUM,
        "AI Capital Expenditure",
        "Capital expenditure of operators on AI systems and their sites",
        entity="operators",
    ),
    Variable(
        "debt_usd", "USD", END, "Debt", "Debt of operators at the end of the period", entity="operators"
    ),
    Variable(
        "power_mw",
        "MW",
        END,
        "Power Drawn",
        "Power that AI fleets of operators draw at the end of the period",
        entity="operators",
    ),
    Variable(
        "power_connected_mw",
        "MW",
        END,
        "Power Connected",
        "Power connected for AI fleets of operators at the end of the period",
        entity="operators",
    ),
    Variable(
        "fleet_h100e",
        "H100e",
        END,
        "Fleet",
        "Compute that operators own at the end of the period, by vendor of the chips",
        entity="operators",
        detail="vendors",
    ),
    Variable(
        "compute_stock_h100e",
        "H100e",
        END,
        "Compute Installed",
        "Compute by the country where it stands",
        region="countries",
    ),
    Variable(
        "compute_stock_owned_h100e",
        "H100e",
        END,
        "Compute Owned",
        "Compute by the country of its owners' headquarters",
        region="countries",
    ),
    Variable(
        "compute_stock_used_h100e",
        "H100e",
        END,
        "Compute Used",
        "Busy compute by the country of those who use it",
        region="countries",
    ),
    Variable(
        "compute_added_since_2022_h100e",
        "H100e",
        END,
        "Compute Added since 2022",
        "Compute added since the start of 2022, by designer",
        entity="designers",
    ),
)
def record_operators(market: ComputeMarket) -> None:
    """Record what operators spend, borrow, hold and draw."""
    state, world, keep = market.state, market.world, market.recorder.add
    operators = world.operators.ids
    keep("capex_usd", state.capex_usd, entity=operators)
    keep("ai_capex_usd", state.ai_capex_usd, entity=operators)
    keep("debt_usd", state.debt_usd, entity=operators)
    keep("power_mw", state.power_used_mw, entity=operators)
    keep("power_connected_mw", state.power_mw, entity=operators)
    held = state.fleet_units * market.rates.h100e  # (R, H, P)
    if market.recorder.wants("fleet_h100e"):
        fleet = by_group(held, market.structure.made_by)  # (R, H, V)
        kept = market.structure.may_hold_of_vendor
        keep("fleet_h100e", fleet, entity=operators, detail=world.vendors.ids, keep=kept)
    _record_stock(market, held.sum(axis=2))
    added = by_group(state.added_units * market.rates.h100e, market.structure.designed_by)
    keep("compute_added_since_2022_h100e", added, entity=market.structure.designers)


def _record_stock(market: ComputeMarket, held: Floats) -> None:
    """Record compute by where it stands, by whose it is, and by where it is used.

    Use follows demand: the busy hours of a token market are used by its countries in proportion to their demand.
    """
    state, world, keep = market.state, market.world, market.recorder.add
    countries = world.countries
    stock = market.structure.host_country(held)
    keep("compute_stock_h100e", stock, region=countries.ids)
    keep("compute_stock_owned_h100e", market.structure.owner_country(held), region=countries.ids)
    used = np.empty_like(stock)
    for m in range(len(TOKEN_MARKETS)):
        here = countries.token_market == m
        busy = state.utilisation[:, m] * np.compress(here, stock, axis=1).sum(axis=1)
        sign = 1.0 if TOKEN_MARKETS[m] == "china" else -1.0
        busy = np.maximum(busy + sign * state.utilisation[:, m] * state.used_abroad_h100e, 0.0)
        used[:, here] = busy[:, None] * countries.demand_share[here]
    keep("compute_stock_used_h100e", used, region=countries.ids)


@recorded(
    Variable(
        "tokens_served",
        "tokens",
        SUM,
        "Tokens Served",
        "Tokens generated, all over the world and by laboratory, by tier of speed",
        entity="labs and the world",
        detail="token tiers",
    ),
    Variable(
        "token_price_usd_per_mtok",
        "USD/Mtok",
        MEAN,
        "Token Price",
        "Price of a million output tokens by tier of speed",
        region="token markets",
        detail="token tiers",
    ),
    Variable(
        "token_price_fixed_capability_usd_per_mtok",
        "USD/Mtok",
        MEAN,
        "Token Price at Fixed Capability",
        "Price of a million tokens of what a medium-tier model could do at the start of 2022",
        entity="world",
    ),
    Variable(
        "frontier_token_price_usd_per_mtok",
        "USD/Mtok",
        MEAN,
        "Frontier Token Price",
        "Price of a million tokens of a frontier model",
        entity="world",
    ),
    Variable(
        "token_revenue_usd", "USD", SUM, "Token Revenue", "Revenue from tokens sold", region="token markets"
    ),
    Variable(
        "inference_share_of_compute",
        "share",
        MEAN,
        "Inference Share of Compute",
        "Hours of inference over all hours of compute",
        entity="world",
    ),
    Variable("lab_revenue_usd", "USD", SUM, "Laboratory Revenue", "Revenue of laboratories", entity="labs"),
    Variable(
        "lab_power_mw",
        "MW",
        END,
        "Laboratory Power",
        "Power of the compute that laboratories use",
        entity="labs",
    ),
    Variable(
        "lab_funding_usd", "USD", SUM, "Laboratory Funding", "Capital that laboratories raised", entity="labs"
    ),
)
def record_tokens(market: ComputeMarket) -> None:
    """Record what was served in which tier, at which price, by whom."""
    state, keep = market.state, market.recorder.add
    served = np.concatenate([state.tokens.sum(axis=1)[:, None, :], state.lab_tokens], axis=1)
    keep("tokens_served", served, entity=("world", *market.labs.ids), detail=TIERS)
    price = np.where(state.tokens > 0, state.token_price_usd_per_mtok, np.nan)
    keep("token_price_usd_per_mtok", price, region=TOKEN_MARKETS, detail=TIERS)
    fixed = price[:, 0, MEDIUM] * np.exp(-state.capability_ln)
    keep("token_price_fixed_capability_usd_per_mtok", fixed, entity="world")
    keep("frontier_token_price_usd_per_mtok", price[:, 0, HIGH], entity="world")
    keep("token_revenue_usd", state.token_revenue_usd, region=TOKEN_MARKETS)
    inference = state.token_hours_h100e.sum(axis=(1, 2)) + state.captive_hours_h100e.sum(axis=1)
    every = inference + state.training_hours_h100e.sum(axis=1)
    keep("inference_share_of_compute", inference / every, entity="world")
    keep("lab_revenue_usd", state.lab_revenue_usd, entity=market.labs.ids)
    keep("lab_power_mw", state.lab_power_mw, entity=market.labs.ids)
    keep("lab_funding_usd", state.lab_funding_usd, entity=market.labs.ids)


@recorded(
    Variable(
        "utilisation", "share", MEAN, "Utilisation", "Busy share of the hours of all fleets", entity="world"
    ),
    Variable(
        "rental_price_usd_per_hour",
        "USD/h",
        MEAN,
        "Rental Price, Contract",
        "Price of an hour of an accelerator in one-year contracts",
        detail="products",
    ),
    Variable(
        "rental_spot_price_usd_per_hour",
        "USD/h",
        MEAN,
        "Rental Price, Spot",
        "Price of an hour of an accelerator without contract",
        detail="products",
    ),
    Variable(
        "believed_ai_revenue_usd",
        "USD/year",
        MEAN,
        "AI Revenue Believed",
        "Yearly AI revenue that builders expect",
        entity="world",
    ),
    Variable(
        "realised_ai_revenue_usd",
        "USD/year",
        MEAN,
        "AI Revenue Realised",
        "Yearly AI revenue as realised",
        entity="world",
    ),
)
def record_rents(market: ComputeMarket) -> None:
    """Record utilisation, the two prices of an hour, and what builders believe beside what was realised."""
    state, world, keep = market.state, market.world, market.recorder.add
    weight = state.capacity_h100e / state.capacity_h100e.sum(axis=1, keepdims=True)
    keep("utilisation", (state.utilisation * weight).sum(axis=1), entity="world")
    installed = over_holders(state.fleet_units) > 0
    spot = np.where(installed, state.product_rent_usd[:, 0], np.nan)
    contract = spot * (state.contract_rent_usd_per_h100e_hour / state.rent_usd_per_h100e_hour)[:, :1]
    merchant, ids = world.products.merchant, world.products.ids
    keep("rental_price_usd_per_hour", contract, detail=ids, keep=merchant)
    keep("rental_spot_price_usd_per_hour", spot, detail=ids, keep=merchant)
    keep("believed_ai_revenue_usd", np.exp(state.belief_ln_usd).mean(axis=1), entity="world")
    keep("realised_ai_revenue_usd", state.realised_revenue_usd, entity="world")


@recorded(
    Variable(
        "lead_time_weeks",
        "weeks",
        MEAN,
        "Lead Time",
        "Weeks from order to delivery, by vendor",
        entity="vendors",
    ),
    Variable(
        "packaging_capacity_wafers_per_month",
        "wafers/month",
        END,
        "Packaging Capacity",
        "Advanced-packaging capacity of TSMC",
        entity="the packaging foundry",
        single=True,
    ),
    Variable(
        "memory_revenue_usd",
        "USD",
        SUM,
        "Memory Revenue",
        "Revenue from high-bandwidth memory by maker",
        entity="makers of memory",
    ),
    Variable(
        "memory_capacity_gb",
        "GB",
        END,
        "Memory Capacity",
        "High-bandwidth memory that can be made in a quarter",
        entity="world",
    ),
    Variable(
        "binding_constraint_share",
        "share",
        MEAN,
        "Binding Constraint",
        "Share of each constraint in the compute that constraints kept from being delivered",
        detail="constraints",
    ),
    Variable(
        "smuggled_units",
        "units",
        SUM,
        "Accelerators Smuggled",
        "Accelerators smuggled into China",
        region="China",
    ),
    Variable(
        "smuggled_h100e", "H100e", SUM, "Compute Smuggled", "Compute smuggled into China", region="China"
    ),
)
def record_supply(market: StagedMarket) -> None:
    """Record capacities, lead times, memory revenue, what binds, and what was smuggled."""
    state, world, keep = market.state, market.world, market.recorder.add
    # what is being built waits no longer than the building takes
    queue = np.maximum(
        over_holders(state.backlog_units) - state.in_process_units - state.inventory_units, 0.0
    )
    backlog = by_vendor(market, queue * market.rates.h100e)
    shipped = by_vendor(market, over_holders(state.delivered_units) * market.rates.h100e)
    lead = market.value("capacity.build_weeks")[:, None] + WEEKS_PER_QUARTER * backlog / np.maximum(
        shipped, 1e-6
    )
    keep("lead_time_weeks", np.where(shipped > 1.0, lead, np.nan), entity=world.vendors.ids)
    monthly = state.packaging_wafers / MONTHS_PER_QUARTER
    keep("packaging_capacity_wafers_per_month", monthly, entity=market.world.roles.one("packaging_foundry"))
    memory = market.cast.memory
    keep("memory_revenue_usd", memory.revenue_usd, entity=memory.makers)
    keep("memory_capacity_gb", state.memory_gb, entity="world")
    total = np.maximum(state.binding.sum(axis=1, keepdims=True), 1e-9)
    keep("binding_constraint_share", state.binding / total, detail=CONSTRAINTS)
    keep("smuggled_units", state.smuggled_units.sum(axis=1), region="china")
    keep("smuggled_h100e", state.smuggled_h100e, region="china")


def _sum_products(values: Floats, members: Floats) -> Floats:
    """Sum (R, C, P) over the products of each of G groups: (R, G, C)."""
    return np.ascontiguousarray(np.swapaxes(by_group(values, members), 1, 2))


MARKET_OBSERVERS = (
    record_sales,
    record_software,
    record_operators,
    record_tokens,
    record_rents,
    record_supply,
)
