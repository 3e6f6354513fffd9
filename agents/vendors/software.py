"""What vendors' software lacks against the leader's, and what closes the gap."""

from computemarket.model.core.calendar import QUARTERS_PER_YEAR
from computemarket.model.core.parameters import schema
from computemarket.model.market import ComputeMarket
from computemarket.model.mechanisms.vendors.learning import gap_left

USD_PER_BN = 1e9


def close_software_gaps(market: ComputeMarket) -> None:
    """Close each vendor's gap by what open software brings to all, and by what it has spent and sold itself.

    A vendor that sells pays engineers and has users who report faults; one that sells nothing waits for open software.
    Writes software_gap and software_spent_usd.
    """
    state, vendors = market.state, market.world.vendors
    if market.quarter == 0:
        for v, name in enumerate(vendors.ids):
            if f"chips.software_gap_{name}" in schema():
                state.software_gap[:, v] = market.value(f"chips.software_gap_{name}")
        first = market.value("chips.software_stock_usd_bn") * USD_PER_BN
        state.software_spent_usd[:] = first[:, None] * vendors.software_stock
        return
    spent = state.software_spent_usd + vendors.rnd_share * state.revenue_usd
    state.software_gap *= gap_left(
        state.software_spent_usd, spent, market.value("chips.software_learning"),
        market.value("chips.software_catch_up") / QUARTERS_PER_YEAR,
    )  # fmt: skip
    state.software_spent_usd[:] = spent
