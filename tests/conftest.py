"""What the tests share: where the checkout is, and a profile that keeps hypothesis repeatable."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings

os.environ.setdefault("COMPUTEMARKET_GUARD", "1")  # no step may do what the schedule does not declare

# Results must not depend on the machine's speed or on chance: no deadline, the same examples each time.
settings.register_profile("repeatable", deadline=None, derandomize=True, database=None)
settings.load_profile("repeatable")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the switch that writes the baselines anew."""
    parser.addoption(
        "--update-baselines",
        action="store_true",
        help="write tests/baselines/*.json anew from what the market does today",
    )


@pytest.fixture(scope="session")
def checkout() -> Path:
    """Return the root of the checkout, also when the installed wheel is what is tested."""
    return Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def market_after() -> Callable[..., Any]:
    """Return a function that simulates six runs of the baseline for some quarters: (quarters, area__key=value, …)."""
    from computemarket.scenarios.assembly import assemble
    from computemarket.scenarios.batches.ensemble import prepare

    def simulated(quarters: int = 0, **changed: Any) -> Any:
        dotted = {name.replace("__", "."): value for name, value in changed.items()}
        scenario = prepare("baseline", seed=1).with_settings(dotted)
        market = assemble(scenario, np.arange(6), frozenset())
        for _ in range(quarters):
            market.step()
        return market

    return simulated


@pytest.fixture(scope="session")
def as_made() -> Callable[..., Path]:
    """Return a function that gives a folder with results.parquet what a run of it would: (folder, **manifest)."""
    from computemarket.scenarios.batches.ensemble import manifest, prepare
    from computemarket.scenarios.results.manifests import MANIFEST, manifest_bytes
    from computemarket.scenarios.results.open_results import _runs_in
    from computemarket.scenarios.results.provenance import file_sha256

    def complete(folder: Path, **changes: Any) -> Path:
        path = folder / MANIFEST
        results = folder / "results.parquet"
        if path.exists():
            told = json.loads(path.read_text())
        else:
            told = manifest(prepare("baseline", until="2022Q1"), _runs_in(results))
            (folder / "scenario.toml").write_text(str(told["scenario_text"]))
        path.write_bytes(manifest_bytes({**told, "digest": file_sha256(results), **changes}))
        return folder

    return complete


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """Return a function that runs the command line in this process: arguments -> (exit code, stdout, stderr)."""
    from computemarket.cli import main

    def run(*arguments: object) -> tuple[Any, str, str]:
        monkeypatch.setattr(sys, "argv", ["computemarket", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        shown = capsys.readouterr()
        return ended.value.code, shown.out, shown.err

    return run
