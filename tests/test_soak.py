"""The promises of `make soak`, a few attempts of each; and that it is bounded, goes on where it stopped, and tells."""

import json
import sys

import pytest

SHORT = {
    "malformed": 400,
    "valid": 2,
    "shares_of_buyers": 20,
    "more_supply": 20,
    "unit_of_price": 20,
    "two_halves": 20,
}
NAMES = (
    "batch_killed", "worker_killed", "run_killed", "report_killed", "export_killed", "malformed", "valid",
    "company", "horizon", "name", "order", "written_out", "later_change", "own_default", "shares_of_buyers",
    "more_supply", "unit_of_price", "two_halves", "chunk_size",
)  # fmt: skip


@pytest.fixture(scope="module")
def soak(checkout):
    sys.path.insert(0, str(checkout / "benchmarks"))
    try:
        import soak  # type: ignore[import-not-found]

        soak.promises()
        yield soak
    finally:
        sys.path.remove(str(checkout / "benchmarks"))


def test_every_promise_has_a_short_form(soak):
    assert tuple(soak.promises()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_promise_is_kept(soak, tmp_path, name):
    for number in range(SHORT.get(name, 1)):
        spare = tmp_path / str(number)
        spare.mkdir()
        soak.promises()[name].attempt(1_000_000 + number, spare)


def test_it_goes_on_where_it_stopped_and_counts_what_broke(soak, tmp_path):
    seen = []

    def attempt(number, spare):
        seen.append(number)
        assert spare.is_dir()
        assert number != 1, "broken"

    promise = soak.Promise("one", "one promise", 3, attempt)
    held = {"done": 0, "failed": 0, "failures": []}
    state = tmp_path / "state.json"
    soak.tried(promise, held, 0.0, lambda: soak.write_state(state, {"one": held}))
    assert (seen, soak.read_state(state)["one"]["done"]) == ([], 0)
    soak.tried(promise, held, 60.0, lambda: soak.write_state(state, {"one": held}))
    again = soak.read_state(state)["one"]
    assert (seen, again["done"], again["failed"], again["failures"][0][0]) == ([0, 1, 2], 3, 1, 1)
    soak.tried(promise, again, 60.0, lambda: None)
    assert len(seen) == 3
    page = tmp_path / "page.md"
    page.write_text(f"before\n{soak.BEGIN}\nold\n{soak.END}\nafter\n")
    soak.record(page, soak.table_of({"one": again}, {"one": promise}))
    text = page.read_text()
    assert "| one promise | 3 | 3 | 1 |" in text
    assert ("old" in text, text.startswith("before\n"), text.endswith("after\n")) == (False, True, True)
    assert json.loads(state.read_text())["one"]["failures"][0][1].endswith(
        "AssertionError: broken\nassert 1 != 1\n"
    )
