"""Access of edge chips, which robots carry, to a country under the regimes in force."""

from functools import lru_cache

import numpy as np

from computemarket.model.core.arrays import Floats
from computemarket.model.core.calendar import QUARTERS
from computemarket.model.policy.regimes.metrics import chip_metrics, exact
from computemarket.model.policy.regimes.regime import NAC, NONE
from computemarket.model.policy.trade.access import access_status
from computemarket.model.policy.trade.market_access import Rules
from computemarket.model.world.world import column, read_rows


@lru_cache(maxsize=16)
def edge_access(rules: Rules, country: str) -> Floats:
    """Return (T,) the share of each quarter's days on which the edge chip may be sold without a licence.

    Thresholds are those of the regimes' files: an edge chip lies far from the levers of data-centre rules.
    """
    rows = read_rows("edge_chips")
    tpp, density, dram, links, flag = (
        column(rows, name) for name in ("tpp", "pd", "dram_bw_gbps", "io_gbps", "datacenter")
    )
    metrics = chip_metrics(tpp, density, dram, links, flag)
    metrics["has_hbm"] = exact(np.zeros(len(rows)))
    metrics["transistors_bn"] = exact(np.full(len(rows), 30.0))
    book = rules.book()
    found = [
        access_status(book, metrics, (country,), quarter).share[0, 0, 0] for quarter in range(len(QUARTERS))
    ]
    days = np.stack(found)
    open_days: Floats = np.minimum(days[:, NONE] + days[:, NAC], 1.0)
    open_days.flags.writeable = False
    return open_days
