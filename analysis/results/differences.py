"""How two scenarios, or two results, differ: what was asked, with what, and what came out run by run."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from computemarket.analysis.results.difference_counts import Tallies
from computemarket.errors import InputError
from computemarket.model.core.parameters import schema
from computemarket.scenarios.resolved import plain
from computemarket.scenarios.results.manifests import BATCH, RUN, SEAL
from computemarket.scenarios.results.open_results import open_results
from computemarket.scenarios.results.pairs import KEYS, UnlikeRowsError, pairs, values_of
from computemarket.scenarios.results.provenance import SCENARIO
from computemarket.scenarios.schema import Scenario, load_scenario

if TYPE_CHECKING:
    import pandas as pd

_NOT_RESULTS = ("status", "identity", "digest", "study.cases", SEAL)
_OF_SCENARIO = (
    "scenario_text", "settings", "seed", "until", "knowledge", "regimes", "enforce", "suspend", "description",
)  # fmt: skip
_HASH = 12  # letters of a hash that are shown
_ABSENT = "–"
COLUMNS = ("variable", "values", "different", "first_quarter", "mean_relative", "largest_relative")


def differing_settings(one: Scenario, other: Scenario) -> list[tuple[str, str, str]]:
    """Return (parameter or header, value in one, value in the other) wherever two scenarios differ."""
    found = [
        (key, _shown(getattr(one, key)), _shown(getattr(other, key)))
        for key in ("seed", "until", "knowledge", "enforce", "suspend")
        if getattr(one, key) != getattr(other, key)
    ]
    texts = dict(one.regimes), dict(other.regimes)
    for name in dict.fromkeys([*texts[0], *texts[1]]):
        if texts[0].get(name) != texts[1].get(name):
            found.append((f"regimes: {name}", _length(texts[0].get(name)), _length(texts[1].get(name))))
    for name, parameter in schema().items():
        values = [
            plain(scenario.settings.get(name, parameter.setting), parameter.default)
            for scenario in (one, other)
        ]
        if values[0] != values[1]:
            found.append((name, _shown(values[0]), _shown(values[1])))
    return found


def _length(text: bytes | None) -> str:
    return _ABSENT if text is None else f"{len(text.splitlines())} lines"


def _shown(setting: object) -> str:
    if isinstance(setting, tuple):
        return ", ".join(setting) or _ABSENT
    return f"{setting:g}" if isinstance(setting, float) else str(setting)


def differing_manifests(one: Path, other: Path) -> list[tuple[str, str, str]]:
    """Return (key, value in one, value in the other) wherever two manifests differ; then their scenarios."""
    opened = [open_results(folder) for folder in (one, other)]
    flat = [dict(_flat(found.manifest)) for found in opened]
    runs = [found.kind == RUN and (found.folder / SCENARIO).exists() for found in opened]
    left_out = (*_NOT_RESULTS, *(_OF_SCENARIO if all(runs) else ()))
    keys = [key for key in dict.fromkeys([*flat[0], *flat[1]]) if not key.startswith(left_out)]
    found = [
        (key, flat[0].get(key, _ABSENT), flat[1].get(key, _ABSENT))
        for key in keys
        if flat[0].get(key) != flat[1].get(key)
    ]
    if all(runs):
        return found + differing_settings(load_scenario(one / SCENARIO), load_scenario(other / SCENARIO))
    cases = [sorted((folder / "scenarios").glob("*.toml")) for folder in (one, other)]
    for left, right in zip(*cases, strict=False):
        if left.read_bytes() != right.read_bytes():
            settings = differing_settings(load_scenario(left), load_scenario(right))
            found += [(f"{left.stem}: {name}", a, b) for name, a, b in settings]
    return found


def _flat(value: object, prefix: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(inner, f"{prefix}.{key}" if prefix else str(key))
    else:
        text = value if isinstance(value, str) else json.dumps(value)
        yield prefix, text[:_HASH] if prefix.startswith("data.") else text


def differing_values(one: Path, other: Path) -> "pd.DataFrame":
    """Return for each variable how two results differ where both hold a value of the same run.

    Columns: variable, values (compared), different, first_quarter (in which any differs), mean_relative (over all
    values), largest_relative. Runs are compared with the runs of the same number: with one seed they met the same
    shocks. Results of one scenario and one policy each are compared whatever these are called.
    """
    import pandas as pd

    keys = _keys(one, other)
    tallies = Tallies()
    try:
        for left, right in pairs(one, other, keys=keys):
            tallies.add(left, values_of(left), values_of(right))
    except UnlikeRowsError:
        tallies = _merged(one, other, keys)
    return pd.DataFrame(tallies.rows(), columns=list(COLUMNS))


def _keys(one: Path, other: Path) -> tuple[str, ...]:
    """Return by which columns rows belong together: not by names of scenario or policy where each has one of them."""
    single = {
        name
        for name in ("scenario", "policy")
        if all(len(_words(folder, name)) <= 1 for folder in (one, other))
    }
    return tuple(name for name in KEYS if name not in single)


def _words(folder: Path, name: str) -> set[str]:
    """Return the scenarios or policies of results, as their manifest says."""
    opened = open_results(folder)
    cases = opened.manifest["study"]["cases"] if opened.kind == BATCH else [opened.manifest]
    return {str(case[name]) for case in cases if name in case}


def _merged(one: Path, other: Path, keys: tuple[str, ...]) -> Tallies:
    """Compare results whose rows stand in another order, or are not the same ones, variable by variable."""
    import pyarrow as pa

    rows = [_rows(folder) for folder in (one, other)]
    tallies = Tallies()
    names = [_variables(table) for table in rows]
    for variable in [name for name in names[0] if name in names[1]]:
        left, right = (_values(table, variable, keys) for table in rows)
        on = [key for key in left.columns if key in right.columns and key != "value"]
        both = left.merge(right, on=on, suffixes=("_one", "_other"))
        table = pa.Table.from_pandas(both[["variable", "quarter"]], preserve_index=False)
        tallies.add(table, both["value_one"].to_numpy(), both["value_other"].to_numpy())
    return tallies


def unshared_variables(one: Path, other: Path) -> list[str]:
    """Return the variables that only one of two results holds."""
    names = [set(_variables(_rows(folder))) for folder in (one, other)]
    return sorted(names[0] ^ names[1])


def _rows(folder: Path) -> Any:
    return open_results(folder).dataset()


def _variables(rows: Any) -> list[str]:
    found: dict[str, None] = {}
    for batch in rows.to_batches(columns=["variable"]):
        found.update(dict.fromkeys(batch["variable"].unique().to_pylist()))
    return list(found)


def _values(rows: Any, variable: str, wanted: tuple[str, ...]) -> "pd.DataFrame":
    import pyarrow.dataset as ds

    keys = [name for name in wanted if name in rows.schema.names]
    frame = rows.to_table(columns=[*keys, "value"], filter=ds.field("variable") == variable).to_pandas()
    return frame.astype({key: str for key in keys if key != "run"})


def headline_differences(one: Path, other: Path) -> "pd.DataFrame":
    """Return how the headline measures of two runs differ, run by run.

    Columns: outcome, unit, first_quarter (in which any run differs; "" where none does), year (the last that both
    hold whole), median_one, median_other, change (the median over runs of the difference), p10, p90 (its 80% band).
    """
    import pandas as pd

    from computemarket.analysis.results.measures import BAND, measure
    from computemarket.analysis.results.series import NotSimulatedError, read_panels
    from computemarket.analysis.results.summary import HEADLINES, variables_of_summary

    panels = [read_panels(folder, variables_of_summary()) for folder in (one, other)]
    quarters = [name for name in panels[0].quarters if name in panels[1].quarters]
    runs, left, right = np.intersect1d(panels[0].runs, panels[1].runs, return_indices=True)
    whole = [name[:4] for name in quarters if name.endswith("Q4")]
    if not len(runs) or not whole:
        raise InputError("diff", f"{one} and {other}", "two results with runs and years in common")
    found = []
    for name, label, unit in HEADLINES:
        asked = measure(name)
        try:
            series = [
                asked.series(panel)[chosen][:, : len(quarters)]
                for panel, chosen in zip(panels, (left, right), strict=True)
            ]
            values = [
                asked.at(panel, whole[-1])[chosen]
                for panel, chosen in zip(panels, (left, right), strict=True)
            ]
        except NotSimulatedError:
            continue
        differs = ~((series[0] == series[1]) | (np.isnan(series[0]) & np.isnan(series[1]))).all(axis=0)
        first = quarters[int(np.argmax(differs))] if differs.any() else ""
        change = values[1] - values[0]
        known = change[~np.isnan(change)]
        low, middle, high = np.percentile(known, (BAND[0], 50.0, BAND[1])) if len(known) else (np.nan,) * 3
        medians = [float(np.nanmedian(value)) if not np.isnan(value).all() else np.nan for value in values]
        found.append((label, unit, first, whole[-1], *medians, middle, low, high))
    columns = [
        "outcome",
        "unit",
        "first_quarter",
        "year",
        "median_one",
        "median_other",
        "change",
        "p10",
        "p90",
    ]
    return pd.DataFrame(found, columns=columns)
