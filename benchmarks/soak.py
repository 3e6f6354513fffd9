"""Promises kept at scale: each tried many times, bounded in time and count, resumed where it stopped (`make soak`).

An attempt is decided by the number it has, so that one that failed can be repeated alone:
`soak.py PROMISE --only NUMBER`.
What was done is kept in build/soak/state.json; `--record` writes the table into docs/trust.md.
"""

import argparse
import datetime
import json
import os
import platform
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
STATE = ROOT / "build" / "soak" / "state.json"
PAGE = ROOT / "docs" / "trust.md"
BEGIN, END = "<!-- soak: begin -->", "<!-- soak: end -->"
SAVED_EVERY_S = 5.0
MOST_KEPT = 20  # failures of a promise that are kept; the count goes on


@dataclass(frozen=True)
class Promise:
    """What is tried: `attempt(number, spare)` raises where the promise is broken.

    Parameters
    ----------
    wanted : attempts in all
    """

    name: str
    words: str
    wanted: int
    attempt: Callable[[int, Path], None]


def promises() -> dict[str, Promise]:
    """Return all promises by name."""
    from soak_inputs import PROMISES as INPUTS
    from soak_kills import PROMISES as KILLS
    from soak_relations import PROMISES as RELATIONS

    return {name: Promise(name, *told) for name, told in {**KILLS, **INPUTS, **RELATIONS}.items()}


def tried(promise: Promise, held: dict[str, Any], seconds: float, save: Callable[[], None]) -> None:
    """Try a promise until its time is over or it was tried as often as wanted; `held` is what was done of it."""
    ends = time.monotonic() + seconds
    saved = time.monotonic()
    while held["done"] < promise.wanted and time.monotonic() < ends:
        number = held["done"]
        with tempfile.TemporaryDirectory(prefix="soak-") as spare:
            try:
                promise.attempt(number, Path(spare))
            except Exception:  # whatever breaks it is what is looked for
                held["failed"] += 1
                held["failures"] = [*held["failures"], [number, traceback.format_exc()[-2000:]]][-MOST_KEPT:]
        held["done"] += 1
        if time.monotonic() - saved > SAVED_EVERY_S:
            save()
            saved = time.monotonic()
    save()


def read_state(path: Path) -> dict[str, dict[str, Any]]:
    """Return what was done of each promise, by name."""
    return dict(json.loads(path.read_text("utf-8"))) if path.exists() else {}


def write_state(path: Path, state: Mapping[str, Any]) -> None:
    """Keep what was done, whole or as it was."""
    path.parent.mkdir(parents=True, exist_ok=True)
    hidden = path.with_name(f".{path.name}.part")
    hidden.write_text(json.dumps(state, indent=1), "utf-8")
    hidden.replace(path)


def table_of(state: Mapping[str, Any], known: Mapping[str, Promise]) -> str:
    """Return the record as a table, with the day and the machine."""
    day = datetime.datetime.now(datetime.UTC).date().isoformat()
    machine = f"{os.cpu_count()} processors ({platform.machine()}), Python {platform.python_version()}"
    lines = [f"Tried by {day} on {machine}:", "", "| promise | tried | of | broken |", "|---|---|---|---|"]
    for name, promise in known.items():
        held = state.get(name, {"done": 0, "failed": 0})
        lines.append(f"| {promise.words} | {held['done']:,} | {promise.wanted:,} | {held['failed']:,} |")
    return "\n".join(lines)


def record(page: Path, table: str) -> None:
    """Put the table between its two marks."""
    text = page.read_text("utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}", "utf-8")


def main() -> None:
    """Try all promises, or those named, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="promises; all by default")
    parser.add_argument("--seconds", type=float, default=120.0, help="for each promise")
    parser.add_argument("--only", type=int, help="repeat one attempt, and keep nothing")
    parser.add_argument("--record", action="store_true", help="write the table into docs/trust.md")
    asked = parser.parse_args()
    known = promises()
    chosen = [known[name] for name in asked.names or known]
    if asked.only is not None:
        with tempfile.TemporaryDirectory(prefix="soak-") as spare:
            chosen[0].attempt(asked.only, Path(spare))
        return
    state = read_state(STATE)
    for promise in chosen:
        held = state.setdefault(promise.name, {"done": 0, "failed": 0, "failures": []})
        tried(promise, held, asked.seconds, lambda: write_state(STATE, state))
        sys.stdout.write(
            f"{promise.name}: {held['done']:,} of {promise.wanted:,}, {held['failed']:,} broken\n"
        )
        sys.stdout.flush()
    if asked.record:
        record(PAGE, table_of(state, known))
    sys.exit(1 if any(held["failed"] for held in state.values()) else 0)


if __name__ == "__main__":
    main()
