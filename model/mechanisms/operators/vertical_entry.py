"""Specialised factory operators: free entry on a circle per vertical (M22).

Source: Salop, Bell Journal of Economics 10 (1979).
"""

import numpy as np

from computemarket.model.core.arrays import Floats
from computemarket.model.mechanisms.broadcast import Parameter, per_run


def mismatch_cost_usd(generic_usd: Floats, premium: Parameter) -> Floats:
    """Return Salop's transport cost t, what a perfect domain fit is worth.

    t = premium x price of a generic service. Shapes: `generic_usd` (R, V) price of a unit of service by
    vertical.
    """
    return per_run(premium, generic_usd.ndim) * generic_usd


def free_entry_number(
    market_units: Floats, mismatch_usd: Floats, fixed_usd: Parameter, licence_fee: Parameter
) -> Floats:
    """Return the number of operators at which profit is zero, n* = sqrt((1-f) t D / F).

    Salop's equilibrium; with a fee f on revenue, price is cost/(1-f) + t/n and profit (1-f) t D/n^2 - F, so
    the fee keeps entrants out. Not a whole number.

    Parameters
    ----------
    market_units : (R, V) units bought per year, D
    mismatch_usd : (R, V) t, USD per unit
    fixed_usd : F, USD per year and operator
    licence_fee : f, share of revenue
    """
    ndim = market_units.ndim
    net = 1 - per_run(licence_fee, ndim)
    return np.sqrt(net * mismatch_usd * market_units / per_run(fixed_usd, ndim))


def price_usd(cost_usd: Floats, mismatch_usd: Floats, operators: Floats, licence_fee: Parameter) -> Floats:
    """Return the price with n operators, cost/(1-f) + t/n; shapes (R, V), `operators` at least one."""
    return cost_usd / (1 - per_run(licence_fee, cost_usd.ndim)) + mismatch_usd / np.maximum(operators, 1.0)


def licence_revenue_usd(
    market_units: Floats, unit_price_usd: Floats, operators: Floats, fee: Parameter
) -> Floats:
    """Return the vendor's yearly licence income, f p D where anyone operates; shapes (R, V)."""
    return np.where(operators > 0, per_run(fee, market_units.ndim) * unit_price_usd * market_units, 0.0)


def next_operators(operators: Floats, target: Floats, speed: Parameter, uniform: Floats) -> Floats:
    """Return the whole number of operators a quarter later, moving part of the way to the free-entry number.

    The step speed x (n* - n) is rounded up or down by the given uniform so that its mean is exact; a market
    below room for one operator (n* < 1) keeps none in the end.

    Parameters
    ----------
    operators, target, uniform : (R, V) whole number; n*; draws on 0..1
    speed : share of the gap closed in a quarter
    """
    goal = np.where(target >= 1, np.floor(target), 0.0)
    step = np.floor(per_run(speed, operators.ndim) * (goal - operators) + uniform)
    return np.maximum(0.0, operators + step)
