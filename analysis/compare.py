"""Policies compared run by run, with the same draws: a difference is the policy and not the dice."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from computemarket.analysis.measures import BAND
from computemarket.model.arrays import Floats
from computemarket.model.calendar import QUARTERS, QUARTERS_PER_YEAR
from computemarket.model.recorder import Recorder
from computemarket.scenarios.ensemble import chunks, simulate_chunk
from computemarket.scenarios.schema import Scenario

if TYPE_CHECKING:
    import pandas as pd

THIRD_COUNTRIES = ("gulf", "my_sg", "india", "jp_kr_tw", "eu_uk", "tier2", "tier3")
SOURCES = ("legal", "variant", "domestic", "offshore_owned", "smuggled")
BILLION, THOUSAND = 1e9, 1e3


@dataclass(frozen=True)
class Line:
    """One number of a year: which series of which variable, how quarters make up the year, and its unit."""

    name: str
    variable: str
    unit: str
    how: str = "sum"  # sum of flows, mean of rates, end of stocks
    entity: str = ""
    region: str = ""
    detail: str = ""
    scale: float = 1.0


def _lines() -> tuple[Line, ...]:
    owned, hosted = "compute_added_owned_h100e", "compute_added_hosted_h100e"
    lines = [
        Line("US compute added, owned", owned, "k H100e", region="us", scale=THOUSAND),
        Line("China compute added, owned", owned, "k H100e", region="china", scale=THOUSAND),
        Line("China compute added, hosted", hosted, "k H100e", region="china", scale=THOUSAND),
        Line("world compute added", owned, "k H100e", scale=THOUSAND),
        Line("US stock, owned", "compute_stock_owned_h100e", "k H100e", "end", region="us", scale=THOUSAND),
        Line("China stock, owned", "compute_stock_owned_h100e", "k H100e", "end", region="china", scale=THOUSAND),
        Line("China stock, hosted", "compute_stock_h100e", "k H100e", "end", region="china", scale=THOUSAND),
        Line("China stock, used", "compute_stock_used_h100e", "k H100e", "end", region="china", scale=THOUSAND),
        Line("world stock", "compute_stock_owned_h100e", "k H100e", "end", scale=THOUSAND),
        Line("China rented abroad", "china_remote_stock_h100e", "k H100e work", "end", scale=THOUSAND),
        Line("price of compute in China over the world's, less one", "china_premium", "share", "mean"),
        Line("token price in China, high tier", "token_price_usd_per_mtok", "USD/Mtok", "end", region="china",
             detail="high"),
        Line("smuggled units", "smuggled_units", "k units", scale=THOUSAND),
        Line("Huawei units", "accelerator_units", "k units", entity="huawei", scale=THOUSAND),
        Line("Nvidia units in China", "accelerator_units", "k units", entity="nvidia", region="china", scale=THOUSAND),
        Line("accelerator units in China", "accelerator_units", "k units", region="china", scale=THOUSAND),
        Line("sales of accelerators, china", "accelerator_revenue_usd", "bn USD", region="china", scale=BILLION),
        Line("Nvidia revenue", "data_center_revenue_usd", "bn USD", entity="nvidia", scale=BILLION),
        Line("AMD revenue", "data_center_revenue_usd", "bn USD", entity="amd", scale=BILLION),
        Line("Huawei revenue", "data_center_revenue_usd", "bn USD", entity="huawei", scale=BILLION),
        Line("Cambricon revenue", "data_center_revenue_usd", "bn USD", entity="cambricon", scale=BILLION),
        Line("other Chinese revenue", "data_center_revenue_usd", "bn USD", entity="china_other", scale=BILLION),
        Line("Nvidia research", "vendor_research_usd", "bn USD", entity="nvidia", scale=BILLION),
        Line("charge on stopped products", "export_charge_usd", "bn USD", scale=BILLION),
        Line("licence fees", "export_fees_usd", "bn USD", scale=BILLION),
        Line("fines on smugglers", "smuggling_fines_usd", "bn USD", scale=BILLION),
        Line("detection of a shipment", "detection_probability", "share", "mean"),
        Line("seizures per million of budget", "seizures_usd_per_million", "USD", "mean"),
        Line("licence delay", "licence_delay_quarters", "quarters", "mean"),
    ]  # fmt: skip
    for unit, text in (("h100e", "k H100e"), ("h100e_tpp", "k H100e by TPP")):
        kind = " (TPP)" if unit.endswith("tpp") else ""
        lines += [
            Line(
                f"China added, {source}{kind}",
                f"china_compute_added_{unit}",
                text,
                detail=source,
                scale=THOUSAND,
            )
            for source in SOURCES
        ]
    for country in THIRD_COUNTRIES:
        lines.append(Line(f"sales of accelerators, {country}", "accelerator_revenue_usd", "bn USD", region=country,
                          scale=BILLION))  # fmt: skip
        lines.append(
            Line(f"diverted through {country}", "diverted_units", "k units", region=country, scale=THOUSAND)
        )
    return tuple(lines)


LINES = _lines()
VARIABLES = frozenset(line.variable for line in LINES)
RATIOS = (  # name, numerator, denominator
    ("US/China compute added, owned", "US compute added, owned", "China compute added, owned"),
    ("US/China stock, owned", "US stock, owned", "China stock, owned"),
    ("China's share of stock, owned", "China stock, owned", "world stock"),
    ("China's share of stock, hosted", "China stock, hosted", "world stock"),
)


@dataclass(frozen=True)
class Outcome:
    """The yearly numbers of a scenario: name -> (R, years), with units; and stocks by quarter for the lag."""

    scenario: str
    years: tuple[str, ...]
    values: Mapping[str, Floats]
    units: Mapping[str, str]
    stock_us: Floats  # (R, T) owned H100e
    stock_china: Floats


def simulate_outcome(scenario: Scenario, runs: int, progress: Callable[[int], None] | None = None) -> Outcome:
    """Simulate a scenario for runs 0..runs-1 and return its yearly numbers."""
    parts: list[tuple[dict[str, Floats], Floats, Floats]] = []
    for numbers in chunks(runs):
        parts.append(_read(simulate_chunk(scenario, numbers, VARIABLES)))
        if progress is not None:
            progress(len(numbers))
    values = {name: np.concatenate([part[0][name] for part in parts]) for name in parts[0][0]}
    units = {line.name: line.unit for line in LINES} | {name: "ratio" for name, _, _ in RATIOS}
    us, china = (np.concatenate([part[place] for part in parts]) for place in (1, 2))
    lag = lag_quarters(us, china)
    values["China's lag behind the US stock"] = yearly(lag, "end")
    units["China's lag behind the US stock"] = "quarters"
    years = tuple(sorted({quarter[:4] for quarter in QUARTERS[: scenario.quarters]}))
    return Outcome(scenario.name, years, values, units, us, china)


def _read(recorder: Recorder) -> tuple[dict[str, Floats], Floats, Floats]:
    values = {line.name: yearly(_series(recorder, line), line.how) for line in LINES}
    for name, above, below in RATIOS:
        values[name] = values[above] / np.maximum(values[below], 1e-9)
    stocks = {
        line.name: _series(recorder, line)
        for line in LINES
        if line.name in ("US stock, owned", "China stock, owned")
    }
    return values, stocks["US stock, owned"], stocks["China stock, owned"]


def _series(recorder: Recorder, line: Line) -> Floats:
    """Return (R, T) the sum over the series that a line asks for."""
    kept = recorder.series[line.variable]
    labels = zip(kept.entity, kept.region, kept.detail, strict=True)
    asked = (line.entity, line.region, line.detail)
    chosen = [
        all(not want or want == have for want, have in zip(asked, label, strict=True)) for label in labels
    ]
    values = np.compress(chosen, recorder.array(line.variable), axis=2)
    return np.nan_to_num(values).sum(axis=2) / line.scale


def yearly(series: Floats, how: str) -> Floats:
    """Return (R, years) of (R, T): sums of flows, means of rates, last values of stocks; a started year counts."""
    edges = range(0, series.shape[1], QUARTERS_PER_YEAR)
    parts = [series[:, start : start + QUARTERS_PER_YEAR] for start in edges]
    reduce: Mapping[str, Callable[[Floats], Floats]] = {
        "sum": lambda part: part.sum(axis=1),
        "mean": lambda part: part.mean(axis=1),
        "end": lambda part: part[:, -1],
    }
    return np.stack([reduce[how](part) for part in parts], axis=1)


def lag_quarters(ahead: Floats, behind: Floats) -> Floats:
    """Return (R, T) how many quarters ago the leader stood where the follower stands; at most since the start.

    Between quarters the leader's stock is taken as a straight line; 0 where the follower is ahead.
    """
    runs, quarters = ahead.shape
    lag = np.zeros((runs, quarters))
    for run in range(runs):
        path = np.maximum.accumulate(ahead[run])
        when = np.interp(behind[run], path, np.arange(quarters, dtype=np.float64))
        lag[run] = np.maximum(np.arange(quarters) - when, 0.0)
    return lag


def differences(base: Outcome, others: Sequence[Outcome]) -> "pd.DataFrame":
    """Return one row by scenario, measure and year: median and band of level, and of the paired difference."""
    import pandas as pd

    rows = []
    for outcome in (base, *others):
        for name, values in outcome.values.items():
            gap = values - base.values[name]
            for place, year in enumerate(outcome.years):
                level, change = _band(values[:, place]), _band(gap[:, place])
                rows.append((outcome.scenario, name, outcome.units[name], int(year), *level, *change))
    columns = (
        "scenario",
        "measure",
        "unit",
        "year",
        "median",
        "p10",
        "p90",
        "change",
        "change_p10",
        "change_p90",
    )
    return pd.DataFrame(rows, columns=list(columns))


def _band(values: Floats) -> tuple[float, float, float]:
    low, middle, high = np.percentile(values, (BAND[0], 50.0, BAND[1]))
    return float(middle), float(low), float(high)


def waterfall(base: Outcome, policy: Outcome, first_year: str) -> dict[str, Floats]:
    """Return by source the (R,) H100e (thousands) that took the place of legal compute blocked since a year.

    Blocked is what firms of China buy less of imports, of variants made for them, or abroad. What of these they buy
    more of takes its place, as does what is smuggled, rented (change of the stock) or made at home; `never` is the
    rest.
    """
    start = base.years.index(first_year)

    def change(name: str) -> Floats:
        gap = policy.values[name] - base.values[name]
        return np.ascontiguousarray(gap[:, start:]).sum(axis=1)

    bought = {name: change(f"China added, {name}") for name in ("legal", "variant", "offshore_owned")}
    rented = policy.values["China rented abroad"] - base.values["China rented abroad"]
    blocked = sum((np.maximum(-gap, 0.0) for gap in bought.values()), np.zeros(len(rented)))
    found = {
        "blocked": blocked,
        "other imports": np.maximum(bought["legal"], 0.0) + np.maximum(bought["offshore_owned"], 0.0),
        "compliant variants": np.maximum(bought["variant"], 0.0),
        "smuggled": change("China added, smuggled"),
        "remote": np.ascontiguousarray(rented[:, -1]),
        "domestic": change("China added, domestic"),
    }
    found["never"] = blocked - sum(found[name] for name in list(found)[1:])
    return found
