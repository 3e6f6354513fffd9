"""Regulators: export control and the rules it puts in force."""

from computemarket.model.actor import Actor
from computemarket.model.arrays import Floats
from computemarket.model.market import ComputeMarket


class ExportControl(Actor):
    """US export control: which product may be sold to which country, by quarter."""

    def __init__(self, market: ComputeMarket, name: str, access: Floats) -> None:
        super().__init__(market, name)
        self.access = access  # (T, C, P)

    def regulate(self) -> None:
        """Put the access of this quarter in force."""
        self.state.access[:] = self.access[self.quarter]
