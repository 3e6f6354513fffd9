"""Scenarios laid over each other: what each changes of their common ground, refused where two disagree."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from computemarket.errors import InputError
from computemarket.scenarios.scenario import JOINT, MOST_PARTS, Scenario

_PLAIN = ("seed", "until", "knowledge")  # what a scenario has once, beside its settings


def combined(parts: Sequence[Scenario], ground: Scenario, where: str) -> Scenario:
    """Return the scenario in which several hold at once.

    Parameters
    ----------
    parts : what is combined, in order; none twice
    ground : what they have in common: what a part leaves as it is here, it leaves to the others
    where : what names them, for messages

    Raises
    ------
    InputError
        if two parts set the same thing to different values, or one switches on what another switches off.
    """
    names = [part.name for part in parts]
    if not 2 <= len(parts) <= MOST_PARTS or len(set(names)) < len(names):
        raise InputError(where, JOINT.join(names), f"2 to {MOST_PARTS} different scenarios")
    settings = dict(ground.settings)
    for key in sorted({key for part in parts for key in part.settings}):
        asked = {part.name: part.settings.get(key) for part in parts}
        settings[key] = _agreed(asked, ground.settings.get(key), f"{where}: {key}")
    plain = {
        name: _agreed(
            {part.name: getattr(part, name) for part in parts}, getattr(ground, name), f"{where}: {name}"
        )
        for name in _PLAIN
    }
    on, off = _joined([part.enforce for part in parts]), _joined([part.suspend for part in parts])
    _check_switches(parts, on, off, where)
    regimes = dict(ground.regimes)
    for part in parts:
        for name, text in part.regimes:
            if regimes.setdefault(name, text) != text:
                raise InputError(where, name, f"one file of regimes of that name: {_who(parts, name)} differ")
    return replace(
        ground,
        name=JOINT.join(names),
        description="; ".join(part.description for part in parts if part.description),
        settings=settings,
        regimes=tuple(regimes.items()),
        enforce=on,
        suspend=off,
        **plain,
    )


def _agreed(asked: dict[str, Any], usual: Any, where: str) -> Any:
    """Return the value that parts ask for who do not leave it as it is."""
    changed = {name: value for name, value in asked.items() if value is not None and value != usual}
    if not changed:
        return usual
    (first, value), *others = changed.items()
    for name, other in others:
        if other != value:
            raise InputError(
                where, f"{value} in {first}, {other} in {name}", "one value: leave one of them out"
            )
    return value


def _joined(lists: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for names in lists for name in names))


def _check_switches(parts: Sequence[Scenario], on: tuple[str, ...], off: tuple[str, ...], where: str) -> None:
    for name in on:
        if name in off:
            by = next(part.name for part in parts if name in part.enforce)
            against = next(part.name for part in parts if name in part.suspend)
            told = f"{name} on in {by}, off in {against}"
            raise InputError(where, told, "a regime on which they agree: leave one of them out")


def _who(parts: Sequence[Scenario], name: str) -> str:
    return " and ".join(part.name for part in parts if name in dict(part.regimes))
