"""`computemarket classify`: chips, stacks or the whole catalogue against export-control regimes."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from computemarket.model.policy.classification.cases import Cases
    from computemarket.model.policy.classification.classify import Finding, Object
    from computemarket.model.policy.regimes.regime import RegimeBook


def classify(
    cases: Annotated[
        Path | None, typer.Argument(help="Table (CSV) of chips or HBM stacks; only specifications are read.")
    ] = None,
    regime: Annotated[
        str,
        typer.Option(help="Classify by this regime, like us_2023_11, after those it acts on."),
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    catalogue: Annotated[bool, typer.Option("--catalogue", help="Classify the whole catalogue.")] = False,
    regimes: Annotated[
        list[Path] | None, typer.Option(help="Add the regimes of this file (TOML); may be repeated.")
    ] = None,
    figure: Annotated[
        Path | None,
        typer.Option(help="With --catalogue: a file (PNG) to draw TPP against performance density in."),
    ] = None,
) -> None:
    """Print status, control number, matching rule and nearest threshold of chips under export regimes."""
    from computemarket.errors import InputError
    from computemarket.model.policy.classification.cases import read_cases
    from computemarket.model.policy.classification.products import catalogue_cases
    from computemarket.model.policy.regimes.regime_files import load_regimes

    if catalogue == (cases is not None):
        raise InputError("classify", str(cases) if cases else None, "either a table CASES.csv or --catalogue")
    if figure is not None and not catalogue:
        raise InputError("--figure", str(figure), "given with --catalogue: it draws the catalogue")
    book = load_regimes(regimes or ())
    table = catalogue_cases() if cases is None else read_cases(cases)
    if regime:
        _print_regime(table, book, regime, as_json)
    elif as_json:
        _print_standard(table, book)
    else:
        _print_all(table, book)
    if not as_json:
        _print_warnings(table)
    if figure is not None:
        _draw(table, book, regime, figure, as_json)


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("classify")(classify)


def _print_standard(table: "Cases", book: "RegimeBook") -> None:
    from computemarket.model.policy.classification.classify import standard_objects

    typer.echo(json.dumps(standard_objects(table, book), indent=1))


def _print_regime(table: "Cases", book: "RegimeBook", regime: str, as_json: bool) -> None:
    from computemarket.model.policy.classification.classify import find_regime, findings

    found = findings(table, find_regime(book, regime), book)
    if as_json:
        typer.echo(json.dumps([_object(finding) for finding in found], indent=1))
    else:
        after = found[0].after
        _print_table(found, book[regime].name + (f", after {', '.join(after)}" if after else ""))


def _print_all(table: "Cases", book: "RegimeBook") -> None:
    from computemarket.model.policy.classification.classify import (
        COMPOSED_COLUMNS,
        findings,
        standard_objects,
    )

    deciding = [
        r for r in book.regimes if r.enforced and r.item == table.item and (r.sets_status or r.charges)
    ]
    rows = [finding for r in deciding if "china" in r.destinations for finding in findings(table, r, book)]
    order = {case_id: place for place, case_id in enumerate(table.ids)}
    _print_table(sorted(rows, key=lambda finding: order[finding.case_id]), "regime by regime, for China")
    titles = {column: day.isoformat() for column, day in COMPOSED_COLUMNS.items()}
    _print_objects(standard_objects(table, book), titles)


def _object(finding: "Finding") -> dict[str, str | float | bool | list[str] | None]:
    margin = finding.margin
    return {
        "case_id": finding.case_id,
        "regime": finding.regime,
        "status": finding.status,
        "eccn": finding.eccn,
        "computer_eccn": finding.computer_eccn or None,
        "rule": finding.rule,
        "nearest_metric": margin.metric if margin else None,
        "nearest_threshold": margin.threshold if margin else None,
        "margin_share": round(margin.share, 6) if margin and margin.value else None,
        "status_beyond": margin.status_beyond if margin else None,
        "after": list(finding.after),
        "by_estimate": finding.by_estimate,
        "warnings": list(finding.warnings),
    }


def _print_table(found: list["Finding"], title: str) -> None:
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for name in ("case", "chip", "regime", "status", "ECCN", "rule that matched", "nearest other status"):
        table.add_column(name, overflow="fold")
    for finding in found:
        lines = " / ".join(part for part in (finding.eccn, finding.computer_eccn) if part)
        cells = (finding.case_id, finding.chip, finding.regime, _status(finding), lines or "open")
        table.add_row(*cells, finding.rule, str(finding.margin) if finding.margin else "")
    _console().print(table)


def _status(finding: "Finding") -> str:
    return (finding.status or "open") + (" (by estimate)" if finding.by_estimate else "")


def _print_warnings(table: "Cases") -> None:
    """Say on standard error what contradicts, or is not read, in a table."""
    cases: dict[str, list[str]] = {}
    for case_id, warnings in table.warnings.items():
        for warning in warnings:
            cases.setdefault(warning, []).append(case_id)
    for warning, ids in cases.items():
        where = "every row" if len(ids) == len(table.ids) else ", ".join(ids)
        typer.echo(f"warning: {where}: {warning}", err=True)


def _print_objects(objects: "list[Object]", titles: dict[str, str]) -> None:
    from rich.table import Table

    table = Table(
        title="China, all regimes of the day together", title_justify="left", box=None, pad_edge=False
    )
    shown = [name for name in objects[0] if name not in ("by_estimate", "warnings")]
    for name in shown:
        table.add_column(titles.get(name, name), overflow="fold")
    for entry in objects:
        flagged = entry.get("by_estimate")
        estimated = flagged if isinstance(flagged, list) else []
        table.add_row(*(_cell(entry[name], name in estimated) for name in shown))
    console = _console()
    console.print()
    console.print(table)


def _cell(value: object, by_estimate: bool) -> str:
    return ("open" if value is None else str(value)) + (" (by estimate)" if by_estimate else "")


def _draw(table: "Cases", book: "RegimeBook", regime: str, path: Path, as_json: bool) -> None:
    from computemarket.analysis.policies.classification_figure import draw_classification
    from computemarket.commands.figures import figure_file
    from computemarket.model.policy.classification.classify import BASE_2023, find_regime

    chosen = find_regime(book, regime or BASE_2023)
    with figure_file(path, "--figure") as hidden:
        draw_classification(table, chosen, hidden)
    if not as_json:
        typer.echo(f"figure: {path}")


def _console() -> "rich.console.Console":  # type: ignore[name-defined]  # noqa: F821  (imported when it runs)
    from rich.console import Console

    console = Console()
    return console if console.is_terminal else Console(width=200)
