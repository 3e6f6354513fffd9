"""`computemarket report`: a result as one page, with figures and their data."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from computemarket.commands.opening import Unchecked, reading
from computemarket.commands.targets import whole_folder

_OURS = ("index.html", "figures", "data")  # what a report is


def report(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Results of a run, or of a batch.")],
    out: Annotated[Path | None, typer.Option(help="Folder of the report.  [default: DIR/report]")] = None,
    detail_runs: Annotated[
        int, typer.Option(help="Runs simulated again for what results leave out; 0: none.")
    ] = 64,
    payoff: Annotated[
        str, typer.Option(metavar="A,B", help="Add a payoff table of two actors, like nvidia,owners.")
    ] = "",
    payoff_runs: Annotated[int, typer.Option(help="Runs of each pair of strategies.")] = 32,
    unchecked: Unchecked = False,
) -> None:
    """Write a page that explains a result: index.html, figures/ (PNG, SVG), data/ (CSV)."""
    from computemarket.errors import InputError
    from computemarket.scenarios.results.manifests import BATCH
    from computemarket.scenarios.schema import check_runs

    if detail_runs < 0:
        raise InputError("--detail-runs", detail_runs, "a whole number, 0 or more")
    check_runs(payoff_runs)
    target = out if out is not None else folder / "report"
    with reading(folder, unchecked=unchecked) as (opened,), whole_folder(target, _OURS) as stage:
        notes = "".join(f" Note: {note}." for note in opened.notes)
        if opened.kind == BATCH:
            written = _report_batch(folder, stage, notes)
        else:
            written = _report_run(folder, stage, detail_runs, payoff, payoff_runs, notes)
    figures = sum(path.suffix == ".png" for path in written)
    typer.echo(f"{target}: index.html, {figures} figures, {sum(p.suffix == '.csv' for p in written)} tables")


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("report")(report)


def _report_run(
    folder: Path, target: Path, detail_runs: int, payoff: str, payoff_runs: int, notes: str
) -> list[Path]:
    from computemarket.analysis.report.chapters.payoff import read_players
    from computemarket.analysis.report.page import sections_of, write_report
    from computemarket.analysis.report.parts.source import read_source

    players = read_players(payoff) if payoff else None
    _say("results")
    source = read_source(folder, detail_runs)
    sections = sections_of(source, players, payoff_runs, _say)
    _say("")
    name = source.scenario.name.replace("_", " ")
    title = f"AI compute: {name}"
    lead = (
        f"{source.scenario.description}. {source.runs} simulated histories, {source.quarters[0]} to "
        f"{source.quarters[-1]}; lines are medians, bands hold 80% of the histories.{notes}"
    )
    return write_report(target, title, lead, sections)


def _report_batch(folder: Path, target: Path, notes: str) -> list[Path]:
    from computemarket.analysis.report.batches.page import batch_sections
    from computemarket.analysis.report.page import write_report

    title, lead, sections = batch_sections(folder)
    return write_report(target, title, lead + notes, sections)


def _say(words: str) -> None:
    """Show on a terminal what is being worked on."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\033[K{words}")
        sys.stderr.flush()
