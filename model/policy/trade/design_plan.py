"""Which variants the rules and settings of a scenario call forth."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from computemarket.model.core.parameters import Distribution, ParameterValues, Schedule, Setting, schema
from computemarket.model.core.randomness import Streams
from computemarket.model.policy.trade.designs import Design, Designer, DesignTerms, with_designs
from computemarket.model.policy.trade.market_access import (
    Rules,
    compliant_variants,
    levers_in,
    market_metrics,
)
from computemarket.model.policy.trade.variants import WorkMix
from computemarket.model.world.rates import Rates, load_rates
from computemarket.model.world.world import World, load_world

AREA = "hardware."
READ_BY_RUN = frozenset((  # that the market reads in every quarter, with a value for every run
    "shell_life", "other_opex_share", "mtbf", "repair", "integration_start", "integration_per_quarter",
))  # fmt: skip
Given = tuple[tuple[str, float], ...]  # parameters of the hardware that replace their defaults


@dataclass(frozen=True, slots=True)
class DesignPlan:
    """The world and its rates with what vendors design in it."""

    world: World
    rates: Rates
    designs: tuple[Design, ...]
    later: tuple[
        tuple[int, Rates], ...
    ] = ()  # tables from a quarter on, where the scenario dates a parameter


def design_plan(rules: Rules, settings: Mapping[str, Setting]) -> DesignPlan:
    """Return the world in which vendors answer the rules of a scenario."""
    policy = frozenset(item for item in settings.items() if item[0].startswith("policy."))
    return _plan(rules, policy, hardware_given(settings))


def hardware_given(settings: Mapping[str, Setting]) -> tuple[tuple[int, Given], ...]:
    """Return what a scenario says of the hardware where tables are made of it: (from which quarter, what is given).

    A distribution counts by its median there. What the market reads by run and quarter is left to it.
    """
    said = {
        name: setting
        for name, setting in settings.items()
        if name.startswith(AREA)
        and name.removeprefix(AREA) not in READ_BY_RUN
        and setting != schema()[name].setting
    }
    dates = {
        index for setting in said.values() if isinstance(setting, Schedule) for index, _ in setting.steps
    }
    return tuple((date, _given_in(said, date)) for date in sorted({0, *dates}))


def _given_in(said: Mapping[str, Setting], quarter: int) -> Given:
    """Return the values in force in a quarter."""
    found = {}
    for name, setting in said.items():
        held: float | Distribution | None = setting if not isinstance(setting, Schedule) else setting.before
        if isinstance(setting, Schedule):
            for index, value in setting.steps:
                held = value if index <= quarter else held
        if held is not None and held != schema()[name].setting:
            middle = held.quantile(np.full(1, 0.5))[0] if isinstance(held, Distribution) else held
            found[name] = float(np.clip(middle, schema()[name].low, schema()[name].high))
    return tuple(sorted(found.items()))


@lru_cache(maxsize=64)
def _plan(
    rules: Rules, settings: frozenset[tuple[str, Setting]], hardware: tuple[tuple[int, Given], ...]
) -> DesignPlan:
    world, rates = load_world(), load_rates(dict(hardware[0][1]))
    middle = {name: np.full(1, 0.5) for name in schema()}
    values = ParameterValues(dict(settings), Streams(0, np.zeros(1, dtype=np.int64)), middle)
    terms = design_terms(values)
    book, products = rules.book(), world.products
    designs = Designer(
        world,
        market_metrics(products),
        tuple(compliant_variants(products).only_in),
        book,
        lambda quarter: levers_in(book, values.at, quarter),
        terms,
    ).designs()
    designed, last = with_designs(world, rates, designs, terms)
    later = []
    for quarter, given in hardware[1:]:
        new = with_designs(world, load_rates(dict(given)), designs, terms)[1]
        last = last.renewed(new, designed.products.launch >= quarter)
        later.append((quarter, last))
    return DesignPlan(designed, with_designs(world, rates, designs, terms)[1], designs, tuple(later))


def design_terms(values: ParameterValues) -> DesignTerms:
    """Read how vendors design from the values of one run."""

    def of(name: str) -> float:
        return float(values.at(f"policy.variant_{name}", 0)[0])

    compute, memory = of("compute_share"), of("memory_share")
    return DesignTerms(
        mix=WorkMix(compute, memory, max(0.0, 1 - compute - memory)),
        margin=of("design_margin"),
        link_step_gbps=of("link_step_gbps"),
        cost_usd=of("design_cost_usd"),
        units=of("expected_units"),
        lag_quarters=round(of("design_quarters")),
        gain=of("least_gain"),
        life_quarters=round(of("life_quarters")),
        power_floor=of("power_floor"),
        close_days=round(float(values.at("policy.vendor_close_days", 0)[0])),
    )
