"""What sets one history apart from another without a cause in the model: shares of operators, tastes, agreed prices.

Demand studies explain part of what is bought by what they observe; the rest is an unobserved quality of each product
(Berry 1994, Berry, Levinsohn and Pakes 1995) and a strategy of each buyer. Both are drawn once per history and kept.
"""

import numpy as np

from computemarket.model.arrays import Floats
from computemarket.model.market import ComputeMarket


def operator_shares(market: ComputeMarket) -> Floats:
    """Return (R, H) shares of believed AI revenue that operators build for: the given ones times a drawn strategy."""
    if "operator_shares" not in market.parts:
        given = market.world.operators.belief_share
        spread = market.value("capex.share_sd_ln")[:, None]
        drawn = given * np.exp(spread * market.streams.normal("capex.share", len(given)))
        market.parts["operator_shares"] = drawn / drawn.sum(axis=1, keepdims=True)
    found: Floats = market.parts["operator_shares"]
    return found


def product_taste(market: ComputeMarket) -> Floats:
    """Return (R, P) what buyers see in a product beyond its cost and its vendor's software, in utility."""
    if "product_taste" not in market.parts:
        spread = market.value("chips.taste_sd")[:, None]
        market.parts["product_taste"] = spread * market.streams.normal(
            "chips.taste", len(market.world.products.ids)
        )
    found: Floats = market.parts["product_taste"]
    return found


def ramp_factor(market: ComputeMarket) -> Floats:
    """Return (R, P) how much more or less than usual a product's supply chain delivers while it is young."""
    if "ramp_factor" not in market.parts:
        spread = market.value("capacity.ramp_sd_ln")[:, None]
        drawn = spread * market.streams.normal("capacity.ramp", len(market.world.products.ids))
        market.parts["ramp_factor"] = np.exp(drawn)
    found: Floats = market.parts["ramp_factor"]
    return found


def agreed_price_factor(market: ComputeMarket) -> Floats:
    """Return (R, P) prices agreed at launch over the usual estimate of them; lists are not published."""
    if "agreed_price_factor" not in market.parts:
        spread = market.value("chips.price_sd_ln")[:, None]
        drawn = spread * market.streams.normal("chips.price", len(market.world.products.ids))
        market.parts["agreed_price_factor"] = np.exp(drawn)
    found: Floats = market.parts["agreed_price_factor"]
    return found
