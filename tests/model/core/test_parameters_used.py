"""A parameter that nothing reads would let a user turn a knob that moves nothing."""

import ast
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import numpy as np

from computemarket.model.core.parameters import ParameterValues, schema
from computemarket.scenarios.assembly import assemble
from computemarket.scenarios.schema import load_scenario

PARTS = ("model", "agents", "scenarios", "analysis")
# Between them they reach the rules that wait for an event: defaults, trade in credits, entry, quotas of countries.
SCENARIOS = ("baseline", "clouds_without_customers", "credits_tradable", "niches_open", "diffusion_framework")
DEFAULTS_OF = {
    "default_of": "",
    "parameter_default": "hardware.",
}  # readers of values that are the same in all runs


def trees() -> Iterator[ast.Module]:
    for part in PARTS:
        for path in Path(str(files(f"computemarket.{part}"))).rglob("*.py"):
            yield ast.parse(path.read_text("utf-8"))


def read_by_the_market(scenario: str, monkeypatch) -> set[str]:
    """Return the parameters whose values the market asks for in its history."""
    seen: set[str] = set()
    at = ParameterValues.at

    def noted(values: ParameterValues, name: str, quarter: int):
        seen.add(name)
        return at(values, name, quarter)

    with monkeypatch.context() as patch:
        patch.setattr(ParameterValues, "at", noted)
        given = load_scenario(scenario)
        market = assemble(given, np.arange(1))
        for _ in range(given.quarters):
            market.step()
    return seen


def strings(node: ast.AST) -> set[str]:
    return {
        leaf.value
        for leaf in ast.walk(node)
        if isinstance(leaf, ast.Constant) and isinstance(leaf.value, str)
    }


def named_in_a_read(tree: ast.Module) -> set[str]:
    """Return the full names given to a reader of values: `….value`, `….lag`, `….at`, `default_of`, `schema()[…]`.

    A reader called on a name that a comprehension runs over reads the strings of the comprehension.
    """
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.GeneratorExp | ast.ListComp | ast.DictComp | ast.SetComp):
            found |= _of_comprehension(node)
        elif isinstance(node, ast.Call) and node.args:
            found |= (
                {_prefix(node.func) + text for text in strings(node.args[0])} if _reads(node.func) else set()
            )
        elif isinstance(node, ast.Subscript) and "schema" in ast.unparse(node.value):
            found |= strings(node.slice)
    return found


def _of_comprehension(node: ast.AST) -> set[str]:
    return {
        _prefix(call.func) + text
        for call in ast.walk(node)
        if isinstance(call, ast.Call) and _reads(call.func) and isinstance(call.args[0], ast.Name)
        for text in strings(node)
    }


def _reads(function: ast.expr) -> bool:
    if isinstance(function, ast.Attribute):
        return function.attr in {"value", "lag", "at"}
    return isinstance(function, ast.Name) and function.id in DEFAULTS_OF


def _prefix(function: ast.expr) -> str:
    return DEFAULTS_OF.get(function.id, "") if isinstance(function, ast.Name) else ""


def test_every_parameter_is_read(monkeypatch):
    """Reads are followed while markets run; what they do not reach is named in full where it is read."""
    unread = set(schema())
    for scenario in SCENARIOS:
        unread -= read_by_the_market(scenario, monkeypatch)
    unread -= {name for tree in trees() for name in named_in_a_read(tree)}
    assert sorted(unread) == []


def test_a_parameter_that_is_only_mentioned_counts_as_unread():
    tree = ast.parse('HELP = "area.mentioned"\nx = market.value("area.read")\ny = parameter_default("key")')
    assert named_in_a_read(tree) == {"area.read", "hardware.key"}
