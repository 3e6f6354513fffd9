"""`computemarket performance`: measured points against what the hardware core predicts."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from computemarket.analysis.hardware.performance import Evaluation


def performance(
    points: Annotated[Path, typer.Argument(help="CSV of measured points, columns as in perf_points.csv.")],
    out: Annotated[Path | None, typer.Option(help="Write the points with predictions and intervals.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")] = False,
) -> None:
    """Predict measured points from their conditions and print the errors."""
    from computemarket.analysis.hardware.performance import evaluate, write_evaluation
    from computemarket.analysis.hardware.points.perf_points import read_points
    from computemarket.errors import InputError

    evaluation = evaluate(read_points(points))
    if out is not None:
        try:
            write_evaluation(evaluation, out)
        except OSError as error:
            raise InputError(str(out), error.strerror, "a file that can be written") from error
    if as_json:
        import json

        typer.echo(json.dumps(evaluation.summary, allow_nan=False))
    else:
        from rich.console import Console

        console = Console()
        _print(console if console.is_terminal else Console(width=100), evaluation)


def _print(console: "Console", evaluation: "Evaluation") -> None:
    from rich.table import Table

    summary = evaluation.summary
    console.print(
        f"{summary['n_predicted']} points predicted, {summary['n_skipped']} skipped. "
        "Error: |predicted/measured - 1|; predictions read the conditions of a row, never its value."
    )
    table = Table("rows", "error", title="All points", title_justify="left")
    for label, key in (
        ("all: median", "median_ape"),
        ("all: 90th percentile", "p90_ape"),
        ("audited (MLPerf): median", "audited_median_ape"),
        ("time per output token, aggregated serving: median", "aggregated_tpot_median_ape"),
    ):
        table.add_row(label, _percent(summary[key]))
    if summary["spearman"] is not None:
        table.add_row("Spearman rank correlation", f"{summary['spearman']:.3f}")
    if "interval_coverage" in summary:
        level = _percent(summary["interval_level"])
        table.add_row(f"inside the {level} interval", _percent(summary["interval_coverage"]))
    console.print(table)
    for title, key in (("By phase", "by_phase"), ("By accelerator", "by_accelerator")):
        part = Table("", "points", "median error", title=title, title_justify="left")
        groups: dict[str, dict[str, float]] = summary[key]  # type: ignore[assignment]
        for name, entry in sorted(groups.items(), key=lambda item: -item[1]["n"]):
            part.add_row(name, str(entry["n"]), _percent(entry["median_ape"]))
        console.print(part)
    reasons: dict[str, int] = {}
    for reason in evaluation.skipped.values():
        reasons[reason] = reasons.get(reason, 0) + 1
    for reason, count in sorted(reasons.items(), key=lambda item: -item[1]):
        console.print(f"skipped {count}: {reason}")


def _percent(share: object) -> str:
    return f"{share:.1%}" if isinstance(share, float) else "-"


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("performance")(performance)
