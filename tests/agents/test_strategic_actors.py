"""Startups, finance, platform, channels and authorities inside the running market act, in the right direction."""

import numpy as np
import pytest

from computemarket.scenarios.assembly import assemble
from computemarket.scenarios.batches.ensemble import simulate
from computemarket.scenarios.schema import load_scenario

RUNS = np.arange(6)
UNTIL = "2027Q4"


def market_after(quarters, **settings):
    scenario = load_scenario("baseline").with_settings(
        {key.replace("__", "."): value for key, value in settings.items()}
    )
    market = assemble(scenario, RUNS)
    for _ in range(quarters):
        market.step()
    return market


def total(variable, runs=6, until=UNTIL, entity=None, **settings):
    scenario = load_scenario("baseline").with_settings(
        {key.replace("__", "."): value for key, value in settings.items()}
    )
    rows = simulate(scenario, runs=runs, seed=1, until=until).table(variable)
    if entity:
        rows = rows[rows.entity.isin(entity)]
    return rows.groupby("run", observed=True).value.sum().mean()


def test_startups_have_more_than_two_hundred_places_and_turn_over():
    market = market_after(16)
    startups = market.cast.startups
    assert startups.active.shape[1] >= 200
    assert startups.active.any(axis=1).all()
    table = market.recorder.table("baseline", RUNS).to_pandas()
    turnover = table[table.variable == "startup_turnover"].groupby("detail", observed=True).value.sum()
    assert (turnover[["entered", "failed", "bought"]] > 0).all()


def test_more_entrants_make_a_larger_population():
    few, many = market_after(12, startups__entrants=1.0), market_after(12, startups__entrants=12.0)
    assert many.cast.startups.active.sum() > few.cast.startups.active.sum()


def test_a_credit_crunch_slows_gpu_clouds():
    clouds = ("coreweave", "lambda", "nebius", "gpu_clouds_small")
    usual = total("ai_capex_usd", entity=clouds)
    crunch = total("ai_capex_usd", entity=clouds, finance__credit_stress=2.0)
    assert crunch < 0.95 * usual


def test_money_that_dries_up_starves_labs():
    usual = total("lab_funding_usd")
    dry = total("lab_funding_usd", finance__funding_share=0.01)
    assert dry < 0.7 * usual


def test_a_failed_cloud_sells_part_of_its_fleet_and_no_chip_and_no_site_is_lost():
    market = market_after(20)
    lenders, state = market.cast.lenders, market.state
    place = lenders.debtors[0]
    state.fleet_units[:, place] += 100.0  # whatever befell it before, it holds accelerators now
    state.debt_usd[:, place] = 1e12
    units, sites = state.fleet_units.sum(), state.power_mw.sum()
    held = state.fleet_units[:, place].sum(axis=1)
    failing = np.zeros(lenders.distress.shape, dtype=bool)
    failing[:, 0] = True
    market.ledger.start_quarter()
    lenders._wind_up(failing, np.take(state.debt_usd, lenders.debtors, axis=1))
    kept = 1 - market.value("finance.sold_in_default")
    assert state.fleet_units[:, place].sum(axis=1) == pytest.approx(kept * held)
    assert state.fleet_units.sum() == pytest.approx(units, rel=1e-12)
    assert state.power_mw.sum() == pytest.approx(sites, rel=1e-12)
    assert (state.debt_usd[:, place] < 1e12).all()
    assert (lenders.lost_usd > 0).all()


def test_lenders_give_less_for_the_same_chips_where_they_earn_less():
    market = market_after(20)
    lenders, state = market.cast.lenders, market.state
    before = lenders._loan_share()
    state.contract_rent_usd_per_h100e_hour[:] *= 0.3
    after = lenders._loan_share()
    assert (after < before).all()
    assert (before <= market.value("finance.most_loan_to_value")[:, None] + 1e-12).all()


def test_credits_appear_at_the_end_of_2025_and_trade_later():
    market = market_after(40)
    table = market.recorder.table("baseline", RUNS).to_pandas()
    stage = table[table.variable == "credit_stage"].pivot_table(
        index="run", columns="quarter", values="value", observed=True
    )
    assert (stage.loc[:, :"2025Q3"] == 0).all().all()
    assert (stage["2025Q4"] >= 1).all()
    assert (stage["2031Q4"] > 1).any()


def test_software_of_the_leader_earns_more_where_more_attach():
    less = total("nvidia_layer_revenue_usd", platform__software_attach_ceiling=0.06)
    more = total("nvidia_layer_revenue_usd", platform__software_attach_ceiling=0.4)
    assert more > less


def test_a_vigorous_authority_opens_cases_sooner_and_fines_the_leader():
    idle = total(
        "antitrust_fine_usd",
        authorities__us_vigour=0.01,
        authorities__eu_vigour=0.01,
        authorities__china_vigour=0.01,
    )
    keen = total(
        "antitrust_fine_usd",
        authorities__us_vigour=20.0,
        authorities__eu_vigour=20.0,
        authorities__china_vigour=20.0,
    )
    assert keen > idle


def test_remedies_lower_the_share_of_the_leader():
    def share(vigour):
        settings = {f"authorities__{name}_vigour": vigour for name in ("us", "eu", "china")}
        amd = total("accelerator_revenue_usd", entity=("amd",), **settings)
        return amd / total("accelerator_revenue_usd", **settings)

    assert share(20.0) > share(0.01)


def test_channels_handle_a_part_of_what_is_sold():
    handled = total("channel_revenue_usd", entity=("dell", "supermicro", "hpe_lenovo_other"))
    sold = total("accelerator_revenue_usd")
    assert 0 < handled < sold
