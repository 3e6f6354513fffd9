"""What a quarter leaves of policy in the results table: China's sources of compute, fees, fines, routes, shares."""

import numpy as np

from computemarket.model.core.arrays import Floats, weighted_sum
from computemarket.model.core.recorded import END, MEAN, SUM, Variable, recorded
from computemarket.model.market import ComputeMarket
from computemarket.scenarios.cast import StagedMarket

SOURCES = ("legal", "variant", "domestic", "offshore_owned", "smuggled")


@recorded(
    Variable(
        "china_compute_added_h100e",
        "H100e",
        SUM,
        "China Compute Added",
        "Compute that China got, by source",
        detail="sources",
    ),
    Variable(
        "china_compute_added_h100e_tpp",
        "H100e (TPP)",
        SUM,
        "China Compute Added by TPP",
        "Compute that China got, by source; total processing performance over that of an H100",
        detail="sources",
    ),
    Variable(
        "china_compute_stock_h100e",
        "H100e",
        END,
        "China Compute",
        "Compute of China at the end of the period, by source",
        detail="sources",
    ),
    Variable(
        "china_remote_stock_h100e",
        "H100e (work)",
        END,
        "China Compute Rented Abroad",
        "Compute that China rents abroad",
        region="China",
    ),
    Variable(
        "china_premium",
        "share",
        MEAN,
        "China Price Premium",
        "Price of foreign accelerators in China over that outside, less one",
        region="China",
    ),
    Variable(
        "china_compute_price_usd_per_h100e",
        "USD/H100e",
        MEAN,
        "China Compute Price",
        "Price of an H100-equivalent in China",
        region="China",
    ),
    Variable(
        "china_unmet_demand_h100e",
        "H100e (work)",
        SUM,
        "China Unmet Demand",
        "Compute that China asked for and did not get",
        region="China",
    ),
)
def record_china(market: StagedMarket) -> None:
    """Record China's compute by source, added and standing, and the price there.

    Legal, variant (made for China alone) and domestic count what firms of China were delivered at home; offshore_owned
    what they were delivered abroad; smuggled what arrived. What they rent abroad is a stock, in H100e of work.
    """
    state, at, keep = market.state, market.china, market.recorder.add
    for rate, name in ((market.rates.h100e, "h100e"), (market.rates.h100e_tpp, "h100e_tpp")):
        keep(f"china_compute_added_{name}", _added(market, rate), detail=SOURCES)
    fleet = state.fleet_units * market.rates.h100e  # (R, H, P)
    standing = _by_source(market, fleet, fleet[:, at.grey])
    keep("china_compute_stock_h100e", standing, detail=SOURCES)
    keep("china_remote_stock_h100e", state.remote_h100e, region="china")
    keep("china_premium", state.china_premium, region="china")
    keep("china_compute_price_usd_per_h100e", state.china_price_usd, region="china")
    keep("china_unmet_demand_h100e", state.china_unmet_h100e, region="china")


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


@recorded(
    Variable(
        "compute_added_owned_h100e",
        "H100e",
        SUM,
        "Compute Added by Owner",
        "Compute added, by the country of its owners' headquarters",
        region="countries",
    ),
    Variable(
        "compute_added_hosted_h100e",
        "H100e",
        SUM,
        "Compute Added by Host",
        "Compute added, by the country where it stands",
        region="countries",
    ),
)
def record_ratio(market: ComputeMarket) -> None:
    """Record compute added by the country of its owners' headquarters, smuggled compute with China."""
    state, at, world = market.state, market.china, market.world
    delivered = weighted_sum(state.delivered_units, market.rates.h100e)
    owned = market.structure.owner_country(delivered)
    owned[:, at.country] += state.smuggled_h100e
    market.recorder.add("compute_added_owned_h100e", owned, region=world.countries.ids)
    hosted = market.structure.host_country(delivered)
    hosted[:, at.country] += state.smuggled_h100e
    market.recorder.add("compute_added_hosted_h100e", hosted, region=world.countries.ids)


@recorded(
    Variable(
        "detection_probability",
        "1",
        MEAN,
        "Smuggling Detection Probability",
        "Probability that a smuggled shipment is found",
        region="United States",
    ),
    Variable(
        "seized_units", "units", SUM, "Accelerators Seized", "Smuggled accelerators seized", region="China"
    ),
    Variable(
        "seizures_usd_per_million",
        "USD/M USD",
        MEAN,
        "Seizures per Million of Enforcement",
        "Value seized for a million dollars spent on enforcement",
        region="United States",
    ),
    Variable(
        "smuggling_fines_usd", "USD", SUM, "Smuggling Fines", "Fines for smuggling", region="United States"
    ),
    Variable(
        "diverted_units",
        "units",
        SUM,
        "Accelerators Diverted",
        "Accelerators diverted to China, by the country they passed through",
        region="countries",
    ),
    Variable(
        "export_fees_usd",
        "USD",
        SUM,
        "Export Fees",
        "Fees and revenue shares paid for export licences",
        region="United States",
    ),
    Variable(
        "licence_delay_quarters",
        "quarters",
        MEAN,
        "Licence Delay",
        "Quarters that an export licence takes",
        region="China",
    ),
    Variable(
        "vendor_research_usd",
        "USD",
        SUM,
        "Vendor Research",
        "Research and development of vendors",
        entity="vendors",
    ),
    Variable("china_fines_usd", "USD", SUM, "China Fines", "Fines of China's regulators", region="China"),
    Variable(
        "china_dies",
        "910B dies",
        SUM,
        "China Dies",
        "Dies made in China, counted as 910B dies",
        region="China",
    ),
)
def record_enforcement(market: StagedMarket) -> None:
    """Record what was shipped, seized and fined, by which routes, and what charges brought in."""
    state, world, keep = market.state, market.world, market.recorder.add
    keep("detection_probability", state.detection, region="us")
    keep("seized_units", state.seized_units.sum(axis=1), region="china")
    seized_usd = (state.seized_units * state.price_usd).sum(axis=1)
    budget = np.maximum(market.value("policy.enforcement_budget") / 4, 1e-9)
    keep("seizures_usd_per_million", seized_usd / budget, region="us")
    keep("smuggling_fines_usd", state.smuggling_fines_usd, region="us")
    keep("diverted_units", state.transit_units, region=world.countries.ids)
    control = market.cast.export_control
    keep("export_fees_usd", control.fee_usd.sum(axis=1), region="us")
    keep("licence_delay_quarters", control.delay_quarters(), region="china")
    research = state.revenue_usd * world.vendors.rnd_share
    keep("vendor_research_usd", research, entity=world.vendors.ids)
    regulators = market.cast.china_regulators
    keep("china_fines_usd", regulators.fined_usd, region="china")
    keep("china_dies", state.smic_units, region="china")


POLICY_OBSERVERS = (record_china, record_ratio, record_enforcement)
