"""How a command opens results: checked before any work, and what has to be told of them said first."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from computemarket.scenarios.results.open_results import Opened

Unchecked = Annotated[
    bool,
    typer.Option(
        "--unchecked", help="Read results that were changed or cannot be checked; said in the output."
    ),
]


@contextmanager
def reading(
    *folders: Path, kind: str = "", unchecked: bool = False, plain: bool = False
) -> Iterator[list["Opened"]]:
    """Open folders of results for a command, and say what has to be told of them.

    Parameters
    ----------
    kind : "run" or "batch" where only one of them will do
    plain : the output is data for another program: what is told goes to stderr alone
    """
    from computemarket.scenarios.results.manifests import unchecked as without_checks
    from computemarket.scenarios.results.open_results import open_results

    with without_checks(unchecked):
        opened = [open_results(folder, kind) for folder in folders]
        for one in opened:
            for note in one.notes:
                (sys.stderr if plain else sys.stdout).write(f"note: {one.folder}: {note}\n")
        yield opened
