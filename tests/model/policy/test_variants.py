"""Variants that the rules of the day let through."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from computemarket.model.policy.regimes.compose import compose
from computemarket.model.policy.regimes.metrics import chip_metrics
from computemarket.model.policy.regimes.regime import LICENCE_CASE_BY_CASE, NAC, NONE
from computemarket.model.policy.regimes.regime_files import shipped_regimes
from computemarket.model.policy.trade.variants import (
    Parent,
    WorkMix,
    design_variant,
    relative_rate,
    worth_selling,
)

BOOK = shipped_regimes()
MIX = WorkMix(0.4, 0.5, 0.1)
R2022, R2023, R2025, R2026 = date(2023, 1, 1), date(2024, 1, 1), date(2025, 6, 1), date(2026, 6, 1)


def parent(*numbers: float) -> Parent:
    return Parent(*(np.array([float(x)]) for x in numbers))


A100 = parent(4992, 6.044, 2039, 600, 64, 1)
H100 = parent(15832, 19.45, 3350, 900, 128, 1)
B200 = parent(36000, 22.1, 8000, 1800, 128, 1)


def design(chip: Parent, day: date, accepted=(NONE,), mix: WorkMix = MIX, **levers: object):
    return design_variant(
        BOOK.on(day), day, "china", chip, mix, accepted, design_margin=0.013, link_step_gbps=50,
        levers={name: np.asarray(value, dtype=float) for name, value in levers.items()},
    )  # fmt: skip


@pytest.mark.parametrize(("chip", "sold_io"), [(A100, 464), (H100, 528)])
def test_the_rule_of_2022_costs_links_alone_as_in_the_a800_and_h800(chip, sold_io):
    variant = design(chip, R2022)
    assert variant.passes[0]
    assert variant.tpp[0] == chip.tpp[0]
    assert variant.dram_bw_gbps[0] == chip.dram_bw_gbps[0]
    assert variant.io_bidir_gbps[0] < 600
    assert variant.io_bidir_gbps[0] == pytest.approx(sold_io, rel=0.25)


def test_the_rule_of_2023_costs_compute_alone_as_in_the_h20():
    variant = design(H100, R2023)
    assert variant.tpp[0] == pytest.approx(2368, rel=0.01)
    assert variant.pd[0] == pytest.approx(2.909, rel=0.01)
    assert variant.link_gbps[0] == 900
    assert variant.dram_bw_gbps[0] == 3350


def test_the_letters_cost_the_h20_its_bandwidth():
    variant = design(parent(2368, 2.909, 4000, 900, 128, 1), R2025)
    assert variant.tpp[0] == 2368
    assert variant.dram_bw_gbps[0] < 1400
    assert variant.dram_bw_gbps[0] + variant.io_bidir_gbps[0] < 1700


def test_the_box_of_2026_lets_half_a_b200_through():
    variant = design(B200, R2026, (NONE, NAC, LICENCE_CASE_BY_CASE))
    assert 20000 < variant.tpp[0] < 21000
    assert variant.dram_bw_gbps[0] < 6500


def test_a_chip_that_passes_is_left_as_it_is():
    variant = design(parent(1000, 1.9, 320, 0, 32, 1), R2023)
    assert (variant.tpp[0], variant.value[0]) == (1000, 1.0)


def test_a_rule_of_ones_own_gets_its_own_variant_in_every_run():
    variant = design(H100, R2023, tpp_threshold_a=[4800.0, 1500.0], tpp_floor_b1=[2400.0, 900.0],
                     tpp_floor_density=[1600.0, 1200.0])  # fmt: skip
    assert variant.tpp[1] < 1500 < variant.tpp[0]


def test_a_buyer_who_decodes_keeps_memory_and_one_who_trains_keeps_links():
    h20 = parent(2368, 2.909, 4000, 900, 128, 1)
    decoding = design(h20, R2025, mix=WorkMix(0.1, 0.85, 0.05))
    training = design(h20, R2025, mix=WorkMix(0.1, 0.2, 0.7))
    assert decoding.dram_bw_gbps[0] > training.dram_bw_gbps[0]
    assert decoding.link_gbps[0] < training.link_gbps[0]


@pytest.mark.parametrize("mix", [WorkMix(0.2, 0.7, 0.1), WorkMix(0.1, 0.3, 0.6), WorkMix(0.4, 0.3, 0.3)])
def test_no_split_of_the_bandwidth_budget_beats_the_variant(mix):
    chip = parent(1500, 1.5, 3000, 1500, 100, 1)
    day = R2025
    variant = design_variant(BOOK.on(day), day, "china", chip, mix, design_margin=1e-9)
    dram, link = (
        axis.ravel() for axis in np.meshgrid(np.linspace(10, 3000, 300), np.linspace(10, 1500, 300))
    )
    free = (dram < 1400) & (link + 100 < 1100) & (dram + link + 100 < 1700)
    best = relative_rate(mix, np.ones(free.sum()), dram[free] / 3000, link[free] / 1500).max()
    assert variant.value[0] >= best * (1 - 1e-6)


def test_the_rate_of_work_is_amdahls():
    assert relative_rate(WorkMix(0.5, 0.5, 0.0), np.array([0.5]), np.array([1.0]), np.array([1.0]))[
        0
    ] == pytest.approx(2 / 3)


SPEC = st.tuples(
    *(st.floats(100, 60000), st.floats(0.5, 60), st.floats(100, 20000), st.floats(0, 4000)),
    *(st.just(128.0), st.sampled_from([0.0, 1.0])),
)


@given(SPEC, st.sampled_from([R2022, R2023, R2025, R2026]))
def test_what_is_said_to_pass_passes_and_is_no_better_than_its_parent(spec, day):
    chip = parent(*spec)
    variant = design(chip, day)
    assert 0 <= variant.value[0] <= 1 + 1e-12
    assert variant.tpp[0] <= chip.tpp[0]
    metrics = chip_metrics(
        variant.tpp, variant.pd, variant.dram_bw_gbps, variant.io_bidir_gbps, chip.datacenter
    )
    status = compose(BOOK.on(day), day, metrics, "china").status[0]
    assert (status == NONE) == variant.passes[0]


def test_a_variant_is_sold_only_where_it_pays():
    variant = design(H100, R2023)
    one = np.ones(1)
    pays = worth_selling(variant, 30000 * one, 5200 * one, 1e5 * one, 3e7)
    assert pays[0]
    assert not worth_selling(variant, 30000 * one, 5200 * one, 100 * one, 3e7)[0]
    assert not worth_selling(variant, 30000 * one, 5200 * one, 1e5 * one, 3e7, forgone_margin_usd=24000.0)[0]
    assert not worth_selling(variant, 30000 * one, 5200 * one, 1e5 * one, 3e7, charge=0.6)[0]
