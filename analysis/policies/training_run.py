"""The largest training run that a stock of compute affords."""

import numpy as np

from computemarket.model.core.arrays import Floats

# The largest cluster and a run on it; sources: Epoch AI on cluster shares and length of runs; dense BF16 of an H100.
CLUSTER_SHARE, UTILISATION, RUN_SECONDS, H100_BF16_FLOPS = 0.05, 0.4, 90 * 86400.0, 989.5e12


def largest_run_flop(stock_h100e: Floats) -> Floats:
    """Return the FLOP of the largest training run that a stock affords: a twentieth of it for ninety days."""
    return np.asarray(stock_h100e * CLUSTER_SHARE * H100_BF16_FLOPS * UTILISATION * RUN_SECONDS)
