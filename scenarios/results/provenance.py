"""Where results come from: what a folder of results says of itself, and whether that can still be believed.

A folder is of a run (results.parquet, scenario.toml, manifest.json) or of a batch (see `store`).
"""

import hashlib
import platform
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

from computemarket.errors import InputError
from computemarket.model.core.given_files import read_given
from computemarket.scenarios.results.manifests import MANIFEST, RUN, believed, is_unchecked
from computemarket.scenarios.results.store import version_of_model
from computemarket.scenarios.schema import LARGEST_SCENARIO, Scenario, check_runs, load_scenario, read_quarter

FORMAT = 2  # of the folder of a run: raised when older ones are not read as they were meant
RESULTS, SCENARIO = "results.parquet", "scenario.toml"
_PACKAGES = ("computemarket", "mesa", "numpy", "pandas", "pyarrow", "scipy", "networkx")
_DATA = (".csv", ".toml")
_PIECE = 2**20  # bytes hashed at a time


def package_versions() -> dict[str, str]:
    """Return what results are made with: a hash of the model's code and data, and the packages that compute."""
    return {"model": version_of_model(), **{name: version(name) for name in _PACKAGES}}


@cache
def data_sha256() -> dict[str, str]:
    """Return the hash of every file of facts and parameters that the model reads, by its path in the package."""
    root = Path(str(files("computemarket.model.data")))
    paths = sorted(path for path in root.rglob("*") if path.suffix in _DATA)
    return {f"model/data/{path.relative_to(root).as_posix()}": file_sha256(path) for path in paths}


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file, read in pieces."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            found.update(piece)
    return found.hexdigest()


def read_run_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of a run as it was written.

    Raises
    ------
    InputError
        if it is of another kind or format, was changed, or what it needs to say is missing.
    """
    held = believed(folder, RUN, FORMAT)
    path = str(folder / MANIFEST)
    kinds = {"scenario": str, "seed": int, "runs": int, "digest": str, "versions": Mapping, "until": str}
    for key, kind in kinds.items():
        if not isinstance(held.get(key), kind) or isinstance(held.get(key), bool):
            raise InputError(f"{path}: {key}", held.get(key), "what a manifest of a run says there")
    check_runs(held["runs"], f"{path}: runs")
    read_quarter(held["until"], f"{path}: until")
    return held


def scenario_of(folder: Path) -> Scenario:
    """Return the scenario of a run, from nothing but its folder.

    Raises
    ------
    InputError
        if scenario and manifest do not belong together.
    """
    held = read_run_manifest(folder)
    check_scenario(folder, held)
    return replace(load_scenario(folder / SCENARIO), name=held["scenario"])


def check_scenario(folder: Path, held: Mapping[str, Any]) -> None:
    """Refuse the scenario of a run that is not the one its manifest holds."""
    if is_unchecked():
        return
    path = folder / SCENARIO
    if not path.is_file():
        raise InputError("results", str(folder), f"whole: {SCENARIO} is missing")
    if read_given(path, "results", LARGEST_SCENARIO) != str(held.get("scenario_text")).encode():
        raise InputError(str(path), "a changed file", "the scenario that was run")


def changed_versions(held: Mapping[str, Any]) -> list[str]:
    """Return what results were made with that is not what is here, each as one phrase."""
    then = {"python": held.get("python"), "machine": held.get("machine"), **held["versions"]}
    now = {**package_versions(), "python": platform.python_version(), "machine": platform.machine()}
    found = [
        f"{name} {then[name]} then, {value} now"
        for name, value in now.items()
        if then.get(name) is not None and then[name] != value
    ]
    data, here = held.get("data"), data_sha256()
    if not isinstance(data, Mapping):
        return found
    names = sorted(name for name in {*data, *here} if data.get(name) != here.get(name))
    return [*found, f"{len(names)} data files ({names[0]}, …)"] if names else found
