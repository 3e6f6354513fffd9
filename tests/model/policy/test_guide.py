"""The guide of docs/policy.md runs as written, and its list of levers is whole."""

import csv
import re
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest

from computemarket.model.core.parameters import schema

ROOT = Path(__file__).parents[3]
GUIDE = (ROOT / "docs" / "policy.md").read_text("utf-8")
BLOCK = re.compile(r"^```\n(.*?)^```$", re.MULTILINE | re.DOTALL)
RUNS = 2  # the guide says more; a test needs to see that it runs
WRITTEN = (
    "out/tight/differences.csv", "out/tight/differences.png", "out/tight/waterfall.csv", "out/tight/waterfall.png",
    "out/mine/differences.csv", "out/sweep/frontier.csv", "out/sweep/frontier.png", "out/parts/attribution.csv",
    "out/parts/attribution.png",
)  # fmt: skip


def levers():
    text = files("computemarket.model.data").joinpath("policy", "policy_levers.csv").read_text("utf-8")
    return list(csv.DictReader(text.splitlines()))


def explained():
    """Return the levers of the table of those that are not parameters."""
    rows = GUIDE.split("| lever | why not |")[1].split("\n\n")[0].splitlines()
    return {name for row in rows if "|" in row for name in re.findall(r"`(\w+)`", row.split("|")[1])}


@pytest.mark.parametrize("row", levers(), ids=lambda row: row["lever"])
def test_every_recorded_lever_is_a_parameter_or_explained(row):
    name = row["lever"]
    parameter = schema().get(f"policy.{name}")
    assert (parameter is None) == (name in explained()), name
    if parameter is not None:
        assert parameter.unit
        assert parameter.source
        assert parameter.low < parameter.high


def test_the_guide_runs_as_written(tmp_path):
    commands = "\n".join(BLOCK.findall(GUIDE.split("## What happens in the market")[0]))
    assert commands.count("computemarket ") >= 5
    script = f'set -e\ncomputemarket() {{ "{sys.executable}" -m computemarket "$@"; }}\n' + re.sub(
        r"--runs \d+", f"--runs {RUNS}", commands
    )
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)  # noqa: S603, S607
    assert done.returncode == 0, done.stderr
    assert all((tmp_path / name).stat().st_size > 0 for name in WRITTEN)


def test_every_scenario_that_the_guide_names_is_in_the_library():
    from computemarket.scenarios.schema import library_names

    listed = GUIDE.split("The library holds ")[1].split("; `computemarket scenarios`")[0]
    assert set(re.findall(r"`(\w+)`", listed)) <= set(library_names())
