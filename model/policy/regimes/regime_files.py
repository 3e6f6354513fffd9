"""Reading regimes from TOML: every fault is one line that names file, key, value and what is allowed."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from functools import cache
from importlib.resources import files
from pathlib import Path

from computemarket.errors import InputError
from computemarket.model.core.given_files import LARGEST_TABLE, read_given
from computemarket.model.core.parameters import schema
from computemarket.model.core.texts import decoded, nearest
from computemarket.model.policy.regimes import regime_values as toml
from computemarket.model.policy.regimes.metrics import METRICS
from computemarket.model.policy.regimes.regime import (
    STATUSES,
    Cap,
    Charge,
    Condition,
    Regime,
    RegimeBook,
    Relief,
    Rule,
)
from computemarket.model.policy.regimes.regime_checks import check_book, check_regime
from computemarket.model.policy.regimes.regime_values import Raw

OPERATORS = (">=", ">", "<=", "<", "==")
ITEMS = ("chip", "hbm", "die")
CAP_KINDS = (
    "share_of_us_units",
    "units_per_buyer",
    "buyers",
    "country_tpp",
    "consignee_tpp_per_year",
    "operator_share_one_country",
    "operator_share_tier1_min",
    "operator_share_us_min",
    "national_operator_h100e",
    "gulf_allocation_units",
)
_TEXT_KEYS = ("jurisdiction", "logic", "review_policy", "confidence", "source", "conditions")
_REGIME_KEYS = (
    *("id", "name", "item", "announced", "effective", "compliance", "ended", "enforced", "destinations"),
    *("headquarters", "acts_on", "otherwise", "replaces", "relief", "rule", "charge", "band", "caps"),
    *_TEXT_KEYS,
)
_RULE_KEYS = ("eccn", "computer_eccn", "outcome", "all_of", "any_of", "from", "exception")


@cache
def shipped_regimes() -> RegimeBook:
    """Return the regimes of the package."""
    file = files("computemarket.model.data").joinpath("policy", "export_regimes.toml")
    regimes, _ = _read(file.read_bytes(), "export_regimes.toml", {})
    book = RegimeBook(_in_order(regimes))
    check_book(book.regimes, "export_regimes.toml")
    return book


@cache
def country_groups() -> dict[str, tuple[str, ...]]:
    """Return the countries of the model behind each name that a regime may use as destination."""
    raw = files("computemarket.model.data").joinpath("policy", "export_regimes.toml").read_bytes()
    return _read(raw, "export_regimes.toml", {})[1]


def load_regimes(extra: Iterable[Path] = ()) -> RegimeBook:
    """Return the regimes of the package together with those of further files.

    A regime with the id of an earlier one takes its place; `replaces` ends others on the day it takes force.

    Raises
    ------
    InputError
        for a file that cannot be read or a regime that cannot hold.
    """
    book = shipped_regimes()
    for path in extra:
        raw = read_given(path, "regimes", LARGEST_TABLE)
        book = with_regimes(book, raw, path.name)
    return book


def with_regimes(book: RegimeBook, raw: bytes, where: str) -> RegimeBook:
    """Return the book with the regimes of a TOML text added.

    Raises
    ------
    InputError
        as `load_regimes`; `where` names the text.
    """
    added, _ = _read(raw, where, country_groups())
    by_id = {regime.id: regime for regime in book.regimes}
    for regime in added:
        for other in regime.replaces:
            if other not in by_id:
                raise InputError(f"{where}: {regime.id}: replaces", other, toml.one_of(by_id, other))
            by_id[other] = _ending(by_id[other], regime.effective)
        by_id[regime.id] = regime
    regimes = _in_order(tuple(by_id.values()))
    check_book(regimes, where)
    return RegimeBook(regimes)


def _ending(regime: Regime, day: date) -> Regime:
    if regime.ended is not None and regime.ended <= day:
        return regime
    if regime.effective >= day:
        return replace(regime, enforced=False)
    return replace(regime, ended=day)


def _in_order(regimes: tuple[Regime, ...]) -> tuple[Regime, ...]:
    return tuple(sorted(regimes, key=lambda regime: regime.effective))  # stable: file order within a day


def _read(
    raw: bytes, where: str, groups: dict[str, tuple[str, ...]]
) -> tuple[tuple[Regime, ...], dict[str, tuple[str, ...]]]:
    try:
        table = tomllib.loads(decoded(raw, where, "TOML"))
    except InputError:
        raise
    except (ValueError, RecursionError) as error:
        raise InputError(where, str(error), "TOML") from error
    toml.known_keys(table, ("schema", "country_groups", "definitions", "regime"), where)
    if table.get("schema", 1) != 1:
        raise InputError(f"{where}: schema", table["schema"], "1")
    groups = dict(groups)
    for name, members in toml.table(table, "country_groups", where).items():
        groups[name] = tuple(
            _countries([members] if isinstance(members, str) else members, f"{where}: {name}", {})
        )
    entries = toml.tables(table, "regime", where)
    if not entries:
        raise InputError(f"{where}: regime", None, "at least one [[regime]]")
    regimes = tuple(_regime(entry, where, groups) for entry in entries)
    ids = [regime.id for regime in regimes]
    for regime_id in ids:
        if ids.count(regime_id) > 1:
            raise InputError(f"{where}: id", regime_id, "given once")
    return regimes, groups


def _regime(raw: Raw, where: str, groups: dict[str, tuple[str, ...]]) -> Regime:
    regime_id = raw.get("id")
    if not isinstance(regime_id, str) or not regime_id.replace("_", "a").isalnum() or not regime_id.islower():
        raise InputError(f"{where}: regime: id", regime_id, "a name of a-z, 0-9 and _")
    where = f"{where}: {regime_id}"
    toml.known_keys(raw, _REGIME_KEYS, where)
    item = toml.choice(raw.get("item", "chip"), ITEMS, f"{where}: item")
    effective = toml.day(raw, "effective", where)
    if effective is None:
        raise InputError(f"{where}: effective", None, "a date like 2026-01-15")
    if "destinations" not in raw:
        raise InputError(f"{where}: destinations", None, "a list of countries or country groups")
    regime = Regime(
        id=regime_id,
        name=str(raw.get("name", regime_id)),
        effective=effective,
        destinations=tuple(_countries(raw["destinations"], f"{where}: destinations", groups)),
        ended=toml.day(raw, "ended", where),
        announced=toml.day(raw, "announced", where),
        compliance=toml.day(raw, "compliance", where),
        item=item,
        enforced=toml.flag(raw, "enforced", True, where),
        headquarters=toml.flag(raw, "headquarters", False, where),
        acts_on=toml.statuses(raw.get("acts_on", list(STATUSES)), f"{where}: acts_on"),
        otherwise=toml.status(raw["otherwise"], f"{where}: otherwise") if "otherwise" in raw else None,
        rules=tuple(
            _rule(entry, f"{where}: rule {place}", item)
            for place, entry in enumerate(toml.tables(raw, "rule", where), 1)
        ),
        charges=tuple(
            _charge(entry, where) for key in ("charge", "band") for entry in toml.tables(raw, key, where)
        ),
        caps=tuple(_cap(kind, value, where) for kind, value in toml.table(raw, "caps", where).items()),
        relief=tuple(_relief(entry, where, groups) for entry in toml.tables(raw, "relief", where)),
        replaces=tuple(str(other) for other in toml.listed(raw.get("replaces", []), f"{where}: replaces")),
        texts={key: raw[key] for key in _TEXT_KEYS if key in raw},
    )
    check_regime(regime, where)
    return regime


def _rule(raw: Raw, where: str, item: str) -> Rule:
    toml.known_keys(raw, _RULE_KEYS, where)
    if "outcome" not in raw:
        raise InputError(f"{where}: outcome", None, "one of " + ", ".join(STATUSES))
    exception = toml.table(raw, "exception", where)
    return Rule(
        outcome=toml.status(raw["outcome"], f"{where}: outcome"),
        all_of=_conditions(raw, "all_of", where, item),
        any_of=_conditions(raw, "any_of", where, item),
        eccn=str(raw.get("eccn", "")),
        computer_eccn=str(raw.get("computer_eccn", "")),
        start=toml.day(raw, "from", where),
        exception=str(exception.get("name", "")),
        exception_if=_conditions(exception, "all_of", f"{where}: exception", item),
    )


def _conditions(raw: Raw, key: str, where: str, item: str) -> tuple[Condition, ...]:
    return tuple(_condition(entry, f"{where}: {key}", item) for entry in toml.tables(raw, key, where))


def _condition(raw: Raw, where: str, item: str) -> Condition:
    toml.known_keys(raw, ("metric", "op", "value", "lever"), where)
    names = [name for name, metric in METRICS.items() if item in metric.items]
    metric = toml.choice(raw.get("metric"), names, f"{where}: metric")
    op = toml.choice(raw.get("op"), OPERATORS, f"{where}: {metric}: op")
    value = raw.get("value")
    if METRICS[metric].flag:
        if op != "==" or not isinstance(value, bool):
            raise InputError(f"{where}: {metric}", f"{op} {value}", '"==" with true or false')
        return Condition(metric, op, float(value))
    number = toml.number(value, 0.0, 1e12, f"{where}: {metric}: value", METRICS[metric].unit)
    return Condition(metric, op, number, _lever(raw, f"{where}: {metric}"))


def _lever(raw: Raw, where: str) -> str:
    """Return the lever that stands for a number, "" where there is none; it must be a parameter of policy."""
    if "lever" not in raw:
        return ""
    known = [name.removeprefix("policy.") for name in schema() if name.startswith("policy.")]
    lever = raw["lever"]
    if lever not in known:
        raise InputError(f"{where}: lever", lever, f"a parameter of policy{nearest(lever, known)}")
    return str(lever)


def _charge(raw: Raw, where: str) -> Charge:
    where = f"{where}: {raw.get('name', 'charge')}"
    metrics = [name for name, metric in METRICS.items() if not metric.flag]
    toml.known_keys(raw, ("name", "rate", "lever", "on", *metrics), where)
    ranges = {}
    for metric in (name for name in metrics if name in raw):
        ends = toml.listed(raw[metric], f"{where}: {metric}")
        if len(ends) != 2:
            raise InputError(f"{where}: {metric}", ends, "[lowest, highest]")
        low, high = (toml.number(end, 0.0, 1e12, f"{where}: {metric}", METRICS[metric].unit) for end in ends)
        ranges[metric] = (low, high)
    return Charge(
        name=str(raw.get("name", "charge")),
        rate=toml.number(raw.get("rate"), 0.0, 1.0, f"{where}: rate", "share of the price"),
        lever=_lever(raw, where),
        on=toml.statuses(raw.get("on", list(STATUSES)), f"{where}: on"),
        ranges=ranges,
    )


def _cap(kind: str, raw: object, where: str) -> Cap:
    kind = toml.choice(kind, CAP_KINDS, f"{where}: caps")
    table = raw if isinstance(raw, Mapping) else {"value": raw}
    toml.known_keys(table, ("value", "lever"), f"{where}: caps: {kind}")
    value = toml.number(table.get("value"), 0.0, 1e15, f"{where}: caps: {kind}", "at least 0")
    return Cap(kind, value, _lever(table, f"{where}: caps: {kind}"))


def _relief(raw: Raw, where: str, groups: dict[str, tuple[str, ...]]) -> Relief:
    where = f"{where}: relief"
    toml.known_keys(raw, ("destinations", "outcomes"), where)
    outcomes = {
        toml.status(old, f"{where}: outcomes"): toml.status(new, f"{where}: outcomes: {old}")
        for old, new in toml.table(raw, "outcomes", where).items()
    }
    return Relief(tuple(_countries(raw.get("destinations"), f"{where}: destinations", groups)), outcomes)


@cache
def _country_ids() -> tuple[str, ...]:
    import csv

    text = files("computemarket.model.data").joinpath("world", "countries.csv").read_text("utf-8")
    return tuple(row["id"] for row in csv.DictReader(text.splitlines()))


def _countries(value: object, where: str, groups: dict[str, tuple[str, ...]]) -> list[str]:
    found: dict[str, None] = {}
    for name in toml.listed(value, where):
        if name in groups:
            found.update(dict.fromkeys(groups[str(name)]))
        else:
            found[toml.choice(name, (*_country_ids(), *groups), where)] = None
    return list(found)
