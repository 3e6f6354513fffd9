"""`computemarket published`: published results of policy studies beside what the model says."""

from pathlib import Path
from typing import Annotated

import typer


def published(
    file: Annotated[
        Path | None, typer.Argument(help="CSV of published results.  [default: the package's]")
    ] = None,
    runs: Annotated[int, typer.Option(help="Histories of each scenario.")] = 64,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Print study, metric, published range, simulated median and band, and whether they meet."""
    from computemarket.analysis.policies.published import answer_all, read_published, scores
    from computemarket.analysis.policies.published import as_json as text_of
    from computemarket.scenarios.schema import check_runs

    check_runs(runs)
    answers = answer_all(read_published(file), runs)
    if as_json:
        typer.echo(text_of(answers))
        return
    for a in answers:
        r = a.result
        seen = "–" if a.verdict == "not modelled" else f"{a.median:.3g} [{a.low:.3g}, {a.high:.3g}]"
        typer.echo(
            f"{r.result_id}  {a.verdict:<12} {seen:<32} {r.study}: {r.metric} {r.year} = {_range(r)} {r.unit}"
        )
        typer.echo(f"       {a.scenario or 'no scenario'}: {a.why}")
    counts = scores(answers)
    for verdict, count in counts.items():
        typer.echo(f"{verdict}: {count}")
    compared = counts["in"] + counts["near"] + counts["out"]
    if compared:
        met, near = counts["in"] / compared, (counts["in"] + counts["near"]) / compared
        typer.echo(f"of {compared} compared, inputs apart: {met:.0%} in, {near:.0%} in or near")


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("published")(published)


def _range(result: "Published") -> str:  # type: ignore[name-defined]  # noqa: F821
    low, value, high = (f"{x:g}" if x == x else "" for x in (result.low, result.value, result.high))
    return value + (f" [{low}, {high}]" if low or high else "")
