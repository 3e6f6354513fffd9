"""A scenario written out in full: every parameter with the setting that held, so that a result can be repeated."""

import json
from collections.abc import Iterator

from computemarket.model.core.calendar import QUARTERS
from computemarket.model.core.parameters import Distribution, Schedule, Setting, schema
from computemarket.scenarios.schema import FORMAT, Scenario


def resolved_text(scenario: Scenario) -> str:
    """Return a scenario as a TOML file that depends on no default and on no other file.

    Reading it back gives the same histories. Text and order depend on the scenario alone.
    """
    lines = [
        "# Every parameter as it held: this file depends on no default and extends nothing.",
        f"format = {FORMAT}",
        f"name = {quoted(scenario.name)}",
        f"description = {quoted(scenario.description)}",
        f"seed = {scenario.seed}",
        f"until = {quoted(scenario.until)}",
        f"knowledge = {quoted(scenario.knowledge)}",
        *_rules_lines(scenario),
    ]
    area = ""
    for name, parameter in sorted(schema().items()):
        here, key = name.split(".")
        if here != area:
            lines += ["", f"[{here}]"]
            area = here
        text = _setting_text(scenario.settings.get(name, parameter.setting), parameter.default)
        lines.append(f"{key} = {text}  # {parameter.unit}")
    return "\n".join(lines) + "\n"


def plain(setting: Setting, default: float) -> Setting:
    """Return a setting in the one form that says what holds when, as written by hand or read from a resolved file."""
    if not isinstance(setting, Schedule):
        return setting
    first, steps = setting.steps[0], setting.steps
    if first[0] > 0:
        return Schedule(steps, default if setting.before is None else setting.before)
    return Schedule(steps[1:], first[1]) if len(steps) > 1 else first[1]


def changed_settings(scenario: Scenario) -> dict[str, Setting]:
    """Return the parameters that a scenario sets otherwise than the schema, sorted by name."""
    found = {}
    for name, parameter in sorted(schema().items()):
        held = plain(scenario.settings.get(name, parameter.setting), parameter.default)
        if held != plain(parameter.setting, parameter.default):
            found[name] = held
    return found


def _rules_lines(scenario: Scenario) -> Iterator[str]:
    """Yield the export regimes of a scenario, the text of their files in place, and the switches that were thrown."""
    if scenario.regimes:
        yield "regimes = ["
        for name, text in scenario.regimes:
            yield f"{{ name = {quoted(name)}, text = {_block(text.decode())} }},"
        yield "]"
    for key in ("enforce", "suspend"):
        names = getattr(scenario, key)
        if names:
            yield f"{key} = [{', '.join(quoted(name) for name in names)}]"


def _block(text: str) -> str:
    """Return text of several lines as a TOML string that a person can read, where TOML keeps it as it is."""
    plain = all(letter.isprintable() or letter in "\n\t" for letter in text)
    return f"'''\n{text}'''" if plain and "''" not in text and not text.endswith("'") else quoted(text)


def quoted(text: str) -> str:
    """Return text as a TOML string."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _setting_text(setting: Setting, default: float) -> str:
    if not isinstance(setting, Schedule):
        return _value_text(setting)
    steps = list(setting.steps)
    if steps[0][0] > 0:
        steps.insert(0, (0, default if setting.before is None else setting.before))
    dated = (f'{{ from = "{QUARTERS[index]}", value = {_value_text(value)} }}' for index, value in steps)
    return f"[{', '.join(dated)}]"


def _value_text(value: float | Distribution) -> str:
    if isinstance(value, Distribution):
        return f"{{ {value.family} = [{', '.join(repr(number) for number in value.numbers)}] }}"
    return repr(float(value))
