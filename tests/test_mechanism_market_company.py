"""A run's outcome in the market mechanisms does not depend on the runs beside it, bit for bit."""

import dataclasses

import numpy as np
import pytest

from computemarket.model.mechanisms import (
    auction,
    choice,
    demand,
    investment,
    learning,
    life_cycle,
    pricing,
    rationing,
    rental,
    search,
    supply,
    tiers,
)

RUNS = 37
ROWS = np.random.Generator(np.random.Philox(12))
NESTS = np.arange(30) % 4


def u(*shape, low=0.05, high=0.95):
    return ROWS.uniform(low, high, (RUNS, *shape))


def yes(*shape):
    return ROWS.uniform(size=(RUNS, *shape)) < 0.7


def rising(*shape):
    return np.cumsum(u(*shape), axis=-1)


def clear_menu(mtok, value, ladder, rate, power):
    users = tiers.TierDemand(mtok, np.ones(5), value, 0.2, 0.8, 1.3)
    return tiers.clear_power(users, ladder, rate, power)


CASES = [
    (choice.logit_shares, u(45, 30, high=9.0), yes(45, 30)),
    (choice.inclusive_value, u(45, 30, high=9.0), yes(45, 30)),
    (choice.nested_logit_shares, u(45, 30, high=9.0), NESTS, u(), yes(45, 30)),
    (choice.nested_logit_shares, u(45, 30, high=9.0), NESTS, 0.6, None, u()),
    (pricing.own_price_elasticity, u(high=8.0), u(45), u()),
    (pricing.lerner_price, u(45), u(45, high=4.0), u(high=20.0)),
    (pricing.posted_price, u(45), u(45), u()),
    (pricing.scarcity_price, u(45), u(45), u(45), u(45), u()),
    (pricing.bertrand_nash_prices, u(30), u(30), np.arange(30) % 7, u(low=2.0, high=8.0), u(), 9.0),
    (rationing.ration, u(30, 45), u(30, high=20.0)),
    (rationing.ration, u(30, 45), u(30, high=20.0), u(30, 45)),
    (rationing.cancel_double_orders, u(45), u(45), u(45), u()),
    (rental.clear_spot, u(45), u(45), u(), u(), u(), u(), u()),
    (rental.forward_prices, u(9), u(9), np.arange(12.0), u(), u(), 0.5, -0.22, u(), 0.1, u()),
    (rental.contract_price, u(9, 12), u()),
    (tiers.tier_value, np.arange(1.0, 6.0), 1.0, u()),
    (tiers.menu_shares, rising(9, 5), rising(9, 5), u(), u()),
    (tiers.monopoly_payments, rising(9, 5), rising(9, 5), u(), u()),
    (clear_menu, u(9, high=99.0), rising(9, 5), rising(9, 5), u(9, 5), u(9, high=40.0)),
    (demand.bass_step, u(45), u(), u()),
    (demand.price_index, u(45, 30), u(high=3.0), yes(45, 30)),
    (demand.volume, u(45), u(45), u(45), u(), u()),
    (demand.within_wage_bill, u(45), u(45), u()),
    (demand.task_mix, u(10), np.linspace(-0.1, 0.3, 10)),
    (demand.tier_affinity, np.arange(1.0, 6.0), u(9, 5), u(10)[:, None], u()),
    (supply.advance_pipeline, u(9, 6), u(9), u(low=1.0, high=7.0)),
    (supply.allocate_by_priority, u(45, 30), u(45, high=15.0), u(45, 30)),
    (supply.allocate_inputs, u(30), np.linspace(0.1, 2, 90).reshape(30, 3), u(3, high=20.0), u(30)),
    (supply.merit_order, u(45, 30), u(45, 30), u(45, high=15.0)),
    (supply.second_source_share, u(9), u(9), u(9), u(9), u(9), u(), u()),
    (supply.own_power_share, u(9), 20.0, 6.0, u(), u(), 15.0, u()),
    (learning.wright_cost, u(30), u(30, high=1e6), 3.0, u()),
    (learning.mature_software, u(30), u(), u(), u(30)),
    (investment.next_belief_ln, u(45), u(45), u(45), u(), u()),
    (investment.wanted_units, u(45), u(45), u(45), u(), u()),
    (investment.capped_investment, u(45), u(45), u(45), u(45), u(45)),
    (auction.clear_double_auction, u(9, 40), u(9, 40), u(9, 30), u(9, 30), u(), u(9)),
    (auction.hedged_forward_price, u(9), u(9), u(9), u(9), u(), u()),
    (search.search_shares, u(9, 45), u(9, 45), u(low=1.0, high=9.0)),
    (life_cycle.herfindahl, u(9, 45)),
    (life_cycle.logistic_through, np.arange(44.0), u(), u(), 24.0),
    (life_cycle.segment_shares, u(9, 4), u(9, 4), 12.0),
]


def parts(result):
    if dataclasses.is_dataclass(result):
        return [getattr(result, field.name) for field in dataclasses.fields(result)]
    return list(result) if isinstance(result, tuple) else [result]


def of_run(argument, run):
    split = isinstance(argument, np.ndarray) and argument.shape[:1] == (RUNS,)
    return argument[run : run + 1].copy() if split else argument


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0].__qualname__)
def test_a_run_alone_is_the_same_run_in_company(case):
    function, *arguments = case
    together = parts(function(*arguments))
    for run in (0, 17, RUNS - 1):
        alone = parts(function(*(of_run(argument, run) for argument in arguments)))
        for many, one in zip(together, alone, strict=True):
            assert many.shape[0] == RUNS
            np.testing.assert_array_equal(many[run], one[0])
            assert many.flags.c_contiguous
