"""The quarter: its phases in order, its clock, and laws that break loudly."""

from dataclasses import fields

import numpy as np
import pytest

from computemarket.agents.vendors.leader import LeadingVendor
from computemarket.agents.vendors.vendor import DesignPartner, Vendor
from computemarket.errors import InvariantError
from computemarket.model.actor import Actor
from computemarket.model.core.calendar import QUARTERS
from computemarket.model.markets import accelerators as accelerator_market
from computemarket.model.schedule import PHASES
from computemarket.scenarios.assembly import assemble
from computemarket.scenarios.batches.ensemble import prepare
from computemarket.scenarios.cast import Cast
from computemarket.scenarios.schedule import SCHEDULE

TWO = np.array([0, 1])


def market(**settings):
    return assemble(prepare("baseline", seed=1).with_settings(settings), TWO, frozenset())


def test_a_quarter_walks_the_schedule_and_nothing_else():
    two, seen = market(), []
    two.run_step = seen.append
    two.step()
    assert [bound.step for bound in seen] == list(SCHEDULE)
    assert list(dict.fromkeys(step.phase for step in SCHEDULE)) == list(PHASES)
    assert two.ledger.flows == {}  # nobody acted beside it


def test_no_two_steps_share_a_name_and_every_actor_has_one():
    names = [step.name for step in SCHEDULE]
    assert len(set(names)) == len(names)
    cast = {one.name for one in fields(Cast)} | {f"leader.{part}" for part in LeadingVendor.__annotations__}
    assert {step.by for step in SCHEDULE if step.by} == cast


def test_several_actors_of_a_kind_act_one_by_one_each_in_its_own_way():
    two = market()
    (prices,) = [bound for bound in two.walk if bound.step.act is Vendor.price]
    assert [call.__self__.name for call in prices.calls] == list(two.world.vendors.ids)
    assert {call.__func__ for call in prices.calls} == {Vendor.price, DesignPartner.price}


def test_the_clock_counts_quarters():
    two = market()
    assert two.quarter == 0
    two.step()
    two.step()
    assert QUARTERS[two.quarter] == "2022Q3"


def test_a_dated_parameter_has_the_value_of_the_quarter():
    two = market(**{"capex.herding": [{"from": "2022Q2", "value": 0.5}]})
    assert (two.value("capex.herding") != 0.5).all()
    two.step()
    assert (two.value("capex.herding") == 0.5).all()


def test_a_lag_is_whole_quarters_and_at_least_one():
    two = market(**{"power.lead_quarters": 5.4, "capacity.packaging_lag_quarters": 1.0})
    assert two.lag("power.lead_quarters").tolist() == [5, 5]
    assert two.lag("capacity.packaging_lag_quarters").tolist() == [1, 1]


def test_everybody_acts_and_actors_are_found_by_their_kind():
    two = market()
    actors = two.actors(Actor)
    assert {"nvidia", "amd", "google", "openai", "tsmc"} <= {actor.name for actor in actors}


def test_chips_that_come_from_nowhere_break_the_quarter(monkeypatch):
    install = accelerator_market.install
    monkeypatch.setattr(accelerator_market, "install", lambda m, delivered: install(m, delivered * 1.001))
    two = market()
    with pytest.raises(InvariantError, match="accelerators are conserved"):
        two.step()


def test_money_that_comes_from_nowhere_breaks_the_quarter(monkeypatch):
    two = market()
    close = two.ledger.close_quarter

    def print_money(quarter):
        two.ledger.cash_usd[:, 0] += 1e6
        close(quarter)

    monkeypatch.setattr(two.ledger, "close_quarter", print_money)
    with pytest.raises(InvariantError, match="money is conserved"):
        two.step()


def test_what_is_used_and_held_is_never_negative():
    two = market()
    for _ in QUARTERS:
        two.step()
        state = two.state
        for values in (
            state.fleet_units,
            state.backlog_units,
            state.inventory_units,
            state.tokens,
            state.power_mw,
        ):
            assert (values >= 0).all()
        assert ((state.utilisation >= 0) & (state.utilisation <= 1)).all()
        assert (state.price_usd > 0).all()
