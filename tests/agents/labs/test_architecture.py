"""A new architecture of models: which chips lose work to it, when, and what the market makes of it."""

import numpy as np
import pytest

from computemarket.agents.labs.architecture import FIRST_SHOCK, kinds_of
from computemarket.analysis.results.measures import measure
from computemarket.analysis.results.series import panels_from_recorder
from computemarket.model.core.calendar import quarters_since_start
from computemarket.model.hardware.specs.compatibility import KINDS
from computemarket.model.world.world import load_world
from computemarket.scenarios.assembly import assemble
from computemarket.scenarios.batches.ensemble import prepare, simulate_chunk
from computemarket.scenarios.schema import load_scenario

RUNS = np.arange(8)
DATE = quarters_since_start("2027Q1")
SURE = {"custom_silicon.shock_rate": [{"from": "2026Q1", "value": 20}, {"from": "2026Q2", "value": 0}]}


def market_at(quarter, pairs, runs=4):
    market = assemble(load_scenario("baseline").with_settings(pairs), np.arange(runs), frozenset())
    while market.quarter < quarter:
        market.step()
    return market


ONE_KIND = {
    f"custom_silicon.shock_weight_{name}": 0
    for name in ("sparse_experts", "long_context", "photonic", "neuromorphic")
}
QUICK = {
    **ONE_KIND,
    **{f"custom_silicon.kept_{kind}": 0.5 for kind in KINDS},
    "custom_silicon.recompile_loss": 0.4,
    "custom_silicon.recompile_half_life_quarters": 2,
    "custom_silicon.migration_half_life_quarters": 2,
    "custom_silicon.design_quarters": 6,
}


@pytest.fixture(scope="module")
def shocked():
    return market_at(FIRST_SHOCK + 3, {**SURE, **QUICK})


def test_what_is_left_of_a_gpu_is_worked_out_by_hand(shocked):
    # hybrid models: severity 0.5, so 0.75 is kept for good; after 2 quarters half of the loss of 0.4 is rewritten,
    # and half of the work has moved: 1 - 0.5 (1 - 0.75 x 0.8) = 0.8
    place = shocked.world.products.ids.index("nvidia_h100_sxm")
    assert shocked.state.work[:, place] == pytest.approx(0.8 * shocked.nominal_work[:, place])


def test_a_chip_designed_after_the_shock_loses_nothing(shocked):
    products = shocked.world.products
    late = products.launch >= FIRST_SHOCK + 6
    assert late.any()
    assert (np.compress(late, shocked.state.architecture_share, axis=1) == 1.0).all()
    assert (np.compress(~late, shocked.state.architecture_share, axis=1) < 1.0).all()


def test_without_a_shock_every_chip_does_its_nominal_work():
    calm = market_at(FIRST_SHOCK + 4, {"custom_silicon.shock_rate": 0})
    assert (calm.state.architecture_share == 1.0).all()
    place = calm.world.products.ids.index("nvidia_h100_sxm")
    assert np.array_equal(calm.state.work[:, place], calm.nominal_work[:, place])


def test_no_shock_arrives_before_2026_however_often_they_come():
    busy = market_at(FIRST_SHOCK, {"custom_silicon.shock_rate": 20})
    assert busy.cast.architecture.shocks.sum() == 0


def test_a_second_shock_multiplies_what_the_first_has_left():
    dates = [("2026Q1", 20), ("2026Q2", 0), ("2026Q3", 20), ("2026Q4", 0)]
    again = {"custom_silicon.shock_rate": [{"from": date, "value": rate} for date, rate in dates]}
    market = market_at(FIRST_SHOCK + 5, {**again, **QUICK})
    assert (market.cast.architecture.shocks == 2).all()
    place = market.world.products.ids.index("nvidia_h100_sxm")
    # the second comes a quarter before the first stands at 0.8: moved 1 - 2^-1/2, kernels 0.75 (1 - 0.4 2^-1/2)
    first = 1 - (1 - 0.5**0.5) * (1 - 0.75 * (1 - 0.4 * 0.5**0.5))
    assert market.state.architecture_share[:, place] == pytest.approx(first * 0.8)


def test_products_that_nobody_has_specified_are_of_the_kind_of_their_predecessors():
    products = load_world().products
    kinds = dict(zip(products.ids, [KINDS[k] for k in kinds_of(products)], strict=True))
    assert kinds["nvidia_next_ultra"] == "gpu"
    assert kinds["google_tpu_10"] == "systolic"
    assert kinds["nvidia_groq_lp35"] == "lpu"


def test_owners_who_expect_shocks_order_less_of_their_own_silicon():
    bold, wary = (
        market_at(
            FIRST_SHOCK + 8, {"custom_silicon.shock_rate": 0, "custom_silicon.believed_shock_rate": rate}
        )
        for rate in (0.0, 0.3)
    )
    for owner in ("google", "amazon"):
        slot = bold.world.operator(owner)
        assert (wary.state.own_share[:, slot] < bold.state.own_share[:, slot]).all()


@pytest.fixture(scope="module")
def compared():
    return [simulate_chunk(prepare(name, seed=1), RUNS) for name in ("baseline", "architecture_shock")]


def test_the_scenario_costs_tokens_and_own_silicon_and_changes_nothing_before_its_date(compared):
    panels = [panels_from_recorder(found, "", RUNS.tolist()) for found in compared]
    changes = (
        ("world_tokens", "2028", -1),
        ("custom_compute_share", "2030", -1),
        ("token_price_ultra", "2030", +1),
    )
    for name, year, sign in changes:  # in time builders answer the dearer tokens
        before, after = (measure(name).at(panel, year) for panel in panels)
        assert (np.sign(after - before) == sign).mean() >= 0.75, name
    for variable in compared[0].series:
        one, other = (np.ascontiguousarray(found.array(variable)[:, :DATE]) for found in compared)
        assert one.tobytes() == other.tobytes(), variable


def test_a_run_meets_the_same_shocks_alone_and_in_company(compared):
    alone = simulate_chunk(prepare("architecture_shock", seed=1), np.array([5]))
    for variable in ("architecture_shocks", "architecture_kept_share", "tokens_served"):
        assert alone.array(variable).tobytes() == compared[1].array(variable)[5:6].tobytes()
