"""Names of models and chips as people write them: Hugging Face ids, spellings of the catalogue, near misses."""

import re
from collections.abc import Sequence

from computemarket.model.core.texts import nearest

# Words of a checkpoint's name that say how it was tuned, packed or dated, not which architecture it has.
_WORDS = frozenset(
    (
        *(
            "meta",
            "nvidia",
            "hf",
            "instruct",
            "chat",
            "it",
            "base",
            "thinking",
            "preview",
            "original",
            "fast",
            "turbo",
        ),
        *(
            "fp16",
            "bf16",
            "fp8",
            "fp4",
            "nvfp4",
            "mxfp4",
            "int8",
            "int4",
            "w8a8",
            "w8a16",
            "w4a8",
            "w4a16",
            "kv",
        ),
        *("awq", "gptq", "dynamic", "block", "quantized", "0324", "0528", "0905", "2407", "2507", "2512"),
    )
)
_MAKERS = ("nvidia_", "amd_", "intel_", "google_", "aws_", "huawei_", "microsoft_", "meta_")


def _plain(name: str) -> str:
    """Return a name as one run of letters and digits without its organisation and the words of the packing."""
    words = re.split(r"[^a-z0-9.]+", name.rpartition("/")[2].lower())
    kept = [word for word in words if word and word not in _WORDS and not re.fullmatch(r"v0\.\d", word)]
    return re.sub(r"[^a-z0-9]", "", "".join(kept))


def _family(name: str) -> str:
    """Return a plain name without counts of parameters and experts, for models named by a word (Scout)."""
    return _plain("-".join(w for w in re.split(r"[-_/]", name.lower()) if not re.fullmatch(r"a?\d+[be]", w)))


def known_name(name: str, ids: Sequence[str]) -> str | None:
    """Return the id that a name means, None where there is none or more than one.

    An id means itself. Otherwise organisation, case, punctuation and the words for tuning and format are left out on
    both sides: ``meta-llama/Llama-3.1-70B-Instruct`` is ``llama3_1_70b``. A distilled model is another architecture and
    is not taken for its teacher.
    """
    if name in ids:
        return name
    if "distill" in name.lower():
        return None
    plain = _plain(name)
    spelt = {known: _plain(known.replace("_", "-")) for known in ids}
    found = [known for known, text in spelt.items() if plain and text == plain]
    found = found or [
        known for known, text in spelt.items() if text == _family(name.rpartition("/")[2]) != ""
    ]
    return found[0] if len(found) == 1 else None


def nearest_chip(name: str, ids: Sequence[str]) -> str:
    """Return "; the nearest is ID" for a chip's name that is nearly an id with or without its maker, else ""."""
    plain = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    for prefix in _MAKERS:
        plain = plain.removeprefix(prefix)
    holds = [known for known in ids if plain and plain in known.split("_", 1)[-1]]
    if holds and len(plain) > 1:
        return f"; the nearest is {min(holds, key=len)}"
    short = {known: known for known in ids}
    for known in ids:
        maker = next((prefix for prefix in _MAKERS if known.startswith(prefix)), "")
        short.setdefault(known.removeprefix(maker), known)
    hint = nearest(plain, short)
    word = hint.rpartition(" ")[2]
    return f"; the nearest is {short[word]}" if hint else ""
