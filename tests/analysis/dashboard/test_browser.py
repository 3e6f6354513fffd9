"""The interactive page in a real browser: it starts, answers, downloads, and talks to nobody else."""

import http.client
import io
import os
import shutil
import signal
import socket
import subprocess
import sys
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

import pandas as pd
import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
REQUIRED = "COMPUTEMARKET_REQUIRE_BROWSER"  # set where a machine without a browser is a fault and no excuse
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE_MS = 120_000  # for two ensembles on a busy machine
PNG = b"\x89PNG"


def browser_path():
    """Return the browser's path; without one the test is skipped, or fails where a browser is required."""
    found = next((path for path in map(shutil.which, BROWSERS) if path), None)
    if found is None:
        message = f"no browser: none of {', '.join(BROWSERS)} is installed"
        if os.environ.get(REQUIRED) == "1":
            pytest.fail(message)
        pytest.skip(message)
    return found


@pytest.fixture(scope="module")
def chromium():
    """Start a browser without a window."""
    path = browser_path()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as engine:
        browser = engine.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def server():
    """Start the page as a reader does: (address, process)."""
    browser_path()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["--no-browser", "--runs", "32", "--port", str(port)]
    command = [sys.executable, "-m", "computemarket", "dashboard", *options]
    with subprocess.Popen(  # noqa: S603
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            lines = []
            while not any("URL:" in line for line in lines):
                lines.append(process.stdout.readline())
                assert lines[-1], f"the server ended: {lines}"
            yield lines[0].split()[0], process
        finally:
            process.kill()


@pytest.fixture
def page(chromium, server):
    """Open the page and wait until its charts are there; nothing may have been asked of another machine."""
    tab = chromium.new_page(viewport={"width": 1400, "height": 1000})
    asked, faults = [], []
    tab.on("request", lambda request: asked.append(request.url))
    tab.on("pageerror", lambda error: faults.append(str(error)))
    tab.set_default_timeout(PATIENCE_MS)
    tab.goto(server[0])
    tab.get_by_text("Download the charts (PNG)").wait_for()
    yield tab
    tab.close()
    hosts = {
        urlsplit(url).hostname for url in asked if urlsplit(url).scheme in ("http", "https", "ws", "wss")
    }
    assert hosts == {"127.0.0.1"}
    assert faults == []


def downloaded(page, button):
    """Press a button and return the bytes of the file it gives."""
    with page.expect_download() as waiting:
        page.get_by_role("button", name=button).click()
    return Path(waiting.value.path()).read_bytes()


def charts(page):
    """Return the addresses of the charts on the page."""
    return [image.get_attribute("src") for image in page.locator("img").all()]


def test_a_reader_changes_a_parameter_sees_it_and_takes_it_along(page):
    before = charts(page)
    assert len(before) == 6
    assert all(page.evaluate("[...document.images].map(image => image.naturalWidth > 500)"))

    box = page.get_by_role("combobox", name="Parameters of the compared scenario")
    box.fill("tokens.elasticity")
    page.get_by_role("option").first.click()
    page.get_by_text("demand_stall with 1 parameter set", exact=True).wait_for()
    number = page.get_by_label("0.8 to 2")
    number.fill("1.9")
    number.press("Enter")
    page.wait_for_function(
        "old => [...document.images].every(image => !old.includes(image.getAttribute('src')))", arg=before[:1]
    )
    page.get_by_text("Scenario file", exact=True).click()
    page.get_by_text("elasticity = 1.9").wait_for()
    asked = tomllib.loads(downloaded(page, "Download compared.toml").decode())
    assert asked["extends"] == "demand_stall"
    assert asked["tokens"] == {"elasticity": 1.9}


def test_what_is_shown_can_be_kept(page):
    assert downloaded(page, "Download the charts (PNG)").startswith(PNG)
    numbers = pd.read_csv(io.BytesIO(downloaded(page, "Download the numbers (CSV)")))
    assert numbers["measure"].nunique() == 6
    assert numbers["period"].min() == 2022
    share = numbers[numbers["measure"] == "Nvidia's share of compute shipped"]
    assert share["baseline: median"].between(0, 100).all()
    assert (share["baseline: p10"] <= share["baseline: p90"]).all()


def test_side_by_side_shows_the_difference_run_by_run(page):
    page.get_by_text("Side by side, with the difference").click()
    page.get_by_text("both scenarios meet the same shocks").wait_for()
    assert len(charts(page)) == 6  # a row for each measure
    assert downloaded(page, "Download the charts (PNG)").startswith(PNG)


def test_a_foreign_name_or_page_is_turned_away(server):
    port = urlsplit(server[0]).port
    own, foreign = f"127.0.0.1:{port}", f"evil.example:{port}"
    upgrade = {
        "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }  # fmt: skip
    asked = [
        ("/", {"Host": own}, 200), ("/", {"Host": f"localhost:{port}"}, 200), ("/", {"Host": foreign}, 403),
        ("/", {"Host": "127.0.0.1:1"}, 403), ("/", {"Host": own, "Origin": f"http://{foreign}"}, 403),
        ("/_stcore/stream", {"Host": own, "Origin": f"http://{own}", **upgrade}, 101),
        ("/_stcore/stream", {"Host": foreign, "Origin": f"http://{foreign}", **upgrade}, 403),
        ("/_stcore/stream", {"Host": own, "Origin": f"http://{foreign}", **upgrade}, 403),
    ]  # fmt: skip
    for path, headers, status in asked:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        assert answer.status == status, (path, headers)
        policy = answer.headers.get("Content-Security-Policy", "")
        assert status != 200 or ("default-src 'self'" in policy and "http:" not in policy)
        connection.close()


def test_only_this_machine_can_connect_and_a_request_to_stop_ends_all(server):
    address, process = server
    port = urlsplit(address).port
    others = {entry[4][0] for entry in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
    others |= {"127.0.0.2"}  # answered only by a server that listens on every address
    for other in others - {"127.0.0.1"}:
        with socket.socket() as probe:
            probe.settimeout(2)
            assert probe.connect_ex((other, port)) != 0
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=30)
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0
