"""The roofline kernel: cases by hand, limits, and directions that physics fixes."""

import json
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.model.hardware.hardware_cases import IDEAL, TYPICAL, chips, layout, models, replica

from computemarket.model.hardware.performance.roofline import (
    batch_capacity,
    build_replica,
    context_read_s,
    decode_step_s,
    expert_share,
    fits,
    prefill_s,
)
from computemarket.model.hardware.performance.serving import Requests, output_rate, time_per_output_token_s

ONE, NOTHING = np.asarray(1.0), np.asarray(0.0)
MODELS = st.sampled_from(["llama3_1_70b", "deepseek_r1", "gpt_oss_120b", "mixtral_8x7b", "qwen3_5_397b_a17b"])
CHIPS = st.sampled_from(
    ["nvidia_h200_sxm", "nvidia_gb300", "amd_mi355x", "google_tpu_v7_ironwood", "nvidia_l40s"]
)
BATCH = st.floats(1, 4096)
BASELINE = Path(__file__).with_name("hardware_frontier.json")


def test_a_dense_70b_on_one_chip_at_batch_one_takes_weights_over_bandwidth():
    step = decode_step_s(replica(precision="fp8"), ONE, NOTHING)
    assert step == pytest.approx([70.55e9 / 4.8e12], rel=1e-12)


def test_sixteen_bit_weights_take_twice_as_long_as_eight_bit_weights():
    wide, narrow = (decode_step_s(replica(precision=p), ONE, NOTHING) for p in ("fp16", "fp8"))
    assert wide == pytest.approx(2 * narrow)


def test_the_cache_of_one_token_adds_its_bytes_over_bandwidth():
    case = replica(precision="fp16")
    one = decode_step_s(case, ONE, np.asarray(1001.0)) - decode_step_s(case, ONE, np.asarray(1000.0))
    assert one == pytest.approx([327680 / 4.8e12], rel=1e-6)


def test_with_infinite_bandwidth_only_arithmetic_remains():
    case = replica(bandwidth_b_s=np.array([np.inf]))
    step = decode_step_s(case, np.asarray(64.0), NOTHING)
    assert step == pytest.approx([64 * 2 * 70.55e9 / 1978.9e12], rel=1e-9)


def test_without_context_a_step_does_not_depend_on_the_cache():
    bare = build_replica(
        chips("nvidia_h200_sxm"),
        models("llama3_1_70b", cache_values=np.array([0.0])),
        np.array([1]),
        layout(),
        IDEAL,
    )
    assert decode_step_s(bare, ONE, np.asarray(9e9)) >= decode_step_s(replica(), ONE, NOTHING)
    assert context_read_s(bare, np.asarray(9e9)) == 0


def test_one_token_touches_k_of_e_experts_and_many_touch_all():
    miss = np.log1p(-8 / 256)
    assert expert_share(miss, ONE) == pytest.approx(8 / 256)
    assert expert_share(miss, np.asarray(1e5)) == pytest.approx(1.0)


def test_a_mixture_of_one_expert_reads_all_of_it_for_any_batch():
    assert expert_share(np.asarray(-np.inf), ONE) == 1.0


def test_a_mixture_at_batch_one_reads_the_active_parameters():
    case = replica(model="deepseek_r1", where=layout(tensor=8))
    assert decode_step_s(case, ONE, NOTHING) == pytest.approx([37e9 / 8 / 4.8e12], rel=1e-9)


def test_a_long_prompt_takes_its_operations_over_peak():
    took = prefill_s(replica(), np.asarray(4096.0), np.asarray(4096.0))
    attention = 2 * 80 * 64 * 128 * 4096 * 4096 / 989.4e12  # 2 L H h S a token, half of the pairs, 16 bits
    assert took == pytest.approx([2 * 70.55e9 * 4096 / 1978.9e12 + attention], rel=1e-9)


def test_the_cache_that_fits_is_the_memory_left_over_the_bytes_of_a_sequence():
    case = replica(precision="fp8")
    room = 141e9 * 0.9 - 4e9 - 70.55e9
    assert batch_capacity(case, np.asarray(2048.0)) == pytest.approx([room / (163840 * 2048)], rel=1e-9)


def test_weights_that_do_not_fit_leave_no_room():
    case = replica(chip="nvidia_h100_sxm", precision="fp16")
    assert not fits(case)[0]
    assert batch_capacity(case, np.asarray(100.0)) == [0.0]


def test_a_format_that_the_chip_lacks_is_weight_only():
    four, eight = (replica(chip="nvidia_h100_sxm", precision=p) for p in ("fp4", "fp8"))
    assert four.weight_s == pytest.approx(eight.weight_s * 0.5625)
    assert four.flop_s == pytest.approx(eight.flop_s)


def test_a_latent_cache_is_kept_by_every_tensor_rank_and_a_grouped_one_is_split():
    latent = [replica(model="deepseek_r1", where=layout(tensor=t)).cache_bytes for t in (1, 8)]
    grouped = [replica(model="llama3_1_70b", where=layout(tensor=t)).cache_bytes for t in (1, 8)]
    assert latent[0] == latent[1]
    assert grouped[0] == pytest.approx(8 * grouped[1])


def test_a_state_space_model_reads_a_constant_state_instead_of_a_growing_cache():
    case = replica(model="nemotron_3_super_120b_a12b")
    assert context_read_s(case, NOTHING) == pytest.approx(2 * 41943040 / 4.8e12)


def test_a_group_beyond_the_scale_up_domain_pays_the_network():
    near = replica(where=layout(tensor=8), efficiency=TYPICAL)
    far = replica(where=layout(tensor=16), efficiency=TYPICAL)
    assert far.latency_s > near.latency_s
    assert far.sequence_s > near.sequence_s


def test_scaling_is_linear_where_the_fabric_is_fast_and_flat_where_it_is_slow():
    def step(t: int, link: float) -> float:
        eff = replace(IDEAL, link=np.asarray(link))
        case = replica(chip="nvidia_gb300", where=layout(tensor=t), efficiency=eff)
        return float(decode_step_s(case, np.asarray(64.0), np.asarray(100.0))[0])

    assert step(1, 1e9) / step(8, 1e9) == pytest.approx(8, rel=1e-3)
    assert step(8, 0.001) > step(1, 0.001)


def test_a_pipeline_holds_latency_and_spreads_memory():
    whole, staged = replica(), replica(where=layout(pipeline=4))
    at = np.asarray(1000.0)
    assert decode_step_s(staged, np.asarray(4.0), at) == pytest.approx(
        decode_step_s(whole, ONE, at), rel=1e-4
    )
    assert staged.weight_bytes == pytest.approx(whole.weight_bytes / 4)


@given(CHIPS, MODELS, BATCH, st.floats(1, 1e5), st.floats(1, 100))
def test_more_bandwidth_is_never_slower(chip, model, batch, context, factor):
    slow = replica(chip, model, efficiency=TYPICAL)
    fast = replica(chip, model, efficiency=replace(TYPICAL, memory=np.asarray(0.7 * factor)))
    at = (np.asarray(batch), np.asarray(context))
    assert decode_step_s(fast, *at) <= decode_step_s(slow, *at)


@given(CHIPS, MODELS, BATCH, st.floats(1.0, 8.0))
def test_a_larger_batch_never_lowers_throughput_and_never_speeds_up_a_user(chip, model, batch, factor):
    case = replica(chip, model, efficiency=TYPICAL)
    requests = Requests(np.asarray(1000.0), np.asarray(500.0))
    small, large = np.asarray(batch), np.asarray(batch * factor)
    assert output_rate(case, requests, large) >= output_rate(case, requests, small) * (1 - 1e-12)
    assert time_per_output_token_s(case, requests, large) >= time_per_output_token_s(case, requests, small)


@given(CHIPS, MODELS, BATCH, st.floats(0.1, 10))
def test_times_scale_with_the_unit_of_time(chip, model, batch, unit):
    """Dimensions: rates times u and latencies over u make every time 1/u."""
    picked = chips(chip)
    rates = ("bandwidth_b_s", "rate_flop_s", "peak_16bit_flop_s", "link_b_s", "scaleout_b_s")
    faster = replace(picked, **{name: getattr(picked, name) * unit for name in rates})
    times = [f.name for f in fields(TYPICAL) if f.name.endswith("_s")]
    quicker = replace(TYPICAL, **{name: getattr(TYPICAL, name) / unit for name in times})
    code, shape = np.array([1]), layout(tensor=8)
    base = build_replica(picked, models(model), code, shape, TYPICAL)
    scaled = build_replica(faster, models(model), code, shape, quicker)
    at = (np.asarray(batch), np.asarray(2000.0))
    assert decode_step_s(scaled, *at) * unit == pytest.approx(decode_step_s(base, *at))
    assert prefill_s(scaled, *at) * unit == pytest.approx(prefill_s(base, *at))


def test_many_configurations_at_once_give_what_each_gives_alone():
    ids, names = ("nvidia_h100_sxm", "amd_mi300x"), ("llama3_1_8b", "gpt_oss_120b", "deepseek_r1")
    code = np.array([1])
    together = build_replica(
        chips(*ids).take(np.arange(2)[:, None]),
        models(*names).take(np.arange(3)[None, :]),
        code,
        layout(8),
        TYPICAL,
    )
    step = decode_step_s(together, np.asarray(32.0), np.asarray(1500.0))
    assert step.shape == (2, 3)
    for i, chip in enumerate(ids):
        for j, name in enumerate(names):
            alone = replica(chip, name, where=layout(8), efficiency=TYPICAL)
            assert decode_step_s(alone, np.asarray(32.0), np.asarray(1500.0))[0] == step[i, j]


def test_the_frontier_of_five_chips_stays_as_recorded():
    batches = 2.0 ** np.arange(0, 11, 2)
    requests = Requests(np.asarray(1024.0), np.asarray(1024.0))
    found = {}
    for chip in (
        "nvidia_h100_sxm",
        "nvidia_h200_sxm",
        "nvidia_gb300",
        "amd_mi355x",
        "google_tpu_v7_ironwood",
    ):
        case = replica(chip, "llama3_1_70b", where=layout(8), efficiency=TYPICAL)
        token_s = time_per_output_token_s(case, requests, batches)
        rate = output_rate(case, requests, batches) / 8
        found[chip] = {"speed": list(1 / token_s), "rate_per_chip": list(rate)}
    recorded = json.loads(BASELINE.read_text(encoding="utf-8"))
    for chip, lines in recorded.items():
        for name, line in lines.items():
            assert found[chip][name] == pytest.approx(line, rel=1e-9)
