"""Serving: time per output token, throughput, first token, limits, and prefill apart from decode.

Steady state of continuous batching: each of B sequences is replaced as soon as it ends, so a replica's
steps also carry the prompts of newcomers (Yu et al. 2022, Orca). Little's law ties rate and concurrency.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from computemarket.model.core.arrays import Bools, Floats
from computemarket.model.hardware.performance.roofline import (
    Replica,
    batch_capacity,
    context_read_s,
    decode_step_s,
    expert_share,
    prefill_s,
)

_HALVINGS = 40  # fixed: results must not depend on which other configurations are solved with them


@dataclass(frozen=True, slots=True)
class Requests:
    """What users send: mean lengths, and what the server makes of them; broadcasting arrays."""

    input_tokens: Floats
    output_tokens: Floats
    accepted: Floats | float = 1.0  # tokens gained per decode step, 1 without speculation
    checked: Floats | float = (
        1.0  # tokens computed per sequence and step, drafts and one, 1 without speculation
    )
    drafting: Floats | float = 0.0  # time of making the drafts over that of the step that checks them
    interference: Floats | float = 1.0  # share of a prompt's prefill time that delays decode

    @property
    def context(self) -> Floats:
        """Return the mean context of a sequence while it decodes: prompt and half the answer."""
        return np.asarray(self.input_tokens + 0.5 * self.output_tokens)


def chunk_tokens(requests: Requests, chunk: Floats | float) -> Floats:
    """Return prompt tokens that one forward pass carries under load: whole prompts up to a chunk."""
    return np.maximum(requests.input_tokens, chunk)


def prompt_s(replica: Replica, requests: Requests, chunk: Floats | float = 0.0) -> Floats:
    """Return a prompt's share of a prefill pass, s; a pass of several prompts is cheaper for each."""
    tokens = np.maximum(chunk_tokens(requests, chunk), 1.0)
    return prefill_s(replica, tokens, requests.input_tokens) * (requests.input_tokens / tokens)


def token_step_s(replica: Replica, requests: Requests, batch: Floats) -> Floats:
    """Return the time of decode per output token, prompts left out, s; drafts made, checked and in part accepted."""
    step = decode_step_s(replica, batch, requests.context, requests.checked)
    return step * (1.0 + np.asarray(requests.drafting)) / requests.accepted


def time_per_output_token_s(
    replica: Replica, requests: Requests, batch: Floats, prompt: Floats | None = None
) -> Floats:
    """Return the time per output token after the first where prefill and decode share the chips, s.

    ``step(B, S_i + S_o/2)/A + (B - 1) prompt/S_o``: while a user waits for S_o tokens, each of the others brings one
    prompt, which delays the step. A user's own prompt is over when the first token comes.
    """
    first = prompt_s(replica, requests) if prompt is None else prompt
    others = np.maximum(batch - 1.0, 0.0)
    delay = others * (requests.interference * first / requests.output_tokens)
    return token_step_s(replica, requests, batch) + delay


def end_to_end_s(replica: Replica, requests: Requests, batch: Floats, prompt: Floats | None = None) -> Floats:
    """Return the time per output token from request to last token, s: time to the first and to all others, over S_o."""
    first = prompt_s(replica, requests) if prompt is None else prompt
    return time_per_output_token_s(replica, requests, batch, first) + first / requests.output_tokens


def output_rate(replica: Replica, requests: Requests, batch: Floats, prompt: Floats | None = None) -> Floats:
    """Return output tokens per second of a replica with ``batch`` sequences in flight (Little 1961)."""
    return batch / end_to_end_s(replica, requests, batch, prompt)


def sequences_that_fit(replica: Replica, requests: Requests, paged: bool = True) -> Floats:
    """Return how many sequences fit in memory, at least one where the weights fit, else 0.

    Paged caches hold a steady mix of ages, S_i + S_o/2 tokens each; static batches reserve S_i + S_o.
    """
    tokens = requests.context if paged else requests.input_tokens + requests.output_tokens
    capacity = batch_capacity(replica, np.asarray(tokens))
    return np.where(replica.room_bytes > replica.weight_bytes, np.maximum(capacity, 1.0), 0.0)


def largest_batch(within: Callable[[Floats], Bools], low: Floats, high: Floats) -> Floats:
    """Return the largest batch in ``low..high`` for which ``within`` holds, by a fixed number of halvings.

    ``within`` must hold up to some batch and fail above it; where it fails at ``low``, ``low`` is returned.
    """
    bottom = np.log(np.maximum(low, 1e-9))
    top = np.log(np.maximum(high, 1e-9))
    bottom, top = np.broadcast_arrays(bottom, np.maximum(top, bottom))
    for _ in range(_HALVINGS):
        middle = 0.5 * (bottom + top)
        good = within(np.exp(middle))
        bottom, top = np.where(good, middle, bottom), np.where(good, top, middle)
    return np.exp(0.5 * (bottom + top))


def batch_within_limit(
    replica: Replica,
    requests: Requests,
    limit_s: Floats,
    high: Floats,
    prompt: Floats | None = None,
) -> Floats:
    """Return the largest batch, up to ``high``, whose time per output token stays within ``limit_s``."""
    first = prompt_s(replica, requests) if prompt is None else prompt

    def within(batch: Floats) -> Bools:
        return np.asarray(time_per_output_token_s(replica, requests, batch, first) <= limit_s)

    return largest_batch(within, np.ones(()), high)


def time_to_first_token_s(first_s: Floats, rate: Floats, servers: Floats | float = 1.0) -> Floats:
    """Return the mean time to the first token of a prompt that arrives at random, s.

    Service time plus waiting in M/D/c: half the M/M/c wait by Sakasegawa (1977),
    ``s rho^(sqrt(2(c+1)) - 1) / (c (1 - rho)) / 2`` with utilisation ``rho = rate s / c``.
    """
    rho = np.minimum(rate * first_s / servers, 1.0 - 1e-9)
    exponent = np.sqrt(2.0 * (np.asarray(servers) + 1.0)) - 1.0
    return first_s * (1.0 + 0.5 * rho**exponent / (servers * (1.0 - rho)))


def busy_within_wait(first_s: Floats, limit_s: Floats, servers: Floats | float, tail: float) -> Floats:
    """Return the largest utilisation at which the tail of waiting plus service meets a limit.

    The wait of M/D/c beyond its mean falls exponentially (Kingman 1962): the quantile ``1 - tail`` of the wait is
    ``ln(rho/tail) s/(2 c (1 - rho))``, solved for rho with rho = 1 in the logarithm.
    """
    slack = np.maximum(limit_s - first_s, 1e-3 * first_s)
    ratio = np.log(1.0 / tail) * first_s / (2.0 * np.asarray(servers) * slack)
    return np.asarray(1.0 / (1.0 + ratio))


@dataclass(frozen=True, slots=True)
class Disaggregated:
    """Prefill on some workers, decode on others: what a pool of both yields."""

    request_rate: Floats  # requests per second of the pool
    decode_batch: Floats  # sequences per decode worker
    time_per_output_token_s: Floats
    chips: Floats

    def output_tokens_per_s(self, output_tokens: Floats) -> Floats:
        """Return output tokens per second of the pool."""
        return self.request_rate * output_tokens


def disaggregated(
    prefill: Replica,
    decode: Replica,
    requests: Requests,
    prefill_workers: Floats,
    decode_workers: Floats,
    concurrency: Floats,
    headroom: Floats | float = 0.9,
    chunk: Floats | float = 0.0,
) -> Disaggregated:
    """Return the steady state of a pool in which ``concurrency`` requests circulate.

    Prompts come out at most at ``n_p headroom / prompt``; the decode batch solves Little's law
    ``B_d n_d = rate S_o TPOT(B_d)`` (closed queueing network of two stations).
    """
    first = prompt_s(prefill, requests, chunk)
    most = prefill_workers * headroom / first

    def rate_at(batch: Floats) -> tuple[Floats, Floats]:
        token_s = token_step_s(decode, requests, batch)
        return decode_workers * batch / (requests.output_tokens * token_s), token_s

    def within(batch: Floats) -> Bools:
        rate, _ = rate_at(batch)
        waiting = rate * first / np.maximum(1.0 - np.minimum(rate / most, 0.999), 1e-3)
        return np.asarray((rate <= most) & (batch * decode_workers + waiting <= concurrency))

    batch = largest_batch(within, np.full((), 1e-2), concurrency / decode_workers)
    rate, token_s = rate_at(batch)
    chips = prefill_workers * prefill.chips + decode_workers * decode.chips
    return Disaggregated(rate, batch, token_s, chips)


def workers_ratio(
    prefill: Replica, decode: Replica, requests: Requests, batch: Floats, headroom: float = 0.9
) -> Floats:
    """Return prefill workers per decode worker that keep both busy, ``r_d/(xi r_p)``."""
    prefill_rate = 1.0 / prompt_s(prefill, requests)
    token_s = token_step_s(decode, requests, batch)
    decode_rate = batch / (requests.output_tokens * token_s)
    return decode_rate / (headroom * prefill_rate)


def accepted_tokens(draft_length: Floats | float, acceptance: Floats | float) -> Floats:
    """Return tokens gained per step of speculative decoding, ``(1 - rho^(g+1))/(1 - rho)``.

    Source: Leviathan, Kalman, Matias 2023. The step computes ``g + 1`` tokens per sequence.
    """
    share = np.asarray(acceptance, dtype=np.float64)
    return np.asarray((1.0 - share ** (draft_length + 1.0)) / (1.0 - share))


def utilisation(replica: Replica, batch: Floats, context: Floats) -> tuple[Floats, Floats]:
    """Return the shares of a decode step in which arithmetic and memory are busy, each 0..1."""
    micro = batch / replica.stages
    step = decode_step_s(replica, batch, context)
    read = replica.weight_s + replica.expert_s * expert_share(replica.log_miss, micro)
    read = read + micro * context_read_s(replica, context)
    attended = np.minimum(context, replica.sparse_tokens)
    compute = micro * (replica.flop_s + replica.attention_s * attended)
    return np.minimum(compute / step, 1.0), np.minimum(read / step, 1.0)
