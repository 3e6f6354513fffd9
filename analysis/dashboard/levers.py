"""What a reader asks of the page: a scenario, parameters set by hand, and the file that says both."""

from dataclasses import dataclass

from computemarket.model.core.calendar import QUARTERS
from computemarket.model.core.parameters import Distribution, Parameter, Schedule, Setting, schema
from computemarket.scenarios.resolved import quoted
from computemarket.scenarios.schema import Scenario, load_scenario

ALWAYS = QUARTERS[0]


@dataclass(frozen=True, slots=True)
class Lever:
    """A parameter set by hand from a quarter on."""

    name: str
    value: float
    since: str = ALWAYS

    @property
    def raw(self) -> object:
        """The setting as a scenario file would hold it."""
        if self.since == ALWAYS:
            return self.value
        return [{"from": self.since, "value": self.value}]

    @property
    def text(self) -> str:
        """The setting as TOML."""
        if self.since == ALWAYS:
            return repr(self.value)
        return f'[{{ from = "{self.since}", value = {self.value!r} }}]'


@dataclass(frozen=True, slots=True)
class Question:
    """One ensemble to simulate; equal questions have equal answers."""

    scenario: str
    levers: tuple[Lever, ...] = ()
    runs: int = 256
    seed: int = 1
    until: str = QUARTERS[-1]

    @property
    def label(self) -> str:
        """What legends call it."""
        count = len(self.levers)
        if not count:
            return self.scenario
        return f"{self.scenario} with {count} parameter{'s' if count > 1 else ''} set"

    def asked(self) -> Scenario:
        """Return the scenario to simulate.

        Raises
        ------
        InputError
            for an unknown name or a value out of its range.
        """
        from computemarket.scenarios.batches.ensemble import prepare

        asked = prepare(self.scenario, self.seed, self.until)
        return asked.with_settings({lever.name: lever.raw for lever in self.levers})

    def file(self) -> str:
        """Return a scenario file that asks the same; `computemarket run FILE --runs N` gives the same bands."""
        lines = [
            f"# Made with the dashboard; {self.runs} runs were shown.",
            f"extends = {quoted(self.scenario)}",
            f"description = {quoted(self.label)}",
            f"seed = {self.seed}",
            f"until = {quoted(self.until)}",
        ]
        area = ""
        for lever in sorted(self.levers, key=lambda one: one.name):
            here, key = lever.name.split(".")
            if here != area:
                lines += ["", f"[{here}]"]
                area = here
            lines.append(f"{key} = {lever.text}  # {schema()[lever.name].unit}")
        return "\n".join(lines) + "\n"


def setting_of(scenario: str, parameter: Parameter) -> Setting:
    """Return what holds in a scenario before anybody moves a lever."""
    return load_scenario(scenario).settings.get(parameter.name, parameter.setting)


def starting_value(setting: Setting) -> float:
    """Return where a lever stands at first: what holds last, the median if that is uncertain."""
    if isinstance(setting, Schedule):
        setting = setting.steps[-1][1]
    return median(setting) if isinstance(setting, Distribution) else setting


def median(prior: Distribution) -> float:
    """Return the median of a distribution."""
    import numpy as np

    return float(prior.quantile(np.array([0.5]))[0])


def explained(parameter: Parameter, setting: Setting) -> str:
    """Return what a parameter means and what it is in a scenario, in one paragraph."""
    unit = "no unit" if parameter.unit == "1" else parameter.unit
    held = f"{setting:g}" if isinstance(setting, float) else str(setting)
    drawn = ", drawn for each run; a number here fixes it" if isinstance(setting, Distribution) else ""
    return (
        f"{parameter.meaning[:1].upper()}{parameter.meaning[1:]} ({unit}). In this scenario: {held}{drawn}. "
        f"Source: {parameter.source} ({parameter.status})."
    )
