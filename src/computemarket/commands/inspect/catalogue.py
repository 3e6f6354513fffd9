"""`computemarket coverage`: what the model represents of its source documents, and what not yet."""

from typing import Annotated

import typer


def coverage(
    rows: Annotated[bool, typer.Option("--list", help="Print every item with its module and test.")] = False,
    status: Annotated[
        str, typer.Option(help="With --list: only items of this status (done, first version, not yet).")
    ] = "",
) -> None:
    """Print how many items of the source documents the model represents, by status and component."""
    from rich.console import Console
    from rich.table import Table

    from computemarket.analysis.coverage import STATUSES, counts, load_coverage, load_inventory
    from computemarket.errors import InputError

    if status and status not in STATUSES:
        raise InputError("--status", status, "one of " + ", ".join(STATUSES))
    items, covered = load_inventory(), load_coverage()
    console = Console()
    if not console.is_terminal:
        console = Console(width=180)
    if rows:
        table = Table("item", "status", "what", "must represent", "module", "test")
        for item, row in zip(items, covered, strict=True):
            if status in {"", row.status}:
                modules, tests = (" ".join(names) for names in (row.modules, row.tests))
                table.add_row(
                    item.item_id, row.status, item.item, item.simulation_must_represent, modules, tests
                )
    else:
        table = Table("component", *STATUSES, "all")
        for group, numbers in counts((item.component for item in items), covered).items():
            table.add_row(group, *map(str, numbers), str(sum(numbers)))
        total = counts(("all" for _ in items), covered)["all"]
        table.add_section()
        table.add_row("all", *map(str, total), str(sum(total)))
    console.print(table)


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("coverage")(coverage)
