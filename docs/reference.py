"""Writes the pages that are made from the program itself: parameters, state, variables, measures, scenarios, laws."""

import ast
from collections.abc import Iterator
from importlib.resources import files
from itertools import groupby
from pathlib import Path

from computemarket.analysis.results.measures import load_measures
from computemarket.model.core.parameters import Parameter, schema
from computemarket.model.state import ARRAYS, BOOKS
from computemarket.model.state.axes import AXES
from computemarket.scenarios.observers.quarter import owner_of, recorded_variables
from computemarket.scenarios.schedule import SCHEDULE
from computemarket.scenarios.schema import library_names, load_scenario

MECHANISMS = {  # folder -> title of its chapter: all modules below it that no other chapter holds
    "model.mechanisms": "Mechanisms of the market",
    "model.hardware": "Hardware performance, energy and cost",
    "model.policy": "Rules of states",
    "agents": "Actors",
    "model.markets": "The markets of a quarter",
    "model.world": "The given world",
    "model.core": "What the model stands on",
    "model": "The market, its state and the catalogue",
}
HEAD = "<!-- Made by docs/reference.py; do not edit. -->\n\n"


def write(folder: Path) -> None:
    """Write all generated pages into a folder, touching only those that changed."""
    pages = {
        "parameters.md": parameters_page(),
        "measures.md": measures_page(),
        "state.md": state_page(),
        "variables.md": variables_page(),
        "scenarios.md": scenarios_page(),
        "schedule.txt": schedule_table(),
        **dict(mechanism_pages()),
    }
    folder.mkdir(exist_ok=True)
    for stray in set(folder.iterdir()) - {folder / name for name in pages}:
        stray.unlink()
    for name, text in pages.items():
        path = folder / name
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")


def parameters_page() -> str:
    """Return the reference of all parameters, by area."""
    found = schema()
    lines = [
        f"{HEAD}# Parameters",
        "",
        f"All {len(found)} parameters of the model, from `model/data/parameters/`. An uncertain parameter is drawn "
        "once for each run from its distribution, a dated one changes at the quarters named. Each can be set in a "
        "scenario file or with `--set NAME=VALUE`. `computemarket parameters WORD` searches them. The status says "
        "whether the value is a recorded fact, an estimate from recorded facts, or an assumption.",
    ]
    for area, members in groupby(found.values(), key=lambda one: one.name.split(".")[0]):
        lines += ["", f"## {area}", "", *_table("Parameter", "Value", "Allowed", "Meaning and source")]
        lines += [_row(*_cells(one)) for one in members]
    return "\n".join(lines) + "\n"


def measures_page() -> str:
    """Return the reference of all measures."""
    lines = [
        f"{HEAD}# Measures",
        "",
        "What summary, facts, figures, reports and the dashboard show, from `model/data/measures.toml`: one name means "
        "the same number everywhere. A year is the sum (flows), the mean (prices, rates) or the end (stocks) of its "
        "quarters; a ratio of sums is formed after summing.",
        "",
        *_table("Measure", "Meaning", "Unit", "A year is", "Variables"),
    ]
    for one in load_measures().values():
        names = ", ".join(f"`{name}`" for name in sorted(one.variables))
        lines.append(_row(f"`{one.name}`", one.label, one.unit, one.aggregate, names))
    return "\n".join(lines) + "\n"


def state_page() -> str:
    """Return the reference of the arrays of the state, by book."""
    axes = "; ".join(f"{letter} {name}" for letter, name in AXES.items())
    lines = [
        f"{HEAD}# The state",
        "",
        f"All {len(ARRAYS)} arrays that change from quarter to quarter, as `model/state/` declares them. A stock "
        "stands at a moment and carries over; a flow is formed anew in every quarter. The owner is the step of the "
        f"schedule that forms the array. Axes: {axes}. `computemarket variables WORD` searches them.",
    ]
    for book in BOOKS:
        title, _, subject = (book.__doc__ or "").partition(":")
        lines += ["", f"## {title}", "", f"{subject.strip().capitalize()}", ""]
        lines += _table("Array", "Shape", "Unit", "Kind", "Owner", "Meaning")
        for one in book.arrays():
            bounds = "" if one.within[1] > 1 else f"; {one.within[0]:g} to {one.within[1]:g}"
            lines.append(
                _row(
                    f"`{one.name}`",
                    one.shape,
                    one.unit,
                    one.kind,
                    one.owner or "set once",
                    one.meaning + bounds,
                )
            )
    return "\n".join(lines) + "\n"


def variables_page() -> str:
    """Return the reference of the recorded variables, by who records them."""
    found = recorded_variables()
    lines = [
        f"{HEAD}# Recorded variables",
        "",
        f"All {len(found)} variables of the results table, as they are declared beside what records them. The name is "
        "that of an export in IAMC form, to which actor and detail are added; a year is the sum, the mean or the end "
        "of its quarters. `computemarket variables WORD` searches them.",
    ]
    for owner, members in groupby(found.values(), key=lambda one: owner_of(one.name)):
        lines += ["", f"## {owner.removeprefix('record_').replace('_', ' ')}", ""]
        lines += _table("Variable", "Unit", "Labels", "A year is", "Name in exchange", "Meaning")
        for one in members:
            labels = ", ".join(label for label in (one.entity, one.region, one.detail) if label) or "none"
            lines.append(_row(f"`{one.name}`", one.unit, labels, one.over_year, one.title, one.meaning))
    return "\n".join(lines) + "\n"


def scenarios_page() -> str:
    """Return the list of the scenarios that ship with the package."""
    lines = [
        f"{HEAD}# Scenarios",
        "",
        "The library; `computemarket run NAME` simulates one. How to write another: "
        "[Adding a scenario](../guides/add_scenario.md).",
        "",
        *_table("Scenario", "What it asks", "Parameters it sets"),
    ]
    for name in library_names():
        scenario = load_scenario(name)
        settings = ", ".join(f"`{key}`" for key in sorted(scenario.settings))
        lines.append(_row(f"`{name}`", scenario.description, settings))
    return "\n".join(lines) + "\n"


def schedule_table() -> str:
    """Return the steps of a quarter as tables by phase, to be included in the page of the model."""
    lines = [HEAD]
    for phase, steps in groupby(SCHEDULE, key=lambda step: step.phase):
        lines += ["", f"**{phase}**", "", *_table("Step", "Taken by", "Writes; *adjusts*", "Law")]
        for step in steps:
            writes, adjusts = (
                " ".join(f"`{name}`" for name in names) for names in (step.writes, step.adjusts)
            )
            changes = "; ".join(
                [*([writes] if writes else []), *([f"*adjusts* {adjusts}"] if adjusts else [])]
            )
            lines.append(_row(step.name, f"`{step.function}`", changes, step.law))
    return "\n".join(lines) + "\n"


def mechanism_pages() -> Iterator[tuple[str, str]]:
    """Yield (file name, text) of one page for each module, and of the chapter that lists them."""
    chapters = []
    for part, title in MECHANISMS.items():
        names = sorted(_modules(part))
        chapters += ["", f"## {title}", ""]
        chapters += [f"* [{name}](module.{name}.rst): {_summary(name)}" for name in names]
        chapters += ["", "```{toctree}", ":hidden:", "", *(f"module.{name}" for name in names), "```"]
        for name in names:
            yield f"module.{name}.rst", _module_page(name)
    intro = (
        f"{HEAD}# Mechanisms\n\nEvery mechanism with its equation and its source. The pages are the docstrings of the "
        "code: what is written here is what the program does. Shapes: R runs, T quarters, J options."
    )
    yield "mechanisms.md", "\n".join([intro, *chapters]) + "\n"


def _modules(part: str) -> Iterator[str]:
    """Yield the dotted names, inside the package, of the modules of a chapter, the private ones aside."""
    for entry in files(f"computemarket.{part}").iterdir():
        name = f"{part}.{entry.name.removesuffix('.py')}"
        if entry.name.startswith("_") or name in MECHANISMS:
            continue
        if entry.is_dir():
            yield from _modules(name)
        elif entry.name.endswith(".py"):
            yield name


def _summary(name: str) -> str:
    folder, _, module = name.rpartition(".")
    text = files(f"computemarket.{folder}").joinpath(f"{module}.py").read_text("utf-8")
    return (ast.get_docstring(ast.parse(text)) or "").split("\n\n")[0].replace("\n", " ").replace("*", r"\*")


def _module_page(name: str) -> str:
    title = name.rpartition(".")[2].replace("_", " ").capitalize()
    return f"{title}\n{'=' * len(title)}\n\nModule ``computemarket.{name}``\n\n.. automodule:: computemarket.{name}\n"


def _cells(one: Parameter) -> tuple[str, str, str, str]:
    unit = "no unit" if one.unit == "1" else one.unit
    held = f"{one.default:g}"
    if one.prior is not None:
        held += f"<br>drawn from {one.prior}"
    if one.schedule is not None:
        held += f"<br>dated: {one.schedule}"
    meaning = f"{one.meaning}<br>*Source: {one.source}* ({one.status})"
    return f"`{one.name}`<br>{unit}", held, f"{one.low:g} to {one.high:g}", meaning


def _table(*heads: str) -> list[str]:
    return [_row(*heads), _row(*("---" for _ in heads))]


def _row(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
