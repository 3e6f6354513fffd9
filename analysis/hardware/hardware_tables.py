"""The hardware core as tables: frontiers of throughput against speed, and what a million tokens costs."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from computemarket.errors import InputError
from computemarket.model.catalogue import Accelerator, estimated_catalogue
from computemarket.model.core.arrays import Bools, Floats, Ints
from computemarket.model.core.calendar import (
    HOURS_PER_QUARTER,
    QUARTERS_PER_YEAR,
    quarter_index,
    quarter_of_month,
)
from computemarket.model.core.texts import nearest
from computemarket.model.hardware.economics.cost import (
    HourCost,
    Terms,
    accelerator_hour_cost,
    default_terms,
    own_design_price,
    plain_token_cost,
    usd_per_mtok,
)
from computemarket.model.hardware.economics.market_table import (
    TIERS,
    Tier,
    added_by_lpu,
    load_basket,
    load_tiers,
    tier_service,
)
from computemarket.model.hardware.economics.operation import steadiness
from computemarket.model.hardware.economics.site import Site, site_figures
from computemarket.model.hardware.performance.cache import sequence_bytes
from computemarket.model.hardware.performance.feasibility import refuse_beyond_context
from computemarket.model.hardware.performance.frontier import (
    Service,
    frontiers,
    own_format,
    rate_at_speed,
    sweep,
    sweep_on_chip,
)
from computemarket.model.hardware.specs.chips import chip_table
from computemarket.model.hardware.specs.defaults import default_of
from computemarket.model.hardware.specs.maturity import software_maturity, stack_learning_rates
from computemarket.model.hardware.specs.models import model_table
from computemarket.model.hardware.specs.precision import CACHE_BYTES, FORMATS

PER = {"accelerator": "tokens/s per accelerator", "mw": "tokens/s per MW", "dollar": "million tokens per USD"}
_H100_YEAR = 2022.75
_SECONDS_PER_HOUR, _MILLION = 3600.0, 1e6


def catalogue_ids(names: Sequence[str], where: str = "accelerators") -> tuple[str, ...]:
    """Return ids after checking that the catalogue has them; an unknown one names the nearest.

    Raises
    ------
    InputError
        For an unknown or repeated id, or none at all.
    """
    if not names:
        raise InputError(where, "", "at least one accelerator of the catalogue")
    table = estimated_catalogue().accelerators
    known = [row.id for row in table]
    for name in names:
        if name not in known:
            raise InputError(where, name, f"an accelerator of the catalogue{nearest(name, known)}")
    if len(set(names)) < len(names):
        raise InputError(where, ",".join(names), "a list without repetition")
    return tuple(names)


def hour_cost(ids: Sequence[str], terms: Terms | None = None) -> tuple[HourCost, Floats, Site]:
    """Return the cost of an accelerator-hour by part, the system price it rests on, and power and prices."""
    site = site_figures(tuple(ids))
    chips = [estimated_catalogue().accelerators[name] for name in ids]
    price = np.where(np.isnan(site.system_price_usd), _own_system_price(chips), site.system_price_usd)
    return accelerator_hour_cost(price, site.power_kw, terms or default_terms()), price, site


def _own_system_price(chips: Sequence[Accelerator]) -> Floats:
    """Return the system price of chips whose price nobody publishes, by equal performance."""
    h100e = np.array([chip.h100e or 0.0 for chip in chips])
    memory = np.array([chip.memory_gb or 0.0 for chip in chips])
    years = np.array([chip.launch_years or _H100_YEAR for chip in chips]) - _H100_YEAR
    return own_design_price(h100e, memory, years) * default_of("hardware.content_multiplier")


def frontier_table(
    accelerators: Sequence[str],
    model: str,
    service: Service,
    speeds: Floats,
    precision: str | None = None,
    per: str = "accelerator",
) -> pd.DataFrame:
    """Return one row per accelerator and speed within its reach.

    Columns: accelerator, model, precision, tokens_per_s_per_user, value, per, top_speed. The value is output
    tokens/s per accelerator or per MW at the meter, or million output tokens per USD at full load.

    Raises
    ------
    InputError
        For an unknown accelerator, model, precision or ``per``.
    """
    if per not in PER:
        raise InputError("per", per, "one of " + ", ".join(PER))
    ids = catalogue_ids(accelerators)
    found = frontiers(ids, (model,), service, speeds, precision)
    cost, _, site = hour_cost(ids)
    unit = {
        "accelerator": np.ones(len(ids)),
        "mw": 1000.0 / site.power_kw,
        "dollar": _SECONDS_PER_HOUR / _MILLION / cost.total,
    }[per]
    value = found.rate[:, 0, :] * unit[:, None]
    place, step = np.nonzero(value > 0)
    return pd.DataFrame(
        {
            "accelerator": np.array(ids, dtype=object)[place],
            "model": model,
            "precision": np.array(found.formats, dtype=object)[place],
            "tokens_per_s_per_user": speeds[step],
            "value": value[place, step],
            "per": per,
            "top_speed": found.top_speed[place, 0],
        }
    )


@dataclass(frozen=True, slots=True)
class TierRates:
    """Accelerators (P) by tiers (K) at the reference age of software."""

    rate: Floats  # output tokens/s per accelerator, prompts counted; 0 out of reach
    top_speed: Floats  # tokens/s of one user


def tier_rates(ids: Sequence[str], tiers: Sequence[Tier], cached_share: float | None = None) -> TierRates:
    """Return what accelerators yield on each tier's own model, context and speed, without a fallback beyond reach.

    An LPU counts for what it yields alone or adds to the GPUs it is sold with, whichever is more.

    Parameters
    ----------
    cached_share : share of prompts whose cache is found ready, the parameter's default if not given; with 1
        the rate is that of decode alone
    """
    chips, basket = chip_table(), load_basket()
    places = np.array([chips.index(name) for name in ids], dtype=np.int64)
    code, on_chip = own_format(chips, places), chips.arrays.on_chip[places]
    rate, top = np.zeros((len(ids), len(tiers))), np.zeros((len(ids), len(tiers)))
    for k, tier in enumerate(tiers):
        model = model_table().index(tier.model, f"tier {tier.name}")
        service = tier_service(tier.input_tokens, tier.output_tokens, calibrated=False)
        refuse_beyond_context(
            model_table(), model, tier.input_tokens, tier.output_tokens, f"tier {tier.name}"
        )
        if cached_share is not None:
            service = replace(service, cached_share=cached_share)
        target = np.array([tier.speed_tokens_per_s])
        for mask, function in ((~on_chip, sweep), (on_chip, sweep_on_chip)):
            if mask.any():
                points = function(places[mask], model, code[mask], service)
                rate[mask, k] = rate_at_speed(points, target)[0][:, 0]
                top[mask, k] = points.speed.reshape(int(mask.sum()), -1).max(axis=1)
        for place in [p for p, name in enumerate(ids) if name in basket.paired]:
            joined = added_by_lpu(int(places[place]), model, replace(basket, service=service), target)[0]
            rate[place, k] = max(rate[place, k], joined)
            top[place, k] = max(top[place, k], tier.speed_tokens_per_s * (joined > 0))
    return TierRates(rate, top)


def cost_table(
    tier: str,
    quarter: str,
    accelerators: Sequence[str] | None = None,
    terms: Terms | None = None,
    lengths: tuple[float | None, float | None] = (None, None),
) -> pd.DataFrame:
    """Return what a million output tokens of a tier costs on every accelerator launched by a quarter.

    Columns: accelerator, vendor, precision, tokens_per_s, top_speed, capital, power, other (USD per million
    tokens, levelised; power is energy and powered shell), usd_per_mtok (prompts counted, some found in the cache),
    plain_usd_per_mtok, usd_per_mtok_input, usd_per_mtok_cached, usd_per_mtok_output (each alone), usd_per_hour,
    tiers, estimated. Sorted by cost; accelerators that do not reach the tier's speed come last with blanks.

    Parameters
    ----------
    lengths : tokens of prompt and answer, the tier's own where not given

    Raises
    ------
    InputError
        For an unknown tier, quarter or accelerator, or lengths beyond the context of the tier's model.
    """
    if tier not in TIERS:
        raise InputError("tier", tier, "one of " + ", ".join(TIERS))
    terms = terms or default_terms()
    ids = on_sale(quarter, accelerators)
    tiers = [_with_lengths(one, lengths) if one.name == tier else one for one in load_tiers()]
    served = tier_rates(ids, tiers)
    rate, k = served.rate * software_factor(ids, quarter)[:, None], TIERS.index(tier)
    busy = (
        default_of("hours.availability")
        * default_of("hours.planned_utilisation")
        * steadiness(scheduled(ids))
    )
    hour, price, site = hour_cost(ids, terms)
    parts = {"capital": hour.capital, "power": hour.shell + hour.energy, "other": hour.other}
    table = pd.DataFrame(
        {
            "accelerator": ids,
            "vendor": [estimated_catalogue().accelerators[name].vendor_id for name in ids],
            "precision": [FORMATS[c] for c in own_format(chip_table(), _places(ids))],
            "tokens_per_s": rate[:, k],
            "top_speed": served.top_speed[:, k],
            **{name: _finite(usd_per_mtok(part, rate[:, k], busy)) for name, part in parts.items()},
            "usd_per_mtok": _finite(usd_per_mtok(hour.total, rate[:, k], busy)),
            "plain_usd_per_mtok": _finite(_plain(price, site, terms, rate[:, k] * busy)),
            **token_prices(ids, tiers[k], hour.total, software_factor(ids, quarter) * busy),
            "usd_per_hour": hour.total,
            "tiers": [" ".join(name for name, ok in zip(TIERS, row > 0, strict=True) if ok) for row in rate],
            "estimated": _rests_on_estimates(ids),
        }
    )
    return table.sort_values(["usd_per_mtok", "accelerator"], na_position="last", ignore_index=True)


def _with_lengths(tier: Tier, lengths: tuple[float | None, float | None]) -> Tier:
    sent, answered = lengths
    return replace(
        tier,
        input_tokens=tier.input_tokens if sent is None else sent,
        output_tokens=tier.output_tokens if answered is None else answered,
    )


def token_prices(ids: Sequence[str], tier: Tier, usd_per_hour: Floats, factor: Floats) -> dict[str, Floats]:
    """Return what a million tokens of each kind costs on its own: fresh input, input found in the cache, output.

    Input takes the time by which cold prompts slow the answers, output that of decode alone; a token found in the
    cache takes its bytes over the accelerator's network link, from a store beside the servers.
    """
    cold, warm = (tier_rates(ids, (tier,), cached_share=share).rate[:, 0] for share in (0.0, 1.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        per_input = (1.0 / cold - 1.0 / warm) * tier.output_tokens / tier.input_tokens
    taken = model_table().arrays.take(np.array(model_table().index(tier.model)))
    code = own_format(chip_table(), _places(ids))
    moved = sequence_bytes(taken, tier.input_tokens, CACHE_BYTES[code]) / tier.input_tokens
    per_cached = moved / chip_table().arrays.scaleout_b_s[_places(ids)]
    usd_per_s = usd_per_hour / _SECONDS_PER_HOUR / factor
    reached = np.where(cold > 0, 1.0, np.nan)
    return {
        "usd_per_mtok_input": _finite(usd_per_s * per_input * _MILLION * reached),
        "usd_per_mtok_cached": _finite(usd_per_s * per_cached * _MILLION * reached),
        "usd_per_mtok_output": _finite(usd_per_mtok(usd_per_hour, warm * factor) * reached),
    }


def on_sale(quarter: str, accelerators: Sequence[str] | None = None) -> list[str]:
    """Return the accelerators launched by a quarter, of those given or of all that the core can evaluate.

    Raises
    ------
    InputError
        For an unknown quarter or accelerator, or none on sale.
    """
    now, known = quarter_index(quarter), chip_table().ids
    if accelerators is None:
        asked = tuple(name for name in estimated_catalogue().accelerators.ids if name in known)
    else:
        asked = catalogue_ids(accelerators)
    ids = [name for name in asked if _launch(name) <= now]
    if not ids:
        raise InputError("quarter", quarter, "a quarter in which one of these accelerators is on sale")
    return ids


def software_factor(ids: Sequence[str], quarter: str) -> Floats:
    """Return the maturity of each accelerator's software, 1 at the age of the measured points."""
    return software_maturity(
        quarter_index(quarter) - np.array([_launch(name) for name in ids]),
        default_of("hardware.software_gain"),
        stack_learning_rates([chip_table().stacks[place] for place in _places(ids)]),
        default_of("hardware.software_reference_age"),
    )


def scheduled(ids: Sequence[str]) -> Bools:
    """Return which accelerators run a static schedule: those that hold all weights in SRAM."""
    return chip_table().arrays.on_chip[_places(ids)]


def _places(ids: Sequence[str]) -> Ints:
    return np.array([chip_table().index(name) for name in ids], dtype=np.int64)


def _launch(name: str) -> float:
    date = estimated_catalogue().accelerators[name].launch_date
    return float(quarter_of_month(date)) if date else np.inf


def _plain(price: Floats, site: Site, terms: Terms, tokens_per_s: Floats) -> Floats:
    """Return (CapEx + OpEx Time)/Tokens over the accelerator's life, USD per million tokens."""
    hours = np.asarray(terms.accelerator_life) * QUARTERS_PER_YEAR * HOURS_PER_QUARTER
    shell = terms.shell_cost * site.power_kw / terms.pue / 1000.0 * terms.accelerator_life / terms.shell_life
    running = accelerator_hour_cost(price, site.power_kw, terms)
    tokens = tokens_per_s * _SECONDS_PER_HOUR * hours
    return plain_token_cost(price + shell, running.energy + running.other, hours, tokens) * _MILLION


def _finite(values: Floats) -> Floats:
    return np.where(np.isfinite(values), values, np.nan)


def _rests_on_estimates(ids: Sequence[str]) -> Bools:
    """Return where power, price or a specification that serving reads is a documented guess."""
    read = (
        "tdp_w",
        "list_or_asp_usd",
        "memory_gb",
        "memory_bw_gbs",
        "fp16_tflops",
        "fp8_tflops",
        "fp4_tflops",
        "sram_mb",
    )
    book = estimated_catalogue().accelerators
    return np.array(
        [
            any((name, column) in book.estimated for column in read) or book[name].list_or_asp_usd is None
            for name in ids
        ]
    )
