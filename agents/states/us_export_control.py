"""US export control: which product may be sold to whom, with which delay, volume and charge (M25)."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np

from computemarket.model.actor import Actor
from computemarket.model.core.arrays import Bools, Floats, Ints, over_holders, weighted_sum
from computemarket.model.core.calendar import QUARTERS
from computemarket.model.market import ComputeMarket
from computemarket.model.policy.regimes.regime import (
    LICENCE,
    LICENCE_APPROVAL,
    LICENCE_CASE_BY_CASE,
    LICENCE_DENIAL,
    NAC,
    NONE,
    Regime,
    RegimeBook,
)
from computemarket.model.policy.trade.access import QuarterAccess, quarter_days
from computemarket.model.policy.trade.designs import Design, counted
from computemarket.model.policy.trade.licences import (
    approval_probability,
    review_delay_quarters,
)
from computemarket.model.policy.trade.market_access import (
    Rules,
    access_under,
    compliant_variants,
    controlled,
    countries_in_group,
    market_metrics,
)
from computemarket.model.state import UNLIMITED

DESTINATION = "china"
OFFSHORE = "china_offshore"  # purchases abroad of firms headquartered in the destination


class ExportControl(Actor):
    """Classifies every product by the regimes in force, grants licences, and limits volumes."""

    def __init__(
        self, market: ComputeMarket, name: str, rules: Rules, designs: Sequence[Design] = ()
    ) -> None:
        super().__init__(market, name)
        world, runs = market.world, len(market.runs)
        self.country = world.country(DESTINATION)
        self.book = rules.book()
        self.close_days = np.rint(market.values.at("policy.vendor_close_days", 0)).astype(np.int64)
        self.tables = _tables(market, rules, designs, self.close_days)
        self._laid_out: dict[int, QuarterAccess] = {}  # by run, of this quarter and the last
        self.controlled = controlled(world.products)
        self.variants = compliant_variants(world.products).with_designs(designs, DESTINATION)
        self.tpp = counted(market_metrics(world.products), designs)["tpp"].low
        # (R, C, P) share of days times chance of approval, by quarter of application, as far back as reviews last
        self.licensed: deque[Floats] = deque(maxlen=2 + self._longest_delay())
        self.here = world.operators.country == self.country
        self.offshore = world.operators.ids.index(OFFSHORE) if OFFSHORE in world.operators.ids else -1
        self.us_units = np.zeros((runs, len(world.products.ids)))
        self.units = np.zeros_like(self.us_units)  # sold to the destination under licence
        self.country_tpp = np.zeros((runs, len(world.countries.ids)))
        self.countries_in_group = countries_in_group(world.countries.ids)
        self.fee_usd = np.zeros((runs, len(world.vendors.ids)))
        self.home_host = np.ascontiguousarray(world.operators.host[:, world.country("us")])
        market.state.restricted_holders = _restricted(market, rules)
        self.stockpilers = world.operators.country == self.country
        self.announced, self.ahead = _rules_to_come(self.book, DESTINATION)
        self.fear = self.value("policy.fear_2022").copy()

    def regulate(self) -> None:
        """Put the access of this quarter in force."""
        state, now = self.state, self.access_in(self.quarter)
        at_once = (
            now.share[..., NONE] + now.share[..., NAC] * self.value("policy.nac_approval_prob")[:, None, None]
        )
        self.licensed.append(self._granted(now))
        delayed = self._arriving()
        delayed[:, self.country] *= self._permission() * self._certified()
        self.licensed_now = delayed[:, self.country] > 0
        at_once[:, self.country] *= self._let_in()
        free = np.where(self.controlled, at_once + delayed, 1.0)
        open_days = now.share[..., NONE] + now.share[..., NAC]
        licensed_days = 1 - open_days
        opened = np.where(self.controlled, open_days + licensed_days * (delayed > 0), 1.0)
        for product, country in self.variants.only_in.items():
            elsewhere = np.arange(free.shape[1]) != self.world.country(country)
            free[:, elsewhere, product] = 0.0
        state.access[:] = np.minimum(free, 1.0)
        state.sellable[:] = self.sellable(self.quarter)
        self._to_holders(opened)
        state.buyer_charge[:] = now.charge[:, self.country]
        self._count(now)
        self._feared()

    def _feared(self) -> None:
        """Let firms of the destination wish for more than they need, as far as they fear to be cut off.

        They expect rules at the rate at which rules came of late (adaptive expectations, Cagan 1956), and are sure of
        what is announced and not yet in force. A stock for a supply that may stop grows with that chance (Arrow,
        Harris and Marschak 1951); when fear fades, stock in hand meets needs and orders fall.
        """
        memory = self.value("policy.fear_memory")
        if self.quarter > 0:
            self.fear = memory * self.fear + (1 - memory) * self.announced[self.quarter - 1]
        feared = np.maximum(self.fear, self.ahead[self.quarter])
        more = 1 + self.value("policy.stock_per_fear") * feared
        self.state.stockpiling[:] = np.where(self.stockpilers, more[:, None], 1.0)

    def access_in(self, quarter: int) -> QuarterAccess:
        """Return what holds in a quarter for vendors; each run closes its books after days of its own."""
        if len(self.tables) == 1:
            return next(iter(self.tables.values()))[quarter]
        if quarter not in self._laid_out:
            found = {days: table[quarter] for days, table in self.tables.items()}
            kept = {place: laid for place, laid in self._laid_out.items() if place == quarter - 1}
            self._laid_out = {**kept, quarter: _by_run(self.close_days, found)}
        return self._laid_out[quarter]

    def _granted(self, now: QuarterAccess) -> Floats:
        """Return (R, C, P) the share of this quarter's applications that will be granted."""
        chance = {
            LICENCE_APPROVAL: self.value("policy.licence_approval_prob_third"),
            LICENCE_CASE_BY_CASE: self.value("policy.licence_approval_prob_cbc"),
            LICENCE: self.value("policy.licence_approval_prob_letter"),
            LICENCE_DENIAL: self.value("policy.licence_approval_prob_denial_class"),
        }
        passed = 1 - self.value("policy.congress_block_prob") * (
            self.value("policy.congress_review_days") > 0
        )
        total = np.zeros(self.state.access.shape)
        for status, probability in chance.items():
            if now.share[..., status].any():
                total += now.share[..., status] * (probability * passed)[:, None, None]
        indexed = self.value("policy.approval_indexed")
        if indexed.any():
            total *= 1 - indexed[:, None, None] * (1 - self._closeness()[:, None, :])
        return total

    def _closeness(self) -> Floats:
        """Return (R, P) the factor on approval by distance from the frontier on sale at home."""
        selling = self.market.structure.on_sale[self.quarter] & self.controlled
        frontier = np.full(len(self.market.runs), (self.tpp * selling).max())
        return approval_probability(
            1.0,
            self.tpp,
            frontier,
            self.value("policy.approval_lag_ratio"),
            self.value("policy.approval_steepness"),
        )

    def delay_quarters(self) -> Floats:
        """Return (R,) quarters from application to shipment."""
        return review_delay_quarters(
            self.value("policy.licence_delay"), self.value("policy.congress_review_days")
        )

    def _longest_delay(self) -> int:
        """Return the most whole quarters from application to shipment that any run ever waits."""
        at = self.market.values.at
        waits = [
            review_delay_quarters(at("policy.licence_delay", q), at("policy.congress_review_days", q)).max()
            for q in range(len(QUARTERS))
        ]
        return int(np.ceil(max(waits)))

    def _arriving(self) -> Floats:
        """Return (R, C, P) what was granted the length of the review ago, fractions of quarters between two."""
        delay = self.delay_quarters()
        whole = np.floor(delay).astype(np.int64)
        part = (delay - whole)[:, None, None]
        nearer, farther = self._granted_ago(whole), self._granted_ago(whole + 1)
        arriving = (1 - part) * nearer + part * farther
        return np.where(self.licensed[-1] > 0, arriving, 0.0)

    def _granted_ago(self, quarters: Ints) -> Floats:
        found = np.zeros_like(self.licensed[-1])
        for ago in np.unique(quarters):
            if ago < len(self.licensed):
                found = np.where((quarters == ago)[:, None, None], self.licensed[-1 - ago], found)
        return found

    def _let_in(self) -> Floats:
        """Return (R, P) the share of units free of licences that the destination lets in, variants apart."""
        places = np.arange(len(self.tpp))
        made_for = np.isin(places, [p for p, where in self.variants.only_in.items() if where == DESTINATION])
        variants, others = (
            self.value(f"policy.cn_{kind}_permission")[:, None] for kind in ("variant", "unlicensed")
        )
        return np.where(made_for, variants, others)

    def _permission(self) -> Floats:
        """Return (R, 1) the share of licensed units that the destination lets in."""
        return self.value("policy.cn_import_permission")[:, None]

    def _certified(self) -> Floats:
        """Return (R, P) what the certificate that no order at home is delayed leaves: less where home waits."""
        state = self.state
        strict = np.maximum(self.value("policy.supply_diversion_test"), self.value("policy.us_first_refusal"))
        if not strict.any():
            return np.ones_like(self.us_units)
        waits = over_holders(state.backlog_units, self.home_host)
        served = over_holders(state.delivered_units, self.home_host)
        short = waits / np.maximum(waits + served, 1e-9)
        return 1 - strict[:, None] * short

    def _to_holders(self, opened: Floats) -> None:
        """Turn access by country into access by holder: by headquarters, and by site for purchases abroad."""
        state, operators = self.state, self.world.operators
        state.holder_access[:] = np.take(state.access, operators.country, axis=1)
        state.open_share[:] = np.take(opened, operators.country, axis=1)
        if self.offshore < 0:
            return
        host = operators.host[self.offshore]
        stopped = self.value("policy.hq_rule_enforcement")[:, None] * self._needs_licence()
        abroad = (state.access * host[:, None]).sum(axis=1)
        state.holder_access[:, self.offshore] = abroad * (1 - stopped)
        state.open_share[:, self.offshore] = (opened * host[:, None]).sum(axis=1)

    def _needs_licence(self) -> Floats:
        """Return (R, P) share of days on which a product needs a licence for the destination."""
        share = self.access_in(self.quarter).share[:, self.country]
        return np.where(self.controlled, 1 - share[..., NONE] - share[..., NAC], 0.0)

    def sellable(self, quarter: int) -> Bools:
        """Return (R, P) whether some country is open to a product when vendors close the books of a quarter."""
        elsewhere = np.array([place not in self.variants.only_in for place in range(len(self.tpp))])
        last = self.access_in(quarter).status[:, self.country]
        return np.asarray((last == NONE) | (last == NAC) | self.licensed_now | elsewhere)

    def _count(self, now: QuarterAccess) -> None:
        """Bring cumulative sales along and set what caps leave for the quarter."""
        state = self.state
        self.us_units += over_holders(state.delivered_units, self.home_host)
        arrived = np.compress(self.here, state.delivered_units, axis=1).sum(axis=1)
        licensed_before = self.access_in(max(self.quarter - 1, 0)).share[:, self.country][
            ..., LICENCE_CASE_BY_CASE
        ]
        self.units += arrived * licensed_before
        quota = np.full_like(self.us_units, np.inf)  # and a cap that is not known, NaN, limits nothing
        reviewed = (now.share[:, self.country, :, LICENCE_CASE_BY_CASE] > 0) & self.controlled
        if "share_of_us_units" in now.caps:
            share = now.caps["share_of_us_units"][:, self.country][:, None]
            quota = np.where(reviewed, np.fmin(quota, share * self.us_units - self.units), quota)
        if "units_per_buyer" in now.caps and "buyers" in now.caps:
            buyers = now.caps["units_per_buyer"][:, self.country] * now.caps["buyers"][:, self.country]
            left = (buyers - (self.units * reviewed).sum(axis=1))[:, None]
            quota = np.where(reviewed, np.fmin(quota, left), quota)
        state.order_quota_units[:] = np.clip(quota, 0.0, UNLIMITED)
        self._count_countries(now)

    def _count_countries(self, now: QuarterAccess) -> None:
        """Set what is left of countries' caps on TPP since they began; a group of countries has a cap for each."""
        state = self.state
        if "country_tpp" not in now.caps:
            state.country_room_tpp[:] = UNLIMITED
            self.country_tpp[:] = 0.0
            return
        new = weighted_sum(state.delivered_units, self.tpp * self.controlled)  # (R, H)
        self.country_tpp += self.market.structure.owner_country(new)
        cap = now.caps["country_tpp"] * self.countries_in_group
        left = np.where(np.isnan(cap), UNLIMITED, cap - self.country_tpp)
        state.country_room_tpp[:] = np.clip(left, 0.0, UNLIMITED)

    def settle(self) -> None:
        """Collect the charge on licensed units: the buyer bears the share that is passed on, the vendor the rest."""
        state, ledger = self.state, self.market.ledger
        self.fee_usd[:] = 0.0
        charge = self.access_in(self.quarter).charge[:, self.country]
        if not charge.any():
            return
        from computemarket.model.markets.settlement import account_slice, by_vendor

        due_usd = (charge * state.price_usd)[:, None, :]  # (R, 1, P) on a unit
        passed = self.value("policy.fee_pass_through")
        by_buyer = weighted_sum(state.delivered_units, due_usd) * (self.here * passed[:, None])
        arrived = over_holders(state.delivered_units, self.here.astype(np.float64))
        self.fee_usd = by_vendor(self.market, arrived * due_usd[:, 0])
        by_seller = self.fee_usd * (1 - passed)[:, None]
        ledger.pay_each(
            account_slice(self.market, self.world.operators.ids), "public", by_buyer, "export charges, buyers"
        )
        ledger.pay_each(
            account_slice(self.market, self.world.vendors.ids), "public", by_seller, "export charges, vendors"
        )


def _tables(
    market: ComputeMarket, rules: Rules, designs: Sequence[Design], days: Ints
) -> dict[int, Sequence[QuarterAccess]]:
    """Return the access of all quarters by the days after which vendors close the books."""
    return {int(some): access_under(rules, market.values.at, int(some), designs) for some in np.unique(days)}


def _by_run(days: Ints, found: Mapping[int, QuarterAccess]) -> QuarterAccess:
    """Return what holds in each run where runs close their books on different days."""
    first = next(iter(found.values()))

    def chosen(read: Callable[[QuarterAccess], Floats]) -> Floats:
        shape = (len(days), *read(first).shape[1:])
        total = np.zeros(shape)
        for some, access in found.items():
            mine = (days == some).reshape(-1, *(1,) * (len(shape) - 1))
            total = np.where(mine, read(access), total)
        return total

    kinds = sorted({kind for access in found.values() for kind in access.caps})
    none = np.full((1, len(first.countries)), np.nan)
    caps = {kind: chosen(partial(_cap, kind, none)) for kind in kinds}
    status = chosen(lambda access: np.asarray(access.status, dtype=np.float64)).astype(np.int64)
    return QuarterAccess(
        first.countries,
        chosen(lambda access: access.share),
        status,
        chosen(lambda access: access.charge),
        caps,
    )


def _cap(kind: str, none: Floats, access: QuarterAccess) -> Floats:
    return access.caps.get(kind, none)


def _rules_to_come(book: RegimeBook, country: str) -> tuple[Bools, Bools]:
    """Return (T,) whether a rule that takes products from a country is announced in a quarter, and whether one is due.

    Due is what has been announced by the end of the quarter and takes force after it. Rules that only ease what needs
    a licence already take nothing away.
    """
    announced, ahead = np.zeros(len(QUARTERS), dtype=bool), np.zeros(len(QUARTERS), dtype=bool)
    days = [quarter_days(quarter) for quarter in range(len(QUARTERS))]
    for regime in book.regimes:
        if not (regime.enforced and country in regime.destinations and _takes_away(regime)):
            continue
        known = regime.announced or regime.effective
        for quarter, (first, after) in enumerate(days):
            announced[quarter] |= first <= known < after
            ahead[quarter] |= known < after <= regime.effective
    return announced, ahead


def _takes_away(regime: Regime) -> bool:
    strict = any(rule.outcome >= LICENCE for rule in regime.rules)
    return strict and NONE in regime.acts_on


def _restricted(market: ComputeMarket, rules: Rules) -> Ints:
    """Return the holders in countries that some regime in force restricts; the same in every run."""
    world = market.world
    places = {
        world.countries.ids.index(c) for r in rules.book().regimes if r.enforced for c in r.destinations
    }
    return np.flatnonzero(np.isin(world.operators.country, sorted(places)))
