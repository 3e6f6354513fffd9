"""What it costs to leave a software stack, and who leaves (M12 lock-in, M24 anchor spillover).

Sources: Farrell and Klemperer, "Coordination and lock-in: competition with switching costs and network
effects", Handbook of Industrial Organization 3 (2007), ch. 31; Klemperer, Review of Economic Studies 62
(1995).
"""

import numpy as np

from computemarket.model.core.arrays import Floats
from computemarket.model.mechanisms.broadcast import Parameter, per_run, present_value_factor


def switching_cost_usd(
    stacks: Floats,
    engineer_months: Parameter,
    wage_usd_per_month: Parameter,
    open_share: Parameter,
    agent_help: Parameter,
) -> Floats:
    """Return the cost of porting production stacks, SC = months x wage x stacks x (1-open)(1-help).

    Farrell and Klemperer's switching cost, measured in engineering work.

    Parameters
    ----------
    stacks : (R, …) production stacks to port
    engineer_months : work per stack, months; a number, (R,) or like `stacks`
    wage_usd_per_month : cost of an engineer, USD/month
    open_share : share of the stack that runs on open, vendor-neutral software, 0..1
    agent_help : share of porting work done by coding agents, 0..1
    """
    ndim = stacks.ndim
    labour_usd = per_run(engineer_months, ndim) * per_run(wage_usd_per_month, ndim)
    return stacks * labour_usd * (1 - per_run(open_share, ndim)) * (1 - per_run(agent_help, ndim))


def after_services(
    cost_usd: Floats, service_share: Parameter, upgrade_cut: Parameter, exit_rise: Parameter
) -> tuple[Floats, Floats]:
    """Return (cost of moving to the vendor's next generation, cost of leaving the vendor).

    Packaged inference services hide the chip from the application: upgrades inside the vendor get cheaper,
    exit gets dearer because the service interface is proprietary, both in proportion to their use.

    Parameters
    ----------
    cost_usd : (R, …) porting cost without such services
    service_share : share of stacks on the vendor's packaged services, 0..1
    upgrade_cut : share of cost that services save between generations, 0..1
    exit_rise : share by which services raise the cost of leaving
    """
    used = per_run(service_share, cost_usd.ndim)
    upgrade_usd = cost_usd * (1 - used * per_run(upgrade_cut, cost_usd.ndim))
    exit_usd = cost_usd * (1 + used * per_run(exit_rise, cost_usd.ndim))
    return upgrade_usd, exit_usd


def with_credit_balance(cost_usd: Floats, balance_usd: Floats, forfeited_share: Parameter) -> Floats:
    """Return the cost of leaving when prepaid credits of the old vendor are forfeited on exit.

    An endogenous switching cost (Farrell and Klemperer 2007, section 2.4): portable credits have a
    `forfeited_share` of zero. Shapes: `cost_usd` and `balance_usd` (R, …).
    """
    return cost_usd + per_run(forfeited_share, cost_usd.ndim) * balance_usd


def after_anchor(cost_usd: Floats, anchor_foreign_share: Parameter, spillover: Parameter) -> Floats:
    """Return others' switching cost once an anchor lab has diversified, SC x (1 - psi x share).

    A lab everyone watches pays for kernels and tools that others reuse (adoption externality; Katz and
    Shapiro, American Economic Review 75, 1985).

    Parameters
    ----------
    cost_usd : (R, …) switching cost of the others
    anchor_foreign_share : share of the anchor's compute that is not the incumbent's, 0..1
    spillover : psi, 0..1
    """
    ndim = cost_usd.ndim
    return cost_usd * (1 - per_run(spillover, ndim) * per_run(anchor_foreign_share, ndim))


def net_gain_usd(
    spend_usd: Floats,
    saving_share: Floats,
    cost_usd: Floats,
    overhead_share: Parameter,
    rate_per_quarter: Parameter,
    horizon_quarters: Parameter,
) -> Floats:
    """Return PV(saving) - overhead - switching cost of moving a quarterly spend elsewhere.

    gain = a(r, n) x S x (s - o (1 - s)) - SC, where a is the annuity factor and the overhead o of running
    two platforms falls on what the moved work costs at its new place.

    Parameters
    ----------
    spend_usd : (R, …) present spend, USD/quarter
    saving_share : (R, …) share saved at equal work; may be negative
    cost_usd : (R, …) one-off switching cost
    overhead_share : cost of a second platform, share of spend there
    rate_per_quarter : discount rate
    horizon_quarters : life of the work to be moved
    """
    ndim = spend_usd.ndim
    factor = present_value_factor(per_run(rate_per_quarter, ndim), per_run(horizon_quarters, ndim))
    saved = saving_share - per_run(overhead_share, ndim) * (1 - saving_share)
    return factor * spend_usd * saved - cost_usd


def switching_hazard(
    gain_usd: Floats, stake_usd: Floats, review_rate: Parameter, dispersion: Parameter
) -> Floats:
    """Return the share of a population that switches in a quarter, review rate x logistic(gain / stake).

    Costs differ within a population: with a logistic spread of gains relative to the stake the deterministic
    rule becomes a share (McFadden 1974), taken only by those who review their choice this quarter.

    Parameters
    ----------
    gain_usd : (R, …) net gain of the average member
    stake_usd : (R, …) discounted spend under decision, positive where it matters
    review_rate : share of members that review per quarter, 0..1
    dispersion : spread of gain over stake in the population, positive
    """
    ndim = gain_usd.ndim
    scaled = gain_usd / np.maximum(stake_usd, 1.0) / per_run(dispersion, ndim)
    return per_run(review_rate, ndim) / (1 + np.exp(-np.clip(scaled, -50, 50)))


def next_open_share(open_share: Floats, erosion: Parameter, effort: Parameter, ceiling: Parameter) -> Floats:
    """Return the open share a quarter later, min(ceiling, share + erosion x effort), never falling.

    Parameters
    ----------
    open_share : (R, …) share of stacks on open software, 0..1
    erosion : rise per quarter at normal funding, share
    effort : funding of open software relative to normal; 0 none, 1 normal
    ceiling : share that can become open at most
    """
    ndim = open_share.ndim
    risen = open_share + per_run(erosion, ndim) * per_run(effort, ndim)
    return np.maximum(open_share, np.minimum(per_run(ceiling, ndim), risen))


def agent_help_at(
    year: float, start_share: Parameter, end_share: Parameter, start_year: float, end_year: float
) -> Floats:
    """Return the share of porting done by coding agents: straight from start to end, level outside; (R,)."""
    passed = np.clip((year - start_year) / (end_year - start_year), 0.0, 1.0)
    start = np.asarray(start_share, dtype=np.float64)
    return start + (np.asarray(end_share, dtype=np.float64) - start) * passed
