"""Life cycle and segmentation: from training to inference, segments, concentration, shake-out (M30)."""

import numpy as np

from computemarket.model.arrays import Bools, Floats
from computemarket.model.mechanisms.per_run import Parameter, per_run

SEGMENTS = ("edge_low_latency", "fast_agent", "long_context_reasoning", "batch")


def logistic_shift(
    quarters: Floats | float,
    start: Parameter,
    end: Parameter,
    midpoint_quarters: Parameter,
    span_quarters: Parameter,
) -> Floats:
    """Return a share that moves from `start` to `end` on a logistic; span is the time from 12% to 88% of the way.

    s = a + (b - a)/(1 + exp(-4 (t - m)/span)). Source: logistic substitution, Fisher and Pry 1971.

    Parameters
    ----------
    quarters : a number or (T,), from the base quarter; others : a number or (R,), then the result is (R,) or (R, T)
    """
    time = np.asarray(quarters, dtype=np.float64)
    values = (np.asarray(x, dtype=np.float64) for x in (start, end, midpoint_quarters, span_quarters))
    a, b, middle, span = (x[..., None] if time.ndim and x.ndim else x for x in values)
    way = 1 / (1 + np.exp(np.clip(-4.0 * (time - middle) / span, -500, 500)))
    return a + (b - a) * way


def logistic_through(
    quarters: Floats | float, first: Parameter, second: Parameter, apart_quarters: Parameter
) -> Floats:
    """Return the share whose log-odds run straight through `first` at 0 and `second` at `apart_quarters`.

    ln(s/(1-s)) is linear in time, so the share never leaves 0..1. Source: Fisher and Pry 1971. Shapes as above.
    """
    time = np.asarray(quarters, dtype=np.float64)
    values = (np.asarray(x, dtype=np.float64) for x in (first, second, apart_quarters))
    low, high, apart = (x[..., None] if time.ndim and x.ndim else x for x in values)
    odds_first, odds_second = np.log(low / (1 - low)), np.log(high / (1 - high))
    return 1 / (1 + np.exp(-(odds_first + (odds_second - odds_first) * time / apart)))


def herfindahl(amount: Floats) -> Floats:
    """Return the Herfindahl-Hirschman index of amounts along the last axis, 1/n..1; 0 where all is 0.

    Source: Hirschman 1945; Herfindahl 1950.
    """
    total = amount.sum(axis=-1)
    safe = np.where(total > 0, total, 1.0)
    share = amount / safe[..., None]
    share *= share
    concentration: Floats = share.sum(axis=-1)
    return concentration


def segment_shares(base_share: Floats, growth_ln: Floats, quarters: Floats | float) -> Floats:
    """Return the shares of segments after some quarters of growth at their own rates, (R, …, S), summing to 1.

    Source: logistic substitution among several technologies, Marchetti and Nakicenovic 1979.

    Parameters
    ----------
    base_share : (R, …, S) or (S,); growth_ln : broadcasts, ln per quarter
    """
    pull = base_share * np.exp(growth_ln * quarters)
    return pull / pull.sum(axis=-1, keepdims=True)


def segment_of_demand(
    speed: Floats, context_tokens: Floats, waiting: Bools, fast: float, long_context: float
) -> Floats:
    """Return (…, S) membership, 0 or 1, of workloads in segments by latency and context.

    What may wait is batch; of the rest, long context is reasoning, else fast is agents, else edge with low latency.

    Parameters
    ----------
    speed, context_tokens, waiting : broadcast to one shape; tokens/s and user; tokens; may it wait
    fast, long_context : limits, tokens/s and tokens
    """
    reasoning = ~waiting & (context_tokens >= long_context)
    agent = ~waiting & ~reasoning & (speed >= fast)
    edge = ~waiting & ~reasoning & ~agent
    members = np.broadcast_arrays(edge, agent, reasoning, waiting)
    return np.stack(members, axis=-1).astype(np.float64)


def process_share(age_years: Floats, turning_years: Parameter, speed: Parameter) -> Floats:
    """Return the share of innovation that goes into processes (cost) rather than products, rising with age.

    Source: Abernathy and Utterback 1975; Utterback and Abernathy 1978: after a dominant design, cost rules.
    """
    ndim = age_years.ndim
    return 1 / (1 + np.exp(-per_run(speed, ndim) * (age_years - per_run(turning_years, ndim))))


def entry_and_exit(
    firms: Floats,
    price_cost_margin: Floats,
    process_advantage: Floats,
    entry_rate: Parameter,
    exit_rate: Parameter,
) -> tuple[Floats, Floats]:
    """Return entrants and exits of a quarter in the life cycle of an industry.

    Entry falls as the cost advantage of large incumbents grows, e x margin x (1 - advantage); exits rise with it,
    x n (advantage - margin) where positive: first many firms, then a shake-out. Source: Klepper 1996, AER 86.

    Parameters
    ----------
    firms, price_cost_margin, process_advantage : (R, …) number; Lerner index of entrants; cost lead of incumbents, 0..1
    entry_rate, exit_rate : firms per quarter at full margin; share per quarter; a number or (R, …)
    """
    ndim = firms.ndim
    room = np.maximum(price_cost_margin, 0.0) * np.maximum(1 - process_advantage, 0.0)
    entrants = per_run(entry_rate, ndim) * room
    squeeze = np.clip(process_advantage - price_cost_margin, 0.0, 1.0)
    return entrants, np.minimum(per_run(exit_rate, ndim) * squeeze, 1.0) * firms


def sovereign_price(
    price_usd: Floats,
    domestic: Bools,
    subsidy: Parameter,
    local_content: Parameter,
    foreign_penalty: Parameter,
) -> Floats:
    """Return what an offer costs a sovereign buyer: a subsidy at home, a mark-up abroad by the content rule.

    p (1 - subsidy) for domestic offers; p (1 + penalty x required local content) for others.
    Source: government procurement with preferences, McAfee and McMillan 1989.

    Parameters
    ----------
    price_usd : (R, …, J); domestic : broadcasts to it; subsidy, local_content, foreign_penalty : a number or (R, …)
    """
    ndim = price_usd.ndim
    foreign = 1 + per_run(foreign_penalty, ndim) * per_run(local_content, ndim)
    return price_usd * np.where(domestic, 1 - per_run(subsidy, ndim), foreign)
