"""Running accelerators: useful hours from failures, waiting and sharing, and the energy a token cannot avoid (M1, M5).

Put together from the laws of ``utilisation`` and ``energy`` and the parameters of the area.
"""

from dataclasses import dataclass

import numpy as np

from computemarket.model.core.arrays import Bools, Floats, Ints
from computemarket.model.hardware.economics.utilisation import (
    MOST_SLOTS,
    availability,
    load_within_wait,
    shared_load,
)
from computemarket.model.hardware.performance.energy import dynamic_joules
from computemarket.model.hardware.performance.roofline import expert_share
from computemarket.model.hardware.specs.chips import Chips
from computemarket.model.hardware.specs.defaults import parameter_default
from computemarket.model.hardware.specs.models import Models
from computemarket.model.hardware.specs.precision import CACHE_BYTES, FORMATS, weight_bytes

_WIDE = FORMATS.index("fp16")  # an operation of twice the bits costs about twice the energy
_POOL = 8  # replicas that share one queue


def steadiness(static_schedule: Bools) -> Floats:
    """Return how much fuller than GPUs machines may run within the same mean wait, 1 for GPUs.

    Service times of statically scheduled machines (LPUs, wafers) hardly vary, so they queue less: the ratio of
    the utilisations at which ``_POOL`` replicas keep the mean wait within a tenth of the service time.
    """
    variation = np.where(
        static_schedule,
        parameter_default("service_variation_lpu"),
        parameter_default("service_variation_gpu"),
    )
    limit = np.asarray(0.1)
    loose = load_within_wait(_POOL, np.asarray(1.0), limit, variation)
    return loose / load_within_wait(_POOL, np.asarray(1.0), limit, parameter_default("service_variation_gpu"))


def group_availability(accelerators: Floats | float) -> Floats:
    """Return the share of time in which a group of accelerators that fails as one works."""
    return availability(parameter_default("mtbf"), parameter_default("repair"), accelerators)


def sharing_gain(small_share: Floats, small_load: float, large_load: float) -> Floats:
    """Return by how much seven slots raise the load of accelerators that serve small and large workloads.

    Parameters
    ----------
    small_share : share of workloads that use ``small_load`` of an accelerator, the others ``large_load``
    """
    share = np.asarray(small_share, dtype=np.float64)
    weight = np.stack([share, 1.0 - share], axis=-1)
    load = np.broadcast_to(np.array([small_load, large_load]), weight.shape)
    return shared_load(load, weight, MOST_SLOTS) - shared_load(load, weight, 1)


@dataclass(frozen=True, slots=True)
class TokenEnergy:
    """Energy of one output token on the chips, without what they draw idle, J."""

    far: Floats  # moving bytes from memory beside the die
    near: Floats  # moving bytes on the die
    arithmetic: Floats

    @property
    def total(self) -> Floats:
        """Return the sum."""
        return np.asarray(self.far + self.near + self.arithmetic)


def token_energy(
    chips: Chips,
    models: Models,
    code: Ints,
    batch: Floats,
    context: Floats,
    near_cache_share: Floats | float = 0.0,
) -> TokenEnergy:
    """Return the energy of moving what a token reads and of computing it.

    Parameters
    ----------
    chips, models, code : gathered by ``take``, broadcasting; code is a place in ``FORMATS``
    batch : sequences that share one reading of the weights
    context : tokens of cache read
    near_cache_share : share of the cache that stays in on-chip memory

    Notes
    -----
    ``bytes = (shared + experts f_x(B))/B + cache S``; machines with weights in SRAM read everything on the die.
    """
    expert_width, shared_width = weight_bytes(code, models.mixture)
    touched = expert_share(np.log1p(-models.active_share), batch)
    routed = models.experts * np.minimum(expert_width, models.expert_bytes) * touched
    weights = (models.shared * shared_width + routed) / batch
    read = models.cache_values * np.minimum(context, models.sparse_tokens)
    read = read + models.window_values * np.minimum(context, models.window_tokens)
    cache = read * CACHE_BYTES[code]
    everything = weights + cache
    near = np.where(chips.on_chip, everything, near_cache_share * cache)
    operations = 2.0 * models.active + models.decode_attention * np.minimum(context, models.sparse_tokens)
    wide = np.where(np.asarray(code) == _WIDE, 2.0, 1.0)
    far_pj, near_pj, operation_pj = (
        parameter_default(key) for key in ("far_memory_energy", "near_memory_energy", "operation_energy")
    )
    nothing = np.zeros_like(everything)
    return TokenEnergy(
        far=dynamic_joules(everything - near, 0.0, 0.0, far_pj, near_pj, operation_pj),
        near=dynamic_joules(nothing, near, 0.0, far_pj, near_pj, operation_pj),
        arithmetic=dynamic_joules(nothing, 0.0, operations * wide, far_pj, near_pj, operation_pj),
    )
