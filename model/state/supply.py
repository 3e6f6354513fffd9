"""Supply: capacities of packaging, memory and Chinese wafers, and what limits the making of accelerators."""

from computemarket.model.core.arrays import Floats
from computemarket.model.state.declared import FLOW, STOCK, Book, array


class SupplyBook(Book):
    """Supply: capacities of packaging, memory and Chinese wafers, and what limits the making of accelerators."""

    packaging_wafers: Floats = array(
        "",
        unit="wafers/quarter",
        kind=STOCK,
        owner="expand packaging",
        meaning="Capacity of advanced packaging",
    )
    packaging_pipeline: Floats = array(
        "Q",
        unit="wafers/quarter",
        kind=STOCK,
        owner="expand packaging",
        meaning="Packaging capacity under construction, by quarters until it opens",
    )
    packaging_used: Floats = array(
        "P", unit="wafers", kind=FLOW, owner="make accelerators", meaning="Packaging wafers used"
    )
    packages_per_wafer: Floats = array(
        "P",
        unit="units/wafer",
        kind=STOCK,
        owner="choose a foundry",
        meaning="Packages from one packaging wafer; 0 where a product needs none",
        start="products.packages_per_wafer",
    )
    memory_gb: Floats = array(
        "", unit="GB/quarter", kind=STOCK, owner="expand memory", meaning="Capacity of high-bandwidth memory"
    )
    memory_pipeline: Floats = array(
        "Q",
        unit="GB/quarter",
        kind=STOCK,
        owner="expand memory",
        meaning="Memory capacity under construction, by quarters until it opens",
    )
    smic_units: Floats = array(
        "",
        unit="units/quarter",
        kind=STOCK,
        owner="grow Chinese wafers",
        meaning="Capacity for advanced Chinese accelerators, in units of the 910B",
    )
    binding: Floats = array(
        "B",
        unit="H100e",
        kind=FLOW,
        owner="make accelerators",
        meaning="Work of the accelerators wished for that each limit kept from being made, or that lacked demand",
    )
    waiting_wafers: Floats = array(
        "",
        unit="wafers",
        kind=FLOW,
        lagged=True,
        owner="make accelerators",
        meaning="Packaging wafers needed beyond capacity",
    )
