"""Demand for tokens: diffusion, an iso-elastic volume, workload classes, and open models as a ceiling (M8, M29).

Elasticity counts once: the volume of a workload class answers its inclusive-value price index; choices among
providers and tiers only split it, without an outside good; growth of tokens per task is apart from growth of tasks.
"""

import numpy as np

from computemarket.model.core.arrays import Floats
from computemarket.model.mechanisms.broadcast import Parameter, per_run

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
