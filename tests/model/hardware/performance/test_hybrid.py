"""Heterogeneous service: pools in balance, GPUs joined to SRAM machines, claims and their realisation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from computemarket.errors import InputError
from computemarket.model.hardware.performance.frontier import layouts_within, own_format, replicas
from computemarket.model.hardware.performance.hybrid import (
    attention_feedforward,
    balanced_pools,
    claimed_gain,
    integration_maturity,
    orchestrated_gain,
    realised_gain,
    serving_plan,
    without_experts,
)
from computemarket.model.hardware.specs.chips import chip_table
from computemarket.model.hardware.specs.models import model_table

GAIN = {"most": 3.5, "middle": 300.0, "spread": 75.0}


def deepseek():
    return model_table().arrays.take(np.array(model_table().index("deepseek_r1")))


def pair(batch, layer_s=1e-5, lpu="nvidia_groq3_lp30", link_b_s=1e12):
    gpu = np.array([chip_table().index("nvidia_rubin_vr200")])
    code = own_format(chip_table(), gpu.tolist())
    part, _ = without_experts(deepseek(), 0.8)
    attention = replicas(gpu, model_table().index("deepseek_r1"), code, layouts_within(72.0), 0.9, part)
    return attention_feedforward(
        attention,
        chip_table().arrays.take(np.array(chip_table().index(lpu))),
        deepseek(),
        code[:, None, None],
        np.asarray(batch, dtype=np.float64),
        np.asarray(1536.0),
        layer_s=layer_s,
        link_s=1e-6,
        link_b_s=np.asarray(link_b_s),
    )


def test_pools_in_balance_by_hand():
    # decode: 64 sequences, 20 ms a token, 100 tokens: 32 requests/s; a prompt takes 0.045 s: 22.2 a second
    pools = balanced_pools(
        *(np.array(x) for x in (0.045, 0.02, 64.0, 100.0, 1.0, 4.0, 1e9, 1e11)), headroom=0.9
    )
    assert pools.prefill_per_decode == pytest.approx(1.6)
    assert pools.output_tokens_per_s_per_chip == pytest.approx(3200 / 5.6)
    assert pools.cache_move_s == pytest.approx(0.01)
    assert pools.link_load == pytest.approx(0.2)


def test_the_experts_leave_and_the_rest_stays():
    model = deepseek()
    kept, away = without_experts(model, 0.8)
    assert kept.experts == 0.0
    assert kept.active + away == pytest.approx(model.active)


def test_a_dense_model_sends_the_given_share_away():
    dense = model_table().arrays.take(np.array(model_table().index("llama3_1_70b")))
    kept, away = without_experts(dense, 0.8)
    assert away == pytest.approx(0.8 * dense.total)
    assert kept.total + away == pytest.approx(dense.total)


def test_all_experts_in_on_chip_memory_need_thousands_of_lpus():
    stored = float(deepseek().experts) * 0.5625  # bytes in four bits with scales
    assert pair(1.0).lpus.max() == np.ceil(stored / (0.9 * 500e6))


def test_a_slower_layer_or_link_slows_the_user():
    fast = pair(8.0)
    assert (pair(8.0, layer_s=5e-5).speed < fast.speed).all()
    assert (pair(8.0, link_b_s=1e9).speed < fast.speed).all()


def test_more_sequences_slow_the_user_and_never_lower_the_throughput():
    few, many = pair(4.0), pair(64.0)
    assert (many.speed <= few.speed).all()
    assert (many.tokens_per_s >= few.tokens_per_s).all()


def test_the_pair_is_faster_than_the_gpus_alone_can_be():
    from computemarket.model.hardware.performance.frontier import Service, frontiers

    alone = frontiers(
        ("nvidia_rubin_vr200",), ("deepseek_r1",), Service(1024.0, 1024.0), np.array([50.0])
    ).top_speed[0, 0]
    assert pair(1.0).speed.max() > alone


def test_the_claimed_gain_rises_from_one_to_its_most():
    gain = claimed_gain(np.array([0.0, 300.0, 1e4]), **GAIN)
    assert gain == pytest.approx([1.0, 2.25, 3.5], rel=0.05)
    assert gain[1] == 2.25


@given(gain=st.floats(1.0, 10.0), share=st.floats(0.0, 1.0), maturity=st.floats(0.0, 1.0))
def test_buyers_see_no_more_than_was_claimed_and_no_loss(gain, share, maturity):
    assert 1.0 <= realised_gain(np.array(gain), share, maturity) <= gain + 1e-9


def test_a_third_of_the_tenfold_claim_is_about_fourfold():
    assert realised_gain(np.array(10.0), 0.35) == pytest.approx(4.15)


def test_integration_rises_to_one_in_four_quarters():
    assert integration_maturity(np.array([-1.0, 0.0, 2.0, 4.0, 40.0]), 0.6, 0.1).tolist() == pytest.approx(
        [0.6, 0.6, 0.8, 1.0, 1.0]
    )


def test_a_router_slower_than_the_work_gains_nothing():
    assert orchestrated_gain(2.0, 1.0, 50e-6, np.array(10.0)) == pytest.approx(2.0, rel=1e-4)
    assert orchestrated_gain(2.0, 1.0, 1.0, np.array(0.5)) < 1.0
    assert orchestrated_gain(2.0, 0.0, 0.0, np.array(1.0)) == 1.0


def test_the_cheapest_plan_by_hand():
    rate = np.array([[100.0, 0.0], [50.0, 50.0]])  # the first serves the slow tier alone
    plan = serving_plan(
        rate, np.array([1.0, 1.0]), np.ones(2), np.array([1000.0, 500.0]), np.array([8.0, 100.0])
    )
    assert plan.feasible
    assert plan.chips == pytest.approx(np.array([[8.0, 0.0], [4.0, 10.0]]))
    assert plan.cost == pytest.approx(22.0)


def test_too_little_power_leaves_no_plan():
    rate = np.array([[100.0]])
    assert not serving_plan(
        rate, np.ones(1), np.full(1, 2.0), np.array([1000.0]), np.array([100.0]), 19.0
    ).feasible
    assert serving_plan(
        rate, np.ones(1), np.full(1, 2.0), np.array([1000.0]), np.array([100.0]), 20.0
    ).feasible


def test_shapes_that_disagree_are_refused():
    with pytest.raises(InputError):
        serving_plan(np.ones((2, 2)), np.ones(2), np.ones(2), np.ones(3), np.ones(2))
