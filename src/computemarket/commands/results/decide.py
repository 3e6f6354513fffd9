"""What a batch says: convergence, sensitivity, discover, regret; and how two results differ."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from computemarket.commands.opening import Unchecked, reading
from computemarket.commands.targets import check_folder, make_folder

if TYPE_CHECKING:
    import pandas as pd

_OURS = ("*_delta.*", "*_sobol.*", "*_morris.*")  # tables and figures of sensitivity
_FOLDER = typer.Argument(metavar="DIR", help="The folder of a batch.")
_OUTCOME = typer.Option("--outcome", help='Such as "nvidia_revenue_share@2030Q4 < 50".')
_CASE = typer.Option("--case", help="SCENARIO or SCENARIO/POLICY.  [default: the first]")


def convergence(
    folder: Annotated[Path, _FOLDER],
    share: Annotated[
        float, typer.Option(help="What may be unknown of a band, as a share of its size.")
    ] = 0.02,
    unchecked: Unchecked = False,
) -> None:
    """Say how well the bands are known, and how many runs they need."""
    import numpy as np

    from computemarket.analysis.uncertainty.convergence import needs
    from computemarket.errors import InputError

    if not 0 < share <= 1:
        raise InputError("--share", share, "over 0 and at most 1")
    with reading(folder, kind="batch", unchecked=unchecked):
        table = needs(folder, share)
    typer.echo(
        "low to high holds 80% of the runs; unknown: how far an edge may be off, as a share of its size (95%)"
    )
    most = int(table["runs_needed"].max())
    few = bool((table["runs_needed"] < 0).any())
    shown = table.astype(object)
    for column in ("unknown", "worst_unknown", "runs_needed"):
        unsaid = (table["runs_needed"] < 0) if column == "runs_needed" else ~np.isfinite(table[column])
        shown.loc[unsaid, column] = "too few"
    shown[["unknown", "worst_unknown", "runs_needed"]] = shown[
        ["unknown", "worst_unknown", "runs_needed"]
    ].map(
        lambda value: (
            value if isinstance(value, str) else f"{value:,.3g}" if isinstance(value, float) else f"{value:,}"
        )
    )
    _print(shown)
    said = "too few runs to say how many are needed" if few else f"it takes {most:,} runs"
    typer.echo(f"\nto know every band at the end of every year ahead to {share:g} of its size: {said}")


def sensitivity(
    folder: Annotated[Path, _FOLDER],
    outcome: Annotated[list[str] | None, _OUTCOME] = None,
    case: Annotated[str | None, _CASE] = None,
    method: Annotated[
        str | None, typer.Option(help="sobol, morris or delta.  [default: by the design]")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of tables and figures.  [default: DIR/sensitivity]")
    ] = None,
    unchecked: Unchecked = False,
) -> None:
    """Say what drives an outcome: a table of indices and a tornado figure for each."""
    from computemarket.analysis.results.headline import Headline
    from computemarket.analysis.uncertainty.outcomes import read_outcome
    from computemarket.analysis.uncertainty.sensitivity import draw_tornado, sensitivity
    from computemarket.commands.figures import figure_file

    target = out if out is not None else folder / "sensitivity"
    asked = [read_outcome(text, unlimited=True) for text in outcome or ["nvidia_data_center_revenue"]]
    check_folder(target, _OURS)
    with reading(folder, kind="batch", unchecked=unchecked):
        for one in asked:
            found = sensitivity(folder, one, Headline(), case, method)
            make_folder(target, _OURS)
            typer.echo(
                f"{found.outcome.text} in {found.case}: {found.method} over {found.points:,} points, "
                f"mean {found.middle:.4g}"
            )
            _tell_points(folder)
            _print(found.table)
            stem = target / f"{found.outcome.file}_{found.method}"
            _write(found.table, stem.with_suffix(".csv"))
            with figure_file(stem.with_suffix(".png")) as hidden:
                draw_tornado(found, hidden)
            typer.echo(f"{stem}.csv, .png, .svg\n")


def discover(
    folder: Annotated[Path, _FOLDER],
    outcome: Annotated[str, _OUTCOME],
    case: Annotated[str | None, _CASE] = None,
    unchecked: Unchecked = False,
) -> None:
    """Name the conditions under which an outcome happens."""
    from computemarket.analysis.results.headline import Headline
    from computemarket.analysis.uncertainty.discover import discover
    from computemarket.analysis.uncertainty.outcomes import read_outcome
    from computemarket.model.core.parameters import schema

    asked = read_outcome(outcome, limited=True)
    with reading(folder, kind="batch", unchecked=unchecked):
        found = discover(folder, asked, Headline(), case)
        typer.echo(f"{outcome.strip()} happens in {found.share:.0%} of {found.runs:,} runs of {found.case}")
        _tell_points(folder)
    if not found.boxes:
        typer.echo("  no few conditions tell where: the parameters together decide, or luck does")
    for box in found.boxes:
        conditions = " and ".join(str(condition) for condition in box.conditions)
        typer.echo(
            f"  in {box.density:.0%} of the {box.runs:,} runs where {conditions} "
            f"(they hold {box.coverage:.0%} of all runs in which it happens)"
        )
    if found.boxes:
        typer.echo(
            "  the same runs chose the conditions, so these shares flatter: ask more runs, or fewer uncertainties"
        )
    for name in dict.fromkeys(one.parameter for box in found.boxes for one in box.conditions):
        typer.echo(f"  {name}: {schema()[name].meaning}, {schema()[name].unit}")


def regret(
    folder: Annotated[Path, _FOLDER],
    outcome: Annotated[str, _OUTCOME],
    lower_is_better: Annotated[
        bool, typer.Option("--lower-is-better", help="Less of the outcome is better, not more.")
    ] = False,
    unchecked: Unchecked = False,
) -> None:
    """Compare the cases of a batch run by run: bands, paired differences, regret, limits kept."""
    from computemarket.analysis.uncertainty.decisions import paired, payoffs
    from computemarket.analysis.uncertainty.outcomes import outcomes_of, read_outcome

    asked = read_outcome(outcome)
    with reading(folder, kind="batch", unchecked=unchecked):
        frame = outcomes_of(folder, asked)
    typer.echo(
        f"{asked.text}: {'less' if lower_is_better else 'more'} is better; low to high holds 80% of the runs; "
        "regret: how much better the best policy of the same scenario did in the same run "
        "(regret_90: exceeded in one run of ten)"
    )
    _print(payoffs(frame, asked, lower_is_better=lower_is_better))
    differences = paired(frame)
    if len(differences):
        typer.echo(
            "\npaired differences, run by run: low to high holds 80%, share_above: of runs where the case is higher"
        )
        _print(differences)


def register(app: typer.Typer) -> None:
    """Add the commands to the app."""
    for command in (convergence, sensitivity, discover, regret):
        app.command(command.__name__)(command)


def _tell_points(folder: Path) -> None:
    """Say where points share their histories: then their level is that of a few draws."""
    from computemarket.analysis.results.headline import Headline
    from computemarket.scenarios.results.store import study_of

    told = study_of(folder, Headline()).told_of_points
    if told:
        typer.echo(f"  {told}")


def _print(table: "pd.DataFrame") -> None:
    import pyarrow as pa

    from computemarket.scenarios.results.query import as_text

    typer.echo(as_text(pa.Table.from_pandas(table, preserve_index=False)), nl=False)


def _write(table: "pd.DataFrame", path: Path) -> None:
    import pyarrow as pa

    from computemarket.errors import InputError
    from computemarket.scenarios.results.query import as_csv
    from computemarket.scenarios.results.store import write_whole

    try:
        write_whole(path, as_csv(pa.Table.from_pandas(table, preserve_index=False)).encode())
    except OSError as error:
        raise InputError("--out", str(path), f"a file that can be written ({error.strerror})") from error
