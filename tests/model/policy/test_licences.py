"""Licences: the chance of approval and the time it takes."""

import numpy as np
import pytest

from computemarket.model.policy.trade.licences import (
    approval_probability,
    review_delay_quarters,
)


def test_approval_falls_towards_the_frontier():
    tpp = np.array([[2000.0, 9000.0, 36000.0]])
    chance = approval_probability(0.8, tpp, np.array([36000.0]), 0.25, 2.0)
    assert chance[0, 1] == pytest.approx(0.4)
    assert chance[0, 0] > chance[0, 1] > chance[0, 2]


def test_review_by_congress_adds_delay():
    assert review_delay_quarters(180.0, 30.0) == pytest.approx(210 / 91.3125)
