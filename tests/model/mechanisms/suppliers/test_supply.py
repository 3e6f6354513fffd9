"""Inputs of accelerators and power."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from computemarket.model.mechanisms.suppliers.supply import learned_yield, moves_foundry, next_quarter, put_in


def test_a_pipeline_by_hand():
    arrived, left = next_quarter(np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]))
    put_in(left, np.array([10.0, 20.0]), np.array([2, 9]))  # the second lag is longer than the pipeline
    np.testing.assert_array_equal(arrived, [1.0, 4.0])
    np.testing.assert_array_equal(left, [[2.0, 13.0, 0.0], [5.0, 6.0, 20.0]])


def test_a_pipeline_of_many_holders_keeps_them_apart():
    left = np.zeros((2, 3, 4))
    put_in(left, np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), np.array([1, 4]))
    np.testing.assert_array_equal(left[0, :, 0], [1.0, 2.0, 3.0])
    np.testing.assert_array_equal(left[1, :, 3], [4.0, 5.0, 6.0])
    assert left.sum() == 21.0


@given(arrays(np.float64, (2, 5), elements=st.integers(0, 10**6)), st.integers(0, 10**6), st.integers(1, 12))
def test_a_pipeline_loses_nothing(pipeline, started, lag):
    arrived, left = next_quarter(pipeline)
    put_in(left, np.full(2, float(started)), np.full(2, lag))
    np.testing.assert_array_equal(arrived + left.sum(axis=-1), pipeline.sum(axis=-1) + started)


def test_yield_climbs_from_its_start_to_its_ceiling():
    got = learned_yield(0.7, 0.9, np.array([0.0, 1e5, 1e9]), 1e5)
    np.testing.assert_allclose(got, [0.7, 0.9 - 0.2 / np.e, 0.9])


def test_a_design_moves_when_the_saving_pays_for_it():
    np.testing.assert_allclose(moves_foundry(np.array([1e7, 3e7]), 10.0, 2e8), [-1e8, 1e8])
