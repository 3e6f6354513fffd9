"""`computemarket dashboard`: an interactive page on this machine."""

import os
import socket
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, NoReturn

import typer

HOST = "127.0.0.1"


def dashboard(
    folder: Annotated[
        Path | None,
        typer.Argument(metavar="[DIR]", help="Results of `run` or `batch` to show beside new ones."),
    ] = None,
    runs: Annotated[int, typer.Option(help="Histories of each scenario to begin with.")] = 256,
    port: Annotated[int, typer.Option(help="Port of the page.", min=1, max=65535)] = 8501,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open the page in a browser, where there is one.")
    ] = True,
) -> None:
    """Open an interactive page on 127.0.0.1: change scenarios and parameters, see bands and differences."""
    from computemarket.analysis.dashboard import RUN_CHOICES
    from computemarket.errors import InputError

    if find_spec("streamlit") is None:
        raise InputError("dashboard", "streamlit", "installed: pip install 'computemarket[dashboard]'")
    if folder is not None:
        from computemarket.analysis.dashboard.ensembles import stored_cases

        stored_cases(folder)
    if runs not in RUN_CHOICES:
        raise InputError("--runs", runs, f"one of {', '.join(map(str, RUN_CHOICES))}")
    if not _is_free(port):
        raise InputError("--port", port, "free: another program listens there")
    typer.echo(f"http://{HOST}:{port} (for this machine only; Control-C ends it)")
    _become_server(folder, runs, port, browser)


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("dashboard")(dashboard)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _become_server(folder: Path | None, runs: int, port: int, browser: bool) -> NoReturn:
    """Turn into Streamlit, which sends nothing anywhere and lets nobody else connect."""
    from importlib.resources import files

    from computemarket.analysis.dashboard import FOLDER_VARIABLE, RUNS_VARIABLE
    from computemarket.analysis.style import BLUE
    from computemarket.guard import environment as second_process

    page = str(files("computemarket.analysis.dashboard").joinpath("page.py"))
    options = {
        "server.address": HOST,
        "server.port": str(port),
        "server.showEmailPrompt": "false",
        "server.fileWatcherType": "none",
        "server.enableCORS": "true",
        "server.enableXsrfProtection": "true",
        "browser.gatherUsageStats": "false",
        "client.toolbarMode": "minimal",
        "theme.base": "light",
        "theme.primaryColor": BLUE,
        **({} if browser else {"server.headless": "true"}),
    }
    words = [f"--{name}={value}" for name, value in options.items()]
    environment = second_process() | {RUNS_VARIABLE: str(runs)}
    environment.pop(FOLDER_VARIABLE, None)
    if folder is not None:
        environment[FOLDER_VARIABLE] = str(folder.resolve())
    sys.stdout.flush()
    # This process becomes the server, so that whoever stops the command stops the server.
    server = ["-m", "computemarket.analysis.dashboard.server", str(port), "run", page, *words]
    os.execve(sys.executable, [sys.executable, "-P", *server], environment)  # noqa: S606
