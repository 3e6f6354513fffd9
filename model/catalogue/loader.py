"""The shipped catalogue and the recorded history, read once and checked."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from computemarket.errors import InputError
from computemarket.model.catalogue.rows import (
    Accelerator,
    Fact,
    HistoryRow,
    LanguageModel,
    PerfChip,
    System,
)
from computemarket.model.catalogue.table import Table, read_table

HISTORY_NAMES = (
    "chip_shipments",
    "demand",
    "hyperscaler_capex",
    "market_share",
    "prices",
    "supply",
    "vendor_revenue",
)


@dataclass(frozen=True)
class Catalogue:
    """What can be built, bought and served: the given world of products."""

    accelerators: Table[Accelerator]
    systems: Table[System]
    llm_models: Table[LanguageModel]
    perf_chips_extra: Table[PerfChip]
    facts: Table[Fact]


@cache
def load_catalogue() -> Catalogue:
    """Read the shipped tables as recorded: what is unknown stays unknown.

    Raises
    ------
    InputError
        If a table breaks its schema or a system names an unknown accelerator.
    """
    data = files("computemarket.model.data")
    catalogue = Catalogue(
        accelerators=read_table(data / "accelerators.csv", Accelerator),
        systems=read_table(data / "systems.csv", System),
        llm_models=read_table(data / "llm_models.csv", LanguageModel),
        perf_chips_extra=read_table(data / "perf_chips_extra.csv", PerfChip),
        facts=read_table(data / "market_facts.csv", Fact),
    )
    check_references(catalogue)
    return catalogue


def check_references(catalogue: Catalogue) -> None:
    """Raise InputError where a system names an accelerator that the catalogue lacks."""
    for system in catalogue.systems:
        for accelerator_id in system.accelerator_ids:
            if accelerator_id not in catalogue.accelerators:
                raise InputError(
                    f"systems.csv: {system.id}: accelerator_id", accelerator_id, "a known accelerator"
                )


@cache
def load_history(name: str) -> tuple[HistoryRow, ...]:
    """Return the recorded rows of one history file, in file order.

    Rows whose series or note marks a forecast, guidance or plan are no observations.

    Raises
    ------
    InputError
        If ``name`` is not one of ``HISTORY_NAMES``.
    """
    if name not in HISTORY_NAMES:
        raise InputError("history", name, "one of " + ", ".join(HISTORY_NAMES))
    return read_table(files("computemarket.model.data") / "history" / f"{name}.csv", HistoryRow).rows


def history_value(series: str, entity: str, period: str) -> float:
    """Return the recorded value of a series for an entity in a period (``2024``, ``2024-Q1`` or ``2024Q1``).

    Raises
    ------
    InputError
        If nothing is recorded, or more than one value is (forecasts of different dates).
    """
    if len(period) == len("2024Q1"):
        period = f"{period[:4]}-{period[4:]}"
    rows = _history_index().get((series, entity, period), ())
    if len(rows) != 1:
        found = f"{series}, {entity}, {period}: {len(rows)} values"
        raise InputError("history", found, "recorded exactly once")
    return rows[0].value


@cache
def _history_index() -> dict[tuple[str, str, str], tuple[HistoryRow, ...]]:
    index: dict[tuple[str, str, str], tuple[HistoryRow, ...]] = {}
    for name in HISTORY_NAMES:
        for row in load_history(name):
            place = (row.series, row.entity, row.period)
            index[place] = (*index.get(place, ()), row)
    return index
