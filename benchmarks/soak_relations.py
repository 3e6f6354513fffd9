"""Promises about what must change in a known way, or not at all."""

import random
from collections.abc import Callable
from dataclasses import fields, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

UNTIL = "2022Q4"
LATER = "2023Q1"  # a quarter after the last
WANTED = 1_000  # of each relation
Values = Any


def _histories(scenario: Any, runs: "list[int]") -> Values:
    """Return (R, T, n) of everything recorded."""
    from computemarket.scenarios.batches.ensemble import simulate_chunk

    recorder = simulate_chunk(scenario, np.array(runs, dtype=np.int64))
    return np.concatenate([recorder.array(name) for name in recorder.series], axis=2)


def _same(left: Values, right: Values) -> None:
    assert left.shape == right.shape
    assert np.ascontiguousarray(left).tobytes() == np.ascontiguousarray(right).tobytes()


@cache
def _names() -> tuple[str, ...]:
    from computemarket.scenarios.schema import library_names

    return tuple(library_names())


def _drawn(chance: random.Random) -> Any:
    """Return a scenario of the library with another seed and a few other numbers."""
    from computemarket.model.core.parameters import schema
    from computemarket.scenarios.schema import load_scenario

    chosen = chance.sample(sorted(schema()), 3)
    settings = {name: chance.uniform(schema()[name].low, schema()[name].high) for name in chosen}
    scenario = replace(load_scenario(chance.choice(_names())), seed=chance.randrange(2**40), until=UNTIL)
    return scenario.with_settings(settings)


def company(chance: random.Random, _spare: Path) -> None:
    """Check that a run is the same alone and in any company and order."""
    scenario = _drawn(chance)
    runs = chance.sample(range(50), 4)
    _same(_histories(scenario, runs)[2:3], _histories(scenario, runs[2:3]))


def horizon(chance: random.Random, _spare: Path) -> None:
    """Check that a shorter horizon is the start of a longer one."""
    scenario = _drawn(chance)
    short = _histories(replace(scenario, until="2022Q2"), [0, 1])
    _same(short, _histories(scenario, [0, 1])[:, :2])


def name(chance: random.Random, _spare: Path) -> None:
    """Check that name and description change nothing."""
    scenario = _drawn(chance)
    other = replace(scenario, name="other", description="words")
    _same(_histories(scenario, [0, 1]), _histories(other, [0, 1]))


def order(chance: random.Random, _spare: Path) -> None:
    """Check that the order in which settings are written changes nothing."""
    scenario = _drawn(chance)
    pairs = list(scenario.settings.items())
    chance.shuffle(pairs)
    _same(_histories(scenario, [0, 1]), _histories(replace(scenario, settings=dict(pairs)), [0, 1]))


def written_out(chance: random.Random, spare: Path) -> None:
    """Check that a scenario written out in full, and read back, is the same."""
    from computemarket.scenarios.resolved import resolved_text
    from computemarket.scenarios.schema import load_scenario

    scenario = _drawn(chance)
    path = spare / "resolved.toml"
    path.write_text(resolved_text(scenario), "utf-8")
    _same(_histories(scenario, [0, 1]), _histories(load_scenario(path), [0, 1]))


def later_change(chance: random.Random, _spare: Path) -> None:
    """Check that a change after the last quarter changes nothing."""
    from computemarket.model.core.parameters import schema

    scenario = _drawn(chance)
    one = schema()[chance.choice(sorted(schema()))]
    changed = scenario.with_settings({one.name: [{"from": LATER, "value": one.low}]})
    _same(_histories(scenario, [0, 1]), _histories(changed, [0, 1]))


def own_default(chance: random.Random, _spare: Path) -> None:
    """Check that a parameter set to what it is anyway changes nothing."""
    from computemarket.model.core.parameters import schema

    scenario = _drawn(chance)
    plain = [
        one
        for one in schema().values()
        if isinstance(one.setting, float) and one.name not in scenario.settings
    ]
    one = chance.choice(plain)
    _same(_histories(scenario, [0, 1]), _histories(scenario.with_settings({one.name: one.setting}), [0, 1]))


def _orders(chance: random.Random) -> tuple[Values, Values]:
    rng = np.random.Generator(np.random.Philox(chance.randrange(2**60)))
    orders = rng.integers(0, 1000, (3, chance.randint(2, 8))).astype(float)
    return orders, rng.integers(0, 4000, 3).astype(float)


def shares_of_buyers(chance: random.Random, _spare: Path) -> None:
    """Check that who is short gets the same in any order, none more than ordered, all together the supply."""
    from computemarket.model.mechanisms.suppliers.rationing import ration

    orders, supply = _orders(chance)
    place = np.array(chance.sample(range(orders.shape[1]), orders.shape[1]))
    one = ration(orders, supply)
    np.testing.assert_allclose(ration(orders[:, place], supply), one[:, place], rtol=1e-12, atol=1e-9)
    assert (one <= orders).all()
    np.testing.assert_allclose(one.sum(axis=1), np.minimum(supply, orders.sum(axis=1)), rtol=1e-9)


def more_supply(chance: random.Random, _spare: Path) -> None:
    """Check that more supply never leaves anybody with less; doubled orders and supply are doubled deliveries."""
    from computemarket.model.mechanisms.suppliers.rationing import ration

    orders, supply = _orders(chance)
    one = ration(orders, supply)
    assert (ration(orders, supply * 1.5) >= one * (1 - 1e-12)).all()
    np.testing.assert_allclose(ration(2 * orders, 2 * supply), 2 * one, rtol=1e-12)


def _book(chance: random.Random) -> tuple[Values, ...]:
    rng = np.random.Generator(np.random.Philox(chance.randrange(2**60)))
    sizes = chance.randint(1, 6), chance.randint(1, 6)
    bids, asks = (np.round(rng.random((1, size)) * 64) / 8 for size in sizes)
    hours = [rng.integers(1, 64, (1, size)).astype(float) for size in sizes]
    return bids, hours[0], asks, hours[1]


def unit_of_price(chance: random.Random, _spare: Path) -> None:
    """Check that in another unit of money the same hours trade, at the same price in that unit."""
    from computemarket.model.mechanisms.finance.auction import clear_double_auction

    bids, wanted, asks, offered = _book(chance)
    last = np.array([1.0])
    one = clear_double_auction(bids, wanted, asks, offered, 0.5, last)
    other = clear_double_auction(4 * bids, wanted, 4 * asks, offered, 0.5, 4 * last)
    for left, right in zip(_parts(one), _parts(other), strict=True):
        assert (np.array_equal(left, right)) or np.array_equal(4 * left, right)


def two_halves(chance: random.Random, _spare: Path) -> None:
    """Check that a market in which everybody comes twice trades twice the hours at the same price."""
    from computemarket.model.mechanisms.finance.auction import clear_double_auction

    bids, wanted, asks, offered = _book(chance)
    last = np.array([1.0])
    one = clear_double_auction(bids, wanted, asks, offered, 0.5, last)
    twice = clear_double_auction(
        np.tile(bids, 2), np.tile(wanted, 2), np.tile(asks, 2), np.tile(offered, 2), 0.5, last
    )
    assert float(twice.bought_h.sum()) == 2 * float(one.bought_h.sum())
    assert float(twice.bought_h.sum()) == float(twice.sold_h.sum())


def _parts(clearing: Any) -> "list[Values]":
    return [np.asarray(getattr(clearing, one.name)) for one in fields(clearing)]


def chunk_size(chance: random.Random, _spare: Path) -> None:
    """Check that runs simulated in chunks of any size are the same."""
    scenario = _drawn(chance)
    count = chance.randint(2, 12)
    cut = chance.randint(1, count - 1)
    whole = _histories(scenario, list(range(count)))
    _same(whole[:cut], _histories(scenario, list(range(cut))))
    _same(whole[cut:], _histories(scenario, list(range(cut, count))))


RELATIONS: tuple[Callable[[random.Random, Path], None], ...] = (
    company, horizon, name, order, written_out, later_change, own_default, shares_of_buyers, more_supply, unit_of_price,
    two_halves, chunk_size,
)  # fmt: skip


def _words(relation: Callable[[random.Random, Path], None]) -> str:
    return (relation.__doc__ or "").removeprefix("Check that ").rstrip(".")


def _attempt(relation: Callable[[random.Random, Path], None], number: int, spare: Path) -> None:
    relation(random.Random(number), spare)  # noqa: S311


PROMISES = {
    relation.__name__: ((relation.__doc__ or "").rstrip("."), 1_000, partial(_attempt, relation))
    for relation in RELATIONS
}
