"""Which way the market for hours moves, and by how much at least, when demand, credit, power or token prices change.

Histories of a scenario are paired with those of the baseline: same draws, same shocks.
"""

from functools import cache

import numpy as np
import pytest

from computemarket.model.core.calendar import quarters_since_start
from computemarket.scenarios.assembly import assemble
from computemarket.scenarios.batches.ensemble import prepare

RUNS = np.arange(24)
UNTIL = quarters_since_start("2029Q1")
CHANGE = quarters_since_start("2027Q1")  # from when on the scenarios differ from the baseline


@cache
def histories(name):
    """Return {measure: (quarters, runs)} of a scenario."""
    market, kept = assemble(prepare(name, seed=1), RUNS, frozenset()), {}
    clouds = market.structure.gpu_clouds
    while market.quarter <= UNTIL:
        market.step()
        state = market.state
        now = {
            "utilisation": state.utilisation[:, 0],
            "rent": state.rent_usd_per_h100e_hour[:, 0],
            "token price": state.token_price_usd_per_mtok[:, 0, 1:4].min(axis=1),
            "capex": state.ai_capex_usd.sum(axis=1),
            "failures": np.take(state.defaulted, clouds, axis=1).sum(axis=1) * 1.0,
            "profit of labs": (state.lab_revenue_usd - state.lab_compute_usd).sum(axis=1),
        }
        for measure, values in now.items():
            kept.setdefault(measure, []).append(values.copy())
    return {measure: np.array(values) for measure, values in kept.items()}


def change(name, measure, after):
    """Return the median change against the baseline some quarters after, (in its unit, as a share)."""
    one, other = histories("baseline")[measure][CHANGE + after], histories(name)[measure][CHANGE + after]
    return float(np.median(other - one)), float(np.median(other / one) - 1)


def failures(name, quarters):
    """Return by how many clouds a run more fail within some quarters than in the baseline."""
    until = CHANGE + quarters
    one, other = (histories(which)["failures"][CHANGE:until].sum(axis=0) for which in ("baseline", name))
    return float((other - one).mean())


def test_nothing_differs_before_the_date():
    for name in ("demand_stall", "credit_crunch", "token_price_war"):
        for measure, values in histories(name).items():
            assert values[:CHANGE].tobytes() == histories("baseline")[measure][:CHANGE].tobytes()


def test_a_stall_of_demand_empties_fleets_and_lowers_rents():
    assert change("demand_stall", "utilisation", 5)[0] < -0.05
    assert change("demand_stall", "rent", 5)[1] < -0.2
    assert change("demand_stall", "capex", 8)[1] < -0.2
    assert failures("demand_stall", 8) > 0


def test_a_credit_crunch_makes_clouds_fail_and_less_is_built():
    assert failures("credit_crunch", 4) > 0.3  # later fewer, as those that are left owe less
    assert change("credit_crunch", "capex", 4)[1] < -0.2
    assert change("credit_crunch", "rent", 8)[1] > 0  # what stands is scarce


def test_a_war_of_prices_on_tokens_takes_profit_and_raises_no_capex():
    assert change("token_price_war", "token price", 4)[1] < -0.3
    assert change("token_price_war", "profit of labs", 6)[0] < 0
    assert change("token_price_war", "capex", 8)[1] < 0.01


@pytest.mark.parametrize("after", [4, 8])
def test_scarce_and_dear_power_makes_hours_and_tokens_dearer(after):
    assert change("power_drought", "rent", after)[1] > 0.02
    assert change("power_drought", "token price", after)[1] > 0.01
