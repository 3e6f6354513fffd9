"""Accounts that follow from recorded payments: depreciation, free cash flow, gross profit by layer."""

import numpy as np

from computemarket.analysis.report.parts.assumptions import assumed
from computemarket.analysis.report.parts.source import Source
from computemarket.model.core.arrays import Floats
from computemarket.model.core.calendar import HOURS_PER_QUARTER, QUARTERS_PER_YEAR
from computemarket.model.world.world import load_world

LAYERS = {
    "memory": "Memory",
    "suppliers": "Foundry, packaging, boards",
    "chips": "Chips and systems",
    "cloud": "Clouds (compute let)",
    "models": "Models",
    "applications": "Applications",
}


def straight_line(spent: Floats, life_quarters: Floats) -> Floats:
    """Return the depreciation of each quarter of what was bought so far, written off in equal parts.

    D(t) = sum over s of spent(s) x the part of the life n(s..s+n) that falls into t; a purchase starts to be written
    off in its own quarter, and a fraction of a quarter at the end counts in part (IAS 16.62, straight line).

    Parameters
    ----------
    spent : (R, Q) USD a quarter
    life_quarters : (R,)
    """
    quarters = spent.shape[1]
    age = np.arange(quarters)
    part = np.clip(life_quarters[:, None] - age, 0.0, 1.0) / life_quarters[:, None]  # (R, Q) by age
    written = np.zeros_like(spent)
    for place in range(quarters):
        written[:, place:] += spent[:, place : place + 1] * part[:, : quarters - place]
    return written


def depreciation_usd(source: Source, entity: str | tuple[str, ...] | None = None) -> Floats:
    """Return (R, Q) depreciation of AI capital bought since 2022: accelerators over their life, sites over theirs."""
    runs = detail_runs(source)
    chips = source.total("purchases_usd", entity)
    sites = np.maximum(source.total("ai_capex_usd", entity)[:runs] - chips, 0.0)
    life = source.parameter("chips.life_years", runs) * QUARTERS_PER_YEAR
    site_life = np.full(runs, assumed("site_life_years") * QUARTERS_PER_YEAR)
    return straight_line(chips, life) + straight_line(sites, site_life)


def detail_runs(source: Source) -> int:
    """Return how many runs the simulated detail has."""
    return 0 if source.detail is None else len(source.detail.runs)


def power_cost_usd(source: Source, entity: str | tuple[str, ...] | None = None) -> Floats:
    """Return (R, Q) what operators pay for power."""
    return source.total("power_cost_usd", entity)


def profit_pool(source: Source) -> dict[str, Floats]:
    """Return gross profit by layer, {layer: (R, Q)} USD a quarter: revenue less what serving it cost directly.

    Memory and other suppliers earn assumed margins on what vendors pay them; chips earn sales less their cost; clouds
    earn rents less power and depreciation of the share they let; models earn token revenue less compute to serve it;
    applications earn what they charge less the tokens they buy.
    """
    runs = detail_runs(source)
    world = load_world().operators
    memory = source.total("memory_revenue_usd")[:runs]
    cost = source.total("cost_of_sales_usd")
    pool = {
        "memory": memory * assumed("memory_gross_margin"),
        "suppliers": np.maximum(cost - memory, 0.0) * assumed("supplier_gross_margin"),
        "chips": source.total("data_center_revenue_usd")[:runs] - cost,
    }
    cloud = np.zeros_like(cost)
    for name in world.ids:
        let = source.total("let_share", name)
        running = source.total("power_cost_usd", name) + depreciation_usd(source, name)
        cloud += source.total("rental_revenue_usd", name) - np.minimum(let, 1.0) * running
    pool["cloud"] = cloud
    serving = source.total("lab_compute_usd") - source.total("lab_training_usd")
    pool["models"] = source.total("lab_revenue_usd")[:runs] - serving
    applications = source.total("channel_margin_usd") + source.total("startup_revenue_usd")
    pool["applications"] = applications - source.total("startup_token_bill_usd")[:runs]
    return pool


def free_cash_flow(source: Source, entity: str) -> Floats:
    """Return (R, Q) what an actor's AI business takes in less what it pays out, before debt and owners' money.

    Vendors: sales less their cost and research. Labs: token revenue less compute and payroll. Clouds: rents, and what
    they use themselves at the same rents (its opportunity cost: they could let it), less power and investment in AI;
    of a cloud that is a lab too, what the lab keeps after paying those rents comes on top.
    """
    runs = detail_runs(source)
    world = load_world()
    if entity in world.vendors.ids:
        sales = source.total("data_center_revenue_usd", entity)[:runs]
        research = source.total("vendor_research_usd", entity)[:runs]
        return sales - source.total("cost_of_sales_usd", entity) - research
    flow = np.zeros((runs, len(source.quarters)))
    if entity in world.operators.ids:
        flow += source.total("rental_revenue_usd", entity) + source.total("own_use_usd", entity)
        flow -= source.total("power_cost_usd", entity) + source.total("ai_capex_usd", entity)[:runs]
    if entity in source.labels("lab_revenue_usd", "entity"):
        flow += source.total("lab_revenue_usd", entity)[:runs]
        flow -= source.total("lab_compute_usd", entity) + source.total("lab_payroll_usd", entity)
    return flow


def discounted_to_date(flow: Floats, rate_per_year: Floats) -> Floats:
    """Return the running sum of flows discounted to the first quarter, V(t) = sum over s <= t of F(s) (1+r)^(-s/4).

    Parameters
    ----------
    flow : (R, Q)
    rate_per_year : (R,)
    """
    return np.cumsum(discounted(flow, rate_per_year), axis=1)


def book_value_usd(source: Source, entity: str) -> Floats:
    """Return (R, Q) what accelerators and sites bought since 2022 stand at in an operator's books: not yet written off.

    Zero where it buys none.
    """
    chips = source.total("purchases_usd", entity)
    spent = np.maximum(source.total("ai_capex_usd", entity)[: len(chips)], chips)
    return np.maximum(np.cumsum(spent - depreciation_usd(source, entity), axis=1), 0.0)


def discounted(values: Floats, rate_per_year: Floats) -> Floats:
    """Return (R, Q) values discounted to the first quarter."""
    years = np.arange(values.shape[1]) / QUARTERS_PER_YEAR
    return values * (1 + rate_per_year[:, None]) ** -years


__all__ = ["HOURS_PER_QUARTER", "LAYERS", "profit_pool"]
