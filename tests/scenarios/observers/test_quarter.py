"""Recorded variables: each is declared once, beside what records it, and its labels are as declared."""

import numpy as np
import pytest

from computemarket.model.core.recorded import END, MEAN, SUM, Recorded, Variable, recorded, recorded_by
from computemarket.scenarios.assembly import assemble
from computemarket.scenarios.observers.quarter import owner_of, recorded_variables
from computemarket.scenarios.schema import load_scenario

LABELS = ("entity", "region", "detail")


@pytest.fixture(scope="module")
def market():
    found = assemble(load_scenario("baseline"), np.arange(2), frozenset(recorded_variables()))
    for _ in range(2):
        found.step()
    return found


def test_every_declared_variable_is_recorded_in_the_declared_order(market):
    assert tuple(market.recorder.series) == tuple(recorded_variables())


def test_a_variable_has_the_labels_that_are_declared_and_no_others(market):
    wrong = [
        f"{name}: {key}"
        for name, one in recorded_variables().items()
        for key in LABELS
        if bool(getattr(one, key)) != any(getattr(market.recorder.series[name], key))
    ]
    assert wrong == []


def test_declarations_say_how_a_year_is_formed_and_what_is_meant():
    for one in recorded_variables().values():
        assert one.over_year in {SUM, MEAN, END}, one.name
        assert one.unit, one.name
        assert one.title, one.name
        assert one.meaning[:1].isupper(), one.name
        assert not one.meaning.endswith("."), one.name


def test_a_variable_is_owned_by_the_actor_that_records_it():
    assert owner_of("robots") == "Robots"
    assert owner_of("capex_usd") == "record_operators"


def test_what_is_declared_on_request_is_recorded_only_when_asked_for_by_name():
    one = Recorded((Variable("a", "USD", SUM, "A", "Money"),), on_request=True)
    assert not one.is_asked(None)
    assert one.is_asked(frozenset({"a"}))
    assert not one.is_asked(frozenset({"b"}))


def test_a_function_carries_its_declaration():
    @recorded(Variable("a", "USD", SUM, "A", "Money"))
    def record() -> None: ...

    assert recorded_by(record).names == ("a",)
    assert not recorded_by(print).is_asked(None)
