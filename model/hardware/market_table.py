"""The table the market reads: what every product delivers in every service tier, in every quarter.

Rates are those of the tier's reference model; a frontier that grows is a scalar factor of the market. The
table holds mature rates and, apart, the software maturity by product and quarter.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np

from computemarket.errors import InputError
from computemarket.model.arrays import Bools, Floats
from computemarket.model.calendar import QUARTERS, quarter_index
from computemarket.model.hardware.product_specs import (
    ProductSpecs,
    parameter_default,
    product_specs,
    read_rows,
)

TIERS = ("free", "medium", "high", "premium", "ultra")
PRECISIONS = ("fp16", "int8", "fp8", "fp4")


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


@cache
def load_tiers() -> tuple[Tier, ...]:
    """Return the tiers of the token menu, slowest first."""
    text = files("computemarket.model.data").joinpath("tiers.toml").read_text("utf-8")
    table = tomllib.loads(text)
    return tuple(Tier(name=name, **table[name]) for name in TIERS)


@dataclass(frozen=True, slots=True)
class MarketTable:
    """Products (P) by tiers (K) and quarters (T); read-only float64 arrays."""

    product_ids: tuple[str, ...]
    tiers: tuple[str, ...]
    quarters: tuple[str, ...]
    tokens_per_s_per_accel: (
        Floats  # (P, K) output tokens at the tier's speed, prefill included; 0 if out of reach
    )
    decode_tokens_per_s_per_accel: Floats  # (P, K) of a pool that only decodes
    prefill_tokens_per_s_per_accel: Floats  # (P, K) input tokens of a pool that only prefills
    speed_tokens_per_s: Floats  # (P, K) largest tokens/s per user of one replica
    accels_per_replica: Floats  # (P, K) at the chosen point; 0 if out of reach
    joules_per_token: Floats  # (P, K) all-in energy per output token at full load; inf if out of reach
    value_per_h100e: (
        Floats  # (P, K) rate per H100-equivalent over that of the reference H100; 0 if out of reach
    )
    precision: tuple[str, ...]  # (P,) compute format of serving
    power_kw_per_accel: Floats  # (P,) all-in at the site's meter
    it_power_kw_per_accel: Floats  # (P,) share of the rated server or rack power
    train_flops_per_s: Floats  # (P,) effective; 0 for products that do not train
    h100e: Floats  # (P,) dense 8-bit peak over 1,979 TFLOPS
    h100e_tpp: Floats  # (P,) TPP over 15,832
    memory_gb: Floats  # (P,)
    price_usd: Floats  # (P,) accelerator at its launch
    system_price_usd: Floats  # (P,) with its share of server, rack, network
    launch_quarter: Floats  # (P,) signed quarters since 2022Q1
    estimated: Bools  # (P,) a specification was filled by an estimate
    maturity: Floats  # (P, T) software factor on rates and training speed; 0 before launch

    def rates(self, quarter: int) -> Floats:
        """Return the (P, K) output tokens/s per accelerator in a quarter, by position in `quarters`."""
        return self.tokens_per_s_per_accel * self.maturity[:, quarter, None]

    def index(self, product_id: str) -> int:
        """Return the position of a product."""
        return self.product_ids.index(product_id)


def build_market_table(
    product_ids: Sequence[str] | None = None,
    quarters: Sequence[str] = QUARTERS,
    tiers: Sequence[Tier] | None = None,
) -> MarketTable:
    """Return the table for products (all of the catalogue by default) and quarters; cached per process.

    Raises
    ------
    InputError
        for an unknown product or a label that is not a quarter.
    """
    ids = product_specs(product_ids).ids
    chosen = tuple(tiers) if tiers is not None else load_tiers()
    for label in quarters:
        quarter_index(label)
    return _build(ids, tuple(quarters), chosen)


@cache
def _build(ids: tuple[str, ...], quarters: tuple[str, ...], tiers: tuple[Tier, ...]) -> MarketTable:
    specs = product_specs(ids)
    served = [_serve(specs, tier) for tier in tiers]
    decode, prefill, speed, replica = (np.stack([part[i] for part in served], axis=1) for i in range(4))
    total = blend(decode, prefill, np.array([fresh_input_per_output(tier) for tier in tiers]))
    reference = _reference_rate(tiers)
    watts = specs.power_kw[:, None] * 1000
    table = MarketTable(
        product_ids=ids,
        tiers=tuple(tier.name for tier in tiers),
        quarters=quarters,
        tokens_per_s_per_accel=total,
        decode_tokens_per_s_per_accel=decode,
        prefill_tokens_per_s_per_accel=prefill,
        speed_tokens_per_s=speed,
        accels_per_replica=np.where(total > 0, replica, 0.0),
        joules_per_token=np.divide(watts, total, out=np.full(total.shape, np.inf), where=total > 0),
        value_per_h100e=total / specs.h100e[:, None] / reference,
        precision=tuple(PRECISIONS[i] for i in _serving_format(specs)),
        power_kw_per_accel=specs.power_kw,
        it_power_kw_per_accel=specs.it_power_kw,
        train_flops_per_s=_training_rate(specs),
        h100e=specs.h100e,
        h100e_tpp=specs.h100e_tpp,
        memory_gb=specs.memory_gb,
        price_usd=specs.price_usd,
        system_price_usd=specs.system_price_usd,
        launch_quarter=specs.launch_quarter.astype(np.float64),
        estimated=specs.estimated,
        maturity=_maturity(specs, quarters),
    )
    for name in table.__slots__:
        value = getattr(table, name)
        if isinstance(value, np.ndarray):
            value.flags.writeable = False
    return table


def fresh_input_per_output(tier: Tier) -> float:
    """Return the input tokens that need prefill per output token, after prefix-cache hits."""
    return tier.input_tokens * (1 - parameter_default("prefix_cache_hit")) / tier.output_tokens


def blend(decode: Floats, prefill: Floats, input_per_output: Floats) -> Floats:
    """Return output tokens/s per accelerator of balanced prefill and decode pools.

    One output token takes 1/decode accelerator-seconds in the decode pool and input_per_output/(xi prefill)
    in the prefill pool, xi the pool's headroom: the balance n_p r_p xi = n_d r_d of disaggregated serving.
    """
    feasible = (decode > 0) & (prefill > 0)
    safe_decode, safe_prefill = np.where(feasible, decode, 1.0), np.where(feasible, prefill, 1.0)
    seconds = 1 / safe_decode + input_per_output / (
        parameter_default("disaggregation_headroom") * safe_prefill
    )
    return np.where(feasible, 1 / seconds, 0.0)


@cache
def _reference_rate(tiers: tuple[Tier, ...]) -> Floats:
    """Rates of the H100, the unit of value per H100-equivalent; the H200's or 1 where it cannot serve a tier."""
    specs = product_specs(("nvidia_h100_sxm",))
    served = [_serve(specs, tier) for tier in tiers]
    rates = blend(
        np.array([part[0][0] for part in served]),
        np.array([part[1][0] for part in served]),
        np.array([fresh_input_per_output(tier) for tier in tiers]),
    )
    return np.where(rates > 0, rates, rates[rates > 0].min())


def _maturity(specs: ProductSpecs, quarters: Sequence[str]) -> Floats:
    """Return (P, T) logistic software maturity, 1 at the age of the kernel's measured points; 0 before launch."""
    time = np.array([quarter_index(label) for label in quarters])
    age = time[None, :] - specs.launch_quarter[:, None].astype(np.float64)
    gain, rate = parameter_default("software_gain"), parameter_default("software_gap_rate")
    level = 1 / (1 + (gain - 1) * np.exp(-rate * np.maximum(age, 0.0)))
    at_reference = 1 / (1 + (gain - 1) * np.exp(-rate * parameter_default("software_reference_age")))
    return np.where(age >= 0, level / at_reference, 0.0)


def _training_rate(specs: ProductSpecs) -> Floats:
    """Return (P,) effective training FLOP/s: the better of 16-bit and 8-bit training."""
    sixteen = specs.fp16_tflops * parameter_default("training_mfu_16bit")
    eight = specs.fp8_tflops * parameter_default("training_mfu_8bit")
    return np.where(specs.trains, np.maximum(sixteen, eight) * 1e12, 0.0)


# ---- interim serving kernel: performance_core equations 3.2 to 3.5 and 3.8, replaced by the fitted kernel ----

_ETA_M, _ETA_C, _ETA_P, _ALPHA, _ETA_L, _TAU_MOE = 0.68, 0.40, 0.27, 9.8e-6, 0.11, 63e-6
_TAU_SRAM = {"lpu": 10e-6, "wafer": 12e-6}
_RANKS = np.array([1, 2, 4, 8, 16, 32, 64, 72, 128], dtype=np.float64)
_BATCH = np.geomspace(1, 8192, 27).round()


@cache
def _reference_model(name: str) -> Mapping[str, float]:
    row = {row["id"]: row for row in read_rows("llm_models.csv")}.get(name)
    if row is None:
        raise InputError("tier model", name, "in the model catalogue")
    number = {key: float(row[key] or 0) for key in row if key.endswith("_bn") or key in _SHAPE}
    if not number["active_params_bn"]:  # from layer shapes: routed and shared experts, attention, embedding
        expert = 3 * number["d_model"] * number["d_ff"] * (number["experts_per_token"] + 1)
        attention = 0.3e9
        number["active_params_bn"] = (number["n_layers"] * (expert + attention)) / 1e9 + 1.9
    return number


_SHAPE = ("n_layers", "d_model", "n_heads", "n_kv_heads", "head_dim", "d_ff", "n_experts", "experts_per_token",
          "kv_bytes_per_token_fp16")  # fmt: skip


def _serving_format(specs: ProductSpecs) -> list[int]:
    peaks = np.stack([specs.fp16_tflops, specs.int8_tops, specs.fp8_tflops, specs.fp4_tflops])
    return [int(np.flatnonzero(peaks[:, p] > 0)[-1]) for p in range(len(specs))]


def _serve(specs: ProductSpecs, tier: Tier) -> tuple[Floats, Floats, Floats, Floats]:
    """Return (P,) decode rate, prefill rate, top speed, accelerators per replica for one tier."""
    hbm = _serve_hbm(specs, tier)
    sram = _serve_sram(specs, tier)
    return tuple(np.where(specs.sram_machine, s, h) for h, s in zip(hbm, sram, strict=True))  # type: ignore[return-value]


def _formats(specs: ProductSpecs) -> tuple[Floats, Floats, Floats]:
    """Peak FLOP/s, bytes per expert weight, bytes per KV value of the serving format."""
    peaks = np.stack([specs.fp16_tflops, specs.int8_tops, specs.fp8_tflops, specs.fp4_tflops]) * 1e12
    chosen = np.array(_serving_format(specs))
    return (
        np.take_along_axis(peaks, chosen[None], 0)[0],
        np.array([2.0, 1.0, 1.0, 0.5625])[chosen],
        np.array([2.0, 1.0, 1.0, 1.0])[chosen],
    )


def _prefill_rate(flops: Floats, model: Mapping[str, float], tier: Tier) -> Floats:
    attention = 2 * model["n_layers"] * model["n_heads"] * model["head_dim"] * tier.input_tokens
    return flops * _ETA_P / (2e9 * model["active_params_bn"] + attention)


def _serve_hbm(specs: ProductSpecs, tier: Tier) -> tuple[Floats, Floats, Floats, Floats]:
    model = _reference_model(tier.model)
    flops, b_w, b_kv = _formats(specs)
    column = (slice(None), None, None, None)
    n = _RANKS[None, None, :, None]  # axes: product, layout, ranks, batch
    batch = _BATCH[None, None, None, :]
    tensor = np.array([True, False])[None, :, None, None]
    active, total = 1e9 * model["active_params_bn"], 1e9 * model["total_params_bn"]
    ratio = model["experts_per_token"] / max(model["n_experts"], 1)
    expert = (total - active) / (1 - ratio) if ratio else 0.0
    shared = total - expert
    b_shared = np.maximum(b_w, 1.0)[column]
    kappa = model["kv_bytes_per_token_fp16"] / 2 * b_kv[column]
    context = tier.input_tokens + tier.output_tokens / 2
    split = np.where(tensor, np.minimum(n, max(model["n_kv_heads"], 1)), n)
    weights = shared * b_shared / np.where(tensor, n, 1.0) + expert * b_w[column] / n
    held = weights + 4e9 + batch * kappa * context / split
    fits = held <= parameter_default("memory_share") * specs.memory_gb[column] * 1e9
    touched = 1 - (1 - ratio) ** batch if ratio else 1.0
    bandwidth = specs.memory_bw_gbs[column] * 1e9 * _ETA_M
    read = shared * b_shared / np.where(tensor, n, 1.0) + expert * b_w[column] * touched / n
    t_memory = (read + batch * kappa * context / split) / np.maximum(bandwidth, 1.0)
    t_compute = batch * 2 * active / (n * flops[column] * _ETA_C)
    inside = n <= specs.scaleup_domain[column]
    link = (
        np.where(inside, specs.scaleup_bw_gbs[column] / 2, np.maximum(specs.scaleout_gbs[column], 12.5)) * 1e9
    )
    link = np.maximum(link, 12.5e9) * np.where(inside, _ETA_L, 0.6)
    layers, width = model["n_layers"], model["d_model"]
    reduce = 2 * layers * (_ALPHA * np.ceil(np.log2(n)) + 2 * (n - 1) / n * batch * width * 2 / link)
    per_token = width * 1.5 * max(model["experts_per_token"], 1)
    exchange = 2 * layers * (_ALPHA * (n > 1) + (n - 1) / n * (batch / n) * per_token / link)
    t_step = np.maximum(t_memory, t_compute) + np.where(tensor, reduce, exchange) + layers * _TAU_MOE
    accepted = parameter_default("tokens_per_step")
    speed = np.where(fits, accepted / t_step, 0.0)
    rate = np.where(speed >= tier.speed_tokens_per_s, batch * speed / n, 0.0)
    flat = rate.reshape(len(specs), -1)
    best = flat.argmax(axis=1)
    ranks = np.broadcast_to(n, rate.shape).reshape(len(specs), -1)
    chosen = np.take_along_axis(ranks, best[:, None], 1)[:, 0]
    return (
        flat.max(axis=1),
        _prefill_rate(flops, model, tier),
        speed.reshape(len(specs), -1).max(axis=1),
        chosen,
    )


def _serve_sram(specs: ProductSpecs, tier: Tier) -> tuple[Floats, Floats, Floats, Floats]:
    """Pipeline of chips that hold all weights on chip (performance_core 3.8)."""
    model = _reference_model(tier.model)
    flops, b_w, b_kv = _formats(specs)
    batch = np.geomspace(1, 2048, 23)[None, :]
    context = tier.input_tokens + tier.output_tokens / 2
    kappa = model["kv_bytes_per_token_fp16"] / 2 * b_kv[:, None]
    need = 1e9 * model["total_params_bn"] * b_w[:, None] + batch * kappa * context
    n = np.ceil(need / np.maximum(0.9 * specs.sram_gb[:, None] * 1e9, 1e-9))
    tau = np.array([_TAU_SRAM.get(kind, 10e-6) for kind in specs.kind])[:, None]
    layers = model["n_layers"]
    micro = np.maximum(batch / layers, 1.0)
    per_layer = n / layers
    compute = micro * 2e9 * model["active_params_bn"] / layers / (per_layer * flops[:, None] * 0.25)
    speed = parameter_default("tokens_per_step") / (layers * (tau + compute))
    speed = np.where(specs.sram_machine[:, None] & (specs.sram_gb[:, None] > 0), speed, 0.0)
    rate = np.where(speed >= tier.speed_tokens_per_s, batch * speed / n, 0.0)
    best = rate.argmax(axis=1)
    chosen = np.take_along_axis(n, best[:, None], 1)[:, 0]
    return rate.max(axis=1), _prefill_rate(flops, model, tier), speed.max(axis=1), chosen
