"""The recorded history beside the simulated one: figures of single series, and the score of all of them."""

import numpy as np

from computemarket.analysis.record.history import count_scores, load_counterparts, score_history
from computemarket.analysis.report.parts.figures import (
    Picture,
    Section,
    Table,
    bands_frame,
    blank,
    dress,
    fan,
    points,
    short,
    subtitle,
    time_axis,
)
from computemarket.analysis.report.parts.source import Source
from computemarket.analysis.results.series import NotSimulatedError
from computemarket.analysis.style import BLUE, VERMILION

SHOWN = {  # recorded series -> what its panel is called, and its unit
    ("data_center_revenue", "Nvidia"): ("Nvidia data-centre revenue", "bn USD a quarter"),
    ("gaap_gross_margin", "Nvidia"): ("Nvidia gross margin", "%"),
    ("china_share_of_total_revenue", "Nvidia"): ("China in Nvidia's revenue", "%"),
    ("compute_stock_cumulative", "World (six designers)"): (
        "Compute shipped since 2022",
        "m H100-equivalents",
    ),
    ("h100e_shipped", "Google"): ("Google's own chips", "k H100-equivalents a quarter"),
    ("ai_semiconductor_revenue", "Broadcom"): ("Broadcom's AI chips", "bn USD a quarter"),
    ("capex_cash_ppe", "Microsoft"): ("Capex of Microsoft", "bn USD a quarter"),
    ("capex_cash_ppe", "Amazon"): ("Capex of Amazon", "bn USD a quarter"),
    ("cowos_capacity_year_end", "TSMC"): ("Advanced packaging", "k wafers a month"),
}
DIVIDED = {"bn USD a quarter": 1e9, "m H100-equivalents": 1e6, "k H100-equivalents a quarter": 1e3}
HORIZON = "2026Q4"


def record_section(source: Source) -> Section:
    """Return simulated and recorded history."""
    section = Section("history", "Recorded history beside the simulated one")
    section.pictures.append(_panels(source))
    try:
        scored = score_history(source.panels, source.record)
    except NotSimulatedError as error:
        section.missing.append(f"scores against the record: {error}")
        return section
    section.sentences.append(f"Simulated, never read in: {count_scores(scored)}.")
    rows = [
        [
            one.series.replace("_", " "), one.entity, str(one.points),
            f"{one.bias:+.2f}" if np.isfinite(one.bias) else "–", f"{100 * one.inside:.0f}%",
        ]
        for one in sorted(scored.scored, key=lambda one: (-one.points, one.series, one.entity))
    ]  # fmt: skip
    section.tables.append(
        Table(
            "Every recorded series with a simulated counterpart",
            "Bias: median of ln(simulated median / recorded). In band: points inside the band of 80% of runs.",
            ["Recorded series", "Of", "Points", "Bias", "In band"],
            rows,
        )
    )
    return section


def _panels(source: Source) -> Picture:
    import pandas as pd

    figure, grid = blank("Recorded and simulated history", 3, 3, height=8.6)
    figure.subplots_adjust(left=0.055, right=0.985, top=0.845, bottom=0.045, wspace=0.23, hspace=0.5)
    subtitle(
        figure,
        f"line: median of {source.runs} runs, shade: 80% of them lie in it, dots: the record (a year's value stands at "
        "its middle)",
    )
    frames = []
    drawn = 0
    for key, (title, unit) in SHOWN.items():
        counterpart = load_counterparts().get(key)
        if counterpart is None or not counterpart.measure.variables <= source.panels.variables:
            continue
        axes = grid.flat[drawn]
        drawn += 1
        quarters = [quarter for quarter in source.quarters if quarter <= HORIZON]
        size = DIVIDED.get(unit, 1.0) if counterpart.measure.unit == "1" else 1.0
        values = counterpart.measure.series(source.panels)[:, : len(quarters)] / size
        seen = [
            (point.period, point.value * counterpart.scale / size) for point in source.record.get(key, ())
        ]
        dress(axes, f"{title}\n{unit}")
        times = time_axis(axes, quarters)
        band = fan(axes, times, values, BLUE)
        points(axes, seen, (float(times[0]), float(times[-1])), VERMILION)
        axes.set_ylim(bottom=0)
        axes.yaxis.set_major_formatter(lambda value, _: short(float(value)))
        axes.tick_params(labelsize=8.6)
        axes.title.set_fontsize(9.6)
        frame = bands_frame(quarters, {title: band}, unit)
        frame["recorded"] = [dict(seen).get(quarter, np.nan) for quarter in quarters]
        frames.append(frame)
    if not frames:
        raise NotSimulatedError("no variable that stands beside the record")
    for axes in list(grid.flat)[drawn:]:
        axes.axis("off")
    return Picture(
        "recorded_history", "Recorded and simulated history",
        "History is simulated by the same rules as the future and never read in; the record calibrates and tests.",
        figure, pd.concat(frames, ignore_index=True),
    )  # fmt: skip
