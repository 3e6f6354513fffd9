"""`computemarket validate`: check a scenario or a study without running it."""

from pathlib import Path
from typing import Annotated

import typer


def validate(
    file: Annotated[
        str,
        typer.Argument(metavar="FILE", help="A scenario or a study: a .toml file, or a name of the library."),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a line.")] = False,
) -> None:
    """Check a scenario or a study key by key, and say what it asks for; nothing is simulated."""
    told = _study(file) if _is_study(file) else _scenario(file)
    if as_json:
        import json

        typer.echo(json.dumps(told, indent=1, ensure_ascii=False))
        return
    typer.echo("; ".join(f"{key}: {value}" for key, value in told.items()))


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("validate")(validate)


def _is_study(file: str) -> bool:
    """Say whether a file is meant as a study: it names scenarios or a design; names are of either library."""
    from computemarket.model.core.given_files import read_given
    from computemarket.scenarios.schema import LARGEST_SCENARIO, library_names, read_toml
    from computemarket.scenarios.studies.study import studies_names

    if not file.endswith(".toml") and "/" not in file:
        return file in studies_names() and file not in library_names()
    table = read_toml(read_given(Path(file), "validate", LARGEST_SCENARIO), Path(file).name)
    return bool({"scenarios", "design", "runs", "uncertainties", "levers", "policies"} & set(table))


def _scenario(file: str) -> dict[str, object]:
    from computemarket.scenarios.schema import load_scenario

    found, ground = load_scenario(file), load_scenario("baseline")
    changed = [key for key, value in found.settings.items() if value != ground.settings.get(key)]
    return {
        "scenario": found.name,
        "until": found.until,
        "seed": found.seed,
        "changes to the baseline": ", ".join(changed) or "none",
        "regimes added": ", ".join(name for name, _ in found.regimes) or "none",
        "switched on": ", ".join(found.enforce) or "none",
        "switched off": ", ".join(found.suspend) or "none",
    }


def _study(file: str) -> dict[str, object]:
    from computemarket.analysis.results.headline import Headline
    from computemarket.scenarios.studies.study import check_size, load_study

    found = load_study(file, Headline())
    check_size(found, force=True)
    return {
        "study": found.name,
        "cases": len(found.cases),
        "points": found.design.count,
        "runs of each": found.runs,
        "runs": found.total_runs,
        "first cases": ", ".join(f"{case.scenario.name}/{case.policy}" for case in found.cases[:4]),
    }
