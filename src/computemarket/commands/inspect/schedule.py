"""`computemarket schedule`: what happens in a quarter, in order, and who may change what."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from computemarket.model.schedule import Step

PAGE = 160  # columns where the output is no terminal
TIMED_RUNS = 16  # histories that a timed run simulates together


def schedule(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    as_dot: Annotated[
        bool, typer.Option("--dot", help="Print a drawing for Graphviz: who reads what whom has changed.")
    ] = False,
    timed: Annotated[
        bool, typer.Option("--time", help="Simulate the baseline and say how many seconds each step took.")
    ] = False,
) -> None:
    """Print every step of a quarter: phase, name, function, arrays read, written and adjusted, law."""
    from computemarket.errors import InputError
    from computemarket.model import schedule as steps
    from computemarket.scenarios.schedule import SCHEDULE

    if as_dot and (as_json or timed):
        raise InputError("--dot", "--json" if as_json else "--time", "possible beside it")
    if as_dot:
        typer.echo(steps.as_dot(SCHEDULE))
        return
    seconds = _seconds() if timed else {}
    if as_json:
        import json

        rows = [steps.as_row(step, seconds.get(step.name)) for step in SCHEDULE]
        typer.echo(json.dumps({"steps": rows}, indent=1))
        return
    from rich.console import Console

    console = Console()
    console = console if console.is_terminal else Console(width=PAGE)
    console.print(_table(SCHEDULE, seconds))


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("schedule")(schedule)


def _seconds() -> dict[str, float]:
    """Return the seconds that each step takes over all quarters of a baseline."""
    import time

    import numpy as np

    from computemarket.model.schedule import BoundStep
    from computemarket.scenarios.assembly import assemble
    from computemarket.scenarios.batches.ensemble import prepare

    scenario = prepare("baseline", seed=1)
    market = assemble(scenario, np.arange(TIMED_RUNS), None)
    spent = {bound.step.name: 0.0 for bound in market.walk}

    def run(bound: BoundStep) -> None:
        start = time.perf_counter()
        bound.run()
        spent[bound.step.name] += time.perf_counter() - start

    market.run_step = run
    for _ in range(scenario.quarters):
        market.step()
    return spent


def _table(steps: "Sequence[Step]", seconds: Mapping[str, float]) -> "Table":
    from rich.box import HORIZONTALS
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=HORIZONTALS, show_lines=True, pad_edge=False, expand=True)
    table.add_column("phase", no_wrap=True)
    table.add_column("step\nfunction", overflow="fold", ratio=3)
    table.add_column("reads\nof the quarter before", overflow="fold", ratio=4)
    table.add_column("writes\nadjusts", overflow="fold", ratio=3)
    table.add_column("law", overflow="fold", ratio=3)
    if seconds:
        table.add_column("seconds", justify="right", no_wrap=True)
    for number, step in enumerate(steps):
        first = number == 0 or steps[number - 1].phase != step.phase
        every = step is steps[-1]
        cells = [
            step.phase if first else "",
            f"{step.name}\n{_short(step)}",
            "whatever is asked for" if every else _lines(step.reads, step.lagged),
            _lines(step.writes, step.adjusts),
            step.law,
        ]
        cells += [f"{seconds[step.name]:.3f}"] if seconds else []
        table.add_row(*map(escape, cells))
    return table


def _short(step: "Step") -> str:
    """Return class and method, or module and function."""
    return step.function if "." in step.function else f"{step.module.rpartition('.')[2]}.{step.function}"


def _lines(one: tuple[str, ...], other: tuple[str, ...]) -> str:
    """Return two lists of arrays on lines of their own; a dash where the first is empty and the second is not."""
    texts = [" ".join(one) or ("-" if other else ""), " ".join(other)]
    return "\n".join(text for text in texts if text)
