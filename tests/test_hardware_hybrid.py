"""Unlike chips together: prefill apart, attention on GPUs with feed-forward layers on LPUs, routing, assignment."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from computemarket.errors import InputError
from computemarket.model.hardware.chips import chip_table
from computemarket.model.hardware.frontier import layouts_within, replicas
from computemarket.model.hardware.hybrid import (
    Pair,
    attention_feedforward,
    balanced_pools,
    claimed_gain,
    integration_maturity,
    orchestrated_gain,
    realised_gain,
    serving_plan,
    without_experts,
)
from computemarket.model.hardware.models import model_table
from computemarket.model.hardware.precision import FORMATS

FP4 = np.array([FORMATS.index("fp4")])


def _pair(batch: float = 8.0, layer_s: float = 1e-5, link_s: float = 3e-6, link_b_s: float = 1e12) -> Pair:
    chips, models = chip_table(), model_table()
    gpu, lpu = np.array([chips.index("nvidia_rubin_vr200")]), np.array(chips.index("nvidia_groq3_lp30"))
    model = models.index("deepseek_v3")
    one = models.arrays.take(np.array(model))
    part, _ = without_experts(one, 0.8)
    attention = replicas(gpu, model, FP4, layouts_within(72.0), part=part)
    return attention_feedforward(
        attention, chips.arrays.take(lpu), one, FP4, np.asarray(batch), np.asarray(3000.0),
        layer_s=layer_s, link_s=link_s, link_b_s=np.asarray(link_b_s),
    )  # fmt: skip


def test_balanced_pools_by_hand() -> None:
    """A decode worker ends 32/(1000 x 0.02) = 1.6 requests/s; prompts take 0.5 s at 80% busy: one worker each."""
    pools = balanced_pools(
        prompt_s=np.array(0.5),
        decode_token_s=np.array(0.02),
        decode_batch=np.array(32.0),
        output_tokens=np.array(1000.0),
        prefill_chips=np.array(4.0),
        decode_chips=np.array(8.0),
        cache_bytes=np.array(1e9),
        link_b_s=np.array(50e9),
        headroom=0.8,
    )
    assert pools.prefill_per_decode == pytest.approx(1.0)
    assert pools.output_tokens_per_s_per_chip == pytest.approx(1600 / 12)
    assert pools.cache_move_s == pytest.approx(0.02)
    assert pools.link_load == pytest.approx(1.6 * 0.02)


def test_routed_experts_leave_the_gpus_and_the_rest_stays() -> None:
    one = model_table().arrays.take(np.array(model_table().index("deepseek_v3")))
    part, away = without_experts(one, 0.8)
    assert part.total == pytest.approx(float(one.shared))
    assert part.experts == 0.0
    assert away + part.active == pytest.approx(float(one.active))


def test_a_dense_model_sends_its_feed_forward_share_away() -> None:
    one = model_table().arrays.take(np.array(model_table().index("llama3_1_70b")))
    part, away = without_experts(one, 0.8)
    assert away == pytest.approx(0.8 * float(one.total))
    assert part.total == pytest.approx(0.2 * float(one.total))


def test_lpus_are_as_many_as_hold_the_expert_weights() -> None:
    """DeepSeek-V3: 0.5625 bytes for each of about 655 billion routed weights over 450 MB of usable SRAM."""
    experts = float(model_table().arrays.experts[model_table().index("deepseek_v3")])
    assert _pair().lpus.ravel()[0] == np.ceil(experts * 0.5625 / 0.45e9)


def test_slower_layers_and_links_never_make_a_pair_faster() -> None:
    base = _pair()
    for worse in (_pair(layer_s=4e-5), _pair(link_s=2e-5), _pair(link_b_s=1e9)):
        assert (worse.speed < base.speed).all()
        assert (worse.tokens_per_s <= base.tokens_per_s).all()


def test_a_larger_micro_batch_yields_more_and_each_user_less() -> None:
    small, large = _pair(4.0), _pair(64.0)
    assert (large.tokens_per_s > small.tokens_per_s).all()
    assert (large.speed < small.speed).all()


def test_a_pair_in_flight_yields_at_most_as_many_users_as_micro_batches() -> None:
    pair = _pair(8.0)
    users = pair.tokens_per_s / pair.speed / 8.0
    assert (users >= 1.0).all()
    assert (users <= 3.0 + 1e-9).all()


def test_the_claimed_gain_is_half_way_at_its_middle_speed() -> None:
    assert claimed_gain(np.array(300.0), 3.5, 300.0, 75.0) == pytest.approx(2.25)
    assert claimed_gain(np.array([-1e4, 1e4]), 3.5, 300.0, 75.0).tolist() == pytest.approx([1.0, 3.5])


def test_buyers_see_a_part_of_the_claim() -> None:
    assert realised_gain(3.5, 0.35, 0.6) == pytest.approx(1 + 2.5 * 0.21)
    assert realised_gain(1.0, 0.35) == 1.0


def test_a_router_slower_than_the_service_loses_what_it_gains() -> None:
    assert orchestrated_gain(2.0, 1.0, 0.0, np.array(0.01)) == pytest.approx(2.0)
    assert orchestrated_gain(2.0, 1.0, 0.01, np.array(0.01)) == pytest.approx(1.0)
    assert orchestrated_gain(2.0, 1.0, 0.03, np.array(0.01)) < 1.0


def test_integration_rises_to_one_and_not_beyond() -> None:
    found = integration_maturity(np.array([-2.0, 0.0, 2.0, 9.0]), 0.6, 0.1)
    assert found.tolist() == pytest.approx([0.6, 0.6, 0.8, 1.0])


RATE = np.array(
    [[10.0, 1.0], [8.0, 6.0]]
)  # a cheap chip for slow tokens, a dear one that is good at fast ones
COST, POWER = np.array([1.0, 2.0]), np.array([1.0, 1.5])


def test_the_cheapest_assignment_gives_each_tier_its_chip() -> None:
    plan = serving_plan(RATE, COST, POWER, np.array([100.0, 60.0]), np.array([50.0, 50.0]))
    np.testing.assert_allclose(plan.chips, [[10.0, 0.0], [0.0, 10.0]], atol=1e-9)
    assert plan.cost == pytest.approx(30.0)


def test_a_shortage_of_the_cheap_chip_brings_in_the_dear_one() -> None:
    plan = serving_plan(RATE, COST, POWER, np.array([100.0, 60.0]), np.array([5.0, 50.0]))
    assert plan.chips[1, 0] == pytest.approx(50.0 / 8.0)


def test_without_power_there_is_no_plan() -> None:
    assert not serving_plan(RATE, COST, POWER, np.array([100.0, 60.0]), np.array([50.0, 50.0]), 1.0).feasible


@given(st.floats(1.0, 300.0), st.floats(1.0, 200.0), st.floats(1.0, 2.0))
def test_more_demand_never_costs_less(slow: float, fast: float, more: float) -> None:
    available = np.array([100.0, 200.0])
    less, plus = (
        serving_plan(RATE, COST, POWER, np.array([slow, fast]) * f, available).cost for f in (1.0, more)
    )
    assert plus >= less * (1 - 1e-9)


def test_shapes_that_disagree_are_refused() -> None:
    with pytest.raises(InputError, match="shapes"):
        serving_plan(RATE, COST, POWER, np.array([1.0]), np.array([1.0, 1.0]))
