"""Results read for other programs: case by case, variable by variable, a few row groups at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from computemarket.analysis.results.headline import Headline
from computemarket.analysis.results.series import Block, panels_from_frame
from computemarket.errors import InputError, is_memory
from computemarket.scenarios.results.manifests import BATCH, is_unchecked
from computemarket.scenarios.results.open_results import open_results
from computemarket.scenarios.results.provenance import scenario_of
from computemarket.scenarios.results.store import study_of
from computemarket.scenarios.schema import Scenario
from computemarket.scenarios.studies.study import AS_IS

if TYPE_CHECKING:
    import pandas as pd

UNCHECKED = ", unchecked"  # says in every row that nobody checked the results
_ROWS_AT_ONCE = 2_000_000  # of a results table


@dataclass(frozen=True)
class Case:
    """The results of one scenario under one policy."""

    scenario: str
    files: tuple[Path, ...]


def cases_of(folder: Path) -> list[Case]:
    """Return the cases of a run or a batch, each with its files.

    Raises
    ------
    InputError
        if the folder holds no results of this version.
    """
    opened = open_results(folder)
    mark = UNCHECKED if is_unchecked() else ""
    if opened.kind != BATCH:
        return [Case(str(opened.manifest.get("scenario", folder.name)) + mark, opened.files)]
    cases = opened.manifest["study"]["cases"]
    found = []
    for place, case in enumerate(cases):
        mine = tuple(path for path in opened.files if path.name.startswith(f"{place:04d}-"))
        found.append(Case(label_of(case["scenario"], case["policy"]) + mark, mine))
    return [case for case in found if case.files]


def scenarios_of(folder: Path) -> list[tuple[str, Scenario]]:
    """Return (label, scenario) of every case of a run or a batch."""
    if open_results(folder).kind != BATCH:
        scenario = scenario_of(folder)
        return [(scenario.name, scenario)]
    return [
        (label_of(one.scenario.name, one.policy), one.scenario) for one in study_of(folder, Headline()).cases
    ]


def label_of(scenario: str, policy: str) -> str:
    """Return the name of a case: the scenario, and its policy where there is one."""
    return scenario if policy == AS_IS else f"{scenario}|{policy}"


def blocks(
    case: Case, patterns: Sequence[str] = ()
) -> Iterator[tuple[str, str, tuple[str, ...], tuple[int, ...], Block]]:
    """Yield (variable, unit, quarters, runs, series) of a case, reading a few variables at a time."""
    sizes = _sizes(case)
    wanted = [name for name in sizes if not patterns or any(fnmatchcase(name, one) for one in patterns)]
    for some in _batches(wanted, sizes):
        frame = _frame(case, some)
        panels = panels_from_frame(frame.drop(columns=["unit", "scenario"], errors="ignore"))
        units = frame.groupby("variable", observed=True, sort=False)["unit"].first()
        for name in some:
            yield name, str(units[name]), panels.quarters, panels.runs, panels.block(name)


def _sizes(case: Case) -> dict[str, int]:
    """Return the number of rows of each variable, in the order of the files."""
    found: dict[str, int] = {}
    for table in _groups(case, ["variable"]):
        for one in table["variable"].value_counts().to_pylist():
            found[str(one["values"])] = found.get(str(one["values"]), 0) + int(one["counts"])
    return found


def _batches(names: Sequence[str], sizes: dict[str, int]) -> Iterator[list[str]]:
    some: list[str] = []
    for name in names:
        if some and sum(sizes[one] for one in some) + sizes[name] > _ROWS_AT_ONCE:
            yield some
            some = []
        some.append(name)
    if some:
        yield some


def _frame(case: Case, names: Sequence[str]) -> "pd.DataFrame":
    """Return the rows of some variables with text as categories."""
    import pyarrow as pa
    import pyarrow.compute as pc

    columns = ["run", "quarter", "variable", "entity", "region", "detail", "unit", "value"]
    chosen = pa.array(names, pa.string())
    parts = [
        table.filter(pc.is_in(table["variable"].cast("string"), value_set=chosen))
        for table in _groups(case, columns)
    ]
    whole = pa.concat_tables(parts, promote_options="permissive").unify_dictionaries()
    text = [name for name in columns if name not in ("run", "value")]
    return whole.to_pandas(categories=[name for name in text if not pa.types.is_dictionary(whole[name].type)])


def _groups(case: Case, columns: list[str]) -> Iterator[Any]:
    """Yield the row groups of a case's files."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    for path in case.files:
        try:
            with pq.ParquetFile(path) as file:
                missing = sorted(set(columns) - set(file.schema_arrow.names))
                if missing:
                    raise InputError(str(path), f"a table without {missing[0]}", "a table of results")
                for group in range(file.num_row_groups):
                    yield file.read_row_group(group, columns)
        except (pa.ArrowException, OSError) as error:
            if is_memory(error):
                raise
            raise InputError(str(path), type(error).__name__, "a whole file of results") from error


def described_manifest(folder: Path) -> list[tuple[str, str]]:
    """Return (key, text) of where results come from, from their manifest; hashes of data files are left out."""
    import json

    found = []
    for key, value in open_results(folder).manifest.items():
        if key in ("data", "scenario_text", "regimes", "study", "seal"):
            continue
        if isinstance(value, dict):
            found += [
                (f"{key}.{name}", inner if isinstance(inner, str) else json.dumps(inner))
                for name, inner in value.items()
            ]
        else:
            found.append((key, value if isinstance(value, str) else json.dumps(value)))
    return found
