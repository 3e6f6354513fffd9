"""No law is reached by tests alone: the market of some library scenario calls every function of the mechanisms."""

import ast
import sys
from importlib.resources import files
from pathlib import Path
from types import FrameType

import numpy as np
import pytest

from computemarket.scenarios.assembly import assemble
from computemarket.scenarios.schema import load_scenario

MECHANISMS = Path(str(files("computemarket.model.mechanisms"))).resolve()
LIBRARY = Path(str(files("computemarket.scenarios"))).resolve() / "library"
FIRST = ("baseline", "adoption_boom", "blackwell_b30a_sale")  # between them they usually call every law
RUNS = np.arange(4)


def functions(folder: Path) -> set[tuple[str, str]]:
    """Return (file, name) of every function at the top of a module of the folder."""
    return {
        (str(path.relative_to(folder)), node.name)
        for path in folder.rglob("*.py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef)
    }


def called(scenario: str, folder: Path) -> set[tuple[str, str]]:
    """Return the functions of a folder that are called from the first array to the last quarter of a scenario."""
    seen: set[tuple[str, str]] = set()
    inside = f"{folder}/"

    def note(frame: FrameType, event: str, argument: object) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(inside):
            seen.add((frame.f_code.co_filename[len(inside) :], frame.f_code.co_name))

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        given = load_scenario(scenario)
        market = assemble(given, RUNS)
        for _ in range(given.quarters):
            market.step()
    finally:
        sys.setprofile(before)
    return seen


@pytest.mark.exhaustive
def test_the_market_of_a_library_scenario_calls_every_law():
    others = sorted(path.stem for path in LIBRARY.glob("*.toml") if path.stem not in FIRST)
    left = functions(MECHANISMS)
    assert len(left) > 100
    for scenario in (*FIRST, *others):
        left -= called(scenario, MECHANISMS)
        if not left:
            break
    assert left == set(), f"called by no scenario of the library: {sorted(left)}"


def test_a_law_that_nobody_calls_is_found(tmp_path):
    (tmp_path / "idle.py").write_text("def idle():\n    pass\n")
    assert functions(tmp_path) - called("baseline", tmp_path) == {("idle.py", "idle")}
