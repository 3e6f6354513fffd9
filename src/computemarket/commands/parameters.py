"""`computemarket parameters`: every number of the model with its unit, range, source and meaning."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from computemarket.model.parameters import Parameter

NARROW = 150  # columns; below, the source stands under the meaning


def parameters(
    word: Annotated[str, typer.Argument(help="Only parameters whose name, meaning or source holds it.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """List the parameters: name, unit, default or distribution, range, meaning and source."""
    from computemarket.errors import InputError
    from computemarket.model.parameters import schema

    found = [parameter for parameter in schema().values() if _holds(parameter, word)]
    if not found:
        raise InputError("WORD", word, "part of the name, meaning or source of a parameter")
    if as_json:
        import json

        typer.echo(json.dumps([_record(parameter) for parameter in found], indent=1))
        return
    from rich.console import Console

    console = Console()
    console = console if console.is_terminal else Console(width=160)
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
    from rich.markup import escape
    from rich.table import Table

    narrow = width < NARROW
    table = Table(show_lines=narrow, pad_edge=False)
    table.add_column("name", overflow="fold", min_width=18)
    table.add_column("unit", overflow="fold")
    table.add_column("value", overflow="fold", min_width=10)
    table.add_column("range", overflow="fold")
    table.add_column("meaning")
    if not narrow:
        table.add_column("source")
    for parameter in found:
        cells = [
            parameter.name,
            parameter.unit,
            _value(parameter),
            f"{parameter.low:g} to {parameter.high:g}",
        ]
        source = f"{parameter.source} ({parameter.status})"
        cells += [f"{parameter.meaning}\n{source}"] if narrow else [parameter.meaning, source]
        table.add_row(*map(escape, cells))
    return table


def _value(parameter: "Parameter") -> str:
    setting = parameter.setting
    return f"{setting:g}" if isinstance(setting, float) else str(setting)
