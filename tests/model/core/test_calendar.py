"""Quarters: how they are written, counted and refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from computemarket.errors import InputError
from computemarket.model.core.calendar import QUARTERS, quarter_index, quarter_of_month, quarters_since_start


def test_the_calendar_runs_from_2022q1_to_2032q4():
    assert (QUARTERS[0], QUARTERS[-1], len(QUARTERS)) == ("2022Q1", "2032Q4", 44)


@given(st.sampled_from(QUARTERS))
def test_a_quarter_is_found_at_its_place(label):
    assert QUARTERS[quarter_index(label)] == label
    assert quarters_since_start(label) == quarter_index(label)


@pytest.mark.parametrize(
    "label", ["2031Q9", "2033Q1", "2021Q4", "2025", "2025q1", "25Q1", "", " 2025Q1", 2025, None]
)
def test_what_is_not_a_quarter_of_the_calendar_is_refused(label):
    with pytest.raises(InputError, match="written like 2024Q1"):
        quarter_index(label)


def test_quarters_before_the_start_are_negative():
    assert quarters_since_start("2020Q4") == -5
    with pytest.raises(InputError):
        quarters_since_start("soon")


@pytest.mark.parametrize(
    ("month", "index"), [("2022-01", 0), ("2022-03-31", 0), ("2022-04", 1), ("2021-12", -1)]
)
def test_a_date_falls_into_its_quarter(month, index):
    assert quarter_of_month(month) == index
