"""Software maturity by age, and what open engines pass on."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from computemarket.model.hardware.specs.chips import chip_table
from computemarket.model.hardware.specs.maturity import (
    learning_rates,
    maturity_table,
    software_maturity,
    stack_learning_rates,
    stack_speeds,
)


def test_at_the_reference_age_the_factor_is_one():
    assert software_maturity(np.array(6.0), 3.0, 0.3, 6.0) == 1.0


def test_over_its_life_software_gains_the_whole_factor():
    young, old = software_maturity(np.array([0.0, 200.0]), 3.0, 0.3, 6.0)
    assert old / young == pytest.approx(3.0)


def test_launch_by_hand():
    # m(0) = 1/3; m(6) = 1/(1 + 2 exp(-1.8)) = 0.75155
    assert software_maturity(np.array(0.0), 3.0, 0.3, 6.0) == pytest.approx(1 / 3 / 0.75155, rel=1e-4)


def test_without_gain_age_does_not_matter():
    assert software_maturity(np.arange(5.0), 1.0, 0.3, 6.0).tolist() == [1.0] * 5


def test_before_launch_there_is_nothing():
    assert software_maturity(np.array([-1.0]), 3.0, 0.3, 6.0)[0] == 0.0


@given(age=st.floats(0.0, 40.0), gain=st.floats(1.0, 7.0), rate=st.floats(0.05, 1.0))
def test_software_never_gets_worse(age, gain, rate):
    now, later = software_maturity(np.array([age, age + 1.0]), gain, rate, 6.0)
    assert later >= now > 0.0


def test_open_engines_lift_those_behind_and_not_the_leader():
    own = np.array([0.3, 0.1])
    assert learning_rates(own, 0.3, 0.5).tolist() == pytest.approx([0.3, 0.2])
    assert learning_rates(own, 0.3, 0.5, np.array([1.0, 0.0])).tolist() == pytest.approx([0.3, 0.1])


def test_the_table_counts_from_each_products_launch():
    table = maturity_table(np.array([-6, 2]), 4, 3.0, 0.3, 6.0)
    assert table[0, 0] == 1.0
    assert (table[1, :2] == 0.0).all()
    assert table[1, 2] == software_maturity(np.array(0.0), 3.0, 0.3, 6.0)


def test_the_leading_stack_learns_at_the_parameters_rate_and_closed_stacks_slower_than_open_ones():
    nvidia, amd, groq, unknown = stack_learning_rates(["nvidia", "amd", "groq", "somebody"])
    assert nvidia == pytest.approx(0.3)
    assert nvidia > amd > groq > unknown > 0.0


def test_every_stack_of_the_chips_has_a_speed_of_learning():
    others = {"intel_cpu", "other"}  # processors of measured points, not sold in the market
    assert set(chip_table().stacks) - others <= set(stack_speeds())
