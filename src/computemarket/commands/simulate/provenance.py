"""`computemarket reproduce`, `diff` and `fork`: results made again, compared, and continued under another policy."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from computemarket.commands.opening import Unchecked, reading

if TYPE_CHECKING:
    import pandas as pd

    from computemarket.scenarios.batches.fork import Change, Compared

_SHOWN, _NAMED = 60, 8  # rows of a table, names in a sentence


def reproduce(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of a run or a batch.")],
    out: Annotated[
        Path | None, typer.Option(help="Keep the new results there.  [default: they are removed]")
    ] = None,
    workers: Annotated[int | None, typer.Option(help="Processes.  [default: one per processor]")] = None,
    cluster: Annotated[str | None, typer.Option(metavar="ADDRESS", help="Dask scheduler (batches).")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bar.")] = False,
) -> None:
    """Make results again, from nothing but their folder; exit code 1 says that the digest differs."""
    from computemarket.scenarios.results.manifests import BATCH, kind_of

    if kind_of(folder) == BATCH:
        from computemarket.commands.simulate.batch import reproduce_batch

        reproduce_batch(folder, out, workers, cluster, quiet)
        return
    if cluster is not None:
        from computemarket.errors import InputError

        raise InputError("--cluster", cluster, "of use here: a run is reproduced on this machine")
    _reproduce_run(folder, out, workers, quiet)


def diff(
    one: Annotated[
        str, typer.Argument(metavar="A", help="A scenario (name or .toml), or a folder of results.")
    ],
    other: Annotated[str, typer.Argument(metavar="B", help="Another of the same kind.")],
    runs: Annotated[int, typer.Option(help="Of two scenarios: also simulate so many histories of each.")] = 0,
    unchecked: Unchecked = False,
) -> None:
    """Say how two scenarios or two results differ: what was asked, then what came out, by how much and since when."""
    import tempfile

    from computemarket.errors import InputError

    folders = [Path(text).is_dir() for text in (one, other)]
    if folders[0] != folders[1]:
        raise InputError("diff", f"{one} and {other}", "two scenarios or two folders of results")
    if folders[0]:
        _diff_results(Path(one), Path(other), unchecked)
        return
    from computemarket.analysis.results.differences import differing_settings
    from computemarket.scenarios.batches.ensemble import prepare, simulate_to

    asked = [prepare(name) for name in (one, other)]
    _tell_asked(differing_settings(*asked), one, other)
    if not runs:
        typer.echo("--runs 16 says what that changes")
        return
    with tempfile.TemporaryDirectory(prefix="computemarket-") as spare:
        places = [Path(spare) / str(place) for place in range(2)]
        for scenario, place in zip(asked, places, strict=True):
            simulate_to(place, scenario, runs, _workers(None))
        _tell_outcomes(places[0], places[1])


def fork(
    results: Annotated[Path, typer.Argument(metavar="RESULTS", help="The folder of a run or a batch.")],
    at: Annotated[str, typer.Option(help="First quarter of the other policy, like 2026Q4.")],
    setting: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="A parameter from then on, as in TOML; repeatable."),
    ] = None,
    enforce: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Switch an export regime on; repeatable.")
    ] = None,
    suspend: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Switch an export regime off; repeatable.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="A new folder.  [default: RESULTS-fork-AT]")] = None,
    workers: Annotated[int | None, typer.Option(help="Processes.  [default: one per processor]")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Say nothing.")] = False,
) -> None:
    """Continue a stored ensemble under another policy: the same histories up to the quarter, bit for bit."""
    from computemarket.scenarios.batches.fork import Change
    from computemarket.scenarios.results.manifests import BATCH, kind_of
    from computemarket.scenarios.schema import parse_sets, read_quarter

    change = Change(
        read_quarter(at, "--at"), parse_sets(setting or []), tuple(enforce or ()), tuple(suspend or ())
    )
    kind = kind_of(results)
    folder = out if out is not None else results.with_name(f"{results.resolve().name}-fork-{at}")
    found = (_fork_batch if kind == BATCH else _fork_run)(results, folder, change, workers, quiet)
    if not quiet:
        _tell_fork(folder, change, found)


def register(app: typer.Typer) -> None:
    """Add the commands to the app."""
    for command in (reproduce, diff, fork):
        app.command(command.__name__)(command)


def _workers(workers: int | None) -> int:
    from computemarket.scenarios.batches.ensemble import check_workers, usable_processors

    count = usable_processors() if workers is None else workers
    check_workers(count)
    return count


def _reproduce_run(folder: Path, out: Path | None, workers: int | None, quiet: bool) -> None:
    import tempfile

    from computemarket.commands.simulate.run import progress_bar
    from computemarket.scenarios.batches.ensemble import simulate_to
    from computemarket.scenarios.batches.fork import check_new
    from computemarket.scenarios.results.open_results import check_whole
    from computemarket.scenarios.results.provenance import read_run_manifest, scenario_of

    held = check_whole(folder)
    scenario = scenario_of(folder)
    if out is not None:
        check_new(out)
    with tempfile.TemporaryDirectory(prefix="computemarket-") as spare:
        target = out if out is not None else Path(spare) / "again"
        with progress_bar(scenario.name, held["runs"], quiet) as advance:
            simulate_to(target, scenario, held["runs"], _workers(workers), advance)
        found = read_run_manifest(target)["digest"]
        if found == held["digest"]:
            typer.echo(f"the digest agrees: {held['runs']:,} runs, {found}")
            return
        _tell_unlike(folder, target, held)
    raise typer.Exit(1)


def _tell_unlike(folder: Path, target: Path, held: Mapping[str, Any]) -> None:
    from computemarket.analysis.results.differences import differing_values, unshared_variables
    from computemarket.scenarios.results.provenance import changed_versions

    table = differing_values(folder, target)
    different, largest = int(table["different"].sum()), float(table["largest_relative"].max())
    typer.echo(
        f"the digest differs: {different:,} of {int(table['values'].sum()):,} values, "
        f"by at most {largest:.2g} of their size"
    )
    _tell_unshared(unshared_variables(folder, target))
    typer.echo("; ".join(changed_versions(held)) or "of the same version")


def _diff_results(one: Path, other: Path, unchecked: bool) -> None:
    from computemarket.analysis.results.differences import differing_manifests
    from computemarket.scenarios.results.manifests import RUN

    with reading(one, other, unchecked=unchecked) as opened:
        _tell_asked(differing_manifests(one, other), str(one), str(other))
        _tell_outcomes(one, other, headlines={found.kind for found in opened} == {RUN})


def _tell_asked(found: list[tuple[str, str, str]], one: str, other: str) -> None:
    if not found:
        typer.echo("nothing that was asked differs")
        return
    typer.echo(f"what was asked: in {one} -> in {other}")
    for key, left, right in found:
        typer.echo(f"  {key}: {_plain(left)} -> {_plain(right)}")


def _tell_outcomes(one: Path, other: Path, headlines: bool = True) -> None:
    from computemarket.analysis.results.differences import (
        differing_values,
        headline_differences,
        unshared_variables,
    )

    _tell_unshared(unshared_variables(one, other))
    values = differing_values(one, other)
    changed = values[values["different"] > 0]
    total, different = int(values["values"].sum()), int(values["different"].sum())
    if not total:
        typer.echo("\nno value is in both")
        return
    if not len(changed):
        typer.echo(f"\nwhat came out is the same: {total:,} values of {len(values)} variables")
        return
    first = changed["first_quarter"].min()
    typer.echo(
        f"\n{different:,} of {total:,} values differ, in {len(changed)} of {len(values)} variables, "
        f"the first in {first}"
    )
    if headlines:
        table = headline_differences(one, other)
        year = table["year"].max() if len(table) else ""
        typer.echo(f"\noutcomes in {year}: medians, and the change run by run with its 80% band")
        _print(table.drop(columns="year"))
    typer.echo("\nvariables, the most changed first: relative differences over all values both hold")
    _print(changed.sort_values("mean_relative", ascending=False).head(_SHOWN))


def _tell_unshared(names: list[str]) -> None:
    if names:
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        typer.echo(f"only one of them holds {', '.join(map(_plain, names[:_NAMED]))}{more}")


def _fork_run(results: Path, folder: Path, change: "Change", workers: int | None, quiet: bool) -> "Compared":
    from computemarket.analysis.overview.main_results import digest_of_chunk, join_digests
    from computemarket.commands.simulate.run import draw_market_share, progress_bar, termination_as_exit
    from computemarket.scenarios.batches.fork import fork_run
    from computemarket.scenarios.results.provenance import read_run_manifest

    held = read_run_manifest(results)
    with termination_as_exit(), progress_bar(held["scenario"], held["runs"], quiet) as advance:
        found, digests = fork_run(results, folder, change, _workers(workers), advance, digest_of_chunk)
    draw_market_share(join_digests(digests).shares, folder / "market_share.png")
    return found


def _fork_batch(
    results: Path, folder: Path, change: "Change", workers: int | None, quiet: bool
) -> "Compared":
    from computemarket.analysis.results.headline import Headline
    from computemarket.commands.simulate.batch import run_again
    from computemarket.scenarios.batches.fork import fork_batch

    def compute(study: Any, target: Path, held: Mapping[str, Any]) -> None:
        run_again(study, target, held, _workers(workers), None, quiet)

    return fork_batch(results, folder, change, Headline(), compute)


def _tell_fork(folder: Path, change: "Change", found: "Compared") -> None:
    typer.echo(f"{folder}: the same {found.past:,} values before {change.at}, bit for bit")
    if found.changed:
        typer.echo(f"{found.changed:,} of {found.future:,} values from {change.at} on differ")
    else:
        typer.echo(f"and the same {found.future:,} from {change.at} on: nothing that was set acts after it")


def _plain(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _print(table: "pd.DataFrame") -> None:
    import pyarrow as pa

    from computemarket.scenarios.results.query import as_text

    columns = {
        str(name): [f"{cell:.4g}" if isinstance(cell, float) else cell for cell in table[name]]
        for name in table.columns
    }
    typer.echo(as_text(pa.table(columns)), nl=False)
