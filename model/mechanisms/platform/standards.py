"""Rival units of compute: compatibility, increasing returns and how a standards war ends (M20).

Sources: Farrell and Saloner, RAND Journal of Economics 16 (1985) and American Economic Review 76 (1986);
Katz and Shapiro, American Economic Review 75 (1985); Arthur, Economic Journal 99 (1989).
"""

import numpy as np

from computemarket.model.core.arrays import Bools, Floats, Ints
from computemarket.model.mechanisms.broadcast import Parameter, per_run

CHOICES = ("own_unit", "conversion", "common_unit")


def links(choice: Ints, present: Bools, conversion_quality: Parameter) -> Floats:
    """Return how far a user of unit i reaches the users of unit j, (R, P, P) in 0..1.

    One on the diagonal; one among platforms on the common unit; the conversion quality from and to platforms
    that convert (the weaker side counts: converters connect to converters and to the common unit).

    Parameters
    ----------
    choice : (R, P) index into `CHOICES`
    present : (R, P) platforms that issue a unit
    conversion_quality : what is left of the benefit through a converter, 0..1 (Farrell and Saloner 1992)
    """
    both = present[:, :, None] & present[:, None, :]
    open_side = choice > 0
    linked = both & open_side[:, :, None] & open_side[:, None, :]
    common = (choice == 2)[:, :, None] & (choice == 2)[:, None, :]
    reach = np.where(linked, np.where(common, 1.0, per_run(conversion_quality, 3)), 0.0)
    own = np.eye(choice.shape[1], dtype=np.bool_)
    return np.where(own & both, 1.0, reach)


def with_hub(reach: Floats, hub_present: Bools, fee: Parameter) -> Floats:
    """Return links (R, P, P) when a neutral hub lists every unit: at least 1 - fee between any two.

    Parameters
    ----------
    reach : (R, P, P) from `links`
    hub_present : (R,) whether the neutral venue is open
    fee : its fee, share of trade
    """
    exists = np.ascontiguousarray(np.diagonal(reach, axis1=1, axis2=2)) > 0
    listed = exists[:, :, None] & exists[:, None, :] & hub_present[:, None, None]
    return np.where(listed, np.maximum(reach, 1 - per_run(fee, 3)), reach)


def network_size(base: Floats, reach: Floats) -> Floats:
    """Return the users each unit reaches, n_i = sum_j L_ij b_j; `base` (R, P), `reach` (R, P, P)."""
    return (reach * base[:, None, :]).sum(axis=-1)


def adoption_shares(
    stand_alone: Floats, network: Floats, network_weight: Parameter, present: Bools
) -> Floats:
    """Return shares of new users by unit, a logit of v + w ln(1 + n).

    Random-utility form of adoption under increasing returns (Arthur 1989).

    Parameters
    ----------
    stand_alone : (R, P) utility without a network
    network : (R, P) users reached
    network_weight : w
    present : (R, P) units that exist; with none, shares are zero
    """
    utility = stand_alone + per_run(network_weight, 2) * np.log1p(network)
    utility = np.where(present, utility, -np.inf)
    top = np.where(present.any(axis=-1), utility.max(axis=-1), 0.0)
    weight = np.exp(utility - top[:, None])
    total = weight.sum(axis=-1, keepdims=True)
    return weight / np.where(total > 0, total, 1.0)


def choice_profit_usd(
    choice: Ints,
    base: Floats,
    stand_alone: Floats,
    present: Bools,
    market_usd: Floats,
    margin: Floats,
    network_weight: Parameter,
    conversion_quality: Parameter,
) -> Floats:
    """Return the profit of each compatibility choice, the others keeping theirs; (R, P, 3).

    profit = market x share x margin of the choice: compatibility widens one's network and gives up the margin
    of a closed one (Katz and Shapiro 1985).

    Parameters
    ----------
    choice : (R, P) present choices
    base, stand_alone, present : (R, P) as in `adoption_shares`
    market_usd : (R,) yearly trade in units
    margin : (3,) or (R, 3) margin by choice
    """
    margins = np.broadcast_to(margin, (len(base), len(CHOICES)))
    profit = np.empty((*base.shape, len(CHOICES)))
    for platform in range(base.shape[1]):
        for option in range(len(CHOICES)):
            tried = choice.copy()
            tried[:, platform] = option
            network = network_size(base, links(tried, present, conversion_quality))
            share = adoption_shares(stand_alone, network, network_weight, present)[:, platform]
            profit[:, platform, option] = market_usd * share * margins[:, option]
    return profit


def compatibility_choice(choice: Ints, profit_usd: Floats, inertia: Parameter) -> Ints:
    """Return each platform's choice: the most profitable, if it beats the present one by the inertia.

    Shapes: `choice` (R, P), `profit_usd` (R, P, 3), `inertia` share (excess inertia, Farrell and Saloner
    1985).
    """
    best = np.argmax(profit_usd, axis=-1)
    now = np.take_along_axis(profit_usd, choice[..., None], axis=-1)[..., 0]
    then = np.take_along_axis(profit_usd, best[..., None], axis=-1)[..., 0]
    return np.where(then > (1 + per_run(inertia, 2)) * now, best, choice).astype(np.int64)


def rival_unit_appears(
    uniform: Floats, hazard: Parameter, leader_stage: Ints | Floats, present: Bools
) -> Bools:
    """Return which platforms launch a unit this quarter.

    uniform < 1 - exp(-hazard x (1 + stage of the leader's credit)): waiting cedes the rules to the first
    mover, so the race quickens as the leader's credit advances.

    Parameters
    ----------
    uniform : (R, P) draws on 0..1
    hazard : launches per quarter and platform before the leader moves
    leader_stage : (R,) stage of the leader's credit, 0..4
    present : (R, P) units that exist already
    """
    rate = per_run(hazard, 2) * (1 + leader_stage[:, None])
    return ~present & (uniform < -np.expm1(-rate))


def next_base(base: Floats, joining: Floats, shares: Floats, churn: Parameter) -> Floats:
    """Return users by unit a quarter later, (1 - churn) base + joining x share.

    Those who churn choose again with the newcomers, so users are conserved: sum' = sum + joining.

    Parameters
    ----------
    base, shares : (R, P); `joining` (R,) new users; `churn` share that reconsiders
    """
    lost = base * per_run(churn, 2)
    entering = joining + lost.sum(axis=-1)
    settled = shares.sum(axis=-1, keepdims=True) > 0
    return np.where(settled, base - lost + entering[:, None] * shares, base)


def take_up(
    stand_alone: Floats, network: Floats, network_weight: Parameter, present: Bools, outside: Parameter
) -> Floats:
    """Return the share of buyers that use units at all, a logit of the inclusive value against plain dollars.

    Fragmented networks leave everyone below critical mass (Katz and Shapiro 1985). Shapes as
    `adoption_shares`; result (R,), zero where no unit exists.
    """
    utility = np.where(present, stand_alone + per_run(network_weight, 2) * np.log1p(network), -np.inf)
    weight = np.exp(np.minimum(utility, 50.0)).sum(axis=-1)
    return weight / (weight + np.exp(np.asarray(outside, dtype=np.float64)))


def end_state(shares: Floats, hub_share: Floats, winner_share: Parameter, hub_majority: Parameter) -> Ints:
    """Return how the war stands, 0 several units, 1 one winner, 2 a neutral hub.

    A neutral hub where it carries the majority of trade; else one winner where a unit has the winner's share;
    else several units. Shapes: `shares` (R, P), `hub_share` (R,).
    """
    won = shares.max(axis=-1) >= np.asarray(winner_share)
    hub = hub_share >= np.asarray(hub_majority)
    return np.where(hub, 2, np.where(won, 1, 0)).astype(np.int64)


def hub_trade_share(reach: Floats, shares: Floats, fee: Parameter, sensitivity: Parameter) -> Floats:
    """Return the share of trade between units that a neutral hub carries.

    Trade between i and j is in proportion to s_i s_j; the hub takes the logit share of a route with quality
    1 - fee against the direct link L_ij; trade within a unit stays direct. Shapes: `reach` (R, P, P) without
    the hub, `shares` (R, P); result (R,), share of all trade.
    """
    direct = per_run(sensitivity, 3) * (reach - (1 - per_run(fee, 3)))
    through_hub = 1 / (1 + np.exp(np.clip(direct, -50, 50)))
    pairs = shares[:, :, None] * shares[:, None, :] * (1 - np.eye(shares.shape[1]))
    return (pairs * through_hub).sum(axis=-1).sum(axis=-1)
