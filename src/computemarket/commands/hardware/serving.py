"""`computemarket frontier` and `computemarket cost`: what accelerators yield, and what tokens cost on them."""

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    import pandas as pd

_SHOWN_SPEEDS = (10, 20, 50, 100, 150, 200, 300, 500, 1000)
_POINTS = 120


def frontier(
    model: Annotated[str, typer.Option(help="Model by id, like deepseek_r1.")],
    accelerators: Annotated[str, typer.Option(help="Accelerators by id, separated by commas.")],
    precision: Annotated[
        str, typer.Option(help="Number format for all; each one's narrowest own by default.")
    ] = "",
    out: Annotated[Path | None, typer.Option(help="Figure to draw (png, svg or pdf).")] = None,
    per: Annotated[str, typer.Option(help="Throughput per accelerator, mw or dollar.")] = "accelerator",
    input_tokens: Annotated[float, typer.Option(help="Mean prompt length.")] = 1024,
    output_tokens: Annotated[float, typer.Option(help="Mean answer length.")] = 1024,
    together: Annotated[
        bool, typer.Option("--together", help="Prefill shares the accelerators with decode.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the points as JSON.")] = False,
) -> None:
    """Compare throughput with tokens per second of one user: the best of all layouts and batches."""
    import numpy as np

    from computemarket.analysis.hardware.frontier_figure import draw_frontier
    from computemarket.analysis.hardware.hardware_tables import catalogue_ids, frontier_table
    from computemarket.errors import InputError
    from computemarket.model.hardware.economics.market_table import tier_service

    for name, value in (("--input-tokens", input_tokens), ("--output-tokens", output_tokens)):
        if not 1 <= value <= 1e7:
            raise InputError(name, value, "a number in 1..10000000")
    if out is not None and out.suffix not in (".png", ".svg", ".pdf"):
        raise InputError("--out", str(out), "a file that ends in .png, .svg or .pdf")
    if out is not None and not out.parent.is_dir():
        raise InputError("--out", str(out), "in a folder that exists")
    service = replace(tier_service(input_tokens, output_tokens), cached_share=0.0, apart=not together)
    names = [name.strip() for name in accelerators.split(",") if name.strip()]
    catalogue_ids(names, "--accelerators")
    speeds = np.unique(
        np.concatenate([np.geomspace(5.0, 5000.0, _POINTS), np.array(_SHOWN_SPEEDS, dtype=np.float64)])
    )
    table = frontier_table(names, model, service, speeds, precision or None, per)
    if table.empty:
        raise InputError("--model", model, "a model that fits one of these accelerators")
    if as_json:
        typer.echo(json.dumps(json.loads(table.to_json(orient="records")), indent=1))
    else:
        _print_frontier(table, names)
    if out is not None:
        from computemarket.commands.figures import figure_file

        with figure_file(out) as hidden:
            draw_frontier(table, hidden)
        if not as_json:
            typer.echo(f"figure: {out}")


def cost(
    tier: Annotated[
        str, typer.Option(help="free, medium, high, premium, ultra, or all for the best choice of each.")
    ],
    quarter: Annotated[str, typer.Option(help="Quarter like 2026Q4.")],
    accelerators: Annotated[str, typer.Option(help="Only these, by id, separated by commas.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print the table as JSON.")] = False,
) -> None:
    """Break down what a million output tokens costs by accelerator, and say which tiers each can serve."""
    from computemarket.analysis.hardware.hardware_tables import catalogue_ids, cost_table
    from computemarket.analysis.hardware.serving_choice import serving_choices

    names = [name.strip() for name in accelerators.split(",") if name.strip()]
    if accelerators:
        catalogue_ids(names, "--accelerators")
    best = tier == "all"
    table = serving_choices(quarter, names or None) if best else cost_table(tier, quarter, names or None)
    if as_json:
        typer.echo(json.dumps(json.loads(table.to_json(orient="records")), indent=1))
    elif best:
        _print_choices(table, quarter)
    else:
        _print_cost(table, tier, quarter)


def register(app: typer.Typer) -> None:
    """Add the commands to the app."""
    app.command("frontier")(frontier)
    app.command("cost")(cost)


def _print_frontier(table: "pd.DataFrame", names: list[str]) -> None:
    from computemarket.analysis.hardware.hardware_tables import PER

    per = str(table["per"].iloc[0])
    view = _rich_table(f"{PER[per]} at tokens/s of one user, {table['model'].iloc[0]}")
    for title in ("accelerator", "format"):
        view.add_column(title)
    for speed in _SHOWN_SPEEDS:
        view.add_column(f"{speed:,}", justify="right")
    view.add_column("fastest", justify="right")
    for name in names:
        points = table[table["accelerator"] == name]
        if points.empty:
            view.add_row(name, "", *("–" for _ in _SHOWN_SPEEDS), "does not fit")
            continue
        at = dict(zip(points["tokens_per_s_per_user"], points["value"], strict=True))
        cells = [_number(at.get(float(speed))) for speed in _SHOWN_SPEEDS]
        view.add_row(name, points["precision"].iloc[0], *cells, f"{points['top_speed'].iloc[0]:,.0f}")
    _print(view)


def _print_cost(table: "pd.DataFrame", tier: str, quarter: str) -> None:
    view = _rich_table(f"USD per million output tokens, tier {tier}, {quarter}")
    view.add_column("accelerator")
    for title in ("capital", "power", "other", "total", "plain TCO", "USD/h", "tokens/s", "fastest"):
        view.add_column(title, justify="right")
    view.add_column("tiers it can serve")
    reached = table[table["usd_per_mtok"].notna()]
    for row in reached.to_dict("records"):
        view.add_row(
            f"{row['accelerator']}{' *' if row['estimated'] else ''}", *_cost_cells(row), str(row["tiers"])
        )
    _print(view)
    missing = table.loc[table["usd_per_mtok"].isna(), "accelerator"]
    if len(missing):
        typer.echo(f"\nToo slow for {tier}, or without room for its model: {', '.join(missing)}")
    typer.echo(
        "\nLevelised with the capital recovery factor; power is energy and powered shell; at normal utilisation. "
        "Plain TCO is (CapEx + OpEx x Time)/Tokens.\n* a specification, power or price is a documented estimate."
    )


def _print_choices(table: "pd.DataFrame", quarter: str) -> None:
    view = _rich_table(f"Best serving choice by tier, USD per million output tokens, {quarter}")
    for title in ("tier", "model"):
        view.add_column(title)
    view.add_column("tokens/s", justify="right")
    for title in ("cheapest", "next"):
        view.add_column(title)
        view.add_column("USD", justify="right")
    for title in ("prefill on", "decode on"):
        view.add_column(title)
    for title in ("integrated", "as software is", "list price"):
        view.add_column(title, justify="right")
    for row in table.to_dict("records"):
        numbers = {
            name: _number(None if value != value else value)
            for name, value in row.items()
            if str(name).endswith("mtok")
        }
        view.add_row(
            row["tier"],
            row["model"],
            f"{row['speed']:g}",
            row["accelerator"] or "none fast enough",
            numbers["usd_per_mtok"],
            row["next"],
            numbers["next_usd_per_mtok"],
            row["prefill_on"],
            row["decode_on"],
            numbers["mixed_usd_per_mtok"],
            numbers["realised_usd_per_mtok"],
            f"{row['list_price']:g}",
        )
    _print(view)
    typer.echo(
        "\nintegrated: prefill and decode each on its cheapest accelerator, with routing as good as it can get; "
        "as software is: what of that gain is reached today."
    )


def _cost_cells(row: dict[Any, Any]) -> list[str]:
    costs = (row["capital"], row["power"], row["other"], row["usd_per_mtok"], row["plain_usd_per_mtok"])
    return [*(_number(value) for value in costs), f"{row['usd_per_hour']:.2f}", _number(row["tokens_per_s"]),
            f"{row['top_speed']:,.0f}"]  # fmt: skip


def _number(value: float | None) -> str:
    """Write a number with three figures or more; a dash where there is none."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.3g}"


def _rich_table(title: str) -> "rich.table.Table":  # type: ignore[name-defined]  # noqa: F821  (imported when it runs)
    from rich.table import Table

    return Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")


def _print(table: "rich.table.Table") -> None:  # type: ignore[name-defined]  # noqa: F821
    from rich.console import Console

    console = Console()
    (console if console.is_terminal else Console(width=170)).print(table)
