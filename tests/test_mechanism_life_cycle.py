"""Life cycle, segments and concentration."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from computemarket.model.mechanisms.life_cycle import (
    SEGMENTS,
    entry_and_exit,
    herfindahl,
    logistic_shift,
    logistic_through,
    process_share,
    segment_of_demand,
    segment_shares,
    sovereign_price,
)


def test_a_logistic_shift_is_half_way_at_its_midpoint_and_12_to_88_percent_over_its_span():
    got = logistic_shift(np.array([2.0, 10.0, 18.0]), 0.0, 1.0, 10.0, 16.0)
    np.testing.assert_allclose(got, [0.1192, 0.5, 0.8808], atol=1e-4)
    assert logistic_shift(np.arange(4.0), np.zeros(3), np.ones(3), 1.0, 4.0).shape == (3, 4)
    assert logistic_shift(2.0, np.zeros(3), 1.0, 1.0, 4.0).shape == (3,)


def test_inference_goes_from_six_tenths_to_85_percent_in_six_years():
    np.testing.assert_allclose(logistic_through(np.array([0.0, 24.0]), 0.6, 0.85, 24.0), [0.6, 0.85])
    path = logistic_through(np.arange(100.0), np.array([0.6]), 0.85, 24.0)
    assert (np.diff(path) > 0).all()
    assert path.max() < 1.0


@given(arrays(np.float64, (2, 5), elements=st.floats(0.01, 1e6)))
def test_concentration_lies_between_equal_and_single(amount):
    got = herfindahl(amount)
    assert (got >= 0.2 - 1e-12).all()
    assert (got <= 1 + 1e-12).all()
    np.testing.assert_allclose(herfindahl(amount * 7), got)


def test_concentration_by_hand():
    np.testing.assert_allclose(herfindahl(np.array([[5.0, 5.0], [1.0, 0.0], [0.0, 0.0]])), [0.5, 1.0, 0.0])


def test_segments_shift_to_what_grows():
    base = np.array([[0.2, 0.3, 0.3, 0.2]])
    later = segment_shares(base, np.array([0.0, 0.05, 0.02, -0.02]), 12.0)
    assert later.sum() == pytest.approx(1.0)
    assert later[0, 1] > 0.3
    assert later[0, 3] < 0.2
    np.testing.assert_allclose(segment_shares(base, np.zeros(4), 12.0), base)


def test_each_workload_is_in_one_segment():
    speed, context = np.array([20.0, 300.0, 300.0, 20.0]), np.array([4e3, 4e3, 4e5, 4e5])
    waiting = np.array([False, False, False, True])
    members = segment_of_demand(speed, context, waiting, 100.0, 1e5)
    np.testing.assert_array_equal(members, np.eye(len(SEGMENTS)))


def test_mature_industries_turn_to_processes():
    got = process_share(np.array([0.0, 5.0, 20.0]), 5.0, 1.0)
    assert got[0] < 0.01
    assert got[1] == 0.5
    assert got[2] > 0.99


def test_entry_and_exit_by_hand():
    entrants, exits = entry_and_exit(
        np.full(3, 10.0), np.array([0.5, 0.5, -0.1]), np.array([0.0, 0.6, 1.0]), 4.0, 0.5
    )
    np.testing.assert_allclose(entrants, [2.0, 0.8, 0.0])
    np.testing.assert_allclose(exits, [0.0, 0.5, 5.0])


def test_entry_comes_first_and_a_shake_out_follows():
    firms, path = np.array([5.0]), []
    for quarter in range(120):
        advantage = process_share(np.array([quarter / 4.0]), 12.0, 0.5)
        entrants, exits = entry_and_exit(firms, 0.5 * (1 - advantage), advantage, 4.0, 0.1)
        firms = firms + entrants - exits
        path.append(firms[0])
    peak = int(np.argmax(path))
    assert 10 < peak < 100
    assert path[peak] > 3 * path[0]
    assert path[-1] < 0.5 * path[peak]
    assert min(path) > 0


def test_sovereigns_prefer_what_is_made_at_home():
    got = sovereign_price(np.full((1, 2), 100.0), np.array([True, False]), 0.2, 0.5, 0.3)
    np.testing.assert_allclose(got, [[80.0, 115.0]])
