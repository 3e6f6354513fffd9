"""The given world: axes that fit together, shares that are shares, and everybody whom a strategist asks about."""

import numpy as np
import pytest

from computemarket.errors import InputError
from computemarket.model.core.calendar import QUARTERS
from computemarket.model.world import world as world_module
from computemarket.model.world.rates import load_rates
from computemarket.model.world.structure import build_structure, load_labs
from computemarket.model.world.world import TOKEN_MARKETS, load_world

WORLD = load_world()
COUNTRIES = ("us", "eu_uk", "jp_kr_tw", "india", "gulf", "my_sg", "china", "tier1", "tier2", "tier3")
VENDORS = (
    "nvidia",
    "amd",
    "intel",
    "groq",
    "cerebras",
    "sambanova",
    "huawei",
    "cambricon",
    "broadcom",
    "marvell",
)
OPERATORS = (
    "google",
    "amazon",
    "microsoft",
    "meta",
    "oracle",
    "xai",
    "coreweave",
    "nebius",
    "lambda",
    "openai",
)
CHINESE = ("alibaba", "tencent", "bytedance", "baidu")


def test_everybody_whom_the_market_is_about_is_there():
    assert set(COUNTRIES) == set(WORLD.countries.ids)
    assert set(VENDORS) <= set(WORLD.vendors.ids)
    assert {*OPERATORS, *CHINESE} <= set(WORLD.operators.ids)
    assert {"openai", "anthropic", "moonshot", "deepseek"} <= set(load_labs(WORLD).ids)


@pytest.mark.parametrize("axis", ["countries", "vendors", "products", "operators"])
def test_a_name_stands_once_on_its_axis(axis):
    ids = getattr(WORLD, axis).ids
    assert len(set(ids)) == len(ids)


def test_places_are_found_by_name():
    assert WORLD.vendors.ids[WORLD.vendor("amd")] == "amd"
    assert WORLD.operators.ids[WORLD.operator("meta")] == "meta"
    assert WORLD.countries.ids[WORLD.country("gulf")] == "gulf"


def test_fleets_stand_somewhere_and_shares_sum_to_one():
    operators = WORLD.operators
    np.testing.assert_allclose(operators.host.sum(axis=1), 1.0)
    np.testing.assert_allclose(operators.belief_share.sum(), 1.0)
    for market in range(len(TOKEN_MARKETS)):
        here = WORLD.countries.token_market == market
        np.testing.assert_allclose(WORLD.countries.demand_share[here].sum(), 1.0)


def test_products_come_before_they_go_and_cost_less_than_they_fetch():
    products = WORLD.products
    assert (products.launch <= products.end).all()
    assert (products.price_usd > products.unit_cost_usd).all()
    assert (products.unit_cost_usd > 0).all()
    later = products.replaces >= 0
    assert (products.launch[later] >= products.launch[products.replaces[later]]).all()


def test_own_silicon_belongs_to_an_operator_that_has_a_programme():
    owners = {name for name in WORLD.products.own_of if name}
    assert owners == {name for name in WORLD.operators.own_silicon if name}


def test_in_every_quarter_every_operator_can_buy_something():
    structure = build_structure(WORLD, load_rates())
    sold = structure.on_sale[:, None, :] & structure.may_hold
    assert sold.any(axis=2).all(), [QUARTERS[t] for t in np.flatnonzero(~sold.any(axis=2).all(axis=1))]


def test_what_the_market_knows_of_its_hardware_is_known_for_every_product():
    rates = load_rates()
    for values in (rates.h100e, rates.h100e_tpp, rates.power_kw, rates.bandwidth):
        assert (values > 0).all()
        assert np.isfinite(values).all()
    assert (rates.tokens_per_s >= 0).all()
    assert rates.h100e[WORLD.products.ids.index("nvidia_h100_sxm")] == pytest.approx(1.0, rel=0.01)


def test_sums_over_places_and_owners_keep_the_total():
    structure = build_structure(WORLD, load_rates())
    held = np.arange(2.0 * len(WORLD.operators.ids)).reshape(2, -1)
    np.testing.assert_allclose(structure.host_country(held).sum(axis=1), held.sum(axis=1))
    np.testing.assert_allclose(structure.owner_country(held).sum(axis=1), held.sum(axis=1))


def test_a_product_that_replaces_nothing_known_is_refused(monkeypatch):
    rows = world_module.read_rows("products")
    rows[3] = {**rows[3], "replaces": "nvidia_nothing"}
    monkeypatch.setattr(world_module, "read_rows", lambda _: rows)
    with pytest.raises(InputError, match=r"products.csv: .*replaces: 'nvidia_nothing'"):
        world_module._products(WORLD.vendors)
