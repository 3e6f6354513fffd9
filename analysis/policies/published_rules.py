"""Which simulated number answers a published one, by the words of its metric; and what the market does not hold."""

import numpy as np

from computemarket.analysis.policies.compare_lines import LARGEST_RUN
from computemarket.analysis.policies.published_readers import (
    Question,
    Rule,
    as_signed,
    belief,
    best_over_huawei,
    compute,
    cumulative,
    cut,
    dies_h100e,
    fact,
    growth,
    level,
    lost,
    share,
    total,
    tpp,
    units,
)
from computemarket.model.core.arrays import Floats
from computemarket.model.core.parameters import schema
from computemarket.model.world.world import H100_TPP

LEGAL = ("China added, legal", "China added, variant")
OWNED, DOMESTIC, SMUGGLED = "China compute added, owned", "China added, domestic", "China added, smuggled"
LOCAL = ("Huawei revenue", "Cambricon revenue", "other Chinese revenue")
SALES, WORLD = ("sales of accelerators, china",), "world compute added"
HUAWEI, NVIDIA = "Huawei compute made (TPP)", "Nvidia compute made (TPP)"
CHINA_STOCK, GREY_STOCK = "China stock, owned", "China stock, smuggled"


def made_elsewhere(question: Question) -> Floats:
    """Return the compute of the year but what Chinese makers delivered."""
    return np.asarray(compute(WORLD)(question) - compute(DOMESTIC)(question))


NOT_HELD = (  # words, why the market has no such number
    (("jobs", "employment"), "the market has no labour"),
    (("market value", "market capitalisation", "market cap", "share price"), "firms' shares are not priced"),
    (("top-20", "top 20", "largest clusters"), "single clusters are not followed, only fleets"),
    (("nveu", "validated end user"), "a cap for one validated firm; the caps of the market are by country"),
    (("gdp", "tax"), "the market has no state budget or national accounts"),
    (
        ("tokens per", "benchmark", "model lag", "months behind"),
        "models' abilities are not compared by country",
    ),
    (("probability", "likelihood of"), "a judgement on an event, not an outcome of the market"),
)
RULES = (
    # ratios and shares of the rules and the catalogue
    Rule(
        (("b30a",), ("/ h20", "over h20", "h20 processing")),
        fact(lambda q: tpp()["nvidia_b30a"] / tpp()["nvidia_h20"]),
        "TPP of the catalogue: an input",
        kind="ratio",
        given=True,
    ),
    Rule(
        (("tpp",), ("threshold", "limit"), ("b30a",)),
        fact(lambda q: tpp()["nvidia_b30a"] / schema()["policy.tpp_floor_density"].default),
        "TPP of the catalogue over the threshold of the rule: inputs",
        kind="ratio",
        given=True,
    ),
    Rule(
        (("permitted performance", "new limit", "ceiling"), ("previous", "old", "limit")),
        fact(
            lambda q: (
                schema()["policy.cbc_tpp_ceiling"].default / schema()["policy.tpp_floor_density"].default
            )
        ),
        "thresholds of the rules: an input",
        kind="ratio",
        given=True,
    ),
    Rule(
        (("best us chip", "best american chip", "best nvidia chip"), ("huawei",)),
        fact(best_over_huawei),
        "TPP of accelerators on sale by the end of the year, the chip beside the chip",
        kind="ratio",
        given=True,
    ),
    Rule(
        (("tier-2", "tier 2"), ("pot", "cap", "quota", "allocation")),
        fact(lambda q: schema()["policy.tier2_cap_tpp"].default / H100_TPP),
        "the cap of the rule in H100e by TPP: an input",
        kind="compute",
        given=True,
    ),
    Rule(
        (("dies",), ("shell", "illicit", "tsmc")),
        fact(dies_h100e),
        "a rate of dies from mid-2023, as 910B dies, by TPP: an input",
        kind="compute",
        given=True,
    ),
    Rule(
        (("packages possible", "hbm stockpile", "910c packages"),),
        belief("policy.hbm_stockpile", 1 / 8),
        "the stockpile the model starts from, eight stacks a package: an input",
        kind="count",
        given=True,
    ),
    Rule(
        (("hbm",), ("stacks",)),
        belief("policy.hbm_stockpile", 1.0),
        "the stockpile the model starts from: an input",
        kind="count",
        given=True,
    ),
    # the United States beside China
    Rule(
        (("ratio",), ("added",)),
        level("US/China compute added, owned"),
        "compute added by owners, dense 8-bit: what China buys at the price, not what could be shipped to it",
        ("stock",),
        kind="ratio",
    ),
    Rule(
        (("ratio",), ("stock", "installed", "total", "aggregate"), ("china",)),
        level("US/China stock, owned"),
        "stock by owners",
        ("huawei",),
        kind="ratio",
    ),
    Rule(
        (("us share", "american share", "united states share"), ("cluster", "hosted", "located")),
        share(("US stock, hosted",), ("world stock",)),
        "all that stands in the country, of the world's stock; not clusters alone",
        kind="ratio",
    ),
    Rule(
        (("china share", "chinese share", "china's share"), ("cluster", "hosted", "located")),
        share(("China stock, hosted",), ("world stock",)),
        "all that stands in the country, of the world's stock; not clusters alone",
        kind="ratio",
    ),
    Rule(
        (("us ", "american"), ("share of world", "share of global"), ("owned", "compute")),
        share(("US stock, owned",), ("world stock",)),
        "stock by headquarters, of the world's",
        ("output", "sales", "hyperscaler"),
        kind="ratio",
    ),
    Rule(
        (("china", "chinese"), ("share of world", "share of global"), ("compute",)),
        share((CHINA_STOCK,), ("world stock",), less=(GREY_STOCK,)),
        "stock by headquarters, of the world's; what was smuggled left out",
        condition=("no smuggled", "without smuggled", "excluding smuggled"),
        kind="ratio",
    ),
    Rule(
        (("china", "chinese"), ("share of world", "share of global"), ("compute",)),
        share((CHINA_STOCK,), ("world stock",)),
        "stock by headquarters, of the world's",
        kind="ratio",
    ),
    Rule(
        (
            ("growth",),
            ("chinese models", "china models", "models in china"),
            ("training compute", "largest training"),
        ),
        growth(LARGEST_RUN, 0.0),
        "growth of the largest training run that compute used in China affords",
        kind="ratio",
    ),
    Rule(
        (("increase in china installed", "growth of china", "increase in china"),),
        growth(CHINA_STOCK, 1.0),
        "growth of China's stock by owners over the year",
        kind="ratio",
    ),
    Rule(
        (("growth",), ("us models", "frontier models", "american models", "western models")),
        growth("US stock, owned", 0.0),
        "growth of the stock of firms of the United States",
        kind="ratio",
    ),
    # smuggling
    Rule(
        (("cumulative smuggled", "smuggled stock", "smuggled compute through"),),
        cumulative(SMUGGLED),
        "arrived since 2022",
        kind="compute",
    ),
    Rule(
        (("smuggled", "smuggling"), ("total compute", "china's stock", "of stock", "installed")),
        share((GREY_STOCK,), (CHINA_STOCK,)),
        "of all compute that China's owners hold at the end of the year",
        kind="ratio",
    ),
    Rule(
        (("smuggled", "smuggling"), ("share",)),
        share((SMUGGLED,), (OWNED,)),
        "of all compute that China's owners add in the year, whatever its use",
        kind="ratio",
    ),
    Rule(
        (("smuggled", "smuggling"), ("h100e", "b300e")),
        compute(SMUGGLED),
        "arrived in the year",
        kind="compute",
    ),
    Rule(
        (("smuggled", "smuggling", "diverted"), ("chips", "units", "gpus")),
        units("smuggled units"),
        "units that arrived in the year",
        kind="count",
    ),
    Rule(
        (("detection", "seizure probability"),),
        level("detection of a shipment"),
        "chance that a shipment is seized",
        kind="ratio",
    ),
    # China's compute by source
    Rule(
        (
            ("output", "production"),
            ("/ us", "over us", "of us", "relative to us"),
            ("huawei", "china", "domestic"),
        ),
        share((DOMESTIC,), (WORLD,)),
        "domestic accelerators over the world's of the year",
        kind="ratio",
    ),
    Rule(
        (("units", "chips"), ("permitted", "allowed", "licensed", "imported"), ("h20", "nvidia", "b30a")),
        units("Nvidia units in China"),
        "what Nvidia delivers to China, all products",
        kind="count",
    ),
    Rule(
        (("cut in china compute", "reduction in china", "fall in china"),),
        cut(OWNED),
        "share by which compute added falls, run by run",
        kind="ratio",
    ),
    Rule(
        (
            ("share of acquisitions", "share of compute acquired", "share of china compute"),
            ("domestic", "ascend", "huawei"),
        ),
        share((DOMESTIC,), (OWNED,)),
        "all domestic makers, of all compute that China's owners add",
        kind="ratio",
    ),
    Rule(
        (("share of acquisitions", "share of compute acquired"), ("legal", "import")),
        share(LEGAL, (OWNED,)),
        "legal imports, variants included, of all compute that China's owners add",
        kind="ratio",
    ),
    Rule(
        (("china compute acquired", "china compute added", "compute acquired"),),
        compute(OWNED),
        "by owners, smuggled included, not what is rented",
        kind="compute",
    ),
    Rule(
        (("legal import", "legal purchases", "legal sales", "licensed import"),),
        total(*LEGAL),
        "accelerators and cards delivered at home",
        kind="compute",
    ),
    Rule(
        (("remote", "cloud access", "rented", "rental abroad", "offshore rental"),),
        compute("China rented abroad"),
        "rented abroad at the end of the year",
        kind="compute",
    ),
    Rule(
        (("offshore", "overseas"), ("purchase", "bought", "owned", "compute")),
        compute("China added, offshore_owned"),
        "delivered to sites abroad of China's firms",
        kind="compute",
    ),
    Rule(
        (("ascend units", "huawei units", "ascend chips", "ascend shipments", "ascend dies"),),
        units("Huawei units"),
        "units delivered",
        kind="count",
    ),
    Rule(
        (("huawei output", "huawei production", "ascend output"), ("b300e", "h100e")),
        compute("Huawei compute made"),
        "by the dense 8-bit rate",
        kind="compute",
    ),
    Rule(
        (("huawei",), ("/ nvidia", "over nvidia", "of nvidia", "nvidia's")),
        share((HUAWEI,), (NVIDIA,)),
        "made in the year, by TPP",
        kind="ratio",
    ),
    Rule(
        (("china ai chip output", "chinese ai chip output", "china output"),),
        share((DOMESTIC,), (WORLD,)),
        "domestic accelerators over all others of the year",
        kind="ratio",
    ),
    Rule(
        (("domestic", "chinese"), ("output", "production", "supply"), ("b300e", "h100e")),
        compute(DOMESTIC),
        "all domestic accelerators",
        kind="compute",
    ),
    Rule(
        (("us-designed", "us designed", "american", "nvidia and"), ("output", "production")),
        made_elsewhere,
        "all accelerators of the year but Chinese ones",
        kind="compute",
    ),
    Rule(
        (("compute sold", "world ai compute", "global ai compute"), ("sold", "added", "shipped")),
        compute(WORLD),
        "all accelerators of the year",
        kind="compute",
    ),
    Rule(
        (("world ai compute", "global ai compute", "world compute"),),
        compute("world stock"),
        "stock at the end of the year",
        kind="compute",
    ),
    Rule(
        (("china", "chinese"), ("stock", "installed", "owned"), ("h100e", "b300e")),
        compute(CHINA_STOCK),
        "stock by owners",
        kind="compute",
    ),
    # money
    Rule(
        (("charge", "write-down", "writedown"),),
        as_signed("charge on stopped products"),
        "written off in the year, with the sign of the published number",
        kind="money",
    ),
    Rule(
        (("r&d", "research"),),
        lost("Nvidia research", "AMD research"),
        "of makers of accelerators alone; the study counts all chips of the United States",
        kind="money",
    ),
    Rule(
        (("chip sales lost", "sales lost", "us chip sales"), ("us chip", "us ")),
        lost("Nvidia revenue", "AMD revenue"),
        "of accelerators alone, net of what others buy instead; the study counts all chips of the United States",
        kind="money",
    ),
    Rule(
        (("lost", "loss", "forgone", "unable to ship"), ("revenue", "sales")),
        level("Nvidia sales lost to rules"),
        "Nvidia's sales missing in the two quarters after a stop",
        kind="money",
    ),
    Rule(
        (("fee", "revenue share", "15%"), ("usd",)),
        level("licence fees"),
        "charges collected in the year",
        kind="money",
    ),
    Rule(
        (("nvidia share of china", "nvidia's share of china"), ("sales", "revenue", "usd", "bernstein")),
        share(("Nvidia sales in China",), SALES),
        "of all sales of accelerators in China",
        kind="ratio",
    ),
    Rule(
        (("nvidia share of china", "nvidia's share of china"),),
        share(("Nvidia units in China",), ("accelerator units in China",)),
        "of all accelerator units sold in China",
        kind="ratio",
    ),
    Rule(
        (("amd share of china",),),
        share(("AMD sales in China",), SALES),
        "of all sales of accelerators in China",
        kind="ratio",
    ),
    Rule(
        (("nvidia",), ("china revenue", "china sales", "sales in china", "revenue from china")),
        level("Nvidia sales in China"),
        "accelerators alone",
        kind="money",
    ),
    Rule(
        (("huawei share of china",),),
        share(("Huawei revenue",), SALES),
        "of all sales of accelerators in China",
        kind="ratio",
    ),
    Rule(
        (("huawei",), ("revenue", "sales")),
        level("Huawei revenue"),
        "accelerators with their systems",
        kind="money",
    ),
    Rule(
        (("local share", "domestic share"), ("china",)),
        share(LOCAL, SALES),
        "of all sales of accelerators in China",
        kind="ratio",
    ),
    Rule(
        (("local ai chip supply", "domestic ai chip supply", "local supply"),),
        total(*LOCAL, reader=level),
        "sales of domestic accelerators with systems, held down by dies, memory stacks and demand",
        kind="money",
    ),
    Rule(
        (("demand",), ("china",)),
        total(*SALES, reader=level),
        "sales in China with systems, smuggled ones left out; firms there build for the revenue they believe in",
        kind="money",
    ),
)
