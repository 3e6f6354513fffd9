"""Where China stands on the axes of the market: holders at home and abroad, fronts, routes of smugglers (M25)."""

import csv
from functools import lru_cache
from importlib.resources import files

import numpy as np

from computemarket.model.world.structure import Structure
from computemarket.model.world.world import World, column, positions

GREY, OFFSHORE = "china_grey", "china_offshore"
FRONTS = ("gpu_cloud", "enterprise", "sovereign")  # kinds of buyers abroad through which chips are diverted


class ChinaPlaces:
    """Places of Chinese holders, of fronts abroad and of routes on the axes of the market."""

    def __init__(self, world: World, structure: Structure) -> None:
        self.grey, self.offshore = world.operator(GREY), world.operator(OFFSHORE)
        self.country = world.country("china")
        headquarters = structure.headquarters == self.country
        self.at_home = headquarters.copy()
        self.at_home[[self.grey, self.offshore]] = False
        self.elsewhere = ~headquarters
        self.home_rows = np.flatnonzero(self.at_home)
        self.bought = structure.flagship & ~np.array([bool(name) for name in world.products.own_of])
        self.foreign = self.bought & ~world.products.chinese
        self.chinese = world.products.chinese
        self.chinese_places = np.flatnonzero(self.chinese)
        fronts = [i for i, kind in enumerate(world.operators.kind) if kind in FRONTS and self.elsewhere[i]]
        self.fronts = np.array(fronts, dtype=np.int64)
        self.front_host = np.ascontiguousarray(np.take(world.operators.host, self.fronts, axis=0))  # (F, C)
        self.rentable = (
            np.where(self.elsewhere, world.operators.rented_out_share, 0.0) * structure.host_market[:, 0]
        )
        rows = _routes()
        order = positions(tuple(row["country"] for row in rows), world.countries.ids)
        self.ease, self.factor = np.zeros(len(rows)), np.ones(len(rows))
        self.ease[order], self.factor[order] = column(rows, "ease"), column(rows, "detection_factor")


@lru_cache(maxsize=1)
def _routes() -> list[dict[str, str]]:
    text = files("computemarket.model.data").joinpath("policy", "routes.csv").read_text("utf-8")
    return list(csv.DictReader(text.splitlines()))
