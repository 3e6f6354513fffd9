"""Streamlit, started behind the gate: `python -m computemarket.analysis.dashboard.server PORT run PAGE …`."""

import sys
from typing import Any

from computemarket.analysis.dashboard.gate import Gate

_MIDDLEWARE = "create_streamlit_middleware"  # of Streamlit: what every request passes through


def behind_gate(module: Any, port: int) -> None:
    """Put the gate before everything else that Streamlit serves.

    Raises
    ------
    AttributeError
        if this version of Streamlit is put together otherwise: it is not started then.
    """
    from starlette.middleware import Middleware

    inner = getattr(module, _MIDDLEWARE)
    setattr(module, _MIDDLEWARE, lambda: [Middleware(Gate, port=port), *inner()])


def main() -> None:
    """Serve the page."""
    from streamlit import net_util
    from streamlit.web import cli
    from streamlit.web.server.starlette import starlette_app

    port, *words = sys.argv[1:]
    behind_gate(starlette_app, int(port))
    net_util.get_external_ip = lambda: None  # nobody outside is asked for our address
    sys.argv = ["streamlit", *words]
    cli.main()


if __name__ == "__main__":
    main()
