"""Where results come from: what a folder of results says of itself, and whether that can still be believed.

A folder is of a run (results.parquet, scenario.toml, manifest.json) or of a batch (see `store`).
"""

import hashlib
import json
import platform
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

from computemarket.errors import InputError
from computemarket.scenarios.schema import Scenario, load_scenario
from computemarket.scenarios.store import version_of_model

FORMAT = 1  # of the manifest of a run
RESULTS, SCENARIO, MANIFEST = "results.parquet", "scenario.toml", "manifest.json"
RUN, BATCH = "run", "batch"
_PACKAGES = ("computemarket", "mesa", "numpy", "pandas", "pyarrow", "scipy", "networkx")
_DATA = (".csv", ".toml")
_LARGEST_MANIFEST = 100_000_000  # bytes
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


def kind_of(folder: Path) -> str:
    """Return whether a folder holds the results of a run or of a batch.

    Raises
    ------
    InputError
        if it holds neither.
    """
    return BATCH if "study" in read_any_manifest(folder) else RUN


def read_any_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of a folder of results, whichever kind.

    Raises
    ------
    InputError
        if there is none, or it is not one of ours.
    """
    path = folder / MANIFEST
    try:
        if path.stat().st_size > _LARGEST_MANIFEST:
            raise InputError(str(path), "a larger file", "the manifest of results")
        held = json.loads(path.read_bytes())
    except OSError as error:
        allowed = f"a folder of results ({error.strerror}: {MANIFEST})"
        raise InputError("results", str(folder), allowed) from error
    except (ValueError, RecursionError) as error:
        raise InputError(str(path), "damaged text", "the manifest of results") from error
    if not isinstance(held, Mapping) or not {"versions"} <= set(held):
        raise InputError(str(path), "other data", "the manifest of results")
    return dict(held)


def read_run_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of a run.

    Raises
    ------
    InputError
        if it is of another kind or format, or what it needs to say is missing.
    """
    held = read_any_manifest(folder)
    path = str(folder / MANIFEST)
    if held.get("format") != FORMAT:
        told = held.get("versions")
        of = told.get("computemarket", "unknown") if isinstance(told, Mapping) else "unknown"
        raise InputError(path, held.get("format"), f"of format {FORMAT}: it is of another version ({of})")
    kinds = {"scenario": str, "seed": int, "runs": int, "digest": str, "versions": Mapping, "until": str}
    for key, kind in kinds.items():
        if not isinstance(held.get(key), kind) or isinstance(held.get(key), bool):
            raise InputError(f"{path}: {key}", held.get(key), "what a manifest of a run says there")
    return held


def scenario_of(folder: Path) -> Scenario:
    """Return the scenario of a run, from nothing but its folder.

    Raises
    ------
    InputError
        if scenario and manifest do not belong together.
    """
    held = read_run_manifest(folder)
    path = folder / SCENARIO
    try:
        text = path.read_bytes()
    except OSError as error:
        raise InputError("results", str(folder), f"whole ({error.strerror}: {SCENARIO})") from error
    if text != str(held.get("scenario_text")).encode():
        raise InputError(str(path), "a changed file", "the scenario that was run")
    return replace(load_scenario(path), name=held["scenario"])


def check_whole(folder: Path) -> dict[str, Any]:
    """Return the manifest of a run whose results are the ones it describes.

    Raises
    ------
    InputError
        if results.parquet is missing or has another digest.
    """
    held = read_run_manifest(folder)
    path = folder / RESULTS
    try:
        found = file_sha256(path)
    except OSError as error:
        raise InputError("results", str(folder), f"whole ({error.strerror}: {RESULTS})") from error
    if found != held["digest"]:
        raise InputError(str(path), f"sha256 {found[:16]}…", f"what was run (sha256 {held['digest'][:16]}…)")
    return held


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
