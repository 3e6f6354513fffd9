"""A scenario: what is asked of the market, as settings that differ from the defaults of the schema."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from computemarket.errors import InputError
from computemarket.model.core.calendar import QUARTERS, quarter_index
from computemarket.model.core.parameters import Distribution, Schedule, Setting, find

NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")
JOINT = "+"  # between the names of scenarios that hold together
MOST_PARTS = 8
_JOINT_NAME = re.compile(rf"{NAME.pattern}(\{JOINT}{NAME.pattern}){{0,{MOST_PARTS - 1}}}")
LARGEST_SEED = 2**63 - 1


@dataclass(frozen=True)
class Scenario:
    """One scenario: settings that differ from the defaults of the schema."""

    name: str
    description: str = ""
    settings: Mapping[str, Setting] = field(default_factory=dict)
    seed: int = 1
    until: str = QUARTERS[-1]
    knowledge: str = "today"
    regimes: tuple[tuple[str, bytes], ...] = ()  # name and text of files of export regimes, in order
    enforce: tuple[str, ...] = ()  # ids of regimes that are switched on
    suspend: tuple[str, ...] = ()  # ids of regimes that are switched off

    def __post_init__(self) -> None:
        check_name(self.name, "scenario: name")
        read_seed(self.seed, "scenario: seed")
        read_quarter(self.until, "scenario: until")
        for name, setting in self.settings.items():
            parameter = find(name, "scenario: settings")
            if not isinstance(setting, Distribution | Schedule):
                parameter.read(setting, f"scenario: {name}")

    @property
    def quarters(self) -> int:
        """Number of quarters simulated."""
        return quarter_index(self.until) + 1

    def with_settings(self, pairs: Mapping[str, object]) -> "Scenario":
        """Return a copy with parameters set as `name -> raw TOML value`.

        Raises
        ------
        InputError
            for an unknown parameter or a value out of its range.
        """
        settings = dict(self.settings)
        for name, raw in pairs.items():
            set_value(settings, name, raw, "--set", f"--set {name}")
        return replace(self, settings=settings)


def read_seed(value: object, where: str) -> int:
    """Return a seed, or raise InputError."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LARGEST_SEED:
        raise InputError(where, value, f"a whole number in 0..{LARGEST_SEED}")
    return value


def read_quarter(value: object, where: str) -> str:
    """Return a quarter of the calendar, or raise InputError."""
    return QUARTERS[quarter_index(value, where)]


def check_name(name: str, where: str) -> None:
    """Refuse what is no name of a scenario, or of several joined by `+`."""
    if not _JOINT_NAME.fullmatch(name):
        raise InputError(where, name, "a scenario name: a lower-case letter, then up to 39 of a-z 0-9 _ -")


def set_value(settings: dict[str, Setting], name: str, raw: object, where: str, where_value: str) -> None:
    """Set a parameter; before the first date of a schedule, what held without it goes on to hold."""
    parameter = find(name, where)
    setting = parameter.read(raw, where_value)
    below = settings.get(name, parameter.setting)
    settings[name] = setting.over(below) if isinstance(setting, Schedule) else setting
