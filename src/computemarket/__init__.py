"""computemarket: an agent-based market and strategy simulation of AI compute."""

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # what `__getattr__` below imports on first use, for editors and type checkers
    from computemarket.errors import InputError, InvariantError
    from computemarket.model.market import ComputeMarket
    from computemarket.scenarios.batches.ensemble import Results, simulate
    from computemarket.scenarios.schema import Scenario, load_scenario

_here = Path(__file__).parent
if not (_here / "model").is_dir():  # a checkout: the parts are folders at its root
    __path__.append(str(_here.parents[1]))

__version__ = "0.1.0"

_PUBLIC = {
    "Scenario": "computemarket.scenarios.schema",
    "load_scenario": "computemarket.scenarios.schema",
    "simulate": "computemarket.scenarios.batches.ensemble",
    "Results": "computemarket.scenarios.batches.ensemble",
    "ComputeMarket": "computemarket.model.market",
    "InputError": "computemarket.errors",
    "InvariantError": "computemarket.errors",
}
__all__ = [
    "ComputeMarket",
    "InputError",
    "InvariantError",
    "Results",
    "Scenario",
    "load_scenario",
    "simulate",
]


def __getattr__(name: str) -> Any:
    """Import a public name on first use, so that importing the package costs nothing."""
    if name in _PUBLIC:
        return getattr(import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
