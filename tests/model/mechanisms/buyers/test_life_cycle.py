"""Life cycle, segments and concentration."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from computemarket.model.mechanisms.buyers.life_cycle import herfindahl, logistic_shift


def test_a_logistic_shift_is_half_way_at_its_midpoint_and_12_to_88_percent_over_its_span():
    got = logistic_shift(np.array([2.0, 10.0, 18.0]), 0.0, 1.0, 10.0, 16.0)
    np.testing.assert_allclose(got, [0.1192, 0.5, 0.8808], atol=1e-4)
    assert logistic_shift(np.arange(4.0), np.zeros(3), np.ones(3), 1.0, 4.0).shape == (3, 4)
    assert logistic_shift(2.0, np.zeros(3), 1.0, 1.0, 4.0).shape == (3,)


@given(arrays(np.float64, (2, 5), elements=st.floats(0.01, 1e6)))
def test_concentration_lies_between_equal_and_single(amount):
    got = herfindahl(amount)
    assert (got >= 0.2 - 1e-12).all()
    assert (got <= 1 + 1e-12).all()
    np.testing.assert_allclose(herfindahl(amount * 7), got)


def test_concentration_by_hand():
    np.testing.assert_allclose(herfindahl(np.array([[5.0, 5.0], [1.0, 0.0], [0.0, 0.0]])), [0.5, 1.0, 0.0])
