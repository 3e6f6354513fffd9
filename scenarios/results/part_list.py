"""The list of a batch's parts with their hashes: what is missing or was changed shows, whoever reads it.

One line for each file, as `sha256sum` writes and checks them. A line is added once its file is there whole, so that a
part without a line is one that was being written when the program was killed. A later line of a file counts; a line
that was cut short counts for nothing.
"""

import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from computemarket.errors import InputError
from computemarket.model.core.given_files import read_given, reason_of

LIST = "parts.sha256"
_LINE = re.compile(
    r"(?P<sha>[0-9a-f]{64})  (?P<folder>parts|failures)/(?P<key>[0-9]{4,6}-[0-9]{9})\.(?:parquet|json)"
)
_LONGEST = 64 + len("  failures/999999-999999999.json\n")  # of a line
_LARGEST = 2_000_000_000  # bytes: five million chunks take less than half
_READERS = 4  # files hashed at a time
_PIECE = 2**20  # bytes hashed at a time
_AGAIN = "move it away, and the same batch command makes it again"
_hashed: dict[
    tuple[str, int, int, int], str
] = {}  # of files that were hashed by this process, by how they lie there


@dataclass
class PartList:
    """Hashes of the parts and of the records of failures of a store, by chunk."""

    digests: dict[str, str] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path) -> "PartList":
        """Read the list of a store.

        Raises
        ------
        InputError
            if it is missing or holds anything else.
        """
        path = folder / LIST
        if not path.is_file():
            raise InputError("store", str(folder), f"whole: {LIST} is missing")
        text = read_given(path, "store", _LARGEST).decode("ascii", "replace")
        found = cls()
        for line in text.splitlines(keepends=True):
            match = _LINE.fullmatch(line.rstrip("\n"))
            if match is not None and line.endswith("\n"):
                found._take(match["folder"], match["key"], match["sha"])
            elif (
                line.endswith("\n") or len(line) > _LONGEST
            ):  # else it was cut short: the last of a killed batch
                raise InputError(str(path), "other lines", "the list of a batch's parts")
        return found

    def _take(self, folder: str, key: str, sha: str) -> None:
        if folder == "parts":
            self.digests[key] = sha
            self.failures.pop(key, None)  # those of a part that was made before
        else:
            self.failures[key] = sha

    @staticmethod
    def add(folder: Path, key: str, part: str, failures: str = "") -> None:
        """Add the lines of a chunk, so that they survive a failing power supply.

        Parameters
        ----------
        part, failures : hashes; "" where no run failed
        """
        lines = _line("parts", key, part) + (_line("failures", key, failures) if failures else "")
        with (folder / LIST).open("ab") as file:
            file.write(lines.encode())
            file.flush()
            os.fsync(file.fileno())

    def text(self) -> str:
        """Return the list in order of chunk, each file once."""
        lines = (self._lines_of(key) for key in sorted(self.digests))
        return "".join(lines)

    def _lines_of(self, key: str) -> str:
        failures = self.failures.get(key)
        return _line("parts", key, self.digests[key]) + (_line("failures", key, failures) if failures else "")

    def files_of(self, key: str) -> Iterator[str]:
        """Yield the files of a chunk by their names inside the store."""
        yield f"parts/{key}.parquet"
        if key in self.failures:
            yield f"failures/{key}.json"

    def check(self, folder: Path, keys: Iterable[str]) -> None:
        """Refuse files that are not as they were written.

        Raises
        ------
        InputError
            naming the first of them.
        """
        wanted = [
            (folder / name, sha)
            for key in keys
            for name, sha in zip(
                self.files_of(key), (self.digests[key], self.failures.get(key)), strict=False
            )
        ]
        with ThreadPoolExecutor(_READERS) as readers:
            for (path, sha), found in zip(
                wanted, readers.map(hash_of, [path for path, _ in wanted]), strict=True
            ):
                if found != sha:
                    raise InputError(str(path), "a changed file", f"what was written there; {_AGAIN}")


def hash_of(path: Path) -> str:
    """Return the SHA-256 of a file; one that has not changed is read once.

    Raises
    ------
    InputError
        if it cannot be read.
    """
    try:
        with path.open("rb") as file:
            found = os.fstat(file.fileno())
            place = (str(path.resolve()), found.st_ino, found.st_size, found.st_mtime_ns)
            if place not in _hashed:
                _hashed[place] = _hash_of_open(file)
            return _hashed[place]
    except OSError as error:
        raise InputError("results", str(path), f"a readable file ({reason_of(error)})") from error


def _hash_of_open(file: BinaryIO) -> str:
    found = hashlib.sha256()
    while piece := file.read(_PIECE):
        found.update(piece)
    return found.hexdigest()


def _line(folder: str, key: str, sha: str) -> str:
    ending = "parquet" if folder == "parts" else "json"
    return f"{sha}  {folder}/{key}.{ending}\n"
