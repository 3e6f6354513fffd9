"""The store of a batch: a folder of Parquet parts, each there whole or not there, and all that is needed to repeat it.

DIR/manifest.json       what was asked, with what it was made, how far it is, the digest
DIR/study.toml          the study as it was written, where it came from a file
DIR/scenarios/*.toml    the scenario of each case with every parameter written out
DIR/parts/*.parquet     one file for each chunk of runs
DIR/failures/*.json     the runs missing from a part, each with its error and parameters
"""

import fcntl
import hashlib
import json
import os
import platform
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

from computemarket.errors import InputError
from computemarket.scenarios.chunk import RUNS, Failure, Outcome, Work, identity_of_part
from computemarket.scenarios.designs import Design
from computemarket.scenarios.recording import Reduction, read_recording
from computemarket.scenarios.resolved import resolved_text
from computemarket.scenarios.schema import load_scenario
from computemarket.scenarios.study import Case, Study

FORMAT = 1
MANIFEST = "manifest.json"
RUNNING, COMPLETE = "running", "complete"
_EXACT = ("computemarket", "numpy", "pyarrow")  # versions that decide the bytes
_ALSO = ("mesa", "pandas", "scipy")
_CODE = ("model", "agents", "scenarios")
_CASE_FILE = re.compile(r"scenarios/case-\d{4,}\.toml")
_CHUNK = re.compile(r"\d{4,}-\d{9}")
_SUFFIXES = (".py", ".toml", ".csv")


@cache
def version_of_model() -> str:
    """Return a hash of everything that decides results: code and data of the parts below the analysis."""
    found = hashlib.sha256()
    for part in _CODE:
        root = Path(str(files(f"computemarket.{part}")))
        names = sorted(
            path.relative_to(root).as_posix() for path in root.rglob("*") if path.suffix in _SUFFIXES
        )
        for name in names:
            if part == "scenarios" and name.split("/")[0] in ("library", "studies"):
                continue  # they are resolved into the manifest
            found.update(f"{part}/{name}\0".encode() + (root / name).read_bytes() + b"\0")
    return found.hexdigest()[:16]


def versions() -> dict[str, str]:
    """Return what a result depends on beside the study."""
    exact = {name: version(name) for name in _EXACT}
    return {"model": version_of_model(), **exact, "machine": platform.machine()}


def case_file(place: int) -> str:
    """Return the name of a case's scenario inside a store."""
    return f"scenarios/case-{place:04d}.toml"


def describe(study: Study) -> dict[str, Any]:
    """Return a study as plain data: everything that decides its results."""
    return {
        "name": study.name,
        "description": study.description,
        "cases": [
            {
                "scenario": case.scenario.name,
                "policy": case.policy,
                "seed": case.scenario.seed,
                "until": case.scenario.until,
                "file": case_file(place),
                "sha256": _sha256(resolved_text(case.scenario).encode()),
            }
            for place, case in enumerate(study.cases)
        ],
        "uncertainties": list(study.uncertainties),
        "design": asdict(study.design),
        "runs": study.runs,
        "shocks": study.shocks,
        "recording": study.recording.text,
    }


def identity(study: Study) -> str:
    """Return the name of a study's results: equal where and only where the bytes have to be."""
    whole = {"format": FORMAT, "study": describe(study), "versions": versions(), "chunk_runs": RUNS}
    return _sha256(json.dumps(whole, sort_keys=True).encode())[:32]


def work_of(study: Study) -> Work:
    """Return what workers need to know of a study."""
    cases = tuple((case.scenario, case.policy) for case in study.cases)
    return Work(cases, study.uncertainties, study.runs, study.recording, identity(study))


@dataclass
class Store:
    """An open store that belongs to this process.

    Parameters
    ----------
    done : hash of each part that is there
    """

    folder: Path
    study: Study
    identity: str
    done: dict[str, str]

    def write(self, outcome: Outcome) -> None:
        """Add the part of a chunk; a record of its failures comes first, so that none is ever missing."""
        with _writing(self.folder):
            self._write(outcome)
        self.done[outcome.key] = _sha256(outcome.data)

    def _write(self, outcome: Outcome) -> None:
        record = self.folder / "failures" / f"{outcome.key}.json"
        if outcome.failures:
            record.parent.mkdir(exist_ok=True)
            text = json.dumps([asdict(failure) for failure in outcome.failures], indent=1)
            write_whole(record, text.encode())
        write_whole(self.folder / "parts" / f"{outcome.key}.parquet", outcome.data)
        if not outcome.failures:
            record.unlink(missing_ok=True)

    def failures(self) -> list[Failure]:
        """Return the runs that failed."""
        return read_failures(self.folder)

    def digest(self) -> str:
        """Return one hash of all parts: the same for the same study, whoever computed it and in which order."""
        lines = "".join(f"{key} {value}\n" for key, value in sorted(self.done.items()))
        return _sha256(lines.encode())

    @property
    def runs(self) -> int:
        """Number of runs whose chunks are there, failed ones among them."""
        most = self.study.runs_of_case
        return sum(min(RUNS, most - int(key.split("-")[1])) for key in self.done)

    def finish(self, **found: object) -> dict[str, Any]:
        """Write the manifest of a complete store."""
        extra = {"runs": self.runs, "failed": len(self.failures()), "digest": self.digest(), **found}
        manifest = _manifest(self.study, self.identity, COMPLETE, extra)
        with _writing(self.folder):
            write_whole(self.folder / MANIFEST, _json(manifest))
        return manifest

    def reopen(self) -> None:
        """Say that a complete store is being worked on again."""
        with _writing(self.folder):
            write_whole(self.folder / MANIFEST, _json(_manifest(self.study, self.identity, RUNNING, {})))


@contextmanager
def open_store(folder: Path, study: Study, text: bytes | None = None) -> Iterator[Store]:
    """Open a folder for the results of a study: a new one, or one that holds some of them.

    Parameters
    ----------
    text : the study file, kept beside the results

    Raises
    ------
    InputError
        if the folder cannot be written, is in use, holds anything else, or another study or version.
    """
    named = identity(study)
    with _writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        _check_folder(folder, named, study)
    with _lock(folder):
        with _writing(folder):
            store = _opened(folder, study, named, text)
        yield store


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """Turn what the operating system says of a folder into one line."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        allowed = (
            f"a folder that can be written ({reason}); what is there is whole, and the same command goes on"
        )
        raise InputError("--out", str(folder), allowed) from error


def _opened(folder: Path, study: Study, named: str, text: bytes | None) -> Store:
    """Sweep what a killed batch left, lay out a new store, look at what is there."""
    parts = folder / "parts"
    parts.mkdir(exist_ok=True)
    for stray in (*folder.glob(".*.part"), *folder.glob("*/.*.part")):
        stray.unlink()
    (folder / "scenarios").mkdir(exist_ok=True)
    for place, case in enumerate(study.cases):
        _keep(folder / case_file(place), resolved_text(case.scenario).encode())
    if not (folder / MANIFEST).exists():
        if text is not None:
            write_whole(folder / "study.toml", text)
        write_whole(folder / MANIFEST, _json(_manifest(study, named, RUNNING, {})))
    return Store(folder, study, named, dict(_held(parts, named)))


def _keep(path: Path, data: bytes) -> None:
    """Write a file unless it is there as it should be."""
    if not path.is_file() or path.read_bytes() != data:
        write_whole(path, data)


def _held(parts: Path, named: str) -> Iterator[tuple[str, str]]:
    """Yield (chunk, hash) of the parts that are there; one of another study is refused."""
    for path in sorted(parts.iterdir()):
        check_part(path, named)
        yield path.stem, _sha256(path.read_bytes())


def check_part(path: Path, named: str) -> None:
    """Refuse a file that is not a whole part of the study of that identity."""
    try:
        found = identity_of_part(path) if path.suffix == ".parquet" else ("", "")
    except Exception as error:
        raise InputError(
            str(path), "a damaged file", "a part of this batch; move it away, it will be made again"
        ) from error
    if found != (named, path.stem):
        raise InputError(str(path), "a strange file", "a part of this batch; move it away")


def runs_held(folder: Path, study: Study) -> int:
    """Return how many runs of a study a folder holds already.

    Raises
    ------
    InputError
        if the folder could not be used for the study.
    """
    with _writing(folder):
        if not folder.exists():
            return 0
        _check_folder(folder, identity(study), study)
        names = [path.stem for path in (folder / "parts").glob("*.parquet")]
    starts = [int(name.split("-")[1]) for name in names if _CHUNK.fullmatch(name)]
    return sum(min(RUNS, study.runs_of_case - start) for start in starts)


def _check_folder(folder: Path, named: str, study: Study) -> None:
    """Refuse a folder that holds anything but (some of) this study's results."""
    path = folder / MANIFEST
    if not path.exists():
        strangers = sorted(entry.name for entry in folder.iterdir() if not _ours_before_manifest(entry.name))
        if strangers:
            raise InputError("--out", str(folder), f"empty or a batch's own: it holds {strangers[0]}")
        return
    held = read_manifest(folder)
    if held["identity"] == named:
        return
    made, had = (held[key] if isinstance(held[key], Mapping) else {} for key in ("versions", "study"))
    differ = sorted(name for name, value in versions().items() if made.get(name) != value)
    asked = describe(study)
    other = sorted(key for key in asked if had.get(key) != json.loads(json.dumps(asked[key])))
    why = (
        f"another study: {', '.join(other)}" if other else f"another version: {', '.join(differ) or 'format'}"
    )
    raise InputError("--out", str(folder), f"free for these results: it holds those of {why}")


def _ours_before_manifest(name: str) -> bool:
    return name in ("scenarios", "study.toml", "parts", ".lock") or name.endswith(".part")


@contextmanager
def _lock(folder: Path) -> Iterator[None]:
    """Keep others out; the lock goes when this process does, however it ends."""
    with _writing(folder):
        file = (folder / ".lock").open("w")
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InputError("--out", str(folder), "free: another batch is writing there") from error
        except OSError as error:
            reason = f"on a disk that can lock files ({error.strerror})"
            raise InputError("--out", str(folder), reason) from error
        yield


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of a store.

    Raises
    ------
    InputError
        if the folder holds none, or one that this version cannot read.
    """
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_bytes())
    except OSError as error:
        raise InputError("store", str(folder), f"the folder of a batch ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise InputError(str(path), "damaged text", "the manifest of a batch") from error
    if not isinstance(manifest, Mapping) or not {"identity", "study", "versions"} <= set(manifest):
        raise InputError(str(path), "other data", "the manifest of a batch")
    if manifest.get("format") != FORMAT:
        raise InputError(str(path), manifest.get("format"), f"of format {FORMAT}: it is of another version")
    if not isinstance(manifest["versions"], Mapping) or not _describes(manifest["study"]):
        raise InputError(str(path), "changed text", "the manifest of a batch")
    return dict(manifest)


def _describes(study: Any) -> bool:
    """Say whether plain data describes a study as far as to name its cases."""
    cases = study.get("cases") if isinstance(study, Mapping) else None
    return isinstance(cases, list) and all(
        isinstance(case, Mapping) and all(isinstance(case.get(key), str) for key in ("scenario", "policy"))
        for case in cases
    )


def read_failures(folder: Path) -> list[Failure]:
    """Return the failed runs of a store."""
    found = []
    for path in sorted((folder / "failures").glob("*.json")):
        try:
            for record in map(_failure, json.loads(path.read_bytes())):
                found.append(record)
        except (OSError, ValueError, TypeError, RecursionError) as error:
            raise InputError(str(path), "damaged text", "a record of failures") from error
    return found


def _failure(record: Any) -> Failure:
    """Return a record of a failure; TypeError where it is none."""
    found = Failure(**record)
    numbers, texts = (found.run, found.point, found.seed), (found.scenario, found.policy, found.error)
    if not all(type(one) is int for one in numbers) or not all(isinstance(one, str) for one in texts):
        raise TypeError("numbers and texts of a failure")
    return found


def study_of(folder: Path, headline: Reduction | None = None) -> Study:
    """Return the study of a store, from nothing but the store.

    Raises
    ------
    InputError
        if the store has been changed.
    """
    held = read_manifest(folder)["study"]
    try:
        cases = tuple(_case_of(folder, one) for one in held["cases"])
        design = held["design"]
        numbers = tuple((str(key), int(value)) for key, value in design["numbers"])
        levels = tuple(tuple(float(level) for level in row) for row in design["levels_of"])
        return Study(
            held["name"], held["description"], cases, tuple(held["uncertainties"]),
            Design(**{**design, "numbers": numbers, "levels_of": levels}),
            held["runs"], held["shocks"], read_recording(held["recording"], headline, "manifest: recording"),
        )  # fmt: skip
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(str(folder / MANIFEST), "other data", "the manifest of a batch") from error


def _case_of(folder: Path, held: Mapping[str, Any]) -> Case:
    name = str(held["file"])
    path = folder / name
    if not _CASE_FILE.fullmatch(name):  # nothing outside the folder is ever read
        raise InputError(str(folder / MANIFEST), name, "the name of a case's scenario")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError("store", str(folder), f"whole ({error.strerror}: {name})") from error
    if _sha256(data) != held["sha256"]:
        raise InputError(str(path), "a changed file", "the scenario that was run")
    loaded = load_scenario(path)
    return Case(replace(loaded, name=held["scenario"]), held["policy"])


def parts_of(folder: Path) -> list[Path]:
    """Return the parts of a store in order of case and run."""
    found = sorted((folder / "parts").glob("*.parquet"))
    if not found:
        raise InputError("store", str(folder), "a batch with results: it has none yet")
    return found


def dataset_of(folder: Path) -> Any:
    """Return the rows of a store as a pyarrow Dataset, to be read in pieces."""
    import pyarrow as pa
    import pyarrow.dataset as ds

    named = read_manifest(folder)["identity"]
    for path in parts_of(folder):
        check_part(path, named)
    try:
        return ds.dataset([str(path) for path in parts_of(folder)], format="parquet")
    except (pa.ArrowException, OSError) as error:
        raise InputError("store", str(folder), "readable") from error


def write_whole(target: Path, data: bytes) -> None:
    """Write a file so that it is there whole or not there, also when the power fails."""
    hidden = target.with_name(f".{target.name}.part")
    try:
        with hidden.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        hidden.replace(target)
    except OSError:
        hidden.unlink(missing_ok=True)
        raise


def _manifest(study: Study, named: str, status: str, extra: Mapping[str, object]) -> dict[str, Any]:
    from computemarket.scenarios.provenance import data_sha256  # it builds on this module

    return {
        "format": FORMAT,
        "identity": named,
        "status": status,
        **extra,
        "study": describe(study),
        "versions": {
            **versions(),
            **{name: version(name) for name in _ALSO},
            "python": platform.python_version(),
        },
        "chunk_runs": RUNS,
        "data": data_sha256(),
    }


def _json(data: object) -> bytes:
    return (json.dumps(data, indent=1, ensure_ascii=False) + "\n").encode()


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
