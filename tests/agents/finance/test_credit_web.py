"""The web of credit and guarantees: what a failure costs the others, and who reacts to it."""

import numpy as np
import pytest

from computemarket.agents.finance.credit_web import FIRST
from computemarket.agents.states import competition
from computemarket.scenarios.assembly import assemble
from computemarket.scenarios.schema import load_scenario

LATER = FIRST + 12


def market_at(quarter, runs=8, **settings):
    pairs = {f"finance.{key}": value for key, value in settings.items()}
    market = assemble(load_scenario("baseline").with_settings(pairs), np.arange(runs), frozenset())
    while market.quarter < quarter:
        market.step()
    return market


def test_exposures_are_loans_guarantees_and_contracts():
    market = market_at(LATER)
    web, state, lost = market.cast.credit_web, market.state, 1 - market.value("finance.recovery")
    web._draw_up()
    place = {name: slot for slot, name in enumerate(web.names)}
    cloud, slot = place["coreweave"], market.world.operator("coreweave")
    assert web.exposure_usd[:, place["lenders"], cloud] == pytest.approx(lost * state.debt_usd[:, slot])
    guaranteed = market.cast.operator_regimes.guaranteed_usd[:, 0]
    owed = web.exposure_usd[:, place["nvidia"], cloud]
    assert owed == pytest.approx(guaranteed + state.ai_capex_usd[:, slot])
    promised = web.exposure_usd[:, :, place["labs"]].sum(axis=1)
    rented = np.take(state.lab_compute_usd, web.labs, axis=1).sum(axis=1)
    west = np.take(state.rental_revenue_usd, [*web.clouds, *web.large], axis=1).sum(axis=1)
    part = west / state.rental_revenue_usd.sum(axis=1)
    assert promised == pytest.approx(lost * part * rented * market.value("finance.contract_quarters") / 2)
    assert np.trace(web.exposure_usd, axis1=1, axis2=2).sum() == 0


def test_a_test_that_takes_nothing_from_sound_clouds_finds_no_risk():
    market = market_at(LATER, stress_test_fall=0.0)
    market.state.debt_cover[:] = 5.0
    market.state.funding_ratio[:] = 1.0
    market.cast.credit_web.settle()
    assert (market.cast.credit_web.risk == 0).all()


def test_risk_rises_with_the_fall_and_differs_between_runs():
    mild, hard = (market_at(LATER, stress_test_fall=fall).cast.credit_web.risk for fall in (0.2, 0.6))
    assert (hard >= mild).all()
    assert hard.mean() > mild.mean()
    assert hard.std() > 0.005


def test_a_failure_costs_most_where_lenders_hold_little_capital():
    market = market_at(LATER)
    web = market.cast.credit_web
    while (market.quarter - FIRST) % 4:
        market.quarter += 1
    web.settle()  # what stood there was drawn up at the last yearly review
    before = web.importance[:, 0].copy()
    market.state.debt_usd[:, web.clouds[0]] *= 5
    web.settle()
    assert (web.importance[:, 0] >= before).all()
    assert web.importance[:, 0].mean() > before.mean()


def test_supervisors_make_lenders_lend_less_beyond_what_they_tolerate():
    market = market_at(LATER, supervision_tolerance=0.0, supervision_response=2.0)
    web, state = market.cast.credit_web, market.state
    state.loan_share[:] = 0.5
    web.settle()
    left = np.take(state.loan_share, web.clouds, axis=1)
    assert left == pytest.approx(
        np.repeat(0.5 * np.maximum(1 - 2 * web.risk, 0.0)[:, None], len(web.clouds), axis=1)
    )
    assert left.min() < 0.5


def test_competition_authorities_see_the_measure(monkeypatch):
    market = market_at(LATER)
    seen = []
    real = competition.inquiry_hazard

    def hazard(conduct, weights):
        seen.append(real(conduct, weights))
        return seen[-1]

    monkeypatch.setattr(competition, "inquiry_hazard", hazard)
    for risk in (0.0, 0.5):
        market.state.systemic_risk[:] = risk
        market.cast.authorities[0].regulate()
    assert (seen[1] > seen[0]).all()


def test_nothing_is_tested_before_2026():
    web = market_at(FIRST).cast.credit_web
    assert web.risk.sum() == web.exposure_usd.sum() == 0
