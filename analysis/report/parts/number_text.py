"""Numbers in sentences: a median with its band, always with what it is."""

import numpy as np

from computemarket.analysis.report.parts.figures import short
from computemarket.analysis.report.parts.source import Source
from computemarket.analysis.results.measures import Measure, band_over_runs, measure
from computemarket.analysis.results.series import NotSimulatedError
from computemarket.model.core.arrays import Floats

UNITS = {  # how a unit reads behind a number
    "%": "%", "bn USD": " bn USD", "USD/h": " USD", "GW": " GW", "weeks": " weeks", "thousand": " thousand",
}  # fmt: skip


def spread(values: Floats, unit: str = "") -> str:
    """Return "median (10th to 90th percentile)" of (R,) values."""
    low, middle, high = (float(edge) for edge in band_over_runs(values))
    if not np.isfinite(middle):
        return "unknown in most runs"
    after = UNITS.get(unit, f" {unit}" if unit and unit != "1" else "")
    return f"{short(middle)}{after} ({short(low)} to {short(high)})"


def at(source: Source, name: str, period: str) -> Floats:
    """Return a measure in a period, (R,); NaN where it is not simulated."""
    try:
        return measure(name).at(source.panels, period)
    except NotSimulatedError:
        return np.full(source.runs, np.nan)


def band_words(source: Source, name: str, period: str) -> str:
    """Return the median of a measure with its 80% band and unit."""
    one: Measure = measure(name)
    return spread(at(source, name, period), one.unit)
