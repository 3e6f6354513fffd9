"""The parameter schema: every number of the model that is not a fact of the catalogue.

Parameters are data, `model/data/parameters/<area>.toml`, one table each: meaning, unit, default, allowed
range, source, and the prior distribution from which uncertain runs draw.
"""

import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np

from computemarket.errors import InputError
from computemarket.model.core.arrays import Floats
from computemarket.model.core.calendar import QUARTERS, quarter_index
from computemarket.model.core.randomness import Streams
from computemarket.model.core.texts import nearest

STATUSES = ("fact", "estimate", "assumption")


@dataclass(frozen=True, slots=True)
class Distribution:
    """A prior: a family with its numbers."""

    family: str
    numbers: tuple[float, ...]

    def quantile(self, u: Floats) -> Floats:
        """Return the inverse distribution function at uniforms `u` of any shape."""
        return _FAMILIES[self.family][1](u, *self.numbers)

    def __str__(self) -> str:
        return f"{self.family}({', '.join(f'{number:g}' for number in self.numbers)})"


def _uniform(u: Floats, low: float, high: float) -> Floats:
    return low + u * (high - low)


def _triangular(u: Floats, low: float, mode: float, high: float) -> Floats:
    span, cut = high - low, (mode - low) / (high - low)
    rising = low + np.sqrt(u * span * (mode - low))
    return np.where(u < cut, rising, high - np.sqrt((1 - u) * span * (high - mode)))


def _normal(u: Floats, mean: float, sd: float) -> Floats:
    from scipy.special import ndtri

    return mean + sd * np.asarray(ndtri(u))


def _lognormal(u: Floats, median: float, sigma: float) -> Floats:
    return median * np.exp(_normal(u, 0.0, sigma))


_FAMILIES: dict[str, tuple[int, Callable[..., Floats]]] = {
    "uniform": (2, _uniform),
    "triangular": (3, _triangular),
    "normal": (2, _normal),
    "lognormal": (2, _lognormal),
}


@dataclass(frozen=True, slots=True)
class Schedule:
    """A value that changes at dated quarters.

    Parameters
    ----------
    steps : (quarter index, number or distribution) in order of date
    before : what holds until the first step; None: the parameter's default
    """

    steps: tuple[tuple[int, float | Distribution], ...]
    before: "float | Distribution | None" = None

    def over(self, below: "Setting") -> "Schedule":
        """Return this schedule laid over a setting, which goes on to hold until the first step."""
        if not isinstance(below, Schedule):
            return Schedule(self.steps, below)
        first = self.steps[0][0]
        earlier = tuple(step for step in below.steps if step[0] < first)
        return Schedule(earlier + self.steps, below.before)

    def __str__(self) -> str:
        dated = ", ".join(f"{_text(value)} from {QUARTERS[index]}" for index, value in self.steps)
        return dated if self.before is None else f"{_text(self.before)}, {dated}"


def _text(value: float | Distribution) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


Setting = float | Distribution | Schedule


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of the schema."""

    name: str
    meaning: str
    unit: str
    default: float
    low: float
    high: float
    source: str
    status: str
    prior: Distribution | None = None
    schedule: Schedule | None = None

    @property
    def setting(self) -> Setting:
        """What holds where no scenario says otherwise: the dated schedule, the prior or the default."""
        return self.schedule or self.prior or self.default

    def read(self, raw: object, where: str) -> Setting:
        """Turn a raw TOML value into a setting of this parameter.

        Raises
        ------
        InputError
            if the value has a wrong type or leaves the parameter's range.
        """
        if isinstance(raw, Mapping):
            setting: Setting = self._distribution(raw, where)
        elif isinstance(raw, list):
            setting = self._schedule(raw, where)
        else:
            setting = self._number(raw, where)
        return setting

    def _number(self, raw: object, where: str) -> float:
        if not _is_number(raw) or not self.low <= float(raw) <= self.high:  # type: ignore[arg-type]
            raise InputError(where, raw, f"a number in {self.low:g}..{self.high:g} ({self.unit})")
        return float(raw)  # type: ignore[arg-type]

    def _distribution(self, raw: Mapping[str, object], where: str) -> Distribution:
        allowed = "one of " + ", ".join(
            f"{{ {name} = [{count} numbers] }}" for name, (count, _) in _FAMILIES.items()
        )
        family = next(iter(raw), "")
        numbers = raw.get(family)
        if len(raw) != 1 or family not in _FAMILIES or not isinstance(numbers, list):
            raise InputError(where, dict(raw), allowed)
        if len(numbers) != _FAMILIES[family][0]:
            raise InputError(where, dict(raw), allowed)
        if not all(map(_is_number, numbers)):
            raise InputError(where, dict(raw), allowed)
        values = tuple(float(number) for number in numbers)
        bounds = values if family in ("uniform", "triangular") else values[:1]
        for bound in bounds:
            self._number(bound, where)
        ordered = values == tuple(sorted(values)) and values[0] < values[-1]
        if family in ("uniform", "triangular") and not ordered:
            raise InputError(where, dict(raw), "in rising order")
        if family in ("normal", "lognormal") and values[1] <= 0:
            raise InputError(where, dict(raw), "a distribution with a positive spread")
        return Distribution(family, values)

    def _schedule(self, raw: list[object], where: str) -> Schedule:
        steps = []
        for entry in raw:
            if not isinstance(entry, Mapping) or set(entry) != {"from", "value"}:
                raise InputError(where, entry, '{ from = "2026Q1", value = … }')
            value = entry["value"]
            held = (
                self._distribution(value, where) if isinstance(value, Mapping) else self._number(value, where)
            )
            steps.append((quarter_index(entry["from"], where), held))
        if not steps or [index for index, _ in steps] != sorted({index for index, _ in steps}):
            raise InputError(where, raw, "a list of dated values in order of date")
        return Schedule(tuple(steps))


_FIELDS = {"meaning", "unit", "default", "range", "source", "status", "prior", "schedule"}
_LARGEST = float(np.finfo(np.float64).max)
_OPTIONAL = {"prior", "schedule"}


def _is_number(raw: object) -> bool:
    """Say whether a value is a number that float64 holds; whole numbers of a file have no end."""
    number = isinstance(raw, int | float) and not isinstance(raw, bool)
    return number and -_LARGEST <= raw <= _LARGEST  # type: ignore[operator]


def _parameter(name: str, table: Mapping[str, object], where: str) -> Parameter:
    """Read one table of the schema."""
    unknown, missing = set(table) - _FIELDS, _FIELDS - _OPTIONAL - set(table)
    if unknown or missing:
        raise InputError(
            f"{where}: {name}", sorted(unknown or missing), f"a parameter with {sorted(_FIELDS)}"
        )
    low, high = (float(bound) for bound in table["range"])  # type: ignore[attr-defined]
    if table["status"] not in STATUSES:
        raise InputError(f"{where}: {name}: status", table["status"], f"one of {STATUSES}")
    texts = {key: str(table[key]) for key in ("meaning", "unit", "source", "status")}
    bare = Parameter(name=name, default=float(table["default"]), low=low, high=high, **texts)  # type: ignore[arg-type]
    bare.read(bare.default, f"{where}: {name}: default")
    prior = bare.read(table["prior"], f"{where}: {name}: prior") if "prior" in table else None
    dated = bare.read(table["schedule"], f"{where}: {name}: schedule") if "schedule" in table else None
    return Parameter(name, bare.meaning, bare.unit, bare.default, low, high, bare.source, bare.status,
                     prior if isinstance(prior, Distribution) else None,
                     dated if isinstance(dated, Schedule) else None)  # fmt: skip


@cache
def schema() -> dict[str, Parameter]:
    """Return every parameter by name, in order of area and file."""
    folder = files("computemarket.model.data").joinpath("parameters")
    found: dict[str, Parameter] = {}
    for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if not file.name.endswith(".toml"):
            continue
        area = file.name.removesuffix(".toml")
        for key, table in tomllib.loads(file.read_text("utf-8")).items():
            found[f"{area}.{key}"] = _parameter(f"{area}.{key}", table, file.name)
    return found


def find(name: str, where: str) -> Parameter:
    """Return a parameter by name; an unknown name is an error that says the nearest one."""
    parameters = schema()
    if name not in parameters:
        near = nearest(name, parameters) or "; `computemarket parameters` lists them"
        raise InputError(where, name, f"a parameter{near}")
    return parameters[name]


class ParameterValues:
    """The values of all parameters for a set of runs.

    A parameter with a prior takes an own keyed draw for each run, so that adding a parameter, or fixing one,
    leaves the draws of all others as they are. `points` replaces the draws of some parameters by given
    quantiles (a design's sample).
    """

    def __init__(
        self,
        settings: Mapping[str, Setting],
        streams: Streams,
        points: Mapping[str, Floats] | None = None,
    ) -> None:
        self._paths: dict[str, Floats] = {}
        self._now: dict[str, Floats] = {}  # of the quarter that was asked for last
        self._quarter = -1
        for name, parameter in schema().items():
            setting = settings.get(name, parameter.setting)
            u = (points or {}).get(name)
            if isinstance(setting, Schedule):
                self._paths[name] = _path(parameter, setting, streams, u)
            else:
                self._now[name] = _by_run(parameter, setting, streams, u)

    def at(self, name: str, quarter: int) -> Floats:
        """Return the (R,) values of a parameter in a quarter."""
        if quarter != self._quarter:
            self._quarter = quarter
            self._now.update((dated, path[quarter]) for dated, path in self._paths.items())
        return self._now[name]

    def names(self) -> Iterator[str]:
        """Iterate over the names of all parameters."""
        return iter(schema())


def _by_run(
    parameter: Parameter, setting: float | Distribution, streams: Streams, u: Floats | None
) -> Floats:
    """Return the (R,) values of a parameter; `u` replaces its draws."""
    if not isinstance(setting, Distribution):
        return np.full(len(streams.runs), setting, dtype=np.float64)
    draws = streams.uniform(f"parameter.{parameter.name}", 1)[:, 0] if u is None else u
    return np.clip(setting.quantile(draws), parameter.low, parameter.high)


def _path(parameter: Parameter, schedule: Schedule, streams: Streams, u: Floats | None) -> Floats:
    """Return the (T, R) values of a dated parameter; all its distributions share one draw of a run."""
    path = np.empty((len(QUARTERS), len(streams.runs)))
    path[:] = _by_run(
        parameter, parameter.default if schedule.before is None else schedule.before, streams, u
    )
    for index, value in schedule.steps:
        path[index:] = _by_run(parameter, value, streams, u)
    return path
