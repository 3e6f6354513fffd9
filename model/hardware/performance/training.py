"""Training throughput from model FLOPs utilisation (Chowdhery et al. 2022, PaLM, appendix B)."""

import numpy as np

from computemarket.model.core.arrays import Floats, Ints
from computemarket.model.hardware.specs.chips import Chips
from computemarket.model.hardware.specs.models import Models


def flop_per_token(models: Models, length: Floats) -> Floats:
    """Return training operations per token: ``6 P_a + 6 L H h S`` with causal attention."""
    # models.prefill_attention is 4 L H h; forward and backward cost three times the forward, half by causality.
    return 6.0 * models.active + 1.5 * models.prefill_attention * length


def tokens_per_s_per_chip(chips: Chips, models: Models, code: Ints, mfu: Floats, length: Floats) -> Floats:
    """Return trained tokens per second and chip at a utilisation of the peak of the stated format."""
    return mfu * chips.rate(code) / flop_per_token(models, length)


def pipeline_bubble(stages: Floats, micro_batches: Floats, chunks: Floats | float = 1.0) -> Floats:
    """Return the idle share of a pipeline, ``(p - 1)/(v m + p - 1)`` (Narayanan et al. 2021)."""
    return (stages - 1.0) / (chunks * micro_batches + stages - 1.0)


def gradient_sync_s(
    parameters: Floats, replicas: Floats, shards: Floats, scaleout_b_s: Floats, bytes_each: float = 2.0
) -> Floats:
    """Return the time of one ring all-reduce of gradients, ``2 (D-1)/D P b/(shards beta)``, s."""
    volume = 2.0 * (replicas - 1.0) / np.maximum(replicas, 1.0) * parameters * bytes_each
    return volume / (shards * scaleout_b_s)
