"""Who pays whom at the end of a quarter; every payment goes through the ledger."""

import numpy as np

from computemarket.model.core.arrays import Floats, by_group, over_holders, weighted_sum
from computemarket.model.core.calendar import HOURS_PER_QUARTER, QUARTERS_PER_YEAR
from computemarket.model.core.ledger import balance, check
from computemarket.model.market import ComputeMarket

OUTSIDE = (
    "customers",
    "investors",
    "lenders",
    "public",
    "clouds",
    "builders",
    "utilities",
    "suppliers",
    "other_business",
)
LEAST_CAPEX_USD = 1e6  # of all operators together: growth from nothing has no logarithm


def pay_for_accelerators(market: ComputeMarket) -> None:
    """Operators pay vendors for deliveries, builders for sites; vendors pay suppliers, staff and owners."""
    state, world, ledger = market.state, market.world, market.ledger
    products = world.products
    content = 1 + products.network_content + products.system_content
    system_usd = state.price_usd * content
    bill = weighted_sum(state.delivered_units, system_usd[:, None, :])  # (R, H)
    shell = market.value("capex.shell_usd_per_mw")[:, None]
    site = weighted_sum(state.delivered_units, market.rates.power_kw) / 1000 * shell
    before = state.ai_capex_usd.sum(axis=1)
    state.ai_capex_usd[:] = bill + site
    if market.quarter > 0:
        now = np.maximum(state.ai_capex_usd.sum(axis=1), LEAST_CAPEX_USD)
        growth = np.log(now / np.maximum(before, LEAST_CAPEX_USD))
        weight = market.value("capex.herding_memory")
        state.ai_capex_growth[:] = (1 - weight) * state.ai_capex_growth + weight * growth
    operators = account_slice(market, world.operators.ids)
    ledger.pay_each(operators, "builders", site, "sites")
    units = over_holders(state.delivered_units)  # (R, P)
    revenue = by_vendor(market, units * system_usd)
    ledger.pay_each(operators, "clouds", bill, "accelerators bought")  # netted through one clearing account
    vendors = account_slice(market, world.vendors.ids)
    ledger.receive_each("clouds", vendors, revenue, "accelerators sold")
    state.revenue_usd[:] = revenue
    cost = units * (state.unit_cost_usd + state.price_usd * content_cost(market))
    state.cost_of_sales_usd[:] = by_vendor(market, cost + state.written_off_units * state.unit_cost_usd)
    ledger.pay_each(vendors, "suppliers", state.cost_of_sales_usd, "cost of accelerators")
    share = revenue / np.maximum(revenue.sum(axis=1, keepdims=True), 1.0)
    step = 1.0 if market.quarter == 0 else 1 / QUARTERS_PER_YEAR  # a mean over about four quarters
    state.vendor_share[:] += step * (share - state.vendor_share)


def content_cost(market: ComputeMarket) -> Floats:
    """Return (R, P) the cost of networking, boards and racks sold with a chip, per chip price."""
    products = market.world.products
    network = products.network_content * (1 - market.value("chips.network_margin"))[:, None]
    return network + products.system_content * (1 - market.value("chips.system_margin"))[:, None]


def by_vendor(market: ComputeMarket, values: Floats) -> Floats:
    """Sum (R, P) over the products of each vendor."""
    return by_group(values, market.structure.made_by)


def account_slice(market: ComputeMarket, ids: tuple[str, ...]) -> slice:
    """Return the stretch of ledger accounts of an axis."""
    prefix = "operator." if ids is market.world.operators.ids else "vendor."
    start = market.ledger.place[prefix + ids[0]]
    return slice(start, start + len(ids))


def pay_for_lab_sites(market: ComputeMarket) -> None:
    """Let labs pay for what came to sites of their own, as far as that money reaches; operators raise the rest."""
    state, operators, labs = market.state, market.world.operators, market.labs
    for lab, operator in enumerate(labs.operator):
        if operator < 0 or operators.kind[operator] != "lab":
            continue
        paid = np.minimum(state.ai_capex_usd[:, operator], state.lab_site_money_usd[:, lab])
        market.ledger.pay(
            f"{labs.ids[lab]}_lab", f"operator.{operators.ids[operator]}", paid, "sites of labs"
        )


def pay_for_running(market: ComputeMarket) -> None:
    """Pay rents to operators, power to utilities, interest to lenders; owners put in or take out the rest."""
    state, world, ledger = market.state, market.world, market.ledger
    operators = account_slice(market, world.operators.ids)
    check_power(market)
    renew_contracts(market)
    rent = rental_revenue_usd(market)
    labs_paid = state.lab_compute_usd.sum(axis=1)
    state.rental_revenue_usd[:] = rent
    ledger.receive_each("clouds", operators, rent, "rents")
    ledger.pay("customers", "clouds", rent.sum(axis=1) - labs_paid, "compute rented by others")
    mwh = state.power_used_mw * HOURS_PER_QUARTER
    ledger.pay_each(operators, "utilities", mwh * market.value("power.price_usd_per_mwh")[:, None], "power")
    ledger.receive_each("other_business", operators, state.other_cash_flow_usd, "other business")
    usual = market.value("capex.discount_rate")[:, None]
    yearly = np.where(state.loan_rate_per_year > 0, state.loan_rate_per_year, usual)
    state.interest_usd[:] = state.debt_usd * yearly / QUARTERS_PER_YEAR
    ledger.pay_each(operators, "lenders", state.interest_usd, "interest")
    ledger.pay_each(operators, "builders", state.legacy_capex_usd, "other capital expenditure")
    close_operators(market, operators)
    pay_owners(market)


def contract_rent_by_operator(market: ComputeMarket) -> Floats:
    """Return (R, H) today's contract rent where each operator's fleet stands, USD per H100e-hour."""
    rent, host = market.state.contract_rent_usd_per_h100e_hour, market.structure.host_market
    return rent[:, 0][:, None] * host[:, 0] + rent[:, 1][:, None] * host[:, 1]


def letting_usd_per_quarter(market: ComputeMarket, rent_usd_per_hour: Floats) -> Floats:
    """Return (R, H) what an H100e earns in a quarter at hourly rents, at the utilisation of where it stands."""
    used, host = market.state.utilisation, market.structure.host_market
    hours = (used[:, 0][:, None] * host[:, 0] + used[:, 1][:, None] * host[:, 1]) * HOURS_PER_QUARTER
    return rent_usd_per_hour * hours


def renew_contracts(market: ComputeMarket) -> None:
    """Let what was delivered, and what contracts set free, at today's contract rent; the rest keeps its rent.

    The book of contracts of a fleet turns over geometrically: 1/term of it each quarter.
    """
    state = market.state
    held = market.state.work_h100e * (1 - 1 / market.value("finance.contract_quarters"))[:, None]
    new = weighted_sum(state.delivered_units, market.state.work[:, None, :]) + market.state.work_h100e - held
    old = np.where(state.booked_rent_usd_per_h100e_hour > 0, held, 0.0)
    total = np.maximum(old + new, 1e-9)
    today = contract_rent_by_operator(market)
    state.booked_rent_usd_per_h100e_hour[:] = (
        old * state.booked_rent_usd_per_h100e_hour + new * today
    ) / total


def check_power(market: ComputeMarket) -> None:
    """Check that sites are what was connected, and that fleets draw no more than their sites give.

    Raises
    ------
    InvariantError
        if power appeared or went without being connected, or an operator draws beyond its sites.
    """
    state = market.state
    connected = state.power_mw.sum(axis=1)
    added = state.power_added_mw.sum(axis=1)
    balance(state.power_seen_mw, added, np.zeros_like(added), connected, "power is conserved", market.quarter)
    state.power_seen_mw[:] = connected
    drawn = weighted_sum(state.fleet_units, market.rates.power_kw) / 1000
    beyond = np.maximum(drawn - state.power_mw, 0.0) / (drawn + 1.0)
    check(beyond, "fleets draw no more than their sites give", market.quarter)


def rental_revenue_usd(market: ComputeMarket) -> Floats:
    """Return (R, H) what operators earn by renting hours out, at the rents of their contracts."""
    per_h100e = letting_usd_per_quarter(market, market.state.booked_rent_usd_per_h100e_hour)
    let = market.world.operators.rented_out_share * market.state.let_factor
    return market.state.work_h100e * per_h100e * let


def close_operators(market: ComputeMarket, operators: slice) -> None:
    """Raise what capital expenditure needs beyond cash flow; pay debt down, then owners, from what is left.

    Lenders give their share of what is short; owners put in the rest as equity.
    """
    state, ledger = market.state, market.ledger
    paid = ledger.quarter_net_usd(operators)  # (R, H) net of the quarter so far
    cash = ledger.cash_usd[:, operators] + paid
    short = np.maximum(-cash, 0.0)
    spare = np.maximum(cash, 0.0)
    repaid = np.minimum(spare, state.debt_usd / market.value("capex.debt_term_quarters")[:, None])
    lent = short * state.loan_share
    state.debt_usd += lent - repaid
    ledger.receive_each("lenders", operators, lent - repaid, "debt")
    ledger.receive_each("public", operators, short - lent, "equity of operators")
    ledger.pay_each(operators, "public", spare - repaid, "paid out to owners of operators")


def pay_owners(market: ComputeMarket) -> None:
    """Vendors pay research and hand the rest to their owners, keeping what they had."""
    state, ledger = market.state, market.ledger
    vendors = account_slice(market, market.world.vendors.ids)
    research = state.revenue_usd * market.world.vendors.rnd_share
    ledger.pay_each(vendors, "public", research, "research of vendors")
    profit = state.revenue_usd - state.cost_of_sales_usd - research
    ledger.pay_each(
        vendors, "public", profit * market.value("chips.payout")[:, None], "paid out to owners of vendors"
    )
