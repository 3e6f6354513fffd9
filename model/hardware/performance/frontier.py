"""The frontier of throughput against interactivity: every layout and batch of a chip swept, the best kept.

For one model the sweep is an array over chips, layouts and batches; a user's speed falls with the batch and the
throughput of a chip rises with it, so the frontier at a speed is the best layout's rate at the batch that just
keeps it (Pope et al. 2022, section 2). Machines that hold weights in SRAM sweep pipelines instead.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from computemarket.model.core.arrays import Floats, Ints
from computemarket.model.hardware.performance.coefficients import load_coefficients
from computemarket.model.hardware.performance.feasibility import (
    BYTES_PER_LABEL_GB,
    divides,
    refuse_beyond_context,
)
from computemarket.model.hardware.performance.roofline import (
    Efficiency,
    Layout,
    Replica,
    batch_capacity,
    build_replica,
)
from computemarket.model.hardware.performance.roofline import context_read_s as read_s
from computemarket.model.hardware.performance.roofline import step_s as kernel_step_s
from computemarket.model.hardware.performance.serving import Requests, accepted_tokens, prompt_s
from computemarket.model.hardware.performance.sram import pipeline
from computemarket.model.hardware.specs.chips import ChipTable, chip_table
from computemarket.model.hardware.specs.models import Models, ModelTable, model_table
from computemarket.model.hardware.specs.precision import FORMATS

BATCHES = 20  # sequences per replica tried, geometric from one to what memory holds
NARROWEST_FIRST = ("fp4", "fp8", "int8", "fp16")  # a chip serves in the narrowest format it computes itself
_MANY_EXPERTS = 32
_LOADED = "kind:offline"  # level of measured points that keep all chips busy
_ON_CHIP_REFERENCE_YEAR = 2024.0
_ON_CHIP_BATCHES: Floats = 2.0 ** np.arange(10, dtype=np.float64)
_ON_CHIP_GROUPS: Floats = 2.0 ** np.arange(7, dtype=np.float64)
_ON_CHIP_COMPUTE = 0.5  # share of peak of statically scheduled arithmetic; assumption


def _layouts() -> Layout:
    """Return the layouts tried: tensor, tensor in a pipeline, data with experts dealt over ranks, and mixed."""
    rows = [(t, 1, 1, 1) for t in (1, 2, 4, 8, 16, 32, 64)]
    rows += [(8, p, 1, 1) for p in (2, 4, 8, 16, 32)] + [(4, 4, 1, 1)]
    rows += [(1, 1, a, a) for a in (2, 4, 8, 16, 32, 64)]
    rows += [(t, 1, a, t * a) for t, a in ((2, 4), (2, 8), (4, 2), (4, 8), (8, 2), (8, 4), (8, 8))]
    columns = np.array(rows, dtype=np.float64).T[:, None, :, None]
    return Layout(*columns)


LAYOUTS = _layouts()


@dataclass(frozen=True, slots=True)
class Service:
    """What is served: mean request, speculation, and where prompts are processed."""

    input_tokens: float
    output_tokens: float
    accepted: float = 1.0  # tokens gained per decode step
    drafts: float = (
        0.0  # most tokens drafted and checked per step; 0 where the gain is given and costs nothing
    )
    acceptance: float = 0.0  # share of drafted tokens accepted, each given that the one before was
    cached_share: float = 0.0  # of the prompt found in the prefix cache
    apart: bool = True  # prompts are processed by other chips of the same kind
    headroom: float = 0.9  # share of the prefill pool that is busy
    memory_share: float = 0.9  # of memory that weights and cache may fill
    calibrated: bool = False  # efficiencies the market was calibrated on; else those of the latest fit
    on_chip_fill: float = 1.0  # share of the full pipeline's rate that machines with weights in SRAM reach

    @property
    def fresh_tokens(self) -> float:
        """Return prompt tokens that must be processed."""
        return self.input_tokens * (1.0 - self.cached_share)

    @property
    def context(self) -> float:
        """Return the mean context of a sequence while it decodes."""
        return self.input_tokens + 0.5 * self.output_tokens

    @property
    def draft_lengths(self) -> tuple[float, ...]:
        """Return the lengths of drafts worth trying: none, one, the most."""
        return tuple(sorted({0.0, min(1.0, self.drafts), self.drafts}))

    def drafting(self, length: float) -> "Service":
        """Return the service with drafts of a length, and the tokens gained by them."""
        return replace(self, drafts=length, accepted=float(accepted_tokens(length, self.acceptance)))


@dataclass(frozen=True, slots=True)
class Sweep:
    """Points of one model: (C, J) after layouts and batches are laid flat; 0 where infeasible."""

    speed: Floats  # (C, L, B) tokens/s of one user, falling along B
    rate: Floats  # (C, L, B) output tokens/s per chip, prompts counted, never falling along B
    chips: Floats  # (C, L, B) of one replica
    batch: Floats  # (C, L, B)


def own_format(chips: ChipTable, places: Ints) -> Ints:
    """Return for each chip the narrowest of fp4, fp8, int8, fp16 that it computes itself, as a format code."""
    order = [FORMATS.index(name) for name in NARROWEST_FIRST]
    native = chips.arrays.native
    return np.array(
        [next((code for code in order if native[p, code]), FORMATS.index("fp16")) for p in places],
        dtype=np.int64,
    )


def levels_of(chips: ChipTable, place: int, code: int, models: ModelTable, model: int) -> tuple[str, ...]:
    """Return the levels whose fitted effects apply to a chip, a format and a model."""
    arrays = models.arrays
    found = [chips.stacks[place], f"chip:{chips.ids[place]}", f"format:{FORMATS[code]}"]
    if chips.generations[place] != chips.stacks[place]:
        found.append(chips.generations[place])
    found.append("mixture" if arrays.experts[model] > 0 else "dense")
    found.append(f"attention:{models.attention[model]}")
    if np.isfinite(arrays.sparse_tokens[model]):
        found.append("sparse")
    if arrays.n_experts[model] >= _MANY_EXPERTS:
        found.append("many_experts")
    if not chips.arrays.native[place, code]:
        found.append("widened")
    if FORMATS[code] == "fp4" and chips.arrays.native[place, code]:
        found.append("native4")
    if not chips.arrays.switched[place]:
        found.append("host_bus")
    return tuple(found)


def _efficiency(levels: Sequence[tuple[str, ...]], shape: tuple[int, ...], calibrated: bool) -> Efficiency:
    coefficients = load_coefficients(calibrated)
    columns = (coefficients.per_row(f.name, levels).reshape(shape) for f in fields(Efficiency))
    return Efficiency(*columns)


def layouts_within(domain: float) -> Layout:
    """Return the layouts tried whose replica stays within a scale-up domain."""
    keep = np.flatnonzero(LAYOUTS.chips[0, :, 0] <= domain)
    return Layout(*(getattr(LAYOUTS, f.name)[:, keep] for f in fields(Layout)))


def replicas(
    places: Ints,
    model: int,
    code: Ints,
    layout: Layout = LAYOUTS,
    memory_share: float = 0.9,
    part: Models | None = None,
    calibrated: bool = False,
) -> Replica:
    """Return the constants of chips (C,) serving one model, or a part of it, in every layout, shape (C, L, 1)."""
    chips, models = chip_table(), model_table()
    levels = [levels_of(chips, int(p), int(c), models, model) for p, c in zip(places, code, strict=True)]
    return build_replica(
        chips.arrays.take(places[:, None, None]),
        models.arrays.take(np.array(model)) if part is None else part,
        code[:, None, None],
        layout,
        _efficiency(levels, (len(places), 1, 1), calibrated),
        memory_share,
        windows=not calibrated,
    )


def prompt_chip_s(replica: Replica, service: Service) -> Floats:
    """Return chip-seconds of prefill per prompt, shape of the replicas, infinite where weights do not fit."""
    chunk = load_coefficients(service.calibrated).value("chunk_tokens")
    requests = Requests(np.asarray(max(service.fresh_tokens, 1.0)), np.asarray(service.output_tokens))
    seconds = prompt_s(replica, requests, chunk) * replica.chips * (service.fresh_tokens > 0)
    return np.where(replica.room_bytes > replica.weight_bytes, seconds, np.inf)


def sweep(places: Ints, model: int, code: Ints, service: Service, layout: Layout = LAYOUTS) -> Sweep:
    """Return speed and rate of chips with memory beside the die, over layouts and batches.

    Where the service drafts, every layout is tried with all drafts, with one and without any, one after the other:
    full batches pay for each token that is checked, and operators draft as long as it pays.
    """
    if not service.drafts:
        return _sweep_drafting(places, model, code, service, layout)
    tried = [
        _sweep_drafting(places, model, code, service.drafting(length), layout)
        for length in service.draft_lengths
    ]
    return Sweep(*(np.concatenate([getattr(part, f.name) for part in tried], axis=1) for f in fields(Sweep)))


def _sweep_drafting(places: Ints, model: int, code: Ints, service: Service, layout: Layout) -> Sweep:
    """Return speed and rate at one length of drafts.

    Parameters
    ----------
    places : (C,) chips, by place in the chip table
    model : place in the model table
    code : (C,) format codes
    service : mean request and how it is served

    Notes
    -----
    Prompts apart: ``1/rate = N TPOT/B + prefill chip-seconds/(xi S_o)`` with the best prefill layout, TPOT = step/A.
    Together: ``TPOT = step/A + (B - 1) i prompt/S_o`` and ``rate = B/(N (TPOT + prompt/S_o))``, i the fitted
    interference.
    """
    calibrated = service.calibrated
    share = service.memory_share * (1.0 if calibrated else BYTES_PER_LABEL_GB)
    replica = replicas(places, model, code, layout, share, calibrated=calibrated)
    limit = _sequence_limit(places, calibrated)[:, None, None] * replica.chips
    most = np.minimum(batch_capacity(replica, np.asarray(service.context)), limit)
    fit = (most >= 1.0) & (calibrated | divides(model_table(), model, layout))
    steps = np.linspace(0.0, 1.0, BATCHES)
    batch = np.exp(np.log(np.maximum(most, 1.0)) * steps)
    micro = batch / replica.stages
    compute = replica.flop_s + replica.attention_s * np.minimum(service.context, replica.sparse_tokens)
    step = kernel_step_s(
        replica, micro, read_s(replica, np.asarray(service.context)), compute, 1.0 + service.drafts
    )
    if service.drafts:
        step = step * (1.0 + service.drafts * load_coefficients(calibrated).value("draft_cost"))
    prompt = prompt_chip_s(replica, service)
    if not calibrated:
        prompt = np.where(divides(model_table(), model, layout), prompt, np.inf)
    token = step / service.accepted
    if service.apart:
        best = prompt.min(axis=1, keepdims=True)
        seconds = token / batch * replica.chips + best / (service.headroom * service.output_tokens)
    else:
        own = prompt / replica.chips / service.output_tokens
        delay = _per_chip("interference", places, model, code, calibrated)[:, None, None] * own
        token = token + np.maximum(batch - 1.0, 0.0) * delay
        seconds = (token + own) / batch * replica.chips
    rate = np.maximum.accumulate(full_load(places, model, code, calibrated)[:, None, None] / seconds, axis=2)
    return Sweep(
        speed=np.where(fit, 1.0 / token, 0.0),
        rate=np.where(fit, rate, 0.0),
        chips=np.broadcast_to(replica.chips, token.shape),
        batch=batch,
    )


def sweep_on_chip(places: Ints, model: int, code: Ints, service: Service) -> Sweep:
    """Return speed and rate of machines that hold all weights in SRAM, over pipeline groups and micro-batches.

    The time per layer is the fitted one; it falls with the years from 2024 to the chip's second year.
    """
    chips, models = chip_table(), model_table()
    coefficients = load_coefficients(service.calibrated)
    stacks = [(chips.stacks[p],) for p in places]
    launch = np.nan_to_num(chips.arrays.launch_years[places], nan=_ON_CHIP_REFERENCE_YEAR)
    years = np.maximum(launch + 1.0 - _ON_CHIP_REFERENCE_YEAR, 0.0)
    layer = coefficients.per_row("stream_layer_s", stacks)
    layer = layer * np.exp(-coefficients.per_row("stream_learning", stacks) * years)
    column = (slice(None), None, None)
    taken, one = chips.arrays.take(places[column]), models.arrays.take(np.array(model))
    groups = np.minimum(_ON_CHIP_GROUPS, one.layers)[None, :, None]
    machine = pipeline(
        taken,
        one,
        code[column],
        layer[column],
        np.asarray(service.context),
        groups,
        _ON_CHIP_BATCHES,
        _ON_CHIP_COMPUTE,
    )
    load = coefficients.value("load", _LOADED) * service.on_chip_fill
    prompt = 2.0 * one.active * service.fresh_tokens / (taken.rate(code[column]) * _ON_CHIP_COMPUTE)
    seconds = machine.chips / machine.tokens_per_s / service.accepted + prompt / service.output_tokens
    shape = seconds.shape
    return Sweep(
        speed=service.accepted / machine.token_s,
        rate=np.maximum.accumulate(load / seconds, axis=2),
        chips=np.broadcast_to(machine.chips, shape),
        batch=np.broadcast_to(groups * _ON_CHIP_BATCHES, shape),
    )


def _sequence_limit(places: Ints, calibrated: bool) -> Floats:
    stacks = [(chip_table().stacks[p],) for p in places]
    return load_coefficients(calibrated).per_row("batch_limit", stacks)


def full_load(places: Ints, model: int, code: Ints, calibrated: bool = False) -> Floats:
    """Return the throughput under full load over the steady state of the equations, shape (C,).

    The effect of rows at a stated speed is left out: it stands for speculation and prompts apart, which are here.
    """
    return _per_chip("load", places, model, code, calibrated, _LOADED)


def _per_chip(name: str, places: Ints, model: int, code: Ints, calibrated: bool, *more: str) -> Floats:
    chips, models = chip_table(), model_table()
    rows = [
        (*levels_of(chips, int(p), int(c), models, model), *more) for p, c in zip(places, code, strict=True)
    ]
    return load_coefficients(calibrated).per_row(name, rows)


def rate_at_speed(points: Sweep, targets: Floats) -> tuple[Floats, Ints]:
    """Return the best rate per chip at each target speed, (C, U), 0 out of reach, and the layout that gives it.

    Between two batches of a layout, ln rate is linear in ln speed.
    """
    count, layouts, batches = points.speed.shape
    ln_speed = np.log(np.maximum(points.speed, 1e-30)).reshape(-1, batches)
    ln_rate = np.log(np.maximum(points.rate, 1e-30)).reshape(-1, batches)
    rows = np.arange(len(ln_speed))
    best, place = np.zeros((count, len(targets))), np.zeros((count, len(targets)), dtype=np.int64)
    for j, target in enumerate(np.log(targets)):
        reached = (ln_speed >= target).sum(axis=1)
        low = np.clip(reached - 1, 0, batches - 1)
        high = np.minimum(reached, batches - 1)
        gap = ln_speed[rows, low] - ln_speed[rows, high]
        weight = np.where(gap > 0, (ln_speed[rows, low] - target) / np.maximum(gap, 1e-12), 0.0)
        value = ln_rate[rows, low] + np.clip(weight, 0.0, 1.0) * (ln_rate[rows, high] - ln_rate[rows, low])
        value = np.where(reached > 0, np.exp(value), 0.0).reshape(count, layouts)
        best[:, j], place[:, j] = value.max(axis=1), value.argmax(axis=1)
    return best, place


@dataclass(frozen=True, slots=True)
class Frontiers:
    """Axes: C chips, M models, U speeds."""

    chip_ids: tuple[str, ...]
    model_ids: tuple[str, ...]
    formats: tuple[str, ...]  # (C,)
    speed: Floats  # (U,) tokens/s of one user
    rate: Floats  # (C, M, U) output tokens/s per chip, 0 out of reach
    top_speed: Floats  # (C, M) largest tokens/s of one user


def frontiers(
    chip_ids: Sequence[str],
    model_ids: Sequence[str],
    service: Service,
    speeds: Floats,
    precision: str | None = None,
) -> Frontiers:
    """Return the frontier of every chip with every model.

    Parameters
    ----------
    chip_ids, model_ids : of the catalogue
    service : mean request and how it is served
    speeds : (U,) tokens/s of one user
    precision : a format for all chips; each chip's own narrowest by default

    Raises
    ------
    InputError
        For an unknown chip, model or format, or a request longer than a model's context.
    """
    from computemarket.model.hardware.specs.precision import format_code

    chips, models = chip_table(), model_table()
    places = np.array([chips.index(name) for name in chip_ids], dtype=np.int64)
    wanted = [models.index(name) for name in model_ids]
    for model in wanted:
        refuse_beyond_context(models, model, service.input_tokens, service.output_tokens)
    code = own_format(chips, places) if precision is None else np.full(len(places), format_code(precision))
    on_chip = chips.arrays.on_chip[places]
    rate = np.zeros((len(places), len(wanted), len(speeds)))
    top = np.zeros((len(places), len(wanted)))
    for m, model in enumerate(wanted):
        for mask, function in ((~on_chip, sweep), (on_chip, sweep_on_chip)):
            if mask.any():
                points = function(places[mask], model, code[mask], service)
                rate[mask, m], _ = rate_at_speed(points, speeds)
                top[mask, m] = points.speed.reshape(int(mask.sum()), -1).max(axis=1)
    return Frontiers(tuple(chip_ids), tuple(model_ids), tuple(FORMATS[c] for c in code), speeds, rate, top)
