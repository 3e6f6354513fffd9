"""What vendors ask: markups under logit demand, price posting, system content and prices in a shortage (M9)."""

import numpy as np

from computemarket.model.core.arrays import Floats
from computemarket.model.mechanisms.broadcast import Parameter, per_run

SMALLEST_ELASTICITY = (
    1.05  # at or below it the markup formula explodes and the buyer's break-even price rules
)


def own_price_elasticity(alpha: Parameter, share: Floats, eta: Parameter) -> Floats:
    """Return |e| = alpha (1 - s) + eta s: rivals discipline a small seller, the market's own demand a large one.

    Exact for shares of spending under CES demand, which is a logit in ln price (Anderson, de Palma and Thisse 1992,
    Discrete Choice Theory of Product Differentiation, ch. 3), with a market that answers its price index with
    elasticity eta, and Bertrand competition: Atkeson and Burstein 2008, American Economic Review 98.

    Parameters
    ----------
    alpha, eta : a number or (R, …), above 0
    share : (R, …) of the seller in its market, 0..1
    """
    strong = per_run(alpha, share.ndim)
    return strong + (per_run(eta, share.ndim) - strong) * share


def lerner_price(cost_usd: Floats, elasticity: Floats, break_even_usd: Parameter) -> Floats:
    """Return the price with Lerner index 1/|e|, at most what the chip can earn for its buyer, at least cost.

    p = c |e| / (|e| - 1); where |e| <= 1.05 the customer's break-even price alone is the price. Source: Lerner 1934.

    Parameters
    ----------
    cost_usd : (R, …) marginal cost
    elasticity : broadcasts to `cost_usd`, |e|
    break_even_usd : a number or (R, …), the price at which the buyer earns its cost of capital
    """
    inelastic = elasticity <= SMALLEST_ELASTICITY
    held = np.where(inelastic, 2.0, elasticity)
    price = cost_usd * (held / (held - 1))
    cap = per_run(break_even_usd, np.ndim(price))
    return np.maximum(np.where(inelastic, cap, np.minimum(price, cap)), cost_usd)


def posted_price(previous_usd: Floats, target_usd: Floats, weight: Parameter) -> Floats:
    """Move a posted price part of the way in logarithms: p = p_prev^(1-w) p*^w.

    Source: partial adjustment, Nerlove 1958; lists move slowly because buyers budget by them (Blinder et al. 1998).

    Parameters
    ----------
    previous_usd, target_usd : (R, …), above 0
    weight : w, a number or (R, …), 0..1
    """
    ratio = target_usd / previous_usd
    moved = np.exp(per_run(weight, ratio.ndim) * np.log(ratio))
    moved *= previous_usd
    return moved


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
