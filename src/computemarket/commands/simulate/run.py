"""`computemarket run` and `computemarket scenarios`: the main job, and what it can be asked."""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from computemarket.analysis.overview.market_share import Shares
    from computemarket.scenarios.schema import Scenario


def run(
    scenario: Annotated[str, typer.Argument(help="A scenario of the library, or a path to a .toml file.")],
    runs: Annotated[int, typer.Option(help="Number of histories, numbered from 0.")] = 256,
    seed: Annotated[int | None, typer.Option(help="Seed of all draws; the scenario's when left out.")] = None,
    out: Annotated[Path | None, typer.Option(help="Directory of the results.  [default: out/NAME]")] = None,
    setting: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Set a parameter, written as in TOML; repeatable."),
    ] = None,
    until: Annotated[str | None, typer.Option(help="Last quarter, like 2030Q4.")] = None,
    workers: Annotated[int | None, typer.Option(help="Processes.  [default: one per processor]")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bar and no summary.")] = False,
) -> None:
    """Simulate an ensemble: results.parquet, scenario.toml, manifest.json, market_share.png and a summary."""
    from computemarket.scenarios.batches.ensemble import check_workers, prepare, usable_processors
    from computemarket.scenarios.schema import check_runs, parse_sets

    asked = prepare(scenario, seed, until).with_settings(parse_sets(setting or []))
    check_runs(runs)
    count = usable_processors() if workers is None else workers
    check_workers(count)
    folder = out if out is not None else Path("out") / asked.name
    with termination_as_exit():
        _simulate(asked, runs, count, folder, quiet)


def scenarios() -> None:
    """List the scenarios of the library, each with one line."""
    from rich.table import Table

    from computemarket.scenarios.schema import library_names, load_scenario

    table = Table("scenario", "what it asks")
    for name in library_names():
        table.add_row(name, load_scenario(name).description)
    _wide_console().print(table)


def register(app: typer.Typer) -> None:
    """Add the commands to the app."""
    app.command("run")(run)
    app.command("scenarios")(scenarios)


def _simulate(asked: "Scenario", runs: int, workers: int, folder: Path, quiet: bool) -> None:
    from computemarket.analysis.overview.main_results import digest_of_chunk, join_digests
    from computemarket.scenarios.batches.ensemble import simulate_to

    with progress_bar(asked.name, runs, quiet) as advance:
        digests = simulate_to(folder, asked, runs, workers, advance, digest_of_chunk)
    digest = join_digests(digests)
    draw_market_share(digest.shares, folder / "market_share.png")
    if not quiet:
        from computemarket.analysis.results.summary import print_summary

        print_summary(digest.headlines)
        typer.echo(f"\n{folder}: results.parquet, scenario.toml, manifest.json, market_share.png")


def draw_market_share(shares: "Shares", target: Path) -> None:
    """Draw the figure so that it is there whole or not there."""
    from computemarket.analysis.overview import market_share
    from computemarket.commands.figures import figure_file

    with figure_file(target) as hidden:
        market_share.draw_market_share(shares, hidden)


@contextmanager
def progress_bar(name: str, runs: int, quiet: bool) -> "Iterator[Callable[[int], None] | None]":
    """Show a bar on stderr; without a terminal there, nothing."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn(name), BarColumn(), MofNCompleteColumn(), TextColumn("runs"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(name, total=runs)
        yield lambda done: bar.advance(task, done)


@contextmanager
def termination_as_exit() -> "Iterator[None]":
    """Let a polite request to stop clean up as Control-C does."""

    def leave(number: int, _frame: object) -> NoReturn:
        sys.exit(128 + number)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _wide_console() -> "rich.console.Console":  # type: ignore[name-defined]  # noqa: F821  (imported when it runs)
    from rich.console import Console

    console = Console()
    return console if console.is_terminal else Console(width=140)
