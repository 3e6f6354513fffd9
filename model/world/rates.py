"""What the market knows of the hardware: work, power and tokens of every product, from the performance core."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from computemarket.model.core.arrays import Bools, Floats
from computemarket.model.core.calendar import QUARTERS
from computemarket.model.world.world import H100_TPP, Products, load_world

PERFORMANCE_PER_DOLLAR_GROWTH = 0.49  # per year; source: Epoch AI (market_facts: chip_perf_per_dollar)
ENERGY_EFFICIENCY_GROWTH = 0.34  # per year; source: Epoch AI (market_facts: chip_energy_eff)
H100_BANDWIDTH_GBS = 3352.0  # source: NVIDIA H100 data sheet


@dataclass(frozen=True, slots=True)
class Rates:
    """Axis P: products; K: token tiers; T: quarters."""

    h100e: Floats  # (P,) peak dense 8-bit rate over that of an H100
    h100e_tpp: Floats  # (P,) total processing performance over that of an H100
    power_kw: Floats  # (P,) all-in at the meter of the site, per accelerator
    tokens_per_s: (
        Floats  # (P, K) output tokens a second per accelerator at the speed of the tier, always positive
    )
    tier_speed: Floats  # (K,) tokens a second and user
    bandwidth: Floats  # (P,) memory bandwidth over that of an H100
    maturity: (
        Floats  # (P, T) software factor on tokens_per_s by age (M11), 1 at the age of the measured points
    )
    given: tuple[tuple[str, float], ...] = ()  # parameters of the hardware that replaced their defaults

    def renewed(self, new: "Rates", which: Bools) -> "Rates":
        """Return these rates with power, tokens and maturity of some (P,) products taken from others."""
        rows = which[:, None]
        return replace(
            self,
            power_kw=np.where(which, new.power_kw, self.power_kw),
            tokens_per_s=np.where(rows, new.tokens_per_s, self.tokens_per_s),
            maturity=np.where(rows, new.maturity, self.maturity),
            given=new.given,
        )


def load_rates(given: Mapping[str, float] | None = None) -> Rates:
    """Return the rates of the products of the world; `given` parameters of the hardware replace their defaults."""
    from computemarket.model.hardware.specs.defaults import parameters_given

    with parameters_given(given or {}):
        return _rates(tuple(sorted((given or {}).items())))


@lru_cache(maxsize=64)
def _rates(given: tuple[tuple[str, float], ...]) -> Rates:
    from computemarket.model.hardware.economics.market_table import build_market_table
    from computemarket.model.hardware.economics.site import site_figures
    from computemarket.model.hardware.specs.chips import chip_table

    products = load_world().products
    known = [place for place, name in enumerate(products.ids) if name in chip_table().ids]
    ids = tuple(products.ids[place] for place in known)
    table = build_market_table(ids)
    count, tiers = len(products.ids), len(table.speed)
    h100e, tpp, power, bandwidth = (np.full(count, np.nan) for _ in range(4))
    tokens = np.full((count, tiers), np.nan)
    h100e[known], tpp[known], bandwidth[known] = _specifications(ids)
    power[known], tokens[known] = site_figures(ids).power_kw, table.tokens_per_s
    for place in sorted(set(range(count)) - set(known), key=lambda p: products.launch[p]):
        _project(place, products, h100e, tpp, power, tokens, bandwidth)
    return Rates(h100e, tpp, power, tokens, table.speed, bandwidth, _maturity(products), given)


def _specifications(ids: tuple[str, ...]) -> tuple[Floats, Floats, Floats]:
    from computemarket.model.catalogue import estimated_catalogue

    chips = estimated_catalogue().accelerators
    h100e = np.array([chips[name].h100e or np.nan for name in ids])
    tpp = np.array(
        [chips[name].h100e_tpp or (chips[name].tpp_from_rates or np.nan) / H100_TPP for name in ids]
    )
    bandwidth = chips.array("memory_bw_gbs")[[chips.index(name) for name in ids]]
    # Machines without memory beside the die count as an H100: their bandwidth on the die is of another kind.
    return h100e, tpp, np.where(np.isnan(bandwidth), 1.0, bandwidth / H100_BANDWIDTH_GBS)


def _maturity(products: Products) -> Floats:
    """Return (P, T) software maturity; LPUs sold as part of a system also wait for the joint software (M2)."""
    from computemarket.model.hardware.economics.market_table import load_basket
    from computemarket.model.hardware.performance.hybrid import integration_maturity
    from computemarket.model.hardware.specs.defaults import parameter_default
    from computemarket.model.hardware.specs.maturity import maturity_table

    own = maturity_table(
        products.launch,
        len(QUARTERS),
        parameter_default("software_gain"),
        parameter_default("software_gap_rate"),
        parameter_default("software_reference_age"),
    )
    age = np.arange(len(QUARTERS), dtype=np.float64) - products.launch[:, None]
    joint = integration_maturity(
        age, parameter_default("integration_start"), parameter_default("integration_per_quarter")
    )
    paired = np.array([name in load_basket().paired for name in products.ids])
    return own * np.where(paired[:, None], joint, 1.0)


def _project(
    place: int,
    products: Products,
    h100e: Floats,
    tpp: Floats,
    power: Floats,
    tokens: Floats,
    bandwidth: Floats,
) -> None:
    """Fill a product that nobody has specified from the one it replaces, by the trends of cost and energy."""
    parent = int(products.replaces[place])
    years = (products.launch[place] - products.launch[parent]) / 4
    gain = (
        products.price_usd[place] / products.price_usd[parent] * (1 + PERFORMANCE_PER_DOLLAR_GROWTH) ** years
    )
    h100e[place], tpp[place] = h100e[parent] * gain, tpp[parent] * gain
    power[place] = power[parent] * gain / (1 + ENERGY_EFFICIENCY_GROWTH) ** years
    tokens[place] = tokens[parent] * gain
    bandwidth[place] = bandwidth[parent] * gain
