"""What follows from the given world once: masks and places that the market uses every quarter."""

from dataclasses import dataclass

import numpy as np

from computemarket.model.core.arrays import Bools, Floats, Ints, weighted_sum
from computemarket.model.core.calendar import QUARTERS, quarters_since_start
from computemarket.model.world.rates import Rates
from computemarket.model.world.world import TOKEN_MARKETS, World, column, labels, positions, read_rows

TYPES = 9  # user types of equal weight
LEAST_DIES = 0.3  # a Chinese accelerator takes at least this of the first one's die: small dies are cut like large ones


@dataclass(frozen=True, slots=True)
class Labs:
    """Axis L: who makes models and sells tokens."""

    ids: tuple[str, ...]
    token_market: Ints  # (L,)
    entry: Ints  # (L,) first quarter with a product
    attraction: Floats  # (L,) pull of its products at the start of 2023, relative
    drift: Floats  # (L,) drift of ln attraction per quarter
    operator: Ints  # (L,) its own fleet on the operator axis, -1 none
    free_reach: Floats  # (L,) free products' reach once established, relative
    free_middle: Ints  # (L,) quarter in which half of that reach is won
    open_weights: Bools  # (L,) whether the models that it sells are open


@dataclass(frozen=True, slots=True)
class Structure:
    """Masks and places."""

    on_sale: Bools  # (T, P)
    may_hold: (
        Bools  # (H, P) merchant and Chinese products by anybody they are meant for, own silicon by its owner
    )
    owner: Bools  # (H, P) own silicon
    flagship: Bools  # (P,) data-centre accelerators, not cards
    card: int
    of_leader: Bools  # (P,) products of the vendor with the largest software stock
    host_market: Floats  # (H, M) share of an operator's fleet in each token market
    dies_per_unit: Floats  # (P,) Chinese products: dies of the first product
    tier_speed: Floats  # (K,) tokens a second and user
    type_quantiles: Floats  # (Q,) standard normal quantiles of user types
    designers: tuple[str, ...]  # axis D: vendors and the owners of silicon of their own
    designer: Ints  # (P,)
    product_of_designer: Bools  # (D, P)
    made_by: Floats  # (P, V) 1 where the vendor sells the product
    designed_by: Floats  # (P, D) 1 where the designer's it is
    may_hold_of_vendor: Bools  # (H, V)
    products_of_vendor: tuple[Ints, ...]  # (V,) places of each vendor's products
    packaged_vendors: tuple[int, ...]  # vendors with products that need advanced packaging
    host: Floats  # (H, C)
    gpu_clouds: Ints  # places of operators that borrow against contracts
    hyperscalers: Ints
    headquarters: Ints  # (H,) country

    def host_country(self, values: Floats) -> Floats:
        """Sum (R, H) over operators by where their accelerators stand: (R, C)."""
        return weighted_sum(values[:, None, :], self.host.T)

    def owner_country(self, values: Floats) -> Floats:
        """Sum (R, H) over operators by the country of their headquarters: (R, C)."""
        home = self.headquarters == np.arange(self.host.shape[1])[:, None]
        return weighted_sum(values[:, None, :], home)


def load_labs(world: World) -> Labs:
    """Read the labs."""
    rows = read_rows("labs")
    return Labs(
        ids=labels(rows),
        token_market=positions(labels(rows, "token_market"), TOKEN_MARKETS),
        entry=np.array([quarters_since_start(row["entry"]) for row in rows], dtype=np.int64),
        attraction=column(rows, "attraction"),
        drift=column(rows, "taste_drift"),
        operator=positions(labels(rows, "own_fleet"), world.operators.ids),
        free_reach=column(rows, "free_reach"),
        free_middle=np.array([quarters_since_start(row["free_middle"]) for row in rows], dtype=np.int64),
        open_weights=column(rows, "open_weights") > 0,
    )


def build_structure(world: World, rates: Rates) -> Structure:
    """Derive masks from the given world."""
    products, operators = world.products, world.operators
    quarter = np.arange(len(QUARTERS))[:, None]
    owner = np.array(
        [[bool(own) and own == name for own in products.own_of] for name in operators.own_silicon]
    )
    china = np.array([name == "china" for name in world.countries.ids])
    chinese_holder = china[operators.country][:, None]
    own = np.array([bool(name) for name in products.own_of])
    may_hold = np.where(products.chinese, chinese_holder, ~own) | owner
    designers = tuple(dict.fromkeys(products.designers))
    first_die = rates.h100e_tpp[products.ids.index(world.roles.one("first_chinese_die"))]
    card = world.roles.one("inference_card")
    host_market = np.stack(
        [operators.host[:, world.countries.token_market == m].sum(axis=1) for m in range(len(TOKEN_MARKETS))],
        axis=1,
    )
    return Structure(
        on_sale=(products.launch <= quarter) & (products.end >= quarter),
        may_hold=may_hold,
        owner=owner,
        flagship=np.array([name != card for name in products.ids]),
        card=products.ids.index(card),
        of_leader=products.vendor == world.vendor(world.leader),
        host_market=np.ascontiguousarray(host_market),
        dies_per_unit=np.where(products.chinese, np.maximum(rates.h100e_tpp / first_die, LEAST_DIES), 0.0),
        tier_speed=rates.tier_speed,
        type_quantiles=_normal_quantiles(TYPES),
        designers=designers,
        designer=positions(products.designers, designers),
        product_of_designer=np.array([[d == name for d in products.designers] for name in designers]),
        made_by=(products.vendor[:, None] == np.arange(len(world.vendors.ids))).astype(np.float64),
        designed_by=(positions(products.designers, designers)[:, None] == np.arange(len(designers))).astype(
            np.float64
        ),
        may_hold_of_vendor=np.stack(
            [may_hold[:, products.vendor == v].any(axis=1) for v in range(len(world.vendors.ids))], axis=1
        ),
        products_of_vendor=tuple(np.flatnonzero(products.vendor == v) for v in range(len(world.vendors.ids))),
        packaged_vendors=tuple(np.unique(products.vendor[products.packages_per_wafer > 0]).tolist()),
        host=operators.host,
        gpu_clouds=_of_kind(operators.kind, "gpu_cloud"),
        hyperscalers=_of_kind(operators.kind, "hyperscaler"),
        headquarters=operators.country,
    )


def _of_kind(kinds: tuple[str, ...], wanted: str) -> Ints:
    return np.array([place for place, kind in enumerate(kinds) if kind == wanted], dtype=np.int64)


def _normal_quantiles(count: int) -> Floats:
    """Return the standard normal quantiles at the middles of `count` equal steps."""
    from statistics import NormalDist

    return np.array([NormalDist().inv_cdf((place + 0.5) / count) for place in range(count)])
