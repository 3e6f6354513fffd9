"""Number formats: bytes per stored weight, what a chip computes in, what the cache keeps.

A format that a chip lacks is weight-only: weights travel at that size, arithmetic runs in the best format
the chip has (fp4, fp6 and int4 weights are widened on the fly).
"""

from types import MappingProxyType

import numpy as np

from computemarket.errors import InputError
from computemarket.model.core.arrays import Bools, Floats, Ints
from computemarket.model.core.texts import nearest

FORMATS = ("fp16", "fp8", "fp6", "fp4", "int8", "int4")
# Usual names of the formats in letters and digits alone: checkpoints name weights and activations (W4A16), the
# method (AWQ, GPTQ), the encoding (E4M3) or the file format of the weights (Q4_K_M).
_ALIASES = MappingProxyType(
    {
        **dict.fromkeys(("bf16", "bfloat16", "float16", "half", "f16", "w16a16", "16bit", "auto"), "fp16"),
        **dict.fromkeys(
            ("mxfp8", "float8", "f8", "e4m3", "e5m2", "fp8e4m3", "fp8e4m3fn", "fp8e5m2", "w8a8fp8", "fp8w8a8",
             "w8a8f8", "fp8dynamic", "fp8block", "fp8blockscaled", "fp8static", "bfp8"),
            "fp8",
        ),
        **dict.fromkeys(("mxfp6", "float6", "f6"), "fp6"),
        **dict.fromkeys(
            ("mxfp4", "nvfp4", "float4", "f4", "e2m1", "fp4e2m1", "w4a4", "w4a4fp4", "w4a4nvfp4", "nvfp4a16", "bfp4",
             "mxfp4a16", "w4a8mxfp4"),
            "fp4",
        ),
        **dict.fromkeys(
            ("w8a8", "w8a8int8", "int8w8a8", "w8a16", "int8weightonly", "8bit", "i8", "q80", "smoothquant"), "int8"
        ),
        **dict.fromkeys(
            ("w4a16", "w4a8", "w4a16int4", "int4weightonly", "4bit", "i4", "awq", "gptq", "int4awq", "awqint4",
             "int4gptq", "gptqint4", "awq4bit", "gptq4bit", "awqmarlin", "gptqmarlin", "nf4", "bnb4bit", "q4km", "q4ks",
             "q40", "q4", "iq4xs"),
            "int4",
        ),
    }
)  # fmt: skip

# Bytes per weight with block scales. fp4: NVFP4 keeps one 8-bit scale per 16 values, 4.5 bits; fp6: MX
# format, one 8-bit scale per 32 (OCP Microscaling 1.0), 6.25 bits; int4: one 16-bit scale per group of 128.
WEIGHT_BYTES: Floats = np.array([2.0, 1.0, 6.25 / 8, 4.5 / 8, 1.0, 4.125 / 8])
# Attention and shared layers stay at 8 bits or more in 4-bit mixture models (DeepSeek-R1 NVFP4, gpt-oss).
SHARED_WEIGHT_BYTES: Floats = np.array([2.0, 1.0, 1.0, 1.0, 1.0, 1.0])
# 8-bit key-value cache with 8-bit and smaller weights.
CACHE_BYTES: Floats = np.array([2.0, 1.0, 1.0, 1.0, 1.0, 1.0])
ACTIVATION_BYTES = 2.0  # what crosses links after attention and feed-forward, bf16

# For each format, which rates of a chip may carry its arithmetic: its own, else the fastest of the others.
_CARRIERS = MappingProxyType(
    {
        "fp16": (),
        "fp8": ("int8", "fp16"),
        "fp6": ("fp8", "int8", "fp16"),
        "fp4": ("fp8", "int8", "fp16"),
        "int8": ("fp8", "fp16"),
        "int4": ("int8", "fp8", "fp16"),
    }
)


def format_code(name: str, where: str = "precision") -> int:
    """Return the place of a format in ``FORMATS``, by its usual names and in any case: BF16, NVFP4, W4A16, AWQ.

    Raises
    ------
    InputError
        For any other name.
    """
    plain = "".join(letter for letter in name.lower() if letter.isalnum())
    known = _ALIASES.get(plain, plain)
    if known not in FORMATS:
        near = nearest(plain, (*FORMATS, *_ALIASES))
        raise InputError(where, name, "one of " + ", ".join(FORMATS) + near)
    return FORMATS.index(known)


def compute_rates(rates_flop_s: Floats) -> tuple[Floats, Bools]:
    """Return the rate at which each chip computes each format, and whether the format is its own.

    Parameters
    ----------
    rates_flop_s : (C, 6) dense peak of each chip and format, flop/s, NaN where the chip lacks it

    Returns
    -------
    (C, 6) flop/s used for the format; (C, 6) True where it is native and not weight-only
    """
    native = ~np.isnan(rates_flop_s)
    best = np.empty_like(rates_flop_s)
    for code, name in enumerate(FORMATS):
        others = [FORMATS.index(other) for other in _CARRIERS[name]]
        wider = np.nan_to_num(np.take(rates_flop_s, others, axis=1)).max(axis=1, initial=0.0)
        best[:, code] = np.where(native[:, code], rates_flop_s[:, code], wider)
    # Some chips keep a token integer unit beside a fast float one (B300): then float carries integers.
    integer, floating = FORMATS.index("int8"), FORMATS.index("fp8")
    best[:, integer] = np.fmax(best[:, integer], rates_flop_s[:, floating])
    return best, native


def weight_bytes(code: Ints, mixture: Bools) -> tuple[Floats, Floats]:
    """Return bytes per expert (or, in a dense model, any) weight and bytes per shared weight.

    Parameters
    ----------
    code, mixture : place in ``FORMATS``; whether the model routes tokens to experts; they broadcast
    """
    expert = WEIGHT_BYTES[code]
    return expert, np.where(mixture, np.maximum(SHARED_WEIGHT_BYTES[code], expert), expert)
