"""From the conditions of measured points to what the kernel needs: kinds, defaults, layouts, levels.

Every rule for a blank cell is here: what MLPerf logs leave out, chips not counted, layouts not told. A row
whose chip, model or metric the core does not know is skipped with the reason, not guessed.
"""

import csv
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from importlib.resources import files

import numpy as np

from computemarket.analysis.hardware.perf_points import Conditions
from computemarket.model.core.arrays import Bools, Floats, Ints
from computemarket.model.hardware.specs.chips import ChipTable, chip_table
from computemarket.model.hardware.specs.models import ModelTable, model_table
from computemarket.model.hardware.specs.precision import CACHE_BYTES, FORMATS, format_code


class Kind(IntEnum):
    """How a row is predicted."""

    STREAM = 0  # tokens/s of one user, prefill and decode on the same chips
    STREAM_APART = 1  # the same with prefill on other workers
    OFFLINE = 2  # throughput at a stated batch, or at the largest useful one
    SERVER = 3  # throughput within latency limits
    AT_SPEED = 4  # throughput at a stated speed per user
    PREFILL = 5
    ON_CHIP = 6  # tokens/s of one user on machines that hold the weights in SRAM
    TRAINING = 7
    POOL = 8  # throughput of prefill and decode workers, half of the chips each
    ON_CHIP_LOAD = 9  # throughput of machines that hold the weights in SRAM


PHASES = ("decode", "single_stream", "offline_total", "server", "prefill", "training")
USER, SYSTEM = "tokens_per_s_per_user", "tokens_per_s_system"
OUTPUT_CHIP, TOTAL_CHIP, MFU = "output_tokens_per_s_per_gpu", "total_tokens_per_s_per_gpu", "mfu"
METRICS = (USER, SYSTEM, OUTPUT_CHIP, TOTAL_CHIP, MFU)
_TRAINING_METRICS = (SYSTEM, TOTAL_CHIP, MFU)
_ENGINES = (
    ("trt", "trtllm"),
    ("tensorrt", "trtllm"),
    ("vllm", "vllm"),
    ("sglang", "sglang"),
    ("llm-d", "vllm"),
)
_WIDE_CACHE = ("vllm", "sglang")
_WIDE_SIZES = (32, 64)  # expert parallelism beyond one server, where prefill runs apart
_VLLM_SEQUENCES = 256.0  # max_num_seqs as delivered
_MANY_EXPERTS = 32  # from here on experts are fine-grained (DeepSeekMoE, 2024)
_LAYOUTS = 16  # most layouts tried for one row
_SIZES = (1, 2, 4, 8, 16)
_WIDE_CHIPS = 8  # chips of the server when a row does not count them
_DEFAULT_AGE = 2.0  # years since launch for chips without a date
_YEAR = 2026.0
_TRAINING_TOKENS = 8192
_FLAGS = ("speculative", "offline_max_load")  # of the numbers, those that may be zero


@dataclass(frozen=True)
class Setup:
    """Rows ready for the kernel; arrays have shape (n,), layouts (n, L)."""

    rows: Ints  # place of each row in the file
    kind: Ints
    chip: Ints
    model: Ints
    code: Ints
    chips: Floats  # chips counted, at least 1
    counted: Bools  # the row counts its chips
    batch: Floats  # sequences in flight over all chips, NaN where not stated
    input_tokens: Floats
    output_tokens: Floats
    metric: tuple[str, ...]
    scenario: tuple[str, ...]
    speculative: Bools
    most_sequences: Floats  # of a replica, by the engine's default
    speed: Floats  # tokens/s of one user that is asked for, NaN otherwise
    ttft_s: Floats
    tpot_s: Floats
    age: Floats  # years since both chip and model were out
    year: Floats
    audited_kind: Bools  # MLPerf conditions: a scenario is named
    beams: Floats  # width of the beam search that a benchmark prescribes
    decode_only: Bools  # the rate of decode workers, prefill elsewhere
    cache_bytes: Floats  # per cached value
    tensor: Floats  # (n, L)
    pipeline: Floats
    data: Floats
    expert: Floats
    tried: Bools  # (n, L) which layouts count
    prefill: dict[str, Floats]  # workers, tensor, data, expert of the prefill side
    decode_workers: Floats
    levels: tuple[tuple[str, ...], ...]

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True)
class Workload:
    """Usual lengths and latency limits of a model's benchmark."""

    input_tokens: float
    output_tokens: float
    ttft_s: dict[str, float]
    tpot_s: dict[str, float]
    beams: float


@cache
def workloads() -> dict[str, Workload]:
    """Return the documented lengths and limits by model; ``*`` for any other."""
    text = (files("computemarket.model.data") / "serving_workloads.csv").read_text(encoding="utf-8")
    table = {}
    for row in csv.DictReader(text.splitlines()):
        limits = {
            name: {
                scenario: float(row[f"{scenario}_{name}_s"])
                for scenario in ("server", "interactive")
                if row[f"{scenario}_{name}_s"]
            }
            for name in ("ttft", "tpot")
        }
        table[row["model"]] = Workload(
            float(row["input_tokens"]),
            float(row["output_tokens"]),
            limits["ttft"],
            limits["tpot"],
            float(row["beams"]),
        )
    return table


@cache
def default_formats() -> dict[str, str]:
    """Return the format of a row that states none: by model as released, else by software stack."""
    text = (files("computemarket.model.data") / "default_formats.csv").read_text(encoding="utf-8")
    return {row["match"]: row["format"] for row in csv.DictReader(text.splitlines())}


def prepare(conditions: Conditions) -> tuple[Setup, dict[int, str]]:
    """Return what the kernel needs of every row it can predict, and why it cannot predict the others.

    Returns
    -------
    setup of the predictable rows; reason by place of the row in ``conditions``
    """
    chips, models = chip_table(), model_table()
    skipped = {i: reason for i in range(len(conditions)) if (reason := _reason(conditions, i, chips, models))}
    kept = [i for i in range(len(conditions)) if i not in skipped]
    return _setup(_stated(conditions.take(kept)), kept, chips, models), skipped


def _stated(conditions: Conditions) -> Conditions:
    """Return conditions in which a count, size or length of zero is not stated: nothing runs on no chips."""
    numbers = {
        name: column if name in _FLAGS else np.where(column > 0, column, np.nan)
        for name, column in conditions.numbers.items()
    }
    return Conditions(conditions.words, numbers)


def _reason(conditions: Conditions, i: int, chips: ChipTable, models: ModelTable) -> str:
    words = {name: column[i] for name, column in conditions.words.items()}
    if words["accelerator"] not in chips.ids:
        return f"unknown chip {words['accelerator'] or '(blank)'}"
    if words["model"] not in models.ids:
        return f"unknown model {words['model'] or '(blank)'}"
    if words["phase"] not in PHASES:
        return f"unknown phase {words['phase'] or '(blank)'}"
    if words["metric"] not in METRICS:
        return f"unknown metric {words['metric'] or '(blank)'}"
    training, metric = words["phase"] == "training", words["metric"]
    if (training and metric not in _TRAINING_METRICS) or (not training and metric == MFU):
        return f"metric {metric} is not defined for {words['phase']}"
    return ""


def _setup(conditions: Conditions, kept: list[int], chips: ChipTable, models: ModelTable) -> Setup:
    words, numbers = conditions.words, conditions.numbers
    n = len(kept)
    chip = np.array([chips.ids.index(name) for name in words["accelerator"]], dtype=np.int64)
    model = np.array([models.ids.index(name) for name in words["model"]], dtype=np.int64)
    code = np.array([_format(words, i, chips.stacks[chip[i]]) for i in range(n)], dtype=np.int64)
    work = [workloads().get(name, workloads()["*"]) for name in words["model"]]
    usual = [
        _training_length(name) if phase == "training" else w.input_tokens
        for name, phase, w in zip(words["model"], words["phase"], work, strict=True)
    ]
    sent = _filled(numbers["input_len"], np.array(usual))
    answered = _filled(numbers["output_len"], np.array([w.output_tokens for w in work]))
    year = np.array([_calendar_year(date) for date in words["date"]])
    released = np.array([_release(name) for name in words["model"]])
    launched = np.take(chips.arrays.launch_years, chip)
    born = np.fmax(launched, released)
    age = np.maximum(np.where(np.isnan(born), _DEFAULT_AGE, year - born), 0.0)
    n_chips = _chip_counts(conditions, chips, chip)
    kind = np.array([_kind(words, numbers, i, chips, chip[i]) for i in range(n)], dtype=np.int64)
    scenario = tuple(
        name or ("server" if words["phase"][i] == "server" else "")
        for i, name in enumerate(words["scenario"])
    )
    layouts, tried = _layouts(conditions, kind, n_chips, chips, chip, models, model)
    prefill = {
        name: _filled(numbers[f"prefill_{column}"], np.ones(n))
        for name, column in (("workers", "workers"), ("tensor", "tp"), ("data", "dp"), ("expert", "ep"))
    }
    return Setup(
        rows=np.array(kept, dtype=np.int64),
        kind=kind,
        chip=chip,
        model=model,
        code=code,
        chips=n_chips,
        counted=~np.isnan(numbers["n_chips"]),
        batch=numbers["batch_or_concurrency"],
        input_tokens=np.maximum(sent, 1.0),
        output_tokens=np.maximum(answered, 1.0),
        metric=words["metric"],
        scenario=scenario,
        speculative=np.array([_drafts(words, numbers, i) for i in range(n)], dtype=bool),
        most_sequences=np.array([_most_sequences(words, i) for i in range(n)]),
        speed=numbers["interactivity_tok_s_user"],
        ttft_s=np.array([_limit(w.ttft_s, name) for w, name in zip(work, scenario, strict=True)]),
        tpot_s=np.array([_limit(w.tpot_s, name) for w, name in zip(work, scenario, strict=True)]),
        age=age,
        year=year,
        audited_kind=np.array([bool(name) for name in words["scenario"]]),
        beams=np.array([w.beams if name else 1.0 for w, name in zip(work, words["scenario"], strict=True)]),
        decode_only=np.array([_decode_only(words, i) for i in range(n)], dtype=bool),
        cache_bytes=np.array([_cache_bytes(words, i, code[i]) for i in range(n)]),
        tensor=layouts["tensor"],
        pipeline=layouts["pipeline"],
        data=layouts["data"],
        expert=layouts["expert"],
        tried=tried,
        prefill=prefill,
        decode_workers=_filled(numbers["decode_workers"], np.ones(n)),
        levels=tuple(
            _levels(words, i, chips, chip[i], models, model[i], code[i], Kind(kind[i])) for i in range(n)
        ),
    )


def _filled(values: Floats, default: Floats) -> Floats:
    return np.where(np.isnan(values), default, values)


def _limit(limits: dict[str, float], scenario: str) -> float:
    return (
        limits.get(scenario, limits.get("server", np.inf))
        if scenario in {"server", "interactive"}
        else np.inf
    )


def _calendar_year(date: str) -> float:
    """Return a month ``YYYY-MM`` as calendar years; a blank date is the last recorded year."""
    return int(date[:4]) + (int(date[5:7]) - 1) / 12 if date else _YEAR


@cache
def _training_length(model: str) -> float:
    """Return the usual training length: 8,192 tokens, or the model's context where that is shorter."""
    from computemarket.model.catalogue import load_catalogue

    return float(min(load_catalogue().llm_models[model].max_context or _TRAINING_TOKENS, _TRAINING_TOKENS))


@cache
def _releases() -> dict[str, float]:
    from computemarket.model.catalogue import load_catalogue

    return {row.id: _calendar_year(row.release) for row in load_catalogue().llm_models if row.release}


def _release(model: str) -> float:
    return _releases().get(model, np.nan)


def _format(words: dict[str, tuple[str, ...]], i: int, stack: str) -> int:
    stated = words["precision"][i]
    known = default_formats()
    return format_code(stated or known.get(words["model"][i], known.get(stack, known["*"])))


def _decode_only(words: dict[str, tuple[str, ...]], i: int) -> bool:
    """Return whether a row states what decode workers yield, prompts being processed elsewhere."""
    return words["phase"][i] == "decode" and words["metric"][i] != USER


def _apart(words: dict[str, tuple[str, ...]], i: int) -> bool:
    """Return whether prefill runs on other chips, as far as the words tell."""
    return words["mode"][i] == "disagg" or "disagg" in words["software"][i].lower() or _decode_only(words, i)


def _cache_bytes(words: dict[str, tuple[str, ...]], i: int, code: int) -> float:
    """Return bytes per cached value: vLLM and SGLang keep 16 bits unless told otherwise, benchmarks tune."""
    untuned = (
        _engine(words["software"][i]) in _WIDE_CACHE and not words["mode"][i] and not words["scenario"][i]
    )
    return 2.0 if untuned else float(CACHE_BYTES[code])


def _names_drafts(software: str) -> bool:
    return any(part in software.lower() for part in ("mtp", "eagle", "specul"))


def _drafts(words: dict[str, tuple[str, ...]], numbers: dict[str, Floats], i: int) -> bool:
    """Return whether the rate includes speculative decoding.

    Where an open engine is named without its drafting method, the flag tells that the source reports drafts as
    well, and the row is the rate without them.
    """
    flagged = numbers["speculative"][i] > 0
    software = words["software"][i]
    plain = _engine(software) in _WIDE_CACHE and not _names_drafts(software)
    return bool(flagged and not plain)


def _most_sequences(words: dict[str, tuple[str, ...]], i: int) -> float:
    """Return the scheduler's limit of sequences where an engine runs as delivered."""
    as_delivered = not words["mode"][i] and not words["scenario"][i]
    return _VLLM_SEQUENCES if as_delivered and _engine(words["software"][i]) == "vllm" else np.inf


def _engine(software: str) -> str:
    text = software.lower()
    return next((name for part, name in _ENGINES if part in text), "other")


def _kind(
    words: dict[str, tuple[str, ...]], numbers: dict[str, Floats], i: int, chips: ChipTable, chip: int
) -> Kind:
    phase, metric = words["phase"][i], words["metric"][i]
    if phase == "training":
        return Kind.TRAINING
    if phase == "prefill":
        return Kind.PREFILL
    one_stream = metric == USER or phase == "single_stream"
    if chips.arrays.on_chip[chip]:
        return Kind.ON_CHIP if one_stream else Kind.ON_CHIP_LOAD
    if one_stream:
        apart = words["mode"][i] == "disagg" and not np.isnan(numbers["decode_workers"][i])
        return Kind.STREAM_APART if apart else Kind.STREAM
    if phase == "server":
        return Kind.SERVER
    if not np.isnan(numbers["interactivity_tok_s_user"][i]):
        return Kind.AT_SPEED
    if _apart(words, i) and not np.isnan(numbers["batch_or_concurrency"][i]) and not _decode_only(words, i):
        return Kind.POOL
    return Kind.OFFLINE


def _chip_counts(conditions: Conditions, chips: ChipTable, chip: Ints) -> Floats:
    """Return the chips of each row; where not counted, those its layout names, else one server."""
    numbers = conditions.numbers
    told = numbers["n_chips"]
    layout = np.array([_layout_size(name) for name in conditions.words["layout"]])
    tensor = _filled(numbers["tensor_parallel"], np.ones(len(chip)))
    data = _filled(numbers["attention_data_parallel"], np.ones(len(chip)))
    stages = _filled(numbers["pipeline_parallel"], np.ones(len(chip)))
    named = np.where(layout > 0, layout, tensor * data * stages)
    unknown = np.isnan(numbers["tensor_parallel"]) & (layout == 0)
    server = np.minimum(_WIDE_CHIPS, np.maximum(np.take(chips.arrays.domain, chip), _WIDE_CHIPS))
    return np.maximum(_filled(told, np.where(unknown, server, named)), 1.0)


def _layout_size(layout: str) -> float:
    digits = layout.lstrip("TPDE")
    return float(digits) if layout and digits.isdigit() else 0.0


def _layouts(
    conditions: Conditions,
    kind: Ints,
    n_chips: Floats,
    chips: ChipTable,
    chip: Ints,
    models: ModelTable,
    model: Ints,
) -> tuple[dict[str, Floats], Bools]:
    """Return the sizes of the layouts to try, shape (n, L), and which entries count.

    A row tries the layout it states, else all usual ones that its chips allow. Operators choose the layout that
    serves most; the row's best one counts.
    """
    n = len(kind)
    columns = {name: np.ones((n, _LAYOUTS)) for name in ("tensor", "pipeline", "data", "expert")}
    tried = np.zeros((n, _LAYOUTS), dtype=bool)
    for i in range(n):
        mixture = bool(models.arrays.experts[model[i]] > 0)
        options = _options(conditions, i, n_chips[i], mixture, bool(chips.arrays.switched[chip[i]]))
        for j, option in enumerate(options[:_LAYOUTS]):
            for name, size in zip(columns, option, strict=True):
                columns[name][i, j] = size
            tried[i, j] = True
    return columns, tried


def _options(
    conditions: Conditions, i: int, n_chips: float, mixture: bool, switched: bool
) -> list[tuple[float, float, float, float]]:
    """Return (tensor, pipeline, data, expert) sizes of the layouts of one row."""
    numbers = {name: column[i] for name, column in conditions.numbers.items()}
    layout = conditions.words["layout"][i]
    stages = 1.0 if np.isnan(numbers["pipeline_parallel"]) else max(numbers["pipeline_parallel"], 1.0)
    if layout.startswith("DEP"):
        ranks = min(_layout_size(layout), n_chips)
        return [(1.0, stages, ranks, ranks)]
    if not np.isnan(numbers["decode_tp"]):
        tensor, data, expert = (np.fmax(numbers[f"decode_{name}"], 1.0) for name in ("tp", "dp", "ep"))
        return [(float(tensor), 1.0, float(data), float(expert))]
    stated = numbers["tensor_parallel"]
    if not np.isnan(stated):
        # Trainium and Inferentia rows count cores: a replica never has more chips than the row.
        tensor = min(max(stated, 1.0), n_chips)
        data = 1.0 if np.isnan(numbers["attention_data_parallel"]) else numbers["attention_data_parallel"]
        expert = 1.0 if np.isnan(numbers["expert_parallel"]) else numbers["expert_parallel"]
        options = [(tensor, stages, max(data, 1.0), max(expert, 1.0))]
        if mixture and tensor > 1 and np.isnan(numbers["attention_data_parallel"]):
            options.append((1.0, stages, tensor, tensor))
        return options
    sizes = [float(size) for size in _SIZES if size <= n_chips]
    options = [(size, stages, 1.0, 1.0) for size in sizes if size <= _WIDE_CHIPS]
    if stages == 1.0 and not switched:
        options += [(1.0, size, 1.0, 1.0) for size in sizes[1:] if size <= _WIDE_CHIPS]
    if mixture:
        wide = list(_SIZES[1:] + _WIDE_SIZES) if _apart(conditions.words, i) else sizes[1:]
        options += [(1.0, stages, float(size), float(size)) for size in wide]
    return options


def _levels(
    words: dict[str, tuple[str, ...]],
    i: int,
    chips: ChipTable,
    chip: int,
    models: ModelTable,
    model: int,
    code: int,
    kind: Kind,
) -> tuple[str, ...]:
    """Return the levels whose effects apply to a row."""
    stack, generation = chips.stacks[chip], chips.generations[chip]
    levels = [stack]
    if generation != stack:
        levels.append(generation)
    levels.append(f"chip:{chips.ids[chip]}")
    mixture = bool(models.arrays.experts[model] > 0)
    levels.append("mixture" if mixture else "dense")
    levels.append(f"attention:{models.attention[model]}")
    if np.isfinite(models.arrays.sparse_tokens[model]):
        levels.append("sparse")
    levels.append(f"model:{models.ids[model]}")
    levels.append(f"format:{FORMATS[code]}")
    if not chips.arrays.native[chip, code]:
        levels.append("widened")
    if not chips.arrays.switched[chip]:
        levels.append("host_bus")
    levels.append(f"engine:{_engine(words['software'][i])}")
    levels.append(f"kind:{kind.name.lower()}")
    if words["scenario"][i]:
        levels.append("mlperf")
        levels.append(f"mlperf:{words['scenario'][i]}")
    if words["mode"][i]:
        levels.append(f"mode:{words['mode'][i]}")
    if _names_drafts(words["software"][i]):
        levels.append("drafts")
    if not words["software"][i]:
        levels.append("service")  # nothing is said of the software: the rate of an interface, not of a server
    if models.arrays.n_experts[model] >= _MANY_EXPERTS:
        levels.append("many_experts")
    return tuple(levels)
