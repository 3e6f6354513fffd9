"""`computemarket export`: results for other programs, as IAMC tables, tidy tables and Excel workbooks."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from computemarket.commands.opening import Unchecked, reading

if TYPE_CHECKING:
    import pandas as pd

    from computemarket.analysis.exchange.layouts import Ask

_FORMATS = ("iamc", "csv", "xlsx", "codelist")


def export(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of a run or a batch.")],
    out: Annotated[Path, typer.Option(help="The file to write; of codelist: a folder.")],
    form: Annotated[
        str,
        typer.Option(
            "--format",
            help="iamc: for pyam and scenario databases; csv: by our own names; xlsx: Excel; codelist: YAML.",
        ),
    ] = "iamc",
    periods: Annotated[str, typer.Option(help="years or quarters.")] = "years",
    ensemble: Annotated[str, typer.Option(help="quantiles (over runs) or runs (every one).")] = "quantiles",
    quantile: Annotated[
        list[float] | None, typer.Option(help="Share of the runs below; repeatable.  [default: 0.1 0.5 0.9]")
    ] = None,
    mark: Annotated[
        str, typer.Option(help="Where quantile or run stands: suffix of the scenario, or column.")
    ] = "suffix",
    layout: Annotated[str, typer.Option(help="wide (a column for each year) or long.")] = "wide",
    variable: Annotated[
        list[str] | None, typer.Option(help="A variable or a pattern like 'compute_*'; repeatable.")
    ] = None,
    unchecked: Unchecked = False,
) -> None:
    """Write results for other programs: no text in them acts as a formula, every file is there whole or not there."""
    from computemarket.analysis.exchange.files import write_csv
    from computemarket.analysis.exchange.layouts import IAMC, TIDY, Ask, tables
    from computemarket.errors import InputError

    if form not in _FORMATS:
        raise InputError("--format", form, f"one of {', '.join(_FORMATS)}")
    shares = tuple(dict.fromkeys(quantile)) if quantile else Ask.quantiles
    ask = Ask(TIDY if form == "csv" else IAMC, periods, ensemble, mark, layout, shares, tuple(variable or ()))
    with reading(folder, unchecked=unchecked):
        if form == "codelist":
            _write_codelist(folder, out, ask)
            return
        rows = _write_book(folder, out, ask) if form == "xlsx" else write_csv(out, tables(folder, ask))
    typer.echo(f"{out}: {rows:,} rows")


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("export")(export)


def _write_codelist(folder: Path, out: Path, ask: "Ask") -> None:
    from computemarket.analysis.exchange.codes import region_yaml, variable_yaml
    from computemarket.analysis.exchange.files import write_lines
    from computemarket.analysis.exchange.layouts import entries_of, regions_of
    from computemarket.errors import InputError

    entries, regions = entries_of(folder, ask.variables), regions_of(folder, ask.variables)
    lists = {"variable": variable_yaml(entries), "region": region_yaml(regions)}
    try:
        for name in lists:
            (out / name).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError("--out", str(out), f"a folder that can be written ({error.strerror})") from error
    for name, lines in lists.items():
        write_lines(out / name / "computemarket.yaml", lines)
    typer.echo(f"{out}: {len(entries):,} variables, {len(regions)} regions")


def _write_book(folder: Path, out: Path, ask: "Ask") -> int:
    """Write data, what its variables and units mean, every parameter as it held, and where it comes from."""
    from computemarket.analysis.exchange.files import write_excel
    from computemarket.analysis.exchange.layouts import tables

    return write_excel(
        out,
        [
            ("data", tables(folder, ask)),
            ("variables", _variables(folder, ask)),
            ("parameters", _parameters(folder)),
            ("provenance", _provenance(folder)),
        ],
    )


def _variables(folder: Path, ask: "Ask") -> Iterator["pd.DataFrame"]:
    from computemarket.analysis.exchange.files import columns_of
    from computemarket.analysis.exchange.layouts import entries_of

    entries = entries_of(folder, ask.variables)
    rows = [(one.name, " or ".join(one.units), one.description) for one in entries]
    yield columns_of(rows, ("variable", "unit", "meaning"))


def _parameters(folder: Path) -> Iterator["pd.DataFrame"]:
    from computemarket.analysis.exchange.files import columns_of
    from computemarket.analysis.exchange.reading import scenarios_of
    from computemarket.model.core.parameters import schema

    rows = [
        (
            label,
            name,
            str(scenario.settings.get(name, one.setting)),
            one.unit,
            one.meaning,
            one.source,
            one.status,
        )
        for label, scenario in scenarios_of(folder)
        for name, one in sorted(schema().items())
    ]
    yield columns_of(rows, ("scenario", "parameter", "setting", "unit", "meaning", "source", "status"))


def _provenance(folder: Path) -> Iterator["pd.DataFrame"]:
    from computemarket.analysis.exchange.files import columns_of
    from computemarket.analysis.exchange.reading import described_manifest

    yield columns_of(described_manifest(folder), ("what", "value"))
