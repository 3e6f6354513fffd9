"""What an accelerator-hour and a million tokens cost (M6).

Two views side by side. The plain total cost of ownership, (CapEx + OpEx x Time)/Tokens, counts every dollar as
one dollar. The levelised cost of tokens discounts: capital becomes a yearly payment by the capital recovery
factor (Short, Packey and Holt 1995, "A Manual for the Economic Evaluation of Energy Efficiency and Renewable
Energy Technologies"), as for the levelised cost of electricity.
"""

from dataclasses import dataclass

import numpy as np

from computemarket.model.core.arrays import Floats
from computemarket.model.hardware.specs.defaults import default_of

HOURS_PER_YEAR = 8766.0
_SECONDS_PER_HOUR = 3600.0
_MILLION = 1e6


def capital_recovery_factor(rate: Floats | float, life_years: Floats | float) -> Floats:
    """Return the yearly payment per unit of capital, ``i (1+i)^n / ((1+i)^n - 1)``; 1/n at rate 0.

    Parameters
    ----------
    rate : i, 1/year
    life_years : n
    """
    i, n = np.asarray(rate, dtype=np.float64), np.asarray(life_years, dtype=np.float64)
    safe = np.where(i > 0, i, 1.0)
    return np.where(i > 0, safe / -np.expm1(-n * np.log1p(safe)), 1.0 / n)


def plain_token_cost(
    capex_usd: Floats | float, opex_usd_per_h: Floats | float, time_h: Floats | float, tokens: Floats | float
) -> Floats:
    """Return the plain total cost of ownership, ``(CapEx + OpEx Time)/Tokens``, USD per token.

    Raises
    ------
    ZeroDivisionError
        Never: no token served costs infinity.
    """
    spent = np.asarray(capex_usd + np.asarray(opex_usd_per_h) * time_h, dtype=np.float64)
    served = np.asarray(tokens, dtype=np.float64)
    return np.where(served > 0, spent / np.where(served > 0, served, 1.0), np.inf)


def levelised_token_cost(
    capex_usd: Floats | float,
    recovery_factor: Floats | float,
    fixed_usd_per_year: Floats | float,
    energy_usd_per_year: Floats | float,
    tokens_per_year: Floats | float,
) -> Floats:
    """Return the levelised cost of tokens, ``(CapEx CRF + fixed + energy)/(tokens a year)``, USD per token."""
    yearly = np.asarray(np.asarray(capex_usd) * recovery_factor + fixed_usd_per_year + energy_usd_per_year)
    served = np.asarray(tokens_per_year, dtype=np.float64)
    return np.where(served > 0, yearly / np.where(served > 0, served, 1.0), np.inf)


@dataclass(frozen=True, slots=True)
class Terms:
    """Terms of finance, site and operation; arrays that broadcast with the accelerators."""

    discount_rate: Floats | float  # 1/year
    accelerator_life: Floats | float  # years
    shell_life: Floats | float  # years
    shell_cost: Floats | float  # USD per MW of IT load
    pue: Floats | float
    electricity_price: Floats | float  # USD/MWh
    other_opex_share: Floats | float  # of system cost a year


def default_terms() -> Terms:
    """Return the terms at the parameters' defaults, those that the market's operators face."""
    return Terms(
        discount_rate=default_of("capex.discount_rate"),
        accelerator_life=default_of("chips.life_years"),
        shell_life=default_of("hardware.shell_life"),
        shell_cost=default_of("capex.shell_usd_per_mw"),
        pue=default_of("hardware.pue"),
        electricity_price=default_of("power.price_usd_per_mwh"),
        other_opex_share=default_of("hardware.other_opex_share"),
    )


@dataclass(frozen=True, slots=True)
class HourCost:
    """Cost of one accelerator-hour of the clock, whether used or not, USD."""

    capital: Floats  # the system
    shell: Floats  # building, power and cooling
    energy: Floats
    other: Floats  # staff, maintenance, insurance

    @property
    def total(self) -> Floats:
        """Return the sum."""
        return np.asarray(self.capital + self.shell + self.energy + self.other)


def accelerator_hour_cost(system_price_usd: Floats, all_in_kw: Floats, terms: Terms) -> HourCost:
    """Return the levelised cost of an accelerator-hour by part.

    Parameters
    ----------
    system_price_usd : accelerator with its share of server, rack and network
    all_in_kw : power at the meter, cooling included; the IT load is its PUE-th part
    """
    system = np.asarray(system_price_usd, dtype=np.float64)
    power = np.asarray(all_in_kw, dtype=np.float64)
    recovery = capital_recovery_factor(terms.discount_rate, terms.accelerator_life)
    shell_usd = terms.shell_cost * power / terms.pue / 1000.0
    return HourCost(
        capital=system * recovery / HOURS_PER_YEAR,
        shell=shell_usd * capital_recovery_factor(terms.discount_rate, terms.shell_life) / HOURS_PER_YEAR,
        energy=power / 1000.0 * np.asarray(terms.electricity_price),
        other=system * terms.other_opex_share / HOURS_PER_YEAR,
    )


def plain_hour_cost(system_price_usd: Floats, all_in_kw: Floats, terms: Terms) -> HourCost:
    """Return the undiscounted cost of an accelerator-hour by part: capital spread evenly over its life."""
    return accelerator_hour_cost(
        system_price_usd,
        all_in_kw,
        Terms(0.0, terms.accelerator_life, terms.shell_life, terms.shell_cost, terms.pue,
              terms.electricity_price, terms.other_opex_share),
    )  # fmt: skip


def usd_per_mtok(usd_per_h: Floats, tokens_per_s: Floats, utilisation: Floats | float = 1.0) -> Floats:
    """Return the cost per million tokens of an accelerator busy for a share of the clock; inf without tokens."""
    served = np.asarray(tokens_per_s) * utilisation * _SECONDS_PER_HOUR / _MILLION
    hour = np.broadcast_to(
        np.asarray(usd_per_h, dtype=np.float64), np.broadcast_shapes(np.shape(usd_per_h), served.shape)
    )
    return np.where(served > 0, hour / np.where(served > 0, served, 1.0), np.inf)


def own_design_price(h100e: Floats, memory_gb: Floats, years_since_h100: Floats) -> Floats:
    """Return what an operator pays for a chip of its own design where no figure is public, USD.

    A share of the merchant price of equal performance, which is that of an H100 falling with the growth of
    performance per dollar; never below the cost of the memory. All numbers are parameters of the area.
    """
    growth = 1.0 + default_of("hardware.price_performance_growth")
    merchant = default_of("hardware.price_per_h100e") * h100e * growth**-years_since_h100
    floor = default_of("hardware.price_floor_memory") * memory_gb
    return np.asarray(np.maximum(merchant * default_of("hardware.price_share_own_design"), floor))
