"""The one-screen summary of a run: headline measures by year, median and 80% band, in a strategist's words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from computemarket.analysis.results.measures import band_over_runs, measure
from computemarket.analysis.results.series import NotSimulatedError, Panels, panels_from_frame
from computemarket.model.core.arrays import Floats

if TYPE_CHECKING:
    import pandas as pd
    from rich.text import Text

YEARS = ("2022", "2023", "2024", "2025", "2026", "2028", "2030", "2032")
HEADLINES = (  # measure, what it is called, its unit in words
    ("nvidia_data_center_revenue", "Nvidia data-centre revenue", "bn USD"),
    ("nvidia_gross_margin", "Nvidia gross margin", "%"),
    ("nvidia_revenue_share", "Nvidia's share", "% of accelerator revenue"),
    ("nvidia_compute_share", "Nvidia's share", "% of compute shipped"),
    ("custom_compute_share", "Custom silicon's share", "% of compute shipped"),
    ("custom_revenue_share", "Custom silicon's share", "% of accelerator revenue"),
    ("amd_revenue_share", "AMD's share", "% of accelerator revenue"),
    ("china_domestic_compute_share", "China's domestic share", "% of compute it gets"),
    ("smuggled_units", "Chips smuggled into China", "thousand"),
    ("four_clouds_capex", "Capex of four large clouds", "bn USD"),
    ("world_compute_stock", "Compute in the world", "m H100-equivalents"),
    ("power", "Power of AI fleets", "GW"),
    ("utilisation", "Utilisation of the fleets", "%"),
    ("lead_time", "Nvidia lead time", "weeks"),
    ("h100_rental_contract", "Hour of an H100", "USD, one-year contract"),
    ("token_price_medium", "Price of a million tokens", "USD, medium tier"),
    ("token_price_ultra", "Price of a million tokens", "USD, ultra tier"),
    ("world_tokens", "Tokens served", "trillion a month"),
    ("inference_share", "Inference's share", "% of compute used"),
)
LABEL_WIDTH, CELL_WIDTH = 28, 9
ABSENT = "–"


@dataclass(frozen=True, slots=True)
class Headlines:
    """What the summary shows, run by run.

    Parameters
    ----------
    values : (measure, year) -> (R,); NaN where it is not simulated
    """

    scenario: str
    runs: int
    years: tuple[str, ...]
    values: Mapping[tuple[str, str], Floats]


def evaluate_headlines(panels: Panels, years: Sequence[str] = YEARS) -> Headlines:
    """Evaluate every headline measure in the years that are wholly simulated."""
    shown = tuple(year for year in years if f"{year}Q1" in panels.quarters and f"{year}Q4" in panels.quarters)
    values = {(name, year): _at(panels, name, year) for name, _, _ in HEADLINES for year in shown}
    return Headlines(panels.scenario, len(panels.runs), shown, values)


def join_headlines(parts: Sequence[Headlines]) -> Headlines:
    """Put the runs of several parts of one ensemble together."""
    values = {key: np.concatenate([part.values[key] for part in parts]) for key in parts[0].values}
    return Headlines(parts[0].scenario, sum(part.runs for part in parts), parts[0].years, values)


def summary_lines(results: "pd.DataFrame | Panels | Headlines", years: Sequence[str] = YEARS) -> list["Text"]:
    """Return the summary: two lines for each headline measure, at most 45 lines of 100 columns.

    Parameters
    ----------
    results : a table of one scenario, its panels, or its headlines
    years : the columns; years that are not wholly simulated are left out
    """
    from rich.text import Text

    if not isinstance(results, Headlines):
        panels = results if isinstance(results, Panels) else panels_from_frame(results)
        results = evaluate_headlines(panels, years)
    title = f"{results.scenario}: " if results.scenario else ""
    lines = [
        Text(f"{title}median of {results.runs} runs, 80% band below", style="dim"),
        Text(_row("", results.years), style="bold"),
    ]
    for name, label, unit in HEADLINES:
        bands = [band_over_runs(results.values[name, year]) for year in results.years]
        lines.append(Text(_row(label, [show(float(band[1])) for band in bands])))
        lines.append(Text(_row(f"  {unit}", [show_band(band) for band in bands]), style="dim"))
    return lines


def print_summary(results: "pd.DataFrame | Panels | Headlines") -> None:
    """Print the summary on the terminal."""
    from rich.console import Console

    console = Console(soft_wrap=True, highlight=False)
    for line in summary_lines(results):
        console.print(line)


def variables_of_summary() -> frozenset[str]:
    """Return the variables of a results table that the summary reads."""
    return frozenset().union(*(measure(name).variables for name, _, _ in HEADLINES))


def show(value: float) -> str:
    """Return a number in at most five characters: three digits, k and m and bn for large ones."""
    if not np.isfinite(value):
        return ABSENT
    for size, letter in ((1e9, "bn"), (1e6, "m"), (1e4, "k")):
        if abs(value) >= 0.9995 * size:
            scaled = value / (1e3 if letter == "k" else size)
            return f"{scaled:.0f}{letter}" if abs(scaled) >= 9.95 else f"{scaled:.1f}{letter}"
    if abs(value) >= 99.95:
        return f"{value:.0f}"
    if abs(value) >= 9.995:
        return f"{value:.0f}" if abs(value - round(value)) < 0.05 else f"{value:.1f}"
    return f"{value:.2f}".rstrip("0").rstrip(".") if abs(value) >= 0.005 else "0"


def show_band(band: Floats) -> str:
    """Return the 80% band, shorter than a cell."""
    low, _, high = (float(value) for value in band)
    if not (np.isfinite(low) and np.isfinite(high)):
        return ""
    texts = [f"{show(low)}-{show(high)}", f"{_short(low)}-{_short(high)}"]
    texts.append(f"{_short(low).rstrip('kmbn')}-{_short(high)}")  # of one size, so one letter will do
    return next((text for text in texts if len(text) < CELL_WIDTH), texts[-1])


def _short(value: float) -> str:
    """Return a number with about two digits."""
    text = show(value)
    if 999.5 <= abs(value) < 9995.0:
        return f"{value / 1e3:.1f}k"
    if text[-1] in "kmn" or abs(value) < 0.05:
        return text if abs(value) >= 0.05 else "0"
    return f"{value:.0f}" if abs(value) >= 9.5 else f"{value:.1f}".removesuffix(".0")


def _at(panels: Panels, headline: str, year: str) -> Floats:
    try:
        return measure(headline).at(panels, year)
    except NotSimulatedError:
        return np.full(len(panels.runs), np.nan)


def _row(label: str, cells: Sequence[str]) -> str:
    return f"{label:<{LABEL_WIDTH}.{LABEL_WIDTH}}" + "".join(f"{cell:>{CELL_WIDTH}}" for cell in cells)
