"""Rules and China: export rules in force, competition cases, smuggling and compute in China."""

from computemarket.model.core.arrays import Floats, Ints
from computemarket.model.state.declared import FLOW, SHARE, STOCK, UNLIMITED, Book, array, places


class RulesBook(Book):
    """Rules and China: export rules in force, competition cases, smuggling and compute in China."""

    restricted_holders: Ints = places(
        unit="1", kind=STOCK, owner="", meaning="Places of the operators that some export regime restricts"
    )
    access: Floats = array(
        "C P",
        unit="share",
        kind=STOCK,
        owner="put export rules in force",
        meaning="Part of the quarter in which a product may be sold to a country",
        within=SHARE,
        start=1.0,
    )
    holder_access: Floats = array(
        "H P",
        unit="share",
        kind=STOCK,
        owner="put export rules in force",
        meaning="Part of an operator's orders that may be served",
        within=SHARE,
        start=1.0,
    )
    open_share: Floats = array(
        "H P",
        unit="share",
        kind=STOCK,
        owner="put export rules in force",
        meaning="Part of the quarter in which deliveries are allowed",
        within=SHARE,
        start=1.0,
    )
    sellable: Floats = array(
        "P",
        unit="1",
        kind=STOCK,
        owner="put export rules in force",
        meaning="1 where some country is open when vendors close their books, else 0",
        within=SHARE,
        start=1.0,
    )
    buyer_charge: Floats = array(
        "P",
        unit="share",
        kind=STOCK,
        owner="put export rules in force",
        meaning="Charge on units for China over their price",
    )
    order_quota_units: Floats = array(
        "P",
        unit="units",
        kind=STOCK,
        owner="put export rules in force",
        meaning="Units that caps leave of orders from China",
        start=UNLIMITED,
    )
    country_room_tpp: Floats = array(
        "C",
        unit="TPP",
        kind=STOCK,
        owner="put export rules in force",
        meaning="Performance that caps leave of a country's orders",
        start=UNLIMITED,
    )
    stockpiling: Floats = array(
        "H",
        unit="1",
        kind=STOCK,
        owner="put export rules in force",
        meaning="Accelerators wished for over those needed, where rules are feared",
        start=1.0,
    )
    commitment: Floats = array(
        "P",
        unit="share",
        kind=STOCK,
        owner="commit packaging to variants",
        meaning="Claim of a compliant variant on packaging, relative to the vendor's best product",
    )
    domestic_bonus: Floats = array(
        "P",
        unit="ln",
        kind=STOCK,
        owner="put Chinese rules in force",
        meaning="Utility that subsidies add to Chinese products",
    )
    regulatory_stage: Floats = array(
        "",
        unit="1",
        kind=STOCK,
        owner="clear last quarter's remedies",
        meaning="Furthest stage of a competition case",
    )
    remedy_share: Floats = array(
        "",
        unit="share",
        kind=STOCK,
        owner="clear last quarter's remedies",
        meaning="Part of the market under authorities whose remedy is in effect",
    )
    rival_gap_factor: Floats = array(
        "",
        unit="1",
        kind=STOCK,
        owner="clear last quarter's remedies",
        meaning="Rivals' software gap that remedies and open software leave, over the gap without them",
        start=1.0,
    )
    china_unmet_h100e: Floats = array(
        "",
        unit="H100e",
        kind=FLOW,
        owner="clear compute in China",
        meaning="Work wished for in China and not sold there",
    )
    china_premium: Floats = array(
        "",
        unit="share",
        kind=STOCK,
        owner="clear compute in China",
        meaning="Price of compute in China over the world's, less one",
    )
    china_price_usd: Floats = array(
        "", unit="USD/H100e", kind=STOCK, owner="clear compute in China", meaning="Price of compute in China"
    )
    remote_h100e: Floats = array(
        "",
        unit="H100e",
        kind=STOCK,
        owner="clear compute in China",
        meaning="Compute abroad that firms of China rent",
    )
    used_abroad_h100e: Floats = array(
        "",
        unit="H100e",
        kind=STOCK,
        owner="clear compute in China",
        meaning="Compute rented or owned abroad and used from China",
    )
    diverted_h100e: Floats = array(
        "",
        unit="H100e",
        kind=FLOW,
        owner="clear compute in China",
        meaning="Work that smugglers want to ship",
    )
    detection: Floats = array(
        "",
        unit="share",
        kind=STOCK,
        owner="clear compute in China",
        meaning="Chance that a smuggled shipment is seized",
        within=SHARE,
    )
    transit_share: Floats = array(
        "C",
        unit="share",
        kind=STOCK,
        owner="clear compute in China",
        meaning="Weights of countries of transit for smugglers",
        within=SHARE,
    )
    transit_units: Floats = array(
        "C",
        unit="units",
        kind=FLOW,
        owner="receive smuggled accelerators",
        meaning="Accelerators diverted in a country of transit",
    )
    smuggled_units: Floats = array(
        "P",
        unit="units",
        kind=FLOW,
        owner="receive smuggled accelerators",
        meaning="Accelerators smuggled into China",
    )
    smuggled_h100e: Floats = array(
        "", unit="H100e", kind=FLOW, owner="receive smuggled accelerators", meaning="Work smuggled into China"
    )
    seized_units: Floats = array(
        "P",
        unit="units",
        kind=FLOW,
        owner="receive smuggled accelerators",
        meaning="Accelerators seized on their way to China",
    )
    front_sales_usd: Floats = array(
        "H",
        unit="USD",
        kind=FLOW,
        owner="receive smuggled accelerators",
        meaning="Money of smugglers for the accelerators that an operator diverts",
    )
    smuggling_fines_usd: Floats = array(
        "", unit="USD", kind=FLOW, owner="pay smugglers and fronts", meaning="Fines on smuggling"
    )
    china_stacks: Floats = array(
        "",
        unit="units",
        kind=FLOW,
        owner="grow Chinese wafers",
        meaning="Memory stacks that Chinese packages may use",
        start=UNLIMITED,
    )
    export_charge_usd: Floats = array(
        "",
        unit="USD",
        kind=FLOW,
        owner="write off what rules stop",
        meaning="Inventory and commitments written off for export rules",
    )
    export_lost_usd: Floats = array(
        "",
        unit="USD",
        kind=FLOW,
        owner="write off what rules stop",
        meaning="Sales that could not be made for export rules",
    )
