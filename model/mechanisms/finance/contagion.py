"""How the failure of one firm reaches others (M19).

Sources: Eisenberg and Noe, Management Science 47 (2001); Rogers and Veraart, Management Science 59 (2013);
Battiston et al., "DebtRank", Scientific Reports 2 (2012).
"""

import numpy as np

from computemarket.model.core.arrays import Floats


def impact(exposure_usd: Floats, equity_usd: Floats) -> Floats:
    """Return W, the share of j's equity that a full loss on i destroys, min(1, exposure_ji / equity_j).

    Parameters
    ----------
    exposure_usd : (R, N, N) claim of row j on column i
    equity_usd : (R, N); a firm without equity is destroyed by any loss

    Returns
    -------
    (R, N, N) row j, column i
    """
    equity = equity_usd[:, :, None]
    ratio = exposure_usd / np.where(equity > 0, equity, 1.0)
    return np.where(equity > 0, np.minimum(1.0, ratio), np.where(exposure_usd > 0, 1.0, 0.0))


def debt_rank(
    impact_matrix: Floats, distress: Floats, weight: Floats, steps: int | None = None
) -> tuple[Floats, Floats]:
    """Return (final distress of each firm, share of weighted value lost beyond the first shock).

    h_j(t) = min(1, h_j(t-1) + sum_i W_ji h_i(t-1)) over firms i that became distressed in the last step;
    each firm passes its distress on once, so that cycles do not count twice (Battiston et al. 2012). As many
    steps as there are firms always suffice; fewer do where no chain of claims is longer.

    Parameters
    ----------
    impact_matrix : (R, N, N) from `impact`, row j hit by column i
    distress : (R, N) first shock, share of equity lost, 0..1
    weight : (R, N) economic weight of firms, summing to one
    steps : as many as there are firms by default
    """
    level = distress
    active = distress > 0
    spent = np.zeros_like(active)
    for _ in range(weight.shape[-1] if steps is None else steps):
        passed = np.where(active, level, 0.0)
        raised = np.minimum(1.0, level + (impact_matrix * passed[:, None, :]).sum(axis=-1))
        spent = spent | active
        active = (raised > 0) & ~spent
        level = raised
    return level, (level * weight).sum(axis=-1) - (distress * weight).sum(axis=-1)


def systemic_importance(impact_matrix: Floats, weight: Floats, steps: int | None = None) -> Floats:
    """Return the DebtRank of every firm, the value its full failure destroys elsewhere; (R, N), share."""
    firms = weight.shape[-1]
    ranks = np.empty_like(weight)
    for firm in range(firms):
        shock = np.zeros_like(weight)
        shock[:, firm] = 1.0
        ranks[:, firm] = debt_rank(impact_matrix, shock, weight, steps)[1]
    return ranks
