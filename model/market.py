"""The market: an ensemble of histories, one quarter at a time."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import mesa
import numpy as np
from mesa.agent import AgentSet

from computemarket.model.actor import Actor
from computemarket.model.arrays import Floats, Ints, over_holders, weighted_sum
from computemarket.model.calendar import QUARTERS_PER_YEAR
from computemarket.model.ledger import Ledger
from computemarket.model.mechanisms.investment import grown
from computemarket.model.parameters import ParameterValues
from computemarket.model.randomness import Streams
from computemarket.model.rates import Rates
from computemarket.model.recorder import Recorder
from computemarket.model.state import MarketState
from computemarket.model.structure import Labs, Structure
from computemarket.model.world import World

COMMON_SHOCKS = ("tokens.use",)  # quarterly shocks that hit everybody
Observer = Callable[["ComputeMarket"], None]


class ComputeMarket(mesa.Model):
    """R histories of one scenario, advanced together.

    Parameters
    ----------
    world : what is given
    values : parameter values by run
    streams : the random draws of the runs
    recorder : keeps what is asked for
    accounts : names of the cash accounts
    structure : masks and places derived from the world
    labs : who makes models
    clearing : institutions that act at the end of a phase: phase name -> functions of the market
    observers : functions that record a quarter
    """

    def __init__(
        self,
        world: World,
        rates: Rates,
        values: ParameterValues,
        streams: Streams,
        recorder: Recorder,
        accounts: Sequence[str],
        structure: Structure,
        labs: Labs,
        clearing: Mapping[str, Sequence[Observer]],
        observers: Sequence[Observer],
    ) -> None:
        super().__init__()
        self.world = world
        self.rates = rates
        self.values = values
        self.streams = streams
        self.recorder = recorder
        self.runs: Ints = np.asarray(streams.runs)
        self.quarter = 0
        self.structure = structure
        self.labs = labs
        self.state = MarketState(world, len(self.runs), len(labs.ids))
        self.ledger = Ledger(len(self.runs), tuple(accounts))
        weight = values.at("chips.bandwidth_weight", 0)[:, None]
        self.nominal_work = rates.h100e ** (1 - weight) * rates.bandwidth**weight  # (R, P) H100e
        self.work = self.nominal_work.copy()  # (R, P) effective H100e of an accelerator today
        kinds = [values.at(f"orders.priority_{kind}", 0) for kind in world.operators.kind]
        self.priority = np.stack(kinds, axis=1)  # (R, H) weight when deliveries are rationed
        self.draws = {name: streams.quarterly_normal(name) for name in COMMON_SHOCKS}
        self.parts: dict[str, Any] = {}  # actors that observers look at by name
        self._acting: dict[str, AgentSet[Any]] = {}
        self._clearing = clearing
        self._observers = tuple(observers)

    def value(self, parameter: str) -> Floats:
        """Return the (R,) values of a parameter in this quarter."""
        return self.values.at(parameter, self.quarter)

    def mean_kw_per_h100e(self) -> Floats:
        """Return (R,) power per H100e of all that is installed."""
        fleet = over_holders(self.state.fleet_units)
        return (fleet * self.rates.power_kw).sum(axis=1) / np.maximum(
            (fleet * self.rates.h100e).sum(axis=1), 1e-9
        )

    def lag(self, name: str) -> Ints:
        """Return the (R,) whole quarters of a lag parameter, at least one."""
        return np.maximum(np.rint(self.value(name)), 1.0).astype(np.int64)

    def step(self) -> None:
        """Simulate one quarter."""
        self.ledger.start_quarter()
        self._earn_elsewhere()
        self.measure()
        self.regulate()
        self.launch()
        self.expect()
        self.price()
        self.demand()
        self.serve()
        self.invest()
        self.supply()
        self.settle()
        self.record()
        self.quarter += 1

    def regulate(self) -> None:
        """Regulators look at lagged outcomes and put rules in force."""
        self._phase("regulate")

    def launch(self) -> None:
        """Bring products due this quarter to market; chip programmes advance."""
        self._phase("launch")

    def expect(self) -> None:
        """Update beliefs about demand, prices and claims."""
        self._phase("expect")

    def price(self) -> None:
        """Let vendors set chip and system prices, operators rents and token menus."""
        self._phase("price")

    def demand(self) -> None:
        """Form demand by workload and tier."""
        self._phase("demand")

    def serve(self) -> None:
        """Put fleets to work; token and rental markets clear."""
        self._phase("serve")

    def invest(self) -> None:
        """Plan capacity and order accelerators."""
        self._phase("invest")

    def supply(self) -> None:
        """Make, ration and deliver."""
        self._phase("supply")

    def settle(self) -> None:
        """Pay, borrow and default; the books must balance."""
        self._phase("settle")
        self.ledger.close_quarter(self.quarter)

    def record(self) -> None:
        """Keep the quarter."""
        for observe in self._observers:
            observe(self)

    def measure(self) -> None:
        """Sum fleets and orders to H100e once, for everybody who looks at them this quarter."""
        state, work = self.state, self.work[:, None, :]
        self.work_h100e = weighted_sum(state.fleet_units, work)
        host = self.structure.host_market
        self.work_by_market = np.stack(
            [(self.work_h100e * host[:, m]).sum(axis=1) for m in range(host.shape[1])], axis=1
        )
        self.work_by_market += 1.0
        real = work * (1 - state.duplicate_share)[:, None, :]
        self.backlog_h100e = weighted_sum(state.backlog_units, real)  # what buyers mean to take
        self.retired_h100e = weighted_sum(state.retired_units, work)

    def _earn_elsewhere(self) -> None:
        """Set the cash flow of the businesses of operators that are not AI."""
        given, years = self.world.operators, self.quarter / QUARTERS_PER_YEAR
        lasting, fade = self.value("capex.lasting_growth")[:, None], self.value("capex.growth_fade")[:, None]
        self.state.other_cash_flow_usd[:] = given.cash_flow_usd * grown(
            given.cash_flow_growth, lasting, fade, years
        )

    def fit_work(self) -> None:
        """Set the work of accelerators to what today's models and joint software let them do, and measure anew."""
        self.work[:] = self.nominal_work * self.state.architecture_share * self.state.joined_share
        self.measure()

    def _phase(self, name: str) -> None:
        if name not in self._acting:  # most actors decide in one or two of the phases
            self._acting[name] = self.agents.select(lambda actor: actor.acts_in(name))
        self._acting[name].do(name)
        for clear in self._clearing.get(name, ()):
            clear(self)

    def actors(self, kind: type[Actor]) -> list[Actor]:
        """Return the actors of a kind in the order in which they act."""
        return [actor for actor in self.agents if isinstance(actor, kind)]
