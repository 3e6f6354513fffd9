"""The axes of the arrays of the state: a letter, what it counts, and how long it is in a market."""

from collections.abc import Mapping

from computemarket.model.mechanisms.buyers.demand import WORKLOADS
from computemarket.model.world.world import TIERS, TOKEN_MARKETS, USES, World

CONSTRAINTS = ("packaging", "memory", "wafers", "power", "demand")  # that keep accelerators from being made
CREDIT_HOLDERS = ("enterprises", "startups", "software_channels")
REVENUE_LAYERS = ("hardware", "software", "marketplace", "settlement", "capacity")  # of the leader
STARTUP_KINDS = 12  # of work: startups of a kind find the same labs fit for it
POWER_PIPELINE_QUARTERS = 24  # longest wait for a connection that is kept track of
CAPACITY_PIPELINE_QUARTERS = 12

AXES: Mapping[str, str] = {
    "R": "runs",
    "H": "operators",
    "P": "products",
    "V": "vendors",
    "C": "countries",
    "M": "token markets",
    "K": "token tiers",
    "U": "uses of hours: the tiers, training, own use",
    "L": "labs",
    "J": "kinds of work",
    "S": "kinds of startups",
    "B": "constraints on making accelerators",
    "G": "holders of compute credits",
    "Y": "layers of the leader's revenue",
    "Q": "quarters until capacity opens",
    "W": "quarters until power is connected",
    "N": "places of a list",
}


def lengths(world: World, runs: int, labs: int) -> dict[str, int]:
    """Return the length of every axis in a market; a list of places (N) starts with none."""
    return {
        "R": runs,
        "H": len(world.operators.ids),
        "P": len(world.products.ids),
        "V": len(world.vendors.ids),
        "C": len(world.countries.ids),
        "M": len(TOKEN_MARKETS),
        "K": len(TIERS),
        "U": len(USES),
        "L": labs,
        "J": len(WORKLOADS),
        "S": STARTUP_KINDS,
        "B": len(CONSTRAINTS),
        "G": len(CREDIT_HOLDERS),
        "Y": len(REVENUE_LAYERS),
        "Q": CAPACITY_PIPELINE_QUARTERS,
        "W": POWER_PIPELINE_QUARTERS,
        "N": 0,
    }
