"""Files that somebody gave: regular, small, read whole or refused in one line."""

import errno
import os
import stat
from pathlib import Path

from computemarket.errors import InputError

LARGEST_TABLE = 50_000_000  # bytes of a table that somebody gives
_PIECE = 2**16  # bytes read at a time


def read_given(path: Path, where: str, largest: int) -> bytes:
    """Return the bytes of a file that somebody named.

    A pipe or a device is never waited for, and no more than `largest` bytes are ever held.

    Parameters
    ----------
    where : what messages say first, such as "scenario"
    largest : bytes that are accepted

    Raises
    ------
    InputError
        if it cannot be read, is not a regular file, or is larger.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        raise InputError(where, str(path), f"a readable file ({reason_of(error)})") from error
    try:
        found = os.fstat(handle)
        if stat.S_ISDIR(found.st_mode):
            raise InputError(where, str(path), f"a readable file ({os.strerror(errno.EISDIR)})")
        if not stat.S_ISREG(found.st_mode):
            raise InputError(where, str(path), "a regular file: it is a pipe or a device")
        if found.st_size > largest:
            raise InputError(where, str(path), f"a file of at most {largest:,} bytes")
        with os.fdopen(os.dup(handle), "rb") as file:
            data = file.read(
                found.st_size + 1
            )  # a read of the largest size would take that much memory first
            while len(data) > found.st_size and len(data) <= largest and (more := file.read(_PIECE)):
                data += more  # it has grown meanwhile, or says nothing of its size
    except OSError as error:
        raise InputError(where, str(path), f"a readable file ({reason_of(error)})") from error
    finally:
        os.close(handle)
    if len(data) > largest:
        raise InputError(where, str(path), f"a file of at most {largest:,} bytes")
    return data


def is_inside(path: Path, folder: Path) -> bool:
    """Say whether a file lies in a folder or below it once every link on the way is followed."""
    try:
        return path.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError):  # a circle of links
        return False
    except ValueError:  # a name that no file can have: reading it says so
        return True


def reason_of(error: Exception) -> str:
    """Return why something could not be read or written, in the words of the operating system."""
    return getattr(error, "strerror", None) or str(error)
