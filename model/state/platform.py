"""The leader's platform: software, compute credits, venue, and the segment of fast tokens."""

from computemarket.model.core.arrays import Floats
from computemarket.model.state.declared import ANY, FLOW, SHARE, STOCK, Book, array


class PlatformBook(Book):
    """The leader's platform: software, compute credits, venue, and the segment of fast tokens."""

    software_attach: Floats = array(
        "",
        unit="share",
        kind=STOCK,
        owner="spread the leader's software",
        meaning="Leader's accelerators that carry its software",
        within=SHARE,
    )
    leader_order_factor: Floats = array(
        "",
        unit="1",
        kind=STOCK,
        owner="lose rivals' orders to the marketplace",
        meaning="Orders to the leader that channel conflict leaves, over those without it",
        start=1.0,
    )
    porting_factor: Floats = array(
        "",
        unit="1",
        kind=STOCK,
        owner="count the cost of leaving",
        meaning="Cost of porting to own silicon over that of 2025",
        start=1.0,
    )
    credit_stage: Floats = array(
        "",
        unit="1",
        kind=STOCK,
        owner="spread the leader's software",
        meaning="Stage of compute credits: private, portable, tradable, stakable",
    )
    credits_h: Floats = array(
        "G",
        unit="GPU-hours",
        kind=STOCK,
        owner="sell software and credits",
        meaning="Compute credits outstanding",
    )
    credits_redeemed_h: Floats = array(
        "G",
        unit="GPU-hours",
        kind=FLOW,
        lagged=True,
        owner="sell software and credits",
        meaning="Compute credits redeemed",
    )
    credit_pool_h: Floats = array(
        "",
        unit="GPU-hours",
        kind=STOCK,
        owner="sell software and credits",
        meaning="Hours that back compute credits",
    )
    credit_sales_usd: Floats = array(
        "",
        unit="USD",
        kind=FLOW,
        lagged=True,
        owner="sell software and credits",
        meaning="Money that new compute credits brought",
    )
    credit_demand_factor: Floats = array(
        "",
        unit="1",
        kind=STOCK,
        owner="trade compute credits",
        meaning="Wish for credits over that at the terms of 2026Q1",
        start=1.0,
    )
    credit_exposure: Floats = array(
        "",
        unit="1",
        kind=STOCK,
        owner="trade compute credits",
        meaning="Exposure to financial regulators, as a stage of a case",
    )
    credit_price_variance: Floats = array(
        "",
        unit="1",
        kind=STOCK,
        owner="trade compute credits",
        meaning="Variance of the ln price of credits over par",
    )
    rent_variance: Floats = array(
        "",
        unit="1",
        kind=STOCK,
        owner="spread the leader's software",
        meaning="Variance of quarterly changes of the ln spot rent",
    )
    venue_share: Floats = array(
        "",
        unit="share",
        kind=STOCK,
        owner="choose units of compute",
        meaning="Trades that do not pass a neutral venue instead",
        within=SHARE,
        start=1.0,
    )
    layer_revenue_usd: Floats = array(
        "Y",
        unit="USD",
        kind=FLOW,
        lagged=True,
        owner="sell software and credits",
        meaning="Revenue of the leader by layer",
    )
    capacity_revenue_usd: Floats = array(
        "",
        unit="USD",
        kind=FLOW,
        owner="book partnerships of clouds",
        meaning="Leader's shares above floors, and what its brand keeps",
        within=ANY,
    )
    hedged_share: Floats = array(
        "",
        unit="share",
        kind=STOCK,
        owner="trade futures on hours",
        meaning="Rented hours that are hedged",
        within=SHARE,
    )
    fast_segment_usd: Floats = array(
        "",
        unit="USD",
        kind=FLOW,
        owner="value entry to the fast segment",
        meaning="Western sales of accelerators for fast tokens in the quarter before",
    )
    contestable_usd: Floats = array(
        "",
        unit="USD",
        kind=STOCK,
        owner="value entry to the fast segment",
        meaning="Sales of fast tokens' accelerators that rivals can hope for",
    )
    entry_cost_usd: Floats = array(
        "",
        unit="USD",
        kind=STOCK,
        owner="value entry to the fast segment",
        meaning="Cost of bringing a system for fast tokens",
    )
    entry_value_ratio: Floats = array(
        "",
        unit="1",
        kind=STOCK,
        owner="value entry to the fast segment",
        meaning="Value of entry over what it must reach",
        within=ANY,
    )
    deterring_designs: Floats = array(
        "",
        unit="1",
        kind=STOCK,
        owner="value entry to the fast segment",
        meaning="Designs that the leader made for the segment so far",
    )
    deterring_design_landed: Floats = array(
        "",
        unit="1",
        kind=FLOW,
        owner="value entry to the fast segment",
        meaning="1 where a deterring design came in this quarter, else 0",
        within=SHARE,
    )
    open_niches: Floats = array(
        "", unit="1", kind=STOCK, owner="open and answer niches", meaning="Niches open to rivals"
    )
    outside_rivals: Floats = array(
        "",
        unit="1",
        kind=STOCK,
        owner="open and answer niches",
        meaning="Rivals that are neither in nor gone",
    )
