"""Statistics of the stylised facts that are more than one measure: shapes, falls and switches, run by run."""

import csv
from collections.abc import Callable
from functools import cache
from importlib.resources import files

import numpy as np

from computemarket.analysis.results.measures import measure, places_of, ratio
from computemarket.analysis.results.series import NotSimulatedError, Panels
from computemarket.model.core.arrays import Floats

Statistic = Callable[[Panels], Floats]
H100_TFLOPS = 1979.0  # peak dense 8-bit rate; the unit of _h100e
SUPPLY_CONSTRAINTS = ("packaging", "memory", "wafers", "power")
TAKE_OFF = ("2023Q1", "2023Q3")
# The quarter in which a rule took hold, and the window of three quarters before it.
# source: BIS rules of October 2022 (A100, H100), October 2023 (A800, H800) and April 2025 (H20)
RULES = (("2022Q4", "2022Q1", "2022Q3"), ("2023Q4", "2023Q1", "2023Q3"), ("2025Q2", "2024Q3", "2025Q1"))
RECOVERIES = (("2022Q4", "2023Q1", "2023Q2"), ("2023Q4", "2024Q1", "2024Q2"))
PEAKS = (("2022Q1", "2022Q3"), ("2023Q1", "2023Q3"), ("2024Q1", "2025Q1"))
FIXED_CAPABILITY = ("2023Q1", "2025Q2")
# A generation, the products that stand for it and the year in which most of it was sold. source: chip_asp
GENERATIONS = (
    (("nvidia_a100_80gb_sxm", "nvidia_a100_40gb_sxm"), "2022"),
    (("nvidia_h100_sxm",), "2024"),
    (("nvidia_gb200", "nvidia_gb300"), "2025"),
)


def take_off(panels: Panels) -> Floats:
    """Return the largest quarterly growth of Nvidia's data-centre revenue in 2023Q1 to Q3, per cent, (R,)."""
    revenue = measure("nvidia_data_center_revenue").series(panels)
    window = _window(panels, *TAKE_OFF)
    if window.start == 0:
        raise NotSimulatedError(f"the quarter before {TAKE_OFF[0]}")
    now, before = revenue[:, window], revenue[:, window.start - 1 : window.stop - 1]
    return 100.0 * (_largest(ratio(now, before)) - 1.0)


def export_stop(panels: Panels) -> Floats:
    """Return China's share of Nvidia's revenue when a rule takes hold over the peak before it, (R, 3)."""
    share = measure("nvidia_china_share").series(panels)
    return np.stack(
        [
            ratio(_one(panels, share, rule), _largest(share[:, _window(panels, first, last)]))
            for rule, first, last in RULES
        ],
        axis=1,
    )


def export_recovery(panels: Panels) -> Floats:
    """Return that share in the better of the two quarters after a rule over the rule's own, (R, 2)."""
    share = measure("nvidia_china_share").series(panels)
    return np.stack(
        [
            ratio(_largest(share[:, _window(panels, first, last)]), _one(panels, share, rule))
            for rule, first, last in RECOVERIES
        ],
        axis=1,
    )


def export_peak(panels: Panels) -> Floats:
    """Return the peak of that share between two rules over the peak before, (R, 2)."""
    share = measure("nvidia_china_share").series(panels)
    peaks = [_largest(share[:, _window(panels, first, last)]) for first, last in PEAKS]
    return np.stack([ratio(peaks[1], peaks[0]), ratio(peaks[2], peaks[1])], axis=1)


def lead_time_peak(panels: Panels) -> Floats:
    """Return the longest lead time of 2023, weeks, (R,)."""
    return _largest(measure("lead_time").series(panels)[:, _window(panels, "2023Q1", "2023Q4")])


def lead_time_fall(panels: Panels) -> Floats:
    """Return the fall from the longest lead time of 2023 to the shortest of four quarters on, per cent."""
    lead = measure("lead_time").series(panels)
    window = _window(panels, "2023Q1", "2023Q4")
    _window(panels, "2024Q1", "2024Q4")
    peak = window.start + np.argmax(np.nan_to_num(lead[:, window], nan=-np.inf), axis=1)
    after = np.take_along_axis(lead, peak[:, None] + np.arange(1, 5), axis=1)
    return 100.0 * (1.0 - ratio(after.min(axis=1), np.take_along_axis(lead, peak[:, None], axis=1)[:, 0]))


def constraint_switches(panels: Panels) -> Floats:
    """Return how often the supply constraint that binds most changes between 2023, 2024 and 2025, (R,).

    Years in which none binds are passed over.
    """
    years = ("2023", "2024", "2025")
    shares = np.stack(
        [
            np.stack([measure(f"bound_by_{name}").at(panels, year) for year in years])
            for name in SUPPLY_CONSTRAINTS
        ]
    )  # (constraint, year, R)
    binding = np.where(shares.max(axis=0) > 0.0, shares.argmax(axis=0), -1)
    switches = np.zeros(binding.shape[1])
    last = binding[0]
    for now in binding[1:]:
        switches += (now >= 0) & (last >= 0) & (now != last)
        last = np.where(now >= 0, now, last)
    return switches


def generation_cost(panels: Panels) -> Floats:
    """Return the price per H100e of A100, H100 and GB200/GB300 in their main years, k USD, (R, 3)."""
    costs = []
    for products, year in GENERATIONS:
        places = places_of(year, panels.quarters)
        costs.append(
            _mean(
                [
                    _mean_over(panels.level("accelerator_price_usd", detail=name, positive=True)[:, places])
                    / h100e_per_chip(name)
                    for name in _sold(panels, products)
                ]
            )
        )
    return np.stack(costs, axis=1) / 1e3


def generation_cost_change(panels: Panels) -> Floats:
    """Return the change of the price per H100e from one generation to the next, per cent, (R, 2)."""
    cost = generation_cost(panels)
    return 100.0 * (ratio(cost[:, 1:], cost[:, :-1]) - 1.0)


def token_price_fall(panels: Panels) -> Floats:
    """Return by what factor a year the price of tokens at fixed capability falls, 2023Q1 to 2025Q2, (R,)."""
    price = measure("token_price_fixed_capability")
    first, last = (places_of(quarter, panels.quarters).start for quarter in FIXED_CAPABILITY)
    fall = ratio(price.at(panels, FIXED_CAPABILITY[0]), price.at(panels, FIXED_CAPABILITY[1]))
    return np.asarray(fall ** (4.0 / (last - first)))


STATISTICS: dict[str, Statistic] = {
    function.__name__: function
    for function in (
        take_off,
        export_stop,
        export_recovery,
        export_peak,
        lead_time_peak,
        lead_time_fall,
        constraint_switches,
        generation_cost,
        generation_cost_change,
        token_price_fall,
    )
}

# what the statistics read, beside the measures that the checks of facts.toml name
STATISTIC_MEASURES = (
    "nvidia_data_center_revenue",
    "nvidia_china_share",
    "lead_time",
    "token_price_fixed_capability",
    "h100_price",
    *(f"bound_by_{name}" for name in SUPPLY_CONSTRAINTS),
)


@cache
def _dense_8bit_tflops() -> dict[str, float]:
    text = files("computemarket.model.data").joinpath("accelerators.csv").read_text("utf-8")
    return {
        row["id"]: max(float(row["fp8_tflops"] or 0.0), float(row["int8_tops"] or 0.0))
        for row in csv.DictReader(text.splitlines())
    }


def h100e_per_chip(product: str) -> float:
    """Return a chip's peak dense 8-bit rate over that of an H100; NotSimulatedError where it is unknown."""
    rate = _dense_8bit_tflops().get(product, 0.0)
    if rate <= 0.0:
        raise NotSimulatedError(f"the 8-bit rate of {product}")
    return rate / H100_TFLOPS


def _sold(panels: Panels, products: tuple[str, ...]) -> list[str]:
    known = set(panels.block("accelerator_price_usd").columns["detail"])
    sold = [name for name in products if name in known]
    if not sold:
        raise NotSimulatedError(f"no price of {' or '.join(products)}")
    return sold


def _window(panels: Panels, first: str, last: str) -> slice:
    return slice(places_of(first, panels.quarters).start, places_of(last, panels.quarters).stop)


def _one(panels: Panels, values: Floats, quarter: str) -> Floats:
    return np.asarray(values[:, places_of(quarter, panels.quarters).start])


def _largest(values: Floats) -> Floats:
    """Return the largest known value of the last axis, NaN where none is known."""
    largest = np.where(np.isnan(values), -np.inf, values).max(axis=-1)
    return np.where(np.isfinite(largest), largest, np.nan)


def _mean_over(values: Floats) -> Floats:
    known = ~np.isnan(values)
    count = known.sum(axis=1)
    return ratio(np.where(known, values, 0.0).sum(axis=1), count.astype(float))


def _mean(values: list[Floats]) -> Floats:
    return _mean_over(np.stack(values, axis=1))
