"""Accelerators: who holds them, who waits for them, what is made, what they cost."""

from computemarket.model.core.arrays import Floats
from computemarket.model.state.declared import ANY, FLOW, SHARE, STOCK, Book, array


class AcceleratorBook(Book):
    """Accelerators: who holds them, who waits for them, what is made, what they cost."""

    fleet_units: Floats = array(
        "H P",
        unit="units",
        kind=STOCK,
        owner="deliver accelerators",
        meaning="Accelerators that operators hold",
    )
    age_quarters: Floats = array(
        "H P", unit="quarters", kind=STOCK, owner="deliver accelerators", meaning="Mean age of the fleet"
    )
    backlog_units: Floats = array(
        "H P",
        unit="units",
        kind=STOCK,
        owner="place orders",
        meaning="Accelerators ordered and not yet delivered",
    )
    ordered_units: Floats = array(
        "H P", unit="units", kind=FLOW, owner="place orders", meaning="Accelerators ordered"
    )
    delivered_units: Floats = array(
        "H P",
        unit="units",
        kind=FLOW,
        lagged=True,
        owner="deliver accelerators",
        meaning="Accelerators delivered",
    )
    retired_units: Floats = array(
        "H P",
        unit="units",
        kind=FLOW,
        lagged=True,
        owner="deliver accelerators",
        meaning="Accelerators taken out of service",
    )
    duplicate_share: Floats = array(
        "P",
        unit="share",
        kind=STOCK,
        owner="place orders",
        meaning="Part of the backlog that was ordered twice in the shortage",
        within=SHARE,
    )
    quoted_quarters: Floats = array(
        "P",
        unit="quarters",
        kind=STOCK,
        owner="place orders",
        meaning="Wait that was quoted when orders were last placed",
    )
    inventory_units: Floats = array(
        "P", unit="units", kind=STOCK, owner="make accelerators", meaning="Finished accelerators at vendors"
    )
    in_process_units: Floats = array(
        "P",
        unit="units",
        kind=STOCK,
        owner="make accelerators",
        meaning="Accelerators started in this quarter and finished in the next",
    )
    produced_units: Floats = array(
        "P", unit="units", kind=FLOW, lagged=True, owner="make accelerators", meaning="Accelerators finished"
    )
    sold_units: Floats = array(
        "P",
        unit="units",
        kind=STOCK,
        owner="deliver accelerators",
        meaning="Accelerators delivered since 2022Q1, before retirement: what unit costs are learnt from",
    )
    added_units: Floats = array(
        "P",
        unit="units",
        kind=STOCK,
        owner="deliver accelerators",
        meaning="Accelerators delivered since 2022Q1, before retirement: what the results report",
    )
    written_off_units: Floats = array(
        "P",
        unit="units",
        kind=FLOW,
        owner="deliver accelerators",
        meaning="Finished accelerators that nobody will buy",
    )
    architecture_share: Floats = array(
        "P",
        unit="share",
        kind=STOCK,
        owner="draw architecture shocks",
        meaning="Part of its work that an accelerator still does on today's models",
        within=SHARE,
        start=1.0,
    )
    architecture_shocks: Floats = array(
        "",
        unit="1",
        kind=STOCK,
        owner="draw architecture shocks",
        meaning="Number of architecture shocks so far",
    )
    joined_share: Floats = array(
        "P",
        unit="1",
        kind=STOCK,
        owner="try joint LPU racks",
        meaning="Work of an accelerator with its joint software, over the work planned for it",
        start=1.0,
    )
    joint_failed: Floats = array(
        "P",
        unit="1",
        kind=STOCK,
        owner="try joint LPU racks",
        meaning="1 where the joint software of a product has failed, else 0",
        within=SHARE,
    )
    product_edge: Floats = array(
        "P",
        unit="ln",
        kind=STOCK,
        owner="open and answer niches",
        meaning="Utility of a product beyond what its cost, software and age give it",
        within=ANY,
    )
    work: Floats = array(
        "P",
        unit="H100e/unit",
        kind=STOCK,
        owner="fit work to today's models",
        meaning="Work of one accelerator today",
    )
    work_h100e: Floats = array(
        "H",
        unit="H100e",
        kind=STOCK,
        owner="measure fleets and orders",
        meaning="Work of the fleet at the start of the quarter",
    )
    work_by_market: Floats = array(
        "M",
        unit="H100e",
        kind=STOCK,
        owner="measure fleets and orders",
        meaning="Work of all fleets, by the token market in which they stand",
    )
    backlog_h100e: Floats = array(
        "H",
        unit="H100e",
        kind=STOCK,
        owner="measure fleets and orders",
        meaning="Work of the backlog that buyers mean to take, at the start of the quarter",
    )
    retired_h100e: Floats = array(
        "H",
        unit="H100e",
        kind=FLOW,
        owner="measure fleets and orders",
        meaning="Work of what was taken out of service in the quarter before",
    )
    priority: Floats = array(
        "H",
        unit="1",
        kind=STOCK,
        owner="choose how clouds operate",
        meaning="Weight of an operator when deliveries are rationed",
    )
    list_price_usd: Floats = array(
        "P",
        unit="USD/unit",
        kind=STOCK,
        owner="post accelerator prices",
        meaning="Price of an accelerator that its vendor posts",
    )
    price_cut: Floats = array(
        "P",
        unit="share",
        kind=STOCK,
        owner="value entry to the fast segment",
        meaning="Part of its list price that an accelerator is cut by to keep entrants out",
        within=SHARE,
    )
    price_usd: Floats = array(
        "P",
        unit="USD/unit",
        kind=STOCK,
        owner="ask prices",
        meaning="Price of an accelerator that buyers pay",
    )
    unit_cost_usd: Floats = array(
        "P", unit="USD/unit", kind=STOCK, owner="learn unit costs", meaning="Cost of making an accelerator"
    )
    cost_per_h100e_usd: Floats = array(
        "H",
        unit="USD/H100e",
        kind=STOCK,
        owner="place orders",
        meaning="All-in cost of what the operator would buy today",
    )
    hour_cost_usd: Floats = array(
        "H",
        unit="USD/H100e-hour",
        kind=STOCK,
        owner="place orders",
        meaning="Levelised cost of an hour on what the operator would buy today, at the usual cost of capital",
    )
    merchant_hour_cost_usd: Floats = array(
        "H",
        unit="USD/H100e-hour",
        kind=STOCK,
        owner="place orders",
        meaning="The same of what is on sale to anybody",
    )
    revenue_usd: Floats = array(
        "V",
        unit="USD",
        kind=FLOW,
        lagged=True,
        owner="pay for accelerators",
        meaning="Sales of accelerators with their networking and systems",
    )
    cost_of_sales_usd: Floats = array(
        "V",
        unit="USD",
        kind=FLOW,
        lagged=True,
        owner="pay for accelerators",
        meaning="Cost of the accelerators, networking and systems sold",
    )
    vendor_share: Floats = array(
        "V",
        unit="share",
        kind=STOCK,
        owner="pay for accelerators",
        meaning="Share of accelerator revenue, as a mean that forgets",
        within=SHARE,
    )
    software_gap: Floats = array(
        "V",
        unit="ln",
        kind=STOCK,
        owner="close software gaps",
        meaning="Utility that buyers lose by a vendor's software against the leader's",
    )
    software_spent_usd: Floats = array(
        "V",
        unit="USD",
        kind=STOCK,
        owner="close software gaps",
        meaning="What a vendor has spent on its software so far",
    )
    card_budget_share: Floats = array(
        "",
        unit="share",
        kind=STOCK,
        owner="follow trends",
        meaning="Spending on inference cards over spending on accelerators",
    )
