"""Promises about input: what is malformed is one line, what is valid runs with books in balance."""

import random
import resource
import string
import time
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

SLOWEST_S = 2.0
MOST_MEMORY_KB = 1_000_000
QUARTERS_RUN = 8
_UNLIMITED = ("order_quota_units", "china_stacks")  # infinite where no rule caps them
_ODD = (
    "nan", "inf", "-1", "1e999", "true", "[]", "{}", '""', "'x'", "2026-01-01", "0x7fffffffffffffffff", '"\\u0000"',
    "[[[[[[]]]]]]", "{ uniform = [2, 1] }", "{ normal = [0, -1] }", "[{ from = '1900Q1', value = 1 }]", "9" * 400,
    "0x" + "f" * 5000,
    '"../../etc/passwd"', '"=cmd()"', '"\\u001b[2J"', "{ uniform = ['a', 1] }", '["baseline", "baseline"]', "1_0__0",
)  # fmt: skip
_BYTES = (
    b"\0",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\r",
    b"\x1b[2J",
    b"[" * 2000,
    b'"' * 3,
    b"=",
    b"\n[",
    b"]]\n",
    b"#",
)


@cache
def _texts(kind: str) -> tuple[bytes, ...]:
    """Return texts of a kind that are right, to be changed."""
    from importlib.resources import files

    library = files("computemarket.scenarios")
    if kind == "scenario":
        folder = library.joinpath("library")
    elif kind == "study":
        folder = library.joinpath("studies")
    elif kind == "regime":
        folder = library.joinpath("library", "regimes")
    else:
        name = {"points": "perf_points.csv", "cases": "policy/export_classification_cases.csv"}[kind]
        text = files("computemarket.model.data").joinpath(*name.split("/")).read_bytes()
        return (b"\n".join(text.split(b"\n")[:12]),)
    return tuple(one.read_bytes() for one in sorted(folder.iterdir(), key=str) if one.name.endswith(".toml"))


def _grammar(chance: random.Random) -> bytes:
    """Return a file of the form of a scenario or study with names and values of every kind."""
    from computemarket.model.core.parameters import schema

    names = [
        *schema(),
        "no.such",
        "capex",
        "design.method",
        "uncertainties.tokens",
        "levers.capex",
        "policies.a",
    ]
    heads = ("name", "seed", "until", "extends", "description", "knowledge", "enforce", "regimes", "runs", "scenarios",
             "recording", "shocks", "format")  # fmt: skip
    lines = [f"{chance.choice(heads)} = {_value(chance)}" for _ in range(chance.randint(0, 4))]
    for name in chance.sample(names, chance.randint(1, 4)):
        area, _, key = name.partition(".")
        lines += [f"[{area}]", f"{key or 'x'} = {_value(chance)}"]
    return "\n".join(lines).encode()


def _value(chance: random.Random) -> str:
    plain = (
        str(chance.uniform(-10, 10)),
        str(chance.randint(-5, 10**6)),
        '"baseline"',
        '"2027Q1"',
        '["baseline"]',
        '"prior"',
    )
    return chance.choice((*_ODD, *plain))


def _mutated(text: bytes, chance: random.Random) -> bytes:
    """Return a text with a few changes: bytes, pieces and lines put in, taken out, doubled or moved; odd values."""
    data = bytearray(text)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(data) + 1)
        how = chance.randrange(6)
        if how == 0:
            data[at:at] = chance.choice(_BYTES)
        elif how == 1:
            del data[at : at + chance.randint(1, 40)]
        elif how == 2 and data:
            data[at % len(data)] = chance.randrange(256)
        elif how == 3:
            lines = data.split(b"\n")
            lines.insert(chance.randrange(len(lines)), lines[chance.randrange(len(lines))])
            data = bytearray(b"\n".join(lines))
        elif how == 4:
            lines = data.split(b"\n")
            place = chance.randrange(len(lines))
            key, sign, _ = lines[place].partition(b"=")
            lines[place] = key + sign + chance.choice(_ODD).encode() if sign else lines[place]
            data = bytearray(b"\n".join(lines))
        else:
            data[at:at] = "".join(chance.choices(string.printable, k=chance.randint(1, 8))).encode()
    return bytes(data)


@cache
def _readers() -> dict[str, Callable[[Path], object]]:
    from computemarket.analysis.hardware.points.perf_points import read_points
    from computemarket.analysis.results.headline import Headline
    from computemarket.model.policy.classification.cases import read_cases
    from computemarket.model.policy.regimes.regime_files import load_regimes
    from computemarket.scenarios.schema import load_scenario
    from computemarket.scenarios.studies.study import load_study

    return {
        "scenario": load_scenario, "study": lambda path: load_study(path, Headline()),
        "regime": lambda path: load_regimes([path]), "points": read_points, "cases": read_cases,
    }  # fmt: skip


def malformed(number: int, spare: Path) -> None:
    """Read a malformed file: it is read, or refused in one line, soon and in little memory."""
    from computemarket.errors import InputError

    chance = random.Random(number)  # noqa: S311
    kind = chance.choice(tuple(_readers()))
    form = ".csv" if kind in ("points", "cases") else ".toml"
    path = spare / f"mine{form}"
    written = kind in ("scenario", "study") and chance.random() < 0.4
    data = _grammar(chance) if written else _mutated(chance.choice(_texts(kind)), chance)
    path.write_bytes(data)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begin = time.perf_counter()
    try:
        _readers()[kind](path)
    except InputError as error:
        said = str(error)
        assert said.isprintable(), (kind, said)
        assert len(said) <= 300, (kind, said)
    assert time.perf_counter() - begin < SLOWEST_S, kind
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MOST_MEMORY_KB, kind


def _settings(chance: random.Random) -> dict[str, Any]:
    """Return settings of a share of all parameters: numbers, distributions and schedules inside their ranges."""
    from computemarket.model.core.calendar import QUARTERS
    from computemarket.model.core.parameters import schema

    share = chance.choice((0.05, 0.3, 1.0))
    found: dict[str, Any] = {}
    for name, one in sorted(schema().items()):
        if chance.random() > share:
            continue
        low, high = (one.low + chance.random() * (one.high - one.low) for _ in range(2))
        low, high = min(low, high), max(low, high)
        later = sorted(chance.sample(range(1, QUARTERS_RUN), 2))
        forms: list[Any] = [low, chance.choice((one.low, one.high))]
        if high > low:
            forms.append({"uniform": [low, high]})
        forms.append(
            [
                {"from": QUARTERS[place], "value": value}
                for place, value in zip(later, (low, high), strict=True)
            ]
        )
        found[name] = chance.choice(forms)
    return found


def valid(number: int, _spare: Path) -> None:
    """Run a random scenario: all parameters, schedules and rules at once; everything stays in bounds."""
    from computemarket.model.policy.regimes.regime_files import load_regimes
    from computemarket.scenarios.assembly import assemble
    from computemarket.scenarios.schema import library_names, load_scenario, with_switches

    chance = random.Random(number)  # noqa: S311
    scenario = load_scenario(chance.choice(library_names())).with_settings(_settings(chance))
    ids = [one.id for one in load_regimes().regimes]
    switches = chance.sample(ids, min(3, len(ids)))
    scenario = with_switches(scenario, tuple(switches[:1]), tuple(switches[1:]))
    market = assemble(scenario, np.array([number % 1000, 7]), frozenset())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for quarter in range(QUARTERS_RUN):
            market.step()  # ledger and balances check themselves, and raise
            for name, values in _arrays(market.state):
                known = ~np.isnan(values) if name in _UNLIMITED else np.isfinite(values)
                assert known.all(), f"{name} in quarter {quarter}"
            assert np.isfinite(market.ledger.cash_usd).all()


def _arrays(state: Any) -> "list[tuple[str, Any]]":
    """Return the arrays of numbers of a state and of its books."""
    found = []
    for name, value in vars(state).items():
        if isinstance(value, np.ndarray) and value.dtype.kind == "f":
            found.append((name, value))
        elif type(value).__module__.startswith("computemarket.model.state"):
            found += _arrays(value)
    return found


PROMISES = {
    "malformed": ("malformed scenarios, studies, regimes, points, cases: read, or one line within 2 s and 1 GB",
                  300_000, malformed),
    "valid": ("random valid scenarios run with books in balance and nothing infinite", 5_000, valid),
}  # fmt: skip
