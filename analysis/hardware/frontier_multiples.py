"""Every pair of accelerator and model over batch, context, layout and format: a table, and small multiples of it."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from computemarket.analysis.hardware.hardware_tables import catalogue_ids
from computemarket.analysis.style import BLUE, FAINT, GREEN, GREY, INK, ORANGE, PURPLE, SLIDE_DPI, plain_axes
from computemarket.errors import InputError
from computemarket.model.catalogue import estimated_catalogue
from computemarket.model.core.arrays import Floats, Ints
from computemarket.model.hardware.performance.feasibility import whole_context_fault
from computemarket.model.hardware.performance.frontier import LAYOUTS, Service, Sweep, sweep
from computemarket.model.hardware.specs.chips import chip_table
from computemarket.model.hardware.specs.models import model_table
from computemarket.model.hardware.specs.precision import FORMATS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CONTEXTS = (1024.0, 8192.0, 65536.0, 524288.0)  # prompt tokens drawn, as far as a model's context reaches
MOST_PAIRS = 48  # panels that one figure can hold and a reader tell apart
_FORMATS_DRAWN = ("fp16", "fp8", "fp4")
_HUES: dict[str, str] = dict(zip(_FORMATS_DRAWN, (BLUE, GREEN, ORANGE), strict=True))
_LINES: tuple[Any, ...] = ("-", (0, (6, 2)), (0, (2, 1.5)), (0, (1, 1)))
_PANEL_INCHES = (3.2, 2.5)
_COLUMNS = 6


def pair_table(
    accelerators: Sequence[str], models: Sequence[str], service: Service, contexts: Sequence[float] = CONTEXTS
) -> pd.DataFrame:
    """Return the points of every pair that no other layout and batch beats in both speed and throughput.

    Columns: accelerator, model, precision, input_tokens, tensor, pipeline, data, expert, chips, batch (of one replica),
    tokens_per_s_per_user, tokens_per_s (output, per accelerator). Formats are those that the chip computes itself, and
    contexts those within the model's; machines that hold weights in SRAM are left out.

    Raises
    ------
    InputError
        For unknown names or more pairs than a figure can hold.
    """
    ids = catalogue_ids(accelerators)
    if len(ids) * len(models) > MOST_PAIRS:
        raise InputError("accelerators x models", len(ids) * len(models), f"at most {MOST_PAIRS} pairs")
    rows: list[pd.DataFrame] = []
    for accelerator in ids:
        place = np.array([chip_table().index(accelerator)], dtype=np.int64)
        if chip_table().arrays.on_chip[place[0]]:
            continue
        for name in models:
            rows += _pair(accelerator, place, model_table().index(name), service, contexts)
    if not rows:
        raise InputError(
            "accelerators x models", ",".join((*ids, *models)), "a pair that fits with these lengths"
        )
    return pd.concat(rows, ignore_index=True)


def _pair(
    accelerator: str, place: Ints, model: int, service: Service, contexts: Sequence[float]
) -> list[pd.DataFrame]:
    found = []
    for precision in _FORMATS_DRAWN:
        code = np.array([FORMATS.index(precision)], dtype=np.int64)
        if not chip_table().arrays.native[place[0], code[0]]:
            continue
        for sent in contexts:
            if whole_context_fault(model_table(), model, sent, service.output_tokens):
                continue
            points = sweep(place, model, code, replace(service, input_tokens=sent))
            table = _not_beaten(points)
            table.insert(0, "input_tokens", sent)
            table.insert(0, "precision", precision)
            table.insert(0, "model", model_table().ids[model])
            table.insert(0, "accelerator", accelerator)
            found.append(table)
    return [table for table in found if len(table)]


def _not_beaten(points: Sweep) -> pd.DataFrame:
    """Return the points that are fastest among all with their throughput or more."""
    speed, rate = points.speed[0].ravel(), points.rate[0].ravel()
    shape = points.speed[0].shape
    tried = shape[0] // LAYOUTS.tensor.shape[1]  # lengths of drafts, one after the other
    order = np.lexsort((-rate, -speed))
    best = np.maximum.accumulate(np.concatenate([[0.0], rate[order]]))
    kept = order[(rate[order] > best[:-1]) & (speed[order] > 0)]

    def column(values: Floats) -> Floats:
        whole = np.tile(values[0], (tried, 1)) if len(values[0]) < shape[0] else values[0]
        return np.asarray(np.broadcast_to(whole, shape).ravel()[kept])

    return pd.DataFrame(
        {
            "tensor": column(LAYOUTS.tensor),
            "pipeline": column(LAYOUTS.pipeline),
            "data": column(LAYOUTS.attention_data),
            "expert": column(LAYOUTS.expert),
            "chips": column(points.chips),
            "batch": column(points.batch),
            "tokens_per_s_per_user": speed[kept],
            "tokens_per_s": rate[kept],
        }
    )


def draw_pairs(table: pd.DataFrame, path: Path) -> Path:
    """Draw one panel per pair: hue is the format, dashes the prompt's length; the chips of the ends are written."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    pairs = list(table.groupby(["accelerator", "model"], sort=False))
    columns = min(_COLUMNS, len(pairs))
    lines = -(-len(pairs) // columns)
    figure, grid = plt.subplots(
        lines,
        columns,
        figsize=(_PANEL_INCHES[0] * columns, _PANEL_INCHES[1] * lines + 1.2),
        layout="constrained",
        squeeze=False,
        sharex=True,
        sharey=True,
    )
    for axes, (pair, points) in zip(grid.ravel(), pairs, strict=False):
        accelerator, model = (str(name) for name in pair)
        _panel(axes, points, f"{estimated_catalogue().accelerators[accelerator].name}\n{model}")
    for axes in grid.ravel()[len(pairs) :]:
        axes.set_visible(False)
    figure.supxlabel("Output tokens per second for one user (log scale)", fontsize=12, color=INK)
    figure.supylabel("Output tokens/s per accelerator (log scale)", fontsize=11, color=INK)
    figure.legend(
        handles=_legend(sorted(table["input_tokens"].unique())), loc="outside upper center", ncols=7
    )
    figure.savefig(path, dpi=SLIDE_DPI)
    plt.close(figure)
    return path


def _panel(axes: "Axes", points: pd.DataFrame, title: str) -> None:
    axes.set(xscale="log", yscale="log")
    plain_axes(axes)
    axes.grid(axis="x", color=FAINT, linewidth=0.6)
    axes.set_title(title, fontsize=9, color=INK, loc="left")
    for (precision, sent), line in points.groupby(["precision", "input_tokens"], sort=False):
        dash = _LINES[CONTEXTS.index(sent) % len(_LINES)] if sent in CONTEXTS else "-"
        axes.plot(
            line["tokens_per_s_per_user"],
            line["tokens_per_s"],
            color=_HUES[str(precision)],
            linestyle=dash,
            linewidth=1.4,
        )
    fast = points.iloc[int(points["tokens_per_s_per_user"].to_numpy().argmax())]
    axes.annotate(
        f"{fast['chips']:.0f} chips",
        (fast["tokens_per_s_per_user"], fast["tokens_per_s"]),
        fontsize=7,
        color=GREY,
    )


def _legend(contexts: Sequence[float]) -> list[object]:
    from matplotlib.lines import Line2D

    formats: list[object] = [Line2D([], [], color=hue, label=name.upper()) for name, hue in _HUES.items()]
    for sent in contexts:
        dash: Any = _LINES[CONTEXTS.index(sent) % len(_LINES)] if sent in CONTEXTS else "-"
        formats.append(Line2D([], [], color=PURPLE, linestyle=dash, label=f"{sent:,.0f} tokens in"))
    return formats
