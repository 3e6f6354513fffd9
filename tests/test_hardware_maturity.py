"""Software maturity by age, spillover of open engines, and Wright's law."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from computemarket.model.hardware.maturity import (
    learning_rates,
    maturity_table,
    software_maturity,
    wright_cost,
)


def test_maturity_is_one_at_the_age_of_the_measured_points() -> None:
    assert software_maturity(np.array(4.0), 3.0, 0.3, 4.0) == pytest.approx(1.0)


def test_software_multiplies_the_throughput_of_the_launch_day_by_its_gain() -> None:
    first, last = software_maturity(np.array([0.0, 400.0]), 3.0, 0.3, 4.0)
    assert last / first == pytest.approx(3.0)


def test_a_gain_of_one_changes_nothing() -> None:
    assert software_maturity(np.arange(20.0), 1.0, 0.3, 4.0).tolist() == [1.0] * 20


def test_what_is_not_launched_yields_nothing() -> None:
    table = maturity_table(np.array([-3, 2]), 4, 3.0, 0.3, 4.0)
    assert table.shape == (2, 4)
    assert table[1, :2].tolist() == [0.0, 0.0]
    assert (table[0] > 0).all()
    assert table[1, 2] == pytest.approx(software_maturity(np.array(0.0), 3.0, 0.3, 4.0))


@given(st.floats(0, 40), st.floats(0.1, 10), st.floats(1, 10), st.floats(0.01, 1))
def test_software_never_gets_worse_with_age(age: float, older: float, gain: float, rate: float) -> None:
    young, old = software_maturity(np.array([age, age + older]), gain, rate, 4.0)
    assert old >= young


def test_open_engines_pass_a_share_of_the_lead_on() -> None:
    rates = learning_rates(np.array([0.1, 0.3, 0.5]), 0.3, 0.5)
    assert rates.tolist() == pytest.approx([0.2, 0.3, 0.5])


def test_closed_engines_pass_nothing_on() -> None:
    assert learning_rates(np.array([0.1]), 0.3, 0.5, 0.0).tolist() == [0.1]


def test_each_doubling_of_output_lowers_cost_by_the_learning_rate() -> None:
    assert wright_cost(np.array(100.0), np.array([1.0, 2.0, 4.0]), np.array(1.0), 0.15) == pytest.approx(
        [100.0, 85.0, 72.25]
    )
