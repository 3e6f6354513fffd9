"""A scenario written out in full: every parameter with the setting that held, so that a result can be repeated."""

import json

from computemarket.model.calendar import QUARTERS
from computemarket.model.parameters import Distribution, Schedule, Setting, schema
from computemarket.scenarios.schema import Scenario


def resolved_text(scenario: Scenario) -> str:
    """Return a scenario as a TOML file that depends on no default and on no other file.

    Reading it back gives the same histories. Text and order depend on the scenario alone.
    """
    lines = [
        "# Every parameter as it held: this file depends on no default and extends nothing.",
        f"description = {quoted(scenario.description)}",
        f"seed = {scenario.seed}",
        f"until = {quoted(scenario.until)}",
        f"knowledge = {quoted(scenario.knowledge)}",
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
