"""Machines that hold all weights in on-chip memory: pipelines of chips with static schedules.

Weights spread over many chips and nothing is read from outside, so reading is short and the fixed time per
layer carries the token (Abts et al. 2022, Groq; Lie 2023, Cerebras).
"""

from dataclasses import dataclass

import numpy as np

from computemarket.model.core.arrays import Floats, Ints
from computemarket.model.hardware.specs.chips import Chips
from computemarket.model.hardware.specs.models import Models
from computemarket.model.hardware.specs.precision import CACHE_BYTES, weight_bytes

_USABLE = 0.9  # share of on-chip memory that weights and cache may fill; the rest holds activations


def chips_needed(chips: Chips, models: Models, code: Ints, batch: Floats, context: Floats) -> Floats:
    """Return how many chips hold weights and cache, ``ceil((W + B kappa S)/(u M))``."""
    weights, cache = _bytes(models, code, batch, context)
    return np.ceil((weights + cache) / (_USABLE * chips.memory_bytes))


def _bytes(models: Models, code: Ints, batch: Floats, context: Floats) -> tuple[Floats, Floats]:
    expert, shared = weight_bytes(code, models.mixture)
    weights = models.experts * np.minimum(expert, models.expert_bytes) + models.shared * shared
    values = models.cache_values * context + models.window_values * np.minimum(context, models.window_tokens)
    return weights, batch * (values * CACHE_BYTES[code] + 2.0 * models.state_values)


def stream_s(
    chips: Chips, models: Models, code: Ints, layer_s: Floats, context: Floats, batch: Floats
) -> Floats:
    """Return the time per token of one user, s.

    ``(weights of the active part + B cache)/(n BW) + L layer_s``; n chips hold everything.
    """
    needed = chips_needed(chips, models, code, batch, context)
    _, cache = _bytes(models, code, batch, context)
    _, shared = weight_bytes(code, models.mixture)
    read = (models.active * shared + cache) / (needed * chips.bandwidth_b_s)
    return read + models.layers * layer_s


@dataclass(frozen=True, slots=True)
class Pipeline:
    """What a pipeline of SRAM chips yields."""

    chips: Floats
    token_s: Floats  # per user
    tokens_per_s: Floats  # of all chips with the pipeline full


def pipeline(
    chips: Chips,
    models: Models,
    code: Ints,
    layer_s: Floats,
    context: Floats,
    groups: Floats,
    micro_batch: Floats,
    compute_share: Floats | float = 0.5,
    n_chips: Floats | None = None,
) -> Pipeline:
    """Return rates of G groups of chips, each with L/G layers, that pass micro-batches along.

    ``t_token = sum over layers of [max(read, compute) + layer_s]``; G micro-batches fill the pipeline, so the
    throughput is ``G micro_batch / t_token``. Power does not depend on the batch.
    """
    in_flight = groups * micro_batch
    needed = chips_needed(chips, models, code, in_flight, context)
    n = needed if n_chips is None else np.maximum(n_chips, needed)
    _, cache = _bytes(models, code, micro_batch, context)
    _, shared = weight_bytes(code, models.mixture)
    # One group works on a micro-batch at a time: it has n/G chips for L/G of the layers.
    read = (models.active * shared + cache) / (n / groups * chips.bandwidth_b_s) / groups
    compute = micro_batch * 2.0 * models.active / (n * chips.rate(code) * compute_share)
    token_s = groups * np.maximum(read, compute) + models.layers * layer_s
    return Pipeline(n, token_s, in_flight / token_s)
