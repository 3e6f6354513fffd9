"""Puts actors into the market: from a scenario and run numbers to a market ready for its first quarter."""

from collections.abc import Mapping
from datetime import date

from computemarket.agents.architecture import ArchitectureShocks
from computemarket.agents.channels import Integrators, SoftwareChannels
from computemarket.agents.china_regulators import ChinaRegulators
from computemarket.agents.china_supply import ChineseFoundry
from computemarket.agents.cloud_options import CloudOptions
from computemarket.agents.competition import CaseClock, CompetitionAuthority
from computemarket.agents.compliance import ComplianceOffice, write_off_stopped
from computemarket.agents.credit_market import CreditMarket
from computemarket.agents.credit_web import CreditWeb
from computemarket.agents.custom_silicon import SiliconProgramme
from computemarket.agents.entry_barriers import EntryBarriers
from computemarket.agents.finance import Investors, Lenders
from computemarket.agents.first_adopters import FirstAdopters
from computemarket.agents.fleet_use import FleetUse
from computemarket.agents.foundry_choice import FoundryChoice
from computemarket.agents.futures import FuturesMarket
from computemarket.agents.keynotes import Keynotes
from computemarket.agents.labs import Lab, LabMarket
from computemarket.agents.lock_in import LockIn
from computemarket.agents.lpu_rack import LpuRacks
from computemarket.agents.memory import MemoryMarket
from computemarket.agents.open_models import OpenModels
from computemarket.agents.operator_regimes import OperatorRegimes
from computemarket.agents.operators import KINDS
from computemarket.agents.platform import Platform
from computemarket.agents.procurement import Procurement
from computemarket.agents.programmes import SiliconGenerations
from computemarket.agents.provider_choice import ProviderChoice
from computemarket.agents.revenue_mix import RevenueMix
from computemarket.agents.rivals import Rivals
from computemarket.agents.robots import Robots
from computemarket.agents.software_buyers import SoftwareBuyers
from computemarket.agents.startups import Startups
from computemarket.agents.suppliers import MemoryMakers, PackagingFoundry
from computemarket.agents.unit_standards import UnitStandards
from computemarket.agents.us_export_control import ExportControl
from computemarket.agents.vendors import DesignPartner, Vendor
from computemarket.agents.vertical_operators import VerticalOperators
from computemarket.agents.workloads import Workloads
from computemarket.model import accelerator_market, china_market, serving_market, settlement
from computemarket.model.arrays import Floats, Ints, weighted_sum
from computemarket.model.market import ComputeMarket
from computemarket.model.orders import all_in_cost_usd, order
from computemarket.model.parameters import ParameterValues
from computemarket.model.policy.design_plan import design_plan
from computemarket.model.policy.market_access import Rules
from computemarket.model.randomness import Streams
from computemarket.model.recorder import Recorder
from computemarket.model.structure import build_structure, load_labs
from computemarket.model.world import World, read_rows
from computemarket.scenarios.observers import OBSERVERS
from computemarket.scenarios.schema import Scenario

CLEARING = {
    "demand": (serving_market.grow_use,),
    "serve": (serving_market.serve,),
    "invest": (china_market.count_other_sources, order, china_market.clear),
    "supply": (
        accelerator_market.produce,
        accelerator_market.connect_power,
        accelerator_market.deliver,
        china_market.receive,
        write_off_stopped,
    ),
    "settle": (settlement.pay_for_accelerators, china_market.pay_smugglers, settlement.pay_for_running),
}
AUTHORITIES = (  # name, countries governed, parameter of its vigour
    ("us_antitrust", ("us",), "authorities.us_vigour"),
    ("eu_competition", ("eu_uk",), "authorities.eu_vigour"),
    ("china_market_regulator", ("china",), "authorities.china_vigour"),
)
LAST_KNOWN_DAY = {"2025Q2": "2025-06-30"}
DESIGN_PARTNERS = ("broadcom", "marvell")


def assemble(
    scenario: Scenario,
    numbers: Ints,
    variables: frozenset[str] | None = None,
    points: Mapping[str, Floats] | None = None,
) -> ComputeMarket:
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
    market = ComputeMarket(
        world, rates, values, streams, Recorder(variables), accounts(world, labs.ids),
        build_structure(world, rates), labs, CLEARING, OBSERVERS,
    )  # fmt: skip
    settle_in(market)
    market.parts["export_control"] = ExportControl(market, "us_export_control", rules, plan.designs)
    market.parts["compliance"] = ComplianceOffice(market, "compliance", "nvidia")
    for name in world.vendors.ids:
        kind = DesignPartner if name in DESIGN_PARTNERS else Vendor
        kind(market, name)
    for name, kind_name in zip(world.operators.ids, world.operators.kind, strict=True):
        KINDS[kind_name](market, name)
    for owner in sorted({name for name in world.operators.own_silicon if name}):
        SiliconProgramme(market, owner)
    LabMarket(market)
    for name in labs.ids:
        Lab(market, f"{name}")
    PackagingFoundry(market, "tsmc")
    MemoryMakers(market, "memory_makers")
    market.parts["chinese_foundry"] = ChineseFoundry(market, "smic", rules)
    market.parts["china_regulators"] = ChinaRegulators(market, "china_regulators")
    market.parts["memory"] = MemoryMarket(market)
    market.parts["startups"] = Startups(market)
    market.parts["lenders"] = Lenders(market)
    market.parts["investors"] = Investors(market)
    market.parts["provider_choice"] = ProviderChoice(market)
    market.parts["operator_regimes"] = OperatorRegimes(market)
    market.parts["credit_web"] = CreditWeb(market)
    market.parts["platform"] = Platform(market)
    market.parts["revenue_mix"] = RevenueMix(market)
    market.parts["integrators"] = Integrators(market)
    market.parts["software_channels"] = SoftwareChannels(market)
    market.parts["architecture"] = ArchitectureShocks(market)
    market.parts["lpu_racks"] = LpuRacks(market)
    market.parts["lock_in"] = LockIn(market)
    market.parts["futures"] = FuturesMarket(market)
    market.parts["credit_market"] = CreditMarket(market)
    market.parts["procurement"] = Procurement(market)
    market.parts["unit_standards"] = UnitStandards(market)
    market.parts["vertical_operators"] = VerticalOperators(market)
    market.parts["keynotes"] = Keynotes(market)
    market.parts["robots"] = Robots(market, rules)
    market.parts["workloads"] = Workloads(market)
    market.parts["fleet_use"] = FleetUse(market)
    market.parts["first_adopters"] = FirstAdopters(market)
    market.parts["open_models"] = OpenModels(market)
    market.parts["software_buyers"] = SoftwareBuyers(market)
    market.parts["entry_barriers"] = EntryBarriers(market)
    market.parts["rivals"] = Rivals(market)
    market.parts["silicon_generations"] = SiliconGenerations(market)
    market.parts["foundry_choice"] = FoundryChoice(market)
    market.parts["cloud_options"] = CloudOptions(market)
    CaseClock(market, "case_clock")
    market.parts["authorities"] = [CompetitionAuthority(market, *terms) for terms in AUTHORITIES]
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
    first = world.products.ids.index("nvidia_a100_80gb_sxm")
    own = {"google": "google_tpu_v4"}
    for slot, name in enumerate(world.operators.ids):
        product = world.products.ids.index(own[name]) if name in own else first
        work = world.operators.fleet_2022_h100e[slot]
        state.fleet_units[:, slot, product] = work / rates.h100e[product]
        state.age_quarters[:, slot, product] = 4.0
    for slot, name in enumerate(world.vendors.ids):
        market.ledger.open(f"vendor.{name}", world.vendors.cash_usd[slot])
    state.price_usd[:] = world.products.price_usd
    state.unit_cost_usd[:] = world.products.unit_cost_usd
    cost = all_in_cost_usd(market) / market.work
    state.cost_per_h100e_usd[:] = state.merchant_cost_per_h100e_usd[:] = cost[:, first][:, None]
    leader = world.vendor("nvidia")
    state.vendor_share[:, leader] = market.value("chips.leader_share_2022")
    state.own_share[:, world.operator("google")] = market.value("custom.google_share_2022")
    used = weighted_sum(state.fleet_units, rates.power_kw) / 1000
    state.power_used_mw[:] = used
    state.power_mw[:] = used + market.value("power.existing_mw")[:, None] * world.operators.belief_share
    state.power_seen_mw[:] = state.power_mw.sum(axis=1)
    market.measure()
    state.contract_rent_usd_per_h100e_hour[:] = serving_market.reference_rent_usd(market)
    state.realised_revenue_usd[:] = market.value("capex.realised_2022_usd_bn") * 1e9
    state.realised_growth[:] = market.value("capex.growth_2022_ln")
    orders = market.value("capex.orders_2022_units")
    state.in_process_units[:, first] = orders
    share = world.operators.fleet_2022_h100e / world.operators.fleet_2022_h100e.sum()
    state.backlog_units[:, :, first] = orders[:, None] * share
    tpu = world.products.ids.index(own["google"])
    state.in_process_units[:, tpu] = market.value("custom.google_orders_2022_units")
    state.backlog_units[:, world.operator("google"), tpu] = market.value("custom.google_orders_2022_units")


def rules_of(scenario: Scenario) -> Rules:
    """Return the export rules of a scenario; what was announced after its knowledge ends is not in force."""
    known = None if scenario.knowledge == "today" else date.fromisoformat(LAST_KNOWN_DAY[scenario.knowledge])
    return Rules(scenario.regimes, scenario.enforce, scenario.suspend, known)
