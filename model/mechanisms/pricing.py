"""What vendors ask: markups under logit demand, price posting, system content and prices in a shortage (M9)."""

import numpy as np

from computemarket.model.arrays import Bools, Floats, Ints
from computemarket.model.mechanisms.choice import logit_shares
from computemarket.model.mechanisms.per_run import Parameter, per_run

SMALLEST_ELASTICITY = (
    1.05  # at or below it the markup formula explodes and the buyer's break-even price rules
)
PRICE_ROUNDS = 12  # best responses are contracted by posting half of the way: far below a cent after twelve


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


def token_derived_elasticity(cost_share: Parameter, token_elasticity: Parameter) -> Floats:
    """Return the elasticity of derived demand: (input's share of the product's cost) x (product's elasticity).

    Source: Marshall 1890; Hicks 1932, for an input without substitutes.
    """
    return np.asarray(cost_share, dtype=np.float64) * token_elasticity


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


def gross_margin(price_usd: Floats, cost_usd: Floats) -> Floats:
    """Return (p - c) / p, the Lerner index that a price implies; 0 where the price is 0."""
    return np.where(price_usd > 0, 1 - cost_usd / np.where(price_usd > 0, price_usd, 1.0), 0.0)


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


def system_price(chip_price_usd: Floats, network_content: Parameter, system_content: Parameter) -> Floats:
    """Return what a buyer pays for a deployed chip: price x (1 + networking + memory, rack and the rest).

    Contents are shares of the chip price. Source: bundling as a multiplier of content, Adams and Yellen 1976.
    """
    content = 1 + np.asarray(network_content, dtype=np.float64) + system_content
    return chip_price_usd * per_run(content, chip_price_usd.ndim)


def scarcity_price(
    list_usd: Floats, wanted: Floats, deliverable: Floats, elasticity: Floats, pass_through: Parameter
) -> Floats:
    """Return the price in a shortage, held below the price that would clear it.

    The clearing price is p (D/S)^(1/|e|); a seller that thinks of loyalty and of its customers' sense of fairness
    takes only part of it: p (D/S)^(g/|e|), g < 1, and rations. List price where there is no shortage.
    Source: Haskel and Martin 1994; Kahneman, Knetsch and Thaler 1986; Carlton 1983.

    Parameters
    ----------
    list_usd, wanted, deliverable : (R, …) USD; units wanted at the list price; units at hand
    elasticity : broadcasts, |e| of demand, above 0
    pass_through : g, a number or (R, …), 0..1
    """
    shortage = np.where(deliverable > 0, wanted / np.where(deliverable > 0, deliverable, 1.0), 1.0)
    pressure = np.log(np.maximum(shortage, 1.0))
    pressure *= per_run(pass_through, pressure.ndim)
    return list_usd * np.exp(pressure / elasticity)


def bertrand_nash_prices(
    cost_usd: Floats,
    appeal: Floats,
    firm_index: Ints,
    alpha: Parameter,
    eta: Parameter,
    break_even_usd: Parameter,
) -> tuple[Floats, Floats]:
    """Return prices and shares of spending in a Bertrand-Nash equilibrium of firms with several products.

    Shares of spending are a logit in appeal - (alpha - 1) ln p, so that units fall with elasticity alpha; every firm
    takes the Lerner price at its own share. A fixed number of damped best responses. Source: Atkeson and Burstein
    2008; Nocke and Schutz 2018, Econometrica 86 (firms with several products).

    Parameters
    ----------
    cost_usd, appeal : (R, P) appeal is the utility before price; -inf takes a product out
    firm_index : (P,) owner of each product, 0..F-1
    alpha, eta, break_even_usd : a number or (R, …); alpha above 1
    """
    owners = firm_index == np.arange(int(firm_index.max()) + 1)[:, None]  # (F, P)
    weight = per_run(alpha, cost_usd.ndim) - 1
    price = cost_usd * 2.0
    for _ in range(PRICE_ROUNDS):
        share = logit_shares(appeal - weight * np.log(price))
        firm_share = (share[..., None, :] * owners).sum(axis=-1)
        elasticity = own_price_elasticity(alpha, np.take(firm_share, firm_index, axis=-1), eta)
        price = posted_price(price, lerner_price(cost_usd, elasticity, break_even_usd), 0.5)
    return price, logit_shares(appeal - weight * np.log(price))


def average_system_cost(unit_cost_usd: Floats, platform_cost_usd: Parameter, units: Floats) -> Floats:
    """Return unit cost with the fixed cost of a platform (rack, cooling, network, software) spread over units.

    What keeps entrants out below system-level scale: c + F/q. Source: Bain 1956; Panzar and Willig 1977.
    A seller of less than one unit bears the whole.
    """
    return unit_cost_usd + per_run(platform_cost_usd, units.ndim) / np.maximum(units, 1.0)


def acquires_rival(segment_value_usd: Floats, rival_value_usd: Floats, premium: Parameter) -> Bools:
    """Return where the incumbent licenses or buys a rival: its segment is worth more than value times premium.

    Source: efficiency effect of monopoly, Gilbert and Newbery 1982; market_facts on the Groq licence for the premium.
    """
    return segment_value_usd > rival_value_usd * per_run(premium, rival_value_usd.ndim)


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
