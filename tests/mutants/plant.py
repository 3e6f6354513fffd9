"""Faults as data, and how one is planted: in the syntax tree of a function, wherever the function stands.

A fault names a function and a piece of its text in the form that `ast.unparse` gives it, so formatting, comments and
moves of files do not matter. A fault whose function or text is gone, or is no longer unique, is stale.
"""

import ast
import textwrap
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

FAULTS = Path(__file__).with_name("faults.toml")
PARTS = ("model", "agents", "scenarios")  # folders of the checkout in which faults are planted


@dataclass(frozen=True)
class Fault:
    """One fault, and the tests of the room that are to notice it."""

    name: str
    kind: str
    room: str
    tests: tuple[str, ...]  # names of the test modules of the room
    function: str  # a function, or Class.method
    old: str
    new: str


@dataclass(frozen=True)
class Planted:
    """A file with a fault in it."""

    path: Path  # from the root of the checkout
    text: str


class StaleFaultError(LookupError):
    """A fault that fits nowhere, or in several places."""


def read_faults(path: Path = FAULTS) -> tuple[Fault, ...]:
    """Return the faults of a file, in its order."""
    table = tomllib.loads(path.read_text())
    rooms = {name: tuple(modules) for name, modules in table["rooms"].items()}
    return tuple(Fault(**entry, tests=rooms[entry["room"]]) for entry in table["fault"])


def sources(root: Path) -> tuple[Path, ...]:
    """Return the files in which faults are planted."""
    return tuple(sorted(path for part in PARTS for path in (root / part).rglob("*.py")))


def plant(fault: Fault, root: Path, paths: Sequence[Path]) -> Planted:
    """Return the file of a checkout that a fault changes, with the fault in it.

    Raises
    ------
    StaleFaultError
        if the function is not there, or its text does not hold the old piece exactly once.
    """
    named, fitting = 0, []
    for path in paths:
        text = path.read_text()
        if f"def {fault.function.split('.')[-1]}(" not in text:
            continue
        for node in _functions(ast.parse(text), fault.function):
            named += 1
            if ast.unparse(node).count(fault.old) == 1:
                fitting.append((path, text, node))
    if len(fitting) != 1:
        raise StaleFaultError(
            f"{fault.function}: {named} of that name, {len(fitting)} with the text to change"
        )
    path, text, node = fitting[0]
    return Planted(path.relative_to(root), _with(text, node, ast.unparse(node).replace(fault.old, fault.new)))


def _functions(tree: ast.Module, name: str) -> Iterator[ast.FunctionDef]:
    """Yield the functions of a module that are called `name`; methods are called Class.method."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            yield node
        elif isinstance(node, ast.ClassDef):
            yield from (
                one
                for one in node.body
                if isinstance(one, ast.FunctionDef) and f"{node.name}.{one.name}" == name
            )


def _with(text: str, node: ast.FunctionDef, changed: str) -> str:
    """Return a text in which the lines of a function are replaced."""
    ast.parse(changed)  # a fault is a program: nobody is to notice a slip of spelling
    lines = text.splitlines(keepends=True)
    first = min([node.lineno, *(one.lineno for one in node.decorator_list)]) - 1
    body = textwrap.indent(changed, " " * node.col_offset) + "\n"
    return "".join([*lines[:first], body, *lines[node.end_lineno :]])
