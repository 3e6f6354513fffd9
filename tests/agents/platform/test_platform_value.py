"""What the platform is worth: recurring revenue against the cycle, revenue against parts alone, and who earns it."""

import numpy as np
import pytest

from computemarket.agents.platform.revenue_mix import MIXES, mixes_usd
from computemarket.analysis.results.measures import measure
from computemarket.analysis.results.series import panels_from_recorder
from computemarket.model.core.calendar import quarters_since_start
from computemarket.scenarios.assembly import assemble
from computemarket.scenarios.batches.ensemble import prepare, simulate_chunk
from computemarket.scenarios.schema import load_scenario

RUNS = np.arange(32)
LAYERS = ("chips", "operators", "models", "software", "exchange")
THREATS = ("amd_intel", "google", "microsoft", "gpu_clouds")


@pytest.fixture(scope="module")
def recorded():
    names = ("baseline", "platform_success", "parts_only")
    return {name: simulate_chunk(prepare(name, seed=1), RUNS) for name in names}


@pytest.fixture(scope="module")
def panels(recorded):
    return {name: panels_from_recorder(one, name, RUNS.tolist()) for name, one in recorded.items()}


def at(panels, name, headline, year):
    return measure(headline).at(panels[name], year)


def test_hardware_recurring_and_all_add_up():
    assert mixes_usd(np.array([[5.0, 1.0, 2.0, 0.0, 3.0]])).tolist() == [[5.0, 6.0, 11.0]]


def test_steady_growth_has_no_variance_and_a_jump_has():
    scenario = load_scenario("baseline").with_settings({"platform.swing_weight": 0.5})
    market = assemble(scenario, np.arange(2), frozenset())
    mix, layers = market.cast.leader.mix, market.state.layer_revenue_usd
    market.quarter = quarters_since_start("2025Q4")
    level = np.array([[100.0, 20.0, 0.0, 0.0, 0.0]] * 2) * 1e9
    for growth in (1.0, 1.1, 1.1, 1.1, 1.1):
        level = level * growth
        layers[:] = level
        mix.settle()
        market.quarter += 1
    assert mix.variance == pytest.approx(np.zeros((2, len(MIXES))), abs=1e-20)
    layers[:] = level * np.array([1.1 * np.e, 1.1, 1.0, 1.0, 1.0])
    mix.settle()
    assert mix.variance[:, 0] == pytest.approx(np.full(2, 0.5))  # weight times the square of one
    assert mix.variance[:, 1] == pytest.approx(np.zeros(2), abs=1e-20)


def test_recurring_revenue_smooths_the_cycle_of_the_leader(panels):
    for year in ("2029", "2031"):
        calm = at(panels, "baseline", "nvidia_revenue_variance", year)
        assert (calm < at(panels, "baseline", "nvidia_hardware_variance", year)).mean() >= 0.9
        success = at(panels, "platform_success", "nvidia_revenue_variance", year)
        assert (success < at(panels, "platform_success", "nvidia_hardware_variance", year)).mean() >= 0.9
        assert (success < at(panels, "parts_only", "nvidia_revenue_variance", year)).mean() >= 0.75
        assert (calm < at(panels, "parts_only", "nvidia_revenue_variance", year)).mean() >= 0.75


def test_the_platform_brings_more_revenue_than_parts_alone(panels):
    def ratio(year):
        revenue = [
            at(panels, name, "nvidia_all_layers_revenue", year) for name in ("platform_success", "parts_only")
        ]
        return revenue[0] / revenue[1]

    assert ratio("2025") == pytest.approx(np.ones(len(RUNS)))
    assert (ratio("2028") > 1).all()
    assert np.median(ratio("2030")) > np.median(ratio("2028")) > 1.2
    share = [at(panels, name, "nvidia_recurring_share", "2030") for name in panels]
    assert (share[1] > share[0]).mean() >= 0.9  # in a few histories the platform wins by itself
    assert np.median(share[1] - share[0]) > 10
    assert (share[2] < share[0]).all()


@pytest.mark.parametrize(("name", "start"), [("platform_success", "2026Q4"), ("parts_only", "2026Q3")])
def test_a_mode_of_business_changes_nothing_before_it_begins(recorded, name, start):
    for variable in recorded["baseline"].series:
        one, other = (
            np.ascontiguousarray(recorded[case].array(variable)[:, : quarters_since_start(start)])
            for case in ("baseline", name)
        )
        assert one.tobytes() == other.tobytes(), variable


def test_shares_of_profit_add_up_and_venues_earn_more_where_credits_trade(panels):
    total = sum(at(panels, "baseline", f"profit_share_{layer}", "2030") for layer in LAYERS)
    assert total == pytest.approx(np.full(len(RUNS), 100.0))
    more, less = (
        at(panels, name, "profit_share_exchange", "2031") for name in ("platform_success", "parts_only")
    )
    assert (more > less).all()


def test_threats_to_the_leader_can_be_ranked_by_what_they_take(panels):
    taken = {name: at(panels, "baseline", f"taken_by_{name}", "2030") for name in THREATS}
    assert all((share >= 0).all() and share.max() > 0 for share in taken.values())
    assert sum(np.median(share) for share in taken.values()) < 100
    surge = simulate_chunk(prepare("custom_silicon_surge", seed=1), RUNS)
    changed = panels_from_recorder(surge, "", RUNS.tolist())
    assert (measure("taken_by_microsoft").at(changed, "2030") > taken["microsoft"]).all()
    # GPU clouds buy what they do not buy from the leader mostly from AMD and Intel: less than these sell in all
    assert (taken["gpu_clouds"] < taken["amd_intel"] + 5).all()
