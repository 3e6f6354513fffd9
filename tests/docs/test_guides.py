"""The guides are true: every step they show is carried out on a copy of the program."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from computemarket.scenarios.batches.ensemble import simulate
from computemarket.scenarios.schema import load_scenario

GUIDES = Path(__file__).resolve().parents[2] / "docs" / "guides"
STEP = re.compile(r"```\{code-block\} \w+\n:caption: (?P<caption>.+?)\n\n(?P<text>.+?)```", re.DOTALL)
PARTS = ("model", "agents", "scenarios", "analysis")
SHORT = "2029Q2"
MOST_FILES = 6  # that an actor with a law, a parameter and a recorded variable touches


def steps(guide):
    """Return (caption, text) of every step of a guide."""
    return STEP.findall((GUIDES / f"{guide}.md").read_text("utf-8"))


def carry_out(folder, caption, text):
    """Do in a folder what a step says."""
    if found := re.fullmatch(r"new file (\S+)", caption):
        (folder / found[1]).write_text(text)
    elif found := re.fullmatch(r"append to (\S+)", caption):
        path = folder / found[1]
        path.write_text(path.read_text("utf-8") + text, "utf-8")
    else:
        found = re.fullmatch(r'in (\S+), after "(.+)"', caption)
        assert found, caption
        path = folder / found[1]
        lines = path.read_text("utf-8").split("\n")
        bare = [line.strip().removeprefix("# ") for line in lines]
        assert bare.count(found[2].strip()) == 1, f"{found[1]} holds no line {found[2]!r}, or several"
        lines.insert(bare.index(found[2].strip()) + 1, text.rstrip("\n"))
        path.write_text("\n".join(lines), "utf-8")


def files_of(guide):
    """Return the files that a guide makes or changes."""
    return sorted({re.search(r"(?:file|to|in) ([^\s,]+)", caption)[1] for caption, _ in steps(guide)})


def faults_of(folder, names):
    """Return what lint says of files in a copy of the program; nothing where it is content."""
    shutil.copy(GUIDES.parents[1] / "pyproject.toml", folder)
    command = [
        sys.executable,
        "-m",
        "ruff",
        "check",
        "--no-cache",
        "--quiet",
        "--output-format",
        "concise",
        *names,
    ]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603
    return done.stdout + done.stderr


@pytest.fixture
def copy(tmp_path, checkout):
    """Return a copy of the program that a test may change, and a way to run it."""
    for part in (*PARTS, "src"):
        shutil.copytree(checkout / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))

    def run(*settings):
        out = tmp_path / "out"
        options = ["--runs", "2", "--until", SHORT, "--workers", "1", "--out", str(out), *settings]
        environment = dict(os.environ) | {"PYTHONPATH": str(tmp_path / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
        command = [sys.executable, "-m", "computemarket", "run", "baseline", *options]
        done = subprocess.run(  # noqa: S603
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return pd.read_parquet(out / "results.parquet")

    return tmp_path, run


def test_the_scenario_of_the_guide_runs_and_changes_what_it_names(tmp_path):
    (step,) = steps("add_scenario")
    carry_out(tmp_path, *step)
    scenario = load_scenario(tmp_path / "dear_power.toml")
    assert set(scenario.settings) == {"power.price_usd_per_mwh", "capex.discount_rate", "tokens.elasticity"}
    wanted = frozenset({"utilisation"})
    changed = simulate(scenario, 2, until="2022Q4", variables=wanted).frame["value"]
    assert not changed.equals(simulate("baseline", 2, until="2022Q4", variables=wanted).frame["value"])


def test_the_regime_of_the_guide_acts_from_its_day(tmp_path):
    for step in steps("add_regime"):
        carry_out(tmp_path, *step)
    scenario = load_scenario(tmp_path / "memory_line_scenario.toml")
    wanted = frozenset({"china_compute_added_h100e"})
    new, old = (simulate(one, 4, until="2027Q4", variables=wanted).frame for one in (scenario, "baseline"))
    unknown = (new["quarter"].astype(str) < "2026Q4").to_numpy()
    before = (new["quarter"].astype(str) < "2027Q1").to_numpy()
    legal = (new["detail"] == "legal").to_numpy()
    pd.testing.assert_series_equal(new["value"][unknown], old["value"][unknown])
    assert new["value"][~before & legal].sum() < old["value"][~before & legal].sum()


def test_the_product_of_the_guide_is_sold(copy):
    folder, run = copy
    (step,) = steps("add_product")
    carry_out(folder, *step)
    sold = run()
    units = sold[(sold["variable"] == "accelerator_units") & (sold["detail"] == "amd_mi800x")]
    late = units["quarter"].astype(str) >= "2028Q3"
    assert units["value"][late].sum() > 0
    assert units["value"][~late].sum() == 0


def test_the_actor_of_the_guide_collects_its_levy_and_zero_changes_nothing(copy):
    folder, run = copy
    before = run()
    for step in steps("add_actor"):
        carry_out(folder, *step)
    touched = files_of("add_actor")
    assert len(touched) <= MOST_FILES
    assert faults_of(folder, [name for name in touched if name.endswith(".py")]) == ""
    idle = run()
    levy = idle["variable"] == "power_levy_usd"
    assert (idle["value"][levy] == 0).all()
    assert idle["value"][~levy].reset_index(drop=True).equals(before["value"])
    busy = run("--set", "levy.rate_usd_per_mwh=30")
    collected = busy["value"][busy["variable"] == "power_levy_usd"].sum()
    power = busy["value"][busy["variable"] == "power_mw"].sum()
    assert collected == pytest.approx(30 * power * 8766 / 4, rel=1e-9)
