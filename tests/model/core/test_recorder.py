"""The recorder: labelled arrays in, one tidy table out."""

import numpy as np
import pytest

from computemarket.model.core.recorder import COLUMNS, Recorder

RUNS = np.array([7, 9])
UNITS = {"sold": "units", "price": "USD", "total": "USD", "held": "units"}


def recorded():
    recorder = Recorder(UNITS)
    for quarter in range(3):
        sold = np.arange(8.0).reshape(2, 2, 2) + 100 * quarter
        recorder.add("sold", sold, entity=("a", "b"), region=("x", "y"))
        recorder.add("price", np.array([[1.0, np.nan], [3.0, 4.0]]), detail=("h100", "h200"))
        recorder.add("total", np.array([5.0, 6.0]) + quarter, entity="world")
    return recorder


def test_the_table_has_the_promised_columns_and_a_row_for_every_cell():
    frame = recorded().table("base", RUNS).to_pandas()
    assert tuple(frame.columns) == COLUMNS
    assert len(frame) == 2 * 3 * (4 + 2 + 1)
    assert set(frame["quarter"]) == {"2022Q1", "2022Q2", "2022Q3"}
    assert set(frame["scenario"]) == {"base"}
    assert frame["value"].dtype == np.float64


def test_every_value_stands_beside_its_labels():
    frame = recorded().table("base", RUNS).to_pandas()
    row = frame[
        (frame["variable"] == "sold") & (frame["run"] == 9) & (frame["quarter"] == "2022Q3")
        & (frame["entity"] == "b") & (frame["region"] == "x")
    ]  # fmt: skip
    assert row["value"].tolist() == [206.0]
    assert row["unit"].tolist() == ["units"]
    total = frame[(frame["variable"] == "total") & (frame["run"] == 7)]
    assert total["value"].tolist() == [5.0, 6.0, 7.0]
    assert set(total["region"]) == set(total["detail"]) == {""}


def test_only_what_is_wanted_is_kept():
    recorder = Recorder(UNITS, frozenset({"total"}))
    recorder.add("sold", np.zeros((2, 1)))
    recorder.add("total", np.zeros((2, 1)))
    assert list(recorder.series) == ["total"]


def test_cells_without_meaning_are_left_out():
    recorder = Recorder(UNITS)
    keep = np.array([[True, False], [False, True]])
    recorder.add("held", np.arange(8.0).reshape(2, 2, 2), entity=("a", "b"), detail=("p", "q"), keep=keep)
    frame = recorder.table("base", RUNS).to_pandas()
    assert list(zip(frame["entity"], frame["detail"], frame["value"], strict=True)) == [
        ("a", "p", 0.0), ("b", "q", 3.0), ("a", "p", 4.0), ("b", "q", 7.0)
    ]  # fmt: skip


def test_recorded_values_are_copies():
    recorder, values = Recorder(UNITS), np.ones((2, 1))
    recorder.add("total", values)
    values[:] = 2.0
    assert recorder.array("total").tolist() == [[[1.0]], [[1.0]]]


def test_arrays_are_runs_by_quarters_by_cells():
    assert recorded().array("sold").shape == (2, 3, 4)


def test_labels_that_do_not_fit_the_values_are_an_error():
    with pytest.raises(ValueError, match="sold: 3 values for 2 labels"):
        Recorder(UNITS).add("sold", np.zeros((2, 3)), entity=("a", "b"))


def test_what_nobody_declared_is_not_recorded():
    with pytest.raises(ValueError, match="sould is recorded and nowhere declared"):
        Recorder(UNITS).add("sould", np.zeros((2, 1)))
