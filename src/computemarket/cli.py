"""The command line: one Typer app; every command imports what it needs when it runs."""

import sys
from typing import NoReturn

import typer

from computemarket.commands import catalogue, classify, facts, performance
from computemarket.errors import InputError

app = typer.Typer(
    name="computemarket",
    help="An agent-based market and strategy simulation of AI compute.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
catalogue.register(app)
classify.register(app)
facts.register(app)
performance.register(app)


def main() -> NoReturn:
    """Run the command line; bad input is one line on stderr and exit code 2."""
    try:
        app()
    except InputError as error:
        sys.stderr.write(f"computemarket: {error}\n")
        sys.exit(2)
    sys.exit(0)
