"""What the market knows of the hardware: work, power and tokens of every product, computed once from specifications."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np

from computemarket.model.arrays import Floats
from computemarket.model.world import TIERS, Products, load_world

PERFORMANCE_PER_DOLLAR_GROWTH = 0.49  # per year; source: Epoch AI (market_facts: chip_perf_per_dollar)
ENERGY_EFFICIENCY_GROWTH = 0.34  # per year; source: Epoch AI (market_facts: chip_energy_eff)


@dataclass(frozen=True, slots=True)
class Rates:
    """Axis P: products; K: token tiers."""

    h100e: Floats  # (P,) peak dense 8-bit rate over that of an H100
    h100e_tpp: Floats  # (P,) total processing performance over that of an H100
    power_kw: Floats  # (P,) all-in at the wall, per accelerator
    tokens_per_s: Floats  # (P, K) output tokens a second per accelerator at the speed of the tier
    tier_speed: Floats  # (K,) tokens a second and user
    bandwidth: Floats  # (P,) memory bandwidth over that of an H100


@cache
def load_rates() -> Rates:
    """Return the rates of the products of the world."""
    from computemarket.model.catalogue import estimated_catalogue

    products, chips = load_world().products, estimated_catalogue().accelerators
    known = [place for place, name in enumerate(products.ids) if name in chips]
    count = len(products.ids)
    h100e, tpp, power = np.full(count, np.nan), np.full(count, np.nan), np.full(count, np.nan)
    tokens, bandwidth = np.zeros((count, len(TIERS))), np.zeros(count)
    speed, table = _market_table(tuple(products.ids[place] for place in known))
    h100e[known], tpp[known], power[known], tokens[known], bandwidth[known] = table
    for place in sorted(set(range(count)) - set(known), key=lambda p: products.launch[p]):
        _project(place, products, h100e, tpp, power, tokens, bandwidth)
    return Rates(h100e, tpp, power, tokens, speed, bandwidth)


def _market_table(ids: tuple[str, ...]) -> tuple[Floats, tuple[Floats, Floats, Floats, Floats, Floats]]:
    import tomllib

    from computemarket.model.catalogue import estimated_catalogue

    book = estimated_catalogue()
    chips = book.accelerators
    places = [chips.index(name) for name in ids]

    def of(column: str, blank: float = np.nan) -> Floats:
        values = chips.array(column)[places]
        return np.where(np.isnan(values), blank, values)

    h100e = np.array([chips[name].h100e or np.nan for name in ids])
    tpp = np.array([chips[name].h100e_tpp or (chips[name].tpp_from_rates or np.nan) / 15832.0 for name in ids])
    power = of("tdp_w", 700.0) / 1000 * 1.9
    tiers = tomllib.loads(files("computemarket.model.data").joinpath("tiers.toml").read_text("utf-8"))
    speed = np.array([tiers[name]["speed_tokens_per_s"] for name in TIERS])
    tokens = np.zeros((len(ids), len(TIERS)))
    sram_only = np.isnan(chips.array("memory_bw_gbs")[places])
    bandwidth = np.where(sram_only, of("sram_bw_gbs", 0.0), of("memory_bw_gbs", 300.0)) * 1e9 * 0.6
    memory = np.where(sram_only, of("sram_mb", 0.0) / 1000, of("memory_gb", 16.0)) * 1e9
    domain = np.maximum(of("scaleup_domain", 8.0), 8.0)
    model = book.llm_models["deepseek_v3"]
    active = (model.active_params_bn or model.total_params_bn) * 1e9
    weights = model.total_params_bn * 1e9
    n = np.maximum(np.minimum(domain, 72.0), np.ceil(weights / np.maximum(memory * 0.7, 1.0)))
    most = n * h100e * 1.979e15 * 0.35 / (2 * active) / n
    alone = 1 / (weights * 0.1 / (n * bandwidth) + 0.008)
    for k in range(len(TIERS)):
        tokens[:, k] = most / (1 + (speed[k] / (0.6 * alone)) ** 2)
    memory_bandwidth = np.where(sram_only, 3352.0, of("memory_bw_gbs", 300.0)) / 3352.0
    return speed, (h100e, tpp, power, tokens, memory_bandwidth)


def _project(place: int, products: Products, h100e: Floats, tpp: Floats, power: Floats, tokens: Floats, bandwidth: Floats) -> None:
    """Fill a product that nobody has specified from the one it replaces, by the trends of cost and energy."""
    parent = int(products.replaces[place])
    years = (products.launch[place] - products.launch[parent]) / 4
    gain = products.price_usd[place] / products.price_usd[parent] * (1 + PERFORMANCE_PER_DOLLAR_GROWTH) ** years
    h100e[place], tpp[place] = h100e[parent] * gain, tpp[parent] * gain
    power[place] = power[parent] * gain / (1 + ENERGY_EFFICIENCY_GROWTH) ** years
    tokens[place] = tokens[parent] * gain
    bandwidth[place] = bandwidth[parent] * gain
