"""Inputs of accelerators and power."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from computemarket.model.mechanisms.supply import advance_pipeline, learned_yield, moves_foundry


def test_a_pipeline_by_hand():
    arrived, later = advance_pipeline(np.array([[1.0, 2.0, 3.0]]), np.array([10.0]), 2.5)
    np.testing.assert_array_equal(arrived, [1.0])
    np.testing.assert_allclose(later, [[2.0, 8.0, 5.0]])


@given(arrays(np.float64, (2, 5), elements=st.floats(0, 1e6)), st.floats(0, 1e6), st.floats(1, 12))
def test_a_pipeline_loses_nothing(pipeline, started, lag):
    arrived, later = advance_pipeline(pipeline, np.full(2, started), lag)
    np.testing.assert_allclose(arrived + later.sum(axis=-1), pipeline.sum(axis=-1) + started)


def test_yield_climbs_from_its_start_to_its_ceiling():
    got = learned_yield(0.7, 0.9, np.array([0.0, 1e5, 1e9]), 1e5)
    np.testing.assert_allclose(got, [0.7, 0.9 - 0.2 / np.e, 0.9])


def test_a_design_moves_when_the_saving_pays_for_it():
    np.testing.assert_allclose(moves_foundry(np.array([1e7, 3e7]), 10.0, 2e8), [-1e8, 1e8])
