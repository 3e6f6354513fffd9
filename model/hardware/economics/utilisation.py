"""How much of a fleet's clock is sold: availability, packing, sharing one accelerator, and waiting (M5).

Useful share of hours = availability x min(limit, packed load). Waiting is M/M/c (Erlang 1917), with the
correction for variable service of Allen and Cunneen (Allen 1990).
"""

from dataclasses import dataclass

import numpy as np

from computemarket.model.core.arrays import Floats, Ints

MOST_SLOTS = 7  # instances of one accelerator; source: NVIDIA MIG user guide
_COMPUTE_SLICES, _MEMORY_SLICES = 7, 8


def availability(
    mtbf_h: Floats | float, repair_h: Floats | float, accelerators: Floats | float = 1.0
) -> Floats:
    """Return the share of time a group works, ``MTBF/(MTBF + n repair)``; any of n failing stops the group."""
    return np.asarray(mtbf_h / (mtbf_h + np.asarray(accelerators, dtype=np.float64) * repair_h))


def useful_share(available: Floats | float, packed_load: Floats, limit: Floats | float) -> Floats:
    """Return the share of hours that do paid work, ``availability x min(limit, packed load)``."""
    return np.asarray(available * np.minimum(packed_load, limit))


def packing_loss(request_share: Floats, size_slots: Floats, bin_slots: Floats | float) -> Floats:
    """Return the share of capacity lost when requests of mixed sizes fill whole bins.

    A bin holds floor(b/s) requests of size s; what is left over is lost. Shares weight by occupied capacity.

    Parameters
    ----------
    request_share : (..., G) share of demand by size class, by capacity; sums to 1
    size_slots : (G,) slots per request, at most ``bin_slots``
    bin_slots : slots of a bin (accelerators of a server, slots of an accelerator)
    """
    used = np.floor(bin_slots / size_slots) * size_slots / bin_slots
    bins = (request_share / used).sum(axis=-1)  # bins per bin's worth of demand
    return np.asarray(1.0 - 1.0 / bins)


def slots_needed(load: Floats) -> Floats:
    """Return the slots of 1/7 accelerator that loads need, 1 to 7; a load is a share of one accelerator."""
    return np.clip(np.ceil(np.asarray(load) * MOST_SLOTS - 1e-9), 1.0, float(MOST_SLOTS))


def shared_load(load: Floats, weight: Floats, slots: Ints | int) -> Floats:
    """Return the load that packing puts on each accelerator when it is cut into slots.

    Without slots each workload holds a whole accelerator and uses ``load`` of it. With slots it holds the
    smallest whole number that carries it, so the accelerators needed fall from 1 to ceil(load slots)/slots.

    Parameters
    ----------
    load : (..., G) share of one accelerator that each class of workload uses, 0..1
    weight : (..., G) number of workloads by class
    slots : pieces, 1 (no sharing) to 7

    Returns
    -------
    (...,) mean load of the accelerators in use
    """
    pieces = np.asarray(slots, dtype=np.float64)
    held = np.clip(np.ceil(load * pieces - 1e-9), 1.0, pieces) / pieces
    used, taken = (load * weight).sum(axis=-1), (held * weight).sum(axis=-1)
    return np.where(taken > 0, used / np.where(taken > 0, taken, 1.0), 0.0)


@dataclass(frozen=True, slots=True)
class Instance:
    """One slice of a partitioned accelerator, shares of the whole."""

    compute: float
    memory: float  # capacity, bandwidth and cache alike; no link to peers


def instance(compute_slices: int, memory_slices: int) -> Instance:
    """Return a MIG instance: s of 7 compute slices and m of 8 memory slices."""
    return Instance(compute_slices / _COMPUTE_SLICES, memory_slices / _MEMORY_SLICES)


PROFILES = {
    "1g": instance(1, 1), "1g_double": instance(1, 2), "2g": instance(2, 2),
    "3g": instance(3, 4), "4g": instance(4, 4), "7g": instance(7, 8),
}  # fmt: skip


def erlang_b(servers: int, offered: Floats) -> Floats:
    """Return the blocking probability of M/M/c/c, by the stable recursion ``B_k = a B/(k + a B)``, B_0 = 1.

    Parameters
    ----------
    servers : c, at least 1
    offered : a = arrival rate x service time, in erlangs, any shape
    """
    load = np.asarray(offered, dtype=np.float64)
    blocked = np.ones_like(load)
    for k in range(1, servers + 1):
        blocked = load * blocked / (k + load * blocked)
    return blocked


def erlang_c(servers: int, offered: Floats) -> Floats:
    """Return the probability of waiting in M/M/c, ``B/(1 - rho (1 - B))``; 1 where load reaches the servers."""
    load = np.asarray(offered, dtype=np.float64)
    rho = load / servers
    blocked = erlang_b(servers, load)
    waiting = blocked / np.maximum(1.0 - rho * (1.0 - blocked), 1e-300)
    return np.where(rho < 1.0, waiting, 1.0)


def mean_wait(
    servers: int, offered: Floats, service_s: Floats | float, service_cv: Floats | float = 1.0
) -> Floats:
    """Return the mean time in queue, s; infinity where load reaches the servers.

    ``C(c, a) s/(c - a) x (1 + cv^2)/2``: exact for M/M/c (cv 1), the Allen-Cunneen correction otherwise.
    A machine with a static schedule (LPU) has a small cv, and so half of a GPU's queue at most.
    """
    load = np.asarray(offered, dtype=np.float64)
    spare = np.where(load < servers, servers - load, 1.0)
    wait = erlang_c(servers, load) * service_s / spare * (1.0 + np.asarray(service_cv) ** 2) / 2.0
    return np.where(load < servers, wait, np.inf)


def load_within_wait(
    servers: int, service_s: Floats, limit_s: Floats, service_cv: Floats | float = 1.0, halvings: int = 50
) -> Floats:
    """Return the largest utilisation whose mean wait stays within a limit, by a fixed number of halvings."""
    shape = np.broadcast_shapes(np.shape(service_s), np.shape(limit_s), np.shape(service_cv))
    low, high = np.zeros(shape), np.ones(shape)
    for _ in range(halvings):
        middle = 0.5 * (low + high)
        good = mean_wait(servers, middle * servers, service_s, service_cv) <= limit_s
        low, high = np.where(good, middle, low), np.where(good, high, middle)
    return low
