"""Studies: scenarios × policies × uncertainties × runs, read from one TOML file.

The terms are those of exploratory modelling (Lempert, Popper and Bankes 2003): a *policy* is a choice of levers, an
*uncertainty* is a parameter nobody decides on. A *case* is a scenario under a policy; a *point* is one setting of all
uncertainties. Every case meets the same points and the same shocks, so that two cases are compared run by run.
"""

import itertools
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.resources import files
from pathlib import Path

import numpy as np

from computemarket.errors import InputError
from computemarket.model.core.arrays import Ints
from computemarket.model.core.given_files import read_given
from computemarket.model.core.parameters import Distribution, Schedule, Setting, find
from computemarket.model.core.texts import nearest
from computemarket.scenarios.schema import (
    Scenario,
    beside,
    check_format,
    load_scenario,
    read_description,
    read_quarter,
    read_seed,
    read_toml,
)
from computemarket.scenarios.studies.designs import Design, read_design
from computemarket.scenarios.studies.recording import Recording, Reduction, read_recording

AS_IS = "as_is"  # the policy of a study without levers
MOST_RUNS = 1_000_000  # more only on request
MOST_RUNS_FORCED = 1_000_000_000
MOST_CASES = 10_000
LARGEST_FILE = 1_000_000  # bytes of a study
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")
FORMAT = 1  # of study files: raised when a file would no longer mean what it meant
_KEYS = (
    "format", "name", "description", "scenarios", "runs", "seed", "until", "recording", "shocks", "design",
    "uncertainties", "levers", "policies",
)  # fmt: skip
COMMON, OWN = "common", "own"
_COMMON_BY_DEFAULT = ("grid", "saltelli", "morris")  # designs that look at differences between points


@dataclass(frozen=True)
class Case:
    """A scenario under a policy, with the distributions of the uncertainties laid over it."""

    scenario: Scenario
    policy: str = AS_IS


@dataclass(frozen=True)
class Study:
    """Everything that decides the results of a batch.

    Parameters
    ----------
    uncertainties : names of the parameters that the design sets, in order of its dimensions
    runs : histories of each point
    shocks : "own": every run of a case draws its own; "common": all points meet the same `runs` histories of shocks
    overridden : (scenario, parameter) that a scenario sets itself and the design sets otherwise
    """

    name: str
    description: str
    cases: tuple[Case, ...]
    uncertainties: tuple[str, ...]
    design: Design
    runs: int
    shocks: str
    recording: Recording
    overridden: tuple[tuple[str, str], ...] = ()

    @property
    def runs_of_case(self) -> int:
        """Runs of each case."""
        return self.design.count * self.runs

    @property
    def total_runs(self) -> int:
        """All runs of the study."""
        return len(self.cases) * self.runs_of_case

    @property
    def told_of_points(self) -> str:
        """Say in which histories all points stand, where they share them; else nothing."""
        if self.shocks != COMMON or not self.uncertainties:
            return ""
        one = "one history" if self.runs == 1 else f"the same {self.runs:,} histories"
        return f"all points stand in {one}: compare them with each other, their level is not the scenario's"

    @cached_property
    def scenarios(self) -> tuple[str, ...]:
        """Names of the scenarios."""
        return tuple(dict.fromkeys(case.scenario.name for case in self.cases))

    def points_of(self, numbers: Ints) -> Ints:
        """Return the points of run numbers."""
        return np.asarray(numbers // self.runs, dtype=np.int64)

    def shocks_of(self, numbers: Ints) -> Ints:
        """Return the numbers under which runs draw their shocks."""
        return np.asarray(numbers % self.runs if self.shocks == COMMON else numbers, dtype=np.int64)


def studies_names() -> list[str]:
    """Return the names of the studies that ship with the package."""
    folder = files("computemarket.scenarios").joinpath("studies")
    return sorted(
        entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml")
    )


def load_study(source: str | Path, headline: Reduction | None = None) -> Study:
    """Load a study from a TOML file, or by name one that ships with the package.

    Parameters
    ----------
    headline : computes the headline measures, for studies that record them

    Raises
    ------
    InputError
        naming file, key, value and what is allowed.
    """
    text = str(source)
    if not (text.endswith(".toml") or "/" in text):
        if text not in studies_names():
            known = studies_names()
            allowed = f"one of {', '.join(known)} or the path of a .toml file{nearest(text, known)}"
            raise InputError("study", text, allowed)
        data = files("computemarket.scenarios").joinpath("studies", f"{text}.toml").read_bytes()
        return read_study(data, f"{text}.toml", Path(), headline)
    path = Path(text)
    return read_study(read_given(path, "study", LARGEST_FILE), path.name, path.parent, headline)


def read_study(data: bytes, where: str, folder: Path, headline: Reduction | None = None) -> Study:
    """Read the bytes of a study file; scenarios named by path are looked up from `folder`."""
    table = _table(data, where)
    unknown = sorted(set(table) - set(_KEYS))
    if unknown:
        raise InputError(
            f"{where}: {unknown[0]}",
            table[unknown[0]],
            f"known{nearest(unknown[0], _KEYS)}; a study has {', '.join(_KEYS)}",
        )
    check_format(table, FORMAT, where)
    name = table.get("name", Path(where).stem)
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InputError(f"{where}: name", name, "a lower-case letter, then up to 39 of a-z 0-9 _ -")
    scenarios = [_with_header(one, table, where) for one in _scenarios(table, where, folder)]
    policies = list(_policies(table, where))
    if len(scenarios) * len(policies) > MOST_CASES:
        raise InputError(
            f"{where}: levers", f"{len(scenarios) * len(policies):,} cases", f"at most {MOST_CASES:,}"
        )
    uncertain = _settings(table.get("uncertainties", {}), f"{where}: uncertainties")
    touched = {key for _, settings in policies for key in settings} & set(uncertain)
    if touched:
        raise InputError(
            f"{where}: uncertainties", min(touched), "a lever as well: one or the other decides it"
        )
    overridden = tuple(
        (one.name, name)
        for one in scenarios
        for name, raw in uncertain.items()
        if raw != "prior" and name in one.settings
    )
    cases = tuple(
        _case(scenario, policy, levers, uncertain, where)
        for scenario in scenarios
        for policy, levers in policies
    )
    design_table = table.get("design", {})
    if not isinstance(design_table, Mapping):
        raise InputError(f"{where}: design", design_table, "a table with a method")
    levels = [_levels(raw) if isinstance(raw, list) else None for raw in uncertain.values()]
    design = read_design(design_table, levels, scenarios[0].seed, f"{where}: design")
    shocks = table.get("shocks", COMMON if design.method in _COMMON_BY_DEFAULT else OWN)
    if shocks not in (COMMON, OWN):
        raise InputError(f"{where}: shocks", shocks, f'"{COMMON}" or "{OWN}"')
    return Study(
        name=name,
        description=read_description(table.get("description", ""), f"{where}: description"),
        cases=cases,
        uncertainties=tuple(uncertain),
        design=design,
        runs=_runs(table.get("runs"), f"{where}: runs"),
        shocks=str(shocks),
        recording=read_recording(table.get("recording", "headline"), headline, f"{where}: recording"),
        overridden=overridden,
    )


def check_size(study: Study, *, force: bool = False) -> None:
    """Refuse more runs than are sensible; `force` raises the limit."""
    most = MOST_RUNS_FORCED if force else MOST_RUNS
    if study.total_runs > most:
        found = f"{len(study.cases):,} cases x {study.design.count:,} points x {study.runs:,} runs"
        way = "" if force else "; --force lifts the limit"
        raise InputError(study.name, found, f"at most {most:,} runs: it is {study.total_runs:,}{way}")


def _table(data: bytes, where: str) -> dict[str, object]:
    if len(data) > LARGEST_FILE:
        raise InputError(where, "a larger file", f"a study of at most {LARGEST_FILE:,} bytes")
    table = read_toml(data, where)
    if not table:
        raise InputError(
            where, "an empty file", 'a study; the shortest is: scenarios = ["baseline"] and runs = 64'
        )
    return table


def _runs(value: object, where: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST_RUNS_FORCED:
        found = "missing" if value is None else value
        raise InputError(where, found, f"a whole number in 1..{MOST_RUNS_FORCED}")
    return value


def _scenarios(table: Mapping[str, object], where: str, folder: Path) -> Iterator[Scenario]:
    names = table.get("scenarios")
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise InputError(f"{where}: scenarios", names, 'a list of scenarios such as ["baseline"]')
    loaded = [_scenario(name, f"{where}: scenarios", folder) for name in names]
    twice = [
        one.name for place, one in enumerate(loaded) if one.name in {other.name for other in loaded[:place]}
    ]
    if twice:
        raise InputError(
            f"{where}: scenarios", twice[0], "named once; every scenario needs a name of its own"
        )
    yield from loaded


def _scenario(name: str, where: str, folder: Path) -> Scenario:
    """Load a scenario of the library, or a file by its path from `folder`."""
    is_file = name.endswith(".toml") or "/" in name
    if is_file and (Path(name).is_absolute() or ".." in Path(name).parts):
        raise InputError(where, name, "the name of a file beside the study, or in a folder below it")
    path = beside(folder, name, where) if is_file else None
    try:
        return load_scenario(name if path is None else path)
    except InputError as error:
        if error.where == "scenario":  # the name itself is wrong, not something in a file
            raise InputError(where, name if is_file else error.found, error.allowed) from error
        raise error.within(where) from error


def _with_header(scenario: Scenario, table: Mapping[str, object], where: str) -> Scenario:
    """Lay seed and horizon of the study over a scenario."""
    return replace(
        scenario,
        seed=read_seed(table.get("seed", scenario.seed), f"{where}: seed"),
        until=read_quarter(table.get("until", scenario.until), f"{where}: until"),
    )


def _settings(raw: object, where: str) -> dict[str, object]:
    """Flatten tables of areas to `area.key -> raw value`, checking that the parameters exist."""
    found: dict[str, object] = {}
    if not isinstance(raw, Mapping):
        raise InputError(where, raw, "a table of parameters")
    for area, table in raw.items():
        if not isinstance(table, Mapping):
            raise InputError(
                f"{where}: {area}", table, f"a table of parameters, as in [{where.split(': ')[-1]}.capex]"
            )
        for key, value in table.items():
            find(f"{area}.{key}", where)
            found[f"{area}.{key}"] = value
    return found


def _policies(table: Mapping[str, object], where: str) -> Iterator[tuple[str, dict[str, object]]]:
    """Yield (name, settings) of named policies × all combinations of levers."""
    named = table.get("policies", {})
    if not isinstance(named, Mapping):
        raise InputError(f"{where}: policies", named, "a table of policies, as in [policies.NAME.capex]")
    for name in named:
        if not _NAME.fullmatch(name):
            raise InputError(f"{where}: policies", name, "a lower-case letter, then up to 39 of a-z 0-9 _ -")
    bases = {name: _settings(raw, f"{where}: policies.{name}") for name, raw in named.items()} or {"": {}}
    levers = _settings(table.get("levers", {}), f"{where}: levers")
    for name, values in levers.items():
        if not isinstance(values, list) or not values:
            raise InputError(f"{where}: levers: {name}", values, "a list of settings to try")
    count = math.prod(len(values) for values in levers.values() if isinstance(values, list)) * len(bases)
    if count > MOST_CASES:
        raise InputError(f"{where}: levers", f"{count:,} combinations", f"at most {MOST_CASES:,}")
    clash = sorted({key for base in bases.values() for key in base} & set(levers))
    if clash:
        raise InputError(
            f"{where}: levers", clash[0], "part of a policy as well: one or the other decides it"
        )
    for name, values in levers.items():
        _check_lever(name, values, f"{where}: levers: {name}")
    choices = [
        [(name, value) for value in values] for name, values in levers.items() if isinstance(values, list)
    ]
    for name, base in bases.items():
        for chosen in itertools.product(*choices):
            label = ",".join(f"{key}={value}" for key, value in chosen)
            yield (":".join(part for part in (name, label) if part) or AS_IS), {**base, **dict(chosen)}


def _check_lever(name: str, values: object, where: str) -> None:
    """Refuse values that cannot be set, and two that are the same: they would be the same policy under two names."""
    parameter = find(name, where)
    read = [parameter.read(value, where) for value in (values if isinstance(values, list) else [])]
    if any(one in read[:place] for place, one in enumerate(read)):
        raise InputError(where, values, "a list of settings that all differ")


def _case(
    scenario: Scenario, policy: str, levers: Mapping[str, object], uncertain: Mapping[str, object], where: str
) -> Case:
    """Lay the settings of a policy, then the distributions of the uncertainties over a scenario."""
    laid = _laid(scenario, levers, f"{where}: {policy}")
    chosen = {
        name: _distribution(laid, name, raw, f"{where}: uncertainties: {name}")
        for name, raw in uncertain.items()
    }
    return Case(replace(laid, settings={**laid.settings, **chosen}), policy)


def _laid(scenario: Scenario, settings: Mapping[str, object], where: str) -> Scenario:
    try:
        return scenario.with_settings(settings)
    except InputError as error:
        told = error.where.removeprefix("--set ")
        raise InputError(f"{where}: {told}", error.found, error.allowed) from error


def _distribution(scenario: Scenario, name: str, raw: object, where: str) -> Setting:
    """Return what the design draws a parameter from; a list of a grid becomes a uniform that spans it."""
    parameter = find(name, where)
    if raw == "prior":
        setting = scenario.settings.get(name, parameter.setting)
        if not _uncertain(setting):
            raise InputError(
                where, raw, f"possible: {scenario.name} fixes it at {setting}; give a distribution"
            )
        return setting
    if isinstance(raw, list):
        values = [parameter.read(value, where) for value in raw if not isinstance(value, list | Mapping)]
        numbers = sorted(value for value in values if isinstance(value, float))
        if len(numbers) != len(raw) or len(numbers) < 2 or len(set(numbers)) < len(numbers):
            raise InputError(where, raw, "a list of two numbers or more that all differ")
        return Distribution("uniform", (numbers[0], numbers[-1]))
    if not isinstance(raw, Mapping):
        raise InputError(
            where, raw, '"prior", a distribution such as { uniform = [a, b] }, or a list of values'
        )
    return parameter.read(raw, where)


def _uncertain(setting: Setting) -> bool:
    if isinstance(setting, Schedule):
        return any(isinstance(value, Distribution) for _, value in setting.steps)
    return isinstance(setting, Distribution)


def _levels(values: Sequence[float]) -> list[float]:
    """Return the places of listed values between the least and the largest."""
    low, high = float(min(values)), float(max(values))
    return [(float(value) - low) / (high - low) for value in values]
