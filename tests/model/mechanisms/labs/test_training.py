"""What labs spend on training."""

import numpy as np
import pytest

from computemarket.model.mechanisms.labs.training import training_budget_usd


def budget(profit_usd, scale=0.9):
    return training_budget_usd(np.array([profit_usd]), np.array([10.0]), np.array([0.2]), np.array([scale]))[
        0
    ]


def test_a_budget_by_hand():
    assert budget(10.0) == pytest.approx(2.0)
    assert budget(1000.0, scale=0.5) == pytest.approx(20.0)


def test_research_grows_less_than_what_it_earns():
    assert budget(10.0) < budget(100.0) < 10 * budget(10.0)
    assert budget(100.0, scale=1.0) == pytest.approx(10 * budget(10.0))
