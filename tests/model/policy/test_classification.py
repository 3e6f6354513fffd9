"""Chips and memory stacks under the regimes of the package."""

import csv
import json
import re
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
from computemarket.model.policy.classification.cases import CHIP_COLUMNS, Cases, read_cases
from computemarket.model.policy.classification.classify import find_regime, findings, standard_objects
from computemarket.model.policy.classification.products import catalogue_cases
from computemarket.model.policy.regimes.compose import inside, status_on
from computemarket.model.policy.regimes.metrics import chip_metrics, exact, performance_density
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
    found = chip(tmp_path, datacenter=1)
    assert {found[column] for column in COLUMNS} == {None}


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
    ("tpp", "dram", "band"),
    [
        (14000, 4800, "none"),
        (14000.1, 4800, "band1"),
        (17499.9, 4999.9, "band1"),
        (17500, 4800, "none"),
        (15832, 4500, "none"),
        (15832, 5000, "none"),
        (20800, 6000, "none"),
        (20920, 6000, "band2"),
        (21100, 6000, "none"),
        (20920, 5800, "none"),
        (20920, 6200, "none"),
    ],
)
def test_an_edge_of_a_tariff_band_is_outside(tmp_path, tpp, dram, band):
    found = chip(tmp_path, datacenter=1, tpp=tpp, pd=10, dram_bw_gbps=dram, io_bidir_gbps=1)
    assert found["tariff_band_2026_01"] == band


def test_a_charge_falls_strictly_inside_its_band():
    charge = BOOK["us_2026_01_tariff_232"].charges[0]
    metrics = {"tpp": exact(np.array([14000.0, 15832.0])), "dram_bw_gbps": exact(np.array([4800.0, 4800.0]))}
    certain, possible = inside(charge, metrics, (2,))
    assert certain.tolist() == possible.tolist() == [False, True]


def test_a_die_of_a_planar_process_has_density_zero(tmp_path):
    found = chip(tmp_path, datacenter=1, tpp=4000, die_mm2=0, dram_bw_gbps=500, io_bidir_gbps=64)
    assert found["eccn_2023_11"] == "none"
    assert found["status_cn_2023_11"] == "none"


def test_each_circuit_of_a_card_has_its_part_of_compute_and_memory(tmp_path):
    card = {"datacenter": 1, "tpp": 6960, "pd": 3, "dram_bw_gbps": 2000, "io_bidir_gbps": 64}
    assert chip(tmp_path, **card)["status_cn_2023_11"] == "licence_denial"
    several = chip(tmp_path, **card, circuits=4)
    assert (several["status_cn_2023_11"], several["status_cn_2025_04"]) == ("none", "none")
    with pytest.raises(InputError, match=r"circuits: '1\.5' is not"):
        chip(tmp_path, **card, circuits=1.5)


def table(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "cases.csv"
    file.write_text(text, "utf-8")
    return file


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("case_id,tpp,dram_bw_gpbs\nX,100,1\n", "dram_bw_gpbs.*is it dram_bw_gbps"),
        ("case_id,TPP,dense_tops\nX,100,1\n", "TPP.*is it tpp"),
        ("case_id,tpp,tpp\nX,100,1\n", "'tpp' is not given once"),
        ("case_id,tpp\nX,100,1\n", "line 2: .*'1'.* is not cells of 2 columns"),
        ("case_id,tpp\n", "rows: 0 is not at least one"),
        ("stack,densty\nX,1\n", "a table with a column tpp"),
        ("stack,bandwidth_gbps,densty\nX,1,1\n", "densty.*is it density"),
    ],
)
def test_a_table_that_is_not_read_as_meant_is_refused_in_one_line(tmp_path, text, says):
    with pytest.raises(InputError, match=says) as refused:
        read_cases(table(tmp_path, text))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("cells", "says"),
    [
        ({"tpp": 4000, "dense_tops": 900, "best_bits": 8}, "tpp 4000 is used though .* gives 7200"),
        ({"tpp": 4000, "pd": 2, "die_mm2": 500}, "pd 2 is used though .* gives 8"),
        (
            {"tpp": 1, "io_bidir_gbps": 600, "link_bidir_gbps": 400, "pcie_bidir_gbps": 64},
            "io_bidir_gbps 600 .* 464",
        ),
    ],
)
def test_figures_that_contradict_are_a_warning_in_the_answer(tmp_path, cells, says):
    (warning,) = chip(tmp_path, **cells)["warnings"]
    assert re.search(says, warning)


def test_what_data_sheets_round_is_no_contradiction(tmp_path):
    assert chip(tmp_path, tpp=15832, dense_tops=1979, best_bits=8, pd=19.45, die_mm2=814)["warnings"] == []


def test_warnings_are_printed_and_in_the_json(tmp_path):
    file = table(tmp_path, "case_id,tpp,dense_tops,best_bits,colour\nX,4000,900,8,red\nY,1,,,\n")
    printed = CliRunner().invoke(app, ["classify", str(file)])
    assert "warning: X: tpp 4000 is used" in printed.stderr
    assert printed.stderr.count("warning: every row: column colour is not read") == 1
    for extra in ([], ["--regime", "us_2023_11"]):
        first = json.loads(CliRunner().invoke(app, ["classify", str(file), "--json", *extra]).stdout)[0]
        assert len(first["warnings"]) == 2


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
    assert found["qualcomm_ai100_ultra"].eccn != "3A090.a.1"


def test_all_ports_of_a_chip_count_as_its_links():
    found = {f.case_id: f for f in findings(catalogue_cases(), BOOK["us_2022_10"], BOOK)}
    assert found["intel_gaudi2"].status == "licence_denial"  # 24 ports of 25 GB/s both ways, and PCIe


def test_no_rule_catches_a_product_by_an_estimate_without_saying_so():
    cases = catalogue_cases()
    published = Cases(cases.ids, cases.names, cases.published, "chip")
    by_estimate = 0
    for regime in ("us_2022_10", "us_2023_11", "us_2025_04_isinformed", "us_2026_01_case_by_case"):
        plain = findings(published, BOOK[regime], BOOK)
        for finding, without in zip(findings(cases, BOOK[regime], BOOK), plain, strict=True):
            assert finding.by_estimate == (
                (finding.status, finding.eccn) != (without.status, without.eccn)
            ), finding.case_id
            by_estimate += finding.by_estimate
    assert by_estimate
    found = {f.case_id: f for f in findings(cases, BOOK["us_2023_11"], BOOK)}
    assert (found["nvidia_rtx_pro_6000d"].status, found["nvidia_rtx_pro_6000d"].by_estimate) == (
        "licence_denial",
        True,
    )
    assert not found["nvidia_h20"].by_estimate


def test_the_command_marks_what_hangs_on_an_estimate():
    shown = CliRunner().invoke(app, ["classify", "--catalogue", "--regime", "us_2023_11"])
    line = next(line for line in shown.output.splitlines() if line.startswith("nvidia_rtx_pro_6000d"))
    assert "licence_denial (by" in line
    entries = json.loads(CliRunner().invoke(app, ["classify", "--catalogue", "--json"]).stdout)
    card = next(entry for entry in entries if entry["case_id"] == "nvidia_rtx_pro_6000d")
    assert "status_cn_2023_11" in card["by_estimate"]


def test_a_regime_that_acts_on_statuses_names_those_it_comes_after():
    file = str(path_of("export_classification_cases.csv"))
    command = ["classify", file, "--regime", "us_2026_01_case_by_case"]
    assert "after us_2023_11, us_2025_04_isinformed" in CliRunner().invoke(app, command).stdout
    first = json.loads(CliRunner().invoke(app, [*command, "--json"]).stdout)[0]
    assert first["after"] == ["us_2023_11", "us_2025_04_isinformed"]
    alone = CliRunner().invoke(app, ["classify", file, "--regime", "us_2023_11", "--json"])
    assert json.loads(alone.stdout)[0]["after"] == []


def test_the_catalogue_writes_no_picture_unless_asked(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(app, ["classify", "--catalogue"]).exit_code == 0
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_regime_names_the_known_ones():
    with pytest.raises(InputError, match="us_2022_10"):
        find_regime(BOOK, "us_1999")


def test_the_command_prints_objects_in_the_vocabulary_of_the_file():
    result = CliRunner().invoke(app, ["classify", str(path_of("export_classification_cases.csv")), "--json"])
    assert result.exit_code == 0
    entries = json.loads(result.output)
    assert set(entries[0]) == {"case_id", *COLUMNS, "by_estimate", "warnings"}
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
