"""How enterprises buy: machines or services, budgets, entry, and what the market makes of it."""

import numpy as np
import pytest

from computemarket.agents.buyers.procurement import API, CREDITS, FIRST, OWN, SUBSCRIPTION
from computemarket.model.core.calendar import quarters_since_start
from computemarket.scenarios.assembly import assemble
from computemarket.scenarios.batches.ensemble import prepare, simulate_chunk
from computemarket.scenarios.schema import load_scenario

RUNS = np.arange(8)
DATE = quarters_since_start("2027Q1")


def market_at(quarter, **settings):
    pairs = {f"procurement.{key}": value for key, value in settings.items()}
    market = assemble(load_scenario("baseline").with_settings(pairs), np.arange(4), frozenset())
    while market.quarter < quarter:
        market.step()
    return market


@pytest.fixture(scope="module")
def usual():
    return market_at(FIRST + 6)


def test_shares_of_the_ways_to_buy_add_up(usual):
    assert usual.cast.procurement.shares.sum(axis=2) == pytest.approx(1.0)


def test_machines_that_stand_idle_are_bought_less(usual):
    busy, idle = (market_at(FIRST + 1, own_utilisation=used).cast.procurement for used in (0.6, 0.05))
    assert (idle.shares[:, :, OWN] < busy.shares[:, :, OWN]).all()


def test_whoever_minds_swings_of_cost_subscribes():
    calm, wary = (market_at(FIRST + 3, variance_penalty=fear).cast.procurement for fear in (0.0, 20.0))
    assert (wary.shares[:, :, SUBSCRIPTION] >= calm.shares[:, :, SUBSCRIPTION]).all()
    assert (wary.shares[:, :, API] <= calm.shares[:, :, API]).all()


def test_a_dearer_subscription_loses_to_use_by_the_token():
    cheap, dear = (market_at(FIRST + 1, subscription_markup=markup).cast.procurement for markup in (0.0, 0.5))
    assert (dear.shares[:, :, SUBSCRIPTION] < cheap.shares[:, :, SUBSCRIPTION]).all()
    assert (dear.shares[:, :, API] > cheap.shares[:, :, API]).all()


def test_credits_are_chosen_because_they_are_on_offer(usual):
    assert (usual.cast.leader.platform.stage > 0).all()
    assert (usual.cast.procurement.shares[:, :, CREDITS] > 0).all()


def test_enterprises_order_own_machines_in_proportion_to_those_that_still_want_them(usual):
    buyers, state = usual.cast.procurement, usual.state
    state.wanted_h100e[:, buyers.members] = 100.0
    buyers.invest()
    kept = buyers.shares[:, :, OWN] / buyers.first_own
    assert np.take(state.wanted_h100e, buyers.members, axis=1) == pytest.approx(100.0 * kept)


def test_a_tight_budget_holds_use_back_late_in_the_year_and_a_loose_one_does_not():
    tight, loose = (market_at(FIRST + 4, budget_growth_cap=cap).cast.procurement for cap in (0.0, 10.0))
    assert (tight.budget_usd < loose.budget_usd).all()
    assert (tight.served_share < loose.served_share).any()
    assert (tight.served_share <= loose.served_share + 1e-9).all()


def test_spending_of_a_year_stays_within_its_budget(usual):
    buyers = usual.cast.procurement
    assert (buyers.spent_usd <= buyers.budget_usd * (1 + 1e-12)).all()
    assert buyers.left_usd + buyers.spent_usd == pytest.approx(buyers.budget_usd)


def test_a_cheaper_start_brings_enterprises_in_sooner(usual):
    buyers = market_at(
        FIRST + 6, attraction_services_growth=[{"from": "2026Q2", "value": 0.5}]
    ).cast.procurement
    assert (buyers.adopted > buyers.adopted_as_before).all()
    assert (buyers.adopted > usual.cast.procurement.adopted).all()


def test_what_enterprises_spend_turns_from_capital_to_operating_expense():
    found = simulate_chunk(prepare("baseline", seed=1), RUNS).array("enterprise_capex_share")[:, :, 0]
    assert (found[:, FIRST + 16] < found[:, FIRST]).mean() >= 0.75
    assert found[:, FIRST + 16].mean() < found[:, FIRST].mean()
    assert found[:, DATE : DATE + 4].mean() < 0.4


def test_the_scenario_empties_own_machine_rooms_and_changes_nothing_before_its_date():
    found = [simulate_chunk(prepare(name, seed=1), RUNS) for name in ("baseline", "services_win")]
    before, after = (recorder.array("enterprise_option_share")[:, -1, OWN] for recorder in found)
    assert (after < before).all()
    for variable in found[0].series:
        one, other = (np.ascontiguousarray(recorder.array(variable)[:, :DATE]) for recorder in found)
        assert one.tobytes() == other.tobytes(), variable
