"""The schedule: what its steps declare is what they do, and who does otherwise is refused."""

import json
import re
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from tests.baselines.worlds import BLENDS, RUNS, blend

import computemarket.model
from computemarket.agents.vendors.vendor import ask_prices
from computemarket.commands.inspect import schedule as commands
from computemarket.errors import ScheduleError
from computemarket.model import guard as guarding
from computemarket.model.guard import faults, guard
from computemarket.model.schedule import BoundStep, bind, step
from computemarket.model.state import ARRAYS, MarketState
from computemarket.scenarios.assembly import GUARDED, assemble
from computemarket.scenarios.batches.ensemble import prepare
from computemarket.scenarios.schedule import EVERYTHING, SCHEDULE

TWO = np.arange(2)
RECORD = "keep the quarter"
MODEL = Path(computemarket.model.__file__).parent


def market_of(*steps, guarded=True):
    """Return a market that takes only some steps; before the first one its books are opened."""
    market = assemble(prepare("baseline", seed=1), TWO, frozenset())
    market.walk = bind(steps, market, market.cast)
    if guarded:
        guard(market)
    return market


class Watched(MarketState):
    """A state that notes which arrays are looked at, with what they held before."""

    def __getattribute__(self, name):
        found = object.__getattribute__(self, name)
        if name in ARRAYS:
            seen = object.__getattribute__(self, "__dict__").get("seen")
            if seen is not None and name not in seen:
                seen[name] = found.copy()
        return found


@pytest.fixture(scope="session")
def observed():
    """Return for every step the arrays that it looked at, that it changed, and whether it paid, in six worlds."""
    looks, changes, pays = defaultdict(set), defaultdict(set), set()

    def note(market, bound):
        seen = vars(market.state)["seen"] = {}
        moved = market.ledger.turnover_usd.copy()
        bound.run()
        del vars(market.state)["seen"]
        name = bound.step.name
        looks[name] |= seen.keys()
        changes[name] |= {
            one for one, old in seen.items() if old.tobytes() != vars(market.state)[one].tobytes()
        }
        if bound.step.phase != "begin" and (market.ledger.turnover_usd != moved).any():
            pays.add(name)

    for world in BLENDS:
        scenario = blend(world)
        market = assemble(scenario, np.arange(RUNS), None)
        object.__setattr__(market.state, "__class__", Watched)
        market.run_step = lambda bound, market=market: note(market, bound)
        for _ in range(scenario.quarters):
            market.step()
    return looks, changes, pays


def test_the_schedule_agrees_with_the_books_of_the_state():
    assert faults(SCHEDULE) == []
    lagged = {name for row in SCHEDULE for name in row.lagged}
    assert {name for name, one in ARRAYS.items() if one.lagged} == lagged
    owned = {name for row in SCHEDULE for name in row.writes}
    assert owned == {name for name, one in ARRAYS.items() if one.owner}


def test_steps_look_at_what_they_declare_and_at_all_of_it(observed):
    looks, _, _ = observed
    found = {row.name: looks[row.name] ^ row.declares for row in SCHEDULE if row.name != RECORD}
    assert {name: sorted(names) for name, names in found.items() if names} == {}


def test_steps_change_what_they_declare_and_all_of_it(observed):
    _, changes, pays = observed
    found = {row.name: changes[row.name] ^ set(row.changes) for row in SCHEDULE}
    assert {name: sorted(names) for name, names in found.items() if names} == {}
    assert {row.name for row in SCHEDULE if row.pays} == pays


def test_a_step_cannot_look_at_what_it_does_not_declare():
    two = market_of(step("begin", "peek", lambda market: market.state.debt_usd.sum(), law=""))
    with pytest.raises(ScheduleError, match=r"'peek' looks at state\.debt_usd, which the schedule does not"):
        two.step()


def test_a_step_cannot_change_what_it_only_reads():
    def meddle(market):
        market.state.fleet_units[:] += 1

    two = market_of(step("begin", "meddle", meddle, law="", reads="fleet_units"))
    with pytest.raises(ScheduleError, match=r"'meddle' changes state\.fleet_units, not its own"):
        two.step()


def test_a_flow_cannot_be_read_before_it_is_formed():
    (order,) = (row for row in SCHEDULE if row.name == "place orders")
    early = step(
        "begin", "early", lambda market: market.state.ordered_units.sum(), law="", reads="ordered_units"
    )
    assert faults((early, order)) == [
        "'early': state.ordered_units is formed later, by 'place orders': it is lagged"
    ]
    two = market_of(step("begin", "early", early.act, law="", reads="ordered_units"))  # its owner never runs
    with pytest.raises(ScheduleError, match=r"state\.ordered_units before 'place orders' has formed it"):
        two.step()


def test_what_has_been_formed_is_no_longer_of_the_last_quarter():
    (order,) = (row for row in SCHEDULE if row.name == "place orders")
    late = step("settle", "late", lambda market: None, law="", lagged="ordered_units")
    assert faults((order, late)) == [
        "'late': state.ordered_units is not of the last quarter: it is not lagged"
    ]


def test_a_second_owner_is_refused():
    (order,) = (row for row in SCHEDULE if row.name == "place orders")
    other = step("invest", "order again", lambda market: None, law="", writes="ordered_units")
    found = faults((order, other))
    assert "state.ordered_units has two owners" in found
    assert "'order again': state.ordered_units is owned by 'place orders'" in found
    with pytest.raises(ScheduleError, match="two owners"):
        market_of(order, other)


def test_an_array_that_no_book_declares_is_refused():
    assert faults((step("begin", "guess", lambda market: None, law="", reads="fleet_unit"),)) == [
        "'guess': state.fleet_unit is not declared in any book"
    ]


def test_a_step_that_does_not_say_so_cannot_pay():
    def pay(market):
        market.ledger.pay("customers", "public", np.ones(2), "gift")

    assert market_of(step("settle", "give", pay, law="", pays=True)).step() is None
    with pytest.raises(ScheduleError, match="'give' moves money"):
        market_of(step("settle", "give", pay, law="")).step()


def test_faults_of_other_kinds_pass_the_guard_as_they_are():
    def fail(market):
        raise ValueError("no such quarter")

    with pytest.raises(ValueError, match="no such quarter"):
        market_of(step("begin", "fail", fail, law="")).step()


def test_nothing_is_guarded_where_nobody_asks(monkeypatch):
    assert assemble(prepare("baseline", seed=1), TWO, frozenset()).run_step != BoundStep.run
    monkeypatch.delenv(GUARDED)
    free = assemble(prepare("baseline", seed=1), TWO, frozenset())
    assert free.run_step is BoundStep.run
    assert type(free.state) is MarketState


def test_a_guarded_quarter_has_the_bits_of_a_free_one(monkeypatch):
    monkeypatch.delenv(GUARDED)
    free, held = (assemble(prepare("baseline", seed=1), TWO, None) for _ in range(2))
    guarding.guard(held)
    for _ in range(3):
        free.step()
        held.step()
    assert free.recorder.values().tobytes() == held.recorder.values().tobytes()


def test_recording_may_look_at_everything_and_change_nothing():
    last = SCHEDULE[-1]
    assert (last.name, last.changes, set(last.reads)) == (RECORD, (), set(EVERYTHING.split()))


def test_the_command_prints_every_step_in_order_with_what_it_may_change(command):
    code, shown, _ = command("schedule", "--json")
    rows = json.loads(shown)["steps"]
    assert code == 0
    assert [row["name"] for row in rows] == [row.name for row in SCHEDULE]
    (price,) = (row for row in rows if row["name"] == "ask prices")
    assert price == {
        "phase": "price", "name": "ask prices", "module": ask_prices.__module__, "function": "ask_prices",
        "by": "market", "reads": ["list_price_usd", "price_cut"], "lagged": [], "writes": ["price_usd"], "adjusts": [],
        "pays": False, "law": "list price x (1 - cut): limit pricing (M9; Dixit 1980)", "seconds": None,
    }  # fmt: skip


def test_the_command_draws_who_reads_what_whom_has_changed(command):
    code, shown, _ = command("schedule", "--dot")
    assert code == 0
    assert '"post accelerator prices" -> "ask prices" [tooltip="list_price_usd"];' in shown
    old = '"deliver accelerators" -> "measure fleets and orders" [tooltip="retired_units", style=dashed];'
    assert old in shown


def test_the_command_shows_a_table_and_times_steps(command, monkeypatch):
    monkeypatch.setattr(commands, "_seconds", lambda: dict.fromkeys((row.name for row in SCHEDULE), 0.25))
    code, shown, _ = command("schedule", "--time")
    assert code == 0
    assert shown.count("0.250") == len(SCHEDULE)
    assert "Vendor.price" in shown


def test_seconds_are_those_of_every_step(monkeypatch):
    monkeypatch.setattr(commands, "TIMED_RUNS", 1)
    spent = commands._seconds()
    assert list(spent) == [row.name for row in SCHEDULE]
    assert min(spent.values()) > 0


def test_a_drawing_with_a_table_is_refused_in_one_line(command):
    code, shown, said = command("schedule", "--dot", "--json")
    assert (code, shown) == (2, "")
    assert said == "computemarket: --dot: '--json' is not possible beside it\n"


def test_laws_that_steps_name_exist():
    """A step names functions as module.function; other words of a law are prose."""
    for row in SCHEDULE:
        for module, function in re.findall(r"\b([a-z_]+)\.([a-z_]+)\b", row.law):
            found = [
                path for path in MODEL.rglob(f"{module}.py") if f"def {function}(" in path.read_text("utf-8")
            ]
            assert found or (MODEL / module / f"{function}.py").exists(), f"{row.name}: {module}.{function}"
