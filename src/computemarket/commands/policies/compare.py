"""`computemarket compare`: scenarios against the first one, run by run."""

from pathlib import Path
from typing import Annotated

import typer

from computemarket.commands.opening import Unchecked
from computemarket.commands.policies.answers import answer, short
from computemarket.commands.targets import make_folder

_OURS = tuple(
    f"{name}.{ending}"
    for name in ("measures", "differences", "waterfall", "frontier", "attribution")
    for ending in ("csv", "png", "svg")
)


def compare(
    names: Annotated[
        list[str],
        typer.Argument(
            metavar="A B …",
            help="Scenarios, the first is compared with; or a folder of a batch and an outcome.",
        ),
    ],
    runs: Annotated[int, typer.Option(help="Histories of each, with the same draws.")] = 64,
    out: Annotated[Path, typer.Option(help="Directory of tables and figure.")] = Path("out/compare"),
    year: Annotated[
        str, typer.Option(help="Year of the printed table, the sweep and the attribution.")
    ] = "2028",
    since: Annotated[str, typer.Option(help="First year of the substitution waterfall.")] = "2027",
    topic: Annotated[
        str,
        typer.Option(
            help="market, silicon, tokens, clouds, supply, platform, money, china or all; what the scenarios are about "
            "by default."
        ),
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of words and tables.")] = False,
    sweep: Annotated[
        str,
        typer.Option(
            metavar="KEY=V1,V2,…", help="Denial against revenue over values of a lever, from --start on."
        ),
    ] = "",
    start: Annotated[
        str, typer.Option(help="Quarter from which the swept lever takes its value.")
    ] = "2027Q1",
    attribute: Annotated[
        bool, typer.Option("--attribute", help="What each regime does: it is taken out alone.")
    ] = False,
    lower_is_better: Annotated[
        bool, typer.Option("--lower-is-better", help="Regret counts upwards (batches).")
    ] = False,
    unchecked: Unchecked = False,
) -> None:
    """Compare scenarios with the same draws: the answer in words, a table and a figure, with 80% bands.

    Writes measures.csv and .png; where trade rules differ also differences.csv and .png and waterfall.csv and
    .png, with --sweep frontier.csv and .png, with --attribute attribution.csv and .png.
    """
    if Path(names[0]).is_dir():
        _compare_batch(names, lower_is_better, unchecked)
        return
    from computemarket.analysis.exchange.files import write_csv
    from computemarket.analysis.policies.compare import differences, simulate_outcome
    from computemarket.analysis.results.topics import CHINA, topics_of
    from computemarket.commands.figures import figure_file
    from computemarket.scenarios.batches.ensemble import prepare
    from computemarket.scenarios.schema import check_runs

    check_runs(runs)
    asked = [prepare(name) for name in names]
    _check_names([scenario.name for scenario in asked])
    _check_sweep(sweep)
    _check_when(min(scenario.quarters for scenario in asked), year, since, start)
    make_folder(out, _OURS)
    topics = topics_of(asked, topic)
    answer(asked, topics, runs, year, out, as_json)
    if as_json or not (sweep or attribute or any(one.name == CHINA for one in topics)):
        return
    outcomes = [simulate_outcome(scenario, runs) for scenario in asked]
    table = differences(outcomes[0], outcomes[1:])
    write_csv(out / "differences.csv", [table])
    typer.echo("")
    _print(table, year)
    if len(outcomes) > 1:
        from computemarket.analysis.policies.compare_figure import draw_differences, draw_waterfalls

        _waterfalls(outcomes, since, out)
        with figure_file(out / "differences.png") as hidden:
            draw_differences(outcomes[0], outcomes[1:], hidden)
        with figure_file(out / "waterfall.png") as hidden:
            draw_waterfalls(outcomes[0], outcomes[1:], since, hidden)
    if sweep:
        _sweep(asked[-1], sweep, start, year, runs, out)
    if attribute:
        _attribute(asked[0], year, runs, out)


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("compare")(compare)


def _compare_batch(names: list[str], lower_is_better: bool, unchecked: bool) -> None:
    from computemarket.commands.results.decide import regret as compare_batch
    from computemarket.errors import InputError

    if len(names) != 2:
        raise InputError("compare", " ".join(names), "a folder of a batch and one outcome")
    compare_batch(Path(names[0]), names[1], lower_is_better, unchecked)


def _check_names(names: list[str]) -> None:
    """Refuse two scenarios of one name: their rows could not be told apart."""
    from computemarket.errors import InputError

    for place, name in enumerate(names):
        if name in names[:place]:
            raise InputError("compare", name, "the name of one scenario only")


def _check_sweep(sweep: str) -> None:
    """Refuse values that a lever cannot take, before anything is simulated."""
    from computemarket.errors import InputError
    from computemarket.model.core.parameters import find

    if not sweep:
        return
    key, sign, values = sweep.partition("=")
    if not sign:
        raise InputError("--sweep", sweep, "KEY=V1,V2,…")
    lever = find(key.strip(), "--sweep")
    for text in values.split(","):
        try:
            number = float(text)
        except ValueError as error:
            raise InputError(f"--sweep {lever.name}", text, "a number") from error
        lever.read(number, f"--sweep {lever.name}")


def _check_when(quarters: int, year: str, since: str, start: str) -> None:
    """Refuse years and quarters that are not simulated, before anything is."""
    from computemarket.errors import InputError
    from computemarket.model.core.calendar import QUARTERS
    from computemarket.scenarios.schema import read_quarter

    years = sorted({quarter[:4] for quarter in QUARTERS[:quarters]})
    for option, value in (("--year", year), ("--since", since)):
        if value not in years:
            raise InputError(option, value, f"one of {years[0]}..{years[-1]}")
    read_quarter(start, "--start")


def _print(table: "pandas.DataFrame", year: str) -> None:  # type: ignore[name-defined]  # noqa: F821
    from computemarket.analysis.policies.compare_lines import HEADINGS

    names = list(dict.fromkeys(table["scenario"]))
    chosen = table[table["year"] == int(year)]
    typer.echo(f"{year}: median of {names[0]}, then the change in each run: median and 80% band")
    typer.echo(f"{'':<54}{names[0]:>12} {'':<14}" + "  ".join(f"{name:^34}" for name in names[1:]))
    for measure, rows in chosen.groupby("measure", sort=False):
        if measure in HEADINGS:
            typer.echo(HEADINGS[measure])
        cells = [f"{short(rows.iloc[0]['median']):>12} {rows.iloc[0]['unit']:<14}"]
        cells += [
            f"{short(row.change, '+'):>10} [{short(row.change_p10, '+')}, {short(row.change_p90, '+')}]".ljust(
                34
            )
            for row in rows.itertuples()
            if row.scenario != names[0]
        ]
        typer.echo(f"  {measure:<52}" + "  ".join(cells).rstrip())


def _waterfalls(outcomes: list["Outcome"], since: str, out: Path) -> None:  # type: ignore[name-defined]  # noqa: F821
    import numpy as np
    import pandas as pd

    from computemarket.analysis.exchange.files import write_csv
    from computemarket.analysis.policies.compare import waterfall_parts
    from computemarket.errors import InputError

    if since not in outcomes[0].years:
        raise InputError("--since", since, f"one of {outcomes[0].years[0]}..{outcomes[0].years[-1]}")
    rows = []
    for policy in outcomes[1:]:
        for part, channel, values in waterfall_parts(outcomes[0], policy, since):
            low, high = np.percentile(values, (10.0, 90.0))
            rows.append((policy.scenario, part, channel, values.mean(), low, high))
    table = pd.DataFrame(rows, columns=["scenario", "part", "channel", "k_h100e", "p10", "p90"])
    write_csv(out / "waterfall.csv", [table])
    typer.echo(
        f"\nchange of the compute of China's firms since {since}, thousand H100e: means, which add up, and 80% of runs"
    )
    shown = table[
        (table[["p10", "p90"]].abs().max(axis=1) >= 0.5)
        | (table["part"] != "of which") & (table["part"] != "replaced by")
    ]
    typer.echo(
        shown.round(0).to_string(
            index=False, formatters=dict.fromkeys(("k_h100e", "p10", "p90"), "{:,.0f}".format)
        )
    )


def _sweep(scenario: "Scenario", sweep: str, start: str, year: str, runs: int, out: Path) -> None:  # type: ignore[name-defined]  # noqa: F821
    from computemarket.analysis.exchange.files import write_csv
    from computemarket.analysis.policies.compare_figure import draw_frontier
    from computemarket.analysis.policies.policy_questions import frontier
    from computemarket.commands.figures import figure_file

    key, _, values = sweep.partition("=")
    table = frontier(scenario, key.strip(), values.split(","), start, year, runs)
    write_csv(out / "frontier.csv", [table])
    with figure_file(out / "frontier.png") as hidden:
        draw_frontier(table, key, year, hidden)
    typer.echo(
        f"\n{key}: compute China adds (k H100e) against Nvidia's revenue (bn USD) in {year}; changes are against "
        "the first value"
    )
    shown = [
        "value",
        *(
            f"{name}{kind}"
            for name in ("China added", "Nvidia revenue")
            for kind in ("", " change", " change_p10", " change_p90")
        ),
    ]
    typer.echo(table[shown].round(1).to_string(index=False))


def _attribute(scenario: "Scenario", year: str, runs: int, out: Path) -> None:  # type: ignore[name-defined]  # noqa: F821
    from computemarket.analysis.exchange.files import write_csv
    from computemarket.analysis.policies.compare_figure import draw_attribution
    from computemarket.analysis.policies.policy_questions import attribution
    from computemarket.commands.figures import figure_file

    measures = (
        "China compute added, owned",
        "China added, smuggled",
        "China added, domestic",
        "Nvidia revenue",
    )
    table = attribution(scenario, measures, year, runs)
    write_csv(out / "attribution.csv", [table])
    with figure_file(out / "attribution.png") as hidden:
        draw_attribution(table, year, hidden)
    typer.echo(
        f"\nwhat each regime does in {year}, all others in force; no direction where the band holds zero"
    )
    typer.echo(table.round(2).to_string(index=False))
