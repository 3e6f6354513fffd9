"""The frontier: it falls, it is the best of its points, and it does not depend on its company."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from computemarket.errors import InputError
from computemarket.model.catalogue import estimated_catalogue
from computemarket.model.hardware.performance.frontier import (
    Service,
    Sweep,
    frontiers,
    layouts_within,
    own_format,
    rate_at_speed,
    sweep,
    sweep_on_chip,
)
from computemarket.model.hardware.specs.chips import chip_table
from computemarket.model.hardware.specs.models import model_table
from computemarket.model.hardware.specs.precision import FORMATS

FIVE = ("nvidia_h100_sxm", "nvidia_gb200", "amd_mi355x", "google_tpu_v7_ironwood", "nvidia_groq3_lp30")
CHAT = Service(1024.0, 1024.0, accepted=2.0)
SPEEDS = np.geomspace(5.0, 2000.0, 60)


def one_line(speed, rate):
    shape = (1, 1, len(speed))
    return Sweep(np.reshape(speed, shape), np.reshape(rate, shape), np.ones(shape), np.ones(shape))


def test_between_two_batches_the_rate_is_interpolated_in_logarithms():
    points = one_line([100.0, 25.0], [10.0, 40.0])
    assert rate_at_speed(points, np.array([100.0, 50.0, 25.0]))[0][0] == pytest.approx([10.0, 20.0, 40.0])


def test_slower_than_the_slowest_point_gains_nothing_and_faster_than_the_fastest_is_out_of_reach():
    points = one_line([100.0, 25.0], [10.0, 40.0])
    assert rate_at_speed(points, np.array([1.0, 101.0]))[0][0].tolist() == pytest.approx([40.0, 0.0])


@settings(max_examples=15, deadline=None)
@given(
    chip=st.sampled_from(FIVE),
    model=st.sampled_from(["llama3_1_70b", "deepseek_r1", "gpt_oss_120b"]),
    prompt=st.sampled_from([256.0, 1024.0, 8192.0]),
)
def test_throughput_never_rises_with_speed(chip, model, prompt):
    rate = frontiers((chip,), (model,), replace(CHAT, input_tokens=prompt), SPEEDS).rate[0, 0]
    assert (np.diff(rate) <= 1e-9 * rate[0]).all()


def test_longer_prompts_never_serve_more():
    short, long = (
        frontiers(FIVE, ("deepseek_r1",), replace(CHAT, input_tokens=s), SPEEDS).rate for s in (512.0, 4096.0)
    )
    assert (long <= short * (1 + 1e-9)).all()


def test_speculation_is_faster_for_every_chip():
    plain, drafted = (
        frontiers(FIVE, ("deepseek_r1",), replace(CHAT, accepted=a), SPEEDS).top_speed for a in (1.0, 2.0)
    )
    assert drafted == pytest.approx(2.0 * plain)


def test_prompts_found_in_the_cache_leave_more_for_answers():
    cold, warm = (
        frontiers(FIVE, ("deepseek_r1",), replace(CHAT, cached_share=q), SPEEDS).rate for q in (0.0, 0.8)
    )
    reached = cold > 0
    assert (warm[reached] > cold[reached]).all()


def test_a_chip_alone_has_the_same_frontier_as_in_company():
    together = frontiers(FIVE, ("deepseek_r1", "llama3_1_70b"), CHAT, SPEEDS)
    for c, chip in enumerate(FIVE):
        alone = frontiers((chip,), ("llama3_1_70b",), CHAT, SPEEDS)
        assert (alone.rate[0, 0] == together.rate[c, 1]).all()


def test_a_larger_domain_keeps_the_speed_where_a_server_has_lost_it():
    """InferenceX: at 125 tokens/s a GB200 in a rack of 72 yields 4.4 times a B200 in servers of eight."""
    rack, server = frontiers(
        ("nvidia_gb200", "nvidia_b200_sxm"), ("deepseek_r1",), CHAT, np.array([125.0])
    ).rate[:, 0, 0]
    assert rack > server


def test_layouts_of_a_domain_stay_inside_it():
    assert layouts_within(8.0).chips.max() == 8.0
    assert layouts_within(72.0).chips.max() == 64.0


def test_a_chip_serves_in_the_narrowest_format_it_computes():
    places = [
        chip_table().index(name)
        for name in ("nvidia_gb200", "nvidia_h100_sxm", "nvidia_a100_80gb_sxm", "nvidia_v100_sxm2")
    ]
    assert [FORMATS[code] for code in own_format(chip_table(), places)] == ["fp4", "fp8", "int8", "fp16"]


def test_a_model_too_large_for_a_server_of_small_cards_has_no_frontier_there():
    place, model = np.array([chip_table().index("nvidia_l4")]), model_table().index("kimi_k3")
    code = own_format(chip_table(), place.tolist())
    assert sweep(place, model, code, CHAT, layouts_within(8.0)).speed.max() == 0.0
    assert sweep(place, model, code, CHAT).speed.max() > 0.0  # hundreds of cards over a network do hold it


def test_unknown_names_are_refused():
    for chips, models, precision in (
        (("h100",), ("deepseek_r1",), None),
        (FIVE, ("gpt",), None),
        (FIVE, ("deepseek_r1",), "fp3"),
    ):
        with pytest.raises(InputError):
            frontiers(chips, models, CHAT, SPEEDS, precision)


def test_all_accelerators_and_twenty_models_are_one_call():
    ids, models = estimated_catalogue().accelerators.ids, model_table().ids[:20]
    found = frontiers(ids, models, CHAT, SPEEDS)
    alone = frontiers(ids[:1], models[:1], CHAT, SPEEDS)
    assert found.rate.shape == (len(ids), 20, len(SPEEDS))
    np.testing.assert_allclose(found.rate[0, 0], alone.rate[0, 0], rtol=1e-12)


@pytest.mark.parametrize(
    ("chip", "published"), [("nvidia_gb200", {5.0: 14659, 125.0: 4130}), ("nvidia_b200_sxm", {5.0: 12515})]
)
def test_frontiers_meet_published_points_within_half(chip, published):
    """InferenceX, DeepSeek-R1 FP4, 1k/1k, multi-token prediction: tokens/s per GPU, prompts counted as well."""
    rate = frontiers([chip], ["deepseek_r1"], CHAT, np.array(list(published)), "fp4").rate[0, 0]
    assert (np.abs(np.log(2.0 * rate / list(published.values()))) < np.log(1.5)).all()


def test_pipelines_that_are_a_third_full_yield_a_third():
    place, code = np.array([chip_table().index("groq_lpu_v1")]), np.array([FORMATS.index("int8")])
    model, service = model_table().index("llama3_1_70b"), Service(0.0, 1024.0)
    full, third = (sweep_on_chip(place, model, code, replace(service, on_chip_fill=f)) for f in (1.0, 1 / 3))
    np.testing.assert_allclose(third.rate, full.rate / 3)
