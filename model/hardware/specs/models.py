"""Language models as arrays: parameters, attention and cache, as far as serving and training need them."""

import csv
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files

import numpy as np

from computemarket.errors import InputError
from computemarket.model.catalogue import LanguageModel, load_catalogue
from computemarket.model.core.arrays import Bools, Floats, Ints
from computemarket.model.core.texts import nearest
from computemarket.model.hardware.specs.names import known_name

_BILLION = 1e9
_MLA_RANK, _MLA_ROPE = 512.0, 64.0  # DeepSeek-V2/V3 latent and rotary sizes, kept by its descendants


@dataclass(frozen=True, slots=True)
class Models:
    """Arrays over models, shape (M,); ``take`` gathers them to any shape.

    Parameters split into routed experts and the shared rest: experts = (total - active)/(1 - k/E).
    """

    total: Floats
    active: Floats
    experts: Floats  # parameters of all routed experts, 0 for dense models
    shared: Floats  # all other parameters
    n_experts: Floats
    experts_per_token: Floats
    layers: Floats
    moe_layers: Floats
    width: Floats
    kv_heads: Floats
    latent: Bools  # every tensor rank keeps the whole cache (MLA)
    cache_values: Floats  # cache per token of the full-attention layers, values
    indexer_values: Floats  # further cache per token, read whole at every step (sparse attention)
    window_values: Floats  # cache per token of the sliding-window layers, values
    window_tokens: Floats
    state_values: Floats  # constant state per sequence (linear attention, state space), 16-bit values
    sparse_tokens: Floats  # tokens that one query reads at most; infinity without sparse attention
    decode_attention: Floats  # flop per generated token and token of context, full-attention layers
    prefill_attention: Floats  # the same per pair of prompt tokens, causal half not yet taken
    window_attention: Floats  # the same for the sliding-window layers, per pair within the window
    expert_bytes: Floats  # bytes per expert weight as released; infinity where they follow the precision
    active_share: Floats  # k/E, 0 for dense models

    def take(self, index: Ints) -> "Models":
        """Return the models at ``index``: every array takes its shape."""
        return Models(*(np.take(getattr(self, f.name), index, axis=0) for f in fields(self)))

    @property
    def mixture(self) -> Bools:
        """Return which models route tokens to experts."""
        return np.asarray(self.experts > 0)


@dataclass(frozen=True, slots=True)
class ModelTable:
    """The language models the core knows, with ids and attention kinds."""

    ids: tuple[str, ...]
    names: tuple[str, ...]
    attention: tuple[str, ...]
    arrays: Models
    heads: Floats  # query heads
    max_context: Floats  # tokens of prompt and answer, infinity where unknown

    def index(self, model_id: str, where: str = "model") -> int:
        """Return the place of a model, by its id or its name on Hugging Face.

        Raises
        ------
        InputError
            If the core does not know it; names the nearest.
        """
        found = known_name(model_id, self.ids)
        if found is None:
            raise InputError(where, model_id, f"a known model{nearest(model_id, self.ids)}")
        return self.ids.index(found)


@cache
def model_table() -> ModelTable:
    """Return the models of the catalogue whose shape is known or documented as estimated."""
    structure = _structure()
    rows, kept = [], []
    for model in load_catalogue().llm_models:
        values = _values(model, structure.get(model.id, {}))
        if values is not None:
            rows.append(values)
            kept.append(model)
    columns = {f.name: np.array([row[f.name] for row in rows]) for f in fields(Models)}
    columns["latent"] = columns["latent"] > 0
    return ModelTable(
        ids=tuple(model.id for model in kept),
        names=tuple(model.name for model in kept),
        attention=tuple(model.attention for model in kept),
        arrays=Models(**columns),
        heads=np.array([float(model.n_heads or structure[model.id]["n_heads"]) for model in kept]),
        max_context=np.array([float(model.max_context or np.inf) for model in kept]),
    )


def _structure() -> dict[str, dict[str, float]]:
    values: dict[str, dict[str, float]] = {}
    text = (files("computemarket.model.data") / "model_structure.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(text.splitlines()):
        values.setdefault(row["id"], {})[row["field"]] = float(row["value"])
    return values


def _values(model: LanguageModel, extra: dict[str, float]) -> dict[str, float] | None:
    """Return the arrays' entries of one model; None where size or shape is unknown."""

    def known(name: str) -> float | None:
        value = getattr(model, name, None)
        return extra.get(name) if value is None else float(value)

    total, active, layers = known("total_params_bn"), known("active_params_bn"), known("n_layers")
    width, heads, head = known("d_model"), known("n_heads"), known("head_dim")
    if not (total and active and layers and width and heads and head):
        return None
    kv_heads = known("kv_heads") or known("n_kv_heads") or heads
    n_experts, per_token = known("n_experts") or 0.0, known("experts_per_token") or 0.0
    share = per_token / n_experts if n_experts and per_token else 0.0
    experts = (total - active) / (1.0 - share) if share else 0.0
    attention_layers = extra.get("attention_layers", layers)
    windows = extra.get("window_layers", 0.0)
    per_layer = 2.0 * kv_heads * head
    recorded = known("kv_bytes_per_token_fp16")
    cache_values = recorded / 2.0 if recorded else attention_layers * per_layer
    if windows and attention_layers == layers:  # recorded as if every layer kept everything
        attention_layers -= windows
        cache_values = attention_layers * per_layer
    latent = model.attention == "mla" or model.id == "kimi_k3"
    pair = 4.0 * heads * head
    absorbed = 2.0 * heads * (2.0 * _MLA_RANK + _MLA_ROPE)
    return {
        "total": total * _BILLION,
        "active": active * _BILLION,
        "experts": min(experts, total) * _BILLION,
        "shared": max(total - experts, 0.0) * _BILLION,
        "n_experts": n_experts,
        "experts_per_token": per_token,
        "layers": layers,
        "moe_layers": extra.get("moe_layers", layers) if share else 0.0,
        "width": width,
        "kv_heads": kv_heads,
        "latent": float(latent),
        "cache_values": cache_values,
        "indexer_values": extra.get("indexer_values", 0.0) * layers,
        "window_values": windows * per_layer,
        "window_tokens": extra.get("window_tokens", 0.0),
        "state_values": extra.get("state_values", 0.0),
        "sparse_tokens": extra.get("sparse_tokens", np.inf),
        "decode_attention": attention_layers * (absorbed if latent else pair),
        "prefill_attention": attention_layers * pair,
        "window_attention": windows * pair,
        "expert_bytes": extra.get("expert_bytes", np.inf),
        "active_share": share,
    }
