"""What sets histories apart without a cause: drawn once, the same in any company, nothing where spreads are nought."""

import numpy as np

from computemarket.scenarios.assembly import assemble
from computemarket.scenarios.batches.ensemble import prepare

DRAWN = ("operator_shares", "product_taste", "ramp_factor", "agreed_price_factor")
NONE = {
    "capex__share_sd_ln": 0.0,
    "chips__taste_sd": 0.0,
    "capacity__ramp_sd_ln": 0.0,
    "chips__price_sd_ln": 0.0,
}


def test_without_spread_every_history_is_what_is_expected(market_after):
    market = market_after(0, **NONE)
    given = market.world.operators.belief_share
    assert np.allclose(market.differences.operator_shares, given, rtol=1e-12)
    assert (market.differences.product_taste == 0).all()
    assert (market.differences.ramp_factor == 1).all()
    assert (market.state.price_usd == market.world.products.price_usd).all()


def test_shares_are_shares_and_differ_between_histories(market_after):
    shares = market_after(0).differences.operator_shares
    assert np.allclose(shares.sum(axis=1), 1.0)
    assert (np.ptp(shares[:, :5], axis=0) > 0.01).all()


def test_draws_do_not_depend_on_the_company(market_after):
    market = market_after(0)
    alone = assemble(prepare("baseline", seed=1), np.array([4]), frozenset())
    for drawn in DRAWN:
        one, many = getattr(alone.differences, drawn), getattr(market.differences, drawn)
        assert one[0].tobytes() == many[4].tobytes()


def test_payments_swing_other_capex_and_leave_what_is_built_alone(market_after):
    calm, lumpy = (market_after(3, capex__payment_noise_sd=sd) for sd in (0.0, 0.3))
    assert calm.state.ai_capex_usd.tobytes() == lumpy.state.ai_capex_usd.tobytes()
    some = calm.state.legacy_capex_usd > 0
    swing = np.log(lumpy.state.legacy_capex_usd[some] / calm.state.legacy_capex_usd[some])
    assert 0.2 < swing.std() < 0.4
