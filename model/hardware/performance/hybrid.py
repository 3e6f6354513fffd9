"""Heterogeneous service: which chips do which phase, and what joining unlike chips yields (M2).

Prefill and decode apart follow Zhong et al. 2024 (DistServe); attention on GPUs with feed-forward layers on SRAM
machines follows the attention/feed-forward split of Zhu et al. 2025 (MegaScale-Infer).
"""

from dataclasses import dataclass, replace

import numpy as np

from computemarket.errors import InputError
from computemarket.model.core.arrays import Floats, Ints
from computemarket.model.hardware.performance.roofline import Replica, decode_step_s, expert_share
from computemarket.model.hardware.specs.chips import Chips
from computemarket.model.hardware.specs.models import Models
from computemarket.model.hardware.specs.precision import ACTIVATION_BYTES, weight_bytes

_SRAM_USABLE = 0.9  # share of on-chip memory that weights may fill, as in the pipelines


@dataclass(frozen=True, slots=True)
class Pools:
    """Prefill and decode workers in balance."""

    prefill_per_decode: Floats  # workers
    output_tokens_per_s_per_chip: Floats
    cache_move_s: Floats  # added to the time to the first token
    link_load: Floats  # share of the prefill workers' links that moving caches takes


def balanced_pools(
    prompt_s: Floats,
    decode_token_s: Floats,
    decode_batch: Floats,
    output_tokens: Floats,
    prefill_chips: Floats,
    decode_chips: Floats,
    cache_bytes: Floats,
    link_b_s: Floats,
    headroom: Floats | float = 0.9,
) -> Pools:
    """Return the pools that keep both phases busy: ``n_p r_p xi = n_d r_d``.

    Parameters
    ----------
    prompt_s : time of one prompt on one prefill worker; ``r_p = 1/prompt_s`` requests/s
    decode_token_s, decode_batch : time per output token and sequences of one decode worker;
        ``r_d = B/(S_o TPOT)`` requests/s
    prefill_chips, decode_chips : chips of one worker
    cache_bytes : cache of one prompt, which crosses ``link_b_s`` of one prefill worker once
    headroom : xi, the share of the prefill pool that may be busy

    Notes
    -----
    ``tokens/s/chip = n_d r_d S_o/(n_p N_p + n_d N_d)``; source: performance equations of DistServe (2024).
    """
    decode_rate = decode_batch / (output_tokens * decode_token_s)
    ratio = decode_rate * prompt_s / headroom
    move_s = cache_bytes / link_b_s
    return Pools(
        prefill_per_decode=ratio,
        output_tokens_per_s_per_chip=decode_rate * output_tokens / (ratio * prefill_chips + decode_chips),
        cache_move_s=move_s,
        link_load=decode_rate / ratio * move_s,
    )


@dataclass(frozen=True, slots=True)
class Pair:
    """A pool of GPUs joined to SRAM machines; arrays broadcast over GPUs and batches."""

    gpus: Floats  # that decode attention
    lpus: Floats  # that hold the feed-forward weights
    speed: Floats  # tokens/s of one user
    tokens_per_s: Floats  # of the whole pair
    attention_share: Floats  # of a layer's time spent in attention on the GPUs


def without_experts(models: Models, feed_forward_share: float) -> tuple[Models, Floats]:
    """Return the model's part that stays on the GPUs, and the active parameters that leave them.

    Mixtures send all routed experts away, dense models the given share of their weights.
    """
    dense_part = np.where(models.mixture, 0.0, feed_forward_share) * models.shared
    routed = np.clip(models.active - models.shared, 0.0, None)
    kept = models.shared - dense_part
    zero = np.zeros_like(models.shared)
    gpu_part = replace(
        models, total=kept, active=kept, shared=kept, experts=zero, n_experts=zero, experts_per_token=zero,
        moe_layers=zero, active_share=zero,
    )  # fmt: skip
    return gpu_part, np.where(models.mixture, routed, dense_part)


def attention_feedforward(
    attention: Replica,
    lpu: Chips,
    models: Models,
    code: Ints,
    batch: Floats,
    context: Floats,
    *,
    layer_s: float,
    link_s: float,
    link_b_s: Floats,
    accepted: float = 1.0,
    compute_share: float = 0.5,
    feed_forward_share: float = 0.8,
) -> Pair:
    """Return what GPUs with attention and SRAM machines with feed-forward layers yield together.

    Parameters
    ----------
    attention : replicas of the part that stays on the GPUs (``without_experts``), any shape
    lpu, models, code : the machine, the whole model and the format of its weights
    batch : sequences of one micro-batch
    layer_s, link_s, link_b_s : fixed time per layer on the machine; latency and bandwidth of the crossing

    Notes
    -----
    Per layer ``t_ffn = max(w f_x(B)/(n BW), 2 B P/(n F eta)) + layer_s``, ``t_link = 2 (alpha + B d b/beta)``,
    latency ``L (t_attn + t_ffn + t_link)``; with three micro-batches in flight the longest of the three stages
    sets the throughput ``B/(L max(t_attn, t_ffn, t_link))``.
    """
    expert_width, _ = weight_bytes(code, models.mixture)
    _, active_away = without_experts(models, feed_forward_share)
    away = np.where(models.mixture, models.experts, active_away)
    stored = away * np.minimum(expert_width, models.expert_bytes)
    n_lpu = np.ceil(stored / (_SRAM_USABLE * lpu.memory_bytes))
    touched = np.where(models.mixture, expert_share(np.log1p(-models.active_share), batch), 1.0)
    read = stored * touched / models.layers / (n_lpu * lpu.bandwidth_b_s)
    compute = 2.0 * batch * active_away / models.layers / (n_lpu * lpu.rate(code) * compute_share)
    feed_forward = np.maximum(read, compute) + layer_s
    link = 2.0 * (link_s + batch * models.width * ACTIVATION_BYTES / link_b_s)
    attend = decode_step_s(attention, batch, context) / models.layers
    slowest = np.maximum(np.maximum(attend, feed_forward), link)
    total = attend + feed_forward + link
    return Pair(
        gpus=attention.chips,
        lpus=n_lpu,
        speed=accepted / (models.layers * total),
        tokens_per_s=accepted * batch / (models.layers * slowest),
        attention_share=attend / total,
    )


def claimed_gain(
    speed: Floats, most: Floats | float, middle: Floats | float, spread: Floats | float
) -> Floats:
    """Return a vendor's claimed gain of the pair over GPUs alone at a speed, ``1 + (G-1)/(1+exp(-(u-u*)/s))``."""
    return 1.0 + (np.asarray(most) - 1.0) / (1.0 + np.exp(-(speed - middle) / spread))


def realised_gain(gain: Floats, realised_share: Floats | float, maturity: Floats | float = 1.0) -> Floats:
    """Return what buyers see of a claimed gain: ``1 + (gain - 1) x realised share x integration maturity``."""
    return 1.0 + (np.asarray(gain) - 1.0) * realised_share * maturity


def orchestrated_gain(
    gain: Floats | float, maturity: Floats | float, delay_s: Floats | float, service_s: Floats
) -> Floats:
    """Return the gain of routing requests to the fitting chip, less the router's delay.

    ``(1 + (gain - 1) maturity) service/(service + delay)``: below one where the delay outweighs what is gained.
    """
    return (1.0 + (np.asarray(gain) - 1.0) * maturity) * service_s / (service_s + delay_s)


def integration_maturity(
    quarters_since_launch: Floats, start: Floats | float, per_quarter: Floats | float
) -> Floats:
    """Return the share of a joint system's performance that software reaches: linear from ``start`` to one."""
    return np.clip(start + per_quarter * np.maximum(quarters_since_launch, 0.0), 0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Plan:
    """Which chips serve which tier at least cost."""

    chips: Floats  # (C, K) chips of each kind in each tier
    cost: float  # of one hour
    feasible: bool


def serving_plan(
    rate: Floats,
    cost_per_hour: Floats,
    power_kw: Floats,
    demand: Floats,
    available: Floats,
    power_limit_kw: float = np.inf,
) -> Plan:
    """Return the cheapest assignment of chips to tiers, a transport linear programme.

    ``min sum c x  s.t.  sum_c rate x >= demand, sum_k x <= available, sum power x <= limit, x >= 0``.

    Parameters
    ----------
    rate : (C, K) tokens/s per chip at each tier's speed, 0 where out of reach
    cost_per_hour, power_kw, available : (C,)
    demand : (K,) tokens/s

    Raises
    ------
    InputError
        If shapes disagree.
    """
    from scipy.optimize import linprog

    chips, tiers = rate.shape
    if demand.shape != (tiers,) or available.shape != (chips,):
        raise InputError(
            "serving plan", (rate.shape, demand.shape, available.shape), "shapes (C, K), (K,), (C,)"
        )
    rows, limits = [], []
    for k in range(tiers):
        row = np.zeros((chips, tiers))
        row[:, k] = -rate[:, k]
        rows.append(row.ravel())
        limits.append(-demand[k])
    for c in range(chips):
        row = np.zeros((chips, tiers))
        row[c] = 1.0
        rows.append(row.ravel())
        limits.append(available[c])
    if np.isfinite(power_limit_kw):
        rows.append(np.repeat(power_kw, tiers))
        limits.append(power_limit_kw)
    answer = linprog(
        np.repeat(cost_per_hour, tiers), A_ub=np.array(rows), b_ub=np.array(limits), method="highs"
    )
    if not answer.success:
        return Plan(np.zeros_like(rate), float("inf"), False)
    return Plan(answer.x.reshape(rate.shape), float(answer.fun), True)
