"""Serving: batches within limits, queues, prefill apart from decode, speculative decoding."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.model.hardware.hardware_cases import TYPICAL, layout, replica

from computemarket.model.hardware.performance.roofline import decode_step_s
from computemarket.model.hardware.performance.serving import (
    Requests,
    accepted_tokens,
    batch_within_limit,
    busy_within_wait,
    disaggregated,
    end_to_end_s,
    largest_batch,
    output_rate,
    prompt_s,
    sequences_that_fit,
    time_per_output_token_s,
    time_to_first_token_s,
    token_step_s,
    utilisation,
    workers_ratio,
)

CASE = replica("nvidia_h200_sxm", "llama3_1_70b", where=layout(4), efficiency=TYPICAL)
REQUESTS = Requests(np.asarray(1000.0), np.asarray(500.0))


def test_time_per_token_is_the_step_plus_the_prompts_of_the_nine_others():
    batch = np.asarray(10.0)
    expected = decode_step_s(CASE, batch, np.asarray(1250.0)) + 9 * prompt_s(CASE, REQUESTS) / 500
    assert time_per_output_token_s(CASE, REQUESTS, batch) == pytest.approx(expected)


def test_a_lone_user_waits_for_the_own_prompt_before_the_first_token_and_not_after():
    alone = np.asarray(1.0)
    step = decode_step_s(CASE, alone, np.asarray(1250.0))
    assert time_per_output_token_s(CASE, REQUESTS, alone) == pytest.approx(step)
    assert end_to_end_s(CASE, REQUESTS, alone) == pytest.approx(step + prompt_s(CASE, REQUESTS) / 500)


def test_the_rate_is_the_batch_over_the_time_from_request_to_end_per_token():
    batch = np.asarray(10.0)
    assert output_rate(CASE, REQUESTS, batch) * end_to_end_s(CASE, REQUESTS, batch) == pytest.approx(10)


def test_users_times_speed_is_the_systems_rate_but_for_the_wait_for_the_first_token():
    batch = np.asarray(4.0)
    long = Requests(np.asarray(200.0), np.asarray(2000.0))
    users = batch / time_per_output_token_s(CASE, long, batch)
    assert output_rate(CASE, long, batch) == pytest.approx(users, rel=0.02)


def test_checking_drafts_costs_compute_and_experts_and_reads_the_cache_once():
    """By hand: three drafts and one token are 4 tokens of arithmetic, links and routing, one reading of the cache."""
    context, batch = np.asarray(1000.0), np.asarray(8.0)
    case = replica("nvidia_h200_sxm", "mixtral_8x7b", where=layout(2), efficiency=TYPICAL)
    touched = 1 - (1 - 2 / 8) ** (4 * 8)
    memory = case.weight_s + case.expert_s * touched + 8 * case.cache_s * 1000
    compute = 32 * (case.flop_s + case.attention_s * 1000)
    by_hand = max(memory.item(), compute.item()) + case.latency_s.item() + 32 * case.sequence_s.item()
    assert decode_step_s(case, batch, context, 4.0) == pytest.approx(by_hand)


def test_the_gain_of_drafts_falls_as_the_batch_makes_their_checking_cost_compute():
    plain = Requests(np.asarray(1000.0), np.asarray(1000.0))
    gained = accepted_tokens(np.asarray(3.0), np.asarray(0.7))
    drafted = Requests(np.asarray(1000.0), np.asarray(1000.0), accepted=gained, checked=4.0, drafting=0.12)
    batches = np.array([1.0, 16.0, 256.0, 4096.0])
    gain = token_step_s(CASE, plain, batches) / token_step_s(CASE, drafted, batches)
    assert (np.diff(gain) < 0).all()
    assert 1.5 < gain[0] < gained
    assert gain[-1] < 1.0


def test_drafts_that_are_all_refused_gain_nothing_and_all_accepted_gain_their_length():
    assert accepted_tokens(np.asarray(3.0), np.asarray(0.0)) == 1.0
    assert accepted_tokens(np.asarray(3.0), np.asarray(1 - 1e-9)) == pytest.approx(4.0)


def test_the_largest_batch_meets_its_limit_and_a_larger_one_does_not():
    limit = np.asarray(0.03)
    batch = batch_within_limit(CASE, REQUESTS, limit, np.asarray(1e5))
    assert time_per_output_token_s(CASE, REQUESTS, batch) == pytest.approx(0.03, rel=1e-6)
    assert time_per_output_token_s(CASE, REQUESTS, batch * 1.01) > limit


def test_a_limit_that_no_batch_meets_gives_the_smallest():
    assert largest_batch(lambda b: b < 0, np.ones(1), np.full(1, 100.0)) == pytest.approx(1.0)


def test_a_limit_that_every_batch_meets_gives_the_largest():
    assert largest_batch(lambda b: b > 0, np.ones(1), np.full(1, 100.0)) == pytest.approx(100.0)


def test_an_idle_server_answers_in_the_service_time():
    assert time_to_first_token_s(np.asarray(0.5), np.asarray(0.0)) == 0.5


def test_one_server_half_busy_waits_half_a_service_time_more():
    """M/D/1: the mean wait is rho s/(2 (1 - rho)), here s/2."""
    assert time_to_first_token_s(np.asarray(1.0), np.asarray(0.5)) == pytest.approx(1.5)


@given(st.floats(0.01, 0.99), st.integers(1, 64))
def test_pooled_servers_never_wait_longer(busy, servers):
    alone = time_to_first_token_s(np.asarray(1.0), np.asarray(busy))
    pooled = time_to_first_token_s(np.asarray(1.0), np.asarray(busy * servers), float(servers))
    assert pooled <= alone * (1 + 1e-9)


@given(st.floats(0.001, 1.0), st.floats(1.1, 50.0))
def test_a_looser_limit_on_the_first_token_allows_more_load(first, factor):
    tight = busy_within_wait(np.asarray(first), np.asarray(2.0), 1.0, 0.01)
    loose = busy_within_wait(np.asarray(first), np.asarray(2.0 * factor), 1.0, 0.01)
    assert 0 < tight <= loose <= 1


def test_static_batches_reserve_the_whole_answer():
    assert sequences_that_fit(CASE, REQUESTS, paged=False) < sequences_that_fit(CASE, REQUESTS, paged=True)


def _pool(prefill_workers: float, decode_workers: float, concurrency: float):
    return disaggregated(
        CASE, CASE, REQUESTS, np.asarray(prefill_workers), np.asarray(decode_workers), np.asarray(concurrency)
    )


def test_prefill_elsewhere_leaves_decode_undisturbed():
    pool = _pool(8.0, 1.0, 8.0)
    together = time_per_output_token_s(CASE, REQUESTS, pool.decode_batch)
    assert pool.time_per_output_token_s < together


def test_a_pool_never_serves_more_than_its_prefill_workers_can():
    pool = _pool(1.0, 8.0, 1e4)
    assert pool.request_rate <= 0.9 / prompt_s(CASE, REQUESTS) * (1 + 1e-9)


def test_requests_in_a_pool_obey_littles_law():
    pool = _pool(2.0, 2.0, 32.0)
    in_decode = pool.request_rate * 500 * pool.time_per_output_token_s
    assert in_decode == pytest.approx(2 * pool.decode_batch)
    assert in_decode <= 32.0


def test_balanced_workers_process_prompts_as_fast_as_answers():
    batch = np.asarray(64.0)
    ratio = workers_ratio(CASE, CASE, REQUESTS, batch, headroom=1.0)
    answers = 64 / (500 * decode_step_s(CASE, batch, np.asarray(1250.0)))
    assert ratio / prompt_s(CASE, REQUESTS) == pytest.approx(answers)


@given(st.floats(1, 5000), st.floats(1, 1e5))
def test_busy_shares_stay_between_nothing_and_one(batch, context):
    compute, memory = utilisation(CASE, np.asarray(batch), np.asarray(context))
    assert 0 <= compute <= 1
    assert 0 <= memory <= 1
