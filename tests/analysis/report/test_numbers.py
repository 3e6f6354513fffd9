"""Numbers of the report: hand-worked cases, limits and identities."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from computemarket.analysis.report.chapters.breakeven import YEARS_PER_GENERATION, break_even_cost
from computemarket.analysis.report.chapters.drivers import area, best_mark, luck, rank_correlation
from computemarket.analysis.report.chapters.early_indicators import first_signs
from computemarket.analysis.report.chapters.payoff import Cell, equilibria, read_players, strategies
from computemarket.analysis.report.parts.accounts import discounted_to_date, straight_line
from computemarket.analysis.report.parts.assumptions import assumptions
from computemarket.analysis.report.parts.figures import safe_csv, short
from computemarket.analysis.report.parts.source import by_year
from computemarket.errors import InputError
from computemarket.model.core.parameters import schema

QUARTERS = ("2026Q3", "2026Q4", "2027Q1", "2027Q2", "2027Q3", "2027Q4")


def test_a_purchase_is_written_off_in_equal_parts_from_its_own_quarter_on():
    spent = np.array([[100.0, 0.0, 0.0, 0.0, 0.0, 0.0]])
    assert straight_line(spent, np.array([4.0])).tolist() == [[25.0, 25.0, 25.0, 25.0, 0.0, 0.0]]


def test_a_life_that_ends_within_a_quarter_counts_in_part():
    spent = np.array([[100.0, 0.0, 0.0, 0.0]])
    assert straight_line(spent, np.array([2.5])).tolist() == [[40.0, 40.0, 20.0, 0.0]]


@given(
    arrays(np.float64, (2, 12), elements=st.integers(0, 1000).map(float)),
    st.lists(st.floats(1.0, 6.0), min_size=2, max_size=2),
)
def test_all_that_was_bought_early_enough_is_written_off(spent, life):
    spent[:, 6:] = 0.0  # a life of six quarters ends inside twelve
    written = straight_line(spent, np.array(life)).sum(axis=1)
    np.testing.assert_allclose(written, spent.sum(axis=1), rtol=1e-12)


def test_flows_are_discounted_to_the_first_quarter():
    flow = np.array([[100.0, 0.0, 0.0, 0.0, 110.0]])
    assert discounted_to_date(flow, np.array([0.1]))[0] == pytest.approx([100, 100, 100, 100, 200])


def test_an_own_chip_breaks_even_where_what_it_saves_is_what_it_costs():
    tokens, merchant = 1e15, 2.0  # a billion Mtok a year at 2 USD: 2 bn USD a year
    share = float(break_even_cost(np.array([tokens]), 1e9, merchant)[0])
    saved = tokens / 1e6 * YEARS_PER_GENERATION * merchant * (1 - share)
    assert saved == pytest.approx(1e9)
    assert share == 0.75


def test_an_own_chip_never_pays_with_few_tokens_and_always_with_endless_ones():
    few, endless = break_even_cost(np.array([1e6, 1e30]), 1e9, 2.0)
    assert few < 0
    assert endless == pytest.approx(1.0)


def test_quarters_make_years_only_where_all_four_are_there():
    values = np.array([[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]])
    assert by_year(values, QUARTERS)[0] == ("2027",)
    assert by_year(values, QUARTERS)[1].tolist() == [[18.0]]
    assert by_year(values, QUARTERS, "mean")[1].tolist() == [[4.5]]
    assert by_year(values, QUARTERS, "end")[1].tolist() == [[6.0]]


def test_rank_correlation_sees_order_alone():
    x = np.array([1.0, 2.0, 3.0, 4.0])
    assert rank_correlation(x, np.exp(x)) == pytest.approx(1.0)
    assert rank_correlation(x, -(x**3)) == pytest.approx(-1.0)


def test_luck_grows_with_tests_and_fades_with_runs():
    assert luck(64, 10) < luck(64, 200)
    assert luck(256, 200) < luck(64, 200)


def test_luck_is_rarely_passed_by_chance():
    rng = np.random.Generator(np.random.Philox(7))
    passed = 0
    for _ in range(100):
        x, y = rng.normal(size=(20, 40)), rng.normal(size=40)
        passed += max(abs(rank_correlation(one, y)) for one in x) > luck(40, 20)
    assert passed <= 12  # 5 expected; more than 12 of 100 has a chance under 0.2%


def test_an_event_that_always_comes_with_large_values_is_wholly_told():
    values = np.array([1.0, 2.0, 3.0, 4.0])
    happens = np.array([False, False, True, True])
    assert area(values, happens) == 1.0
    assert area(-values, happens) == 0.0
    assert best_mark(values, happens, above=True) == 3.0


def test_equal_values_tell_nothing():
    assert area(np.ones(6), np.array([True, False] * 3)) == 0.5


def test_the_first_sign_is_the_first_lasting_one():
    base = {"nvidia_gross_margin": np.tile(np.arange(20.0)[:, None], (1, 6))}
    mine = {"nvidia_gross_margin": base["nvidia_gross_margin"].copy()}
    mine["nvidia_gross_margin"][:, 1] += 100.0  # a blip
    mine["nvidia_gross_margin"][:, 4:] -= 100.0
    (sign,) = first_signs(mine, base, QUARTERS)
    assert (sign.quarter, sign.higher, sign.tells) == ("2027Q3", False, 1.0)


def test_scenarios_that_do_not_differ_give_no_sign():
    same = {"nvidia_gross_margin": np.tile(np.arange(20.0)[:, None], (1, 6))}
    assert first_signs(same, same, QUARTERS) == []


def test_the_prisoners_dilemma_has_one_stable_pair():
    payoff = {(0, 0): (3, 3), (0, 1): (0, 5), (1, 0): (5, 0), (1, 1): (1, 1)}
    cells = {key: Cell(np.full(5, float(a)), np.full(5, float(b))) for key, (a, b) in payoff.items()}
    assert equilibria(cells, 2, 2) == [(1, 1)]


def test_matching_pennies_has_no_stable_pair():
    payoff = {(0, 0): 1, (0, 1): -1, (1, 0): -1, (1, 1): 1}
    cells = {key: Cell(np.full(5, float(a)), np.full(5, -float(a))) for key, a in payoff.items()}
    assert equilibria(cells, 2, 2) == []


def test_strategies_turn_parameters_that_exist_to_values_they_allow():
    for ones in strategies().values():
        assert not ones[0].settings  # the first leaves everything as it is
        for one in ones:
            for name, value in one.settings.items():
                assert schema()[name].low <= value <= schema()[name].high


@pytest.mark.parametrize("text", ["nvidia", "nvidia,nvidia", "nvidia,nobody", ""])
def test_a_game_needs_two_known_players(text):
    with pytest.raises(InputError, match="--payoff"):
        read_players(text)


def test_every_assumption_of_the_report_says_what_it_rests_on():
    for one in assumptions().values():
        assert one.meaning
        assert one.source
        assert one.status in ("fact", "estimate", "assumption")


def test_text_that_a_spreadsheet_would_run_is_guarded():
    import pandas as pd

    table = pd.DataFrame({"=name": ["=1+1", "+2", "-x", "@y", "\tz", "plain"], "value": [-1.5] * 6})
    lines = safe_csv(table).splitlines()
    assert lines[0] == "'=name,value"
    assert [line.split(",")[0] for line in lines[1:]] == ["'=1+1", "'+2", "'-x", "'@y", " z", "plain"]
    assert lines[1].endswith(",-1.5")  # a number is a number


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (0.0123, "0.012"), (3.14159, "3.14"), (123.4, "123"), (12345.0, "12.3k"), (2.5e9, "2.5bn")],
)
def test_numbers_are_shown_with_about_three_digits(value, text):
    assert short(value) == text
