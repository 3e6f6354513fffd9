"""Small hand-made configurations for the tests of the hardware core."""

from dataclasses import replace

import numpy as np

from computemarket.model.core.arrays import Floats
from computemarket.model.hardware.performance.roofline import Efficiency, Layout, Replica, build_replica
from computemarket.model.hardware.specs.chips import Chips, chip_table
from computemarket.model.hardware.specs.models import Models, model_table
from computemarket.model.hardware.specs.precision import format_code

IDEAL = Efficiency(
    **{
        name: np.asarray(value)
        for name, value in {
            "memory": 1.0,
            "compute": 1.0,
            "prefill": 1.0,
            "prefill_half_tokens": 0.0,
            "widening": 1.0,
            "hop_s": 0.0,
            "far_hop_s": 0.0,
            "link": 1e12,
            "layer_s": 0.0,
            "moe_layer_s": 0.0,
            "step_s": 0.0,
            "sequence_s": 0.0,
            "imbalance": 0.0,
        }.items()
    }
)
TYPICAL = Efficiency(
    **{
        name: np.asarray(value)
        for name, value in {
            "memory": 0.7,
            "compute": 0.5,
            "prefill": 0.5,
            "prefill_half_tokens": 200.0,
            "widening": 0.4,
            "hop_s": 6e-6,
            "far_hop_s": 2e-5,
            "link": 0.6,
            "layer_s": 8e-6,
            "moe_layer_s": 4e-5,
            "step_s": 1e-3,
            "sequence_s": 5e-6,
            "imbalance": 0.25,
        }.items()
    }
)


def layout(tensor: float = 1, pipeline: float = 1, data: float = 1, expert: float = 1) -> Layout:
    return Layout(*(np.asarray(float(size)) for size in (tensor, pipeline, data, expert)))


def chips(*ids: str, **changes: Floats) -> Chips:
    table = chip_table()
    picked = table.arrays.take(np.array([table.index(name) for name in ids]))
    return replace(picked, **changes)


def models(*ids: str, **changes: Floats) -> Models:
    table = model_table()
    picked = table.arrays.take(np.array([table.index(name) for name in ids]))
    return replace(picked, **changes)


def replica(
    chip: str = "nvidia_h200_sxm",
    model: str = "llama3_1_70b",
    precision: str = "fp8",
    where: Layout | None = None,
    efficiency: Efficiency = IDEAL,
    **changes: Floats,
) -> Replica:
    code = np.array([format_code(precision)])
    return build_replica(chips(chip, **changes), models(model), code, where or layout(), efficiency)
