"""What the model represents: every item of the source documents, its module and its test."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from computemarket.errors import InputError
from computemarket.model.catalogue.schema import choice, text
from computemarket.model.catalogue.table import read_table

STATUSES = ("done", "first version", "not yet")


@dataclass(frozen=True, kw_only=True)
class InventoryItem:
    """An actor, product, mechanism, number, prediction or question that the model must represent."""

    item_id: str = text(required=True)
    source: str = text(required=True)
    item: str = text(required=True)
    kind: str = choice("actor", "formula", "mechanism", "number", "prediction", "product", "question")
    simulation_must_represent: str = text(required=True)
    component: str = text(required=True)
    mechanisms: str = text(required=True)


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """Where an item is represented: importable modules and test files, separated by spaces."""

    item_id: str = text(required=True)
    status: str = choice(*STATUSES)
    module: str | None = text()
    test: str | None = text()

    @property
    def modules(self) -> tuple[str, ...]:
        """Return the modules that represent the item."""
        return tuple((self.module or "").split())

    @property
    def tests(self) -> tuple[str, ...]:
        """Return the test files that hold it, relative to the checkout."""
        return tuple((self.test or "").split())


def load_inventory() -> tuple[InventoryItem, ...]:
    """Return the items in the order of the source documents."""
    return read_table(files("computemarket.model.data") / "inventory.csv", InventoryItem).rows


def load_coverage() -> tuple[Coverage, ...]:
    """Return one row for every item of the inventory, in its order.

    Raises
    ------
    InputError
        If the file breaks its schema, or an item is missing, repeated or unknown.
    """
    rows = read_table(_coverage_file(), Coverage).rows
    found, wanted = [row.item_id for row in rows], [item.item_id for item in load_inventory()]
    if found != wanted:
        stray = sorted(set(found) ^ set(wanted)) or [item for item, n in Counter(found).items() if n > 1]
        raise InputError("coverage.csv: item_id", stray or "another order", "every item once, in order")
    return rows


def _coverage_file() -> Traversable:
    """Return the file inside the installed package, or in the docs of the checkout."""
    shipped = files("computemarket.analysis") / "coverage.csv"
    return shipped if shipped.is_file() else Path(__file__).parents[1] / "docs" / "coverage.csv"


def counts(groups: Iterable[str], rows: Iterable[Coverage]) -> dict[str, tuple[int, ...]]:
    """Return, for each group, the number of items of each status in the order of ``STATUSES``."""
    tally: dict[str, Counter[str]] = {}
    for group, row in zip(groups, rows, strict=True):
        tally.setdefault(group, Counter())[row.status] += 1
    return {group: tuple(count[status] for status in STATUSES) for group, count in sorted(tally.items())}
