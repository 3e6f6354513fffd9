"""Keynotes lift beliefs for a while, believers leave rules that err, and recurring revenue is valued higher."""

import numpy as np
import pytest

from computemarket.agents.vendors.keynotes import FIRST
from computemarket.model.core.calendar import quarters_since_start
from computemarket.model.mechanisms.finance.expectations import RULES
from computemarket.scenarios.assembly import assemble
from computemarket.scenarios.batches.ensemble import prepare, simulate_chunk
from computemarket.scenarios.schema import load_scenario

RUNS = np.arange(8)
DATE = quarters_since_start("2027Q1")
KEYNOTE = RULES.index("keynote")


def market_at(quarter, **settings):
    pairs = {f"expectations.{key}": value for key, value in settings.items()}
    market = assemble(load_scenario("baseline").with_settings(pairs), np.arange(4), frozenset())
    while market.quarter < quarter:
        market.step()
    return market


def test_a_keynote_lifts_belief_at_once_and_by_half_of_it_a_quarter_later():
    first, second = (
        market_at(FIRST + n, keynote_lift=0.3, choice_intensity=0).cast.leader.keynotes for n in (1, 2)
    )
    assert first.lift == pytest.approx(0.3 / 3)
    assert second.lift == pytest.approx(0.15 / 3)


def test_builders_believe_in_more_revenue_after_a_keynote_than_without():
    loud, silent = (market_at(FIRST + 1, keynote_lift=lift) for lift in (0.3, 0.0))
    gap = loud.state.belief_ln_usd - silent.state.belief_ln_usd
    assert gap == pytest.approx(np.repeat(loud.cast.leader.keynotes.lift[:, None], gap.shape[1], axis=1))


def test_a_lift_is_taken_back_as_it_fades_and_never_piles_up():
    market = market_at(FIRST + 3, keynote_lift=0.3)
    beliefs, state = market.cast.leader.keynotes, market.state
    before, held = state.belief_ln_usd.copy(), beliefs.lift.copy()
    beliefs.price()
    moved = (state.belief_ln_usd - before)[:, 0]
    assert moved == pytest.approx(beliefs.lift - held)


def test_believers_leave_where_growth_disappoints_them():
    market = market_at(FIRST + 6, keynote_lift=0.8, choice_intensity=100)
    assert (market.cast.leader.keynotes.shares[:, KEYNOTE] < 1 / 3).all()
    assert market.cast.leader.keynotes.shares.sum(axis=1) == pytest.approx(1.0)


def test_more_recurring_revenue_earns_a_higher_multiple():
    market = market_at(FIRST + 2)
    beliefs = market.cast.leader.keynotes
    before = beliefs.multiple.copy()
    market.state.layer_revenue_usd *= np.array([1.0, 3.0, 3.0, 3.0, 3.0])
    beliefs.settle()
    assert (beliefs.multiple > before).all()


def test_a_leader_that_gains_value_funds_itself_more_cheaply():
    market = market_at(FIRST + 4)
    beliefs = market.cast.leader.keynotes
    before = beliefs.capital_cost.copy()
    market.state.layer_revenue_usd *= 2
    beliefs.settle()
    assert (beliefs.capital_cost <= before).all()
    assert beliefs.capital_cost.sum() < before.sum()


def test_the_scenario_loses_believers_and_changes_nothing_before_its_date():
    found = [simulate_chunk(prepare(name, seed=1), RUNS) for name in ("baseline", "keynote_fades")]
    before, after = (recorder.array("forecast_rule_share")[:, -1, KEYNOTE] for recorder in found)
    assert (after < before).mean() >= 0.75
    for variable in found[0].series:
        one, other = (np.ascontiguousarray(recorder.array(variable)[:, :DATE]) for recorder in found)
        assert one.tobytes() == other.tobytes(), variable
