"""Smuggling as crime supply: China's price clears legal, domestic, remote and smuggled compute (M25).

A smuggler ships until the expected gain is nothing, (1 - d) p_CN = p + c(Q) + d x penalty (Becker, Journal of
Political Economy 76, 1968), so that the premium is an outcome: the price of the risk and of the effort.
"""

from dataclasses import dataclass

import numpy as np

from computemarket.model.core.arrays import Floats
from computemarket.model.mechanisms.broadcast import Parameter, per_run

_PASSES, _POINTS = 5, 24  # cuts of the bracket into 25; the same in every run
_INNER = np.arange(1, _POINTS + 1, dtype=np.float64)
_HIGHEST_PRICE = 64.0  # of the bracket, over the world price: no buyer pays more


@dataclass(frozen=True, slots=True)
class Smuggling:
    """Terms of a smuggler; numbers or (R,)."""

    detection: Parameter  # d, chance that a shipment is seized, 0..1
    penalty: Parameter  # expected fine on a seized shipment, over its world value
    scale_h100e: Parameter  # quantity shipped at which the effort costs `effort`
    effort: Parameter  # c at that quantity, over the world price
    elasticity: Parameter  # of the quantity shipped against what is left for effort


@dataclass(frozen=True, slots=True)
class ChinaSide:
    """Demand and the other sources in a quarter, (R,); price relations are to the world price."""

    demand_h100e: Floats  # at the world price
    demand_elasticity: Parameter
    legal_h100e: Floats  # quota: what licences, caps and import permission let in
    legal_charge: Parameter  # share of the price that legal units bear
    domestic_h100e: Floats  # at the world price
    domestic_elasticity: Parameter  # of this quarter's supply; its investment answers later
    remote_h100e: Floats  # offshore rental at the world price, after limits
    remote_elasticity: Parameter


@dataclass(frozen=True, slots=True)
class ChinaClearing:
    """What clears, (R,)."""

    price_usd: Floats
    premium: Floats  # over the world price
    legal_h100e: Floats
    domestic_h100e: Floats
    remote_h100e: Floats
    delivered_h100e: Floats  # smuggled and arrived
    shipped_h100e: Floats  # smuggled, with what was seized
    seized_h100e: Floats


def detection_probability(
    base: Parameter,
    budget_ratio: Parameter,
    officers_ratio: Parameter,
    budget_elasticity: Parameter,
    officers_elasticity: Parameter,
    verified_share: Parameter = 0.0,
    verification_power: Parameter = 0.0,
) -> Floats:
    """Return the chance that a diverted shipment is detected, rising in enforcement, below one.

    1 - (1 - base)^(B^a O^b) x (1 - v s): searches are independent tries, of which there are B^a O^b times as
    many as in the base year; a share v of chips reports its location, which exposes a diversion with chance s.

    Parameters
    ----------
    base : chance at the base year's enforcement
    budget_ratio, officers_ratio : budget and officers abroad over those of the base year
    budget_elasticity, officers_elasticity : a and b
    verified_share : v, share of chips with location verification, 0..1
    verification_power : s, 0..1
    """
    tries = np.asarray(budget_ratio, dtype=np.float64) ** budget_elasticity
    tries = tries * np.asarray(officers_ratio, dtype=np.float64) ** officers_elasticity
    unseen = (1.0 - np.asarray(base, dtype=np.float64)) ** tries
    return 1.0 - unseen * (1.0 - np.asarray(verified_share, dtype=np.float64) * verification_power)


def shipped_at(price_ratio: Floats, terms: Smuggling) -> Floats:
    """Return the quantity shipped at a Chinese price (over the world price), inverse of the smuggler's condition.

    Q = Q0 x (((1-d) p - 1 - d f) / c0)^e, nothing where risk and goods eat the price.

    Parameters
    ----------
    price_ratio : (R,)
    terms : numbers or (R,)
    """
    left = (
        (1.0 - np.asarray(terms.detection)) * price_ratio - 1.0 - np.asarray(terms.detection) * terms.penalty
    )
    return np.asarray(terms.scale_h100e * (np.maximum(left, 0.0) / terms.effort) ** terms.elasticity)


def clear_china(world_price_usd: Floats, side: ChinaSide, terms: Smuggling) -> ChinaClearing:
    """Return the price at which Chinese demand meets all four sources, and what each brings.

    Found by cutting a bracket a fixed number of times. While the legal quota is not used up the price is that of
    legal units, charge included; where it is, the price rises until the other sources fill the gap.

    Parameters
    ----------
    world_price_usd : (R,) per H100-equivalent, positive
    side : demand and sources
    terms : of smugglers
    """
    legal_ratio = 1.0 + np.asarray(side.legal_charge, dtype=np.float64) + np.zeros_like(world_price_usd)
    ratio = _clearing_ratio(legal_ratio, side, terms)
    shipped = shipped_at(ratio, terms)
    domestic, remote = _domestic(ratio, side), _remote(ratio, side)
    delivered = shipped * (1.0 - np.asarray(terms.detection))
    gap = _demand(ratio, side) - domestic - remote - delivered
    legal = np.clip(gap, 0.0, np.where(ratio >= legal_ratio, side.legal_h100e, 0.0))
    price = ratio * world_price_usd
    return ChinaClearing(price, ratio - 1.0, legal, domestic, remote, delivered, shipped, shipped - delivered)


def _clearing_ratio(legal_ratio: Floats, side: ChinaSide, terms: Smuggling) -> Floats:
    """Return the price over the world price: that of legal units where they are the last to be bought."""
    wanted = _excess(legal_ratio, side, terms)
    short_without, short_with = wanted > 0.0, wanted > side.legal_h100e
    quota = np.where(short_with, side.legal_h100e, 0.0)
    least = np.where(short_with, np.log(legal_ratio), -np.log(_HIGHEST_PRICE))
    most = np.where(short_with, np.log(_HIGHEST_PRICE), np.log(legal_ratio))
    for _ in range(_PASSES):
        step = (most - least) / (_POINTS + 1)
        grid = least[:, None] + step[:, None] * _INNER  # (R, points)
        short = _excess_on(grid, side, terms) > quota[:, None]
        above = short.sum(axis=1)  # excess demand falls with the price: so many points lie below the answer
        least, most = least + step * above, least + step * (above + 1)
    ends = np.stack([least, most], axis=1)
    gap = _excess_on(ends, side, terms) - quota[:, None]
    drop = gap[:, 0] - gap[:, 1]
    part = np.clip(gap[:, 0] / np.where(drop > 0, drop, 1.0), 0.0, 1.0)  # a straight line over a millionth
    ratio = np.exp(least + part * (most - least))
    return np.where(short_without & ~short_with, legal_ratio, ratio)


def _excess_on(ln_ratio: Floats, side: ChinaSide, terms: Smuggling) -> Floats:
    """Return (R, points) demand less all sources but the legal one."""

    def wide(value: Parameter) -> Floats:
        return per_run(value, 2)

    demand = wide(side.demand_h100e) * np.exp(-wide(side.demand_elasticity) * ln_ratio)
    domestic = wide(side.domestic_h100e) * np.exp(wide(side.domestic_elasticity) * ln_ratio)
    remote = wide(side.remote_h100e) * np.exp(wide(side.remote_elasticity) * ln_ratio)
    detection = wide(terms.detection)
    left = (1.0 - detection) * np.exp(ln_ratio) - 1.0 - detection * wide(terms.penalty)
    effort = np.maximum(left, 0.0) / wide(terms.effort)
    smuggled = wide(terms.scale_h100e) * (1.0 - detection) * effort ** wide(terms.elasticity)
    return np.asarray(demand - domestic - remote - smuggled)


def _excess(ratio: Floats, side: ChinaSide, terms: Smuggling) -> Floats:
    return np.ascontiguousarray(_excess_on(np.log(ratio)[:, None], side, terms)[:, 0])


def _demand(ratio: Floats, side: ChinaSide) -> Floats:
    return np.asarray(side.demand_h100e * ratio ** -np.asarray(side.demand_elasticity, dtype=np.float64))


def _domestic(ratio: Floats, side: ChinaSide) -> Floats:
    return np.asarray(side.domestic_h100e * ratio ** np.asarray(side.domestic_elasticity, dtype=np.float64))


def _remote(ratio: Floats, side: ChinaSide) -> Floats:
    return np.asarray(side.remote_h100e * ratio ** np.asarray(side.remote_elasticity, dtype=np.float64))


def route_shares(ease: Floats, supply_h100e: Floats, detection: Floats, sensitivity: Parameter) -> Floats:
    """Return (R, C) shares of diverted shipments by country of transit, summing to 1 (0 where nothing is sold).

    Logit over routes: weight = ease x supply^(1/2) x exp(-sensitivity x detection); the square root lets a
    market with more chips hide more, less than in proportion.

    Parameters
    ----------
    ease : (C,) or (R, C) how open a country is to diversion, at least 0; 0 for no route
    supply_h100e : (R, C) accelerators sold there
    detection : (R, C) chance of detection on that route
    sensitivity : of the choice of route to detection
    """
    weight = ease * np.sqrt(np.maximum(supply_h100e, 0.0)) * np.exp(-per_run(sensitivity, 2) * detection)
    total = weight.sum(axis=-1, keepdims=True)
    return np.where(total > 0, weight / np.where(total > 0, total, 1.0), 0.0)


def remote_rental(
    wanted_h100e: Floats, control: Parameter, capacity_share: Parameter, offshore_stock_h100e: Floats
) -> Floats:
    """Return (R, …) offshore compute that the destination's firms may rent.

    The least of what is wanted after remote-access control and their ceiling of the offshore stock.
    """
    ndim = wanted_h100e.ndim
    ceiling = per_run(capacity_share, ndim) * offshore_stock_h100e
    return np.minimum(wanted_h100e * (1.0 - per_run(control, ndim)), ceiling)
