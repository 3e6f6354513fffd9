"""The commands frontier and cost: what they print, draw and refuse."""

import json
import sys

import numpy as np
import pytest

from computemarket.analysis.hardware.frontier_figure import draw_frontier
from computemarket.analysis.hardware.frontier_multiples import draw_pairs, pair_table
from computemarket.analysis.hardware.hardware_tables import (
    cost_table,
    frontier_table,
    on_sale,
    tier_rates,
    token_prices,
)
from computemarket.analysis.hardware.serving_choice import serving_choices
from computemarket.cli import main
from computemarket.errors import InputError
from computemarket.model.hardware.economics.market_table import load_basket, load_tiers
from computemarket.model.hardware.performance.frontier import Service

SERVICE = Service(1024.0, 1024.0, accepted=2.0)
SPEEDS = np.geomspace(5.0, 2000.0, 30)
FIVE = ("nvidia_h200_sxm", "nvidia_gb200", "amd_mi355x", "google_tpu_v7_ironwood", "nvidia_groq3_lp30")


@pytest.fixture
def run(monkeypatch, capsys):
    """Call the program with arguments: exit code, what it printed, what it complained."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["computemarket", *arguments])
        with pytest.raises(SystemExit) as left:
            main()
        printed = capsys.readouterr()
        return left.value.code, printed.out, printed.err

    return call


def test_throughput_never_rises_with_speed():
    table = frontier_table(FIVE, "deepseek_r1", SERVICE, SPEEDS)
    for _, points in table.groupby("accelerator"):
        assert (np.diff(points["value"]) <= 1e-9 * points["value"].iloc[0]).all()


def test_per_megawatt_and_per_dollar_change_the_unit_alone():
    plain, power, money = (
        frontier_table(FIVE, "deepseek_r1", SERVICE, SPEEDS, per=per)
        for per in ("accelerator", "mw", "dollar")
    )
    for other in (power, money):
        ratio = (other["value"] / plain["value"]).groupby(plain["accelerator"])
        assert ratio.max().to_numpy() == pytest.approx(ratio.min().to_numpy())
    gb200 = plain["accelerator"] == "nvidia_gb200"
    assert (power["value"] / plain["value"])[gb200].iloc[0] == pytest.approx(1000 / 2.10)


def test_parts_of_the_cost_add_up():
    table = cost_table("medium", "2026Q4")
    reached = table[table["usd_per_mtok"].notna()]
    total = reached["capital"] + reached["power"] + reached["other"]
    assert total.to_numpy() == pytest.approx(reached["usd_per_mtok"].to_numpy())
    assert (reached["plain_usd_per_mtok"] < reached["usd_per_mtok"]).all()  # interest costs something
    assert reached["usd_per_mtok"].is_monotonic_increasing


def test_what_is_not_yet_on_sale_is_not_listed():
    early = set(cost_table("free", "2024Q1")["accelerator"])
    assert "nvidia_h100_sxm" in early
    assert "nvidia_rubin_vr200" not in early


def test_slow_tiers_are_served_by_all_that_serve_fast_ones():
    rates = tier_rates(FIVE, load_tiers()).rate
    assert (rates[:, 2] >= rates[:, 3]).all()  # high and premium share a model
    assert (rates[:, 0] > 0).all()


def test_the_ultra_tier_needs_weights_on_the_chip():
    """The keynote's ladder serves its fastest tier on GPUs joined to LPUs (market_facts: token_tier_ultra_hardware)."""
    table = cost_table("ultra", "2026Q4").set_index("accelerator")
    asked = next(tier.speed_tokens_per_s for tier in load_tiers() if tier.name == "ultra")
    served = table.index[table["usd_per_mtok"].notna()]
    assert len(served) > 0
    assert not any(name in served for name in ("nvidia_gb300", "nvidia_rubin_vr200", "amd_mi355x"))
    # The layer time of such machines is known to a factor of 1.4: a speed within a tenth of the promise is a draw.
    assert table.loc["nvidia_groq3_lp30", "top_speed"] > 0.9 * asked
    assert table.loc["nvidia_rubin_vr200", "top_speed"] < 0.9 * asked


def test_software_makes_the_same_chip_cheaper_a_year_later():
    first, later = (
        float(cost_table("high", quarter, ("nvidia_gb300",))["usd_per_mtok"].iloc[0])
        for quarter in ("2025Q4", "2026Q4")
    )
    assert later < first


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_the_figure_is_drawn(tmp_path, suffix):
    path = draw_frontier(
        frontier_table(FIVE, "kimi_k2_5", SERVICE, SPEEDS, per="mw"), tmp_path / f"frontier.{suffix}"
    )
    assert path.stat().st_size > 10_000


def test_frontier_prints_json_with_every_point(run):
    code, out, _ = run(
        "frontier", "--model", "deepseek_r1", "--accelerators", "nvidia_gb200", "--precision", "fp4", "--json"
    )
    assert code == 0
    assert {point["precision"] for point in json.loads(out)} == {"fp4"}


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (("frontier", "--model", "deepseek_r1", "--accelerators", "nvidia_gb20"), "nvidia_gb20"),
        (
            ("cost", "--tier", "premium", "--quarter", "2026Q4", "--accelerators", "zz"),
            "--accelerators: 'zz'",
        ),
        (
            ("cost", "--tier", "all", "--quarter", "2026Q4", "--accelerators", "nvidia_gb20"),
            "the nearest is nvidia_gb200",
        ),
        (("frontier", "--model", "deepseek_r1", "--accelerators", "zz"), "--accelerators: 'zz'"),
        (("frontier", "--model", "deepseek", "--accelerators", "nvidia_gb200"), "deepseek"),
        (("frontier", "--model", "deepseek_r1", "--accelerators", ""), "accelerators"),
        (
            ("frontier", "--model", "deepseek_r1", "--accelerators", "nvidia_gb200", "--precision", "fp5"),
            "fp5",
        ),
        (("frontier", "--model", "deepseek_r1", "--accelerators", "nvidia_gb200", "--per", "rack"), "rack"),
        (("frontier", "--model", "deepseek_r1", "--accelerators", "nvidia_gb200", "--out", "a.txt"), "a.txt"),
        (("cost", "--tier", "gold", "--quarter", "2026Q4"), "gold"),
        (("cost", "--tier", "premium", "--quarter", "2026Q5"), "2026Q5"),
        (("cost", "--tier", "premium", "--quarter", "2022Q1", "--accelerators", "nvidia_gb200"), "2022Q1"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_two(run, arguments, found):
    code, out, complaint = run(*arguments)
    assert code == 2
    assert out == ""
    assert found in complaint
    assert complaint.count("\n") == 1


def test_the_tables_are_readable(run):
    code, out, _ = run("frontier", "--model", "deepseek_r1", "--accelerators", "nvidia_h100_sxm,nvidia_l4")
    assert code == 0
    assert "nvidia_h100_sxm" in out
    code, out, _ = run("cost", "--tier", "premium", "--quarter", "2026Q4")
    assert code == 0
    assert "nvidia_groq3_lp30" in out
    assert "Too slow for premium" in out


def test_an_accelerator_named_twice_is_refused():
    with pytest.raises(InputError, match="without repetition"):
        frontier_table(("nvidia_gb200", "nvidia_gb200"), "deepseek_r1", SERVICE, SPEEDS)


def test_phases_on_their_cheapest_accelerators_never_cost_more():
    table = serving_choices("2026Q4")
    assert (table["mixed_usd_per_mtok"] <= table["usd_per_mtok"] + 1e-12).all()
    assert (table["realised_usd_per_mtok"] >= table["mixed_usd_per_mtok"] - 1e-12).all()
    # Faster tiers with longer context cost more. LPUs joined to GPUs are left aside: they count for what they add,
    # which is most where the GPUs alone are too slow.
    alone = [name for name in on_sale("2026Q4") if name not in load_basket().paired]
    assert serving_choices("2026Q4", alone)["usd_per_mtok"].is_monotonic_increasing


def test_before_the_first_router_a_mixture_gains_nothing():
    table = serving_choices("2025Q4")
    assert table["realised_usd_per_mtok"].to_numpy() == pytest.approx(
        table["usd_per_mtok"].to_numpy(), nan_ok=True
    )


def test_the_best_choice_is_the_first_row_of_the_tiers_own_table():
    best = serving_choices("2026Q4").set_index("tier")
    for tier in ("medium", "premium"):
        first = cost_table(tier, "2026Q4").iloc[0]
        assert best.loc[tier, "accelerator"] == first["accelerator"]
        assert best.loc[tier, "usd_per_mtok"] == pytest.approx(first["usd_per_mtok"])


def test_a_tier_that_nothing_reaches_says_so(run):
    code, out, _ = run(
        "cost", "--tier", "all", "--quarter", "2026Q4", "--accelerators", "nvidia_l4,nvidia_h100_sxm"
    )
    assert code == 0
    assert "none fast enough" in out


@pytest.mark.parametrize(
    "arguments",
    [
        (
            "frontier",
            "--model",
            "deepseek_r1",
            "--accelerators",
            "nvidia_h100_sxm",
            "--input-tokens",
            "10000000",
        ),
        (
            "frontier",
            "--model",
            "deepseek_r1",
            "--accelerators",
            "nvidia_h100_sxm",
            "--input-tokens",
            "163000",
        ),
        ("cost", "--tier", "free", "--quarter", "2026Q4", "--input-tokens", "41000"),
    ],
)
def test_requests_beyond_the_models_context_are_refused_in_one_line(run, arguments):
    code, out, complaint = run(*arguments)
    assert (code, out) == (2, "")
    assert "within the context of" in complaint
    assert complaint.count("\n") == 1


def test_models_by_their_hugging_face_names_have_the_same_frontier(run):
    ask = ("--accelerators", "nvidia_h200_sxm", "--precision", "FP8", "--json")
    code, ours, _ = run("frontier", "--model", "deepseek_r1", *ask)
    again, theirs, _ = run("frontier", "--model", "deepseek-ai/DeepSeek-R1", *ask)
    assert (code, again) == (0, 0)
    assert [row["value"] for row in json.loads(ours)] == [row["value"] for row in json.loads(theirs)]


def test_fresh_input_cached_input_and_output_are_priced_apart():
    """What is found in the cache costs least, an output token most: the order of every price list."""
    table = cost_table("medium", "2026Q4").dropna(subset=["usd_per_mtok"])
    gpus = table[table["vendor"].isin(["nvidia", "amd", "google"])]
    assert len(gpus) > 5
    assert (gpus["usd_per_mtok_cached"] < gpus["usd_per_mtok_input"]).all()
    assert (gpus["usd_per_mtok_input"] < gpus["usd_per_mtok_output"]).all()


def test_the_prices_of_the_kinds_of_tokens_add_up_to_that_of_a_cold_request():
    """By hand: S_i inputs and S_o outputs apart cost what S_o outputs do with their prompts counted."""
    tier = next(one for one in load_tiers() if one.name == "medium")
    ids = ("nvidia_h200_sxm", "amd_mi355x")
    prices = token_prices(ids, tier, np.array([2.0, 1.5]), np.ones(2))
    cold = tier_rates(ids, (tier,), cached_share=0.0).rate[:, 0]
    whole = np.array([2.0, 1.5]) / 3600 / cold * tier.output_tokens
    parts = (
        prices["usd_per_mtok_input"] * tier.input_tokens + prices["usd_per_mtok_output"] * tier.output_tokens
    )
    assert parts / 1e6 == pytest.approx(whole)


PAIRS = ("nvidia_h200_sxm", "amd_mi355x")


def test_every_pair_shows_formats_contexts_and_layouts_that_nothing_beats(tmp_path):
    table = pair_table(PAIRS, ["llama3_1_70b", "deepseek_r1"], SERVICE)
    assert set(table["accelerator"]) == set(PAIRS)
    assert set(table.loc[table["accelerator"] == "nvidia_h200_sxm", "precision"]) == {"fp16", "fp8"}
    assert set(table["input_tokens"]) == {1024.0, 8192.0, 65536.0}  # half a million is beyond both models
    for _, points in table.groupby(["accelerator", "model", "precision", "input_tokens"]):
        ordered = points.sort_values("tokens_per_s_per_user")
        assert (np.diff(ordered["tokens_per_s"]) < 0).all()
    drawn = draw_pairs(table, tmp_path / "pairs.png")
    assert drawn.stat().st_size > 10_000


def test_more_pairs_than_a_figure_can_hold_are_refused():
    with pytest.raises(InputError, match="at most 48 pairs"):
        pair_table(PAIRS, [f"llama{i}" for i in range(30)], SERVICE)


def test_all_pairs_are_printed_and_drawn(run, tmp_path):
    out = tmp_path / "pairs.svg"
    ask = ("--accelerators", "nvidia_h100_sxm", "--model", "llama3_1_70b,gpt_oss_120b")
    code, printed, _ = run("frontier", "--all", *ask, "--out", str(out))
    assert code == 0
    assert "gpt_oss_120b" in printed
    assert out.exists()
