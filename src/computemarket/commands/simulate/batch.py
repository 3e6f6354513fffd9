"""`computemarket batch`; how a batch is reproduced (see `provenance`)."""

import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from computemarket.scenarios.batches.batch import Estimate, Progress, Report
    from computemarket.scenarios.batches.executor import Executor
    from computemarket.scenarios.studies.study import Study

_INTERRUPTED = 130
PRIOR_HELP = 'parameter = "prior" keeps that'


def batch(
    study: Annotated[str, typer.Argument(help="A study of the library, or a path to a .toml file.")],
    out: Annotated[Path | None, typer.Option(help="Folder of the results.  [default: out/NAME]")] = None,
    workers: Annotated[int | None, typer.Option(help="Processes.  [default: one per processor]")] = None,
    cluster: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Dask scheduler, like tcp://127.0.0.1:8786.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what it would take, and run nothing.")
    ] = False,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Run failed runs again.")] = False,
    until_stable: Annotated[
        float | None,
        typer.Option(metavar="SHARE", help="Stop when the bands are known to this share of their size."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Allow more than a million runs.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bar and no summary.")] = False,
) -> None:
    """Run a study: scenarios x policies x uncertainties x runs. The same command resumes it."""
    from computemarket.analysis.results.headline import Headline
    from computemarket.scenarios.batches.ensemble import check_workers, usable_processors
    from computemarket.scenarios.studies.study import check_size, load_study

    asked = load_study(study, Headline())
    folder = out if out is not None else Path("out") / asked.name
    count = usable_processors() if workers is None else workers
    check_workers(count)
    check_size(asked, force=force)
    for scenario, parameter in asked.overridden:
        sys.stderr.write(
            f"note: the design sets {parameter} in place of what {scenario} sets: {PRIOR_HELP}\n"
        )
    if dry_run:
        from computemarket.scenarios.batches.batch import estimate

        _tell_estimate(asked, estimate(asked, count, folder), count)
        return
    stable = _stable(asked, until_stable)
    text = Path(study).read_bytes() if study.endswith(".toml") else None
    with _termination_as_exit(), _executor(count, cluster) as executor:
        report = _run(asked, folder, executor, text, retry_failed, force, stable, quiet)
    if not quiet:
        _tell_report(report, folder)


def reproduce_batch(
    folder: Path, out: Path | None, workers: int | None, cluster: str | None, quiet: bool
) -> None:
    """Make the results of a batch again, from nothing but its folder, and say whether the digest agrees."""
    import tempfile

    from computemarket.analysis.results.headline import Headline
    from computemarket.errors import InputError
    from computemarket.scenarios.batches.ensemble import check_workers, usable_processors
    from computemarket.scenarios.results.manifests import BATCH
    from computemarket.scenarios.results.open_results import open_results
    from computemarket.scenarios.results.store import COMPLETE, study_of

    held = dict(open_results(folder, BATCH).manifest)
    if held.get("status") != COMPLETE:
        raise InputError("store", str(folder), "complete: go on with the batch first")
    asked = study_of(folder, Headline())
    count = usable_processors() if workers is None else workers
    check_workers(count)
    with tempfile.TemporaryDirectory(prefix="computemarket-") as spare:
        target = out if out is not None else Path(spare) / "again"
        report = run_again(asked, target, held, count, cluster, quiet)
        if report.digest == held["digest"]:
            typer.echo(f"the digest agrees: {report.runs:,} runs, {report.digest}")
            return
        _tell_difference(folder, target, held)
    raise typer.Exit(1)


def run_again(
    asked: "Study", folder: Path, held: "Mapping[str, Any]", workers: int, cluster: str | None, quiet: bool
) -> "Report":
    """Run a study as far as the batch went whose manifest is given."""
    stable = _stops_at(held.get("stable_at"))
    with _termination_as_exit(), _executor(workers, cluster) as executor:
        return _run(asked, folder, executor, None, False, True, stable, quiet)


def _stops_at(runs: object) -> "Callable[[Path, int], bool] | None":
    """Return the rule that stops where a batch has stopped before."""
    return None if not isinstance(runs, int) else lambda _folder, there: there >= runs


def _tell_difference(folder: Path, target: Path, held: dict[str, Any]) -> None:
    from computemarket.analysis.results.differences import differing_values
    from computemarket.scenarios.results.store import versions

    now = versions()
    changed = [f"{name} {held['versions'].get(name)} then, {value} now" for name, value in now.items()
               if held["versions"].get(name) != value]  # fmt: skip
    table = differing_values(folder, target)
    largest = float(table["largest_relative"].max()) if len(table) else float("nan")
    typer.echo(f"the digest differs: {int(table['different'].sum()):,} of {int(table['values'].sum()):,} values, "
               f"by at most {largest:.2g} of their size")  # fmt: skip
    typer.echo("; ".join(changed) if changed else "of the same version")


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("batch")(batch)


def _stable(asked: "Study", share: float | None) -> "Callable[[Path, int], bool] | None":
    if share is None:
        return None
    from computemarket.analysis.uncertainty.convergence import until_stable

    return until_stable(asked, share)


def _run(
    asked: "Study",
    folder: Path,
    executor: "Executor",
    text: bytes | None,
    retry_failed: bool,
    force: bool,
    stable: "Callable[[Path, int], bool] | None",
    quiet: bool,
) -> "Report":
    from computemarket.errors import InputError
    from computemarket.scenarios.batches.batch import run_study
    from computemarket.scenarios.batches.executor import WorkersError

    last: list[Progress] = []
    try:
        with _bar(asked.name, asked.total_runs, quiet) as show:

            def tell(progress: "Progress") -> None:
                last[:] = [progress]
                show(progress)

            return run_study(
                asked,
                folder,
                executor,
                text=text,
                retry_failed=retry_failed,
                force=force,
                tell=tell,
                stable=stable,
            )
    except WorkersError as error:
        raise InputError("workers", str(error), "able to go on; what is done is kept") from error
    except KeyboardInterrupt:
        kept = last[0].before + last[0].done if last else 0
        sys.stderr.write(
            f"stopped: {kept:,} of {asked.total_runs:,} runs are kept; the same command goes on\n"
        )
        sys.exit(_INTERRUPTED)


@contextmanager
def _executor(workers: int, cluster: str | None) -> "Iterator[Executor]":
    from computemarket.scenarios.batches.executor import DaskCluster, LocalProcesses
    from computemarket.scenarios.results.store import version_of_model

    if cluster is None:
        yield LocalProcesses(workers)
        return
    there = DaskCluster(cluster, version_of_model)
    try:
        yield there
    finally:
        there.close()


@contextmanager
def _bar(name: str, runs: int, quiet: bool) -> "Iterator[Callable[[Progress], None]]":
    """Show progress, rate, time left and failures on stderr; without a terminal there, nothing."""
    if quiet or not sys.stderr.isatty():
        yield lambda _progress: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("runs"),
        TextColumn("{task.fields[rate]}"), TimeRemainingColumn(), TextColumn("{task.fields[failures]}", style="red"),
    )  # fmt: skip
    with Progress(*columns, console=Console(stderr=True), transient=True, speed_estimate_period=20) as bar:
        task = bar.add_task(name, total=runs, rate="", failures="")

        def show(progress: Any) -> None:
            speed = bar.tasks[0].speed
            bar.update(
                task,
                completed=progress.before + progress.done,
                rate=f"{speed:,.0f}/s" if speed else "",
                failures=f"{progress.failed:,} failed" if progress.failed else "",
            )

        yield show


def _tell_estimate(asked: "Study", found: "Estimate", workers: int) -> None:
    typer.echo(
        f"{asked.name}: {found.cases:,} cases x {found.points:,} points x {found.runs_of_point:,} runs = "
        f"{found.runs:,} runs, {found.missing:,} of them still to do"
    )
    typer.echo(
        f"about {duration(found.seconds)} on {workers} workers once they have started, {size(found.disk_bytes)} on disk"
    )


def _tell_report(report: "Report", folder: Path) -> None:
    failures = f", {report.failed:,} failed (see {folder}/failures)" if report.failed else ""
    rate = f", {report.computed / report.elapsed_s:,.0f} a second" if report.computed else ""
    typer.echo(
        f"{folder}: {report.runs:,} runs{failures}; {report.computed:,} now in {duration(report.elapsed_s)}{rate}"
    )
    if report.remade:
        typer.echo(f"note: {report.remade:,} parts that had gone were made again, with the same bytes")
    if report.stable_at is not None:
        typer.echo(f"stable: the bands held after {report.stable_at:,} runs of each case")
    typer.echo(f"digest {report.digest}")


def duration(seconds: float) -> str:
    """Return a duration in words a person can use."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def size(count: int) -> str:
    """Return a number of bytes in words a person can use."""
    for unit, name in ((1e9, "GB"), (1e6, "MB")):
        if count >= unit:
            return f"{count / unit:.1f} {name}"
    return f"{count / 1e3:.0f} kB"


@contextmanager
def _termination_as_exit() -> "Iterator[None]":
    """Let a polite request to stop clean up as Control-C does."""

    def leave(number: int, _frame: object) -> NoReturn:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
