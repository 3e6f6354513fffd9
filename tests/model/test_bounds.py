"""Quantities stay in their ranges in every quarter, in hard times too."""

import numpy as np
import pytest

from computemarket.agents.operators.fleet_use import available
from computemarket.analysis.results.series import panels_from_recorder
from computemarket.model.core.calendar import quarters_since_start
from computemarket.scenarios.assembly import assemble
from computemarket.scenarios.batches.ensemble import prepare

LAST = quarters_since_start("2030Q4")
SOME = np.arange(16)
HARD = {  # many clouds fail, racks fail less and less, small vendors sell next to nothing
    "finance.least_cover": 3.0, "finance.default_patience_quarters": 1, "finance.contract_news_sd": 0.5,
    "hours.stranded_share": 1.0, "hours.stranded_learning": 0.5, "hours.availability": 0.99,
}  # fmt: skip


@pytest.fixture(scope="module")
def extremes():
    """Return the least and largest value of some quantities over all quarters."""
    market = assemble(prepare("baseline", seed=1).with_settings(HARD), SOME, frozenset(["gross_margin"]))
    failed, least_mw, most_up = 0.0, np.inf, 0.0
    while market.quarter <= LAST:
        up = market.value("hours.availability")
        market.step()
        failed += market.state.defaulted.sum()
        least_mw = min(least_mw, market.state.power_used_mw.min())
        most_up = max(most_up, (up * market.state.availability_factor).max())
    margins = panels_from_recorder(market.recorder, "baseline", SOME.tolist()).block("gross_margin").values
    return {"failed": failed, "least_mw": least_mw, "most_up": most_up, "margins": margins}


def test_a_failed_cloud_hands_over_no_more_power_than_it_draws(extremes):
    assert extremes["failed"] > 0
    assert extremes["least_mw"] >= 0


def test_nothing_works_more_than_all_the_time(extremes):
    assert extremes["most_up"] <= 1.0 + 1e-12
    less = available(np.array([0.97]), np.array([0.9]), np.array([0.8]))
    assert less == pytest.approx(0.985)  # half as often down
    few = available(np.array([0.97]), np.array([1.0]), np.array([0.8]))
    assert few == 1.0  # a fleet that never fails is always up
    assert available(np.array([0.97]), np.array([0.6]), np.array([0.8])) == pytest.approx(
        0.97 * 0.75
    )  # twice as often down


def test_margins_are_said_of_sales_that_cover_what_is_scrapped(extremes):
    margins = extremes["margins"]
    assert np.nanmax(margins) <= 1.0
    assert np.nanmin(margins) > -1.5  # cost of goods at most, and scrap up to the sales themselves
