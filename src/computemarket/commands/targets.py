"""Folders that commands write into: nobody else's things, and either whole or not there."""

import fcntl
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from fnmatch import fnmatchcase
from pathlib import Path

_HIDDEN = ".*.part*"  # what a killed command leaves behind: swept by the next


def check_folder(folder: Path, ours: Sequence[str]) -> None:
    """Refuse a folder that holds anything but what a command writes there.

    Parameters
    ----------
    ours : names and patterns of what the command writes

    Raises
    ------
    InputError
        naming a thing that is somebody else's.
    """
    from computemarket.errors import InputError

    if folder.resolve() == Path(folder.anchor or "/").resolve():
        raise InputError("--out", str(folder), "a folder of your own")
    if not folder.is_dir():
        return
    strange = sorted(
        entry.name
        for entry in folder.iterdir()
        if not any(fnmatchcase(entry.name, pattern) for pattern in (*ours, _HIDDEN))
    )
    if strange:
        raise InputError(
            "--out", str(folder), f"a new folder, or one of earlier results: it holds {strange[0]}"
        )


def make_folder(folder: Path, ours: Sequence[str]) -> None:
    """Make a folder that a command writes into, or take one that holds what it wrote before."""
    from computemarket.errors import InputError

    try:
        check_folder(folder, ours)
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError("--out", str(folder), f"a folder that can be written ({error.strerror})") from error


@contextmanager
def whole_folder(target: Path, ours: Sequence[str]) -> Iterator[Path]:
    """Give a hidden folder beside `target` that takes its place in the end, or goes again.

    A killed command leaves `target` as it was; what it leaves beside it, the next command sweeps.

    Raises
    ------
    InputError
        if the folder holds other things, cannot be written, or is being written by another process.
    """
    from computemarket.errors import InputError

    check_folder(target, ours)
    stage, old = (target.with_name(f".{target.name}.{word}") for word in ("part", "part-old"))
    try:
        made = [path for path in target.parents if not path.exists()]
        with _alone_in(stage):
            _recover(target, old)
            try:
                yield stage
                _swap(stage, target, old)
            except BaseException:
                shutil.rmtree(stage, ignore_errors=True)
                for path in made:
                    with suppress(OSError):  # not empty: somebody else's
                        path.rmdir()
                raise
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError("--out", str(target), f"a folder that can be written ({reason})") from error


@contextmanager
def _alone_in(stage: Path) -> Iterator[None]:
    """Make a folder empty and keep others out of it; the lock goes when this process does, however it ends."""
    from computemarket.errors import InputError

    stage.mkdir(parents=True, exist_ok=True)
    held = os.open(stage, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for path in stage.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        yield
    except BlockingIOError as error:
        raise InputError("--out", str(stage.parent), "free: another process is writing there") from error
    finally:
        os.close(held)


def _recover(target: Path, old: Path) -> None:
    """Put back what a command had moved out of the way when it was killed, or sweep it."""
    if old.exists() and not target.exists():
        old.rename(target)
    shutil.rmtree(old, ignore_errors=True)


def _swap(stage: Path, target: Path, old: Path) -> None:
    if target.exists():
        target.rename(old)
    stage.rename(target)
    shutil.rmtree(old, ignore_errors=True)
