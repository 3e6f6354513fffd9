"""Hours by use: by hand, and as the theory of assignment says."""

import numpy as np
import pytest

from computemarket.model.mechanisms.operators.hours_by_use import Fleets, Wants, assign, clear_uses

SPREAD, IDLE = np.full(3, 0.15), np.full(3, 1.3)
DRAW = np.random.Generator(np.random.Philox(7))
PRODUCTS, USES = 12, 4


def fleets(hours=None, running=0.2):
    rate_ln = DRAW_RATES
    given = DRAW_HOURS if hours is None else hours
    return Fleets(given, rate_ln, np.full(given.shape, np.log(running)))


DRAW_RATES = np.broadcast_to(DRAW.normal(0, 1, (1, PRODUCTS, USES)), (3, PRODUCTS, USES)).copy()
DRAW_HOURS = DRAW.uniform(0, 2000, (3, 2, PRODUCTS))
WANTED = DRAW.uniform(100, 5000, (3, 2, USES))


def wants(amount=WANTED):
    return Wants(amount, np.ones((3, 2, USES)), np.full((3, 1, USES), 1.2))


def wanted_ln(asked, price_usd):
    """Return ln of what is wanted at prices."""
    return np.log(asked.amount) - asked.elasticity * np.log(price_usd / asked.price_usd)


def cleared(given, asked, rounds=4):
    price = np.ones((3, 2, USES))
    for _ in range(rounds):
        price = clear_uses(given, asked, price, SPREAD, IDLE)
    return price


def made(given, price):
    put = assign(given, price, SPREAD, IDLE)
    let = (given.hours * put.used)[..., None] * put.share
    return (let * np.exp(given.rate_ln)[:, None]).sum(axis=2)


def test_one_product_in_one_use_by_hand():
    # an hour makes 2 units; at 0.4 USD a unit it earns 0.8 USD against 0.1 to run:
    # let 1 / (1 + (0.1 / 0.8)^(1 / 1.5)) = 1 / (1 + 0.25) = 0.8 of 100 hours, which make 160 units
    given = Fleets(
        np.full((1, 1, 1), 100.0), np.log(np.full((1, 1, 1), 2.0)), np.log(np.full((1, 1, 1), 0.1))
    )
    idle = np.full(1, 1.5)
    put = assign(given, np.full((1, 1, 1), 0.4), SPREAD[:1], idle)
    assert put.used[0, 0, 0] == pytest.approx(0.8)
    assert put.rent_usd[0, 0, 0] == pytest.approx(0.8)
    asked = Wants(np.full((1, 1, 1), 160.0), np.full((1, 1, 1), 0.4), np.ones((1, 1, 1)))
    price = clear_uses(given, asked, np.full((1, 1, 1), 1.0), SPREAD[:1], idle)
    assert price[0, 0, 0] == pytest.approx(0.4, rel=1e-6)


def test_what_is_made_of_each_use_is_what_is_wanted_at_its_price():
    given, asked = fleets(), wants()
    price = cleared(given, asked)
    np.testing.assert_allclose(np.log(made(given, price)), wanted_ln(asked, price), atol=1e-8)


def test_from_last_quarters_prices_one_round_is_enough():
    given = fleets()
    price = cleared(given, wants())
    moved = wants(WANTED * np.array([1.5, 0.8, 1.2, 1.0]))
    once = clear_uses(given, moved, price, SPREAD, IDLE)
    np.testing.assert_allclose(np.log(made(given, once)), wanted_ln(moved, once), atol=1e-4)


def test_a_squeeze_raises_rents_of_every_generation_and_lets_more_hours():
    given = fleets()
    calm, squeezed = (assign(given, cleared(given, wants(WANTED * k)), SPREAD, IDLE) for k in (1.0, 2.0))
    assert (squeezed.rent_usd > calm.rent_usd).all()
    assert (squeezed.used > calm.used).all()


def test_a_launch_lowers_the_rents_of_what_stood_before():
    before = DRAW_HOURS * (np.arange(PRODUCTS) > 0)
    after = before + 4000.0 * (np.arange(PRODUCTS) == 0)
    rents = [assign(fleets(h), cleared(fleets(h), wants()), SPREAD, IDLE).rent_usd for h in (before, after)]
    assert (rents[1].mean(axis=2) < rents[0].mean(axis=2)).all()


def test_wanting_more_of_one_use_makes_no_use_cheaper():
    given = fleets()
    more = WANTED * np.array([2.0, 1.0, 1.0, 1.0])
    assert (cleared(given, wants(more)) >= cleared(given, wants()) * (1 - 1e-9)).all()


def test_dearer_letting_idles_hours_and_raises_prices():
    cheap, dear = fleets(running=0.1), fleets(running=0.4)
    prices = [cleared(given, wants()) for given in (cheap, dear)]
    assert (prices[1] > prices[0]).all()
    used = [
        assign(given, price, SPREAD, IDLE).used for given, price in zip((cheap, dear), prices, strict=True)
    ]
    assert (used[1] < used[0]).all()


def test_a_history_has_the_same_bits_in_any_company_and_beside_products_that_nobody_has():
    given, asked = fleets(), wants()
    price = clear_uses(given, asked, np.ones((3, 2, USES)), SPREAD, IDLE)
    one = Fleets(given.hours[1:2], given.rate_ln[1:2], given.cost_ln[1:2])
    alone = Wants(asked.amount[1:2], asked.price_usd[1:2], asked.elasticity[1:2])
    same = clear_uses(one, alone, np.ones((1, 2, USES)), SPREAD[:1], IDLE[:1])
    assert same.tobytes() == price[1:2].tobytes()
    wider = Fleets(
        np.concatenate([one.hours, np.zeros((1, 2, 5))], axis=2),
        np.concatenate([one.rate_ln, one.rate_ln[:, :5]], axis=1),
        np.concatenate([one.cost_ln, one.cost_ln[:, :, :5]], axis=2),
    )
    assert clear_uses(wider, alone, np.ones((1, 2, USES)), SPREAD[:1], IDLE[:1]).tobytes() == same.tobytes()
