"""Every command once, as a user would call it: the short list that a packed program has to pass as well."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from computemarket.cli import app

STUDY = """
scenarios = ["baseline"]
runs = 1
until = "2026Q4"
seed = 1
[design]
method = "latin_hypercube"
points = 100
[uncertainties.power]
price_usd_per_mwh = { uniform = [60.0, 120.0] }
[policies.as_now]
[policies.dear.capex]
discount_rate = 0.15
"""
OUTCOME = "nvidia_data_center_revenue@2026"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in which all commands of this file work."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def said(home: Path) -> dict[str, tuple[int, str]]:
    """Run every command in order, each once; return exit code and output by command."""
    from importlib.resources import files

    from typer.testing import CliRunner

    (home / "short.toml").write_text(STUDY)
    data = files("computemarket.model.data")
    for name in ("perf_points.csv", "policy/published_results.csv"):  # a few rows are enough
        lines = data.joinpath(*name.split("/")).read_text("utf-8").splitlines(keepends=True)
        (home / Path(name).name).write_text("".join(lines[:3]))
    run, batch = home / "run", home / "batch"
    calls: dict[str, tuple[object, ...]] = {
        "run": ("baseline", "--runs", 2, "--until", "2026Q4", "--seed", 1, "--workers", 1, "--out", run),
        "scenarios": (),
        "batch": (home / "short.toml", "--out", batch, "--workers", 1, "--quiet"),
        "query": (batch, "SELECT count(*) FROM results"),
        "convergence": (batch,),
        "sensitivity": (batch, "--outcome", OUTCOME, "--method", "delta", "--out", home / "drivers"),
        "discover": (batch, "--outcome", f"{OUTCOME} < 160"),
        "regret": (batch, "--outcome", OUTCOME),
        "reproduce": (run, "--workers", 1, "--quiet"),
        "diff": ("baseline", "demand_stall"),
        "fork": (
            run,
            "--at",
            "2026Q1",
            "--set",
            "power.price_usd_per_mwh=90",
            "--out",
            home / "fork",
            "--workers",
            1,
        ),
        "export": (run, "--out", home / "results.csv"),
        "compare": ("baseline", "demand_stall", "--runs", 2, "--out", home / "compare"),
        "published": (home / "published_results.csv", "--runs", 2, "--json"),
        "parameters": (),
        "variables": (),
        "measures": ("custom",),
        "validate": (home / "short.toml",),
        "schedule": ("--json",),
        "coverage": (),
        "classify": ("--catalogue", "--regime", "us_2023_11", "--json"),
        "facts": (run, "--json"),
        "performance": (home / "perf_points.csv", "--json"),
        "frontier": ("--model", "deepseek_r1", "--accelerators", "nvidia_h100_sxm", "--json"),
        "cost": ("--tier", "medium", "--quarter", "2026Q4", "--json"),
        "report": (run, "--out", home / "report", "--detail-runs", 0),
        "dashboard": ("--help",),
    }
    runner, answers = CliRunner(), {}
    with pytest.MonkeyPatch.context() as here:
        here.chdir(home)
        for name, arguments in calls.items():
            done = runner.invoke(app, [name, *map(str, arguments)])
            fault = (
                ""
                if done.exception is None or isinstance(done.exception, SystemExit)
                else repr(done.exception)
            )
            answers[name] = (done.exit_code, fault or done.output)
    return answers


def names() -> list[str]:
    """Return the names of all commands."""
    return sorted(str(one.name or one.callback.__name__) for one in app.registered_commands if one.callback)


@pytest.mark.parametrize("name", names())
def test_a_command_does_what_it_is_called_for(said: dict[str, tuple[int, str]], name: str) -> None:
    code, output = said[name]
    assert code == 0, output
    assert output.strip() or name in ("batch",), "it says nothing"


def test_what_they_write_is_there(said: dict[str, tuple[int, str]], home: Path) -> None:
    for made in (
        "run/results.parquet",
        "results.csv",
        "report/index.html",
        "compare/measures.png",
        "fork/manifest.json",
    ):
        assert (home / made).stat().st_size > 100, made


def test_a_command_that_does_not_exist_is_refused(command: Callable[..., Any]) -> None:
    assert command("predict")[0] == 2
