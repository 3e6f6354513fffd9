"""Time that collectives take inside and outside the scale-up domain.

Latency and bandwidth add (the alpha-beta model of Hockney 1994): an all-reduce over n ranks costs
``alpha ceil(log2 n) + 2 (n-1)/n bytes/beta``, an all-to-all ``alpha + (n-1)/n bytes/beta``. A group larger than the
scale-up domain crosses the network: it pays the network's latency and bandwidth.
"""

from dataclasses import dataclass

import numpy as np

from computemarket.model.core.arrays import Floats


@dataclass(frozen=True, slots=True)
class Fabric:
    """What joins the ranks of a group; arrays of one shape or broadcasting."""

    hop_s: Floats  # latency of one hop of a collective
    link_b_s: Floats  # one-way bandwidth of a chip inside the domain, as achieved
    domain: Floats  # chips of the domain
    far_hop_s: Floats  # latency of one hop over the network
    far_b_s: Floats  # one-way bandwidth of a chip over the network, as achieved

    def latency_s(self, ranks: Floats) -> Floats:
        """Return the latency of one hop in a group of ``ranks``."""
        return np.where(ranks > self.domain, self.far_hop_s, self.hop_s)

    def seconds_per_byte(self, ranks: Floats) -> Floats:
        """Return the inverse bandwidth of one chip in a group of ``ranks``."""
        return 1.0 / np.where(ranks > self.domain, self.far_b_s, self.link_b_s)


def all_reduce_latency_s(fabric: Fabric, ranks: Floats) -> Floats:
    """Return the latency of one all-reduce over ``ranks`` chips, s; none for a chip alone."""
    return fabric.latency_s(ranks) * np.ceil(np.log2(np.maximum(ranks, 1.0)))


def all_reduce_s_per_byte(fabric: Fabric, ranks: Floats) -> Floats:
    """Return the time one byte adds to an all-reduce over ``ranks`` chips, s/B (ring bound)."""
    return 2.0 * (ranks - 1.0) / ranks * fabric.seconds_per_byte(ranks)


def all_to_all_latency_s(fabric: Fabric, ranks: Floats) -> Floats:
    """Return the latency of one all-to-all over ``ranks`` chips, s; none for a chip alone."""
    return np.where(ranks > 1.0, fabric.latency_s(ranks), 0.0)


def all_to_all_s_per_byte(fabric: Fabric, ranks: Floats) -> Floats:
    """Return the time one byte of a chip's own data adds to an all-to-all, s/B."""
    return (ranks - 1.0) / ranks * fabric.seconds_per_byte(ranks)
