"""The leading vendor: one firm, with a part for each thing that it alone decides."""

from collections.abc import Iterator

from computemarket.agents.platform.credit_market import CreditMarket
from computemarket.agents.platform.platform import Platform
from computemarket.agents.platform.revenue_mix import RevenueMix
from computemarket.agents.vendors.entry_barriers import EntryBarriers
from computemarket.agents.vendors.keynotes import Keynotes
from computemarket.agents.vendors.lock_in import LockIn
from computemarket.agents.vendors.lpu_rack import LpuRacks
from computemarket.agents.vendors.vendor import Vendor
from computemarket.model.actor import Actor
from computemarket.model.market import ComputeMarket


class LeadingVendor(Vendor):
    """Sells accelerators like any vendor, and runs a business around them that no other vendor has."""

    platform: Platform  # software that customers subscribe to, and the marketplace with its take rate
    racks: LpuRacks  # LPUs beside its GPUs, and the joint software that makes them one machine
    lock_in: LockIn  # what customers would pay to leave its software
    credits: CreditMarket  # prepaid claims on hours, once they trade
    keynotes: Keynotes  # forecasts that it gives, and what investors make of the firm
    defence: EntryBarriers  # prices and designs that keep entrants out of the segment of fast tokens
    mix: RevenueMix  # how far recurring revenue smooths the cycle of its hardware

    def __init__(self, market: ComputeMarket, name: str) -> None:
        super().__init__(market, name)
        self.platform = Platform(market)
        self.mix = RevenueMix(market)
        self.racks = LpuRacks(market)
        self.lock_in = LockIn(market)
        self.credits = CreditMarket(market)
        self.keynotes = Keynotes(market)
        self.defence = EntryBarriers(market)

    def parts(self) -> Iterator[Actor]:
        """Yield its parts, in the order in which what they keep of a quarter is written down."""
        for name in type(self).__annotations__:
            yield getattr(self, name)
