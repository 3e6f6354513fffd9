"""What a quarter leaves of policy in the results table: China's sources of compute, fees, fines, routes, shares."""

import numpy as np

from computemarket.model.core.arrays import Floats, weighted_sum
from computemarket.model.market import ComputeMarket
from computemarket.scenarios.cast import StagedMarket

SOURCES = ("legal", "variant", "domestic", "offshore_owned", "smuggled")
CHINA = (
    "china_compute_added_h100e",
    "china_compute_added_h100e_tpp",
    "china_compute_stock_h100e",
    "china_remote_stock_h100e",
    "china_premium",
    "china_compute_price_usd_per_h100e",
    "china_unmet_demand_h100e",
)


def record_china(market: StagedMarket) -> None:
    """Record China's compute by source, added and standing, and the price there.

    Legal, variant (made for China alone) and domestic count what firms of China were delivered at home; offshore_owned
    what they were delivered abroad; smuggled what arrived. What they rent abroad is a stock, in H100e of work.
    """
    if not market.recorder.wants(*CHINA):
        return
    state, at, keep = market.state, market.china, market.recorder.add
    for unit, rate, name in (
        ("H100e", market.rates.h100e, "h100e"),
        ("H100e (TPP)", market.rates.h100e_tpp, "h100e_tpp"),
    ):
        keep(f"china_compute_added_{name}", unit, _added(market, rate), detail=SOURCES)
    fleet = state.fleet_units * market.rates.h100e  # (R, H, P)
    standing = _by_source(market, fleet, fleet[:, at.grey])
    keep("china_compute_stock_h100e", "H100e", standing, detail=SOURCES)
    keep("china_remote_stock_h100e", "H100e (work)", state.remote_h100e, region="china")
    keep("china_premium", "share", state.china_premium, region="china")
    keep("china_compute_price_usd_per_h100e", "USD/H100e", state.china_price_usd, region="china")
    keep("china_unmet_demand_h100e", "H100e (work)", state.china_unmet_h100e, region="china")


def _added(market: StagedMarket, rate: Floats) -> Floats:
    """Return (R, 5) H100e added this quarter by source."""
    state = market.state
    return _by_source(market, state.delivered_units * rate, state.smuggled_units * rate)


def _by_source(market: StagedMarket, held: Floats, smuggled: Floats) -> Floats:
    """Sum (R, H, P) and (R, P) of what was smuggled over sources: (R, 5)."""
    at = market.china
    made_for = market.cast.compliance.variants
    home = np.compress(at.at_home, held, axis=1).sum(axis=1)
    parts = (
        home * (~at.chinese & ~made_for),
        home * made_for,
        home * at.chinese,
        held[:, at.offshore],
        smuggled,
    )
    return np.stack([part.sum(axis=1) for part in parts], axis=1)


def record_ratio(market: ComputeMarket) -> None:
    """Record compute added by the country of its owners' headquarters, smuggled compute with China."""
    if not market.recorder.wants("compute_added_owned_h100e", "compute_added_hosted_h100e"):
        return
    state, at, world = market.state, market.china, market.world
    delivered = weighted_sum(state.delivered_units, market.rates.h100e)
    owned = market.structure.owner_country(delivered)
    owned[:, at.country] += state.smuggled_h100e
    market.recorder.add("compute_added_owned_h100e", "H100e", owned, region=world.countries.ids)
    hosted = market.structure.host_country(delivered)
    hosted[:, at.country] += state.smuggled_h100e
    market.recorder.add("compute_added_hosted_h100e", "H100e", hosted, region=world.countries.ids)


def record_enforcement(market: StagedMarket) -> None:
    """Record what was shipped, seized and fined, by which routes, and what charges brought in."""
    state, world, keep = market.state, market.world, market.recorder.add
    keep("detection_probability", "1", state.detection, region="us")
    keep("seized_units", "units", state.seized_units.sum(axis=1), region="china")
    seized_usd = (state.seized_units * state.price_usd).sum(axis=1)
    budget = np.maximum(market.value("policy.enforcement_budget") / 4, 1e-9)
    keep("seizures_usd_per_million", "USD/M USD", seized_usd / budget, region="us")
    keep("smuggling_fines_usd", "USD", state.smuggling_fines_usd, region="us")
    keep("diverted_units", "units", state.transit_units, region=world.countries.ids)
    control = market.cast.export_control
    keep("export_fees_usd", "USD", control.fee_usd.sum(axis=1), region="us")
    keep("licence_delay_quarters", "quarters", control.delay_quarters(), region="china")
    research = state.revenue_usd * world.vendors.rnd_share
    keep("vendor_research_usd", "USD", research, entity=world.vendors.ids)
    regulators = market.cast.china_regulators
    keep("china_fines_usd", "USD", regulators.fined_usd, region="china")
    keep("china_dies", "910B dies", state.smic_units, region="china")


POLICY_OBSERVERS = (record_china, record_ratio, record_enforcement)
