"""Scenario files: what is asked, read from TOML and checked key by key before anything runs."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

from computemarket.errors import InputError
from computemarket.model.core.given_files import is_inside, read_given
from computemarket.model.core.parameters import Setting, schema
from computemarket.model.core.texts import decoded, nearest
from computemarket.scenarios.combining import combined
from computemarket.scenarios.scenario import JOINT, NAME, check_name, set_value
from computemarket.scenarios.scenario import Scenario as Scenario
from computemarket.scenarios.scenario import read_quarter as read_quarter
from computemarket.scenarios.scenario import read_seed as read_seed

_GROUND = "baseline"  # what scenarios that are combined leave as it is
_RULES = ("regimes", "enforce", "suspend")
FORMAT = 1  # of scenario files: raised when a file would no longer mean what it meant
_HEADER = ("format", "extends", "name", "description", "seed", "until", "knowledge", *_RULES)
KNOWLEDGE = ("today", "2025Q2")
_TOML_VALUE = "a TOML value (a number, { uniform = [a, b] }, …)"
_DEEPEST = 16  # longest chain of `extends`
LARGEST_SCENARIO = 2_000_000  # bytes of a scenario with the regimes it holds
_LARGEST_REGIMES = 1_000_000  # bytes of all regimes of a scenario
LONGEST_DESCRIPTION = 2_000  # letters: it is printed in tables and titles
MOST_RUNS = 1_000_000


def library_names() -> list[str]:
    """Return the names of the scenarios that ship with the package."""
    folder = files("computemarket.scenarios").joinpath("library")
    return sorted(
        entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml")
    )


def load_scenario(source: str | Path) -> Scenario:
    """Load a scenario by library name, several names joined by `+`, or from a TOML file.

    Raises
    ------
    InputError
        naming file, key, value and what is allowed.
    """
    text = str(source)
    if text.endswith(".toml") or "/" in text or isinstance(source, Path):
        path = Path(text)
        return _from_file(path, "scenario", ())
    return _from_names(text, "scenario", ())


def _from_names(text: str, where: str, chain: tuple[str, ...]) -> Scenario:
    """Load a scenario of the library, or several of them laid over each other."""
    if JOINT not in text:
        return _from_library(text, where, chain)
    parts = [_from_library(name.strip(), where, chain) for name in text.split(JOINT)]
    return combined(parts, _from_library(_GROUND, where, ()), where)


def _from_file(path: Path, where: str, chain: tuple[str, ...]) -> Scenario:
    """Load a file; `chain` names what leads to it, library scenarios by name and files by path."""
    _check_chain(str(path), where, chain)
    data = read_given(path, where, LARGEST_SCENARIO)
    return _resolve(_read(data, path.name), path.stem, path.name, (*chain, str(path)), path.parent)


def _check_chain(name: str, where: str, chain: tuple[str, ...]) -> None:
    if name in chain:
        raise InputError(where, name, f"free of cycles ({' -> '.join((*chain, name))})")
    if len(chain) > _DEEPEST:
        raise InputError(where, name, f"at most {_DEEPEST} levels deep")


def _from_library(name: str, where: str, chain: tuple[str, ...]) -> Scenario:
    _check_chain(name, where, chain)
    known = library_names()
    if not NAME.fullmatch(name) or name not in known:
        near = nearest(name, known)
        allowed = (
            "a scenario of the library (`computemarket scenarios` lists them) or the path of a .toml file"
        )
        raise InputError(where, name, f"{allowed}{near}")
    data = files("computemarket.scenarios").joinpath("library", f"{name}.toml").read_bytes()
    return _resolve(_read(data, f"{name}.toml"), name, f"{name}.toml", (*chain, name))


def _read(data: bytes, where: str) -> dict[str, object]:
    table = read_toml(data, where)
    if not table:
        raise InputError(where, "an empty file", 'a scenario; the shortest is: extends = "baseline"')
    return table


def read_toml(data: bytes, where: str) -> dict[str, object]:
    """Return the bytes of a TOML file as a table.

    Raises
    ------
    InputError
        if they are not text, or not TOML.
    """
    text = decoded(data, where, "TOML")
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(where, str(error), "TOML in UTF-8") from error


def _resolve(
    table: Mapping[str, object], name: str, where: str, chain: tuple[str, ...], folder: Path | None = None
) -> Scenario:
    """Lay a file over what it extends; `chain` names what leads to it, `folder` is its own.

    A file may say its `name`, so that a copy under another file name gives the same results.
    """
    check_format(table, FORMAT, where)
    name = _text(table, "name", where, name)
    check_name(name, where)
    base = _base(table, where, chain, folder)
    settings = dict(base.settings)
    for key, value in table.items():
        if key not in _HEADER:
            _set_area(settings, key, value, where)
    return replace(
        base,
        name=name,
        description=read_description(table.get("description", base.description), f"{where}: description"),
        settings=settings,
        seed=read_seed(table.get("seed", base.seed), f"{where}: seed"),
        until=read_quarter(table.get("until", base.until), f"{where}: until"),
        knowledge=_choice(table.get("knowledge", base.knowledge), f"{where}: knowledge", KNOWLEDGE),
        **_rules(table, where, base, folder),
    )


def _rules(table: Mapping[str, object], where: str, base: Scenario, folder: Path | None) -> dict[str, Any]:
    """Return the export regimes of a file over those of what it extends."""
    added = [_regimes_of(entry, where, folder) for entry in _entries(table, where)]
    size = sum(len(text) for _, text in (*base.regimes, *added))
    if size > _LARGEST_REGIMES:
        raise InputError(
            f"{where}: regimes", f"{size:,} bytes", f"at most {_LARGEST_REGIMES:,} bytes together"
        )
    enforce, suspend = (tuple(_names(table, key, where)) for key in ("enforce", "suspend"))
    return _switches(base, (*base.regimes, *added), enforce, suspend, f"{where}: enforce or suspend")


def with_switches(scenario: Scenario, enforce: tuple[str, ...], suspend: tuple[str, ...]) -> Scenario:
    """Return a copy with export regimes switched on and off.

    Raises
    ------
    InputError
        for the id of a regime that there is not.
    """
    where = "--enforce or --suspend"
    return replace(scenario, **_switches(scenario, scenario.regimes, enforce, suspend, where))


def _switches(
    base: Scenario,
    known: tuple[tuple[str, bytes], ...],
    enforce: tuple[str, ...],
    suspend: tuple[str, ...],
    where: str,
) -> dict[str, Any]:
    """Return regimes and switches laid over those of a scenario; a switch thrown later wins."""
    from computemarket.model.policy.trade.market_access import Rules, check_names

    check_names((*enforce, *suspend), Rules(known).book(), where)
    on = tuple(name for name in base.enforce if name not in suspend)
    off = tuple(name for name in base.suspend if name not in enforce)
    return {
        "regimes": known,
        "enforce": tuple(dict.fromkeys((*on, *enforce))),
        "suspend": tuple(dict.fromkeys((*off, *suspend))),
    }


def _entries(table: Mapping[str, object], where: str) -> list[object]:
    value = table.get("regimes", [])
    if not isinstance(value, list):
        raise InputError(f"{where}: regimes", value, "a list of files")
    return value


def _regimes_of(entry: object, where: str, folder: Path | None) -> tuple[str, bytes]:
    """Return name and text of an entry of `regimes`: the name of a file, or { name, text } with its text in place."""
    if isinstance(entry, str):
        return _regime_file(entry, where, folder)
    held = dict(entry) if isinstance(entry, Mapping) else {}
    name, text = held.get("name"), held.get("text")
    if set(held) != {"name", "text"} or not isinstance(name, str) or not isinstance(text, str):
        raise InputError(f"{where}: regimes", entry, "the name of a file, or { name = …, text = … }")
    return name, text.encode()


def _regime_file(name: str, where: str, folder: Path | None) -> tuple[str, bytes]:
    """Return the name and text of a file of regimes beside the scenario file, or in the library's folder of regimes."""
    if Path(name).is_absolute() or ".." in Path(name).parts:
        raise InputError(
            f"{where}: regimes", name, "the name of a file beside the scenario, or in a folder below it"
        )
    path = Path(name) if folder is None else beside(folder, name, f"{where}: regimes")
    if folder is None:
        shipped = files("computemarket.scenarios").joinpath("library", "regimes", name)
        if shipped.is_file():
            return name, shipped.read_bytes()
    return Path(name).name, read_given(path, "scenario", _LARGEST_REGIMES)


def _names(table: Mapping[str, object], key: str, where: str) -> list[str]:
    value = table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise InputError(f"{where}: {key}", value, "a list of names")
    return [str(name) for name in value]


def _set_area(settings: dict[str, Setting], area: str, value: object, where: str) -> None:
    """Read one table of a scenario file: the parameters of an area."""
    areas = sorted({name.split(".")[0] for name in schema()})
    if area not in areas or not isinstance(value, Mapping):
        found = "a table" if isinstance(value, Mapping) else value
        near = nearest(area, (*_HEADER, *areas))
        allowed = f"known{near}; a scenario has {', '.join(_HEADER)} and tables of parameters"
        if area in areas:
            allowed = f"a table of parameters, as in [{area}]"
        raise InputError(f"{where}: {area}", found, allowed)
    for key, raw in value.items():
        set_value(settings, f"{area}.{key}", raw, f"{where}: {area}.{key}", f"{where}: {area}.{key}")


def _base(table: Mapping[str, object], where: str, chain: tuple[str, ...], folder: Path | None) -> Scenario:
    """Return what a file extends: a scenario of the library, or a file beside it."""
    parent = table.get("extends")
    where = f"{where}: extends"
    if parent is None:
        return Scenario(name="defaults")
    if isinstance(parent, list):
        parts = [_parent(one, where, chain, folder) for one in parent]
        return combined(parts, _from_library(_GROUND, where, ()), where)
    return _parent(parent, where, chain, folder)


def _parent(parent: object, where: str, chain: tuple[str, ...], folder: Path | None) -> Scenario:
    """Return one scenario that a file extends."""
    if not isinstance(parent, str):
        allowed = "the name of a scenario of the library, or of a .toml file beside it, or a list of them"
        raise InputError(where, parent, allowed)
    if folder is None or not (parent.endswith(".toml") or "/" in parent):
        return _from_names(parent, where, chain)
    if Path(parent).is_absolute() or ".." in Path(parent).parts:
        raise InputError(where, parent, "the name of a file beside the scenario, or in a folder below it")
    return _from_file(beside(folder, parent, where), where, chain)


def beside(folder: Path, name: str, where: str) -> Path:
    """Return the path of a file that a file in a folder names: it lies there or below, also behind links.

    Raises
    ------
    InputError
        if it lies elsewhere: what a file names is shown in messages, and nobody asked for another folder.
    """
    path = folder / name
    if not is_inside(path, folder):
        raise InputError(
            where, name, "a file beside the one that names it, or in a folder below it: it is a link"
        )
    return path


def _text(table: Mapping[str, object], key: str, where: str, default: str) -> str:
    value = table.get(key, default)
    if not isinstance(value, str):
        raise InputError(f"{where}: {key}", value, "text")
    return value


def read_description(value: object, where: str) -> str:
    """Return a description, or raise InputError."""
    if not isinstance(value, str):
        raise InputError(where, value, "text")
    if len(value) > LONGEST_DESCRIPTION:
        raise InputError(where, f"{len(value):,} letters", f"at most {LONGEST_DESCRIPTION:,} letters")
    return value


def check_format(table: Mapping[str, object], known: int, where: str) -> None:
    """Refuse a file of a format that this version does not know; one that names none is of the format now."""
    found = table.get("format", known)
    if type(found) is not int or found != known:
        raise InputError(
            f"{where}: format", found, f"{known}, the format that this version of the program reads"
        )


def check_runs(runs: object, where: str = "--runs") -> None:
    """Refuse a number of runs that cannot be simulated."""
    if isinstance(runs, bool) or not isinstance(runs, int) or not 1 <= runs <= MOST_RUNS:
        raise InputError(where, runs, f"a whole number in 1..{MOST_RUNS}")


def _choice(value: object, where: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise InputError(where, value, f"one of {', '.join(allowed)}")
    return str(value)


def parse_set(text: str) -> tuple[str, object]:
    """Read one `KEY=VALUE` of the command line; the value is written as in TOML.

    Raises
    ------
    InputError
        if it is not of that form.
    """
    key, sign, raw = text.partition("=")
    if not sign:
        raise InputError("--set", text, "KEY=VALUE")
    try:
        table = tomllib.loads(f"value = {raw}")
    except (ValueError, RecursionError) as error:
        raise InputError(f"--set {key}", raw, _TOML_VALUE) from error
    if set(table) != {"value"}:
        raise InputError(f"--set {key}", raw, _TOML_VALUE)
    return key.strip(), table["value"]


def parse_sets(texts: Sequence[str]) -> dict[str, object]:
    """Read all `KEY=VALUE` of a command line; a key may be set once.

    Raises
    ------
    InputError
        if one is not of that form or sets a key again.
    """
    pairs: dict[str, object] = {}
    for text in texts:
        key, value = parse_set(text)
        if key in pairs:
            raise InputError("--set", text, f"a key that is set once ({key})")
        pairs[key] = value
    return pairs
