"""The gate of the interactive page: whom it lets in, and what it does when it is put together otherwise."""

import asyncio
from types import SimpleNamespace

import pytest

from computemarket.analysis.dashboard.gate import Gate, headers_of
from computemarket.analysis.dashboard.server import behind_gate


async def _app(scope, _receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"a", b"b")]})


def asked(kind, *headers):
    """Ask behind a gate of port 8501; return what was sent."""
    sent = []

    async def send(message):
        sent.append(message)

    asyncio.run(Gate(_app, 8501)({"type": kind, "headers": list(headers)}, None, send))
    return sent


@pytest.mark.parametrize(
    ("headers", "admitted"),
    [
        ([(b"host", b"127.0.0.1:8501")], True),
        ([(b"host", b"LOCALHOST:8501"), (b"origin", b"http://localhost:8501")], True),
        ([(b"host", b"evil.example:8501")], False),
        ([(b"host", b"127.0.0.1:8501"), (b"host", b"evil.example")], False),
        ([(b"host", b"127.0.0.1")], False),
        ([], False),
        ([(b"host", b"127.0.0.1:8501"), (b"origin", b"http://evil.example:8501")], False),
        ([(b"host", b"127.0.0.1:8501"), (b"origin", b"https://127.0.0.1:8501")], False),
        ([(b"host", b"127.0.0.1:8501"), (b"origin", b"null")], False),
    ],
)
def test_only_its_own_names_are_admitted(headers, admitted):
    answer = asked("http", *headers)
    assert answer[0]["status"] == (200 if admitted else 403)
    assert (asked("websocket", *headers) == []) == admitted


def test_every_answer_says_what_may_be_loaded():
    (answer,) = asked("http", (b"host", b"127.0.0.1:8501"))
    assert answer["headers"] == [(b"a", b"b"), *headers_of(8501)]
    policy = dict(headers_of(8501))[b"content-security-policy"].decode()
    assert "https" not in policy
    assert "*" not in policy


def test_what_is_no_request_passes():
    assert asked("lifespan") == []


def test_a_toolkit_that_is_put_together_otherwise_is_not_started():
    with pytest.raises(AttributeError):
        behind_gate(SimpleNamespace(), 8501)
    module = SimpleNamespace(create_streamlit_middleware=lambda: ["inner"])
    behind_gate(module, 8501)
    first, second = module.create_streamlit_middleware()
    assert (first.cls, second) == (Gate, "inner")
