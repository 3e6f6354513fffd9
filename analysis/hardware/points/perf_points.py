"""Measured points: the conditions of every row, read and checked, apart from what was measured."""

import csv
import io
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from computemarket.errors import InputError
from computemarket.model.core.arrays import Bools, Floats
from computemarket.model.core.given_files import LARGEST_TABLE, read_given
from computemarket.model.core.texts import decoded
from computemarket.model.hardware.specs.precision import format_code

NUMBERS = (
    "n_chips",
    "tensor_parallel",
    "batch_or_concurrency",
    "input_len",
    "output_len",
    "attention_data_parallel",
    "expert_parallel",
    "moe_tensor_parallel",
    "pipeline_parallel",
    "interactivity_tok_s_user",
    "speculative",
    "offline_max_load",
    "prefill_workers",
    "prefill_tp",
    "prefill_dp",
    "prefill_ep",
    "decode_workers",
    "decode_tp",
    "decode_dp",
    "decode_ep",
)
WORDS = (
    "accelerator",
    "model",
    "precision",
    "phase",
    "metric",
    "mode",
    "scenario",
    "layout",
    "software",
    "date",
)
CONDITIONS = ("id", *WORDS, *NUMBERS)
RESULTS = ("value", "measured_or_claimed", "source", "notes")  # never read by a prediction
AUDITED = "measured_audited"
_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")


@dataclass(frozen=True)
class Conditions:
    """What is known of each row before the measurement: words by column, numbers with NaN for blank."""

    words: dict[str, tuple[str, ...]]
    numbers: dict[str, Floats]

    def __len__(self) -> int:
        return len(self.words["phase"])

    def take(self, index: Sequence[int]) -> "Conditions":
        """Return the rows at ``index``."""
        return Conditions(
            {name: tuple(column[i] for i in index) for name, column in self.words.items()},
            {name: column[list(index)] for name, column in self.numbers.items()},
        )


@dataclass(frozen=True)
class Points:
    """Rows of a file of measured points: conditions, and beside them what was measured."""

    ids: tuple[str, ...]
    conditions: Conditions
    value: Floats  # NaN where blank
    audited: Bools
    rows: tuple[dict[str, str], ...]  # as read, for writing back
    columns: tuple[str, ...]
    faults: Mapping[int, str]  # rows that cannot be read, by place, with the reason

    def __len__(self) -> int:
        return len(self.ids)


def read_points(path: Path) -> Points:
    """Read measured points in the columns of ``perf_points.csv``.

    A row with a number that is negative or not one, an unknown precision or a wrong date is kept with its fault (line,
    column and what is allowed) and without numbers; the rows after it are read.

    Raises
    ------
    InputError
        For an unreadable file, text that is not CSV or a missing column.
    """
    text = decoded(read_given(path, "points", LARGEST_TABLE), str(path), "CSV")
    reader = csv.DictReader(io.StringIO(text, newline=""), restkey="", strict=True)
    try:
        header = tuple(reader.fieldnames or ())
    except csv.Error as error:
        raise InputError(str(path), str(error), "CSV") from error
    for column in (*CONDITIONS, "value"):
        if column not in header:
            raise InputError(f"{path.name}: line 1: column {column}", "missing", "present")
    rows: list[dict[str, str]] = []
    faults: dict[int, str] = {}
    numbers: dict[str, list[float]] = {name: [] for name in (*NUMBERS, "value")}
    try:
        for row in reader:
            where = f"line {reader.line_num}"
            cells, fault = _cells(row, where, header)
            if fault:
                faults[len(rows)] = fault
            for name, values in numbers.items():
                values.append(cells[name])
            rows.append({name: row.get(name) or "" for name in header})
    except csv.Error as error:
        raise InputError(f"{path.name}: line {reader.line_num}", str(error), "well-formed CSV") from error
    words = {name: tuple(row[name].strip() for row in rows) for name in WORDS}
    arrays = {name: np.array(column, dtype=np.float64) for name, column in numbers.items()}
    return Points(
        ids=tuple(row["id"] for row in rows),
        conditions=Conditions(words, {name: arrays[name] for name in NUMBERS}),
        value=arrays["value"],
        audited=np.array([row.get("measured_or_claimed", "") == AUDITED for row in rows], dtype=bool),
        rows=tuple(rows),
        columns=header,
        faults=faults,
    )


def _cells(row: dict[str, str], where: str, header: tuple[str, ...]) -> tuple[dict[str, float], str]:
    """Return the numbers of a row, NaN for blank, and its first fault, "" where it has none."""
    cells: dict[str, float] = dict.fromkeys((*NUMBERS, "value"), math.nan)
    if None in row.values() or "" in row:
        return cells, str(InputError(where, "a row of another length", f"a row of {len(header)} cells"))
    try:
        for name in cells:
            cells[name] = _number(row[name], f"{where}: {name}")
        _check_words(row, where)
    except InputError as error:
        return dict.fromkeys(cells, math.nan), str(error)
    return cells, ""


def _number(text: str, where: str) -> float:
    if not text.strip():
        return math.nan
    try:
        value = float(text)
    except ValueError as error:
        raise InputError(where, text, "a number of at least 0, or blank") from error
    if not (math.isfinite(value) and value >= 0):
        raise InputError(where, text, "a number of at least 0, or blank")
    return value


def _check_words(row: dict[str, str], where: str) -> None:
    if row["precision"].strip():
        format_code(row["precision"].strip(), f"{where}: precision")
    if row["date"].strip() and not _MONTH.fullmatch(row["date"].strip()):
        raise InputError(f"{where}: date", row["date"], "a month YYYY-MM, or blank")
