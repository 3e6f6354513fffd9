"""A run's outcome does not depend on the runs beside it, bit for bit."""

import dataclasses

import numpy as np
import pytest

from computemarket.model.core.arrays import by_group, over_holders, weighted_sum
from computemarket.model.mechanisms.buyers import (
    demand,
    life_cycle,
    procurement,
    search,
    startups,
    switching_cost,
)
from computemarket.model.mechanisms.finance import auction, contagion, expectations, vendor_finance
from computemarket.model.mechanisms.operators import (
    investment,
    operator_regime,
    options,
    rental,
    vertical_entry,
)
from computemarket.model.mechanisms.platform import business_modes as platform
from computemarket.model.mechanisms.platform import credits, standards
from computemarket.model.mechanisms.suppliers import rationing, supply
from computemarket.model.mechanisms.vendors import learning, pricing

RUNS = 37
ROWS = np.random.Generator(np.random.Philox(11))


def u(*shape, low=0.05, high=0.95):
    return ROWS.uniform(low, high, (RUNS, *shape))


def whole(*shape, below):
    return ROWS.integers(0, below, (RUNS, *shape))


def yes(*shape):
    return ROWS.uniform(size=(RUNS, *shape)) < 0.7


NETWORK = u(45, 45, high=9.0) * (1 - np.eye(45))
CASES = [
    (weighted_sum, u(32, 74), u(1, 74)),
    (weighted_sum, u(32, 74), np.linspace(0, 1, 74)),
    (over_holders, u(32, 74)),
    (over_holders, u(32, 74), np.linspace(0, 1, 320).reshape(10, 32)),
    (by_group, u(32, 74), (np.arange(74) % 9 == np.arange(9)[:, None]).T.astype(float)),
    (by_group, u(74), (np.arange(74) % 9 == np.arange(9)[:, None]).T.astype(float)),
    (contagion.debt_rank, contagion.impact(NETWORK, u(45, high=90.0)), u(45), u(45)),
    (contagion.systemic_importance, contagion.impact(NETWORK[:, :9, :9].copy(), u(9, high=20.0)), u(9)),
    (credits.stage_chance, whole(below=5), u(), u(), u(), 0.03, u(), 3.0, 1.0),
    (credits.settle_credits, u(19), u(19), u(19), u(high=9.0), u()),
    (credits.defend_band, u(high=2.0), u(high=2.0), 0.85, 1.15, u(high=99.0), u(high=9.0), u(high=9.0)),
    (expectations.next_fitness, u(3), u(3), u(), 0.7),
    (expectations.rule_shares, u(3), u()),
    (expectations.market_belief, u(3), u(3)),
    (operator_regime.irr_per_year, u(7), u(7, 6)),
    (
        operator_regime.regime_shares,
        u(7, 3),
        u(7, 3),
        0.5,
        u(7, 3),
        u(high=20.0),
        np.ones((1, 1, 3), dtype=bool),
    ),
    (options.investment_hurdle, u(), u(), u()),
    (options.programme_value_usd, u(5), u(), u(), u(), 8.0, 20.0),
    (options.chip_value_after_shock, np.array([0.9, 0.7, 0.5, 0.1]), u(high=9.0), u(), 4.0),
    (platform.recurring_share, u(4)),
    (platform.ranked_shares, u(13), yes(13), u()),
    (procurement.option_shares, u(40, 5), u(40, 5), u(40, 5), u(40, 5), u(), u(), u()),
    (procurement.capex_opex, u(300, 5), np.array([0.75, 0, 0, 0, 0])),
    (
        standards.choice_profit_usd,
        whole(6, below=3),
        u(6),
        u(6),
        yes(6),
        u(),
        np.array([3.0, 2.0, 1.0]),
        u(),
        u(),
    ),
    (standards.adoption_shares, u(6), u(6), u(), yes(6)),
    (standards.hub_trade_share, u(6, 6), u(6), u(), 8.0),
    (standards.take_up, u(6), u(6), u(), yes(6), u()),
    (startups.provider_shares, u(9), u(60, 9), u(), 3, yes(9)),
    (startups.enters, yes(60), u(60), u(high=9.0)),
    (switching_cost.net_gain_usd, u(31), u(31), u(31), u(), u(), 12.0),
    (vendor_finance.loan_rate_per_year, u(), u(5), whole(19, below=5), u()),
    (vendor_finance.debt_capacity_usd, u(19), u(19), u(19), u(), 1.3, u()),
    (vertical_entry.free_entry_number, u(5), u(5), u(), u()),
    (pricing.own_price_elasticity, u(high=8.0), u(45), u()),
    (pricing.lerner_price, u(45), u(45, high=4.0), u(high=20.0)),
    (pricing.posted_price, u(45), u(45), u()),
    (rationing.ration, u(30, 45), u(30, high=20.0)),
    (rationing.ration, u(30, 45), u(30, high=20.0), u(30, 45)),
    (rationing.cancel_double_orders, u(45), u(45), u(45), u()),
    (rental.forward_prices, u(9), u(9), np.arange(12.0), u(), u(), 0.5, -0.22, u(), 0.1, u()),
    (demand.bass_step, u(45), u(), u()),
    (supply.next_quarter, u(9, 6)),
    (supply.learned_yield, u(), u(), u(9, high=1e6), 1e5),
    (learning.gap_left, u(11, low=1.0, high=2.0), u(11, low=2.0, high=3.0), u(), u()),
    (learning.wright_cost, u(30), u(30, high=1e6), 3.0, u()),
    (investment.next_belief_ln, u(45), u(45), u(45), u(), u()),
    (investment.grown, u(), u(), u(), np.float64(3.0)),
    (investment.wanted_units, u(45), u(45), u(45), u(), u()),
    (auction.clear_double_auction, u(9, 40), u(9, 40), u(9, 30), u(9, 30), u(), u(9)),
    (auction.hedged_forward_price, u(9), u(9), u(9), u(9), u(), u()),
    (search.search_shares, u(9, 45), u(9, 45), u(low=1.0, high=9.0)),
    (life_cycle.herfindahl, u(9, 45)),
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
