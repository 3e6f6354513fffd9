"""Who earns what between chip and application, and what GPU clouds spend on the leader's rivals."""

import numpy as np

from computemarket.model.core.arrays import weighted_sum
from computemarket.model.core.calendar import HOURS_PER_QUARTER, QUARTERS_PER_YEAR
from computemarket.model.core.recorded import SUM, Variable, recorded
from computemarket.model.market import ComputeMarket
from computemarket.scenarios.cast import StagedMarket

LAYERS = ("chips", "operators", "models", "software", "exchange")


@recorded(
    Variable(
        "layer_profit_usd",
        "USD",
        SUM,
        "Profit by Layer",
        "Operating profit of chips, operators, models, software and exchanges",
        detail="layers",
    ),
)
def record_layer_profit(market: StagedMarket) -> None:
    """Record operating profit by layer.

    Chips: sales less cost and research. Operators: rents less power and the replacement of what they let, spread over
    its service life. Models: token revenue less compute and payroll. Software: the leader's licences, and margins of
    firms that resell tokens. Exchange: fees of whoever runs a venue or a unit, the neutral venue included.
    """
    state, world = market.state, market.world
    chips = state.revenue_usd * (1 - world.vendors.rnd_share) - state.cost_of_sales_usd
    let = np.minimum(world.operators.rented_out_share * state.let_factor, 1.0)
    power = state.power_used_mw * HOURS_PER_QUARTER * market.value("power.price_usd_per_mwh")[:, None]
    life = market.value("chips.life_years")[:, None] * QUARTERS_PER_YEAR
    worn = market.state.work_h100e * state.cost_per_h100e_usd / life
    operators = state.rental_revenue_usd + state.partner_usd - let * (power + worn)
    payroll = market.value("labs.payroll_per_compute")[:, None] * state.lab_compute_usd
    models = state.lab_revenue_usd - state.lab_compute_usd - payroll
    layer_usd, channels = state.layer_revenue_usd, market.cast.software_channels
    margin = market.value("channels.software_margin")
    resold = channels.revenue_usd.sum(axis=1) * margin / (1 + margin)
    traded = state.rental_revenue_usd.sum(axis=1) * market.value("platform.traded_share")
    venue = traded * market.cast.unit_standards.hub_share * market.value("units.hub_fee")
    exchange = layer_usd[:, 2] + layer_usd[:, 3] + market.cast.leader.credits.fees_usd + venue
    layers = [
        chips.sum(axis=1),
        operators.sum(axis=1),
        models.sum(axis=1),
        layer_usd[:, 1] + resold,
        exchange,
    ]
    market.recorder.add("layer_profit_usd", np.stack(layers, axis=1), detail=LAYERS)


@recorded(
    Variable(
        "cloud_rival_spend_usd",
        "USD",
        SUM,
        "Cloud Rival Spend",
        "Spending of GPU clouds on accelerators that are not the leader's",
        entity="operators",
    ),
)
def record_rival_spend(market: ComputeMarket) -> None:
    """Record what each GPU cloud spends on accelerators that are not the leader's."""
    clouds = market.structure.gpu_clouds
    units = np.take(market.state.delivered_units, clouds, axis=1)
    price = market.state.price_usd * ~market.structure.of_leader
    names = tuple(market.world.operators.ids[slot] for slot in clouds)
    market.recorder.add("cloud_rival_spend_usd", weighted_sum(units, price[:, None, :]), entity=names)


LAYER_OBSERVERS = (record_layer_profit, record_rival_spend)
