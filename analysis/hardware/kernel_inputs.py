"""From the conditions of measured points to what the kernel needs: kinds, defaults, layouts, levels.

Every rule for a blank cell is here: what MLPerf logs leave out, chips not counted, layouts not told. A row
whose chip, model or metric the core does not know is skipped with the reason, not guessed.
"""

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from importlib.resources import files
from types import MappingProxyType

import numpy as np

from computemarket.analysis.hardware.points.perf_points import Conditions
from computemarket.model.core.arrays import Bools, Floats, Ints
from computemarket.model.core.texts import nearest
from computemarket.model.hardware.performance.feasibility import context_fault, layout_fault, memory_fault
from computemarket.model.hardware.performance.roofline import Layout
from computemarket.model.hardware.specs.chips import DIES_TOLD_AS_CHIPS, ChipTable, chip_table
from computemarket.model.hardware.specs.maturity import UNKNOWN_STACK, stack_speeds
from computemarket.model.hardware.specs.models import ModelTable, model_table
from computemarket.model.hardware.specs.names import known_name, nearest_chip
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
# Of one user: time per output token after the first, time to the first, and the rate of the answer from request to end.
MS_PER_TOKEN, TTFT_MS, E2E_USER = "ms_per_token", "ttft_ms", "e2e_tokens_per_s_per_user"
OF_ONE_USER = (USER, MS_PER_TOKEN, TTFT_MS, E2E_USER)
METRICS = (*OF_ONE_USER, SYSTEM, OUTPUT_CHIP, TOTAL_CHIP, MFU)
_METRIC_NAMES = MappingProxyType(
    {
        **dict.fromkeys(
            ("ms_per_output_token", "time_per_output_token_ms", "tpot_ms", "mean_tpot_ms", "itl_ms", "tpot",
             "inter_token_latency_ms", "latency_ms_per_token", "ms_per_token_per_user", "ms/token"),
            MS_PER_TOKEN,
        ),
        **dict.fromkeys(("time_to_first_token_ms", "mean_ttft_ms", "ttft"), TTFT_MS),
        **dict.fromkeys(
            ("e2e_tokens_per_s", "end_to_end_tokens_per_s_per_user", "e2e_output_tokens_per_s_per_user"), E2E_USER
        ),
    }
)  # fmt: skip
_PART_OF_LARGER = 1.25  # memory over that of the chips counted which rows of one phase are allowed
_PADDING = frozenset({"neuron"})  # compilers that fill up heads and count cores as ranks
_DIES_COUNTED = frozenset({"tpu"})  # Ironwood's two dies are addressed as two devices
_TRAINING_METRICS = (SYSTEM, TOTAL_CHIP, MFU)
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
    drafts: Floats  # tokens drafted per step, 0 without speculative decoding
    engine_age: Floats  # years since the engine's first release
    lag: Floats  # how much slower than the leader's the software stack learns, 0..1
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
    traits: tuple[
        dict[str, str], ...
    ]  # what decides how well a row is known: stack, chip, model, engine, year

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


def prepare(
    conditions: Conditions, faults: Mapping[int, str] = MappingProxyType({})
) -> tuple[Setup, dict[int, str]]:
    """Return what the kernel needs of every row it can predict, and why it cannot predict the others.

    Parameters
    ----------
    faults : rows that could not be read, with the reason

    Returns
    -------
    setup of the predictable rows; reason by place of the row in ``conditions``
    """
    chips, models = chip_table(), model_table()
    conditions = _stated(_named(conditions, models))
    skipped = dict(faults)
    for i in range(len(conditions)):
        if i not in skipped and (reason := _reason(conditions, i, chips, models)):
            skipped[i] = reason
    kept = [i for i in range(len(conditions)) if i not in skipped]
    return _setup(conditions.take(kept), kept, chips, models), skipped


def _named(conditions: Conditions, models: ModelTable) -> Conditions:
    """Return conditions with models by id, whatever they are called (Hugging Face), and metrics by their usual name."""
    words = dict(conditions.words)
    words["model"] = tuple(known_name(name, models.ids) or name for name in words["model"])
    words["metric"] = tuple(_METRIC_NAMES.get(name.lower(), name) for name in words["metric"])
    return Conditions(words, conditions.numbers)


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
        near = nearest_chip(words["accelerator"], chips.ids)
        return f"unknown chip {words['accelerator'] or '(blank)'}{near}"
    if words["model"] not in models.ids:
        return f"unknown model {words['model'] or '(blank)'}{nearest(words['model'], models.ids)}"
    if words["phase"] not in PHASES:
        return f"unknown phase {words['phase'] or '(blank)'}"
    if words["metric"] not in METRICS:
        return f"unknown metric {words['metric'] or '(blank)'}"
    training, metric = words["phase"] == "training", words["metric"]
    if (training and metric not in _TRAINING_METRICS) or (not training and metric == MFU):
        return f"metric {metric} is not defined for {words['phase']}"
    return _impossible(conditions, i, chips, models)


def _impossible(conditions: Conditions, i: int, chips: ChipTable, models: ModelTable) -> str:
    """Return why a row cannot have been measured: lengths, layout or memory; "" where it can."""
    words, numbers = conditions.words, {name: column[i] for name, column in conditions.numbers.items()}
    chip, model = chips.ids.index(words["accelerator"][i]), models.ids.index(words["model"][i])
    training = words["phase"][i] == "training"
    if not training and (fault := context_fault(models, model, numbers["input_len"], numbers["output_len"])):
        return fault
    pads = chips.stacks[chip] in _PADDING
    told = numbers["n_chips"] * (DIES_TOLD_AS_CHIPS if chips.stacks[chip] in _DIES_COUNTED else 1)
    for side in ("", "prefill_", "decode_"):
        sizes = (
            (f"{side}tp", f"{side}ep", f"{side}dp")
            if side
            else ("tensor_parallel", "expert_parallel", "attention_data_parallel")
        )
        tensor, expert, data = (numbers[name] for name in sizes)
        stages, count = (np.nan, np.nan) if side else (numbers["pipeline_parallel"], told)
        if fault := layout_fault(models, model, tensor, stages, expert, data, count, pads):
            return fault
    return (
        "" if training or chips.arrays.on_chip[chip] else _too_big(conditions, i, chips, chip, models, model)
    )


def _too_big(
    conditions: Conditions, i: int, chips: ChipTable, chip: int, models: ModelTable, model: int
) -> str:
    """Return why weights and one sequence do not fit the chips counted or named by the layout.

    A row of one phase alone may count a part of a larger deployment, which holds a little more than the part could.
    """
    words, numbers = conditions.words, {name: column[i] for name, column in conditions.numbers.items()}
    sizes = [numbers[f"{name}_parallel"] for name in ("tensor", "pipeline", "attention_data")]
    named = float(np.prod([size for size in sizes if size > 0])) if sizes[0] > 0 else np.nan
    count = np.fmax(numbers["n_chips"], np.nan if numbers["n_chips"] > 0 else named)
    part = _apart(words, i) or words["phase"][i] == "prefill"
    if not count > 0:
        return ""
    code = _format(words, i, chips.stacks[chip])
    mixture = bool(models.arrays.experts[model] > 0)
    options = _options(conditions, i, float(count), mixture, bool(chips.arrays.switched[chip]))
    told = ("tensor_parallel", "decode_tp")
    if not words["layout"][i] and all(np.isnan(conditions.numbers[name][i]) for name in told):
        options = [(float(count), 1.0, 1.0, 1.0)]  # spread as thin as can be
    layout = Layout(*np.array(options).T)
    stated = np.nan_to_num(conditions.numbers["input_len"][i] + conditions.numbers["output_len"][i])
    slack = _PART_OF_LARGER if part else 1.0
    return memory_fault(chips, chip, models, model, code, layout, float(stated), slack)


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
        drafts=np.array([_draft_length(words, numbers, i) for i in range(n)]),
        engine_age=np.array([_engine_age(words["software"][i], year[i]) for i in range(n)]),
        lag=np.array([1.0 - stack_speeds().get(chips.stacks[c], UNKNOWN_STACK)[0] for c in chip]),
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
        traits=tuple(
            {
                "stack": chips.stacks[chip[i]],
                "chip": chips.ids[chip[i]],
                "model": models.ids[model[i]],
                "engine": f"{_engine(words['software'][i])} on {chips.stacks[chip[i]]}",
                "year": words["date"][i][:4],
            }
            for i in range(n)
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
    return words["phase"][i] == "decode" and words["metric"][i] not in OF_ONE_USER


def _apart(words: dict[str, tuple[str, ...]], i: int) -> bool:
    """Return whether prefill runs on other chips, as far as the words tell."""
    return words["mode"][i] == "disagg" or "disagg" in words["software"][i].lower() or _decode_only(words, i)


def _cache_bytes(words: dict[str, tuple[str, ...]], i: int, code: int) -> float:
    """Return bytes per cached value: vLLM and SGLang keep 16 bits unless told otherwise, benchmarks tune."""
    untuned = (
        _engine(words["software"][i]) in _WIDE_CACHE and not words["mode"][i] and not words["scenario"][i]
    )
    return 2.0 if untuned else float(CACHE_BYTES[code])


# Part of the software's name, and how drafts are made.
_DRAFTS = (
    ("mtp", "mtp"),
    ("dspark", "mtp"),
    ("eagle", "eagle"),
    ("medusa", "eagle"),
    ("ngram", "ngram"),
    ("n-gram", "ngram"),
    ("lookahead", "ngram"),
    ("specul", "model"),
    ("draft", "model"),
)
# Tokens drafted per step where a row does not say: recipes of MTP and EAGLE-3 as delivered, draft models, and the long
# drafts of closed services (tokens/s with drafts over without go to 6.7, more than any three drafts yield).
_USUAL_DRAFTS = MappingProxyType({"mtp": 3.0, "eagle": 3.0, "ngram": 3.0, "model": 7.0, "service": 8.0})
_DRAFT_LENGTH = re.compile(r"mtp[-_ ]?(\d+)|(\d+)[-_ ]?(?:draft|speculative)")


def _method(software: str) -> str:
    """Return how drafts are made, as far as the software's name says, else ""."""
    text = software.lower()
    return next((name for part, name in _DRAFTS if part in text), "")


def _drafts(words: dict[str, tuple[str, ...]], numbers: dict[str, Floats], i: int) -> bool:
    """Return whether the rate includes speculative decoding: flagged, or a method named and not flagged off."""
    flag = numbers["speculative"][i]
    return bool(flag > 0 or (np.isnan(flag) and _method(words["software"][i])))


def _draft_length(words: dict[str, tuple[str, ...]], numbers: dict[str, Floats], i: int) -> float:
    """Return the tokens drafted per step, 0 without drafts: as named (MTP3, 4 draft tokens), else the usual."""
    if not _drafts(words, numbers, i):
        return 0.0
    told = _DRAFT_LENGTH.search(words["software"][i].lower())
    if told:
        return float(next(part for part in told.groups() if part))
    software = words["software"][i]
    return _USUAL_DRAFTS[_method(software) or ("mtp" if software else "service")]


def _most_sequences(words: dict[str, tuple[str, ...]], i: int) -> float:
    """Return the scheduler's limit of sequences where an engine runs as delivered."""
    as_delivered = not words["mode"][i] and not words["scenario"][i]
    return _VLLM_SEQUENCES if as_delivered and _engine(words["software"][i]) == "vllm" else np.inf


@cache
def _engines() -> tuple[tuple[str, str, float], ...]:
    """Return serving engines in the order of matching: part of the software's name, engine, year of first release."""
    text = (files("computemarket.model.data") / "engines.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return tuple((row["match"], row["engine"], _calendar_year(row["first_release"])) for row in rows)


@cache
def _engine(software: str) -> str:
    text = software.lower()
    return next((name for part, name, _ in _engines() if part in text), "other")


def _engine_age(software: str, year: float) -> float:
    """Return the years since an engine's first release; an engine without a date counts as grown up."""
    text = software.lower()
    born = next((since for part, _, since in _engines() if part in text), -np.inf)
    return max(year - born, 0.0)


def _kind(
    words: dict[str, tuple[str, ...]], numbers: dict[str, Floats], i: int, chips: ChipTable, chip: int
) -> Kind:
    phase, metric = words["phase"][i], words["metric"][i]
    if phase == "training":
        return Kind.TRAINING
    if phase == "prefill":
        return Kind.PREFILL
    one_stream = metric in OF_ONE_USER or phase == "single_stream"
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
    if FORMATS[code] == "fp4" and chips.arrays.native[chip, code]:
        levels.append("native4")  # experts of four bits in one fused kernel
    if not chips.arrays.switched[chip]:
        levels.append("host_bus")
    levels.append(f"engine:{_engine(words['software'][i])}")
    levels.append(f"kind:{kind.name.lower()}")
    if words["scenario"][i]:
        levels.append("mlperf")
        levels.append(f"mlperf:{words['scenario'][i]}")
    if not words["mode"][i] and not words["scenario"][i] and _engine(words["software"][i]) != "trtllm":
        levels.append("delivered")  # neither a tuned recipe nor a submission nor the chip maker's own engine
    if words["mode"][i]:
        levels.append(f"mode:{words['mode'][i]}")
    if method := _method(words["software"][i]):
        levels.append(f"drafts:{method}")
    if not words["software"][i]:
        levels.append("service")  # nothing is said of the software: the rate of an interface, not of a server
    if models.arrays.n_experts[model] >= _MANY_EXPERTS:
        levels.append("many_experts")
    return tuple(levels)
