"""What vendors ask: Lerner markups under logit demand, capped by what the chip can earn for its buyer (M9)."""

import numpy as np

from computemarket.model.arrays import Floats

SMALLEST_ELASTICITY = 1.05  # below it the markup explodes and the buyer's break-even price is the cap


def own_price_elasticity(alpha: Floats, share: Floats, eta: Floats) -> Floats:
    """Return |e| = alpha (1 - s) + eta s, the firm's elasticity under logit demand with an elastic market.

    Source: Anderson, de Palma and Thisse 1992, Discrete Choice Theory of Product Differentiation, ch. 7.
    """
    return alpha * (1 - share) + eta * share


def lerner_price_usd(cost_usd: Floats, elasticity: Floats) -> Floats:
    """Return the price with Lerner index 1/|e| over cost; |e| is held at least at 1.05."""
    e = np.maximum(elasticity, SMALLEST_ELASTICITY)
    return cost_usd * e / (e - 1)


def break_even_price_usd(
    rent_usd_per_h: Floats, utilisation: Floats, running_usd_per_h: Floats, shell_usd: Floats,
    hours_per_year: float, decline_per_year: Floats, rate_per_year: Floats, life_years: Floats, content: Floats,
) -> Floats:  # fmt: skip
    """Return the price at which a buyer earns just its cost of capital from renting the accelerator out.

    Present value of rent over the life, rent declining as newer chips arrive, less shell, per chip price with its
    content: an annuity with growth -(decline) at rate r.

    Parameters
    ----------
    rent_usd_per_h, running_usd_per_h, shell_usd, content : (R, P) or broadcasting, per accelerator
    utilisation, decline_per_year, rate_per_year, life_years : (R, 1)
    """
    fade = rate_per_year + decline_per_year
    annuity = (1 - np.exp(-fade * life_years)) / fade
    earned = (rent_usd_per_h * utilisation - running_usd_per_h) * hours_per_year * annuity
    return np.maximum(earned - shell_usd, 0.0) / content


def posted_price_usd(previous_usd: Floats, target_usd: Floats, weight: Floats) -> Floats:
    """Move a posted price part of the way: p = p_prev^(1-w) p*^w."""
    return previous_usd ** (1 - weight) * target_usd**weight


def wright_cost_usd(cost_at_launch_usd: Floats, sold: Floats, first: Floats, learning_rate: Floats) -> Floats:
    """Return unit cost after cumulative output (Wright 1936): c0 (Q/Q0)^-b, b = -log2(1 - learning rate)."""
    b = -np.log2(1 - learning_rate)
    return cost_at_launch_usd * np.maximum(sold / first, 1.0) ** -b
