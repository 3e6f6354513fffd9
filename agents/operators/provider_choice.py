"""Which cloud customers choose: price, efficiency, software, liquidity, and a venue that may favour its own (M8)."""

import numpy as np

from computemarket.model.actor import Actor
from computemarket.model.core.arrays import Floats
from computemarket.model.core.calendar import HOURS_PER_QUARTER, quarters_since_start
from computemarket.model.core.recorded import MEAN, SUM, Variable, recorded
from computemarket.model.market import ComputeMarket
from computemarket.model.markets.settlement import contract_rent_by_operator
from computemarket.model.mechanisms.platform.business_modes import ranked_shares
from computemarket.model.mechanisms.platform.credits import STAGES
from computemarket.model.policy.antitrust import INQUIRY

FIRST = quarters_since_start("2026Q1")
KINDS = ("hyperscaler", "gpu_cloud")
PORTABLE = STAGES.index("portable")
HIGHEST_UTILISATION = 0.97  # some hours lie between two customers
LEAST = 1e-9


class ProviderChoice(Actor):
    """Splits the hours that clouds let by what each offers, and pools the spare hours of GPU clouds.

    Rents are one to a market, so what moves customers are cost (which a cloud passes on in part), the efficiency of its
    fleet, the leader's software that partners carry, and how liquid its hours are. Only changes since 2026Q1 count, and
    contracts end slowly. A GPU cloud with more customers than hours loses them, unless the leader's venue finds room at
    another one; the venue may rank partners first.
    """

    def __init__(self, market: ComputeMarket) -> None:
        super().__init__(market, "provider_choice")
        given = market.world.operators
        self.members = np.flatnonzero([kind in KINDS for kind in given.kind])
        self.names = tuple(given.ids[slot] for slot in self.members)
        self.is_cloud = np.array([given.kind[slot] == "gpu_cloud" for slot in self.members])
        self.clouds = self.members[self.is_cloud]
        self.rivals = self.members[~self.is_cloud]
        runs, n = len(market.runs), len(self.members)
        self.first = np.zeros((runs, n))
        self.moved_h = np.zeros((runs, len(self.clouds)))  # hours of this quarter that came from the pool

    def launch(self) -> None:
        """Let the vendor settle how far its venue favours partners: less while a case runs, not beyond a remedy."""
        if self.quarter < FIRST:
            return
        wished = self.value("platform.self_preference")
        careful = np.where(
            self.state.regulatory_stage >= INQUIRY, self.value("platform.preference_in_inquiry"), 1.0
        )
        ended = self.state.remedy_share * self.value("policy.bundling_remedy")
        self.state.venue_preference[:] = wished * careful * (1 - np.minimum(ended, 1.0))

    def invest(self) -> None:
        """Widen the venue's reach and let customers move as their contracts end."""
        if self.quarter < FIRST:
            return
        state = self.state
        open_credits = state.credit_stage >= PORTABLE
        target = np.where(
            open_credits, self.value("rental.pool_reach_credits"), self.value("rental.pool_reach")
        )
        state.venue_reach += self.value("rental.pool_speed") * (
            target * state.venue_share - state.venue_reach
        )
        offer = self._offer()
        if self.quarter == FIRST:
            self.first = offer
            return
        gain = offer - self.first
        partner = np.take(state.partner_share, self.clouds, axis=1)
        gain[:, self.is_cloud] += partner_pull(self.market)[:, None] * partner - _unseen(self.market)[:, None]
        capacity = np.take(state.work_h100e * self.world.operators.rented_out_share, self.members, axis=1)
        weight = capacity / np.maximum(capacity.sum(axis=1, keepdims=True), LEAST)
        pull = np.exp(gain - gain.max(axis=1, keepdims=True))
        wanted = pull / np.maximum((weight * pull).sum(axis=1, keepdims=True), LEAST)
        before = np.take(state.attraction, self.members, axis=1)
        now = before + (wanted - before) / self.value("finance.contract_quarters")[:, None]
        now = now / np.maximum((weight * now).sum(axis=1, keepdims=True), LEAST)
        state.attraction[:, self.members] = now

    def _offer(self) -> Floats:
        """Return (R, n) utility of each cloud's hours by their cost and by the power that they take."""
        cost = np.take(self.state.cost_per_h100e_usd, self.members, axis=1)
        work = np.maximum(np.take(self.state.work_h100e, self.members, axis=1), 1.0)
        power = np.maximum(np.take(self.state.power_used_mw, self.members, axis=1), LEAST) / work
        price, efficiency = self.value("rental.price_weight"), self.value("rental.efficiency_weight")
        return -price[:, None] * np.log(cost) - efficiency[:, None] * np.log(power)

    def settle(self) -> None:
        """Let the hours of clouds to their customers, luck with own contracts and the pool included."""
        luck = np.take(self.state.contract_luck, self.clouds, axis=1)
        if self.quarter < FIRST:
            self.state.let_factor[:, self.clouds] = luck
            return
        self.state.let_factor[:, self.clouds] = self._let(luck)
        self.state.let_factor[:, self.rivals] = np.take(self.state.attraction, self.rivals, axis=1)

    def _let(self, luck: Floats) -> Floats:
        """Return (R, N) what GPU clouds let over what their kind lets on average; set what the pool moved.

        Parameters
        ----------
        luck : (R, N) customers won and lost, one on average
        """
        wanted = luck * np.take(self.state.attraction, self.clouds, axis=1)
        most = HIGHEST_UTILISATION / np.maximum(self.state.utilisation[:, :1], LEAST)
        held = np.minimum(wanted, most)
        capacity = np.take(self.state.work_h100e, self.clouds, axis=1)
        beyond, slack = (wanted - held) * capacity, (most - held) * capacity
        room = np.maximum(slack.sum(axis=1, keepdims=True), LEAST)
        partner = np.take(self.state.partner_share, self.clouds, axis=1)
        ranked = ranked_shares(slack / room + LEAST, partner, self.state.venue_preference)
        found = np.minimum((self.state.venue_reach * beyond.sum(axis=1))[:, None] * ranked, slack)
        self.moved_h = found * self.state.utilisation[:, :1] * HOURS_PER_QUARTER
        rent = np.take(contract_rent_by_operator(self.market), self.clouds, axis=1)
        self.state.pooled_rent_usd[:] = (self.moved_h * rent).sum(axis=1)
        return held + found / np.maximum(capacity, 1.0)

    @recorded(
        Variable(
            "cloud_attraction",
            "1",
            MEAN,
            "Cloud Attraction",
            "Hours that a cloud lets over those that its capacity alone would bring",
            entity="operators",
        ),
        Variable(
            "pooled_hours",
            "GPU-hours",
            SUM,
            "Pooled Hours",
            "Hours that GPU clouds let through the pool of partner clouds",
            entity="gpu clouds",
            single=True,
        ),
        Variable(
            "self_preference",
            "1",
            MEAN,
            "Self-Preferencing",
            "Log weight that the leader's venue gives to partners' offers",
            entity="the leader",
            single=True,
        ),
    )
    def record(self) -> None:
        """Record what clouds offer beyond capacity, hours moved between GPU clouds, and how the venue ranks."""
        keep = self.market.recorder.add
        attraction = np.take(self.state.attraction, self.members, axis=1)
        keep("cloud_attraction", attraction, entity=self.names)
        keep("pooled_hours", self.moved_h.sum(axis=1), entity="gpu_clouds")
        keep("self_preference", self.state.venue_preference, entity=self.world.leader)


def self_preferencing(preference: Floats, reach: Floats) -> Floats:
    """Return (R,) what authorities see of a venue: the lift of a partner's rank, 0..1, times its reach."""
    return -np.expm1(-preference) * reach


def partner_pull(market: ComputeMarket) -> Floats:
    """Return (R,) what a partner's hours are worth to customers beyond those of a cloud alone: software, liquidity.

    The more customers come through the venue, the fewer find a cloud without a place there.
    """
    state = market.state
    most = np.maximum(market.value("platform.software_attach_ceiling"), 1e-3)
    software = np.clip(state.software_attach / most, 0.0, 1.0)
    liquid = (market.value("rental.liquidity_weight") + state.venue_preference) * state.venue_reach
    return market.value("rental.software_weight") * software + liquid + _unseen(market)


def _unseen(market: ComputeMarket) -> Floats:
    """Return (R,) utility that a GPU cloud loses by having no place at the venue."""
    return market.value("rental.brand_loss") * market.state.venue_reach
