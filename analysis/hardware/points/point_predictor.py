"""Predict measured points with the kernel: one vectorised function per kind of row.

The functions take the conditions (``Setup``) and the coefficient values of every row, and nothing else: what
was measured does not enter.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from computemarket.analysis.hardware.kernel_inputs import (
    E2E_USER,
    MFU,
    MS_PER_TOKEN,
    OUTPUT_CHIP,
    SYSTEM,
    TOTAL_CHIP,
    TTFT_MS,
    USER,
    Kind,
    Setup,
)
from computemarket.model.core.arrays import Bools, Floats, Ints
from computemarket.model.hardware.performance.cache import exposed_transfer_s, sequence_bytes, transfer_s
from computemarket.model.hardware.performance.feasibility import BYTES_PER_LABEL_GB
from computemarket.model.hardware.performance.roofline import Efficiency, Layout, Replica, build_replica
from computemarket.model.hardware.performance.serving import (
    Requests,
    accepted_tokens,
    batch_within_limit,
    busy_within_wait,
    disaggregated,
    output_rate,
    prompt_s,
    sequences_that_fit,
    time_per_output_token_s,
    utilisation,
)
from computemarket.model.hardware.performance.sram import pipeline, stream_s
from computemarket.model.hardware.performance.training import tokens_per_s_per_chip
from computemarket.model.hardware.specs.chips import chip_table
from computemarket.model.hardware.specs.defaults import default_of
from computemarket.model.hardware.specs.models import model_table

Values = Mapping[str, Floats]  # coefficient values per row, shape (n,)
_MS = 1000.0
_REFERENCE_YEAR = 2026.0
_SERVER_SIZES: Floats = np.array([1.0, 2.0, 4.0, *np.arange(8.0, 80.0, 8.0)])  # usual deployments
_GROUPS: Floats = 2.0 ** np.arange(7, dtype=np.float64)  # of a pipeline of SRAM chips
_MICRO_BATCHES: Floats = 2.0 ** np.arange(10, dtype=np.float64)
_MEMORY_SHARE = 0.9  # gpu_memory_utilization as delivered by vLLM
_MOST_ACCEPTED = 0.95  # acceptance of a drafted token above which no draft head was measured
_TAIL = 0.01  # MLPerf limits bind the 99th percentile
_SHARE_OF_LIMIT = 0.85  # mean time per output token over its 99th percentile in MLPerf server logs


def predict_rows(setup: Setup, values: Values) -> Floats:
    """Return the prediction of every row in the unit of its metric, shape (n,)."""
    out = np.full(len(setup), np.nan)
    for kind, function in _BY_KIND.items():
        rows = np.flatnonzero(setup.kind == kind)
        if rows.size:
            part = take_rows(setup, rows)
            found = function(part, {name: column[rows] for name, column in values.items()})
            out[rows] = _of_users(part, found) if kind in _ONE_USER else found
    return out


def _of_users(setup: Setup, measures: "UserTimes") -> Floats:
    """Return what a row asks of one user's times, or what all users in flight get together."""
    users = np.where(np.isnan(setup.batch), 1.0, setup.batch)
    speed, whole = 1.0 / measures.token_s, 1.0 / (measures.token_s + measures.first_s / setup.output_tokens)
    asked = {
        USER: speed,
        MS_PER_TOKEN: _MS * measures.token_s,
        TTFT_MS: _MS * measures.first_s,
        E2E_USER: whole,
    }
    out = _in_metric(setup, speed * users)
    for name, values in asked.items():
        out = np.where(np.array([metric == name for metric in setup.metric], dtype=bool), values, out)
    return out


@dataclass(frozen=True, slots=True)
class UserTimes:
    """What one user sees, (n,): time per output token after the first, and time to the first with waiting, s."""

    token_s: Floats
    first_s: Floats


def take_rows(setup: Setup, rows: Ints) -> Setup:
    """Return the rows at ``rows``, with no more layouts than they need."""

    def pick(column: Any) -> Any:  # an array, a dictionary of arrays or a tuple, each with an entry per row
        if isinstance(column, np.ndarray):
            return column[rows]
        if isinstance(column, dict):
            return {name: part[rows] for name, part in column.items()}
        return tuple(column[i] for i in rows)

    part = replace(setup, **{f.name: pick(getattr(setup, f.name)) for f in fields(Setup)})
    used = max(int(part.tried.sum(axis=1).max(initial=1)), 1)
    return replace(
        part,
        tensor=part.tensor[:, :used],
        pipeline=part.pipeline[:, :used],
        data=part.data[:, :used],
        expert=part.expert[:, :used],
        tried=part.tried[:, :used],
    )


def maturity(setup: Setup, values: Values) -> Floats:
    """Return by which factor young or old software is slower.

    ``exp(m exp(-age/years) + n exp(-engine's age/engine years) + l lag + g (2026 - year))``: the age counts from the
    month when both chip and model were out (learning by doing: Arrow 1962), the engine's from its first release; lag
    is how much slower than the leader's the vendor's stack learns (``stack_maturity.csv``); g is the progress of the
    engines that all chips share.
    """
    young = values["immaturity"] * np.exp(-setup.age / values["maturing_years"])
    early = values["engine_youth"] * np.exp(-setup.engine_age / values["engine_years"])
    behind = values["stack_lag"] * setup.lag
    return np.exp(young + early + behind + values["progress"] * (_REFERENCE_YEAR - setup.year))


def _efficiency(setup: Setup, values: Values) -> Efficiency:
    """Return the efficiencies of the rows, shape (n, 1) to broadcast with their layouts."""
    slow = maturity(setup, values)
    share = {"memory", "compute", "prefill"}
    fixed = {"layer_s", "moe_layer_s", "step_s", "sequence_s"}
    columns = {}
    for f in fields(Efficiency):
        column = values[f.name]
        column = column / slow if f.name in share else column * slow if f.name in fixed else column
        columns[f.name] = column[:, None]
    return Efficiency(**columns)


def _replica(setup: Setup, values: Values, layout: Layout | None = None) -> Replica:
    return build_replica(
        chip_table().arrays.take(setup.chip[:, None]),
        model_table().arrays.take(setup.model[:, None]),
        setup.code[:, None],
        layout or Layout(setup.tensor, setup.pipeline, setup.data, setup.expert),
        _efficiency(setup, values),
        memory_share=_MEMORY_SHARE * BYTES_PER_LABEL_GB,
        cache_bytes=setup.cache_bytes[:, None],
    )


def _requests(setup: Setup, values: Values) -> Requests:
    return Requests(
        input_tokens=setup.input_tokens[:, None],
        output_tokens=setup.output_tokens[:, None],
        accepted=_accepted(setup, values)[:, None],
        checked=1.0 + setup.drafts[:, None],
        drafting=(setup.drafts * values["draft_cost"])[:, None],
        interference=np.where(setup.decode_only, 0.0, values["interference"] / setup.beams)[:, None],
    )


def _accepted(setup: Setup, values: Values) -> Floats:
    """Return tokens gained per step by model and draft head, 1 without drafts."""
    return accepted_tokens(setup.drafts, np.minimum(values["acceptance"], _MOST_ACCEPTED))


def _best(score: Floats, tried: Bools) -> Floats:
    """Return the largest score among the layouts tried, shape (n,)."""
    return np.where(tried, score, -np.inf).max(axis=1)


def _possible(setup: Setup, replica: Replica) -> Bools:
    """Return the layouts whose weights fit; all of a row's where none does (weights then stream anyway)."""
    fit = setup.tried & (replica.room_bytes > replica.weight_bytes)
    return np.where(fit.any(axis=1, keepdims=True), fit, setup.tried)


def _user_speed(setup: Setup, values: Values) -> UserTimes:
    replica = _replica(setup, values)
    replicas = np.maximum(setup.chips[:, None] / replica.chips, 1.0)
    batch = np.where(np.isnan(setup.batch), 1.0, setup.batch)[:, None] / replicas
    requests = _requests(setup, values)
    # Requests beyond what memory holds wait in the queue; those that decode are no more than fit.
    running = np.maximum(np.minimum(batch, sequences_that_fit(replica, requests)), 1.0)
    token_s, first_s = time_per_output_token_s(replica, requests, running), prompt_s(replica, requests)
    # Little's law: N in the system, b of them served, so a request takes N/b times its service.
    turns = np.maximum(batch, 1.0) / running
    waiting_s = (turns - 1.0) * (token_s * requests.output_tokens + first_s)
    return _times_of_best(setup, replica, token_s, first_s + waiting_s, turns)


def busy_shares(setup: Setup, values: Values) -> tuple[Floats, Floats]:
    """Return the shares of a decode step in which arithmetic and memory of rows at a stated batch work, (n,) each.

    The first layout tried counts: rows that state their layout, or of one chip.
    """
    replica, requests = _replica(setup, values), _requests(setup, values)
    batch = setup.batch[:, None] / _replicas(setup, replica)
    compute, memory = utilisation(replica, np.maximum(batch, 1.0), requests.context)
    return compute[:, 0], memory[:, 0]


def _times_of_best(
    setup: Setup, replica: Replica, token_s: Floats, first_s: Floats, turns: Floats
) -> UserTimes:
    """Return the times in the layout that serves most at once, and of those the fastest; none else is deployed."""
    possible = _possible(setup, replica)
    token_s, first, waits = np.broadcast_arrays(token_s, first_s, turns)
    fewest = np.where(possible, waits, np.inf).min(axis=1, keepdims=True)
    place = np.where(possible & (waits <= fewest), token_s, np.inf).argmin(axis=1)[:, None]
    return UserTimes(*(np.take_along_axis(times, place, axis=1)[:, 0] for times in (token_s, first)))


def _user_speed_apart(setup: Setup, values: Values) -> UserTimes:
    side = {name: column[:, None] for name, column in setup.prefill.items()}
    layout = Layout(side["tensor"], np.ones((1, 1)), side["data"], side["expert"])
    first, requests = _replica(setup, values, layout), _requests(setup, values)
    pool = disaggregated(
        first,
        _replica(setup, values),
        requests,
        side["workers"],
        setup.decode_workers[:, None],
        np.where(np.isnan(setup.batch), 1.0, setup.batch)[:, None],
    )
    prompt = np.broadcast_to(prompt_s(first, requests), setup.tried.shape)[:, 0]
    return UserTimes(
        1.0 / _best(1.0 / pool.time_per_output_token_s, setup.tried),
        prompt + _transfer_s(setup, values, prompt),
    )


def _transfer_s(setup: Setup, values: Values, prompt: Floats) -> Floats:
    """Return what moving the cache from prefill to decode workers adds to the first token, streamed by layers."""
    models = model_table().arrays.take(setup.model)
    moved = sequence_bytes(models, setup.input_tokens, setup.cache_bytes)
    link = chip_table().arrays.take(setup.chip).scaleout_b_s * values["link"]
    return exposed_transfer_s(transfer_s(moved, link, setup.prefill["tensor"]), prompt, models.layers)


def _pool_rate(setup: Setup, values: Values) -> Floats:
    """Return the throughput of a pool whose split is not told: half of the workers for prefill."""
    replica, requests = _replica(setup, values), _requests(setup, values)
    # Chats end where the model ends them: benchmarks that ask for a length get less on average.
    realised = requests.output_tokens * values["answer_share"][:, None]
    requests = replace(requests, output_tokens=realised)
    workers = np.maximum(0.5 * setup.chips[:, None] / replica.chips, 0.5)
    pool = disaggregated(replica, replica, requests, workers, workers, setup.batch[:, None])
    rate = pool.output_tokens_per_s(requests.output_tokens)
    return _in_metric(setup, _best(rate, _possible(setup, replica)) * values["load"])


def _in_metric(setup: Setup, rate: Floats) -> Floats:
    """Return output tokens/s of all chips in the unit of each row's metric."""
    factor = np.ones(len(setup))
    for i, metric in enumerate(setup.metric):
        if metric in {OUTPUT_CHIP, TOTAL_CHIP}:
            factor[i] = 1.0 / setup.chips[i]
        if metric == TOTAL_CHIP:
            factor[i] *= (setup.input_tokens[i] + setup.output_tokens[i]) / setup.output_tokens[i]
    return rate * factor


def _replicas(setup: Setup, replica: Replica) -> Floats:
    """Return replicas per row; a row that counts a part of a larger deployment holds a share of one."""
    return np.asarray(setup.chips[:, None] / replica.chips)


def _useful_batch(setup: Setup, values: Values, replica: Replica, requests: Requests) -> Floats:
    """Return the sequences of a replica under full load: what memory holds, up to a scheduler's limit."""
    room = sequences_that_fit(replica, requests)
    most = np.minimum(values["batch_limit"][:, None] * replica.chips, setup.most_sequences[:, None])
    return np.maximum(np.minimum(room, most), 1.0)


def _fullness(batch: Floats, half: Floats) -> Floats:
    """Return how far a stated batch is from a few users, ``b^2/(b^2 + h^2)``: 2% at a seventh of h, 1/2 at h."""
    return np.asarray(batch**2 / (batch**2 + half**2))


def _throughput(setup: Setup, values: Values) -> Floats:
    replica, requests = _replica(setup, values), _requests(setup, values)
    replicas = _replicas(setup, replica)
    stated = setup.batch[:, None] / replicas
    most = _useful_batch(setup, values, replica, requests)
    batch = np.where(np.isnan(stated), most, np.maximum(np.minimum(stated, np.maximum(most, 1.0)), 1.0))
    full = np.where(np.isnan(stated), 1.0, _fullness(batch, values["load_half_batch"][:, None]))
    # Few users in flight meet no scheduler's limits: what is lost under full load is not lost to them, and few of
    # their prompts wait at once for one pass.
    load = values["load"][:, None] ** full
    chunk = values["chunk_tokens"][:, None] * full
    # Users fewer than replicas keep no more of them busy than there are users.
    busy = np.where(np.isnan(stated), replicas, np.minimum(replicas, np.maximum(setup.batch, 1.0)[:, None]))
    rate = output_rate(replica, requests, batch, prompt_s(replica, requests, chunk)) * busy * load
    return _in_metric(setup, _best(rate, _possible(setup, replica)) / setup.beams)


def _within_limits(setup: Setup, values: Values) -> Floats:
    replica, requests = _replica(setup, values), _requests(setup, values)
    replicas = np.maximum(setup.chips[:, None] / replica.chips, 1.0)
    prompt = prompt_s(replica, requests, values["chunk_tokens"][:, None])
    most = _useful_batch(setup, values, replica, requests)
    limit = setup.tpot_s[:, None] * _SHARE_OF_LIMIT
    batch = batch_within_limit(replica, requests, limit, most, prompt)
    rate = output_rate(replica, requests, batch, prompt)
    alone = prompt_s(replica, requests)
    busy = busy_within_wait(alone * values["wait"][:, None], setup.ttft_s[:, None], 1.0, _TAIL)
    rate = np.minimum(rate, busy / prompt * requests.output_tokens) * replicas
    return _in_metric(setup, _best(rate, _possible(setup, replica)) * values["load"] / setup.beams)


def _at_speed(setup: Setup, values: Values) -> Floats:
    replica, requests = _replica(setup, values), _requests(setup, values)
    replicas = _replicas(setup, replica)
    most = _useful_batch(setup, values, replica, requests)
    batch = batch_within_limit(replica, requests, 1.0 / setup.speed[:, None], most)
    rate = output_rate(replica, requests, batch) * replicas
    modelled = _best(rate, _possible(setup, replica)) * values["load"]
    first = _best(-prompt_s(replica, requests), _possible(setup, replica))
    return _in_metric(
        setup, np.where(np.isnan(setup.batch), modelled, _by_littles_law(setup, modelled, -first))
    )


def _by_littles_law(setup: Setup, modelled: Floats, first_s: Floats) -> Floats:
    """Return the rate that concurrency and speed per user imply, B = X (first + S_o/speed).

    Where a row does not count its chips, the usual server size whose rate per chip is nearest to the modelled.
    """
    whole = setup.batch / (first_s / setup.output_tokens + 1.0 / setup.speed)
    per_chip = modelled / setup.chips
    distance = np.abs(np.log(whole[:, None] / _SERVER_SIZES / per_chip[:, None]))
    size = np.where(setup.counted, setup.chips, _SERVER_SIZES[np.argmin(distance, axis=1)])
    return whole / size * setup.chips


def _prefill_rate(setup: Setup, values: Values) -> Floats:
    replica, requests = _replica(setup, values), _requests(setup, values)
    replicas = np.maximum(setup.chips[:, None] / replica.chips, 1.0)
    chunk = np.where(np.isnan(setup.batch), values["chunk_tokens"], setup.batch * setup.input_tokens)[:, None]
    rate = setup.input_tokens[:, None] / prompt_s(replica, requests, chunk) * replicas
    best = _best(rate, _possible(setup, replica)) * values["load"]
    per_chip = np.array([metric in {OUTPUT_CHIP, TOTAL_CHIP} for metric in setup.metric])
    return np.where(per_chip, best / setup.chips, best)


def _layer_s(setup: Setup, values: Values) -> Floats:
    """Return the fixed time per layer of machines with weights in SRAM; compilers learn from 2024 on."""
    return values["stream_layer_s"] * np.exp(
        -values["stream_learning"] * np.maximum(setup.year - 2024.0, 0.0)
    )


def _on_chip(setup: Setup, values: Values) -> UserTimes:
    models = model_table().arrays.take(setup.model)
    chips = chip_table().arrays.take(setup.chip)
    accepted = _accepted(setup, values)
    layer = _layer_s(setup, values)
    batch = np.where(np.isnan(setup.batch), 1.0, setup.batch)
    token_s = stream_s(chips, models, setup.code, layer, setup.input_tokens, batch) / accepted
    return UserTimes(token_s, token_s)  # prompts pass the pipeline like tokens, many at a time


def _on_chip_rate(setup: Setup, values: Values) -> Floats:
    """Return the throughput of pipelines of SRAM chips, the best of those that keep batch and speed as stated.

    No public point measures one: where the batch is not stated, the parameter ``hardware.on_chip_fill`` says
    which share of a full pipeline is reached.
    """
    wide = (slice(None), None, None)
    models = model_table().arrays.take(setup.model[wide])
    groups = np.minimum(_GROUPS[:, None], models.layers)
    machine = pipeline(
        chip_table().arrays.take(setup.chip[wide]),
        models,
        setup.code[wide],
        _layer_s(setup, values)[wide],
        (setup.input_tokens + 0.5 * setup.output_tokens)[wide],
        groups,
        _MICRO_BATCHES,
    )
    accepted = _accepted(setup, values)
    machines = setup.chips[wide] / machine.chips  # rows that count a part of a machine have their share
    most = np.nan_to_num(setup.batch, nan=np.inf)[wide]
    asked = np.nan_to_num(setup.speed, nan=0.0)[wide]
    kept = (groups * _MICRO_BATCHES * machines <= most) & (accepted[wide] / machine.token_s >= asked)
    # Where none keeps what is stated, one sequence in one group comes nearest.
    kept[:, 0, 0] |= ~kept.any(axis=(1, 2))
    rate = np.where(kept, machine.tokens_per_s * machines, 0.0).max(axis=(1, 2))
    fill = np.where(np.isnan(setup.batch), default_of("hardware.on_chip_fill"), 1.0)
    return _in_metric(setup, rate * accepted * fill)


def _training(setup: Setup, values: Values) -> Floats:
    models = model_table().arrays.take(setup.model)
    chips = chip_table().arrays.take(setup.chip)
    narrow = (models.width / 8192.0) ** values["mfu_width"]
    share = values["mfu"] * narrow * (setup.chips / 256.0) ** -values["mfu_scale"] / maturity(setup, values)
    tokens = tokens_per_s_per_chip(chips, models, setup.code, share, setup.input_tokens)
    utilisation = np.array([metric == MFU for metric in setup.metric])
    system = np.array([metric == SYSTEM for metric in setup.metric])
    return np.where(utilisation, share, np.where(system, tokens * setup.chips, tokens))


_BY_KIND: dict[Kind, Callable[[Setup, Values], Any]] = {
    Kind.STREAM: _user_speed,
    Kind.STREAM_APART: _user_speed_apart,
    Kind.OFFLINE: _throughput,
    Kind.SERVER: _within_limits,
    Kind.AT_SPEED: _at_speed,
    Kind.PREFILL: _prefill_rate,
    Kind.ON_CHIP: _on_chip,
    Kind.TRAINING: _training,
    Kind.POOL: _pool_rate,
    Kind.ON_CHIP_LOAD: _on_chip_rate,
}
_ONE_USER = (Kind.STREAM, Kind.STREAM_APART, Kind.ON_CHIP)
