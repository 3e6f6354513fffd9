"""Inputs and power: capacity with lags, the binding input, packaging by priority, yields, sites (M10, M27)."""

from dataclasses import dataclass

import numpy as np

from computemarket.model.arrays import Floats, Ints
from computemarket.model.mechanisms.choice import logit_shares
from computemarket.model.mechanisms.per_run import Parameter, per_run


def capacity_started(
    capacity: Floats, coming: Floats, orders: Floats, target_utilisation: Parameter,
    response: Parameter, slowest: Parameter, fastest: Parameter,
) -> Floats:  # fmt: skip
    """Return the capacity an owner starts to build: part of the gap to what orders call for, within limits.

    lambda (orders/target - capacity - coming), at least slowest and at most fastest times capacity: what is on its way
    counts. Source: capital stock adjustment with a supply line, Chenery 1952; Sterman 1989.

    Parameters
    ----------
    capacity, coming, orders : (R, …) per quarter, in the unit of the input; orders with backlog
    target_utilisation, response : a number or (R, …)
    slowest, fastest : growth per quarter of capacity in place, a number or (R, …)
    """
    ndim = capacity.ndim
    gap = orders / per_run(target_utilisation, ndim) - capacity - coming
    gap *= per_run(response, ndim)
    return np.clip(gap, per_run(slowest, ndim) * capacity, per_run(fastest, ndim) * capacity)


def advance_pipeline(pipeline: Floats, started: Floats, lag_quarters: Parameter) -> tuple[Floats, Floats]:
    """Return what arrives now and the pipeline after it, with new starts put in `lag_quarters` from now.

    A lag between two quarters is split between them; a lag beyond the pipeline enters its last slot. Nothing is lost.

    Parameters
    ----------
    pipeline : (R, …, L) arrivals by quarters left; slot 0 arrives now
    started : (R, …) begun this quarter; lag_quarters : a number or (R, …), at least 1
    """
    slots = pipeline.shape[-1]
    arrived = pipeline[..., 0].copy()
    later = np.empty(pipeline.shape)
    later[..., :-1] = pipeline[..., 1:]
    later[..., -1] = 0.0
    place = np.clip(per_run(lag_quarters, started.ndim) - 1, 0, slots - 1)[..., None]
    near = np.maximum(
        1 - np.abs(place - np.arange(slots)), 0.0
    )  # weights of the two neighbouring slots, sum 1
    later += started[..., None] * near
    return arrived, later


def producible_units(stock: Floats, use_per_unit: Floats) -> tuple[Floats, Ints]:
    """Return the units that inputs allow, min over inputs of stock/use, and the input that binds.

    Source: Leontief 1941, fixed proportions. An input that a product does not use never binds; ties go to the first.

    Parameters
    ----------
    stock : (R, …, I) of inputs; use_per_unit : broadcasts to `stock`, at least 0, one above 0

    Returns
    -------
    units : (R, …); binding : (R, …) index of the input
    """
    used = use_per_unit > 0
    units = np.where(used, stock / np.where(used, use_per_unit, 1.0), np.inf)
    return units.min(axis=-1), units.argmin(axis=-1)


def allocate_by_priority(wanted: Floats, room: Floats, value: Floats) -> tuple[Floats, Floats]:
    """Give room to claims in order of value per unit of room until it is full: the linear programme with one input.

    Returns what each claim gets and the shadow price of room: the value of the claim that is cut, 0 where none is.
    Ties keep the order of the array. Source: Dantzig 1957, Operations Research 5 (continuous knapsack).

    Parameters
    ----------
    wanted : (R, …, n) room that each claim would take, at least 0
    room : (R, …); value : broadcasts to `wanted`, per unit of room; claims of no value get nothing
    """
    worth = np.broadcast_to(value, wanted.shape)
    order = np.argsort(-worth, axis=-1, kind="stable")
    sorted_worth = np.take_along_axis(worth, order, axis=-1)
    claim = np.where(sorted_worth > 0, np.take_along_axis(wanted, order, axis=-1), 0.0)
    before = np.cumsum(claim, axis=-1)
    before -= claim
    got = np.clip(room[..., None] - before, 0.0, claim)
    cut = (got < claim) & (claim > 0)
    shadow = np.where(cut, sorted_worth, 0.0).max(axis=-1)
    given = np.empty(wanted.shape)
    np.put_along_axis(given, order, got, axis=-1)
    return given, shadow


@dataclass(frozen=True, slots=True)
class InputAllocation:
    """Inputs split over products.

    units : (R, P) producible; left : (R, I) inputs left over; binding : (R, P) input that cut each product, I where
    its orders were filled; lost_value : (R, I) value of orders unfilled for want of each input
    """

    units: Floats
    left: Floats
    binding: Ints
    lost_value: Floats


def allocate_inputs(wanted: Floats, use_per_unit: Floats, stock: Floats, value: Floats) -> InputAllocation:
    """Split several inputs over products in order of priority, each product as far as its scarcest input reaches.

    Greedy by value per unit: exact where one input binds (Dantzig 1957), feasible always. Products are served in
    an order that may differ by run, one product of every run at a time.

    Parameters
    ----------
    wanted : (R, P) units ordered; use_per_unit : (P, I) input per unit
    stock : (R, I) inputs this quarter; value : (R, P) priority, per unit
    """
    runs, inputs = np.arange(len(wanted)), use_per_unit.shape[1]
    order = np.argsort(-value, axis=-1, kind="stable")
    left, units = stock.copy(), np.zeros(wanted.shape)
    binding = np.full(wanted.shape, inputs, dtype=np.int64)
    lost = np.zeros(stock.shape)
    for rank in range(wanted.shape[1]):
        product = order[:, rank]
        use = use_per_unit[product]  # (R, I)
        most, scarce = producible_units(left, use)
        claim = wanted[runs, product]
        made = np.minimum(claim, most)
        cut = made < claim
        units[runs, product] = made
        binding[runs[cut], product[cut]] = scarce[cut]
        lost[runs[cut], scarce[cut]] += ((claim - made) * value[runs, product])[cut]
        left -= made[:, None] * use
        np.maximum(left, 0.0, out=left)
    return InputAllocation(units, left, binding, lost)


def learned_yield(start: Parameter, ceiling: Parameter, cumulative: Floats, scale: Parameter) -> Floats:
    """Return the yield after cumulative wafers, y_max - (y_max - y0) exp(-Q/Q0): defects are found by making.

    Source: learning by doing, Arrow 1962; yield learning curves, Stapper 1989; Leachman and Hodges 1996.

    Parameters
    ----------
    cumulative : (R, …) wafers; start, ceiling, scale : a number or (R, …)
    """
    top = per_run(ceiling, cumulative.ndim)
    gap = top - per_run(start, cumulative.ndim)
    return top - gap * np.exp(-cumulative / per_run(scale, cumulative.ndim))


def with_memory_cost(
    unit_cost_usd: Floats, memory_gb: Floats,
    memory_usd_per_gb: Parameter, base_usd_per_gb: Parameter, pass_through: Parameter,
) -> Floats:  # fmt: skip
    """Return unit cost after a change of memory prices: c + theta GB (m - m0), at least 0.

    Pass the memory price of one or two quarters ago for the lag. Source: cost pass-through, Weyl and Fabinger 2013.

    Parameters
    ----------
    unit_cost_usd : (R, P); memory_gb : (P,) or (R, P)
    memory_usd_per_gb, base_usd_per_gb, pass_through : a number or (R, …)
    """
    ndim = unit_cost_usd.ndim
    change = per_run(memory_usd_per_gb, ndim) - per_run(base_usd_per_gb, ndim)
    return np.maximum(unit_cost_usd + per_run(pass_through, ndim) * change * memory_gb, 0.0)


def second_source_share(
    lead_cost_usd: Floats, second_cost_usd: Floats, lead_shadow_usd: Floats,
    lead_yield: Floats, second_yield: Floats, integration_gain: Parameter, sensitivity: Parameter,
) -> Floats:  # fmt: skip
    """Return the share of a chip made at the second foundry: a logit in the log of cost per good die.

    The lead foundry's cost carries the shadow price of its capacity and is cut by the gain of packaging in the same
    house. Source: make-or-buy with capacity, Kamien and Li 1990; logit of McFadden 1974.

    Parameters
    ----------
    lead_cost_usd, second_cost_usd, lead_shadow_usd : (R, …) per die started
    lead_yield, second_yield : broadcast, 0..1; integration_gain, sensitivity : a number or (R, …)
    """
    lead = (lead_cost_usd + lead_shadow_usd) / lead_yield
    lead = lead * (1 - per_run(integration_gain, lead.ndim))
    utility = -np.log(np.stack([lead, np.broadcast_to(second_cost_usd / second_yield, lead.shape)], axis=-1))
    utility *= per_run(sensitivity, utility.ndim)
    return np.ascontiguousarray(logit_shares(utility)[..., 1])


def moves_foundry(
    saving_usd_per_quarter: Floats, annuity_quarters: Parameter, switch_usd: Parameter
) -> Floats:
    """Return the net present value of moving a design to another foundry; move where it is positive.

    Source: sourcing as a switching option at zero volatility, Kogut and Kulatilaka 1994.
    """
    ndim = saving_usd_per_quarter.ndim
    return saving_usd_per_quarter * per_run(annuity_quarters, ndim) - per_run(switch_usd, ndim)


def own_power_share(
    value_usd_per_mw_year: Floats, grid_lead_quarters: Parameter, gas_lead_quarters: Parameter,
    gas_extra_usd_per_mw_year: Parameter, rate_per_year: Parameter, life_years: Parameter, sensitivity: Parameter,
) -> Floats:  # fmt: skip
    """Return the share of new power from own gas plants: earlier, but dearer than the grid.

    Each is the present value of a stream that starts after its lead and ends with the site, gas less its extra cost;
    logit of the difference over the value of the stream for ever. Source: net present value rule, Fisher 1930.

    Parameters
    ----------
    value_usd_per_mw_year : (R, …) margin that a MW earns, above 0
    others : a number or (R, …)
    """
    ndim = value_usd_per_mw_year.ndim
    rate = per_run(rate_per_year, ndim)
    grid_years, gas_years = per_run(grid_lead_quarters, ndim) / 4, per_run(gas_lead_quarters, ndim) / 4
    life = per_run(life_years, ndim)
    grid = value_usd_per_mw_year * np.exp(-rate * grid_years)
    gas = (value_usd_per_mw_year - per_run(gas_extra_usd_per_mw_year, ndim)) * np.exp(-rate * gas_years)
    grid = grid * -np.expm1(-rate * np.maximum(life - grid_years, 0.0))
    gas = gas * -np.expm1(-rate * np.maximum(life - gas_years, 0.0))
    gain = (gas - grid) / value_usd_per_mw_year
    return 1 / (1 + np.exp(-np.clip(per_run(sensitivity, ndim) * gain, -500, 500)))


def power_started(
    needed_mw: Floats, connected_mw: Floats, coming_mw: Floats, completion: Parameter
) -> tuple[Floats, Floats]:
    """Return the power announced and the part of it that will be built: the gap to need, times the completion ratio.

    Announcements cover the gap as if all were built; the shortfall is announced again later.
    """
    announced = np.maximum(needed_mw - connected_mw - coming_mw, 0.0)
    return announced, announced * per_run(completion, announced.ndim)


def merit_order(power_mw: Floats, value_usd_per_mwh: Floats, available_mw: Floats) -> tuple[Floats, Floats]:
    """Return the share of each generation that runs and the shadow price of power.

    Power goes to the generations with the highest value per MWh; those of no value are off: who earns least per MW is
    retired first. Source: merit-order dispatch, Schweppe et al. 1988.

    Parameters
    ----------
    power_mw : (R, …, P) that each generation would draw; value_usd_per_mwh : (R, …, P) revenue less other cost
    available_mw : (R, …)
    """
    given, shadow = allocate_by_priority(power_mw, available_mw, value_usd_per_mwh)
    return np.where(power_mw > 0, given / np.where(power_mw > 0, power_mw, 1.0), 0.0), shadow


def expansion_started(capacity: Floats, pressure: Floats, slow: Floats, fast: Floats) -> Floats:
    """Return the capacity started this quarter: slow growth when slack, rising to fast with unmet orders.

    pressure is unmet orders over capacity, at least 0; the response saturates: slow + (fast - slow) tanh(pressure).
    """
    return capacity * (slow + (fast - slow) * np.tanh(np.maximum(pressure, 0.0)))
