"""Formats, chips, models, links, SRAM machines and training: facts and formulas by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.model.hardware.hardware_cases import chips, models

from computemarket.errors import InputError
from computemarket.model.hardware.performance.coefficients import efficiency_of, load_coefficients
from computemarket.model.hardware.performance.communication import (
    Fabric,
    all_reduce_latency_s,
    all_reduce_s_per_byte,
    all_to_all_latency_s,
    all_to_all_s_per_byte,
)
from computemarket.model.hardware.performance.sram import chips_needed, pipeline, stream_s
from computemarket.model.hardware.performance.training import (
    flop_per_token,
    gradient_sync_s,
    pipeline_bubble,
    tokens_per_s_per_chip,
)
from computemarket.model.hardware.specs.chips import chip_table
from computemarket.model.hardware.specs.models import model_table
from computemarket.model.hardware.specs.precision import FORMATS, compute_rates, format_code, weight_bytes


def _fabric(domain: float = 8.0) -> Fabric:
    return Fabric(*(np.asarray(x) for x in (1e-6, 4e11, domain, 1e-5, 5e10)))


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("bf16", "fp16"),
        ("nvfp4", "fp4"),
        ("MXFP4", "fp4"),
        ("FP8", "fp8"),
        ("fp8_e4m3", "fp8"),
        ("W4A16", "int4"),
        ("W8A8", "int8"),
        ("AWQ", "int4"),
        ("GPTQ-Int4", "int4"),
        ("BFloat16", "fp16"),
    ],
)
def test_formats_have_their_usual_other_names(alias, name):
    assert format_code(alias) == format_code(name)


def test_an_unknown_format_is_refused_with_what_is_allowed():
    with pytest.raises(InputError, match="'fp5' is not one of fp16, fp8"):
        format_code("fp5")


def test_a_missing_format_computes_in_the_fastest_wider_one():
    rates = np.array([[100.0, 200.0, np.nan, np.nan, 180.0, np.nan]])
    used, native = compute_rates(rates)
    assert used[0].tolist() == [100, 200, 200, 200, 200, 200]
    assert native[0].tolist() == [True, True, False, False, True, False]


def test_shared_layers_of_four_bit_mixtures_stay_at_eight_bits():
    expert, shared = weight_bytes(np.array([FORMATS.index("fp4")]), np.array([True]))
    assert (expert[0], shared[0]) == (0.5625, 1.0)


def test_every_launched_chip_of_the_catalogue_can_be_evaluated():
    from computemarket.model.catalogue import load_catalogue

    known = chip_table().ids
    missing = [c.id for c in load_catalogue().accelerators if c.status == "shipping" and c.id not in known]
    assert missing == []


def test_every_chip_has_positive_finite_rates_memory_and_links():
    arrays = chip_table().arrays
    for name in ("memory_bytes", "bandwidth_b_s", "rate_flop_s", "link_b_s", "scaleout_b_s", "domain"):
        values = getattr(arrays, name)
        assert np.isfinite(values).all(), name
        assert (values > 0).all(), name


def test_every_model_of_the_catalogue_can_be_evaluated():
    from computemarket.model.catalogue import load_catalogue

    assert set(model_table().ids) == set(load_catalogue().llm_models.ids)


def test_routed_and_shared_parameters_add_up_and_give_the_active_ones():
    table = model_table().arrays
    assert table.experts + table.shared == pytest.approx(table.total)
    active = table.shared + table.experts * table.active_share
    assert active[table.mixture] == pytest.approx(table.active[table.mixture])


def test_an_unknown_chip_or_model_is_named():
    with pytest.raises(InputError, match="'abacus' is not a known accelerator"):
        chip_table().index("abacus")
    with pytest.raises(InputError, match="'oracle_9' is not a known model"):
        model_table().index("oracle_9")


def test_an_all_reduce_over_eight_chips_takes_three_hops_and_seven_quarters_of_the_bytes():
    eight = np.asarray(8.0)
    assert all_reduce_latency_s(_fabric(), eight) == pytest.approx(3e-6)
    assert all_reduce_s_per_byte(_fabric(), eight) == pytest.approx(1.75 / 4e11)


def test_a_chip_alone_communicates_with_nobody():
    one = np.asarray(1.0)
    for function in (
        all_reduce_latency_s,
        all_reduce_s_per_byte,
        all_to_all_latency_s,
        all_to_all_s_per_byte,
    ):
        assert function(_fabric(), one) == 0


@given(st.integers(2, 64), st.integers(1, 64))
def test_a_larger_domain_never_makes_a_collective_slower(ranks, domain):
    size = np.asarray(float(ranks))
    narrow, wide = _fabric(float(domain)), _fabric(64.0)
    assert all_reduce_s_per_byte(wide, size) <= all_reduce_s_per_byte(narrow, size)
    assert all_to_all_latency_s(wide, size) <= all_to_all_latency_s(narrow, size)


def test_a_trillion_parameters_in_four_bits_need_more_than_a_thousand_lp30():
    """563 GB over 0.9 x 500 MB."""
    big = models("llama3_1_70b", active=np.array([1e12]), shared=np.array([1e12]), total=np.array([1e12]))
    zero = np.asarray(0.0)
    assert chips_needed(chips("nvidia_groq3_lp30"), big, np.array([3]), zero, zero) == [1250]


def test_on_chip_machines_spend_their_time_per_layer_not_reading():
    token_s = stream_s(
        chips("groq_lpu_v1"),
        models("llama3_1_70b"),
        np.array([4]),
        np.asarray(4e-5),
        np.asarray(1000.0),
        np.ones(1),
    )
    assert token_s == pytest.approx(80 * 4e-5, rel=0.01)


def test_a_full_pipeline_serves_one_micro_batch_per_stage_time():
    args = (
        chips("nvidia_groq3_lp30"),
        models("llama3_1_70b"),
        np.array([1]),
        np.asarray(2e-5),
        np.asarray(1000.0),
    )
    one, ten = (pipeline(*args, np.asarray(float(g)), np.ones(1)) for g in (1, 10))
    assert ten.tokens_per_s * ten.token_s == pytest.approx(10)
    assert ten.tokens_per_s > 5 * one.tokens_per_s


def test_training_operations_are_six_per_parameter_plus_attention():
    """GPT-3 at 2,048: 6 x 175e9 + 6 x 96 x 96 x 128 x 2048."""
    assert flop_per_token(models("gpt3_175b"), np.asarray(2048.0)) == pytest.approx(
        [6 * 175e9 + 6 * 96 * 96 * 128 * 2048]
    )


def test_utilisation_times_peak_is_tokens_times_operations():
    gpt, chip = models("gpt3_175b"), chips("nvidia_a100_80gb_sxm")
    rate = tokens_per_s_per_chip(chip, gpt, np.array([0]), np.asarray(0.5), np.asarray(2048.0))
    assert rate * flop_per_token(gpt, np.asarray(2048.0)) == pytest.approx(0.5 * 312e12)


def test_a_pipeline_idles_less_with_more_micro_batches():
    assert pipeline_bubble(np.asarray(8.0), np.asarray(8.0)) == pytest.approx(7 / 15)
    assert pipeline_bubble(np.asarray(1.0), np.asarray(8.0)) == 0


def test_one_replica_has_no_gradients_to_exchange():
    assert gradient_sync_s(*(np.asarray(x) for x in (7e10, 1.0, 8.0, 5e10))) == 0


def test_a_chip_without_points_takes_its_stacks_and_then_the_common_efficiency():
    table = load_coefficients()
    assert table.value("memory", "some_new_stack") == table.value("memory")
    levels = [("nvidia", "hopper"), ("nvidia", "not_yet_built"), ("new",)]
    found = efficiency_of(table, levels, (3, 1))
    assert found.memory.shape == (3, 1)
    assert found.memory[2, 0] == table.value("memory")


def test_an_unknown_coefficient_is_named():
    with pytest.raises(InputError, match="'luck' is not one of memory"):
        load_coefficients().value("luck")


def test_fitted_shares_are_between_nothing_and_what_physics_allows():
    table = load_coefficients()
    for i, name in enumerate(chip_table().ids):
        levels = (chip_table().stacks[i], chip_table().generations[i])
        assert 0.05 < table.value("memory", *levels) <= 1.0, name
        assert 0.02 < table.value("prefill", *levels) <= 1.0, name
