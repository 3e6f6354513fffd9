"""Documented guesses for what the tables leave blank; every filled value carries its rule's name.

A guess compares a chip with its peers: recorded chips launched within two years of it, Chinese and
other designs apart, because export rules and process access hold the two on different paths.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from importlib.resources import files
from math import exp, log
from statistics import median
from typing import TypeVar

from computemarket.model.catalogue.loader import Catalogue, load_catalogue
from computemarket.model.catalogue.rows import Accelerator, SpecEstimate, System
from computemarket.model.catalogue.schema import columns_of
from computemarket.model.catalogue.table import Table, read_table

Guess = tuple[str, str, float]  # id, column, value
Rule = Callable[[Catalogue, Catalogue], Iterator[Guess]]  # as filled so far, as recorded
Row = TypeVar("Row")
Quantity = Callable[[Accelerator], float | None]
PEER_YEARS = 2.0
_PCIE_BY_YEAR = (
    (2012, 32.0),
    (2020, 64.0),
    (2022, 128.0),
    (2026, 256.0),
)  # x16, both directions: PCI-SIG 3 to 6
_SERVER_OF = 8  # accelerators of the usual server (HGX, OAM boards)


def stated_estimates(catalogue: Catalogue, _recorded: Catalogue) -> Iterator[Guess]:
    """Take the values of spec_estimates.csv, each with its own basis."""
    table = read_table(files("computemarket.model.data") / "spec_estimates.csv", SpecEstimate)
    for row in table:
        if row.id not in catalogue.accelerators or row.field not in columns_of(Accelerator):
            continue  # chips of measured points only, and facts of the performance core
        if getattr(catalogue.accelerators[row.id], row.field) is None:
            yield row.id, row.field, row.value


def wider_format_at_half_rate(catalogue: Catalogue, _recorded: Catalogue) -> Iterator[Guess]:
    """Give FP8 half the FP4 rate and FP16 half the 8-bit rate: twice the bits, half the rate."""
    for chip in catalogue.accelerators:
        eight = chip.fp8_tflops if chip.fp8_tflops is not None else chip.int8_tops
        if eight is None and chip.fp4_tflops is not None:
            eight = chip.fp4_tflops / 2
            yield chip.id, "fp8_tflops", eight
        if chip.fp16_tflops is None and eight is not None:
            yield chip.id, "fp16_tflops", eight / 2


def tpp_by_definition(catalogue: Catalogue, _recorded: Catalogue) -> Iterator[Guess]:
    """Compute total processing performance from the dense rates (88 FR 73458)."""
    for chip in catalogue.accelerators:
        tpp = chip.tpp_from_rates
        if chip.tpp is None and tpp is not None:
            yield chip.id, "tpp", tpp


def memory_as_peers(catalogue: Catalogue, recorded: Catalogue) -> Iterator[Guess]:
    """Take the median capacity of peers, then bandwidth from their bandwidth per gigabyte."""
    for chip in catalogue.accelerators:
        if chip.memory_type is None or "SRAM" in chip.memory_type:
            continue
        capacity_gb = chip.memory_gb
        if capacity_gb is None:
            capacity_gb = _peer_median(recorded, chip, lambda peer: peer.memory_gb)
            if capacity_gb is not None:
                yield chip.id, "memory_gb", capacity_gb
        per_gb = _peer_median(recorded, chip, lambda peer: _ratio(peer.memory_bw_gbs, peer.memory_gb))
        if chip.memory_bw_gbs is None and capacity_gb is not None and per_gb is not None:
            yield chip.id, "memory_bw_gbs", capacity_gb * per_gb


def power_from_efficiency_of_peers(catalogue: Catalogue, recorded: Catalogue) -> Iterator[Guess]:
    """Divide TPP by the median TPP per watt of peers."""
    for chip in catalogue.accelerators:
        per_watt = _peer_median(recorded, chip, lambda peer: _ratio(peer.tpp, peer.tdp_w))
        if chip.tdp_w is None and chip.tpp is not None and per_watt is not None:
            yield chip.id, "tdp_w", chip.tpp / per_watt


def scale_up_as_peers(catalogue: Catalogue, recorded: Catalogue) -> Iterator[Guess]:
    """Take the peers' median ratio of scale-up to memory bandwidth; a chip without a domain has PCIe.

    An unknown domain is one server of eight.
    """
    for chip in catalogue.accelerators:
        share = _peer_median(recorded, chip, lambda peer: _ratio(peer.scaleup_bw_gbs, peer.memory_bw_gbs))
        if chip.scaleup_bw_gbs is None and chip.scaleup_domain == 1 and chip.pcie_bw_gbs is not None:
            yield chip.id, "scaleup_bw_gbs", chip.pcie_bw_gbs
        elif chip.scaleup_bw_gbs is None and chip.memory_bw_gbs is not None and share is not None:
            yield chip.id, "scaleup_bw_gbs", chip.memory_bw_gbs * share
        if chip.scaleup_domain is None and chip.kind != "wafer":
            yield chip.id, "scaleup_domain", _SERVER_OF


def scale_out_as_peers(catalogue: Catalogue, recorded: Catalogue) -> Iterator[Guess]:
    """Take the median network rate per chip of peers."""
    for chip in catalogue.accelerators:
        rate = _peer_median(recorded, chip, lambda peer: peer.scaleout_gbps)
        if chip.scaleout_gbps is None and rate is not None:
            yield chip.id, "scaleout_gbps", rate


def pcie_of_launch_year(catalogue: Catalogue, _recorded: Catalogue) -> Iterator[Guess]:
    """Give the x16 rate, both directions, of the PCIe generation usual in the launch year."""
    for chip in catalogue.accelerators:
        if chip.pcie_bw_gbs is None and chip.launch_date is not None:
            year = int(chip.launch_date[:4])
            yield chip.id, "pcie_bw_gbs", max(rate for since, rate in _PCIE_BY_YEAR if since <= year)


def price_per_tpp_trend(catalogue: Catalogue, recorded: Catalogue) -> Iterator[Guess]:
    """Multiply TPP by a trend of price per TPP; a captive chip has no market price.

    The trend is log-linear in launch date with one slope for all recorded prices (least squares) and a
    level of its own for Chinese designs, for wafers and for the rest.
    """
    points = [
        (chip.launch_years, log(price), _price_group(chip))
        for chip in recorded.accelerators
        if chip.launch_years is not None and (price := _ratio(chip.list_or_asp_usd, chip.tpp))
    ]
    groups = {group for _, _, group in points}
    centre = {
        g: (_mean([x for x, _, k in points if k == g]), _mean([y for _, y, k in points if k == g]))
        for g in groups
    }
    spread = [(x - centre[g][0], y - centre[g][1]) for x, y, g in points]
    width = sum(x * x for x, _ in spread)
    slope = sum(x * y for x, y in spread) / width if width else 0.0
    for chip in catalogue.accelerators:
        if chip.list_or_asp_usd is not None or chip.designer_type == "hyperscaler_captive":
            continue
        if chip.tpp is not None and chip.launch_years is not None and _price_group(chip) in centre:
            middle, level = centre[_price_group(chip)]
            yield chip.id, "list_or_asp_usd", chip.tpp * exp(level + slope * (chip.launch_years - middle))


CHIP_RULES: tuple[Rule, ...] = (
    stated_estimates,
    wider_format_at_half_rate,
    tpp_by_definition,
    memory_as_peers,
    power_from_efficiency_of_peers,
    pcie_of_launch_year,
    scale_up_as_peers,
    scale_out_as_peers,
    price_per_tpp_trend,
)


def system_power_from_chips(catalogue: Catalogue, recorded: Catalogue) -> Iterator[Guess]:
    """Multiply the chips' power by the median overhead of the recorded systems."""
    yield from _system_guesses(catalogue, recorded, "system_power_kw", "tdp_w", 1e-3)


def system_price_from_chips(catalogue: Catalogue, recorded: Catalogue) -> Iterator[Guess]:
    """Multiply the chips' price by the median content multiplier of the recorded systems."""
    yield from _system_guesses(catalogue, recorded, "system_price_usd", "list_or_asp_usd", 1.0)


SYSTEM_RULES: tuple[Rule, ...] = (system_power_from_chips, system_price_from_chips)


def fill_estimates(catalogue: Catalogue) -> Catalogue:
    """Return the catalogue with blanks filled where a rule can; recorded values never change.

    Rules run in the order of ``CHIP_RULES`` and ``SYSTEM_RULES``, each on what the ones before it left;
    peers are always recorded values. ``table.estimated`` maps (id, column) to the rule's name.
    """
    recorded = catalogue
    for rule in CHIP_RULES:
        guesses = rule(catalogue, recorded)
        catalogue = replace(catalogue, accelerators=_filled(catalogue.accelerators, guesses, rule))
    for rule in SYSTEM_RULES:
        guesses = rule(catalogue, recorded)
        catalogue = replace(catalogue, systems=_filled(catalogue.systems, guesses, rule))
    return catalogue


@cache
def estimated_catalogue() -> Catalogue:
    """Return the shipped catalogue with its estimates filled in."""
    return fill_estimates(load_catalogue())


def _filled(table: Table[Row], guesses: Iterator[Guess], rule: Rule) -> Table[Row]:
    values = {(row_id, column): value for row_id, column, value in guesses}
    return table.filled(values, dict.fromkeys(values, rule.__name__))


def _peer_median(recorded: Catalogue, chip: Accelerator, quantity: Quantity) -> float | None:
    """Return the median of a quantity over the recorded peers of a chip, None without any."""
    if chip.launch_years is None:
        return None
    values = [
        value
        for peer in recorded.accelerators
        if peer.id != chip.id
        and peer.launch_years is not None
        and abs(peer.launch_years - chip.launch_years) <= PEER_YEARS
        and (peer.designer_type == "china_domestic") == (chip.designer_type == "china_domestic")
        and (value := quantity(peer)) is not None
    ]
    return median(values) if values else None


def _price_group(chip: Accelerator) -> str:
    return "wafer" if chip.kind == "wafer" else "china" if chip.designer_type == "china_domestic" else "other"


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


def _ratio(numerator: float | None, denominator: float | None) -> float | None:
    return None if numerator is None or not denominator else numerator / denominator


def _system_guesses(
    catalogue: Catalogue, recorded: Catalogue, column: str, chip_column: str, unit: float
) -> Iterator[Guess]:
    ratios = (
        _ratio(getattr(system, column), _chip_total(recorded, system, chip_column, unit))
        for system in recorded.systems
    )
    known = [ratio for ratio in ratios if ratio is not None]
    for system in catalogue.systems:
        total = _chip_total(catalogue, system, chip_column, unit)
        if getattr(system, column) is None and total is not None and known:
            yield system.id, column, total * median(known)


def _chip_total(catalogue: Catalogue, system: System, column: str, unit: float) -> float | None:
    """Return the sum of a column over the chips of a system of one kind of chip."""
    if len(system.accelerator_ids) != 1 or system.n_accelerators is None:
        return None
    value = getattr(catalogue.accelerators[system.accelerator_ids[0]], column)
    return None if value is None else unit * value * system.n_accelerators
