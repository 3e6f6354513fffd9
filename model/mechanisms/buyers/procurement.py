"""How enterprises buy: own, reserve, or by use (M23).

Sources: Jorgenson, American Economic Review 53 (1963) on user cost; McFadden (1978) on nested logit; Bass,
Management Science 15 (1969) on adoption.
"""

import numpy as np

from computemarket.model.core.arrays import Floats
from computemarket.model.mechanisms.broadcast import Parameter, per_run

OPTIONS = ("own", "reserve", "api", "credits", "subscription")
NESTS = ((0, 2), (2, 5))  # infrastructure; services; as ranges of OPTIONS


def user_cost_usd_per_h(
    price_usd: Floats,
    rate: Parameter,
    depreciation: Parameter,
    price_drift: Parameter,
    running_usd_per_h: Floats,
) -> Floats:
    """Return the cost of an available hour of an owned accelerator.

    price x (r + d - (1 - d) pi) / 8760 + running (Jorgenson 1963 with discrete years): capital ties up
    interest, wears out, and loses as new generations arrive (pi < 0).

    Parameters
    ----------
    price_usd, running_usd_per_h : (R, …) purchase price, energy and staff
    rate, depreciation, price_drift : per year
    """
    ndim = price_usd.ndim
    worn = per_run(depreciation, ndim)
    yearly = per_run(rate, ndim) + worn - (1 - worn) * per_run(price_drift, ndim)
    return price_usd * yearly / 8760 + running_usd_per_h


def own_cost_usd_per_mtok(
    levelised_usd_per_mtok: Floats, utilisation: Floats, consistency: Parameter
) -> Floats:
    """Return the cost of tokens from own machines, levelised cost at full use / (utilisation x consistency).

    Idle hours are paid for (enterprise utilisation is far below a cloud's); `consistency` (0..1) is the
    share of output that meets the service level. Shapes (R, …).
    """
    served = np.maximum(utilisation, 1e-3) * per_run(consistency, utilisation.ndim)
    return levelised_usd_per_mtok / served


def option_shares(
    cost: Floats,
    variation: Floats,
    attraction: Floats,
    available: Floats,
    sensitivity: Parameter,
    variance_penalty: Parameter,
    nest: Parameter,
) -> Floats:
    """Return shares of the five ways to buy, a nested logit.

    V = attraction - alpha ln(cost) - rho cv^2 / 2; inside a nest shares go as exp(V / mu), nests as the
    mu-th power of their sums (McFadden 1978): machines (own, reserve) and services (API, credits,
    subscription) are closer substitutes inside than across.

    Parameters
    ----------
    cost : (R, M, 5) cost per million tokens by `OPTIONS`, positive
    variation : (R, M, 5) standard deviation over mean of cost and service within a budget year
    attraction : (R, M, 5) further utility (integration, switching cost, predictability)
    available : (R, M, 5) weight in 0..1 of how far an option is on offer; zero removes it
    sensitivity : alpha
    variance_penalty : rho
    nest : mu in 0..1; one is a plain logit
    """
    utility = (
        attraction - per_run(sensitivity, 3) * np.log(cost) - per_run(variance_penalty, 3) * variation**2 / 2
    )
    mu = per_run(nest, 3)
    top = utility.max(axis=-1, keepdims=True)
    inner = available * np.exp((utility - top) / mu)
    blocks = [np.ascontiguousarray(inner[..., start:stop]) for start, stop in NESTS]
    sums = [block.sum(axis=-1, keepdims=True) for block in blocks]
    worth = [np.where(total > 0, np.where(total > 0, total, 1.0) ** mu, 0.0) for total in sums]
    everything = sum(worth[1:], worth[0])
    everything = np.where(everything > 0, everything, 1.0)
    parts = [
        block / np.where(total > 0, total, 1.0) * value / everything
        for block, total, value in zip(blocks, sums, worth, strict=True)
    ]
    return np.concatenate(parts, axis=-1)


def gate(wanted_usd: Floats, budget_left_usd: Floats, quarters_left: int) -> tuple[Floats, Floats]:
    """Return (spend this quarter, budget left) under a budget fixed once a year.

    spend = min(wanted, left) with at most twice the even share of what is left, so that a surge late in the
    budget year waits for the next budget. Shapes (R, …), USD; `quarters_left` counts this quarter, 1..4.
    """
    pace = 1.0 if quarters_left == 1 else min(1.0, 2.0 / quarters_left)
    spend = np.minimum(np.maximum(wanted_usd, 0.0), pace * budget_left_usd)
    return spend, budget_left_usd - spend


def next_budget_usd(
    spent_usd: Floats, wanted_usd: Floats, growth_cap: Parameter, ceiling_usd: Floats
) -> Floats:
    """Return next year's budget: what was wanted, at most a growth over what was spent, under a ceiling.

    min(ceiling, max(spent, min(wanted, spent x (1 + cap)))). Shapes (R, …), USD a year.
    """
    ndim = spent_usd.ndim
    grown = np.minimum(wanted_usd, spent_usd * (1 + per_run(growth_cap, ndim)))
    return np.minimum(ceiling_usd, np.maximum(spent_usd, grown))


def adoption_chance(
    adopted: Floats, innovation: Parameter, imitation: Parameter, entry_cost: Floats, entry_weight: Parameter
) -> Floats:
    """Return the chance that a non-adopter starts this quarter, (p + q F) exp(-w entry cost).

    The Bass hazard, slowed by what it costs to begin over the yearly budget: pay-per-use lowers it and
    brings in buyers sooner. Shapes (R, …); the result is at most one.

    Parameters
    ----------
    adopted : share of the population that has adopted, F
    innovation, imitation : p, q per quarter
    entry_cost : cost to begin over yearly budget
    entry_weight : w
    """
    ndim = adopted.ndim
    bass = per_run(innovation, ndim) + per_run(imitation, ndim) * adopted
    return np.minimum(1.0, bass * np.exp(-per_run(entry_weight, ndim) * entry_cost))


def entry_cost(shares: Floats, by_option: Floats) -> Floats:
    """Return the mean cost to begin over yearly budget; `shares` (R, M, 5), `by_option` (5,); result (R, M)."""
    return (shares * by_option).sum(axis=-1)


def capex_opex(spend_usd: Floats, capex_share: Floats) -> tuple[Floats, Floats]:
    """Return (capital, operating) expense of all members, each (R,).

    Parameters
    ----------
    spend_usd : (R, M, 5) spend by member and option
    capex_share : (5,) share of each option's spend that is capitalised
    """
    by_member = (spend_usd * capex_share).sum(axis=-1)
    capex = by_member.sum(axis=-1)
    return capex, spend_usd.sum(axis=-1).sum(axis=-1) - capex
