"""`computemarket frontier` and `computemarket cost`: what accelerators yield, and what tokens cost on them."""

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    import pandas as pd

    from computemarket.model.hardware.performance.frontier import Service

_SHOWN_SPEEDS = (10, 20, 50, 100, 150, 200, 300, 500, 1000)
_POINTS = 120
_LONGEST = 1e7  # tokens of a prompt or an answer


def frontier(
    model: Annotated[
        str, typer.Option(help="Model by id or Hugging Face name, like deepseek_r1; several with --all.")
    ],
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
    every: Annotated[
        bool, typer.Option("--all", help="Every pair over batch, context, layout and format, one panel each.")
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
        if not 1 <= value <= _LONGEST:
            raise InputError(name, value, "a number in 1..10000000")
    if out is not None and out.suffix not in (".png", ".svg", ".pdf"):
        raise InputError("--out", str(out), "a file that ends in .png, .svg or .pdf")
    if out is not None and not out.parent.is_dir():
        raise InputError("--out", str(out), "in a folder that exists")
    service = replace(
        tier_service(input_tokens, output_tokens, calibrated=False), cached_share=0.0, apart=not together
    )
    names = [name.strip() for name in accelerators.split(",") if name.strip()]
    catalogue_ids(names, "--accelerators")
    if every:
        _frontier_of_pairs(
            names, [name.strip() for name in model.split(",") if name.strip()], service, out, as_json
        )
        return
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


def _frontier_of_pairs(
    accelerators: list[str], models: list[str], service: "Service", out: Path | None, as_json: bool
) -> None:
    """Print and draw the points of every pair that no layout and batch beats."""
    from computemarket.analysis.hardware.frontier_multiples import draw_pairs, pair_table

    table = pair_table(accelerators, models, service)
    if as_json:
        typer.echo(json.dumps(json.loads(table.to_json(orient="records")), indent=1))
    else:
        view = _rich_table("Fastest and fullest point of every pair, format and prompt length")
        for title in ("accelerator", "model", "format"):
            view.add_column(title)
        for title in ("tokens in", "fastest", "on chips", "fullest tokens/s", "at batch"):
            view.add_column(title, justify="right")
        for keys, points in table.groupby(["accelerator", "model", "precision", "input_tokens"], sort=False):
            accelerator, model, precision, sent = keys
            fast = points.iloc[int(points["tokens_per_s_per_user"].to_numpy().argmax())]
            full = points.iloc[int(points["tokens_per_s"].to_numpy().argmax())]
            cells = (fast["tokens_per_s_per_user"], fast["chips"], full["tokens_per_s"], full["batch"])
            view.add_row(
                accelerator, model, precision, f"{sent:,.0f}", *(_number(float(cell)) for cell in cells)
            )
        _print(view)
    if out is not None:
        from computemarket.commands.figures import figure_file

        with figure_file(out) as hidden:
            draw_pairs(table, hidden)
        if not as_json:
            typer.echo(f"figure: {out}")


def cost(
    tier: Annotated[
        str, typer.Option(help="free, medium, high, premium, ultra, or all for the best choice of each.")
    ],
    quarter: Annotated[str, typer.Option(help="Quarter like 2026Q4.")],
    accelerators: Annotated[str, typer.Option(help="Only these, by id, separated by commas.")] = "",
    input_tokens: Annotated[
        float | None, typer.Option(help="Mean prompt length, the tier's own by default.")
    ] = None,
    output_tokens: Annotated[
        float | None, typer.Option(help="Mean answer length, the tier's own by default.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the table as JSON.")] = False,
) -> None:
    """Break down what a million output tokens costs by accelerator, and say which tiers each can serve."""
    from computemarket.analysis.hardware.hardware_tables import catalogue_ids, cost_table
    from computemarket.analysis.hardware.serving_choice import serving_choices
    from computemarket.errors import InputError

    names = [name.strip() for name in accelerators.split(",") if name.strip()]
    if accelerators:
        catalogue_ids(names, "--accelerators")
    best = tier == "all"
    lengths = (input_tokens, output_tokens)
    for option, value in zip(("--input-tokens", "--output-tokens"), lengths, strict=True):
        if value is not None and (best or not 1 <= value <= _LONGEST):
            raise InputError(option, value, "a number in 1..10000000, for one tier")
    table = (
        serving_choices(quarter, names or None)
        if best
        else cost_table(tier, quarter, names or None, lengths=lengths)
    )
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
    for title in (
        *("capital", "power", "other", "total", "plain TCO", "input", "cached", "output", "USD/h"),
        *("tokens/s", "fastest"),
    ):
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
        "Plain TCO is (CapEx + OpEx x Time)/Tokens. "
        "Input, cached and output: a million tokens of each kind alone.\n"
        "* a specification, power or price is a documented estimate."
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
    names = ("capital", "power", "other", "usd_per_mtok", "plain_usd_per_mtok")
    kinds = ("usd_per_mtok_input", "usd_per_mtok_cached", "usd_per_mtok_output")
    costs = [None if row[name] != row[name] else row[name] for name in (*names, *kinds)]
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
