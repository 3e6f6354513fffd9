"""Directions: what a change of one rule does, over 64 pairs of runs with the same draws."""

from math import comb

import numpy as np
import pytest

from computemarket.model.core.calendar import quarter_index
from computemarket.scenarios.batches.ensemble import chunks, prepare, simulate_chunk

RUNS = 64
KEPT = frozenset(
    (
        "china_compute_added_h100e", "china_premium", "china_compute_price_usd_per_h100e", "smuggled_units",
        "china_dies", "export_fees_usd", "data_center_revenue_usd", "accelerator_units", "export_charge_usd",
        "accelerator_revenue_usd", "token_price_usd_per_mtok", "binding_constraint_share", "compute_added_owned_h100e",
        "china_remote_stock_h100e",
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


def holds(flags):
    """Say whether a direction holds over all pairs by the sign test (Dixon and Mood 1946)."""
    pairs, agreeing = len(flags), int(np.sum(flags))
    return sum(comb(pairs, k) for k in range(agreeing, pairs + 1)) / 2**pairs < CHANCE


MOST = 0.9  # of a chosen group of pairs must move as a direction says
CHANCE = (
    1e-6  # that pairs without a direction would agree as often: the sign test of a direction over all pairs
)
TIGHTER = [{"from": "2024Q3", "value": 2000.0}]


@pytest.fixture(scope="module")
def baseline():
    return simulated("baseline")


@pytest.fixture(scope="module")
def tighter():
    return simulated("baseline", policy__tpp_threshold_a=TIGHTER)


def test_a_tighter_threshold_cuts_what_china_buys_legally(baseline, tighter):
    assert holds(change(baseline.legal(), tighter.legal(), "2024Q3", "2025Q1") < 0)


def test_a_tighter_threshold_raises_the_price_in_china_and_smuggling_at_once(baseline, tighter):
    price = [history.of("china_premium") for history in (baseline, tighter)]
    smuggled = [history.of("smuggled_units") for history in (baseline, tighter)]
    assert holds(change(*price, "2024Q3", "2024Q4") > 0)
    assert holds(change(*smuggled, "2024Q3", "2024Q4") > 0)


def test_domestic_supply_answers_only_after_four_quarters(baseline, tighter):
    dies = [history.of("china_dies") for history in (baseline, tighter)]
    assert np.array_equal(dies[0][:, : quarter_index("2025Q3")], dies[1][:, : quarter_index("2025Q3")])
    assert holds(change(*dies, "2025Q4", "2026Q4") > 0)


def packaging_binds(history):
    """Return (R,) how much of what could not be made was held up by packaging when the threshold fell."""
    share = history.of("binding_constraint_share", detail="packaging")
    return share[:, quarter_index("2024Q3") : quarter_index("2024Q4") + 1].mean(axis=1)


def test_what_china_may_not_buy_goes_to_others_where_packaging_binds(baseline, tighter):
    def elsewhere(history):
        where = {"variable": "accelerator_units", "entity": "nvidia", "region": "world_outside_china"}
        return history.of(**where, detail="nvidia_h100_sxm") + history.of(**where, detail="nvidia_h200_sxm")

    more = change(elsewhere(baseline), elsewhere(tighter), "2024Q3", "2024Q4")
    binds = packaging_binds(baseline) > 0.5
    assert binds.sum() >= 5
    assert share_of(more[binds] > 0) > MOST


def test_the_leader_loses_revenue_where_supply_is_slack(baseline, tighter):
    sold = [history.of("data_center_revenue_usd", entity="nvidia") for history in (baseline, tighter)]
    revenue = change(*sold, "2024Q3", "2024Q4")
    slack = packaging_binds(baseline) < 0.2
    assert slack.sum() >= 5
    assert share_of(revenue[slack] < 0) > MOST
    assert np.median(revenue[~slack]) > np.median(revenue[slack])


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
    assert holds(premium > 0)
    assert holds(smuggled < 0)


def test_a_higher_charge_brings_the_state_money_and_sells_less():
    low, high = (simulated("revenue_share", policy__revenue_share_rate=[{"from": "2026Q1", "value": rate}])
                 for rate in (0.05, 0.5))  # fmt: skip
    fees = change(low.of("export_fees_usd"), high.of("export_fees_usd"), "2026Q1", "2026Q4")
    sold = change(low.legal(), high.legal(), "2026Q1", "2026Q4")
    assert holds(fees > 0)
    assert np.median(sold) < 0


def test_refused_imports_raise_the_domestic_share_and_end_fees():
    open_, refused = (simulated("revenue_share", policy__cn_import_permission=[{"from": "2026Q1", "value": share}])
                      for share in (0.8, 0.0))  # fmt: skip

    def domestic_share(history):
        domestic = history.of("china_compute_added_h100e", detail="domestic")
        return domestic / np.maximum(domestic + history.legal(), 1.0)

    assert holds(change(domestic_share(open_), domestic_share(refused), "2026Q2", "2026Q4") > 0)
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
    assert units("nvidia_a800_sxm", "2023Q4", "2026Q4").max() == 0
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


def test_a_rule_of_ones_own_gets_a_variant_of_its_own_that_sells(baseline):
    early = simulated(
        "baseline", until="2025Q1", policy__tpp_threshold_a=[{"from": "2024Q1", "value": 2000.0}]
    )

    def units(history, product):
        path = history.of("accelerator_units", entity="nvidia", region="china", detail=product)
        return path[:, quarter_index("2024Q2") : quarter_index("2025Q1") + 1].sum(axis=1)

    assert units(early, "nvidia_h20").max() == 0
    assert units(baseline, "nvidia_variant_1").max() == 0
    assert np.median(units(early, "nvidia_variant_1")) > 10_000


def test_licences_for_more_bring_china_more_compute(baseline):
    opened = simulated("case_by_case_2026")
    added = [history.of("compute_added_owned_h100e", region="china") for history in (baseline, opened)]
    assert holds(change(*added, "2026Q1", "2026Q4") > 0)


def test_closed_remote_access_ends_rentals_and_raises_the_price_in_china(baseline):
    closed = simulated("baseline", policy__remote_access_control=[{"from": "2025Q3", "value": 1.0}])
    rented = [history.of("china_remote_stock_h100e")[:, -1] for history in (baseline, closed)]
    assert np.median(rented[0]) > 0
    assert rented[1].max() < 1
    premium = [history.of("china_premium") for history in (baseline, closed)]
    assert np.median(change(*premium, "2025Q3", "2026Q4")) > 0
