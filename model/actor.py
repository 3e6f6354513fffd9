"""What an actor is to the market: somebody whom the schedule of a quarter lets act."""

from collections.abc import Iterator
from itertools import count
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import mesa

from computemarket.model.core.arrays import Floats

if TYPE_CHECKING:
    from computemarket.model.market import ComputeMarket
    from computemarket.model.state import MarketState
    from computemarket.model.world.world import World


class _Numbers:
    """Counts the agents of each model, and forgets a model that is gone."""

    def __init__(self) -> None:
        self._counters: WeakKeyDictionary[mesa.Model, Iterator[int]] = WeakKeyDictionary()

    def __getitem__(self, model: mesa.Model) -> Iterator[int]:
        return self._counters.setdefault(model, count(1))


class Actor(mesa.Agent):
    """An actor of all runs at once; the schedule says when each of its methods acts.

    It observes the state and parameters, decides by calling mechanisms, and writes its decisions into its own
    cells of the state.
    """

    _ids = _Numbers()  # mesa's own keeps every model in memory for ever (mesa issue 3179)

    def __init__(self, market: "ComputeMarket", name: str) -> None:
        super().__init__(market)
        self.market = market
        self.name = name

    @property
    def state(self) -> "MarketState":
        """The arrays of the market."""
        return self.market.state

    @property
    def world(self) -> "World":
        """What is given."""
        return self.market.world

    @property
    def quarter(self) -> int:
        """The quarter being simulated, 0 for 2022Q1."""
        return self.market.quarter

    def value(self, parameter: str) -> Floats:
        """Return the (R,) values of a parameter in this quarter."""
        return self.market.values.at(parameter, self.market.quarter)

    def record(self) -> None:
        """Keep what the actor alone knows of the quarter; nothing unless a kind has something to say."""
