"""The frontier: layouts and batches swept, the best kept at every speed."""

from dataclasses import replace
from time import perf_counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from computemarket.errors import InputError
from computemarket.model.hardware.chips import chip_table
from computemarket.model.hardware.frontier import (
    LAYOUTS,
    Service,
    Sweep,
    frontiers,
    layouts_within,
    own_format,
    rate_at_speed,
    sweep,
    sweep_on_chip,
)
from computemarket.model.hardware.models import model_table
from computemarket.model.hardware.precision import FORMATS

CHAT = Service(1024, 1024)
SPEEDS = np.geomspace(5.0, 2000.0, 24)


def _rate(
    chip: str, model: str = "deepseek_r1", service: Service = CHAT, precision: str | None = None
) -> np.ndarray:
    return frontiers([chip], [model], service, SPEEDS, precision).rate[0, 0]


def _points(speed: list[float], rate: list[float]) -> Sweep:
    shape = (1, 1, len(speed))
    return Sweep(np.reshape(speed, shape), np.reshape(rate, shape), np.ones(shape), np.ones(shape))


def test_between_two_batches_the_rate_is_a_power_of_the_speed() -> None:
    rate, _ = rate_at_speed(_points([100.0, 25.0], [10.0, 1000.0]), np.array([50.0]))
    assert rate[0, 0] == pytest.approx(100.0)


def test_a_speed_below_all_batches_gets_the_largest_and_one_above_all_gets_nothing() -> None:
    rate, _ = rate_at_speed(_points([100.0, 25.0], [10.0, 1000.0]), np.array([5.0, 101.0]))
    assert rate[0].tolist() == pytest.approx([1000.0, 0.0])


def test_the_better_layout_counts_at_each_speed() -> None:
    speed = np.array([[[100.0, 50.0], [60.0, 20.0]]])
    rate = np.array([[[10.0, 20.0], [15.0, 80.0]]])
    found, layout = rate_at_speed(Sweep(speed, rate, rate, rate), np.array([20.0, 90.0]))
    assert found[0, 0] == pytest.approx(80.0)
    assert layout[0].tolist() == [1, 0]


@pytest.mark.parametrize(
    "chip", ["nvidia_l4", "nvidia_gb200", "google_tpu_v5e", "groq_lpu_v1", "cerebras_wse3"]
)
def test_throughput_never_rises_with_the_speed_of_a_user(chip: str) -> None:
    assert (np.diff(_rate(chip)) <= 1e-9).all()


@settings(max_examples=15, deadline=None)
@given(st.sampled_from(["nvidia_h100_sxm", "amd_mi355x", "google_tpu_v7_ironwood"]), st.floats(1.1, 4.0))
def test_more_accepted_tokens_per_step_never_lower_the_frontier(chip: str, accepted: float) -> None:
    assert (_rate(chip, service=replace(CHAT, accepted=accepted)) >= _rate(chip) * (1 - 1e-9)).all()


@pytest.mark.parametrize("change", [{"cached_share": 0.9}, {"headroom": 1.0}, {"memory_share": 0.95}])
def test_cached_prompts_busier_pools_and_more_memory_never_hurt(change: dict[str, float]) -> None:
    # Another memory share moves the batches tried, so points between two of them move a little as well.
    assert (
        _rate("nvidia_h200_sxm", service=replace(CHAT, **change)) >= _rate("nvidia_h200_sxm") * 0.98
    ).all()


def test_prompts_apart_never_slow_a_user_down() -> None:
    chip = np.array([chip_table().index("nvidia_b200_sxm")])
    model, code = model_table().index("deepseek_r1"), np.array([FORMATS.index("fp4")])
    apart, together = (sweep(chip, model, code, replace(CHAT, apart=flag)) for flag in (True, False))
    assert (apart.speed >= together.speed).all()


def test_a_model_that_fits_nowhere_has_no_frontier() -> None:
    one_chip = layouts_within(1.0)
    chip = np.array([chip_table().index("nvidia_l4")])
    points = sweep(chip, model_table().index("deepseek_r1"), np.array([FORMATS.index("fp8")]), CHAT, one_chip)
    assert points.rate.max() == 0.0
    assert points.speed.max() == 0.0


def test_layouts_within_a_domain_are_those_no_larger() -> None:
    assert layouts_within(8.0).chips.max() == 8.0
    assert layouts_within(1e9).chips.size == LAYOUTS.chips.size


def test_each_chip_serves_in_the_narrowest_format_of_its_own() -> None:
    chips = chip_table()
    places = np.array([chips.index(n) for n in ("nvidia_a100_80gb_sxm", "nvidia_h100_sxm", "nvidia_gb200")])
    assert [FORMATS[c] for c in own_format(chips, places)] == ["int8", "fp8", "fp4"]


def test_machines_with_weights_on_the_chip_reach_speeds_that_gpus_do_not() -> None:
    found = frontiers(["nvidia_gb200", "cerebras_wse3"], ["gpt_oss_120b"], CHAT, np.array([100.0, 1000.0]))
    gpu, wafer = found.top_speed[:, 0]
    assert wafer > 1.5 * gpu
    assert found.rate[0, 0, 1] == 0.0 < found.rate[1, 0, 1]


def test_pipelines_that_are_a_third_full_yield_a_third() -> None:
    chip, model, code = (
        np.array([chip_table().index("groq_lpu_v1")]),
        model_table().index("llama3_1_70b"),
        np.array([FORMATS.index("int8")]),
    )
    service = Service(0.0, 1024)
    full, third = (sweep_on_chip(chip, model, code, replace(service, on_chip_fill=f)) for f in (1.0, 1 / 3))
    np.testing.assert_allclose(third.rate, full.rate / 3)


def test_the_frontier_of_gb200_meets_its_published_points_within_half() -> None:
    """Published: 4,130 tokens/s per GPU at 125 tokens/s per user, DeepSeek-R1 FP4 with multi-token prediction."""
    service = Service(1024, 1024, accepted=2.0)
    rate = frontiers(["nvidia_gb200"], ["deepseek_r1"], service, np.array([125.0]), "fp4").rate[0, 0, 0]
    assert 4130 / 1.5 < rate < 4130 * 1.5


def test_all_accelerators_and_twenty_models_take_less_than_two_seconds() -> None:
    ids, models = chip_table().ids, model_table().ids[:20]
    frontiers(ids[:2], models[:1], CHAT, SPEEDS)
    start = perf_counter()
    found = frontiers(ids, models, CHAT, SPEEDS)
    assert perf_counter() - start < 2.0
    assert np.isfinite(found.rate).all()


def test_a_chip_gives_the_same_frontier_alone_and_in_company() -> None:
    alone = _rate("nvidia_h200_sxm")
    together = frontiers(["amd_mi300x", "nvidia_h200_sxm"], ["deepseek_r1"], CHAT, SPEEDS).rate[1, 0]
    np.testing.assert_array_equal(alone, together)


@pytest.mark.parametrize(
    ("chip", "model", "precision"),
    [
        ("nvidia_x1", "deepseek_r1", "fp8"),
        ("nvidia_gb200", "gpt_9", "fp8"),
        ("nvidia_gb200", "deepseek_r1", "fp3"),
    ],
)
def test_unknown_names_are_one_line(chip: str, model: str, precision: str) -> None:
    with pytest.raises(InputError, match="is not"):
        frontiers([chip], [model], CHAT, SPEEDS, precision)
