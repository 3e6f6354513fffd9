"""Licences and what may be sold under them: approval, delay, caps, charges, import permission.

Legal sales are the least of demand at the price with the charge, import permission times approved units, buyers
times their cap, and a share of the units sold at home (91 FR 1684; the limits act together).
"""

from dataclasses import dataclass

import numpy as np

from computemarket.model.core.arrays import Bools, Floats
from computemarket.model.mechanisms.broadcast import Parameter, per_run

QUARTER_DAYS = 365.25 / 4


def approval_probability(
    base: Parameter, tpp: Floats, frontier_tpp: Floats, lag_ratio: Parameter, steepness: Parameter
) -> Floats:
    """Return the chance that a licence is granted, falling as a product nears the frontier.

    base x 1 / (1 + (tpp / (lag_ratio x frontier))^steepness): half of `base` for a product at `lag_ratio` of
    the frontier. Steepness 0 with base doubled is a fixed probability; prefer `base` alone for that.

    Parameters
    ----------
    base : chance far behind the frontier, 0..1; a number or (R,)
    tpp : (R, P) or (P,) of the products
    frontier_tpp : (R,) best product on sale at home
    lag_ratio : share of the frontier's TPP regarded as too close
    steepness : how sharp the line is, at least 0
    """
    frontier = np.asarray(frontier_tpp, dtype=np.float64)[:, None]
    closeness = tpp / (per_run(lag_ratio, 2) * frontier)
    return per_run(base, 2) / (1.0 + closeness ** per_run(steepness, 2))


def review_delay_quarters(licence_days: Parameter, congress_days: Parameter = 0.0) -> Floats:
    """Return the quarters from application to shipment, Congress's review added."""
    return (np.asarray(licence_days, dtype=np.float64) + congress_days) / QUARTER_DAYS


def blocked_by_congress(block_probability: Parameter, review_days: Parameter, uniform: Floats) -> Bools:
    """Say which licences (R, …) Congress blocks; none where there is no review."""
    reviewed = per_run(review_days, uniform.ndim) > 0
    return reviewed & (uniform < per_run(block_probability, uniform.ndim))


def advance_applications(
    pipeline_units: Floats, applied_units: Floats, delay_quarters: Parameter, approval: Floats | float
) -> tuple[Floats, Floats]:
    """Return (pipeline, units approved this quarter) after a quarter's applications.

    An application waits `delay_quarters`; a fraction of a quarter splits it between the two nearest quarters.
    Approval thins it on entry. Delays beyond the pipeline's length wait at its end.

    Parameters
    ----------
    pipeline_units : (R, P, D) approved units by quarters left; entry 0 arrives now
    applied_units : (R, P) this quarter
    delay_quarters : a number or (R,)
    approval : chance of approval; a number, (R, 1) or (R, P)
    """
    slots = pipeline_units.shape[-1]
    delay = np.minimum(per_run(delay_quarters, 2), slots - 1.0)
    whole = np.floor(delay)
    later = delay - whole
    approved = applied_units * approval
    places = np.arange(slots)
    soon = np.where(places == whole[..., None], (1.0 - later)[..., None], 0.0)
    late = np.where(places == whole[..., None] + 1.0, later[..., None], 0.0)
    filled = pipeline_units + approved[..., None] * (soon + late)
    shifted = np.zeros_like(filled)
    shifted[..., :-1] = filled[..., 1:]
    return shifted, filled[..., 0]


@dataclass(frozen=True, slots=True)
class Caps:
    """Volume limits; infinite or NaN where there is none. Numbers or arrays that broadcast with (R, P)."""

    buyers: Parameter = np.inf
    units_per_buyer: Parameter = np.inf
    share_of_us_units: Parameter = np.inf


@dataclass(frozen=True, slots=True)
class LegalSales:
    """Units and payments of a quarter, (R, P), and which limit binds."""

    units: Floats
    charge_usd: Floats
    wanted_units: Floats  # demand at the price with the charge
    binding: Floats  # 0 demand, 1 import permission x approved, 2 buyers x cap, 3 share of US units


def demand_with_charge(
    demand_units: Floats, charge: Floats | float, pass_through: Parameter, elasticity: Parameter
) -> Floats:
    """Return demand at the price with the charge, D x (1 + pass-through x charge)^-elasticity.

    Parameters
    ----------
    demand_units : (R, P) at the list price
    charge : share of the price
    pass_through : share of the charge that the buyer pays
    elasticity : of demand, positive
    """
    ndim = demand_units.ndim
    raised = 1.0 + per_run(pass_through, ndim) * charge
    return np.asarray(demand_units * raised ** -per_run(elasticity, ndim))


def window_units(history_units: Floats, quarter: int, cumulative: Bools, window: int = 4) -> Floats:
    """Return (R, P) units counted against a cap: all so far, or those of the last `window` quarters.

    Parameters
    ----------
    history_units : (R, P, T) units by quarter, filled up to and with `quarter`
    cumulative : (R,) count from the beginning
    """
    first = max(0, quarter + 1 - window)
    everything = np.ascontiguousarray(history_units[..., : quarter + 1]).sum(axis=-1)
    recent = np.ascontiguousarray(history_units[..., first : quarter + 1]).sum(axis=-1)
    return np.where(np.asarray(cumulative, dtype=bool)[:, None], everything, recent)


def legal_sales(
    demand_units: Floats,
    approved_units: Floats,
    import_permission: Parameter,
    price_usd: Floats,
    charge: Floats | float,
    pass_through: Parameter,
    elasticity: Parameter,
    caps: Caps,
    sold_units: Floats,
    us_units: Floats,
    sold_in_window_units: Floats,
) -> LegalSales:
    """Return a quarter's legal sales of licensed products, the least of four limits.

    Parameters
    ----------
    demand_units : (R, P) at the list price
    approved_units : (R, P) licensed and not yet used
    import_permission : share of licensed units the importing state lets in, 0..1; a number or (R,)
    price_usd : (R, P)
    charge : share of the price paid to the exporting state
    pass_through, elasticity : see `demand_with_charge`
    caps : volume limits
    sold_units : (R, P) sold so far, against buyers x cap
    us_units, sold_in_window_units : (R, P) sold at home and here in the window of the share cap
    """
    wanted = demand_with_charge(demand_units, charge, pass_through, elasticity)
    permitted = np.clip(per_run(import_permission, 2), 0.0, 1.0) * approved_units
    per_buyer = _product(_limit(caps.buyers), _limit(caps.units_per_buyer))
    buyers = np.maximum(per_buyer - sold_units, 0.0)
    share = _limit(caps.share_of_us_units)
    counted = np.where(np.isinf(share), np.inf, np.where(np.isinf(share), 0.0, share) * us_units)
    of_us = np.maximum(counted - sold_in_window_units, 0.0)
    limits = np.stack(np.broadcast_arrays(wanted, permitted, buyers, of_us), axis=-1)
    units = limits.min(axis=-1)
    return LegalSales(units, units * price_usd * charge, wanted, limits.argmin(axis=-1).astype(np.float64))


def _limit(value: Parameter) -> Floats:
    """Return a limit against (R, P), infinite where it is NaN."""
    array = per_run(value, 2)
    return np.where(np.isnan(array), np.inf, array)


def _product(first: Floats, second: Floats) -> Floats:
    """Return the product of two limits; no buyer without a cap buys nothing."""
    first, second = np.broadcast_arrays(first, second)
    nobody = (first == 0) | (second == 0)
    return np.where(nobody, 0.0, np.where(nobody, 1.0, first) * np.where(nobody, 1.0, second))


def domestic_quota_units(domestic_units: Floats, quota: Parameter) -> Floats:
    """Return the foreign units a buyer may import, domestic units over the quota; infinite where quota is 0.

    Parameters
    ----------
    domestic_units : (R, …) domestic units bought
    quota : domestic units required for each foreign one
    """
    required = per_run(quota, domestic_units.ndim)
    return np.where(required > 0, domestic_units / np.where(required > 0, required, 1.0), np.inf)


def served_after_home(
    available_units: Floats, home_orders_units: Floats, first_refusal: Parameter, diversion_test: Parameter
) -> Floats:
    """Return (R, …) units that may be exported when home orders come first.

    With right of first refusal only what home buyers leave; without it, the certificate that exports delay no
    home order withholds the share `diversion_test` of the shortage.

    Parameters
    ----------
    available_units, home_orders_units : (R, …)
    first_refusal : 1 where home buyers may take everything first
    diversion_test : strictness of the certificate, 0..1
    """
    ndim = available_units.ndim
    left = np.maximum(available_units - home_orders_units, 0.0)
    strictness = np.maximum(per_run(first_refusal, ndim), per_run(diversion_test, ndim))
    return available_units - strictness * (available_units - left)
