"""The best serving choice for each token tier: one kind of accelerator, or prefill and decode on different ones (M2).

Costs of the two phases add up, so the cheapest mixture takes the cheapest accelerator of each phase. What users see of
its gain grows with the maturity of the software that routes between unlike chips, less the router's delay.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from computemarket.analysis.hardware.hardware_tables import (
    TierRates,
    hour_cost,
    on_sale,
    scheduled,
    software_factor,
    tier_rates,
)
from computemarket.model.catalogue import load_catalogue
from computemarket.model.core.arrays import Floats
from computemarket.model.core.calendar import quarter_index, quarter_of_month
from computemarket.model.hardware.economics.cost import Terms, usd_per_mtok
from computemarket.model.hardware.economics.market_table import Tier, load_tiers
from computemarket.model.hardware.economics.operation import steadiness
from computemarket.model.hardware.performance.hybrid import integration_maturity, orchestrated_gain
from computemarket.model.hardware.specs.defaults import default_of

_ROUTER_FACT = "dynamo_1_0"  # production release of the first such router
_ANY_SPEED = 1e-3  # tokens/s of one user that every accelerator reaches


def serving_choices(
    quarter: str, accelerators: Sequence[str] | None = None, terms: Terms | None = None
) -> pd.DataFrame:
    """Return one row per tier: cheapest accelerator, the next, and the cheapest pair of phases.

    Columns: tier, model, speed, list_price, accelerator, usd_per_mtok, next, next_usd_per_mtok, prefill_on,
    decode_on, mixed_usd_per_mtok (fully integrated), realised_usd_per_mtok, listed_over_cost. Blank where no
    accelerator on sale reaches the tier's speed.

    Raises
    ------
    InputError
        For an unknown quarter or accelerator, or none on sale.
    """
    ids = on_sale(quarter, accelerators)
    tiers, mature = load_tiers(), software_factor(ids, quarter)
    busy = (
        default_of("hours.availability")
        * default_of("hours.planned_utilisation")
        * steadiness(scheduled(ids))
    )
    hour = hour_cost(ids, terms)[0].total
    whole = tier_rates(ids, tiers)
    decode, prompt_s = _phases(ids, tiers)
    rows = []
    for k, tier in enumerate(tiers):
        single = usd_per_mtok(hour, whole.rate[:, k] * mature, busy)
        decoding = usd_per_mtok(hour, decode.rate[:, k] * mature, busy)
        prefilling = usd_per_mtok(
            hour, np.where(prompt_s[:, k] > 0, mature / np.maximum(prompt_s[:, k], 1e-30), 0.0), busy
        )
        rows.append(_row(tier, ids, single, decoding, prefilling, _routed(quarter)))
    return pd.DataFrame(rows)


def _phases(ids: Sequence[str], tiers: Sequence[Tier]) -> tuple[TierRates, Floats]:
    """Return what decode yields with all prompts found ready, and accelerator-seconds of prefill per output token.

    The latter is what prompts add to the time of a token; it does not depend on the speed of decode.
    """
    slow = [replace(tier, speed_tokens_per_s=_ANY_SPEED) for tier in tiers]
    with_prompts, without = tier_rates(ids, slow).rate, tier_rates(ids, slow, cached_share=1.0).rate
    fits = (with_prompts > 0) & (without > 0)
    seconds = 1 / np.where(fits, with_prompts, 1.0) - 1 / np.where(fits, without, 1.0)
    return tier_rates(ids, tiers, cached_share=1.0), np.where(fits, np.maximum(seconds, 0.0), 0.0)


def _routed(quarter: str) -> float:
    """Return the integration maturity of routing between unlike chips; 0 before its first release."""
    released = next(fact.value for fact in load_catalogue().facts if fact.id == _ROUTER_FACT)
    since = quarter_index(quarter) - quarter_of_month(released)
    if since < 0:
        return 0.0
    start, step = default_of("hardware.integration_start"), default_of("hardware.integration_per_quarter")
    return float(integration_maturity(np.array(float(since)), start, step))


def _row(
    tier: Tier, ids: Sequence[str], single: Floats, decoding: Floats, prefilling: Floats, maturity: float
) -> dict[str, object]:
    row: dict[str, object] = {
        "tier": tier.name,
        "model": tier.model,
        "speed": tier.speed_tokens_per_s,
        "list_price": tier.list_price_usd_per_mtok,
    }
    order = np.argsort(single, kind="stable")
    if not np.isfinite(single[order[0]]):
        return row | {"accelerator": "", "next": "", "prefill_on": "", "decode_on": ""}
    best = float(single[order[0]])
    second = order[1] if len(order) > 1 and np.isfinite(single[order[1]]) else None
    mixed = float(prefilling.min() + decoding.min())
    service_s = np.array(tier.output_tokens / tier.speed_tokens_per_s)
    gain = orchestrated_gain(
        max(best / mixed, 1.0), maturity, default_of("hardware.routing_delay"), service_s
    )
    return row | {
        "accelerator": ids[order[0]],
        "usd_per_mtok": best,
        "next": "" if second is None else ids[second],
        "next_usd_per_mtok": np.nan if second is None else float(single[second]),
        "prefill_on": ids[int(prefilling.argmin())],
        "decode_on": ids[int(decoding.argmin())],
        "mixed_usd_per_mtok": min(mixed, best),
        "realised_usd_per_mtok": best / max(float(gain), 1.0),
        "listed_over_cost": tier.list_price_usd_per_mtok / best,
    }
