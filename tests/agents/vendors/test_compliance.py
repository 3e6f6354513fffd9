"""Export rules by the vendors' quarter, and deliveries on open days alone."""

import numpy as np
import pytest

from computemarket.model.core.calendar import quarter_index
from computemarket.model.markets.accelerators import hold_back
from computemarket.model.policy.regimes.metrics import chip_metrics
from computemarket.model.policy.regimes.regime import LICENCE_DENIAL, NONE
from computemarket.model.policy.regimes.regime_files import shipped_regimes
from computemarket.model.policy.trade.access import access_status
from computemarket.scenarios.assembly import assemble
from computemarket.scenarios.batches.ensemble import prepare, simulate_chunk
from computemarket.scenarios.schema import load_scenario

A800 = chip_metrics(*(np.array([x]) for x in (4992.0, 6.04, 2039.0, 464.0, 1.0)))


def shares(quarter, close_days):
    found = access_status(shipped_regimes(), A800, ("china",), quarter_index(quarter), close_days=close_days)
    return found.share[0, 0, 0]


def test_a_quarter_that_closes_later_sees_a_rule_of_its_first_days_in_the_quarter_before():
    # told on 23 October 2023: 22 of the calendar quarter's 92 days are free, none of the vendor's
    assert shares("2023Q4", 0)[NONE] == pytest.approx(22 / 92)
    assert shares("2023Q4", 27)[LICENCE_DENIAL] == pytest.approx(1.0)
    assert shares("2023Q3", 27)[NONE] == pytest.approx(87 / 92)  # 28 July to 27 October, free to the 22nd


@pytest.fixture
def market():
    return assemble(load_scenario("baseline"), np.arange(2), frozenset())


def delivered_after_holding_back(market, open_share):
    state, limited = market.state, market.state.restricted_holders
    product = market.world.products.ids.index("nvidia_h20")
    state.inventory_units[:, product] = 100.0
    state.open_share[:, limited, product] = open_share
    delivered = np.zeros_like(state.backlog_units)
    delivered[:, limited[0], product] = 80.0
    hold_back(market, delivered)
    return delivered[:, limited[0], product]


def test_no_more_is_shipped_than_is_finished_on_open_days(market):
    assert delivered_after_holding_back(market, 0.25) == pytest.approx(25.0)


def test_what_is_open_all_quarter_is_not_held_back(market):
    assert delivered_after_holding_back(market, 1.0) == pytest.approx(80.0)
    assert delivered_after_holding_back(market, 0.0) == pytest.approx(0.0)


def test_runs_that_close_their_books_on_other_days_are_what_they_are_alone():
    asked = prepare("baseline", until="2024Q1").with_settings(
        {"policy.vendor_close_days": {"uniform": [0.0, 60.0]}}
    )
    together, alone = (simulate_chunk(asked, np.array(runs)) for runs in ([0, 1, 2], [1]))
    for name in together.series:
        assert together.array(name)[1:2].tobytes() == alone.array(name).tobytes(), name
