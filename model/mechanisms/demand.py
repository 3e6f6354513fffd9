"""Demand for tokens: diffusion, an iso-elastic volume, workload classes, and open models as a ceiling (M8, M29).

Elasticity counts once: the volume of a workload class answers its inclusive-value price index; choices among
providers and tiers only split it, without an outside good; growth of tokens per task is apart from growth of tasks.
"""

import numpy as np

from computemarket.model.arrays import Bools, Floats
from computemarket.model.mechanisms.choice import inclusive_value
from computemarket.model.mechanisms.per_run import Parameter, per_run

WORKLOADS = (
    "chat", "retrieval", "reasoning", "coding_agent", "deep_research",
    "multi_agent", "video", "world_model", "embodied", "batch",
)  # fmt: skip


def bass_step(
    adopted: Floats, innovation: Parameter, imitation: Parameter, potential: Parameter = 1.0
) -> Floats:
    """Return adoption a quarter later: N + (p + q N/M)(M - N), never above M.

    Source: Bass 1969, Management Science 15.

    Parameters
    ----------
    adopted : (R, …) adopters, 0..M
    innovation, imitation : p and q per quarter; potential : M; a number or (R, …)
    """
    ndim = adopted.ndim
    ceiling = per_run(potential, ndim)
    new = (per_run(innovation, ndim) + per_run(imitation, ndim) * adopted / ceiling) * (ceiling - adopted)
    return np.minimum(adopted + np.maximum(new, 0.0), np.maximum(ceiling, adopted))


def choice_utility(
    price_usd: Floats, speed: Floats, quality: Floats, alpha: Parameter, beta: Parameter, gamma: Parameter,
    integration: Floats | float = 0.0, liquidity: Floats | float = 0.0, switching: Floats | float = 0.0,
) -> Floats:  # fmt: skip
    """Return V = -alpha ln p + beta ln u + gamma q + integration + liquidity - switching.

    Source: random utility, McFadden 1974; switching cost as a loss of utility, Klemperer 1995.

    Parameters
    ----------
    price_usd, speed, quality : broadcast to (R, …, J); price and speed above 0
    alpha, beta, gamma : a number or (R, …)
    integration, liquidity, switching : broadcast to (R, …, J), utility
    """
    ndim = max(price_usd.ndim, speed.ndim, quality.ndim)
    utility = per_run(gamma, ndim) * quality - per_run(alpha, ndim) * np.log(price_usd)
    utility = utility + per_run(beta, ndim) * np.log(speed)
    utility += integration
    utility += liquidity
    utility -= switching
    return utility


def price_index(utility: Floats, alpha: Parameter, available: Bools | None = None) -> Floats:
    """Return exp(-I/alpha), the price of one option as good as the choice among all; (R, …).

    I is the inclusive value of utilities that contain -alpha ln p: scaling every price scales the index.
    Source: Small and Rosen 1981; Anderson, de Palma and Thisse 1992 (logit and CES).
    """
    value = inclusive_value(utility, available)
    return np.exp(-value / per_run(alpha, value.ndim))


def volume(
    level: Floats, adopted: Floats, price_index_usd: Floats, reference_usd: Parameter, elasticity: Parameter
) -> Floats:
    """Return A N (P/P0)^-eps, the volume wanted at a price index.

    Parameters
    ----------
    level, adopted : (R, …) tokens per adopter at the reference price; adopters
    price_index_usd : (R, …) above 0
    reference_usd, elasticity : a number or (R, …)
    """
    ratio = np.log(price_index_usd / per_run(reference_usd, price_index_usd.ndim))
    ratio *= -per_run(elasticity, ratio.ndim)
    wanted = np.exp(ratio, out=ratio)
    wanted = wanted * level
    wanted *= adopted
    return wanted


def within_wage_bill(volume_wanted: Floats, price_usd: Floats, ceiling_usd: Parameter) -> Floats:
    """Return the volume whose spending stays under a share of the addressable wage bill.

    Spending bends under the ceiling, s = C (1 - exp(-raw/C)): unchanged while small, without a kink, below C always.
    With eps above 1 and falling prices spending would else grow without bound. Source: task-based automation,
    Acemoglu and Restrepo 2018 (the labour cost of what can be automated bounds what is paid for it).

    Parameters
    ----------
    volume_wanted, price_usd : (R, …)
    ceiling_usd : C per period, a number or (R, …), above 0
    """
    ceiling = per_run(ceiling_usd, volume_wanted.ndim)
    fullness = volume_wanted * price_usd / ceiling
    kept = np.where(fullness > 1e-12, -np.expm1(-fullness) / np.where(fullness > 1e-12, fullness, 1.0), 1.0)
    return volume_wanted * kept


def task_mix(share: Floats, growth_ln: Floats) -> Floats:
    """Return the shares of workload classes in tasks a quarter later: each grows at its own rate, renormalised.

    Source: replicator equation, Taylor and Jonker 1978; the mean growth belongs to the total, not to the mix.

    Parameters
    ----------
    share : (R, …, C), summing to 1; growth_ln : broadcasts to `share`, ln per quarter
    """
    mix = share * np.exp(growth_ln)
    mix /= mix.sum(axis=-1, keepdims=True)
    return mix


def tokens_wanted(tasks: Floats, tokens_per_task: Floats, deepening_ln: Parameter = 0.0) -> Floats:
    """Return tokens by workload class: tasks x tokens per task, deepened by longer reasoning.

    Parameters
    ----------
    tasks : (R, …, C) tasks; tokens_per_task : (C,) or (R, …, C)
    deepening_ln : ln growth of tokens per task since the base quarter, a number, (R,) or (R, …, C)
    """
    return tasks * tokens_per_task * np.exp(per_run(deepening_ln, tasks.ndim))


def tier_affinity(
    tier_speed: Floats, tier_payment_usd: Floats, speed_weight: Floats, price_weight: Parameter
) -> Floats:
    """Return the utility of each tier for each workload class, (R, …, C, K): w_c ln u_k - alpha ln p_k.

    Interactive classes weigh speed, batch does not: classes sort themselves into tiers.

    Parameters
    ----------
    tier_speed : (K,) tokens/s and user; tier_payment_usd : (R, …, K) above 0
    speed_weight : (C,) or (R, …, C); price_weight : a number or (R, …)
    """
    worth = speed_weight[..., :, None] * np.log(tier_speed)
    paid = per_run(price_weight, tier_payment_usd.ndim) * np.log(tier_payment_usd)
    return worth - paid[..., None, :]


def open_model_price(cost_usd: Floats, markup: Parameter) -> Floats:
    """Return the price of an open model: free entry leaves cost plus a markup. Source: Bertrand competition."""
    return cost_usd * (1 + per_run(markup, cost_usd.ndim))


def closed_price_ceiling(open_cost_usd: Floats, quality_gap: Floats, premium_per_gap: Parameter) -> Floats:
    """Return the highest price of a closed model beside an open one: open cost x (1 + kappa gap).

    Source: vertical differentiation, Shaked and Sutton 1982: the premium of the better good is its quality lead.

    Parameters
    ----------
    open_cost_usd : (R, …) cost of serving the open model
    quality_gap : (R, …) lead of the closed model, at least 0 counted
    premium_per_gap : kappa, a number or (R, …)
    """
    return open_cost_usd * (1 + per_run(premium_per_gap, quality_gap.ndim) * np.maximum(quality_gap, 0.0))


def quality_gap(lag_quarters: Floats, progress_per_quarter: Parameter) -> Floats:
    """Return the quality lead of the frontier over open models: lag x progress of the frontier per quarter."""
    return lag_quarters * per_run(progress_per_quarter, lag_quarters.ndim)


def physical_ai_load(
    robots: Floats, new_robots: Floats, edge_h100e_per_robot: Parameter,
    training_hours_per_new_robot: Parameter, simulation_hours_per_robot: Parameter,
) -> tuple[Floats, Floats]:  # fmt: skip
    """Return edge compute shipped (H100e) and cloud hours (H100e-hours) that robots of a segment call for.

    Edge chips go into new robots; the cloud trains for what is new and simulates for the whole fleet (M29).
    """
    ndim = robots.ndim
    edge = per_run(edge_h100e_per_robot, ndim) * new_robots
    cloud = per_run(training_hours_per_new_robot, ndim) * new_robots
    return edge, cloud + per_run(simulation_hours_per_robot, ndim) * robots


def spending_with_ceiling(raw_usd: Floats, ceiling_usd: Floats) -> Floats:
    """Bend spending under a ceiling, the addressable wage bill: s = C (1 - exp(-raw/C))."""
    return ceiling_usd * -np.expm1(
        -raw_usd / np.maximum(ceiling_usd, 1.0)
    )  # a market of nothing spends nothing
