"""Channels: integrators that assemble systems, and software firms that resell credits and tokens."""

import numpy as np

from computemarket.model.actor import Actor
from computemarket.model.core.recorded import SUM, Variable, recorded
from computemarket.model.market import ComputeMarket
from computemarket.model.mechanisms.choice import weighted_logit_shares
from computemarket.model.world.world import column, labels, read_rows

DIRECT_KINDS = (
    "hyperscaler",
    "china_platform",
)  # they buy from design manufacturers, not through integrators


class Integrators(Actor):
    """Assemble servers and racks for everybody but the largest clouds, at thin margins.

    The split between integrators follows how they were placed before, with a logit of appeal and luck; all of it is a
    fee out of what suppliers of boards and racks are paid.
    """

    def __init__(self, market: ComputeMarket) -> None:
        super().__init__(market, "integrators")
        rows = [row for row in read_rows("channels") if row["kind"] == "integrator"]
        self.names = labels(rows)
        self.appeal = np.broadcast_to(np.log(column(rows, "weight")), (len(market.runs), len(rows))).copy()
        self.luck = market.streams.quarterly_normal("channels.integrators", len(rows))
        self.revenue_usd = np.zeros_like(self.appeal)
        kinds = market.world.operators.kind
        self.customers = np.array([kind not in DIRECT_KINDS for kind in kinds])

    def settle(self) -> None:
        """Share the systems of the quarter out and earn the fee."""
        self.appeal += self.value("channels.luck_sd")[:, None] * self.luck[:, self.quarter]
        shares = weighted_logit_shares(self.appeal, np.ones_like(self.appeal))
        products = self.world.products
        system = self.state.price_usd * (1 + products.network_content + products.system_content)
        units = np.compress(self.customers, self.state.delivered_units, axis=1).sum(axis=1)
        handled = (units * system * products.merchant).sum(axis=1)
        self.revenue_usd = handled[:, None] * shares
        fee = self.value("channels.integrator_margin")[:, None] * self.revenue_usd
        for place, name in enumerate(self.names):
            self.market.ledger.pay("suppliers", name, fee[:, place], "fees of integrators")
            self.market.ledger.pay(name, "public", fee[:, place], "fees of integrators paid on")


class SoftwareChannels(Actor):
    """Enterprise software that puts models into its products and keeps a margin on the tokens it resells."""

    def __init__(self, market: ComputeMarket, integrators: Integrators) -> None:
        super().__init__(market, "software_channels")
        self.integrators = integrators
        rows = [row for row in read_rows("channels") if row["kind"] == "software"]
        self.names = labels(rows)
        self.weight = column(rows, "weight") / column(rows, "weight").sum()
        self.revenue_usd = np.zeros((len(market.runs), len(rows)))
        self.reach = np.zeros(len(market.runs))

    def settle(self) -> None:
        """Resell a share of paid tokens that grows with adoption; the margin comes from the customers."""
        most, speed = self.value("channels.software_reach"), self.value("channels.software_speed")
        self.reach += speed * (most * self.state.adoption - self.reach)
        resold = self.reach * self.state.token_revenue_usd[:, 0]
        margin = self.value("channels.software_margin")
        self.revenue_usd = (resold * (1 + margin))[:, None] * self.weight
        earned = (resold * margin)[:, None] * self.weight
        for place, name in enumerate(self.names):
            self.market.ledger.pay("customers", name, earned[:, place], "margins of software channels")
            self.market.ledger.pay(name, "public", earned[:, place], "margins of software channels paid on")

    @recorded(
        Variable(
            "channel_revenue_usd",
            "USD",
            SUM,
            "Channel Revenue",
            "Revenue through integrators and software channels",
            entity="channels",
        ),
    )
    def record(self) -> None:
        """Record what goes through integrators and software channels."""
        values = np.concatenate([self.integrators.revenue_usd, self.revenue_usd], axis=1)
        names = (*self.integrators.names, *self.names)
        self.market.recorder.add("channel_revenue_usd", values, entity=names)
