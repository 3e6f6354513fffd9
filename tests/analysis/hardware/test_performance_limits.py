"""What cannot be measured is refused with its reason; names, formats and metrics are taken as people write them."""

import csv
from pathlib import Path

import numpy as np
import pytest

from computemarket.analysis.hardware.performance import evaluate
from computemarket.analysis.hardware.points.perf_points import read_points
from computemarket.errors import InputError
from computemarket.model.hardware.performance.feasibility import (
    context_fault,
    layout_fault,
    memory_fault,
    whole_context_fault,
)
from computemarket.model.hardware.performance.roofline import Layout, reading_bytes
from computemarket.model.hardware.specs.chips import chip_table
from computemarket.model.hardware.specs.models import model_table
from computemarket.model.hardware.specs.names import known_name, nearest_chip
from computemarket.model.hardware.specs.precision import FORMATS, WEIGHT_BYTES

FILE = Path(__file__).resolve().parents[3] / "model" / "data" / "perf_points.csv"
HEADER = FILE.read_text(encoding="utf-8").splitlines()[0].split(",")
ROW = {
    "accelerator": "nvidia_h100_sxm",
    "n_chips": "8",
    "model": "llama3_1_70b",
    "precision": "fp8",
    "phase": "decode",
    "tensor_parallel": "8",
    "batch_or_concurrency": "8",
    "input_len": "1024",
    "output_len": "1024",
    "metric": "tokens_per_s_per_user",
    "software": "vLLM 0.10.0",
    "date": "2025-10",
}


def _evaluate(folder: Path, *changes: dict[str, str]):
    path = folder / "p.csv"
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, fieldnames=HEADER)
        writer.writeheader()
        writer.writerows(dict.fromkeys(HEADER, "") | ROW | change for change in changes)
    return evaluate(read_points(path))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            {"tensor_parallel": "3", "n_chips": "3"},
            "64 heads (8 of the cache) of llama3_1_70b do not divide over 3",
        ),
        ({"tensor_parallel": "2.5", "n_chips": "4"}, "2.5 is not a whole number"),
        ({"tensor_parallel": "16"}, "needs more than 8 chips"),
        (
            {"tensor_parallel": "1", "pipeline_parallel": "7"},
            "80 layers of llama3_1_70b do not divide over 7 stages",
        ),
        ({"expert_parallel": "8"}, "llama3_1_70b has no experts"),
        (
            {"model": "gpt_oss_120b", "expert_parallel": "7"},
            "128 experts of gpt_oss_120b do not divide over 7",
        ),
        (
            {"model": "llama3_1_405b", "precision": "fp16", "n_chips": "1", "tensor_parallel": "1"},
            "do not fit",
        ),
        ({"accelerator": "nvidia_l4", "n_chips": "1", "tensor_parallel": ""}, "do not fit"),
        ({"input_len": "120000", "n_chips": "1", "tensor_parallel": "1"}, "cache of one sequence"),
        ({"input_len": "200000"}, "beyond the context of llama3_1_70b, 131,072 tokens"),
        ({"accelerator": "h100_sxm"}, "unknown chip h100_sxm; the nearest is nvidia_h100_sxm"),
        ({"model": "llama3_1_71b"}, "unknown model llama3_1_71b; the nearest is llama3_1_70b"),
    ],
)
def test_an_impossible_row_is_skipped_with_the_reason_and_the_next_is_predicted(tmp_path, change, reason):
    found = _evaluate(tmp_path, change, {})
    assert reason in found.skipped[0]
    assert np.isfinite(found.predicted[1])


def test_layouts_that_are_in_use_are_not_refused():
    models = model_table()
    llama, deepseek = models.index("llama3_1_405b"), models.index("deepseek_r1")
    assert layout_fault(models, llama, tensor=8, pipeline=8, chips=64) == ""  # 126 layers over 8 stages
    assert layout_fault(models, deepseek, tensor=16, pipeline=2, expert=32, chips=32) == ""
    assert layout_fault(models, llama, tensor=24, pads=True) == ""  # compilers that fill up heads


def test_weights_are_held_by_memory_counted_in_binary_gigabytes():
    """DeepSeek-R1 in eight bits, 671 GB: not on eight H100 of 80 (687 GB), well on eight H200 of 141."""
    chips, models, code = chip_table(), model_table(), FORMATS.index("fp8")
    eight = Layout(np.array([8.0]))
    model = models.index("deepseek_r1")
    assert "do not fit" in memory_fault(chips, chips.index("nvidia_h100_sxm"), models, model, code, eight)
    assert memory_fault(chips, chips.index("nvidia_h200_sxm"), models, model, code, eight, 8192.0) == ""


def test_prompts_beyond_the_context_are_refused_and_forced_answers_a_little_beyond_are_not():
    models = model_table()
    llama = models.index("llama2_7b")  # 4,096 tokens
    assert context_fault(models, llama, 4097.0) != ""
    assert context_fault(models, llama, 128.0, 8064.0) == ""
    assert context_fault(models, llama, 128.0, 8065.0) != ""
    assert whole_context_fault(models, llama, 128.0, 3969.0) != ""


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("meta-llama/Llama-3.1-70B-Instruct", "llama3_1_70b"),
        ("meta-llama/Meta-Llama-3.1-8B-Instruct", "llama3_1_8b"),
        ("deepseek-ai/DeepSeek-R1-0528", "deepseek_r1"),
        ("nvidia/DeepSeek-R1-NVFP4", "deepseek_r1"),
        ("openai/gpt-oss-120b", "gpt_oss_120b"),
        ("Qwen/Qwen3-30B-A3B-Instruct-2507", "qwen3_30b_a3b"),
        ("mistralai/Mixtral-8x7B-Instruct-v0.1", "mixtral_8x7b"),
        ("meta-llama/Llama-4-Scout-17B-16E-Instruct", "llama4_scout"),
        ("deepseek-ai/DeepSeek-R1-Distill-Llama-70B", None),
        ("meta-llama/Llama-3.2-3B", None),
        ("", None),
    ],
)
def test_models_are_known_by_their_names_on_hugging_face(name, known):
    assert known_name(name, model_table().ids) == known


def test_a_row_with_a_hugging_face_name_is_predicted_as_that_model(tmp_path):
    found = _evaluate(tmp_path, {"model": "meta-llama/Llama-3.1-70B-Instruct", "precision": "FP8"}, {})
    assert found.predicted[0] == found.predicted[1]


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("H100", "nvidia_h100_sxm"),
        ("mi300x", "amd_mi300x"),
        ("nvidia_h100", "nvidia_h100_sxm"),
        ("GB200", "nvidia_gb200"),
    ],
)
def test_an_unknown_chip_names_the_nearest(name, hint):
    assert nearest_chip(name, chip_table().ids).endswith(hint)
    with pytest.raises(InputError, match=hint):
        chip_table().index(name)


def test_one_users_measures_agree_with_each_other(tmp_path):
    """Milliseconds per token are the inverse of the speed; end to end adds the first token to 1,024 tokens."""
    metrics = ("tokens_per_s_per_user", "ms_per_token", "ttft_ms", "e2e_tokens_per_s_per_user", "TPOT_ms")
    speed, gap, first, whole, alias = _evaluate(tmp_path, *({"metric": name} for name in metrics)).predicted
    assert gap == pytest.approx(1000 / speed)
    assert alias == gap
    assert 1000 / whole == pytest.approx(gap + first / 1024)


def test_a_lone_request_is_as_fast_after_a_long_prompt_with_a_short_answer_as_with_a_long_one(tmp_path):
    alone = {"batch_or_concurrency": "1", "input_len": "8192"}
    short, long = _evaluate(tmp_path, alone | {"output_len": "16"}, alone | {"output_len": "128"}).predicted
    assert short == pytest.approx(long, rel=0.01)


@pytest.mark.parametrize(
    "chip",
    ["nvidia_b300_sxm", "nvidia_h100_sxm", "amd_mi300x", "google_tpu_v6e", "intel_gaudi3", "aws_trainium2"],
)
def test_users_times_speed_is_the_systems_rate_at_a_small_concurrency(tmp_path, chip):
    """Of every model that fits: within a few per cent, less the time to the first token."""
    few = {"precision": "", "tensor_parallel": "", "n_chips": "8", "accelerator": chip,
           "input_len": "230", "output_len": "217"}  # fmt: skip
    whole = {"metric": "tokens_per_s_system", "phase": "offline_total"}
    e2e = {"metric": "e2e_tokens_per_s_per_user"}
    asked = [
        few | {"model": model, "batch_or_concurrency": users} | measure
        for model in model_table().ids
        for users in ("1", "2", "4")
        for measure in ({}, e2e, whole)
    ]
    found = _evaluate(tmp_path, *asked).predicted.reshape(-1, 3, 3)
    known = np.isfinite(found).all(axis=(1, 2))
    assert known.sum() > 20
    speed, end_to_end, system = np.moveaxis(found[known], 2, 0)
    users = np.array([1.0, 2.0, 4.0])
    assert np.abs(system / (users * end_to_end) - 1.0).max() < 0.03
    fits = end_to_end > 0.8 * speed  # others wait for memory
    assert fits.mean() > 0.9
    assert ((system / (users * speed))[fits] > 0.85).all()
    assert ((system / (users * speed))[fits] < 1.02).all()


def test_requests_that_memory_does_not_hold_wait(tmp_path):
    """Of 64 requests for a 70B in sixteen bits on two cards a few are served; the others wait their turn."""
    many = {"precision": "fp16", "n_chips": "2", "tensor_parallel": "2", "input_len": "4096"}
    metrics = ("tokens_per_s_per_user", "e2e_tokens_per_s_per_user", "ttft_ms")
    asked = [
        many | {"batch_or_concurrency": users, "metric": name} for users in ("1", "64") for name in metrics
    ]
    (speed_1, whole_1, first_1), (speed, whole, first) = _evaluate(tmp_path, *asked).predicted.reshape(2, 3)
    assert whole_1 > 0.9 * speed_1
    assert whole < 0.5 * speed < 0.5 * speed_1
    assert first > 100 * first_1
    assert 1 / whole == pytest.approx(1 / speed + first / 1000 / 1024)


def test_acceptance_of_drafts_is_the_models_and_not_the_vendors(tmp_path):
    """With drafts the order of chips stays; gains differ only by what checking costs, most where experts are slow."""
    chips = ("nvidia_b200_sxm", "amd_mi355x", "google_tpu_v7_ironwood", "intel_gaudi3", "nvidia_h200_sxm")
    base = {"model": "deepseek_r1", "batch_or_concurrency": "4", "software": "vLLM MTP", "date": "2026-03"}
    rows = [base | {"accelerator": chip, "speculative": flag} for chip in chips for flag in ("0", "1")]
    plain, drafted = _evaluate(tmp_path, *rows).predicted.reshape(-1, 2).T
    gain = drafted / plain
    assert gain.max() / gain.min() < 1.4
    apart = plain[:, None] > 1.25 * plain[None, :]
    assert (drafted[:, None] > drafted[None, :])[apart].all()


@pytest.mark.parametrize("chip", ["nvidia_b200_sxm", "nvidia_h200_sxm", "amd_mi355x"])
def test_drafts_gain_less_the_fuller_the_machine_and_nothing_on_a_full_one(tmp_path, chip):
    """Also where requests wait for memory: the same layout is deployed with and without drafts."""
    base = {"accelerator": chip, "model": "deepseek_r1", "software": "vLLM MTP", "date": "2026-03",
            "input_len": "512", "output_len": "512"}  # fmt: skip
    users = ("1", "64", "256", "1024", "4096")
    asked = [base | {"batch_or_concurrency": n, "speculative": flag} for n in users for flag in ("0", "1")]
    plain, drafted = _evaluate(tmp_path, *asked).predicted.reshape(-1, 2).T
    gain = drafted / plain
    assert (np.diff(gain) < 0.0).all()
    assert gain[0] > 1.5
    assert gain[-1] < 1.1


def test_drafts_are_told_by_flag_or_by_method(tmp_path):
    flag, method, neither, off = _evaluate(
        tmp_path,
        {"speculative": "1"},
        {"software": "vLLM 0.10.0 MTP"},
        {},
        {"software": "vLLM 0.10.0 MTP", "speculative": "0"},
    ).predicted
    assert flag == pytest.approx(method, rel=0.35)  # the kind of draft head alone differs
    assert min(flag, method) > 1.2 * neither
    assert off == pytest.approx(neither, rel=0.01)


@pytest.mark.parametrize("chip", ["nvidia_a100_80gb_sxm", "nvidia_h100_sxm", "nvidia_b200_sxm", "amd_mi300x"])
@pytest.mark.parametrize(
    "model", ["qwen3_30b_a3b", "gpt_oss_20b", "mixtral_8x7b", "llama3_1_8b", "nemotron_3_nano_30b_a3b"]
)
def test_a_smaller_format_is_never_slower_for_one_user(tmp_path, chip, model):
    one = {
        "accelerator": chip,
        "model": model,
        "n_chips": "2",
        "tensor_parallel": "2",
        "batch_or_concurrency": "1",
    }
    order = ("fp16", "fp8", "fp6", "fp4")
    speeds = _evaluate(tmp_path, *(one | {"precision": name} for name in order)).predicted
    assert (np.diff(speeds) >= -1e-9 * speeds[0]).all()
    eight, four = _evaluate(tmp_path, *(one | {"precision": name} for name in ("int8", "W4A16"))).predicted
    assert four >= eight * (1 - 1e-9)


def test_packed_weights_are_read_no_slower_than_in_the_next_wider_format():
    """At half of the bandwidth while unpacking, four bits on an H100 are read as 1 byte at most, as eight bits are."""
    chips = chip_table().arrays.take(np.array(chip_table().index("nvidia_h100_sxm")))
    half = np.asarray(0.5)
    found = {name: float(reading_bytes(chips, np.asarray(code), half)) for code, name in enumerate(FORMATS)}
    assert (found["fp16"], found["fp8"]) == (2.0, 1.0)
    assert found["fp4"] == 1.0  # 0.5625/0.5 would be more than the eight bits kept instead
    assert found["int4"] == 1.0
    most = float(reading_bytes(chips, np.asarray(FORMATS.index("fp4")), np.asarray(1.0)))
    assert most == WEIGHT_BYTES[FORMATS.index("fp4")]


def test_intervals_are_wider_where_few_points_show_a_stack(tmp_path):
    found = _evaluate(tmp_path, {}, {"accelerator": "huawei_ascend_910b", "software": "vLLM-Ascend 0.9.1"})
    width = np.log(found.high / found.low)
    assert width[1] > 1.15 * width[0]
