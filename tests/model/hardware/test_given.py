"""What a scenario says of the hardware reaches the rates of that scenario, and of no other."""

import numpy as np
import pytest

from computemarket.model.core.calendar import quarters_since_start
from computemarket.model.core.parameters import schema
from computemarket.scenarios.assembly import assemble
from computemarket.scenarios.batches.ensemble import prepare

TWO = np.array([0, 1])
IN_TABLES = (  # of which tables of power, tokens and maturity are made; checked below
    "lpx_rack_power", "server_power_base", "server_power_slope", "card_power_factor", "rack_power_factor",
    "system_power_factor", "memory_share", "tokens_per_step", "disaggregation_headroom", "software_gain",
    "software_gap_rate", "software_reference_age", "prefix_cache_hit", "fallback_exponent_least",
    "fallback_exponent_most", "on_chip_fill",
)  # fmt: skip
TABLES = ("power_kw", "tokens_per_s", "maturity")


def market(settings):
    return assemble(prepare("baseline", seed=1).with_settings(settings), TWO, frozenset())


def same_tables(one, other):
    return all(np.array_equal(getattr(one, name), getattr(other, name), equal_nan=True) for name in TABLES)


@pytest.mark.parametrize("key", IN_TABLES)
def test_every_parameter_of_the_tables_moves_them(key):
    parameter = schema()[f"hardware.{key}"]
    value = parameter.high if parameter.default < parameter.high else parameter.low
    before = market({}).rates
    assert not same_tables(market({f"hardware.{key}": value}).rates, before)
    assert same_tables(market({}).rates, before)


def test_the_market_answers_what_is_said_of_the_hardware():
    usual, faster = market({}), market({"hardware.tokens_per_step": 3.0})
    for _ in range(6):
        usual.step()
        faster.step()
    assert (
        faster.state.token_price_usd_per_mtok[:, 0, 1:] < usual.state.token_price_usd_per_mtok[:, 0, 1:]
    ).all()


def test_a_distribution_counts_by_its_median():
    spread = market({"hardware.software_gain": {"uniform": [2.0, 6.0]}}).rates
    assert same_tables(spread, market({"hardware.software_gain": 4.0}).rates)


def test_a_dated_value_holds_for_products_that_come_out_from_then_on():
    dated = {"hardware.tokens_per_step": [{"from": "2024Q1", "value": 3.0}]}
    two, usual = market(dated), market({})
    launch, change = two.world.products.launch, quarters_since_start("2024Q1")
    assert same_tables(two.rates, usual.rates)
    while two.quarter <= change:
        two.step()
    younger = (two.rates.tokens_per_s > usual.rates.tokens_per_s).any(axis=1)
    assert not younger[launch < change].any()
    assert younger[launch >= change].mean() > 0.9
