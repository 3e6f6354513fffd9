"""`computemarket parameters`: every number of the model with its unit, range, source and meaning."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from computemarket.model.core.parameters import Parameter

PAGE = 120  # columns where the output is no terminal


def parameters(
    word: Annotated[str, typer.Argument(help="Only parameters whose name, meaning or source holds it.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """List the parameters: name, unit, default or distribution, range, meaning and source."""
    from computemarket.errors import InputError
    from computemarket.model.core.parameters import schema

    found = [parameter for parameter in schema().values() if _holds(parameter, word)]
    if not found:
        raise InputError("WORD", word, "part of the name, meaning or source of a parameter")
    if as_json:
        import json

        typer.echo(json.dumps([_record(parameter) for parameter in found], indent=1))
        return
    from rich.console import Console

    console = Console()
    console = console if console.is_terminal else Console(width=PAGE)
    console.print(_table(found, console.width))


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("parameters")(parameters)


def _holds(parameter: "Parameter", word: str) -> bool:
    texts = (parameter.name, parameter.meaning, parameter.source)
    return any(word.casefold() in text.casefold() for text in texts)


def _record(parameter: "Parameter") -> dict[str, object]:
    return {
        "name": parameter.name,
        "unit": parameter.unit,
        "default": parameter.default,
        "setting": str(parameter.setting),
        "range": [parameter.low, parameter.high],
        "meaning": parameter.meaning,
        "source": parameter.source,
        "status": parameter.status,
    }


def _table(found: "list[Parameter]", width: int) -> "Table":
    """Lay parameters out in three columns of two things each, so that a hundred characters are enough."""
    from rich.box import HORIZONTALS
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=HORIZONTALS, show_lines=True, pad_edge=False, width=width)
    table.add_column("name\nunit", overflow="fold", ratio=3)
    table.add_column("default or distribution\nrange", overflow="fold", ratio=3)
    table.add_column("meaning\nsource (status)", overflow="fold", ratio=5)
    for parameter in found:
        cells = (
            f"{parameter.name}\n{parameter.unit}",
            f"{_value(parameter)}\n{parameter.low:g} to {parameter.high:g}",
            f"{parameter.meaning}\n{parameter.source} ({parameter.status})",
        )
        table.add_row(*map(escape, cells))
    return table


def _value(parameter: "Parameter") -> str:
    setting = parameter.setting
    return f"{setting:g}" if isinstance(setting, float) else str(setting)
