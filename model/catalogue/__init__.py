"""The catalogue of chips, systems and models, and the recorded history of the market."""

from computemarket.model.catalogue.estimates import estimated_catalogue, fill_estimates
from computemarket.model.catalogue.loader import (
    HISTORY_NAMES,
    Catalogue,
    history_value,
    load_catalogue,
    load_history,
)
from computemarket.model.catalogue.rows import (
    H100_DENSE_8BIT_TFLOPS,
    H100_TPP,
    Accelerator,
    Fact,
    HistoryRow,
    LanguageModel,
    PerfChip,
    System,
)
from computemarket.model.catalogue.table import Table, read_table

__all__ = [
    "H100_DENSE_8BIT_TFLOPS",
    "H100_TPP",
    "HISTORY_NAMES",
    "Accelerator",
    "Catalogue",
    "Fact",
    "HistoryRow",
    "LanguageModel",
    "PerfChip",
    "System",
    "Table",
    "estimated_catalogue",
    "fill_estimates",
    "history_value",
    "load_catalogue",
    "load_history",
    "read_table",
]
