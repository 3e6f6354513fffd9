"""Streams: a draw depends on seed, name, run and place, and on nothing else."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from computemarket.model.core.calendar import QUARTERS
from computemarket.model.core.randomness import Streams

RUNS = st.lists(st.integers(0, 10**6), min_size=1, max_size=12, unique=True)
SEEDS = st.integers(0, 2**63 - 1)


def streams(seed, runs):
    return Streams(seed, np.array(runs, dtype=np.int64))


@given(SEEDS, RUNS, st.integers(1, 9))
def test_a_run_draws_the_same_alone_and_in_any_company_and_order(seed, runs, width):
    together = streams(seed, runs).uniform("demand", width)
    for place, run in enumerate(runs):
        np.testing.assert_array_equal(together[place], streams(seed, [run]).uniform("demand", width)[0])


@given(SEEDS, RUNS)
def test_uniforms_lie_inside_the_open_interval(seed, runs):
    u = streams(seed, runs).uniform("demand", 7)
    assert ((u > 0.0) & (u < 1.0)).all()
    assert np.isfinite(streams(seed, runs).normal("demand", 7)).all()


def test_a_wider_draw_of_a_stream_belongs_to_every_run_alone():
    # Runs own separate blocks: no number of one run turns up again in the next.
    u = streams(1, range(50)).uniform("demand", 5)
    assert len(np.unique(u)) == u.size


def test_names_and_seeds_make_other_draws():
    one = streams(1, [0]).uniform("demand", 3)
    assert (one != streams(2, [0]).uniform("demand", 3)).all()
    assert (one != streams(1, [0]).uniform("supply", 3)).all()


def test_quarterly_draws_cover_the_calendar_whatever_is_simulated():
    draws = streams(3, [4, 5]).quarterly_normal("belief", 2)
    assert draws.shape == (2, len(QUARTERS), 2)
    assert draws.flags["C_CONTIGUOUS"]


def test_draws_are_uniform_and_independent_over_runs_and_names():
    from scipy import stats

    numbers = np.arange(20_000)
    first, second = (Streams(11, numbers).uniform(name, 1)[:, 0] for name in ("one", "two"))
    assert stats.kstest(first, "uniform").pvalue > 0.01
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.02
    assert abs(np.corrcoef(first[1:], first[:-1])[0, 1]) < 0.02


def test_known_draws_stay_what_they_are():
    # Philox4x64 with the key (seed, crc32 of the name) and the counter of the run: written down so that a change of
    # the scheme, which would change every result, cannot pass unseen.
    known = np.random.Generator(
        np.random.Philox(key=np.array([7, 2363233923], dtype=np.uint64), counter=3)
    ).random(2)
    np.testing.assert_array_equal(streams(7, [3]).uniform("x", 2)[0], known + 2.0**-54)
