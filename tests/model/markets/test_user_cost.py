"""What an hour of an accelerator costs, by hand, and that dearer inputs reach tokens, chips and building."""

import numpy as np
import pytest

from computemarket.model.core.calendar import quarters_since_start
from computemarket.model.markets import user_cost
from computemarket.scenarios.assembly import assemble
from computemarket.scenarios.batches.ensemble import prepare

CHANGE = quarters_since_start("2027Q1")
LAST = quarters_since_start("2028Q4")
MANY = np.arange(24)
DEARER = {
    "electricity": {"power.price_usd_per_mwh": 300},
    "capital": {"capex.discount_rate": 0.18},
    "interest": {"finance.risk_free": 0.12},
    "shell": {"capex.shell_usd_per_mw": 36e6},
}


def test_an_hour_costs_capital_shell_power_and_upkeep(market_after):
    market = market_after(
        capex__discount_rate=0.1, chips__life_years=5, hardware__shell_life=15, capex__shell_usd_per_mw=10e6,
        power__price_usd_per_mwh=50, hardware__other_opex_share=0.03,
    )  # fmt: skip
    place = market.world.products.ids.index("nvidia_a100_80gb_sxm")
    system = float(user_cost.system_price_usd(market)[0, place])
    kw = float(market.rates.power_kw[place])
    # payments per dollar: 0.1 / (1 - 1.1^-5) = 0.263797, and 0.1 / (1 - 1.1^-15) = 0.131474
    by_hand = system * (0.2637975 + 0.03) / 8766 + kw * 10_000 * 0.1314738 / 8766 + kw * 0.05
    assert user_cost.hour_cost_usd(market)[0, place] == pytest.approx(by_hand, rel=1e-6)


def test_loans_at_the_usual_cost_of_capital_add_nothing_and_dearer_ones_add(market_after):
    market = market_after(capex__discount_rate=0.1, chips__life_years=5)
    state = market.state
    state.loan_rate_per_year[:] = 0.1
    np.testing.assert_allclose(user_cost.spread_usd_per_hour(market), 0.0, atol=1e-12)
    state.loan_rate_per_year[:, 0], state.loan_share[:, 0] = 0.2, 0.5
    # half lent at 20%, half at 10%: 15%; 0.15 / (1 - 1.15^-5) = 0.2983156 against 0.2637975
    extra = state.cost_per_h100e_usd[:, 0] * (0.2983156 - 0.2637975) / 8766
    np.testing.assert_allclose(user_cost.spread_usd_per_hour(market)[:, 0], extra, rtol=1e-5)


def outcomes(settings):
    """Return mean token price, orders' cost mix, stock and spending of 2028, and the work per kW of what is bought."""
    dated = {name: [{"from": "2027Q1", "value": value}] for name, value in settings.items()}
    market = assemble(prepare("baseline", seed=1).with_settings(dated), MANY, frozenset())
    capex = 0.0
    while market.quarter <= LAST:
        market.step()
        if market.quarter == CHANGE + 1:  # before anything else has answered
            ordered = market.state.ordered_units.sum(axis=1) * market.structure.flagship
        if market.quarter > CHANGE:
            capex = capex + market.state.ai_capex_usd.sum(axis=1)
    state = market.state
    per_kw = (ordered * market.state.work).sum(axis=1) / (ordered * market.rates.power_kw).sum(axis=1)
    return {
        "token": state.token_price_usd_per_mtok[:, 0, 1:3],
        "compute": market.state.work_h100e.sum(axis=1),
        "capex": capex,
        "work_per_kw": per_kw,
    }


@pytest.fixture(scope="module")
def usual():
    return outcomes({})


@pytest.mark.parametrize("name", DEARER)
def test_a_dearer_input_makes_tokens_dearer_and_compute_scarcer(usual, name):
    dearer = outcomes(DEARER[name])
    assert (np.median(dearer["token"] / usual["token"], axis=0) > 1.005).all()
    assert np.median(dearer["compute"] / usual["compute"]) < 0.995


def test_dear_electricity_lowers_spending_and_turns_buyers_to_chips_that_draw_less(usual):
    dearer = outcomes(DEARER["electricity"])
    assert np.median(dearer["capex"] / usual["capex"]) < 0.95
    assert np.median(dearer["work_per_kw"] / usual["work_per_kw"]) > 1.0, (
        "work of what is ordered at once, per kW"
    )
