"""The state: each array is declared once, made as declared, and guarded against what is not declared."""

from collections.abc import Iterator

import numpy as np
import pytest

from computemarket.model.state import ARRAYS, BOOKS, MarketState, check_bounds
from computemarket.model.state.axes import AXES, lengths
from computemarket.model.state.declared import FLOW, POSITIVE, SHARE, STOCK, Declared
from computemarket.model.world.world import load_world
from computemarket.scenarios.schedule import SCHEDULE

UNITS = {
    "1", "share", "ln", "units", "quarters", "USD", "MW", "H100e", "H100e-hours", "GPU-hours", "tokens", "wafers",
    "TPP", "USD/unit", "USD/H100e", "USD/H100e-hour", "USD/Mtok", "USD/h", "USD/Mtok or H100e-hour",
    "USD/year", "1/year", "H100e/unit", "units/wafer",
    "wafers/quarter", "GB/quarter", "units/quarter", "ln/year", "ln/quarter", "ln(USD/year)",
}  # fmt: skip
RUNS, LABS = 3, 4


@pytest.fixture
def state() -> MarketState:
    return MarketState(load_world(), RUNS, LABS)


def test_every_array_has_the_declared_shape_and_start(state: MarketState) -> None:
    long = lengths(load_world(), RUNS, LABS)
    for name, one in ARRAYS.items():
        letters = ["N"] if one.axes == "N" else ["R", *one.axes.split()]
        assert vars(state)[name].shape == tuple(long[letter] for letter in letters), name
        if not isinstance(one.start, str):
            assert np.all(vars(state)[name] == one.start), name
    assert state.packages_per_wafer[2].tolist() == load_world().products.packages_per_wafer.tolist()


def test_no_name_is_declared_in_two_books() -> None:
    assert len(ARRAYS) == sum(len(book.arrays()) for book in BOOKS)


def faults(one: Declared) -> Iterator[str]:
    """Yield what is missing or misspelt in a declaration."""
    if not set(one.axes.split()) <= set(AXES):
        yield f"{one.name}: axes {one.axes}"
    if one.unit not in UNITS:
        yield f"{one.name}: unit {one.unit} is not spelt as elsewhere"
    if one.kind not in {STOCK, FLOW} or (one.lagged and one.kind != FLOW):
        yield f"{one.name}: kind {one.kind}, lagged {one.lagged}"
    if not (one.meaning[:1].isupper() or one.meaning[:1] == "1") or one.meaning.endswith("."):
        yield f"{one.name}: meaning {one.meaning}"
    if one.unit == "share" and one.within not in {SHARE, POSITIVE}:
        yield f"{one.name}: a share within {one.within}"


def test_declarations_say_what_a_reader_needs() -> None:
    assert [fault for one in ARRAYS.values() for fault in faults(one)] == []


def test_the_owner_of_an_array_is_a_step_of_the_schedule() -> None:
    steps = {step.name for step in SCHEDULE}
    lost = {name: one.owner for name, one in ARRAYS.items() if one.owner not in steps}
    assert lost == {"restricted_holders": ""}, "only what is set once, when the market is made, has no owner"


def test_what_is_not_declared_cannot_be_written(state: MarketState) -> None:
    with pytest.raises(AttributeError, match=r"state\.fleet_unit is not declared"):
        state.fleet_unit = np.zeros(RUNS)


def test_an_array_is_changed_in_place_and_never_replaced(state: MarketState) -> None:
    state.debt_usd += 5.0
    assert state.debt_usd[0, 0] == 5.0
    with pytest.raises(AttributeError, match=r"state\.debt_usd is replaced"):
        state.debt_usd = np.zeros_like(state.debt_usd)
    state.restricted_holders = np.arange(3)
    assert state.restricted_holders.tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("fleet_units", -1.0, "fleet_units: -1 to 0 is not within 0 to inf (units)"),
        ("utilisation", 1.5, "utilisation: 0.6 to 1.5 is not within 0 to 1 (share)"),
        ("sentiment_ln", np.nan, "sentiment_ln: nan to nan is not within -inf to inf (ln)"),
    ],
)
def test_a_value_out_of_bounds_is_told(state: MarketState, name: str, value: float, said: str) -> None:
    assert check_bounds(state) == []
    vars(state)[name][0] = value
    assert check_bounds(state) == [said]
