"""What cannot be: layouts that do not divide a model, weights that do not fit, prompts beyond the context.

Every function returns the reason as a line of plain words, "" where nothing stands in the way.
"""

import numpy as np

from computemarket.errors import InputError
from computemarket.model.core.arrays import Bools, Floats
from computemarket.model.hardware.performance.roofline import Layout
from computemarket.model.hardware.specs.chips import ChipTable
from computemarket.model.hardware.specs.models import ModelTable
from computemarket.model.hardware.specs.precision import weight_bytes

# Makers sell stacks of 2^30-byte gigabytes: an "80 GB" H100 reports 81,559 MiB, a "192 GB" MI300X 196,592 MiB.
BYTES_PER_LABEL_GB = 2.0**30 / 1e9
_USABLE = 0.97  # of the memory a driver reports; the rest is its own context and reserved pages
_OVERRUN = 2.0  # prompt and answer over the stated context that benchmarks with forced lengths still run


def context_fault(models: ModelTable, model: int, input_tokens: float, output_tokens: float = 0.0) -> str:
    """Return why a model cannot hold prompt and answer; lengths that are NaN are not stated.

    A prompt beyond the context is refused. An answer that runs over the end is allowed up to twice the context:
    benchmarks that force the length of answers do run so, with answers nobody reads.
    """
    limit = float(models.max_context[model])
    sent, answered = np.nan_to_num(input_tokens), np.nan_to_num(output_tokens)
    if sent > limit or sent + answered > _OVERRUN * limit:
        tokens = f"{sent:,.0f} + {answered:,.0f} tokens"
        return f"{tokens} are beyond the context of {models.ids[model]}, {limit:,.0f} tokens"
    return ""


def whole_context_fault(models: ModelTable, model: int, input_tokens: float, output_tokens: float) -> str:
    """Return why prompt and answer together are beyond a model's context, where users are to read the answer."""
    limit = float(models.max_context[model])
    if input_tokens + output_tokens > limit:
        tokens = f"{input_tokens:,.0f} + {output_tokens:,.0f} tokens"
        return f"{tokens} are beyond the context of {models.ids[model]}, {limit:,.0f} tokens"
    return ""


def refuse_beyond_context(
    models: ModelTable,
    model: int,
    input_tokens: float,
    output_tokens: float,
    where: str = "input and output tokens",
) -> None:
    """Raise where prompt and answer together are beyond a model's context.

    Raises
    ------
    InputError
        Names both lengths, the model and its limit.
    """
    if whole_context_fault(models, model, input_tokens, output_tokens):
        allowed = f"within the context of {models.ids[model]}, {models.max_context[model]:,.0f} tokens"
        raise InputError(where, f"{input_tokens:,.0f} + {output_tokens:,.0f}", allowed)


def divides(models: ModelTable, model: int, layout: Layout) -> Bools:
    """Return which layouts divide a model's heads, layers and experts, shape of the layouts."""
    sizes = np.broadcast_arrays(layout.tensor, layout.pipeline, layout.expert, layout.attention_data)
    dense = not models.arrays.experts[model] > 0
    flat = zip(*(size.ravel() for size in sizes), strict=True)
    good = [
        not layout_fault(models, model, t, p, np.nan if dense else e, a) and not (dense and e > 1.0)
        for t, p, e, a in flat
    ]
    return np.array(good).reshape(sizes[0].shape)


def layout_fault(
    models: ModelTable,
    model: int,
    tensor: float = np.nan,
    pipeline: float = np.nan,
    expert: float = np.nan,
    data: float = np.nan,
    chips: float = np.nan,
    pads: bool = False,
) -> str:
    """Return why a model cannot be laid out so; sizes that are NaN are not stated.

    Parameters
    ----------
    pads : the compiler fills up heads and counts cores (AWS Neuron), so only whole numbers are asked for

    Notes
    -----
    Tensor ranks share query heads evenly and divide or copy the heads of the cache. Stages hold whole layers; where
    they do not divide the layers, engines spread the rest over a power of two of stages (126 layers over 8), and no
    other uneven split has been measured. Experts are dealt evenly over their ranks.
    """
    name, arrays = models.ids[model], models.arrays
    heads, cached = float(models.heads[model]), float(arrays.kv_heads[model])
    layers, experts = float(arrays.layers[model]), float(arrays.n_experts[model])
    sizes = {"tensor": tensor, "pipeline": pipeline, "expert": expert, "data": data}
    for what, size in sizes.items():
        if size > 0 and size != round(size):
            return f"{what}-parallel size {size:g} is not a whole number"
    if pads:
        return ""
    if tensor > 0 and (heads % tensor or (cached % tensor and tensor % cached)):
        return (
            f"{heads:g} heads ({cached:g} of the cache) of {name} do not divide over {tensor:g} tensor ranks"
        )
    if pipeline > 0 and (pipeline > layers or (layers % pipeline and np.log2(pipeline) % 1)):
        return f"{layers:g} layers of {name} do not divide over {pipeline:g} stages"
    if expert > 1 and not experts:
        return f"{name} has no experts to deal over {expert:g} ranks"
    if expert > 1 and experts % expert:
        return f"{experts:g} experts of {name} do not divide over {expert:g} ranks"
    return _count_fault(tensor, pipeline, data, chips)


def _count_fault(tensor: float, pipeline: float, data: float, chips: float) -> str:
    """Return why a replica needs more chips than there are; published expert counts sometimes multiply two groups."""
    replica = float(np.prod([size for size in (tensor, pipeline, data) if size > 0]))
    return (
        f"a layout of {replica:g} ranks needs more than {chips:g} chips"
        if chips > 0 and replica > chips
        else ""
    )


def weights_fit(
    chips: ChipTable,
    chip: int,
    models: ModelTable,
    model: int,
    code: int,
    layout: Layout,
    slack: float = 1.0,
) -> tuple[Bools, Floats, float]:
    """Return whether weights fit each layout, the bytes of weights per chip, and the bytes a chip can hold."""
    arrays = models.arrays
    expert_width, shared_width = weight_bytes(np.array(code), arrays.mixture[model])
    expert_width = np.minimum(expert_width, arrays.expert_bytes[model])
    shared = arrays.shared[model] * shared_width / (layout.tensor * layout.pipeline)
    per_chip = np.asarray(arrays.experts[model] * expert_width / layout.chips + shared)
    room = float(chips.arrays.memory_bytes[chip]) * BYTES_PER_LABEL_GB * _USABLE * slack
    return per_chip <= room, per_chip, room


def memory_fault(
    chips: ChipTable,
    chip: int,
    models: ModelTable,
    model: int,
    code: int,
    layout: Layout,
    context: float = 0.0,
    slack: float = 1.0,
) -> str:
    """Return why weights, and one sequence of a context, fit none of the layouts given; "" where one holds them."""
    fit, per_chip, room = weights_fit(chips, chip, models, model, code, layout, slack)
    if not fit.any():
        best = float(per_chip.min())
        return (
            f"{best / 1e9:,.0f} GB of weights of {models.ids[model]} on each {chips.ids[chip]} "
            f"of {room / 1e9:,.0f} GB do not fit"
        )
    arrays = models.arrays
    split = np.where(arrays.latent[model], 1.0, np.minimum(layout.tensor, arrays.kv_heads[model]))
    split = split * layout.attention_data * layout.pipeline
    values = arrays.cache_values[model] * context + arrays.window_values[model] * np.minimum(
        context, arrays.window_tokens[model]
    )
    # Eight-bit caches are the smallest in use.
    if not (fit & (per_chip + values / split <= room)).any():
        cache = f"the cache of one sequence of {context:,.0f} tokens"
        return f"{cache} does not fit beside the weights of {models.ids[model]}"
    return ""
