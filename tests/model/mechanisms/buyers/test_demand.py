"""Demand for tokens."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from computemarket.model.core.parameters import schema
from computemarket.model.mechanisms.buyers.demand import (
    WORKLOADS,
    bass_step,
    closed_price_ceiling,
    open_model_price,
    physical_ai_load,
    quality_gap,
)

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
