"""`computemarket facts`: results held against the stylised facts and the recorded history."""

from pathlib import Path
from typing import Annotated

import typer

from computemarket.commands.opening import Unchecked, reading


def facts(
    results: Annotated[Path, typer.Argument(help="Directory of results, with results.parquet.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    history: Annotated[
        bool, typer.Option("--history", help="Score every recorded series with a simulated counterpart.")
    ] = False,
    history_dir: Annotated[
        Path | None, typer.Option(help="Score these history files (CSV) instead of those of the package.")
    ] = None,
    since: Annotated[str, typer.Option(help="Score the record from this quarter on, like 2025Q3.")] = "",
    unchecked: Unchecked = False,
) -> None:
    """Print every stylised fact with target, band, simulated value and verdict, misses included."""
    with reading(results, kind="run", unchecked=unchecked, plain=as_json):
        if history or history_dir is not None:
            _print_scores(results, history_dir, since, as_json)
        else:
            _print_facts(results, as_json)


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("facts")(facts)


def _print_facts(results: Path, as_json: bool) -> None:
    from computemarket.analysis.record.facts import (
        LAST_QUARTER,
        count_verdicts,
        evaluate_facts,
        facts_json,
        facts_table,
        variables_of_facts,
    )
    from computemarket.analysis.results.series import read_panels

    found = evaluate_facts(read_panels(results, variables_of_facts(), LAST_QUARTER))
    if as_json:
        typer.echo(facts_json(found))
        return
    console = _console()
    console.print(facts_table(found))
    console.print(count_verdicts(found), soft_wrap=True)


def _print_scores(results: Path, history_dir: Path | None, since: str, as_json: bool) -> None:
    from computemarket.analysis.record.history import (
        count_scores,
        read_history,
        score_history,
        scores_json,
        scores_table,
        variables_of_history,
    )
    from computemarket.analysis.results.series import read_panels

    record = read_history(history_dir, since)
    scored = score_history(read_panels(results, variables_of_history()), record)
    if as_json:
        typer.echo(scores_json(scored))
        return
    console = _console()
    console.print(scores_table(scored))
    console.print(count_scores(scored), soft_wrap=True)


def _console() -> "rich.console.Console":  # type: ignore[name-defined]  # noqa: F821  (imported when it runs)
    from rich.console import Console

    console = Console()
    return console if console.is_terminal else Console(width=140)
