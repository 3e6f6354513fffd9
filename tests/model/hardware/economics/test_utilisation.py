"""Availability, packing, slices of an accelerator, waiting: hand-worked, limits, directions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from computemarket.model.hardware.economics.utilisation import (
    PROFILES,
    availability,
    erlang_b,
    erlang_c,
    load_within_wait,
    mean_wait,
    packing_loss,
    shared_load,
    slots_needed,
    useful_share,
)


def test_a_group_stops_when_any_of_it_fails():
    assert availability(25000.0, 25.0) == pytest.approx(25000 / 25025)
    assert availability(25000.0, 25.0, 1000) == pytest.approx(0.5)


def test_useful_hours_stop_at_the_limit():
    assert useful_share(0.97, np.array([0.5, 0.99]), 0.9).tolist() == pytest.approx([0.485, 0.873])


def test_requests_that_fill_a_server_lose_nothing():
    assert packing_loss(np.array([0.5, 0.5]), np.array([1.0, 4.0]), 8.0) == 0.0


def test_requests_of_five_in_a_server_of_eight_lose_three_eighths():
    assert packing_loss(np.array([1.0]), np.array([5.0]), 8.0) == pytest.approx(3 / 8)


def test_mixed_sizes_lose_something_in_between():
    mixed = packing_loss(np.array([0.5, 0.5]), np.array([4.0, 5.0]), 8.0)
    assert 0.0 < mixed < 3 / 8


def test_small_loads_take_one_of_seven_slots():
    assert slots_needed(np.array([0.01, 1 / 7, 0.15, 1.0])).tolist() == [1.0, 1.0, 2.0, 7.0]


def test_seven_tenants_of_a_tenth_share_one_accelerator():
    load, weight = np.array([0.1]), np.array([7.0])
    assert shared_load(load, weight, 1) == pytest.approx(0.1)
    assert shared_load(load, weight, 7) == pytest.approx(0.7)


@given(small=st.floats(0.0, 0.9), more=st.floats(0.01, 0.1))
def test_sharing_gains_more_the_more_requests_are_small(small, more):
    load = np.array([0.1, 0.9])

    def gain(share: float) -> float:
        weight = np.array([share, 1 - share])
        return float(shared_load(load, weight, 7) / shared_load(load, weight, 1))

    assert gain(small + more) > gain(small)


def test_seven_small_instances_use_all_compute_and_seven_eighths_of_memory():
    small = PROFILES["1g"]
    assert 7 * small.compute == pytest.approx(1.0)
    assert 7 * small.memory == pytest.approx(7 / 8)
    assert (PROFILES["7g"].compute, PROFILES["7g"].memory) == (1.0, 1.0)


def test_one_server_waits_as_often_as_it_is_busy():
    assert erlang_c(1, np.array([0.3, 0.8])).tolist() == pytest.approx([0.3, 0.8])


def test_ten_servers_at_eight_erlangs_is_the_tabulated_value():
    assert erlang_b(10, np.array(8.0)) == pytest.approx(0.12166, abs=5e-6)
    assert erlang_c(10, np.array(8.0)) == pytest.approx(0.40918, abs=5e-6)


def test_thousands_of_servers_do_not_overflow():
    waiting = erlang_c(5000, np.array([4000.0, 4950.0, 6000.0]))
    assert np.isfinite(waiting).all()
    assert waiting[0] < 1e-9
    assert waiting[2] == 1.0


def test_one_server_queue_by_hand():
    assert mean_wait(1, np.array(0.5), 10.0) == pytest.approx(10.0)  # rho/(1 - rho) s
    assert mean_wait(1, np.array(0.5), 10.0, 0.0) == pytest.approx(5.0)  # M/D/1 waits half


def test_a_full_queue_never_ends():
    assert mean_wait(4, np.array(4.0), 1.0) == np.inf


@given(servers=st.integers(1, 40), load=st.floats(0.05, 0.95))
def test_pooling_and_regular_service_shorten_the_wait(servers, load):
    wait = mean_wait(servers, np.array(load * servers), 1.0)
    assert mean_wait(2 * servers, np.array(load * 2 * servers), 1.0) < wait
    assert mean_wait(servers, np.array(load * servers), 1.0, 0.05) < mean_wait(
        servers, np.array(load * servers), 1.0, 0.3
    )


def test_statically_scheduled_machines_run_fuller_within_the_same_wait():
    gpu, lpu = (float(load_within_wait(4, np.array(1.0), np.array(0.5), cv)) for cv in (0.3, 0.05))
    assert 0.5 < gpu < lpu < 1.0
    assert mean_wait(4, np.array(4 * gpu), 1.0, 0.3) == pytest.approx(0.5, rel=1e-6)
