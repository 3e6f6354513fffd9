"""Manifests: what a folder of results says of itself, sealed so that a change of it shows."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from computemarket.errors import InputError
from computemarket.model.core.given_files import read_given

MANIFEST = "manifest.json"
SEAL = "seal"
RUN, BATCH = "run", "batch"
_LARGEST = 100_000_000  # bytes: a batch of 10,000 cases says a few million
_WAY_OUT = "make the results again, or read them with --unchecked"
_unchecked: ContextVar[bool] = ContextVar("unchecked", default=False)


@contextmanager
def unchecked(wanted: bool = True) -> Iterator[None]:
    """Let results be read that were changed, or that another version made, as far as that goes."""
    before = _unchecked.set(wanted)
    try:
        yield
    finally:
        _unchecked.reset(before)


def is_unchecked() -> bool:
    """Say whether results are being read without a check."""
    return _unchecked.get()


def sealed(held: Mapping[str, Any]) -> dict[str, Any]:
    """Return a manifest with the hash of what it says."""
    plain = json.loads(json.dumps(held))
    return {**plain, SEAL: _seal(plain)}


def _seal(held: Mapping[str, Any]) -> str:
    told = {key: value for key, value in held.items() if key != SEAL}
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def manifest_bytes(held: Mapping[str, Any]) -> bytes:
    """Return a manifest, sealed, as the text of its file."""
    return (json.dumps(sealed(held), indent=1, ensure_ascii=False) + "\n").encode()


def read_any_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of a folder of results, of whichever kind and format, without believing it.

    Raises
    ------
    InputError
        if there is none, or it is not one of ours.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise InputError("results", str(folder), f"a folder of results: it holds no {MANIFEST}")
    try:
        held = json.loads(read_given(path, "results", _LARGEST))
    except InputError:
        raise
    except (ValueError, RecursionError) as error:
        raise InputError(str(path), "damaged text", "the manifest of results") from error
    if not isinstance(held, dict) or "versions" not in held:
        raise InputError(str(path), "other data", "the manifest of results")
    return held


def kind_of(folder: Path) -> str:
    """Return whether a folder holds the results of a run or of a batch.

    Raises
    ------
    InputError
        if it holds neither.
    """
    return BATCH if "study" in read_any_manifest(folder) else RUN


def believed(folder: Path, kind: str, wanted: int) -> dict[str, Any]:
    """Return the manifest of a folder, of the kind and format wanted and as it was written.

    Parameters
    ----------
    kind : "run" or "batch"
    wanted : number of the format

    Raises
    ------
    InputError
        if it is of another kind or format, or was changed.
    """
    held = read_any_manifest(folder)
    path = str(folder / MANIFEST)
    if ("study" in held) != (kind == BATCH):
        raise InputError("results", str(folder), f"the folder of a {kind}")
    if is_unchecked():
        return held
    if type(held.get("format")) is not int or held["format"] != wanted:
        allowed = f"format {wanted} of the results of a {kind}: it is of another version{_made_by(held)}; {_WAY_OUT}"
        raise InputError(f"{path}: format", held.get("format"), allowed)
    if held.get(SEAL) != _seal(held):
        raise InputError(str(path), "a changed file", f"the manifest that was written; {_WAY_OUT}")
    return held


def _made_by(held: Mapping[str, Any]) -> str:
    told = held["versions"]
    made = told.get("computemarket") if isinstance(told, Mapping) else None
    return f" ({made})" if isinstance(made, str) else ""
