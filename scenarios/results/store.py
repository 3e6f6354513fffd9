"""The store of a batch: a folder of Parquet parts, each there whole or not there, and all that is needed to repeat it.

DIR/manifest.json       what was asked, with what it was made, how far it is, the digest
DIR/study.toml          the study as it was written, where it came from a file
DIR/scenarios/*.toml    the scenario of each case with every parameter written out
DIR/parts/*.parquet     one file for each chunk of runs
DIR/failures/*.json     the runs missing from a part, each with its error and parameters
DIR/parts.sha256        the hash of every part and record, in the form that sha256sum checks
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

from computemarket.errors import InputError, is_memory
from computemarket.model.core.given_files import read_given
from computemarket.scenarios.resolved import resolved_text
from computemarket.scenarios.results.manifests import BATCH, MANIFEST, believed, is_unchecked, manifest_bytes
from computemarket.scenarios.results.part_list import LIST, PartList
from computemarket.scenarios.schema import LARGEST_SCENARIO, load_scenario
from computemarket.scenarios.studies.chunk import RUNS, Failure, Outcome, Work, identity_of_part
from computemarket.scenarios.studies.designs import Design
from computemarket.scenarios.studies.recording import Reduction, read_recording
from computemarket.scenarios.studies.study import Case, Study

FORMAT = (
    2  # of the manifest and the folder of a batch: raised when older ones are not read as they were meant
)
RUNNING, COMPLETE = "running", "complete"
_EXACT = ("computemarket", "numpy", "pyarrow")  # versions that decide the bytes
_ALSO = ("mesa", "pandas", "scipy")
_CODE = ("model", "agents", "scenarios")
_CASE_FILE = re.compile(r"scenarios/case-\d{4,}\.toml")
_LARGEST_RECORD = 100_000_000  # bytes of the failures of a chunk
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


def part_file(key: str) -> str:
    """Return the name of a chunk's part inside a store."""
    return f"parts/{key}.parquet"


def failure_file(key: str) -> str:
    """Return the name of the record of a chunk's failures inside a store."""
    return f"failures/{key}.json"


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
    lost : hash of each part that was there once and is missing
    """

    folder: Path
    study: Study
    identity: str
    done: dict[str, str]
    lost: dict[str, str]

    def write(self, outcome: Outcome) -> None:
        """Add the part of a chunk; a record of its failures comes first, so that none is ever missing."""
        found = _sha256(outcome.data)
        if not outcome.failures and self.lost.get(outcome.key, found) != found:
            where = str(self.folder / part_file(outcome.key))
            raise InputError(
                where, "other bytes than were there", "what this machine computes: a library differs"
            )
        with _writing(self.folder):
            self._write(outcome, found)
        self.done[outcome.key] = found

    def _write(self, outcome: Outcome, found: str) -> None:
        """Write record, part and their line of the list, in this order: a part without a line counts for nothing."""
        record = self.folder / failure_file(outcome.key)
        told = b""
        if outcome.failures:
            record.parent.mkdir(exist_ok=True)
            told = json.dumps([asdict(failure) for failure in outcome.failures], indent=1).encode()
            write_whole(record, told)
        write_whole(self.folder / part_file(outcome.key), outcome.data)
        if not outcome.failures:
            record.unlink(missing_ok=True)
        PartList.add(self.folder, outcome.key, found, _sha256(told) if told else "")

    def failures(self) -> list[Failure]:
        """Return the runs that failed."""
        return read_failures(self.folder)

    def digest(self) -> str:
        """Return one hash of all parts: the same for the same study, whoever computed it and in which order."""
        return digest_of(self.done)

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
            write_whole(self.folder / LIST, PartList.read(self.folder).text().encode())
            write_whole(self.folder / MANIFEST, manifest_bytes(manifest))
        return manifest

    def reopen(self) -> None:
        """Say that a complete store is being worked on again."""
        with _writing(self.folder):
            running = _manifest(self.study, self.identity, RUNNING, {})
            write_whole(self.folder / MANIFEST, manifest_bytes(running))


def digest_of(parts: Mapping[str, str]) -> str:
    """Return one hash of the hashes of all parts, by chunk."""
    lines = "".join(f"{key} {value}\n" for key, value in sorted(parts.items()))
    return _sha256(lines.encode())


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
        if not (folder / LIST).exists():
            write_whole(folder / LIST, b"")
        write_whole(folder / MANIFEST, manifest_bytes(_manifest(study, named, RUNNING, {})))
    done, lost = _held(folder, named)
    if not (folder / LIST).read_bytes().endswith(b"\n"):  # its last line was cut short: it is begun anew
        write_whole(folder / LIST, PartList.read(folder).text().encode())
    return Store(folder, study, named, done, lost)


def _keep(path: Path, data: bytes) -> None:
    """Write a file unless it is there as it should be."""
    if not path.is_file() or path.read_bytes() != data:
        write_whole(path, data)


def _held(folder: Path, named: str) -> tuple[dict[str, str], dict[str, str]]:
    """Return the hashes of the parts that are there as they were written, and of those that are missing.

    A part that is not on the list was being written when a batch was killed: it is made again.
    """
    there = sorted((folder / "parts").iterdir())
    for path in there:
        check_part(path, named)
    listed = PartList.read(folder)
    done: dict[str, str] = {}
    lost: dict[str, str] = {}
    for key, wanted in listed.digests.items():
        missing = [name for name in listed.files_of(key) if not (folder / name).is_file()]
        (lost if missing else done)[key] = wanted
    listed.check(folder, done)
    return done, lost


def check_part(path: Path, named: str) -> None:
    """Refuse a file that is not a whole part of the study of that identity."""
    try:
        found = identity_of_part(path) if path.suffix == ".parquet" else ("", "")
    except MemoryError:
        raise
    except Exception as error:
        if is_memory(error):
            raise MemoryError(str(path)) from error
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
        listed = PartList.read(folder).digests if (folder / LIST).exists() else {}
        names = [key for key in listed if (folder / part_file(key)).is_file()]
    starts = [int(name.split("-")[1]) for name in names]
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
    return name in ("scenarios", "study.toml", "parts", LIST, ".lock") or name.endswith(".part")


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
    """Return the manifest of a store as it was written.

    Raises
    ------
    InputError
        if the folder holds none, or one that this version cannot read, or that was changed.
    """
    held = believed(folder, BATCH, FORMAT)
    path = str(folder / MANIFEST)
    if not {"identity", "status"} <= set(held):
        raise InputError(path, "other data", "the manifest of a batch")
    if not isinstance(held["versions"], Mapping) or not _describes(held["study"]):
        raise InputError(path, "changed text", "the manifest of a batch")
    return held


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
            told = json.loads(read_given(path, "store", _LARGEST_RECORD))
            found += [_failure(record) for record in told]
        except (ValueError, TypeError, RecursionError) as error:
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
        return Study(
            held["name"], held["description"], cases, tuple(held["uncertainties"]), design_of(held["design"]),
            held["runs"], held["shocks"], read_recording(held["recording"], headline, "manifest: recording"),
        )  # fmt: skip
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(str(folder / MANIFEST), "other data", "the manifest of a batch") from error


def design_of(held: Mapping[str, Any]) -> Design:
    """Return a design from plain data."""
    numbers = tuple((str(key), int(value)) for key, value in held["numbers"])
    levels = tuple(tuple(float(level) for level in row) for row in held["levels_of"])
    return Design(**{**held, "numbers": numbers, "levels_of": levels})


def _case_of(folder: Path, held: Mapping[str, Any]) -> Case:
    check_case(folder, held)
    return Case(replace(load_scenario(folder / held["file"]), name=held["scenario"]), held["policy"])


def check_case(folder: Path, held: Mapping[str, Any]) -> None:
    """Refuse the scenario of a case that is not the one that was run."""
    name = str(held["file"])
    path = folder / name
    if not _CASE_FILE.fullmatch(name):  # nothing outside the folder is ever read
        raise InputError(str(folder / MANIFEST), name, "the name of a case's scenario")
    if not path.is_file():
        raise InputError("store", str(folder), f"whole: {name} is missing")
    if is_unchecked():
        return
    if _sha256(read_given(path, "store", LARGEST_SCENARIO)) != held["sha256"]:
        raise InputError(str(path), "a changed file", "the scenario that was run")


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
    from computemarket.scenarios.results.provenance import data_sha256  # it builds on this module

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


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
