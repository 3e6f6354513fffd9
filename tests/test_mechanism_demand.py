"""Demand for tokens."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from computemarket.model.mechanisms.choice import logit_shares
from computemarket.model.mechanisms.demand import (
    WORKLOADS,
    bass_step,
    choice_utility,
    closed_price_ceiling,
    open_model_price,
    physical_ai_load,
    price_index,
    quality_gap,
    task_mix,
    tier_affinity,
    tokens_wanted,
    volume,
    within_wage_bill,
)
from computemarket.model.parameters import schema

one = np.ones(1)


def test_a_bass_step_by_hand():
    np.testing.assert_allclose(bass_step(np.array([0.0, 0.5, 1.0]), 0.01, 0.1), [0.01, 0.53, 1.0])
    np.testing.assert_allclose(bass_step(np.array([50.0]), 0.01, 0.1, 100.0), [53.0])


@given(st.floats(0.001, 0.3), st.floats(0, 0.9))
def test_diffusion_never_falls_never_passes_the_market_and_gets_there(p, q):
    adopted = np.zeros(1)
    for _ in range(8000):
        later = bass_step(adopted, p, q)
        assert adopted <= later <= 1.0
        adopted = later
    assert adopted[0] == pytest.approx(1.0, abs=1e-3)


def test_utility_by_hand():
    found = choice_utility(one * np.e, one * np.e**2, one * 3, 1.5, 0.5, 0.1, 0.2, 0.3, 0.7)
    np.testing.assert_allclose(found, [-1.5 + 1.0 + 0.3 + 0.2 + 0.3 - 0.7])


@given(st.floats(0.01, 100.0), st.floats(0.8, 3.0))
def test_the_price_index_is_a_price(factor, alpha):
    price = np.array([[1.0, 2.0, 5.0]])
    base = price_index(-alpha * np.log(price), alpha)
    np.testing.assert_allclose(price_index(-alpha * np.log(price * factor), alpha), base * factor)
    np.testing.assert_allclose(price_index(-alpha * np.log(price[:, :1]), alpha), 1.0)
    assert base[0] < 1.0  # a choice is better than its cheapest option


def test_volume_has_one_elasticity_whatever_the_number_of_options():
    alpha, eps = 1.5, 1.3
    price = np.array([[1.0, 2.0, 5.0], [1.01, 2.02, 5.05]])
    wanted = volume(np.ones(2), np.ones(2), price_index(-alpha * np.log(price), alpha), 1.0, eps)
    assert np.log(wanted[1] / wanted[0]) / np.log(1.01) == pytest.approx(-eps)
    split = wanted[:, None] * logit_shares(-alpha * np.log(price))
    np.testing.assert_allclose(split.sum(axis=-1), wanted)


def test_volume_by_hand():
    np.testing.assert_allclose(volume(one * 10, one * 0.5, one * 0.25, 1.0, 1.5), [40.0])


@given(st.floats(0, 1e12), st.floats(1e-6, 1e3), st.floats(1.0, 1e12))
def test_spending_stays_under_the_wage_bill_and_small_spending_is_untouched(wanted, price, ceiling):
    kept = within_wage_bill(np.array([wanted]), np.array([price]), ceiling)[0]
    assert kept <= wanted
    assert kept * price <= ceiling * (1 + 1e-12)
    if wanted * price < 1e-6 * ceiling:
        assert kept == pytest.approx(wanted, rel=1e-6)


def test_without_a_ceiling_elastic_demand_diverges_and_with_it_not():
    price = 10.0 ** -np.arange(8.0)
    raw = volume(np.ones(8), np.ones(8), price, 1.0, 1.3)
    assert (raw * price)[-1] > 100
    spent = within_wage_bill(raw, price, 20.0) * price
    assert (np.diff(spent) > 0).all()
    assert spent[-1] <= 20.0


def test_faster_growing_classes_take_over_the_mix():
    mix = np.full((1, 3), 1 / 3)
    for _ in range(40):
        mix = task_mix(mix, np.array([0.0, 0.1, 0.3]))
        assert mix.sum() == pytest.approx(1.0)
    assert mix[0, 2] > 0.99
    np.testing.assert_allclose(task_mix(np.full((1, 2), 0.5), np.full(2, 0.4)), 0.5)


def test_tokens_are_tasks_times_length():
    per_task = np.array([1500.0, 8000.0])
    np.testing.assert_allclose(tokens_wanted(np.array([[2.0, 1.0]]), per_task), [[3000.0, 8000.0]])
    np.testing.assert_allclose(
        tokens_wanted(np.array([[2.0, 1.0]]), per_task, np.array([np.log(2)])), [[6000, 16000]]
    )


def test_interactive_classes_take_faster_tiers_than_batch():
    speed, price = np.array([20.0, 80.0, 750.0]), np.array([[0.4, 6.0, 150.0]])
    shares = logit_shares(tier_affinity(speed, price, np.array([0.1, 1.0, 2.5]), 1.5))
    mean_speed = (shares * np.log(speed)).sum(axis=-1)[0]
    assert shares.shape == (1, 3, 3)
    assert (np.diff(mean_speed) > 0).all()


def test_open_models_cap_what_closed_ones_can_ask():
    gap = quality_gap(np.array([0.0, 3.0, -1.0]), 0.1)
    np.testing.assert_allclose(closed_price_ceiling(np.full(3, 2.0), gap, 3.0), [2.0, 3.8, 2.0])
    np.testing.assert_allclose(open_model_price(one * 2, 0.2), [2.4])


def test_robots_by_hand():
    edge, cloud = physical_ai_load(np.array([100.0]), np.array([10.0]), 0.1, 50.0, 2.0)
    np.testing.assert_allclose([edge[0], cloud[0]], [1.0, 700.0])


def test_every_workload_class_has_its_parameters():
    names = schema()
    for workload in WORKLOADS:
        for area in ("tokens_per_task", "speed_weight", "task_share_start", "task_growth_ln"):
            assert f"demand.{area}_{workload}" in names
    assert sum(names[f"demand.task_share_start_{w}"].default for w in WORKLOADS) == pytest.approx(1.0)
