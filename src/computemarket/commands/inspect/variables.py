"""`computemarket variables`: every array of the state and every recorded variable, from their declarations."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.table import Table

PAGE = 120  # columns where the output is no terminal
NEAREST = 5  # names shown where nothing holds the word
LIKENESS = 0.5  # of names, from 0 to 1, below which they are not near
Row = dict[str, object]


def variables(
    word: Annotated[str, typer.Argument(help="Only what holds it in its name, owner or meaning.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """List the arrays of the state and the recorded variables: unit, labels, owner and meaning."""
    arrays = [row for row in state_rows() if _holds(row, word)]
    found = [row for row in recorded_rows() if _holds(row, word)]
    if not arrays and not found:
        _refuse(word)
    if as_json:
        import json

        typer.echo(json.dumps({"arrays": arrays, "variables": found}, indent=1, ensure_ascii=False))
        return
    from rich.console import Console

    console = Console()
    console = console if console.is_terminal else Console(width=PAGE)
    if arrays:
        heads = ("array of the state\nunit", "axes\nkind", "meaning\nowner: the step that forms it")
        cells = (
            (
                f"{row['name']}\n{row['unit']}",
                f"{row['axes']}\n{row['kind']}",
                f"{row['meaning']}\n{row['owner'] or 'set when the market is made'}",
            )
            for row in arrays
        )
        console.print(_table(heads, cells, console.width))
    if found:
        heads = (
            "recorded variable\nunit",
            "labels\na year is",
            "meaning\nname in exchange; owner: who records it",
        )
        cells = (
            (
                f"{row['name']}\n{row['unit']}",
                f"{_labels(row)}\n{row['over_year']}",
                f"{row['meaning']}\n{row['iamc']}; {row['owner']}",
            )
            for row in found
        )
        console.print(_table(heads, cells, console.width))


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("variables")(variables)


def state_rows() -> list[Row]:
    """Return what the arrays of the state declare, one row each."""
    from computemarket.model.state import ARRAYS

    return [
        {
            "name": one.name,
            "book": one.book,
            "axes": one.shape,
            "unit": one.unit,
            "kind": one.kind,
            "owner": one.owner,
            "meaning": one.meaning,
        }
        for one in ARRAYS.values()
    ]


def recorded_rows() -> list[Row]:
    """Return what the recorded variables declare, one row each."""
    from computemarket.scenarios.observers.quarter import owner_of, recorded_variables

    return [
        {
            "name": one.name,
            "unit": one.unit,
            "entity": one.entity,
            "region": one.region,
            "detail": one.detail,
            "over_year": one.over_year,
            "iamc": one.title,
            "owner": owner_of(one.name),
            "meaning": one.meaning,
        }
        for one in recorded_variables().values()
    ]


def _holds(row: Row, word: str) -> bool:
    texts = (row["name"], row["owner"], row["meaning"], row.get("iamc", ""))
    return any(word.casefold() in str(text).casefold() for text in texts)


def _refuse(word: str) -> None:
    """Say that nothing holds a word, and which names are near it."""
    from difflib import get_close_matches

    from computemarket.errors import InputError

    names = [str(row["name"]) for row in (*state_rows(), *recorded_rows())]
    near = get_close_matches(word, dict.fromkeys(names), NEAREST, LIKENESS)
    hint = f"; near it are {', '.join(near)}" if near else ""
    raise InputError("WORD", word, f"part of the name, owner or meaning of an array or a variable{hint}")


def _labels(row: Row) -> str:
    return ", ".join(str(row[key]) for key in ("entity", "region", "detail") if row[key]) or "none"


def _table(heads: Iterable[str], rows: Iterable[tuple[str, ...]], width: int) -> "Table":
    """Lay rows out in three columns of two things each, so that a hundred characters are enough."""
    from rich.box import HORIZONTALS
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=HORIZONTALS, show_lines=True, pad_edge=False, width=width)
    for head, ratio in zip(heads, (3, 2, 5), strict=True):
        table.add_column(head, overflow="fold", ratio=ratio)
    for cells in rows:
        table.add_row(*map(escape, cells))
    return table
