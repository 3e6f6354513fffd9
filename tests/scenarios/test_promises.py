"""The promises of the model: the same bits everywhere, differences only from what differs, books that balance."""

import hashlib
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from computemarket.model.core.calendar import QUARTERS, quarter_index
from computemarket.model.core.parameters import schema
from computemarket.model.state import ARRAYS
from computemarket.scenarios.assembly import assemble
from computemarket.scenarios.batches.ensemble import CHUNK_RUNS, prepare, simulate_chunk, simulate_to
from computemarket.scenarios.schema import library_names, load_scenario

NAMES = sorted(schema())
DATE = "2027Q1"
UNLIMITED = ("order_quota_units", "china_stacks")  # infinite where no rule caps them
HISTORIES = 64  # each a world of its own


def histories(scenario, runs):
    """Return (R, T, n) of everything recorded, in order of variable."""
    recorder = simulate_chunk(scenario, np.array(runs, dtype=np.int64))
    return np.concatenate([recorder.array(name) for name in recorder.series], axis=2)


def same(left, right):
    """Say whether two arrays are the same bit by bit; a NaN equals a NaN of the same bits."""
    return left.shape == right.shape and left.tobytes() == right.tobytes()


@pytest.fixture(scope="module")
def baseline():
    return histories(prepare("baseline", seed=3), range(12))


@given(st.lists(st.integers(0, 11), min_size=1, max_size=11, unique=True))
@settings(max_examples=8)
def test_a_run_is_the_same_alone_and_in_any_company_and_order(baseline, runs):
    together = histories(prepare("baseline", seed=3), runs)
    assert same(together, np.ascontiguousarray(np.take(baseline, runs, axis=0)))


@pytest.mark.parametrize("run", [0, 11])
def test_a_run_is_the_same_alone(baseline, run):
    assert same(histories(prepare("baseline", seed=3), [run]), baseline[run : run + 1])


def test_a_full_chunk_gives_the_same_bits_as_few_runs(baseline):
    # Sums of numpy go other ways for other lengths: the axis of runs must never be summed over.
    assert same(histories(prepare("baseline", seed=3), range(CHUNK_RUNS))[:12], baseline)


def test_a_shorter_horizon_is_the_start_of_a_longer_one(baseline):
    assert same(histories(prepare("baseline", seed=3, until="2025Q2"), range(3)), baseline[:3, :14].copy())


@pytest.fixture(scope="module")
def one_worker(tmp_path_factory):
    folder = tmp_path_factory.mktemp("one")
    simulate_to(folder, prepare("baseline", seed=2, until="2022Q4"), 2 * CHUNK_RUNS + 1, workers=1)
    return (folder / "results.parquet").read_bytes()


@pytest.mark.parametrize("workers", [2, 4])
def test_the_file_is_the_same_whatever_the_number_of_workers(tmp_path, one_worker, workers):
    simulate_to(tmp_path, prepare("baseline", seed=2, until="2022Q4"), 2 * CHUNK_RUNS + 1, workers=workers)
    assert (tmp_path / "results.parquet").read_bytes() == one_worker


def test_a_fresh_process_gives_the_same_bits(baseline):
    code = (
        "import hashlib; import numpy as np;"
        "from computemarket.scenarios.batches.ensemble import prepare, simulate_chunk;"
        "r = simulate_chunk(prepare('baseline', seed=3), np.arange(12));"
        "v = np.concatenate([r.array(n) for n in r.series], axis=2);"
        "print(hashlib.sha256(v.tobytes()).hexdigest())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout.strip() == hashlib.sha256(baseline.tobytes()).hexdigest()


def test_another_seed_is_another_history(baseline):
    assert not same(histories(prepare("baseline", seed=4), range(12)), baseline)


@pytest.mark.parametrize("name", NAMES[:: len(NAMES) // 12])
def test_a_change_from_2027_leaves_everything_before_as_it_was(baseline, name):
    parameter = schema()[name]
    changed = prepare("baseline", seed=3).with_settings({name: [{"from": DATE, "value": parameter.high}]})
    before = quarter_index(DATE)
    assert same(histories(changed, range(12))[:, :before].copy(), baseline[:, :before].copy())


def test_many_changes_from_2027_change_what_follows_and_nothing_before(baseline):
    pairs = {
        name: [{"from": DATE, "value": parameter.low}]
        for name, parameter in schema().items()
        if parameter.status != "fact"
    }
    after = histories(prepare("baseline", seed=3).with_settings(pairs), range(12))
    before = quarter_index(DATE)
    assert same(after[:, :before].copy(), baseline[:, :before].copy())
    assert (after[:, before:] != baseline[:, before:]).mean() > 0.2


def drawn_world(number, share):
    """Return a scenario whose histories each have a share of all parameters anywhere in their ranges, and the points.

    The others keep their defaults. A third of what is drawn stands at either end of its range.
    """
    rng = np.random.Generator(np.random.Philox(number))
    whole, points = {}, {}
    for name in NAMES:
        parameter = schema()[name]
        if parameter.low < parameter.high:
            whole[name] = {"uniform": [parameter.low, parameter.high]}
            usual = (parameter.default - parameter.low) / (parameter.high - parameter.low)
            places = rng.choice([0.0, 1.0, 0.5], HISTORIES), rng.random(HISTORIES)
            drawn = np.where(places[0] == 0.5, places[1], places[0])
            points[name] = np.where(rng.random(HISTORIES) < share, drawn, usual)
    return prepare("baseline", seed=number).with_settings(whole), points


def drawn_market(number, share, runs):
    """Return the market of some histories of a drawn world, before its first quarter."""
    scenario, points = drawn_world(number, share)
    return assemble(scenario, runs, frozenset(), {name: places[runs] for name, places in points.items()})


@pytest.fixture(scope="module", params=[(1, 0.02), (2, 0.1), (3, 0.4), (4, 1.0)], ids=str)
def drawn(request):
    """Return a drawn world, its market after the last quarter, and what was not a number on the way."""
    market, faults = drawn_market(*request.param, np.arange(HISTORIES)), []
    for quarter in QUARTERS:
        market.step()  # the ledger and the balances of chips check themselves, and raise
        for name in ARRAYS:
            values = getattr(market.state, name)
            known = ~np.isnan(values) if name in UNLIMITED else np.isfinite(values)
            faults += [] if known.all() else [f"{name} in {quarter}"]
        faults += [] if np.isfinite(market.ledger.cash_usd).all() else [f"cash in {quarter}"]
    return request.param, market, faults


def test_the_books_balance_in_every_quarter_of_randomly_drawn_worlds(drawn):
    assert drawn[2] == []


def test_a_drawn_world_does_not_feel_the_others_beside_it(drawn):
    world, market, _ = drawn
    alone = drawn_market(*world, np.array([0]))
    for _quarter in QUARTERS:
        alone.step()
    here = {
        name: getattr(market.state, name) for name in ARRAYS if name != "restricted_holders"
    }  # of all runs
    other = [
        name for name, all_runs in here.items() if not same(all_runs[:1].copy(), getattr(alone.state, name))
    ]
    assert other == []


@pytest.mark.parametrize("name", library_names())
def test_every_scenario_of_the_library_runs_to_its_end(name):
    values = histories(load_scenario(name), range(2))
    assert values.shape[1] == load_scenario(name).quarters
    assert np.isfinite(values).mean() > 0.5
