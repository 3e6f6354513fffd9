"""Promises about being killed: nothing half-written, and the same results after going on."""

import atexit
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path

STUDY = (
    'scenarios = ["baseline", "demand_stall"]\nruns = 400\nuntil = "2022Q2"\nrecording = ["utilisation"]\n'
)
LATEST_S = 4.0  # after which a process is killed
PATIENCE_S = 300.0
ROOT = Path(__file__).resolve().parents[1]


def _call(*words: object) -> list[str]:
    return [sys.executable, "-m", "computemarket", *map(str, words)]


def _started(words: Sequence[object]) -> "subprocess.Popen[bytes]":
    environment = dict(os.environ) | {"PYTHONPATH": str(ROOT / "src")}
    return subprocess.Popen(
        _call(*words),
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def _finished(*words: object) -> None:
    """Run a command to its end; it has to end well."""
    with _started(words) as process:
        _, told = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, (words[0], process.returncode, told[-500:])


def _killed(number: int, *words: object) -> None:
    """Run a command and kill it, with all that it started, at a moment that the number decides."""
    with _started(words) as process:
        try:
            process.wait(random.Random(number).uniform(0.1, LATEST_S))  # noqa: S311
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)


def _batch(folder: Path) -> tuple[object, ...]:
    study = folder.parent / "study.toml"
    study.write_text(STUDY, "utf-8")
    return ("batch", study, "--out", folder, "--workers", "2", "--quiet")


def _digest(folder: Path) -> str:
    return str(json.loads((folder / "manifest.json").read_text("utf-8"))["digest"])


@cache
def _whole() -> tuple[str, Path]:
    """Return the digest of the batch that was left alone, and a run to report on."""
    kept = Path(tempfile.mkdtemp(prefix="soak-whole-"))
    atexit.register(shutil.rmtree, kept, ignore_errors=True)
    _finished(*_batch(kept / "batch"))
    _finished(
        "run",
        "baseline",
        "--runs",
        "2",
        "--until",
        "2022Q4",
        "--workers",
        "1",
        "--quiet",
        "--out",
        kept / "run",
    )
    return _digest(kept / "batch"), kept / "run"


def batch_killed(number: int, spare: Path) -> None:
    """Kill a batch, go on, and compare."""
    words = _batch(spare / "out")
    _killed(number, *words)
    _finished(*words)
    assert _digest(spare / "out") == _whole()[0]
    assert not list((spare / "out").rglob(".*.part"))


def worker_killed(number: int, spare: Path) -> None:
    """Kill one worker of a batch, which ends by itself, and compare."""
    with _started(_batch(spare / "out")) as process:
        time.sleep(random.Random(number).uniform(0.3, LATEST_S))  # noqa: S311
        children = _children(process.pid)
        if children:
            os.kill(children[number % len(children)], signal.SIGKILL)
        _, told = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, told[-500:]
    assert _digest(spare / "out") == _whole()[0]


def _children(parent: int) -> list[int]:
    """Return the processes that another one has started to work for it."""
    found = Path(f"/proc/{parent}/task/{parent}/children")
    numbers = [int(word) for word in found.read_text("ascii").split()] if found.exists() else []
    return [one for one in numbers if b"spawn_main" in _command_of(one)]


def _command_of(process: int) -> bytes:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:  # it has ended
        return b""


def run_killed(number: int, spare: Path) -> None:
    """Kill a run: what is there is whole results or none; the same command then ends well."""
    words = (
        "run",
        "baseline",
        "--runs",
        "40",
        "--until",
        "2022Q4",
        "--workers",
        "2",
        "--quiet",
        "--out",
        spare / "run",
    )
    _killed(number, *words)
    if (spare / "run" / "manifest.json").exists():
        _finished("facts", spare / "run")
    _finished(*words)
    _finished("facts", spare / "run")
    assert not list((spare / "run").glob(".parts-*"))


def report_killed(number: int, spare: Path) -> None:
    """Kill a report: the folder is not there, or it is whole; the same command then ends well."""
    target = spare / "report"
    words = ("report", _whole()[1], "--out", target, "--detail-runs", "0")
    _killed(number, *words)
    assert not target.exists() or (target / "index.html").exists()
    _finished(*words)
    assert [path.name for path in spare.iterdir()] == ["report"]


def export_killed(number: int, spare: Path) -> None:
    """Kill an export: the file is not there, or it is whole, and nothing else is."""
    table = spare / "table.csv"
    words = ("export", _whole()[1], "--out", table)
    _killed(number, *words)
    found = hashlib.sha256(table.read_bytes()).hexdigest() if table.exists() else ""
    assert [path.name for path in spare.iterdir()] in ([], ["table.csv"])
    _finished(*words)
    assert found in ("", hashlib.sha256(table.read_bytes()).hexdigest())


PROMISES = {
    "batch_killed": (
        "a batch killed with `kill -9` at a random moment goes on to the same digest",
        100,
        batch_killed,
    ),
    "worker_killed": ("so does one whose worker is killed", 100, worker_killed),
    "run_killed": ("a run killed at a random moment leaves nothing half-written", 50, run_killed),
    "report_killed": ("so does a report", 50, report_killed),
    "export_killed": ("so does an export", 50, export_killed),
}
