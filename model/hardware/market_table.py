"""The table the market reads: what every product delivers in every service tier, in every quarter.

Rates are those of the tier's reference model; a frontier that grows is a scalar factor of the market. The
table holds rates at the reference age of software and, apart, the software maturity by product and quarter.
"""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files

import numpy as np

from computemarket.model.arrays import Bools, Floats, Ints
from computemarket.model.calendar import QUARTERS, quarter_index
from computemarket.model.hardware.chips import chip_table
from computemarket.model.hardware.coefficients import load_coefficients
from computemarket.model.hardware.frontier import Workloads, blend, native_codes, serve
from computemarket.model.hardware.maturity import product_maturity
from computemarket.model.hardware.models import model_table
from computemarket.model.hardware.parameters import parameter_default
from computemarket.model.hardware.precision import FORMATS
from computemarket.model.hardware.product_specs import ProductSpecs, product_specs

TIERS = ("free", "medium", "high", "premium", "ultra")
_REFERENCE_PRODUCT = "nvidia_h100_sxm"
_TRAINING_FORMATS = ("fp16", "fp8")  # 4-bit training is not established
_FIT_CHIPS = 256.0  # the fitted utilisation is that of a run on so many accelerators


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

    @property
    def prefill_per_output(self) -> float:
        """Return the input tokens that need prefill per output token, after prefix-cache hits."""
        return self.input_tokens * (1 - parameter_default("prefix_cache_hit")) / self.output_tokens


@cache
def load_tiers() -> tuple[Tier, ...]:
    """Return the tiers of the token menu, slowest first."""
    text = files("computemarket.model.data").joinpath("tiers.toml").read_text("utf-8")
    table = tomllib.loads(text)
    return tuple(Tier(name=name, **table[name]) for name in TIERS)


@dataclass(frozen=True, slots=True)
class MarketTable:
    """Products (P) by tiers (K) and quarters (T); read-only arrays."""

    product_ids: tuple[str, ...]
    tiers: tuple[str, ...]
    quarters: tuple[str, ...]
    tokens_per_s_per_accel: (
        Floats  # (P, K) output tokens at the tier's speed, prefill included; 0 if out of reach
    )
    decode_tokens_per_s_per_accel: Floats  # (P, K) of the decode pool alone
    prefill_tokens_per_s_per_accel: Floats  # (P, K) input tokens of the prefill pool alone
    tier_speed_tokens_per_s: Floats  # (K,) promised to one user
    speed_tokens_per_s: Floats  # (P, K) largest tokens/s of one user
    accels_per_replica: Floats  # (P, K) at the chosen point; 0 if out of reach
    joules_per_token: Floats  # (P, K) all-in energy per output token at full load; inf if out of reach
    value_per_h100e: Floats  # (P, K) rate per H100-equivalent over the H100's own; 0 if out of reach
    precision: tuple[str, ...]  # (P,) compute format of serving
    power_kw_per_accel: Floats  # (P,) all-in at the site's meter
    it_power_kw_per_accel: Floats  # (P,) share of the rated server or rack power
    train_flops_per_s: Floats  # (P,) model FLOP/s reached in training; 0 for products that do not train
    h100e: Floats  # (P,) dense 8-bit peak over 1,979 TFLOPS
    h100e_tpp: Floats  # (P,) TPP over 15,832
    memory_gb: Floats  # (P,)
    memory_bw_gbs: Floats  # (P,)
    price_usd: Floats  # (P,) accelerator at its launch
    system_price_usd: Floats  # (P,) with its share of server, rack, network
    launch_quarter: Ints  # (P,) signed quarters since 2022Q1
    estimated: Bools  # (P,) a specification was filled by an estimate
    maturity: Floats  # (P, T) software factor on rates and training speed; 0 before launch

    def rates(self, quarter: int) -> Floats:
        """Return the (P, K) output tokens/s per accelerator at a place in ``quarters``."""
        return self.tokens_per_s_per_accel * self.maturity[:, quarter, None]

    def index(self, product_id: str) -> int:
        """Return the place of a product."""
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
        For an unknown product or model, or a label that is not a quarter.
    """
    specs = product_specs(product_ids)
    return _build(specs.ids, tuple(quarters), tuple(tiers) if tiers is not None else load_tiers())


@cache
def _build(ids: tuple[str, ...], quarters: tuple[str, ...], tiers: tuple[Tier, ...]) -> MarketTable:
    specs = product_specs(ids)
    codes = native_codes(specs.chip)
    decode, prefill, total, top, ranks = tier_rates(specs.chip, codes, tiers)
    reference = product_specs((_REFERENCE_PRODUCT,))
    unit = tier_rates(reference.chip, native_codes(reference.chip), tiers)[2][0]
    unit = np.where(
        unit > 0, unit, unit[unit > 0].min(initial=np.inf)
    )  # its slowest where a tier is out of reach
    watts = specs.power_kw[:, None] * 1000
    table = MarketTable(
        product_ids=ids,
        tiers=tuple(tier.name for tier in tiers),
        quarters=quarters,
        tokens_per_s_per_accel=total,
        decode_tokens_per_s_per_accel=decode,
        prefill_tokens_per_s_per_accel=prefill,
        tier_speed_tokens_per_s=np.array([tier.speed_tokens_per_s for tier in tiers]),
        speed_tokens_per_s=top,
        accels_per_replica=ranks,
        joules_per_token=np.divide(watts, total, out=np.full(total.shape, np.inf), where=total > 0),
        value_per_h100e=total / specs.h100e[:, None] / unit,
        precision=tuple(FORMATS[code] for code in codes),
        power_kw_per_accel=specs.power_kw,
        it_power_kw_per_accel=specs.it_power_kw,
        train_flops_per_s=training_rate(specs),
        h100e=specs.h100e,
        h100e_tpp=specs.h100e_tpp,
        memory_gb=specs.memory_gb,
        memory_bw_gbs=specs.memory_bw_gbs,
        price_usd=specs.price_usd,
        system_price_usd=specs.system_price_usd,
        launch_quarter=specs.launch_quarter,
        estimated=specs.estimated,
        maturity=product_maturity(specs, [quarter_index(label) for label in quarters]),
    )
    for field in fields(table):
        value = getattr(table, field.name)
        if isinstance(value, np.ndarray):
            value.flags.writeable = False
    return table


def tier_rates(
    chips: Ints, codes: Ints, tiers: Sequence[Tier]
) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """Return what chips (C,) at formats (C,) yield in tiers, five arrays (C, K).

    Decode rate, prefill rate and the rate of both pools in balance, tokens/s per accelerator; the largest
    speed of one user; accelerators per replica.
    """
    table = model_table()
    work = Workloads(
        np.array([table.index(tier.model, f"tier {tier.name}") for tier in tiers], dtype=np.int64),
        np.array([tier.input_tokens for tier in tiers]),
        np.array([tier.output_tokens for tier in tiers]),
    )
    served = serve(chips, work, codes)
    load = load_coefficients().value("load")
    decode, ranks = served.at_speed(np.array([tier.speed_tokens_per_s for tier in tiers]))
    decode, prefill = load * decode, load * served.prefill
    total = blend(decode, prefill, np.array([tier.prefill_per_output for tier in tiers]))
    return decode, prefill, total, served.top_speed(), np.where(total > 0, ranks, 0.0)


def training_rate(specs: ProductSpecs) -> Floats:
    """Return (P,) model FLOP/s per accelerator in a large run: the better of 16-bit and 8-bit training."""
    table, coefficients = chip_table(), load_coefficients()
    scale = (parameter_default("training_chips") / _FIT_CHIPS) ** -coefficients.value("mfu_scale")
    rates = []
    for name in _TRAINING_FORMATS:
        code = FORMATS.index(name)
        levels = [
            (table.stacks[place], table.generations[place], "mixture", f"format:{name}")
            for place in specs.chip
        ]
        native = np.take(table.arrays.native[:, code], specs.chip)
        peak = np.where(native, np.take(table.arrays.rate_flop_s[:, code], specs.chip), 0.0)
        rates.append(coefficients.per_row("mfu", levels) * scale * peak)
    trains = np.array([name not in _without_training() for name in specs.ids])
    return np.where(trains, np.max(rates, axis=0), 0.0)


@cache
def _without_training() -> frozenset[str]:
    """Return the products that only serve, from the estimates of specifications."""
    import csv

    text = files("computemarket.model.data").joinpath("spec_estimates.csv").read_text("utf-8")
    rows = csv.DictReader(text.splitlines())
    return frozenset(row["id"] for row in rows if row["field"] == "trains" and row["value"] == "0")
