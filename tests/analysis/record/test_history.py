"""The score against the record: hand-worked errors, new rows scored without a change, forecasts left out."""

import math

import numpy as np
import pytest

from computemarket.analysis.record.history import (
    Observation,
    compare,
    count_scores,
    is_forward_looking,
    load_counterparts,
    read_history,
    score_history,
    scores_json,
)
from computemarket.analysis.record.record_error import NO_ERROR, as_recorded, stated_error
from computemarket.analysis.results.series import panels_from_arrays
from computemarket.errors import InputError

QUARTERS = ("2025Q1", "2025Q2", "2025Q3", "2025Q4")
HEADER = "series,entity,period,value,unit,source,confidence,note\n"
REVENUE = ("data_center_revenue_usd", "nvidia", "", "")


def revenue_market(values, runs=3):
    """Return a market in which Nvidia's data-centre revenue, in bn USD, is all there is."""
    spread = np.linspace(0.9, 1.1, runs)[:, None]
    return panels_from_arrays(QUARTERS, {REVENUE: spread * np.array([values]) * 1e9})


def test_errors_are_those_worked_by_hand():
    band = np.array([[1.5, 3.0], [2.0, 4.0], [2.5, 5.0]])
    score = compare(("s", "e"), np.array([1.0, 4.0]), band)
    assert score.points == 2
    assert math.isclose(score.bias, math.log(2.0) / 2)
    assert math.isclose(score.mape, 0.5)
    assert score.inside == 0.5


def test_a_later_row_of_a_known_series_is_scored_without_a_change(tmp_path):
    (tmp_path / "later.csv").write_text(
        HEADER + "data_center_revenue,Nvidia,2025-Q3,51.2,USD bn,record,high,\n"
        "data_center_revenue,Nvidia,2025-Q4,62.3,USD bn,record,high,\n"
    )
    record = read_history(tmp_path)
    scored = score_history(revenue_market([40.0, 41.0, 51.2, 62.3]), record).series
    assert [(score.series, score.points) for score in scored] == [("data_center_revenue", 2)]
    assert abs(scored[0].bias) < 1e-12
    assert scored[0].inside == 1.0


def test_periods_before_and_after_the_simulation_are_not_counted(tmp_path):
    (tmp_path / "h.csv").write_text(
        HEADER + "data_center_revenue,Nvidia,2021-Q1,2,USD bn,r,high,\n"
        "data_center_revenue,Nvidia,2025,180,USD bn,r,high,\n"
        "data_center_revenue,Nvidia,2033-Q1,999,USD bn,r,high,\n"
    )
    (score,) = score_history(revenue_market([40.0, 40.0, 50.0, 50.0]), read_history(tmp_path)).series
    assert score.points == 1
    assert abs(score.bias) < 1e-12


def test_the_record_can_be_scored_from_a_quarter_on(tmp_path):
    (tmp_path / "h.csv").write_text(
        HEADER
        + "data_center_revenue,Nvidia,2025-Q1,39,USD bn,r,high,\ndata_center_revenue,Nvidia,2025-Q3,51,USD bn,r,high,\n"
    )
    assert read_history(tmp_path, since="2025Q3") == {
        ("data_center_revenue", "Nvidia"): (Observation("2025Q3", 51.0),)
    }


def test_a_series_of_nobody_and_one_not_simulated_are_listed_not_scored(tmp_path):
    (tmp_path / "h.csv").write_text(
        HEADER
        + "price_of_tea,China,2025-Q1,1,USD,r,high,\ngaap_gross_margin,Nvidia,2025-Q1,60.5,percent,r,high,\n"
    )
    score = score_history(revenue_market([40.0] * 4), read_history(tmp_path))
    assert score.unmapped == (("price_of_tea", "China"),)
    assert [part.reason for part in score.series] == ["no variable gross_margin"]
    assert "0 series scored, 1 without" in count_scores(score)
    assert "price_of_tea" in scores_json(score)


def test_forecasts_guidance_and_plans_are_not_observations():
    assert is_forward_looking("compute_stock_forecast", "")
    assert is_forward_looking("capex_guidance", "")
    assert is_forward_looking("capex_plan_3yr", "")
    assert is_forward_looking("cowos_allocation_share", "forecast of 2025 demand")
    assert not is_forward_looking("data_center_revenue", "fiscal quarter mapped")


def test_a_broken_row_names_file_and_line(tmp_path):
    (tmp_path / "bad.csv").write_text(HEADER + "data_center_revenue,Nvidia,spring,39,USD bn,r,high,\n")
    with pytest.raises(InputError, match=r"bad\.csv:2"):
        read_history(tmp_path)
    with pytest.raises(InputError, match="history files"):
        read_history(tmp_path / "nowhere")


def test_every_counterpart_is_well_formed_and_most_are_on_record():
    counterparts, record = load_counterparts(), read_history()
    assert all(part.scale > 0 for part in counterparts.values())
    assert len(set(counterparts) & set(record)) >= 0.9 * len(counterparts)


def test_errors_are_read_from_notes_as_they_are_stated():
    factor = math.log(1.3) / 1.6449
    assert stated_error(5.0, "median; 90% about x/÷1.3") == pytest.approx((factor, factor))
    low, high = stated_error(2.0, "Epoch Monte Carlo; 90% about 0.5x-2.3x; cumulative")
    assert (low, high) == pytest.approx((math.log(2.0) / 1.6449, math.log(2.3) / 1.6449))
    assert stated_error(14142, "geometric mean of range 10000-20000")[1] == pytest.approx(
        factor * 1.321, rel=1e-3
    )
    assert stated_error(7.0, "units x approximate card price (90% 5.8-9.5)")[0] > 0
    for none in (
        "",
        "group revenue; about 90% AI cloud",
        "range 9x to 900x by benchmark",
        "midpoint of 90% range 8-9",
    ):
        assert stated_error(7.0, none) == NO_ERROR


def test_a_stated_error_moves_the_band_and_not_the_median():
    truths = np.full((4, 2), 10.0)
    low, middle, high = np.quantile(
        as_recorded(truths, np.array([0.1, 0.0]), np.array([0.3, 0.0])), [0.1, 0.5, 0.9], axis=0
    )
    assert middle == pytest.approx([10.0, 10.0])
    assert low[1] == high[1] == 10.0
    assert (
        math.log(10.0 / low[0]) > 2 * math.log(high[0] / 10.0) > 0
    )  # a truth far above is an estimate far below


def test_both_shares_are_told_and_the_plain_one_stays_plain(tmp_path):
    rows = "data_center_revenue,Nvidia,2025-Q1,55,USD bn,r,high,90% about x/÷1.6\n"
    (tmp_path / "h.csv").write_text(HEADER + rows)
    score = score_history(revenue_market([40.0, 40.0, 40.0, 40.0]), read_history(tmp_path))
    (one,) = score.series
    assert (one.inside, one.inside_as_recorded, one.stated) == (0.0, 1.0, 1)
    assert "0% inside the 80% band, 100% with the error that the record states of 1 of them" in count_scores(
        score
    )
