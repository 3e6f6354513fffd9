"""The roofline of one model replica: what a decode step and a prefill cost, as arrays.

A ``Replica`` holds per configuration what does not depend on batch and lengths; the two kernels below
combine it with them. They are a dozen elementwise operations, so that millions of configurations a second
pass through one core (Williams et al. 2009; Pope et al. 2022 for transformers).
"""

from dataclasses import dataclass, field, fields

import numpy as np

from computemarket.model.core.arrays import Bools, Floats, Ints
from computemarket.model.hardware.performance.communication import (
    Fabric,
    all_reduce_latency_s,
    all_reduce_s_per_byte,
    all_to_all_latency_s,
    all_to_all_s_per_byte,
)
from computemarket.model.hardware.specs.chips import Chips
from computemarket.model.hardware.specs.models import Models
from computemarket.model.hardware.specs.precision import (
    ACTIVATION_BYTES,
    CACHE_BYTES,
    FORMATS,
    WEIGHT_BYTES,
    weight_bytes,
)

_STATE_BYTES = 2.0  # recurrent states are kept in 16 bits
_RESERVE_BYTES = 4e9  # runtime, graphs and communication buffers on an accelerator
_RESERVE_SHARE = 0.05  # of the memory, where that is less
_FP16, _FP4 = FORMATS.index("fp16"), FORMATS.index("fp4")


def _one() -> Floats:
    return np.ones(())


@dataclass(frozen=True, slots=True)
class Layout:
    """How a replica spreads over chips: sizes of the parallel groups, broadcasting arrays."""

    tensor: Floats  # ranks that share every layer's matrices
    pipeline: Floats = field(default_factory=_one)  # stages, each with its share of the layers
    attention_data: Floats = field(default_factory=_one)  # groups that attend to different sequences
    expert: Floats = field(default_factory=_one)  # ranks over which whole experts are dealt

    @property
    def chips(self) -> Floats:
        """Return the chips of one replica."""
        return np.asarray(self.tensor * self.pipeline * self.attention_data, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Efficiency:
    """What real stacks reach of the specification; every entry broadcasts with the configurations."""

    memory: Floats  # share of memory bandwidth while weights and cache stream
    compute: Floats  # share of peak in decode
    prefill: Floats  # share of peak in prefill of long prompts
    prefill_half_tokens: Floats  # tokens in flight per chip at which prefill reaches half of that
    widening: Floats  # share of the compute rate kept where weights are widened to another format
    hop_s: Floats  # latency of a collective's hop in the scale-up domain
    far_hop_s: Floats  # the same over the network
    link: Floats  # share of link bandwidth
    layer_s: Floats  # fixed time per layer and step: launches, dependencies
    moe_layer_s: Floats  # more of it per mixture layer: routing, gather, scatter
    step_s: Floats  # fixed time per step: scheduling, sampling
    sequence_s: Floats  # host time per sequence and step
    imbalance: Floats  # exponent: the busiest of e expert ranks has e**imbalance of the mean load
    # Neutral where a fit does not know them:
    expert_memory: Floats = field(
        default_factory=_one
    )  # share of that bandwidth kept by gathered expert weights
    unpack: Floats = field(
        default_factory=_one
    )  # share of bandwidth kept while weights are widened on the fly


@dataclass(frozen=True, slots=True)
class Replica:
    """Constants of configurations, all broadcasting; times in s, sizes in bytes per chip."""

    weight_s: Floats  # reading the weights that every step reads
    expert_s: Floats  # reading all routed experts
    log_miss: Floats  # ln(1 - k/E): minus the rate at which a token touches an expert
    cache_s: Floats  # reading one token of cache of one sequence
    state_s: Floats  # reading the constant state of one sequence
    window_s: Floats  # reading one token of a sliding window
    indexer_s: Floats  # reading one token of the index of sparse attention
    flop_s: Floats  # computing one sequence's next token without attention
    attention_s: Floats  # attention of one token to one token of context
    window_tokens: Floats
    sparse_tokens: Floats
    latency_s: Floats  # per step, whatever the batch
    sequence_s: Floats  # per sequence and step: links and host
    stages: Floats
    prefill_flop_s: Floats  # computing one prompt token without attention, at full efficiency
    prefill_attention_s: Floats  # attention of one prompt token to one other, causal half taken
    prefill_window_s: Floats  # attention of one prompt token to one other inside a sliding window
    prefill_half_tokens: Floats
    prefill_token_s: Floats  # links per prompt token
    chips: Floats
    weight_bytes: Floats  # weights on one chip
    room_bytes: Floats  # memory of one chip that weights and cache may use
    cache_bytes: Floats  # one token of cache of one sequence on one chip
    state_bytes: Floats  # constant state and indexer-free part of one sequence on one chip
    window_bytes: Floats  # one token of a sliding window of one sequence on one chip

    def at(self, index: tuple[int | slice | Ints, ...]) -> "Replica":
        """Return the configurations at an index of the broadcast arrays."""
        shape = np.broadcast_shapes(*(np.shape(getattr(self, f.name)) for f in fields(self)))
        return Replica(*(np.broadcast_to(getattr(self, f.name), shape)[index] for f in fields(self)))


def build_replica(
    chips: Chips,
    models: Models,
    code: Ints,
    layout: Layout,
    efficiency: Efficiency,
    memory_share: float | Floats = 0.9,
    cache_bytes: Floats | None = None,
    windows: bool = True,
) -> Replica:
    """Return the constants of every configuration of chip, model, precision and layout.

    Parameters
    ----------
    chips, models : gathered by ``take``, any shapes that broadcast
    code : places in ``FORMATS``
    layout, efficiency : arrays that broadcast with them
    memory_share : share of memory that the server may fill
    cache_bytes : bytes per cached value; 8-bit where the weights are 8 bits or less by default
    windows : count the arithmetic of sliding-window layers in prefill

    Notes
    -----
    With t, p, a, e ranks of tensor, pipeline, attention-data and expert parallelism on N chips, shared weights
    are spread over t p chips, experts over all N; the cache of grouped attention over min(t, K) a p, a latent
    cache over a p, because every tensor rank keeps the latent (DeepSeek-AI 2024).
    """
    tensor, pipeline, data = layout.tensor, layout.pipeline, layout.attention_data
    n_chips = layout.chips
    mixture = models.mixture
    expert_width, shared_width = weight_bytes(code, mixture)
    expert_width = np.minimum(expert_width, models.expert_bytes)
    reading = reading_bytes(chips, code, efficiency.unpack)
    # Experts released in four bits are read as released, whatever the rest is kept in.
    packed = reading_bytes(chips, np.asarray(_FP4), efficiency.unpack) / WEIGHT_BYTES[_FP4]
    expert_reading = np.minimum(reading, models.expert_bytes * packed)
    value_bytes = np.asarray(CACHE_BYTES[code] if cache_bytes is None else cache_bytes, dtype=np.float64)
    native = chips.is_native(code) & ~_released_smaller(chips, models, code)
    rate = chips.rate(code) * np.where(native, 1.0, efficiency.widening)
    read_s = 1.0 / (chips.bandwidth_b_s * efficiency.memory)
    compute_s = 1.0 / (n_chips * rate * efficiency.compute)
    # Attention itself runs in 16 bits whatever the weights.
    attention_rate = chips.rate(np.asarray(_FP16))
    split = np.where(models.latent, 1.0, np.minimum(tensor, models.kv_heads)) * data * pipeline
    fabric = Fabric(
        hop_s=efficiency.hop_s,
        link_b_s=chips.link_b_s * efficiency.link,
        domain=chips.domain,
        far_hop_s=efficiency.far_hop_s,
        far_b_s=chips.scaleout_b_s * efficiency.link,
    )
    latency_s, token_s = _link_times(models, layout, fabric)
    fixed_s = (
        models.layers * efficiency.layer_s + models.moe_layers * efficiency.moe_layer_s + efficiency.step_s
    )
    expert_bytes = models.experts * expert_width / n_chips
    # Experts dealt over ranks with their own sequences wait for the rank with the most popular ones.
    uneven = np.where(mixture & (data > 1.0), np.maximum(layout.expert, 1.0) ** efficiency.imbalance, 1.0)
    routed = np.clip(models.active - models.shared, 0.0, None)
    active = models.shared + routed * uneven
    shared_bytes = models.shared * shared_width / (tensor * pipeline)
    reserve = np.minimum(_RESERVE_BYTES, _RESERVE_SHARE * chips.memory_bytes)
    prefill_s = 1.0 / (n_chips * rate * efficiency.prefill)
    # A pipeline stage streams 1/p of the weights, and a token passes p stages: the step reads p shares.
    return Replica(
        weight_s=shared_bytes * np.where(mixture, 1.0, reading / WEIGHT_BYTES[code]) * pipeline * read_s,
        expert_s=models.experts
        * expert_reading
        / n_chips
        * uneven
        * pipeline
        * read_s
        / efficiency.expert_memory,
        log_miss=np.log1p(-models.active_share),
        cache_s=models.cache_values * value_bytes / split * pipeline * read_s,
        state_s=models.state_values * _STATE_BYTES / split * pipeline * read_s,
        window_s=models.window_values * value_bytes / split * pipeline * read_s,
        indexer_s=models.indexer_values * value_bytes / split * pipeline * read_s,
        flop_s=2.0 * active * compute_s * pipeline,
        attention_s=models.decode_attention * pipeline / (n_chips * attention_rate * efficiency.compute),
        window_tokens=models.window_tokens,
        sparse_tokens=models.sparse_tokens,
        latency_s=fixed_s + latency_s,
        sequence_s=token_s + efficiency.sequence_s,
        stages=pipeline,
        prefill_flop_s=2.0 * active * prefill_s,
        prefill_attention_s=0.5 * models.prefill_attention / (n_chips * attention_rate * efficiency.prefill),
        prefill_window_s=(models.window_attention if windows else 0.0 * models.window_attention)
        / (n_chips * attention_rate * efficiency.prefill),
        prefill_half_tokens=efficiency.prefill_half_tokens * n_chips,
        prefill_token_s=token_s,
        chips=n_chips,
        weight_bytes=expert_bytes + shared_bytes,
        room_bytes=chips.memory_bytes * memory_share - reserve,
        cache_bytes=(models.cache_values + models.indexer_values) * value_bytes / split,
        state_bytes=models.state_values * _STATE_BYTES / split,
        window_bytes=models.window_values * value_bytes / split,
    )


def reading_bytes(chips: Chips, code: Ints, unpack: Floats) -> Floats:
    """Return the bytes per weight whose reading takes as long as reading and unpacking a weight of the format.

    A format that the chip does not compute is unpacked while it streams, at ``unpack`` of the bandwidth. Packing is
    never slower than the next wider format, which any engine can keep instead: weights are read at the least of both.
    """
    widest_first = np.argsort(-WEIGHT_BYTES, kind="stable")
    least = np.full(
        np.broadcast_shapes(np.shape(chips.memory_bytes), np.shape(code), np.shape(unpack)), np.inf
    )
    found = np.copy(least)
    for place in widest_first:
        native = chips.is_native(np.asarray(place))
        own = WEIGHT_BYTES[place] / np.where(native | (place == _FP16), 1.0, unpack)
        least = np.minimum(least, own)
        found = np.where(np.asarray(code) == place, least, found)
    return found


def _released_smaller(chips: Chips, models: Models, code: Ints) -> Bools:
    """Return where expert weights come in a smaller format than asked for, which the chip cannot compute."""
    smaller = models.expert_bytes < weight_bytes(code, np.asarray(False))[0]
    return np.asarray(smaller & ~chips.is_native(np.asarray(_FP4)))


def _link_times(models: Models, layout: Layout, fabric: Fabric) -> tuple[Floats, Floats]:
    """Return the latency per step and the time per token that a replica spends in collectives.

    Two all-reduces per layer join tensor ranks (Shoeybi et al. 2019), two all-to-alls per mixture layer carry
    tokens to experts and back, and each boundary of a pipeline passes activations once.
    """
    tensor, pipeline, data, expert = layout.tensor, layout.pipeline, layout.attention_data, layout.expert
    width = models.width * ACTIVATION_BYTES
    # Under attention-data parallelism a token's vectors are reduced among its own tensor ranks only.
    latency = 2.0 * models.layers * all_reduce_latency_s(fabric, tensor)
    token = 2.0 * models.layers * width * all_reduce_s_per_byte(fabric, tensor) / data
    ranks = np.where(models.mixture & (data > 1.0), np.maximum(expert, data), 1.0)
    latency = latency + 2.0 * models.moe_layers * all_to_all_latency_s(fabric, ranks)
    routed = models.experts_per_token * width / ranks
    token = token + 2.0 * models.moe_layers * routed * all_to_all_s_per_byte(fabric, ranks)
    passes = pipeline - 1.0
    latency = latency + passes * fabric.latency_s(layout.chips)
    token = token + passes * width * fabric.seconds_per_byte(layout.chips) / (tensor * data)
    return latency, token


def expert_share(log_miss: Floats, tokens: Floats) -> Floats:
    """Return the share of experts that ``tokens`` tokens touch, 1 - (1 - k/E)^tokens, routing uniform."""
    return -np.expm1(log_miss * tokens)


def context_read_s(replica: Replica, context: Floats) -> Floats:
    """Return the time to read one sequence's cache and state once, at a context of so many tokens."""
    read = replica.cache_s * np.minimum(context, replica.sparse_tokens)
    read = read + replica.window_s * np.minimum(context, replica.window_tokens)
    return read + replica.indexer_s * context + replica.state_s


def decode_step_s(replica: Replica, batch: Floats, context: Floats, checked: Floats | float = 1.0) -> Floats:
    """Return the time of one decode step, s.

    Parameters
    ----------
    replica : constants of the configurations
    batch : sequences of the replica
    context : mean tokens of context of a sequence; all broadcast
    checked : tokens that one step computes per sequence, more than one where drafts are verified

    Notes
    -----
    ``max(weights + touched experts + B cache, B flop) + latency + B links``: the roofline with what cannot
    overlap added. With p pipeline stages, micro-batches of B/p pass p stages.
    """
    micro = batch / replica.stages
    per_sequence = context_read_s(replica, context)
    compute = replica.flop_s + replica.attention_s * np.minimum(context, replica.sparse_tokens)
    return step_s(replica, micro, per_sequence, compute, checked)


def step_s(
    replica: Replica, micro: Floats, read_s: Floats, compute_s: Floats, checked: Floats | float = 1.0
) -> Floats:
    """Return the time of one decode step from what one sequence reads and computes, s.

    The inner kernel: for a sweep over batches, compute ``read_s`` and ``compute_s`` once. A sequence of which several
    tokens are checked reads its cache once; its tokens touch experts, compute and travel one by one.
    """
    tokens = micro * checked
    memory = replica.weight_s + replica.expert_s * expert_share(replica.log_miss, tokens) + micro * read_s
    return np.maximum(memory, tokens * compute_s) + replica.latency_s + tokens * replica.sequence_s


def prefill_s(replica: Replica, tokens: Floats, length: Floats) -> Floats:
    """Return the time to process ``tokens`` prompt tokens of sequences of ``length`` tokens, s.

    Compute-bound with an efficiency that falls for few tokens, ``T/(T + T_half)``; never faster than
    reading the weights once; plus links and the fixed time of one step.
    """
    attended = np.minimum(length, 2.0 * replica.sparse_tokens)
    per_token = replica.prefill_flop_s + replica.prefill_attention_s * attended
    # A token of a causal window sees half of the length at most, later the whole window.
    per_token = per_token + replica.prefill_window_s * np.minimum(0.5 * length, replica.window_tokens)
    compute = per_token * (tokens + replica.prefill_half_tokens)
    weights = replica.weight_s + replica.expert_s * expert_share(replica.log_miss, tokens)
    return np.maximum(compute, weights) + tokens * replica.prefill_token_s + replica.latency_s


def fits(replica: Replica) -> Bools:
    """Return whether the weights fit and leave room for some cache."""
    return np.asarray(replica.room_bytes > replica.weight_bytes)


def batch_capacity(replica: Replica, tokens: Floats) -> Floats:
    """Return how many sequences of ``tokens`` tokens fit beside the weights, at least 0 (not rounded)."""
    per_sequence = (
        replica.cache_bytes * tokens
        + replica.window_bytes * np.minimum(tokens, replica.window_tokens)
        + replica.state_bytes
    )
    room = np.maximum(replica.room_bytes - replica.weight_bytes, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(per_sequence > 0, room / per_sequence, np.where(room > 0, np.inf, 0.0))
