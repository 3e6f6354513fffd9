"""The cache by hand: its size in hybrids and windows, moving it, prefixes, chunks, a million tokens of context."""

import numpy as np
import pytest
from tests.model.hardware.hardware_cases import IDEAL, TYPICAL, layout, models, replica

from computemarket.model.hardware.performance.cache import (
    chunked_prefill_s,
    exposed_transfer_s,
    link_load,
    prefix_prefill_s,
    sequence_bytes,
    transfer_s,
)
from computemarket.model.hardware.performance.roofline import context_read_s, decode_step_s, prefill_s

LLAMA = replica("nvidia_h200_sxm", "llama3_1_70b", where=layout(4), efficiency=TYPICAL)


def test_a_dense_models_cache_by_hand():
    """Llama 3.1 70B: 2 x 80 layers x 8 heads x 128 values of 2 bytes, 327,680 B a token; 42.9 GB at 131,072."""
    assert sequence_bytes(models("llama3_1_70b"), 1.0, 2.0) == pytest.approx(327_680)
    assert sequence_bytes(models("llama3_1_70b"), 131_072.0, 2.0) == pytest.approx(42.95e9, rel=1e-3)


def test_a_latent_cache_by_hand():
    """DeepSeek-R1: 61 layers x (512 + 64) values, 70 kB a token in 16 bits, 35 kB in eight."""
    assert sequence_bytes(models("deepseek_r1"), 1.0, 2.0) == pytest.approx(61 * 576 * 2)
    assert sequence_bytes(models("deepseek_r1"), 1.0, 1.0) == pytest.approx(61 * 576)


def test_sliding_windows_stop_growing_by_hand():
    """gpt-oss-120b: 18 layers keep everything, 18 keep 128 tokens, 2 x 8 heads x 64 values each."""
    layer = 2 * 8 * 64 * 2
    short, long = (sequence_bytes(models("gpt_oss_120b"), n, 2.0).item() for n in (100.0, 100_000.0))
    assert short == pytest.approx(36 * layer * 100)
    assert long == pytest.approx(18 * layer * 100_000 + 18 * layer * 128)


def test_a_million_tokens_of_a_hybrid_by_hand():
    """Qwen3.5 397B: 15 of 60 layers keep 2 x 2 heads x 256 values a token, 45 keep 64 x 128 x 128 values for good."""
    found = sequence_bytes(models("qwen3_5_397b_a17b"), 1e6, 2.0).item()
    assert found == pytest.approx(15 * 2 * 2 * 256 * 2 * 1e6 + 45 * 64 * 128 * 128 * 2)
    dense = sequence_bytes(models("llama3_1_70b"), 1e6, 2.0).item()
    assert dense / found == pytest.approx(10.6, rel=0.02)


def test_reading_a_long_context_takes_the_time_of_its_bytes():
    """One H200 at full efficiency reads 128k tokens of Llama 3.1 8B, 131,072 values-bytes each, at 4.8 TB/s: 3.6 ms."""
    case = replica("nvidia_h200_sxm", "llama3_1_8b", "fp16", efficiency=IDEAL)
    context = np.asarray(131_072.0)
    by_hand = 131_072 * 131_072 / 4.8e12
    assert context_read_s(case, context).item() == pytest.approx(by_hand, rel=1e-2)
    step = [decode_step_s(case, np.asarray(1.0), np.asarray(n)).item() for n in (1.0, 131_072.0)]
    assert step[1] - step[0] == pytest.approx(by_hand, rel=1e-2)


def test_decode_of_a_hybrid_hardly_slows_from_128k_to_a_million_tokens():
    one = np.asarray(1.0)
    hybrid = replica("nvidia_h200_sxm", "qwen3_5_397b_a17b", "fp8", layout(8), TYPICAL)
    dense = replica("nvidia_h200_sxm", "llama3_1_405b", "fp8", layout(8), TYPICAL)
    slower = [
        (decode_step_s(case, one, np.asarray(1e6)) / decode_step_s(case, one, np.asarray(131_072.0))).item()
        for case in (hybrid, dense)
    ]
    assert slower[0] < 1.3 < slower[1]


def test_attention_inside_a_window_is_counted_in_prefill_by_hand():
    """Llama 4 Scout: of 48 layers 36 see 8,192 tokens; of 100,000, a token meets half in 12, a window in 36."""
    case = replica("nvidia_h200_sxm", "llama4_scout", "fp16", efficiency=IDEAL)
    length, pair = 100_000.0, 4 * 40 * 128
    per_token = 2 * 17e9 + pair * (12 * length / 2 + 36 * 8192)
    by_hand = length * per_token / 989.5e12
    assert prefill_s(case, np.asarray(length), np.asarray(length)).item() == pytest.approx(by_hand, rel=0.01)


def test_moving_a_cache_by_hand():
    """8,192 tokens of Llama 3.1 70B, 2.68 GB, over two links of 50 GB/s: 26.8 ms."""
    moved = sequence_bytes(models("llama3_1_70b"), 8192.0, 2.0)
    assert transfer_s(moved, 50e9, 2.0).item() == pytest.approx(8192 * 327_680 / 100e9)
    assert link_load(np.asarray(10.0), moved, 50e9).item() == pytest.approx(10 * 8192 * 327_680 / 50e9)


def test_streaming_layer_by_layer_hides_all_but_the_last_layer_or_what_the_link_cannot_carry():
    """80 layers, 800 ms of prefill: 80 ms of transfer leave 1 ms, 1,000 ms leave 1,000 - 790."""
    prompt = np.asarray(0.8)
    assert exposed_transfer_s(np.asarray(0.08), prompt, 80, streamed=True) == pytest.approx(0.001)
    assert exposed_transfer_s(np.asarray(1.0), prompt, 80, streamed=True) == pytest.approx(0.21)
    assert exposed_transfer_s(np.asarray(0.08), prompt, 80, streamed=False) == pytest.approx(0.08)


def test_a_prefix_saves_its_tokens_but_not_the_attention_to_them():
    """By hand at full efficiency: 2,000 fresh tokens after 6,000 cached meet 2,000 x 6,000 + 2,000^2/2 others."""
    case = replica("nvidia_h200_sxm", "llama3_1_8b", "fp16", efficiency=IDEAL)
    pairs = 2000 * 6000 + 2000**2 / 2
    by_hand = (2 * 8.03e9 * 2000 + 4 * 32 * 32 * 128 * pairs) / 989.5e12
    assert prefix_prefill_s(case, np.asarray(8000.0), 0.75).item() == pytest.approx(by_hand, rel=0.01)
    assert prefix_prefill_s(LLAMA, np.asarray(8000.0), 0.0) == pytest.approx(
        prefill_s(LLAMA, np.asarray(8000.0), np.asarray(8000.0))
    )


def test_chunks_cost_the_same_arithmetic_and_a_fixed_time_each():
    """At full efficiency chunks add nothing; with 10 ms per step, four chunks add 30 ms."""
    ideal = replica("nvidia_h200_sxm", "llama3_1_8b", "fp16", efficiency=IDEAL)
    whole = prefill_s(ideal, np.asarray(8192.0), np.asarray(8192.0)).item()
    assert chunked_prefill_s(ideal, 8192.0, 2048.0).item() == pytest.approx(whole)
    slow = replica("nvidia_h200_sxm", "llama3_1_8b", "fp16", efficiency=_with_step(0.01))
    assert chunked_prefill_s(slow, 8192.0, 2048.0).item() == pytest.approx(whole + 0.04)


def test_small_chunks_never_beat_one_reading_of_the_weights_each():
    """Chunks of 16 tokens: 512 readings of 16.06 GB at 4.8 TB/s."""
    ideal = replica("nvidia_h200_sxm", "llama3_1_8b", "fp16", efficiency=IDEAL)
    assert chunked_prefill_s(ideal, 8192.0, 16.0).item() == pytest.approx(512 * 16.06e9 / 4.8e12, rel=0.01)


def _with_step(seconds: float):
    from dataclasses import replace

    return replace(IDEAL, step_s=np.asarray(seconds))
