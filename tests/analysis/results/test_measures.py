"""Measures: periods, ratios of sums, records that take up an entity later, and bands over runs."""

import numpy as np
import pytest

from computemarket.analysis.results.measures import (
    band_over_runs,
    load_groups,
    load_measures,
    places_of,
    ratio,
    read_measure,
)
from computemarket.analysis.results.series import NotSimulatedError, panels_from_arrays
from computemarket.errors import InputError

QUARTERS = tuple(f"{year}Q{quarter}" for year in (2023, 2024) for quarter in range(1, 5))


def panels(**series):
    """Panels of one run: entity -> eight quarters of the variable `v`."""
    return panels_from_arrays(
        QUARTERS,
        {("v", entity, "", ""): np.array([values], dtype=float) for entity, values in series.items()},
    )


def test_a_period_is_a_year_a_half_or_a_quarter():
    assert places_of("2024", QUARTERS) == slice(4, 8)
    assert places_of("2023H2", QUARTERS) == slice(2, 4)
    assert places_of("2024Q3", QUARTERS) == slice(6, 7)
    with pytest.raises(NotSimulatedError):
        places_of("2025", QUARTERS)
    with pytest.raises(InputError):
        places_of("24Q1", QUARTERS)


def test_a_year_sums_flows_averages_rates_and_ends_with_stocks():
    world = panels(a=[1, 2, 3, 4, 5, 6, 7, 8])
    numerator = {"variable": "v", "entity": "a"}
    found = {
        aggregate: read_measure("m", {"numerator": numerator, "aggregate": aggregate}).at(world, "2024")[0]
        for aggregate in ("sum", "mean", "end")
    }
    assert found == {"sum": 26.0, "mean": 6.5, "end": 8.0}


def test_a_share_of_a_year_is_the_ratio_of_sums_not_the_mean_of_ratios():
    world = panels(a=[1, 1, 1, 1, 0, 0, 0, 9], b=[0, 0, 0, 0, 1, 1, 1, 0])
    share = read_measure(
        "m", {"scale": 100.0, "numerator": {"variable": "v", "entity": "a"}, "denominator": {"variable": "v"}}
    )
    assert share.at(world, "2024")[0] == 75.0


def test_a_late_entity_counts_from_its_quarter_flows_and_stocks_alike():
    late = {"variable": "v", "entity": ["a", "b"], "entering": {"b": "2024Q1"}}
    flow = read_measure("flow", {"numerator": late})
    stock = read_measure("stock", {"numerator": late, "aggregate": "end"})
    world = panels(a=[1, 2, 3, 4, 5, 6, 7, 8], b=[10, 20, 30, 40, 50, 60, 70, 80])
    assert flow.at(world, "2023")[0] == 10.0
    assert flow.at(world, "2024")[0] == 26.0 + 260.0
    assert stock.at(world, "2023")[0] == 4.0
    assert stock.at(world, "2024")[0] == 8.0 + (80.0 - 40.0)


def test_a_flow_adds_up_from_the_quarter_it_is_counted():
    counted = read_measure(
        "m", {"numerator": {"variable": "v"}, "aggregate": "end", "cumulative_from": "2023Q3"}
    )
    assert counted.at(panels(a=[1] * 8), "2024Q1")[0] == 3.0


def test_a_ratio_with_nothing_below_is_unknown():
    assert np.isnan(ratio(np.ones(1), np.zeros(1)))[0]


def test_the_band_over_runs_orders_and_leaves_unknown_runs_out():
    values = np.append(np.arange(11.0), np.nan)[:, None]
    assert band_over_runs(values)[:, 0].tolist() == [1.0, 5.0, 9.0]
    mostly_unknown = np.array([1.0, np.nan, np.nan])[:, None]
    assert np.isnan(band_over_runs(mostly_unknown)).all()


def test_every_shipped_measure_is_well_formed_and_its_groups_exist():
    measures = load_measures()
    assert len(measures) > 40
    assert all(measure.variables for measure in measures.values())
    assert "nvidia" not in load_groups()["own_silicon"]


@pytest.mark.parametrize(
    "table",
    [
        {"numerator": {"variable": "v"}, "aggregat": "sum"},
        {"numerator": {"variable": "v"}, "aggregate": "median"},
        {"numerator": {"variable": "v", "entities": "a"}},
        {"numerator": {"variable": "v", "entity": "@nobody"}},
    ],
)
def test_a_misspelt_measure_is_refused(table):
    with pytest.raises(InputError):
        read_measure("m", table)
