"""No law is reached by tests alone: the market of some library scenario calls every function of the mechanisms.

Calls are followed while the market runs: imports and mentions do not count. Classes and numbers, which no call shows,
are followed by name from all code outside the laws.
"""

import ast
import sys
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from types import FrameType

import numpy as np

from computemarket.scenarios.assembly import assemble
from computemarket.scenarios.schema import load_scenario

MECHANISMS = Path(str(files("computemarket.model.mechanisms"))).resolve()
LIBRARY = Path(str(files("computemarket.scenarios"))).resolve() / "library"
# Most laws run everywhere; the others: recovery after a default, trade in credits, entry into a niche.
FIRST = ("baseline", "clouds_without_customers", "credits_tradable", "niches_open")
RUNS = np.arange(1)
PARTS = ("model", "agents", "scenarios", "analysis")


def functions(folder: Path) -> set[tuple[str, str]]:
    """Return (file, qualified name) of every function and method in the modules of the folder."""
    return {
        (str(path.relative_to(folder)), name)
        for path in folder.rglob("*.py")
        for name in qualified(ast.parse(path.read_text(encoding="utf-8")).body)
    }


def qualified(body: list[ast.stmt], above: str = "") -> Iterator[str]:
    """Yield the qualified names of the functions and methods of a module or class."""
    for node in body:
        if isinstance(node, ast.FunctionDef):
            yield above + node.name
        elif isinstance(node, ast.ClassDef):
            yield from qualified(node.body, f"{node.name}.")


def called(scenario: str, folder: Path) -> set[tuple[str, str]]:
    """Return the functions of a folder that are called from the first array to the last quarter of a scenario."""
    seen: set[tuple[str, str]] = set()
    inside = f"{folder}/"

    def note(frame: FrameType, event: str, argument: object) -> None:
        if frame.f_code.co_filename.startswith(inside):
            seen.add((frame.f_code.co_filename[len(inside) :], frame.f_code.co_qualname))

    before = sys.gettrace()
    sys.settrace(note)  # without a local trace function it hears of calls only
    try:
        given = load_scenario(scenario)
        market = assemble(given, RUNS)
        for _ in range(given.quarters):
            market.step()
    finally:
        sys.settrace(before)
    return seen


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


def mentioned(tree: ast.AST) -> set[str]:
    """Return the names and attributes that occur in a piece of code."""
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return names | {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}


def defined(node: ast.stmt) -> set[str]:
    """Return what a statement at the top of a module defines."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name}
    targets = node.targets if isinstance(node, ast.Assign) else ()
    return {name for target in targets for name in mentioned(target)}


def test_every_class_and_number_among_the_laws_is_reached_from_outside_them():
    reached: set[str] = set()
    inside: dict[str, set[str]] = {}
    for path in (path for part in PARTS for path in Path(str(files(f"computemarket.{part}"))).rglob("*.py")):
        law = path.resolve().is_relative_to(MECHANISMS)
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                continue
            if not law:
                reached |= mentioned(node)
            for name in defined(node) if law else ():
                inside[name] = inside.get(name, set()) | mentioned(node) - {name}
    follow = [name for name in inside if name in reached]
    while follow:
        new = (inside[follow.pop()] & inside.keys()) - reached
        reached |= new
        follow.extend(new)
    assert sorted(inside.keys() - reached) == []
