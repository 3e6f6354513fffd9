"""Plant faults one at a time and say which test notices each.

`make mutants` runs all of them; `python -m tests.mutants.run --help` lists the ways to run some. A fault is planted
in the memory of a process of its own, so the working tree is never touched. The exit code is 1 where a fault survives
or fits nowhere any more.
"""

import argparse
import inspect
import os
import re
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

from tests.mutants.plant import Fault, Planted, StaleFaultError, plant, read_faults, sources

ROOT = Path(__file__).resolve().parents[2]

LONGEST_S = 600  # after which a fault counts as noticed: the tests no longer end
TOO_LONG = "the tests no longer end"
BASELINES = "test_baselines"
FIRST_FAILURE = re.compile(r"^(?:FAILED|ERROR) (?:\S*/)?(\S+?)(?: - |$)", re.MULTILINE)
QUIET = (
    "-x",
    "-q",
    "-rfE",
    "--no-header",
    "--tb=no",
    "-p",
    "no:cacheprovider",
    "-p",
    "no:xdist",
    "-W",
    "ignore::pytest.PytestAssertRewriteWarning",
)


@dataclass(frozen=True)
class Verdict:
    """What became of a fault: who noticed it, if anybody."""

    fault: Fault
    outcome: str  # noticed, survived or stale
    by: str
    seconds: float

    @property
    def line(self) -> str:
        """The verdict on one line."""
        return f"{self.outcome:9} {self.seconds:5.1f}s  {self.fault.function}: {self.fault.name} | {self.by}"


def asked() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description="Plant faults one at a time and say which test notices each."
    )
    parser.add_argument(
        "--only", default="", help="faults with this text in their name, room, function or kind"
    )
    parser.add_argument("--skip", type=int, default=0, metavar="N", help="leave the first N out")
    parser.add_argument("--first", type=int, default=None, metavar="N", help="stop after N")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--without-baselines", action="store_true", help="the tests of the room alone")
    which.add_argument("--baselines-only", action="store_true", help="the baselines alone")
    parser.add_argument("--stale", action="store_true", help="say which faults fit nowhere, and run nothing")
    return parser.parse_args()


def chosen(options: argparse.Namespace) -> list[Fault]:
    """Return the faults that are asked for."""
    fitting = [
        one
        for one in read_faults()
        if options.only.lower() in f"{one.name} {one.room} {one.function} {one.kind}".lower()
    ]
    return fitting[options.skip :][: options.first]


def judge(fault: Fault, options: argparse.Namespace) -> Verdict:
    """Run the tests of a fault with it in place."""
    start = time.perf_counter()
    try:
        planted = plant(fault, ROOT, sources(ROOT))
    except StaleFaultError as error:
        return Verdict(fault, "stale", str(error), 0.0)
    by = "" if options.stale else first_to_notice(modules_for(fault, options), fault, planted)
    return Verdict(fault, "noticed" if by else "survived", by, time.perf_counter() - start)


def modules_for(fault: Fault, options: argparse.Namespace) -> list[str]:
    """Return the names of the test modules to run, those of the room first."""
    if options.baselines_only:
        return [BASELINES]
    return [*fault.tests, *([] if options.without_baselines else [BASELINES])]


def files_of(modules: Sequence[str]) -> list[str]:
    """Return the files of test modules, wherever below `tests` they stand."""
    found = {name: sorted((ROOT / "tests").rglob(f"{name}.py")) for name in modules}
    missing = [name for name, files in found.items() if not files]
    if missing:
        sys.exit(f"there is no test module called {', '.join(missing)}")
    return [str(file) for files in found.values() for file in files]


def check_without_faults(faults: Sequence[Fault], options: argparse.Namespace) -> None:
    """Stop where a test fails before any fault is planted: it would seem to notice all of them."""
    modules = sorted({name for fault in faults for name in modules_for(fault, options)})
    failing = "" if options.stale or not modules else first_to_notice(modules)
    if failing:
        sys.exit(f"{failing} fails without any fault")


def first_to_notice(
    modules: Sequence[str], fault: Fault | None = None, planted: Planted | None = None
) -> str:
    """Return the first test that fails with the fault in place, or nothing, from a process of its own."""
    files = files_of(modules)
    with tempfile.TemporaryFile("w+") as said:
        child = os.fork()
        if child == 0:
            _run_tests(files, said.fileno(), fault, planted)
        ended = _wait(child)
        said.seek(0)
        text = said.read()
    if ended is None:
        return TOO_LONG
    if ended == 0:
        return ""
    found = FIRST_FAILURE.search(text)
    if found is None:
        sys.exit(f"the tests could not be run: {text[-2000:]}")
    return found.group(1)


def _run_tests(files: Sequence[str], output: int, fault: Fault | None, planted: Planted | None) -> None:
    """Run tests in this process, a child, and end it with their exit code."""
    import pytest

    os.dup2(output, 1)
    os.dup2(output, 2)
    os.chdir(ROOT)
    code = 70  # EX_SOFTWARE: the tests did not end by themselves
    try:
        if fault is not None and planted is not None:
            put_in_place(fault, planted)
        code = int(pytest.main([*QUIET, *files]))
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _wait(child: int) -> int | None:
    """Return the exit code of a child, or None where it had to be stopped."""
    until = time.monotonic() + LONGEST_S
    while time.monotonic() < until:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    os.kill(child, 9)
    os.waitpid(child, 0)
    return None


def put_in_place(fault: Fault, planted: Planted) -> None:
    """Give a function the code of its faulty text: whoever holds the function runs it from now on."""
    whole = compile(planted.text, str(ROOT / planted.path), "exec")
    found = [code for code in _codes(whole) if code.co_qualname == fault.function]
    module = import_module("computemarket." + ".".join(planted.path.with_suffix("").parts))
    function: Any = module
    for name in fault.function.split("."):
        function = inspect.getattr_static(function, name)
    function = inspect.unwrap(getattr(function, "fget", function))
    if len(found) != 1 or not isinstance(function, FunctionType):
        raise LookupError(f"{fault.function}: {len(found)} codes for {function!r}")
    function.__code__ = found[0]


def _codes(code: CodeType) -> Iterator[CodeType]:
    """Yield all code within code."""
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _codes(constant)


def load_program() -> None:
    """Import what the children need, once, from this checkout."""
    sys.path[:0] = [str(ROOT / "src"), str(ROOT)]
    for name in (
        "pytest",
        "hypothesis",
        "computemarket.scenarios.assembly",
        "computemarket.scenarios.batches.ensemble",
    ):
        import_module(name)


def report(verdicts: Sequence[Verdict]) -> int:
    """Print the share of faults that were noticed, by whom, and the others; return the exit code."""
    noticed = [one for one in verdicts if one.outcome == "noticed"]
    judged = [one for one in verdicts if one.outcome != "stale"]
    share = len(noticed) / max(len(judged), 1)
    baselines = sum(one.by.startswith(BASELINES) for one in noticed)
    print(
        f"\n{len(noticed)} of {len(judged)} faults noticed ({share:.1%}), {baselines} of them by the baselines alone"
    )
    missed = [one for one in verdicts if one.outcome != "noticed"]
    for one in missed:
        print(f"  {one.outcome}: {one.fault.function}: {one.fault.name} {one.by}")
    return 1 if missed else 0


def main() -> int:
    """Run the faults that are asked for."""
    options = asked()
    faults = chosen(options)
    load_program()
    check_without_faults(faults, options)
    verdicts = []
    for fault in faults:
        verdict = judge(fault, options)
        if not options.stale or verdict.outcome == "stale":
            print(verdict.line, flush=True)
        verdicts.append(verdict)
    if options.stale:
        return int(any(one.outcome == "stale" for one in verdicts))
    return report(verdicts)


if __name__ == "__main__":
    sys.exit(main())
