"""Hours of accelerators by what they are used for: a smoothed assignment, its prices, and the rents they make (L1).

Each operator puts an hour where it earns most, but not all see the same: shares of uses are a logit in what an hour
earns, and whether an hour is let at all is a logit between its best uses and what letting it costs (a nest above).
Prices of uses clear: what fleets make of each use is what is wanted of it at its price. Sources: Galichon 2016, Optimal
Transport Methods in Economics (entropy-regularised assignment); McFadden 1978 (nests); for idle hours the form is the
supply curve near capacity of a queue, price = cost x (u / (1 - u))^eta (Kleinrock 1975).

Axes: R runs, M markets, P products, U uses. Inside, arrays lie as (P, U, M, R), so that a step over all runs is one
sweep through memory; sums over products add them one after the other.
"""

from dataclasses import dataclass

import numpy as np

from computemarket.model.core.arrays import Bools, Floats

STEPS = 6  # Newton steps from last quarter's prices
LONGEST_STEP_LN = 3.0  # no price moves further in a step
LEAST_SLOPE = 1e-6  # where neither fleets nor those who want hours answer to a price
LEAST_WEIGHT = 1e-200  # keeps logarithms of what earns next to nothing


@dataclass(frozen=True, slots=True)
class Fleets:
    """What stands in each market and what an hour of it does.

    hours : (R, M, P) accelerator-hours that can be let
    rate_ln : (R, P, U) ln of use units per hour; minus infinity where a product is not put to a use
    cost_ln : (R, M, P) ln of what letting an hour costs, USD
    """

    hours: Floats
    rate_ln: Floats
    cost_ln: Floats

    def serves(self) -> Bools:
        """Return (R, M, U) the uses to which some hour of a market can be put."""
        fit = np.isfinite(self.rate_ln)[:, None]
        return np.asarray(((self.hours > 0)[..., None] & fit).any(axis=2))


@dataclass(frozen=True, slots=True)
class Wants:
    """Demand for uses: `amount` (R, M, U) use units at `price_usd` (R, M, U), falling with `elasticity` (R, 1, U)."""

    amount: Floats
    price_usd: Floats
    elasticity: Floats


@dataclass(frozen=True, slots=True)
class Assignment:
    """Hours put to uses at prices.

    share : (R, M, P, U) of the hours that are let
    used : (R, M, P) share of hours that are let, 0..1
    rent_usd : (R, M, P) what an hour that is let earns
    """

    share: Floats
    used: Floats
    rent_usd: Floats


@dataclass(frozen=True, slots=True)
class _Grid:
    """What does not change while prices are sought, runs last.

    hours, cost_ln : (P, M, R); rate, pull : (P, U, 1, R) use units an hour, and that over the product's most to the 1/s
    best_ln : (P, 1, R) ln of a product's most use units; spread, idle_spread : (R,)
    """

    hours: Floats
    cost_ln: Floats
    rate: Floats
    pull: Floats
    best_ln: Floats
    spread: Floats
    idle_spread: Floats


@dataclass(frozen=True, slots=True)
class _Put:
    """Hours put to uses: `weight` (P, U, M, R) over `total` (P, M, R) a share, `used` (P, M, R) what is let."""

    weight: Floats
    total: Floats
    used: Floats


def assign(fleets: Fleets, price_usd: Floats, spread: Floats, idle_spread: Floats) -> Assignment:
    """Return how hours are put to uses at prices (R, M, U).

    Parameters
    ----------
    spread : (R,) s of the logit over uses; idle_spread : (R,) eta of the choice to let an hour
    """
    grid = _grid(fleets, spread, idle_spread)
    price = _runs_last(price_usd)
    put = _put(grid, np.log(price))
    share = put.weight / put.total[:, None]
    rent = (share * grid.rate * price).sum(axis=1)
    share = np.ascontiguousarray(share.transpose(3, 2, 0, 1))
    return Assignment(share, _runs_first(put.used), _runs_first(rent))


def clear_uses(
    fleets: Fleets, wants: Wants, start_usd: Floats, spread: Floats, idle_spread: Floats
) -> Floats:
    """Return (R, M, U) prices of uses at which fleets make what is wanted, from `start_usd` on.

    Newton's method on ln supply - ln demand in ln prices; supply of a use rises in its own price and falls in others',
    so that the crossing is unique (gross substitutes). A fixed number of steps, each at most `LONGEST_STEP_LN`. Uses
    that nothing serves keep their price.
    """
    grid = _grid(fleets, spread, idle_spread)
    served = np.ascontiguousarray(fleets.serves().transpose(2, 1, 0))
    price_ln, elasticity = np.log(_runs_last(start_usd)), _runs_last(wants.elasticity)
    wanted_ln = np.log(_runs_last(wants.amount)) + elasticity * np.log(_runs_last(wants.price_usd))
    own = np.arange(len(price_ln))
    for _ in range(STEPS):
        made_ln, slope = _supply(grid, price_ln, served)
        slope[own, own] = np.maximum(slope[own, own] + elasticity, LEAST_SLOPE)
        step = _solve(slope, np.where(served, wanted_ln - elasticity * price_ln - made_ln, 0.0))
        price_ln = price_ln + np.clip(step, -LONGEST_STEP_LN, LONGEST_STEP_LN)
    return _runs_first(np.exp(price_ln))


def _runs_last(values: Floats) -> Floats:
    """Return (R, M, X) values as (X, M, R)."""
    return np.ascontiguousarray(values.transpose(2, 1, 0))


def _runs_first(values: Floats) -> Floats:
    """Return (X, M, R) values as (R, M, X)."""
    return np.ascontiguousarray(values.transpose(2, 1, 0))


def _grid(fleets: Fleets, spread: Floats, idle_spread: Floats) -> _Grid:
    rate_ln = np.ascontiguousarray(fleets.rate_ln.transpose(1, 2, 0))[:, :, None, :]
    best_ln = rate_ln.max(axis=1)
    pull = np.exp((rate_ln - best_ln[:, None]) / spread)
    hours, cost_ln = _runs_last(fleets.hours), _runs_last(fleets.cost_ln)
    return _Grid(hours, cost_ln, np.exp(rate_ln), pull, best_ln, spread, idle_spread)


def _put(grid: _Grid, price_ln: Floats) -> _Put:
    """Put hours to uses at ln prices (U, M, R)."""
    tilt = price_ln / grid.spread
    top = tilt.max(axis=0)
    weight = grid.pull * np.exp(tilt - top)
    total = np.maximum(weight.sum(axis=1), LEAST_WEIGHT)
    earned_ln = grid.best_ln + grid.spread * (np.log(total) + top)
    used = 1 / (1 + np.exp((grid.cost_ln - earned_ln) / grid.idle_spread))
    return _Put(weight, total, used)


def _supply(grid: _Grid, price_ln: Floats, served: Bools) -> tuple[Floats, Floats]:
    """Return ln of what is made of each use (U, M, R), 0 where nothing serves it, and its slopes in ln prices."""
    put = _put(grid, price_ln)
    made = put.weight * grid.rate
    made *= (grid.hours * put.used / put.total)[:, None]
    total = made.sum(axis=0)
    # of another use's price, through idle hours and through shares
    cross = put.weight * (((1 - put.used) / grid.idle_spread - 1 / grid.spread) / put.total)[:, None]
    slope, kinds = np.empty((len(total), *total.shape)), np.arange(len(total))
    moved = np.empty_like(made)
    for other in kinds:
        np.multiply(made, cross[:, other, None], out=moved)
        np.sum(moved, axis=0, out=slope[:, other])
    slope[kinds, kinds] += total / grid.spread
    total = np.maximum(np.where(served, total, 1.0), LEAST_WEIGHT)
    slope /= total[:, None]
    return np.log(total), slope


def _solve(matrix: Floats, right: Floats) -> Floats:
    """Solve small systems (U, U, ...) x = (U, ...) by elimination without pivots, the same bits in any company.

    Gross substitutes make the matrix dominant in its diagonal; where demand does not answer to prices and all hours are
    let, a pivot may still vanish, and is kept at `LEAST_SLOPE`. Both are written over.
    """
    kinds = len(right)
    for i in range(kinds):
        np.maximum(matrix[i, i], LEAST_SLOPE, out=matrix[i, i])
        for j in range(i + 1, kinds):
            factor = matrix[j, i] / matrix[i, i]
            matrix[j, i + 1 :] -= factor * matrix[i, i + 1 :]
            right[j] -= factor * right[i]
    for i in range(kinds - 1, -1, -1):
        right[i] /= matrix[i, i]
        right[:i] -= matrix[:i, i] * right[i]
    return right
