"""Inputs of accelerators and power."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from computemarket.model.mechanisms.supply import (
    advance_pipeline,
    allocate_by_priority,
    allocate_inputs,
    capacity_started,
    learned_yield,
    merit_order,
    moves_foundry,
    own_power_share,
    power_started,
    producible_units,
    second_source_share,
    with_memory_cost,
)

CLAIMS = arrays(np.float64, (3, 7), elements=st.integers(0, 50).map(float))
VALUES = arrays(np.float64, (3, 7), elements=st.integers(1, 20).map(float))


def test_owners_build_part_of_the_gap_within_their_limits():
    capacity, coming = np.full(3, 100.0), np.array([20.0, 20.0, 20.0])
    orders = np.array([144.0, 0.0, 9000.0])
    got = capacity_started(capacity, coming, orders, 0.9, 0.5, 0.02, 0.25)
    np.testing.assert_allclose(got, [20.0, 2.0, 25.0])  # 0.5 (160 - 120); the least; the most


def test_what_is_on_its_way_counts():
    args = (np.array([100.0]), np.array([200.0]), 0.9, 0.5, 0.0, 1.0)
    assert capacity_started(args[0], np.array([50.0]), *args[1:]) < capacity_started(
        args[0], np.zeros(1), *args[1:]
    )


def test_a_pipeline_by_hand():
    arrived, later = advance_pipeline(np.array([[1.0, 2.0, 3.0]]), np.array([10.0]), 2.5)
    np.testing.assert_array_equal(arrived, [1.0])
    np.testing.assert_allclose(later, [[2.0, 8.0, 5.0]])


@given(arrays(np.float64, (2, 5), elements=st.floats(0, 1e6)), st.floats(0, 1e6), st.floats(1, 12))
def test_a_pipeline_loses_nothing(pipeline, started, lag):
    arrived, later = advance_pipeline(pipeline, np.full(2, started), lag)
    np.testing.assert_allclose(arrived + later.sum(axis=-1), pipeline.sum(axis=-1) + started)


def test_the_scarcest_input_binds():
    stock = np.array([[100.0, 80.0, 5.0], [100.0, 30.0, 5.0]])
    units, binding = producible_units(stock, np.array([2.0, 1.0, 0.0]))
    np.testing.assert_array_equal(units, [50.0, 30.0])
    np.testing.assert_array_equal(binding, [0, 1])


def test_relief_of_the_binding_input_moves_the_bottleneck():
    use = np.array([2.0, 1.0])
    before = producible_units(np.array([[40.0, 30.0]]), use)
    after = producible_units(np.array([[90.0, 30.0]]), use)
    assert (before[1][0], after[1][0]) == (0, 1)
    assert after[0] > before[0]


def test_room_goes_to_the_most_valuable_claim_first():
    given_room, shadow = allocate_by_priority(
        np.array([[10.0, 10.0, 10.0]]), np.array([15.0]), np.array([[1.0, 3.0, 2.0]])
    )
    np.testing.assert_array_equal(given_room, [[0.0, 10.0, 5.0]])
    np.testing.assert_array_equal(shadow, [2.0])
    _, free = allocate_by_priority(np.array([[10.0, 10.0]]), np.array([20.0]), np.array([[1.0, 3.0]]))
    np.testing.assert_array_equal(free, [0.0])


def test_claims_of_no_value_get_no_room_even_where_there_is_plenty():
    given_room, shadow = allocate_by_priority(
        np.full((1, 3), 10.0), np.array([99.0]), np.array([[1.0, 0.0, -2.0]])
    )
    np.testing.assert_array_equal(given_room, [[10.0, 0.0, 0.0]])
    np.testing.assert_array_equal(shadow, [0.0])


@settings(max_examples=60)
@given(CLAIMS, VALUES, st.integers(0, 300))
def test_allocation_by_priority_is_the_linear_programme(claims, values, room):
    from scipy.optimize import linprog

    got, shadow = allocate_by_priority(claims, np.full(3, float(room)), values)
    np.testing.assert_array_equal(got.sum(axis=-1), np.minimum(claims.sum(axis=-1), room))
    assert (got <= claims).all()
    best = linprog(
        -values[0], A_ub=np.ones((1, 7)), b_ub=[room], bounds=list(zip([0.0] * 7, claims[0], strict=True))
    )
    assert (got[0] * values[0]).sum() == pytest.approx(-best.fun)
    more, _ = allocate_by_priority(claims, np.full(3, room + 1e-3), values)
    np.testing.assert_allclose(((more - got) * values).sum(axis=-1), shadow * 1e-3, atol=1e-9)


def test_several_inputs_by_hand():
    wanted, value = np.array([[10.0, 10.0, 4.0]]), np.array([[1.0, 5.0, 3.0]])
    use = np.array([[1.0, 1.0], [1.0, 2.0], [0.0, 1.0]])
    found = allocate_inputs(wanted, use, np.array([[12.0, 26.0]]), value)
    np.testing.assert_array_equal(found.units, [[2.0, 10.0, 4.0]])
    np.testing.assert_array_equal(found.binding, [[0, 2, 2]])
    np.testing.assert_array_equal(found.left, [[0.0, 0.0]])
    np.testing.assert_array_equal(found.lost_value, [[8.0, 0.0]])


@settings(max_examples=60)
@given(
    arrays(np.float64, (2, 6), elements=st.floats(0, 1e5)),
    arrays(np.float64, (6, 3), elements=st.just(0.0) | st.floats(0.001, 5)),
    arrays(np.float64, (2, 3), elements=st.floats(0, 1e5)),
)
def test_inputs_are_never_overdrawn_and_only_shortage_cuts(wanted, use, stock):
    use[:, 0] += 0.1
    found = allocate_inputs(wanted, use, stock, np.tile(np.arange(6.0), (2, 1)))
    used = (found.units[:, :, None] * use).sum(axis=1)
    assert (used <= stock * (1 + 1e-9) + 1e-6).all()
    np.testing.assert_array_equal((found.binding == 3), found.units == wanted)
    assert (found.units <= wanted).all()


def test_a_product_without_packaging_does_not_wait_for_it():
    wanted, value = np.array([[100.0, 100.0]]), np.array([[5.0, 1.0]])
    use = np.array([[1.0, 1.0], [0.0, 1.0]])
    found = allocate_inputs(wanted, use, np.array([[10.0, 150.0]]), value)
    np.testing.assert_array_equal(found.units, [[10.0, 100.0]])


def test_yield_climbs_from_its_start_to_its_ceiling():
    got = learned_yield(0.7, 0.9, np.array([0.0, 1e5, 1e9]), 1e5)
    np.testing.assert_allclose(got, [0.7, 0.9 - 0.2 / np.e, 0.9])


def test_dearer_memory_passes_through_in_part():
    got = with_memory_cost(np.array([[3000.0]]), np.array([80.0]), np.array([15.0]), 10.0, 0.9)
    np.testing.assert_allclose(got, [[3360.0]])


def test_a_full_lead_foundry_sends_work_to_the_second():
    args = (np.array([100.0]), np.array([100.0]))
    rest = (np.array([0.8]), np.array([0.8]), 0.0, 4.0)
    even = second_source_share(*args, np.array([0.0]), *rest)
    np.testing.assert_allclose(even, 0.5)
    assert second_source_share(*args, np.array([30.0]), *rest) > even
    assert second_source_share(*args, np.array([0.0]), np.array([0.9]), *rest[1:]) < even
    assert second_source_share(*args, np.array([0.0]), *rest[:2], 0.1, 4.0) < even


def test_a_design_moves_when_the_saving_pays_for_it():
    np.testing.assert_allclose(moves_foundry(np.array([1e7, 3e7]), 10.0, 2e8), [-1e8, 1e8])


def test_long_queues_and_high_value_make_operators_burn_gas():
    def share(value=3e6, grid=20.0, extra=3e5):
        return own_power_share(np.array([value]), grid, 6.0, extra, 0.1, 15.0, 6.0)[0]

    assert share() > 0.5
    assert share(grid=40.0) > share()
    assert share(extra=1e6) < share()
    assert share(value=1e7) > share()
    assert share(grid=6.0, extra=0.0) == pytest.approx(0.5)


def test_announced_power_is_the_gap_and_part_of_it_is_built():
    announced, built = power_started(
        np.array([100.0, 10.0]), np.array([40.0, 40.0]), np.array([10.0, 0.0]), 0.42
    )
    np.testing.assert_allclose(announced, [50.0, 0.0])
    np.testing.assert_allclose(built, [21.0, 0.0])


def test_the_generation_that_earns_least_per_watt_goes_dark_first():
    share, shadow = merit_order(
        np.array([[10.0, 10.0, 10.0, 0.0]]), np.array([[5.0, 50.0, -1.0, 9.0]]), np.array([14.0])
    )
    np.testing.assert_allclose(share, [[0.4, 1.0, 0.0, 0.0]])
    np.testing.assert_allclose(shadow, [5.0])
