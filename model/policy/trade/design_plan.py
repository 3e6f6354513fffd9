"""Which variants the rules and settings of a scenario call forth."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from computemarket.model.core.parameters import ParameterValues, Setting, schema
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


@dataclass(frozen=True, slots=True)
class DesignPlan:
    """The world and its rates with what vendors design in it."""

    world: World
    rates: Rates
    designs: tuple[Design, ...]


def design_plan(rules: Rules, settings: Mapping[str, Setting]) -> DesignPlan:
    """Return the world in which vendors answer the rules of a scenario."""
    policy = frozenset(item for item in settings.items() if item[0].startswith("policy."))
    return _plan(rules, policy)


@lru_cache(maxsize=64)
def _plan(rules: Rules, settings: frozenset[tuple[str, Setting]]) -> DesignPlan:
    world, rates = load_world(), load_rates()
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
    return DesignPlan(*with_designs(world, rates, designs, terms), designs)


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
