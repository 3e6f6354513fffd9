"""What two policies are compared by: the yearly numbers, each from a series of the results, by section."""

from dataclasses import dataclass

THIRD_COUNTRIES = ("gulf", "my_sg", "india", "jp_kr_tw", "eu_uk", "tier1", "tier2", "tier3")
SOURCES = ("legal", "variant", "domestic", "offshore_owned", "smuggled")
BILLION, MILLION, THOUSAND = 1e9, 1e6, 1e3


@dataclass(frozen=True)
class Line:
    """One number of a year: which series of which variable, how quarters make up the year, and its unit."""

    name: str
    variable: str
    unit: str
    how: str = "sum"  # sum of flows, mean of rates, end of stocks
    entity: str = ""
    region: str = ""
    detail: str = ""
    scale: float = 1.0


def _compute() -> tuple[Line, ...]:
    added, hosted = "compute_added_owned_h100e", "compute_added_hosted_h100e"
    owned, standing = "compute_stock_owned_h100e", "compute_stock_h100e"
    return (
        Line("US compute added, owned", added, "k H100e", region="us", scale=THOUSAND),
        Line("China compute added, owned", added, "k H100e", region="china", scale=THOUSAND),
        Line("China compute added, hosted", hosted, "k H100e", region="china", scale=THOUSAND),
        Line("world compute added", added, "k H100e", scale=THOUSAND),
        Line("US stock, owned", owned, "k H100e", "end", region="us", scale=THOUSAND),
        Line("US stock, hosted", standing, "k H100e", "end", region="us", scale=THOUSAND),
        Line("China stock, owned", owned, "k H100e", "end", region="china", scale=THOUSAND),
        Line("China stock, hosted", standing, "k H100e", "end", region="china", scale=THOUSAND),
        Line("China stock, used", "compute_stock_used_h100e", "k H100e", "end", region="china", scale=THOUSAND),
        Line("China stock, smuggled", "china_compute_stock_h100e", "k H100e", "end", detail="smuggled",
             scale=THOUSAND),
        Line("world stock", owned, "k H100e", "end", scale=THOUSAND),
    )  # fmt: skip


def _sources() -> tuple[Line, ...]:
    lines = []
    for unit, text, kind in (("h100e", "k H100e", ""), ("h100e_tpp", "k H100e by TPP", " (TPP)")):
        variable = f"china_compute_added_{unit}"
        lines += [
            Line(f"China added, {source}{kind}", variable, text, detail=source, scale=THOUSAND)
            for source in SOURCES
        ]
    rented = Line("China rented abroad", "china_remote_stock_h100e", "k H100e work", "end", scale=THOUSAND)
    return (*lines, rented)


def _prices() -> tuple[Line, ...]:
    return (
        Line("price of compute in China over the world's, less one", "china_premium", "share", "mean"),
        Line("token price in China, high tier", "token_price_usd_per_mtok", "USD/Mtok", "end", region="china",
             detail="high"),
    )  # fmt: skip


def _vendors() -> tuple[Line, ...]:
    revenue, units = "data_center_revenue_usd", "accelerator_units"
    named = (("Nvidia", "nvidia"), ("AMD", "amd"), ("Huawei", "huawei"), ("Cambricon", "cambricon"),
             ("other Chinese", "china_other"))  # fmt: skip
    return (
        *(Line(f"{name} revenue", revenue, "bn USD", entity=entity, scale=BILLION) for name, entity in named),
        Line("sales of accelerators, china", "accelerator_revenue_usd", "bn USD", region="china", scale=BILLION),
        Line("Nvidia sales in China", "accelerator_revenue_usd", "bn USD", entity="nvidia", region="china",
             scale=BILLION),
        Line("AMD sales in China", "accelerator_revenue_usd", "bn USD", entity="amd", region="china",
             scale=BILLION),
        Line("Nvidia research", "vendor_research_usd", "bn USD", entity="nvidia", scale=BILLION),
        Line("AMD research", "vendor_research_usd", "bn USD", entity="amd", scale=BILLION),
        Line("Huawei research", "vendor_research_usd", "bn USD", entity="huawei", scale=BILLION),
        Line("charge on stopped products", "export_charge_usd", "bn USD", scale=BILLION),
        Line("Nvidia sales lost to rules", "export_lost_sales_usd", "bn USD", scale=BILLION),
        Line("Huawei units", units, "k units", entity="huawei", scale=THOUSAND),
        Line("Nvidia units in China", units, "k units", entity="nvidia", region="china", scale=THOUSAND),
        Line("accelerator units in China", units, "k units", region="china", scale=THOUSAND),
        Line("Huawei compute made (TPP)", "compute_shipped_h100e_tpp", "k H100e by TPP", entity="huawei",
             scale=THOUSAND),
        Line("Nvidia compute made (TPP)", "compute_shipped_h100e_tpp", "k H100e by TPP", entity="nvidia",
             scale=THOUSAND),
        Line("Huawei compute made", "compute_shipped_h100e", "k H100e", entity="huawei", scale=THOUSAND),
    )  # fmt: skip


def _enforcement() -> tuple[Line, ...]:
    return (
        Line("licence fees", "export_fees_usd", "bn USD", scale=BILLION),
        Line("licence delay", "licence_delay_quarters", "quarters", "mean"),
        Line("smuggled units", "smuggled_units", "k units", scale=THOUSAND),
        Line("seized units", "seized_units", "k units", scale=THOUSAND),
        Line("detection of a shipment", "detection_probability", "share", "mean"),
        Line("fines on smugglers", "smuggling_fines_usd", "bn USD", scale=BILLION),
        Line(
            "seizures per million of budget", "seizures_usd_per_million", "M USD/M USD", "mean", scale=MILLION
        ),
    )


def _third_countries() -> tuple[Line, ...]:
    sales, diverted = "accelerator_revenue_usd", "diverted_units"
    return (
        *(
            Line(f"sales of accelerators, {c}", sales, "bn USD", region=c, scale=BILLION)
            for c in THIRD_COUNTRIES
        ),
        *(
            Line(f"diverted through {c}", diverted, "k units", region=c, scale=THOUSAND)
            for c in THIRD_COUNTRIES
        ),
    )


SECTIONS = (  # heading, lines
    ("compute: added is a flow of the year, stock stands at its end", _compute()),
    ("China's compute by source", _sources()),
    ("prices in China", _prices()),
    ("vendors", _vendors()),
    ("licences and enforcement", _enforcement()),
    ("third countries", _third_countries()),
)
LINES = tuple(line for _, lines in SECTIONS for line in lines)
VARIABLES = frozenset(line.variable for line in LINES)
RATIOS = (  # name, numerator, denominator
    ("US/China compute added, owned", "US compute added, owned", "China compute added, owned"),
    ("US/China stock, owned", "US stock, owned", "China stock, owned"),
    ("China's share of stock, owned", "China stock, owned", "world stock"),
    ("China's share of stock, hosted", "China stock, hosted", "world stock"),
)
LAG = "China's lag behind the US stock"
LARGEST_RUN = "largest training run China affords"
HEADINGS = {lines[0].name: heading for heading, lines in SECTIONS} | {
    RATIOS[0][0]: "the distance: compute of the United States over China's, lag, largest training run"
}
