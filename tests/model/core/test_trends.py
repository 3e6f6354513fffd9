"""Rates act from their date on: what earlier years grew, learnt or lost stays as it was."""

import numpy as np
import pytest

from computemarket.model.core.calendar import quarters_since_start
from computemarket.scenarios.assembly import assemble
from computemarket.scenarios.batches.ensemble import prepare

CHANGE = quarters_since_start("2027Q1")
FEW = np.arange(4)


def market_at(quarter, settings):
    two = assemble(prepare("baseline", seed=1).with_settings(settings), FEW, frozenset())
    while two.quarter <= quarter:
        two.step()
    return two


@pytest.fixture(scope="module")
def usual():
    return market_at(CHANGE, {})


RATES = (  # parameter, its value from 2027Q1 on, level, whether the level moves in logarithms
    ("chips.software_catch_up", 0.5, "software_gap", True),
    ("chips.card_fade", 0.9, "card_budget_share", True),
    ("hours.captive_growth", 0.0, "captive_usd_per_year", True),
    ("tokens.markup_erosion", 0.5, "token_markup", False),
    ("tokens.efficiency_growth_ln", 1.0, "token_efficiency_ln", False),
    ("tokens.capability_growth_ln", 0.0, "capability_ln", False),
    ("tokens.wage_growth", 0.2, "wage_growth", True),
    ("tokens.growth_fade_quarters", 4, "use_growth_left", True),
    ("custom.porting_learning", 0.9, "porting_left", True),
    ("capex.lasting_growth", 0.3, "business_growth", True),
    ("capex.growth_fade", 1.0, "business_growth", True),
)
A_QUARTER_AT_MOST = 0.3  # ln, or of the level: more than any of these rates moves it in a quarter


@pytest.mark.parametrize(("parameter", "changed", "level", "logs"), RATES)
def test_a_rate_that_changes_moves_its_level_by_one_quarter_not_by_all_years_since_2022(
    usual, parameter, changed, level, logs
):
    other = market_at(CHANGE, {parameter: [{"from": "2027Q1", "value": changed}]})
    before, after = getattr(usual.state, level), getattr(other.state, level)
    assert (before != after).any(), "the rate acts"
    before, after = before[before != after], after[before != after]  # some are nought for ever
    moved = np.log(after / before) if logs else (after - before) / np.maximum(np.abs(before), 1.0)
    assert np.abs(moved).max() < A_QUARTER_AT_MOST


def test_with_steady_rates_levels_are_those_of_their_closed_forms(usual):
    value, state, years = usual.value, usual.state, CHANGE / 4
    end, start = value("tokens.markup_long_run"), value("tokens.markup_2023")
    since = CHANGE - quarters_since_start("2023Q1")
    markup = end + (start - end) * np.exp(-value("tokens.markup_erosion") * since)
    np.testing.assert_allclose(state.token_markup, markup, rtol=1e-12)
    aged = years / (1 + value("hours.captive_fade") * years)
    captive = (
        value("hours.captive_2022_usd_bn") * 1e9 * np.exp(np.log1p(value("hours.captive_growth")) * aged)
    )
    np.testing.assert_allclose(state.captive_usd_per_year, captive, rtol=1e-12)
    at_reference = value("tokens.efficiency_growth_ln") * (CHANGE - quarters_since_start("2026Q1")) / 4
    np.testing.assert_allclose(state.token_efficiency_ln, at_reference, atol=1e-12)
