"""The one-screen summary: it fits the screen, says what is missing, and shows the numbers it should."""

import numpy as np
import pytest

from computemarket.analysis.results.series import panels_from_arrays
from computemarket.analysis.results.summary import CELL_WIDTH, show, show_band, summary_lines

QUARTERS = tuple(f"{year}Q{quarter}" for year in range(2022, 2033) for quarter in range(1, 5))


def lines(series, quarters=QUARTERS):
    return [line.plain for line in summary_lines(panels_from_arrays(quarters, series, "baseline"))]


def test_the_summary_fits_a_screen_of_45_lines_and_100_columns():
    shown = lines({("data_center_revenue_usd", "nvidia", "", ""): np.full((5, 44), 123.456e9)})
    assert len(shown) <= 45
    assert max(len(line) for line in shown) <= 100


def test_a_year_shows_the_median_and_below_it_the_band():
    runs = np.linspace(1.0, 3.0, 11)[:, None] * np.full((1, 44), 10e9)
    shown = lines({("data_center_revenue_usd", "nvidia", "", ""): runs})
    row = next(place for place, line in enumerate(shown) if line.startswith("Nvidia data-centre revenue"))
    assert shown[row].split()[-1] == "80"
    assert shown[row + 1].split()[-1] == "48-112"


def test_what_is_not_simulated_is_a_dash():
    shown = lines({("data_center_revenue_usd", "nvidia", "", ""): np.ones((2, 44))})
    row = next(line for line in shown if line.startswith("Nvidia gross margin"))
    assert row.split()[-1] == "–"


def test_a_shorter_simulation_shows_its_whole_years_only():
    shown = lines({("data_center_revenue_usd", "nvidia", "", ""): np.ones((2, 11))}, QUARTERS[:11])
    assert shown[1].split() == ["2022", "2023"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (0.234, "0.23"),
        (9.5, "9.5"),
        (12.0, "12"),
        (47.53, "47.5"),
        (1234.0, "1234"),
        (45600.0, "46k"),
        (2.5e6, "2.5m"),
        (999_999.0, "1.0m"),
        (float("nan"), "–"),
    ],
)
def test_numbers_are_short(value, text):
    assert show(value) == text


@pytest.mark.parametrize("size", [0.01, 0.5, 3.0, 22.0, 480.0, 7300.0, 88_000.0, 3e6, 4e8])
def test_a_band_fits_its_cell(size):
    assert len(show_band(np.array([0.71 * size, size, 1.37 * size]))) < CELL_WIDTH
