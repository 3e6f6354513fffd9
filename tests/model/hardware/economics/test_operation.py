"""Running accelerators: failures, steadiness, sharing, and the energy of a token."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from computemarket.model.hardware.economics.operation import (
    TokenEnergy,
    group_availability,
    sharing_gain,
    steadiness,
    token_energy,
)
from computemarket.model.hardware.specs.chips import chip_table
from computemarket.model.hardware.specs.models import model_table
from computemarket.model.hardware.specs.precision import FORMATS


def _energy(chip: str, model: str, name: str, batch: float, context: float, near: float = 0.0) -> TokenEnergy:
    chips, models = chip_table(), model_table()
    return token_energy(
        chips.arrays.take(np.array(chips.index(chip))),
        models.arrays.take(np.array(models.index(model))),
        np.array(FORMATS.index(name)),
        np.asarray(batch),
        np.asarray(context),
        near,
    )


def test_a_dense_8b_token_by_hand():
    """16-bit weights of 8.03 billion at batch 64: 251 MB, at 4 pJ a bit 8.0 mJ; 2 x 8.03e9 operations at 0.5 pJ."""
    weights = float(model_table().arrays.total[model_table().index("llama3_1_8b")])
    energy = _energy("nvidia_h100_sxm", "llama3_1_8b", "fp16", 64.0, 0.0)
    assert energy.far == pytest.approx(2 * weights / 64 * 8 * 4e-12)
    assert energy.arithmetic == pytest.approx(2 * weights * 0.5e-12)
    assert energy.near == 0.0


def test_what_cannot_be_avoided_is_below_what_was_measured():
    """ML.ENERGY: 0.12 to 0.20 J a token for Llama 3.1 8B on an H100 at batch 64, idle power and all."""
    assert 0.005 < _energy("nvidia_h100_sxm", "llama3_1_8b", "fp16", 64.0, 1000.0).total < 0.12


def test_weights_on_the_die_move_for_less_than_a_tenth():
    beside = _energy("nvidia_h100_sxm", "llama3_1_70b", "fp8", 1.0, 1000.0)
    on_die = _energy("groq_lpu_v1", "llama3_1_70b", "fp8", 1.0, 1000.0)
    assert on_die.far == 0.0
    assert on_die.near < 0.1 * beside.far


def test_a_cache_that_stays_near_saves_its_bytes():
    away, home = (
        _energy("nvidia_h100_sxm", "llama3_1_70b", "fp8", 64.0, 8000.0, near) for near in (0.0, 1.0)
    )
    assert home.total < away.total
    assert home.arithmetic == away.arithmetic


@given(st.floats(1, 4096), st.floats(1.1, 8))
def test_a_larger_batch_shares_the_weights(batch: float, more: float):
    one, many = (
        _energy("nvidia_gb200", "deepseek_v3", "fp4", b, 4000.0).total for b in (batch, batch * more)
    )
    assert many <= one * (1 + 1e-12)


def test_steady_machines_run_fuller():
    gpu, lpu = steadiness(np.array([False, True]))
    assert gpu == 1.0
    assert 1.0 < lpu < 1.1


def test_larger_groups_fail_more_often():
    few, many = group_availability(np.array([8.0, 1024.0]))
    assert few == pytest.approx(25000 / (25000 + 8 * 24))
    assert many < few


def test_slots_gain_more_the_more_workloads_are_small():
    gain = sharing_gain(np.array([0.0, 0.3, 0.6, 1.0]), 0.1, 0.9)
    assert gain[0] == pytest.approx(0.0)
    assert (np.diff(gain) > 0).all()
    assert 0.05 < gain[1] < 0.35  # mechanisms M5: 0.15, between 0.05 and 0.35, for a usual mixture
