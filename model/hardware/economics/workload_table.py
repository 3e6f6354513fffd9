"""What a token of each class of work costs the hardware: long contexts and prompts against the basket's (M1, M8).

Served on one chip of reference at the tiers' speeds, over the basket's models; ratios between classes differ little
from chip to chip, levels do, and the market has those from its own table.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from computemarket.model.core.arrays import Floats
from computemarket.model.hardware.economics.market_table import (
    load_basket,
    load_tiers,
    tier_rates_of,
    tier_service,
)
from computemarket.model.hardware.performance.frontier import Service, own_format
from computemarket.model.hardware.specs.chips import chip_table
from computemarket.model.hardware.specs.models import model_table

REFERENCE_CHIP = "nvidia_gb200"  # what most of the fleet of 2026 is made of


@dataclass(frozen=True, slots=True)
class Call:
    """The typical call of a class of work: prompt, answer, and how much of the prompt is found in the cache."""

    input_tokens: float
    output_tokens: float
    cached_share: float


@lru_cache(maxsize=8)  # all markets ask for the same classes
def hours_per_token(calls: tuple[Call, ...]) -> Floats:
    """Return (C, K) chip time per token of each class at each tier's speed over that of the basket; 1 for its like.

    Tokens of prompt and answer count alike, as in a bill of tokens used.
    """
    basket = load_basket()
    usual = _time_per_token(basket.service)
    rows = []
    for call in calls:
        service = tier_service(call.input_tokens, call.output_tokens)
        rows.append(_time_per_token(replace(service, cached_share=call.cached_share)) / usual)
    found = np.stack(rows)
    found.flags.writeable = False
    return found


def _time_per_token(service: Service) -> Floats:
    """Return (K,) chip seconds per token, prompts counted, geometric mean over the basket's models."""
    chips, models, basket = chip_table(), model_table(), load_basket()
    place = np.array([chips.index(REFERENCE_CHIP)], dtype=np.int64)
    speed = np.array([tier.speed_tokens_per_s for tier in load_tiers()])
    logs = []
    for name in basket.models:
        model = models.index(name)
        rate = tier_rates_of(place, model, own_format(chips, place), service, speed)[0]
        logs.append(np.log(rate))
    answers = np.exp(
        np.stack(logs).mean(axis=0)
    )  # output tokens a second, the prompts' share of chips counted
    per_answer = (service.input_tokens + service.output_tokens) / service.output_tokens
    time: Floats = 1.0 / (answers * per_answer)
    return time
