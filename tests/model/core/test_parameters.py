"""The parameter schema: checked numbers, distributions, dated changes, and draws that stand alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from computemarket.errors import InputError
from computemarket.model.core.calendar import QUARTERS
from computemarket.model.core.parameters import (
    STATUSES,
    Distribution,
    Parameter,
    ParameterValues,
    Schedule,
    find,
    schema,
)
from computemarket.model.core.randomness import Streams

PRIOR = Distribution("uniform", (2.0, 4.0))
SHARE = Parameter("area.share", "a share", "share", 0.5, 0.0, 1.0, "nowhere", "assumption")
NAMES = sorted(schema())


def streams(runs=5, seed=1):
    return Streams(seed, np.arange(runs))


def test_every_parameter_says_what_it_means_in_one_line():
    for parameter in schema().values():
        assert parameter.meaning
        assert "\n" not in parameter.meaning
        assert parameter.unit
        assert parameter.source
        assert parameter.status in STATUSES
        assert parameter.low <= parameter.default <= parameter.high


@pytest.mark.parametrize(
    ("raw", "allowed"),
    [
        (1.5, "a number in 0..1"),
        (-0.1, "a number in 0..1"),
        (float("nan"), "a number in 0..1"),
        (float("inf"), "a number in 0..1"),
        (True, "a number in 0..1"),
        ("0.5", "a number in 0..1"),
        (None, "a number in 0..1"),
        ({}, "one of { uniform"),
        ({"uniform": [0.1, 0.2], "normal": [0, 1]}, "one of { uniform"),
        ({"uniform": 0.1}, "one of { uniform"),
        ({"uniform": [0.1]}, "one of { uniform"),
        ({"uniform": [0.1, "b"]}, "one of { uniform"),
        ({"uniform": [0.1, float("nan")]}, "one of { uniform"),
        ({"uniform": [0.1, True]}, "one of { uniform"),
        ({"beta": [0.1, 0.2]}, "one of { uniform"),
        ({"uniform": [0.2, 0.1]}, "in rising order"),
        ({"uniform": [0.2, 0.2]}, "in rising order"),
        ({"uniform": [0.2, 1.2]}, "a number in 0..1"),
        ({"triangular": [0.2, 0.9, 0.8]}, "in rising order"),
        ({"lognormal": [0.2, 0.0]}, "positive spread"),
        ({"normal": [0.2, -1.0]}, "positive spread"),
        ({"normal": [2.0, 1.0]}, "a number in 0..1"),
        ([], "dated values"),
        ([0.5], "{ from ="),
        ([{"from": "2026Q1"}], "{ from ="),
        ([{"from": "2026Q5", "value": 0.5}], "written like 2024Q1"),
        ([{"from": 2026, "value": 0.5}], "written like 2024Q1"),
        ([{"from": "2026Q1", "value": 1.5}], "a number in 0..1"),
        ([{"from": "2026Q1", "value": {"uniform": [0.5, 1.5]}}], "a number in 0..1"),
        ([{"from": "2027Q1", "value": 0.5}, {"from": "2026Q1", "value": 0.4}], "in order of date"),
        ([{"from": "2027Q1", "value": 0.5}, {"from": "2027Q1", "value": 0.4}], "in order of date"),
    ],
)
def test_a_value_that_cannot_be_is_refused_in_words(raw, allowed):
    with pytest.raises(InputError) as refused:
        SHARE.read(raw, "file: area.share")
    assert allowed in str(refused.value)
    assert str(refused.value).startswith("file: area.share")
    assert "\n" not in str(refused.value)


def test_what_is_allowed_is_read():
    assert SHARE.read(1, "x") == 1.0
    assert SHARE.read({"triangular": [0, 0.2, 1]}, "x") == Distribution("triangular", (0.0, 0.2, 1.0))
    dated = SHARE.read(
        [{"from": "2026Q1", "value": 0}, {"from": "2027Q1", "value": {"uniform": [0, 1]}}], "x"
    )
    assert dated == Schedule(((16, 0.0), (20, Distribution("uniform", (0.0, 1.0)))))


def test_an_unknown_parameter_is_told_its_nearest_name():
    with pytest.raises(
        InputError, match=r"file: 'capex.herdin' is not a parameter; the nearest is capex.herding"
    ):
        find("capex.herdin", "file")


def test_a_schedule_keeps_what_held_before_its_first_date():
    dated = Schedule(((4, 9.0),))
    assert dated.over(3.0) == Schedule(((4, 9.0),), 3.0)
    assert dated.over(PRIOR).before == PRIOR


def test_a_schedule_over_a_schedule_keeps_the_earlier_steps():
    below = Schedule(((2, 1.0), (6, 2.0)), PRIOR)
    assert Schedule(((4, 9.0),)).over(below) == Schedule(((2, 1.0), (4, 9.0)), PRIOR)


@pytest.mark.parametrize(
    ("distribution", "quantiles"),
    [
        (Distribution("uniform", (2.0, 4.0)), (2.5, 3.0, 3.5)),
        (Distribution("triangular", (0.0, 1.0, 2.0)), (np.sqrt(0.5), 1.0, 2.0 - np.sqrt(0.5))),
        (Distribution("normal", (1.0, 2.0)), (1 - 2 * 0.6744897501960817, 1.0, 1 + 2 * 0.6744897501960817)),
        (
            Distribution("lognormal", (5.0, 1.0)),
            (5 * np.exp(-0.6744897501960817), 5.0, 5 * np.exp(0.6744897501960817)),
        ),
    ],
)
def test_quantiles_are_those_of_the_distribution(distribution, quantiles):
    np.testing.assert_allclose(distribution.quantile(np.array([0.25, 0.5, 0.75])), quantiles)


@pytest.mark.parametrize(("low", "mode", "high"), [(0.0, 0.0, 1.0), (0.0, 1.0, 1.0), (0.0, 0.3, 1.0)])
def test_a_triangular_draw_stays_between_its_ends(low, mode, high):
    u = np.array([2.0**-54, 0.3, 1 - 2.0**-53])
    drawn = Distribution("triangular", (low, mode, high)).quantile(u)
    assert ((drawn >= low) & (drawn <= high)).all()


@given(st.sampled_from(NAMES), st.integers(0, 2**63 - 1))
def test_draws_stay_in_the_allowed_range(name, seed):
    parameter = schema()[name]
    wide = {"lognormal": [parameter.high, 3.0]} if parameter.high > 0 else {"normal": [parameter.low, 9.0]}
    setting = parameter.read(wide, name)
    values = ParameterValues({name: setting}, streams(20, seed)).at(name, 0)
    assert ((values >= parameter.low) & (values <= parameter.high)).all()


def test_fixing_one_parameter_leaves_the_draws_of_all_others():
    drawn = [name for name in NAMES if schema()[name].prior is not None]
    free, fixed = ParameterValues({}, streams()), ParameterValues({drawn[0]: 1.0}, streams())
    for name in drawn[1:]:
        np.testing.assert_array_equal(free.at(name, 7), fixed.at(name, 7))
    assert (free.at(drawn[0], 7) != fixed.at(drawn[0], 7)).any()


def test_a_dated_change_leaves_each_run_its_own_value_until_its_date():
    drawn = next(parameter for parameter in schema().values() if parameter.prior is not None)
    dated = Schedule(((20, drawn.low),)).over(drawn.setting)
    free, changed = ParameterValues({}, streams()), ParameterValues({drawn.name: dated}, streams())
    np.testing.assert_array_equal(free.at(drawn.name, 19), changed.at(drawn.name, 19))
    assert (changed.at(drawn.name, 20) == drawn.low).all()
    assert (changed.at(drawn.name, len(QUARTERS) - 1) == drawn.low).all()


def test_given_quantiles_replace_the_draws():
    name = next(parameter.name for parameter in schema().values() if parameter.prior is not None)
    values = ParameterValues({name: PRIOR}, streams(2), {name: np.array([0.0, 1.0])}).at(name, 0)
    low, high = schema()[name].low, schema()[name].high
    np.testing.assert_array_equal(values, np.clip([2.0, 4.0], low, high))


def test_a_setting_says_what_it_is():
    assert str(PRIOR) == "uniform(2, 4)"
    assert (
        str(Schedule(((20, 1.5), (21, PRIOR)), PRIOR))
        == "uniform(2, 4), 1.5 from 2027Q1, uniform(2, 4) from 2027Q2"
    )


def test_every_number_of_the_schema_is_read_by_its_name():
    values = ParameterValues({}, streams(2))
    assert sorted(values.names()) == NAMES
    for name in NAMES:
        assert values.at(name, 0).shape == (2,)
        assert values.at(name, 0).dtype == np.float64
