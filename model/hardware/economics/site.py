"""What an accelerator draws at the meter and costs with its share of server, rack and network."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np

from computemarket.errors import InputError
from computemarket.model.catalogue.estimates import estimated_catalogue
from computemarket.model.core.arrays import Bools, Floats
from computemarket.model.hardware.specs.defaults import cached_as_given, parameter_default

_RACK_DOMAIN = (
    32  # from this scale-up size on an accelerator lives in a rack or pod, not in an eight-way server
)
_SMALL_CARD_KW = 0.5  # below it host and fans scale with the card


@dataclass(frozen=True, slots=True)
class Site:
    """Accelerators in the order asked for, arrays of shape (P,)."""

    ids: tuple[str, ...]
    power_kw: Floats  # all-in, at the meter of the site
    it_power_kw: Floats  # share of the rated power of server or rack
    price_usd: Floats  # accelerator alone, NaN where unknown
    system_price_usd: Floats  # with its share of server, rack and network, NaN where unknown
    launch_years: Floats
    estimated: Bools  # power or price rests on a documented guess


@dataclass(frozen=True, slots=True)
class Anchor:
    """A published all-in power and owner's cost of one accelerator."""

    power_kw: float
    usd_per_hour: float


@cache
def published_anchors() -> dict[str, Anchor]:
    """Return the published all-in kW and USD per accelerator-hour by accelerator."""
    text = files("computemarket.model.data").joinpath("tco_anchors.csv").read_text("utf-8")
    return {
        row["id"]: Anchor(float(row["all_in_kw"]), float(row["usd_per_accel_hour"]))
        for row in csv.DictReader(text.splitlines())
    }


def site_figures(ids: Sequence[str]) -> Site:
    """Return power and prices of accelerators.

    All-in power is the published constant, else the rated power of the system times a site factor, else a line
    through TDP. The system price is the recorded one, else the accelerator's price times a content multiplier.

    Raises
    ------
    InputError
        If an id is not in the catalogue.
    """
    return _site(tuple(ids))


@cached_as_given
def _site(ids: tuple[str, ...]) -> Site:
    book = estimated_catalogue()
    chips = [book.accelerators[name] for name in ids]
    tdp = np.array([(chip.tdp_w or np.nan) / 1000 for chip in chips])
    domain = np.array([float(chip.scaleup_domain or 8) for chip in chips])
    wafer = np.array([chip.kind == "wafer" for chip in chips])
    rated = np.array([_systems().get(name, (0.0, 0.0))[0] for name in ids])
    power, it_power = _power(ids, tdp, domain, wafer, rated)
    price = np.array([chip.list_or_asp_usd or np.nan for chip in chips])
    if np.isnan(power).any():
        raise InputError("accelerator", ids[int(np.isnan(power).argmax())], "a chip with known power")
    guessed = book.accelerators.estimated
    return Site(
        ids=ids,
        power_kw=power,
        it_power_kw=it_power,
        price_usd=price,
        system_price_usd=_system_price(ids, price),
        launch_years=np.array([np.nan if chip.launch_years is None else chip.launch_years for chip in chips]),
        estimated=np.array(
            [bool({(name, "tdp_w"), (name, "list_or_asp_usd")} & set(guessed)) for name in ids]
        ),
    )


@cached_as_given
def _systems() -> dict[str, tuple[float, float]]:
    """Power (kW) and price (USD) per accelerator of the systems that hold a single kind; the first named counts."""
    found: dict[str, tuple[float, float]] = {}
    for system in estimated_catalogue().systems:
        if ";" in system.accelerator_id or not system.n_accelerators:
            continue
        power, price = (system.system_power_kw or 0.0), (system.system_price_usd or 0.0)
        if system.id == "groq3_lpx_rack":  # neither is published
            power, price = parameter_default("lpx_rack_power"), parameter_default("lpx_rack_price")
        found.setdefault(
            system.accelerator_id, (power / system.n_accelerators, price / system.n_accelerators)
        )
    return found


def _power(
    ids: tuple[str, ...], tdp: Floats, domain: Floats, wafer: Bools, rated: Floats
) -> tuple[Floats, Floats]:
    """Return all-in and IT power: published constant, rated system, or line through TDP."""
    anchors = published_anchors()
    anchor = np.array([anchors[name].power_kw if name in anchors else 0.0 for name in ids])
    factor = parameter_default("system_power_factor")
    server = parameter_default("server_power_base") + parameter_default("server_power_slope") * tdp
    server = np.where(tdp < _SMALL_CARD_KW, parameter_default("card_power_factor") * tdp, server)
    rack = parameter_default("rack_power_factor") * tdp
    # The catalogue's power of a wafer is that of its whole system.
    by_tdp = np.where(wafer, factor * tdp, np.where(domain >= _RACK_DOMAIN, rack, server))
    all_in = np.where(anchor > 0, anchor, np.where(rated > 0, rated * factor, by_tdp))
    return all_in, np.where(rated > 0, rated, all_in / factor)


def _system_price(ids: tuple[str, ...], price: Floats) -> Floats:
    """Return the known system price where it covers more than the accelerator, else price times content."""
    known = np.array([_systems().get(name, (0.0, 0.0))[1] for name in ids])
    return np.where(known >= price, known, price * parameter_default("content_multiplier"))
