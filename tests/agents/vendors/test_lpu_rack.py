"""LPUs beside GPUs come to work or fail: when it is known, and what the market makes of it."""

import numpy as np
import pytest

from computemarket.analysis.results.measures import measure
from computemarket.analysis.results.series import panels_from_recorder
from computemarket.model.core.calendar import quarters_since_start
from computemarket.scenarios.assembly import assemble
from computemarket.scenarios.batches.ensemble import prepare, simulate_chunk
from computemarket.scenarios.schema import load_scenario

RUNS = np.arange(8)
LAUNCH = quarters_since_start("2026Q3")
PLAIN = {
    "custom_silicon.shock_rate": 0,
    "hardware.integration_start": 0.6,
    "hardware.integration_per_quarter": 0.1,
    "lpu_rack.failed_share": 0.3,
    "lpu_rack.orders_kept": 0.2,
    "lpu_rack.trial_quarters": 2,
}


def market_at(quarter, **settings):
    pairs = PLAIN | {f"lpu_rack.{key}": value for key, value in settings.items()}
    market = assemble(load_scenario("baseline").with_settings(pairs), np.arange(4), frozenset())
    while market.quarter < quarter:
        market.step()
    return market


def first_work_share(market):
    place = market.cast.leader.racks.products[0]
    return market.state.work[:, place] / market.nominal_work[:, place]


def test_a_failure_shows_when_the_trial_is_over_and_leaves_the_failed_share():
    trusted = market_at(LAUNCH + 2, failure_chance=1)
    assert first_work_share(trusted) == pytest.approx(1.0)
    trusted.step()
    assert first_work_share(trusted) == pytest.approx(0.3)


def test_waiting_orders_are_withdrawn_where_the_rack_fails():
    market = market_at(LAUNCH + 2, failure_chance=1)
    racks = market.cast.leader.racks
    place = racks.products[0]
    before = market.state.backlog_units[:, :, place].copy()
    assert before.sum() > 0
    racks.launch()
    assert market.state.backlog_units[:, :, place] == pytest.approx(0.2 * before)


def test_a_rack_that_works_does_what_was_planned():
    market = market_at(LAUNCH + 4, failure_chance=0, repeat_chance=1)
    assert first_work_share(market) == pytest.approx(1.0)
    assert not market.cast.leader.racks.failed.any()


def test_software_that_starts_riper_lets_the_rack_do_more_until_both_are_ripe():
    settings = PLAIN | {"hardware.integration_start": 0.9, "lpu_rack.failure_chance": 0}
    market = assemble(load_scenario("baseline").with_settings(settings), np.arange(2), frozenset())
    while market.quarter <= LAUNCH:
        market.step()
    assert first_work_share(market) == pytest.approx(0.9 / 0.6)
    while market.quarter <= LAUNCH + 4:
        market.step()
    assert first_work_share(market) == pytest.approx(1.0)


@pytest.fixture(scope="module")
def compared():
    return [simulate_chunk(prepare(name, seed=1), RUNS) for name in ("baseline", "lpu_rack_fails")]


def test_the_scenario_makes_fast_tokens_dear_and_moves_orders_and_nothing_before_its_date(compared):
    panels = [panels_from_recorder(found, "", RUNS.tolist()) for found in compared]
    for name, sign, year in (
        ("token_price_ultra", +1, "2030"),
        ("amd_revenue_share", +1, "2028"),
        ("nvidia_revenue_share", -1, "2028"),
    ):
        before, after = (measure(name).at(panel, year) for panel in panels)
        assert (np.sign(after - before) == sign).mean() >= 0.75, name
    for variable in compared[0].series:
        one, other = (np.ascontiguousarray(found.array(variable)[:, :LAUNCH]) for found in compared)
        assert one.tobytes() == other.tobytes(), variable


def test_lpus_do_a_smaller_part_of_all_work_where_they_fail(compared):
    planned, failed = (found.array("lpu_share_of_work")[:, -12:, 0].mean(axis=1) for found in compared)
    assert (failed <= planned).all()
    assert failed.mean() < 0.3 * planned.mean()
