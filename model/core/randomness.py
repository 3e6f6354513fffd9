"""Named, counter-based random streams: a draw depends on seed, name, run and quarter, and on nothing else.

Philox is a counter-based generator (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"): block
`n` of a key costs the same whatever came before it. A stream's key is made of the scenario seed and the
stream's name; run `k` owns the blocks from `k` times its stride on. So a run draws the same numbers alone or in any
company, a new stream shifts no other, and one generator serves all runs of a chunk.
"""

import zlib
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from computemarket.model.core.arrays import Floats, Ints
from computemarket.model.core.calendar import QUARTERS

_WORDS_PER_BLOCK = 4  # a Philox4x64 block holds four 64-bit words, a double takes one
_SMALLEST = 2.0**-54  # keeps uniforms inside the open interval (0, 1)


class Streams:
    """The random draws of a set of runs.

    Parameters
    ----------
    seed : scenario seed, 0..2**63
    runs : (R,) run numbers
    """

    def __init__(self, seed: int, runs: Ints) -> None:
        self.seed = seed
        self.runs = np.asarray(runs, dtype=np.int64)

    def uniform(self, name: str, width: int) -> Floats:
        """Return (R, width) uniforms in (0, 1), the same for a run in any ensemble."""
        blocks = -(-width // _WORDS_PER_BLOCK)
        out = np.empty((len(self.runs), blocks * _WORDS_PER_BLOCK))
        for start, stop in _contiguous(self.runs):
            counter = int(self.runs[start]) * blocks
            generator = np.random.Generator(np.random.Philox(key=self._key(name), counter=counter))
            out[start:stop] = generator.random((stop - start, out.shape[1]))
        out += _SMALLEST
        return np.ascontiguousarray(out[:, :width])

    def normal(self, name: str, width: int) -> Floats:
        """Return (R, width) standard normals by inversion of the uniforms."""
        from scipy.special import ndtri

        normals: Floats = ndtri(self.uniform(name, width))
        return normals

    def quarterly_uniform(self, name: str, members: int = 1) -> Floats:
        """Return (R, T, members) uniforms for every quarter of the calendar, whatever the horizon."""
        return self.uniform(name, len(QUARTERS) * members).reshape(len(self.runs), len(QUARTERS), members)

    def quarterly_normal(self, name: str, members: int = 1) -> Floats:
        """Return (R, T, members) standard normals for every quarter of the calendar."""
        return self.normal(name, len(QUARTERS) * members).reshape(len(self.runs), len(QUARTERS), members)

    def _key(self, name: str) -> NDArray[np.uint64]:
        return np.array([self.seed, zlib.crc32(name.encode())], dtype=np.uint64)


def _contiguous(runs: Ints) -> list[tuple[int, int]]:
    """Split run numbers into stretches that count up by one."""
    breaks = np.flatnonzero(np.diff(runs) != 1) + 1
    edges = [0, *breaks.tolist(), len(runs)]
    return list(pairwise(edges))
