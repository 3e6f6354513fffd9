"""Puts actors into the market: from a scenario and run numbers to a market ready for its first quarter."""

import os
from collections.abc import Mapping
from datetime import date

from computemarket.model.core.arrays import Floats, Ints, weighted_sum
from computemarket.model.core.parameters import ParameterValues
from computemarket.model.core.randomness import Streams
from computemarket.model.core.recorder import Recorder
from computemarket.model.guard import guard
from computemarket.model.market import ComputeMarket
from computemarket.model.markets import serving, settlement
from computemarket.model.markets.user_cost import all_in_cost_usd, hour_cost_usd
from computemarket.model.policy.trade.design_plan import design_plan
from computemarket.model.policy.trade.market_access import Rules
from computemarket.model.world.structure import build_structure, load_labs
from computemarket.model.world.world import World, read_rows
from computemarket.scenarios.cast import StagedMarket, cast_of
from computemarket.scenarios.observers.quarter import recorded_variables
from computemarket.scenarios.schedule import SCHEDULE
from computemarket.scenarios.schema import Scenario

GUARDED = "COMPUTEMARKET_GUARD"  # environment: hold every step to what the schedule declares; slower
LAST_KNOWN_DAY = {"2025Q2": "2025-06-30"}


def assemble(
    scenario: Scenario,
    numbers: Ints,
    variables: frozenset[str] | None = None,
    points: Mapping[str, Floats] | None = None,
) -> StagedMarket:
    """Return the market of a scenario for the given run numbers, before its first quarter.

    Parameters
    ----------
    variables : what to record; everything by default
    points : (R,) quantiles of some uncertain parameters, in place of their draws
    """
    rules = rules_of(scenario)
    plan = design_plan(rules, scenario.settings)
    world, rates = plan.world, plan.rates
    streams = Streams(scenario.seed, numbers)
    values = ParameterValues(scenario.settings, streams, points)
    labs = load_labs(world)
    units = {name: one.unit for name, one in recorded_variables().items()}
    recorder = Recorder(units, variables)
    market = StagedMarket(
        world, rates, values, streams, recorder, accounts(world, labs.ids),
        build_structure(world, rates), labs,
    )  # fmt: skip
    market.rates_to_come = plan.later
    settle_in(market)
    market.stage(cast_of(market, rules, plan), SCHEDULE)
    if os.environ.get(GUARDED):
        guard(market)
    return market


def accounts(world: World, labs: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of all cash accounts."""
    return (
        *(f"operator.{name}" for name in world.operators.ids),
        *(f"vendor.{name}" for name in world.vendors.ids),
        *(f"{name}_lab" for name in labs),
        "startups",
        "smugglers",
        *(row["id"] for row in read_rows("channels")),
        *settlement.OUTSIDE,
    )


def settle_in(market: ComputeMarket) -> None:
    """Set what stood at the start of 2022: fleets, cash, costs, power."""
    state, world, rates = market.state, market.world, market.rates
    first = world.products.ids.index(world.roles.one("first_product"))
    owner, own_product = world.roles.one("first_owner"), world.roles.one("first_own_product")
    for slot, name in enumerate(world.operators.ids):
        product = world.products.ids.index(own_product) if name == owner else first
        work = world.operators.fleet_2022_h100e[slot]
        state.fleet_units[:, slot, product] = work / rates.h100e[product]
        state.age_quarters[:, slot, product] = 4.0
    for slot, name in enumerate(world.vendors.ids):
        market.ledger.open(f"vendor.{name}", world.vendors.cash_usd[slot])
    state.list_price_usd[:] = state.price_usd[:] = world.products.price_usd
    state.unit_cost_usd[:] = world.products.unit_cost_usd
    cost = all_in_cost_usd(market) / market.state.work
    state.cost_per_h100e_usd[:] = cost[:, first][:, None]
    hour = hour_cost_usd(market) / market.state.work
    state.hour_cost_usd[:] = state.merchant_hour_cost_usd[:] = hour[:, first][:, None]
    leader = world.vendor(world.leader)
    state.vendor_share[:, leader] = market.value("chips.leader_share_2022")
    state.own_share[:, world.operator(owner)] = market.value("custom.google_share_2022")
    used = weighted_sum(state.fleet_units, rates.power_kw) / 1000
    state.power_used_mw[:] = used
    state.power_mw[:] = used + market.value("power.existing_mw")[:, None] * world.operators.belief_share
    state.power_seen_mw[:] = state.power_mw.sum(axis=1)
    market.measure()
    state.usual_utilisation[:] = market.value("hours.planned_utilisation")[:, None]
    state.contract_rent_usd_per_h100e_hour[:] = serving.lasting_rent_usd(market)
    state.realised_revenue_usd[:] = market.value("capex.realised_2022_usd_bn") * 1e9
    state.realised_growth[:] = market.value("capex.growth_2022_ln")
    orders = market.value("capex.orders_2022_units")
    state.in_process_units[:, first] = orders
    share = world.operators.fleet_2022_h100e / world.operators.fleet_2022_h100e.sum()
    state.backlog_units[:, :, first] = orders[:, None] * share
    tpu = world.products.ids.index(own_product)
    state.in_process_units[:, tpu] = market.value("custom.google_orders_2022_units")
    state.backlog_units[:, world.operator(owner), tpu] = market.value("custom.google_orders_2022_units")


def rules_of(scenario: Scenario) -> Rules:
    """Return the export rules of a scenario; what was announced after its knowledge ends is not in force."""
    known = None if scenario.knowledge == "today" else date.fromisoformat(LAST_KNOWN_DAY[scenario.knowledge])
    return Rules(scenario.regimes, scenario.enforce, scenario.suspend, known)
