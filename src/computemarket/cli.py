"""The command line: one Typer app; every command imports what it needs when it runs."""

import os
import sys
from itertools import pairwise
from typing import NoReturn

import typer

from computemarket.commands.hardware import performance, serving
from computemarket.commands.inspect import catalogue, measures, parameters, schedule, validate, variables
from computemarket.commands.policies import classify, compare, published
from computemarket.commands.results import dashboard, decide, export, facts, query, report
from computemarket.commands.simulate import batch, provenance, run
from computemarket.errors import InputError, is_memory
from computemarket.guard import is_wanted, run_again
from computemarket.memory import is_scarce, spare_memory
from computemarket.terminal import plain_output, printable

app = typer.Typer(
    name="computemarket",
    help="An agent-based market and strategy simulation of AI compute.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
run.register(app)
batch.register(app)
query.register(app)
decide.register(app)
provenance.register(app)
export.register(app)
compare.register(app)
published.register(app)
parameters.register(app)
variables.register(app)
measures.register(app)
validate.register(app)
schedule.register(app)
catalogue.register(app)
classify.register(app)
facts.register(app)
performance.register(app)
serving.register(app)
report.register(app)
dashboard.register(app)

_UsageError = typer.BadParameter.__base__  # where it lives differs between versions of Typer
_INTERRUPTED = 130  # what a shell reports of a program that Control-C ended
_NO_MEMORY = "memory: what this takes is more than there is; nothing that was there is lost: free some, or ask for less"
_BROKEN_PIPE = 141  # and of one whose reader has gone


def main() -> NoReturn:
    """Run the command line; bad input is one line on stderr and exit code 2."""
    spare_memory()
    with plain_output():
        sys.exit(_answer(sys.argv[1:] or ["--help"]))


def _answer(arguments: list[str]) -> int:
    """Run a command and return its exit code."""
    try:
        _check_out(arguments)
        code = run_again(arguments) if is_wanted() else app(arguments, standalone_mode=False)
        sys.stdout.flush()  # here, where a full disk behind it can still be said
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        _be_silent()  # whoever read has seen enough, as `head` does
    except Exception as error:
        _refuse_error(error)
    return code if isinstance(code, int) else 0


def _check_out(arguments: list[str]) -> None:
    """Refuse an empty word as a place to write to: a path of no letters would be the folder we stand in."""
    if "--out=" in arguments or ("--out", "") in pairwise(arguments):
        raise InputError("--out", "", "a path")


def _refuse_error(error: Exception) -> NoReturn:
    """Say in one line what went wrong where somebody can help it; a fault of ours is raised again."""
    if is_memory(error) or (
        isinstance(error, SystemError) and is_scarce()
    ):  # Python itself fails without words
        _be_silent(_NO_MEMORY)
    if isinstance(error, InputError):
        _refuse(str(error))
    if isinstance(error, OSError):
        _be_silent(f"{error.filename or 'output'}: {error.strerror or error}")
    if _UsageError is None or not isinstance(error, _UsageError):
        raise error
    words: str = getattr(error, "format_message", error.__str__)()
    _refuse(" ".join(words.split()))


def _be_silent(line: str = "") -> NoReturn:
    """Leave without writing what is still in the buffer of an output that takes no more."""
    sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123  (it lives as long as the program)
    if line:
        _refuse(line)
    sys.exit(_BROKEN_PIPE)


def _refuse(line: str) -> NoReturn:
    sys.stderr.write(f"computemarket: {printable(line)}\n")
    sys.exit(2)
