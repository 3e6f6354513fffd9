"""How enterprises buy compute."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from computemarket.model.mechanisms.buyers.procurement import (
    adoption_chance,
    capex_opex,
    entry_cost,
    gate,
    next_budget_usd,
    option_shares,
    own_cost_usd_per_mtok,
    user_cost_usd_per_h,
)


def shares(cost, variation=None, attraction=None, available=None, nest=1.0, penalty=2.0, sensitivity=1.5):
    size = (1, 1, 5)

    def full(values, default):
        return np.full(size, default) if values is None else np.array(values, dtype=float).reshape(size)

    given_cost = np.array(cost, dtype=float).reshape(size)
    return option_shares(
        given_cost,
        full(variation, 0.0),
        full(attraction, 0.0),
        full(available, 1.0),
        sensitivity,
        penalty,
        nest,
    )[0, 0]


def test_user_cost_by_hand():
    # 87 600 x (0.10 + 0.20 + 0.8 x 0.15) / 8760 + 0.5
    cost = user_cost_usd_per_h(np.array([87_600.0]), 0.10, 0.20, -0.15, np.array([0.5]))
    assert cost[0] == pytest.approx(4.7)


def test_falling_prices_make_owning_dearer():
    args = (np.array([3e4]), 0.1, 0.2)
    assert user_cost_usd_per_h(*args, -0.3, np.zeros(1)) > user_cost_usd_per_h(*args, 0.0, np.zeros(1))


def test_idle_machines_make_tokens_dear():
    cost = own_cost_usd_per_mtok(np.array([1.0, 1.0]), np.array([0.2, 0.8]), 1.0)
    np.testing.assert_allclose(cost, [5.0, 1.25])


def test_equal_options_share_equally_in_a_plain_logit():
    np.testing.assert_allclose(shares([1.0] * 5), 0.2)


def test_a_nested_logit_gives_similar_options_less_together():
    nested = shares([1.0] * 5, nest=0.5)
    # nests of 2 and 3 alike weigh sqrt(2) and sqrt(3)
    assert nested[:2].sum() == pytest.approx(2**0.5 / (2**0.5 + 3**0.5))


def test_shares_of_a_plain_logit_follow_cost():
    result = shares([1.0, 2.0, 1.0, 1.0, 1.0], sensitivity=1.0)
    assert result[1] / result[0] == pytest.approx(0.5)


def test_a_missing_option_gets_nothing_and_the_rest_add_to_one():
    result = shares([1.0] * 5, available=[0, 0, 1, 0, 1], nest=0.6)
    assert result.tolist() == [0, 0, 0.5, 0, 0.5]


def test_variance_drives_buyers_from_credits_to_subscriptions():
    calm = shares([1.0] * 5, nest=0.6)
    wild = shares([1.0] * 5, variation=[0, 0, 0, 1.0, 0], nest=0.6)
    assert wild[3] < calm[3]
    assert wild[4] > calm[4]


@given(st.lists(st.floats(0.01, 100), min_size=5, max_size=5), st.floats(0.1, 1.0), st.floats(1.01, 10))
def test_shares_add_up_and_a_dearer_option_never_gains(cost, nest, factor):
    before = shares(cost, nest=nest)
    dearer = [cost[0] * factor, *cost[1:]]
    after = shares(dearer, nest=nest)
    assert before.sum() == pytest.approx(1.0)
    assert after[0] <= before[0] + 1e-12
    assert (after[1:] >= before[1:] - 1e-12).all()


def test_a_year_of_gated_spend_never_exceeds_the_budget():
    left, total = np.array([100.0]), 0.0
    for quarters_left in (4, 3, 2, 1):
        spend, left = gate(np.array([80.0]), left, quarters_left)
        total += spend[0]
    assert total == pytest.approx(100.0)


def test_a_surge_waits_for_the_next_budget():
    spend, left = gate(np.array([80.0]), np.array([100.0]), 4)
    assert (spend[0], left[0]) == (50.0, 50.0)


def test_modest_wants_pass_the_gate():
    assert gate(np.array([20.0]), np.array([100.0]), 4)[0][0] == 20.0


def test_budgets_grow_to_what_was_wanted_but_not_past_cap_and_ceiling():
    spent = np.full(4, 100.0)
    wanted = np.array([150.0, 400.0, 400.0, 50.0])
    ceiling = np.array([1e9, 1e9, 180.0, 1e9])
    assert next_budget_usd(spent, wanted, 1.0, ceiling).tolist() == [150.0, 200.0, 180.0, 100.0]


def test_pay_per_use_brings_adopters_sooner():
    adopted = np.array([0.1])
    cheap = adoption_chance(adopted, 0.01, 0.1, np.array([0.05]), 1.0)
    dear = adoption_chance(adopted, 0.01, 0.1, np.array([1.5]), 1.0)
    assert dear[0] < cheap[0] < 0.02
    assert adoption_chance(adopted, 0.01, 0.1, np.zeros(1), 1.0)[0] == pytest.approx(0.02)


def test_entry_cost_is_the_share_weighted_mean():
    mean = entry_cost(np.array([[[0.5, 0, 0.5, 0, 0]]]), np.array([1.0, 0, 0.2, 0, 0]))
    np.testing.assert_allclose(mean, [[0.6]])


def test_capital_and_operating_expense_add_up_to_spend():
    spend = np.array([[[60.0, 0, 30.0, 0, 10.0], [20.0, 0, 0, 0, 80.0]]])
    capex, opex = capex_opex(spend, np.array([0.75, 0, 0, 0, 0]))
    assert (capex[0], opex[0]) == (60.0, 140.0)


def test_inside_a_nest_the_dissimilarity_sharpens_choice():
    result = shares([1.0, 2.0, 1.0, 1.0, 1.0], sensitivity=1.0, nest=0.5)
    assert result[1] / result[0] == pytest.approx(0.25)  # (1/2)^(1/0.5)


def test_output_below_the_service_level_is_paid_for_too():
    assert own_cost_usd_per_mtok(np.array([1.0]), np.array([0.5]), 0.8)[0] == pytest.approx(2.5)
