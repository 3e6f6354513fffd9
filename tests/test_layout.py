"""The house keeps its order: imports point one way, inside one namespace, and start light."""

import ast
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ORDER = ("errors", "model", "agents", "scenarios", "analysis", "commands")  # each may import those before it
FOLDERS = ("model", "agents", "scenarios", "analysis")
ROOT = Path(__file__).resolve().parents[1]
FILES = sorted(path for folder in (*FOLDERS, "src", "tests") for path in (ROOT / folder).rglob("*.py"))
LARGEST_FOLDER = 15  # modules
LONGEST_FUNCTION = 60  # lines of its body
HEAVY = ("pandas", "pyarrow", "matplotlib", "mesa", "scipy.optimize", "scipy.stats")


def imports(path: Path) -> Iterator[tuple[int, str, int]]:
    """Yield (line, module, level) of every import of a file, also of those inside functions."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, name.name, 0) for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            yield node.lineno, module, node.level
            if module == "computemarket":
                yield from ((node.lineno, f"computemarket.{name.name}", 0) for name in node.names)


def part_of(path: Path) -> str | None:
    """Return the part a file belongs to, None for the command line and the tests, which may import all."""
    first = path.relative_to(ROOT).parts[0]
    if first in FOLDERS:
        return first
    if path == ROOT / "src/computemarket/errors.py":
        return "errors"
    if path.is_relative_to(ROOT / "src/computemarket/commands"):
        return "commands"
    return None


def wrong_way(path: Path) -> list[str]:
    """Return the imports of a file that point against the order."""
    part = part_of(path)
    if part is None:
        return []
    later = set(ORDER[ORDER.index(part) + 1 :])
    return [
        f"{path.relative_to(ROOT)}:{line} imports {module}"
        for line, module, _ in imports(path)
        if module.startswith("computemarket.") and module.split(".")[1] in later
    ]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_one_way_and_are_absolute(path):
    assert wrong_way(path) == []
    for line, module, level in imports(path):
        assert level == 0, f"line {line}: relative import"
        assert module.split(".")[0] not in FOLDERS, f"line {line}: import computemarket.{module}"


def test_the_walk_finds_an_import_that_points_back(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    stray = tmp_path / "model" / "stray.py"
    stray.parent.mkdir()
    stray.write_text("def f():\n    from computemarket import agents\n")
    assert wrong_way(stray) == ["model/stray.py:2 imports computemarket.agents"]


def test_type_checkers_and_editors_see_the_namespace_as_the_wheel_lays_it_out():
    here = ROOT / "typings" / "computemarket"
    wanted = {
        path.name: path for path in (ROOT / "src/computemarket").iterdir() if path.name != "__pycache__"
    }
    wanted |= {folder: ROOT / folder for folder in FOLDERS}
    assert {path.name: path.resolve() for path in here.iterdir()} == wanted
    assert not any(path.readlink().is_absolute() for path in here.iterdir())


def test_no_folder_holds_more_modules_than_a_reader_takes_in():
    counts = Counter(path.parent.relative_to(ROOT) for path in FILES)
    assert {str(folder): n for folder, n in counts.items() if n > LARGEST_FOLDER} == {}


def length_of(function: ast.FunctionDef) -> int:
    """Return the lines of a function's body without its docstring and the call it returns, which only declares."""
    lines = {
        line for node in function.body for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
    declared = [function.body[0]] if ast.get_docstring(function) else []
    if isinstance(function.body[-1], ast.Return) and isinstance(function.body[-1].value, ast.Call):
        declared.append(function.body[-1])
    for node in declared:
        lines -= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return len(lines)


def test_no_function_is_longer_than_a_page():
    for path in (path for path in FILES if path.relative_to(ROOT).parts[0] != "tests"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                where = f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
                assert length_of(node) <= LONGEST_FUNCTION, f"{where}: {length_of(node)} lines"


def firm_names():
    """Return the names of all firms that the market's data know."""
    import csv

    world = ROOT / "model" / "data" / "world"
    found = set()
    for table in ("vendors", "operators", "labs", "memory_makers", "channels"):
        with (world / f"{table}.csv").open(encoding="utf-8", newline="") as file:
            found |= {row["id"] for row in csv.DictReader(file)}
    with (world / "roles.csv").open(encoding="utf-8", newline="") as file:
        found |= {row["name"] for row in csv.DictReader(file)}
    kinds = ("china_", "clouds_", "gpu_clouds_", "enterprise_", "sovereign_", "research", "other")  # no firms
    return {name for name in found if not name.startswith(kinds)}


def test_laws_and_actors_know_no_firm_by_name():
    # The groups of the market-share figure, two of them named after a firm, are the one exception.
    firms = firm_names()
    assert {"nvidia", "openai", "tsmc", "google"} <= firms
    named = []
    for path in FILES:
        part, *rooms = path.relative_to(ROOT).parts
        if part == "model" and rooms[0] == "hardware":
            continue  # spellings of chips and models in tables of measured points
        if part not in ("model", "agents") and path.name not in ("cast.py", "schedule.py", "assembly.py"):
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        groups = {
            id(one)
            for node in tree.body
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "GROUPS"
            for one in ast.walk(node)
        }
        named += [
            f"{path.relative_to(ROOT)}:{node.lineno} names {node.value}"
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and node.value in firms and id(node) not in groups
        ]
    assert named == []


def test_the_command_line_starts_without_the_heavy_libraries():
    code = f"import sys, computemarket.cli; print([m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout.strip() == "[]"


def test_every_public_name_can_be_imported():
    import computemarket

    for name in computemarket.__all__:
        assert getattr(computemarket, name) is not None


def test_an_unknown_public_name_is_an_attribute_error():
    import computemarket

    with pytest.raises(AttributeError, match="nothing"):
        _ = computemarket.nothing
