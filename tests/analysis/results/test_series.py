"""Results tables as arrays: the right cell for every row, and clear refusals."""

import numpy as np
import pandas as pd
import pytest

from computemarket.analysis.results.series import (
    NotSimulatedError,
    panels_from_arrays,
    panels_from_frame,
    read_panels,
)
from computemarket.errors import InputError

QUARTERS = ("2024Q1", "2024Q2")


def table(rows):
    """Return a results table of (run, quarter, variable, entity, region, detail, value)."""
    frame = pd.DataFrame(rows, columns=["run", "quarter", "variable", "entity", "region", "detail", "value"])
    frame.insert(0, "scenario", "s")
    frame["unit"] = "1"
    return frame


SMALL = table(
    [
        (7, "2024Q2", "units", "nvidia", "us", "h100", 4.0),
        (3, "2024Q1", "units", "nvidia", "us", "h100", 1.0),
        (3, "2024Q2", "units", "nvidia", "china", "h20", 2.0),
        (3, "2024Q1", "units", "amd", "us", "mi300", 8.0),
        (3, "2024Q1", "tokens", "world", "", "free", 5.0),
        (3, "2024Q1", "tokens", "openai", "", "free", 3.0),
        (3, "2024Q1", "price", "", "", "h100", 10.0),
        (3, "2024Q1", "price", "", "", "h20", 20.0),
    ]
)


def test_rows_land_in_their_run_and_quarter_and_missing_rows_count_as_zero():
    panels = panels_from_frame(SMALL)
    assert panels.quarters == QUARTERS
    assert panels.runs == (3, 7)
    np.testing.assert_array_equal(panels.total("units", "nvidia"), [[1.0, 2.0], [0.0, 4.0]])
    np.testing.assert_array_equal(panels.total("units", region="us"), [[9.0, 0.0], [0.0, 4.0]])


def test_a_total_of_the_world_is_no_addend():
    panels = panels_from_frame(SMALL)
    assert panels.total("tokens")[0, 0] == 3.0
    assert panels.total("tokens", "world")[0, 0] == 5.0


def test_a_level_is_the_mean_of_what_is_known_and_unknown_elsewhere():
    level = panels_from_frame(SMALL).level("price")
    assert level[0, 0] == 15.0
    assert np.isnan(level[0, 1])


def test_a_price_of_zero_is_no_price():
    prices = {("price", "", "", "new"): np.array([[0.0, 6.0]])}
    level = panels_from_arrays(QUARTERS, prices).level("price", positive=True)
    assert np.isnan(level[0, 0])
    assert level[0, 1] == 6.0


def test_what_is_not_in_the_table_is_not_simulated():
    panels = panels_from_frame(SMALL)
    with pytest.raises(NotSimulatedError, match="no variable gold"):
        panels.total("gold")
    with pytest.raises(NotSimulatedError, match="units of huawei, china"):
        panels.total("units", "huawei", "china")


def test_plain_text_columns_and_categories_give_the_same_panels():
    categories = SMALL.astype(
        dict.fromkeys(("scenario", "quarter", "variable", "entity", "region", "detail"), "category")
    )
    for variable in ("units", "tokens"):
        np.testing.assert_array_equal(
            panels_from_frame(SMALL).total(variable), panels_from_frame(categories).total(variable)
        )


def test_two_rows_for_one_cell_are_refused():
    twice = pd.concat([SMALL, SMALL.iloc[:1]])
    with pytest.raises(InputError, match="one row for a run, quarter and series"):
        panels_from_frame(twice).total("units")


def test_two_scenarios_in_one_table_are_refused_unless_one_is_named():
    both = pd.concat([SMALL, SMALL.assign(scenario="t", value=1.0)])
    with pytest.raises(InputError, match="one scenario"):
        panels_from_frame(both)
    assert panels_from_frame(both, "t").total("units", "amd")[0, 0] == 1.0


def test_a_missing_column_is_refused():
    with pytest.raises(InputError, match="entity"):
        panels_from_frame(SMALL.drop(columns="entity"))


def test_a_stored_table_is_read_by_variable_and_quarter(tmp_path, as_made):
    SMALL.to_parquet(tmp_path / "results.parquet")
    as_made(tmp_path)
    panels = read_panels(tmp_path, ["units"], until="2024Q1")
    assert panels.variables == {"units"}
    assert panels.quarters == ("2024Q1",)
    assert panels.total("units").tolist() == [[9.0]]


def test_a_folder_without_results_and_a_broken_file_are_refused(tmp_path, as_made):
    with pytest.raises(InputError, match=r"no manifest\.json"):
        read_panels(tmp_path)
    SMALL.to_parquet(tmp_path / "results.parquet")
    as_made(tmp_path)
    (tmp_path / "results.parquet").write_bytes(b"no table")
    with pytest.raises(InputError, match="not what was run"):
        read_panels(tmp_path)
    as_made(tmp_path)
    with pytest.raises(InputError, match="a whole file of results"):
        read_panels(tmp_path)


def test_arrays_and_their_table_agree():
    values = np.arange(4.0).reshape(2, 2)
    panels = panels_from_arrays(
        QUARTERS, {("units", "amd", "us", "x"): values, ("units", "amd", "us", "y"): values}
    )
    np.testing.assert_array_equal(panels.total("units", "amd"), 2 * values)
    np.testing.assert_array_equal(panels.total("units", detail=["x"]), values)
