"""What explains the market from 2026 on must leave the window of the calibration alone."""

import numpy as np

from computemarket.agents.buyers.procurement import Procurement
from computemarket.agents.buyers.robots import Robots
from computemarket.agents.buyers.software_buyers import SoftwareBuyers
from computemarket.agents.buyers.workloads import Workloads
from computemarket.agents.finance.credit_web import CreditWeb
from computemarket.agents.finance.futures import FuturesMarket
from computemarket.agents.labs.architecture import ArchitectureShocks
from computemarket.agents.labs.first_adopters import FirstAdopters
from computemarket.agents.labs.open_models import OpenModels
from computemarket.agents.operators.cloud_options import CloudOptions
from computemarket.agents.operators.fleet_use import FleetUse
from computemarket.agents.operators.operator_regimes import OperatorRegimes
from computemarket.agents.operators.programmes import SiliconGenerations
from computemarket.agents.operators.provider_choice import ProviderChoice
from computemarket.agents.operators.vertical_operators import VerticalOperators
from computemarket.agents.platform.credit_market import CreditMarket
from computemarket.agents.platform.revenue_mix import RevenueMix
from computemarket.agents.platform.unit_standards import UnitStandards
from computemarket.agents.suppliers.foundry_choice import FoundryChoice
from computemarket.agents.vendors.entry_barriers import EntryBarriers
from computemarket.agents.vendors.keynotes import Keynotes
from computemarket.agents.vendors.lock_in import LockIn
from computemarket.agents.vendors.lpu_rack import LpuRacks
from computemarket.agents.vendors.rivals import Rivals
from computemarket.model.core.calendar import QUARTERS, quarters_since_start
from computemarket.model.markets import orders
from computemarket.model.markets.user_cost import hour_cost_usd
from computemarket.model.world.world import load_world
from computemarket.scenarios.assembly import assemble
from computemarket.scenarios.batches.ensemble import prepare, simulate_chunk
from computemarket.scenarios.schedule import SCHEDULE

NEW = (
    ArchitectureShocks,
    CloudOptions,
    CreditMarket,
    CreditWeb,
    EntryBarriers,
    FirstAdopters,
    FleetUse,
    FoundryChoice,
    FuturesMarket,
    Keynotes,
    LockIn,
    LpuRacks,
    OpenModels,
    OperatorRegimes,
    Procurement,
    ProviderChoice,
    RevenueMix,
    Rivals,
    Robots,
    SiliconGenerations,
    SoftwareBuyers,
    UnitStandards,
    VerticalOperators,
    Workloads,
)
HANDED_ON = {ProviderChoice: {"settle"}}  # before 2026 it publishes the lenders' news of contracts as it is
# without effect: what is followed from 2022 on, and a payment of 2025Q4
OWN = ("open_software_share", "licence_payment_usd")


def test_no_value_before_2026_depends_on_them_and_later_ones_do(monkeypatch):
    full = simulate_chunk(prepare("baseline", seed=1, until="2026Q4"), np.arange(4))
    for kind in NEW:
        for method in {step.act.__name__ for step in SCHEDULE} & set(vars(kind)) - HANDED_ON.get(kind, set()):
            monkeypatch.setattr(kind, method, lambda actor: None)
    bare = simulate_chunk(prepare("baseline", seed=1, until="2026Q4"), np.arange(4))
    for variable in set(full.series) - set(OWN):
        one, other = (np.ascontiguousarray(found.array(variable)[:, :16]) for found in (full, bare))
        assert one.tobytes() == other.tobytes(), variable
    assert full.array("ai_capex_usd").tobytes() != bare.array("ai_capex_usd").tobytes()


def test_what_is_announced_is_known_before_it_comes_out():
    market = assemble(prepare("baseline", seed=1), np.arange(2), frozenset())
    given, here = load_world().products, market.world.products
    known = given.announced < len(QUARTERS)  # variants that nobody has designed yet are announced by nobody
    assert (here.announced[known] == given.announced[known]).all()
    assert (here.announced < here.launch).sum() > 20
    while market.quarter < quarters_since_start("2027Q2"):
        market.step()
    cost = hour_cost_usd(market) / market.state.work
    assert (orders.waiting_share(market, cost) > 0.01).all()  # the next generation is due in two quarters
