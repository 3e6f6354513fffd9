"""GPU clouds build whole projects, and fewer of them where earnings swing."""

from math import comb

import numpy as np
import pytest

from computemarket.agents.operators.cloud_options import FIRST
from computemarket.analysis.results.measures import measure
from computemarket.analysis.results.series import panels_from_recorder
from computemarket.model.core.calendar import quarters_since_start
from computemarket.model.mechanisms.operators.options import investment_hurdle
from computemarket.scenarios.assembly import assemble
from computemarket.scenarios.batches.ensemble import prepare, simulate_chunk
from computemarket.scenarios.schema import load_scenario

RUNS = np.arange(32)
DATE = quarters_since_start("2027Q1")


def market_at(quarter, **settings):
    pairs = {name if "." in name else f"clouds.{name}": value for name, value in settings.items()}
    market = assemble(load_scenario("baseline").with_settings(pairs), np.arange(4), frozenset())
    while market.quarter < quarter:
        market.step()
    return market


def test_orders_are_whole_projects_and_money_for_less_is_kept():
    stake = {"custom_silicon.unit_stake_usd": 5e8}
    market = market_at(FIRST + 4, **stake)
    options, state = market.cast.cloud_options, market.state
    cost = np.take(state.cost_per_h100e_usd, options.clouds, axis=1).copy()
    wished = np.full_like(cost, 0.7e9)
    state.wanted_h100e[:, options.clouds] = wished / cost
    options.saved_usd[:] = 0.4e9
    options.above[:] = 1.0
    options.invest()
    ordered = np.take(state.wanted_h100e, options.clouds, axis=1) * cost
    assert ordered / 5e8 == pytest.approx(np.rint(ordered / 5e8))
    most = market.value("clouds.most_ahead")[:, None]
    total = 0.4e9 + 0.7e9 * np.minimum(options.above, most)
    assert ordered + options.saved_usd == pytest.approx(total)
    assert (options.saved_usd < 5e8).all()


def test_a_cloud_that_wishes_nothing_gives_its_money_back():
    market = market_at(FIRST + 4)
    options = market.cast.cloud_options
    options.saved_usd[:] = 0.4e9
    market.state.wanted_h100e[:, options.clouds] = 0.0
    options.invest()
    assert (options.saved_usd == 0).all()
    assert (options.projects == 0).all()


def test_a_small_cloud_builds_in_some_quarters_only():
    found = simulate_chunk(prepare("baseline", seed=1), RUNS)
    projects = found.array("cloud_projects_begun")[:, FIRST : FIRST + 8]
    assert (projects == np.floor(projects)).all()
    assert 0.1 < (projects[:, :, 1] == 0).mean() < 0.9


def test_the_hurdle_is_that_of_the_textbook_for_the_swings_seen():
    market = market_at(FIRST + 2, **{"custom_silicon.believed_shock_rate": 0, "custom_silicon.shock_rate": 0})
    options = market.cast.cloud_options
    options.variance[:] = 0.04
    yearly = 4 * 0.04 * market.value("clouds.swing_weight")
    rate = np.take(market.state.loan_rate_per_year, options.clouds, axis=1)
    expected = investment_hurdle(np.sqrt(yearly)[:, None], rate, market.value("clouds.payout")[:, None])
    assert options._hurdle() == pytest.approx(expected)


def test_shocks_that_came_raise_the_hurdle():
    market = market_at(FIRST + 8, **{"custom_silicon.shock_rate": 0, "custom_silicon.kept_gpu": 0.6})
    options = market.cast.cloud_options
    calm = options._hurdle()
    market.state.architecture_shocks[:] = 3.0
    assert (options._hurdle() > calm).all()


def test_in_the_first_quarter_nothing_is_put_off():
    options = market_at(FIRST + 1).cast.cloud_options
    assert options.above == pytest.approx(1.0)


@pytest.fixture(scope="module")
def compared():
    return [simulate_chunk(prepare(name, seed=1), RUNS) for name in ("baseline", "clouds_wait")]


def test_clouds_that_bear_more_risk_build_less(compared):
    above = [found.array("cloud_projects_above_hurdle")[:, -12:].mean(axis=(1, 2)) for found in compared]
    assert (above[1] < above[0]).all()
    panels = [panels_from_recorder(found, "", RUNS.tolist()) for found in compared]
    for name, sign in (
        ("world_compute_stock", -1),
        ("nvidia_revenue_share", -1),
        ("custom_compute_share", +1),
    ):
        before, after = (measure(name).at(panel, "2030") for panel in panels)
        agreeing = int((np.sign(after - before) == sign).sum())  # the sign test, at 1% (Dixon and Mood 1946)
        assert sum(comb(len(RUNS), k) for k in range(agreeing, len(RUNS) + 1)) / 2 ** len(RUNS) < 0.01, name
    for variable in compared[0].series:
        one, other = (np.ascontiguousarray(found.array(variable)[:, :DATE]) for found in compared)
        assert one.tobytes() == other.tobytes(), variable


def test_clouds_wait_in_some_runs_and_hurry_in_others(compared):
    above = compared[0].array("cloud_projects_above_hurdle")[:, FIRST + 8 :]
    assert (above < 0.9).mean() > 0.1
    assert (above > 1.1).mean() > 0.1
