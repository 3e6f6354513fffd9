"""What `computemarket compare` says first: the answer in words, a table of measures, and where the files are."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    import pandas as pd

    from computemarket.analysis.results.topics import Topic
    from computemarket.scenarios.schema import Scenario


def answer(
    asked: "Sequence[Scenario]", topics: "Sequence[Topic]", runs: int, year: str, out: Path, as_json: bool
) -> None:
    """Say what scenarios change of the measures of topics, against the first: words, table, measures.csv and .png."""
    from computemarket.analysis.exchange.files import write_csv
    from computemarket.analysis.results.compared import draw, sentences, simulate_measures, table_of
    from computemarket.analysis.results.topics import measures_of
    from computemarket.commands.figures import figure_file

    measures = measures_of(topics)
    found = [simulate_measures(scenario, measures, runs) for scenario in asked]
    table = table_of(measures, found[0], found[1:])
    write_csv(out / "measures.csv", [table])
    with figure_file(out / "measures.png") as hidden:
        draw(measures, found, hidden)
    told = {other.scenario: sentences(measures, found[0], other, year) for other in found[1:]}
    if as_json:
        _print_json(table, told, year)
        return
    for name, lines in told.items():
        typer.echo(f"{name} against {found[0].scenario}, {year}, medians of {runs} runs with the same draws:")
        for line in lines:
            typer.echo(f"  {line}")
    if told:
        typer.echo("")
    _print_table(table[table["year"] == int(year)], ", ".join(one.title for one in topics), year)
    typer.echo(f"\n{out / 'measures.csv'}  {out / 'measures.png'}")


def _print_table(chosen: "pd.DataFrame", title: str, year: str) -> None:
    names = list(dict.fromkeys(chosen["scenario"]))
    typer.echo(f"{title}: median of {names[0]} in {year}, then the change in each run: median and 80% band")
    typer.echo(f"{'':<54}{names[0]:>12} {'':<14}" + "  ".join(f"{name:^34}" for name in names[1:]))
    for _, rows in chosen.groupby("measure", sort=False):
        first = rows.iloc[0]
        level = f"{first['label'][:52]:<52}{short(first['median']):>12} {first['unit']:<14}"
        typer.echo(f"  {level}" + "  ".join(_change(row) for row in rows.iloc[1:].itertuples()).rstrip())


def _change(row: Any) -> str:
    return f"{short(row.change, '+'):>10} [{short(row.change_p10, '+')}, {short(row.change_p90, '+')}]".ljust(
        34
    )


def short(number: float, sign: str = "") -> str:
    """Return a number in three digits that a reader takes in at once."""
    size = abs(number)
    if size >= 1000:
        return format(number, f"{sign},.0f")
    return format(number if size >= 5e-4 else 0.0, f"{sign}.3g")


def _print_json(table: "pd.DataFrame", told: dict[str, list[str]], year: str) -> None:
    import json

    rows = json.loads(table.to_json(orient="records", double_precision=10))
    typer.echo(json.dumps({"year": year, "answers": told, "rows": rows}, indent=1, ensure_ascii=False))
