"""`computemarket query`: SQL in a process of its own, which may be stopped, or die, without taking anything along."""

import codecs
import os
import selectors
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from computemarket.commands.opening import Unchecked, reading

_TIMEOUT_S = 60.0
_MEGABYTES = 4_000
_LONGEST_S = 86_400.0
_LEAST_MEGABYTES, _MOST_MEGABYTES = 10, 1_000_000
_GRACE_S = 5.0  # in which the process says itself that its time is over
_PIECE = 2**16  # bytes of an answer passed on at a time


def query(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of a batch.")],
    sql: Annotated[str, typer.Argument(help="One SELECT over the table results.")],
    csv: Annotated[bool, typer.Option("--csv", help="Print comma-separated values.")] = False,
    timeout: Annotated[float, typer.Option(help="Seconds that it may take.")] = _TIMEOUT_S,
    memory: Annotated[int, typer.Option(help="Megabytes that it may take.")] = _MEGABYTES,
    unchecked: Unchecked = False,
    here: Annotated[bool, typer.Option("--here", hidden=True)] = False,
) -> None:
    """Ask the results of a batch in SQL: read-only, cut off from files and network, bounded in time and memory."""
    if here:
        from computemarket.scenarios.results.query import Limits, write_answer

        limits = Limits(timeout, memory * 1_000_000)
        with reading(folder, kind="batch", unchecked=unchecked, plain=csv):
            write_answer(folder, sql, sys.stdout, limits, as_data=csv)
        return
    _check_limits(timeout, memory)
    words = [*(["--csv"] if csv else []), *(["--unchecked"] if unchecked else [])]
    limit = ["--timeout", repr(timeout), "--memory", str(memory)]
    code = _in_a_process(["query", "--here", *words, *limit, "--", str(folder), sql], timeout, sql)
    if code:
        raise typer.Exit(code)


def _check_limits(timeout: float, memory: int) -> None:
    from computemarket.errors import InputError

    if not 0.0 < timeout <= _LONGEST_S:
        raise InputError("--timeout", timeout, "a number of seconds, over 0 and at most a day")
    if not _LEAST_MEGABYTES <= memory <= _MOST_MEGABYTES:
        raise InputError(
            "--memory", memory, f"a number of megabytes in {_LEAST_MEGABYTES}..{_MOST_MEGABYTES}"
        )


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("query")(query)


def _in_a_process(words: list[str], timeout: float, sql: str) -> int:
    """Run the program again with other words, pass on what it says, and return its exit code.

    Raises
    ------
    InputError
        if it does not end in time, or dies.
    """
    from computemarket.errors import InputError
    from computemarket.guard import call_of, environment

    call = call_of(words)
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(  # noqa: S603  (this program and no other)
            call, stdout=subprocess.PIPE, stderr=said, env=environment() | {"PYTHONIOENCODING": "utf-8"}
        ) as process,
    ):
        try:
            in_time = _passed_on(process, timeout + _GRACE_S)
        finally:  # also when this process is told to stop
            if process.poll() is None:
                process.kill()
        code = process.wait()
        if not in_time:
            raise InputError("query", sql, f"answered within {timeout:g} s; --timeout gives it more")
        if code < 0:
            raise InputError("query", sql, "answerable with the memory there is; ask for less")
        said.seek(0)
        sys.stderr.write(said.read().decode("utf-8", "replace"))
    return code


def _passed_on(process: "subprocess.Popen[bytes]", silence_s: float) -> bool:
    """Write what a process answers, as it comes; return whether it came to its end, never silent for too long."""
    answer: BinaryIO = process.stdout  # type: ignore[assignment]  # it is a pipe
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    with selectors.DefaultSelector() as ready:
        ready.register(answer, selectors.EVENT_READ)
        while ready.select(silence_s):
            piece = os.read(answer.fileno(), _PIECE)
            sys.stdout.write(decoder.decode(piece, final=not piece))
            if not piece:
                return True
    return False
