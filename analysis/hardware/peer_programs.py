"""Ask other predictors about the same rows: GenZ and llm-analysis, where they are installed.

Neither is a dependency (their requirements pin old libraries): ``pip install genz-llm llm-analysis`` in an
environment of its own, and see ``docs/performance.md``. Chips are given to them by their specifications, requests
by batch and lengths; a row that a program cannot answer is NaN, and so is every row where it is not installed.
"""

import contextlib
import importlib
import io
import logging
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from computemarket.analysis.hardware.kernel_inputs import Kind, Setup
from computemarket.model.catalogue import load_catalogue
from computemarket.model.core.arrays import Floats
from computemarket.model.hardware.specs.chips import chip_table
from computemarket.model.hardware.specs.models import model_table
from computemarket.model.hardware.specs.precision import FORMATS

_MS = 1000.0
_TERA, _GIGA = 1e12, 1e9
_FP16, _INT8 = FORMATS.index("fp16"), FORMATS.index("int8")
_GENZ_MODELS = {
    "llama3_1_70b": "meta-llama/meta-llama-3.1-70b",
    "llama3_1_8b": "meta-llama/meta-llama-3.1-8b",
    "llama3_1_405b": "meta-llama/meta-llama-3.1-405b",
    "mixtral_8x7b": "mistralai/Mixtral-8x7B",
}
_GENZ_BITS = {"fp16": "bf16", "fp8": "fp8", "fp4": "int4", "int8": "int8", "int4": "int4", "fp6": "int8"}
_BITS = {"fp16": 16, "fp8": 8, "fp6": 8, "fp4": 4, "int8": 8, "int4": 4}
_LAUNCH_S = 8e-6  # least latency of a message in llm-analysis' own files of accelerators
_GATED = 1.5  # its feed-forward has two matrices; gated ones have three
_NO_ANSWER = (ValueError, AssertionError, ZeroDivisionError)  # what the programs raise when nothing fits

# Rows of a setup, the program, and the place of a row give the time per output token in ms.
_Ask = Callable[[Setup, Any, int], float]


def _answers(setup: Setup, package: str, ask: _Ask) -> Floats:
    """Return tokens/s of one user of every row of aggregated serving, shape (n,), NaN without an answer."""
    found = np.full(len(setup), np.nan)
    try:
        program = importlib.import_module(package)
    except ImportError:
        return found
    single = (setup.kind == Kind.STREAM) & (setup.data[:, 0] == 1) & np.isfinite(setup.batch)
    for i in np.flatnonzero(single).tolist():
        with _silence(), contextlib.suppress(*_NO_ANSWER):
            found[i] = _MS / ask(setup, program, i)
    return found


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Hold back what the programs print, warn of and log."""
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(logging.NOTSET)


def genz(setup: Setup) -> Floats:
    """Return tokens/s of one user by GenZ 0.0.16 (Bambhaniya et al. 2024), efficiency 0.8, shape (n,)."""
    return _answers(setup, "GenZ", _genz_ms)


def _genz_ms(setup: Setup, program: Any, i: int) -> float:
    model = _GENZ_MODELS.get(model_table().ids[setup.model[i]])
    if model is None:
        return np.nan
    arrays, chip = chip_table().arrays, setup.chip[i]
    common = {
        "model": model,
        "input_tokens": int(setup.input_tokens[i]),
        "system_name": {
            "Flops": arrays.rate_flop_s[chip, _FP16] / _TERA,  # it scales the rate of 16 bits by format
            "Memory_size": arrays.memory_bytes[chip] / _GIGA,
            "Memory_BW": arrays.bandwidth_b_s[chip] / _GIGA,
            "ICN": arrays.link_b_s[chip] / _GIGA,
            "real_values": True,
        },
        "system_eff": 0.8,
        "bits": _GENZ_BITS[FORMATS[setup.code[i]]],
        "tensor_parallel": int(setup.tensor[i, 0]),
    }
    batch, answer = int(setup.batch[i]), int(setup.output_tokens[i])
    step = program.decode_moddeling(batch_size=batch, output_tokens=answer, **common)
    first = program.prefill_moddeling(batch_size=1, **common)
    return float(step["Latency"] + batch * first["Latency"] / answer)


def llm_analysis(setup: Setup) -> Floats:
    """Return tokens/s of one user by llm-analysis 0.2.2 (Li 2023) at its own efficiencies, shape (n,).

    It knows dense models; they are given to it by their shape, the gated feed-forward as one of two matrices
    with as many parameters.
    """
    return _answers(setup, "llm_analysis.analysis", _llm_analysis_ms)


def _llm_analysis_ms(setup: Setup, program: Any, i: int) -> float:
    model = load_catalogue().llm_models[model_table().ids[setup.model[i]]]
    if model.n_experts or not (
        model.d_model and model.d_ff and model.vocab and model.n_layers and model.n_heads
    ):
        return np.nan
    arrays, chip, bits = chip_table().arrays, setup.chip[i], _BITS[FORMATS[setup.code[i]]]
    analysis = program.LLMAnalysis(
        program.ModelConfig(
            name=model.id,
            num_layers=int(model.n_layers),
            n_head=int(model.n_heads),
            hidden_dim=int(model.d_model),
            vocab_size=int(model.vocab),
            num_key_value_heads=int(model.n_kv_heads or model.n_heads),
            ffn_embed_dim=int(_GATED * model.d_ff),
            expansion_ratio=_GATED * model.d_ff / model.d_model,
        ),
        program.GPUConfig(
            name=chip_table().ids[chip],
            mem_per_GPU_in_GB=arrays.memory_bytes[chip] / _GIGA,
            hbm_bandwidth_in_GB_per_sec=arrays.bandwidth_b_s[chip] / _GIGA,
            intra_node_bandwidth_in_GB_per_sec=arrays.link_b_s[chip] / _GIGA,
            intra_node_min_message_latency=_LAUNCH_S,
            peak_fp16_TFLOPS=arrays.rate_flop_s[chip, _FP16] / _TERA,
            peak_i8_TFLOPS=arrays.rate_flop_s[chip, _INT8] / _TERA,
            peak_i4_TFLOPS=arrays.rate_flop_s[chip, setup.code[i]] / _TERA,
        ),
        program.DtypeConfig(weight_bits=bits, activation_bits=bits),
        program.ParallelismConfig(tp_size=int(setup.tensor[i, 0])),
    )
    batch, answer = int(setup.batch[i]), int(setup.output_tokens[i])
    lengths = {
        "seq_len": int(setup.input_tokens[i]),
        "num_tokens_to_generate": answer,
        "kv_cache_dtype_bytes": setup.cache_bytes[i],
    }
    step = analysis.inference(batch_size_per_gpu=batch, **lengths)
    first = analysis.inference(batch_size_per_gpu=1, **lengths)
    return _MS * float(step["decode_latency"] + batch * first["prefill_latency"] / answer)
