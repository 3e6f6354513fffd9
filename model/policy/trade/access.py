"""What may be sold where: status, charge and caps of every product in every country, quarter by quarter.

A rule that takes force inside a quarter counts by its days: `share` is the share of the quarter's days that a
product spends under each status.
"""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from computemarket.model.core.arrays import Floats, Ints
from computemarket.model.core.calendar import FIRST_YEAR, QUARTERS, QUARTERS_PER_YEAR
from computemarket.model.policy.regimes.compose import charge_rate, compose, lever_value, product_shape
from computemarket.model.policy.regimes.conditions import INDEXATION, Thresholds
from computemarket.model.policy.regimes.metrics import Metrics
from computemarket.model.policy.regimes.regime import (
    LICENCE,
    LICENCE_APPROVAL,
    LICENCE_CASE_BY_CASE,
    LICENCE_DENIAL,
    NAC,
    NONE,
    STATUSES,
    Regime,
    RegimeBook,
)


@dataclass(frozen=True, slots=True)
class QuarterAccess:
    """Access in one quarter; R is 1 where nothing differs by run. S statuses as in `STATUSES`."""

    countries: tuple[str, ...]
    share: Floats  # (R, C, P, S) share of the quarter's days under each status, sums to 1
    status: Ints  # (R, C, P) on the last day
    charge: Floats  # (R, C, P) mean share of the price charged
    caps: Mapping[str, Floats]  # kind -> (R, C) on the last day, NaN where there is none


def quarter_days(quarter: int) -> tuple[date, date]:
    """Return the first day of a quarter and of the next; 0 is 2022Q1."""

    def first(index: int) -> date:
        return date(FIRST_YEAR + index // QUARTERS_PER_YEAR, 3 * (index % QUARTERS_PER_YEAR) + 1, 1)

    return first(quarter), first(quarter + 1)


def access_status(
    book: RegimeBook,
    metrics: Metrics,
    countries: Sequence[str],
    quarter: int,
    levers: Thresholds | None = None,
    close_days: int = 0,
) -> QuarterAccess:
    """Return the access of products to countries in a quarter.

    Parameters
    ----------
    book : regimes, with a scenario's switches applied (`RegimeBook.switched`)
    metrics : of P products, arrays (P,) or (R, P), known exactly
    countries : C country ids
    quarter : 0 is 2022Q1
    levers : thresholds, rates and caps that differ from the files, a number or (R,); see `regime_levers`
    close_days : days by which the sellers' quarter begins and ends after the calendar's
    """
    thresholds = _columns(levers or {})
    shape = product_shape(metrics, thresholds)
    shape = shape if len(shape) > 1 else (1, *shape)
    start, stop = (day + timedelta(days=close_days) for day in quarter_days(quarter))
    edges = [start, *(day for day in book.turning_days() if start < day < stop), stop]
    share = np.zeros((shape[0], len(countries), shape[1], len(STATUSES)))
    charge = np.zeros(share.shape[:-1])
    status = np.zeros(share.shape[:-1], dtype=np.int64)
    for first, last in itertools.pairwise(edges):
        weight = (last - first) / (stop - start)
        for group, regimes in _alike(book.on(first), countries).items():
            composed = compose(regimes, first, metrics, countries[group[0]], thresholds)
            one_hot = np.broadcast_to(composed.possible, (*shape, len(STATUSES)))
            rate = charge_rate(regimes, metrics, countries[group[0]], one_hot, thresholds)
            for c in group:
                share[:, c] += weight * one_hot
                charge[:, c] += weight * rate
                status[:, c] = one_hot.argmax(axis=-1)
    last_day = stop - timedelta(days=1)
    return QuarterAccess(
        tuple(countries), share, status, charge, _caps(book.on(last_day), countries, thresholds)
    )


def _columns(levers: Thresholds) -> dict[str, Floats]:
    """Return levers that differ by run as (R, 1), to meet products or countries; numbers stay numbers."""
    arrays = {name: np.asarray(value, dtype=np.float64) for name, value in levers.items()}
    return {name: array[:, None] if array.ndim else array for name, array in arrays.items()}


def _alike(
    regimes: tuple[Regime, ...], countries: Sequence[str]
) -> dict[tuple[int, ...], tuple[Regime, ...]]:
    """Return countries in groups under the same regimes and the same relief, with these regimes."""
    groups: dict[tuple[str, ...], list[int]] = {}
    for c, country in enumerate(countries):
        relieved = tuple(r.id + "+" for r in regimes for relief in r.relief if country in relief.destinations)
        groups.setdefault((*(r.id for r in regimes if country in r.destinations), *relieved), []).append(c)
    return {
        tuple(members): tuple(r for r in regimes if r.id in signature)
        for signature, members in groups.items()
    }


def _caps(regimes: tuple[Regime, ...], countries: Sequence[str], levers: Thresholds) -> dict[str, Floats]:
    caps: dict[str, Floats] = {}
    for regime in regimes:
        covered = np.isin(np.array(countries), regime.destinations)
        for cap in regime.caps:
            value = np.where(covered, lever_value(cap.lever, cap.value, levers), np.nan)
            value = value if value.ndim > 1 else value[None, :]
            there = caps.get(cap.kind)
            caps[cap.kind] = value if there is None else np.where(np.isnan(value), there, value)
    return caps


def access_table(
    book: RegimeBook,
    metrics: Metrics,
    countries: Sequence[str],
    quarters: Sequence[int] = tuple(range(len(QUARTERS))),
    levers: Thresholds | None = None,
) -> NDArray[np.int8]:
    """Return (R, T, C, P) the status code on the last day of each quarter, as int8; see `access_status`."""
    tables = [access_status(book, metrics, countries, quarter, levers).status for quarter in quarters]
    runs = max(table.shape[0] for table in tables)
    full = [np.broadcast_to(table, (runs, *table.shape[1:])) for table in tables]
    return np.stack(full, axis=1).astype(np.int8)


def sale_share(
    access: QuarterAccess,
    nac_approval: Floats | float,
    licence_approval: Floats | float,
    case_by_case_approval: Floats | float,
    third_country_approval: Floats | float,
    denial_class_approval: Floats | float = 0.0,
) -> Floats:
    """Return (R, C, P) the share of a quarter's demand that the exporter may serve, before caps.

    The sum over statuses of days under it times the probability of approval; `none` needs none. Probabilities
    are numbers, (R,), or (R, P) where they are indexed to the frontier.
    """
    approval: dict[int, Floats | float] = {
        NONE: 1.0,
        NAC: nac_approval,
        LICENCE_APPROVAL: third_country_approval,
        LICENCE_CASE_BY_CASE: case_by_case_approval,
        LICENCE: licence_approval,
        LICENCE_DENIAL: denial_class_approval,
    }
    total = np.zeros(access.share.shape[:-1])
    for status, probability in approval.items():
        total = total + access.share[..., status] * _against_products(probability)
    return total


def _against_products(probability: Floats | float) -> Floats:
    array = np.asarray(probability, dtype=np.float64)
    if array.ndim == 1:
        return array[:, None, None]
    return array[:, None, :] if array.ndim > 1 else array


def regime_levers(
    book: RegimeBook, value: Callable[[str], Floats], default: Callable[[str], float | None]
) -> dict[str, Floats]:
    """Return the levers of a book as (R,) arrays, NaN where the value of the regime's file holds.

    A parameter at its default leaves the file in force, so that a number changed in a file counts, and a
    scenario that sets the parameter has the last word.

    Parameters
    ----------
    book : regimes whose conditions, charges and caps name levers
    value : parameter name -> (R,) values of the quarter (`ComputeMarket.value`)
    default : parameter name -> its default, None where there is no such parameter
    """
    found: dict[str, Floats] = {}
    for lever in sorted(lever_names(book)):
        usual = default(f"policy.{lever}")
        if usual is not None:
            given = value(f"policy.{lever}")
            found[lever] = np.where(given == usual, np.nan, given)
    return found


def lever_names(book: RegimeBook) -> set[str]:
    """Return the levers that the conditions, charges and caps of a book name."""
    names = {c.lever for regime in book.regimes for rule in regime.rules for c in rule.conditions}
    names |= {charge.lever for regime in book.regimes for charge in regime.charges}
    return (names | {cap.lever for regime in book.regimes for cap in regime.caps}) - {""}


def with_indexation(
    levers: Mapping[str, Floats], rate_per_year: Floats, quarters_since: float
) -> dict[str, Floats]:
    """Return levers with thresholds that grow with the frontier, (1 + rate)^years, from now on.

    Parameters
    ----------
    levers : from `regime_levers`
    rate_per_year : (R,) growth of thresholds, share a year
    quarters_since : quarters since indexation began; none before
    """
    years = max(0.0, quarters_since) / QUARTERS_PER_YEAR
    return {**levers, INDEXATION: (1.0 + np.asarray(rate_per_year, dtype=np.float64)) ** years}
