"""Results opened for reading: the one way in, for every command and every table that reads a folder of results.

Believed is what is as it was written: the manifest (kind, format, seal), the scenarios, every file by its hash, the
list of the parts of a batch, and the counts. A reader who wants results that are not asks for them (`unchecked`), and
what comes out says so.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from computemarket.errors import InputError, is_memory
from computemarket.scenarios.results.manifests import BATCH, RUN, is_unchecked, read_any_manifest
from computemarket.scenarios.results.part_list import LIST, PartList, hash_of
from computemarket.scenarios.results.provenance import RESULTS, check_scenario, read_run_manifest
from computemarket.scenarios.results.store import (
    COMPLETE,
    check_case,
    check_part,
    design_of,
    digest_of,
    part_file,
    read_manifest,
)

NOT_CHECKED = "not checked: the results may have been changed since they were made"
_NEEDED = ("run", "quarter", "variable", "value")
_CHUNK = re.compile(r"(?P<case>[0-9]{4,6})-(?P<first>[0-9]{9})")
_NAMED = 3  # files named in a message


@dataclass(frozen=True)
class Opened:
    """A folder of results that can be read.

    Parameters
    ----------
    kind : "run" or "batch"
    files : its Parquet files, in order of case and run
    notes : what a reader has to be told: that it is not complete, or was not checked
    """

    folder: Path
    kind: str
    manifest: Mapping[str, Any]
    files: tuple[Path, ...]
    notes: tuple[str, ...] = ()

    def dataset(self) -> Any:
        """Return the rows as a pyarrow Dataset, to be read in pieces.

        Raises
        ------
        InputError
            if a file is no table of results.
        """
        import pyarrow as pa
        import pyarrow.dataset as ds

        try:
            return ds.dataset([str(path) for path in self.files], format="parquet")
        except (pa.ArrowException, OSError) as error:
            if is_memory(error):
                raise
            raise InputError("results", str(self.folder), "readable results") from error


def open_results(folder: Path, kind: str = "") -> Opened:
    """Open the results of a run or a batch.

    Parameters
    ----------
    kind : "run" or "batch" where only one of them will do

    Raises
    ------
    InputError
        if there are none, or anything in the folder is not as it was written; says what.
    """
    if is_unchecked():
        return _as_it_lies(folder, kind)
    found = "batch" if "study" in read_any_manifest(folder) else "run"
    if kind and kind != found:
        raise InputError("results", str(folder), f"the folder of a {kind}")
    return _open_batch(folder) if found == BATCH else _open_run(folder)


def dataset_of(folder: Path) -> Any:
    """Return the rows of a batch as a pyarrow Dataset, to be read in pieces."""
    return open_results(folder, BATCH).dataset()


def files_of(folder: Path) -> tuple[Path, ...]:
    """Return the Parquet files of the results of a run or a batch, in order."""
    return open_results(folder).files


def check_whole(folder: Path) -> dict[str, Any]:
    """Return the manifest of a run whose results are the ones it describes."""
    return dict(open_results(folder, RUN).manifest)


def _open_run(folder: Path) -> Opened:
    held = read_run_manifest(folder)
    path = folder / RESULTS
    if not path.is_file():
        raise InputError("results", str(folder), f"whole: {RESULTS} is missing")
    found = hash_of(path)
    if found != held["digest"]:
        raise InputError(str(path), f"sha256 {found[:16]}…", f"what was run (sha256 {held['digest'][:16]}…)")
    check_scenario(folder, held)
    runs = _runs_in(path)
    if runs != held["runs"]:
        raise InputError(
            str(path), f"{runs:,} runs", f"the {held['runs']:,} runs that the manifest speaks of"
        )
    return Opened(folder, RUN, held, (path,))


def _runs_in(path: Path) -> int:
    """Return the number of runs of a results table: its last rows are those of the last runs."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    check_columns(path)
    try:
        with pq.ParquetFile(path) as file:
            if file.num_row_groups == 0:
                return 0
            last = file.read_row_group(file.num_row_groups - 1, ["run"])
        return int(pc.max(last["run"]).as_py() or 0) + 1
    except (pa.ArrowException, OSError) as error:
        if is_memory(error):
            raise
        raise InputError(str(path), type(error).__name__, "a whole file of results") from error


def check_columns(path: Path) -> None:
    """Refuse a file that is not a table of results."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        there = pq.read_schema(path)
    except (pa.ArrowException, OSError) as error:
        if is_memory(error):
            raise
        raise InputError(str(path), type(error).__name__, "a whole file of results") from error
    missing = sorted(set(_NEEDED) - set(there.names))
    if missing:
        raise InputError(str(path), f"a table without {missing[0]}", "a table of results")
    if not pa.types.is_floating(there.field("value").type):
        raise InputError(str(path), f"values of type {there.field('value').type}", "a table of results")


def _open_batch(folder: Path) -> Opened:
    held = read_manifest(folder)
    for case in held["study"]["cases"]:
        check_case(folder, case)
    complete = held["status"] == COMPLETE
    listed = PartList.read(folder)
    _check_names(folder, listed, held, strangers=complete)
    _check_there(folder, listed)
    if complete:
        _check_counts(folder, listed, held)
    if not listed.digests:
        raise InputError("store", str(folder), "a batch with results: it has none yet")
    listed.check(folder, listed.digests)
    files = tuple(folder / part_file(key) for key in sorted(listed.digests))
    for path in files:
        check_part(path, held["identity"])
    notes = () if complete else (_not_complete(listed, held),)
    return Opened(folder, BATCH, held, files, notes)


def _check_names(folder: Path, listed: PartList, held: Mapping[str, Any], *, strangers: bool) -> None:
    """Refuse files among the parts that are none; in a batch at work one that is not listed yet is passed over."""
    for path in sorted((folder / "parts").glob("[!.]*")):
        if path.suffix != ".parquet" or not _CHUNK.fullmatch(path.stem):
            raise InputError(str(path), "a strange file", "a part of this batch; move it away")
        if path.stem not in listed.digests and strangers:
            check_part(path, held["identity"])
            raise InputError(str(path), "a strange file", f"on the list {LIST}; move it away")
    for path in sorted((folder / "failures").glob("*.json")):
        if path.stem not in listed.failures and strangers:
            raise InputError(str(path), "a strange file", f"on the list {LIST}; move it away")


def _check_there(folder: Path, listed: PartList) -> None:
    missing = [
        name
        for key in sorted(listed.digests)
        for name in listed.files_of(key)
        if not (folder / name).is_file()
    ]
    if missing:
        raise _missing(folder, missing, len(listed.digests))


def _missing(folder: Path, names: list[str], parts: int) -> InputError:
    some = ", ".join(names[:_NAMED]) + (", …" if len(names) > _NAMED else "")
    again = "the same batch command makes them again"
    return InputError(
        "store", str(folder), f"whole: {len(names)} of {parts:,} parts are missing ({some}); {again}"
    )


def _check_counts(folder: Path, listed: PartList, held: Mapping[str, Any]) -> None:
    """Refuse a complete batch whose parts are not those that its study has."""
    path = str(folder / "manifest.json")
    try:
        expected = _expected(held)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(path, "other data", "the manifest of a batch") from error
    gone = sorted(set(expected) - set(listed.digests))
    if gone:
        raise _missing(folder, [part_file(key) for key in gone], len(expected))
    more = sorted(set(listed.digests) - set(expected))
    if more:
        raise InputError(str(folder / part_file(more[0])), "a strange file", "a part that the study has")
    if held.get("digest") != digest_of(listed.digests):
        raise InputError(str(folder / LIST), "other hashes", "those of the batch that the manifest speaks of")
    if held.get("runs") != sum(expected.values()):
        raise InputError(
            f"{path}: runs", held.get("runs"), f"{sum(expected.values()):,}, what the study asks for"
        )


def _expected(held: Mapping[str, Any]) -> dict[str, int]:
    """Return the chunks of a complete batch with the number of runs of each."""
    study, size = held["study"], int(held["chunk_runs"])
    whole = design_of(study["design"]).count * int(study["runs"])
    most = min(whole, int(held["stable_at"])) if held.get("stable_at") is not None else whole
    return {
        f"{case:04d}-{first:09d}": min(size, whole - first)
        for case in range(len(study["cases"]))
        for first in range(0, most, size)
    }


def _not_complete(listed: PartList, held: Mapping[str, Any]) -> str:
    study, size = held["study"], int(held["chunk_runs"])
    whole = design_of(study["design"]).count * int(study["runs"])
    there = sum(min(size, whole - int(key.split("-")[1])) for key in listed.digests)
    return f"not complete: {there:,} of {whole * len(study['cases']):,} runs are there"


def _as_it_lies(folder: Path, kind: str) -> Opened:
    """Open what is there: files are only looked at as far as reading them takes."""
    try:
        held = read_any_manifest(folder)
    except InputError:
        held = {}
    single = folder / RESULTS
    if kind != BATCH and single.is_file():
        check_columns(single)
        return Opened(folder, RUN, held, (single,), (NOT_CHECKED,))
    files = tuple(sorted((folder / "parts").glob("[!.]*.parquet")))
    if kind == RUN or not files:
        raise InputError("results", str(folder), f"a folder with results of a {kind or 'run or a batch'}")
    held = read_manifest(folder)  # it names the cases
    for path in files:
        check_columns(path)
    return Opened(folder, BATCH, held, files, (NOT_CHECKED,))
