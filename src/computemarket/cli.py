"""The command line: one Typer app; every command imports what it needs when it runs."""

import sys
from typing import NoReturn

import typer

from computemarket.commands import (
    batch,
    catalogue,
    classify,
    compare,
    dashboard,
    decide,
    export,
    facts,
    hardware,
    parameters,
    performance,
    provenance,
    published,
    report,
    run,
)
from computemarket.errors import InputError

app = typer.Typer(
    name="computemarket",
    help="An agent-based market and strategy simulation of AI compute.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
run.register(app)
batch.register(app)
decide.register(app)
provenance.register(app)
export.register(app)
compare.register(app)
published.register(app)
parameters.register(app)
catalogue.register(app)
classify.register(app)
facts.register(app)
performance.register(app)
hardware.register(app)
report.register(app)
dashboard.register(app)

_UsageError = typer.BadParameter.__base__  # where it lives differs between versions of Typer
_INTERRUPTED = 130  # what a shell reports of a program that Control-C ended


def main() -> NoReturn:
    """Run the command line; bad input is one line on stderr and exit code 2."""
    arguments = sys.argv[1:] or ["--help"]
    try:
        code = app(arguments, standalone_mode=False)
    except InputError as error:
        _refuse(str(error))
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
    except Exception as error:
        if _UsageError is None or not isinstance(error, _UsageError):
            raise
        words: str = getattr(error, "format_message", error.__str__)()
        _refuse(" ".join(words.split()))
    sys.exit(code if isinstance(code, int) else 0)


def _refuse(line: str) -> NoReturn:
    sys.stderr.write(f"computemarket: {line}\n")
    sys.exit(2)
