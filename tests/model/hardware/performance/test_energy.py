"""Energy per token: hand-worked, limits, the published anchor."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from computemarket.model.hardware.performance.energy import (
    chip_power_w,
    decode_power_w,
    dynamic_joules,
    joules_per_token,
)
from computemarket.model.hardware.performance.frontier import replicas
from computemarket.model.hardware.performance.serving import Requests, output_rate
from computemarket.model.hardware.specs.chips import chip_table
from computemarket.model.hardware.specs.models import model_table
from computemarket.model.hardware.specs.precision import FORMATS

IDLE_SHARE = 0.15  # assumption; an H100 idles near 100 of 700 W
COMPUTE_WEIGHT, MEMORY_WEIGHT = 0.6, 0.55  # assumption; steady serving draws near 0.7 of a node's maximum


def test_an_idle_chip_draws_idle_power_and_a_busy_one_its_limit():
    busy = np.array([0.0, 1.0])
    assert chip_power_w(100.0, np.array(700.0), busy, busy, 0.6, 0.55).tolist() == [100.0, 700.0]


def test_memory_alone_busy_draws_its_share():
    assert chip_power_w(100.0, np.array(700.0), np.array(0.0), np.array(1.0), 0.6, 0.5) == pytest.approx(
        400.0
    )


def test_joules_per_token_by_hand():
    assert joules_per_token(8, np.array(500.0), 2000.0, np.array(12000.0), 1.2) == pytest.approx(0.6)


def test_without_tokens_energy_per_token_has_no_bound():
    assert joules_per_token(8, np.array(500.0), 2000.0, np.array(0.0), 1.2) == np.inf


def test_moving_one_gigabyte_from_stacked_memory_costs_thirty_two_millijoules():
    assert dynamic_joules(1e9, 0.0, 0.0, 4.0, 0.3, 0.25) == pytest.approx(0.032)


def test_bytes_that_stay_on_the_chip_cost_less():
    far, near = dynamic_joules(1e9, 0.0, 0.0, 4.0, 0.3, 0.25), dynamic_joules(0.0, 1e9, 0.0, 4.0, 0.3, 0.25)
    assert far / near == pytest.approx(4.0 / 0.3)


@given(u=st.floats(0.0, 1.0), v=st.floats(0.0, 1.0), more=st.floats(0.0, 0.5))
def test_more_work_never_draws_less_and_never_beyond_the_limit(u, v, more):
    def power(compute: float, memory: float) -> float:
        return float(chip_power_w(100.0, np.array(700.0), np.array(compute), np.array(memory), 0.6, 0.55))

    assert 100.0 <= power(u, v) <= power(min(u + more, 1.0), min(v + more, 1.0)) <= 700.0


def test_an_8b_model_on_one_h100_meets_the_measured_energy_of_a_token_within_a_factor_of_two():
    """ML.ENERGY measured 0.12 J (vLLM 0.11.1) per token at batch 64, the GPU alone (0.20 J a year before)."""
    place = np.array([chip_table().index("nvidia_h100_sxm")])
    alone = replicas(place, model_table().index("llama3_1_8b"), np.array([FORMATS.index("fp16")])).at(
        (0, 0, 0)
    )
    requests, batch = Requests(np.array(500.0), np.array(500.0)), np.array(64.0)
    watts = decode_power_w(
        alone, requests, batch, np.array(700.0), IDLE_SHARE, COMPUTE_WEIGHT, MEMORY_WEIGHT,
    )  # fmt: skip
    joules = joules_per_token(1, watts, 0.0, output_rate(alone, requests, batch), 1.0)
    assert 0.06 < joules < 0.24
