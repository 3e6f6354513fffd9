"""A uniform-price double auction for accelerator-hours, and what hedgers pay speculators (M17)."""

from dataclasses import dataclass

import numpy as np

from computemarket.model.core.arrays import Floats, Ints
from computemarket.model.mechanisms.broadcast import Parameter, per_run


@dataclass(frozen=True, slots=True)
class AuctionClearing:
    """A cleared auction: price (R, …) USD/h, volume (R, …) hours, hours bought (R, …, B) and sold (R, …, S)."""

    price_usd_per_h: Floats
    volume_h: Floats
    bought_h: Floats
    sold_h: Floats


def clear_double_auction(
    bid_usd: Floats, bid_h: Floats, ask_usd: Floats, ask_h: Floats, k: Parameter, last_price_usd: Floats
) -> AuctionClearing:
    """Match bids with asks at one price: the k-double auction.

    Hours trade while the next bid is at least the next ask. Every price between low = max(last ask served, best bid
    hour not served) and high = min(last bid served, best ask hour not served) clears; the
    price is low + k (high - low).
    Equal prices are served in the order of the arrays. Where nothing trades the last price stands.
    Source: Chatterjee and Samuelson 1983; Wilson 1985; Rustichini, Satterthwaite and Williams 1994.

    Parameters
    ----------
    bid_usd, bid_h : (R, …, B) highest price a buyer pays, hours wanted; at least 0
    ask_usd, ask_h : (R, …, S) lowest price a seller takes, hours offered; at least 0
    k : weight of the high end, 0..1, a number or (R, …)
    last_price_usd : (R, …)
    """
    bid_order, bids, bid_ends = _sorted(-bid_usd, bid_h)
    ask_order, asks, ask_ends = _sorted(ask_usd, ask_h)
    volume = _traded(-bids, bid_ends, asks, ask_ends)
    bought, last_bid, next_bid = _served(-bids, bid_ends, volume, -np.inf)
    sold, last_ask, next_ask = _served(asks, ask_ends, volume, np.inf)
    low, high = np.maximum(last_ask, next_bid), np.minimum(last_bid, next_ask)
    trades = volume > 0
    low, high = np.where(trades, low, 0.0), np.where(trades, high, 0.0)
    price = np.where(trades, low + per_run(k, low.ndim) * (high - low), last_price_usd)
    return AuctionClearing(price, volume, _unsorted(bought, bid_order), _unsorted(sold, ask_order))


def _sorted(key: Floats, hours: Floats) -> tuple[Ints, Floats, Floats]:
    """Return the stable order by key, the keys in it, and the running sum of hours in it."""
    order = np.argsort(key, axis=-1, kind="stable")
    ends = np.cumsum(np.take_along_axis(hours, order, axis=-1), axis=-1)
    return order, np.take_along_axis(key, order, axis=-1), ends


def _unsorted(values: Floats, order: Ints) -> Floats:
    out = np.empty(values.shape)
    np.put_along_axis(out, order, values, axis=-1)
    return out


def _traded(bids: Floats, bid_ends: Floats, asks: Floats, ask_ends: Floats) -> Floats:
    """Return (R, …) the largest quantity at which the bid for its last hour is at least the ask.

    Both curves are steps; they are compared on the merged list of step ends.
    """
    n_bids, n_asks = bids.shape[-1], asks.shape[-1]
    ends = np.concatenate([bid_ends, ask_ends], axis=-1)
    order = np.argsort(ends, axis=-1, kind="stable")
    is_bid = order < n_bids
    bid_at = np.cumsum(is_bid, axis=-1) - is_bid  # steps that end before this one
    ask_at = np.arange(n_bids + n_asks) - bid_at
    inside = (bid_at < n_bids) & (ask_at < n_asks)
    bid = np.take_along_axis(bids, np.minimum(bid_at, n_bids - 1), axis=-1)
    ask = np.take_along_axis(asks, np.minimum(ask_at, n_asks - 1), axis=-1)
    quantity = np.take_along_axis(ends, order, axis=-1)
    volume: Floats = np.where(inside & (bid >= ask), quantity, 0.0).max(axis=-1)
    return volume


def _served(price: Floats, ends: Floats, volume: Floats, nothing: float) -> tuple[Floats, Floats, Floats]:
    """Return hours served by step, and the prices of the last hour served and of the first not served, or `nothing`."""
    starts = np.concatenate([np.zeros((*ends.shape[:-1], 1)), ends[..., :-1]], axis=-1)
    traded = volume[..., None]
    served = np.clip(traded - starts, 0.0, ends - starts)
    last = np.take_along_axis(
        price, np.maximum((starts < traded).sum(axis=-1, keepdims=True) - 1, 0), axis=-1
    )
    first_left = (ends <= traded).sum(axis=-1, keepdims=True)
    count = ends.shape[-1]
    following = np.take_along_axis(price, np.minimum(first_left, count - 1), axis=-1)
    following = np.where(first_left < count, following, nothing)
    return served, last[..., 0], following[..., 0]


def hedged_forward_price(
    expected_usd_per_h: Floats, offered_h: Floats, wanted_h: Floats,
    price_sd_usd: Floats, speculators: Parameter, risk_aversion: Parameter,
) -> Floats:  # fmt: skip
    """Return the forward price at which speculators absorb what hedgers offer in excess of what hedgers want.

    F = E[S] - (A sd^2 / n) (offered - wanted): clouds that sell forward more than labs buy pay a premium, normal
    backwardation; in the reverse case buyers pay. At least 0. Source: Keynes 1930; Anderson and Danthine 1981,
    Journal of Political Economy 89 (n speculators with constant absolute risk aversion A).

    Parameters
    ----------
    expected_usd_per_h, price_sd_usd : (R, …) by vintage and tenor, expectation and sd of the spot price then
    offered_h, wanted_h : (R, …) hours hedgers sell and buy forward
    speculators, risk_aversion : n and A (1/USD), a number or (R, …)
    """
    ndim = expected_usd_per_h.ndim
    tolerance = per_run(risk_aversion, ndim) / per_run(speculators, ndim)
    pressure = tolerance * price_sd_usd**2 * (offered_h - wanted_h)
    return np.maximum(expected_usd_per_h - pressure, 0.0)


def hedged_share(
    risk_aversion: Parameter, exposure_h: Floats, price_sd_usd: Floats, premium_usd: Floats
) -> Floats:
    """Return the share of its exposure that a hedger sells forward, 1 - premium / (A sd^2 exposure), in 0..1.

    Source: optimal hedge of a mean-variance firm, Johnson 1960; Anderson and Danthine 1981.
    """
    risk = per_run(risk_aversion, exposure_h.ndim) * price_sd_usd**2 * exposure_h
    kept = np.where(risk > 0, premium_usd / np.where(risk > 0, risk, 1.0), np.inf)
    return np.clip(1 - kept, 0.0, 1.0)


def local_price(index_usd_per_h: Floats, basis_sd_ln: Parameter, basis_draw: Floats) -> Floats:
    """Return a local price around the index, index x exp(sd z - sd^2/2); mean over draws is the index.

    Parameters
    ----------
    index_usd_per_h : broadcasts to `basis_draw` (R, …), standard normal draws
    """
    spread = per_run(basis_sd_ln, basis_draw.ndim)
    return index_usd_per_h * np.exp(spread * basis_draw - 0.5 * spread**2)


def settlement_usd(position_h: Floats, forward_usd_per_h: Floats, spot_usd_per_h: Floats) -> Floats:
    """Return the cash settlement of forward positions, hours x (spot - forward): positive for buyers if spot rose."""
    return position_h * (spot_usd_per_h - forward_usd_per_h)
