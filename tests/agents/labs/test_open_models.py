"""Open models as a ceiling on closed ones, and buyers without habits: by hand, at their limits, in the market."""

import numpy as np
import pytest

from computemarket.analysis.results.measures import measure
from computemarket.analysis.results.series import panels_from_recorder
from computemarket.model.core.calendar import quarters_since_start
from computemarket.scenarios.assembly import assemble
from computemarket.scenarios.batches.ensemble import prepare, simulate_chunk
from computemarket.scenarios.schema import load_scenario

RUNS = np.arange(8)
FIRST, CHANGE = (quarters_since_start(quarter) for quarter in ("2026Q1", "2027Q1"))
OPEN = {
    "demand.frontier_progress": 0.1, "demand.open_lag_quarters": 2, "demand.open_release_hazard": 0,
    "demand.open_markup": 0.2, "demand.open_premium_per_gap": 3, "demand.open_contested_share": 0.5,
    "demand.open_release_slip": 1, "demand.frontier_funding_weight": 0, "demand.open_size_weight": 0,
    "demand.open_share_start": 0.25, "demand.quality_weight": 2,
}  # fmt: skip


def market_at(quarter, settings):
    market = assemble(load_scenario("baseline").with_settings(settings), np.arange(4), frozenset())
    while market.quarter < quarter:
        market.step()
    return market


def test_a_release_closes_the_gap_to_its_lag_and_the_frontier_opens_it_again():
    models = market_at(FIRST + 2, OPEN).cast.open_models
    np.testing.assert_allclose(
        models.gap, 0.2
    )  # the leader's second model of 2026 is out, two quarters behind
    market = market_at(FIRST + 6, OPEN)
    np.testing.assert_allclose(market.cast.open_models.gap, 0.2 + 4 * 0.1)
    assert (market.cast.open_models.released == 2).all()


def test_a_planned_model_comes_when_it_no_longer_slips():
    due = quarters_since_start("2027Q2")
    assert (market_at(due + 3, OPEN).cast.open_models.out[:, -1] == 0).all()
    assert market_at(due + 1, OPEN | {"demand.open_release_slip": 0}).cast.open_models.out[:, -1].all()


def test_a_larger_model_of_the_leader_trails_less():
    settings = OPEN | {"demand.open_size_weight": 0.5}
    models = market_at(FIRST + 2, settings).cast.open_models
    np.testing.assert_allclose(models.gap, 0.2 * (550 / 120) ** -0.5)


def test_the_ceiling_binds_on_the_contested_part_and_only_by_what_changed():
    market = market_at(FIRST + 4, OPEN)
    models = market.cast.open_models
    first, now = 1.2 * (1 + 3 * (0.2 + 10 * 0.1)), 1.2 * (1 + 3 * 0.4)
    settings = {"tokens.markup_2023": 40, "tokens.markup_long_run": 10}  # closed models would ask far more
    market = market_at(FIRST + 4, OPEN | settings)
    models = market.cast.open_models
    np.testing.assert_allclose(models.first_ceiling, first)
    np.testing.assert_allclose(models.ceiling, now)
    agents = market.cast.software_buyers
    left = 1 - (agents.part - agents.first_part) * agents.saving
    np.testing.assert_allclose(market.state.markup_factor / left, 0.5 + 0.5 * now / first, rtol=1e-2)
    cheap = {"tokens.markup_2023": 1.05, "tokens.markup_long_run": 1.05, "demand.agent_potential": 0}
    assert market_at(FIRST + 4, OPEN | cheap).state.markup_factor == pytest.approx(
        1.0
    )  # no premium, nothing to cap


def test_labs_with_open_weights_win_where_the_gap_closes_and_shares_stay_whole():
    alone = {"demand.open_release_hazard": 5, "demand.agent_potential": 0, "startups.share_of_use": 0}
    market = market_at(FIRST + 8, OPEN | alone | {"demand.open_contested_share": 0})
    labs, state = market.labs, market.state
    for m in range(2):
        assert np.compress(labs.token_market == m, state.lab_paid_share, axis=1).sum(axis=1) == pytest.approx(
            1.0
        )
    plain = np.compress(labs.open_weights, state.lab_share, axis=1).sum(axis=1)
    assert (np.compress(labs.open_weights, state.lab_paid_share, axis=1).sum(axis=1) > plain).all()


def test_agents_take_the_cheapest_offer_whatever_its_brand_and_people_do_not():
    settings = {
        "demand.agent_sampled_offers": 100, "demand.agent_time_value_usd_per_h": 0, "demand.agent_failure_usd": 0,
        "demand.brand_premium": 0.2,
    }  # fmt: skip
    market = market_at(FIRST + 2, settings)
    buyers, west = market.cast.software_buyers, market.labs.token_market == 0
    people = np.where(west, buyers.people, np.inf)
    smallest = people.argmin(axis=1)
    chosen = np.take_along_axis(buyers.choice, smallest[:, None], axis=1)[:, 0]
    assert (chosen > 0.99).all()
    assert (np.take_along_axis(people, smallest[:, None], axis=1) < 0.2).all()
    assert (buyers.saving > 0.1).all()


def test_a_wallet_bounds_what_an_agent_buys_and_keeps_what_is_left():
    settings = {
        "demand.agent_share_start": 0.01,
        "demand.agent_potential": 0.01,
        "demand.agent_task_noise": 0,
    }
    poor = market_at(FIRST + 1, settings | {"demand.agent_budget_slack": 0.5, "demand.agent_fee": 0})
    buyers = poor.cast.software_buyers
    np.testing.assert_allclose(buyers.served, 0.5)
    np.testing.assert_allclose(buyers.spent_usd, 0.5 * 0.01 * buyers.plan_usd)
    np.testing.assert_allclose(buyers.wallet_usd, 0.0, atol=1.0)
    rich = market_at(FIRST + 1, settings | {"demand.agent_budget_slack": 1.5, "demand.agent_fee": 0})
    buyers = rich.cast.software_buyers
    np.testing.assert_allclose(buyers.served, 1.0)
    np.testing.assert_allclose(buyers.wallet_usd, 0.5 * 0.01 * buyers.plan_usd)


def test_a_startup_with_one_home_buys_from_one_lab_a_kind_and_with_more_homes_from_more():
    def split(homes):
        market = market_at(FIRST + 1, {"startups.homes": homes})
        startups, labs = market.cast.startups, len(market.labs.ids)
        routed = startups.routed(np.ones((4, labs)), np.arange(labs))
        assert routed.sum(axis=1) == pytest.approx(1.0)
        return routed

    one, all_labs = split(1), split(10)
    assert (one.max(axis=1) > all_labs.max(axis=1)).all()
    dear = np.ones((4, one.shape[1]))
    dear[:, 0] = 2.0
    startups = market_at(FIRST + 1, {"startups.homes": 3}).cast.startups
    labs = np.arange(dear.shape[1])
    assert (startups.routed(dear, labs)[:, 0] < startups.routed(np.ones_like(dear), labs)[:, 0]).all()


def test_what_wallets_do_not_pay_is_not_used():
    terms = {"demand.agent_potential": 0.01, "demand.agent_share_start": 0.01, "demand.agent_task_noise": 0}
    uses = [
        market_at(
            FIRST + 1, terms | {"demand.agent_fee": 0, "demand.agent_budget_slack": slack}
        ).state.use_factor
        for slack in (0.5, 1.0)
    ]
    np.testing.assert_allclose(uses[0] / uses[1], 1 - 0.01 * 0.5)


def test_labs_earn_by_whom_agents_choose_when_agents_buy_everything():
    everything = {"demand.agent_potential": 1, "demand.agent_bass_p": 0.2, "demand.agent_bass_q": 1}
    market = market_at(FIRST + 10, everything | {"demand.agent_share_start": 0.0001})
    state, west = market.state, market.labs.token_market == 0
    buyers = market.cast.software_buyers
    chosen, paid = np.where(west, buyers.choice, 0.0), np.where(west, state.lab_paid_share, 0.0)
    np.testing.assert_allclose(paid, chosen, atol=0.02)
    np.testing.assert_allclose(
        np.where(west, state.lab_revenue_usd, 0.0), paid * state.token_revenue_usd[:, :1], rtol=1e-9
    )
    assert np.abs(paid - np.where(west, state.lab_share, 0.0)).max() > 0.1


def test_startups_turn_to_the_labs_that_their_routes_turn_to():
    settings = {"startups.share_of_use": 1, "demand.agent_potential": 0}
    market = market_at(FIRST + 12, settings)
    buyers, west = market.cast.software_buyers, market.labs.token_market == 0
    turned = np.where(west, (buyers.route + 0.02) / (buyers.first_route + 0.02) * buyers.people, 0.0)
    turned /= turned.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(np.where(west, market.state.lab_paid_share, 0.0), turned, rtol=1e-9)
    assert np.abs(buyers.route - buyers.first_route).max() > 0.05


def test_dear_compute_in_china_delays_open_models():
    market = market_at(FIRST + 1, {"demand.open_release_hazard": 0.9, "demand.open_compute_weight": 5})
    models, state = market.cast.open_models, market.state
    counts = []
    for more in (0.0, 9.0):
        state.china_premium[:] = np.expm1(models.first_premium_ln + np.log1p(more))
        models.released[:] = 0
        for quarter in range(FIRST + 5, FIRST + 25):
            market.quarter = quarter
            models.launch()
        counts.append(models.released.copy())
    assert (counts[1] < counts[0] / 2).all()


@pytest.fixture(scope="module")
def compared():
    names = ("baseline", "open_models_lead", "open_models_stop", "agents_buy")
    return {name: simulate_chunk(prepare(name, seed=1), RUNS) for name in names}


@pytest.mark.parametrize("scenario", ["open_models_lead", "open_models_stop", "agents_buy"])
def test_scenarios_change_nothing_before_their_date(compared, scenario):
    for variable in compared["baseline"].series:
        one, other = (
            np.ascontiguousarray(compared[found].array(variable)[:, :CHANGE])
            for found in ("baseline", scenario)
        )
        assert one.tobytes() == other.tobytes(), variable


@pytest.mark.parametrize(
    ("scenario", "name", "sign", "year"),
    [
        ("open_models_lead", "token_markup", -1, "2029"),
        ("open_models_lead", "token_price_medium", -1, "2028"),
        ("open_models_lead", "world_tokens", +1, "2029"),
        ("open_models_lead", "open_token_share", +1, "2029"),
        ("open_models_lead", "coding_return", +1, "2028"),
        ("open_models_stop", "token_markup", +1, "2030"),
        ("open_models_stop", "world_tokens", -1, "2030"),
        ("agents_buy", "agent_bought_share", +1, "2029"),
        ("agents_buy", "token_markup", -1, "2030"),
    ],
)
def test_scenarios_move_the_market_as_their_lines_say(compared, scenario, name, sign, year):
    before, after = (
        measure(name).at(panels_from_recorder(compared[found], "", RUNS.tolist()), year)
        for found in ("baseline", scenario)
    )
    assert (np.sign(after - before) == sign).mean() >= 0.75, np.median(after / before)
