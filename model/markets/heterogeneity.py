"""What sets one history apart from another without a cause in the model: shares of operators, tastes, agreed prices.

Demand studies explain part of what is bought by what they observe; the rest is an unobserved quality of each product
(Berry 1994, Berry, Levinsohn and Pakes 1995) and a strategy of each buyer. Both are drawn once per history and kept.
"""

from dataclasses import dataclass

import numpy as np

from computemarket.model.core.arrays import Floats
from computemarket.model.core.parameters import ParameterValues
from computemarket.model.core.randomness import Streams
from computemarket.model.world.world import World


@dataclass(frozen=True, slots=True)
class Differences:
    """What was drawn for each history."""

    operator_shares: Floats  # (R, H) of believed AI revenue: the given ones times a drawn strategy
    product_taste: Floats  # (R, P) utility that buyers see beyond a product's cost and its vendor's software
    ramp_factor: Floats  # (R, P) what a young product's supply chain delivers, over the usual
    agreed_price_factor: (
        Floats  # (R, P) prices agreed at launch over the usual estimate; lists are not published
    )


def draw_differences(world: World, values: ParameterValues, streams: Streams) -> Differences:
    """Return what sets the histories apart, by the spreads of the first quarter."""

    def spread(parameter: str) -> Floats:
        return values.at(parameter, 0)[:, None]

    given, products = world.operators.belief_share, len(world.products.ids)
    drawn = given * np.exp(spread("capex.share_sd_ln") * streams.normal("capex.share", len(given)))
    return Differences(
        operator_shares=drawn / drawn.sum(axis=1, keepdims=True),
        product_taste=spread("chips.taste_sd") * streams.normal("chips.taste", products),
        ramp_factor=np.exp(spread("capacity.ramp_sd_ln") * streams.normal("capacity.ramp", products)),
        agreed_price_factor=np.exp(spread("chips.price_sd_ln") * streams.normal("chips.price", products)),
    )
