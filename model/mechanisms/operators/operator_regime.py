"""How a GPU cloud operates: alone, backed by the vendor, or for another brand (M21).

Sources: levered and unlevered internal rate of return (Brealey, Myers and Allen, Principles of Corporate
Finance); McFadden's logit for the choice; Marshall's shutdown rule for exit.
"""

import numpy as np

from computemarket.model.core.arrays import Bools, Floats, Ints
from computemarket.model.mechanisms.broadcast import Parameter, per_run

REGIMES = ("independent", "franchise", "white_label")
HOURS_PER_YEAR = 8760.0
_HALVINGS = 50  # leaves the rate known to 6e-15 of the searched span
_LOWEST, _HIGHEST = -0.95, 5.0  # yearly returns searched


def irr_per_year(outlay_usd: Floats, cash_usd: Floats, halvings: int = _HALVINGS) -> Floats:
    """Return the yearly internal rate of return of an outlay now and cash at the end of each year.

    Solves outlay = sum_y cash_y (1 + i)^-y by bisection on -95% to 500%. With one change of sign the root is
    unique; a project without any return gets -95%.

    Parameters
    ----------
    outlay_usd : (R, …) positive
    cash_usd : (R, …, Y) cash by year
    halvings : steps of the bisection
    """
    low = np.full(outlay_usd.shape, _LOWEST)
    high = np.full(outlay_usd.shape, _HIGHEST)
    for _ in range(halvings):
        middle = (low + high) / 2
        worth = _present_value(cash_usd, middle) > outlay_usd
        low, high = np.where(worth, middle, low), np.where(worth, high, middle)
    return (low + high) / 2


def _present_value(cash_usd: Floats, rate: Floats) -> Floats:
    """Return the value today of yearly cash by Horner's scheme, from the last year to the first."""
    value = np.zeros(rate.shape)
    for year in range(cash_usd.shape[-1] - 1, -1, -1):
        value = (value + cash_usd[..., year]) / (1 + rate)
    return value


def rent_path_usd_per_h(rent_usd_per_h: Floats, drift: Parameter, years: int) -> Floats:
    """Return the expected rental of a vintage, rent x (1 - drift)^y, y = 0..years-1; (R, …, years)."""
    fall = 1 - per_run(drift, rent_usd_per_h.ndim + 1)
    return rent_usd_per_h[..., None] * fall ** np.arange(years)


def vendor_share_usd_per_h(rent: Floats, floor: Floats, share_above: Parameter) -> Floats:
    """Return what a backed operator pays the vendor per hour (receives if negative).

    phi max(0, rent - floor) - max(0, floor - rent). Shapes: `rent` (R, …, Y), `floor` (Y,) or like `rent`.
    """
    above = per_run(share_above, rent.ndim) * np.maximum(0.0, rent - floor)
    return above - np.maximum(0.0, floor - rent)


def operator_cash_usd(
    rent: Floats, vendor_share: Floats, opex_usd_per_h: Parameter, utilisation: Parameter
) -> Floats:
    """Return yearly cash of one accelerator, hours x (utilisation x rent - vendor share - opex); (R, …, Y).

    The floor is paid on capacity, so the vendor share falls on every hour.
    """
    ndim = rent.ndim
    earned = per_run(utilisation, ndim) * rent - vendor_share - per_run(opex_usd_per_h, ndim)
    return HOURS_PER_YEAR * earned


def regime_shares(
    expected: Floats,
    volatility: Floats,
    risk_aversion: Parameter,
    bonus: Floats,
    sharpness: Parameter,
    allowed: Bools,
) -> Floats:
    """Return the chance of each regime, a logit of risk-adjusted return.

    share ~ exp(k (E[i] - a sd + bonus)), the bonus being what a regime adds (allocation priority, cheaper
    debt).

    Parameters
    ----------
    expected, volatility, bonus : (R, …, 3) yearly return, its standard deviation, extra return
    risk_aversion, sharpness : numbers or (R,)
    allowed : (R, …, 3) regimes on offer, at least one
    """
    ndim = expected.ndim
    adjusted = expected - per_run(risk_aversion, ndim) * volatility + bonus
    utility = np.where(allowed, per_run(sharpness, ndim) * adjusted, -np.inf)
    weight = np.exp(utility - utility.max(axis=-1, keepdims=True))
    return weight / weight.sum(axis=-1, keepdims=True)


def drawn_regime(shares: Floats, uniform: Floats) -> Ints:
    """Return the regime picked by a uniform draw, index into `REGIMES`.

    Shapes: `shares` (R, …, 3), `uniform` (R, …).
    """
    through = np.cumsum(shares, axis=-1)
    return np.minimum((uniform[..., None] >= through).sum(axis=-1), len(REGIMES) - 1).astype(np.int64)


def exits(
    rent_usd_per_h: Floats,
    avoidable_usd_per_h: Floats,
    contracted_share: Floats,
    contract_usd_per_h: Floats,
    loss_quarters: Ints,
    patience_quarters: int,
    debt_rate: Floats,
    return_per_year: Floats,
) -> tuple[Bools, Ints]:
    """Return (who exits, quarters of loss so far).

    An operator loses when its blended rental (contracts at their price, the rest at spot) is below avoidable
    cost or its return below the rate of its debt; it exits after `patience_quarters` of that in a row, at
    once never.

    Parameters
    ----------
    all arrays (R, …); `contracted_share` 0..1; `loss_quarters` count before this quarter
    """
    blended = contracted_share * contract_usd_per_h + (1 - contracted_share) * rent_usd_per_h
    loses = (blended < avoidable_usd_per_h) | (return_per_year < debt_rate)
    count = np.where(loses, loss_quarters + 1, 0).astype(np.int64)
    return count >= patience_quarters, count
