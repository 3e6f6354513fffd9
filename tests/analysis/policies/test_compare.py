"""Comparison of policies: measures, waterfall, lag, published results."""

from dataclasses import replace

import numpy as np
import pytest

from computemarket.analysis.policies.compare import (
    Outcome,
    differences,
    lag_quarters,
    simulate_outcome,
    waterfall,
    waterfall_parts,
    yearly,
)
from computemarket.analysis.policies.policy_questions import holds_zero
from computemarket.analysis.policies.training_run import largest_run_flop
from computemarket.errors import InputError
from computemarket.scenarios.assembly import assemble
from computemarket.scenarios.batches.ensemble import prepare, simulate_chunk
from computemarket.scenarios.schema import load_scenario


@pytest.fixture(scope="module")
def base():
    return simulate_outcome(prepare("baseline", until="2025Q4"), 4)


def test_a_year_sums_flows_averages_rates_and_keeps_the_last_stock():
    series = np.array([[1.0, 2.0, 3.0, 4.0, 10.0]])
    assert yearly(series, "sum").tolist() == [[10.0, 10.0]]
    assert yearly(series, "mean").tolist() == [[2.5, 10.0]]
    assert yearly(series, "end").tolist() == [[4.0, 10.0]]


def test_the_lag_is_how_long_ago_the_leader_stood_there():
    ahead = np.array([[0.0, 10.0, 20.0, 30.0]])
    behind = np.array([[0.0, 0.0, 5.0, 30.0]])
    assert lag_quarters(ahead, behind).tolist() == [[0.0, 1.0, 1.5, 0.0]]


def test_the_largest_run_grows_with_the_stock():
    assert largest_run_flop(np.array([2e5])) == pytest.approx(2 * largest_run_flop(np.array([1e5])))
    assert 1e25 < largest_run_flop(np.array([1e5]))[0] < 1e26


def test_a_scenario_does_not_differ_from_itself(base):
    table = differences(base, [base])
    assert (table["change"] == 0).all()


def test_the_waterfall_adds_up_to_what_is_blocked(base):
    blocked = {f"China added, {name}": np.zeros_like(values) for name, values in _sources(base).items()}
    values = dict(base.values) | {
        name: base.values[name] - (1.0 if "legal" in name else 0.0) + gap for name, gap in blocked.items()
    }
    found = waterfall(base, replace(base, values=values), "2024")
    assert found["blocked"] == pytest.approx(np.full(4, 2.0))
    rest = sum(found[name] for name in found if name != "blocked")
    assert rest == pytest.approx(found["blocked"])


def test_parts_of_the_waterfall_add_up_in_means_with_one_sign(base):
    rng = np.random.Generator(np.random.Philox(7))
    values = {name: array + rng.normal(size=array.shape) for name, array in base.values.items()}
    rows = waterfall_parts(base, replace(base, values=values), "2024")
    mean = {(part, channel): found.mean() for part, channel, found in rows}
    lost = sum(value for (part, _), value in mean.items() if part == "of which")
    gained = sum(value for (part, _), value in mean.items() if part == "replaced by")
    assert lost == pytest.approx(mean["blocked", ""])
    assert lost + gained == pytest.approx(mean["never replaced", ""])
    assert all((found <= 0).all() for part, _, found in rows if part in ("blocked", "of which"))
    assert gained > 0


def _sources(outcome: Outcome):
    return {
        name: outcome.values[f"China added, {name}"] for name in ("legal", "variant", "domestic", "smuggled")
    }


def test_a_regime_of_ones_own_acts_without_touching_code(tmp_path):
    (tmp_path / "strict.toml").write_text("""
[[regime]]
id = "strict_2024"
effective = 2024-04-01
destinations = ["D:5"]
[[regime.rule]]
outcome = "licence_denial"
all_of = [{ metric = "tpp", op = ">=", value = 1000 }]
""")
    (tmp_path / "mine.toml").write_text('extends = "baseline"\nregimes = ["strict.toml"]\nuntil = "2024Q4"\n')
    market = assemble(load_scenario(tmp_path / "mine.toml"), np.arange(2), frozenset())
    for _ in range(12):
        market.step()
    china, card = market.world.country("china"), market.world.products.ids.index("nvidia_l4")
    assert market.state.access[:, china, card].max() == 0
    assert market.state.access[:, market.world.country("us"), card].min() == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('enforce = ["no_chips_for_china"]', "no_chips_to_china"),
        ('suspend = "us_2023_11"', "a list of names"),
        ('regimes = ["missing.toml"]', "readable file"),
    ],
)
def test_a_mistake_in_the_rules_of_a_scenario_is_one_line(tmp_path, text, said):
    path = tmp_path / "mine.toml"
    path.write_text(f'extends = "baseline"\n{text}\n')
    with pytest.raises(InputError, match=said) as caught:
        load_scenario(path)
    assert "\n" not in str(caught.value)


def test_thresholds_that_differ_by_run_leave_each_run_as_it_is_alone():
    asked = prepare("baseline", until="2025Q2").with_settings(
        {"policy.tpp_threshold_a": [{"from": "2024Q1", "value": {"uniform": [2000.0, 5000.0]}}]}
    )
    together, alone = (simulate_chunk(asked, np.array(runs)) for runs in ([0, 1, 2, 3], [2]))
    for name in together.series:
        assert together.array(name)[2:3].tobytes() == alone.array(name).tobytes(), name


@pytest.mark.parametrize(
    ("low", "high", "holds"),
    [(-1.0, 2.0, True), (0.0, 0.0, True), (1.6e-14, 3.3e-14, True), (0.1, 2.0, False), (-2.0, -0.1, False)],
)
def test_a_band_holds_zero_where_rounding_alone_keeps_it_away(low, high, holds):
    assert holds_zero(low, high) == holds
