"""The table that the market reads, and the rates of the world's products."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from computemarket.errors import InputError
from computemarket.model.calendar import QUARTERS
from computemarket.model.hardware.chips import chip_table
from computemarket.model.hardware.market_table import (
    Fallback,
    added_by_lpu,
    build_market_table,
    fit_fallback,
    load_basket,
    load_tiers,
    smooth_rate,
)
from computemarket.model.hardware.models import model_table
from computemarket.model.hardware.parameters import parameter_default
from computemarket.model.hardware.site import published_anchors, site_figures
from computemarket.model.rates import load_rates
from computemarket.model.world import load_world

IDS = load_world().products.ids
FREE, MEDIUM, HIGH, PREMIUM, ULTRA = range(5)
GRID = np.geomspace(1.0, 4096.0, 97)


def _tokens(name: str) -> np.ndarray:
    return load_rates().tokens_per_s[IDS.index(name)]


def _per_h100e(name: str) -> np.ndarray:
    return _tokens(name) / load_rates().h100e[IDS.index(name)]


def test_every_product_of_every_year_has_a_positive_rate_in_every_tier() -> None:
    rates = load_rates()
    assert rates.tokens_per_s.shape == (len(IDS), 5)
    for values in (rates.tokens_per_s, rates.power_kw, rates.h100e, rates.h100e_tpp, rates.bandwidth):
        assert np.isfinite(values).all()
        assert (values > 0).all()


def test_no_product_yields_more_at_a_faster_tier() -> None:
    assert (np.diff(load_rates().tokens_per_s, axis=1) <= 1e-9).all()


def test_generations_of_one_maker_improve_in_every_tier_up_to_premium() -> None:
    line = ["nvidia_a100_80gb_sxm", "nvidia_h100_sxm", "nvidia_h200_sxm", "nvidia_gb200", "nvidia_gb300",
            "nvidia_rubin_vr200", "nvidia_rubin_ultra"]  # fmt: skip
    tokens = np.array([_tokens(name)[: PREMIUM + 1] for name in line])
    assert (np.diff(tokens, axis=0) > 0).all()


def test_a_chip_cut_in_compute_and_not_in_bandwidth_keeps_more_of_its_tokens_than_of_its_peak() -> None:
    """The H20 of the export rules: 15% of the arithmetic of an H100, more memory bandwidth."""
    assert _per_h100e("nvidia_h20")[MEDIUM] > 1.5 * _per_h100e("nvidia_h100_sxm")[MEDIUM]


def test_machines_with_weights_on_the_chip_lead_where_speed_is_sold() -> None:
    fast = _per_h100e("cerebras_wse3") / _per_h100e("nvidia_h200_sxm")
    assert fast[ULTRA] > 10 * fast[MEDIUM]
    assert _per_h100e("nvidia_groq3_lp30")[ULTRA] > 10 * _per_h100e("nvidia_rubin_vr200")[ULTRA]


def test_lpus_add_nothing_to_slow_service_and_much_to_fast_service_of_long_contexts() -> None:
    basket, chips, models = load_basket(), chip_table(), model_table()
    speed = np.array([20.0, 280.0])
    added = added_by_lpu(chips.index("nvidia_groq3_lp30"), models.index("deepseek_v3"), basket, speed)
    assert added[0] < added[1]
    assert added[1] > 0


def test_power_is_the_published_all_in_constant_where_there_is_one() -> None:
    power = load_rates().power_kw
    for name, anchor in published_anchors().items():
        if name in IDS:
            assert power[IDS.index(name)] == anchor.power_kw


def test_power_without_a_published_constant_follows_the_server_or_the_rack() -> None:
    """Eight-way servers: 0.85 kW + 1.3 TDP meets the published constants of their kind within a tenth."""
    for name, tdp in (("nvidia_h100_sxm", 0.7), ("nvidia_b200_sxm", 1.0), ("amd_mi355x", 1.4)):
        assert 0.85 + 1.3 * tdp == pytest.approx(published_anchors()[name].power_kw, rel=0.1)
    assert site_figures(["nvidia_h800_sxm"]).power_kw[0] == pytest.approx(0.85 + 1.3 * 0.7)


def test_a_product_that_nobody_has_specified_follows_the_one_it_replaces() -> None:
    rates, products = load_rates(), load_world().products
    place = IDS.index("nvidia_next")
    parent = int(products.replaces[place])
    gain = rates.h100e[place] / rates.h100e[parent]
    np.testing.assert_allclose(rates.tokens_per_s[place], rates.tokens_per_s[parent] * gain)


def test_software_matures_from_launch_on() -> None:
    maturity, place = load_rates().maturity, IDS.index("nvidia_gb200")
    launch = int(load_world().products.launch[place])
    assert maturity.shape == (len(IDS), len(QUARTERS))
    assert (maturity[place, :launch] == 0).all()
    assert (np.diff(maturity[place, launch:]) > 0).all()
    assert maturity[place, launch + int(parameter_default("software_reference_age"))] == pytest.approx(1.0)


def test_the_table_is_computed_once_and_cannot_be_changed() -> None:
    table = build_market_table(("nvidia_h100_sxm",))
    assert table is build_market_table(("nvidia_h100_sxm",))
    with pytest.raises(ValueError, match="read-only"):
        table.tokens_per_s[0, 0] = 1.0


def test_a_product_has_the_same_rates_in_any_company() -> None:
    alone = build_market_table(("amd_mi300x",)).tokens_per_s[0]
    np.testing.assert_array_equal(alone, build_market_table(("nvidia_l4", "amd_mi300x")).tokens_per_s[1])


def test_an_unknown_product_is_one_line() -> None:
    with pytest.raises(InputError, match="nvidia_x1"):
        build_market_table(("nvidia_x1",))


def test_tiers_get_faster() -> None:
    speeds = [tier.speed_tokens_per_s for tier in load_tiers()]
    assert speeds == sorted(speeds)
    assert load_rates().tier_speed.tolist() == speeds


@given(st.floats(1.0, 1e5), st.floats(20.0, 400.0), st.floats(2.0, 6.0))
def test_the_fallback_form_finds_its_own_parameters(most: float, middle: float, exponent: float) -> None:
    truth = Fallback(np.array(most), np.array(middle), np.array(exponent))
    found = fit_fallback(truth.rate(GRID)[None], GRID, 1.0, 12.0)
    assert found.most[0] == pytest.approx(most, rel=0.01)
    assert found.middle[0] == pytest.approx(middle, rel=0.1)
    assert found.exponent[0] == pytest.approx(exponent, rel=0.2)


def test_beyond_the_top_speed_the_rate_falls_without_a_jump() -> None:
    form = Fallback(np.array([100.0]), np.array([50.0]), np.array([3.0]))
    speed = np.array([80.0, 99.999, 100.001, 200.0, 400.0])
    rate = smooth_rate(
        np.array([[9.0, 4.0, 0.0, 0.0, 0.0]]), np.array([100.0]), np.array([4.0]), form, speed
    )[0]
    assert rate[:2].tolist() == [9.0, 4.0]
    assert rate[2] == pytest.approx(4.0, rel=1e-3)
    assert rate[2] > rate[3] > rate[4] > 0
