"""The catalogue reads what it should, refuses what it must, and marks every guess."""

import csv
from dataclasses import replace
from importlib.resources import files

import numpy as np
import pytest

from computemarket.errors import InputError
from computemarket.model.catalogue import (
    HISTORY_NAMES,
    Accelerator,
    Catalogue,
    HistoryRow,
    System,
    Table,
    estimated_catalogue,
    fill_estimates,
    history_value,
    load_catalogue,
    load_history,
    read_table,
)
from computemarket.model.catalogue.loader import check_references
from computemarket.model.catalogue.schema import columns_of

HEADER = "series,entity,period,value,unit,source,confidence,note\n"
GOOD = "revenue,Nvidia,2024-Q1,22.6,USD bn,releases,high,\n"


def chip_csv(**cells: str) -> str:
    columns = list(columns_of(Accelerator))
    row = {
        "id": "some_chip",
        "vendor": "Some",
        "vendor_id": "some",
        "name": "Chip",
        "family": "F",
        "kind": "gpu",
        "designer_type": "merchant",
        "status": "shipping",
        "data_center_use": "yes",
        "source": "sheet",
        "confidence": "high",
    } | cells
    return ",".join(columns) + "\n" + ",".join(row.get(column, "") for column in columns) + "\n"


def refusal(text: str, row_type: type = HistoryRow) -> str:
    with pytest.raises(InputError) as caught:
        read_table(text, row_type, "file.csv")
    return str(caught.value)


def test_every_shipped_table_is_read_whole():
    catalogue = load_catalogue()
    assert len(catalogue.accelerators) == 90
    assert len(catalogue.systems) == 37
    assert len(catalogue.llm_models) == 57
    assert len(catalogue.perf_chips_extra) == 22
    assert len(catalogue.facts) == 282
    assert sum(len(load_history(name)) for name in HISTORY_NAMES) == 1051


def test_published_tpp_follows_from_the_dense_rates():
    for chip in load_catalogue().accelerators:
        if chip.tpp is not None:
            assert chip.tpp_from_rates == pytest.approx(chip.tpp, rel=1e-3), chip.id


def test_performance_density_is_tpp_per_area():
    for chip in load_catalogue().accelerators:
        if chip.perf_density is not None:
            assert chip.tpp is not None
            assert chip.die_area_mm2 is not None
            assert chip.perf_density == pytest.approx(chip.tpp / chip.die_area_mm2, rel=5e-3), chip.id


@pytest.mark.parametrize(
    ("chip_id", "tpp"),
    [  # 88 FR 73458 and press on the October 2023 rule
        ("nvidia_a100_80gb_sxm", 4992),
        ("nvidia_h20", 2368),
        ("nvidia_b200_sxm", 36000),
        ("nvidia_rubin_vr200", 140000),
    ],
)
def test_tpp_of_well_known_chips_is_as_published(chip_id, tpp):
    assert load_catalogue().accelerators[chip_id].tpp_from_rates == pytest.approx(tpp, rel=1e-3)


def test_h100_is_one_h100_equivalent_by_both_measures():
    h100 = load_catalogue().accelerators["nvidia_h100_sxm"]
    assert h100.h100e == pytest.approx(1.0, rel=1e-3)
    assert h100.h100e_tpp == pytest.approx(1.0, rel=1e-3)


def test_a_chip_without_8_bit_formats_counts_its_16_bit_rate():
    v100 = load_catalogue().accelerators["nvidia_v100_sxm2"]
    assert v100.h100e == pytest.approx(125 / 1979)


def test_launch_months_fall_in_calendar_quarters():
    chips = load_catalogue().accelerators
    assert chips["nvidia_h100_sxm"].launch_quarter == "2022Q4"
    assert chips["google_tpu_v4"].launch_quarter == "2021Q2"
    assert chips["nvidia_l4"].launch_quarter == "2023Q1"
    assert chips["nvidia_h200_sxm"].launch_quarter == "2024Q2"
    assert chips["nvidia_groq3_lp30"].launch_quarter == "2026Q3"
    assert chips["nvidia_b30a"].launch_quarter is None


def test_no_system_launches_before_its_chips():
    catalogue = load_catalogue()
    for system in catalogue.systems:
        for chip_id in system.accelerator_ids:
            chip = catalogue.accelerators[chip_id]
            if system.launch_date and chip.launch_date:
                assert system.launch_date >= chip.launch_date, system.id


def test_memory_attention_caches_are_as_the_architecture_says():
    for model in load_catalogue().llm_models:
        if model.attention in {"mha", "gqa"} and model.n_layers and model.head_dim and model.n_kv_heads:
            assert model.kv_bytes_per_token_fp16 == 4 * model.n_layers * model.n_kv_heads * model.head_dim, (
                model.id
            )


def test_pcie_rates_agree_with_the_classification_cases():
    cases = files("computemarket.model.data") / "policy" / "export_classification_cases.csv"
    names = {
        "A100 SXM 80GB": "nvidia_a100_80gb_sxm",
        "H100 SXM": "nvidia_h100_sxm",
        "H20": "nvidia_h20",
        "L40S": "nvidia_l40s",
        "B200 SXM": "nvidia_b200_sxm",
        "MI250X": "amd_mi250x",
        "MI300X": "amd_mi300x",
        "Ascend 910B": "huawei_ascend_910b",
    }
    with cases.open(encoding="utf-8", newline="") as file:
        recorded = {row["chip"]: row["pcie_bidir_gbps"] for row in csv.DictReader(file)}
    for case, chip_id in names.items():
        assert load_catalogue().accelerators[chip_id].pcie_bw_gbs == float(recorded[case]), chip_id


def test_unknown_values_are_none_in_rows_and_nan_in_arrays():
    chips = load_catalogue().accelerators
    assert chips["nvidia_feynman"].memory_gb is None
    memory_gb = chips.array("memory_gb")
    assert memory_gb.dtype == np.float64
    assert memory_gb.shape == (len(chips),)
    assert np.isnan(memory_gb[chips.index("nvidia_feynman")])
    assert memory_gb[chips.index("nvidia_h100_sxm")] == 80


def test_an_unknown_id_is_answered_with_the_nearest():
    with pytest.raises(InputError, match="nearest: nvidia_h100_sxm"):
        load_catalogue().accelerators["nvidia_h100_smx"]


def test_history_is_found_by_series_entity_and_period():
    assert history_value("data_center_revenue", "Nvidia", "2020-Q1") == 1.141
    assert history_value("data_center_revenue", "Nvidia", "2020Q1") == 1.141


def test_history_that_was_forecast_twice_has_no_single_value():
    with pytest.raises(InputError, match="2 values"):
        history_value("cowos_capacity_year_end_forecast", "TSMC", "2025")


def test_an_unknown_history_file_is_refused():
    with pytest.raises(InputError, match="market_share"):
        load_history("shares")


def test_a_wrong_number_names_file_line_and_column():
    assert refusal(HEADER + GOOD + GOOD.replace("22.6", "many")) == (
        "file.csv: line 3: value: 'many' is not a number in -1e+40..1e+40"
    )


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "1e999", "1,5"])
def test_only_finite_numbers_are_numbers(text):
    assert "line 2: tdp_w" in refusal(chip_csv(tdp_w=f'"{text}"'), Accelerator)


def test_a_negative_power_is_refused():
    assert "line 2: tdp_w: '-700'" in refusal(chip_csv(tdp_w="-700"), Accelerator)


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("kind", "cpu"),
        ("launch_date", "2024-13"),
        ("launch_date", "soon"),
        ("data_center_use", "maybe"),
        ("id", "A 1"),
    ],
)
def test_a_cell_outside_its_category_is_refused(column, text):
    assert f"line 2: {column}: {text!r}" in refusal(chip_csv(**{column: text}), Accelerator)


def test_a_required_cell_may_not_be_blank():
    assert "line 2: unit" in refusal(HEADER + GOOD.replace("USD bn", ""))


def test_a_missing_column_is_named():
    assert "column confidence: 'missing'" in refusal(HEADER.replace(",confidence", "") + GOOD)


def test_an_unknown_column_is_answered_with_the_nearest():
    assert "nearest: note" in refusal(HEADER.replace("note", "note,notes"))


def test_a_repeated_id_names_the_first_line():
    text = chip_csv()
    assert "first on line 2" in refusal(text + text.splitlines()[1] + "\n", Accelerator)


def test_a_repeated_column_is_refused():
    assert "named once" in refusal(HEADER.replace("note", "note,note") + GOOD)


def test_a_short_row_is_refused():
    assert "line 2" in refusal(HEADER + "revenue,Nvidia\n")


def test_a_file_that_is_not_text_is_refused_in_one_line(tmp_path):
    path = tmp_path / "bad.csv"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match=r"bad\.csv"):
        read_table(path, HistoryRow)
    with pytest.raises(InputError, match=r"none\.csv"):
        read_table(tmp_path / "none.csv", HistoryRow)


def test_an_empty_file_misses_its_columns():
    assert "missing" in refusal("")


def test_a_system_of_unknown_chips_is_refused():
    catalogue = load_catalogue()
    stray = System(id="stray", vendor="Some", accelerator_id="no_chip", source="none")
    with pytest.raises(InputError, match="no_chip"):
        check_references(replace(catalogue, systems=Table("systems.csv", (stray,))))


def test_estimates_never_touch_a_recorded_value():
    recorded, filled = load_catalogue(), estimated_catalogue()
    for before, after in ((recorded.accelerators, filled.accelerators), (recorded.systems, filled.systems)):
        for old, new in zip(before, after, strict=True):
            for column in columns_of(type(old)):
                value, guess = getattr(old, column), getattr(new, column)
                if value is not None:
                    assert guess == value, (old.id, column)
                elif guess is not None:
                    assert (old.id, column) in after.estimated
                else:
                    assert (old.id, column) not in after.estimated


def test_after_filling_every_chip_has_a_rate_power_and_tpp():
    chips = estimated_catalogue().accelerators
    for column in ("fp16_tflops", "tdp_w", "tpp", "h100e"):
        assert np.isfinite(chips.array(column)).all(), column


def test_a_chip_known_by_fp4_alone_gets_half_of_it_at_8_bits():
    filled = estimated_catalogue().accelerators
    assert filled["google_tpu_8t"].fp8_tflops == 6300
    assert filled["google_tpu_8t"].h100e == pytest.approx(6300 / 1979)


def world_of(*chips: str, systems: tuple[System, ...] = ()) -> Catalogue:
    """Return a catalogue of the given chips alone."""
    lines = [text.splitlines() for text in chips]
    table = read_table("\n".join([lines[0][0], *(line[1] for line in lines)]) + "\n", Accelerator)
    return replace(load_catalogue(), accelerators=table, systems=Table("systems.csv", systems))


def filled_chip(*chips: str) -> Accelerator:
    """Return the first of the chips after filling the blanks from the others."""
    return fill_estimates(world_of(*chips)).accelerators["some_chip"]


def test_wider_formats_run_at_half_the_rate():
    chip = filled_chip(chip_csv(fp4_tflops="400"))
    assert (chip.fp8_tflops, chip.fp16_tflops, chip.tpp) == (200, 100, 1600)


def test_peers_are_chips_of_the_same_years():
    old = chip_csv(id="old", launch_date="2018-01", scaleout_gbps="100")
    peer = chip_csv(id="peer", launch_date="2023-01", scaleout_gbps="400")
    assert filled_chip(chip_csv(launch_date="2024-01"), old, peer).scaleout_gbps == 400
    assert filled_chip(chip_csv(launch_date="2024-01"), old).scaleout_gbps is None


def test_chinese_and_other_designs_are_no_peers():
    peer = chip_csv(id="peer", launch_date="2024-01", scaleout_gbps="400", designer_type="china_domestic")
    assert filled_chip(chip_csv(launch_date="2024-01"), peer).scaleout_gbps is None


def test_power_follows_from_the_efficiency_of_peers():
    peer = chip_csv(id="peer", launch_date="2024-01", tpp="1000", tdp_w="500")
    chip = filled_chip(chip_csv(launch_date="2024-01", tpp="4000"), peer)
    assert chip.tdp_w == pytest.approx(2000)


def test_memory_follows_from_peers():
    peer = chip_csv(
        id="peer", launch_date="2024-01", memory_type="HBM3", memory_gb="80", memory_bw_gbs="3200"
    )
    other = chip_csv(launch_date="2024-01", memory_type="HBM3", memory_gb="40")
    unknown = chip_csv(launch_date="2024-01", memory_type="HBM3")
    assert filled_chip(other, peer).memory_bw_gbs == pytest.approx(1600)
    assert filled_chip(unknown, peer).memory_gb == 80
    assert (
        filled_chip(chip_csv(launch_date="2024-01", memory_type="none (on-chip SRAM)"), peer).memory_gb
        is None
    )


def test_price_per_tpp_continues_its_trend():
    first = chip_csv(id="first", launch_date="2020-01", tpp="1000", list_or_asp_usd="8000")
    second = chip_csv(id="second", launch_date="2022-01", tpp="1000", list_or_asp_usd="4000")
    chip = filled_chip(chip_csv(launch_date="2024-01", tpp="3000"), first, second)
    assert chip.list_or_asp_usd == pytest.approx(3 * 2000)


def test_pcie_is_that_of_the_launch_year():
    assert filled_chip(chip_csv(launch_date="2022-01")).pcie_bw_gbs == 128
    assert filled_chip(chip_csv(launch_date="2021-12")).pcie_bw_gbs == 64
    assert filled_chip(chip_csv()).pcie_bw_gbs is None


def test_a_system_draws_its_chips_times_the_usual_overhead():
    known = System(
        id="known",
        vendor="Some",
        accelerator_id="some_chip",
        n_accelerators=8,
        system_power_kw=12.0,
        source="s",
    )
    rack = System(id="rack", vendor="Some", accelerator_id="some_chip", n_accelerators=72, source="s")
    filled = fill_estimates(world_of(chip_csv(tdp_w="1000"), systems=(known, rack))).systems
    assert filled["rack"].system_power_kw == pytest.approx(72 * 1.5)
    assert filled.estimated == {("rack", "system_power_kw"): "system_power_from_chips"}


def test_every_measured_point_names_known_chips_and_models():
    catalogue = load_catalogue()
    chips = {*catalogue.accelerators.ids, *catalogue.perf_chips_extra.ids}
    with (files("computemarket.model.data") / "perf_points.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            assert row["accelerator"] in chips, row["id"]
            assert row["model"] in catalogue.llm_models, row["id"]


def test_a_card_without_a_scale_up_link_has_its_pcie_rate():
    filled = estimated_catalogue().accelerators
    assert filled["nvidia_l40s"].scaleup_bw_gbs == 64
    assert filled.estimated["nvidia_l40s", "scaleup_bw_gbs"] == "scale_up_as_peers"


def test_a_captive_chip_gets_no_market_price_but_may_have_a_stated_estimate():
    filled = estimated_catalogue().accelerators
    assert filled["meta_mtia_300"].list_or_asp_usd is None
    assert filled.estimated["google_tpu_v5p", "list_or_asp_usd"] == "stated_estimates"
    assert filled["cambricon_mlu590"].list_or_asp_usd is not None
