"""Topics: which measures answer a question, and which scenarios of the library ask it."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from computemarket.analysis.results.measures import Measure, measure
from computemarket.errors import InputError
from computemarket.model.core.texts import nearest
from computemarket.scenarios.scenario import JOINT, Scenario

MARKET, CHINA, ALL = "market", "china", "all"


@dataclass(frozen=True, slots=True)
class Topic:
    """What a question is about."""

    name: str
    title: str
    measures: tuple[str, ...]
    scenarios: tuple[str, ...]  # of the library, that ask it


@cache
def load_topics() -> Mapping[str, Topic]:
    """Return the topics by name, in the order of `model/data/topics.toml`."""
    table = tomllib.loads(files("computemarket.model.data").joinpath("topics.toml").read_text("utf-8"))
    return {
        name: Topic(name, one["title"], tuple(one["measures"]), tuple(one["scenarios"]))
        for name, one in table.items()
    }


def topics_of(scenarios: Sequence[Scenario], asked: str = "") -> tuple[Topic, ...]:
    """Return the topics to show: the one asked for, or the market's and those that the scenarios are about.

    Raises
    ------
    InputError
        for a topic that there is not.
    """
    known = load_topics()
    if asked == ALL:
        return tuple(known.values())
    if asked:
        if asked not in known:
            allowed = f"one of {', '.join(known)}, {ALL}{nearest(asked, list(known))}"
            raise InputError("--topic", asked, allowed)
        return (known[asked],)
    names = {part for scenario in scenarios for part in scenario.name.split(JOINT)}
    found = [topic for topic in known.values() if names & set(topic.scenarios) - {"baseline"}]
    if rules_differ(scenarios) and known[CHINA] not in found:
        found.append(known[CHINA])
    return tuple(dict.fromkeys((known[MARKET], *found)))


def rules_differ(scenarios: Sequence[Scenario]) -> bool:
    """Say whether scenarios differ in trade rules: their regimes, or parameters of policy."""
    first, *others = (
        (
            one.regimes,
            one.enforce,
            one.suspend,
            {key: value for key, value in one.settings.items() if key.startswith("policy.")},
        )
        for one in scenarios
    )
    return any(other != first for other in others)


def measures_of(topics: Sequence[Topic]) -> tuple[Measure, ...]:
    """Return the measures of topics, each once, in order."""
    return tuple(measure(name) for name in dict.fromkeys(name for topic in topics for name in topic.measures))
