"""Vendors under export rules: they keep a market of their own supplied, and write off what a rule stops."""

import numpy as np

from computemarket.agents.states.us_export_control import ExportControl
from computemarket.model.actor import Actor
from computemarket.model.core.arrays import Bools, Floats
from computemarket.model.core.ledger import balance
from computemarket.model.market import ComputeMarket
from computemarket.model.markets.settlement import account_slice, by_vendor

REMEMBERED_QUARTERS = 2  # sales before a stop count as lost for half a year
LAUNCH_QUARTERS = 1  # in which a variant is made of finished parents


class ComplianceOffice(Actor):
    """What vendors do about export rules: one office for all of them, since they face the same rules.

    A compliant variant takes packaging like the vendor's best product, weighted by how much the vendor wants to
    keep the market from rivals. When a rule leaves a product no country to be sold to, its finished goods become
    the product it was cut from, where the cut can be undone; where not, they, what is in process and what suppliers
    are owed are written off. The vendor's quarter ends some weeks after the calendar's.
    """

    def __init__(self, market: ComputeMarket, name: str, leader: str, control: ExportControl) -> None:
        super().__init__(market, name)
        self.control = control
        self.leader = market.world.vendor(leader)
        self.variants = np.zeros(len(market.world.products.ids), dtype=bool)
        self.variants[sorted(self.control.variants.only_in)] = True
        runs = len(market.runs)
        self.charge_usd = np.zeros((runs, len(market.world.vendors.ids)))
        self.before_usd = np.zeros(runs)
        self.since_stop = np.full(runs, np.inf)

    def regulate(self) -> None:
        """Say how much packaging a variant may claim."""
        commitment = self.value("policy.variant_commitment")[:, None]
        self.state.commitment[:] = np.where(self.variants, commitment, 0.0)

    def supply(self) -> None:
        """Cut parents that are being finished into variants just launched, as far as orders for both allow.

        Only where the cut is made on the finished chip; it can be undone too, see `write_off`. Later on variants are
        started as such.
        """
        state = self.state
        for variant, parent in self.control.variants.resold_as.items():
            if not 0 <= self.quarter - self.world.products.launch[variant] < LAUNCH_QUARTERS:
                continue
            stock = state.inventory_units[:, variant] + state.in_process_units[:, variant]
            waiting = state.backlog_units[:, :, variant].sum(axis=1)
            need = np.maximum(waiting - stock, 0.0)
            others = state.backlog_units[:, :, parent].sum(axis=1)
            share = need / np.maximum(need + others, 1.0)
            moved = np.minimum(need, state.in_process_units[:, parent] * share)
            state.in_process_units[:, parent] -= moved
            state.in_process_units[:, variant] += moved

    def write_off(self) -> None:
        """Rework or scrap what can be sold nowhere any more, cancel its orders, and take the charge."""
        state, market = self.state, self.market
        opening = state.inventory_units.sum(axis=1)
        made = state.inventory_units + state.in_process_units
        stopped = self.variants & ~(state.sellable > 0) & (made > 0)
        self._count_lost(stopped, state.price_usd)
        if not stopped.any():
            self.charge_usd[:] = 0.0
            state.export_charge_usd[:] = 0.0
            return
        for variant, parent in self.control.variants.resold_as.items():
            again = stopped[:, variant].copy()
            for stock in (state.inventory_units, state.in_process_units):
                moved = np.where(again, stock[:, variant], 0.0)
                stock[:, parent] += moved
                stock[:, variant] -= moved
            stopped[:, variant] = False
            state.backlog_units[:, :, variant] *= ~again[:, None]
        owed = self.value("policy.purchase_commitment_quarters")[:, None] * state.in_process_units
        lost_units = np.where(stopped, made + owed, 0.0)
        scrapped = np.where(stopped, state.inventory_units, 0.0)
        state.inventory_units -= scrapped
        state.in_process_units[:] = np.where(stopped, 0.0, state.in_process_units)
        balance(opening, np.zeros_like(opening), scrapped.sum(axis=1), state.inventory_units.sum(axis=1),
                "accelerators are conserved where a rule stops them", market.quarter)  # fmt: skip
        self.charge_usd = by_vendor(market, lost_units * state.unit_cost_usd)
        state.export_charge_usd[:] = self.charge_usd[:, self.leader]
        columns = np.flatnonzero(stopped.any(axis=0))
        state.backlog_units[:, :, columns] *= ~stopped[:, None, columns]

    def _count_lost(self, stopped: Bools, price_usd: Floats) -> None:
        """Remember the leader's sales to the destination before a stop and count what is missing for a year."""
        state, products = self.state, self.world.products
        mine = products.vendor == self.leader
        content = 1 + products.network_content + products.system_content
        here = np.compress(self.control.here, state.delivered_units, axis=1).sum(axis=1)
        sales = (here * price_usd * content * mine).sum(axis=1)
        hit = (stopped & mine).any(axis=1) & (self.since_stop > REMEMBERED_QUARTERS)
        self.before_usd = np.where(hit, sales, self.before_usd)
        self.since_stop = np.where(hit, 0.0, self.since_stop + 1)
        counts = (self.since_stop > 0) & (self.since_stop <= REMEMBERED_QUARTERS)
        state.export_lost_usd[:] = np.where(counts, np.maximum(self.before_usd - sales, 0.0), 0.0)

    def settle(self) -> None:
        """Pay suppliers for what is written off."""
        vendors = account_slice(self.market, self.world.vendors.ids)
        self.market.ledger.pay_each(vendors, "suppliers", self.charge_usd, "written off under export rules")
