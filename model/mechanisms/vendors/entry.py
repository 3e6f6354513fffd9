"""Entry into a niche of a leader's market, and the leader's replies: fight, make, license or buy (M9, M13).

Sources: Bain, Barriers to New Competition (1956), on minimum efficient scale; Dixit, Economic Journal 90 (1980), on
capacity that deters entry; Gilbert and Newbery, American Economic Review 72 (1982), on what an incumbent pays; Teece,
Research Policy 15 (1986), on licensing against building.
"""

import numpy as np

from computemarket.model.core.arrays import Floats, Ints
from computemarket.model.mechanisms.broadcast import Parameter, per_run

FIGHT, MAKE, LICENSE, BUY = range(4)
REPLIES = ("fight", "make", "license", "buy")


def contestable_usd(segment_usd: Floats, incumbent_usd: Floats, deterrence: Parameter) -> Floats:
    """Return what of a segment an entrant can hope to win, segment - deterrence x the incumbent's own product in it.

    A product made for the segment is a commitment: an entrant expects a price war over what the incumbent serves with
    it (Dixit 1980; Schmalensee 1978). With deterrence 1 only what is served already is lost, beyond it more.

    Parameters
    ----------
    segment_usd, incumbent_usd : (R,) sales a quarter
    deterrence : dollars of hope lost per dollar that the incumbent sells in the segment
    """
    return np.maximum(segment_usd - per_run(deterrence, segment_usd.ndim) * incumbent_usd, 0.0)


def system_cost_usd(
    first_usd: Parameter, content: Floats, first_content: Floats, weight: Parameter
) -> Floats:
    """Return what it costs to enter at the scale of a system, c0 ((1 + s) / (1 + s0))^w.

    The more network, cooling and rack the incumbent sells with a chip (s per dollar of chip), the more of it an entrant
    must bring at once: the minimum efficient scale rises (Bain 1956).

    Parameters
    ----------
    content, first_content : (R,) what is sold with a dollar of the incumbent's chips, now and at the start
    """
    ratio = (1 + content) / (1 + first_content)
    return np.asarray(first_usd, dtype=np.float64) * ratio ** per_run(weight, ratio.ndim)


def blocking_chance(share: Floats, stage: Floats, base_ln: Parameter, share_weight: Parameter) -> Floats:
    """Return the chance that a purchase is forbidden, a logit in the buyer's share and in the stage of its case.

    A licence with hires is no merger and is not asked for (hence its price). Shapes (R,).
    """
    odds = np.asarray(base_ln, dtype=np.float64) + np.asarray(share_weight) * share + stage
    return 1 / (1 + np.exp(-odds))


def reply_values_usd(
    stake_usd: Floats, technology_usd: Floats, price_usd: Floats, make_cost_usd: Floats,
    made_share: Parameter, made_discount: Parameter, licensed_share: Parameter,
    premium: Parameter, blocked: Parameter, fee_share: Parameter,
) -> Floats:  # fmt: skip
    """Return (R, n, 4) what each reply is worth to the leader beyond fighting on price alone, in order of `REPLIES`.

    make = m d V - C; license = l V + T - P; buy = (1 - q)(V + T - (1 + k) P) - q f P: V the profit at stake, d what
    it loses until an own answer is there, T the technology, P the price of the licence, q the chance that a purchase
    is forbidden and f the fee then due.

    Parameters
    ----------
    stake_usd, technology_usd, price_usd, make_cost_usd : (R, n) by rival
    """
    ndim = stake_usd.ndim
    wins = per_run(made_share, ndim) * per_run(made_discount, ndim)
    stopped = per_run(blocked, ndim)
    make = wins * stake_usd - make_cost_usd
    license_ = per_run(licensed_share, ndim) * stake_usd + technology_usd - price_usd
    bought = stake_usd + technology_usd - (1 + per_run(premium, ndim)) * price_usd
    buy = (1 - stopped) * bought - stopped * per_run(fee_share, ndim) * price_usd
    return np.stack([np.zeros_like(make), make, license_, buy], axis=-1)


def best_reply(values_usd: Floats) -> Ints:
    """Return the place of the best reply; ties go to the least costly step, fighting first."""
    return values_usd.argmax(axis=-1)


def survives(profit_usd: Floats, entry_cost_usd: Floats, annuity_quarters: Parameter) -> Floats:
    """Return what an entrant earns over what its scale must earn to be kept up, profit x a(r, n) / cost.

    Below one it is beneath the minimum efficient scale (Bain 1956). Shapes (R, n).
    """
    return profit_usd * per_run(annuity_quarters, profit_usd.ndim) / entry_cost_usd
