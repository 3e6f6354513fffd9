"""On whose chips tokens are served: by designer, and by the segments of work; recorded where asked for by name."""

import numpy as np

from computemarket.model.core.arrays import Floats
from computemarket.model.core.recorded import END, SUM, Variable, recorded
from computemarket.model.market import ComputeMarket
from computemarket.model.markets.serving import tokens_by_product
from computemarket.model.mechanisms.buyers.workloads import SEGMENTS
from computemarket.scenarios.cast import StagedMarket

SERVES = 0.02  # of a segment's tokens: who serves less is not counted among its makers


@recorded(
    Variable(
        "tokens_by_designer",
        "tokens",
        SUM,
        "Tokens Served by Designer",
        "Tokens served on the chips of each designer",
        entity="designers",
    ),
    on_request=True,
)
def record_tokens_by_chip(market: ComputeMarket) -> None:
    """Record tokens served on the chips of each designer."""
    tokens = tokens_by_tier_and_designer(market).sum(axis=1)
    market.recorder.add("tokens_by_designer", tokens, entity=market.structure.designers)


def tokens_by_tier_and_designer(market: ComputeMarket) -> Floats:
    """Return (R, K, D) tokens served this quarter by tier and by designer of the chip."""
    of_product, designers = tokens_by_product(market), market.structure.designers
    parts = [
        np.compress(market.structure.designer == d, of_product, axis=2).sum(axis=2)
        for d in range(len(designers))
    ]
    return np.stack(parts, axis=2)


@recorded(
    Variable(
        "segment_tokens_by_designer",
        "tokens",
        SUM,
        "Segment Tokens by Designer",
        "Tokens of each segment of work served on the chips of each designer, from 2026 on",
        entity="designers",
        detail="segments of work",
    ),
    Variable(
        "segment_designers",
        "designers",
        END,
        "Designers in a Segment",
        "Designers whose chips serve at least one fiftieth of a segment's tokens",
        entity="world",
        detail="segments of work",
    ),
    Variable(
        "research_by_segment_usd",
        "USD",
        SUM,
        "Research by Segment",
        "Vendors' research by the segments of work, and training, that their chips do",
        entity="vendors",
        detail="segments of work and training",
    ),
    on_request=True,
)
def record_makers_by_segment(market: StagedMarket) -> None:
    """Record on whose chips each segment of work is served, how many makers serve it, and vendors' research by segment.

    A vendor's research is spread as its chips' work is: the part of all hours that trains models, and of the rest its
    own tokens by segment.
    """
    state, keep, designers = market.state, market.recorder.add, market.structure.designers
    of_tier = market.cast.workloads.segment_in_tier()  # (R, S, K)
    served = tokens_by_tier_and_designer(market)  # (R, K, D)
    tokens = np.stack(
        [(of_tier[:, s, :, None] * served).sum(axis=1) for s in range(len(SEGMENTS))], axis=2
    )  # (R, D, S)
    keep("segment_tokens_by_designer", tokens, entity=designers, detail=SEGMENTS)
    part = tokens / np.maximum(tokens.sum(axis=1, keepdims=True), 1e-9)
    makers = np.where(np.isnan(part[:, 0]), np.nan, (part >= SERVES).sum(axis=1))
    keep("segment_designers", makers, entity="world", detail=SEGMENTS)
    vendors = market.world.vendors.ids
    training = state.training_hours_h100e.sum(axis=1)
    every = training + state.token_hours_h100e.sum(axis=(1, 2)) + state.captive_hours_h100e.sum(axis=1)
    trained = (training / np.maximum(every, 1e-9))[:, None, None]
    mine = [designers.index(name) if name in designers else -1 for name in vendors]
    own = np.take(tokens, np.maximum(mine, 0), axis=1) * (np.array(mine) >= 0)[:, None]
    split = own / np.maximum(own.sum(axis=2, keepdims=True), 1e-9) * (1 - trained)
    research = (state.revenue_usd * market.world.vendors.rnd_share)[:, :, None]
    spread = np.concatenate([research * split, research * trained], axis=2)
    keep("research_by_segment_usd", spread, entity=vendors, detail=(*SEGMENTS, "training"))
