"""Memory: how much of it this process may use, and how libraries are told to be modest with it."""

import os
import resource
from contextlib import suppress
from pathlib import Path

_PLENTY = 8 * 2**30  # bytes of addresses above which libraries may do as they like
MODEST = {  # each thread and each pool of memory takes addresses in advance, used or not
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "MALLOC_ARENA_MAX": "2",
}
_CGROUP = Path("/sys/fs/cgroup/memory.max")


def address_limit() -> int | None:
    """Return the most addresses that this process may use (`ulimit -v`), None where nobody has set a limit."""
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    return None if soft == resource.RLIM_INFINITY else soft


def limit_bytes() -> int | None:
    """Return the most memory that this process may use, None where nobody has set a limit."""
    found = [limit for limit in (address_limit(),) if limit is not None]
    with suppress(OSError, ValueError):  # no group, or one without a limit
        found.append(int(_CGROUP.read_text("ascii")))
    return min(found, default=None)


def is_scarce() -> bool:
    """Say whether memory is limited to less than libraries take without being asked."""
    limit = limit_bytes()
    return limit is not None and limit < _PLENTY


def spare_memory() -> None:
    """Tell libraries that are loaded later to be modest, where memory is limited."""
    if is_scarce():
        for name, value in MODEST.items():
            os.environ.setdefault(name, value)
