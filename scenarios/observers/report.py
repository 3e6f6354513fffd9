"""What a report asks of a quarter: who bought from whom, books of orders, costs by layer, tokens by chip.

They are half as many series as all others together, so a run leaves them out: they are recorded where a study or a
report asks for them by name, and a report simulates the same runs again.
"""

import numpy as np

from computemarket.model.core.arrays import Bools, Floats, over_holders, weighted_sum
from computemarket.model.core.calendar import HOURS_PER_QUARTER, HOURS_PER_YEAR, QUARTERS_PER_YEAR
from computemarket.model.core.recorded import END, MEAN, SUM, Variable, recorded, recorded_by
from computemarket.model.hardware.specs.defaults import parameter_default, parameters_given
from computemarket.model.hardware.specs.maturity import maturity_table
from computemarket.model.market import ComputeMarket
from computemarket.model.markets.serving import SECONDS_PER_HOUR, TOKENS_PER_MTOK
from computemarket.model.markets.settlement import by_vendor, letting_usd_per_quarter
from computemarket.model.markets.user_cost import all_in_cost_usd
from computemarket.model.mechanisms.vendors.pricing import break_even_price_usd
from computemarket.model.world.world import TIERS
from computemarket.scenarios.cast import StagedMarket
from computemarket.scenarios.observers.chips import record_makers_by_segment, record_tokens_by_chip

ELSEWHERE = "world_outside_china"
CONTENTS = ("chips", "networking", "systems")
MEDIUM = TIERS.index("medium")
FEWEST_ORDERED = 1.0  # accelerators a quarter under which an owner has no mean cost


@recorded(
    Variable(
        "purchases_usd",
        "USD",
        SUM,
        "Purchases",
        "What operators were delivered, by vendor",
        entity="operators",
        detail="vendors",
    ),
    Variable(
        "orders_usd",
        "USD",
        SUM,
        "Orders",
        "Orders that vendors received, those made twice among them",
        entity="vendors",
    ),
    Variable(
        "backlog_usd", "USD", END, "Backlog", "Orders that vendors have not delivered yet", entity="vendors"
    ),
    Variable(
        "cost_of_sales_usd",
        "USD",
        SUM,
        "Cost of Sales",
        "What data-centre sales cost vendors",
        entity="vendors",
    ),
    on_request=True,
)
def record_purchases(market: ComputeMarket) -> None:
    """Record what every operator was delivered by every vendor, and vendors' orders and backlogs at today's prices.

    Orders and backlog count what buyers ordered twice, as a vendor's own books do.
    """
    state, world, structure, keep = market.state, market.world, market.structure, market.recorder.add
    operators, vendors = world.operators.ids, world.vendors.ids
    system_usd = state.price_usd * _content(market)
    bought = np.zeros((len(system_usd), len(operators), len(vendors)))
    known = world.products.launch <= market.quarter  # nothing else can have been delivered
    for place, mine in enumerate(structure.products_of_vendor):
        chosen = mine[known[mine]]
        units, price = np.take(state.delivered_units, chosen, axis=2), np.take(system_usd, chosen, axis=1)
        bought[:, :, place] = weighted_sum(units, price[:, None])
    kept = structure.may_hold_of_vendor
    keep("purchases_usd", bought, entity=operators, detail=vendors, keep=kept)
    ordered = by_vendor(market, over_holders(state.ordered_units) * system_usd)
    keep("orders_usd", ordered, entity=vendors)
    waiting = by_vendor(market, over_holders(state.backlog_units) * system_usd)
    keep("backlog_usd", waiting, entity=vendors)
    keep("cost_of_sales_usd", state.cost_of_sales_usd, entity=vendors)


@recorded(
    Variable(
        "sales_usd",
        "USD",
        SUM,
        "Merchant Sales",
        "Sales of merchants by content",
        entity="vendors",
        region="China and the world outside",
        detail="contents of sales",
    ),
    Variable(
        "chip_sales_usd",
        "USD",
        SUM,
        "Chip Sales",
        "Sales of merchant chips, without networking and systems",
        region="world outside China",
        detail="products",
    ),
    on_request=True,
)
def record_bridge(market: ComputeMarket) -> None:
    """Record merchants' sales by content and place, and sales of each merchant chip outside China."""
    state, world, keep = market.state, market.world, market.recorder.add
    products, merchant = world.products, world.products.merchant
    total = np.compress(merchant, over_holders(state.delivered_units), axis=1)  # (R, P')
    here = world.operators.host[:, world.country("china")]
    rows = np.flatnonzero(here > 0)
    china = (np.take(state.delivered_units, rows, axis=1) * here[rows, None]).sum(axis=1)
    china = np.compress(merchant, china, axis=1)
    price = np.compress(merchant, state.price_usd, axis=1)
    chips = np.stack([china * price, np.maximum(total - china, 0.0) * price], axis=1)  # (R, 2, P')
    network, systems = products.network_content[merchant], products.system_content[merchant]
    contents = np.stack([np.ones_like(network), network, systems])  # (3, P')
    seller = products.vendor[merchant]
    sellers = np.unique(seller)
    sales = np.empty((len(chips), len(sellers), 2, len(CONTENTS)))
    for place, vendor in enumerate(sellers):
        mine = np.flatnonzero(seller == vendor)
        sales[:, place] = (np.take(chips, mine, axis=2)[:, :, None] * np.take(contents, mine, axis=1)).sum(
            axis=3
        )
    names = tuple(world.vendors.ids[vendor] for vendor in sellers)
    keep("sales_usd", sales, entity=names, region=("china", ELSEWHERE), detail=CONTENTS)
    ids = tuple(np.array(products.ids)[merchant].tolist())
    keep("chip_sales_usd", np.ascontiguousarray(chips[:, 1]), region=ELSEWHERE, detail=ids)


def _content(market: ComputeMarket) -> Floats:
    """Return (P,) what a system costs per chip price."""
    return 1 + market.world.products.network_content + market.world.products.system_content


@recorded(
    Variable(
        "rental_revenue_usd",
        "USD",
        SUM,
        "Rental Revenue",
        "Revenue of operators from compute that they let",
        entity="operators",
    ),
    Variable(
        "let_share",
        "share",
        MEAN,
        "Share Let",
        "Share of its fleet that an operator lets",
        entity="operators",
    ),
    Variable(
        "own_use_usd",
        "USD",
        SUM,
        "Own Use of Compute",
        "What the compute that operators use themselves would earn at the rents of their contracts",
        entity="operators",
    ),
    Variable("power_cost_usd", "USD", SUM, "Power Cost", "What operators pay for power", entity="operators"),
    Variable("interest_usd", "USD", SUM, "Interest", "Interest that operators pay", entity="operators"),
    Variable(
        "lab_compute_usd",
        "USD",
        SUM,
        "Laboratory Compute Cost",
        "What laboratories pay for compute",
        entity="labs",
    ),
    Variable(
        "lab_training_usd",
        "USD",
        SUM,
        "Laboratory Training Cost",
        "What laboratories pay for compute for training",
        entity="labs",
    ),
    Variable(
        "lab_payroll_usd",
        "USD",
        SUM,
        "Laboratory Payroll",
        "What laboratories pay their people",
        entity="labs",
    ),
    Variable(
        "startup_revenue_usd",
        "USD",
        SUM,
        "Startup Revenue",
        "Revenue of start-ups",
        entity="startups",
        single=True,
    ),
    Variable(
        "channel_margin_usd",
        "USD",
        SUM,
        "Channel Margin",
        "Margin of software channels",
        entity="software channels",
    ),
    Variable(
        "power_by_country_mw",
        "MW",
        END,
        "Power Drawn by Country",
        "Power of AI fleets by the country where they stand",
        region="countries",
    ),
    Variable(
        "memory_sales_usd",
        "USD",
        SUM,
        "Memory Sales",
        "Sales of high-bandwidth memory by maker and vendor",
        entity="makers of memory",
        detail="vendors",
    ),
    on_request=True,
)
def record_layers(market: StagedMarket) -> None:
    """Record what each layer between memory and application takes in and pays out."""
    state, world, keep = market.state, market.world, market.recorder.add
    operators = world.operators.ids
    keep("rental_revenue_usd", state.rental_revenue_usd, entity=operators)
    let = world.operators.rented_out_share * state.let_factor
    keep("let_share", let, entity=operators)
    rent_usd = market.state.work_h100e * letting_usd_per_quarter(market, state.booked_rent_usd_per_h100e_hour)
    keep("own_use_usd", rent_usd * np.maximum(1 - let, 0.0), entity=operators)
    mwh = state.power_used_mw * HOURS_PER_QUARTER
    price = market.value("power.price_usd_per_mwh")[:, None]
    keep("power_cost_usd", mwh * price, entity=operators)
    keep("interest_usd", state.interest_usd, entity=operators)
    labs = market.labs.ids
    keep("lab_compute_usd", state.lab_compute_usd, entity=labs)
    keep("lab_training_usd", state.lab_training_usd, entity=labs)
    payroll = market.value("labs.payroll_per_compute")[:, None] * state.lab_compute_usd
    keep("lab_payroll_usd", payroll, entity=labs)
    keep("startup_revenue_usd", market.cast.startups.revenue_usd.sum(axis=1), entity="startups")
    channels = market.cast.software_channels
    margin = market.value("channels.software_margin")[:, None]
    keep("channel_margin_usd", channels.revenue_usd * margin / (1 + margin), entity=channels.names)
    sites = market.structure.host_country(state.power_used_mw)
    keep("power_by_country_mw", sites, region=world.countries.ids)
    _record_memory_buyers(market)


def _record_memory_buyers(market: StagedMarket) -> None:
    """Record what makers of memory sold to each vendor: a maker has the same share with all of them."""
    state, memory = market.state, market.cast.memory
    gigabytes = by_vendor(market, state.in_process_units * market.world.products.hbm_gb)
    part = gigabytes / np.maximum(gigabytes.sum(axis=1, keepdims=True), 1e-9)
    sold = memory.revenue_usd[:, :, None] * part[:, None, :]
    vendors = market.world.vendors.ids
    market.recorder.add("memory_sales_usd", sold, entity=memory.makers, detail=vendors)


@recorded(
    Variable(
        "own_silicon_order_share",
        "share",
        MEAN,
        "Own Silicon Order Share",
        "Share of own silicon in an operator's orders",
        entity="operators",
    ),
    Variable(
        "own_chip_usd_per_mtok",
        "USD/Mtok",
        MEAN,
        "Own Chip Cost per Million Tokens",
        "Cost of a million tokens on the own chips that an operator orders",
        entity="operators",
    ),
    Variable(
        "merchant_chip_usd_per_mtok",
        "USD/Mtok",
        MEAN,
        "Merchant Chip Cost per Million Tokens",
        "Cost of a million tokens on the merchant chips that owners of chip programmes order",
        entity="world",
    ),
    Variable(
        "own_chip_work_tokens",
        "tokens",
        SUM,
        "Own Chip Work",
        "Tokens of the medium tier that an operator's own chips serve at usual utilisation, were "
        "they to serve no others",
        entity="operators",
    ),
    on_request=True,
)
def record_own_silicon(market: ComputeMarket) -> None:
    """Record owners' share of orders for own chips, and what a million tokens cost on own and on merchant chips.

    Cost per million tokens of the medium tier: hardware in place spread over its service life at usual utilisation,
    and power, drawn in idle hours too, over the tokens served in that life, as software matures; before porting. Of
    the chips with stacked memory that owners order in the quarter, own and merchant: both are what is given up for the
    other. Work of own chips: what those in place serve a quarter at usual utilisation, were all of it medium tokens.
    """
    state, world, rates, keep = market.state, market.world, market.rates, market.recorder.add
    products = world.products
    owners = tuple(name for name in world.operators.ids if name in set(products.own_of))
    slots = [world.operator(name) for name in owners]
    keep("own_silicon_order_share", np.take(state.own_share, slots, axis=1), entity=owners)
    used = market.value("chips.expected_utilisation")[:, None]
    served_h = HOURS_PER_YEAR * market.value("chips.life_years")[:, None] * used
    power_usd = rates.power_kw / 1000 * market.value("power.price_usd_per_mwh")[:, None] / used
    hour_usd = all_in_cost_usd(market) / served_h + power_usd
    mtok_per_s = rates.tokens_per_s[:, MEDIUM] / TOKENS_PER_MTOK
    mtok_per_h = mtok_per_s * SECONDS_PER_HOUR * _maturity_over_life(market)
    ordered = np.take(state.ordered_units, slots, axis=1)  # (R, n, P)
    large = market.structure.flagship & (products.hbm_gb > 0)
    own = [large & np.array([name == one for one in products.own_of]) for name in owners]
    costs = [_as_ordered(hour_usd, mtok_per_h, ordered[:, n], mine) for n, mine in enumerate(own)]
    merchant = _as_ordered(hour_usd, mtok_per_h, over_holders(ordered), large & products.merchant)
    keep("own_chip_usd_per_mtok", np.stack(costs, axis=1), entity=owners)
    keep("merchant_chip_usd_per_mtok", merchant, entity="world")
    tokens = (
        mtok_per_s
        * TOKENS_PER_MTOK
        * rates.maturity[:, market.quarter]
        * SECONDS_PER_HOUR
        * HOURS_PER_QUARTER
    )
    fleet = np.take(state.fleet_units, slots, axis=1)
    work = [weighted_sum(fleet[:, n], np.where(mine, tokens, 0.0)[None]) for n, mine in enumerate(own)]
    keep("own_chip_work_tokens", np.stack(work, axis=1) * used, entity=owners)


def _maturity_over_life(market: ComputeMarket) -> Floats:
    """Return (R, P) the mean software maturity over the service life of an accelerator bought today.

    A chip just launched is slow at first and a buyer knows that it will not stay so: with the software of the day a
    generation at its end would look cheaper than the one that replaces it. Machines of language processors, which
    wait for joint software too, are not asked about.
    """
    life = np.maximum(np.rint(market.value("chips.life_years") * QUARTERS_PER_YEAR), 1.0).astype(np.int64)
    now, launch = market.quarter, market.world.products.launch
    with parameters_given(dict(market.rates.given)):
        gain, pace = parameter_default("software_gain"), parameter_default("software_gap_rate")
        table = maturity_table(
            launch, now + int(life.max()), gain, pace, parameter_default("software_reference_age")
        )
    so_far = np.concatenate([np.zeros((len(launch), 1)), np.cumsum(table, axis=1)], axis=1)
    places = np.arange(len(launch))
    over_life = so_far[places[None, :], now + life[:, None]] - so_far[places, now]
    return np.asarray(over_life / life[:, None])


def _as_ordered(hour_usd: Floats, mtok_per_h: Floats, units: Floats, chosen: Bools) -> Floats:
    """Return (R,) the cost of a million tokens on the chosen products together, by (R, P) units ordered; else NaN."""
    bought = np.where(chosen & (mtok_per_h > 0), units, 0.0)
    mtok, usd = weighted_sum(bought, mtok_per_h), weighted_sum(bought, hour_usd)
    some = bought.sum(axis=1) >= FEWEST_ORDERED
    return np.where(some, usd / np.where(some, mtok, 1.0), np.nan)


@recorded(
    Variable(
        "residual_value",
        "share",
        MEAN,
        "Residual Value",
        "What is left of the value of an accelerator bought at launch, over its price then",
        detail="products",
    ),
    on_request=True,
)
def record_residual_values(market: ComputeMarket) -> None:
    """Record what is left of the value of each merchant accelerator bought when it came out, per dollar of that price.

    What a buyer could pay for the rest of its service life at today's contract rents: the break-even price of the
    vendors, for the years that are left, over the list price at launch.
    """
    state, world, rates = market.state, market.world, market.rates
    products = world.products
    chosen = products.merchant & market.structure.flagship & (products.launch >= -8)
    mine = np.flatnonzero(chosen)
    age = (market.quarter - products.launch[mine]) / QUARTERS_PER_YEAR
    left = np.maximum(market.value("chips.life_years")[:, None] - np.maximum(age, 0.0), 0.0)
    rent = state.contract_rent_usd_per_h100e_hour[:, :1] * np.take(market.state.work, mine, axis=1)
    running = rates.power_kw[mine] / 1000 * market.value("power.price_usd_per_mwh")[:, None]
    content = 1 + products.network_content[mine] + products.system_content[mine]
    worth = break_even_price_usd(
        rent, market.value("chips.expected_utilisation")[:, None], running, np.zeros_like(content),
        HOURS_PER_YEAR, market.value("chips.rent_decline")[:, None], market.value("capex.discount_rate")[:, None],
        left, content,
    )  # fmt: skip
    value = np.where(age >= 0, worth / products.price_usd[mine], np.nan)
    names = tuple(np.array(products.ids)[mine].tolist())
    market.recorder.add("residual_value", value, detail=names)


REPORT_OBSERVERS = (
    record_purchases,
    record_bridge,
    record_layers,
    record_tokens_by_chip,
    record_own_silicon,
    record_residual_values,
    record_makers_by_segment,
)
REPORT_VARIABLES = frozenset(name for observe in REPORT_OBSERVERS for name in recorded_by(observe).names)
