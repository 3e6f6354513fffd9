"""A second process for work that may be too much for the memory there is: what kills it costs no more than a line."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from computemarket.memory import MODEST, address_limit

_GUARDED = "COMPUTEMARKET_GUARDED"  # set for the second process
_ASKED = (-signal.SIGTERM, -signal.SIGINT, -signal.SIGHUP)  # ends that somebody asked for


def is_wanted() -> bool:
    """Say whether this process may meet a limit of memory at which libraries abort, and is not the second one."""
    return address_limit() is not None and _GUARDED not in os.environ


def call_of(words: Sequence[str]) -> list[str]:
    """Return the call of this program with other words."""
    return [sys.executable, "-P", "-m", "computemarket", *words]


def environment() -> dict[str, str]:
    """Return the environment of a second process: it finds this program where this one was found."""
    import computemarket

    here = str(Path(computemarket.__file__).parents[1])
    path = os.pathsep.join([here, *filter(None, [os.environ.get("PYTHONPATH")])])
    return {**MODEST, **os.environ, "PYTHONPATH": path, _GUARDED: "1"}


def run_again(words: Sequence[str]) -> int:
    """Run this program again, in a second process, and return its exit code.

    Raises
    ------
    MemoryError
        if the process was killed or aborted.
    """
    with tempfile.TemporaryFile() as said:
        with subprocess.Popen(call_of(words), stderr=said, env=environment()) as process:  # noqa: S603
            before = signal.signal(signal.SIGTERM, lambda number, _frame: process.send_signal(number))
            try:
                code = process.wait()
            finally:
                signal.signal(signal.SIGTERM, before)
        if code < 0 and code not in _ASKED:
            raise MemoryError
        said.seek(0)
        sys.stderr.write(said.read().decode("utf-8", "replace"))
    return 128 - code if code < 0 else code
