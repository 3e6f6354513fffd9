"""The state of the market: arrays with a leading runs axis, and the labels of their other axes.

Axes: R runs, H operators, P products, V vendors, C countries, M token markets, K token tiers, L labs.
"""

import numpy as np

from computemarket.model.arrays import Floats
from computemarket.model.world import TIERS, TOKEN_MARKETS, World

POWER_PIPELINE_QUARTERS = 24  # longest wait for a connection that is kept track of
CAPACITY_PIPELINE_QUARTERS = 12
UNLIMITED = 1e18  # where no limit is set: arrays stay finite
WITHDRAWN = (
    -2000.0
)  # utility of a product that is not, or no longer, offered: its share underflows to nothing


class MarketState:
    """What changes from quarter to quarter; each array belongs to the actor or market named beside it."""

    def __init__(self, world: World, runs: int, labs: int) -> None:
        h, p, v = len(world.operators.ids), len(world.products.ids), len(world.vendors.ids)
        c, m, k = len(world.countries.ids), len(TOKEN_MARKETS), len(TIERS)

        def zeros(*shape: int) -> Floats:
            return np.zeros((runs, *shape))

        # accelerators: who holds, who waits, what is made
        self.fleet_units = zeros(h, p)
        self.age_quarters = zeros(h, p)  # mean age of the fleet
        self.backlog_units = zeros(h, p)  # ordered, not yet delivered
        self.ordered_units = zeros(h, p)  # this quarter's orders
        self.duplicate_share = zeros(p)  # of the backlog: ordered twice in the shortage
        self.quoted_quarters = zeros(p)  # wait that was quoted when orders were last placed
        self.delivered_units = zeros(h, p)  # this quarter's deliveries
        self.retired_units = zeros(h, p)
        self.smuggled_units = zeros(p)  # into China, this quarter
        self.inventory_units = zeros(p)  # finished goods at vendors
        self.in_process_units = zeros(p)  # started last quarter, finished in this one
        self.produced_units = zeros(p)
        self.sold_units = zeros(p)  # since 2022Q1
        self.written_off_units = zeros(p)
        self.added_units = zeros(p)  # deliveries since 2022Q1, without retirement

        # what today's models and joint software let an accelerator do of its work
        self.architecture_share = np.ones((runs, p))
        self.joined_share = np.ones((runs, p))
        self.product_edge = zeros(p)  # utility beyond what a product's cost, software and age give it

        # trends: what rates of growth, learning and erosion have done so far
        self.software_gap_left = np.ones(runs)  # of rivals' software gap of 2022, after what they caught up
        self.card_budget_share = zeros()  # spent on inference cards, over what is spent on accelerators
        self.captive_usd_per_year = zeros()  # value of hours for own use, at their rent
        self.token_markup = zeros()  # price of tokens over the cost of their hours, as rivals erode it
        self.token_efficiency_ln = zeros()  # tokens per unit of compute over those of 2026Q1
        self.capability_ln = zeros()  # compute for a fixed capability in 2022Q1 over that of today
        self.wage_growth = np.ones(runs)  # addressable wage bill over that of 2022
        self.porting_left = np.ones((runs, h))  # cost of porting to own silicon over that at its start
        self.use_growth_left = np.ones(runs)  # of the growth of use per adopter of 2023Q1
        self.business_growth = np.ones((runs, h))  # cash flow of other business over that of 2022Q1
        self.business_growth_ln = zeros(h)  # a year, today

        # prices of accelerators
        self.revenue_usd = zeros(v)  # of accelerators with their networking and systems
        self.cost_of_sales_usd = zeros(v)
        self.price_usd = zeros(p)
        self.unit_cost_usd = zeros(p)
        self.cost_per_h100e_usd = zeros(h)  # all-in, of what the operator would buy today
        self.merchant_cost_per_h100e_usd = zeros(h)  # the same of what is on sale to anybody
        self.vendor_share = zeros(v)  # of accelerator revenue, last four quarters
        self.lead_time_quarters = zeros(v)
        self.access = np.ones(
            (runs, c, p)
        )  # share of the quarter in which the product may be sold to the country

        # operators
        self.belief_ln_usd = zeros(h)  # ln of the yearly AI revenue each believes in
        self.wanted_h100e = zeros(h)  # orders wished this quarter
        self.wish_h100e = zeros(h)  # before money and power are counted
        self.capex_usd = zeros(h)
        self.ai_capex_usd = zeros(h)
        self.legacy_capex_usd = zeros(h)
        self.funds_usd = zeros(h)  # what the operator can spend on AI this quarter
        self.other_cash_flow_usd = zeros(h)  # of the business that is not AI
        self.debt_usd = zeros(h)
        self.interest_usd = zeros(h)
        self.weak_quarters = zeros(h)  # quarters in a row with debt service not covered
        self.defaulted = zeros(h)  # 1 where the operator has failed
        self.rental_revenue_usd = zeros(h)
        self.booked_rent_usd_per_h100e_hour = zeros(h)  # mean rent of the contracts that the fleet is let on
        self.loan_share = np.ones((runs, h))  # of money from outside that is lent; owners put in the rest
        self.let_factor = np.ones((runs, h))  # what an operator lets, over what its kind lets on average
        self.power_seen_mw = zeros()  # of all sites, at the end of the last quarter
        self.partner_usd = zeros(h)  # what the leader paid under partnerships last quarter, less what it got
        self.backed_share = zeros(h)  # of the fleet: revenue has a floor that the leader guarantees
        self.exclusive_share = zeros(h)  # of orders: bound to the leader's accelerators
        self.loan_rate_per_year = zeros(h)  # 0 where the cost of capital stands for it
        self.network_hold_usd = zeros(h)
        self.power_mw = zeros(h)  # connected for accelerators
        self.power_used_mw = zeros(h)
        self.power_pipeline_mw = zeros(h, POWER_PIPELINE_QUARTERS)
        self.power_added_mw = zeros(h)

        # token markets
        self.utilisation = np.full((runs, m), 0.6)
        self.rent_usd_per_h100e_hour = zeros(m)
        self.contract_rent_usd_per_h100e_hour = zeros(m)
        self.capacity_h100e = zeros(m)  # working, where it stands
        self.inference_share = zeros(m)
        self.token_price_usd_per_mtok = zeros(m, k)
        self.tokens = zeros(m, k)  # tokens served this quarter
        self.token_revenue_usd = zeros(m)
        self.token_hours_h100e = zeros(m, k)
        self.training_hours_h100e = zeros(m)
        self.captive_hours_h100e = zeros(m)
        self.unmet_tokens = zeros(m, k)
        self.adoption = zeros()  # share of those who will ever use models at work
        self.use_usd = zeros()  # western spending a quarter at the prices of 2023Q1
        self.first_price_usd = zeros(m)  # mean paid price of 2023Q1, per million tokens
        self.robot_hours_h100e = zeros(m)  # wanted for training and simulating robots
        self.edge_sales_usd = zeros(m)  # of the leader's chips for robots
        self.standing_units = zeros(m, p)  # accelerators by token market, as of the last clearing
        self.availability_factor = np.ones(runs)  # share of accelerators that work, over that of 2026Q1
        self.markup_factor = np.ones(
            runs
        )  # what open models and searching buyers leave of the markup on tokens
        self.menu_share = zeros(k)  # of tiers in the use of the mean western user, at today's prices
        self.tier_tilt = np.ones((runs, k))  # shares of tiers over those of the mean user of 2026Q1
        self.request_factor = np.ones((runs, k))  # tokens an hour over those of the requests of 2026Q1
        self.own_share = zeros(h)  # of an operator's orders that go to its own silicon
        self.realised_revenue_usd = zeros()  # yearly rate of AI revenue and captive value
        self.realised_growth = zeros()  # expected growth per quarter, ln
        self.ai_capex_growth = zeros()  # last quarter's, ln

        # labs
        self.lab_quality = zeros(labs)
        self.lab_share = zeros(labs)  # of paid use in its token market
        self.lab_paid_share = zeros(labs)  # the same, with what open models and buyers without habits change
        self.lab_tokens = zeros(labs, k)  # served this quarter
        self.lab_revenue_usd = zeros(labs)
        self.lab_compute_hours_h100e = zeros(labs)
        self.lab_power_mw = zeros(labs)
        self.lab_training_usd = zeros(labs)
        self.lab_compute_usd = zeros(labs)
        self.lab_funding_usd = zeros(labs)

        # supply
        self.packaging_wafers = zeros()  # CoWoS capacity, wafers a quarter
        self.packaging_pipeline = zeros(CAPACITY_PIPELINE_QUARTERS)
        self.packaging_used = zeros(p)  # wafers by product
        self.packages_per_wafer = np.tile(world.products.packages_per_wafer, (runs, 1))  # 0: not packaged
        self.memory_gb = zeros()  # HBM capacity, GB a quarter
        self.memory_pipeline = zeros(CAPACITY_PIPELINE_QUARTERS)
        self.smic_units = zeros()  # Chinese advanced accelerators a quarter, in units of 910B
        self.binding = zeros(5)  # share of wished H100e lost to packaging, memory, wafers, power, demand
        self.waiting_wafers = zeros()  # demand for packaging beyond capacity

        # money and mood
        self.credit_conditions = np.ones(runs)  # multiplier on new lending to GPU clouds
        self.funding_ratio = np.ones(runs)  # of what labs ask, what investors give
        self.sentiment_ln = zeros()  # of investors, 0 is usual
        self.use_factor = np.ones(runs)  # what startups do to token use
        self.regulatory_stage = zeros()  # furthest stage of a competition case
        self.leader_order_factor = np.ones(runs)  # what channel conflict leaves of orders to the leader
        self.rival_gap_factor = np.ones(
            runs
        )  # what remedies and open software leave of the gap to the leader
        self.porting_factor = np.ones(runs)  # cost of porting to own silicon over what it was in 2025

        # export rules
        self.restricted_holders = np.zeros(0, dtype=np.int64)  # (n,) operators that some regime restricts
        self.holder_access = np.ones((runs, h, p))  # share of an operator's orders that may be served
        self.open_share = np.ones((runs, h, p))  # share of the quarter in which deliveries are allowed
        self.buyer_charge = zeros(p)  # charge on units for China, share of the price
        self.order_quota_units = np.full((runs, p), UNLIMITED)  # what caps leave of orders from China
        self.commitment = zeros(
            p
        )  # claim of a compliant variant on packaging, relative to the vendor's best product

        # China
        self.stockpiling = np.ones(
            (runs, h)
        )  # accelerators wished for over those needed, where rules are feared
        self.china_unmet_h100e = zeros()
        self.china_premium = zeros()  # price of compute in China over the world's, less one
        self.china_price_usd = zeros()  # per H100e of work
        self.remote_h100e = zeros()  # compute abroad that firms of China rent, H100e of work
        self.used_abroad_h100e = zeros()  # rented or owned abroad and used from China, H100e of work
        self.detection = zeros()  # chance that a smuggled shipment is seized
        self.seized_units = zeros(p)
        self.transit_share = zeros(c)  # how smugglers weigh countries of transit
        self.transit_units = zeros(c)  # diverted there this quarter
        self.diverted_h100e = zeros()  # what smugglers want to ship this quarter, H100e of work
        self.front_sales_usd = zeros(h)  # what smugglers pay to each operator that diverts
        self.smuggling_fines_usd = zeros()
        self.country_room_tpp = np.full((runs, c), UNLIMITED)  # what caps leave of a country's orders, TPP
        self.china_stacks = np.full(runs, UNLIMITED)  # memory stacks that packages may use this quarter
        self.domestic_bonus = zeros(p)  # utility that subsidies add to Chinese products
        self.smuggled_h100e = zeros()
        self.export_charge_usd = zeros()
        self.export_lost_usd = zeros()
