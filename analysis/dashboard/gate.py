"""The gate of the interactive page: it answers to this machine's own names alone, and lets the page load nothing else.

A page elsewhere whose name leads to 127.0.0.1 (DNS rebinding) asks under its own name, and is turned away.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

NAMES = ("127.0.0.1", "localhost")
_REFUSED = b"this page answers to http://127.0.0.1 alone\n"
_FORBIDDEN = 403


class Gate:
    """Refuses requests under another name or from another page, and adds what a browser may load.

    Parameters
    ----------
    app : what lies behind it (ASGI)
    port : of the page
    """

    def __init__(self, app: App, port: int) -> None:
        self._app = app
        self._hosts = {f"{name}:{port}" for name in NAMES}
        self._origins = {f"http://{host}" for host in self._hosts}
        self._headers = headers_of(port)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
        elif not self.admits(scope["headers"]):
            await self._refuse(scope, send)
        else:
            await self._app(scope, receive, self._adding(send))

    def admits(self, headers: "list[tuple[bytes, bytes]]") -> bool:
        """Say whether the headers of a request name this page, and no other as the one that asks."""
        hosts = [value.decode("latin-1").lower() for name, value in headers if name.lower() == b"host"]
        origins = {value.decode("latin-1").lower() for name, value in headers if name.lower() == b"origin"}
        return len(hosts) == 1 and hosts[0] in self._hosts and origins <= self._origins

    async def _refuse(self, scope: Message, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})  # before it was accepted: the answer is 403
            return
        plain = [(b"content-type", b"text/plain; charset=utf-8")]
        await send({"type": "http.response.start", "status": _FORBIDDEN, "headers": plain})
        await send({"type": "http.response.body", "body": _REFUSED})

    def _adding(self, send: Send) -> Send:
        async def added(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *self._headers]
            await send(message)

        return added


def headers_of(port: int) -> "list[tuple[bytes, bytes]]":
    """Return the headers that keep a page to itself: what it may load, from where, and who may show it."""
    sockets = " ".join(f"ws://{name}:{port}" for name in NAMES)
    policy = (
        "default-src 'self'; script-src 'self' 'unsafe-eval' 'wasm-unsafe-eval' blob:; "
        "style-src 'self' 'unsafe-inline'; "
        f"img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' {sockets} data: blob:; "
        "worker-src 'self' blob:; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
    )
    return [
        (b"content-security-policy", policy.encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"no-referrer"),
        (b"cross-origin-resource-policy", b"same-origin"),
    ]
