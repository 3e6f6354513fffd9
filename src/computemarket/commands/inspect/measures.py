"""`computemarket measures`: what can be asked of results, by name."""

from typing import Annotated, Any

import typer

NEAREST = 5  # names shown where nothing holds the word
LIKENESS = 0.4  # of names, from 0 to 1, below which they are not near
OVER_YEAR = {"sum": "the sum of its quarters", "mean": "the mean of its quarters", "end": "its last quarter"}


def measures(
    word: Annotated[
        str, typer.Argument(help="Only what holds it in its name, meaning, variable or topic.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """List the measures that outcomes, comparisons and studies speak of: name, unit, meaning, topics."""
    rows = [row for row in measure_rows() if word.lower() in " ".join(map(str, row.values())).lower()]
    if not rows:
        _refuse(word)
    if as_json:
        import json

        typer.echo(json.dumps(rows, indent=1, ensure_ascii=False))
        return
    for row in rows:
        typer.echo(f"{row['name']:<34} {row['unit']:<16} {row['label']}")
        about = f"; topics: {row['topics']}" if row["topics"] else ""
        typer.echo(f"{'':<34} {'':<16} of {row['variables']}; a year is {row['over_year']}{about}")
    typer.echo(f"{len(rows)} measures; an outcome is NAME@YEAR, like {rows[0]['name']}@2030")


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("measures")(measures)


def measure_rows() -> list[dict[str, Any]]:
    """Return a row for each measure: name, label, unit, variables, how a year is formed, topics."""
    from computemarket.analysis.results.measures import load_measures
    from computemarket.analysis.results.topics import load_topics

    return [
        {
            "name": one.name,
            "label": one.label,
            "unit": one.unit,
            "variables": ", ".join(sorted(one.variables)),
            "over_year": OVER_YEAR[one.aggregate],
            "topics": ", ".join(topic.name for topic in load_topics().values() if one.name in topic.measures),
        }
        for one in load_measures().values()
    ]


def _refuse(word: str) -> None:
    from difflib import get_close_matches

    from computemarket.errors import InputError

    near = get_close_matches(word.lower(), [row["name"] for row in measure_rows()], NEAREST, LIKENESS)
    hint = f"; near it: {', '.join(near)}" if near else ""
    raise InputError("measures", word, f"held by any measure, its meaning, variable or topic{hint}")
