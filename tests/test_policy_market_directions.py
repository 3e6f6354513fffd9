"""Directions: what a change of one rule does, over 64 pairs of runs with the same draws."""

import numpy as np
import pytest

from computemarket.model.calendar import quarter_index
from computemarket.scenarios.ensemble import chunks, prepare, simulate_chunk

RUNS = 64
KEPT = frozenset(
    (
        "china_compute_added_h100e", "china_premium", "china_compute_price_usd_per_h100e", "smuggled_units",
        "china_dies", "export_fees_usd", "data_center_revenue_usd", "accelerator_units", "export_charge_usd",
        "accelerator_revenue_usd", "token_price_usd_per_mtok",
    )
)  # fmt: skip


def simulated(scenario, until="2026Q4", **settings):
    """Return variable -> (R, T) sums by 'variable' or 'variable:label'."""
    asked = prepare(scenario, seed=5, until=until).with_settings(
        {key.replace("__", "."): value for key, value in settings.items()}
    )
    return History([simulate_chunk(asked, numbers, KEPT) for numbers in chunks(RUNS)])


class History:
    """What was recorded of all runs."""

    def __init__(self, recorders):
        self.recorders = recorders

    def of(self, variable, entity="", region="", detail=""):
        """Return (R, T) the sum over the series with these labels."""
        kept = self.recorders[0].series[variable]
        labels = zip(kept.entity, kept.region, kept.detail, strict=True)
        asked = (entity, region, detail)
        chosen = [
            all(not want or want == have for want, have in zip(asked, label, strict=True)) for label in labels
        ]
        values = np.concatenate([recorder.array(variable) for recorder in self.recorders])
        return np.nan_to_num(np.compress(chosen, values, axis=2)).sum(axis=2)

    def legal(self):
        """Return (R, T) what firms of China import."""
        variable = "china_compute_added_h100e"
        return self.of(variable, detail="legal") + self.of(variable, detail="variant")


def change(before, after, first, last):
    """Return (R,) the change of the sum over a stretch of quarters."""
    stretch = slice(quarter_index(first), quarter_index(last) + 1)
    return (after[:, stretch] - before[:, stretch]).sum(axis=1)


def share_of(flags):
    return float(np.mean(flags))


TIGHTER = [{"from": "2024Q3", "value": 2000.0}]


@pytest.fixture(scope="module")
def baseline():
    return simulated("baseline")


@pytest.fixture(scope="module")
def tighter():
    return simulated("baseline", policy__tpp_threshold_a=TIGHTER)


def test_a_tighter_threshold_cuts_what_china_buys_legally(baseline, tighter):
    assert share_of(change(baseline.legal(), tighter.legal(), "2024Q3", "2025Q1") < 0) > 0.95


def test_a_tighter_threshold_raises_the_price_in_china_and_smuggling_at_once(baseline, tighter):
    price = [history.of("china_premium") for history in (baseline, tighter)]
    smuggled = [history.of("smuggled_units") for history in (baseline, tighter)]
    assert share_of(change(*price, "2024Q3", "2024Q4") > 0) > 0.95
    assert share_of(change(*smuggled, "2024Q3", "2024Q4") > 0) > 0.9


def test_domestic_supply_answers_only_after_four_quarters(baseline, tighter):
    dies = [history.of("china_dies") for history in (baseline, tighter)]
    assert np.array_equal(dies[0][:, : quarter_index("2025Q3")], dies[1][:, : quarter_index("2025Q3")])
    assert share_of(change(*dies, "2025Q4", "2026Q4") > 0) > 0.9


def test_what_china_may_not_buy_goes_to_others_where_packaging_binds(baseline, tighter):
    def elsewhere(history):
        where = {"variable": "accelerator_units", "entity": "nvidia", "region": "world_outside_china"}
        return history.of(**where, detail="nvidia_h100_sxm") + history.of(**where, detail="nvidia_h200_sxm")

    assert share_of(change(elsewhere(baseline), elsewhere(tighter), "2024Q4", "2024Q4") > 0) > 0.9


def test_the_leader_loses_less_than_its_sales_to_china(baseline, tighter):
    sold = change(*(h.of("accelerator_revenue_usd", entity="nvidia", region="china") for h in (baseline, tighter)),
                  "2024Q3", "2025Q1")  # fmt: skip
    all_sales = change(
        *(h.of("data_center_revenue_usd", entity="nvidia") for h in (baseline, tighter)), "2024Q3", "2025Q1"
    )
    assert np.median(sold) < 0
    assert np.median(all_sales) > np.median(sold)


def test_more_detection_means_a_higher_premium_and_less_smuggling(baseline):
    watched = simulated("baseline", policy__detection_prob=[{"from": "2025Q3", "value": 0.6}])
    premium = change(baseline.of("china_premium"), watched.of("china_premium"), "2025Q3", "2026Q2")
    smuggled = change(baseline.of("smuggled_units"), watched.of("smuggled_units"), "2025Q3", "2026Q2")
    assert share_of(premium > 0) > 0.9
    assert share_of(smuggled < 0) > 0.9


def test_a_higher_charge_brings_the_state_money_and_sells_less():
    low, high = (simulated("revenue_share", policy__revenue_share_rate=[{"from": "2026Q1", "value": rate}])
                 for rate in (0.05, 0.5))  # fmt: skip
    fees = change(low.of("export_fees_usd"), high.of("export_fees_usd"), "2026Q1", "2026Q4")
    sold = change(low.legal(), high.legal(), "2026Q1", "2026Q4")
    assert share_of(fees > 0) > 0.9
    assert np.median(sold) < 0


def test_refused_imports_raise_the_domestic_share_and_end_fees():
    open_, refused = (simulated("revenue_share", policy__cn_import_permission=[{"from": "2026Q1", "value": share}])
                      for share in (0.8, 0.0))  # fmt: skip

    def domestic_share(history):
        domestic = history.of("china_compute_added_h100e", detail="domestic")
        return domestic / np.maximum(domestic + history.legal(), 1.0)

    assert share_of(change(domestic_share(open_), domestic_share(refused), "2026Q2", "2026Q4") > 0) > 0.9
    fees = [history.of("export_fees_usd") for history in (open_, refused)]
    assert np.median(change(*fees, "2026Q2", "2026Q4")) < 0
    assert fees[1][:, quarter_index("2026Q2") :].max() == 0


def test_each_rule_stops_its_products_in_china(baseline):
    def units(product, first, last):
        path = baseline.of("accelerator_units", region="china", detail=product)
        return path[:, quarter_index(first) : quarter_index(last) + 1]

    assert units("nvidia_a100_80gb_sxm", "2023Q1", "2024Q4").max() == 0
    assert units("nvidia_h100_sxm", "2023Q1", "2025Q4").max() == 0
    assert np.median(units("nvidia_a800_sxm", "2023Q1", "2023Q3").sum(axis=1)) > 0
    assert units("nvidia_a800_sxm", "2024Q1", "2026Q4").max() == 0
    assert np.median(units("nvidia_h20", "2024Q1", "2025Q1").sum(axis=1)) > 0
    assert units("nvidia_h20", "2025Q3", "2025Q3").max() == 0


def test_the_charge_falls_in_the_quarter_whose_books_close_after_the_letters(baseline):
    charge = baseline.of("export_charge_usd", entity="nvidia")
    quarter = quarter_index("2025Q1")
    assert (charge[:, quarter] > 0).all()
    assert charge[:, :quarter].max() == 0


def test_without_controls_nobody_smuggles_before_2026_and_nothing_is_written_off():
    free = simulated("no_controls", until="2025Q4")
    assert free.of("export_charge_usd").max() == 0
    assert free.of("smuggled_units").max() == 0
