"""How two scenarios, or two results, differ: what was asked, with what, and what came out run by run."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from computemarket.errors import InputError
from computemarket.model.parameters import schema
from computemarket.model.recorder import COLUMNS
from computemarket.scenarios.schema import Scenario, load_scenario

if TYPE_CHECKING:
    import pandas as pd

_KEYS = [name for name in COLUMNS if name not in ("unit", "value")]
_NOT_RESULTS = ("status", "identity", "digest", "study.cases")


def differing_settings(one: Scenario, other: Scenario) -> list[tuple[str, str, str]]:
    """Return (parameter or header, value in one, value in the other) wherever two scenarios differ."""
    found = [
        (key, str(getattr(one, key)), str(getattr(other, key)))
        for key in ("seed", "until", "knowledge")
        if getattr(one, key) != getattr(other, key)
    ]
    for name, parameter in schema().items():
        values = [scenario.settings.get(name, parameter.setting) for scenario in (one, other)]
        if values[0] != values[1]:
            found.append((name, _shown(values[0]), _shown(values[1])))
    return found


def _shown(setting: object) -> str:
    return f"{setting:g}" if isinstance(setting, float) else str(setting)


def differing_manifests(one: Path, other: Path) -> list[tuple[str, str, str]]:
    """Return (key, value in one, value in the other) wherever two manifests differ; then the scenarios of cases."""
    flat = [dict(_flat(_manifest(folder))) for folder in (one, other)]
    keys = [key for key in dict.fromkeys([*flat[0], *flat[1]]) if not key.startswith(_NOT_RESULTS)]
    found = [
        (key, flat[0].get(key, "–"), flat[1].get(key, "–"))
        for key in keys
        if flat[0].get(key) != flat[1].get(key)
    ]
    cases = [sorted((folder / "scenarios").glob("*.toml")) for folder in (one, other)]
    for left, right in zip(*cases, strict=False):
        if left.read_bytes() != right.read_bytes():
            settings = differing_settings(load_scenario(left), load_scenario(right))
            found += [(f"{left.stem}: {name}", a, b) for name, a, b in settings]
    return found


def _manifest(folder: Path) -> Mapping[str, Any]:
    path = folder / "manifest.json"
    try:
        held = json.loads(path.read_bytes())
    except OSError as error:
        raise InputError("results", str(folder), f"a folder of results ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise InputError(str(path), "damaged text", "the manifest of results") from error
    if not isinstance(held, Mapping):
        raise InputError(str(path), "other data", "the manifest of results")
    return held


def _flat(value: object, prefix: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(inner, f"{prefix}.{key}" if prefix else str(key))
    else:
        yield prefix, value if isinstance(value, str) else json.dumps(value)


def differing_values(one: Path, other: Path) -> "pd.DataFrame":
    """Return for each variable how two results differ where both hold a value of the same run.

    Columns: variable, values (compared), different, largest_relative, median_one, median_other (of the last quarter).
    Runs are compared with the runs of the same number: with one seed they met the same shocks.
    """
    import pandas as pd

    rows = [_rows(folder) for folder in (one, other)]
    names = [set(_variables(table)) for table in rows]
    found = []
    for variable in sorted(names[0] & names[1]):
        left, right = (_values(table, variable) for table in rows)
        keys = [key for key in left.columns if key in right.columns and key != "value"]
        if {tuple(sorted(set(frame["scenario"]))) for frame in (left, right)} != {
            tuple(sorted(set(left["scenario"])))
        }:
            keys.remove("scenario")  # results of two scenarios are compared run by run
        both = left.merge(right, on=keys, suffixes=("_one", "_other"))
        a, b = both["value_one"].to_numpy(), both["value_other"].to_numpy()
        same = (a == b) | (np.isnan(a) & np.isnan(b))
        size = np.maximum(np.maximum(np.abs(a), np.abs(b)), np.finfo(float).tiny)
        relative = np.where(same, 0.0, np.abs(a - b) / size)
        last = both["quarter"] == both["quarter"].max()
        found.append(
            (
                variable, len(both), int((~same).sum()), float(np.nanmax(relative, initial=0.0)),
                float(np.nanmedian(a[last])) if not np.isnan(a[last]).all() else np.nan,
                float(np.nanmedian(b[last])) if not np.isnan(b[last]).all() else np.nan,
            )
        )  # fmt: skip
    columns = ["variable", "values", "different", "largest_relative", "median_one", "median_other"]
    return pd.DataFrame(found, columns=columns)


def _rows(folder: Path) -> Any:
    import pyarrow as pa
    import pyarrow.dataset as ds

    single = folder / "results.parquet"
    files = [single] if single.exists() else sorted((folder / "parts").glob("*.parquet"))
    if not files:
        raise InputError("results", str(folder), "a folder of results: it holds none")
    try:
        return ds.dataset([str(path) for path in files], format="parquet")
    except (pa.ArrowException, OSError) as error:
        raise InputError("results", str(folder), "readable results") from error


def _variables(rows: Any) -> list[str]:
    found: dict[str, None] = {}
    for batch in rows.to_batches(columns=["variable"]):
        found.update(dict.fromkeys(batch["variable"].unique().to_pylist()))
    return list(found)


def _values(rows: Any, variable: str) -> "pd.DataFrame":
    import pyarrow.dataset as ds

    keys = [name for name in (*_KEYS, "policy") if name in rows.schema.names]
    frame = rows.to_table(columns=[*keys, "value"], filter=ds.field("variable") == variable).to_pandas()
    return frame.astype({key: str for key in keys if key != "run"})
