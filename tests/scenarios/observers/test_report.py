"""What is recorded for the report is what the books of the market say."""

from pathlib import Path

import numpy as np
import pytest

from computemarket.analysis.report.parts.source import simulate_series
from computemarket.scenarios.assembly import assemble
from computemarket.scenarios.batches.batch import check_recording
from computemarket.scenarios.batches.ensemble import prepare, simulate_chunk
from computemarket.scenarios.observers.report import (
    ELSEWHERE,
    REPORT_VARIABLES,
    _as_ordered,
    _maturity_over_life,
    record_tokens_by_chip,
)
from computemarket.scenarios.studies.study import read_study

BOOKS = frozenset(
    (
        "data_center_revenue_usd",
        "data_center_networking_revenue_usd",
        "memory_revenue_usd",
        "tokens_served",
        "ai_capex_usd",
        "power_mw",
        "gross_margin",
        "channel_revenue_usd",
        "accelerator_revenue_usd",
    )
)


@pytest.fixture(scope="module")
def panels():
    scenario = prepare("baseline", seed=11, until="2026Q4")
    return simulate_series(scenario, 3, REPORT_VARIABLES | BOOKS)


def test_purchases_by_operator_sum_to_what_vendors_sold(panels):
    for vendor in ("nvidia", "broadcom", "huawei"):
        bought = panels.total("purchases_usd", detail=vendor)
        sold = panels.total("data_center_revenue_usd", vendor)
        np.testing.assert_allclose(bought, sold, rtol=1e-9, atol=1.0)


def test_no_operator_pays_more_for_accelerators_than_its_capital_expenditure(panels):
    for operator in panels.entities("purchases_usd"):
        spent = panels.total("ai_capex_usd", operator)
        assert (panels.total("purchases_usd", operator) <= spent * (1 + 1e-9) + 1.0).all()


def test_sales_by_content_and_place_sum_to_revenue(panels):
    for vendor in ("nvidia", "amd"):
        sold = panels.total("data_center_revenue_usd", vendor)
        np.testing.assert_allclose(panels.total("sales_usd", vendor), sold, rtol=1e-9, atol=1.0)
    networking = panels.total("sales_usd", "nvidia", None, "networking")
    np.testing.assert_allclose(
        networking, panels.total("data_center_networking_revenue_usd", "nvidia"), rtol=1e-9, atol=1.0
    )


def test_sales_in_china_are_those_recorded_there(panels):
    inside = panels.total("sales_usd", "nvidia", "china")
    np.testing.assert_allclose(
        inside, panels.total("accelerator_revenue_usd", "nvidia", "china"), rtol=1e-9, atol=1.0
    )


def test_chip_sales_abroad_are_the_chips_in_sales_abroad(panels):
    chips = panels.total("chip_sales_usd")
    np.testing.assert_allclose(
        chips, panels.total("sales_usd", None, ELSEWHERE, "chips"), rtol=1e-9, atol=1.0
    )


def test_tokens_by_designer_sum_to_the_tokens_served(panels):
    served = panels.total("tokens_served", "world")
    np.testing.assert_allclose(panels.total("tokens_by_designer"), served, rtol=1e-9)


def test_memory_sold_by_maker_and_buyer_is_the_makers_revenue(panels):
    for maker in panels.entities("memory_revenue_usd"):
        sold = panels.total("memory_sales_usd", maker)
        np.testing.assert_allclose(sold, panels.total("memory_revenue_usd", maker), rtol=1e-9, atol=1.0)


def test_power_by_place_sums_to_what_fleets_draw(panels):
    np.testing.assert_allclose(panels.total("power_by_country_mw"), panels.total("power_mw"), rtol=1e-9)


def test_gross_profit_is_sales_less_the_cost_recorded(panels):
    sold = panels.total("data_center_revenue_usd", "broadcom")
    margin = 1 - panels.total("cost_of_sales_usd", "broadcom") / sold
    np.testing.assert_allclose(margin, panels.level("gross_margin", "broadcom"), rtol=1e-9)


def test_backlog_grows_by_orders_and_shrinks_by_deliveries_at_the_latest(panels):
    orders, backlog = panels.total("orders_usd", "nvidia"), panels.total("backlog_usd", "nvidia")
    assert (orders >= 0).all()
    assert (backlog >= 0).all()
    assert orders.sum() > 0


def test_an_accelerator_loses_value_with_age(panels):
    left = panels.level("residual_value", detail="nvidia_h100_sxm")
    known = left[:, np.isfinite(left).all(axis=0)]
    assert (known[:, -1] < 0.6 * known[:, 0]).all()
    assert (known >= 0).all()


def test_an_accelerator_past_its_service_life_is_worth_nothing(panels):
    left = panels.level("residual_value", detail="nvidia_a100_80gb_sxm")
    assert (left[:, -1] == 0.0).all()  # of 2020Q4, six years later: no life is longer
    assert (left[:, 0] > 0.0).all()


def test_tokens_of_a_tier_are_split_by_who_makes_them_and_follow_fleets():
    found = []
    for units in ((100.0, 50.0), (200.0, 50.0)):
        market = assemble(prepare("baseline", seed=11), np.arange(1), frozenset(("tokens_by_designer",)))
        products, state = market.world.products, market.state
        market.quarter = 12
        pair = [products.ids.index(name) for name in ("nvidia_h100_sxm", "amd_mi300x")]
        state.fleet_units[:] = 0.0
        state.fleet_units[0, market.world.operator("coreweave"), pair] = units
        state.use_price_usd[:] = 1.0
        state.tokens[:] = 0.0
        state.tokens[0, 0, 1] = 1e9
        record_tokens_by_chip(market)
        named = zip(
            market.structure.designers, market.recorder.array("tokens_by_designer")[0, 0], strict=True
        )
        found.append(dict(named))
    for shares in found:
        assert shares["nvidia"] + shares["amd"] == pytest.approx(1e9)  # all of them, and nobody else's
        assert min(shares["nvidia"], shares["amd"]) > 0
    odds = [shares["nvidia"] / shares["amd"] for shares in found]
    assert odds[1] == pytest.approx(2 * odds[0])  # at the same prices twice the hours make twice the tokens


def test_a_run_leaves_out_what_only_a_report_asks_for():
    scenario = prepare("baseline", seed=11, until="2022Q1")
    recorded = simulate_chunk(scenario, np.arange(1))
    assert not REPORT_VARIABLES & set(recorded.series)


def test_a_study_may_list_what_only_a_report_asks_for():
    text = b'scenarios = ["baseline"]\nruns = 1\nuntil = "2022Q1"\nrecording = ["purchases_usd"]\n'
    check_recording(read_study(text, "asked.toml", Path(), None))


def test_all_that_a_report_asks_for_is_recorded(panels):
    assert panels.variables >= REPORT_VARIABLES


def test_what_is_recorded_of_a_run_does_not_depend_on_its_company():
    scenario = prepare("baseline", seed=11, until="2023Q4")
    alone = simulate_chunk(scenario, np.array([2]), REPORT_VARIABLES)
    together = simulate_chunk(scenario, np.arange(5), REPORT_VARIABLES)
    for name in REPORT_VARIABLES:
        one, all_of_them = alone.array(name)[0], together.array(name)[2]
        assert one.tobytes() == all_of_them.tobytes(), name


def test_what_a_cloud_lets_and_what_it_uses_are_worth_the_same_by_the_hour(panels):
    let = panels.total("let_share", "google")
    own, rent = panels.total("own_use_usd", "google"), panels.total("rental_revenue_usd", "google")
    some = rent > 1e6
    assert some.any()
    np.testing.assert_allclose(own[some] * let[some], rent[some] * (1 - let[some]), rtol=1e-6)


def test_the_cost_of_a_token_counts_the_software_of_a_whole_service_life():
    market = assemble(prepare("baseline", seed=3, until="2026Q4"), np.arange(2))
    for _ in range(16):
        market.step()
    mean = _maturity_over_life(market)
    now, maturity = market.quarter, market.rates.maturity
    young = market.world.products.ids.index("nvidia_gb300")
    life = np.rint(market.value("chips.life_years") * 4).astype(int)
    for run in range(2):
        ahead = maturity[young, now : now + life[run]]
        assert len(ahead) == life[run]  # all of it lies in the calendar
        assert mean[run, young] == pytest.approx(ahead.mean(), rel=1e-12)
    assert (mean[:, young] > maturity[young, now]).all()


def test_the_cost_of_a_token_is_that_of_the_chips_ordered_together():
    hour_usd, mtok = np.array([[2.0, 6.0, 1.0]]), np.array([[10.0, 20.0, 5.0]])
    chosen = np.array([True, True, False])
    found = _as_ordered(hour_usd, mtok, np.array([[3.0, 1.0, 9.0]]), chosen)
    assert found[0] == pytest.approx((3 * 2 + 6) / (3 * 10 + 20))
    assert np.isnan(_as_ordered(hour_usd, mtok, np.array([[0.0, 0.0, 9.0]]), chosen))[0]
