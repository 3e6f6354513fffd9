"""The market: an ensemble of histories, one quarter at a time, by a schedule that it is given."""

from collections.abc import Callable, Sequence

import mesa
import numpy as np

from computemarket.model.actor import Actor
from computemarket.model.core.arrays import Floats, Ints, over_holders, weighted_sum
from computemarket.model.core.ledger import Ledger
from computemarket.model.core.parameters import ParameterValues
from computemarket.model.core.randomness import Streams
from computemarket.model.core.recorder import Recorder
from computemarket.model.markets.heterogeneity import draw_differences
from computemarket.model.schedule import BoundStep
from computemarket.model.state import MarketState
from computemarket.model.world.china_places import ChinaPlaces
from computemarket.model.world.rates import Rates
from computemarket.model.world.structure import Labs, Structure
from computemarket.model.world.world import World

COMMON_SHOCKS = ("tokens.use",)  # quarterly shocks that hit everybody


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
    ) -> None:
        super().__init__()
        self.world = world
        self.rates = rates
        self.rates_to_come: tuple[
            tuple[int, Rates], ...
        ] = ()  # from a quarter on, where a scenario dates them
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
        self.state.work[:] = self.nominal_work
        kinds = [values.at(f"orders.priority_{kind}", 0) for kind in world.operators.kind]
        self.state.priority[:] = np.stack(kinds, axis=1)
        self.differences = draw_differences(world, values, streams)
        self.china = ChinaPlaces(world, structure)
        self.draws = {name: streams.quarterly_normal(name) for name in COMMON_SHOCKS}
        self.walk: tuple[BoundStep, ...] = ()  # the schedule, bound to the actors of this market
        self.run_step: Callable[[BoundStep], None] = BoundStep.run  # a clock or a guard may stand here

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
        """Simulate one quarter: walk the schedule."""
        for step in self.walk:
            self.run_step(step)
        self.quarter += 1

    def open_books(self) -> None:
        """Forget last quarter's payments and remember where every account stands."""
        self.ledger.start_quarter()

    def close_books(self) -> None:
        """Post the quarter's payments; the books must balance."""
        self.ledger.close_quarter(self.quarter)

    def measure(self) -> None:
        """Sum fleets and orders to H100e once, for everybody who looks at them this quarter."""
        state, work = self.state, self.state.work[:, None, :]
        state.work_h100e[:] = weighted_sum(state.fleet_units, work)
        host = self.structure.host_market
        for m in range(host.shape[1]):
            state.work_by_market[:, m] = (state.work_h100e * host[:, m]).sum(axis=1)
        state.work_by_market += 1.0
        real = work * (1 - state.duplicate_share)[:, None, :]
        state.backlog_h100e[:] = weighted_sum(state.backlog_units, real)  # what buyers mean to take
        state.retired_h100e[:] = weighted_sum(state.retired_units, work)

    def earn_elsewhere(self) -> None:
        """Set the cash flow of the businesses of operators that are not AI."""
        self.state.other_cash_flow_usd[:] = self.world.operators.cash_flow_usd * self.state.business_growth

    def fit_work(self) -> None:
        """Set the work of accelerators to what today's models and joint software let them do, and measure anew."""
        state = self.state
        today = self.nominal_work * state.architecture_share * state.joined_share
        if not np.array_equal(today, state.work):
            state.work[:] = today
            self.measure()

    def actors(self, kind: type[Actor]) -> list[Actor]:
        """Return the actors of a kind in the order in which they act."""
        return [actor for actor in self.agents if isinstance(actor, kind)]
