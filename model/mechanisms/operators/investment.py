"""What moves capital expenditure: stock adjustment towards what believed revenue can feed (M31)."""

import numpy as np

from computemarket.model.core.arrays import Floats
from computemarket.model.mechanisms.broadcast import Parameter, per_run


def next_belief_ln(
    belief_ln: Floats, realised_ln: Floats, rivals_growth_ln: Floats,
    correction: Parameter, herding: Parameter, shock_ln: Floats | float = 0.0,
) -> Floats:  # fmt: skip
    """Update the believed yearly AI revenue in logarithms.

    dln B = a (ln realised - ln B) + b (growth of rivals' capex) + shock; realised is lagged by the caller.
    Source: adaptive expectations, Nerlove 1958; herding, Scharfstein and Stein 1990.

    Parameters
    ----------
    belief_ln, realised_ln, rivals_growth_ln, shock_ln : (R, …) ln USD/year; ln/quarter; ln
    correction, herding : a and b, a number or (R, …)
    """
    ndim = belief_ln.ndim
    error = realised_ln - belief_ln
    return (
        belief_ln + per_run(correction, ndim) * error + per_run(herding, ndim) * rivals_growth_ln + shock_ln
    )


def desired_stock(
    believed_usd_per_year: Floats, share: Parameter, revenue_per_h100e_usd: Floats | float
) -> Floats:
    """Return the accelerators that believed revenue can feed: K* = share B / (revenue per H100e and year).

    Source: the accelerator principle, Clark 1917; Jorgenson 1963 with revenue per unit as the user cost.

    Parameters
    ----------
    believed_usd_per_year : (R, …); share : of the market, a number or (R, …); revenue_per_h100e_usd : above 0
    """
    return per_run(share, believed_usd_per_year.ndim) * believed_usd_per_year / revenue_per_h100e_usd


def wanted_units(
    stock: Floats, desired: Floats, on_order: Floats, depreciation: Parameter, adjustment: Parameter
) -> Floats:
    """Return orders delta K + lambda max(0, K* - K - on order), all in H100e.

    Replacement stops where stock and orders exceed what is desired. Source: flexible accelerator, Chenery 1952 and
    Koyck 1954; the supply line counts, Sterman 1989.

    Parameters
    ----------
    stock, desired, on_order : (R, …) H100e
    depreciation, adjustment : delta and lambda per quarter, a number or (R, …)
    """
    gap = desired - stock - on_order
    worn = per_run(depreciation, stock.ndim) * stock
    replacement = np.clip(gap + worn, 0.0, worn)
    return replacement + per_run(adjustment, stock.ndim) * np.maximum(gap, 0.0)


def legacy_capex(
    legacy_2022_usd: Floats | float, ai_capex_usd: Floats, floor: Parameter, crowding: Parameter
) -> Floats:
    """Return other capital expenditure, crowded out by AI down to a floor: max(f L, L - chi AI).

    Source: internal capital markets, Stein 1997: one budget, shifted before it grows.

    Parameters
    ----------
    legacy_2022_usd : broadcasts to `ai_capex_usd` (R, …), USD per quarter
    floor, crowding : f and chi, a number or (R, …)
    """
    ndim = ai_capex_usd.ndim
    shifted = legacy_2022_usd - per_run(crowding, ndim) * ai_capex_usd
    return np.maximum(per_run(floor, ndim) * legacy_2022_usd, shifted)


def grown(growth: Parameter, lasting_growth: Parameter, fade: Parameter, years: Parameter) -> Floats:
    """Return by what a business has grown after some years when growth beyond what lasts fades.

    exp(min(g, l) t + max(g - l, 0) (1 - e^(-k t)) / k) with g, l as ln(1 + rate): abnormal growth reverts to the mean
    at a steady rate. Source: Fama and French 2000, Journal of Business 73 (profits revert by some 0.4 a year).

    Parameters
    ----------
    growth, lasting_growth : a year at the start, and for ever
    fade : share of abnormal growth lost a year, above 0
    years : since the start
    """
    now, lasting = np.log1p(growth), np.log1p(lasting_growth)
    abnormal = np.maximum(now - lasting, 0.0)
    result: Floats = np.exp(np.minimum(now, lasting) * years - abnormal * np.expm1(-fade * years) / fade)
    return result


def outlook_ln_usd(
    realised_usd: Floats, growth_ln: Floats, horizon_quarters: Floats, growth_cap_ln: Floats
) -> Floats:
    """Extrapolate realised yearly revenue over the planning horizon at the growth that was learned, capped."""
    carried = np.minimum(growth_ln, growth_cap_ln) * horizon_quarters
    return np.log(np.maximum(realised_usd, 1.0)) + np.maximum(carried, 0.0)


def learned_growth_ln(growth_ln: Floats, realised_ln: Floats, last_ln: Floats, gain: Floats) -> Floats:
    """Learn the growth of revenue adaptively (Cagan 1956): g += gain (observed - g)."""
    return growth_ln + gain * ((realised_ln - last_ln) - growth_ln)
