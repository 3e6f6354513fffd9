"""The payoff table of two actors' strategies: every pair simulated over the same draws."""

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np

from computemarket.analysis.report.parts.figures import Section, Table, short
from computemarket.analysis.report.parts.source import simulate_series
from computemarket.errors import InputError
from computemarket.model.core.arrays import Floats
from computemarket.model.core.calendar import QUARTERS_PER_YEAR
from computemarket.scenarios.schema import Scenario

VARIABLES = frozenset(
    ("data_center_revenue_usd", "vendor_research_usd", "cost_of_sales_usd", "ai_capex_usd", "fleet_h100e")
)
START = "2027Q1"
BILLION = 1e9


@dataclass(frozen=True, slots=True)
class Strategy:
    """What an actor may do: parameters that hold from the start on."""

    actor: str
    name: str
    words: str
    settings: Mapping[str, object]


@dataclass(frozen=True)
class Cell:
    """Payoffs of a pair of strategies, (R,) each."""

    row: Floats
    column: Floats


@cache
def strategies() -> dict[str, tuple[Strategy, ...]]:
    """Return the strategies of each actor that a payoff table can play."""
    text = files("computemarket.analysis.report").joinpath("strategies.toml").read_text("utf-8")
    found: dict[str, list[Strategy]] = {}
    for table in tomllib.loads(text)["strategy"]:
        one = Strategy(table["actor"], table["name"], table["words"], table.get("settings", {}))
        found.setdefault(one.actor, []).append(one)
    return {actor: tuple(ones) for actor, ones in found.items()}


def read_players(text: str) -> tuple[str, str]:
    """Read "nvidia,owners"; InputError where an actor has no strategies."""
    names = [name.strip() for name in text.split(",")]
    if len(names) != 2 or names[0] == names[1] or not set(names) <= set(strategies()):
        raise InputError("--payoff", text, f"two of {', '.join(sorted(strategies()))}, like nvidia,owners")
    return names[0], names[1]


def payoff_cells(
    scenario: Scenario, players: tuple[str, str], runs: int, progress: Callable[[int], None] | None = None
) -> dict[tuple[int, int], Cell]:
    """Simulate every pair of strategies for runs 0..runs-1, with the same draws.

    Returns
    -------
    (row, column) -> payoffs of the row's and the column's player
    """
    if scenario.until <= START:
        raise InputError("--payoff", scenario.until, f"possible here: strategies act from {START} on")
    first, second = (strategies()[name] for name in players)
    cells = {}
    for i, mine in enumerate(first):
        for j, theirs in enumerate(second):
            played = scenario.with_settings(_dated(mine, scenario) | _dated(theirs, scenario))
            cells[i, j] = _payoffs(played, players, runs)
            if progress is not None:
                progress(1)
    return cells


def _dated(strategy: Strategy, scenario: Scenario) -> dict[str, object]:
    """Return the settings of a strategy, in force from the start on."""
    return {name: [{"from": START, "value": value}] for name, value in strategy.settings.items()}


def _payoffs(scenario: Scenario, players: tuple[str, str], runs: int) -> Cell:
    panels = simulate_series(scenario, runs, VARIABLES)
    start = panels.quarters.index(START)
    years = np.arange(len(panels.quarters) - start) / QUARTERS_PER_YEAR
    discount = 1.1**-years  # one rate for all: the draws of cost of capital are no part of the game

    def flow(variable: str, entity: str | Sequence[str]) -> Floats:
        found: Floats = panels.total(variable, entity)[:, start:]
        return found

    def vendor(name: str) -> Floats:
        profit = flow("data_center_revenue_usd", name) - flow("cost_of_sales_usd", name)
        return ((profit - flow("vendor_research_usd", name)) * discount).sum(axis=1) / BILLION

    def owners() -> Floats:
        names = ("google", "amazon", "microsoft", "meta")
        held = panels.total("fleet_h100e", names)[:, -1]
        return held / (flow("ai_capex_usd", names).sum(axis=1) / 1e6)

    found = [owners() if name == "owners" else vendor(name) for name in players]
    return Cell(found[0], found[1])


def payoff_section(
    players: tuple[str, str], cells: Mapping[tuple[int, int], Cell], runs: int, scenario: Scenario
) -> Section:
    """Return the table of payoffs, and which pairs no player would leave."""
    first, second = (strategies()[name] for name in players)
    section = Section(
        "payoff", f"Strategies of {words_of(players[0])} against those of {words_of(players[1])}"
    )
    stable = equilibria(cells, len(first), len(second))
    rows = []
    for i, mine in enumerate(first):
        row = [mine.words]
        for j in range(len(second)):
            cell = cells[i, j]
            mark = " ●" if (i, j) in stable else ""
            row.append(f"{short(float(np.median(cell.row)))} / {short(float(np.median(cell.column)))}{mark}")
        rows.append(row)
    columns = [
        f"{words_of(players[0])} (rows) / {words_of(players[1])} (columns)",
        *(one.words for one in second),
    ]
    note = (
        f"Medians of {runs} runs with the same draws, strategies in force from {START} to {scenario.until}. "
        f"{unit_of(players[0])} / {unit_of(players[1])}. ● : neither gains in the median run by leaving it alone."
    )
    section.tables.append(Table("Payoffs", note, columns, rows))
    section.tables.append(_gains(players, cells, first, second))
    found = [f"“{first[i].words}” against “{second[j].words}”" for i, j in stable]
    section.sentences.append(
        f"Pairs that nobody leaves: {'; '.join(found)}."
        if found
        else "No pair of these strategies is stable: from each of them somebody gains by leaving."
    )
    return section


def equilibria(cells: Mapping[tuple[int, int], Cell], rows: int, columns: int) -> list[tuple[int, int]]:
    """Return the pairs in which each strategy is a best reply to the other, by medians of paired differences."""
    found = []
    for i, j in cells:
        better_row = any(
            float(np.median(cells[k, j].row - cells[i, j].row)) > 0 for k in range(rows) if k != i
        )
        better_column = any(
            float(np.median(cells[i, k].column - cells[i, j].column)) > 0 for k in range(columns) if k != j
        )
        if not better_row and not better_column:
            found.append((i, j))
    return found


def _gains(
    players: tuple[str, str],
    cells: Mapping[tuple[int, int], Cell],
    first: Sequence[Strategy],
    second: Sequence[Strategy],
) -> Table:
    """Return what each player gains by a strategy over its first one, the other staying with its first."""
    rows = []
    for player, ones, pick in ((0, first, lambda k: (k, 0)), (1, second, lambda k: (0, k))):
        for place in range(1, len(ones)):
            pair, base = cells[pick(place)], cells[0, 0]
            gain = pair.row - base.row if player == 0 else pair.column - base.column
            low, middle, high = np.percentile(gain, (10, 50, 90))
            rows.append(
                [
                    words_of(players[player]), ones[place].words, short(float(middle)),
                    f"{short(float(low))} to {short(float(high))}", f"{100 * (gain > 0).mean():.0f}%",
                ]
            )  # fmt: skip
    return Table(
        "What a strategy gains while the other side stays as it is",
        "Differences run by run with the same draws; the band holds 80% of runs.",
        ["Who", "Strategy", "Gain, median", "Band", "Runs in which it gains"],
        rows,
    )


def words_of(actor: str) -> str:
    """Return what a player is called."""
    return {"nvidia": "Nvidia", "amd": "AMD", "owners": "the owners of custom silicon"}.get(actor, actor)


def unit_of(actor: str) -> str:
    """Return what a player's payoff is."""
    if actor == "owners":
        return "The owners: H100-equivalents held at the end per million USD of AI capital expenditure"
    return f"{words_of(actor)}: sales less cost and research, bn USD discounted at 10% a year to {START}"
