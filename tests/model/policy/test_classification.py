"""Chips and memory stacks under the regimes of the package."""

import csv
import json
from datetime import date
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from computemarket.cli import app
from computemarket.errors import InputError
from computemarket.model.policy.classification.cases import CHIP_COLUMNS, read_cases
from computemarket.model.policy.classification.classify import find_regime, findings, standard_objects
from computemarket.model.policy.classification.products import catalogue_cases
from computemarket.model.policy.regimes.compose import status_on
from computemarket.model.policy.regimes.metrics import chip_metrics, performance_density
from computemarket.model.policy.regimes.regime import STATUSES
from computemarket.model.policy.regimes.regime_files import shipped_regimes

POLICY = files("computemarket.model.data").joinpath("policy")
BOOK = shipped_regimes()
HEADER = "case_id,chip," + ",".join(CHIP_COLUMNS)


def recorded(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(POLICY.joinpath(name).read_text("utf-8").splitlines()))


def path_of(name: str) -> Path:
    return Path(str(POLICY.joinpath(name)))


def chip(tmp_path: Path, **cells: object) -> dict[str, object]:
    """Classify one chip given by some of its columns."""
    row = {"case_id": "X", **{key: str(value) for key, value in cells.items()}}
    file = tmp_path / "cases.csv"
    file.write_text(
        HEADER + "\n" + ",".join(row.get(column, "") for column in HEADER.split(",")) + "\n", "utf-8"
    )
    return dict(standard_objects(read_cases(file), BOOK)[0])


COLUMNS = (
    *("status_cn_2022_10", "eccn_2023_11", "status_cn_2023_11"),
    *("status_cn_2025_04", "status_cn_2026_01", "tariff_band_2026_01"),
)
REAL = [row for row in recorded("export_classification_cases.csv") if row["case_type"] != "status_only"]


@pytest.mark.parametrize("row", REAL, ids=[row["case_id"] for row in REAL])
def test_every_recorded_case_is_matched(row):
    found = {
        entry["case_id"]: entry
        for entry in standard_objects(read_cases(path_of("export_classification_cases.csv")), BOOK)
    }
    for column in COLUMNS:
        if row[column]:
            assert found[row["case_id"]][column] == row[column], column


@pytest.mark.parametrize(
    ("regime", "column", "status"),
    [
        ("overwatch_hr6875", "covered_overwatch_bill", "licence_denial"),
        ("safe_chips_s3374", "covered_safe_chips_bill", "licence_denial"),
        ("us_2025_01_diffusion", "counts_to_diffusion_cap", "licence_approval"),
    ],
)
def test_bills_and_the_framework_cover_the_recorded_cases(regime, column, status):
    found = findings(read_cases(path_of("export_classification_cases.csv")), BOOK[regime], BOOK)
    for row, finding in zip(recorded("export_classification_cases.csv"), found, strict=True):
        if row[column] and row["case_type"] != "status_only":
            assert (finding.status == status) == (row[column] == "1"), finding.case_id


def test_memory_stacks_match_the_record():
    found = standard_objects(read_cases(path_of("hbm_classification_cases.csv")), BOOK)
    for row, entry in zip(recorded("hbm_classification_cases.csv"), found, strict=True):
        assert str(entry["controlled_3A090c"]) == row["controlled_3A090c"]
        assert str(entry["exception_hbm_possible"]) == row["exception_hbm_possible"]


def test_a_status_fact_without_a_specification_stays_open(tmp_path):
    assert set(chip(tmp_path, datacenter=1).values()) == {"X", None}


def test_unknown_links_leave_2022_open_only_where_compute_reaches_the_line(tmp_path):
    assert chip(tmp_path, datacenter=1, tpp=4799, pd=1, dram_bw_gbps=500)["status_cn_2022_10"] == "none"
    assert chip(tmp_path, datacenter=1, tpp=4800, pd=1, dram_bw_gbps=500)["status_cn_2022_10"] is None


def test_a_part_of_the_io_that_reaches_the_line_decides(tmp_path):
    assert (
        chip(tmp_path, datacenter=1, tpp=4800, pd=7, link_bidir_gbps=600)["status_cn_2022_10"]
        == "licence_denial"
    )


def test_what_a_row_states_wins_over_what_follows_from_its_columns(tmp_path):
    stated = chip(tmp_path, datacenter=1, tpp=1000, pd=1, dense_tops=9999, best_bits=8, die_mm2=10,
                  dram_bw_gbps=1, io_bidir_gbps=1, link_bidir_gbps=9000)  # fmt: skip
    assert stated["status_cn_2023_11"] == "none"
    assert stated["status_cn_2025_04"] == "none"


def test_density_follows_from_tpp_and_area_exactly_at_the_line(tmp_path):
    at = chip(
        tmp_path, datacenter=1, dense_tops=592, best_bits=8, die_mm2=800, dram_bw_gbps=1, io_bidir_gbps=1
    )
    assert at["eccn_2023_11"] == "3A090.a.2"  # 4736 / 800 = 5.92


def test_the_sum_of_io_parts_is_exact_at_the_line(tmp_path):
    at = chip(
        tmp_path,
        datacenter=1,
        tpp=2000,
        pd=2,
        dram_bw_gbps=1000.1,
        link_bidir_gbps=600.6,
        pcie_bidir_gbps=99.3,
    )
    assert at["status_cn_2025_04"] == "licence"  # 1000.1 + 600.6 + 99.3 = 1700


def test_a_blank_market_leaves_open_only_what_depends_on_it(tmp_path):
    found = chip(tmp_path, tpp=5000, pd=1, dram_bw_gbps=7000, io_bidir_gbps=1)
    assert found["eccn_2023_11"] is None
    assert found["status_cn_2022_10"] == "none"
    assert found["tariff_band_2026_01"] == "none"


def test_memory_on_the_chip_alone_is_no_dram(tmp_path):
    assert (
        chip(tmp_path, datacenter=1, tpp=100, pd=1, memory="SRAM", io_bidir_gbps=1)["status_cn_2025_04"]
        == "none"
    )


@pytest.mark.parametrize(
    ("tpp", "dram", "band"), [(17500, 5000, "band1"), (17501, 5000, "none"), (21100, 5800, "band2")]
)
def test_tariff_bands_are_closed(tmp_path, tpp, dram, band):
    found = chip(tmp_path, datacenter=1, tpp=tpp, pd=10, dram_bw_gbps=dram, io_bidir_gbps=1)
    assert found["tariff_band_2026_01"] == band


@pytest.mark.parametrize("column", ["tpp", "dram_bw_gbps", "datacenter"])
def test_a_cell_that_is_no_number_is_one_clear_line(tmp_path, column):
    with pytest.raises(InputError, match=rf"cases.csv: line 2: {column}: 'much' is not"):
        chip(tmp_path, **{column: "much"})


def test_performance_density_is_tpp_over_area_and_zero_without_non_planar_dies():
    area = np.array([826.0, 0.0, np.nan])
    density = performance_density(np.array([4992.0, 100.0, 100.0]), area)
    assert density[0] == pytest.approx(6.044, abs=5e-4)
    assert density[1] == 0.0
    assert np.isnan(density[2])


RATE = st.floats(0, 60000, allow_nan=False)


@given(RATE, st.floats(0, 60), RATE, RATE, st.booleans(), st.sampled_from([0, 1, 2, 3, 4]))
def test_what_is_unknown_keeps_every_status_that_knowing_could_give(tpp, pd, dram, io, datacenter, hidden):
    known = [np.array([float(x)]) for x in (tpp, pd, dram, io, datacenter)]
    blank = [np.array([np.nan]) if i == hidden else x for i, x in enumerate(known)]
    for day in (date(2022, 11, 1), date(2024, 1, 1), date(2025, 6, 1), date(2026, 6, 1)):
        true = status_on(BOOK, day, chip_metrics(*known)).status[0]
        assert true >= 0
        assert status_on(BOOK, day, chip_metrics(*blank)).possible[0, true]


@given(RATE, st.floats(0, 60), RATE, RATE)
def test_more_compute_never_frees_a_data_centre_chip(tpp, pd, dram, io):
    def status(factor: float) -> int:
        metrics = chip_metrics(*(np.array([x]) for x in (tpp * factor, pd * factor, dram, io, 1.0)))
        return int(status_on(BOOK, date(2024, 1, 1), metrics).status[0])

    assert status(1.1) >= status(1.0)


def test_an_open_status_margin_names_the_smallest_change(tmp_path):
    found = findings(read_cases(path_of("export_classification_cases.csv")), BOOK["us_2023_11"], BOOK)
    margin = next(f for f in found if f.chip == "H20").margin
    assert (margin.metric, margin.threshold, margin.status_beyond) == ("tpp", 2400.0, "NAC")
    assert margin.share == pytest.approx(2400 / 2368 - 1)


def test_the_catalogue_is_classified_whole():
    cases = catalogue_cases()
    found = {f.case_id: f for f in findings(cases, BOOK["us_2023_11"], BOOK)}
    assert len(found) == len(cases.ids)
    assert found["nvidia_h20"].status == "none"
    assert found["nvidia_l4"].eccn == "3A090.a.2"


def test_an_unknown_regime_names_the_known_ones():
    with pytest.raises(InputError, match="us_2022_10"):
        find_regime(BOOK, "us_1999")


def test_the_command_prints_objects_in_the_vocabulary_of_the_file():
    result = CliRunner().invoke(app, ["classify", str(path_of("export_classification_cases.csv")), "--json"])
    assert result.exit_code == 0
    entries = json.loads(result.output)
    assert set(entries[0]) == {"case_id", *COLUMNS}
    assert {entry["status_cn_2026_01"] for entry in entries} <= {*STATUSES, None}


def test_the_command_shows_rule_and_margin_to_people():
    file = str(path_of("export_classification_cases.csv"))
    result = CliRunner().invoke(app, ["classify", file, "--regime", "us_2023_11"])
    line = next(line for line in result.output.splitlines() if line.startswith("EC001"))
    assert "licence_denial" in line
    assert "3A090.a.1 / 4A090.a" in line
    assert "tpp >= 4800" in line
    assert "-3.8%" in line


def test_the_catalogue_draws_its_figure(tmp_path):
    figure = tmp_path / "chips.png"
    result = CliRunner().invoke(
        app, ["classify", "--catalogue", "--regime", "us_2023_11", "--figure", str(figure)]
    )
    assert result.exit_code == 0
    assert figure.read_bytes().startswith(b"\x89PNG")


def test_the_command_wants_a_table_or_the_catalogue():
    result = CliRunner().invoke(app, ["classify"])
    assert "CASES.csv or --catalogue" in str(result.exception)


def test_a_user_s_regime_is_classified_by_name(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text(
        '[[regime]]\nid = "mine"\neffective = 2027-01-01\ndestinations = ["china"]\n'
        '[[regime.rule]]\noutcome = "licence"\nall_of = [{ metric = "tpp", op = ">=", value = 2368 }]\n',
        "utf-8",
    )
    cases = str(path_of("export_classification_cases.csv"))
    command = ["classify", cases, "--regimes", str(file), "--regime", "mine", "--json"]
    found = {
        entry["case_id"]: entry["status"] for entry in json.loads(CliRunner().invoke(app, command).output)
    }
    assert (found["EC012"], found["EC016"]) == ("licence", "none")
