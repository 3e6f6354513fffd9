"""Exchange: IAMC tables that pyam reads back unchanged, codelists, tables and workbooks without formulas."""

import csv
import json
import os
import subprocess
import sys

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from computemarket.analysis.exchange.codes import (
    code_of,
    entry_of,
    recorded_codes,
    region_of,
    region_yaml,
    variable_yaml,
)
from computemarket.analysis.exchange.files import write_csv, write_excel
from computemarket.analysis.exchange.layouts import (
    Ask,
    entries_of,
    over_runs,
    over_years,
    quantile_name,
    tables,
)
from computemarket.errors import InputError
from computemarket.scenarios.batches.batch import first_quarter
from computemarket.scenarios.batches.ensemble import prepare, simulate_to
from computemarket.scenarios.observers.report import REPORT_VARIABLES
from computemarket.scenarios.results.provenance import file_sha256
from computemarket.scenarios.results.spreadsheet import harmless
from computemarket.scenarios.studies.study import Case

SOME = ("capex_usd", "lead_time_weeks", "compute_stock_h100e", "tokens_served")
HOSTILE = (
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "=cmd|' /C calc'!A0",
    "'; drop table results; --",
)
PYAM = """
import pathlib, sys, warnings
warnings.simplefilter("ignore")
import pyam
for path in pathlib.Path(sys.argv[1]).glob("*.csv"):
    pyam.IamDataFrame(path).data.to_pickle(path.with_suffix(".pickle"))
"""


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """Three runs of a year and a half."""
    folder = tmp_path_factory.mktemp("stored") / "run"
    simulate_to(folder, prepare("baseline", seed=5, until="2023Q2"), 3)
    return folder


def read_by_pyam(folder):
    """Return the data that pyam reads from each file; in a process of its own, for it writes into the home folder."""
    home = {**os.environ, "HOME": str(folder), "XDG_DATA_HOME": str(folder)}
    subprocess.run([sys.executable, "-c", PYAM, str(folder)], check=True, capture_output=True, env=home)  # noqa: S603
    return {path.stem: pd.read_pickle(path) for path in folder.glob("*.pickle")}  # noqa: S301


# ---- numbers


def test_quarters_make_a_year_as_flows_prices_and_stocks_do():
    quarters = ["2022Q3", "2022Q4", *(f"2023Q{q}" for q in range(1, 5)), "2024Q1"]
    values = np.array([[9.0, 9.0, 1.0, 2.0, np.nan, 6.0, 9.0]])
    assert over_years(values, quarters, "mean")[1].tolist() == [[3.0]]
    assert over_years(values, quarters, "end")[1].tolist() == [[6.0]]
    years, found = over_years(np.nan_to_num(values, nan=1.0), quarters, "sum")
    assert (years, found.tolist()) == ([2023], [[10.0]])
    assert over_years(values, quarters[:2], "sum")[0] == []


def test_a_quantile_needs_half_of_the_runs():
    values = np.array([[[1.0, np.nan, 1.0], [2.0, np.nan, np.nan], [4.0, 7.0, np.nan], [5.0, 8.0, 1.0]]])
    [[low, middle]] = over_runs(values, (0.0, 0.5))
    assert low.tolist() == [1.0, 7.0, 1.0]
    assert middle.tolist() == [3.0, 7.5, 1.0]
    assert np.isnan(over_runs(np.array([[[np.nan], [np.nan], [1.0]]]), (0.5,))).all()
    assert [quantile_name(share) for share in (0.1, 0.5, 0.025)] == ["P10", "P50", "P2.5"]


def test_a_flow_says_over_which_time_it_is_counted():
    assert entry_of("capex_usd", "USD", "amazon", "").units == ("USD/yr", "USD/quarter")
    assert entry_of("debt_usd", "USD", "amazon", "").units == ("USD",)
    assert entry_of("gross_margin", "share", "amd", "").units == ("share",)
    assert entry_of("capex_usd", "USD", "amazon", "").name == "Capital Expenditure|amazon"
    assert entry_of("tokens_served", "tokens", "world", "high").name == "Tokens Served|high"
    assert entry_of("startups_active", "firms", "startups", "").name == "Startups Active"
    assert entry_of("capex_usd", "USD", "a|b", "").name == "Capital Expenditure|a/b"
    assert [region_of(name) for name in ("", "us", "west", "nowhere")] == [
        "World",
        "United States",
        "West",
        "nowhere",
    ]


def test_a_headline_measure_keeps_its_own_unit_and_meaning():
    assert code_of("utilisation", "share").name == "Utilisation"
    assert code_of("utilisation", "%").name.endswith("(headline)")
    assert code_of("four_clouds_capex", "bn USD").over_year == "sum"
    assert code_of("something_new", "x").description.startswith("not described")


def test_everything_the_market_records_is_described():
    known = set(recorded_codes())
    recorded = set(first_quarter(Case(prepare("baseline"))).series)
    missing = sorted((recorded | REPORT_VARIABLES) - known)
    assert not missing, "declare these beside the function that records them"
    names = [code.name for code in recorded_codes().values()]
    assert len(set(names)) == len(names)


# ---- IAMC


def test_pyam_reads_back_what_was_written(stored, tmp_path):
    asked = {
        "years": Ask(variables=SOME),
        "years_in_rows": Ask(variables=SOME, mark="column", layout="long"),
        "quarters_in_rows": Ask(variables=SOME, periods="quarters", layout="long"),
        "quarters_of_runs": Ask(variables=SOME, periods="quarters", mark="column", ensemble="runs"),
    }
    for name, ask in asked.items():
        write_csv(tmp_path / f"{name}.csv", tables(stored, ask))
    read = read_by_pyam(tmp_path)
    assert set(read) == set(asked)
    for name, ask in asked.items():
        written = pd.concat(tables(stored, ask), ignore_index=True)
        if ask.layout == "wide":
            names = [column for column in written.columns if isinstance(column, str)]
            written = written.melt(id_vars=names, var_name="year", value_name="value")
        assert sorted(read[name].columns) == sorted(written.columns)
        keys = sorted(column for column in written.columns if column != "value")
        found, written = (
            table.dropna(subset=["value"]).astype({"year": int}).sort_values(keys).reset_index(drop=True)
            for table in (read[name], written)
        )
        for column in keys:
            assert found[column].astype(str).tolist() == written[column].astype(str).tolist()
        assert len(found) > 100
        assert found["value"].tolist() == [float(f"{value:.12g}") for value in written["value"]]


def test_an_iamc_table_is_the_results(stored):
    whole = pd.concat(tables(stored, Ask(periods="quarters", ensemble="runs", variables=("capex_usd",))))
    results = pd.read_parquet(stored / "results.parquet").astype(
        {"variable": str, "entity": str, "quarter": str}
    )
    one = results[
        (results["variable"] == "capex_usd") & (results["entity"] == "amazon") & (results["run"] == 2)
    ]
    row = whole[
        (whole["scenario"] == "baseline (run 2)") & (whole["variable"] == "Capital Expenditure|amazon")
    ]
    assert row.set_index("subannual")[2022].tolist() == one[one["quarter"] < "2023"]["value"].tolist()
    assert set(row["unit"]) == {"USD/quarter"}
    assert list(whole.columns[:5]) == ["model", "scenario", "region", "variable", "unit"]
    year = pd.concat(tables(stored, Ask(ensemble="runs", variables=("capex_usd",)))).set_index(
        ["scenario", "variable"]
    )
    total = one[one["quarter"] < "2023"]["value"].sum()
    assert year.loc[("baseline (run 2)", "Capital Expenditure|amazon"), 2022] == pytest.approx(
        total, rel=1e-15
    )
    assert list(year.columns[-1:]) == [2022]  # 2023 is not whole


def test_the_codelist_is_yaml_with_a_unit_and_a_meaning_for_every_series(stored, tmp_path, command):
    code, _, err = command("export", stored, "--format", "codelist", "--out", tmp_path / "lists")
    assert (code, err) == (0, "")
    listed = yaml.safe_load((tmp_path / "lists" / "variable" / "computemarket.yaml").read_text())
    named = {name: one for entry in listed for name, one in entry.items()}
    assert len(named) == len(listed)
    assert named["Capital Expenditure|amazon"]["unit"] == ["USD/yr", "USD/quarter"]
    assert all(one["description"] for one in named.values())
    [regions] = yaml.safe_load((tmp_path / "lists" / "region" / "computemarket.yaml").read_text())
    for periods in ("years", "quarters"):
        for table in tables(stored, Ask(periods=periods)):
            assert set(table["region"]) <= set(regions["computemarket"])
            for name, unit in set(zip(table["variable"], table["unit"], strict=True)):
                units = named[name]["unit"]
                assert unit in (units if isinstance(units, list) else [units])


@given(st.text(max_size=20))
def test_any_text_survives_a_codelist(text):
    entry = entry_of("capex_usd", text or "x", text, "")
    [held] = yaml.safe_load("\n".join(variable_yaml([entry])))
    assert list(held) == [entry.name]
    assert yaml.safe_load("\n".join(region_yaml([text]))) == [{"computemarket": [text]}]


# ---- no text acts as a formula


@given(st.text(max_size=8) | st.sampled_from(HOSTILE))
def test_no_cell_begins_a_formula(text):
    shown = str(harmless(text))
    assert not shown.lstrip().startswith(("=", "+", "-", "@"))
    assert not set(shown) & set("\t\r\n")
    if text.isprintable():
        assert shown.removeprefix("'") == text.removeprefix("'")
    assert harmless(-1.5) == -1.5


@pytest.fixture
def hostile(stored, tmp_path, as_made):
    """Results in which another tool has written names that are formulas, SQL and paths."""
    folder = tmp_path / "hostile"
    folder.mkdir()
    rows = [
        ("baseline", run, f"2022Q{q}", name, HOSTILE[0], "@region", name, "=unit", -float(q))
        for name in HOSTILE for run in (0, 1) for q in (1, 2, 3, 4)
    ]  # fmt: skip
    columns = ["scenario", "run", "quarter", "variable", "entity", "region", "detail", "unit", "value"]
    pq.write_table(pa.Table.from_pandas(pd.DataFrame(rows, columns=columns)), folder / "results.parquet")
    told = json.loads((stored / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(told))
    (folder / "scenario.toml").write_bytes((stored / "scenario.toml").read_bytes())
    return as_made(folder, description='=HYPERLINK("http://x")', runs=2)


@pytest.mark.parametrize("form", ["iamc", "csv"])
def test_a_table_of_hostile_names_holds_no_formula(hostile, tmp_path, command, form):
    code, _, err = command(
        "export", hostile, "--format", form, "--out", tmp_path / "t.csv", "--layout", "long"
    )
    assert (code, err) == (0, "")
    with (tmp_path / "t.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert len(rows) > len(HOSTILE)
    for cell in (cell for row in rows for cell in row[:-1]):
        assert harmless(cell) == cell
    assert {float(row[-1]) for row in rows[1:]} == {-2.5}


def test_a_workbook_holds_text_and_numbers_and_says_where_they_come_from(hostile, stored, tmp_path, command):
    for folder in (hostile, stored):
        code, _, err = command("export", folder, "--format", "xlsx", "--out", tmp_path / "book.xlsx")
        assert (code, err) == (0, "")
        book = openpyxl.load_workbook(tmp_path / "book.xlsx")
        assert book.sheetnames == ["data", "variables", "parameters", "provenance"]
        cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
        assert {cell.data_type for cell in cells} <= {"s", "n"}  # no formulas, no errors
        assert not any(cell.hyperlink for cell in cells)
    told = {row[0]: row[1] for row in book["provenance"].iter_rows(values_only=True)}
    assert told["digest"] == file_sha256(stored / "results.parquet")
    assert told["versions.model"]
    units = {row[0]: row[1] for row in book["variables"].iter_rows(values_only=True)}
    assert units["Capital Expenditure|amazon"] == "USD/yr or USD/quarter"
    parameters = {row[1]: row for row in book["parameters"].iter_rows(values_only=True)}
    assert parameters["capex.cash_share"][3:5] == ("share", parameters["capex.cash_share"][4])
    data = list(book["data"].iter_rows(values_only=True))
    assert data[0][5] == 2022
    whole = pd.concat(tables(stored, Ask()))
    assert [row[5] for row in data[1:]] == pytest.approx(whole[2022].tolist(), nan_ok=True, rel=1e-15)


# ---- bad input


@pytest.mark.parametrize(
    "arguments",
    [
        ("--format", "pdf"),
        ("--periods", "months"),
        ("--ensemble", "all"),
        ("--mark", "colour"),
        ("--layout", "square"),
        ("--quantile", "1.5"),
        ("--quantile", "nan"),
        ("--variable", "no_such_*"),
        ("--variable", "'; drop table results"),
    ],
)
def test_what_cannot_be_exported_is_one_line(stored, tmp_path, command, arguments):
    code, out, err = command("export", stored, "--out", tmp_path / "t.csv", *arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_written_is_one_line(stored, tmp_path, command):
    (tmp_path / "file").write_text("kept")
    for form in ("iamc", "xlsx", "codelist"):
        for place in (tmp_path / "file" / "deep", tmp_path / "none" / "deep", tmp_path):
            if form == "codelist" and place != tmp_path / "file" / "deep":
                continue
            code, _, err = command(
                "export", stored, "--format", form, "--variable", "capex_usd", "--out", place
            )
            assert (code, err.count("\n")) == (2, 1), err
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_text() == "kept"


@pytest.mark.parametrize("form", ["iamc", "xlsx"])
def test_a_full_disk_leaves_the_file_that_was_there(stored, tmp_path, command, monkeypatch, form):
    def full(*_arguments):
        raise OSError(28, "No space left on device")

    target = tmp_path / "t"
    target.write_text("kept")
    monkeypatch.setattr("computemarket.analysis.exchange.files.os.fsync", full)
    code, _, err = command("export", stored, "--format", form, "--variable", "capex_usd", "--out", target)
    assert (code, "No space left" in err) == (2, True)
    assert [path.name for path in tmp_path.iterdir()] == ["t"]
    assert target.read_text() == "kept"


def test_more_rows_than_a_sheet_holds_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("computemarket.analysis.exchange.files._SHEET_ROWS", 3)
    table = pd.DataFrame({"a": [1, 2]})
    assert write_excel(tmp_path / "fits.xlsx", [("data", [table])]) == 2
    with pytest.raises(InputError, match="what a sheet of Excel holds"):
        write_excel(tmp_path / "large.xlsx", [("data", [table, table])])
    assert [path.name for path in tmp_path.iterdir()] == ["fits.xlsx"]


def test_a_folder_without_results_of_this_version_is_one_line(stored, tmp_path, command, as_made):
    code, _, err = command("export", tmp_path, "--out", tmp_path / "t.csv")
    assert (code, err.count("\n")) == (2, 1)
    told = json.loads((stored / "manifest.json").read_text())
    (tmp_path / "manifest.json").write_text(json.dumps({**told, "format": 99}))
    code, _, err = command("export", tmp_path, "--out", tmp_path / "t.csv")
    assert (code, "another version" in err) == (2, True)
    (tmp_path / "results.parquet").write_bytes((stored / "results.parquet").read_bytes()[:5000])
    (tmp_path / "scenario.toml").write_bytes((stored / "scenario.toml").read_bytes())
    (tmp_path / "manifest.json").write_text(json.dumps(told))
    as_made(tmp_path)
    code, _, err = command("export", tmp_path, "--out", tmp_path / "t.csv")
    assert (code, err.count("\n")) == (2, 1)
    pq.write_table(pa.table({"a": [1]}), tmp_path / "results.parquet")
    as_made(tmp_path)
    code, _, err = command("export", tmp_path, "--out", tmp_path / "t.csv")
    assert (code, "not a table of results" in err) == (2, True)
    assert not (tmp_path / "t.csv").exists()


def test_part_of_a_year_is_exported_by_quarter_alone(tmp_path, command):
    folder, table = tmp_path / "part", tmp_path / "t.csv"
    simulate_to(folder, prepare("baseline", until="2022Q3"), 1)
    code, out, err = command("export", folder, "--out", table)
    assert (code, out, "of a whole year; ask for --periods quarters" in err) == (2, "", True)
    assert [path.name for path in tmp_path.iterdir()] == ["part"]
    assert command("export", folder, "--out", table, "--periods", "quarters")[0] == 0
    assert set(pd.read_csv(table)["subannual"]) == {"Q1", "Q2", "Q3"}


def test_a_quantile_asked_for_twice_is_written_once(stored, tmp_path, command):
    once, twice = tmp_path / "once.csv", tmp_path / "twice.csv"
    assert command("export", stored, "--out", once, "--quantile", "0.5")[0] == 0
    assert command("export", stored, "--out", twice, "--quantile", "0.5", "--quantile", "0.50")[0] == 0
    assert once.read_bytes() == twice.read_bytes()


def test_a_codelist_of_some_variables_holds_only_those(stored):
    assert {one.name.split("|")[0] for one in entries_of(stored, ("capex_*",))} == {"Capital Expenditure"}


def test_a_workbook_that_finds_no_room_for_what_it_puts_aside_is_one_line(tmp_path, monkeypatch):
    import xlsxwriter

    close = xlsxwriter.Workbook.close

    def full(book):
        close(book)
        raise xlsxwriter.exceptions.FileCreateError("No space left on device")

    monkeypatch.setattr(xlsxwriter.Workbook, "close", full)
    with pytest.raises(InputError, match="a file that can be written"):
        write_excel(tmp_path / "a.xlsx", [("data", [pd.DataFrame({"a": [1]})])])
    assert list(tmp_path.iterdir()) == []
