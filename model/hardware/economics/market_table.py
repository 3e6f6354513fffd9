"""The table the market reads: what every product yields at the speed of every service tier.

Every chip, of whatever year, serves one common basket of models (``tiers.toml``) at the tiers' speeds, prompts apart.
Its rate at a tier is the geometric mean over the basket: a tier's own model grows for all chips alike, which the
market counts apart. Beyond the speed a chip reaches, its rate falls smoothly by the fallback form of M1,
``X(u) = X0/(1 + (u/u0)^g)``, fitted to the chip's own frontier.
"""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np

from computemarket.model.core.arrays import Floats, Ints
from computemarket.model.hardware.performance.coefficients import load_coefficients
from computemarket.model.hardware.performance.frontier import (
    LAYOUTS,
    Service,
    Sweep,
    full_load,
    layouts_within,
    own_format,
    prompt_chip_s,
    rate_at_speed,
    replicas,
    sweep,
    sweep_on_chip,
)
from computemarket.model.hardware.performance.hybrid import attention_feedforward, without_experts
from computemarket.model.hardware.performance.roofline import batch_capacity
from computemarket.model.hardware.performance.serving import accepted_tokens
from computemarket.model.hardware.specs.chips import chip_table
from computemarket.model.hardware.specs.defaults import cached_as_given, parameter_default
from computemarket.model.hardware.specs.models import model_table
from computemarket.model.hardware.specs.precision import FORMATS

TIERS = ("free", "medium", "high", "premium", "ultra")
GRID: Floats = np.geomspace(1.0, 4096.0, 49)  # speeds at which frontiers are evaluated, tokens/s of one user
_MICRO_BATCHES: Floats = 2.0 ** np.arange(11, dtype=np.float64)
DRAFTS = 3.0  # tokens of a multi-token head per step; source: InferenceX recipes of DeepSeek-R1
_IN_FLIGHT = 3.0  # micro-batches that keep GPUs, links and LPUs busy at once


@dataclass(frozen=True, slots=True)
class Tier:
    """One service tier: a promised speed for a reference model and a typical request."""

    name: str
    model: str
    speed_tokens_per_s: float
    list_price_usd_per_mtok: float
    context_tokens: float
    input_tokens: float
    output_tokens: float
    speed_source: str


@dataclass(frozen=True, slots=True)
class Basket:
    """What every chip is measured on."""

    models: tuple[str, ...]
    service: Service
    partner: str  # GPU that LPUs are joined to
    paired: tuple[str, ...]  # LPUs sold as part of a system


@cache
def _tiers_file() -> dict[str, dict[str, object]]:
    return tomllib.loads(files("computemarket.model.data").joinpath("tiers.toml").read_text("utf-8"))


@cache
def load_tiers() -> tuple[Tier, ...]:
    """Return the tiers of the token menu, slowest first."""
    return tuple(Tier(name=name, **_tiers_file()[name]) for name in TIERS)  # type: ignore[arg-type]


@cached_as_given
def load_basket() -> Basket:
    """Return the common basket; speculation, caching and pool sizes are parameters of the hardware area."""
    table = _tiers_file()["basket"]
    service = tier_service(float(table["input_tokens"]), float(table["output_tokens"]))  # type: ignore[arg-type]
    return Basket(tuple(table["models"]), service, str(table["partner"]), tuple(table["paired"]))  # type: ignore[arg-type]


def tier_service(input_tokens: float, output_tokens: float, calibrated: bool = True) -> Service:
    """Return how requests of these lengths are served by today's practice, from parameter defaults.

    Parameters
    ----------
    calibrated : with the efficiencies that the market was calibrated on, else those of the latest fit
    """
    accepted, drafts, acceptance = parameter_default("tokens_per_step"), 0.0, 0.0
    if not calibrated:
        drafts, acceptance = DRAFTS, load_coefficients().value("acceptance", "drafts:mtp")
        accepted = float(accepted_tokens(drafts, acceptance))
    return Service(
        input_tokens,
        output_tokens,
        accepted=accepted,
        drafts=drafts,
        acceptance=acceptance,
        cached_share=parameter_default("prefix_cache_hit"),
        headroom=parameter_default("disaggregation_headroom"),
        memory_share=parameter_default("memory_share"),
        on_chip_fill=parameter_default("on_chip_fill"),
        calibrated=calibrated,
    )


@dataclass(frozen=True, slots=True)
class Fallback:
    """The smooth form of a frontier, ``X(u) = X0/(1 + (u/u0)^g)``; arrays of one shape."""

    most: Floats  # X0
    middle: Floats  # u0
    exponent: Floats  # g

    def rate(self, speed: Floats) -> Floats:
        """Return the rate at a speed."""
        return self.most / (1.0 + (speed / self.middle) ** self.exponent)


def fit_fallback(rate: Floats, speed: Floats, least: float, most: float) -> Fallback:
    """Fit the fallback form to frontiers ``rate`` (..., U) that fall along ``speed`` (U,).

    It meets the frontier at its flat end, where half and where a tenth of it is left (ln 9 apart in (u/u0)^g);
    the exponent is held within ``least`` and ``most``.
    """
    top = rate[..., 0]
    half, tenth = (_speed_where(rate, speed, share * top) for share in (0.5, 0.1))
    exponent = np.log(9.0) / np.maximum(np.log(tenth / half), 1e-9)
    return Fallback(top, half, np.clip(exponent, least, most))


def _speed_where(rate: Floats, speed: Floats, level: Floats) -> Floats:
    """Return the largest speed of the grid at which the frontier is still at ``level`` or above."""
    count = (rate >= level[..., None]).sum(axis=-1)
    return np.asarray(np.take(speed, np.maximum(count - 1, 0)))


def smooth_rate(rate: Floats, top_speed: Floats, top_rate: Floats, form: Fallback, speed: Floats) -> Floats:
    """Return the frontier ``rate`` (..., K) at speeds (K,), continued by the form beyond the top speed.

    The form is scaled to meet the frontier at its end, so nothing jumps.
    """
    wide = Fallback(form.most[..., None], form.middle[..., None], form.exponent[..., None])
    beyond = top_rate[..., None] * wide.rate(speed) / wide.rate(top_speed[..., None])
    return np.where(speed <= top_speed[..., None], rate, beyond)


@dataclass(frozen=True, slots=True)
class MarketTable:
    """Products (P) by tiers (K); read-only float64 arrays."""

    product_ids: tuple[str, ...]
    speed: Floats  # (K,) tokens/s of one user
    tokens_per_s: (
        Floats  # (P, K) output tokens per accelerator at the tier's speed, prompts counted; positive
    )
    top_speed: Floats  # (P,) geometric mean over the basket of the largest tokens/s of one user
    formats: tuple[str, ...]  # (P,)


def build_market_table(product_ids: Sequence[str]) -> MarketTable:
    """Return the table for products that the performance core knows; cached per process.

    Raises
    ------
    InputError
        For an unknown product.
    """
    return _build(tuple(product_ids))


@cached_as_given
def _build(ids: tuple[str, ...]) -> MarketTable:
    chips, models, basket = chip_table(), model_table(), load_basket()
    places = np.array([chips.index(name) for name in ids], dtype=np.int64)
    speed = np.array([tier.speed_tokens_per_s for tier in load_tiers()])
    code = own_format(chips, places)
    on_chip = chips.arrays.on_chip[places]
    paired = np.array([name in basket.paired for name in ids])
    rates, tops = [], []
    for name in basket.models:
        model = models.index(name)
        rate, top = np.empty((len(ids), len(speed))), np.empty(len(ids))
        for mask, function in ((~on_chip, sweep), (on_chip, sweep_on_chip)):
            if mask.any():
                rate[mask], top[mask] = _tier_rates(
                    function(places[mask], model, code[mask], basket.service), speed
                )
        for place in np.flatnonzero(paired):
            rate[place] = np.maximum(rate[place], added_by_lpu(places[place], model, basket, speed))
        rates.append(rate)
        tops.append(top)
    tokens = np.exp(np.log(np.stack(rates)).mean(axis=0))
    table = MarketTable(
        product_ids=ids,
        speed=speed,
        tokens_per_s=tokens,
        top_speed=np.exp(np.log(np.stack(tops)).mean(axis=0)),
        formats=tuple(FORMATS[c] for c in code),
    )
    for values in (table.speed, table.tokens_per_s, table.top_speed):
        values.flags.writeable = False
    return table


def tier_rates_of(places: Ints, model: int, code: Ints, service: Service, speed: Floats) -> Floats:
    """Return (C, K) tokens/s per chip, prompts counted, at the tiers' speeds for another service than the basket's."""
    return _tier_rates(sweep(places, model, code, service), speed)[0]


def _tier_rates(points: Sweep, speed: Floats) -> tuple[Floats, Floats]:
    """Return (C, K) rates at the tiers' speeds, continued beyond reach, and (C,) top speeds."""
    flat = points.speed.reshape(len(points.speed), -1)
    top = flat.max(axis=1)
    top_rate = np.take_along_axis(points.rate.reshape(flat.shape), flat.argmax(axis=1)[:, None], 1)[:, 0]
    frontier, _ = rate_at_speed(points, np.concatenate([GRID, speed]))
    form = fit_fallback(
        frontier[:, : len(GRID)],
        GRID,
        parameter_default("fallback_exponent_least"),
        parameter_default("fallback_exponent_most"),
    )
    return smooth_rate(frontier[:, len(GRID) :], top, top_rate, form, speed), top


@dataclass(frozen=True, slots=True)
class Joined:
    """GPUs with LPUs, over layouts and batches laid flat, (J,); and what the GPUs yield alone."""

    speed: Floats  # (J,) tokens/s of one user, 0 where the cache does not fit
    tokens_per_s: Floats  # (J,) of the whole, prompts counted
    gpus: Floats  # (J,) for attention and for prompts
    lpus: Floats  # (J,)
    alone: Floats  # (K,) tokens/s of one GPU without LPUs at the speeds asked for, positive


def join(lpu: int, model: int, basket: Basket, speed: Floats) -> Joined:
    """Return what LPUs yield with the basket's partner on one model, by place in the tables."""
    chips, models = chip_table(), model_table()
    gpu = np.array([chips.index(basket.partner)], dtype=np.int64)
    code = own_format(chips, gpu)
    service, one = basket.service, models.arrays.take(np.array(model))
    alone, _ = _tier_rates(sweep(gpu, model, code, service), speed)
    inside = layouts_within(float(chips.arrays.domain[gpu[0]]))
    whole = replicas(gpu, model, code, LAYOUTS, service.memory_share, calibrated=service.calibrated)
    prompt = float(prompt_chip_s(whole, service).min()) / (service.headroom * service.output_tokens)
    part, _ = without_experts(one, parameter_default("feed_forward_share"))
    attention = replicas(gpu, model, code, inside, service.memory_share, part, service.calibrated)
    pair = attention_feedforward(
        attention,
        chips.arrays.take(np.array(lpu)),
        one,
        code[:, None, None],
        _MICRO_BATCHES,
        np.asarray(service.context),
        layer_s=parameter_default("lpu_layer_time"),
        link_s=parameter_default("lpu_link_latency"),
        link_b_s=chips.arrays.scaleout_b_s[gpu[0]] * attention.chips,
        accepted=service.accepted,
        feed_forward_share=parameter_default("feed_forward_share"),
    )
    yielded = pair.tokens_per_s * full_load(gpu, model, code, service.calibrated)
    held = batch_capacity(attention, np.asarray(service.context)) >= _MICRO_BATCHES * _IN_FLIGHT
    return Joined(
        speed=np.where(held, pair.speed, 0.0).ravel(),
        tokens_per_s=yielded.ravel(),
        gpus=(pair.gpus + yielded * prompt).ravel(),
        lpus=np.broadcast_to(pair.lpus, yielded.shape).ravel(),
        alone=alone[0],
    )


def added_by_lpu(lpu: int, model: int, basket: Basket, speed: Floats) -> Floats:
    """Return (K,) tokens/s that one LPU adds to the GPUs it is joined to, 0 where it adds nothing.

    The pair's rate less what its GPUs, prompts included, would yield alone at the same speed, over the LPUs; the
    best of the GPUs' layouts and batches counts. Integration maturity is counted apart.
    """
    pair = join(lpu, model, basket, speed)
    added = np.zeros(len(speed))
    for k, target in enumerate(speed):
        gain = (pair.tokens_per_s - pair.gpus * pair.alone[k]) / pair.lpus
        added[k] = np.where(pair.speed >= target, gain, 0.0).max(initial=0.0)
    return added


def joined_gain_per_mw(
    lpu: int, model: int, basket: Basket, speed: Floats, gpu_kw: float, lpu_kw: float
) -> Floats:
    """Return (K,) throughput per megawatt of the pair over that of its GPUs alone; 0 beyond the pair's reach."""
    pair = join(lpu, model, basket, speed)
    per_kw = pair.tokens_per_s / (pair.gpus * gpu_kw + pair.lpus * lpu_kw)
    best = [np.where(pair.speed >= target, per_kw, 0.0).max(initial=0.0) for target in speed]
    return np.array(best) / (pair.alone / gpu_kw)
