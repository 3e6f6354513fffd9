"""Designs: the right points, the same each time, whatever is asked of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from computemarket.errors import InputError
from computemarket.scenarios.studies.designs import Design, read_design

TWO = [None, None]


def design(method: str, levels_of=TWO, **numbers) -> Design:
    return read_design({"method": method, **numbers}, levels_of, 3, "design")


def everything(found: Design):
    return found.quantiles(np.arange(found.count))


def test_a_grid_is_every_combination():
    found = design("grid", [None, [0.0, 0.5, 1.0]], levels=2)
    assert everything(found).tolist() == [
        [0.25, 0.0], [0.25, 0.5], [0.25, 1.0], [0.75, 0.0], [0.75, 0.5], [0.75, 1.0]
    ]  # fmt: skip


def test_a_latin_hypercube_has_one_point_in_every_slice():
    points = everything(design("latin_hypercube", points=50))
    for column in points.T:
        assert sorted(np.floor(column * 50).astype(int).tolist()) == list(range(50))


def test_a_sobol_sequence_fills_every_quarter_alike_and_grows_without_moving():
    points = everything(design("sobol", points=64))
    cells = np.floor(points * 4).astype(int) @ np.array([4, 1])
    assert np.bincount(cells).tolist() == [4] * 16
    assert np.array_equal(everything(design("sobol", points=128))[:64], points)


@pytest.mark.parametrize(("second_order", "count"), [(False, 8 * 4), (True, 8 * 6)])
def test_saltelli_samples_two_matrices_and_their_mixtures(second_order, count):
    found = design("saltelli", points=8, second_order=second_order)
    points = everything(found)
    assert found.count == len(points) == count
    a, mixed, b = points[0], points[1], points[count // 8 - 1]
    assert mixed.tolist() == [b[0], a[1]]


def test_morris_moves_one_uncertainty_at_a_time_between_inner_quantiles():
    found = design("morris", trajectories=5, levels=4)
    points = everything(found)
    assert found.count == len(points) == 15
    steps = np.diff(points.reshape(5, 3, 2), axis=1)
    assert (np.count_nonzero(steps, axis=2) == 1).all()
    assert points.min() >= 0.05 - 1e-12
    assert points.max() <= 0.95 + 1e-12


@pytest.mark.parametrize(
    ("method", "numbers"),
    [
        ("grid", {"levels": 3}),
        ("latin_hypercube", {"points": 30}),
        ("sobol", {"points": 32}),
        ("saltelli", {"points": 8}),
        ("morris", {"trajectories": 6}),
    ],
)
def test_a_point_is_the_same_in_any_company_and_every_time(method, numbers):
    whole = everything(design(method, **numbers))
    again = design(method, **numbers)
    assert (whole > 0).all()
    assert (whole < 1).all()
    for chosen in ([0], [5, 2], [len(whole) - 1]):
        assert np.array_equal(again.quantiles(np.array(chosen)), whole[chosen])


def test_another_seed_is_another_sample():
    one = read_design({"method": "sobol", "points": 8}, TWO, 1, "design")
    other = read_design({"method": "sobol", "points": 8}, TWO, 2, "design")
    assert not np.array_equal(everything(one), everything(other))


@given(st.lists(st.integers(2, 1000), min_size=1, max_size=30))
def test_the_size_of_a_grid_is_counted_and_not_built(sizes):
    found = design("grid", [[place / n for place in range(n)] for n in sizes])
    assert found.count == np.prod([int(n) for n in sizes], dtype=object)


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ({"method": "sobol", "points": 100}, "a power of two, such as 128"),
        ({"method": "saltelli", "points": 100}, "a power of two"),
        ({"method": "sobol"}, "points: None is not"),
        ({"method": "sobol", "points": -4}, "points: -4 is not"),
        ({"method": "sobol", "points": 2.5}, "points: 2.5 is not"),
        ({"method": "sobol", "points": 10**9}, "is not a whole number in"),
        ({"method": "morris", "trajectories": 4, "levels": 3}, "levels: 3 is not even"),
        ({"method": "grid", "levels": 1}, "levels: 1 is not"),
        ({"method": "grid", "points": 4}, "points: 4 is not part"),
        ({"method": "saltelli", "points": 4, "second_order": 1}, "second_order: 1 is not"),
        ({"method": ["grid"]}, "is not one of none, grid"),
    ],
)
def test_a_design_that_cannot_be_is_one_line(table, says):
    with pytest.raises(InputError) as caught:
        read_design(table, TWO, 1, "design")
    assert says in str(caught.value)


def test_more_points_than_memory_holds_are_refused_when_they_are_drawn():
    with pytest.raises(InputError, match="at most 10,000,000"):
        Design("saltelli", 100, (("points", 2**20),)).quantiles(np.arange(1))
