"""Debt of GPU clouds and the money vendors put into their own customers (M19).

Sources: project-finance ratios (Yescombe, Principles of Project Finance, 2014): debt-service cover, loan to
value; trade and vendor credit as a sales instrument (Brennan, Maksimovic and Zechner, Journal of Finance 43,
1988).
"""

import numpy as np

from computemarket.model.core.arrays import Bools, Floats, Ints
from computemarket.model.mechanisms.broadcast import Parameter, per_run, present_value_factor

RUNGS = ("backed", "investment_grade_offtake", "other_offtake", "unsecured", "first_project")
_MOST_COVER = 99.0  # cover reported where no debt is due


def rung(
    backed_share: Floats,
    graded_share: Floats,
    contracted_share: Floats,
    seasoned: Bools,
    enough: Floats | float,
) -> Ints:
    """Return each borrower's rung on the spread ladder, index into `RUNGS`.

    The best rung whose share of capacity reaches `enough`: a vendor's floor, contracts with investment-grade
    customers, any contracts; without them a seasoned borrower is unsecured and a new one a first project.
    Shapes (R, …), shares 0..1.
    """
    bare = np.where(seasoned, 3, 4)
    found = np.where(contracted_share >= enough, 2, bare)
    found = np.where(graded_share >= enough, 1, found)
    return np.where(backed_share >= enough, 0, found).astype(np.int64)


def loan_rate_per_year(
    risk_free: Parameter, spreads: Floats, borrower_rung: Ints, stress: Parameter
) -> Floats:
    """Return the yearly loan rate, risk-free + spread of the rung x (1 + stress).

    Parameters
    ----------
    risk_free : yearly overnight rate, a number or (R,)
    spreads : (5,) or (R, 5) yearly spread by rung, rising
    borrower_rung : (R, N)
    stress : rise of all spreads in a credit crunch, share
    """
    ladder = np.broadcast_to(spreads, (len(borrower_rung), len(RUNGS)))
    spread = np.take_along_axis(ladder, borrower_rung, axis=-1)
    return per_run(risk_free, 2) + spread * (1 + per_run(stress, 2))


def debt_service_usd(principal_usd: Floats, rate_per_quarter: Floats, quarters_left: Floats) -> Floats:
    """Return the level quarterly payment that repays a loan in its remaining term, D / a(r, n); (R, …)."""
    factor = present_value_factor(rate_per_quarter, np.maximum(quarters_left, 1.0))
    return principal_usd / factor


def called_usd(debt_usd: Floats, due_usd: Floats, allowed_usd: Floats) -> Floats:
    """Return what a borrower must repay of loans that fall due because lenders do not renew them, all (R, …).

    min(due, max(0, debt - allowed)): who owes no more than a new loan would be renews all that falls due; in a crunch
    the allowed loan shrinks and maturities become a wall. Source: rollover risk, He and Xiong 2012, Journal of Finance
    67; Diamond 1991.

    Parameters
    ----------
    due_usd : principal that matures in the quarter beyond what level payments repay
    allowed_usd : the largest loan lenders would give today against the same fleet
    """
    return np.minimum(due_usd, np.maximum(debt_usd - allowed_usd, 0.0))


def debt_cover(cash_flow_usd: Floats, service_usd: Floats) -> Floats:
    """Return the debt-service cover ratio, cash flow over debt service; 99 where no debt is due; (R, …)."""
    due = service_usd > 0
    ratio = cash_flow_usd / np.where(due, service_usd, 1.0)
    return np.where(due, np.minimum(ratio, _MOST_COVER), _MOST_COVER)


def debt_capacity_usd(
    cash_flow_usd: Floats,
    collateral_usd: Floats,
    rate_per_quarter: Floats,
    term_quarters: Parameter,
    least_cover: Parameter,
    most_loan_to_value: Parameter,
) -> Floats:
    """Return the largest loan that passes both tests, min(a(r, n) CF / DSCR, LTV x collateral).

    Parameters
    ----------
    cash_flow_usd : (R, …) sure quarterly cash flow (with a floor: at the floor)
    collateral_usd : (R, …) resale value of the accelerators
    rate_per_quarter : (R, …)
    term_quarters, least_cover, most_loan_to_value : numbers or (R,)
    """
    ndim = cash_flow_usd.ndim
    factor = present_value_factor(rate_per_quarter, per_run(term_quarters, ndim))
    by_cover = factor * np.maximum(0.0, cash_flow_usd) / per_run(least_cover, ndim)
    return np.minimum(by_cover, per_run(most_loan_to_value, ndim) * collateral_usd)


def next_distress(distressed_quarters: Ints, cover: Floats, owing: Bools) -> Ints:
    """Return quarters in a row with cover below one; `owing` is who has debt; (R, …)."""
    return np.where(owing & (cover < 1), distressed_quarters + 1, 0).astype(np.int64)


def defaults(distressed_quarters: Ints, patience_quarters: Floats | int) -> Bools:
    """Return who defaults: cover below one for `patience_quarters` in a row; (R, …)."""
    return distressed_quarters >= patience_quarters


def recovery_usd(debt_usd: Floats, fleet_value_usd: Floats, recovery_share: Parameter) -> Floats:
    """Return what creditors get back, min(debt, share x market value of the fleet's vintage); (R, …)."""
    return np.minimum(debt_usd, per_run(recovery_share, debt_usd.ndim) * fleet_value_usd)
