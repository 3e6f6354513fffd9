"""Classes of work: which tiers they take, what a useful answer costs, and how their mix shifts (M6, M8).

The total of paid use is the market's; classes split it. A class grows with tasks, with tokens per task, and as more of
its tasks come to be worth what an answer costs.
"""

import numpy as np

from computemarket.model.core.arrays import Bools, Floats
from computemarket.model.mechanisms.broadcast import Parameter, per_run

STAGES = ("data", "model", "retrieval", "validation", "output")
SEGMENTS = ("ultra_low_latency", "interactive", "long_context_reasoning", "batch")
LEAST = 1e-12  # of a share: what nobody asks for is divided by nothing


def tier_preference(
    base: Floats, tier_speed: Floats, speed_weight: Floats, output_tokens: Floats, patience_s: Floats
) -> Floats:
    """Return (R, C, K) shares of each class's tokens by tier, summing to 1 over K.

    ``base_k (u_k/u_1)^w_c exp(-(o_c/u_k)/patience_c)``: a multinomial logit around the shares of the mean user, times
    the chance that a user of exponential patience is still there when the answer is (Palm 1957, abandonment).

    Parameters
    ----------
    base : (R, K) shares of the mean user
    tier_speed : (K,) tokens/s and user
    speed_weight : (R, C) weight of ln speed beyond that of the mean user
    output_tokens, patience_s : (C,) length of an answer, mean time a user waits for it
    """
    gain = speed_weight[:, :, None] * np.log(tier_speed / tier_speed[0])
    wait = (output_tokens / patience_s)[:, None] / tier_speed
    utility = gain - (wait - wait.min(axis=1, keepdims=True))
    utility -= utility.max(axis=2, keepdims=True)
    pull: Floats = base[:, None, :] * np.exp(utility)
    pull /= pull.sum(axis=2, keepdims=True)
    return pull


def right_share(task_tokens: Floats, horizon_tokens: Parameter, slope: Parameter) -> Floats:
    """Return the share of attempts that come out right, ``1/(1 + (length/horizon)^slope)``; (R, C).

    Longer tasks fail more often: odds fall with the length of a task, one half at the horizon.
    Source: Kwa and others 2025, Measuring AI ability to complete long tasks.
    """
    ndim = task_tokens.ndim
    ratio = np.log(task_tokens / per_run(horizon_tokens, ndim))
    right: Floats = 1 / (1 + np.exp(per_run(slope, ndim) * ratio))
    return right


def answer_cost_usd(
    generation_usd: Floats, right: Floats, retrieved_share: Parameter, validation_share: Parameter,
    data_usd: Parameter, output_usd: Parameter,
) -> Floats:  # fmt: skip
    """Return (R, C, 5) what a useful answer costs by stage of the pipeline: data, model, retrieval, validation, output.

    Every attempt pays for data, model, retrieval and the check; only the right one is delivered, so the first four are
    divided by the share of attempts that are right (yield of a process, with rework until it is good).

    Parameters
    ----------
    generation_usd : (R, C) tokens of an attempt at the price of its tiers
    right : (R, C) share of attempts that pass the check, above 0
    retrieved_share, validation_share : tokens beside those of the attempt; data_usd, output_usd : per attempt, answer
    """
    ndim = generation_usd.ndim
    one = np.ones_like(generation_usd)
    attempt = (
        per_run(data_usd, ndim) * one,
        generation_usd,
        per_run(retrieved_share, ndim) * generation_usd,
        per_run(validation_share, ndim) * generation_usd,
    )
    stages = [part / right for part in attempt]
    return np.stack([*stages, per_run(output_usd, ndim) * one], axis=-1)


def worth_while(start_share: Parameter, cost_ratio: Floats, value_ln_sd: Parameter) -> Floats:
    """Return the share of a class's tasks whose answer is worth more than it costs, over the share at the start.

    Values are lognormal over tasks: Phi(z0 - ln(cost ratio)/sd)/Phi(z0), with Phi(z0) the share at the start.
    Source: threshold (probit) model of adoption, David 1969.

    Parameters
    ----------
    start_share : 0..1; cost_ratio : (R, C) cost of a useful answer over that at the start; value_ln_sd : above 0
    """
    from scipy.special import ndtr, ndtri

    ndim = cost_ratio.ndim
    start = per_run(start_share, ndim)
    share = ndtr(ndtri(start) - np.log(np.maximum(cost_ratio, LEAST)) / per_run(value_ln_sd, ndim)) / start
    return np.maximum(share, LEAST)


def value_over_cost(start_share: Parameter, cost_ratio: Floats, value_ln_sd: Parameter) -> Floats:
    """Return what the answers that are bought are worth over what they cost, (R, C), above 1.

    The mean of a lognormal value above the cost, over the cost: exp(mu + sd^2/2) Phi(d + sd)/Phi(d), with d the
    distance of the mean ln value from ln cost in standard deviations. Arguments as in `worth_while`.
    """
    from scipy.special import ndtr, ndtri

    ndim = cost_ratio.ndim
    sd = per_run(value_ln_sd, ndim)
    above = sd * ndtri(per_run(start_share, ndim)) - np.log(
        np.maximum(cost_ratio, LEAST)
    )  # mean ln value - ln cost
    worth: Floats = np.exp(above + sd**2 / 2) * ndtr(above / sd + sd) / np.maximum(ndtr(above / sd), LEAST)
    return worth


def tilt(mix: Floats, first_mix: Floats, preference: Floats, base: Floats) -> Floats:
    """Return (R, K) what today's mix of classes makes of each tier's share, 1 where the mix is the first one.

    The shares of tiers summed over classes today over what they would be with the first mix; scaled so that the
    shares `base` keep their sum.

    Parameters
    ----------
    mix, first_mix : (R, C) shares of tokens by class; preference : (R, C, K); base : (R, K)
    """
    now, first = ((m[:, :, None] * preference).sum(axis=1) for m in (mix, first_mix))
    ratio = (now + LEAST) / (first + LEAST)  # nobody's tier keeps its share
    total = (base * ratio).sum(axis=1, keepdims=True)
    scaled: Floats = ratio * base.sum(axis=1, keepdims=True) / np.maximum(total, LEAST)
    return scaled


def hours_factor(mix: Floats, first_mix: Floats, preference: Floats, hours: Floats) -> Floats:
    """Return (R, K) chip time per token of each tier with today's mix over that with the first mix.

    Parameters
    ----------
    mix, first_mix : (R, C); preference : (R, C, K); hours : (C, K) chip time per token of a class, relative
    """
    means = []
    for shares in (mix, first_mix):
        weight = shares[:, :, None] * preference
        means.append(((weight * hours).sum(axis=1) + LEAST) / (weight.sum(axis=1) + LEAST))
    factor: Floats = means[0] / means[1]
    return factor


def segments_by_need(
    speed: Floats, context_tokens: Floats, may_wait: Bools, fast: float, long_context: float
) -> Floats:
    """Return (C, 4) membership, 0 or 1, of classes of work in segments by the latency and context that they need.

    What may wait is batch; of the rest, what needs an answer at once is ultra-low latency, what brings a long context
    is reasoning, and the rest is interactive.

    Parameters
    ----------
    speed : (C,) tokens/s that a user of mean patience needs; context_tokens : (C,); may_wait : (C,)
    fast, long_context : limits, tokens/s and tokens
    """
    quick = ~may_wait & (speed >= fast)
    long = ~may_wait & ~quick & (context_tokens >= long_context)
    rest = ~may_wait & ~quick & ~long
    return np.stack([quick, rest, long, may_wait], axis=-1).astype(np.float64)


def segments_that_carry_a_chip(
    chip_sales_usd: Floats,
    entrant_share: Parameter,
    margin: Parameter,
    years: Parameter,
    fixed_usd: Parameter,
) -> Floats:
    """Return 1 where a specialist's gross profit over a chip generation covers what the chip costs to bring out.

    ``share x sales x margin x years >= fixed cost``. Source: market size and fixed cost bound how many products a
    market carries, Sutton 1991, Sunk Costs and Market Structure.

    Parameters
    ----------
    chip_sales_usd : (R, S) yearly sales of accelerators for a segment
    entrant_share, margin : 0..1; years : a generation sells; fixed_usd : design, software and sales
    """
    ndim = chip_sales_usd.ndim
    profit = chip_sales_usd * per_run(entrant_share, ndim) * per_run(margin, ndim) * per_run(years, ndim)
    return (profit >= per_run(fixed_usd, ndim)).astype(np.float64)
