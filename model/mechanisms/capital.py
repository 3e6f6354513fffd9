"""How much to build: stock adjustment towards what believed revenue can feed, and the belief itself (M31)."""

import numpy as np

from computemarket.model.arrays import Floats


def next_belief_ln(
    belief_ln: Floats, outlook_ln: Floats, rivals_growth_ln: Floats, correction: Floats, herding: Floats, shock_ln: Floats
) -> Floats:
    """Update the believed yearly AI revenue, in logarithms.

    dln B = a (ln outlook - ln B) + b (rivals' capex growth) + shock: partial adjustment to what was realised
    (Nerlove 1958), herding on rivals (Scharfstein and Stein 1990), one adoption shock.

    Parameters
    ----------
    belief_ln, outlook_ln, rivals_growth_ln, shock_ln : (R,) ln USD a year; ln per quarter; ln
    correction, herding : (R,) per quarter, 0..1
    """
    return belief_ln + correction * (outlook_ln - belief_ln) + herding * rivals_growth_ln + shock_ln


def outlook_ln_usd(realised_usd: Floats, growth_ln: Floats, horizon_quarters: Floats, growth_cap_ln: Floats) -> Floats:
    """Extrapolate realised yearly revenue over the planning horizon at the growth that was learned, capped."""
    carried = np.minimum(growth_ln, growth_cap_ln) * horizon_quarters
    return np.log(np.maximum(realised_usd, 1.0)) + np.maximum(carried, 0.0)


def desired_stock_h100e(
    belief_usd: Floats, share: Floats | float, cost_per_h100e_usd: Floats, return_per_year: Floats
) -> Floats:
    """Return the accelerator stock that earns the required revenue per dollar of capital.

    K* = share B / rho with rho = c (user cost and margin), the revenue that an H100e must bring in a year.

    Parameters
    ----------
    belief_usd : (R,) believed yearly AI revenue of the market
    cost_per_h100e_usd : (R,) all-in cost today
    return_per_year : (R,) revenue required per year and dollar of capital
    """
    return share * belief_usd / (cost_per_h100e_usd * return_per_year)


def orders_wanted_h100e(
    desired: Floats, installed: Floats, on_order: Floats, retired: Floats, speed: Floats
) -> Floats:
    """Return orders: replacement plus a share of the gap, less what is already on order (Sterman 1989).

    delta K + lambda max(0, K* - K - on order); all in H100e, `speed` per quarter.
    """
    replace = np.where(installed + on_order > desired, 0.0, retired)
    return replace + speed * np.maximum(0.0, desired - installed - on_order)


def other_capex_usd(legacy_2022_usd: Floats | float, ai_capex_usd: Floats, floor_share: Floats, crowding: Floats) -> Floats:
    """Return the other capital expenditure, which AI crowds out down to a floor: max(f L, L - chi AI)."""
    return np.maximum(floor_share * legacy_2022_usd, legacy_2022_usd - crowding * ai_capex_usd)


def learned_growth_ln(growth_ln: Floats, realised_ln: Floats, last_ln: Floats, gain: Floats) -> Floats:
    """Learn the growth of revenue adaptively (Cagan 1956): g += gain (observed - g)."""
    return growth_ln + gain * ((realised_ln - last_ln) - growth_ln)
