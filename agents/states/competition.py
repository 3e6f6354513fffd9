"""Competition authorities: cases against the leader that open by hazard and may end in a remedy (M26)."""

from collections.abc import Sequence

import numpy as np

from computemarket.agents.operators.provider_choice import self_preferencing
from computemarket.model.actor import Actor
from computemarket.model.core.recorded import END, SUM, Variable, recorded
from computemarket.model.market import ComputeMarket
from computemarket.model.policy.antitrust import (
    Conduct,
    Effects,
    HazardWeights,
    StageTerms,
    advance_case,
    complied,
    fine_usd,
    inquiry_hazard,
    remedy_state,
)
from computemarket.model.state import REVENUE_LAYERS

MARKETPLACE = REVENUE_LAYERS.index("marketplace")


class CompetitionAuthority(Actor):
    """One authority: watches share, take rate and bundling, opens a case, and ends it with a remedy or drops it.

    A remedy in effect lowers what it costs to leave the leader, for the part of the market the authority governs.
    """

    def __init__(self, market: ComputeMarket, name: str, countries: tuple[str, ...], vigour: str) -> None:
        super().__init__(market, name)
        runs = len(market.runs)
        self.leader = market.world.vendor(market.world.leader)
        places = [market.world.country(country) for country in countries]
        home = market.world.operators.host[:, places].sum(axis=1)
        self.weight = float((home * market.world.operators.belief_share).sum())
        self.vigour = vigour
        self.stage, self.in_stage = np.zeros(runs), np.zeros(runs)
        self.fined_usd = np.zeros(runs)
        self.effect = np.zeros(runs)
        self.draws = market.streams.quarterly_uniform(f"antitrust.{name}", 2)

    def regulate(self) -> None:
        """Look at last quarter's conduct and move the case on."""
        value, state = self.value, self.state
        none = np.zeros(len(self.stage))
        take = state.layer_revenue_usd[:, MARKETPLACE] / np.maximum(state.rental_revenue_usd.sum(axis=1), 1.0)
        selling = self.market.structure.on_sale[self.quarter] & (self.world.products.vendor == self.leader)
        bundling = np.full(len(none), float(self.world.products.network_content[selling].mean()))
        favours = self_preferencing(state.venue_preference, state.venue_reach)
        share = state.vendor_share[:, self.leader]
        conduct = Conduct(share, take, bundling + (1 - bundling) * favours, state.systemic_risk, none)
        weights = HazardWeights(
            value("policy.inquiry_base") + np.log(value(self.vigour)),
            value("policy.inquiry_share_weight"),
            value("policy.inquiry_take_rate_weight"),
            value("policy.inquiry_self_preferencing_weight"),
            value("policy.inquiry_systemic_weight"),
            value("policy.inquiry_complaints_weight"),
        )
        terms = StageTerms(
            value("policy.quarters_to_finding"),
            value("policy.quarters_to_remedy"),
            value("policy.quarters_to_comply"),
            value("policy.case_dropped"),
        )
        u = self.draws[:, self.quarter]
        hazard = inquiry_hazard(conduct, weights)
        self.stage, self.in_stage = advance_case(self.stage, self.in_stage, hazard, terms, u[:, 0], u[:, 1])
        self.effect = complied(self.stage, self.in_stage, value("policy.quarters_to_comply"))
        state.remedy_share += self.weight * self.effect
        effects = Effects(
            value("policy.remedy_switching_cost"),
            value("policy.remedy_adoption"),
            value("policy.bundling_remedy"),
            value("policy.antitrust_fine"),
        )
        remedy = remedy_state(self.effect, effects)
        state.rival_gap_factor *= 1 + self.weight * (remedy.switching_cost - 1)
        state.regulatory_stage[:] = np.maximum(state.regulatory_stage, self.stage)
        turnover = 4 * state.revenue_usd[:, self.leader]
        self.fined_usd = fine_usd(self.stage, self.in_stage, turnover, value("policy.antitrust_fine"))

    def settle(self) -> None:
        """Collect the fine of a case decided this quarter."""
        self.market.ledger.pay(f"vendor.{self.world.leader}", "public", self.fined_usd, "fines")


class CaseClock(Actor):
    """Sets what remedies leave to neutral before the authorities of the quarter speak, and keeps their docket."""

    def __init__(self, market: ComputeMarket, authorities: Sequence[CompetitionAuthority]) -> None:
        super().__init__(market, "case_clock")
        self.authorities = authorities

    def regulate(self) -> None:
        """Start from no remedy."""
        self.state.rival_gap_factor[:] = 1.0
        self.state.regulatory_stage[:] = 0.0
        self.state.remedy_share[:] = 0.0

    @recorded(
        Variable(
            "antitrust_stage",
            "1",
            END,
            "Antitrust Stage",
            "Stage of the case of each authority",
            entity="authorities",
        ),
        Variable(
            "antitrust_fine_usd",
            "USD",
            SUM,
            "Antitrust Fines",
            "Fines of each authority",
            entity="authorities",
        ),
    )
    def record(self) -> None:
        """Record stages of cases and fines."""
        keep, names = self.market.recorder.add, tuple(one.name for one in self.authorities)
        stages = np.stack([one.stage for one in self.authorities], axis=1)
        keep("antitrust_stage", stages, entity=names)
        fines = np.stack([one.fined_usd for one in self.authorities], axis=1)
        keep("antitrust_fine_usd", fines, entity=names)
