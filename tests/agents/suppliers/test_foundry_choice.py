"""Later generations of the second line move to the lead foundry where it pays, and take packages there."""

import numpy as np
import pytest

from computemarket.agents.suppliers.foundry_choice import FIRST
from computemarket.analysis.results.measures import measure
from computemarket.analysis.results.series import panels_from_recorder
from computemarket.model.core.calendar import quarters_since_start
from computemarket.scenarios.assembly import assemble
from computemarket.scenarios.batches.ensemble import prepare, simulate_chunk
from computemarket.scenarios.schema import load_scenario

RUNS = np.arange(16)
DATE = quarters_since_start("2026Q3")
CERTAIN = {"integration_gain": 0.5, "integrated_work": 0.5, "source_switch_usd": 0}


def market_at(quarter, **settings):
    pairs = {f"supply.{key}": value for key, value in settings.items()}
    market = assemble(load_scenario("baseline").with_settings(pairs), np.arange(4), frozenset())
    while market.quarter < quarter:
        market.step()
    return market


def test_the_first_generation_stays_and_a_later_one_moves_for_a_large_gain():
    market = market_at(FIRST + 14, **CERTAIN)
    choice = market.cast.foundry_choice
    assert not choice.at_lead[:, 0].any()
    assert choice.at_lead[:, 1].all()


def test_nothing_moves_where_moving_loses_or_costs_too_much():
    dear = market_at(
        FIRST + 14, **(CERTAIN | {"integrated_work": 0.1, "source_switch_usd": 5e9, "horizon_quarters": 1})
    )
    worse = market_at(FIRST + 14, integration_gain=-0.5, integrated_work=-0.5)
    assert not dear.cast.foundry_choice.at_lead.any()
    assert not worse.cast.foundry_choice.at_lead.any()


def test_cost_of_a_good_die_by_hand():
    plain = {
        "second_source_yield_start": 0.6, "second_source_yield_ceiling": 0.9, "lead_yield": 0.8,
        "lead_wafer_premium": 0.2, "queue_weight": 0, "integration_gain": 0.1,
    }  # fmt: skip
    choice = market_at(FIRST, **plain).cast.foundry_choice
    second, lead = choice._cost_factors()
    assert second == pytest.approx(1.0)  # nothing made, nothing learned
    assert lead == pytest.approx(1.2 * 0.6 / 0.8 * 0.9)
    choice.made_second = np.full(4, 1e12)
    assert choice._cost_factors()[0] == pytest.approx(0.6 / 0.9)


def test_a_move_is_decided_once_paid_once_and_lands_after_its_time():
    market = market_at(FIRST, **(CERTAIN | {"source_switch_usd": 1e8, "move_quarters": 5}))
    choice, paid, landed = market.cast.foundry_choice, [], []
    for _ in range(16):
        market.step()
        paid.append(market.ledger.flows.get("moves to another foundry", np.zeros(4)).copy())
        landed.append(choice.at_lead[:, 1].copy())
    paid, landed = np.array(paid), np.array(landed)
    assert paid.sum(axis=0) == pytest.approx(np.full(4, 1e8))
    arrival = np.maximum(paid.argmax(axis=0) + 5, choice.launch_due[1] - FIRST)
    assert landed.argmax(axis=0).tolist() == arrival.tolist()


def test_what_moved_takes_packages_at_the_lead_foundry():
    moved, stayed = market_at(FIRST + 12, **CERTAIN), market_at(FIRST + 12, integrated_work=-0.5)
    place = moved.cast.foundry_choice.places[1]
    assert (moved.state.packaging_used[:, place] > 0).all()
    assert (stayed.state.packaging_used[:, place] == 0).all()


@pytest.fixture(scope="module")
def compared():
    return [simulate_chunk(prepare(name, seed=1), RUNS) for name in ("baseline", "lpu_back_to_tsmc")]


def test_back_at_the_lead_foundry_the_line_sells_more_and_fast_tokens_get_cheaper(compared):
    moved = [found.array("made_at_lead_foundry")[:, -1, 1] for found in compared]
    assert moved[1].mean() > moved[0].mean()
    assert 0 < moved[0].mean() < 1  # in the baseline some runs move and some stay
    panels = [panels_from_recorder(found, "", RUNS.tolist()) for found in compared]
    before, after = (measure("token_price_ultra").at(panel, "2030") for panel in panels)
    assert (after < before).mean() >= 0.75
    share = [found.array("lpu_share_of_work")[:, -8:, 0].mean(axis=1) for found in compared]
    assert (share[1] > share[0]).mean() >= 0.9
    for variable in compared[0].series:
        one, other = (np.ascontiguousarray(found.array(variable)[:, :DATE]) for found in compared)
        assert one.tobytes() == other.tobytes(), variable
