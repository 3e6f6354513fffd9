"""What may be sold where, quarter by quarter."""

import numpy as np
import pytest

from computemarket.model.core.calendar import quarter_index
from computemarket.model.policy.classification.products import product_metrics
from computemarket.model.policy.regimes.regime import LICENCE, LICENCE_CASE_BY_CASE, LICENCE_DENIAL, NAC, NONE
from computemarket.model.policy.regimes.regime_files import shipped_regimes
from computemarket.model.policy.trade.access import (
    access_status,
    access_table,
    quarter_days,
    regime_levers,
    sale_share,
    with_indexation,
)
from computemarket.model.policy.trade.market_access import as_counted, compliant_variants, market_metrics
from computemarket.model.world.world import load_world

BOOK = shipped_regimes()
PRODUCTS = ("nvidia_a100_80gb_sxm", "nvidia_h800_sxm", "nvidia_h20", "nvidia_b200_sxm", "nvidia_h200_sxm")
A100, H800, H20, B200, H200 = range(len(PRODUCTS))
COUNTRIES = ("us", "gulf", "china", "tier1")
CHINA = COUNTRIES.index("china")
METRICS = product_metrics(PRODUCTS)


def at(quarter: str, **levers: object):
    arrays = {name: np.asarray(value, dtype=float) for name, value in levers.items()}
    return access_status(BOOK, METRICS, COUNTRIES, quarter_index(quarter), arrays)


def test_the_rules_of_each_day_open_and_close_china():
    assert at("2022Q1").status[0, CHINA].tolist() == [NONE] * 5
    assert at("2023Q1").status[0, CHINA, [A100, H800]].tolist() == [LICENCE_DENIAL, NONE]
    assert at("2024Q1").status[0, CHINA, [H800, H20]].tolist() == [LICENCE_DENIAL, NONE]
    assert at("2025Q3").status[0, CHINA, H20] == LICENCE
    assert at("2026Q2").status[0, CHINA, [H20, H200, B200]].tolist() == [
        LICENCE_CASE_BY_CASE,
        LICENCE_CASE_BY_CASE,
        LICENCE_DENIAL,
    ]


def test_a_rule_counts_by_its_days_within_a_quarter():
    share = at("2022Q4").share[0, CHINA, A100]
    assert share[NONE] == pytest.approx(20 / 92)  # 1 to 20 October
    assert share[LICENCE_DENIAL] == pytest.approx(72 / 92)


def test_shares_of_a_quarter_sum_to_one():
    for quarter in ("2022Q4", "2023Q4", "2025Q2", "2026Q1", "2026Q2"):
        assert np.allclose(at(quarter).share.sum(axis=-1), 1.0, rtol=0, atol=1e-12)


def test_home_and_allies_stay_free():
    table = access_table(BOOK, METRICS, COUNTRIES)
    assert table.shape == (1, 44, 4, 5)
    assert (table[:, :, [0, 3]] == NONE).all()


def test_a_notice_to_china_is_none_in_the_gulf():
    metrics = product_metrics(("nvidia_a30",))
    table = access_status(BOOK, metrics, COUNTRIES, quarter_index("2024Q1"))
    assert table.status[0, :, 0].tolist() == [NONE, NONE, NAC, NONE]


def test_the_revenue_share_and_the_duty_never_fall_on_the_same_unit():
    assert at("2025Q4").charge[0, CHINA, H20] == pytest.approx(0.15)
    assert at("2026Q2").charge[0, CHINA, H20] == 0.0
    assert at("2026Q2").charge[0, CHINA, H200] == pytest.approx(0.25)
    assert at("2026Q1").charge[0, CHINA, H20] == pytest.approx(0.15 * 14 / 90)


def test_caps_hold_where_and_when_they_are_in_force():
    caps = at("2026Q2").caps
    assert caps["share_of_us_units"][0, CHINA] == 0.5
    assert caps["units_per_buyer"][0, CHINA] == 75000
    assert np.isnan(caps["share_of_us_units"][0, 0])
    assert "units_per_buyer" not in at("2026Q1").caps


def test_thresholds_may_differ_by_run():
    ceiling = np.array([21000.0, 40000.0, np.nan])
    status = at("2026Q2", cbc_tpp_ceiling=ceiling, cbc_dram_ceiling=np.full(3, 9000.0)).status[:, CHINA, B200]
    assert status.tolist() == [LICENCE_DENIAL, LICENCE_CASE_BY_CASE, LICENCE_DENIAL]


def test_a_run_has_the_same_access_alone_and_in_company():
    ceiling = np.linspace(15000, 40000, 7)
    together = at("2026Q1", cbc_tpp_ceiling=ceiling)
    for run in range(7):
        alone = at("2026Q1", cbc_tpp_ceiling=ceiling[run : run + 1])
        assert (alone.share[0] == together.share[run]).all()
        assert (alone.charge[0] == together.charge[run]).all()


def test_a_tighter_threshold_never_opens_a_product():
    loose = at("2024Q1", tpp_threshold_a=[8000.0]).status
    tight = at("2024Q1", tpp_threshold_a=[2000.0]).status
    assert (tight[:, CHINA] >= loose[:, CHINA]).all()


def test_indexed_thresholds_open_products_as_the_frontier_moves():
    levers = with_indexation({}, np.array([0.0, 1.0]), 8)
    status = access_status(BOOK, METRICS, COUNTRIES, quarter_index("2028Q4"), levers).status
    assert status[0, CHINA, B200] == LICENCE_DENIAL
    assert status[1, CHINA, B200] == LICENCE_CASE_BY_CASE


def test_levers_at_their_default_leave_the_file_in_force():
    def value(name: str):
        return np.array([4800.0, 6000.0]) if name == "policy.tpp_threshold_a" else np.array([1.0, 1.0])

    levers = regime_levers(BOOK, value, lambda name: 4800.0 if name == "policy.tpp_threshold_a" else None)
    assert list(levers) == ["tpp_threshold_a"]
    assert np.isnan(levers["tpp_threshold_a"][0])
    assert levers["tpp_threshold_a"][1] == 6000


def test_sales_follow_the_chance_of_approval():
    share = sale_share(at("2026Q2"), 0.9, 0.7, np.array([0.5]), 0.8)
    assert share[0, CHINA, H200] == pytest.approx(0.5)
    assert share[0, CHINA, B200] == 0.0
    assert share[0, 0].tolist() == [1.0] * 5


def test_quarters_begin_on_their_first_day():
    first, after = quarter_days(quarter_index("2023Q4"))
    assert (first.isoformat(), after.isoformat()) == ("2023-10-01", "2024-01-01")


def test_a_successor_counts_as_the_chip_it_replaces():
    found = product_metrics(("nobody_9",), {"nobody_9": "nobody_8", "nobody_8": "nvidia_h20"})
    assert found["tpp"].low[0] == 2368


def test_the_gaudi_2_for_china_lacks_ports_that_the_chip_has_elsewhere():
    products = load_world().products
    place = products.ids.index("intel_gaudi2")
    metrics = market_metrics(products)
    counted = as_counted(metrics, compliant_variants(products).counts_as["china"])
    assert metrics["io_bidir_gbps"].low[place] == 664.0
    assert counted["io_bidir_gbps"].low[place] == 589.0
    for name in ("tpp", "pd", "dram_bw_gbps"):
        assert counted[name].low[place] == metrics[name].low[place]
