"""Energy: power of a chip by what it does, and joules per token from bytes moved and work done.

Power between idle and the design limit follows how busy arithmetic and memory are (performance models of
accelerators, e.g. Hong and Kim 2010); the bottom-up view prices every byte and every operation (Horowitz 2014,
"Computing's energy problem").
"""

import numpy as np

from computemarket.model.core.arrays import Floats
from computemarket.model.hardware.performance.roofline import Replica
from computemarket.model.hardware.performance.serving import Requests, utilisation

_BITS = 8.0
_PICO = 1e-12


def chip_power_w(
    idle_w: Floats | float,
    tdp_w: Floats,
    compute_busy: Floats,
    memory_busy: Floats,
    compute_weight: Floats | float,
    memory_weight: Floats | float,
) -> Floats:
    """Return a chip's power, ``P_idle + (TDP - P_idle) min(1, w_c u_c + w_m u_m)``, W.

    Parameters
    ----------
    compute_busy, memory_busy : shares of a step in which arithmetic and memory work, 0..1
    compute_weight, memory_weight : share of the dynamic power that each draws when busy
    """
    busy = np.minimum(compute_weight * compute_busy + memory_weight * memory_busy, 1.0)
    return np.asarray(idle_w + (tdp_w - idle_w) * busy)


def joules_per_token(
    chips: Floats | float,
    chip_w: Floats,
    host_w: Floats | float,
    tokens_per_s: Floats,
    pue: Floats | float,
) -> Floats:
    """Return site energy per token, ``PUE (N P_chip + P_host)/(tokens/s)``, J; infinity without tokens."""
    watts = np.asarray(pue * (chips * chip_w + host_w), dtype=np.float64)
    rate = np.asarray(tokens_per_s, dtype=np.float64)
    return np.where(rate > 0, watts / np.where(rate > 0, rate, 1.0), np.inf)


def dynamic_joules(
    far_bytes: Floats | float,
    near_bytes: Floats | float,
    operations: Floats | float,
    far_pj_per_bit: Floats | float,
    near_pj_per_bit: Floats | float,
    pj_per_operation: Floats | float,
) -> Floats:
    """Return the energy of moving bytes and computing, J.

    ``8 (b_far e_far + b_near e_near) + ops e_op``: bytes from stacked memory cost ten times those from on-chip
    memory, so weights and cache that stay near cut the energy of a token.
    """
    moved = _BITS * (np.asarray(far_bytes) * far_pj_per_bit + np.asarray(near_bytes) * near_pj_per_bit)
    return np.asarray((moved + np.asarray(operations) * pj_per_operation) * _PICO)


def decode_power_w(
    replica: Replica,
    requests: Requests,
    batch: Floats,
    tdp_w: Floats,
    idle_share: Floats | float,
    compute_weight: Floats | float,
    memory_weight: Floats | float,
) -> Floats:
    """Return the power of one chip of a replica while it decodes, W."""
    compute_busy, memory_busy = utilisation(replica, batch, requests.context)
    return chip_power_w(idle_share * tdp_w, tdp_w, compute_busy, memory_busy, compute_weight, memory_weight)
