"""What the market reads: rates by tier, power and price by product."""

import numpy as np
import pytest

from computemarket.errors import InputError
from computemarket.model.catalogue import load_catalogue
from computemarket.model.hardware.economics.market_table import (
    TIERS,
    Fallback,
    added_by_lpu,
    build_market_table,
    fit_fallback,
    load_basket,
    load_tiers,
    smooth_rate,
)
from computemarket.model.hardware.economics.site import published_anchors, site_figures
from computemarket.model.hardware.specs.chips import chip_table
from computemarket.model.hardware.specs.defaults import parameter_default
from computemarket.model.hardware.specs.models import model_table
from computemarket.model.world.rates import load_rates
from computemarket.model.world.world import load_world

LINE = ("nvidia_a100_80gb_sxm", "nvidia_h100_sxm", "nvidia_gb200", "nvidia_rubin_vr200", "nvidia_groq3_lp30")


def test_the_fallback_form_meets_itself():
    speed = np.geomspace(1.0, 4096.0, 400)
    form = fit_fallback(
        Fallback(np.array(1000.0), np.array(99.0), np.array(4.0)).rate(speed)[None], speed, 2.0, 6.0
    )
    assert form.most[0] == pytest.approx(1000.0, rel=1e-3)
    assert form.middle[0] == pytest.approx(99.0, rel=0.03)
    assert form.exponent[0] == pytest.approx(4.0, rel=0.05)


def test_beyond_reach_the_rate_falls_without_a_jump():
    form = Fallback(np.array([1000.0]), np.array([100.0]), np.array([4.0]))
    speed = np.array([50.0, 200.0, 400.0])
    rate = smooth_rate(np.array([[900.0, 60.0, 0.0]]), np.array([200.0]), np.array([60.0]), form, speed)
    assert rate[0, :2].tolist() == [900.0, 60.0]
    assert rate[0, 2] == pytest.approx(60.0 * form.rate(np.array(400.0))[0] / form.rate(np.array(200.0))[0])


def test_every_product_has_a_positive_rate_that_falls_with_the_tier():
    table = build_market_table(LINE)
    assert table.tokens_per_s.shape == (len(LINE), len(TIERS))
    assert (table.tokens_per_s > 0).all()
    assert (np.diff(table.tokens_per_s, axis=1) <= 1e-9).all()


def test_each_generation_of_gpus_serves_more_at_every_tier():
    rate = build_market_table(LINE).tokens_per_s[:4]
    assert (np.diff(rate, axis=0) > 0).all()


def test_lpus_win_at_the_fastest_tier_and_not_at_the_slowest():
    """The keynote's ladder needs LPUs from the premium tier on (market_facts: token_tier_premium_hardware)."""
    table, power = build_market_table(LINE), site_figures(LINE).power_kw
    per_kw = table.tokens_per_s / power[:, None]
    gpu, lpu = per_kw[LINE.index("nvidia_rubin_vr200")], per_kw[LINE.index("nvidia_groq3_lp30")]
    assert lpu[-1] > gpu[-1]
    assert lpu[0] < gpu[0]


def test_a_product_has_the_same_rate_in_any_company():
    alone = build_market_table(("nvidia_h100_sxm",))
    assert (alone.tokens_per_s[0] == build_market_table(LINE).tokens_per_s[1]).all()


def test_an_unknown_product_is_refused():
    with pytest.raises(InputError, match="h1000"):
        build_market_table(("nvidia_h1000",))


def test_tiers_follow_the_published_ladder():
    facts = {fact.id: fact.value for fact in load_catalogue().facts}
    for tier in load_tiers():
        assert tier.list_price_usd_per_mtok == float(facts[f"token_tier_{tier.name}_price"])
        assert tier.context_tokens == float(facts[f"token_tier_{tier.name}_context"])
        assert tier.input_tokens + tier.output_tokens <= tier.context_tokens
    speeds = [tier.speed_tokens_per_s for tier in load_tiers()]
    assert speeds == sorted(speeds)


def test_the_basket_holds_a_dense_model_and_mixtures():
    assert len(load_basket().models) == 3


def test_published_power_is_taken_as_it_is():
    anchors = published_anchors()
    site = site_figures(tuple(anchors))
    assert site.power_kw.tolist() == [anchor.power_kw for anchor in anchors.values()]


def test_every_recorded_accelerator_has_power_and_most_have_a_price():
    site = site_figures(load_catalogue().accelerators.ids)
    assert np.isfinite(site.power_kw).all()
    assert (site.power_kw >= site.it_power_kw).all()
    assert np.isfinite(site.system_price_usd).mean() > 0.7
    known = np.isfinite(site.system_price_usd)
    assert (site.system_price_usd[known] >= site.price_usd[known]).all()


def test_the_market_reads_positive_rates_for_all_its_products():
    rates = load_rates()
    for values in (rates.h100e, rates.power_kw, rates.tokens_per_s, rates.bandwidth):
        assert (values > 0).all()


def test_a_chip_cut_in_compute_alone_keeps_more_of_its_tokens_than_of_its_peak():
    """The H20 of the export rules has 15% of the arithmetic of an H100 and more memory bandwidth."""
    tokens = build_market_table(("nvidia_h20", "nvidia_h100_sxm")).tokens_per_s[:, TIERS.index("medium")]
    assert tokens[0] > 1.5 * 0.15 * tokens[1]


def test_a_product_that_nobody_has_specified_follows_the_one_it_replaces():
    rates, products = load_rates(), load_world().products
    place = products.ids.index("nvidia_next")
    parent = int(products.replaces[place])
    gain = rates.h100e[place] / rates.h100e[parent]
    np.testing.assert_allclose(rates.tokens_per_s[place], rates.tokens_per_s[parent] * gain)


def test_the_table_is_computed_once_and_cannot_be_changed():
    table = build_market_table(("nvidia_h100_sxm",))
    assert table is build_market_table(("nvidia_h100_sxm",))
    with pytest.raises(ValueError, match="read-only"):
        table.tokens_per_s[0, 0] = 1.0


def test_an_lpu_that_adds_much_at_high_speed_adds_little_at_low_speed():
    place, model = chip_table().index("nvidia_groq3_lp30"), model_table().index("deepseek_v3")
    slow, fast = added_by_lpu(place, model, load_basket(), np.array([20.0, 280.0]))
    assert slow < 0.2 * fast


def test_lpus_of_a_system_wait_for_the_joint_software():
    rates, products = load_rates(), load_world().products
    joint, alone = (products.ids.index(name) for name in ("nvidia_groq3_lp30", "nvidia_rubin_vr200"))
    launch = products.launch[[joint, alone]]
    assert launch[0] == launch[1]
    ratio = rates.maturity[joint, launch[0] :] / rates.maturity[alone, launch[0] :]
    assert ratio[0] == pytest.approx(parameter_default("integration_start"))
    assert ratio[-1] == pytest.approx(1.0)
    assert (np.diff(ratio) >= -1e-12).all()
