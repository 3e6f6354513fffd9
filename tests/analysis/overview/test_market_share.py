"""The market-share figure: shares that add up, the record where it belongs, labels that do not overlap."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from computemarket.analysis.overview.market_share import (
    COMPUTE,
    GROUPS,
    REVENUE,
    draw_market_share,
    group_shares,
    recorded_compute_shares,
    recorded_revenue_shares,
)
from computemarket.analysis.record.history import read_history
from computemarket.analysis.results.series import panels_from_arrays
from computemarket.analysis.style import COLOURS, colour, spread_labels

QUARTERS = ("2024Q1", "2024Q2", "2024Q3", "2024Q4")
ENTITIES = {
    REVENUE: ("nvidia", "amd", "broadcom", "huawei", "cerebras"),
    COMPUTE: ("nvidia", "amd", "google", "huawei", "cerebras"),
}


def market(amounts, variables=(REVENUE, COMPUTE)):
    """Return a market of one run in which each group sells the same amount every quarter."""
    return panels_from_arrays(
        QUARTERS,
        {
            (variable, entity, "us", ""): np.full((1, 4), float(amount))
            for variable in variables
            for entity, amount in zip(ENTITIES[variable], amounts, strict=True)
        },
    )


@given(st.lists(st.integers(0, 100), min_size=5, max_size=5).filter(any))
def test_the_shares_of_the_groups_add_up_to_the_whole(amounts):
    for variable in (REVENUE, COMPUTE):
        shares = group_shares(market(amounts), variable)
        assert list(shares) == list(GROUPS)
        np.testing.assert_allclose(sum(shares.values()), 100.0)


def test_custom_silicon_is_its_partners_revenue_and_its_designers_compute():
    shares = group_shares(market([60, 10, 20, 5, 5]), REVENUE)
    assert shares["custom_silicon"][0, 0] == pytest.approx(20.0)
    assert group_shares(market([60, 10, 20, 5, 5]), COMPUTE)["custom_silicon"][0, 0] == pytest.approx(20.0)


def test_the_record_of_compute_is_hollow_before_all_designers_are_counted():
    points = recorded_compute_shares(read_history())
    by_time = {time: (share, complete) for time, share, complete in points["nvidia"]}
    share, complete = by_time[2024.875]
    assert complete
    assert share == pytest.approx(100 * 1236793 / (1236793 + 284165 + 205340 + 147942 + 45028 + 5447))
    assert not by_time[2023.125][1]


def test_the_record_of_revenue_is_complete_only_with_all_five_groups():
    points = {
        group: {t: c for t, _, c in marks} for group, marks in recorded_revenue_shares(read_history()).items()
    }
    assert points["nvidia"][2024.5]
    assert not points["nvidia"][2023.5]
    assert 2022.5 not in points["nvidia"]


def test_the_figure_is_drawn_at_slide_size_with_shares_missing_or_not(tmp_path):
    from matplotlib.image import imread

    for name, variables in (("both", (REVENUE, COMPUTE)), ("one", (REVENUE,))):
        path = tmp_path / f"{name}.png"
        draw_market_share(market([60, 10, 20, 5, 5], variables), path)
        height, width, _ = imread(path).shape
        assert (width, height) == (1995, 1125)


def test_every_group_has_a_colour_of_its_own_and_a_stranger_is_grey():
    assert len({COLOURS[group] for group in GROUPS}) == len(GROUPS)
    assert colour("nobody") == COLOURS["other_merchant"]


@given(st.lists(st.floats(0, 100), min_size=1, max_size=8))
def test_labels_keep_their_distance_and_their_order(heights):
    placed = spread_labels(heights, 5.0, 1.0, 99.0)
    pairs = sorted(zip(heights, placed, strict=True), key=lambda pair: pair[1])
    gaps = np.diff([after for _, after in pairs])
    assert (gaps >= 5.0 - 1e-9).all()
    assert all(a[0] <= b[0] + 1e-9 for a, b in pairwise(pairs))
    assert min(placed) >= 1.0 - 1e-9
    assert max(placed) <= 99.0 + 1e-9
