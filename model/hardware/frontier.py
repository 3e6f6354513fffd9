"""The throughput-interactivity frontier: what an accelerator yields at each speed per user.

A sweep evaluates the kernel over layouts and batches at once; the frontier keeps, for each speed, the best
throughput per accelerator of the configurations at least that fast (Pope et al. 2022; InferenceX plots it).
Decode and prefill run in pools of their own, balanced so that neither waits for the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from computemarket.errors import InputError
from computemarket.model.arrays import Floats, Ints
from computemarket.model.hardware.chips import chip_table
from computemarket.model.hardware.coefficients import efficiency_of, load_coefficients
from computemarket.model.hardware.models import model_table
from computemarket.model.hardware.parameters import parameter_default
from computemarket.model.hardware.precision import FORMATS, format_code
from computemarket.model.hardware.roofline import (
    Layout,
    Replica,
    batch_capacity,
    build_replica,
    decode_step_s,
)
from computemarket.model.hardware.serving import Requests, prompt_s
from computemarket.model.hardware.sram import pipeline

# (tensor ranks, attention-data groups); experts are dealt over all chips of a replica with several groups.
LAYOUTS = ((1, 1), (2, 1), (4, 1), (8, 1), (16, 1), (1, 4), (1, 8), (1, 16), (1, 32), (1, 64),
           (2, 4), (2, 32), (4, 8), (4, 16), (8, 8), (8, 16), (16, 16))  # fmt: skip
BATCHES = np.geomspace(1.0, 1024.0, 21)  # sequences of one attention group
MICRO_BATCHES = np.array([1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0])
LAYERS_PER_GROUP = np.array([1.0, 2.0, 4.0, 8.0, 16.0])  # of a pipeline of chips with on-chip memory
SPEEDS = np.geomspace(5.0, 4000.0, 80)  # tokens/s of one user
_SMALLEST_FIRST = ("fp4", "fp8", "int8", "fp16")
_LEARNING_FROM, _LEARNING_TO = 2024.0, 2026.0  # years between which stream_learning was observed


@dataclass(frozen=True, slots=True)
class Workloads:
    """What is served: a model and mean lengths per workload, shape (W,)."""

    model: Ints  # places in ``model_table()``
    input_tokens: Floats
    output_tokens: Floats


@dataclass(frozen=True, slots=True)
class Points:
    """Configurations of every chip and workload: shape (C, W, J), one row of J for each."""

    speed: Floats  # output tokens/s of one user; 0 where the weights do not fit
    decode_rate: Floats  # output tokens/s per accelerator of the decode pool
    accelerators: Floats  # of one replica
    batch: Floats  # sequences of one replica


@dataclass(frozen=True, slots=True)
class Frontier:
    """Best throughput at each speed, (C, W, S), prefill pool included; 0 beyond the reachable speed."""

    speeds: Floats  # (S,)
    rate: Floats  # output tokens/s per accelerator, prefill included
    top_speed: Floats  # (C, W)


def workloads_of(models: Sequence[str], input_tokens: float, output_tokens: float) -> Workloads:
    """Return workloads of one shape for models by id; an unknown model raises ``InputError``."""
    table = model_table()
    places = np.array([table.index(name) for name in models], dtype=np.int64)
    return Workloads(places, np.full(len(places), input_tokens), np.full(len(places), output_tokens))


def native_codes(chips: Ints) -> Ints:
    """Return the smallest format, 4 bits to 16, that each chip computes itself, shape (C,)."""
    native = np.take(chip_table().arrays.native, chips, axis=0)
    order = [FORMATS.index(name) for name in _SMALLEST_FIRST]
    first = np.take(native, order, axis=1).argmax(axis=1)
    return np.array(order, dtype=np.int64)[first]


def _levels(chip: int, model: int, code: int) -> tuple[str, ...]:
    """Return the levels of the coefficients that apply to a chip, model and format."""
    chips, models = chip_table(), model_table()
    levels = [chips.stacks[chip]]
    if chips.generations[chip] != chips.stacks[chip]:
        levels.append(chips.generations[chip])
    levels.append("mixture" if models.arrays.experts[model] > 0 else "dense")
    levels.append(f"attention:{models.attention[model]}")
    levels.append(f"format:{FORMATS[code]}")
    if not chips.arrays.native[chip, code]:
        levels.append("widened")
    if not chips.arrays.switched[chip]:
        levels.append("host_bus")
    return tuple(levels)


def build_replicas(chips: Ints, workloads: Workloads, codes: Ints) -> Replica:
    """Return the constants of all layouts: chips (C,), workloads (W,), codes (C,) give shape (C, W, V)."""
    tensor, data = np.array(LAYOUTS, dtype=np.float64).T
    expert = np.where(data > 1, tensor * data, 1.0)
    rows = [
        _levels(int(c), int(m), int(f)) for c, f in zip(chips, codes, strict=True) for m in workloads.model
    ]
    return build_replica(
        chip_table().arrays.take(chips[:, None, None]),
        model_table().arrays.take(workloads.model[None, :, None]),
        codes[:, None, None],
        Layout(tensor, np.ones(()), data, expert),
        efficiency_of(load_coefficients(), rows, (len(chips), len(workloads.model), 1)),
        memory_share=parameter_default("memory_share"),
    )


def sweep(chips: Ints, workloads: Workloads, codes: Ints) -> tuple[Points, Floats]:
    """Return decode points of every layout and batch, and the best prefill rate.

    Returns
    -------
    points (C, W, J); prefill rate (C, W), input tokens/s per accelerator of the prefill pool, 0 where no
    layout holds the weights
    """
    replica = build_replicas(chips, workloads, codes)
    context = (workloads.input_tokens + 0.5 * workloads.output_tokens)[None, :, None]
    held = batch_capacity(replica, context)  # (C, W, V)
    limit = load_coefficients().value("batch_limit") * replica.chips
    most = np.minimum(held, limit)[..., None]
    data = np.array(LAYOUTS, dtype=np.float64)[:, 1]
    batch = np.minimum(BATCHES * data[:, None], np.maximum(most, 1.0))  # (C, W, V, B)
    wide = _with_batch_axis(replica)
    accepted = parameter_default("tokens_per_step")
    speed = accepted / decode_step_s(wide, batch, context[..., None])
    speed = np.where(most >= 1.0, speed, 0.0)
    rate = batch * speed / wide.chips
    shape = (*speed.shape[:2], -1)
    ranks = np.broadcast_to(wide.chips, speed.shape)
    points = Points(speed.reshape(shape), rate.reshape(shape), ranks.reshape(shape), batch.reshape(shape))
    return points, _prefill(replica, workloads, held)


def _with_batch_axis(replica: Replica) -> Replica:
    """Return the replica with a last axis for batches on every array."""
    return Replica(*(np.asarray(getattr(replica, name))[..., None] for name in Replica.__slots__))


def _prefill(replica: Replica, workloads: Workloads, held: Floats) -> Floats:
    """Return the best input tokens/s per accelerator over layouts that hold weights and one prompt."""
    sent, answer = workloads.input_tokens[None, :, None], workloads.output_tokens[None, :, None]
    first = prompt_s(replica, Requests(sent, answer), load_coefficients().value("chunk_tokens"))
    return np.where(held >= 1.0, sent / first / replica.chips, 0.0).max(axis=-1)


def sweep_on_chip(chips: Ints, workloads: Workloads, codes: Ints) -> Points:
    """Return the points of machines that hold all weights in on-chip memory, shape (C, W, J)."""
    table, models = chip_table(), model_table().arrays.take(workloads.model[None, :, None, None])
    coefficients = load_coefficients()
    years = np.clip(
        np.nan_to_num(np.take(table.arrays.launch_years, chips), nan=_LEARNING_TO),
        _LEARNING_FROM,
        _LEARNING_TO,
    )
    stacks = [table.stacks[chip] for chip in chips]
    layer = coefficients.per_row("stream_layer_s", [(name,) for name in stacks])
    layer = layer * np.exp(
        -coefficients.per_row("stream_learning", [(name,) for name in stacks]) * (years - _LEARNING_FROM)
    )
    accepted = coefficients.per_row("accepted", [(name,) for name in stacks])
    groups = np.ceil(models.layers / LAYERS_PER_GROUP[:, None])
    line = pipeline(
        table.arrays.take(chips[:, None, None, None]),
        models,
        codes[:, None, None, None],
        layer[:, None, None, None],
        (workloads.input_tokens + 0.5 * workloads.output_tokens)[None, :, None, None],
        groups,
        MICRO_BATCHES,
    )
    gain = accepted[:, None, None, None]
    speed, rate = np.broadcast_arrays(gain / line.token_s, gain * line.tokens_per_s / line.chips)
    shape = (*speed.shape[:2], -1)
    ranks, batch = (
        np.broadcast_to(line.chips, speed.shape),
        np.broadcast_to(groups * MICRO_BATCHES, speed.shape),
    )
    return Points(speed.reshape(shape), rate.reshape(shape), ranks.reshape(shape), batch.reshape(shape))


def _prefill_on_chip(chips: Ints, workloads: Workloads, codes: Ints) -> Floats:
    """Return input tokens/s per accelerator of a pipeline whose prompts fill the arithmetic, (C, W)."""
    table = chip_table()
    model = model_table().arrays.take(workloads.model[None, :])
    rate = table.arrays.take(chips).rate(codes)[:, None]
    reached = load_coefficients().value("prefill") * rate
    pair = 0.5 * model.prefill_attention * np.minimum(workloads.input_tokens, 2 * model.sparse_tokens)
    return np.asarray(reached / (2.0 * model.active + pair))


def blend(decode: Floats, prefill: Floats, input_per_output: Floats | float) -> Floats:
    """Return output tokens/s per accelerator of balanced prefill and decode pools.

    One output token takes 1/decode accelerator-seconds of the decode pool and r/(xi prefill) of the prefill
    pool, r the input tokens that need prefill per output token and xi the prefill pool's busy share: the
    balance n_p r_p xi = n_d r_d of disaggregated serving (Patel et al. 2024; Zhong et al. 2024).
    """
    possible = (decode > 0) & (prefill > 0)
    busy = parameter_default("disaggregation_headroom")
    seconds = 1.0 / np.where(possible, decode, 1.0) + input_per_output / (
        busy * np.where(possible, prefill, 1.0)
    )
    return np.where(possible, 1.0 / seconds, 0.0)


def best_at_speed(points: Points, target: Floats) -> tuple[Floats, Floats]:
    """Return the best decode rate at a speed and the accelerators of its replica; 0 where out of reach.

    Parameters
    ----------
    points : (C, W, J)
    target : speeds that broadcast with (C, W), tokens/s per user
    """
    rate = np.where(points.speed >= np.asarray(target)[..., None], points.decode_rate, 0.0)
    place = rate.argmax(axis=-1)[..., None]
    best = np.take_along_axis(rate, place, axis=-1)[..., 0]
    ranks = np.take_along_axis(points.accelerators, place, axis=-1)[..., 0]
    return best, np.where(best > 0, ranks, 0.0)


@dataclass(frozen=True, slots=True)
class Service:
    """Points of any chips for workloads, HBM and on-chip machines alike."""

    points: tuple[tuple[Ints, Points], ...]  # places among the chips asked for, their points
    prefill: Floats  # (C, W)

    def at_speed(self, target: Floats) -> tuple[Floats, Floats]:
        """Return (C, W) decode rate at target speeds (W,) and accelerators of the replica."""
        rate, ranks = np.zeros(self.prefill.shape), np.zeros(self.prefill.shape)
        for rows, points in self.points:
            rate[rows], ranks[rows] = best_at_speed(points, target)
        return rate, ranks

    def top_speed(self) -> Floats:
        """Return the largest speed of each chip and workload, (C, W)."""
        top = np.zeros(self.prefill.shape)
        for rows, points in self.points:
            top[rows] = points.speed.max(axis=-1)
        return top


def serve(chips: Ints, workloads: Workloads, codes: Ints) -> Service:
    """Evaluate chips (C,) at formats (C,) on workloads (W,)."""
    on_chip = np.take(chip_table().arrays.on_chip, chips)
    off, on = np.flatnonzero(~on_chip), np.flatnonzero(on_chip)
    prefill = np.zeros((len(chips), len(workloads.model)))
    points = []
    if off.size:
        part, prefill[off] = sweep(chips[off], workloads, codes[off])
        points.append((off, part))
    if on.size:
        points.append((on, sweep_on_chip(chips[on], workloads, codes[on])))
        prefill[on] = _prefill_on_chip(chips[on], workloads, codes[on])
    return Service(tuple(points), prefill)


def frontier(
    accelerators: Sequence[str],
    models: Sequence[str],
    precision: str | None = None,
    input_tokens: float = 1024.0,
    output_tokens: float = 1024.0,
    speeds: Floats = SPEEDS,
) -> Frontier:
    """Return the frontier of accelerators and models by id.

    Parameters
    ----------
    precision : format of all; each chip's smallest native one by default

    Raises
    ------
    InputError
        For an unknown accelerator, model or precision, or lengths that are not positive.
    """
    for name, value in (("input tokens", input_tokens), ("output tokens", output_tokens)):
        if not value > 0:
            raise InputError(name, value, "a positive number")
    table = chip_table()
    chips = np.array([table.index(name) for name in accelerators], dtype=np.int64)
    codes = native_codes(chips) if precision is None else np.full(len(chips), format_code(precision))
    served = serve(chips, workloads_of(models, input_tokens, output_tokens), codes)
    load, ratio = _load(), input_tokens / output_tokens
    rate = np.stack(
        [load * blend(served.at_speed(np.full((), speed))[0], served.prefill, ratio) for speed in speeds],
        axis=-1,
    )
    return Frontier(speeds, rate, served.top_speed())


@cache
def _load() -> float:
    """Return the throughput reached over the steady state of the equations."""
    return load_coefficients().value("load")
