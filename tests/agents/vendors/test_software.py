"""What vendors' software lacks is closed by open software and by those who sell."""

import numpy as np
import pytest

from computemarket.agents.vendors.software import close_software_gaps

TERMS = {"chips__software_catch_up": 0.08, "chips__software_learning": 0.2}
A_QUARTER = np.exp(-0.08 / 4)  # what open software alone leaves of a gap


@pytest.fixture
def idle(market_after):
    """Return a market in which nobody sold anything last quarter."""
    market = market_after(6, **TERMS)
    market.state.revenue_usd[:] = 0.0
    return market


def test_open_software_alone_closes_the_gap_of_who_sells_nothing(idle):
    before = idle.state.software_gap.copy()
    close_software_gaps(idle)
    assert (before > 0).any()
    assert idle.state.software_gap == pytest.approx(before * A_QUARTER)


def test_a_doubling_of_own_spending_closes_the_own_gap_and_nobody_elses(idle):
    state, vendor = idle.state, idle.world.vendor("amd")
    before, spent = state.software_gap.copy(), state.software_spent_usd.copy()
    state.revenue_usd[:, vendor] = spent[:, vendor] / idle.world.vendors.rnd_share[vendor]
    close_software_gaps(idle)
    left = state.software_gap / np.where(before > 0, before, 1.0)
    assert left[:, vendor] == pytest.approx(A_QUARTER * 2**-0.2)
    others = (before > 0).all(axis=0) & (np.arange(before.shape[1]) != vendor)
    assert left[:, others] == pytest.approx(A_QUARTER)
    np.testing.assert_allclose(state.software_spent_usd[:, vendor], 2 * spent[:, vendor])


def test_without_learning_gaps_fall_with_the_calendar_alone(market_after):
    market = market_after(9, chips__software_catch_up=0.08, chips__software_learning=0.0)
    first = market.value("chips.software_gap_amd")
    gap = market.state.software_gap[:, market.world.vendor("amd")]
    assert gap == pytest.approx(first * A_QUARTER**8)


def test_a_vendor_that_sells_more_catches_up_in_fewer_years(market_after):
    weak, strong = (market_after(16, **TERMS, chips__software_gap_amd=gap) for gap in (6.0, 3.0))
    vendor = weak.world.vendor("amd")
    left = [
        market.state.software_gap[:, vendor] / market.value("chips.software_gap_amd")
        for market in (weak, strong)
    ]
    assert (left[1] < left[0]).all()
