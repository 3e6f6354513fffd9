"""Forks: a stored ensemble continued under another policy from a quarter on.

A history is decided by its scenario, seed and run number, bit for bit. So the stored ensemble is simulated again with
the change dated at the quarter, and its past is then compared with the stored one, value by value: a change that
reaches back is refused.
"""

import json
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from computemarket.errors import InputError
from computemarket.model.core.calendar import QUARTERS, quarter_index
from computemarket.model.core.parameters import Schedule, find
from computemarket.scenarios.batches.ensemble import (
    Digest,
    Progress,
    simulate_chunk,
    simulate_to,
    write_whole,
)
from computemarket.scenarios.results.manifests import BATCH, MANIFEST, manifest_bytes
from computemarket.scenarios.results.open_results import check_whole, open_results
from computemarket.scenarios.results.pairs import UnlikeRowsError, Window, pairs, same_bits, values_of
from computemarket.scenarios.results.provenance import changed_versions, scenario_of
from computemarket.scenarios.results.store import COMPLETE, read_failures, study_of
from computemarket.scenarios.schema import Scenario, with_switches

if TYPE_CHECKING:
    from collections.abc import Callable

    from computemarket.scenarios.studies.recording import Reduction
    from computemarket.scenarios.studies.study import Study

PROBED_RUNS = 4  # simulated up to the quarter before anything else, so that a change of the past is met early


@dataclass(frozen=True)
class Change:
    """What is different from a quarter on.

    Parameters
    ----------
    at : first quarter of the other policy
    settings : parameter -> raw TOML value
    enforce, suspend : ids of export regimes switched on and off; those that act before `at` are refused
    """

    at: str
    settings: Mapping[str, object]
    enforce: tuple[str, ...] = ()
    suspend: tuple[str, ...] = ()

    def described(self) -> dict[str, object]:
        """Return the change as plain data: what it changes, and nothing else."""
        told = {"set": dict(self.settings), "enforce": list(self.enforce), "suspend": list(self.suspend)}
        return {"at": self.at, **{key: value for key, value in told.items() if value}}


@dataclass(frozen=True)
class Compared:
    """How many values a fork shares with what it continues."""

    past: int  # values before the quarter: all of them the same
    future: int
    changed: int  # values from the quarter on that differ


def forked(scenario: Scenario, change: Change) -> Scenario:
    """Return a scenario in which a change holds from its quarter on.

    Raises
    ------
    InputError
        for a quarter outside the scenario, an unknown parameter or regime, a value out of range or an earlier date.
    """
    first = quarter_index(change.at, "--at")
    if not 0 < first < scenario.quarters:
        raise InputError(
            "--at", change.at, f"a quarter from {QUARTERS[1]} to {scenario.until}, the last stored"
        )
    settings = dict(scenario.settings)
    for name, raw in change.settings.items():
        parameter = find(name, "--set")
        setting = parameter.read(raw, f"--set {name}")
        dated = setting if isinstance(setting, Schedule) else Schedule(((first, setting),))
        if dated.steps[0][0] < first:
            raise InputError(f"--set {name}", QUARTERS[dated.steps[0][0]], f"dated {change.at} or later")
        settings[name] = dated.over(settings.get(name, parameter.setting))
    return with_switches(replace(scenario, settings=settings), change.enforce, change.suspend)


def fork_run(
    source: Path,
    folder: Path,
    change: Change,
    workers: int = 1,
    progress: Progress | None = None,
    digest: Digest | None = None,
) -> tuple[Compared, list[Any]]:
    """Continue the ensemble of a run under another policy, into a new folder, whole or not at all.

    Returns
    -------
    How the fork compares with its source, and what `digest` returned of each chunk

    Raises
    ------
    InputError
        if the source is damaged or of another version, or the change reaches back before its quarter.
    """
    held = check_whole(source)
    scenario = scenario_of(source)
    changed = forked(scenario, change)
    check_new(folder)
    with _staged(folder) as stage:
        probe(scenario, changed, change.at)
        digests = simulate_to(stage, changed, held["runs"], workers, progress, digest)
        found = compared(source, stage, change.at, changed_versions(held))
        told = json.loads((stage / MANIFEST).read_bytes())
        told["fork"] = {"of": held["digest"], "scenario": held["scenario"], **change.described()}
        write_whole(stage / MANIFEST, manifest_bytes(told))
    return found, digests


def fork_batch(
    source: Path,
    folder: Path,
    change: Change,
    headline: "Reduction",
    compute: "Callable[[Study, Path, Mapping[str, Any]], object]",
) -> Compared:
    """Continue every case of a batch under another policy, into a folder of its own; called again it resumes.

    Parameters
    ----------
    headline : computes the headline measures, for studies that record them
    compute : runs a study into a folder, given the manifest of the source

    Raises
    ------
    InputError
        if the source is not complete or of another version, or the change reaches back before its quarter.
    """
    held = open_results(source, BATCH).manifest
    if held.get("status") != COMPLETE:
        raise InputError("results", str(source), "complete: go on with the batch first")
    if folder.exists() and folder.resolve() == source.resolve():
        raise InputError("--out", str(folder), "another folder than that of the results it continues")
    new = not folder.exists()
    compute(forked_study(study_of(source, headline), change), folder, held)
    failed = frozenset(failure.run for one in (source, folder) for failure in read_failures(one))
    try:
        return compared(source, folder, change.at, changed_versions(held), Window(without=failed))
    except InputError:
        if new:
            shutil.rmtree(folder, ignore_errors=True)
        raise


def forked_study(study: "Study", change: Change) -> "Study":
    """Return a study whose every case changes its policy at a quarter."""
    cases = tuple(replace(case, scenario=forked(case.scenario, change)) for case in study.cases)
    for before, after in zip(study.cases, cases, strict=True):
        probe(before.scenario, after.scenario, change.at)
    return replace(study, cases=cases)


def probe(before: Scenario, after: Scenario, at: str) -> None:
    """Simulate a few runs of both up to a quarter, and refuse a change that has changed them by then."""
    until = QUARTERS[quarter_index(at) - 1]
    numbers = np.arange(PROBED_RUNS, dtype=np.int64)
    past = [simulate_chunk(replace(one, until=until), numbers).values() for one in (before, after)]
    if past[0].shape != past[1].shape or not same_bits(*past).all():
        raise InputError("fork", "a change that reaches back", f"one that begins in {at}: the past differs")


def compared(
    source: Path, fork: Path, at: str, versions: list[str], window: Window | None = None
) -> Compared:
    """Compare a fork with what it continues: before the quarter bit by bit, and count what differs after it.

    Parameters
    ----------
    versions : what the source was made with that is not what is here, to be told where its past differs

    Raises
    ------
    InputError
        if a value before the quarter differs.
    """
    past = future = changed = 0
    try:
        for one, other in pairs(source, fork, window):
            same = same_bits(values_of(one), values_of(other))
            before = _before(one, at)
            if not same[before].all():
                raise _past_differs(source, at, versions)
            past += int(before.sum())
            future += int((~before).sum())
            changed += int((~same).sum())
    except UnlikeRowsError as error:
        raise _past_differs(source, at, versions) from error
    return Compared(past, future, changed)


def _before(table: Any, at: str) -> Any:
    import pyarrow.compute as pc

    return pc.less(table["quarter"].cast("string"), at).to_numpy(zero_copy_only=False)


def _past_differs(source: Path, at: str, versions: list[str]) -> InputError:
    why = f"made with {'; '.join(versions)}" if versions else "the past differs"
    return InputError("fork", str(source), f"one whose past comes out the same before {at}: {why}")


def check_new(folder: Path) -> None:
    """Refuse to write into a folder that holds anything."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError("--out", str(folder), "a new or empty folder")


@contextmanager
def _staged(folder: Path) -> Iterator[Path]:
    """Give a hidden folder that takes the place of `folder` in the end, or goes again."""
    stage = folder.with_name(f".{folder.name}-{secrets.token_hex(4)}.part")
    made = [path for path in folder.parents if not path.exists()]
    try:
        stage.mkdir(parents=True)
        yield stage
        if folder.exists():
            folder.rmdir()  # it is empty
        stage.rename(folder)
    except BaseException as error:
        shutil.rmtree(stage, ignore_errors=True)
        for path in made:
            if path.is_dir() and not any(path.iterdir()):
                path.rmdir()
        if isinstance(error, OSError):
            reason = error.strerror or str(error)
            raise InputError("--out", str(folder), f"a folder that can be written ({reason})") from error
        raise
